"""The statements that count: what they read, how long they are, what is made of their answer.

What they count is tested on the local Athena, beside Great Expectations: tests/integration/jobs/test_measures.py.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from dmd_pipeline.checked_columns import checked_columns
from dmd_pipeline.errors import ExpectationsError
from dmd_pipeline.expectation_types import FACT, IN_SET, MATCH, NOT_NULL, PAIR_EQUAL, ROW_COUNT, UNIQUE
from dmd_pipeline.expectations import Suite, load_suite
from dmd_pipeline.measures import MAX_STATEMENT_BYTES, Counts, PartitionCounts, counting_query, counts_of, samples_query
from dmd_pipeline.record_types import load_record_types
from tests.unit.expectations import entry, include_with


if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


RECORD_TYPES = load_record_types()
DAY = date(2026, 3, 1)
ORPHANS = entry(
    "event_exists",
    FACT,
    meta={"column": "eventid", "exists_in": "event.id"},
    fact="orphaned_rows_percent",
    max_value=5,
)
KEY = entry("once", UNIQUE, column_list=["reference.id", "reference.timestamp"])


def suite_of(folder: Path, *expectations: dict[str, Any]) -> Suite:
    """A suite of demand."""
    return load_suite("demand", include_with(folder, "demand", expectations))


def query_of(suite: Suite, dates: Collection[date] = (DAY,), *, measured: Collection[date] = (DAY,)) -> str:
    """The statement that counts for it."""
    return counting_query(suite, checked_columns(RECORD_TYPES[suite.table]), dates, measured=measured)


def tables_in(statement: str) -> Counter[str]:
    """How often each table is read; the statement is one, and Trino's."""
    (parsed,) = sqlglot.parse(statement, read="trino")
    assert parsed is not None
    return Counter(table.name for table in parsed.find_all(exp.Table))


class TestCountingQuery:
    @pytest.mark.parametrize("table", RECORD_TYPES)
    def test_reads_everything_once(self, table: str) -> None:
        expected = {"demand": {"demand": 1, "event": 1}}.get(table, {table: 1})
        assert tables_in(query_of(load_suite(table))) == expected
        assert tables_in(query_of(load_suite(table), measured=[])) == expected

    @pytest.mark.parametrize("table", RECORD_TYPES)
    def test_of_a_year_is_far_from_too_long(self, table: str) -> None:
        year = [DAY + timedelta(days=number) for number in range(366)]
        for dates in year, year[::2], [day for day in year if day.weekday() < 5]:
            statement = query_of(load_suite(table), dates, measured=dates)
            assert len(statement.encode()) < MAX_STATEMENT_BYTES / 16

    def test_of_dates_alone_is_short_and_still_reads_rows(self) -> None:
        statement = query_of(load_suite("sale"), measured=[])
        assert "regexp_like" not in statement
        assert 'count("c0") AS "readable"' in statement
        assert '"reference"."id" AS "c0"' in statement

    def test_that_is_too_long_is_refused_before_athena_refuses_it(self, tmp_path: Path) -> None:
        words = [f"{number:09}" for number in range(30_000)]
        suite = suite_of(tmp_path, entry("known", IN_SET, column="fanid", value_set=words))
        with pytest.raises(ExpectationsError, match=r"demand: its checks make a statement of 3\d\d,\d\d\d bytes"):
            query_of(suite)

    def test_of_no_date_makes_no_sense(self) -> None:
        with pytest.raises(ValueError, match="at least one date"):
            query_of(load_suite("sale"), [])

    def test_what_is_given_as_text_stays_text(self, tmp_path: Path) -> None:
        wanted = ["Jane's", "'; DROP TABLE demand; --", 'a"b', "a\\b", "\n"]
        suite = suite_of(
            tmp_path,
            entry("known", IN_SET, column="fanid", value_set=wanted),
            entry("shaped", MATCH, column="fanid", regex="^'; DROP$"),
        )
        statement = query_of(suite)
        (parsed,) = sqlglot.parse(statement, read="trino")
        assert parsed is not None
        texts = {found.this for found in parsed.find_all(exp.Literal) if found.is_string}
        assert {*wanted, "^'; DROP(?:\\n?\\z)"} <= texts
        assert tables_in(statement) == {"demand": 1}


