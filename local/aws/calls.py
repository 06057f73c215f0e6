"""A record of every call served, so that tests can count what a job costs."""

from __future__ import annotations

import threading
from collections import Counter


class CallLog:
    """Names of the calls served, in order. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: list[str] = []

    def record(self, name: str) -> None:
        """Note a call, for example ``"glue:GetPartitions"``."""
        with self._lock:
            self._names.append(name)

    def names(self) -> list[str]:
        """All calls since the last :meth:`clear`, in the order of their arrival."""
        with self._lock:
            return list(self._names)

    def count(self, name: str) -> int:
        """How many calls of one operation, or, with ``"glue:*"``, of one service were served."""
        if name.endswith(":*"):
            return sum(recorded.startswith(name[:-1]) for recorded in self.names())
        return self.names().count(name)

    def totals(self) -> Counter[str]:
        """Calls by operation."""
        return Counter(self.names())

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._names.clear()
