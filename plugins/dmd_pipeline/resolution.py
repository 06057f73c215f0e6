"""Can rows written with one schema be read with another? Avro's *Schema Resolution*, as far as Athena's reader goes.

What keeps rows from being read is an *obstacle*, at a field. Some are in every row: nothing of the file can be read.
Others are in some rows only, which schemas alone cannot tell: a null where null is no longer allowed, a symbol or a
branch of a union that was taken away.

The rules are those of the specification (Avro 1.12, *Schema Resolution*), and where Athena's reader is narrower, those
that a real Trino was seen to follow (docs/local-athena.md, *How a partition is read*):

* a struct or a decimal that a file lacks is null, or an error: it can have no other default, and no alias;
* decimals must have the same scale, enums and fixed the same full name;
* the names of records are not compared.

Narrower than both, because values would change their meaning: a date or a timestamp is read as its own kind only, and
a decimal with no smaller precision.

https://avro.apache.org/docs/1.12.0/specification/#schema-resolution
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.schemas import type_name


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dmd_pipeline.schemas import AvroType


SPECIFICATION: Final = "Avro 1.12, Schema Resolution"
ENGINE: Final = "Athena's reader"

PROMOTIONS: Final = frozenset(
    {
        ("int", "long"),
        ("int", "float"),
        ("int", "double"),
        ("long", "float"),
        ("long", "double"),
        ("float", "double"),
        ("string", "bytes"),
        ("bytes", "string"),
    }
)
"""From the writer's type to the reader's."""


@dataclass(frozen=True)
class Obstacle:
    """What keeps rows from being read.

    Attributes:
        field: Dotted path of the field; ``[]`` stands for items of an array or values of a map.
        reason: What is wrong with it.
        rule: Who says so: the specification or the engine, and its sentence.
        remedy: The nearest change that would be accepted.
        in_every_row: Whether no row can be read; otherwise those that have it cannot.
    """

    field: str
    reason: str
    rule: str
    remedy: str
    in_every_row: bool = True


def obstacles(writer: Mapping[str, Any], reader: Mapping[str, Any]) -> tuple[Obstacle, ...]:
    """Everything that keeps rows of a file from being read.

    Args:
        writer: Schema of the file's rows, expanded.
        reader: Schema in which they are wanted, expanded.

    Returns:
        Nothing when each row can be read, whatever is in it.
    """
    return tuple(_resolve(dict(writer), dict(reader), ""))


def written_field(fields: Sequence[Mapping[str, Any]], wanted: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The field of a file in which a wanted field is found: the one of its name, or of its first alias that is there.

    >>> written_field([{"name": "old"}], {"name": "new", "type": "int", "aliases": ["old"]})
    {'name': 'old'}
    """
    by_name = {field["name"]: field for field in fields}
    if wanted["name"] in by_name:
        return by_name[wanted["name"]]
    return next((by_name[alias] for alias in wanted.get("aliases", ()) if alias in by_name), None)


def shown_type(avro_type: AvroType) -> str:
    """A type in few words.

    >>> shown_type(["null", {"type": "array", "items": "int"}])
    'null | array<int>'
    """
    if isinstance(avro_type, list):
        return " | ".join(map(shown_type, avro_type))
    if isinstance(avro_type, str):
        return avro_type
    kind = type_name(avro_type)
    if kind in {"array", "map"}:
        return f"{kind}<{shown_type(avro_type['items' if kind == 'array' else 'values'])}>"
    if is_decimal(avro_type):
        return f"decimal({avro_type.get('precision')},{avro_type.get('scale', 0)})"
    if kind in {"record", "enum", "fixed"}:
        return f"{kind} {avro_type['name']}"
    logical = avro_type.get("logicalType")
    return f"{kind} ({logical})" if logical else kind


def _moment(avro_type: AvroType) -> str | None:
    """Date or timestamp, of those that Athena shows as such."""
    logical = avro_type.get("logicalType") if isinstance(avro_type, dict) else None
    return str(logical) if logical in {"date", "timestamp-millis"} else None


def is_decimal(avro_type: AvroType) -> bool:
    """Whether it is a decimal."""
    return isinstance(avro_type, dict) and avro_type.get("logicalType") == "decimal"


def _resolve(writer: AvroType, reader: AvroType, field: str) -> Iterator[Obstacle]:
    if isinstance(writer, list):
        yield from _from_union(writer, reader, field)
    elif isinstance(reader, list):
        yield from _to_union(writer, reader, field)
    elif type_name(writer) != type_name(reader):
        if (type_name(writer), type_name(reader)) not in PROMOTIONS or is_decimal(reader) or is_decimal(writer):
            yield _mismatch(writer, reader, field)
    elif isinstance(writer, dict) and isinstance(reader, dict):
        yield from _within(writer, reader, field)
    elif is_decimal(reader) or is_decimal(writer):
        yield _mismatch(writer, reader, field)
    if _moment(writer) != _moment(reader) and not isinstance(writer, list) and not isinstance(reader, list):
        rule = "its meaning: a date counts days and a timestamp milliseconds, whatever a number counts"
        yield replace(_mismatch(writer, reader, field), rule=rule)


