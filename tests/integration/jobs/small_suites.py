"""Suites of a few expectations, and rows of a few columns, for the tests of what validates them."""

from __future__ import annotations

from collections import Counter
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from dmd_pipeline.expectations import Expectation, Severity, Suite
from dmd_pipeline.measures import Counts, PartitionCounts


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


DAY = date(2026, 3, 1)
STAMP = "2026-03-01T12:00:00.000Z"

NOT_NULL = "expect_column_values_to_not_be_null"
IN_SET = "expect_column_values_to_be_in_set"
MATCH = "expect_column_values_to_match_regex"
NOT_MATCH = "expect_column_values_to_not_match_regex"
PAIR = "expect_column_pair_values_to_be_equal"
UNIQUE = "expect_compound_columns_to_be_unique"
ROW_COUNT = "expect_table_row_count_to_be_between"
FACT = "expect_partition_fact_to_be_between"

KEY: dict[str, Any] = {"column_list": ["reference.id", "reference.timestamp"]}


def expectation(
    name: str, kind: str, /, *, severity: Severity = Severity.FAIL, sentence: str = "It holds.", **kwargs: Any
) -> Any:
    """An expectation, its arguments by keyword."""
    return Expectation(id=name, type=kind, kwargs=kwargs, severity=severity, sentence=sentence)


def suite(*expectations: Any) -> Any:
    """A suite of the table ``demand``."""
    config = {
        "name": "demand",
        "expectations": [
            {
                "type": each.type,
                "kwargs": dict(each.kwargs),
                "severity": str(each.severity),
                "notes": each.sentence,
                "meta": {"id": each.id},
            }
            for each in expectations
        ],
    }
    return Suite("demand", expectations, f"{hash(repr(config)) & (1 << 64) - 1:016x}", config)


def columns(*names: str, personal: str = "") -> dict[str, Any]:
    """Checked columns of flat rows, one of them with personal data, and what a row is found by."""
    return {
        name: SimpleNamespace(personal=name == personal, value=lambda row, _, name=name: row.get(name))
        for name in (*names, personal, "reference.id", "reference.timestamp")
        if name
    }


def rows_of(column: str, values: Sequence[Any]) -> list[tuple[dict[str, Any], date]]:
    """A row for each value of one column, all with a reference of their own."""
    return [
        ({column: value, "reference.id": f"event-{number}", "reference.timestamp": STAMP}, DAY)
        for number, value in enumerate(values)
    ]


def counted(rows: int, **by_expectation: tuple[int, int, int]) -> Any:
    """Counts as Athena gives them: nulls, unexpected, considered."""
    return PartitionCounts(rows, None, {name: Counts(*each) for name, each in by_expectation.items()})


def count(wanted: Any, rows: Iterable[Mapping[str, Any]]) -> Any:
    """The counts of flat rows, by the words of Great Expectations' documentation and by nothing of its code."""
    held = list(rows)
    by_expectation = {each.id: _count(each, held) for each in wanted.expectations if each.type not in {ROW_COUNT, FACT}}
    return PartitionCounts(len(held), None, by_expectation)


def _count(wanted: Any, rows: list[Mapping[str, Any]]) -> Any:
    if wanted.type == UNIQUE:
        keys = [tuple(row[name] for name in wanted.kwargs["column_list"]) for row in rows]
        looked_at = [key for key in keys if any(part is not None for part in key)]
        times = Counter(looked_at)
        return Counts(0, sum(times[key] > 1 for key in looked_at), len(looked_at))
    if wanted.type == PAIR:
        pairs = [(row[wanted.kwargs["column_A"]], row[wanted.kwargs["column_B"]]) for row in rows]
        whole = [pair for pair in pairs if None not in pair]
        return Counts(0, sum(first != second for first, second in whole), len(whole))
    values = [row[wanted.kwargs["column"]] for row in rows]
    present = [value for value in values if value is not None]
    nulls = len(values) - len(present)
    if wanted.type == NOT_NULL:
        return Counts(nulls, nulls, len(values))
    if wanted.type == IN_SET:
        return Counts(nulls, sum(value not in wanted.kwargs["value_set"] for value in present), len(present))
    letter = wanted.kwargs["regex"]
    matching = sum(letter in value for value in present)
    return Counts(nulls, len(present) - matching if wanted.type == MATCH else matching, len(present))
