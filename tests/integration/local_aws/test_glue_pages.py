"""What Glue's pages do that no case can ask of AWS: empty pages, and changes between two pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from local.aws import LocalAws

DAYS = [f"2025-01-{day:02d}" for day in range(1, 31)]


@pytest.fixture
def table(aws: LocalAws) -> dict[str, str]:
    """A table with a partition for each of thirty days."""
    keys = [{"Name": "partition_date", "Type": "string"}]
    glue, table = aws.client("glue"), {"DatabaseName": aws.settings.database, "TableName": "t"}
    glue.create_table(DatabaseName=aws.settings.database, TableInput={"Name": "t", "PartitionKeys": keys})
    glue.batch_create_partition(**table, PartitionInputList=[{"Values": [day]} for day in DAYS])
    return table


def pages(aws: LocalAws, table: dict[str, str], **arguments: Any) -> list[list[str]]:
    paginator = aws.client("glue").get_paginator("get_partitions")
    return [[found["Values"][0] for found in page["Partitions"]] for page in paginator.paginate(**table, **arguments)]


def test_a_page_can_be_empty_although_more_follow(aws: LocalAws, table: dict[str, str]) -> None:
    found = pages(aws, table, Expression="partition_date = '2025-01-07'", PaginationConfig={"PageSize": 5})
    assert len(found) == 6
    assert [day for page in found for day in page] == ["2025-01-07"]


def test_partitions_come_in_no_order_that_means_anything(aws: LocalAws, table: dict[str, str]) -> None:
    (found,) = pages(aws, table)
    assert found != sorted(found)
    assert sorted(found) == DAYS


def test_a_change_between_two_pages_loses_no_other_partition(aws: LocalAws, table: dict[str, str]) -> None:
    glue = aws.client("glue")
    first = glue.get_partitions(**table, MaxResults=10)
    seen = [found["Values"][0] for found in first["Partitions"]]
    glue.batch_delete_partition(**table, PartitionsToDelete=[{"Values": [day]} for day in seen[:5]])
    rest = glue.get_partitions(**table, NextToken=first["NextToken"])
    assert sorted(seen + [found["Values"][0] for found in rest["Partitions"]]) == DAYS


def test_a_token_belongs_to_its_request(aws: LocalAws, table: dict[str, str]) -> None:
    glue = aws.client("glue")
    token = glue.get_partitions(**table, MaxResults=10)["NextToken"]
    with pytest.raises(glue.exceptions.InvalidInputException):
        glue.get_partitions(**table, NextToken=token, Expression="partition_date > '2025-01-10'")


def test_a_numeric_key_is_compared_as_a_number(aws: LocalAws) -> None:
    keys = [{"Name": "year", "Type": "int"}, {"Name": "month", "Type": "string"}]
    glue, table = aws.client("glue"), {"DatabaseName": aws.settings.database, "TableName": "by_year"}
    glue.create_table(DatabaseName=aws.settings.database, TableInput={"Name": "by_year", "PartitionKeys": keys})
    values = [["9", "01"], ["10", "01"], ["10", "02"]]
    glue.batch_create_partition(**table, PartitionInputList=[{"Values": value} for value in values])
    found = glue.get_partitions(**table, Expression="year > 9 AND month = '02'")["Partitions"]
    assert [partition["Values"] for partition in found] == [["10", "02"]]
