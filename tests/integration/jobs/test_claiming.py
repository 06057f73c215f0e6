"""Claiming: what each source gives, what a run is refused, and what becomes of messages."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from dmd_pipeline.errors import BacklogError, ParameterError, StorageError
from dmd_pipeline.jobs.backlog import Backlog
from dmd_pipeline.jobs.claiming import HIDDEN
from dmd_pipeline.jobs.replay_reports import State
from dmd_pipeline.jobs.securing import Securer
from tests.integration.jobs.replay_world import REQUEST_ID, ReplayWorld, stamp


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


EMPTY_RUN = {
    "lambda:ListEventSourceMappings": 1,
    "cloudwatch:DescribeAlarms": 1,
    "s3:ListObjectsV2": 1,
    "sqs:GetQueueUrl": 1,
    "sqs:ReceiveMessage": 1,
}
"""The formula in the job's docstring, with nothing in the queue."""


@pytest.fixture
def world(aws: LocalAws, settings: Settings) -> ReplayWorld:
    """The local AWS with the alarm in place, no calls counted yet."""
    world = ReplayWorld(aws, settings)
    world.secure()
    aws.calls.clear()
    return world


class TestAnEmptyRun:
    """Most runs find nothing."""

    def test_costs_five_calls(self, world: ReplayWorld) -> None:
        world.secure()
        assert world.aws.calls.totals() == EMPTY_RUN

    def test_says_so_in_one_line(self, world: ReplayWorld) -> None:
        report = world.secure()
        assert report.summary == ["queue: nothing waits"]
        assert report.as_data()["lanes"] == []
        assert report.as_data()["problems"] == []
        assert report.as_data()["alerts"] == []

    def test_waits_for_the_first_message(self, world: ReplayWorld) -> None:
        asked: list[Any] = []
        world.clients["sqs"].meta.events.register(
            "provide-client-params.sqs.ReceiveMessage", lambda params, **_: asked.append(params["WaitTimeSeconds"])
        )
        world.secure(long_poll=timedelta(seconds=1))
        assert asked == [1]


