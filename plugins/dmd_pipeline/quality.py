"""How much a partition can be relied on: what is known of it, in one word.

=============  ==================================================================================
passed         its last check found nothing, and nothing changed since
warned         only expectations that warn do not hold
failed         an expectation that fails does not hold
unknown        it could not be checked, or has no rows
stale          its files, or the expectations, are not those of its last verdict
unchecked      it has files and was never checked
unregistered   it has files that Glue does not know of: queries do not see them
empty          it has no files
=============  ==================================================================================

Everything here is pure.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from dmd_pipeline.stamps import utc_stamp


if TYPE_CHECKING:
    from datetime import datetime

    from dmd_pipeline.quality_documents import Entry

_DIGEST_DIGITS: Final = 16


class State(StrEnum):
    """How much a partition can be relied on."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    UNKNOWN = "unknown"
    STALE = "stale"
    UNCHECKED = "unchecked"
    UNREGISTERED = "unregistered"
    EMPTY = "empty"


def content_digest(files: int, size: int, newest: datetime | None) -> str:
    """What stands for a partition's files: 16 hexadecimal digits.

    Args:
        files: How many there are.
        size: Sum of their sizes in bytes.
        newest: When the latest of them was written.
    """
    text = f"{files} {size} {'' if newest is None else utc_stamp(newest)}"
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_DIGITS]


def state_of(entry: Entry, suite: str) -> State:
    """The state of a partition.

    What cannot be queried comes before what was once said of it: a verdict on rows that nobody sees helps nobody.

    Args:
        entry: What is known of it.
        suite: Digest of the expectations as they are now.
    """
    seen, verdict = entry.seen, entry.verdict
    if seen is not None and not seen.files:
        return State.EMPTY
    if seen is not None and not seen.registered:
        return State.UNREGISTERED
    if verdict is None:
        return State.EMPTY if seen is None else State.UNCHECKED
    if verdict.suite != suite or (seen is not None and seen.content != verdict.content):
        return State.STALE
    return State(verdict.verdict)
