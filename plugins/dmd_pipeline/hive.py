"""Avro schema → Glue: the columns of a table, the table itself, and its partitions.

Glue keeps a table's schema twice, as columns and as ``avro.schema.literal``; Athena needs both, and a partition has
its own copy of both. Everything here is a pure function of the schema, so that "does Glue hold what it should?" is a
comparison of values.

The literal is written into the table's Parameters *and* into its SerDe parameters: the engine reads every partition
with the one in the table's Parameters, while Athena's documentation asks for the one of the SerDe.
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.errors import SchemaError
from dmd_pipeline.layout import PARTITION_KEY
from dmd_pipeline.schemas import AvroType, expand, schema_literal, type_name, without_null


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from mypy_boto3_glue.type_defs import ColumnTypeDef, PartitionInputTypeDef, TableInputTypeDef, TableTypeDef


SCHEMA_LITERAL: Final = "avro.schema.literal"
SERDE: Final = "org.apache.hadoop.hive.serde2.avro.AvroSerDe"
INPUT_FORMAT: Final = "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat"
OUTPUT_FORMAT: Final = "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat"

# Limits of Glue's API, in bytes of UTF-8 where it counts bytes.
MAX_LITERAL_CHARACTERS: Final = 512_000
MAX_TYPE_BYTES: Final = 131_072
MAX_NAME_BYTES: Final = 255
MAX_COMMENT_BYTES: Final = 255
MAX_DESCRIPTION_BYTES: Final = 2_048
MAX_DECIMAL_PRECISION: Final = 38

_PRIMITIVES: Final = {
    "boolean": "boolean",
    "int": "int",
    "long": "bigint",
    "float": "float",
    "double": "double",
    "bytes": "binary",
    "string": "string",
}
_LOGICAL_TYPES: Final = {("int", "date"): "date", ("long", "timestamp-millis"): "timestamp"}
"""Every other logical type is read as the type it is written on: so does Hive's AvroSerDe."""


def glue_columns(schema: Mapping[str, Any]) -> list[ColumnTypeDef]:
    """The columns of a table whose files have this schema.

    Names are lower case, as Hive and Athena see them. A field's doc becomes its column's comment, on one line and cut
    to Glue's 255 bytes; docs inside structs stay in the schema literal, for Glue has no place for them.

    Raises:
        SchemaError: The schema is not valid or Glue cannot express it; names the field.
    """
    expanded = expand(schema)
    fields = _lower_case_names(expanded["fields"], str(expanded["name"]))
    if not fields:
        raise SchemaError(f"{expanded['name']}: a table needs at least one field")
    if PARTITION_KEY in fields:
        raise SchemaError(
            f"{expanded['name']}.{fields[PARTITION_KEY]['name']}: a record cannot hold the partition column "
            f"{PARTITION_KEY}: its value comes from the folder's name; rename the field"
        )
    return [_column(name, field) for name, field in fields.items()]


def table_input(record_type_name: str, schema: Mapping[str, Any], location: str) -> TableInputTypeDef:
    """The Glue table of a record type.

    Args:
        record_type_name: Also the table's name.
        schema: As written.
        location: S3 URI of the folder that holds the partitions' folders.

    Raises:
        SchemaError: The schema is not valid or Glue cannot express it; names the field.
    """
    columns = glue_columns(schema)
    literal = schema_literal(schema)
    if len(literal) > MAX_LITERAL_CHARACTERS:
        raise SchemaError(
            f"{record_type_name}: the schema's literal has {len(literal):,} characters, "
            f"a Glue parameter holds at most {MAX_LITERAL_CHARACTERS:,}; shorten its docs, or split the record"
        )
    table: TableInputTypeDef = {
        "Name": record_type_name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "avro", SCHEMA_LITERAL: literal},
        "PartitionKeys": [
            {"Name": PARTITION_KEY, "Type": "string", "Comment": "Business date of the record, YYYY-MM-DD (UTC)."}
        ],
        "StorageDescriptor": {
            "Columns": columns,
            "Location": location,
            "InputFormat": INPUT_FORMAT,
            "OutputFormat": OUTPUT_FORMAT,
            "Compressed": False,
            "NumberOfBuckets": -1,
            "StoredAsSubDirectories": False,
            "SerdeInfo": {
                "SerializationLibrary": SERDE,
                "Parameters": {"serialization.format": "1", SCHEMA_LITERAL: literal},
            },
        },
    }
    description = _one_line(str(schema.get("doc") or ""), MAX_DESCRIPTION_BYTES)
    if description:
        table["Description"] = description
    return table


def partition_input(
    table: TableTypeDef | TableInputTypeDef, partition_date: date, location: str
) -> PartitionInputTypeDef:
    """The Glue partition of a date, with its own copy of the table's columns, SerDe and formats.

    Args:
        table: As Glue returns it, or as it is about to be created.
        partition_date: Business date.
        location: S3 URI of the partition's folder.
    """
    storage = deepcopy(table["StorageDescriptor"])
    storage["Location"] = location
    return {"Values": [partition_date.isoformat()], "StorageDescriptor": storage}


