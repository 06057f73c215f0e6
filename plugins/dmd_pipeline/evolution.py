"""What a change of a schema means: its differences field by field, each with its consequence for readers and the rule.

Every difference is of a kind:

==========  =========================================================================================================
compatible  every row of every file is still read, and queries go on: applied in place
breaking    each file can be read, but rows may hold what cannot (a null, a symbol), or readers get another SQL type:
            applied after somebody approved it and Athena has read every file
refused     some file cannot be read at all, or the catalog cannot hold it; says the nearest change that can be made
==========  =========================================================================================================

Athena allows for Avro: columns added anywhere, removed, reordered, and changed to a compatible type; a renamed column
is one removed and one added (https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html).

Everything here is a pure function of two expanded schemas.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.hive import hive_type
from dmd_pipeline.resolution import SPECIFICATION, obstacles, shown_type, written_field
from dmd_pipeline.schemas import type_name, without_null
from dmd_pipeline.wording import cut


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dmd_pipeline.resolution import Obstacle
    from dmd_pipeline.schemas import AvroType


class Kind(StrEnum):
    """What may be done with a difference, from the least to the most."""

    COMPATIBLE = "compatible"
    BREAKING = "breaking"
    REFUSED = "refused"


SCHEMA_UPDATES: Final = "Athena, Handling schema updates"
_NOT_COMPARED: Final = "Avro 1.12, Schema Resolution: not part of it"
_WIDENED: Final = frozenset({("int", "bigint"), ("float", "double")})
"""Column types that may replace one another without a query noticing more than a wider number."""
_LONGEST_VALUE: Final = 60


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        field: Dotted path of the field, or what of the table differs.
        before: What there is; empty when the field is new.
        after: What is wanted; empty when the field is to go.
        kind: What may be done about it.
        readers: What it means for those who query the table, and, of what is refused, the remedy.
        rule: Who says so.
    """

    field: str
    before: str
    after: str
    kind: Kind
    readers: str
    rule: str

    @property
    def sign(self) -> str:
        """``+``, ``-`` or ``~``, as in a diff."""
        return "+" if not self.before else "-" if not self.after else "~"


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """The differences of two schemas, when rows written with the old one are to be read with the new.

    Args:
        old: Schema of the table as it is, expanded.
        new: Schema that is wanted, expanded.

    Returns:
        Fields that are to go, then all others in the new schema's order.
    """
    found = list(_record(old, new, ""))
    if old["name"] != new["name"]:
        found.append(_same_data(str(new["name"]), f"record {old['name']}", f"record {new['name']}", "its name"))
    return with_obstacles(found, obstacles(old, new), "rows written so far")


def with_obstacles(
    differences: Iterable[Difference], found: Iterable[Obstacle], holders: str
) -> tuple[Difference, ...]:
    """Differences, of which those that meet an obstacle are judged by it; other obstacles become differences.

    Args:
        differences: Of the schemas.
        found: What keeps rows from being read.
        holders: Whose rows: ``rows written so far``, ``s3://…/x.avro``.
    """
    result = list(differences)
    for obstacle in found:
        judged = _judged(obstacle, holders)
        same = next((at for at, one in enumerate(result) if one.field == obstacle.field), None)
        if same is None:
            result.append(judged)
        elif _rank(judged.kind) > _rank(result[same].kind):
            one = result[same]
            result[same] = Difference(one.field, one.before, one.after, judged.kind, judged.readers, judged.rule)
    return tuple(result)


def worst(differences: Iterable[Difference]) -> Kind:
    """What may be done about all of them together."""
    return max((one.kind for one in differences), key=_rank, default=Kind.COMPATIBLE)


def _rank(kind: Kind) -> int:
    return list(Kind).index(kind)


def _judged(obstacle: Obstacle, holders: str) -> Difference:
    kind = Kind.REFUSED if obstacle.in_every_row else Kind.BREAKING
    readers = f"{holders}: {obstacle.reason}; {obstacle.remedy}"
    return Difference(obstacle.field, obstacle.reason, "cannot be read", kind, readers, obstacle.rule)


