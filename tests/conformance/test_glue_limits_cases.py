"""Glue: how much one request may hold. The limits are those of the service's own model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.account import refused
from tests.conformance.catalog import add_partitions, days, make_table, partition_input, table_input


if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.account import Account

    Arguments = Callable[[Account, int], dict[str, Any]]

BATCHES: dict[str, tuple[int, Arguments]] = {
    "batch_create_partition": (
        100,
        lambda account, count: {"PartitionInputList": [partition_input(account, day) for day in days(count)]},
    ),
    "batch_update_partition": (
        100,
        lambda account, count: {
            "Entries": [
                {"PartitionValueList": [day], "PartitionInput": partition_input(account, day)} for day in days(count)
            ]
        },
    ),
    "batch_delete_partition": (
        25,
        lambda _, count: {"PartitionsToDelete": [{"Values": [day]} for day in days(count)]},
    ),
    "batch_get_partition": (
        1000,
        lambda _, count: {"PartitionsToGet": [{"Values": [day]} for day in days(count)]},
    ),
}


@pytest.mark.parametrize("operation", BATCHES)
def test_a_batch_takes_as_many_partitions_as_its_limit(account: Account, operation: str) -> None:
    limit, arguments = BATCHES[operation]
    table = make_table(account)
    answer = getattr(account.client("glue"), operation)(**table, **arguments(account, limit))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("operation", BATCHES)
def test_a_batch_above_its_limit_is_refused_whole(account: Account, operation: str) -> None:
    limit, arguments = BATCHES[operation]
    table = make_table(account)
    with refused("ValidationException", f"Member must have length less than or equal to {limit}"):
        getattr(account.client("glue"), operation)(**table, **arguments(account, limit + 1))
    assert account.client("glue").get_partitions(**table)["Partitions"] == []


def test_a_page_of_partitions_holds_at_most_1000(account: Account) -> None:
    table = make_table(account)
    with refused("ValidationException", "less than or equal to 1000"):
        account.client("glue").get_partitions(**table, MaxResults=1001)


def test_there_are_at_most_ten_segments(account: Account) -> None:
    table = make_table(account)
    with refused("ValidationException", "less than or equal to 10"):
        account.client("glue").get_partitions(**table, Segment={"SegmentNumber": 0, "TotalSegments": 11})


def test_an_expression_has_at_most_2048_characters(account: Account) -> None:
    table = make_table(account)
    padding = " " * 2048
    with refused("ValidationException", "less than or equal to 2048"):
        account.client("glue").get_partitions(**table, Expression=f"partition_date = '2025-01-01'{padding}")


def test_a_parameter_has_at_most_512000_characters(account: Account) -> None:
    with refused("ValidationException", "less than or equal to 512000"):
        make_table(account, Parameters={"avro.schema.literal": "x" * 512_001})
    make_table(account, Parameters={"avro.schema.literal": "x" * 512_000})
    found = account.client("glue").get_table(DatabaseName=account.database, Name="scratch")["Table"]
    assert len(found["Parameters"]["avro.schema.literal"]) == 512_000


@pytest.mark.parametrize(
    ("comment", "complaint"),
    [("x" * 256, "less than or equal to 255"), ("two\nlines", "regular expression pattern")],
    ids=["long", "two lines"],
)
def test_a_column_comment_is_one_line_of_at_most_255_characters(account: Account, comment: str, complaint: str) -> None:
    definition = table_input(account)
    definition["StorageDescriptor"]["Columns"][0]["Comment"] = comment
    with refused("ValidationException", complaint):
        account.client("glue").create_table(DatabaseName=account.database, TableInput=definition)


def test_a_page_is_full_before_the_next_begins(account: Account) -> None:
    table = make_table(account)
    add_partitions(account, table, days(7))
    paginator = account.client("glue").get_paginator("get_partitions")
    pages = paginator.paginate(**table, PaginationConfig={"PageSize": 3})
    assert sum(len(page["Partitions"]) for page in pages) == 7
    first = account.client("glue").get_partitions(**table, MaxResults=3)
    assert (len(first["Partitions"]), "NextToken" in first) == (3, True)
