"""How numbers, times and dates are written on the pages."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Final


_UNITS: Final = ("B", "kB", "MB", "GB", "TB")
_THOUSAND: Final = 1000
_HUNDRED: Final = 100
_SMALL: Final = 0.01
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
ABSENT: Final = "\N{EN DASH}"


def whole(number: int | None) -> str:
    """A count with thousands set apart.

    >>> whole(1234567), whole(None) == ABSENT
    ('1,234,567', True)
    """
    return ABSENT if number is None else f"{number:,}"


def decimal(number: float | None) -> str:
    """A measured number, with as many digits as help.

    >>> [decimal(value) for value in (12.0, 0.123456, 0.0004, 1234.5)]
    ['12', '0.12', '0.0004', '1,234']
    """
    if number is None:
        return ABSENT
    if number == int(number):
        return f"{int(number):,}"
    if abs(number) >= _HUNDRED:
        return f"{number:,.0f}"
    return f"{number:.2f}".rstrip("0").rstrip(".") if abs(number) >= _SMALL else f"{number:.1g}"


def size(count: int | None) -> str:
    """An amount of data.

    >>> size(0), size(999), size(10_000_000), size(1_234_567_890)
    ('0 B', '999 B', '10 MB', '1.2 GB')
    """
    if count is None:
        return ABSENT
    amount, unit = float(count), 0
    while amount >= _THOUSAND and unit < len(_UNITS) - 1:
        amount, unit = amount / _THOUSAND, unit + 1
    text = f"{amount:.1f}".removesuffix(".0")
    return f"{text} {_UNITS[unit]}"


def dollars(amount: float | None) -> str:
    """Money, which is mostly small here.

    >>> [dollars(amount) for amount in (0, 0.0000476, 0.00000019, 0.05, 1.5)]
    ['$0', '$0.000048', '$0.00000019', '$0.05', '$1.50']
    """
    if amount is None:
        return ABSENT
    if amount <= 0:
        return "$0"
    digits = 2 if amount >= _SMALL else 1 - math.floor(math.log10(amount))  # cents, or two that say something
    return f"${amount:.{digits}f}"


def seconds(amount: float | None) -> str:
    """How long something took.

    >>> seconds(0.123), seconds(75)
    ('0.12 s', '75 s')
    """
    return ABSENT if amount is None else f"{decimal(amount)} s"


def moment(when: datetime | None) -> str:
    """A time, to the minute.

    >>> moment(datetime(2026, 3, 1, 12, 5, 59, tzinfo=UTC))
    '2026-03-01 12:05 UTC'
    """
    return ABSENT if when is None else f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def ago(when: datetime, now: datetime) -> str:
    """How long ago something was.

    >>> at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> [ago(at, at.replace(hour=hour, minute=minute)) for hour, minute in ((12, 0), (12, 5), (13, 59), (15, 0))]
    ['just now', '5 minutes ago', '1 hour ago', '3 hours ago']
    """
    passed = (now - when).total_seconds()
    for length, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if passed >= length:
            count = int(passed // length)
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"


def day(value: date) -> str:
    """A date with its weekday.

    >>> day(date(2026, 3, 1))
    'Sun 1 March 2026'
    """
    return f"{value:%a} {value.day} {value:%B} {value.year}"


def month(value: date) -> str:
    """The month of a date.

    >>> month(date(2026, 3, 1))
    'March 2026'
    """
    return f"{value:%B} {value.year}"