def _record(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Difference]:
    old_fields, new_fields = old["fields"], new["fields"]
    kept = {field["name"] for field in new_fields}
    # Of a field that is found by an alias only its new name shows: the old one is a column that goes.
    for field in old_fields:
        if field["name"] not in kept:
            yield _removed(field, _below(path, field["name"]), old_fields, new_fields)
    by_name = {field["name"]: field for field in old_fields}
    for field in new_fields:
        here = _below(path, field["name"])
        if field["name"] in by_name:
            yield from _field(by_name[field["name"]], field, here)
        else:
            yield _added(field, here, old_fields)
    yield from _order(old_fields, new_fields, path)


def _removed(
    field: Mapping[str, Any],
    path: str,
    old_fields: Sequence[Mapping[str, Any]],
    new_fields: Sequence[Mapping[str, Any]],
) -> Difference:
    readers = "queries that name it fail: COLUMN_NOT_FOUND; "
    renamed = [one["name"] for one in new_fields if field["name"] in one.get("aliases", ())]
    known = {one["name"] for one in old_fields}
    alike = [
        one["name"] for one in new_fields if one["name"] not in known and _inner(one["type"]) == _inner(field["type"])
    ]
    if renamed:
        readers += f"{renamed[0]} shows its values from now on (alias)"
    elif len(alike) == 1:
        readers += f"its values stay in the files. If {alike[0]} is its new name: a rename is removed and added, "
        readers += f'and old values show with "aliases": ["{field["name"]}"] only'
    else:
        readers += "its values stay in the files"
    rule = f"{SCHEMA_UPDATES}: removing columns; {SPECIFICATION}: a field that the reader lacks is ignored"
    return Difference(path, shown_type(field["type"]), "", Kind.COMPATIBLE, readers, rule)


def _inner(avro_type: AvroType) -> AvroType:
    return without_null(avro_type)[0]


def _added(field: Mapping[str, Any], path: str, old_fields: Sequence[Mapping[str, Any]]) -> Difference:
    after = shown_type(field["type"])
    source = written_field(old_fields, field)
    if source is not None:
        readers = f"old rows show what they hold as {source['name']} (alias): renamed is removed and added"
        rule = f"{SCHEMA_UPDATES}: a rename is not possible; {SPECIFICATION}: aliases of the reader's field"
        return Difference(path, "", after, _kind_of_types(source["type"], field["type"], path), readers, rule)
    default = _shown(field["default"]) if "default" in field else "nothing: it has no default"
    readers = f"old rows read {default}"
    rule = f"{SCHEMA_UPDATES}: adding columns; {SPECIFICATION}: a field that a file lacks takes its default"
    return Difference(path, "", f"{after} = {default}" if "default" in field else after, Kind.COMPATIBLE, readers, rule)


def _field(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Difference]:
    yield from _types(old["type"], new["type"], path)
    for name, what in (("default", "its default"), ("aliases", "its aliases"), ("order", "its sort order")):
        if old.get(name, _ABSENT) != new.get(name, _ABSENT):
            before, after = (_shown(one[name]) if name in one else "none" for one in (old, new))
            yield _same_data(path, f"{name} {before}", f"{name} {after}", what)
    if (old.get("doc") or "") != (new.get("doc") or ""):
        yield Difference(
            path,
            f"doc {_shown(old.get('doc') or '')}",
            f"doc {_shown(new.get('doc') or '')}",
            Kind.COMPATIBLE,
            "the column's comment changes, nothing else",
            _NOT_COMPARED,
        )


_ABSENT: Final = object()


