"""The calendar: tables and dates, each with the state of its partition.

Months stand below each other, the latest first; in a month, a row is a table and a column is a day.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Final

from dmd_pipeline.ui import formats
from dmd_pipeline.ui.ranges import Range, until_last_known
from dmd_pipeline.ui.states import ABSENT, LOOKS, Look, look_of


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dmd_pipeline.quality_documents import Entry
    from dmd_pipeline.ui.documents import TableYears

_OVERDUE: Final = timedelta(hours=3)
"""The DAG looks every hour; after this long without a look something keeps it from doing so."""

_NAMED: Final = 3
"""So many expectations are named on hover."""
_SATURDAY: Final = 5


@dataclass(frozen=True)
class Cell:
    """One partition in the calendar.

    Attributes:
        row: Number of its table.
        state: Name of its state, for the style sheet.
        lines: What is said about it, the first line its name.
        reachable: Whether Tab stops at it.
    """

    row: int
    table: str
    day: date
    state: str
    lines: tuple[str, ...]
    today: bool
    future: bool
    reachable: bool


@dataclass(frozen=True)
class Column:
    """One day of a month, in its head."""

    day: date
    weekday: str
    weekend: bool
    today: bool
    future: bool


@dataclass(frozen=True)
class Month:
    """One month of the calendar: its days and, for every table, a cell or None (outside the range) each."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]


@dataclass(frozen=True)
class Counted:
    """One state of the legend, and how many partitions have it."""

    look: Look
    count: int


@dataclass(frozen=True)
class AsOf:
    """When the DAG last looked at the tables.

    Attributes:
        text: The time, or times.
        overdue: Whether that is longer ago than it should be; says by how much, else ``""``.
    """

    text: str
    overdue: str


@dataclass(frozen=True)
class Calendar:
    """The whole page."""

    shown: Range
    months: tuple[Month, ...]
    legend: tuple[Counted, ...]
    as_of: AsOf
    problems: tuple[str, ...]
    tables: tuple[str, ...]


def calendar(
    tables: Mapping[str, TableYears], suites: Mapping[str, str | None], asked: Range, today: date, now: datetime
) -> Calendar:
    """Make the page.

    Args:
        tables: What is known of each table in the years of the range.
        suites: Digest of each table's suite; None when there is none to compare with.
        asked: What to show; cut behind the last date with an entry when nobody chose it.
        today: Marked, and where Tab stops.
        now: What the age of the last look is told by.
    """
    shown = until_last_known(asked, chain.from_iterable(table.entries for table in tables.values()), today)
    names = tuple(tables)
    stop = min(max(today, shown.start), shown.end)
    counts: Counter[str] = Counter()

    def cell(row: int, name: str, day: date) -> Cell | None:
        if not shown.start <= day <= shown.end:
            return None
        entry = tables[name].entries.get(day)
        look = look_of(entry, suites.get(name))
        counts[look.name] += 1
        lines = (f"{name}, {formats.day(day)}", *_told(look, entry, now))
        return Cell(row, name, day, look.name, lines, day == today, day > today, row == 0 and day == stop)

    months = tuple(
        Month(
            formats.month(days[0]),
            tuple(_column(day, today) for day in days),
            tuple((name, tuple(cell(row, name, day) for day in days)) for row, name in enumerate(names)),
        )
        for days in _months(shown)
    )
    legend = tuple(Counted(look, counts[look.name]) for look in LOOKS.values() if look is not ABSENT)
    problems = tuple(problem for table in tables.values() for problem in table.problems)
    return Calendar(shown, months, legend, as_of(tables, now), problems, names)


def as_of(tables: Mapping[str, TableYears], now: datetime) -> AsOf:
    """When the DAG last looked; the oldest of its looks at the tables, when they differ."""
    looks = {name: table.seen_at for name, table in tables.items() if table.seen_at is not None}
    if not looks:
        return AsOf("not looked at yet", "")
    oldest = min(looks, key=lambda name: looks[name])
    when = looks[oldest]
    overdue = ""
    if now - when > _OVERDUE:
        whose = f"{oldest} was" if len(looks) > 1 and len(set(looks.values())) > 1 else "the tables were"
        overdue = (
            f"The last look is old: {whose} last looked at {formats.ago(when, now)}. Newer data does not show here. "
            "Does the DAG check_data_quality run?"
        )
    return AsOf(f"{formats.moment(when)} ({formats.ago(when, now)})", overdue)


def _months(shown: Range) -> Iterator[list[date]]:
    """All days of each month of a range, the latest month first."""
    for number in range(shown.end.year * 12 + shown.end.month, shown.start.year * 12 + shown.start.month - 1, -1):
        year, month = (number - 1) // 12, (number - 1) % 12 + 1
        yield [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]


def _column(day: date, today: date) -> Column:
    return Column(day, f"{day:%a}"[:2], day.weekday() >= _SATURDAY, day == today, day > today)  # Saturday


def _told(look: Look, entry: Entry | None, now: datetime) -> Sequence[str]:
    """What is said about a partition on hover and focus."""
    lines = [look.title if look is not ABSENT else look.meaning]
    verdict = entry.verdict if entry else None
    seen = entry.seen if entry else None
    if verdict is not None:
        if look.name == "stale":
            lines[0] = f"{look.title}: was {verdict.verdict}"
        if verdict.rows is not None:
            lines.append(f"{formats.whole(verdict.rows)} {'row' if verdict.rows == 1 else 'rows'}")
        if verdict.failed or verdict.warned:
            lines.append(violated(verdict.failed, verdict.warned, _NAMED))
        if verdict.reason:
            lines.append(verdict.reason[:160])
        lines.append(f"Verdict of {formats.moment(verdict.checked_at)} ({formats.ago(verdict.checked_at, now)})")
    elif seen is not None and seen.files:
        lines.append(
            f"{formats.whole(seen.files)} {'file' if seen.files == 1 else 'files'}, {formats.size(seen.bytes)}"
        )
    return lines


def violated(failed: Sequence[str], warned: Sequence[str], most: int | None = None) -> str:
    """Which expectations do not hold; of each kind at most so many."""
    return "; ".join(
        f"{what}: {', '.join(ids[:most])}{'' if most is None or len(ids) <= most else ' …'}"
        for what, ids in (("failed", failed), ("warned", warned))
        if ids
    )
