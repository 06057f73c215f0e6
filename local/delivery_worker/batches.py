"""What travels from the stream to the function."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class StreamRecord:
    """One Kinesis record.

    Attributes:
        sequence_number: Its place in the shard; grows with time, compared as a number.
        partition_key: Records of one key stay in order.
        arrived: When the stream took it.
        data: The change record, as it was sent.
    """

    sequence_number: str
    partition_key: str
    arrived: datetime
    data: bytes


@dataclass(frozen=True)
class Batch:
    """Records of one lane of a shard, in order, that are invoked with together."""

    shard_id: str
    records: tuple[StreamRecord, ...]
    lane: int = 0

    def __len__(self) -> int:
        return len(self.records)

    def halves(self) -> tuple[Batch, Batch]:
        """Both halves of the batch."""
        middle = len(self.records) // 2
        first, second = self.records[:middle], self.records[middle:]
        return Batch(self.shard_id, first, self.lane), Batch(self.shard_id, second, self.lane)


def lane_of(partition_key: str, lanes: int) -> int:
    """Which of a shard's lanes a record goes to: one partition key always takes the same.

    With a parallelization factor above one, Lambda divides a shard so; by which hash, it does not say.
    """
    digest = hashlib.md5(partition_key.encode(), usedforsecurity=False).digest()
    return digest[0] % lanes
