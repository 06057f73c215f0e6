"""Which Avro schema reads a partition's files, and where a table's columns are found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.athena import types
from local.athena.engine import avro_schema
from local.athena.engine.avro_schema import AvroField, AvroSchemaError, AvroType
from local.athena.engine.verification import column_type
from local.athena.errors import QueryError
from local.athena.ports import AVRO_SERDE


if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.athena.ports import Partition, Table
    from local.athena.types import Type


LITERAL = "avro.schema.literal"
URL = "avro.schema.url"
_NONE = "none"  # Hive's word for "no literal here"


def reader_schema(table: Table, partition: Partition | None) -> AvroType:
    """The schema that reads the files of a partition, or of a table without partitions.

    The partition's SerDe parameters, overridden by the table's Parameters (not by the table's SerDe parameters);
    without any literal, a schema made of the table's columns.

    Raises:
        QueryError: The SerDe is not Avro's, or the schema cannot be had.
    """
    storage = partition.storage if partition else table.storage
    if storage.serde != AVRO_SERDE:
        raise QueryError(
            "NOT_SUPPORTED", f"The local Athena reads Avro only, and {table.name} has the SerDe '{storage.serde}'"
        )
    properties = {**storage.serde_parameters, **table.parameters}
    literal = properties.get(LITERAL, "").strip()
    if literal and literal != _NONE:
        return _parsed(literal)
    if properties.get(URL, "").strip():
        raise QueryError("HIVE_INVALID_METADATA", f"Athena does not support {URL}; use {LITERAL}")
    return _from_columns(table)


def _parsed(literal: str) -> AvroType:
    try:
        schema = avro_schema.parse(literal)
    except AvroSchemaError as error:
        raise QueryError("HIVE_CANNOT_OPEN_SPLIT", "Unable to load or parse schema") from error
    if schema.kind != "record":
        raise QueryError("HIVE_CANNOT_OPEN_SPLIT", "Unable to load or parse schema")
    return schema


def find_columns(schema: AvroType, names: Sequence[str]) -> list[AvroField]:
    """The fields of a schema by the names of columns: exact, then lower-cased, wherever they stand.

    Raises:
        QueryError: HIVE_CANNOT_OPEN_SPLIT when the schema lacks one.
    """
    exact = {one.name: one for one in schema.fields}
    lowered = {one.name.lower(): one for one in schema.fields}
    found = []
    for name in names:
        column = exact.get(name) or lowered.get(name)
        if column is None:
            raise QueryError(
                "HIVE_CANNOT_OPEN_SPLIT", f"Unable to find column {name} in table Avro schema {schema.name}"
            )
        found.append(column)
    return found


_PRIMITIVES = {
    "boolean": "boolean",
    "tinyint": "int",
    "smallint": "int",
    "integer": "int",
    "bigint": "long",
    "real": "float",
    "double": "double",
    "varchar": "string",
    "char": "string",
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
    return AvroType(_PRIMITIVES[kind.name])
