"""A record of every call served, so that tests can count what a job costs."""

from __future__ import annotations

import threading
from collections import Counter, deque


REMEMBERED = 100_000
"""So many calls are remembered in order; all are counted."""


class CallLog:
    """Counts the calls served, and remembers the latest in order. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: Counter[str] = Counter()
        self._names: deque[str] = deque(maxlen=REMEMBERED)

    def record(self, name: str) -> None:
        """Note a call, for example ``"glue:GetPartitions"``."""
        with self._lock:
            self._totals[name] += 1
            self._names.append(name)

    def names(self) -> list[str]:
        """The latest calls since the last :meth:`clear`, in the order of their arrival."""
        with self._lock:
            return list(self._names)

    def count(self, name: str) -> int:
        """How many calls of one operation, or, with ``"glue:*"``, of one service were served."""
        totals = self.totals()
        if name.endswith(":*"):
            return sum(count for recorded, count in totals.items() if recorded.startswith(name[:-1]))
        return totals[name]

    def totals(self) -> Counter[str]:
        """Calls by operation."""
        with self._lock:
            return self._totals.copy()

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._totals.clear()
            self._names.clear()
