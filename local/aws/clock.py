"""The time by which records expire, iterators age and limits refill; tests can put it forward."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from datetime import timedelta


class Clock:
    """The machine's clock, plus whatever it was put forward by."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._ahead

    def advance(self, span: timedelta) -> None:
        """Put the clock forward."""
        self._ahead += span.total_seconds()

    def reset(self) -> None:
        """Back to the machine's time."""
        self._ahead = 0.0
