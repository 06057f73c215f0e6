"""How fast one shard can be read and written."""

from __future__ import annotations

from collections import deque


READ_CALLS_PER_SECOND = 5
READ_BYTES_PER_SECOND = 2 * 1024 * 1024
WRITE_RECORDS_PER_SECOND = 1000
WRITE_BYTES_PER_SECOND = 1024 * 1024


class ReadLimit:
    """Five GetRecords calls a second, and two MiB a second: who reads ten MiB at once waits for the rest."""

    def __init__(self) -> None:
        self._calls: deque[float] = deque(maxlen=READ_CALLS_PER_SECOND)
        self._paid_until = 0.0

    def allows(self, now: float) -> bool:
        """Count a call; whether it may be served."""
        if self._paid_until - now > 1:
            return False
        if len(self._calls) == READ_CALLS_PER_SECOND and now - self._calls[0] < 1:
            return False
        self._calls.append(now)
        return True

    def charge(self, size: int, now: float) -> None:
        """Count bytes that were read."""
        self._paid_until = max(self._paid_until, now) + size / READ_BYTES_PER_SECOND


class WriteLimit:
    """A thousand records and one MiB a second, with a second's worth of burst."""

    def __init__(self) -> None:
        self._records = float(WRITE_RECORDS_PER_SECOND)
        self._bytes = float(WRITE_BYTES_PER_SECOND)
        self._counted_at = 0.0

    def allows(self, size: int, now: float) -> bool:
        """Count a record of this size; whether it may be written.

        A record larger than what is left of the second's bytes passes when nothing was written before it.
        """
        passed = now - self._counted_at
        self._counted_at = now
        self._records = min(WRITE_RECORDS_PER_SECOND, self._records + passed * WRITE_RECORDS_PER_SECOND)
        self._bytes = min(WRITE_BYTES_PER_SECOND, self._bytes + passed * WRITE_BYTES_PER_SECOND)
        if self._records < 1 or self._bytes < min(size, WRITE_BYTES_PER_SECOND):
            return False
        self._records -= 1
        self._bytes -= size
        return True
