"""Avro schemas: reading them from include/schemas, spelling them canonically, finding a field in them.

Two spellings of one schema are used. *As written* is what the .avsc file holds. *Expanded* has every use of a named
type replaced by its definition, so that whoever walks it never looks a name up; it is for walking only, since Avro
itself allows a name to be defined but once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import fastavro
import fastavro.schema

from dmd_pipeline.errors import SchemaError


if TYPE_CHECKING:
    from collections.abc import Mapping
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
        SchemaError: It is no valid Avro schema, not that of a record, uses a type within itself, or has two fields of
            one name.
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
    """The schema in fastavro's own parsed form: parse once, write many container files with it."""
    return fastavro.parse_schema(dict(schema))


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


def _check(avro_type: AvroType, path: str) -> None:
    """Refuse what fastavro lets pass and a table cannot hold: recursion, and two fields of one name."""
    kind = type_name(avro_type)
    if isinstance(avro_type, str) and avro_type not in PRIMITIVES:
        raise SchemaError(f"{path}: the type {avro_type!r} is used within itself; a table cannot hold a recursive type")
    if isinstance(avro_type, list):
        for branch in avro_type:
            _check(branch, path)
    elif kind == "record":
        _check_fields(avro_type, path)
    elif kind in {"array", "map"} and isinstance(avro_type, dict):
        _check(avro_type["items" if kind == "array" else "values"], path)


def _check_fields(record: Any, path: str) -> None:
    seen: set[str] = set()
    for field in record["fields"]:
        name = field["name"]
        if name in seen:
            raise SchemaError(f"{path}.{name}: two fields have this name")
        seen.add(name)
        _check(field["type"], f"{path}.{name}")
