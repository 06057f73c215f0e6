"""Securing and converting behind a proxy that throttles, fails, delays and cuts: the end state of one clean run.

The proxy is microburst. Unlike the faults of the local AWS, its faults lie on the way there: a call may have been
executed when its answer is lost, and boto3 then sends it again.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.retries.standard import ExponentialBackoff

from dmd_pipeline.aws.config import CLIENT_CONFIG
from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.aws.kinesis import Stream
from dmd_pipeline.aws.lambda_ import Functions
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.errors import PipelineError, StorageError
from dmd_pipeline.failed_batches import StreamRecord
from dmd_pipeline.jobs.conversion import convert_lane
from dmd_pipeline.jobs.lane_reports import State
from tests.integration.jobs.conftest import workgroup
from tests.integration.jobs.conversion_world import ConversionWorld, invalid, valid
from tests.integration.jobs.replay_world import ReplayWorld, Sent


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dmd_pipeline.jobs.lane_reports import LaneReport
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


HOST = "127.0.0.1"
SERVICES = ("s3", "sqs", "kinesis", "glue", "lambda", "cloudwatch")
SEEDS = (1, 2, 3)
ROUNDS = 4
"""So many runs under faults at most."""
HASTY = CLIENT_CONFIG.merge(
    Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=2, read_timeout=0.5)
)
"""Gives up sooner than the DAG's clients, so that runs fail half-way too."""
LONGER_THAN_ANYBODY_WAITS = 700
"""Milliseconds."""
CALLS_THAT_ARE_CUT = {
    "s3": ("GetObject", "ListObjectsV2"),
    "sqs": ("GetQueueUrl", "ReceiveMessage", "GetQueueAttributes", "DeleteMessageBatch"),
    "kinesis": ("DescribeStreamSummary", "GetShardIterator", "GetRecords"),
    "glue": ("GetTable", "BatchGetPartition", "BatchCreatePartition"),
    "lambda": ("ListEventSourceMappings", "GetFunctionConfiguration"),
    "monitoring": ("DescribeAlarms", "PutMetricAlarm"),
}
# The answer to a PUT has no body that could be cut: the client waits in vain for the one that is announced.
LOST_PUT: dict[str, Any] = {
    "service": "s3",
    "operation": "PutObject",
    "response": {"set_headers": {"Content-Length": 9}},
}
LOST_ANSWERS: list[dict[str, Any]] = [
    {**LOST_PUT, "times": 1},
    {"service": "sqs", "operation": "DeleteMessageBatch", "times": 1, "response": {"abort_bytes": 0}},
    {**LOST_PUT, "probability": 0.15},
    *(
        {"service": service, "operation": operation, "probability": 0.1, "response": {"abort_bytes": 0}}
        for service, operations in CALLS_THAT_ARE_CUT.items()
        for operation in operations
    ),
]
"""AWS has done what was asked for, and nobody hears of it."""
OTHER_FAULTS: list[dict[str, Any]] = [
    {"service": "s3", "operation": "GetObject", "probability": 0.05, "response": {"abort_frac": 0.5}},
    {"service": "s3", "probability": 0.06, "error": {"code": "SlowDown", "status": 503}},
    {"service": "sqs", "probability": 0.06, "error": {"code": "RequestThrottled"}},
    {"service": "kinesis", "probability": 0.06, "error": {"code": "ProvisionedThroughputExceededException"}},
    {"service": "glue", "probability": 0.06, "error": {"code": "ThrottlingException"}},
    {"service": "lambda", "probability": 0.06, "error": {"code": "TooManyRequestsException", "status": 429}},
    {"service": "monitoring", "probability": 0.06, "error": {"code": "Throttling"}},
    {"service": "*", "probability": 0.03, "error": {"code": "InternalError", "status": 500}},
    {"service": "*", "probability": 0.03, "error": {"code": "ServiceUnavailable", "status": 503}},
    {"service": "*", "probability": 0.04, "reset": True},
    {"service": "*", "probability": 0.02, "timeout_ms": LONGER_THAN_ANYBODY_WAITS},
    # These are executed when their client has given up, and perhaps when its next attempt has been answered.
    {"service": "sqs", "probability": 0.03, "latency": LONGER_THAN_ANYBODY_WAITS},
    {"service": "glue", "probability": 0.03, "latency": LONGER_THAN_ANYBODY_WAITS},
    {"service": "s3", "operation": "DeleteObject", "probability": 0.1, "latency": LONGER_THAN_ANYBODY_WAITS},
    {"service": "*", "probability": 0.05, "latency": {"min": 10, "max": 100}},
]
_SEEDED = "import random, sys; random.seed(int(sys.argv.pop(1))); from microburst.cli import main; sys.exit(main())"
"""microburst, drawing the same faults each time; which call each of them meets is up to the threads of the job."""