def held_schema(table: TableTypeDef | TableInputTypeDef) -> dict[str, Any] | None:
    """The schema with which the engine reads a table: that of its Parameters, before that of its SerDe.

    Returns:
        As written; None when it has none, or one that is no JSON object.
    """
    storage: Mapping[str, Any] = table.get("StorageDescriptor", {})
    in_serde = storage.get("SerdeInfo", {}).get("Parameters", {}).get(SCHEMA_LITERAL)
    try:
        schema = json.loads(table.get("Parameters", {}).get(SCHEMA_LITERAL, in_serde) or "null")
    except ValueError:
        return None
    return schema if isinstance(schema, dict) else None


def hive_type(avro_type: AvroType, path: str) -> str:
    """The type of a column, or of a part of one.

    Args:
        avro_type: Expanded.
        path: Dotted path of the field, for the error.

    >>> hive_type(["null", {"type": "array", "items": "long"}], "ids")
    'array<bigint>'

    Raises:
        SchemaError: Glue has no such type.
    """
    avro_type, _optional = without_null(avro_type)
    if isinstance(avro_type, list):
        return f"uniontype<{','.join(hive_type(branch, path) for branch in avro_type)}>"
    definition = avro_type if isinstance(avro_type, dict) else {"type": avro_type}
    kind = type_name(definition)
    if definition.get("logicalType") == "decimal" and kind in {"bytes", "fixed"}:
        return _decimal(definition, path)
    logical = _LOGICAL_TYPES.get((kind, str(definition.get("logicalType"))))
    if logical is not None:
        return logical
    if kind in _PRIMITIVES:
        return _PRIMITIVES[kind]
    if kind in _NAMED:
        return _NAMED[kind]
    if kind in _COMPLEX:
        return _COMPLEX[kind](definition, path)
    raise SchemaError(f"{path}: Glue has no column type for Avro's {kind!r}")


def _array(definition: Mapping[str, Any], path: str) -> str:
    return f"array<{hive_type(definition['items'], path)}>"


def _map(definition: Mapping[str, Any], path: str) -> str:
    return f"map<string,{hive_type(definition['values'], path)}>"


def _struct(definition: Mapping[str, Any], path: str) -> str:
    fields = _lower_case_names(definition["fields"], path)
    if not fields:
        raise SchemaError(f"{path}: a struct needs at least one field")
    inside = ",".join(
        f"{name}:{hive_type(field['type'], '.'.join((path, field['name'])))}" for name, field in fields.items()
    )
    return f"struct<{inside}>"


def _decimal(definition: Mapping[str, Any], path: str) -> str:
    precision, scale = definition.get("precision"), definition.get("scale", 0)
    if not isinstance(precision, int) or not 1 <= precision <= MAX_DECIMAL_PRECISION:
        raise SchemaError(f"{path}: a decimal needs a precision from 1 to {MAX_DECIMAL_PRECISION}, found {precision!r}")
    return f"decimal({precision},{scale})"


_NAMED: Final = {"enum": "string", "fixed": "binary"}
_COMPLEX: Final = {"array": _array, "map": _map, "record": _struct}


def _column(name: str, field: Mapping[str, Any]) -> ColumnTypeDef:
    column_type = hive_type(field["type"], field["name"])
    if len(column_type.encode()) > MAX_TYPE_BYTES:
        raise SchemaError(
            f"{field['name']}: its column type has {len(column_type):,} characters, Glue allows {MAX_TYPE_BYTES:,}; "
            "split the field"
        )
    if len(name.encode()) > MAX_NAME_BYTES:
        raise SchemaError(f"{field['name']}: a column's name has at most {MAX_NAME_BYTES} characters in Glue")
    column: ColumnTypeDef = {"Name": name, "Type": column_type}
    comment = _one_line(str(field.get("doc") or ""), MAX_COMMENT_BYTES)
    if comment:
        column["Comment"] = comment
    return column


def _lower_case_names(fields: Sequence[Mapping[str, Any]], path: str) -> dict[str, Mapping[str, Any]]:
    """Fields by the name that Hive sees, in order."""
    by_name: dict[str, Mapping[str, Any]] = {}
    for field in fields:
        other = by_name.setdefault(field["name"].lower(), field)
        if other is not field:
            raise SchemaError(
                f"{path}.{field['name']}: has the same name as {other['name']!r} in Athena, which ignores case; "
                "rename one of them"
            )
    return by_name


def _one_line(text: str, max_bytes: int) -> str:
    """A text as Glue takes it: one line, at most so many bytes, an ellipsis where it was cut."""
    line = " ".join(text.split())
    if len(line.encode()) <= max_bytes:
        return line
    ellipsis = "…"
    room = max_bytes - len(ellipsis.encode())
    return line.encode()[:room].decode(errors="ignore").rstrip() + ellipsis
