"""What a suite needs to know of a partition, counted by Athena in one statement that reads everything once.

Great Expectations' plain way is a statement or more for each metric, and it refuses regular expressions for Athena. But
an expectation needs only a few numbers: rows, nulls, unexpected values, rows looked at. All of them, of all
expectations and of many partitions, are sums over the same rows::

    SELECT day, sum(rows), sum(n0), …           -- one row a partition
    FROM (SELECT day, key, count(*) AS rows, count_if(…) AS n0, …
          FROM (SELECT … FROM the table WHERE partition_date …)      -- the checked columns
          GROUP BY day, key)                    -- so that copies of a key are seen
    GROUP BY day

The numbers mean what Great Expectations' pandas engine means by them: nulls are no unexpected values; of the copies of
a key all are unexpected, the first as well; a key of which every column is null is passed over.

Nothing in the statement can fail on a row, whatever it holds. Identifiers come from schemas and are quoted; what is
given as text is escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.checked_columns import literal, quoted
from dmd_pipeline.errors import ExpectationsError
from dmd_pipeline.expectation_types import FACT, IN_SET, MATCH, NOT_MATCH, NOT_NULL, PAIR_EQUAL, ROW_COUNT, UNIQUE
from dmd_pipeline.expectations import columns_of
from dmd_pipeline.layout import PARTITION_KEY
from dmd_pipeline.portable_patterns import in_trino
from dmd_pipeline.stamps import DATE_PATTERN


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from dmd_pipeline.checked_columns import CheckedColumn
    from dmd_pipeline.expectations import Expectation, Suite

    Names = Mapping[str, str]  # of checked columns in a query, quoted


MAX_STATEMENT_BYTES: Final = 262_144
"""Of Athena."""

REFERENCE: Final = ("reference.id", "reference.timestamp")
"""What a row is found by."""

_ALWAYS_THERE: Final = "reference.id"
"""A column that every table has. Rows that are only counted are not read: that they can be is worth a column."""

_LEAST_RUN: Final = 3  # days in a row that are asked for as a range
_YEARS: Final = range(1000, 3000)  # of the pattern below
_IS_DATE: Final = rf"^{DATE_PATTERN}\z"
_OTHERS: Final = (ROW_COUNT, FACT)  # of the partition: nothing is counted for them


@dataclass(frozen=True)
class Counts:
    """The numbers of one expectation.

    Attributes:
        nulls: Of its column; 0 for an expectation of several columns.
        unexpected: Values that break it; of an expectation of presence, the nulls.
        considered: Rows that it looks at: of one column, the values that are there, or all rows if presence is what
            it expects; of several columns, the rows that it does not pass over.
    """

    nulls: int
    unexpected: int
    considered: int


@dataclass(frozen=True)
class PartitionCounts:
    """The numbers of one partition.

    Attributes:
        rows: How many it has.
        orphans: Rows that refer to something that the other table does not hold; None when the suite does not ask.
        by_expectation: By id, of all expectations that need any; empty when only rows were counted.
    """

    rows: int
    orphans: int | None
    by_expectation: Mapping[str, Counts]


def counting_query(
    suite: Suite, columns: Mapping[str, CheckedColumn], dates: Collection[date], *, measured: Collection[date]
) -> str:
    """The statement that counts for a suite, in partitions of its table. Partitions without rows are not in its answer.

    Scans the partitions once, and once the whole other table if the suite asks for orphaned rows.

    Args:
        suite: What is expected.
        columns: The table's checked columns, by name.
        dates: Of the partitions; at least one.
        measured: Those of which more is needed than rows and orphans. When there is none, nothing else is counted.

    Raises:
        ExpectationsError: It is longer than Athena takes: ask for fewer dates, or expect less.
    """
    numbers = _numbers(suite) if measured else []
    wanted = {name for expectation in suite.expectations for name in columns_of(expectation)} if numbers else set()
    reference = suite.reference
    names = _names({*wanted, _ALWAYS_THERE} | ({reference.column} if reference is not None else set()))
    key = [names[name] for name in suite.key or ()] if numbers else []
    groups = ", ".join(['"day"', *key])
    inner = [groups, 'count(*) AS "rows"', f'count({names[_ALWAYS_THERE]}) AS "readable"']
    outer = ['"day"', 'sum("rows") AS "rows"', 'sum("readable") AS "readable"']
    if reference is not None:
        inner.append(f'count_if({names[reference.column]} IS NOT NULL AND "known" IS NULL) AS "orphans"')
        outer.append('sum("orphans") AS "orphans"')
    for place, number in enumerate(numbers):
        if number.of_rows is not None:
            inner.append(f'count_if({number.of_rows(names)}) AS "n{place}"')
            outer.append(f'sum("n{place}") AS "n{place}"')
        else:
            outer.append(f'sum(CASE WHEN {number.of_groups(key)} THEN "rows" ELSE 0 END) AS "n{place}"')
    statement = "\n".join(
        [
            f"SELECT {_listed(outer)}",
            f"FROM (SELECT {_listed(inner)}",
            f"FROM ({_selected(suite, columns, names, _on(dates))})",
            *_joined(suite, names),
            f"GROUP BY {groups})",
            'GROUP BY "day"',
        ]
    )
    return _checked(suite, statement)


def counts_of(suite: Suite, row: Sequence[Any]) -> tuple[date, PartitionCounts]:
    """What a row of the answer to :func:`counting_query` says.

    Args:
        suite: The one of the query.
        row: Numbers may be texts, as Athena gives them.
    """
    day, rows, _readable, *rest = row
    found = [int(number) for number in rest]
    orphans = found.pop(0) if suite.reference is not None else None
    by_expectation = {}
    if found:
        counted = dict(zip(((number.what, number.of) for number in _numbers(suite)), found, strict=True))
        by_expectation = dict(_by_expectation(suite, int(rows), counted))
    return date.fromisoformat(day), PartitionCounts(int(rows), orphans, by_expectation)


def samples_query(
    suite: Suite, columns: Mapping[str, CheckedColumn], day: date, expectations: Sequence[Expectation], limit: int
) -> str:
    """The statement that finds some rows that break expectations; however many these are, it scans the partition once.

    :func:`samples_of` reads its answer, which holds personal data where the columns do.

    Args:
        suite: Which they are of.
        columns: The table's checked columns, by name.
        day: Of the partition.
        expectations: Of columns; at least one.
        limit: How many rows of each at most.

    Raises:
        ExpectationsError: No row breaks such an expectation, or the statement is longer than Athena takes.
    """
    for expectation in expectations:
        if not columns_of(expectation):
            raise ExpectationsError(f"{suite.table}: {expectation.id} is of the partition, not of rows")
    names = _names(_shown(expectations))
    source = _selected(suite, columns, names, _on([day]))
    key = [names[name] for each in expectations if each.type == UNIQUE for name in columns_of(each)]
    if key:
        source = f'SELECT *, count(*) OVER (PARTITION BY {", ".join(key)}) AS "rows"\nFROM ({source})'
    broken = ", ".join(
        f"IF({_is_copied(key) if each.type == UNIQUE else _UNEXPECTED[each.type](each, names)}, {place})"
        for place, each in enumerate(expectations)
    )
    statement = "\n".join(
        [
            f'SELECT "which", {_listed(names.values())}',
            'FROM (SELECT *, row_number() OVER (PARTITION BY "which") AS "place"',
            f"FROM ({source})",
            f'CROSS JOIN UNNEST(ARRAY[{broken}]) AS "_broken" ("which")',
            'WHERE "which" IS NOT NULL)',
            f'WHERE "place" <= {int(limit)}',
        ]
    )
    return _checked(suite, statement)


def samples_of(
    expectations: Sequence[Expectation], rows: Iterable[Sequence[Any]]
) -> dict[str, list[tuple[Any, Any, list[Any]]]]:
    """What the answer to :func:`samples_query` says, by the expectation's id.

    Args:
        expectations: Those of the query, in its order.
        rows: Of the answer.

    Returns:
        For each row ``reference.id``, ``reference.timestamp`` and the values of the expectation's columns, in its
        order. An expectation that no row breaks is not among them.
    """
    shown = _shown(expectations)
    found: dict[str, list[tuple[Any, Any, list[Any]]]] = {}
    for which, *values in rows:
        expectation, row = expectations[int(which)], dict(zip(shown, values, strict=True))
        reference_id, timestamp = (row[name] for name in REFERENCE)
        subject = [row[name] for name in columns_of(expectation)]
        found.setdefault(expectation.id, []).append((reference_id, timestamp, subject))
    return found


def _shown(expectations: Iterable[Expectation]) -> list[str]:
    """The columns that tell of rows that break expectations."""
    return sorted({*REFERENCE, *(name for each in expectations for name in columns_of(each))})


# What is counted


@dataclass(frozen=True)
class _Number:
    """One number of a partition: a sum over its rows, or over its groups of rows with one key.

    Attributes:
        what: ``nulls``, ``unexpected`` or ``considered``.
        of: The column of which nulls are counted, or an expectation's id.
        of_rows: The condition on a row that is counted.
        of_groups: The condition on a group of which every row is counted.
    """

    what: str
    of: str
    of_rows: Callable[[Names], str] | None = None
    of_groups: Callable[[Sequence[str]], str] = lambda _: "true"


def _numbers(suite: Suite) -> list[_Number]:
    """The numbers that a suite needs, in the order of the answer; nulls of a column once."""
    found: dict[tuple[str, str], _Number] = {}
    for expectation in suite.expectations:
        for number in _numbers_of(expectation):
            found.setdefault((number.what, number.of), number)
    return list(found.values())


def _numbers_of(expectation: Expectation) -> Iterator[_Number]:
    if expectation.type in _OTHERS:
        return
    if expectation.type == UNIQUE:
        yield _Number("considered", expectation.id, of_groups=_is_any_there)
        yield _Number("unexpected", expectation.id, of_groups=_is_copied)
        return
    if expectation.type == PAIR_EQUAL:
        yield _Number("considered", expectation.id, lambda names: _are_both_there(expectation, names))
    else:
        (column,) = columns_of(expectation)
        yield _Number("nulls", column, lambda names: f"{names[column]} IS NULL")
    if expectation.type != NOT_NULL:
        yield _Number("unexpected", expectation.id, lambda names: _UNEXPECTED[expectation.type](expectation, names))


def _by_expectation(suite: Suite, rows: int, counted: Mapping[tuple[str, str], int]) -> Iterator[tuple[str, Counts]]:
    for expectation in suite.expectations:
        if expectation.type in _OTHERS:
            continue
        if expectation.type in {UNIQUE, PAIR_EQUAL}:
            considered = counted["considered", expectation.id]
            yield expectation.id, Counts(0, counted["unexpected", expectation.id], considered)
            continue
        (column,) = columns_of(expectation)
        nulls = counted["nulls", column]
        if expectation.type == NOT_NULL:
            yield expectation.id, Counts(nulls, nulls, rows)
        else:
            yield expectation.id, Counts(nulls, counted["unexpected", expectation.id], rows - nulls)


# Conditions; of a null they are null, so that it is not counted


def _is_null(expectation: Expectation, names: Names) -> str:
    return f"{names[expectation.kwargs['column']]} IS NULL"


def _is_not_in_set(expectation: Expectation, names: Names) -> str:
    values = ", ".join(_value(value) for value in expectation.kwargs["value_set"])
    return f"{names[expectation.kwargs['column']]} NOT IN ({values})"


def _does_match(expectation: Expectation, names: Names) -> str:
    pattern = literal(in_trino(expectation.kwargs["regex"]))
    return f"regexp_like({names[expectation.kwargs['column']]}, {pattern})"


def _does_not_match(expectation: Expectation, names: Names) -> str:
    return f"NOT {_does_match(expectation, names)}"


def _differ(expectation: Expectation, names: Names) -> str:
    return " <> ".join(names[name] for name in columns_of(expectation))


def _are_both_there(expectation: Expectation, names: Names) -> str:
    return " AND ".join(f"{names[name]} IS NOT NULL" for name in columns_of(expectation))


def _is_any_there(key: Sequence[str]) -> str:
    return f"({' OR '.join(f'{name} IS NOT NULL' for name in key)})"


def _is_copied(key: Sequence[str]) -> str:
    return f'"rows" > 1 AND {_is_any_there(key)}'


_UNEXPECTED: Final[Mapping[str, Callable[[Expectation, Names], str]]] = {
    NOT_NULL: _is_null,
    IN_SET: _is_not_in_set,
    MATCH: _does_not_match,
    NOT_MATCH: _does_match,
    PAIR_EQUAL: _differ,
}


def _value(value: str | bool | int) -> str:
    return literal(value) if isinstance(value, str) else str(value).lower()


# Statements


def _names(columns: Iterable[str]) -> Names:
    """Short names for columns, of which some are long."""
    return {name: quoted(f"c{place}") for place, name in enumerate(sorted(columns))}


def _selected(suite: Suite, columns: Mapping[str, CheckedColumn], names: Names, condition: str) -> str:
    """The checked columns of rows. The table has another name here, so that none of its columns has it."""
    selected = [
        f'{quoted(PARTITION_KEY)} AS "day"',
        *(f"{columns[name].sql} AS {short}" for name, short in names.items()),
    ]
    return f'SELECT {_listed(selected)}\nFROM {quoted(suite.table)} AS "_rows"\nWHERE {condition}'


def _joined(suite: Suite, names: Names) -> Iterator[str]:
    """The other table's keys, each once, so that no row is counted twice."""
    if suite.reference is not None:
        keys = f'SELECT DISTINCT {suite.reference.key_sql} AS "known" FROM {quoted(suite.reference.table)} AS "_others"'
        yield f'LEFT JOIN ({keys}) ON {names[suite.reference.column]} = "known"'


