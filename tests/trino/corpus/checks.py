"""What the data quality checks ask: the statements that count, and those that find rows to show."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from dmd_pipeline.checked_columns import checked_columns, literal
from dmd_pipeline.expectation_types import FACT, MATCH, NOT_MATCH, ROW_COUNT
from dmd_pipeline.expectations import load_suite
from dmd_pipeline.measures import counting_query, samples_query
from dmd_pipeline.portable_patterns import in_trino
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.stamps import STAMP_PATTERN
from tests.trino.statements import Statement


if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST = date(2026, 2, 1)
_DAYS = [_FIRST + timedelta(days=number) for number in range(45)]
_ALL = 1_000_000
_OPPOSITES: Final = {MATCH: NOT_MATCH, NOT_MATCH: MATCH}
_TEXTS = (
    *(
        "",
        "a",
        "a\n",
        "a\n\n",
        "\n",
        "ba",
        "é",
        "東京",
        "a.b",
        "a\nb",
        "null",
        "x_null",
        "x_null\n",
        "nullable",
        "Jane's",
    ),
    *("2026-03-01", "2026-03-01\n", "2024-02-29", "2026-02-29", "2100-02-29", "2026-03-01T24:00Z"),
    *("2026-03-01T23:59", "2026-03-01T23:59Z", "2026-03-01T23:59:59.123456789Z", "2026-03-01t23:59Z"),
    *("2026-03-01T00:30+05:30", "2026-03-01T23:30:00-05:00", "2026-03-01T12:00:00.123456789+14:00"),
    *("2026-03-01T10:00:00.5-14:00", "2026-03-01T10:00+14:30", "2026-03-01T10:00+0500", "2026-12-31T23:59:59-00:01"),
)
_PATTERNS = ("^a$", "a$", "(?:^|_)null(?:_|$)", "[^a]$", "^.{2}$", "é|東", r"\.", "a[^x]b", f"^{STAMP_PATTERN}$")


def odd_texts() -> Iterator[Statement]:
    """What the demo's rows do not hold: texts that patterns and stamps might be mistaken in."""
    listed = f"(VALUES {', '.join(literal(text) for text in _TEXTS)}) AS t (x)"
    for pattern in _PATTERNS:
        yield Statement(
            f"pattern {pattern[:20]}", f"SELECT x, regexp_like(x, {literal(in_trino(pattern))}) FROM {listed}"
        )
    value = checked_columns(load_record_types()["demand"])["business_date"].sql
    rows = f'(SELECT x, CAST(ROW(x) AS ROW(requested varchar)) AS "date" FROM {listed})'
    yield Statement("business dates", f"SELECT x, {value} FROM {rows}")


def statements(table: str) -> Iterator[Statement]:
    """Of a table of the demo: of many days and of one, and samples of all that can be wrong.

    Every pattern is also asked the other way round, so that not all samples are empty: the demo's rows are right.
    """
    suite, columns = load_suite(table), checked_columns(load_record_types()[table])
    yield Statement("all counts", counting_query(suite, columns, _DAYS, measured=_DAYS))
    yield Statement("all counts of some days", counting_query(suite, columns, _DAYS[20:28:3], measured=_DAYS))
    yield Statement("rows", counting_query(suite, columns, _DAYS, measured=[]))
    asked = [each for each in suite.expectations if each.type not in {ROW_COUNT, FACT}]
    yield Statement("all samples", samples_query(suite, columns, _DAYS[20], asked, _ALL))
    for expectation in asked:
        sample = samples_query(suite, columns, _DAYS[20], [expectation], _ALL)
        yield Statement(f"sample of {expectation.id}", sample)
        if expectation.type in _OPPOSITES:
            other = replace(expectation, type=_OPPOSITES[expectation.type])
            yield Statement(f"others than {expectation.id}", samples_query(suite, columns, _DAYS[20], [other], _ALL))
