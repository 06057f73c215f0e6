"""The account of failed batches adds up at every moment, and tells when something is lost or twice."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest

from dmd_pipeline.aws.cloudwatch import Alarms
from dmd_pipeline.aws.kinesis import Stream
from dmd_pipeline.aws.lambda_ import Functions
from dmd_pipeline.aws.sqs import Queue
from dmd_pipeline.jobs.conversion import convert_lane
from dmd_pipeline.jobs.lane_reports import State
from dmd_pipeline.jobs.replay_environment import Environment
from dmd_pipeline.jobs.reprocess_failed_batches import secure
from dmd_pipeline.record_types import load_record_types
from local.accounting import account, dates_that_differ
from local.delivery_worker.batches import lane_of
from local.delivery_worker.crashes import AT_ONCE, PILLS, CrashPoint
from local.replay_act import close_deadline, early_certainty, failed_batches
from local.traffic.plan import Size, plan
from local.waiting import wait_for
from tests.integration.jobs.conftest import World


if TYPE_CHECKING:
    from dmd_pipeline.jobs.lane_reports import BatchReport
    from local.accounting import Line
    from local.aws import LocalAws
    from local.evidence import Found
    from local.ledger import Ledger
    from local.traffic.plan import Planned
    from tests.integration.local_pipeline.conftest import WorkerBench

PILL_ONLY = Size(records=3, days=2, crash_points=(CrashPoint.BEFORE_WRITES,))
CERTAIN = timedelta(hours=7)
"""Beyond the age at which the event source mapping gives records up."""


@dataclass
class Accounted:
    """A worker bench with tables, a replay, and the account of what became of the traffic."""

    bench: WorkerBench
    world: World

    def deliver(self, size: Size) -> Ledger:
        """Send traffic, wait for its delivery and register what it wrote."""
        self.bench.start()
        ledger = self.bench.send(size)
        self.bench.await_done(ledger)
        self.world.register(today=datetime.now(UTC).date())
        return ledger

    def secure(self) -> None:
        """Secure all that is in the dead-letter queue."""
        settings, bucket = self.world.settings, self.world.bucket
        report = secure(
            settings,
            queue=Queue(boto3.client("sqs"), settings.dead_letter_queue),
            stream=Stream(boto3.client("kinesis"), settings.stream),
            functions=Functions(boto3.client("lambda")),
            alarms=Alarms(boto3.client("cloudwatch")),
            bucket=bucket,
            sleep=lambda _: None,
            long_poll=timedelta(0),
        )
        assert not report.failed

    def convert(self, now: datetime | None = None) -> list[BatchReport]:
        """Convert all that is secured; unless told otherwise, at a time when that is certain."""
        settings = self.world.settings
        environment = Environment(
            settings,
            load_record_types(),
            self.world.bucket,
            self.world.catalog,
            Functions(boto3.client("lambda")),
            Stream(boto3.client("kinesis"), settings.stream),
        )
        at = now or datetime.now(UTC) + CERTAIN
        lanes = sorted({held.batch.lane for held in self.bench.evidence.open_batches()})
        reports = [convert_lane(environment, lane, run_id="test", now=lambda: at) for lane in lanes]
        return [batch for report in reports for batch in report.batches]

    def look(self) -> Found:
        """What is found; it adds up by type and by date."""
        found = self.bench.evidence.find()
        assert [line for line in self.lines(found) if line.difference] == []
        assert dates_that_differ(self.bench.ledgers, found) == []
        return found

    def lines(self, found: Found) -> list[Line]:
        return account(self.bench.ledgers, found)

    def keys(self, *parts: str) -> list[str]:
        """Keys that hold all of some parts."""
        return [key for key in self.bench.keys(self.world.settings.prefix) if all(part in key for part in parts)]

    def delete(self, *keys: str) -> None:
        for key in keys:
            self.bench.aws.client("s3").delete_object(Bucket=self.world.settings.bucket, Key=key)


@pytest.fixture
def accounted(bench: WorkerBench, aws: LocalAws) -> Accounted:
    world = World(aws, aws.settings)
    world.create_tables()
    bench.set_mapping(MaximumRetryAttempts=2)
    return Accounted(bench, world)


@pytest.mark.parametrize("point", list(CrashPoint))
def test_it_adds_up_before_the_replay_after_securing_after_settling_and_after_another_run(
    accounted: Accounted, point: CrashPoint
) -> None:
    accounted.bench.set_timeout(1)
    accounted.deliver(Size(records=900, days=4, crash_points=(point, point)))

    dead = accounted.look()
    assert len(accounted.bench.evidence.dead_letters()) == 2
    accounted.secure()
    secured = accounted.look()
    assert accounted.bench.evidence.dead_letters() == []
    accounted.convert()
    settled = accounted.look()
    accounted.secure()
    accounted.convert()
    again = accounted.look()

    assert dead == secured
    assert settled == again
    assert secured.waiting.total() > 0
    assert settled.waiting.total() == 0
    assert_rejected_once(point, secured, settled)
    assert_copies(point, secured, settled)


def assert_rejected_once(point: CrashPoint, waiting: Found, settled: Found) -> None:
    """Invalid records that an attempt has put into errors/ stay there; all others go into quarantine."""
    invalid = waiting.waiting.total() - waiting.waiting_rows.total()
    assert invalid >= 2
    stay = invalid if point is CrashPoint.AFTER_WRITES else 0
    assert settled.in_quarantine.total() == invalid - stay
    rejected_before, rejected = (one.in_errors.total() - one.rewritten_errors.total() for one in (waiting, settled))
    assert rejected == rejected_before + stay


def assert_copies(point: CrashPoint, waiting: Found, settled: Found) -> None:
    """Three attempts leave three copies of what they wrote while it waits, and two beside what stays."""
    groups = waiting.waiting_rows
    match point:
        case CrashPoint.BEFORE_WRITES:
            assert waiting.rewritten_rows.total() == settled.rewritten_rows.total() == 0
        case CrashPoint.BETWEEN_WRITES | CrashPoint.TIMEOUT:
            assert 0 < waiting.rewritten_rows.total() < 3 * groups.total()
        case CrashPoint.AFTER_WRITES:
            assert waiting.rewritten_rows.total() == 3 * groups.total()
    assert settled.rewritten_rows.total() * 3 == waiting.rewritten_rows.total() * 2
    invalid = waiting.waiting.total() - groups.total() if point is CrashPoint.AFTER_WRITES else 0
    assert waiting.rewritten_errors.total() == 3 * invalid
    assert settled.rewritten_errors.total() == 2 * invalid


def test_it_adds_up_for_batches_that_failed_before_and_after_a_reshard(accounted: Accounted) -> None:
    bench = accounted.bench
    points = (CrashPoint.BETWEEN_WRITES, CrashPoint.AFTER_WRITES)
    bench.start()
    before = bench.send(Size(records=600, days=3, crash_points=points), seed=1)
    bench.reshard()
    after = bench.send(Size(records=600, days=3, crash_points=points), seed=2)
    bench.await_done(after)
    accounted.world.register(today=datetime.now(UTC).date())

    dead = accounted.look()
    shards = {one.body["KinesisBatchInfo"]["shardId"] for one in bench.evidence.dead_letters()}
    closed = set(before.last_sequence_numbers)
    assert shards & closed
    assert shards - closed
    accounted.secure()
    assert accounted.look() == dead
    accounted.convert()
    assert accounted.look().waiting.total() == 0


def test_a_batch_waits_while_another_lane_still_retries_records_of_its_range(accounted: Accounted) -> None:
    """Both lanes of a shard fail. One gives up at once; meanwhile the other one hangs, half of its files written."""
    bench = accounted.bench
    bench.set_mapping(MaximumRetryAttempts=1, MaximumBatchingWindowInSeconds=1)
    bench.set_timeout(6)
    bench.start()
    planned = [one for one in plan(Size(records=200, days=2), seed=1, now=datetime.now(UTC)) if one.flaw is None]
    lanes = {lane: [one for one in planned if lane_of(one.partition_key, 2) == lane] for lane in (0, 1)}
    crashes = {lanes[0][5]: CrashPoint.BEFORE_WRITES, lanes[1][5]: CrashPoint.TIMEOUT}
    spoiled = [with_pill(one, crashes[one]) if one in crashes else one for one in planned]
    ledger = bench.send_planned([replace(one, hash_key="0") for one in spoiled], seed=1)
    wait_for(lambda: bool(bench.evidence.dead_letters()), "the first lane to give up", 30, every=0.1)
    accounted.secure()

    [waiting] = accounted.convert(now=datetime.now(UTC))

    assert waiting.state is State.WAITING_FOR_CERTAINTY, "the worker is still busy with the records in between"
    bench.await_done(ledger)
    accounted.world.register(today=datetime.now(UTC).date())
    accounted.look()
    accounted.secure()
    accounted.convert()
    settled = accounted.look()
    assert settled.waiting.total() == 0
    assert settled.rewritten_rows.total() > 0, "what the second lane wrote twice"
    assert sum(rows.total() for rows in bench.evidence.replayed_rows().values()) > 0


def with_pill(one: Planned, point: CrashPoint) -> Planned:
    """The same record, as one on which the function crashes."""
    change = json.loads(one.data)
    change["eventID"] = f"{PILLS[point]}{change['eventID'][len(PILLS[point]) :]}"
    return replace(one, data=json.dumps(change).encode())


def test_it_adds_up_when_a_run_ends_before_it_has_settled_a_batch(accounted: Accounted) -> None:
    accounted.deliver(Size(records=900, days=4, crash_points=(CrashPoint.BETWEEN_WRITES,)))
    accounted.secure()
    accounted.convert()
    settled = accounted.look()
    replayed = accounted.bench.evidence.replayed_rows()

    accounted.delete(*accounted.keys(".done.json"))
    unsettled = accounted.look()

    assert unsettled.waiting.total() == settled.in_quarantine.total() + unsettled.waiting_rows.total() > 0
    assert unsettled.in_quarantine.total() == 0
    assert unsettled.rewritten_rows.total() >= settled.rewritten_rows.total() + sum(
        rows.total() for rows in replayed.values()
    )
    accounted.delete(*sorted(replayed)[::2])
    accounted.look()
    accounted.convert()
    assert accounted.look() == settled


def test_it_adds_up_for_bisected_batches_of_which_a_part_is_delivered(accounted: Accounted) -> None:
    accounted.bench.set_mapping(BisectBatchOnFunctionError=True)
    accounted.deliver(Size(records=600, days=3, crash_points=(CrashPoint.BETWEEN_WRITES, CrashPoint.AFTER_WRITES)))

    dead = accounted.look()
    assert dead.waiting.total() < 6, "the culprits, and hardly anybody else"
    assert dead.rewritten_rows.total() > 100
    accounted.secure()
    accounted.convert()

    assert accounted.look().waiting.total() == 0


def test_a_record_whose_twin_the_worker_delivered_is_merged_with_it(accounted: Accounted) -> None:
    """The same change twice on the stream: once in a batch that was delivered, once in one that failed."""
    bench = accounted.bench
    bench.set_mapping(MaximumBatchingWindowInSeconds=1)
    bench.start()
    planned = list(plan(Size(records=60, days=2), seed=1, now=datetime.now(UTC)))
    [pill] = [one for one in plan(PILL_ONLY, seed=2, now=datetime.now(UTC)) if one.hash_key and one.flaw is None]
    first = [one for one in planned if one.flaw is None and one.record_type][:3]
    bench.await_done(bench.send_planned(first, seed=2))
    twins = [replace(one, duplicate=True, partition_key=pill.partition_key, hash_key=pill.hash_key) for one in first]
    bench.await_done(bench.send_planned([pill, *twins], seed=3))
    accounted.world.register(today=datetime.now(UTC).date())
    assert accounted.look().waiting.total() == 4

    accounted.secure()
    accounted.convert()

    settled = accounted.look()
    assert sum(line.merged for line in accounted.lines(settled)) == 3
    assert sum(rows.total() for rows in bench.evidence.replayed_rows().values()) == 1


def test_it_tells_of_rows_that_are_lost_and_of_rows_that_are_twice(accounted: Accounted) -> None:
    accounted.deliver(Size(records=900, days=4, crash_points=(CrashPoint.BEFORE_WRITES,)))
    accounted.secure()
    accounted.convert()
    accounted.look()
    [[key, rows], *_] = sorted(accounted.bench.evidence.replayed_rows().items())
    [(table, day)] = rows
    s3, bucket = accounted.bench.aws.client("s3"), accounted.world.settings.bucket

    s3.copy_object(Bucket=bucket, Key=key.replace("/replay-", "/copy-"), CopySource={"Bucket": bucket, "Key": key})
    assert differing(accounted) == ({table: -rows.total()}, {(table, day): rows.total()})
    accounted.delete(key, key.replace("/replay-", "/copy-"))
    assert differing(accounted) == ({table: rows.total()}, {(table, day): -rows.total()})


def differing(accounted: Accounted) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
    """How many records are missing by type, and how many rows are too many by type and date."""
    found = accounted.bench.evidence.find()
    by_type = {line.record_type: line.difference for line in accounted.lines(found) if line.difference}
    by_date = {
        (one.record_type, one.day): one.found - one.expected
        for one in dates_that_differ(accounted.bench.ledgers, found)
    }
    return by_type, by_date


def test_it_tells_of_a_message_that_vanished(accounted: Accounted) -> None:
    accounted.deliver(Size(records=600, days=4, crash_points=(CrashPoint.AFTER_WRITES,)))
    waiting = accounted.look().waiting
    sqs, name = accounted.bench.aws.client("sqs"), accounted.world.settings.dead_letter_queue
    sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])

    lines = accounted.lines(accounted.bench.evidence.find())

    assert {line.record_type: line.difference for line in lines if line.difference} == dict(waiting)


def test_the_act_shows_what_each_attempt_wrote_and_puts_its_settings_back(accounted: Accounted) -> None:
    accounted.deliver(Size(records=600, days=4, crash_points=AT_ONCE))
    settings, clients = accounted.world.settings, accounted.bench.aws.client
    messages = accounted.bench.evidence.dead_letters()

    rows, headers = failed_batches(messages, accounted.bench.evidence.invocations())

    told = [dict(zip(headers, row, strict=True)) for row in rows]
    assert [one["attempts"] for one in told] == [3, 3, 3]
    before, between, after = sorted(int(str(one["files of an attempt"])) for one in told)
    assert 0 == before < between < after
    before_, mapping = retention(accounted), mapping_of(accounted)
    with close_deadline(clients("sqs"), settings.dead_letter_queue, messages):
        assert 3 * 60 * 60 <= int(retention(accounted)) < 4 * 60 * 60
    with early_certainty(clients("lambda"), settings) as longest:
        assert (longest, mapping_of(accounted)["MaximumRecordAgeInSeconds"]) == (timedelta(seconds=90), 60)
    assert (retention(accounted), mapping_of(accounted)["MaximumRecordAgeInSeconds"]) == (
        before_,
        mapping["MaximumRecordAgeInSeconds"],
    )


def retention(accounted: Accounted) -> str:
    sqs, name = accounted.bench.aws.client("sqs"), accounted.world.settings.dead_letter_queue
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    held: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["MessageRetentionPeriod"]
    return held


def mapping_of(accounted: Accounted) -> dict[str, int]:
    held: dict[str, int] = accounted.bench.aws.client("lambda").list_event_source_mappings()["EventSourceMappings"][0]
    return held
