"""A small partitioned table for the cases about Glue."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.conformance.account import Account

TABLE = "scratch"
_STORAGE: dict[str, Any] = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.avro.AvroSerDe"},
}


def table_input(account: Account, name: str = TABLE, **changes: Any) -> dict[str, Any]:
    """The definition of a table with one column, partitioned by date."""
    storage = {**_STORAGE, "Columns": [{"Name": "id", "Type": "string"}], "Location": account.location(name)}
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": "partition_date", "Type": "string"}],
        "StorageDescriptor": storage,
        **changes,
    }


def make_table(account: Account, name: str = TABLE, **changes: Any) -> dict[str, str]:
    """Make the table; gives the arguments by which calls about its partitions name it."""
    account.client("glue").create_table(DatabaseName=account.database, TableInput=table_input(account, name, **changes))
    return {"DatabaseName": account.database, "TableName": name}


def days(count: int, first: date = date(2025, 1, 1)) -> list[str]:
    """Consecutive dates."""
    return [str(first + timedelta(days=offset)) for offset in range(count)]


def partition_input(account: Account, *values: str) -> dict[str, Any]:
    """The definition of one partition."""
    location = account.location(f"{TABLE}/partition_date={'/'.join(values)}")
    storage = {**_STORAGE, "Columns": [{"Name": "id", "Type": "string"}], "Location": location}
    return {"Values": list(values), "StorageDescriptor": storage}


def add_partitions(account: Account, table: dict[str, str], dates: Sequence[str]) -> None:
    """Register partitions, in batches that Glue accepts."""
    for start in range(0, len(dates), 100):
        batch = [partition_input(account, day) for day in dates[start : start + 100]]
        errors = account.client("glue").batch_create_partition(**table, PartitionInputList=batch)["Errors"]
        assert errors == []


def registered(account: Account, table: dict[str, str], **arguments: Any) -> list[str]:
    """Dates of the partitions that GetPartitions gives, over all its pages, sorted."""
    pages = account.client("glue").get_paginator("get_partitions").paginate(**table, **arguments)
    return sorted(found["Values"][0] for page in pages for found in page["Partitions"])


def error_codes(errors: Iterable[dict[str, Any]]) -> list[str]:
    """Codes of a batch's per-item errors."""
    return [error["ErrorDetail"]["ErrorCode"] for error in errors]