def _within(writer: dict[str, Any], reader: dict[str, Any], field: str) -> Iterator[Obstacle]:
    """Two definitions of one kind."""
    kind = type_name(reader)
    if kind == "record":
        yield from _record(writer, reader, field)
    elif kind == "enum":
        yield from _enum(writer, reader, field)
    elif kind in {"array", "map"}:
        inside = "items" if kind == "array" else "values"
        yield from _resolve(writer[inside], reader[inside], f"{field}[]")
    elif kind == "fixed" and (writer["name"], writer["size"]) != (reader["name"], reader["size"]):
        yield _mismatch(writer, reader, field, "both are fixed types of the same name and size")
    elif is_decimal(writer) != is_decimal(reader) or (is_decimal(reader) and not _holds_decimal(writer, reader)):
        yield _mismatch(writer, reader, field, "decimals have the same scale, and no smaller precision")


def _record(writer: dict[str, Any], reader: dict[str, Any], field: str) -> Iterator[Obstacle]:
    for wanted in reader["fields"]:
        path = f"{field}.{wanted['name']}" if field else wanted["name"]
        found = written_field(writer["fields"], wanted)
        if found is not None and found["name"] != wanted["name"] and _is_looked_up(wanted["type"]):
            yield Obstacle(
                path,
                f"files call it {found['name']}, and it is a struct or a decimal",
                f"{ENGINE}: looks structs and decimals up in the file's own schema, under their new name",
                "leave the alias out: old rows then read null",
            )
        elif found is not None:
            yield from _resolve(found["type"], wanted["type"], path)
        elif "default" not in wanted:
            yield Obstacle(
                path,
                "files lack it, and it has no default",
                f"{SPECIFICATION}: a field of the reader's record that the writer's lacks must have a default",
                'give it a default: "type": ["null", …], "default": null',
            )
        elif wanted["default"] is not None and _has_looked_up(wanted["type"], wanted["default"]):
            yield Obstacle(
                path,
                "files lack it, and its default holds a struct or a decimal",
                f"{ENGINE}: looks structs and decimals up in the file's own schema",
                'make it optional: "type": ["null", …], "default": null',
            )


def _enum(writer: dict[str, Any], reader: dict[str, Any], field: str) -> Iterator[Obstacle]:
    if writer["name"] != reader["name"]:
        yield _mismatch(writer, reader, field, "both schemas are enums whose names match")
    missing = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
    if missing and "default" not in reader:
        yield Obstacle(
            field,
            f"rows may hold {', '.join(missing)}, which it no longer has",
            f"{SPECIFICATION}: a symbol that the reader's enum lacks, when that has no default, is an error",
            f'keep {", ".join(missing)}, or give the enum a "default" symbol',
            in_every_row=False,
        )


def _from_union(writer: list[Any], reader: AvroType, field: str) -> Iterator[Obstacle]:
    """Each branch must be readable; one that is not matters to the rows that hold it, as long as others are."""
    by_branch = [(branch, tuple(_resolve(branch, reader, field))) for branch in writer]
    some_value_reads = any(branch != "null" and not found for branch, found in by_branch)
    for branch, found in by_branch:
        for obstacle in found:
            if branch == "null":
                yield Obstacle(
                    field,
                    "it may be null in files, and may not be any more",
                    f"{SPECIFICATION}: a branch of the writer's union that the reader lacks is an error",
                    "keep null in its type",
                    in_every_row=False,
                )
            elif obstacle.field == field and some_value_reads:
                yield replace(obstacle, in_every_row=False)
            else:
                yield obstacle


def _to_union(writer: AvroType, reader: list[Any], field: str) -> Iterator[Obstacle]:
    """The first branch that matches reads it; when none does without obstacles, the nearest one tells them."""
    branches = sorted(reader, key=lambda branch: type_name(branch) != type_name(writer))
    found = [tuple(_resolve(writer, branch, field)) for branch in branches]
    if found and all(found):
        yield from min(found, key=lambda one: (any(obstacle.in_every_row for obstacle in one), len(one)))


def _mismatch(writer: AvroType, reader: AvroType, field: str, rule: str | None = None) -> Obstacle:
    said = f"{SPECIFICATION}: to match, {rule or 'types are the same, or the first is promoted to the second'}"
    return Obstacle(
        field,
        f"files hold {shown_type(writer)}, which cannot be read as {shown_type(reader)}",
        said,
        "keep its type, and add a field of another name",
    )


def _holds_decimal(writer: dict[str, Any], reader: dict[str, Any]) -> bool:
    same_scale = writer.get("scale", 0) == reader.get("scale", 0)
    return same_scale and int(writer.get("precision", 0)) <= int(reader.get("precision", 0))


def _is_looked_up(avro_type: AvroType) -> bool:
    """Whether the engine looks for the field in the file's own schema, by its name: structs and decimals."""
    if isinstance(avro_type, list):
        return any(map(_is_looked_up, avro_type))
    if isinstance(avro_type, str):
        return False
    inside = avro_type.get("items", avro_type.get("values"))
    return type_name(avro_type) == "record" or is_decimal(avro_type) or (inside is not None and _is_looked_up(inside))


def _has_looked_up(avro_type: AvroType, default: Any) -> bool:
    """Whether a default has a struct or a decimal in it."""
    if default is None or isinstance(avro_type, str):
        return False
    if isinstance(avro_type, list):
        return _has_looked_up(avro_type[0], default)
    if type_name(avro_type) == "array":
        return any(_has_looked_up(avro_type["items"], item) for item in default)
    if type_name(avro_type) == "map":
        return any(_has_looked_up(avro_type["values"], item) for item in default.values())
    return _is_looked_up(avro_type)
