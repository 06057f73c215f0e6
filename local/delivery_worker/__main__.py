"""``python -m local.delivery_worker``: poll the stream and deliver, until told to stop."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
import uuid
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.settings import load_settings
from local.console import complain
from local.delivery_worker.checkpoints import Checkpoints
from local.delivery_worker.function import DeliveryFunction
from local.delivery_worker.invoker import Invoker
from local.delivery_worker.mapping import read_mapping
from local.delivery_worker.reports import Reports
from local.delivery_worker.shards import Lane, ShardReader, parents_of
from local.errors import LocalError
from local.workspace import Workspace


if TYPE_CHECKING:
    from dmd_pipeline.event_sources import EventSourceMapping

logger = logging.getLogger(__name__)
_MAPPING_SECONDS = 5.0  # how long a change of the event source mapping may go unnoticed
_SHARDS_SECONDS = 2.0  # how long the children of a shard may


class CurrentMapping:
    """The event source mapping, asked for again now and then."""

    def __init__(self, read: partial[EventSourceMapping]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._mapping = read()
        self._asked_at = time.monotonic()

    def __call__(self) -> EventSourceMapping:
        """The mapping as it is, or was a few seconds ago."""
        with self._lock:
            if time.monotonic() - self._asked_at > _MAPPING_SECONDS:
                self._mapping = self._read()
                self._asked_at = time.monotonic()
            return self._mapping


class Worker:
    """All threads of the stand-in."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Work until stopped.

        Raises:
            LocalError: Lambda holds no mapping to work by.
            BaseException: Whatever ended one of the threads.
        """
        settings, workspace = load_settings(), Workspace.from_environment()
        kinesis = _client("kinesis")
        mapping = CurrentMapping(partial(read_mapping, _client("lambda"), settings))
        first = mapping()
        today = datetime.now(UTC)
        reports = Reports(
            _client("logs"),
            _client("cloudwatch"),
            settings,
            first.uuid,
            log_stream=f"{today:%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}",
        )
        function = DeliveryFunction(_client("s3"), settings, load_record_types())
        invoker = Invoker(function, mapping, reports, _client("lambda"), _client("sqs"), settings, self._stop)
        checkpoints = Checkpoints(workspace.checkpoints, first.uuid)
        read: set[str] = set()

        def read_new_shards() -> None:
            shards = kinesis.list_shards(StreamName=settings.stream)["Shards"]
            # As Lambda does: the records of a shard that was split or merged come before those of its children.
            fresh = [
                shard
                for shard in shards
                if shard["ShardId"] not in read and all(map(checkpoints.is_ended, parents_of(shard, shards)))
            ]
            positions = checkpoints.positions([shard["ShardId"] for shard in fresh])
            for shard in fresh:
                shard_id = shard["ShardId"]
                lanes = [
                    Lane(shard_id, number, mapping, invoker, checkpoints, self._fail)
                    for number in range(first.parallelization_factor)
                ]
                reader = ShardReader(
                    shard_id,
                    positions[shard_id],
                    stream=settings.stream,
                    kinesis=kinesis,
                    mapping=mapping,
                    lanes=lanes,
                    checkpoints=checkpoints,
                    reports=reports,
                    clock=partial(datetime.now, UTC),
                    stop=self._stop,
                    fail=self._fail,
                    is_child=bool(parents_of(shard, shards)),
                )
                for thread in (*lanes, reader):
                    thread.start()
                read.add(shard_id)

        read_new_shards()
        # From here on nothing that is sent can be missed: every reader holds its iterator.
        checkpoints.begin()
        logger.info("reading %s by the mapping %s", settings.stream, first.uuid)
        while not self._stop.wait(_SHARDS_SECONDS):
            read_new_shards()
        if self._error is not None:
            raise self._error

    def stop(self, *_: object) -> None:
        """End the work."""
        self._stop.set()

    def _fail(self, error: BaseException) -> None:
        self._error = error
        self._stop.set()


def _client(service: str) -> Any:
    config = Config(max_pool_connections=32, retries={"mode": "standard", "max_attempts": 5})
    return boto3.client(service, config=config)  # type: ignore[call-overload]  # the name is not a literal here


def main() -> int:
    """Work until SIGTERM or SIGINT; the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    worker = Worker()
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    try:
        worker.run()
    except LocalError as error:
        complain(str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
