"""Wait for a condition, with a bound and a message."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from local.errors import WaitError


if TYPE_CHECKING:
    from collections.abc import Callable


def wait_for(condition: Callable[[], bool], what: str, seconds: float, every: float = 0.5) -> None:
    """Ask until the answer is yes.

    Args:
        condition: Asked again and again; an exception it raises ends the waiting.
        what: What is waited for, as the end of "waited … seconds for".
        seconds: How long to wait at most.
        every: Pause between two questions.

    Raises:
        WaitError: The time is over.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise WaitError(f"Waited {seconds:.0f} seconds for {what}; it did not come.")
        time.sleep(every)
