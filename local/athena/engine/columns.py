"""Decoded Avro rows → Arrow columns."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from local.athena.engine.avro_schema import AvroType, is_decimal


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


_SIMPLE = {
    "null": pa.bool_(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "enum": pa.string(),
    "bytes": pa.binary(),
    "fixed": pa.binary(),
}
_EXACT = Context(prec=38)
_LOGICAL = {("int", "date"): pa.date32(), ("long", "timestamp-millis"): pa.timestamp("ms")}


def arrow_table(schema: AvroType, rows: Sequence[dict[str, Any]]) -> pa.Table:
    """The rows of a record as a table with the columns f0, f1, and so on."""
    columns = {}
    for position, one in enumerate(schema.fields):
        name = f"f{position}"
        convert = _conversion(one.type)
        values = [row[name] for row in rows] if convert is None else [convert(row[name]) for row in rows]
        columns[name] = pa.array(values, type=_arrow_type(one.type))
    return pa.table(columns)


def empty_table(schema: AvroType) -> pa.Table:
    """The same table without rows."""
    return arrow_table(schema, [])


def _arrow_type(schema: AvroType) -> pa.DataType:
    if schema.kind == "union":
        return _arrow_type(schema.nullable_of or schema.elements[0])
    if schema.kind == "array":
        return pa.list_(_arrow_type(schema.elements[0]))
    if schema.kind == "map":
        return pa.map_(pa.string(), _arrow_type(schema.elements[0]))
    if schema.kind == "record":
        return pa.struct([(f"f{position}", _arrow_type(one.type)) for position, one in enumerate(schema.fields)])
    if is_decimal(schema):
        return pa.decimal128(schema.precision, schema.scale)
    return _LOGICAL.get((schema.kind, schema.logical)) or _SIMPLE[schema.kind]


def _conversion(schema: AvroType) -> Callable[[Any], Any] | None:
    """What must be done to each value before Arrow takes it, or None: only bytes need anything."""
    if schema.kind == "union":
        return _conversion(schema.nullable_of or schema.elements[0])
    if schema.kind in ("bytes", "fixed"):
        return _decimal(schema) if is_decimal(schema) else _bytes
    if schema.kind in ("array", "map"):
        inner = _conversion(schema.elements[0])
        return None if inner is None else (_each_item(inner) if schema.kind == "array" else _each_value(inner))
    if schema.kind == "record":
        return _each_field(schema)
    return None


def _bytes(value: bytes | str | None) -> bytes | None:
    """A default stands in the schema as text, one character a byte."""
    return value.encode("latin-1") if isinstance(value, str) else value


def _decimal(schema: AvroType) -> Callable[[Any], Any]:
    def convert(value: bytes | str | None) -> Decimal | None:
        data = _bytes(value)
        return None if data is None else Decimal(int.from_bytes(data, "big", signed=True)).scaleb(-schema.scale, _EXACT)

    return convert


def _each_item(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda items: None if items is None else [inner(item) for item in items]


def _each_value(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda entries: None if entries is None else {key: inner(value) for key, value in entries.items()}


def _each_field(schema: AvroType) -> Callable[[Any], Any] | None:
    conversions = {f"f{position}": _conversion(one.type) for position, one in enumerate(schema.fields)}
    needed = {name: convert for name, convert in conversions.items() if convert is not None}
    if not needed:
        return None

    def convert(record: dict[str, Any] | None) -> dict[str, Any] | None:
        if record is None:
            return None
        return record | {name: change(record[name]) for name, change in needed.items()}

    return convert
