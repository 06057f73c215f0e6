"""Dates as people read them: runs of days instead of a list."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date


def date_runs(dates: Iterable[date], *, at_most: int = 12) -> str:
    """Sorted dates with consecutive ones joined; runs beyond ``at_most`` are only counted.

    >>> from datetime import date
    >>> date_runs([date(2025, 6, 1), date(2025, 6, 2), date(2025, 6, 3), date(2025, 7, 1)])
    '2025-06-01 to 2025-06-03, 2025-07-01'
    """
    runs: list[list[date]] = []
    for day in sorted(set(dates)):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    shown = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs[:at_most]]
    hidden = len(runs) - len(shown)
    return ", ".join(shown) + (f", and {hidden} more" if hidden else "")