def _on(dates: Collection[date]) -> str:
    """The condition on the partition's value that these dates fulfil, and nothing else."""
    if not dates:
        raise ValueError("expected at least one date")
    value = quoted(PARTITION_KEY)
    ranges: list[str] = []
    alone: list[date] = []
    for run in _runs(dates):
        if len(run) >= _LEAST_RUN and run[0].year in _YEARS and run[-1].year in _YEARS:
            ranges.append(f"{value} BETWEEN {literal(run[0].isoformat())} AND {literal(run[-1].isoformat())}")
        else:
            alone += run
    conditions = [f"{value} IN ({', '.join(literal(day.isoformat()) for day in alone)})"] if alone else []
    if ranges:
        # Between two dates lie values that are none, such as 2026-02-30.
        conditions.append(f"({' OR '.join(ranges)}) AND regexp_like({value}, {literal(_IS_DATE)})")
    return " OR ".join(conditions)


def _runs(dates: Iterable[date]) -> list[list[date]]:
    """Days in a row, sorted."""
    runs: list[list[date]] = []
    for day in sorted(set(dates)):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _listed(expressions: Iterable[str]) -> str:
    return ",\n  ".join(expressions)


def _checked(suite: Suite, statement: str) -> str:
    size = len(statement.encode())
    if size > MAX_STATEMENT_BYTES:
        raise ExpectationsError(
            f"{suite.table}: its checks make a statement of {size:,} bytes, Athena takes {MAX_STATEMENT_BYTES:,}: "
            "check fewer dates at once, or expect less"
        )
    return statement
