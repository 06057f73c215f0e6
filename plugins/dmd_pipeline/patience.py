"""How often and how long to wait for AWS, for what boto3 does not retry: single items of a batch call.

Whole calls that AWS throttles or fails are retried by boto3 itself (see :mod:`dmd_pipeline.aws.config`) and by nothing
else, so that retries never multiply.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Patience:
    """A bounded number of attempts with growing, random pauses between them.

    Attributes:
        attempts: How often to try in all.
        first_pause: Longest pause after the first attempt, in seconds; it doubles with every attempt.
        longest_pause: Bound of that growth, in seconds.
        sleep: What to wait with.
        jitter: A number from 0 to 1 a call: which part of a pause to wait, so that two runs do not wait in step.
    """

    attempts: int = 6
    first_pause: float = 0.5
    longest_pause: float = 20.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def __iter__(self) -> Iterator[int]:
        """The attempts, counted from 1; waits before every one but the first."""
        for attempt in range(1, self.attempts + 1):
            if attempt > 1:
                self.sleep(min(self.longest_pause, self.first_pause * 2 ** (attempt - 2)) * self.jitter())
            yield attempt