class TestDates:
    """Which partitions are read: the condition is evaluated, by a database."""

    @given(
        st.lists(st.dates(date(2026, 1, 20), date(2026, 3, 10)), min_size=1, max_size=40),
        st.lists(st.sampled_from([date(1, 1, 1), date(999, 12, 31), date(1000, 1, 1), date(9999, 12, 31)]), max_size=4),
    )
    def test_all_that_are_asked_for_are_read_and_no_other(self, some: list[date], odd: list[date]) -> None:
        dates = [*some, *odd]
        assert self._read(dates) == sorted({day.isoformat() for day in dates})

    def test_days_in_a_row_are_a_range(self) -> None:
        year = [DAY + timedelta(days=number) for number in range(366)]
        statement = query_of(load_suite("sale"), year)
        assert "BETWEEN '2026-03-01' AND '2027-03-01'" in statement
        assert "2026-03-02" not in statement
        assert self._read(year[:40]) == [day.isoformat() for day in year[:40]]

    def test_very_old_and_very_new_dates_are_read_as_well(self) -> None:
        for first in date(1, 1, 1), date(999, 12, 30), date(2999, 12, 30), date(9999, 12, 28):
            dates = [first + timedelta(days=number) for number in range(4)]
            assert self._read(dates) == [day.isoformat() for day in dates]

    def _read(self, dates: list[date]) -> list[str]:
        """The values of partitions that fulfil the condition, of all that may lie about."""
        values = {(date(2026, 1, 1) + timedelta(days=number)).isoformat() for number in range(440)}
        values |= {day.isoformat() for day in dates}
        values |= {"2026-02-29", "2026-02-30", "2026-02-1", "2026-02-01x", "2026-02-01\n", "2026-13-01", "test", ""}
        statement = query_of(load_suite("sale"), dates, measured=[])
        condition = statement[statement.index("WHERE ") :].rsplit(")\nGROUP", 2)[0]
        condition = condition.replace("regexp_like", "regexp_matches")
        listed = "SELECT unnest($values) AS partition_date"
        found = duckdb.execute(f"SELECT * FROM ({listed}) {condition}", {"values": sorted(values)})
        return [value for (value,) in found.fetchall()]


class TestAnswers:
    def test_are_read_in_the_suite_s_order(self, tmp_path: Path) -> None:
        suite = suite_of(
            tmp_path,
            entry("rows", ROW_COUNT, min_value=1),
            entry("mail_given", NOT_NULL, column="email", mostly=0.5),
            entry("mail_known", IN_SET, column="email", value_set=["a"]),
            entry("mail_shaped", MATCH, column="email", regex="@"),
            entry("same", PAIR_EQUAL, column_A="fanid", column_B="eventid", ignore_row_if="either_value_is_missing"),
            KEY,
            ORPHANS,
        )
        # day, rows, readable, orphans; nulls of email, unexpected twice; considered and unexpected of pair and key
        row = ("2026-03-01", 10, 10, 3, 4, 1, 2, 9, 5, 8, 6)
        expected = PartitionCounts(
            rows=10,
            orphans=3,
            by_expectation={
                "mail_given": Counts(4, 4, 10),
                "mail_known": Counts(4, 1, 6),
                "mail_shaped": Counts(4, 2, 6),
                "same": Counts(0, 5, 9),
                "once": Counts(0, 6, 8),
            },
        )
        assert counts_of(suite, row) == (DAY, expected)
        assert counts_of(suite, [row[0], *map(str, row[1:])]) == (DAY, expected)
        with pytest.raises(ValueError, match="zip"):
            counts_of(suite, row[:-1])

    def test_of_rows_alone_say_no_more(self, tmp_path: Path) -> None:
        assert counts_of(load_suite("sale"), ("2026-03-01", 10, 10)) == (DAY, PartitionCounts(10, None, {}))
        suite = suite_of(tmp_path, KEY, ORPHANS)
        assert counts_of(suite, ("2026-03-01", 10, 10, 0)) == (DAY, PartitionCounts(10, 0, {}))

    @pytest.mark.parametrize("table", RECORD_TYPES)
    def test_have_as_many_columns_as_are_asked_for(self, table: str) -> None:
        suite = load_suite(table)
        (parsed,) = sqlglot.parse(query_of(suite), read="trino")
        assert isinstance(parsed, exp.Select)
        row = ["2026-03-01", *(0 for _ in parsed.selects[1:])]
        _day, counts = counts_of(suite, row)
        rows_only = {ROW_COUNT, FACT}
        assert set(counts.by_expectation) == {each.id for each in suite.expectations if each.type not in rows_only}


class TestSamplesQuery:
    @pytest.mark.parametrize("table", RECORD_TYPES)
    def test_reads_the_table_once_for_all_expectations(self, table: str) -> None:
        suite, columns = load_suite(table), checked_columns(RECORD_TYPES[table])
        asked = [each for each in suite.expectations if each.type not in {ROW_COUNT, FACT}]
        statement = samples_query(suite, columns, DAY, asked, 10)
        assert tables_in(statement) == {table: 1}
        (parsed,) = sqlglot.parse(statement, read="trino")
        assert isinstance(parsed, exp.Select)
        shown = {"reference.id", "reference.timestamp", *suite.columns}
        assert len(parsed.selects) == 1 + len(shown)
        assert statement.endswith('WHERE "place" <= 10')

    def test_of_the_partition_itself_makes_no_sense(self) -> None:
        suite = load_suite("demand")
        columns = checked_columns(RECORD_TYPES["demand"])
        for expectation in suite.expectations:
            if expectation.type in {ROW_COUNT, FACT}:
                with pytest.raises(ExpectationsError, match="is of the partition, not of rows"):
                    samples_query(suite, columns, DAY, [expectation], 10)
