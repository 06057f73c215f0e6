"""Avro schemas: reading them from include/schemas, spelling them canonically, finding a field in them.

Two spellings of one schema are used. *As written* is what the .avsc file holds. *Expanded* has every use of a named
type replaced by its definition, so that whoever walks it never looks a name up; it is for walking only, since Avro
itself allows a name to be defined but once.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import fastavro
import fastavro.schema

from dmd_pipeline.errors import SchemaError


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


AvroType: TypeAlias = "str | list[Any] | dict[str, Any]"
"""A schema at any depth: the name of a type, a union, or a definition."""

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


@dataclass(frozen=True)
class FieldType:
    """The type at the end of a dotted path.

    Attributes:
        avro_type: Expanded; without the null when it is optional.
        optional: Whether the field, or a record on the way to it, may be null or be left out.
    """

    avro_type: AvroType
    optional: bool

    @property
    def name(self) -> str:
        """The type in one word: a primitive, or ``record``, ``enum``, ``array``, ``map``, ``fixed``, ``union``."""
        return type_name(self.avro_type)


def load_schema(path: Path) -> dict[str, Any]:
    """Read and check a table's schema.

    Returns:
        The schema as written.

    Raises:
        SchemaError: The file cannot be read, is not JSON, or is not the Avro schema of a record; names the file.
    """
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SchemaError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SchemaError(f"{path}: not valid JSON: {error}") from error
    try:
        expand(schema)
    except SchemaError as error:
        raise SchemaError(f"{path}: {error}") from error
    return dict(schema)


def expand(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a record with each named type's definition in every place where its name is used.

    Raises:
        SchemaError: It is no valid Avro schema, not that of a record, uses a type within itself, has two fields of one
            name, or a default that is not of its field's type.
    """
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise SchemaError('expected the Avro schema of a record: an object with "type": "record"')
    try:
        expanded = fastavro.schema.expand_schema(schema)
    except fastavro.schema.UnknownType as error:
        raise SchemaError(f"not a valid Avro schema: unknown type {error.name!r}") from error
    except KeyError as error:
        raise SchemaError(f"not a valid Avro schema: a definition lacks its {error}") from error
    except (fastavro.schema.SchemaParseException, TypeError, ValueError, AttributeError) as error:
        raise SchemaError(f"not a valid Avro schema: {error}") from error
    _check(expanded, str(expanded["name"]))
    return dict(expanded)


def writer_schema(schema: Mapping[str, Any]) -> Any:
    """The schema in fastavro's own parsed form: parse once, write many container files with it.

    fastavro orders keys as Python hashes their names, which differs from process to process, and writes them so into
    the files' headers. Here they are in alphabetical order: the same rows give the same bytes.
    """
    return _in_order(fastavro.parse_schema(dict(schema)))


