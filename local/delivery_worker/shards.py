"""Reads the shards, each in a thread of its own, and feeds their lanes."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.delivery_worker.batches import Batch, StreamRecord, lane_of
from local.delivery_worker.invoker import StoppedError


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_kinesis.client import KinesisClient
    from mypy_boto3_kinesis.type_defs import ShardTypeDef

    from dmd_pipeline.event_sources import EventSourceMapping
    from local.delivery_worker.checkpoints import Checkpoints
    from local.delivery_worker.invoker import Invoker
    from local.delivery_worker.reports import Reports

logger = logging.getLogger(__name__)
_BUSY_PAUSE_SECONDS = 0.25  # GetRecords may be called five times a second and shard
_IDLE_PAUSE_SECONDS = 2.0
_LANE_BACKLOG = 5000  # records that may wait for a lane before its shard is read further


def parents_of(shard: ShardTypeDef, shards: Iterable[ShardTypeDef]) -> list[str]:
    """The shards that a shard was made of, as far as the stream still knows them."""
    known = {one["ShardId"] for one in shards}
    return [name for name in (shard.get("ParentShardId"), shard.get("AdjacentParentShardId")) if name in known]


class Lane(threading.Thread):
    """Takes a lane's records in order, makes batches of them and brings each to its end."""

    def __init__(
        self,
        shard_id: str,
        number: int,
        mapping: Callable[[], EventSourceMapping],
        invoker: Invoker,
        checkpoints: Checkpoints,
        fail: Callable[[BaseException], None],
    ) -> None:
        super().__init__(name=f"{shard_id}-lane-{number}", daemon=True)
        self._shard_id = shard_id
        self._number = number
        self._mapping = mapping
        self._invoker = invoker
        self._checkpoints = checkpoints
        self._fail = fail
        self._waiting: queue.Queue[StreamRecord] = queue.Queue(_LANE_BACKLOG)

    def put(self, record: StreamRecord) -> None:
        """Append a record; blocks while the lane is far behind."""
        self._waiting.put(record)

    def run(self) -> None:
        """Work until the process ends."""
        try:
            while True:
                batch = self._next_batch()
                self._invoker.bring_to_end(batch)
                self._checkpoints.finished(self._shard_id, [record.sequence_number for record in batch.records])
        except StoppedError:
            return
        except BaseException as error:  # noqa: BLE001  # handed to the main thread, which ends the worker with it
            self._fail(error)

    def _next_batch(self) -> Batch:
        records = [self._waiting.get()]
        mapping = self._mapping()
        deadline = time.monotonic() + mapping.batching_window.total_seconds()
        while len(records) < mapping.batch_size:
            try:
                records.append(self._waiting.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                break
        return Batch(self._shard_id, tuple(records), self._number)


class ShardReader(threading.Thread):
    """Reads one shard and gives what passes the filter to its lanes.

    Args:
        shard_id: The shard.
        position: Where an earlier worker was, as ``Checkpoints`` gives it.
        stream: The stream's name.
        kinesis: Gives the records.
        mapping: Gives the event source mapping as it is now.
        lanes: The shard's lanes.
        checkpoints: Told what was read.
        reports: Told how much was read and filtered.
        clock: The time now.
        stop: Set when the worker is to end.
        fail: Called with what ended this thread.
        is_child: Whether the shard was made of others: then it is read from its beginning.
    """

    def __init__(
        self,
        shard_id: str,
        position: Mapping[str, str | None],
        *,
        stream: str,
        kinesis: KinesisClient,
        mapping: Callable[[], EventSourceMapping],
        lanes: Sequence[Lane],
        checkpoints: Checkpoints,
        reports: Reports,
        clock: Callable[[], datetime],
        stop: threading.Event,
        fail: Callable[[BaseException], None],
        is_child: bool = False,
    ) -> None:
        super().__init__(name=f"{shard_id}-reader", daemon=True)
        self._is_child = is_child
        self._shard_id = shard_id
        self._stream = stream
        self._kinesis = kinesis
        self._mapping = mapping
        self._lanes = lanes
        self._checkpoints = checkpoints
        self._reports = reports
        self._clock = clock
        self._stop = stop
        self._fail = fail
        self._last_read = position.get("read_through")
        self._iterator: str | None = self._first_iterator(position.get("oldest_unfinished"))

    def run(self) -> None:
        """Read until the shard or the worker ends."""
        pause = _BUSY_PAUSE_SECONDS
        try:
            while self._iterator is not None and not self._stop.wait(pause):
                if self._mapping().enabled and self._read_page() > 0:
                    pause = _BUSY_PAUSE_SECONDS
                else:
                    pause = min(2 * pause, _IDLE_PAUSE_SECONDS)
            if self._iterator is None:
                self._checkpoints.ended(self._shard_id)
        except BaseException as error:  # noqa: BLE001  # handed to the main thread, which ends the worker with it
            self._fail(error)

    def _read_page(self) -> int:
        try:
            page = self._kinesis.get_records(ShardIterator=self._iterator or "", Limit=10_000)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExpiredIteratorException":
                self._iterator = self._first_iterator(None)
            else:  # throttled, most likely
                logger.warning("%s: %s", self._shard_id, error)
            return 0
        except BotoCoreError as error:
            logger.warning("%s: %s", self._shard_id, error)
            return 0
        records = [
            StreamRecord(one["SequenceNumber"], one["PartitionKey"], one["ApproximateArrivalTimestamp"], one["Data"])
            for one in page["Records"]
        ]
        if records:
            self._take(records)
        self._iterator = page.get("NextShardIterator")
        return len(records)

    def _take(self, records: Sequence[StreamRecord]) -> None:
        event_filter = self._mapping().event_filter
        passed = [record for record in records if event_filter.passes(record.data, record.partition_key)]
        counts = {"PolledEventCount": len(records), "FilteredOutEventCount": len(records) - len(passed)}
        self._reports.mapping(self._clock(), counts)
        self._last_read = records[-1].sequence_number
        self._checkpoints.read(self._shard_id, self._last_read, [record.sequence_number for record in passed])
        for record in passed:
            self._lanes[lane_of(record.partition_key, len(self._lanes))].put(record)

    def _first_iterator(self, oldest_unfinished: str | None) -> str:
        if oldest_unfinished is not None:
            where = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": oldest_unfinished}
        elif self._last_read is not None:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": self._last_read}
        else:
            where = {"ShardIteratorType": "TRIM_HORIZON" if self._is_child else self._mapping().starting_position}
        answer = self._kinesis.get_shard_iterator(StreamName=self._stream, ShardId=self._shard_id, **where)  # type: ignore[arg-type]  # the keys are those of the call
        return answer["ShardIterator"]
