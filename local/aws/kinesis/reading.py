"""GetShardIterator and GetRecords."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from local.aws.kinesis.iterators import ShardIterator
from local.aws.wire import AwsError


if TYPE_CHECKING:
    from collections.abc import Callable

    from local.aws.kinesis.shards import Record, Shard
    from local.aws.kinesis.streams import Stream

LARGEST_PAGE = 10_000  # records
LARGEST_PAGE_BYTES = 10 * 1024 * 1024
_INVALID = "InvalidArgumentException"


class Reading:
    """Reads a stream; each operation takes a request's body and gives the response's."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._starts: dict[str, Callable[[Shard, dict[str, Any]], int]] = {
            "AFTER_SEQUENCE_NUMBER": lambda shard, body: self._given_number(shard, body) + 1,
            "AT_SEQUENCE_NUMBER": self._given_number,
            "AT_TIMESTAMP": self._number_at_timestamp,
            "LATEST": lambda shard, _: shard.records[-1].sequence_number + 1 if shard.records else shard.trimmed + 1,
            "TRIM_HORIZON": lambda _shard, _body: 0,
        }

    def iterator(self, body: dict[str, Any]) -> dict[str, Any]:
        """GetShardIterator."""
        shard = self._stream.shard(body["ShardId"])
        start = self._starts[body["ShardIteratorType"]](shard, body)
        return {"ShardIterator": self._at(shard, start)}

    def records(self, iterator: ShardIterator, limit: int | None) -> dict[str, Any]:
        """GetRecords.

        Records that expired meanwhile are passed over, and the page that passes over them is empty although more
        follow; at the end of a closed shard there is no next iterator.
        """
        shard = self._stream.shard(iterator.shard_id)
        self._check_limits(shard)
        if 0 < iterator.next_number <= shard.trimmed:
            return self._answer(shard, [], shard.trimmed + 1)
        page = _page(shard, shard.index_of(iterator.next_number), limit or LARGEST_PAGE)
        shard.reads.charge(sum(record.size for record in page), self._stream.now())
        following = page[-1].sequence_number + 1 if page else max(iterator.next_number, shard.trimmed + 1)
        return self._answer(shard, page, following)

    def _answer(self, shard: Shard, page: list[Record], following: int) -> dict[str, Any]:
        waiting = shard.index_of(following) < len(shard.records)
        answer: dict[str, Any] = {
            "Records": [_shown(record) for record in page],
            "MillisBehindLatest": self._millis_behind(shard, page, following) if waiting else 0,
        }
        if waiting or shard.is_open:
            return answer | {"NextShardIterator": self._at(shard, following)}
        children = [self._stream.shard(child) for child in shard.children]
        shown = [
            {"ShardId": child.shard_id, "ParentShards": list(child.parents), **child.shown_hashes()}
            for child in children
        ]
        return answer | {"NextShardIterator": None, "ChildShards": shown}

    def _millis_behind(self, shard: Shard, page: list[Record], following: int) -> int:
        reached = page[-1] if page else shard.records[shard.index_of(following)]
        return max(1, int((self._stream.now() - reached.arrived) * 1000))

    def _check_limits(self, shard: Shard) -> None:
        if not shard.reads.allows(self._stream.now()):
            self._stream.publish({"ReadProvisionedThroughputExceeded": 1})
            raise AwsError("ProvisionedThroughputExceededException", self._stream.rate_exceeded(shard))

    def _at(self, shard: Shard, number: int) -> str:
        return ShardIterator(self._stream.name, shard.shard_id, number, self._stream.now()).encode()

    def _given_number(self, shard: Shard, body: dict[str, Any]) -> int:
        number = int(body.get("StartingSequenceNumber") or -1)
        latest = shard.last_sequence_number
        if number < shard.first_sequence_number or (latest is not None and number > latest):
            raise AwsError(
                _INVALID,
                f"StartingSequenceNumber {body.get('StartingSequenceNumber')} used in GetShardIterator on shard "
                f"{shard.shard_id} in stream {self._stream.name} under account {self._stream.account} is invalid.",
            )
        return number

    def _number_at_timestamp(self, shard: Shard, body: dict[str, Any]) -> int:
        timestamp = body.get("Timestamp")
        if timestamp is None:
            raise AwsError(_INVALID, "Must specify timestamp for iterator type AT_TIMESTAMP.")
        if float(timestamp) > self._stream.now():
            raise AwsError(_INVALID, "The timestamp is in the future.")
        following = (record.sequence_number for record in shard.records if record.arrived >= float(timestamp))
        return next(following, shard.records[-1].sequence_number + 1 if shard.records else shard.trimmed + 1)


def _page(shard: Shard, start: int, limit: int) -> list[Record]:
    page: list[Record] = []
    size = 0
    for record in islice(shard.records, start, start + limit):
        size += record.size
        if page and size > LARGEST_PAGE_BYTES:
            break
        page.append(record)
    return page


def _shown(record: Record) -> dict[str, Any]:
    return {
        "SequenceNumber": str(record.sequence_number),
        "ApproximateArrivalTimestamp": round(record.arrived, 3),
        "Data": record.data,
        "PartitionKey": record.partition_key,
    }
