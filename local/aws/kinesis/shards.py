"""Shards and their records: what is written, kept for the retention period and read again."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

from local.aws.kinesis.limits import ReadLimit, WriteLimit
from local.aws.wire import AwsError


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HASH_SPACE = 2**128
_FIRST_SEQUENCE_NUMBER = 49_650_000 * 10**48  # 56 digits, as on AWS
_SEQUENCE_STEP = 7919  # neighbours are never one apart, as on AWS


@dataclass(frozen=True)
class Record:
    """A record of a shard.

    Attributes:
        sequence_number: Grows within a stream.
        arrived: Seconds since the epoch.
        data: As the client sent it, base64.
        size: Bytes of data and partition key.
    """

    sequence_number: int
    arrived: float
    partition_key: str
    data: str
    size: int


@dataclass
class Shard:
    """A range of hash keys and the records written to it, oldest first."""

    shard_id: str
    first_hash: int
    last_hash: int
    first_sequence_number: int
    parents: Sequence[str] = ()
    last_sequence_number: int | None = None  # set when the shard is closed
    closed: float | None = None  # seconds since the epoch
    trimmed: int = 0  # sequence number of the newest record that has expired
    children: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    reads: ReadLimit = field(default_factory=ReadLimit)
    writes: WriteLimit = field(default_factory=WriteLimit)

    @property
    def is_open(self) -> bool:
        """Whether records can still be written to it."""
        return self.last_sequence_number is None

    def trim(self, before: float) -> None:
        """Forget the records that arrived before a moment."""
        keep = bisect_left(self.records, before, key=lambda record: record.arrived)
        if keep:
            self.trimmed = self.records[keep - 1].sequence_number
            del self.records[:keep]

    def index_of(self, sequence_number: int) -> int:
        """Index of the first record with this sequence number or a greater one."""
        return bisect_left(self.records, sequence_number, key=lambda record: record.sequence_number)

    def shown(self) -> dict[str, Any]:
        """The shard as Kinesis describes it."""
        numbers = {"StartingSequenceNumber": str(self.first_sequence_number)}
        if self.last_sequence_number is not None:
            numbers["EndingSequenceNumber"] = str(self.last_sequence_number)
        shown = {"ShardId": self.shard_id, "SequenceNumberRange": numbers, **self.shown_hashes()}
        return shown | dict(zip(("ParentShardId", "AdjacentParentShardId"), self.parents, strict=False))

    def shown_hashes(self) -> dict[str, Any]:
        """The shard's range of hash keys as Kinesis describes it."""
        return {"HashKeyRange": {"StartingHashKey": str(self.first_hash), "EndingHashKey": str(self.last_hash)}}


class Shards:
    """The shards of one stream, open and closed."""

    def __init__(self, shards: int) -> None:
        self._numbers: Iterator[int] = count(_FIRST_SEQUENCE_NUMBER, _SEQUENCE_STEP)
        self._ids: Iterator[int] = count()
        self._shards: dict[str, Shard] = {}
        self._open_uniformly(shards)

    def __iter__(self) -> Iterator[Shard]:
        return iter(self._shards.values())

    def get(self, shard_id: str) -> Shard | None:
        """One shard."""
        return self._shards.get(shard_id)

    def open(self) -> list[Shard]:
        """The shards that can be written to, by hash key."""
        return sorted((shard for shard in self if shard.is_open), key=lambda shard: shard.first_hash)

    def for_hash(self, hash_key: int) -> Shard:
        """The open shard that a hash key belongs to."""
        return next(shard for shard in self if shard.is_open and shard.first_hash <= hash_key <= shard.last_hash)

    def append(self, shard: Shard, partition_key: str, data: str, size: int, now: float) -> Record:
        """Write a record."""
        record = Record(next(self._numbers), now, partition_key, data, size)
        shard.records.append(record)
        return record

    def split(self, shard: Shard, second_begins: int, now: float) -> None:
        """Close a shard and open two in its place; its records stay where they are."""
        if not shard.first_hash < second_begins <= shard.last_hash:
            raise AwsError(
                "InvalidArgumentException",
                f"NewStartingHashKey {second_begins} is not both greater than the shard's StartingHashKey "
                f"{shard.first_hash} and not greater than its EndingHashKey {shard.last_hash}.",
            )
        self._close(shard, now)
        self._add(shard.first_hash, second_begins - 1, [shard])
        self._add(second_begins, shard.last_hash, [shard])

    def merge(self, one: Shard, other: Shard, now: float) -> None:
        """Close two adjacent shards and open one in their place; their records stay where they are."""
        first, second = sorted((one, other), key=lambda shard: shard.first_hash)
        if first.last_hash + 1 != second.first_hash:
            raise AwsError(
                "InvalidArgumentException", f"Shards {one.shard_id} and {other.shard_id} are not an adjacent pair."
            )
        self._close(one, now)
        self._close(other, now)
        self._add(first.first_hash, second.last_hash, [one, other])

    def rescale(self, target: int, now: float) -> None:
        """Split or merge until ``target`` shards are open."""
        while len(self.open()) < target:
            widest = max(self.open(), key=lambda shard: shard.last_hash - shard.first_hash)
            self.split(widest, (widest.first_hash + widest.last_hash) // 2 + 1, now)
        while len(self.open()) > target:
            narrowest = min(pairwise(self.open()), key=lambda pair: pair[1].last_hash - pair[0].first_hash)
            self.merge(*narrowest, now)

    def trim(self, before: float) -> None:
        """Forget expired records, and shards that were closed before any record that is left can have come."""
        for shard in list(self):
            shard.trim(before)
            if shard.closed is not None and shard.closed < before:
                del self._shards[shard.shard_id]

    def _open_uniformly(self, shards: int) -> None:
        edges = [HASH_SPACE * position // shards for position in range(shards + 1)]
        for first, following in pairwise(edges):
            self._add(first, following - 1, [])

    def _add(self, first_hash: int, last_hash: int, parents: list[Shard]) -> None:
        shard_id = f"shardId-{next(self._ids):012d}"
        self._shards[shard_id] = Shard(
            shard_id, first_hash, last_hash, next(self._numbers), [parent.shard_id for parent in parents]
        )
        for parent in parents:
            parent.children.append(shard_id)

    def _close(self, shard: Shard, now: float) -> None:
        if not shard.is_open:
            raise AwsError("InvalidArgumentException", f"Shard {shard.shard_id} has already been merged or split.")
        shard.last_sequence_number = next(self._numbers)
        shard.closed = now
