"""Stamps: the ISO-8601 strings in which records tell when something happened.

Accepted are a date (``2025-06-01``) and a date with a time (``2025-06-01T19:30:00.000Z``), the date in its extended
form. A stamp with an offset is taken at its UTC date, so ``2025-06-01T23:30:00-05:00`` belongs to 2025-06-02; a stamp
without one is taken as UTC. That the pipeline's own delivery worker does the same is **not confirmed**: its source was
not at hand.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final


_LEAP_YEAR: Final = "(?:[12][0-9](?:0[48]|[2468][048]|[13579][26])|(?:1[26]|2[048])00)"
DATE_PATTERN: Final = (
    "(?:[12][0-9]{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
)
"""A date of the years 1000 to 2999 that exists, as a regular expression without anchors."""

TIME_PATTERN: Final = "(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{1,9})?)?"
"""A time of the day to the minute, the second or a fraction of it, likewise."""

OFFSET_PATTERN: Final = "[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)"
"""An offset from UTC as it occurs on earth, likewise."""

STAMP_PATTERN: Final = f"{DATE_PATTERN}(?:T{TIME_PATTERN}(?:Z|{OFFSET_PATTERN})?)?"
"""A stamp as it should be, likewise. Stricter than :func:`parse_stamp`, which takes every one of them: one way to write
a date, a ``T``, a ``:`` in the offset. It means the same to Python and to Athena."""


def parse_stamp(text: str) -> datetime:
    """The moment a stamp tells, in UTC.

    >>> parse_stamp("2025-06-01T23:30:00-05:00").isoformat()
    '2025-06-02T04:30:00+00:00'

    Raises:
        ValueError: Not a stamp, or a day that does not exist. The message may hold the text.
        OverflowError: In UTC it lies outside the years 1 to 9999.
    """
    # datetime.fromisoformat also takes week dates, the basic form, and any one character before the time.
    if text[4:5] != "-" or text[7:8] != "-" or text[10:11] not in _BEFORE_TIME:
        raise ValueError("expected YYYY-MM-DD, or YYYY-MM-DDThh:mm and what follows")
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_BEFORE_TIME = frozenset({"", "T", "t", " "})


def utc_stamp(moment: datetime) -> str:
    """A moment as the pipeline writes it: UTC, to the millisecond, with a Z.

    >>> utc_stamp(datetime(2025, 6, 1, 12, 30, tzinfo=UTC))
    '2025-06-01T12:30:00.000Z'

    Raises:
        ValueError: The moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("expected a moment with a time zone")
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
