"""Avro's schema resolution: how bytes written with one schema are read with another.

The result is a pair of schemas with which fastavro can decode, in which every choice is already made: matched fields
carry the same made-up name, ``f`` and the position in the reader's schema (which is also their name in a DuckDB row);
named types have names of their own at every place, so that nothing matches or clashes by accident; logical types are
left out, because the engine interprets values by its own rules.

https://avro.apache.org/docs/1.11.1/specification/#schema-resolution
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from local.athena.engine.avro_schema import AvroField, AvroType, fits, is_decimal, is_limited_text


if TYPE_CHECKING:
    from collections.abc import Sequence


class ResolutionError(ValueError):
    """Data written with the one schema cannot be read with the other."""


class UnsupportedResolutionError(ValueError):
    """The engine could read the data so; it is not done here."""


class Resolved(NamedTuple):
    """Two schemas for the decoder, as JSON values."""

    writer: Any
    reader: Any


_PROMOTIONS = frozenset(
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


def resolve(writer: AvroType, reader: AvroType) -> Resolved:
    """Resolve a file's schema to the schema in which its rows are wanted.

    Raises:
        ResolutionError: It cannot be done; says at which field, and why.
        UnsupportedResolutionError: It cannot be done here.
    """
    return _Resolver().resolve(writer, reader)


class Gap(Enum):
    """What a file's schema has and the wanted one lacks: a value that has it cannot be read."""

    SYMBOL = "symbol"
    BRANCH = "branch"


def gaps(writer: AvroType, reader: AvroType) -> frozenset[Gap]:
    """What may be in some rows of a file and keep them from being read.

    Raises:
        ResolutionError: No row can be read.
        UnsupportedResolutionError: It cannot be done here.
    """
    resolver = _Resolver()
    resolver.resolve(writer, reader)
    return frozenset(resolver.gaps)


