"""What is known of a partition otherwise than by the rows in it: the facts that suites speak of.

A fact that cannot be known is None, and an expectation of it passes: nobody is woken for a history that is too short.
Everything here is pure.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

from dmd_pipeline.expectation_types import Fact
from dmd_pipeline.quality_documents import Judgement


if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from dmd_pipeline.expectations import Suite
    from dmd_pipeline.quality_documents import Entry, Seen

WEEKS: Final = 8
"""How far back the usual number of rows is looked for."""
LEAST_WEEKS: Final = 3
"""Partitions of the same weekday that make something usual."""
LEAST_USUAL_ROWS: Final = 50
"""Below that, chance alone doubles or halves a number of rows."""

_SOUND: Final = frozenset({Judgement.PASSED, Judgement.WARNED})
_HOUR: Final = timedelta(hours=1)


def usual_rows(entries: Mapping[date, Entry], day: date) -> float | None:
    """The median of the rows of the same weekday's partitions of recent weeks; None when there is no telling.

    What failed, or could not be checked, is no measure of anything later.

    Args:
        entries: What is known of the table's partitions, by date.
        day: Of the partition.
    """
    before = (entries.get(day - timedelta(weeks=weeks)) for weeks in range(1, WEEKS + 1))
    verdicts = (entry.verdict for entry in before if entry is not None)
    rows = [one.rows for one in verdicts if one is not None and one.verdict in _SOUND and one.rows is not None]
    usual = median(rows) if len(rows) >= LEAST_WEEKS else 0
    return usual if usual >= LEAST_USUAL_ROWS else None


def hours_since_newest_file(day: date, newest: datetime | None, now: datetime) -> float | None:
    """For how long nothing arrived: until now, or until the end of the partition's day; None for other days.

    Args:
        day: Of the partition: the day of ``now`` or the one before.
        newest: When its newest file was written.
        now: The time.
    """
    today = now.astimezone(UTC).date()
    if newest is None or day not in {today, today - timedelta(days=1)}:
        return None
    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    return round(max(min(now, end) - newest, timedelta()) / _HOUR, 2)


def facts_of(
    entries: Mapping[date, Entry], day: date, seen: Seen, *, rows: int, orphans: int | None, now: datetime
) -> dict[str, float | None]:
    """All facts of a partition, by name.

    Args:
        entries: What is known of the table's partitions, by date.
        day: Of the partition.
        seen: What its folder holds.
        rows: How many it has.
        orphans: Rows that refer to something that is not there; None when nobody asked.
        now: The time. A partition of its day or later is not whole yet, so its rows are not compared.
    """
    usual = usual_rows(entries, day) if day < now.astimezone(UTC).date() else None
    return {
        Fact.SHARE_OF_USUAL_ROWS: None if usual is None else round(rows / usual, 4),
        Fact.HOURS_SINCE_NEWEST_FILE: hours_since_newest_file(day, seen.newest, now),
        Fact.ORPHANED_ROWS_PERCENT: None if orphans is None or not rows else round(100 * orphans / rows, 4),
    }


def silent_dates(
    seen: Mapping[date, Seen], entries: Mapping[date, Entry], suite: Suite, now: datetime
) -> frozenset[date]:
    """Partitions that have been silent since their verdict, and now for longer than is expected.

    Args:
        seen: What a look found.
        entries: What is known from before.
        suite: What is expected.
        now: The time.
    """
    bounds = {
        each.id: each.kwargs["max_value"]
        for each in suite.expectations
        if each.kwargs.get("fact") == Fact.HOURS_SINCE_NEWEST_FILE and each.kwargs.get("max_value") is not None
    }
    today = now.astimezone(UTC).date()
    found = set()
    for day in (today, today - timedelta(days=1)):
        verdict = entries[day].verdict if day in entries else None
        hours = hours_since_newest_file(day, seen[day].newest, now) if day in seen else None
        if verdict is not None and hours is not None:
            told = verdict.observed
            if any((told.get(name) or 0) <= most < hours for name, most in bounds.items()):
                found.add(day)
    return frozenset(found)
