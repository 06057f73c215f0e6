"""A batch that the delivery worker failed on: where its records lie on the stream, and until when.

What arrives in the dead-letter queue tells a *position*: a shard and the sequence numbers of the first and the last
record. The records themselves vanish with the stream's retention, or came along with the message.

A *folder* stands for the shard in keys. It is the shard's own id; or, for records whose place on the stream nobody
knows, a name made from the document they came in, whose records are then numbered by their place in it; or either of
them with ``-retry{n}``, for records that were rejected before.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final


if TYPE_CHECKING:
    from datetime import datetime, timedelta


DOCUMENTS: Final = "documents"
"""The lane of everything that has no shard."""
_SHARD_ID: Final = re.compile(r"shardId-\d{12}", re.ASCII)
_RETRY: Final = re.compile(r"-retry\d+$", re.ASCII)
_FOLDER: Final = re.compile(r"[A-Za-z0-9-]{1,200}")


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One Kinesis record.

    Attributes:
        sequence_number: Its place in the shard; grows with time.
        partition_key: Records of one key stay in order.
        arrived: When the stream took it (ApproximateArrivalTimestamp).
        data: The change record, as it was sent.
    """

    sequence_number: int
    partition_key: str
    arrived: datetime
    data: bytes


@dataclass(frozen=True, slots=True)
class BatchId:
    """What a failed batch is known by, in keys and in logs.

    Attributes:
        folder: The shard, or what stands for it.
        start: Sequence number of the first record.
        end: Sequence number of the last record, not below the first.
    """

    folder: str
    start: int
    end: int

    def __post_init__(self) -> None:
        """Refuse what may not stand in a key.

        Raises:
            ValueError: Not a folder, or no range.
        """
        if _FOLDER.fullmatch(self.folder) is None:
            raise ValueError(f"expected letters, digits and hyphens as the name of a shard, found {self.folder!r}")
        if not 0 <= self.start <= self.end:
            raise ValueError("expected a first sequence number that is not above the last")
        # Thousands of batches lie in a few folders, and each brings a name of its own from where it was read.
        object.__setattr__(self, "folder", sys.intern(self.folder))

    def __str__(self) -> str:
        return f"{self.folder}/{self.start}-{self.end}"

    @property
    def source(self) -> str:
        """The folder of the first attempt: within it, a sequence number names one record."""
        return _RETRY.sub("", self.folder)

    @property
    def lane(self) -> str:
        """Who converts it: one conversion at a time for each shard, and one for all that has none."""
        return self.source if _SHARD_ID.fullmatch(self.source) else DOCUMENTS

    def overlaps(self, other: BatchId) -> bool:
        """Whether records may belong to both."""
        return self.start <= other.end and other.start <= self.end and self.source == other.source


@dataclass(frozen=True, slots=True)
class FailedBatch:
    """A batch that is to be secured and converted.

    Attributes:
        id: Its place.
        size: How many records the function was invoked with; None when nobody knows, as for a range that was asked for.
        first_arrival: When the stream took the first record; None when nobody knows.
        last_arrival: When the stream took the last one.
        condition: Why Lambda gave up, in its own words; or which source the batch was taken from.
        origin: Where it was told of, for people: ``queue message 5f0c…``, ``errors/2026-….json``.
        request_id: Lambda's id of the last invocation, ``""`` when there was none: the logs have it too.
        sent: When the message about it was sent; None when it came in none.
        attempts: How often its records were rejected before.
        records: The records, when they came along; None when they must be read from the stream.
    """

    id: BatchId
    size: int | None
    first_arrival: datetime | None
    last_arrival: datetime | None
    condition: str
    origin: str
    request_id: str = ""
    sent: datetime | None = None
    attempts: int = 0
    records: tuple[StreamRecord, ...] | None = None

    def deadline(self, stream_retention: timedelta | None, queue_retention: timedelta | None) -> datetime | None:
        """When the first of it is lost: the stream forgets its first record, or the queue its message.

        Args:
            stream_retention: Of the stream; None when nobody knows.
            queue_retention: Of the queue; None when nobody knows.

        Returns:
            None when neither is known, or when its records came along and no queue holds it.
        """
        ends = []
        if self.records is None and self.first_arrival is not None and stream_retention is not None:
            ends.append(self.first_arrival + stream_retention)
        if self.sent is not None and queue_retention is not None:
            ends.append(self.sent + queue_retention)
        return min(ends, default=None)