class TestADiskThatIsFull:
    """The worker's disk does not take what waits: what was noted is secured, the rest is left to the next run."""

    @pytest.fixture
    def waiting(self, world: ReplayWorld) -> list[Any]:
        """Thirty batches in the queue."""
        batches = [world.put_some(world.shards[number % 4], 2) for number in range(30)]
        for batch in batches:
            world.send(world.position(batch))
        return batches

    def assert_all_secured(self, world: ReplayWorld, waiting: list[Any]) -> None:
        world.show_all()
        assert world.secure().problems == []
        assert [world.secured(batch) for batch in waiting] == [[one.data for one in batch] for batch in waiting]
        assert world.messages() == []

    @pytest.mark.parametrize("refused", ["hide", "wait"])
    def test_while_messages_are_claimed(
        self, world: ReplayWorld, waiting: list[Any], refused: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entered, enter = itertools.count(), getattr(Backlog, refused)

        def refuse(*given: Any) -> None:
            if next(entered) >= (2 if refused == "hide" else 15):
                raise BacklogError("what waits could not be kept: disk is full")
            enter(*given)

        with monkeypatch.context() as patched:
            patched.setattr(Backlog, refused, refuse)
            report = world.secure()
        assert report.counts["secured"] == {"hide": 20, "wait": 15}[refused]
        assert report.problems == ["FAILED: source queue: what waits could not be kept: disk is full"]
        assert len(world.messages()) == 30 - report.counts["secured"]
        self.assert_all_secured(world, waiting)

    def test_while_batches_are_secured(
        self, world: ReplayWorld, waiting: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Messages are not hidden again, nor deleted: they come again."""
        store, full = Securer.store, False

        def advance(self: Securer, *given: Any, **named: Any) -> Any:
            nonlocal full
            full = True
            world.aws.clock.advance(timedelta(minutes=1))
            return store(self, *given, **named)

        def refusing(name: str) -> Any:
            act = getattr(Backlog, name)

            def refuse(*given: Any) -> Any:
                if full:
                    raise BacklogError("what waits could not be kept: disk is full")
                return act(*given)

            return refuse

        with monkeypatch.context() as patched:
            patched.setattr(Securer, "store", advance)
            for name in ("hide", "let_go"):
                patched.setattr(Backlog, name, refusing(name))
            report = world.secure()
        assert report.counts["secured"] == 30, "deadlines do not wait for a disk"
        assert len(report.undeleted) == 30
        self.assert_all_secured(world, waiting)

    def test_when_what_waits_cannot_be_read(
        self, world: ReplayWorld, waiting: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = Backlog.nearest_first

        def break_off(self: Backlog) -> Any:
            yield from itertools.islice(first(self), 5)
            raise BacklogError("what waits could not be kept: disk I/O error")

        with monkeypatch.context() as patched:
            patched.setattr(Backlog, "nearest_first", break_off)
            report = world.secure()
        assert report.counts["secured"] == 5
        assert report.problems == ["FAILED: backlog: what waits could not be kept: disk I/O error"]
        assert len(world.messages()) == 25
        self.assert_all_secured(world, waiting)


class TestTheQueue:
    """Messages are received, hidden and deleted."""

    @pytest.mark.parametrize("count", [1, 10, 11, 25])
    def test_messages_cost_what_the_formula_says(self, world: ReplayWorld, count: int) -> None:
        """Every message in a shard of its own place, so that every range is read by itself."""
        for number in range(count):
            records = world.put(world.shards[number % 4], f"{number}-a".encode(), f"{number}-b".encode())
            world.send(world.position(records))
            world.put(world.shards[number % 4], b"of nobody")
        world.aws.calls.clear()
        report = world.secure()
        assert report.counts["secured"] == count
        totals = world.aws.calls.totals()
        reads = {name: totals.pop(name) for name in ("kinesis:GetShardIterator", "kinesis:GetRecords")}
        assert totals == {
            **EMPTY_RUN,
            "sqs:ReceiveMessage": ceil(count / 10) + 1,
            "sqs:DeleteMessageBatch": ceil(count / 10),
            "sqs:GetQueueAttributes": 1,
            "kinesis:DescribeStreamSummary": 1,
            "s3:PutObject": count,
        }
        assert set(reads.values()) == {min(count, 4)}, "ranges that lie side by side are read together"
        assert world.messages() == []

    def test_a_message_whose_records_came_along_costs_no_read_of_the_stream(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 3)
        world.send(world.event(records), RequestID=REQUEST_ID, ErrorCode="200", ErrorMessage="boom")
        world.aws.calls.clear()
        world.secure()
        assert world.aws.calls.totals() == {
            **EMPTY_RUN,
            "sqs:ReceiveMessage": 2,
            "sqs:DeleteMessageBatch": 1,
            "sqs:GetQueueAttributes": 1,
            "s3:PutObject": 1,
        }
        assert world.secured(records) == [record.data for record in records]

    def test_messages_are_hidden_while_they_are_worked_on(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 2)
        world.send(world.position(records))
        seen: list[int] = []
        world.clients["kinesis"].meta.events.register(
            "before-call.kinesis.GetRecords", lambda **_: seen.append(len(world.receive_by_others()))
        )
        world.secure()
        assert seen == [0]

    def test_messages_are_hidden_again_when_the_work_takes_long(self, world: ReplayWorld) -> None:
        for number in range(12):
            world.send(world.position(world.put_some(world.shards[number % 4], 2)))
        world.aws.calls.clear()
        world.clients["s3"].meta.events.register(
            "before-call.s3.PutObject", lambda **_: world.aws.clock.advance(timedelta(minutes=6))
        )
        report = world.secure()
        assert report.counts["secured"] == 12
        assert world.aws.calls.count("sqs:ChangeMessageVisibilityBatch") >= 2
        assert world.aws.calls.count("sqs:ReceiveMessage") == 3, "nothing came twice"

    @pytest.mark.parametrize("refused", [False, True])
    def test_hiding_again_costs_a_call_for_ten_messages_and_one_when_it_is_refused(
        self, world: ReplayWorld, refused: bool
    ) -> None:
        for number in range(25):
            world.send(world.position(world.put_some(world.shards[number % 4], 2)))
        if refused:
            world.aws.fail("sqs:ChangeMessageVisibilityBatch", "AccessDenied", status=403, times=1000)
        events = world.clients["s3"].meta.events

        def take_long(**_event: Any) -> None:
            events.unregister("before-call.s3.PutObject", take_long)
            world.aws.clock.advance(timedelta(minutes=11))

        events.register("before-call.s3.PutObject", take_long)
        world.aws.calls.clear()
        report = world.secure()
        assert report.counts["secured"] == 25
        assert world.aws.calls.count("sqs:ChangeMessageVisibilityBatch") == (1 if refused else ceil(25 / 10))

    def test_a_message_that_cannot_be_hidden_again_is_still_worked_on(self, world: ReplayWorld) -> None:
        for shard in world.shards:
            world.send(world.position(world.put_some(shard, 2)))
        world.clients["s3"].meta.events.register(
            "before-call.s3.PutObject", lambda **_: world.aws.clock.advance(HIDDEN)
        )
        world.aws.fail("sqs:ChangeMessageVisibilityBatch", times=9)
        assert world.secure().counts["secured"] == 4

    def test_a_message_that_is_delivered_twice_is_done_once(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 2)
        world.send(world.position(records))
        shown = {"times": 0}

        def show_again(**_event: Any) -> None:
            if shown["times"] < 1:
                shown["times"] += 1
                world.show_all()

        world.clients["sqs"].meta.events.register("after-call.sqs.ReceiveMessage", show_again)
        report = world.secure()
        assert report.counts["secured"] == 1
        assert report.counts["known"] == 0
        assert world.messages() == []

    def test_two_messages_about_one_batch_are_both_deleted_and_it_is_read_once(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 2)
        world.send(world.position(records))
        world.send(world.position(records))
        report = world.secure()
        assert (report.counts["secured"], report.counts["known"]) == (1, 1)
        assert world.aws.calls.count("kinesis:GetRecords") == 1

    def test_a_batch_that_another_run_secured_meanwhile_is_remembered(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 2)
        world.send(world.position(records))
        world.send(world.position(records))
        events = world.clients["s3"].meta.events
        key = f"{world.settings.prefix}/{world.raw_name(records)}"

        def be_faster(**_event: Any) -> None:
            events.unregister("before-call.s3.PutObject", be_faster)
            world.aws.client("s3").put_object(Bucket=world.settings.bucket, Key=key, Body=b"of the other run")

        events.register("before-call.s3.PutObject", be_faster)
        world.aws.calls.clear()
        report = world.secure()
        assert (report.counts["secured"], report.counts["known"], report.lanes) == (0, 2, ())
        assert world.aws.calls.count("kinesis:GetRecords") == 1
        assert world.aws.calls.count("s3:PutObject") == 2, "the other run's, and ours"
        assert world.messages() == []
        assert world.messages() == []

    def test_a_batch_that_was_secured_before_is_not_read_again(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 2)
        world.send(world.position(records))
        world.secure()
        world.send(world.position(records))
        world.aws.calls.clear()
        report = world.secure()
        assert (report.counts["secured"], report.counts["known"]) == (0, 1)
        assert world.aws.calls.count("kinesis:GetRecords") == 0
        assert world.messages() == []

    def test_a_batch_that_was_settled_and_whose_raw_file_aged_out_is_known(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 2)
        world.bucket.write(world.settings.layout.done_key(world.batch(records)), b"{}", "application/json")
        world.send(world.position(records))
        report = world.secure()
        assert (report.counts["secured"], report.counts["known"]) == (0, 1)
        assert report.lanes == ()

    def test_messages_that_cannot_be_deleted_are_named_and_come_again(self, world: ReplayWorld) -> None:
        ids = [world.send(world.position(world.put_some(world.shards[0], 2))) for _ in range(3)]

        def spoil(params: dict[str, Any], **_event: Any) -> None:
            params["Entries"][1]["ReceiptHandle"] = "spoiled"

        world.clients["sqs"].meta.events.register_first("provide-client-params.sqs.DeleteMessageBatch", spoil)
        report = world.secure()
        assert len(report.undeleted) == 1
        assert set(report.undeleted) <= set(ids)
        assert report.problems == [], "it does no harm"
        assert len(world.messages()) == 1
        world.clients["sqs"].meta.events.unregister("provide-client-params.sqs.DeleteMessageBatch", spoil)
        world.show_all()
        assert world.secure().counts["known"] == 1
        assert world.messages() == []

    def test_an_answer_that_never_came_to_a_deletion_is_survived(self, world: ReplayWorld) -> None:
        world.send(world.position(world.put_some(world.shards[0], 2)))
        world.aws.fail("sqs:DeleteMessageBatch", "InternalError", status=500)
        report = world.secure()
        assert len(report.undeleted) == 1
        assert len(world.messages()) == 1

    def test_what_was_received_before_sqs_failed_is_secured(self, world: ReplayWorld) -> None:
        for _ in range(12):
            world.send(world.position(world.put_some(world.shards[0], 2)))
        world.aws.fail("sqs:ReceiveMessage", "InternalError", status=500, after=1)
        report = world.secure()
        assert report.counts["secured"] == 10
        assert list(report.failures) == ["source queue"]
        assert len(world.messages()) == 2

    def test_batches_that_lie_side_by_side_are_read_together(self, world: ReplayWorld) -> None:
        """As after an outage: hundreds of messages, a handful of reads."""
        for records in [world.put_some(shard, 100) for shard in world.shards]:
            for first in range(0, 100, 2):
                world.send(world.position(records[first : first + 2]))
        world.aws.calls.clear()
        report = world.secure()
        assert (report.counts["secured"], report.counts["records"]) == (200, 400)
        assert world.messages() == []
        totals = world.aws.calls.totals()
        assert (totals["sqs:ReceiveMessage"], totals["sqs:DeleteMessageBatch"]) == (21, 20)
        assert (totals["kinesis:GetShardIterator"], totals["kinesis:GetRecords"]) == (4, 4)


class TestStrangeMessages:
    """What tells of no failed batch of this pipeline."""

    STRANGE: ClassVar = {
        "no JSON": "hello {",
        "no object": "[1, 2]",
        "another document": '{"some": "thing"}',
        "a position without its shard": '{"requestContext": {}, "KinesisBatchInfo": {"startSequenceNumber": "1"}}',
        "256 KB": "x" * 262_144,
    }

    @pytest.mark.parametrize("name", STRANGE)
    def test_goes_to_quarantine_whole_with_its_attributes(self, world: ReplayWorld, name: str) -> None:
        attributes = {} if name == "256 KB" else {"ErrorCode": "200", "Custom": "attribute"}
        identifier = world.send(self.STRANGE[name], **attributes)
        report = world.secure()
        (key,) = world.written("quarantine/")
        assert key == f"quarantine/unknown-message/{world.now():%Y-%m-%d}/{identifier}.json"
        document = json.loads(world.written()[key])
        assert document["body"] == self.STRANGE[name]
        assert document["attributes"] == attributes
        assert world.messages() == []
        assert report.counts["quarantined"] == 1
        assert report.problems == [], "a message of somebody else is no failure of ours"

    def test_is_encrypted_as_raw_records_are(self, world: ReplayWorld) -> None:
        world.send("hello {")
        world.send(world.position(world.put_some(world.shards[0], 1)))
        world.secure()
        s3 = world.aws.client("s3")
        for key in world.written():
            found = s3.head_object(Bucket=world.settings.bucket, Key=f"{world.settings.prefix}/{key}")
            assert found["ServerSideEncryption"] == "aws:kms"
            assert found["SSEKMSKeyId"] == world.settings.kms_key_arn

    @pytest.mark.parametrize("foreign", ["stream", "function"])
    def test_of_another_stream_or_function_goes_to_quarantine(self, world: ReplayWorld, foreign: str) -> None:
        records = world.put_some(world.shards[0], 2)
        message = world.position(records)
        if foreign == "stream":
            message["KinesisBatchInfo"]["streamArn"] += "-other"
        else:
            message["requestContext"]["functionArn"] += "-other"
        world.send(message)
        world.secure()
        (key,) = world.written()
        assert key.startswith("quarantine/foreign/")
        assert world.messages() == []

    def test_stays_in_the_queue_when_quarantine_cannot_be_written(self, world: ReplayWorld) -> None:
        identifier = world.send("hello {")
        world.aws.fail("s3:PutObject", "InternalError", status=500)
        report = world.secure()
        assert list(report.failures) == [f"queue message {identifier}"]
        assert len(world.messages()) == 1
        world.show_all()
        world.secure()
        assert len(world.written("quarantine/")) == 1
        assert world.messages() == []


class TestDocuments:
    """Sources that lie in the bucket; nothing there is deleted."""

    def put(self, world: ReplayWorld, name: str, content: Any) -> str:
        key = f"{world.settings.prefix}/{name}"
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        world.bucket.write(key, body, "application/json")
        return key

    def test_an_on_failure_destination_with_positions_and_payloads(self, world: ReplayWorld) -> None:
        records = [world.put_some(world.shards[0], 2) for _ in range(3)]
        self.put(world, "failed/1", world.position(records[0]))
        self.put(world, "failed/2", world.position(records[1]) | {"payload": json.dumps(world.event(records[1]))})
        self.put(world, "failed/3", world.position(records[2]) | {"payload": world.event(records[2])})
        world.aws.calls.clear()
        report = world.secure(source="destination", prefix="data-pipeline/failed/")
        assert report.counts["secured"] == 3
        assert world.aws.calls.count("s3:GetObject") == 3
        assert world.aws.calls.count("sqs:*") == 0
        for batch in records:
            assert world.secured(batch) == [record.data for record in batch]
        again = world.secure(source="destination", prefix="data-pipeline/failed/")
        assert (again.counts["secured"], again.counts["known"]) == (0, 3)

    def test_a_strange_object_in_a_destination_is_left_and_named(self, world: ReplayWorld) -> None:
        key = self.put(world, "failed/1", {"some": "thing"})
        report = world.secure(source="destination", prefix="data-pipeline/failed/")
        assert list(report.strange) == [key]
        assert world.written() == {}

    def test_an_object_that_cannot_be_read_stops_no_other(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 2)
        key = self.put(world, "failed/1", world.position(records))
        self.put(world, "failed/2", world.position(records))
        world.aws.fail("s3:GetObject", "InternalError", status=500)
        report = world.secure(source="destination", prefix="data-pipeline/failed/")
        assert list(report.failures) == [key]
        assert report.counts["secured"] == 1

    def test_the_workers_errors_are_taken_once_and_then_not_even_read(self, world: ReplayWorld) -> None:
        stem = "2026-03-01-12-00-00-5f0c1d5e-6a61-4f6c-9c1e-3d0a5b0e7a11"
        document = {"timestamp": "2026-03-01T12:00:00.000Z", "error": {"message": "bad"}, "events": ["{}", "{"]}
        self.put(world, f"errors/{stem}.json", document)
        report = world.secure(source="errors")
        assert list(world.written()) == [f"replay/raw/errors-{stem}/0-1.jsonl.gz"]
        assert report.lanes == ("documents",)
        world.aws.calls.clear()
        report = world.secure(source="errors")
        assert (report.counts["secured"], report.counts["known"]) == (0, 1)
        assert world.aws.calls.count("s3:GetObject") == 0

    def test_a_damaged_errors_document_is_a_failure_that_names_it(self, world: ReplayWorld) -> None:
        key = self.put(world, "errors/2026-03-01-12-00-00-x.json", b"{")
        assert list(world.secure(source="errors").failures) == [key]

    def test_a_source_that_cannot_be_listed_is_a_failure(self, world: ReplayWorld) -> None:
        world.aws.fail("s3:ListObjectsV2", "AccessDenied", status=403, after=1)
        assert list(world.secure(source="errors").failures) == ["source errors"]

    def test_nothing_is_claimed_when_it_cannot_be_listed_what_is_secured(self, world: ReplayWorld) -> None:
        world.send(world.position(world.put_some(world.shards[0], 1)))
        world.aws.calls.clear()
        world.aws.fail("s3:ListObjectsV2", "AccessDenied", status=403)
        with pytest.raises(StorageError):
            world.secure()
        assert world.aws.calls.count("sqs:*") == 0


class TestParameters:
    """Validated before anything is read."""

    WRONG: ClassVar = {
        "an unknown source": ({"source": "sqs"}, "source"),
        "no prefix": ({"source": "destination"}, "prefix"),
        "a prefix elsewhere": ({"source": "destination", "prefix": "other/"}, "prefix"),
        "a prefix that climbs": ({"source": "destination", "prefix": "data-pipeline/../x"}, "prefix"),
        "a prefix for the queue": ({"prefix": "data-pipeline/x"}, "prefix"),
        "no start": ({"source": "stream"}, "start"),
        "a start that is nothing": ({"source": "stream", "start": "yesterday"}, "start"),
        "a time without offset": ({"source": "stream", "start": "2026-03-01T12:00:00"}, "start"),
        "a time in the future": ({"source": "stream", "start": "2999-01-01T00:00:00Z"}, "start"),
        "a number without its shard": ({"source": "stream", "start": "17"}, "start"),
        "an end without its shard": ({"source": "stream", "start": "2026-03-01T12:00:00Z", "end": "17"}, "end"),
        "a shard that is none": ({"source": "stream", "start": "17", "shard_id": "shard-1"}, "shard_id"),
        "an end before the start": (
            {"source": "stream", "start": "17", "end": "16", "shard_id": "shardId-000000000000"},
            "end",
        ),
        "times the wrong way round": (
            {"source": "stream", "start": "2026-03-01T12:00:00Z", "end": "2026-03-01T13:00:00+02:00"},
            "end",
        ),
    }

    @pytest.mark.parametrize("name", WRONG)
    def test_is_refused_before_any_call(self, world: ReplayWorld, name: str) -> None:
        asked, parameter = self.WRONG[name]
        with pytest.raises(ParameterError, match=f"^{parameter}: "):
            world.secure(**asked)
        assert world.aws.calls.totals() == {}

    def test_an_empty_text_is_no_parameter(self, world: ReplayWorld) -> None:
        assert world.secure(prefix="", start=" ", end="", shard_id="").summary == ["queue: nothing waits"]


class TestADryRun:
    """Shows everything and changes nothing."""

    def test_of_the_queue(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 3)
        foreign = world.position(records)
        foreign["KinesisBatchInfo"]["streamArn"] += "-other"
        for body in (world.position(records), world.event(world.put_some(world.shards[1], 2)), "hello {", foreign):
            world.send(body)
        world.aws.calls.clear()
        report = world.secure(dry_run=True)
        assert world.written() == {}
        assert world.aws.calls.count("sqs:DeleteMessageBatch") == 0
        assert world.aws.calls.count("s3:PutObject") == 0
        assert len(world.receive_by_others()) == 4, "all are visible again"
        assert [outcome.state for outcome in report.outcomes] == [State.SECURED, State.SECURED]
        plan = report.as_data()["plan"]
        assert f"{world.batch(records)}" in plan
        assert "would be secured" in plan
        assert "unknown-message" in plan
        assert "foreign" in plan
        assert stamp(records[0].at + timedelta(hours=24))[:19] in plan
        assert report.lanes == ()

    def test_tells_what_would_become_of_each_batch(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 3)
        world.send(world.position(records))
        report = world.secure(dry_run=True, rehearse=lambda raw: f"{len(raw.records)} rows of demand")
        assert "3 rows of demand" in report.as_data()["plan"]

    def test_writes_no_alarm(self, aws: LocalAws, settings: Settings) -> None:
        report = ReplayWorld(aws, settings).secure(dry_run=True)
        assert aws.calls.count("cloudwatch:PutMetricAlarm") == 0
        assert "it would be written" in report.notes[0]

    def test_of_the_stream(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 3)
        report = world.secure(dry_run=True, source="stream", shard_id=world.shards[0], start=str(records[0].number))
        assert report.counts["records"] == 3
        assert world.written() == {}
