"""Which Avro schema reads a partition's files, and where a table's columns are found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.athena import types
from local.athena.engine import avro_schema
from local.athena.engine.avro_schema import AvroField, AvroSchemaError, AvroType
from local.athena.engine.verification import column_type
from local.athena.errors import QueryError


if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.athena.ports import Partition, Table
    from local.athena.types import Type


LITERAL = "avro.schema.literal"
URL = "avro.schema.url"
_NONE = "none"  # Hive's word for "no literal here"


def reader_schema(table: Table, partition: Partition | None) -> AvroType:
    """The schema that reads the files of a partition, or of a table without partitions.

    The partition's SerDe parameters, overridden by the table's SerDe parameters (since Trino 400), overridden by the
    table's Parameters; without any literal, a schema made of the table's columns.

    Raises:
        QueryError: The schema cannot be had.
    """
    storage = partition.storage if partition else table.storage
    properties = {**storage.serde_parameters, **table.storage.serde_parameters, **table.parameters}
    literal = properties.get(LITERAL, _NONE)
    if literal != _NONE:
        return _parsed(literal)
    if properties.get(URL, "").strip():
        raise QueryError("HIVE_INVALID_METADATA", f"Athena does not support {URL}; use {LITERAL}")
    return _from_columns(table)


def _parsed(literal: str) -> AvroType:
    try:
        schema = avro_schema.parse(literal)
        avro_schema.check_decimals(schema)
    except AvroSchemaError as error:
        raise QueryError("GENERIC_INTERNAL_ERROR", f"error initializing deserializer: {error}") from error
    if schema.kind != "record":
        raise QueryError("GENERIC_INTERNAL_ERROR", "error initializing deserializer: the schema is no record")
    return schema


def find_columns(schema: AvroType, names: Sequence[str]) -> list[AvroField]:
    """The fields of a schema by the names of columns, in lower case, wherever they stand.

    Raises:
        QueryError: GENERIC_INTERNAL_ERROR when the schema lacks one; NOT_SUPPORTED when names differ in case only.
    """
    lowered = {one.name.lower(): one for one in schema.fields}
    if len(lowered) < len(schema.fields):
        raise QueryError("NOT_SUPPORTED", f"Fields of {schema.name} differ in case only: not every Trino reads them")
    for name in names:
        if name not in lowered:
            listed = ", ".join(f"{position}:{one.name.lower()}" for position, one in enumerate(schema.fields))
            raise QueryError("GENERIC_INTERNAL_ERROR", f"cannot find field {name} from [{listed}]")
    return [lowered[name] for name in names]


_PRIMITIVES = {
    "boolean": "boolean",
    "tinyint": "int",
    "smallint": "int",
    "integer": "int",
    "bigint": "long",
    "real": "float",
    "double": "double",
    "varchar": "string",
    "varbinary": "bytes",
}


def _from_columns(table: Table) -> AvroType:
    fields = tuple(
        AvroField(column.name, _nullable(column_type(column), column.name), has_default=True)
        for column in table.columns
    )
    return AvroType("record", table.name, fields=fields)


def _nullable(kind: Type, name: str) -> AvroType:
    return AvroType("union", elements=(avro_schema.NULL, _of_type(kind, name)))


def _of_type(kind: Type, name: str) -> AvroType:
    if kind.name == "array":
        return AvroType("array", elements=(_nullable(kind.element, name),))
    if kind.name == "map":
        return AvroType("map", elements=(_nullable(kind.elements[1], name),))
    if kind.name == "row":
        fields = tuple(
            AvroField(field or "", _nullable(element, f"{name}_{field}"), has_default=True)
            for field, element in zip(kind.names, kind.elements, strict=True)
        )
        return AvroType("record", name, fields=fields)
    if kind.name == "decimal":
        return AvroType("bytes", logical="decimal", precision=kind.numbers[0], scale=kind.numbers[1])
    if kind == types.DATE:
        return AvroType("int", logical="date")
    if kind == types.TIMESTAMP:
        return AvroType("long", logical="timestamp-millis")
    if kind.is_text and kind != types.VARCHAR:
        return AvroType("string", logical=kind.name)
    return AvroType(_PRIMITIVES[kind.name])
