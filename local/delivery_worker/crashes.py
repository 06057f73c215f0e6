r"""How the function is told to fail, so that failing batches and half-written ones are real.

Two ways, as in life. An *outage*: the function's environment variable ``DMD_CRASH`` names a point, and every
invocation crashes there until it is removed::

    aws lambda update-function-configuration --function-name deliveryWorker-local \
        --environment 'Variables={DMD_CRASH=before_writes}'

And a *poison pill*: a record whose ``eventID`` begins with one of ``PILLS`` crashes every batch it is in. Nothing else
is wrong with such a record; whoever replays it later finds a good one.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VARIABLE = "DMD_CRASH"


class CrashPoint(StrEnum):
    """Where in a batch the function crashes; or hangs, between its writes, until Lambda ends it."""

    BEFORE_WRITES = "before_writes"
    BETWEEN_WRITES = "between_writes"
    AFTER_WRITES = "after_writes"
    TIMEOUT = "timeout"


AT_ONCE = (CrashPoint.BEFORE_WRITES, CrashPoint.BETWEEN_WRITES, CrashPoint.AFTER_WRITES)
"""Those that nobody has to wait for: a timeout takes half a minute an attempt."""
PILLS = {
    CrashPoint.BEFORE_WRITES: "dead0001",
    CrashPoint.BETWEEN_WRITES: "dead0002",
    CrashPoint.AFTER_WRITES: "dead0003",
    CrashPoint.TIMEOUT: "dead0004",
}
_POINTS = {pill.encode(): point for point, pill in PILLS.items()}
_PILL = re.compile(rb'"eventID"\s*:\s*"(' + b"|".join(_POINTS) + b")-")


class FunctionCrashError(Exception):
    """The function's process ended in the middle of an invocation."""


class FunctionHangsError(Exception):
    """The function does nothing any more until its time is over."""


def crash_point(records: Iterable[bytes], variables: Mapping[str, str]) -> CrashPoint | None:
    """Where an invocation with these records is to crash, or None if it is to succeed.

    Raises:
        ValueError: The environment variable names no such point.
    """
    if named := variables.get(VARIABLE):
        return CrashPoint(named)
    for data in records:
        if found := _PILL.search(data):
            return _POINTS[found.group(1)]
    return None


def writes_before_crash(point: CrashPoint, writes: int) -> int:
    """How many of its files the function still writes before it crashes."""
    match point:
        case CrashPoint.BEFORE_WRITES:
            return 0
        case CrashPoint.BETWEEN_WRITES | CrashPoint.TIMEOUT:
            return max(1, writes // 2)
        case CrashPoint.AFTER_WRITES:
            return writes
