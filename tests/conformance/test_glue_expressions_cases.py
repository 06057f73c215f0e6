"""Glue: the Expression of GetPartitions on a string key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.account import refused
from tests.conformance.catalog import add_partitions, make_table, registered


if TYPE_CHECKING:
    from tests.conformance.account import Account

DATES = ["2024-12-31", "2025-01-01", "2025-01-02", "2025-02-01"]
MATCHES = {
    "": DATES,
    "partition_date = '2025-01-01'": ["2025-01-01"],
    "partition_date <> '2025-01-01'": ["2024-12-31", "2025-01-02", "2025-02-01"],
    "partition_date != '2025-01-01'": ["2024-12-31", "2025-01-02", "2025-02-01"],
    "partition_date > '2025-01-01'": ["2025-01-02", "2025-02-01"],
    "partition_date >= '2025-01-02'": ["2025-01-02", "2025-02-01"],
    "partition_date < '2025-01-01'": ["2024-12-31"],
    "partition_date <= '2025-01-01'": ["2024-12-31", "2025-01-01"],
    "partition_date BETWEEN '2025-01-01' AND '2025-01-31'": ["2025-01-01", "2025-01-02"],
    "partition_date IN ('2025-01-01', '2025-02-01')": ["2025-01-01", "2025-02-01"],
    "partition_date NOT IN ('2025-01-01', '2025-02-01')": ["2024-12-31", "2025-01-02"],
    "partition_date LIKE '2025-01-%'": ["2025-01-01", "2025-01-02"],
    "partition_date LIKE '2025-0_-01'": ["2025-01-01", "2025-02-01"],
    "partition_date IS NULL": [],
    "NOT (partition_date = '2025-01-01')": ["2024-12-31", "2025-01-02", "2025-02-01"],
    "partition_date >= '2025-01-01' AND partition_date < '2025-02-01'": ["2025-01-01", "2025-01-02"],
    "partition_date = '2024-12-31' OR partition_date > '2025-01-01' AND partition_date < '2025-02-01'": [
        "2024-12-31",
        "2025-01-02",
    ],
    "(partition_date = '2024-12-31' OR partition_date > '2025-01-01') AND partition_date < '2025-02-01'": [
        "2024-12-31",
        "2025-01-02",
    ],
    "'2025-01-01' < partition_date": ["2025-01-02", "2025-02-01"],
    "PARTITION_DATE = '2025-01-01'": ["2025-01-01"],
}
INVALID = {
    "no operand": "partition_date =",
    "no such column": "nosuchcolumn = '2025-01-01'",
    "unbalanced": "(partition_date = '2025-01-01'",
    "not a condition": "partition_date",
    "function": "upper(partition_date) = '2025-01-01'",
}


@pytest.mark.parametrize("expression", MATCHES)
def test_an_expression_chooses_partitions(account: Account, expression: str) -> None:
    table = make_table(account)
    add_partitions(account, table, DATES)
    assert registered(account, table, Expression=expression) == MATCHES[expression]


@pytest.mark.parametrize("expression", INVALID.values(), ids=INVALID.keys())
def test_an_expression_that_glue_cannot_read_is_refused(account: Account, expression: str) -> None:
    table = make_table(account)
    add_partitions(account, table, DATES)
    with refused("InvalidInputException"):
        account.client("glue").get_partitions(**table, Expression=expression)
