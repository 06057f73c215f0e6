"""Securing: the records of a batch lie in S3 before anything forgets where they were; what is lost is said loudly."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline import raw_batches
from dmd_pipeline.alerts import Severity
from dmd_pipeline.jobs.replay_reports import State
from tests.integration.jobs.replay_world import REQUEST_ID, ReplayWorld, Sent, stamp


if TYPE_CHECKING:
    from collections.abc import Sequence

    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


DAY = timedelta(hours=24)


@pytest.fixture
def world(aws: LocalAws, settings: Settings) -> ReplayWorld:
    """The local AWS with the alarm in place, no calls counted yet."""
    world = ReplayWorld(aws, settings)
    world.secure()
    aws.calls.clear()
    return world


def data(records: Sequence[Sent]) -> list[bytes]:
    return [record.data for record in records]


class TestARange:
    """From the start to the end, both included, and nothing else."""

    def test_is_secured_whole_and_alone(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 9)
        world.send(world.position(records[3:6]))
        report = world.secure()
        assert world.secured(records[3:6]) == data(records[3:6])
        assert list(world.written()) == [world.raw_name(records[3:6])]
        assert report.lanes == (world.shards[0],)
        assert report.open == 1

    def test_keeps_what_the_message_said(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 5)
        world.send(world.position(records, batchSize=2))
        world.secure()
        raw = raw_batches.read(world.written()[world.raw_name(records)], "raw")
        assert raw.from_stream
        assert (raw.batch.size, raw.batch.condition, raw.batch.request_id) == (2, "RetryAttemptsExhausted", REQUEST_ID)
        assert [record.sequence_number for record in raw.records] == [record.number for record in records]
        assert raw.lost == 0

    def test_of_more_records_than_a_page_holds(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 10_500)
        world.send(world.position(records))
        report = world.secure()
        assert report.counts["records"] == 10_500
        assert world.secured(records) == data(records)

    def test_of_more_bytes_than_a_page_holds(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 12, size=1_000_000)
        world.send(world.position(records))
        report = world.secure()
        assert report.counts["bytes"] == 12_000_000
        assert world.secured(records) == data(records)

    def test_stays_within_its_share_of_the_shards_limits(self, world: ReplayWorld) -> None:
        """What the first page brought is paid for before the second one is read: the worker needs the rest."""
        records = world.put_some(world.shards[0], 60, size=200_000)
        world.send(world.position(records))
        began = world.now()
        world.secure()
        assert world.secured(records) == data(records)
        share = world.settings.replay.read_share * 2 * 1024 * 1024
        assert (world.now() - began).total_seconds() >= 10_000_000 / share

    def test_of_a_shard_that_was_closed_since(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 4)
        world.send(world.position(records))
        world.reshard()
        after = world.put_some(world.open_shards()[-1], 2)
        world.send(world.position(after))
        world.secure()
        assert world.secured(records) == data(records)
        assert world.secured(after) == data(after)

    def test_over_pages_that_are_empty_though_more_follow(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 4)
        world.send(world.position(records))
        left = {"pages": 3}

        def empty(parsed: dict[str, Any], **_event: Any) -> None:
            if left["pages"]:
                left["pages"] -= 1
                parsed["Records"], parsed["MillisBehindLatest"] = [], 1000
                parsed["NextShardIterator"] = first_iterator[-1]

        first_iterator: list[str] = []
        events = world.clients["kinesis"].meta.events
        events.register(
            "provide-client-params.kinesis.GetRecords",
            lambda params, **_: first_iterator.append(params["ShardIterator"]),
        )
        events.register("after-call.kinesis.GetRecords", empty)
        world.secure()
        assert left["pages"] == 0
        assert world.secured(records) == data(records)

    def test_with_an_iterator_that_expires_on_the_way(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 2_000, size=1_000)
        world.send(world.position(records))
        passed = {"times": 0}

        def take_long(**_event: Any) -> None:
            passed["times"] += 1
            if passed["times"] in {1, 3}:
                world.aws.clock.advance(timedelta(minutes=6))

        world.clients["kinesis"].meta.events.register("before-call.kinesis.GetRecords", take_long)
        world.secure()
        assert world.aws.calls.count("kinesis:GetShardIterator") == 3
        assert world.secured(records) == data(records)

    def test_that_lies_beside_others_is_read_with_them(self, world: ReplayWorld) -> None:
        """Halves of a bisected batch, an overlapping one, and one that ends where the next begins."""
        records = world.put_some(world.shards[0], 20)
        ranges = [records[0:5], records[5:10], records[7:12], records[12:13], records[13:20]]
        for part in ranges:
            world.send(world.position(part))
        world.aws.calls.clear()
        world.secure()
        for part in ranges:
            assert world.secured(part) == data(part)
        assert world.aws.calls.count("kinesis:GetRecords") <= 2


class TestDeadlines:
    """Nearest first."""

    def test_the_batch_that_is_lost_first_is_secured_first(self, world: ReplayWorld) -> None:
        batches = []
        for shard in world.shards:
            batches.append(world.put_some(shard, 2))
            world.aws.clock.advance(timedelta(hours=1))
        for batch in (batches[2], batches[0], batches[3], batches[1]):
            world.send(world.position(batch))
        written: list[str] = []
        world.clients["s3"].meta.events.register(
            "provide-client-params.s3.PutObject", lambda params, **_: written.append(params["Key"])
        )
        report = world.secure()
        assert [key.split("/")[-2] for key in written] == world.shards
        assert report.as_data()["nearest_deadline"] == stamp(batches[0][0].at + DAY)
        assert (report.outcomes, report.others.secured) == ((), 4), "there is nothing to tell of them one by one"

    def test_follow_the_streams_actual_retention(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 2)
        world.aws.client("kinesis").increase_stream_retention_period(
            StreamName=world.settings.stream, RetentionPeriodHours=48
        )
        world.send(world.position(records))
        assert world.secure().as_data()["nearest_deadline"] == stamp(records[0].at + 2 * DAY)

    def test_follow_the_queues_retention_when_it_is_nearer(self, world: ReplayWorld) -> None:
        sqs = world.aws.client("sqs")
        url = sqs.get_queue_url(QueueName=world.settings.dead_letter_queue)["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "3600"})
        records = world.put_some(world.shards[0], 2)
        world.send(world.position(records))
        (outcome,) = world.secure().outcomes
        assert outcome.deadline is not None
        assert outcome.deadline - world.now() < timedelta(hours=1)

    def test_where_one_cannot_be_told_everything_is_secured_all_the_same(
        self, world: ReplayWorld, log: list[str]
    ) -> None:
        batches = [world.put_some(shard, 2) for shard in world.shards]
        for batch in batches:
            world.send(world.position(batch))
        came_along = world.put_some(world.shards[0], 2)
        world.send(world.event(came_along))
        world.aws.fail("sqs:GetQueueAttributes", "AccessDenied", status=403, times=1000)
        report = world.secure()
        assert report.counts["secured"] == len(batches) + 1
        assert world.messages() == []
        assert world.aws.calls.count("sqs:GetQueueAttributes") == 1, "it is asked once"
        assert list(report.failed) == ["queue's retention"]
        for batch, deadline in (*((batch, stamp(batch[0].at + DAY)) for batch in batches), (came_along, "none")):
            assert any(f"{world.batch(batch)}: secured" in line and f"deadline {deadline}" in line for line in log)
        assert any("queue's retention" in problem for problem in report.problems)

    def test_a_near_one_is_an_alert_although_the_run_succeeds(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 2)
        world.aws.clock.advance(timedelta(hours=21))
        world.send(world.position(records))
        report = world.secure()
        (notice,) = report.notices
        assert (notice.severity, notice.key) == (Severity.HIGH, "replay-deadline")
        assert str(world.batch(records)) in notice.text
        assert report.problems == []
        assert report.counts["secured"] == report.counts["near"] == 1

    def test_one_that_is_far_is_none(self, world: ReplayWorld) -> None:
        world.send(world.position(world.put_some(world.shards[0], 2)))
        world.aws.clock.advance(timedelta(hours=19))
        assert world.secure().notices == []


class TestWhatBreaksOff:
    """A range that was not read to its end is not lost: the stream forgets its oldest records first."""

    @pytest.mark.parametrize("given", [0, 3])
    def test_is_left_to_the_next_run(self, world: ReplayWorld, given: int) -> None:
        records = world.put_some(world.shards[0], 8)
        world.send(world.position(records))

        def break_off(parsed: dict[str, Any], **_event: Any) -> None:
            parsed["Records"], parsed["MillisBehindLatest"] = parsed["Records"][:given], 0

        events = world.clients["kinesis"].meta.events
        events.register("after-call.kinesis.GetRecords", break_off)
        report = world.secure()
        events.unregister("after-call.kinesis.GetRecords", break_off)
        assert [outcome.state for outcome in report.outcomes] == [State.FAILED]
        assert f"gave {given} records" in report.outcomes[0].why
        assert world.written() == {}
        world.show_all()
        world.secure()
        assert world.secured(records) == data(records)
        assert world.messages() == []

    def test_is_secured_as_far_as_it_goes_when_it_may_be_lost_before_long(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 8)
        world.send(world.position(records))
        world.aws.clock.advance(DAY - timedelta(minutes=20))

        def break_off(parsed: dict[str, Any], **_event: Any) -> None:
            parsed["Records"], parsed["MillisBehindLatest"] = parsed["Records"][:3], 0

        events = world.clients["kinesis"].meta.events
        events.register("after-call.kinesis.GetRecords", break_off)
        report = world.secure()
        events.unregister("after-call.kinesis.GetRecords", break_off)
        assert world.secured(records) == data(records[:3])
        (outcome,) = report.outcomes
        assert outcome.loss is not None
        assert outcome.loss.at_least == 5
        assert report.problems[0].startswith("LOST: ")


class TestARangeThatSomebodyAsksFor:
    def test_is_secured_whole_where_a_message_brought_some_of_it(self, world: ReplayWorld) -> None:
        """The message was about one lane: the records of the others lie between its ends."""
        records = world.put_some(world.shards[0], 7)
        world.send(world.event(records[::2]))
        world.secure()
        asked = {"source": "stream", "shard_id": world.shards[0]}
        asked |= {"start": str(records[0].number), "end": str(records[-1].number)}
        report = world.secure(**asked)
        assert (report.counts["secured"], report.counts["known"]) == (2, 0)
        assert every_record(world) == {record.number for record in records}
        again = world.secure(**asked)
        assert (again.counts["secured"], again.counts["known"]) == (0, 2), "the halves are there by now"

    def test_is_known_where_it_is_secured_already(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 5)
        world.send(world.position(records))
        world.secure()
        asked = {"start": str(records[0].number), "end": str(records[-1].number)}
        report = world.secure(source="stream", shard_id=world.shards[0], **asked)
        assert (report.counts["secured"], report.counts["known"]) == (0, 1)

    def test_of_one_record_is_not_divided(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 1)
        world.send(world.event(records))
        world.secure()
        report = world.secure(source="stream", shard_id=world.shards[0], start=str(records[0].number))
        assert (report.counts["secured"], report.counts["known"]) == (0, 1)


def every_record(world: ReplayWorld) -> set[int]:
    """Numbers of all records that are secured."""
    files = world.written("replay/raw/").values()
    return {record.sequence_number for file in files for record in raw_batches.read(file, "raw").records}


class TestLosses:
    """The stream has forgotten records."""

    def test_of_the_beginning_are_told_and_what_is_left_is_secured(self, world: ReplayWorld) -> None:
        old = world.put_some(world.shards[0], 3)
        world.aws.clock.advance(timedelta(hours=23))
        young = world.put_some(world.shards[0], 2)
        world.aws.clock.advance(timedelta(hours=2))
        records = [*old, *young]
        world.send(world.position(records))
        report = world.secure()
        assert world.secured(records) == data(young)
        assert raw_batches.read(world.written()[world.raw_name(records)], "raw").lost == 3
        (key,) = world.written("quarantine/")
        batch = world.batch(records)
        assert key == f"quarantine/lost/{old[0].at:%Y-%m-%d}/{batch.folder}-{batch.start}-{batch.end}.json"
        told = world.written()[key].decode()
        for what in (batch.folder, str(batch.start), str(batch.end), str(young[0].number)):
            assert what in told
        (outcome,) = report.outcomes
        assert outcome.loss is not None
        assert (outcome.loss.at_least, outcome.loss.at_most) == (3, 4)
        assert outcome.loss.first_left == young[0].number
        assert report.problems[0].startswith("LOST: ")
        notice = report.notices[0]
        assert (notice.severity, notice.key) == (Severity.HIGH, "replay-lost")
        assert world.messages() == []

    def test_of_everything_leave_the_document_only(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 3)
        world.aws.clock.advance(DAY + timedelta(hours=1))
        world.put_some(world.shards[0], 1)
        world.send(world.position(records))
        report = world.secure()
        assert [key.split("/")[1] for key in world.written()] == ["lost"]
        (outcome,) = report.outcomes
        assert outcome.state is State.LOST
        assert outcome.loss is not None
        assert (outcome.loss.at_least, outcome.loss.at_most, outcome.loss.first_left) == (3, 3, None)
        assert report.lanes == ()
        assert world.messages() == []

    def test_with_the_shard_leave_the_document_only(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 3)
        message = world.position(records, shardId="shardId-000000000099")
        world.send(message)
        report = world.secure()
        assert [outcome.state for outcome in report.outcomes] == [State.LOST]
        assert "has no shard shardId-000000000099" in report.outcomes[0].why
        assert len(world.written("quarantine/lost/")) == 1
        assert world.messages() == []

    def test_a_stream_that_is_missing_loses_nothing(self, world: ReplayWorld) -> None:
        world.send(world.position(world.put_some(world.shards[0], 3)))
        world.aws.client("kinesis").delete_stream(StreamName=world.settings.stream)
        report = world.secure()
        assert report.failures
        assert report.lost == []
        assert world.written() == {}
        assert len(world.messages()) == 1

    def test_do_not_keep_other_batches_from_being_secured(self, world: ReplayWorld) -> None:
        lost = world.put_some(world.shards[0], 2)
        world.aws.clock.advance(DAY + timedelta(hours=1))
        others = [world.put_some(shard, 2) for shard in world.shards]
        for batch in (lost, *others):
            world.send(world.position(batch))
        report = world.secure()
        assert report.counts["secured"] == len(others)
        assert report.counts["lost_records"] == 2
        assert world.messages() == []

    def test_are_told_again_by_a_message_that_was_not_deleted(self, world: ReplayWorld) -> None:
        """A run that was killed between the raw file and its report has told nobody."""
        old = world.put_some(world.shards[0], 3)
        world.aws.clock.advance(timedelta(hours=23))
        records = [*old, *world.put_some(world.shards[0], 2)]
        world.aws.clock.advance(timedelta(hours=2))
        world.send(world.position(records))
        world.aws.fail("sqs:DeleteMessageBatch", "InternalError", status=500)
        world.secure()
        world.show_all()
        report = world.secure()
        assert report.counts["known"] == 1
        assert [notice.key for notice in report.notices] == ["replay-lost"]
        assert report.problems
        assert world.messages() == []


class TestFailures:
    """A batch that cannot be secured stops no other."""

    @pytest.mark.parametrize(
        ("operation", "code"),
        [
            ("kinesis:GetRecords", "ProvisionedThroughputExceededException"),
            ("kinesis:GetRecords", "InternalFailure"),
            ("kinesis:GetShardIterator", "AccessDeniedException"),
            ("s3:PutObject", "SlowDown"),
            ("s3:PutObject", "InternalError"),
        ],
    )
    def test_its_message_stays_and_the_others_are_secured(self, world: ReplayWorld, operation: str, code: str) -> None:
        batches = [world.put_some(shard, 2) for shard in world.shards]
        for batch in batches:
            world.send(world.position(batch))
        world.aws.fail(operation, code, status=500 if code == "InternalError" else 400, after=1)
        report = world.secure()
        assert report.counts["secured"] == 3
        assert list(report.failures) == [str(world.batch(batches[1]))]
        assert report.problems[0].startswith("FAILED: ")
        assert len(world.messages()) == 1
        world.show_all()
        assert world.secure().problems == []
        assert [world.secured(batch) for batch in batches] == [data(batch) for batch in batches]
        assert world.messages() == []

    def test_one_that_is_near_its_deadline_is_an_alert(self, world: ReplayWorld) -> None:
        world.send(world.position(world.put_some(world.shards[0], 2)))
        world.aws.clock.advance(timedelta(hours=21))
        world.aws.fail("s3:PutObject", "InternalError", status=500)
        assert [notice.key for notice in world.secure().notices] == ["replay-deadline"]

    def test_a_message_with_two_batches_is_deleted_when_both_are_durable(self, world: ReplayWorld) -> None:
        one, other = world.put_some(world.shards[0], 2), world.put_some(world.shards[1], 2)
        world.send({"Records": world.event(one)["Records"] + world.event(other)["Records"]})
        world.aws.fail("s3:PutObject", "InternalError", status=500, after=1)
        report = world.secure()
        assert (report.counts["secured"], report.counts["failed"]) == (1, 1)
        assert len(world.messages()) == 1
        world.show_all()
        report = world.secure()
        assert (report.counts["secured"], report.counts["known"]) == (1, 1)
        assert world.messages() == []


class TestTheStream:
    """A range that somebody asked for."""

    def asked(self, world: ReplayWorld, **asked: Any) -> list[bytes]:
        """Data of what was secured, in the order of the stream."""
        report = world.secure(source="stream", **asked)
        assert report.problems == []
        found = [raw_batches.read(content, key) for key, content in world.written("replay/raw/").items()]
        return [record.data for raw in sorted(found, key=lambda raw: raw.batch.id.start) for record in raw.records]

    def test_between_two_numbers(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 9)
        start, end = str(records[2].number), str(records[5].number)
        assert self.asked(world, shard_id=world.shards[0], start=start, end=end) == data(records[2:6])
        assert list(world.written()) == [world.raw_name(records[2:6])]

    def test_between_two_times_in_all_shards(self, world: ReplayWorld) -> None:
        sent: list[list[Sent]] = []
        for _ in range(3):
            sent.append([record for shard in world.shards for record in world.put_some(shard, 2)])
            world.aws.clock.advance(timedelta(minutes=10))
        start = stamp(sent[1][0].at - timedelta(minutes=5))
        end = stamp(sent[1][0].at + timedelta(minutes=5))
        found = self.asked(world, start=start, end=end)
        assert sorted(found) == sorted(data(sent[1]))
        assert len(world.written()) == len(world.shards)

    def test_until_now_with_shards_that_were_closed(self, world: ReplayWorld) -> None:
        before = [record for shard in world.shards for record in world.put_some(shard, 2)]
        world.reshard()
        after = [record for shard in world.open_shards() for record in world.put_some(shard, 2)]
        found = self.asked(world, start=stamp(before[0].at - timedelta(minutes=1)))
        assert sorted(found) == sorted(data(before + after))

    def test_until_now_by_the_clock_of_a_stream_that_is_ahead(self, world: ReplayWorld) -> None:
        start = stamp(world.now() - timedelta(minutes=1))
        world.aws.clock.advance(timedelta(seconds=30))
        ahead = world.put_some(world.shards[0], 2)
        world.aws.clock.advance(timedelta(seconds=-30))
        assert self.asked(world, start=start) == data(ahead)

    def test_in_files_of_ten_thousand_records(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 20_001)
        assert self.asked(world, shard_id=world.shards[0], start=str(records[0].number)) == data(records)
        assert sorted(world.written()) == sorted(
            world.raw_name(part) for part in (records[:10_000], records[10_000:20_000], records[20_000:])
        )

    def test_in_files_of_ten_megabytes(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 15, size=900_000)
        assert self.asked(world, shard_id=world.shards[0], start=str(records[0].number)) == data(records)
        assert sorted(world.written()) == sorted(world.raw_name(part) for part in (records[:11], records[11:]))

    def test_twice_is_secured_once(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 3)
        asked = {"shard_id": world.shards[0], "start": str(records[0].number), "end": str(records[2].number)}
        self.asked(world, **asked)
        before = world.written()
        report = world.secure(source="stream", **asked)
        assert (report.counts["secured"], report.counts["known"]) == (0, 1)
        assert world.written() == before

    def test_that_begins_with_a_forgotten_record_is_a_loss(self, world: ReplayWorld) -> None:
        old = world.put_some(world.shards[0], 3)
        world.aws.clock.advance(DAY + timedelta(hours=1))
        young = world.put_some(world.shards[0], 2)
        report = world.secure(source="stream", shard_id=world.shards[0], start=str(old[0].number))
        assert report.counts["lost_batches"] == 1
        assert report.problems
        assert world.secured(young) == data(young)
        assert len(world.written("quarantine/lost/")) == 1

    def test_that_begins_before_the_streams_memory_says_so(self, world: ReplayWorld) -> None:
        world.put_some(world.shards[0], 3)
        report = world.secure(source="stream", start=stamp(world.now() - 2 * DAY))
        assert "the stream remembers nothing before" in report.summary[-1]

    def test_of_a_shard_that_does_not_exist_is_a_failure(self, world: ReplayWorld) -> None:
        report = world.secure(source="stream", shard_id="shardId-000000000099", start="17")
        assert list(report.failures) == ["shardId-000000000099"]

    def test_a_shard_that_fails_stops_no_other(self, world: ReplayWorld) -> None:
        began = world.now()
        sent = [world.put_some(shard, 2) for shard in world.shards]
        world.aws.fail("kinesis:GetRecords", "InternalFailure", status=500, after=1)
        report = world.secure(source="stream", start=stamp(began))
        assert list(report.failures) == [world.shards[1]]
        assert report.counts["secured"] == len(sent) - 1


class TestAttempts:
    """Rejected records are tried again, and not for ever."""

    def quarantine(self, world: ReplayWorld, attempts: int) -> None:
        from dmd_pipeline import quarantine

        records = world.put_some(world.shards[0], 2)
        world.send(world.event(records))
        world.secure()
        raw = raw_batches.read(world.written()[world.raw_name(records)], "raw")
        for _ in range(attempts):
            document = quarantine.rejected_document(
                raw.batch, [quarantine.Rejection(record, "type: missing") for record in raw.records]
            )
            (again,) = quarantine.batches_in(document, "rejected")
            raw = raw_batches.RawBatch(again, again.records or (), from_stream=False, lost=0)
        key = world.settings.layout.quarantine_key("rejected", world.now().date(), "one")
        world.bucket.write(key, document, "application/json")

    def test_rejected_records_are_secured_again_in_a_folder_of_their_own(self, world: ReplayWorld) -> None:
        self.quarantine(world, attempts=1)
        report = world.secure(source="quarantine")
        assert report.counts["secured"] == 1
        assert len(world.written(f"replay/raw/{world.shards[0]}-retry1/")) == 1
        assert report.lanes == (world.shards[0],)
        assert world.secure(source="quarantine").counts["known"] == 1

    def test_those_that_were_tried_too_often_are_reported_and_not_taken(self, world: ReplayWorld) -> None:
        self.quarantine(world, attempts=world.settings.replay.attempts)
        before = world.written()
        report = world.secure(source="quarantine")
        assert [outcome.state for outcome in report.outcomes] == [State.CAPPED]
        assert report.problems[0].startswith("CAPPED: ")
        assert [(notice.severity, notice.key) for notice in report.notices] == [(Severity.MEDIUM, "replay-capped")]
        assert world.written() == before

    def test_a_message_that_is_understood_by_now_is_secured(self, world: ReplayWorld) -> None:
        records = world.put_some(world.shards[0], 2)
        from dmd_pipeline import quarantine

        document = quarantine.message_document(
            "unknown",
            "text",
            message_id="5f0c1d5e",
            body=json.dumps(world.position(records)),
            attributes={},
            sent=world.now(),
        )
        key = world.settings.layout.quarantine_key("unknown-message", world.now().date(), "5f0c1d5e")
        world.bucket.write(key, document, "application/json")
        assert world.secure(source="quarantine").counts["secured"] == 1
        assert world.secured(records) == data(records)


class TestTheWatch:
    """The event source mapping and CloudWatch's alarm, at every run."""

    def test_an_alarm_that_is_missing_is_made(self, aws: LocalAws, settings: Settings) -> None:
        report = ReplayWorld(aws, settings).secure()
        (alarm,) = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
        assert alarm["AlarmName"] == f"{settings.dead_letter_queue}-age"
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateAgeOfOldestMessage")
        assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": settings.dead_letter_queue}]
        assert alarm["Threshold"] == settings.replay.alarm_age_hours * 3600
        assert alarm["AlarmActions"] == [settings.alerts_topic_arn]
        assert aws.calls.count("cloudwatch:PutMetricAlarm") == 1
        assert "was missing: written" in report.summary[-1]

    def test_an_alarm_that_was_changed_is_put_right(self, world: ReplayWorld) -> None:
        cloudwatch = world.aws.client("cloudwatch")
        cloudwatch.disable_alarm_actions(AlarmNames=[f"{world.settings.dead_letter_queue}-age"])
        report = world.secure()
        assert "different in ActionsEnabled" in report.summary[-1]
        (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
        assert alarm["ActionsEnabled"]

    def test_settings_under_which_the_queue_stays_empty_are_an_alert(self, world: ReplayWorld) -> None:
        world.set_mapping(MaximumRetryAttempts=-1, MaximumRecordAgeInSeconds=-1)
        report = world.secure()
        (notice,) = report.notices
        assert (notice.severity, notice.key) == (Severity.HIGH, "replay-event-source-mapping")
        assert "blocks its shard" in notice.text
        assert report.problems == [], "nothing has failed yet"

    def test_no_mapping_at_all_is_a_finding(self, world: ReplayWorld) -> None:
        client = world.aws.client("lambda")
        (mapping,) = client.list_event_source_mappings()["EventSourceMappings"]
        client.delete_event_source_mapping(UUID=mapping["UUID"])
        world.send(world.position(world.put_some(world.shards[0], 2)))
        report = world.secure()
        assert "no event source mapping" in report.findings[0]
        assert report.counts["secured"] == 1

    def test_an_age_beyond_the_streams_retention_is_an_alert(self, world: ReplayWorld) -> None:
        world.set_mapping(MaximumRetryAttempts=10_000, MaximumRecordAgeInSeconds=7 * 24 * 60 * 60)
        (finding,) = world.secure().findings
        assert "given up by age only after 168 hours" in finding
        assert "--maximum-record-age-in-seconds 21600" in finding

    def test_the_streams_retention_is_asked_for_only_where_it_matters(self, world: ReplayWorld) -> None:
        world.secure()
        assert world.aws.calls.count("kinesis:DescribeStreamSummary") == 0
        world.set_mapping(MaximumRecordAgeInSeconds=24 * 60 * 60)
        world.secure()
        assert world.aws.calls.count("kinesis:DescribeStreamSummary") == 1

    @pytest.mark.parametrize("operation", ["lambda:ListEventSourceMappings", "cloudwatch:DescribeAlarms"])
    def test_what_cannot_be_looked_at_fails_the_run_after_the_rest_is_done(
        self, world: ReplayWorld, operation: str
    ) -> None:
        world.send(world.position(world.put_some(world.shards[0], 2)))
        world.aws.fail(operation, "ThrottlingException")
        report = world.secure()
        assert report.counts["secured"] == 1
        assert len(report.failures) == 1


def test_the_log_follows_a_batch_and_shows_no_data(world: ReplayWorld, log: list[str]) -> None:
    records = world.put(world.shards[0], b'{"phoneNumber": "+15551234567"}', b"secret")
    identifier = world.send(world.position(records))
    world.secure()
    lines = [line for line in log if str(world.batch(records)) in line]
    assert len(lines) == 1
    for told in (f"queue message {identifier}", REQUEST_ID, "2 records", "bytes", "deadline"):
        assert told in lines[0]
    assert any(f"message {identifier} deleted" in line for line in log)
    assert not any("555" in line or "secret" in line for line in log)


@pytest.fixture
def log() -> Any:
    """Lines that the library logs."""
    lines: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, keeper = logging.getLogger("dmd_pipeline"), Keeper()
    level = logger.level
    logger.addHandler(keeper)
    logger.setLevel(logging.INFO)
    yield lines
    logger.removeHandler(keeper)
    logger.setLevel(level)