def with_null_defaults(schema: Any) -> Any:
    """A schema in which fields that may be null need not be there.

    Of a file that is read, defaults mean nothing, and not every writer keeps them in the header.

    >>> with_null_defaults({"type": "record", "name": "R", "fields": [{"name": "a", "type": ["null", "int"]}]})
    {'type': 'record', 'name': 'R', 'fields': [{'default': None, 'name': 'a', 'type': ['null', 'int']}]}
    """
    if isinstance(schema, list):
        return [with_null_defaults(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {name: with_null_defaults(value) for name, value in schema.items()}
    kind = changed.get("type")
    return {"default": None, **changed} if isinstance(kind, list) and kind[:1] == ["null"] else changed


def schema_literal(schema: Mapping[str, Any]) -> str:
    """The canonical spelling of a schema: minified JSON, keys in alphabetical order, ASCII, docs kept.

    Two files that differ only in layout or in the order of keys have one literal, so that comparing literals tells
    whether a table holds the schema it should.

    >>> schema_literal({"type": "record", "name": "R", "fields": []})
    '{"fields":[],"name":"R","type":"record"}'
    """
    return json.dumps(schema, separators=(",", ":"), sort_keys=True)


def type_name(avro_type: AvroType) -> str:
    """A type in one word: a primitive, or ``record``, ``enum``, ``array``, ``map``, ``fixed``, ``union``."""
    if isinstance(avro_type, list):
        return "union"
    return str(avro_type["type"]) if isinstance(avro_type, dict) else avro_type


def without_null(avro_type: AvroType) -> tuple[AvroType, bool]:
    """A type without its null, and whether it had one: ``[null, T]`` is ``T``, optional.

    >>> without_null(["null", "string"]), without_null("int"), without_null(["null", "int", "string"])
    (('string', True), ('int', False), (['int', 'string'], True))
    """
    if not isinstance(avro_type, list) or "null" not in avro_type or len(avro_type) == 1:
        return avro_type, False
    others = [branch for branch in avro_type if branch != "null"]
    return (others[0] if len(others) == 1 else others), True


def field_type(expanded: Mapping[str, Any], path: str) -> FieldType | None:
    """The type of the field that a dotted path leads to, through records only.

    Args:
        expanded: Schema of a record.
        path: Such as ``date.requested``.

    Returns:
        None when the schema has no such field.
    """
    found: AvroType = dict(expanded)
    optional = False
    for name in path.split("."):
        fields = found.get("fields", []) if isinstance(found, dict) else []
        field = next((field for field in fields if field["name"] == name), None)
        if field is None:
            return None
        found, nullable = without_null(field["type"])
        optional = optional or nullable or "default" in field
    return FieldType(found, optional)


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _in_order(value[name]) for name in sorted(value)}
    return [_in_order(one) for one in value] if isinstance(value, list) else value


def _check(avro_type: AvroType, path: str) -> None:
    """Refuse what fastavro lets pass and a table cannot hold, or a row could not be written by."""
    kind = type_name(avro_type)
    if isinstance(avro_type, str) and avro_type not in PRIMITIVES:
        raise SchemaError(
            f"{path}: the type {avro_type!r} is used within itself, which a table cannot hold; write out as many levels"
            " as there are, or keep it as text"
        )
    if isinstance(avro_type, list):
        _check_union(avro_type, path)
    elif kind == "record":
        _check_fields(avro_type, path)
    elif kind in {"array", "map"} and isinstance(avro_type, dict):
        _check(avro_type["items" if kind == "array" else "values"], path)
    elif kind == "fixed" and isinstance(avro_type, dict) and not _is_size(avro_type["size"]):
        raise SchemaError(f"{path}: expected a fixed's size to be a number of bytes, found {avro_type['size']!r}")


def _check_union(branches: list[Any], path: str) -> None:
    # Of the named types a union may hold several, each by a name of its own, which fastavro sees to.
    kinds = [type_name(branch) for branch in branches if type_name(branch) not in {"record", "enum", "fixed"}]
    if not branches or "union" in kinds or len(set(kinds)) < len(kinds):
        raise SchemaError(f"{path}: expected a union of different types, none of them a union")
    for branch in branches:
        _check(branch, path)


def _check_fields(record: Any, path: str) -> None:
    seen: set[str] = set()
    for field in record["fields"]:
        name = field["name"]
        if not isinstance(name, str) or _NAME.fullmatch(name) is None:
            raise SchemaError(f"{path}: expected a field's name of letters, digits and underscores, found {name!r}")
        if name in seen:
            raise SchemaError(f"{path}.{name}: two fields have this name")
        seen.add(name)
        _check(field["type"], f"{path}.{name}")
        if "default" in field and not _is_default(field["type"], field["default"]):
            raise SchemaError(f"{path}.{name}: its default {field['default']!r} is not of its type")


def _is_default(avro_type: AvroType, value: Any) -> bool:
    """Whether a value, as it is spelled in a schema's JSON, is a default of a type; that of a union is of its first."""
    if isinstance(avro_type, list):
        return _is_default(avro_type[0], value)
    definition: dict[str, Any] = avro_type if isinstance(avro_type, dict) else {"type": avro_type}
    kind = type_name(definition)
    if kind == "record":
        return isinstance(value, dict) and all(_holds(value, field) for field in definition["fields"])
    if kind == "array":
        return isinstance(value, list) and all(_is_default(definition["items"], item) for item in value)
    if kind == "map":
        return isinstance(value, dict) and all(_is_default(definition["values"], item) for item in value.values())
    if kind == "enum":
        return value in definition["symbols"]
    if kind == "fixed":
        return _are_bytes(value) and len(value) == definition["size"]
    return _PRIMITIVE_DEFAULTS[kind](value)


def _holds(record: Mapping[str, Any], field: Mapping[str, Any]) -> bool:
    name = field["name"]
    return _is_default(field["type"], record[name]) if name in record else "default" in field


def _are_bytes(value: Any) -> bool:
    """In a schema's JSON each byte is a character, U+0000 to U+00FF."""
    return isinstance(value, str) and all(ord(character) < 256 for character in value)


def _is_size(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_integer(value: Any, bits: int) -> bool:
    return type(value) is int and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)


_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PRIMITIVE_DEFAULTS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: type(value) is bool,
    "int": lambda value: _is_integer(value, 32),
    "long": lambda value: _is_integer(value, 64),
    "float": lambda value: type(value) in {int, float},
    "double": lambda value: type(value) in {int, float},
    "bytes": _are_bytes,
    "string": lambda value: isinstance(value, str),
}
