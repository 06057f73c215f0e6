"""Athena: how a partition of Avro files is read. The cases are data, in ``engine_cases``."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from tests.conformance.athena_runs import run
from tests.conformance.engine_cases import CASES, Case, File, Schema


if TYPE_CHECKING:
    from tests.conformance.account import Account

_DATE = "2025-06-01"
_LITERAL = "avro.schema.literal"
_FORMATS = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.name}")
def test_a_partition_is_read_as_the_case_says(account: Account, case: Case) -> None:
    _make(account, case)
    found = run(account, case.query.format(table="scratch"))
    if case.error is None:
        assert (found.state, found.reason) == ("SUCCEEDED", "")
        assert sorted(found.rows, key=str) == sorted(map(list, case.rows), key=str)
    else:
        assert found.state == "FAILED", found.rows
        assert found.reason.startswith(f"{case.error}: ")
        for part in case.saying:
            assert part in found.reason


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def _make(account: Account, case: Case) -> None:
    """Register the table and its partition, and write the files."""
    glue = account.client("glue")
    location = account.location("scratch")
    glue.create_table(
        DatabaseName=account.database,
        TableInput={
            "Name": "scratch",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE", **_literal(case.in_table)},
            "PartitionKeys": [{"Name": "partition_date", "Type": "string"}],
            "StorageDescriptor": _storage(case.table, location, case.in_table_serde),
        },
    )
    partition = case.table if case.partition is None else case.partition
    folder = f"{location}partition_date={_DATE}/"
    glue.create_partition(
        DatabaseName=account.database,
        TableName="scratch",
        PartitionInput={"Values": [_DATE], "StorageDescriptor": _storage(partition, folder, case.in_partition)},
    )
    for file in case.files:
        account.put(f"scratch/partition_date={_DATE}/{file.name}", _content(file))


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
    return written.getvalue()
