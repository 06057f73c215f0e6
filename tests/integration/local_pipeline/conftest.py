"""A delivery worker beside the local AWS, and what it made of the traffic."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from dmd_pipeline.record_types import load_record_types
from local.clients import LocalClients
from local.delivery_worker.checkpoints import done_through
from local.evidence import Evidence
from local.ledger import Ledger, next_journal
from local.traffic.plan import Size, plan
from local.traffic.sending import send
from local.waiting import wait_for
from local.workspace import Workspace


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from local.aws import LocalAws
    from local.traffic.plan import Planned


@dataclass
class WorkerBench:
    """Starts and stops workers, sends traffic, reads back what came of it."""

    aws: LocalAws
    directory: Path
    _process: subprocess.Popen[bytes] | None = None
    ledgers: list[Ledger] = field(default_factory=list)

    @property
    def checkpoints(self) -> Path:
        return self.directory / "checkpoints.json"

    @cached_property
    def evidence(self) -> Evidence:
        workspace = Workspace(self.directory, int(self.aws.url.rpartition(":")[2]), 1)
        return Evidence(LocalClients(workspace, self.aws.settings), self.aws.settings, load_record_types())

    @property
    def mapping_uuid(self) -> str:
        uuid: str = self.aws.client("lambda").list_event_source_mappings()["EventSourceMappings"][0]["UUID"]
        return uuid

    def set_mapping(self, **changes: Any) -> None:
        self.aws.client("lambda").update_event_source_mapping(UUID=self.mapping_uuid, **changes)

    def set_crash(self, point: str | None) -> None:
        self.aws.client("lambda").update_function_configuration(
            FunctionName=self.aws.settings.function, Environment={"Variables": {"DMD_CRASH": point} if point else {}}
        )

    def set_timeout(self, seconds: int) -> None:
        self.aws.client("lambda").update_function_configuration(
            FunctionName=self.aws.settings.function, Timeout=seconds
        )

    def reshard(self) -> None:
        """Twice as many shards: those that were open are closed."""
        kinesis, stream = self.aws.client("kinesis"), self.aws.settings.stream
        shards = kinesis.list_shards(StreamName=stream)["Shards"]
        is_open = [shard for shard in shards if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]
        kinesis.update_shard_count(StreamName=stream, TargetShardCount=2 * len(is_open), ScalingType="UNIFORM_SCALING")

    def start(self) -> None:
        self.checkpoints.unlink(missing_ok=True)
        self.restart()

    def restart(self) -> None:
        environment = {**os.environ, "DMD_LOCAL_DIR": str(self.directory)}
        self._process = subprocess.Popen([sys.executable, "-m", "local.delivery_worker"], env=environment)
        wait_for(self.checkpoints.exists, "the worker to begin", 30, every=0.05)

    def stop(self) -> int:
        if self._process is None:
            return 0
        self._process.terminate()
        code = self._process.wait(timeout=20)
        self._process = None
        return code

    def send(self, size: Size, seed: int = 1) -> Ledger:
        return self.send_planned(plan(size, seed, datetime.now(UTC)), seed)

    def send_planned(self, planned: Iterable[Planned], seed: int) -> Ledger:
        journal = next_journal(self.directory / "ledger", seed, crash_points=())
        send(self.aws.client("kinesis"), self.aws.settings.stream, planned, journal)
        self.ledgers.append(journal.ledger)
        return journal.ledger

    def await_done(self, ledger: Ledger) -> None:
        wait_for(lambda: done_through(self.checkpoints, ledger.last_sequence_numbers), "the worker", 60, every=0.1)

    def rows(self) -> Counter[str]:
        """Rows in S3, by record type."""
        counts: Counter[str] = Counter()
        for key in self.keys(f"{self.aws.settings.prefix}/avro/"):
            body = self.aws.client("s3").get_object(Bucket=self.aws.settings.bucket, Key=key)["Body"].read()
            counts[key.split("/")[2]] += sum(1 for _ in fastavro.reader(io.BytesIO(body)))
        return counts

    def keys(self, prefix: str) -> list[str]:
        pages = self.aws.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.aws.settings.bucket, Prefix=prefix)
        return [one["Key"] for page in found for one in page.get("Contents", [])]

    def metric(self, name: str, dimension: str, value: str) -> float:
        """Sum of a metric of today."""
        now = datetime.now(UTC)
        answer = self.aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": dimension, "Value": value}],
            StartTime=now.replace(hour=0, minute=0, second=0, microsecond=0),
            EndTime=now.replace(hour=23, minute=59, second=59),
            Period=86_400,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in answer["Datapoints"]))

    def log_lines(self) -> list[str]:
        pages = self.aws.client("logs").get_paginator("filter_log_events")
        group = f"/aws/lambda/{self.aws.settings.function}"
        return [event["message"] for page in pages.paginate(logGroupName=group) for event in page["events"]]


@pytest.fixture
def bench(aws: LocalAws, tmp_path: Path) -> Iterator[WorkerBench]:
    """A worker bench whose mapping does not wait for batches to fill."""
    made = WorkerBench(aws, tmp_path)
    made.set_mapping(MaximumBatchingWindowInSeconds=0)
    yield made
    made.stop()