@dataclass(frozen=True)
class Proxy:
    """A running microburst."""

    url: str

    def is_ready(self) -> bool:
        try:
            return self._ask("GET", "health").is_success
        except httpx.TransportError:
            return False

    def set_rules(self, rules: Sequence[dict[str, Any]]) -> None:
        """Inject these faults from now on, and no others."""
        self._ask("POST", "rules", json=list(rules)).raise_for_status()

    def fired(self) -> Counter[tuple[str, str]]:
        """Operation and kind of the faults so far."""
        events = self._ask("GET", "fired", params={"limit": 2000}).raise_for_status().json()
        return Counter((event["operation"], event["action"].partition(":")[0]) for event in events)

    def _ask(self, method: str, what: str, **asked: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}/_microburst/{what}", trust_env=False, **asked)


class Job:
    """The job as a DAG runs it, its clients behind the proxy."""

    def __init__(self, world: ReplayWorld, conversions: ConversionWorld, proxy: Proxy, config: Config) -> None:
        settings = world.settings
        clients: dict[str, Any] = {
            name: boto3.client(name, endpoint_url=proxy.url, config=config)  # type: ignore[call-overload]  # names vary
            for name in SERVICES
        }
        self._world = ReplayWorld(world.aws, settings)
        self._world.clients = clients
        self._world.bucket = Bucket(clients["s3"], settings.bucket)
        self._environment = replace(
            conversions.environment,
            bucket=self._world.bucket,
            glue=Catalog(clients["glue"], settings.database),
            functions=Functions(clients["lambda"]),
            stream=Stream(clients["kinesis"], settings.stream),
        )

    def run(self, number: int) -> list[LaneReport]:
        """Secure, then convert what waits: half a day after it failed, and each run an hour after the one before.

        What fails is left to the next run.
        """
        with suppress(PipelineError):
            self._world.secure()
        now = self._world.now() + timedelta(hours=12 + 1.1 * number)
        reports = []
        for lane in self._world.shards[:2]:
            with suppress(PipelineError):
                reports.append(convert_lane(self._environment, lane, run_id=f"run {number}", now=lambda: now))
        return reports


class Scene:
    """Three failed batches on two shards, and a message that is none of ours."""

    def __init__(self, aws: LocalAws, settings: Settings) -> None:
        self.conversions = ConversionWorld(aws, settings)
        self.conversions.create_tables()
        self.world = ReplayWorld(aws, settings)
        self.records = valid(17)
        data = [record.data for record in self.records]
        first, second, *_ = self.world.shards
        half_written = self.world.put(first, *data[:6])
        with_a_rejected = self.world.put(first, *data[6:10], invalid(0).data)
        between_others = self.world.put(second, *data[10:17])
        others = between_others[1:3] + between_others[5:6]  # of the shard's other lane: the worker has delivered them
        self._deliver(half_written, groups=2)
        self._deliver(others)
        foreign = self.world.position(between_others)
        foreign["KinesisBatchInfo"]["streamArn"] += "-other"
        for body in (
            self.world.position(half_written),
            foreign,
            self.world.position(with_a_rejected),
            self.world.position(between_others, batchSize=len(between_others) - len(others)),
        ):
            self.world.send(body)
        self._messages = self.world.messages()
        self._written = list(self.conversions.contents())
        self.begin_again()

    def begin_again(self) -> None:
        """As if no run had ever been."""
        self.conversions.forget(keep=self._written)
        self.world.restore(self._messages)
        assert self.open() == 3

    def open(self) -> int:
        """Batches that are not settled, counted from the messages and from S3."""
        keys = self.conversions.contents()
        return 3 - sum(key.endswith(".done.json") for key in keys)

    def state(self) -> dict[str, Any]:
        """Everything that runs leave: objects byte by byte, partitions, and what Athena reads."""
        tables = list(self.conversions.record_types)
        group = workgroup(self.world.settings)
        return {
            "objects": self.conversions.contents(),
            "partitions": {table: self.conversions.held(table) for table in tables},
            "athena": {table: Counter(map(repr, group.rows(f"SELECT * FROM {table}"))) for table in tables},
            "messages": self.world.messages(),
        }

    def _deliver(self, sent: Sequence[Sent], groups: int | None = None) -> None:
        records = [StreamRecord(one.number, "k", one.at, one.data) for one in sent]
        self.conversions.deliver(records, groups=groups, at=records[0].arrived + timedelta(minutes=1))


