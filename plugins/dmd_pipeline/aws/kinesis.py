"""The stream of change records: its shards, and what is in a shard from a given place on."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dmd_pipeline.aws.faults import error_code, translated
from dmd_pipeline.errors import PositionError, ShardNotFoundError, StreamError
from dmd_pipeline.failed_batches import StreamRecord


if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import GetRecordsOutputTypeDef, RecordTypeDef

    from dmd_pipeline.pacing import Pace


_NOT_FOUND = "ResourceNotFoundException"
_INVALID = "InvalidArgumentException"
_EXPIRED = "ExpiredIteratorException"


class Stream:
    """One stream.

    Attributes:
        name: Its name.
    """

    def __init__(self, client: KinesisClient, name: str) -> None:
        self._client = client
        self.name = name

    def retention(self) -> timedelta:
        """How long a record is kept: one DescribeStreamSummary call.

        Raises:
            StreamError: Kinesis refused, or there is no such stream.
            ThrottledError: Kinesis asked to slow down until the retries ran out.
        """
        with translated(f"look at stream {self.name}", StreamError):
            answer = self._client.describe_stream_summary(StreamName=self.name)
        return timedelta(hours=answer["StreamDescriptionSummary"]["RetentionPeriodHours"])

    def shard_ids(self) -> list[str]:
        """All shards that may hold records, closed ones too, by id: one ListShards call for each thousand.

        Raises:
            StreamError: Kinesis refused, or there is no such stream.
            ThrottledError: Kinesis asked to slow down until the retries ran out.
        """
        found: list[str] = []
        with translated(f"list shards of stream {self.name}", StreamError):
            answer = self._client.list_shards(StreamName=self.name)
            found += [shard["ShardId"] for shard in answer["Shards"]]
            # boto3's paginator would name the stream again, which Kinesis refuses beside a token.
            while token := answer.get("NextToken"):
                answer = self._client.list_shards(NextToken=token)
                found += [shard["ShardId"] for shard in answer["Shards"]]
        return sorted(found)

    def read(self, shard_id: str, start: int | datetime, pace: Pace) -> Iterator[tuple[StreamRecord, ...]]:
        """What is in a shard from a place on, page by page, to the end of a closed shard or the tip of an open one.

        One GetShardIterator call, and a GetRecords call for each page, made as the pages are taken. Pages may be empty
        though more follow. When the records at ``start`` have expired, the first one is a later one: look at it.

        An iterator that expired between two pages is replaced by one behind the last record that was read.

        Args:
            shard_id: The shard.
            start: Sequence number of the first record, or the time from which on records are wanted.
            pace: How fast to read this shard.

        Raises:
            ShardNotFoundError: The stream has no such shard, or no longer.
            PositionError: The sequence number is not of this shard, or the time has not come.
            StreamError: Kinesis refused, or there is no such stream.
            ThrottledError: Kinesis asked to slow down until the retries ran out.
        """
        iterator: str | None = self._iterator(shard_id, start, after=False)
        last: int | None = None
        renewed = False
        while iterator is not None:
            page = self._page(shard_id, iterator, pace, may_expire=not renewed)
            if page is None:
                renewed = True
                iterator = self._iterator(shard_id, start if last is None else last, after=last is not None)
                continue
            renewed = False
            records = tuple(_record(found) for found in page["Records"])
            if records:
                last = records[-1].sequence_number
            yield records
            # Zero stands for the tip; a page that passes over expired records is empty and behind.
            iterator = page.get("NextShardIterator") if page.get("MillisBehindLatest") != 0 else None

    def _page(self, shard_id: str, iterator: str, pace: Pace, *, may_expire: bool) -> GetRecordsOutputTypeDef | None:
        """A page; None when the iterator has expired."""
        limit = pace.before()
        with translated(f"read shard {shard_id} of stream {self.name}", StreamError):
            try:
                page = self._client.get_records(ShardIterator=iterator, Limit=limit)
            except ClientError as error:
                code = error_code(error)
                if code == _EXPIRED and may_expire:
                    return None
                if code == _NOT_FOUND:
                    raise self._missing(shard_id) from error
                raise
        pace.after(len(page["Records"]), sum(_size(found) for found in page["Records"]))
        return page

    def _iterator(self, shard_id: str, place: int | datetime, *, after: bool) -> str:
        where: dict[str, Any]
        if isinstance(place, int):
            kind = "AFTER_SEQUENCE_NUMBER" if after else "AT_SEQUENCE_NUMBER"
            where = {"ShardIteratorType": kind, "StartingSequenceNumber": str(place)}
        else:
            where = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": place}
        with translated(f"read shard {shard_id} of stream {self.name}", StreamError):
            try:
                return self._client.get_shard_iterator(StreamName=self.name, ShardId=shard_id, **where)["ShardIterator"]
            except ClientError as error:
                code = error_code(error)
                if code == _NOT_FOUND:
                    raise self._missing(shard_id) from error
                if code == _INVALID:
                    told = error.response["Error"].get("Message", "")
                    what = f"sequence number {place}" if isinstance(place, int) else f"time {place.isoformat()}"
                    raise PositionError(
                        f"shard {shard_id} of stream {self.name} cannot be read from {what}: {told}"
                    ) from error
                raise

    def _missing(self, shard_id: str) -> StreamError:
        """Which of the two is missing: records are lost with a shard, not with a wrong name of the stream."""
        self.retention()  # raises when it is the stream
        return ShardNotFoundError(
            f"stream {self.name} has no shard {shard_id}: either it never had, or the shard was closed and its last "
            "record has expired"
        )


def _record(found: RecordTypeDef) -> StreamRecord:
    return StreamRecord(
        sequence_number=int(found["SequenceNumber"]),
        partition_key=found["PartitionKey"],
        # boto3 gives the machine's own zone, and an object of it with every record.
        arrived=found["ApproximateArrivalTimestamp"].astimezone(UTC),
        data=found["Data"],
    )


def _size(found: RecordTypeDef) -> int:
    return len(found["Data"]) + len(found["PartitionKey"].encode())
