"""Which dates a page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final


if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_DAYS: Final = 90
AHEAD_DAYS: Final = 31
"""Sales lie in the future: what is known of so many days to come is shown without being asked for."""
MOST_DAYS: Final = 1100


class RangeError(ValueError):
    """A range of dates that cannot be shown; says why."""


@dataclass(frozen=True)
class Range:
    """Dates, both ends included.

    Attributes:
        chosen: Whether somebody asked for these dates; otherwise the end may move to where data ends.
    """

    start: date
    end: date
    chosen: bool = True

    @classmethod
    def asked(cls, start: str | None, end: str | None, today: date, days: int = DEFAULT_DAYS) -> Range:
        """The range that somebody asked for by its ends, either of which may be missing.

        Raises:
            RangeError: An end is no date, the ends are the wrong way round, or there are too many days.
        """
        if not start and not end:
            return cls(today - timedelta(days=days - 1), today + timedelta(days=AHEAD_DAYS), chosen=False)
        last = _parsed("to", end) if end else max(today, _parsed("from", start or ""))
        first = _parsed("from", start) if start else _before(last, days - 1)
        if first > last:
            raise RangeError(f"The range begins on {first} and ends on {last}: choose an end after the begin.")
        if (last - first).days >= MOST_DAYS:
            raise RangeError(
                f"The range has {(last - first).days + 1:,} days; at most {MOST_DAYS:,} are shown at once."
            )
        return cls(first, last)

    @property
    def days(self) -> list[date]:
        """Every date, oldest first."""
        return [self.start + timedelta(days=index) for index in range((self.end - self.start).days + 1)]

    @property
    def years(self) -> range:
        """The years it touches."""
        return range(self.start.year, self.end.year + 1)


def _parsed(name: str, text: str) -> date:
    found = iso_date(text)
    if found is None:
        raise RangeError(f"“{name}” is {text[:40]!r}: expected a date such as 2026-03-01.")
    return found


def _before(day: date, days: int) -> date:
    return date.fromordinal(max(day.toordinal() - days, date.min.toordinal()))


def iso_date(text: str) -> date | None:
    """The date that a text says in the form YYYY-MM-DD and no other; None when it says none.

    >>> iso_date("2026-03-01"), iso_date("20260301"), iso_date("2026-W09-7")
    (datetime.date(2026, 3, 1), None, None)
    """
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.isoformat() == text else None


def until_last_known(asked: Range, known: Iterable[date], today: date) -> Range:
    """A range that nobody chose ends today, or on the last date to come that something is known about."""
    if asked.chosen:
        return asked
    last = max((day for day in known if day > today), default=today)
    return Range(asked.start, min(asked.end, last), chosen=False)