@pytest.fixture
def scene(aws: LocalAws, settings: Settings) -> Scene:
    return Scene(aws, settings)


@pytest.fixture
def seed() -> int:
    return SEEDS[0]


@pytest.fixture
def proxy(seed: int, aws: LocalAws, tmp_path: Path) -> Iterator[Proxy]:
    """In front of the local AWS, without any rule yet."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", _SEEDED, str(seed), "--host", HOST, "--port", str(port), "--upstream", aws.url]
    log = tmp_path / "microburst.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        proxy = Proxy(f"http://{HOST}:{port}")
        begun = time.monotonic()
        while not proxy.is_ready():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() - begun < 60, "microburst does not answer"
            time.sleep(0.05)
        yield proxy
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.parametrize("seed", SEEDS)
def test_runs_behind_faults_end_in_what_one_clean_run_leaves(
    scene: Scene, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.01)
    clean = Job(scene.world, scene.conversions, proxy, CLIENT_CONFIG)
    reports = clean.run(0)
    assert [batch.state for report in reports for batch in report.batches] == [State.SETTLED] * 3
    expected = scene.state()
    assert scene.conversions.rows() == scene.conversions.clean(scene.records), "none is missing, none is there twice"
    assert sum(sum(rows.values()) for rows in expected["athena"].values()) == len(scene.records)
    assert sorted(key.split("/")[1] for key in expected["objects"] if key.startswith("quarantine/")) == [
        "foreign",
        "rejected",
    ]
    assert expected["messages"] == []

    scene.begin_again()
    proxy.set_rules([*LOST_ANSWERS, *OTHER_FAULTS])
    behind_faults = Job(scene.world, scene.conversions, proxy, HASTY)
    number = 0
    while number < ROUNDS and (scene.world.messages() or scene.open()):
        number += 1
        scene.world.show_all()
        behind_faults.run(number)
    fired = proxy.fired()
    proxy.set_rules([])
    time.sleep(LONGER_THAN_ANYBODY_WAITS / 1000)  # what is still on its way arrives
    scene.world.show_all()
    clean.run(number + 1)
    assert scene.state() == expected
    assert fired.total() > 20
    assert fired["PutObject", "match"] > 0, "no answer to a write was lost"
    assert fired["DeleteMessageBatch", "response"] > 0, "no answer to a deletion was lost"


def test_a_refusal_that_is_cut_off_is_told_in_the_terms_of_this_project(proxy: Proxy, settings: Settings) -> None:
    """boto3 lets urllib3's error through when it reads the refusal itself, and not the object."""
    s3 = boto3.client("s3", endpoint_url=proxy.url, config=CLIENT_CONFIG)
    bucket = Bucket(s3, settings.bucket)
    assert bucket.find("missing") is None
    proxy.set_rules([{"service": "s3", "operation": "GetObject", "response": {"abort_bytes": 0}}])
    with pytest.raises(StorageError, match=r"cannot read s3://.*/missing: Response ended prematurely"):
        bucket.find("missing")
