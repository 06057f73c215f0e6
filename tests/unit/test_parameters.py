"""What a run may be asked."""

from __future__ import annotations

from datetime import date

import pytest

from dmd_pipeline.errors import ParameterError
from dmd_pipeline.parameters import DateRange, chosen_tables


def test_all_tables_are_chosen_when_none_is_named() -> None:
    assert chosen_tables(None, ["sale", "demand"]) == ("demand", "sale")
    assert chosen_tables([], ["sale", "demand"]) == ("demand", "sale")


def test_a_table_named_twice_is_chosen_once() -> None:
    assert chosen_tables(["sale", "sale"], ["sale", "demand"]) == ("sale",)


def test_an_unknown_table_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ParameterError, match="unknown 'sales'; known are demand, sale"):
        chosen_tables(["sales"], ["sale", "demand"])


@pytest.mark.parametrize(
    ("first", "last", "day", "inside"),
    [
        (None, None, "1999-01-01", True),
        ("2025-06-01", None, "2025-06-01", True),
        ("2025-06-01", None, "2025-05-31", False),
        (None, "2025-06-01", "2025-06-01", True),
        (None, "2025-06-01", "2025-06-02", False),
        ("2025-06-01", "2025-06-01", "2025-06-01", True),
    ],
)
def test_both_ends_of_a_range_are_included(first: str | None, last: str | None, day: str, *, inside: bool) -> None:
    assert (date.fromisoformat(day) in DateRange.between(first, last)) is inside


@pytest.mark.parametrize("text", ["yesterday", "2025-6-1", "20250601", "2025-W23-1", "2025-02-30", ""])
def test_what_is_no_date_is_refused_by_its_parameters_name(text: str) -> None:
    with pytest.raises(ParameterError, match="to_date: expected a date as YYYY-MM-DD"):
        DateRange.between(None, text)


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ParameterError, match="from_date 2025-06-02 is after to_date 2025-06-01"):
        DateRange.between("2025-06-02", date(2025, 6, 1))


@pytest.mark.parametrize(
    ("first", "last", "expression"),
    [
        (None, None, None),
        ("2025-06-01", None, "partition_date >= '2025-06-01'"),
        (None, "2025-06-02", "partition_date <= '2025-06-02'"),
        ("2025-06-01", "2025-06-02", "partition_date >= '2025-06-01' AND partition_date <= '2025-06-02'"),
    ],
)
def test_glue_is_asked_for_the_range_alone(first: str | None, last: str | None, expression: str | None) -> None:
    assert DateRange.between(first, last).glue_expression == expression
