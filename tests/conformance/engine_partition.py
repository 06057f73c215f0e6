"""A table with one partition, as a case of the engine describes it."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import fastavro


if TYPE_CHECKING:
    from tests.conformance.account import Account
    from tests.conformance.engine_case import Case, File, Schema

TABLE = "scratch"
_DATE = "2025-06-01"
_LITERAL = "avro.schema.literal"
_FORMATS = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
}


def make(account: Account, case: Case) -> None:
    """Register the table and its partition, and write the files."""
    glue = account.client("glue")
    location = account.location(TABLE)
    glue.create_table(
        DatabaseName=account.database,
        TableInput={
            "Name": TABLE,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE", **_literal(case.in_table)},
            "PartitionKeys": [{"Name": "partition_date", "Type": "string"}],
            "StorageDescriptor": _storage(case.table, location, case.in_table_serde),
        },
    )
    partition = case.table if case.partition is None else case.partition
    folder = case.location or f"partition_date={_DATE}"
    own = folder if "://" in folder else f"{location}{folder}/"
    glue.create_partition(
        DatabaseName=account.database,
        TableName=TABLE,
        PartitionInput={"Values": [_DATE], "StorageDescriptor": _storage(partition, own, case.in_partition)},
    )
    for file in case.files:
        account.put(f"{TABLE}/{file.folder or f'partition_date={_DATE}'}/{file.name}", _content(file))


def _storage(columns: str, location: str, schema: Schema | None) -> dict[str, Any]:
    return {
        **_FORMATS,
        "Location": location,
        "Columns": _columns(columns),
        "SerdeInfo": {
            "SerializationLibrary": "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
            "Parameters": {"serialization.format": "1", **_literal(schema)},
        },
    }


def _literal(schema: Schema | None) -> dict[str, str]:
    return {} if schema is None else {_LITERAL: json.dumps(schema)}


def _columns(text: str) -> list[dict[str, str]]:
    return [dict(zip(("Name", "Type"), part.split(" ", 1), strict=True)) for part in text.split(", ") if part]


def _content(file: File) -> bytes:
    if file.schema is None:
        return file.content
    written = io.BytesIO()
    fastavro.writer(written, fastavro.parse_schema(file.schema), [dict(row) for row in file.rows], codec=file.codec)
    return written.getvalue()[: -file.lost or None]