@dataclass
class _Resolver:
    """Resolves a pair of schemas.

    Attributes:
        gaps: What values may have that cannot be read.
    """

    gaps: set[Gap] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._numbers = count()

    def resolve(self, writer: AvroType, reader: AvroType) -> Resolved:
        if is_limited_text(reader) and writer.kind != "union":
            raise ResolutionError(f"Failed to obtain maxLength value for {reader.logical} field from file schema")
        if writer.kind == "union":
            return self._written_union(writer, reader)
        if reader.kind == "union":
            return self._read_union(writer, reader)
        if writer.kind == reader.kind:
            return self._same_kind(writer, reader)
        if (writer.kind, reader.kind) in _PROMOTIONS and not is_decimal(reader):
            return Resolved(writer.kind, reader.kind)
        raise ResolutionError(f"Found {_name(writer)}, expecting {_name(reader)}")

    def _same_kind(self, writer: AvroType, reader: AvroType) -> Resolved:
        if reader.kind == "record":
            return self._record(writer, reader)
        if reader.kind == "enum":
            return self._enum(writer, reader)
        if reader.kind == "fixed":
            return self._fixed(writer, reader)
        if is_decimal(reader):
            _check_scale(writer, reader)
        if reader.kind in ("array", "map"):
            inner = self.resolve(writer.elements[0], reader.elements[0])
            member = "items" if reader.kind == "array" else "values"
            return Resolved({"type": reader.kind, member: inner.writer}, {"type": reader.kind, member: inner.reader})
        return Resolved(writer.kind, reader.kind)

    def _written_union(self, writer: AvroType, reader: AvroType) -> Resolved:
        """Each branch is resolved by itself; one that cannot be read is an error only where a value has it."""
        if reader.kind == "union" and _are_equivalent(writer, reader):
            same = self.renamed(writer, "f")
            return Resolved(same, same)
        written: list[Any] = []
        read: list[Any] = []
        failure: ResolutionError | None = None
        for branch in writer.elements:
            try:
                resolved = self.resolve(branch, reader)
            except ResolutionError as error:
                failure = error
                self.gaps.add(Gap.BRANCH)
                resolved = Resolved(self.renamed(branch), None)
            written.append(resolved.writer)
            if resolved.reader is not None and resolved.reader not in read:
                read.append(resolved.reader)
        if not read:
            raise failure or ResolutionError("Found an empty union")
        return Resolved(written, read if len(read) > 1 else read[0])

    def _read_union(self, writer: AvroType, reader: AvroType) -> Resolved:
        """The first branch that reads what was written, one of the same kind before one that needs a promotion."""
        failure: ResolutionError | None = None
        for branch in sorted(reader.elements, key=lambda one: one.kind != writer.kind):
            try:
                return self.resolve(writer, branch)
            except ResolutionError as error:
                failure = failure or error
        raise failure or ResolutionError("Expecting an empty union")

    def _record(self, writer: AvroType, reader: AvroType) -> Resolved:
        name = f"r{next(self._numbers)}"
        taken: dict[str, Resolved] = {}  # by the writer's name
        read_fields = []
        for position, wanted in enumerate(reader.fields):
            found = _written_field(writer.fields, wanted)
            if found is None:
                read_fields.append(self._defaulted(wanted, position, _name(reader)))
                continue
            if found.name != wanted.name and _can_need_the_file(wanted.type):
                raise ResolutionError(f"File schema is missing for field {wanted.name}")
            try:
                resolved = self.resolve(found.type, wanted.type)
            except ResolutionError as error:
                raise ResolutionError(f"{wanted.name}: {error}") from error
            taken[found.name] = Resolved({"name": f"f{position}", "type": resolved.writer}, None)
            read_fields.append({"name": f"f{position}", "type": resolved.reader})
        written_fields = [
            taken[one.name].writer if one.name in taken else {"name": f"x{position}", "type": self.renamed(one.type)}
            for position, one in enumerate(writer.fields)
        ]
        return Resolved(
            {"type": "record", "name": name, "fields": written_fields},
            {"type": "record", "name": name, "fields": read_fields},
        )

    def _defaulted(self, wanted: AvroField, position: int, record: str) -> dict[str, Any]:
        if not wanted.has_default:
            raise ResolutionError(f"Found {record}, expecting {record}, missing required field {wanted.name}")
        if not fits(wanted.type, wanted.default):
            raise ResolutionError(f"Invalid default value for field {wanted.name}")
        if _needs_the_file(wanted.type, wanted.default):
            raise ResolutionError(f"File schema is missing for field {wanted.name}")
        # A default belongs to the first branch of a union; no other branch will ever be needed here.
        kind = wanted.type.elements[0] if wanted.type.kind == "union" else wanted.type
        return {"name": f"f{position}", "type": self.renamed(kind, "f"), "default": _positional(kind, wanted.default)}

    def _enum(self, writer: AvroType, reader: AvroType) -> Resolved:
        if writer.name != reader.name:
            raise ResolutionError(f"Found {writer.name}, expecting {reader.name}")
        if reader.default_symbol is None and not set(writer.symbols) <= set(reader.symbols):
            self.gaps.add(Gap.SYMBOL)
        name = f"e{next(self._numbers)}"
        read: dict[str, Any] = {"type": "enum", "name": name, "symbols": list(reader.symbols)}
        if reader.default_symbol is not None:
            read["default"] = reader.default_symbol
        return Resolved({"type": "enum", "name": name, "symbols": list(writer.symbols)}, read)

    def _fixed(self, writer: AvroType, reader: AvroType) -> Resolved:
        if writer.name != reader.name or writer.size != reader.size:
            raise ResolutionError(f"Found {_name(writer)}, expecting {_name(reader)}")
        made = {"type": "fixed", "name": f"b{next(self._numbers)}", "size": reader.size}
        return Resolved(made, made)

    def renamed(self, schema: AvroType, field_prefix: str = "x") -> Any:
        """A schema as it is, with made-up names."""
        if schema.kind == "union":
            return [self.renamed(branch, field_prefix) for branch in schema.elements]
        if schema.kind in ("array", "map"):
            member = "items" if schema.kind == "array" else "values"
            return {"type": schema.kind, member: self.renamed(schema.elements[0], field_prefix)}
        if schema.kind == "enum":
            return {"type": "enum", "name": f"e{next(self._numbers)}", "symbols": list(schema.symbols)}
        if schema.kind == "fixed":
            return {"type": "fixed", "name": f"b{next(self._numbers)}", "size": schema.size}
        if schema.kind == "record":
            fields = [
                {"name": f"{field_prefix}{position}", "type": self.renamed(one.type, field_prefix)}
                for position, one in enumerate(schema.fields)
            ]
            return {"type": "record", "name": f"r{next(self._numbers)}", "fields": fields}
        return schema.kind


