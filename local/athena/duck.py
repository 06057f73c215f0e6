"""DuckDB as the engine under the SQL: one database in memory, a cursor a query."""

from __future__ import annotations

import math
from threading import Lock
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from local.athena.sql.macros import MACROS


if TYPE_CHECKING:
    from datetime import datetime


class Duck:
    """One database in memory for all queries."""

    def __init__(self) -> None:
        self._making = Lock()
        self._database = duckdb.connect(
            ":memory:",
            config={
                "threads": 2,
                "python_enable_replacements": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        for signature, body in MACROS.items():
            self._database.execute(f"CREATE MACRO {signature} AS ({body})")
        self._database.execute("SET enable_external_access = false")

    def cursor(self, now: datetime) -> duckdb.DuckDBPyConnection:
        """A connection for one query, for which CURRENT_TIMESTAMP stands still (UTC)."""
        with self._making:  # connections are not thread-safe, cursors are connections of their own
            cursor = self._database.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        cursor.execute(f"SET VARIABLE query_now = TIMESTAMP '{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03}'")
        return cursor

    def close(self) -> None:
        """Give the memory back."""
        self._database.close()


_PLAIN_FROM, _PLAIN_TO = 1e-3, 1e7


def java_double(value: float) -> str:
    """A double as Java prints it.

    >>> java_double(1.5), java_double(1e10), java_double(0.0001)
    ('1.5', '1.0E10', '1.0E-4')
    """
    return _java(value, repr(abs(value)))


def java_real(value: float) -> str:
    """A float as Java prints it: the shortest text that reads back as the same 32 bits."""
    return _java(value, str(np.float32(abs(value))))


def _java(value: float, shortest: str) -> str:
    if math.isnan(value):
        return "NaN"
    sign = "-" if math.copysign(1, value) < 0 else ""
    if math.isinf(value):
        return f"{sign}Infinity"
    digits, exponent = _scientific(shortest)
    if value == 0:
        return f"{sign}0.0"
    if _PLAIN_FROM <= abs(value) < _PLAIN_TO:
        return sign + _positional(digits, exponent)
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def _scientific(shortest: str) -> tuple[str, int]:
    """The significant digits and the exponent of a number's shortest text."""
    mantissa, _, power = shortest.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0").rstrip("0") or "0"
    leading = len(whole) if whole.strip("0") else -(len(fraction) - len(fraction.lstrip("0")))
    return digits, leading - 1 + int(power or 0)


def _positional(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    return f"{whole}.{digits[exponent + 1 :] or '0'}"
