"""How fast to read a shard of which somebody else needs the rest.

A shard serves five GetRecords calls and 2 MiB a second to all its readers together; whoever asks for more makes the
delivery worker wait. A page of 10 MiB, which Kinesis gives when it may, blocks the shard for five seconds.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final


if TYPE_CHECKING:
    from collections.abc import Callable


CALLS_PER_SECOND: Final = 5
BYTES_PER_SECOND: Final = 2 * 1024 * 1024
LARGEST_PAGE: Final = 10_000
"""Most records that GetRecords may be asked for."""
_FIRST_GUESS: Final = 2048.0
"""Bytes of a record, until one was seen: more than most change records have, so that the first page is small."""


class Pace:
    """Keeps the reader of one shard below a share of the shard's limits; for one thread.

    However long one looks, it makes no more calls than the share allows and one more, and reads no more bytes than the
    share allows and one page more. An average page is what the share allows in one second.

    Args:
        share: Which part of the shard's limits may be used: above 0, at most 1.
        sleep: What to wait with.
        clock: Seconds; never goes back.

    Raises:
        ValueError: Not a share.
    """

    def __init__(
        self,
        share: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"expected a share above 0 and not above 1, found {share}")
        self._seconds_a_call = 1 / (CALLS_PER_SECOND * share)
        self._bytes_a_second = BYTES_PER_SECOND * share
        self._sleep = sleep
        self._clock = clock
        self._record_size = _FIRST_GUESS
        self._next_call = clock()

    def before(self) -> int:
        """Wait until the next call may be made.

        Returns:
            How many records to ask for.
        """
        while (wait := self._next_call - self._clock()) > 0:
            self._sleep(wait)
        self._next_call = self._clock() + self._seconds_a_call
        return max(1, min(LARGEST_PAGE, int(self._bytes_a_second / self._record_size)))

    def after(self, records: int, size: int) -> None:
        """Tell what a call brought.

        Args:
            records: How many records.
            size: Bytes of their data and partition keys together.
        """
        self._next_call = max(self._next_call, self._clock() + size / self._bytes_a_second)
        if records:
            # Half the old and half the new: follows a change of size in a few pages, and one odd page does not rule.
            self._record_size = max(1.0, (self._record_size + size / records) / 2)