def _written_field(fields: Sequence[AvroField], wanted: AvroField) -> AvroField | None:
    by_name = {one.name: one for one in fields}
    for name in (wanted.name, *wanted.aliases):
        if name in by_name:
            return by_name[name]
    return None


def _positional(schema: AvroType, value: Any) -> Any:
    """A default value with the made-up names of fields."""
    if schema.kind == "union":
        return _positional(schema.elements[0], value)
    if schema.kind == "array":
        return [_positional(schema.elements[0], item) for item in value]
    if schema.kind == "map":
        return {key: _positional(schema.elements[0], item) for key, item in value.items()}
    if schema.kind == "record" and isinstance(value, Mapping):
        return {
            f"f{position}": _positional(one.type, value.get(one.name, one.default))
            for position, one in enumerate(schema.fields)
        }
    return value


def _name(schema: AvroType) -> str:
    return schema.name or schema.kind


def projected(schema: AvroType, columns: Sequence[AvroField]) -> AvroType:
    """A record of some of another record's fields, as the engine asks for those columns only."""
    return AvroType("record", schema.name, fields=tuple(columns))


def _check_scale(writer: AvroType, reader: AvroType) -> None:
    """The engine takes a decimal's scale from the file."""
    if not is_decimal(writer):
        raise ResolutionError("Failed to obtain scale value from file schema")
    if writer.scale != reader.scale:
        raise UnsupportedResolutionError(
            "A decimal with another scale than in its file is not read by the local Athena"
        )


def _can_need_the_file(schema: AvroType) -> bool:
    """Whether the engine wants to see a field in the file's own schema before it reads it.

    It looks decimals and records up there, under the reader's name, and stumbles where they are not: a default or an
    alias does not help them.
    """
    return schema.kind == "record" or is_decimal(schema) or any(map(_can_need_the_file, schema.elements))


def _needs_the_file(schema: AvroType, default: Any) -> bool:
    """Whether a default has a decimal or a record in it."""
    if default is None:
        return False
    if schema.kind == "union":
        return _needs_the_file(schema.elements[0], default)
    if schema.kind == "array":
        return any(_needs_the_file(schema.elements[0], item) for item in default)
    if schema.kind == "map":
        return any(_needs_the_file(schema.elements[0], item) for item in default.values())
    return _can_need_the_file(schema)


def _are_equivalent(writer: AvroType, reader: AvroType) -> bool:
    """Whether two schemas are the same but for namespaces: such unions are read without a further look."""
    if writer.kind != reader.kind or _short(writer) != _short(reader) or is_decimal(reader) or is_limited_text(reader):
        return False
    if (writer.symbols, writer.size) != (reader.symbols, reader.size):
        return False
    if [one.name for one in writer.fields] != [one.name for one in reader.fields]:
        return False
    if len(writer.elements) != len(reader.elements):
        return False
    inner = [(one.type, other.type) for one, other in zip(writer.fields, reader.fields, strict=True)]
    return all(_are_equivalent(*pair) for pair in (*inner, *zip(writer.elements, reader.elements, strict=True)))


def _short(schema: AvroType) -> str:
    return schema.name.rpartition(".")[2]