def _types(old: AvroType, new: AvroType, path: str) -> Iterator[Difference]:
    """The differences of two types at one place; those inside nested types tell their own place."""
    (old_inner, old_optional), (new_inner, new_optional) = without_null(old), without_null(new)
    if old_optional != new_optional:
        readers = "it may be null from now on" if new_optional else "a null in a file can no longer be read"
        rule = f"{SPECIFICATION}: each branch of a union is resolved by itself"
        yield Difference(path, shown_type(old), shown_type(new), Kind.COMPATIBLE, readers, rule)
    if (
        not isinstance(old_inner, dict)
        or not isinstance(new_inner, dict)
        or type_name(old_inner) != type_name(new_inner)
    ):
        if old_inner != new_inner:
            yield _retyped(old_inner, new_inner, path)
        return
    kind = type_name(new_inner)
    if kind == "record":
        yield from _record(old_inner, new_inner, path)
    elif kind in {"array", "map"}:
        inside = "items" if kind == "array" else "values"
        yield from _types(old_inner[inside], new_inner[inside], f"{path}[]")
    elif kind == "enum":
        yield from _symbols(old_inner, new_inner, path)
    elif _bare(old_inner) != _bare(new_inner):
        yield _retyped(old_inner, new_inner, path)


def _retyped(old: AvroType, new: AvroType, path: str) -> Difference:
    before, after = hive_type(old, path), hive_type(new, path)
    kind = _kind_of_types(old, new, path)
    readers = "values stay as they are" if before == after else f"values come as {after} instead of {before}"
    if kind is Kind.BREAKING:
        readers += ": queries may fail or mean something else"
    rule = f"{SCHEMA_UPDATES}: changing to a compatible type; {SPECIFICATION}: promotions"
    return Difference(path, shown_type(old), shown_type(new), kind, readers, rule)


def _kind_of_types(old: AvroType, new: AvroType, path: str) -> Kind:
    before, after = (hive_type(without_null(one)[0], path) for one in (old, new))
    return Kind.COMPATIBLE if before == after or (before, after) in _WIDENED else Kind.BREAKING


def _symbols(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[Difference]:
    gone = [symbol for symbol in old["symbols"] if symbol not in new["symbols"]]
    come = [symbol for symbol in new["symbols"] if symbol not in old["symbols"]]
    rule = f"{SPECIFICATION}: symbols are matched by name"
    if gone:
        readers = f"{', '.join(gone)} in a file is read as {new.get('default', 'an error')}"
        yield Difference(path, f"symbols {', '.join(gone)}", "", Kind.COMPATIBLE, readers, rule)
    if come:
        readers = "a new value may show; the table must be changed before the worker writes it"
        yield Difference(path, "", f"symbols {', '.join(come)}", Kind.COMPATIBLE, readers, rule)
    if not gone and not come and old["symbols"] != new["symbols"]:
        yield _same_data(path, ", ".join(old["symbols"]), ", ".join(new["symbols"]), "the order of its symbols")
    if old["name"] != new["name"]:
        yield _same_data(path, f"enum {old['name']}", f"enum {new['name']}", "its name")


def _order(
    old_fields: Sequence[Mapping[str, Any]], new_fields: Sequence[Mapping[str, Any]], path: str
) -> Iterator[Difference]:
    new_names = [field["name"] for field in new_fields]
    before = [field["name"] for field in old_fields if field["name"] in new_names]
    old_names = set(before)
    after = [name for name in new_names if name in old_names]
    if before != after:
        first = next(at for at, (one, other) in enumerate(zip(before, after, strict=True)) if one != other)
        yield Difference(
            path or "the order of columns",
            f"…, {', '.join(before[first : first + 4])}, …",
            f"…, {', '.join(after[first : first + 4])}, …",
            Kind.COMPATIBLE,
            "SELECT * shows them in another order" if not path else "its fields show in another order",
            f"{SCHEMA_UPDATES}: reordering columns; {SPECIFICATION}: fields are matched by name",
        )


def _same_data(field: str, before: str, after: str, what: str) -> Difference:
    return Difference(
        field,
        before,
        after,
        Kind.COMPATIBLE,
        f"{what} changes; rows that hold the field are read as before",
        f"{SPECIFICATION}: only a field that a file lacks needs it",
    )


def _bare(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A definition without what says nothing about its values."""
    return {name: value for name, value in definition.items() if name not in {"doc", "name", "aliases"}}


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(value: Any) -> str:
    return cut(json.dumps(value, ensure_ascii=False), _LONGEST_VALUE)
