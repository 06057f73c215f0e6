"""Converting secured batches: every record once, whatever the worker did before, and nothing before it is certain."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.delivery import Rejected, deliver, errors_document
from dmd_pipeline.errors import StorageError
from dmd_pipeline.failed_batches import DOCUMENTS, StreamRecord
from dmd_pipeline.failures import parse_errors_document
from dmd_pipeline.jobs import conversion, leases
from dmd_pipeline.jobs.lane_reports import COUNTS, LaneReport, State
from dmd_pipeline.jobs.partition_writer import write_partitions
from dmd_pipeline.layout import SETTLED_DONE_TAG, SETTLED_RAW_TAG, replayed_batch
from dmd_pipeline.parameters import DateRange
from dmd_pipeline.partitions import plan
from dmd_pipeline.patience import Patience
from dmd_pipeline.record_types import load_record_types, with_schema
from dmd_pipeline.retention_manifests import Manifest
from tests.integration.jobs.conversion_world import (
    LATER,
    NOON,
    SHARD,
    ConversionWorld,
    invalid,
    traffic,
    valid,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dmd_pipeline.delivery import Group
    from dmd_pipeline.failed_batches import BatchId
    from dmd_pipeline.jobs.lane_reports import BatchReport
    from dmd_pipeline.partitions import Step
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


SOON = NOON + timedelta(minutes=5)
"""When the worker may still be busy with the records."""


@pytest.fixture
def world(aws: LocalAws, settings: Settings) -> ConversionWorld:
    """Tables, and nothing in them."""
    world = ConversionWorld(aws, settings)
    world.create_tables()
    aws.calls.clear()
    return world


def only(report: LaneReport) -> BatchReport:
    [batch] = report.batches
    return batch


def counts(report: LaneReport) -> dict[str, int]:
    """What came of the one batch that was settled."""
    batch = only(report)
    assert batch.state is State.SETTLED, str(batch)
    return {name: count for name, count in batch.counts.items() if count}


def tags(world: ConversionWorld, key: str) -> dict[str, str]:
    found = world.aws.client("s3").get_object_tagging(Bucket=world.settings.bucket, Key=key)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}


class TestOnce:
    def test_a_batch_of_which_nothing_was_delivered_is_written_as_one_delivery_would(
        self, world: ConversionWorld
    ) -> None:
        records = valid(60)
        batch = world.secure(records)
        assert counts(world.convert(now=SOON)) == {"records": 60, "written": 60}
        assert world.rows() == world.clean(records)
        assert world.in_athena(f"replay-{batch.folder}-{batch.start}-{batch.end}.avro") == 60

    @pytest.mark.parametrize("groups", [1, 5, None])
    def test_what_the_worker_wrote_before_it_crashed_is_left_out(
        self, world: ConversionWorld, groups: int | None
    ) -> None:
        records = valid(60)
        rows = world.deliver(records, groups=groups)
        world.secure(records)
        found = counts(world.convert(now=SOON))
        assert (found["delivered"], found.get("written", 0)) == (rows, 60 - rows)
        assert world.rows() == world.clean(records)

    def test_what_the_worker_wrote_later_than_the_mapping_allows_by_now_is_left_out(
        self, world: ConversionWorld
    ) -> None:
        """Age was not limited, and the worker came half-way eight hours later; then somebody has limited it."""
        records = valid(20)
        rows = world.deliver(records, at=NOON + timedelta(hours=8), groups=5)
        world.secure(records)
        found = counts(world.convert(now=NOON + timedelta(hours=8, minutes=10)))
        assert (found["delivered"], found["written"]) == (rows, 20 - rows)
        assert world.rows() == world.clean(records)

    def test_copies_that_the_workers_retries_left_stay_and_none_is_added(self, world: ConversionWorld) -> None:
        records = valid(60)
        for attempt in range(3):
            world.deliver(records, groups=4, at=NOON + timedelta(minutes=attempt))
        before = world.rows()
        world.secure(records)
        world.convert(now=SOON)
        assert world.rows() == before | world.clean(records)

    def test_a_half_that_was_delivered_before_the_other_failed_is_left_out(self, world: ConversionWorld) -> None:
        records = valid(60)
        world.deliver(records, groups=3)  # the whole batch, then halved
        world.deliver(records[:30])
        world.secure(records[30:])
        world.convert(now=SOON)
        assert set(world.rows()) == set(world.clean(records))
        assert world.rows(replayed=True) <= world.clean(records[30:])

    def test_identical_records_are_taken_for_written_as_often_as_they_stand_there(self, world: ConversionWorld) -> None:
        one, *others = valid(10)
        twins = [replace(one, sequence_number=one.sequence_number + 100 + place) for place in range(3)]
        records = [one, *others, *twins]
        world.deliver([one, twins[0]])
        world.secure(records)
        found = counts(world.convert(now=SOON))
        assert (found["delivered"], found["indistinguishable"], found["written"]) == (2, 2, 11)
        assert world.rows() == world.clean(records)

    def test_a_row_that_an_identical_record_of_another_batch_may_have_left_is_counted(
        self, world: ConversionWorld
    ) -> None:
        """The file holds a row of others and lacks some of ours: no attempt at our batch has written it."""
        found = [record for record in valid(120) if groups_of(world, [record]) == groups_of(world, valid(1))]
        ours, stranger = found[:4], found[4]
        twin = replace(ours[1], sequence_number=1)
        world.deliver([twin, stranger])
        batch = world.secure(ours)
        assert counts(world.convert(now=SOON)) == {"records": 4, "written": 3, "delivered": 1, "indistinguishable": 1}
        assert world.rows() == world.clean([*ours, stranger])
        world.bucket.delete(world.settings.layout.done_key(batch))
        world.bucket.delete(world.settings.layout.replay_key(*next(iter(groups_of(world, ours))), batch))
        world.deliver(ours)  # had an attempt written the group, no row would be in doubt
        assert counts(world.convert(now=SOON)) == {"records": 4, "delivered": 4}

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
    def test_ranges_that_overlap_are_written_once_in_any_order_and_again(
        self, world: ConversionWorld, order: Sequence[int]
    ) -> None:
        records = valid(60)
        ranges = [records, records[20:40], records[30:]]
        for _ in range(2):
            for place in order:
                world.secure(ranges[place], size=None if place else 1)
                world.convert()
        assert world.rows() == world.clean(records)

    def test_a_batch_that_is_settled_is_not_open_any_more(self, world: ConversionWorld) -> None:
        world.secure(valid(5))
        world.convert(now=SOON)
        world.aws.calls.clear()
        assert world.convert(now=SOON).batches == ()
        assert dict(world.aws.calls.totals()) == {"s3:PutObject": 1, "s3:ListObjectsV2": 1, "s3:DeleteObject": 1}

    def test_the_workers_own_clock_makes_no_other_row(self, world: ConversionWorld) -> None:
        """Removals, and records without a date, which the worker put into the partition of a later day."""
        records = [record for record in valid(400) if b"REMOVE" in record.data or b'"date"' not in record.data]
        night = NOON.replace(hour=23, minute=59)
        late = [replace(record, arrived=night + timedelta(seconds=place)) for place, record in enumerate(records[:40])]
        assert len(late) == 40
        world.deliver(late, at=night + timedelta(minutes=3))
        world.secure(late)
        found = counts(world.convert(now=night + timedelta(minutes=30)))
        assert found == {"records": 40, "delivered": 40}

    def test_files_of_an_older_worker_are_compared_by_their_own_schema(self, world: ConversionWorld) -> None:
        records = valid(60)
        older = dict(load_record_types())
        demand = dict(older["demand"].schema)
        demand["fields"] = [one for one in demand["fields"] if one["name"] != "artistName"]
        older["demand"] = replace(older["demand"], schema=demand)
        world.deliver(records, record_types=older)
        world.secure(records)
        assert counts(world.convert(now=SOON)) == {"records": 60, "delivered": 60}

    def test_a_catalog_that_lacks_what_others_are_derived_from_is_delivered_to_without_them(
        self, world: ConversionWorld
    ) -> None:
        older = dict(load_record_types())
        demand = dict(older["demand"].schema)
        demand["fields"] = [one for one in demand["fields"] if one["name"] not in {"systemUserId", "system"}]
        older["demand"] = with_schema(older["demand"], demand)
        world.catalog.delete_table("demand")
        world.apply_schemas(older)
        records = [record for record in valid(60) if b"systemUserId" not in record.data]
        world.deliver(records[:10], record_types=older)
        world.secure(records)
        assert counts(world.convert(now=SOON)) == {
            "records": len(records), "delivered": 10, "written": len(records) - 10
        }  # fmt: skip

    def test_files_that_are_not_the_workers_and_empty_objects_are_passed_over(self, world: ConversionWorld) -> None:
        records = valid(20)
        world.deliver(records)
        for stored in list(world.bucket.objects_below(f"{world.settings.prefix}/avro/")):
            folder = stored.key.rpartition("/")[0]
            world.bucket.write(f"{folder}/2026-03-01-12-00-59-empty.avro", b"", "avro/binary")
            world.bucket.write(f"{folder}/notes.txt", b"hello", "text/plain")
        world.secure(records)
        assert counts(world.convert(now=SOON)) == {"records": 20, "delivered": 20}


class TestCertainty:
    def test_records_of_other_batches_in_between_make_a_batch_wait(self, world: ConversionWorld) -> None:
        records = valid(40)
        world.secure(records, size=25)
        waiting = only(world.convert(now=SOON))
        assert waiting.state is State.WAITING_FOR_CERTAINTY
        assert "40 records for a batch of 25" in waiting.why
        assert world.rows() == Counter()
        world.deliver(records[::3], at=SOON)  # the other lane's, meanwhile
        found = counts(world.convert())
        assert (found["delivered"], found["written"]) == (14, 26)
        assert world.rows() == world.clean(records)

    def test_what_the_filter_drops_is_no_reason_to_wait(self, world: ConversionWorld) -> None:
        records = traffic(300, seed=2)
        dropped = filtered(world, records)
        assert dropped > 0
        world.secure(records, size=300 - dropped)
        assert counts(world.convert(now=SOON))["filtered"] == dropped

    def test_a_range_of_unknown_size_waits(self, world: ConversionWorld) -> None:
        records = valid(5)
        world.secure(records, size=0)
        assert only(world.convert(now=SOON)).state is State.WAITING_FOR_CERTAINTY

    def test_without_a_maximum_age_a_batch_waits_for_the_streams_retention(self, world: ConversionWorld) -> None:
        client = world.aws.client("lambda")
        (mapping,) = client.list_event_source_mappings()["EventSourceMappings"]
        client.update_event_source_mapping(UUID=mapping["UUID"], MaximumRecordAgeInSeconds=-1)
        world.secure(valid(5), size=1)
        assert only(world.convert(now=NOON + timedelta(hours=23))).state is State.WAITING_FOR_CERTAINTY
        assert only(world.convert(now=NOON + timedelta(hours=25))).state is State.SETTLED


def filtered(world: ConversionWorld, records: Iterable[StreamRecord]) -> int:
    mapping = world.environment.functions.mapping(world.settings.function, world.settings.stream_arn)
    return sum(not mapping.event_filter.passes(record.data, record.partition_key) for record in records)


class TestQuarantine:
    def test_rejected_records_are_kept_byte_for_byte_and_encrypted(self, world: ConversionWorld) -> None:
        records = traffic(400, seed=2)
        batch = world.secure(records, size=1)
        found = counts(world.convert())
        [kept] = world.quarantined()
        assert (kept.size, kept.attempts) == (found["quarantined"], 1)
        originals = {record.data for record in records}
        assert {record.data for record in kept.records or ()} <= originals
        assert sum(found[name] for name in ("written", "filtered", "quarantined")) == found["records"] == 400
        key = only_key(world, "quarantine/")
        assert key == f"quarantine/rejected/2026-03-01/{batch.folder}-{batch.start}-{batch.end}.json"
        head = world.aws.client("s3").head_object(Bucket=world.settings.bucket, Key=f"{world.settings.prefix}/{key}")
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", world.settings.kms_key_arn)

    def test_a_retry_after_the_schema_was_mended_brings_the_rows_once(self, world: ConversionWorld) -> None:
        good, bad = valid(10), replace(valid(11)[10], data=pigeon(world))
        bad = replace(bad, sequence_number=good[-1].sequence_number + 1)
        world.secure([*good, bad])
        assert counts(world.convert(now=SOON))["quarantined"] == 1
        mended = dict(load_record_types())
        mended["demand"] = replace(mended["demand"], schema=with_symbol(mended["demand"].schema, "pigeon"))
        world.apply_schemas(mended)
        world.record_types = mended
        for _ in range(2):
            [retry] = world.quarantined()
            world.secure_brought(retry)
            world.convert()
        assert world.rows() == world.clean([*good, bad])
        assert world.quarantined()[0].id.folder == f"{SHARD}-retry1"


class TestErrors:
    """What the worker has put into errors/ is not put into quarantine as well."""

    def test_invalid_records_of_another_lane_stay_in_errors(self, world: ConversionWorld) -> None:
        records = [*valid(4), invalid(90_000), invalid(90_001)]
        records[-1] = replace(records[-1], data=records[-1].data + b" ")
        world.secure(records, size=5)
        world.reject(records[-1])
        report = only(world.convert())
        assert {name: count for name, count in report.counts.items() if count} == {
            "records": 6,
            "written": 4,
            "in_errors": 1,
            "quarantined": 1,
        }
        [kept] = world.quarantined()
        assert [record.sequence_number for record in kept.records or ()] == [90_000]
        assert "1 in errors, 1 quarantined" in str(report)

    def test_what_failed_attempts_have_rejected_stays_there_however_often(self, world: ConversionWorld) -> None:
        records = [*valid(4), invalid(90_000)]
        world.secure(records)
        for minute in range(1, 4):
            world.reject(records[-1], at=NOON + timedelta(minutes=minute))
        assert counts(world.convert(now=SOON))["in_errors"] == 1
        assert world.quarantined() == []

    def test_a_record_in_errors_stands_for_one_of_several_identical_ones(self, world: ConversionWorld) -> None:
        world.secure([invalid(number) for number in (1, 2, 3)], size=1)
        world.reject(invalid(1), invalid(1))
        found = counts(world.convert())
        assert (found["in_errors"], found["quarantined"]) == (2, 1)
        [kept] = world.quarantined()
        assert [record.sequence_number for record in kept.records or ()] == [3]

    def test_what_was_rejected_before_it_came_is_another_record(self, world: ConversionWorld) -> None:
        world.secure([invalid(1)])
        world.reject(invalid(1), at=NOON - timedelta(hours=1))
        assert "in_errors" not in counts(world.convert())

    def test_what_was_rejected_later_than_the_mapping_allows_by_now_is_the_same_record(
        self, world: ConversionWorld
    ) -> None:
        """The age was unlimited then, and somebody has limited it since."""
        world.secure([invalid(1)])
        world.reject(invalid(1), at=NOON + timedelta(hours=8))
        assert counts(world.convert()) == {"records": 1, "in_errors": 1}

    def test_what_comes_from_errors_and_from_quarantine_is_not_left_in_errors(self, world: ConversionWorld) -> None:
        world.secure([invalid(1)], folder="errors-2026-03-01-12-00-00-a")
        world.secure([invalid(1)], folder=f"{SHARD}-retry1", attempts=1)
        world.reject(invalid(1))
        for lane in (DOCUMENTS, SHARD):
            assert counts(world.convert(lane)) == {"records": 1, "quarantined": 1}

    def test_ranges_that_overlap_leave_the_same_record_there(self, world: ConversionWorld) -> None:
        world.secure([invalid(1), invalid(2)], size=1)
        world.secure([invalid(1), invalid(2), invalid(3)], size=1)
        world.reject(invalid(1))
        world.reject(invalid(1), invalid(1), at=NOON - timedelta(minutes=6))
        found = world.convert().counts
        assert (found["in_errors"], found["quarantined"]) == (2, 3), "one in each, for the later file is too old"

    @pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"timestamp": "2026-03-01T12:00:00Z", "events": [7]}'])
    def test_a_damaged_document_stops_a_batch_with_invalid_records_and_no_other(
        self, world: ConversionWorld, content: bytes
    ) -> None:
        bad, good = world.secure([invalid(1)]), world.secure(valid(3))
        key = world.reject(invalid(1))
        world.bucket.write(key, content, "application/json")
        report = world.convert()
        states = {batch.batch: batch.state for batch in report.batches}
        assert states == {bad: State.FAILED, good: State.SETTLED}
        assert f"{key.removeprefix(world.settings.prefix + '/')} is no document of invalid records" in str(
            report.failed
        )
        assert world.quarantined() == []
        world.aws.client("s3").delete_object(Bucket=world.settings.bucket, Key=key)
        assert counts(world.convert()) == {"records": 1, "quarantined": 1}

    def test_a_dry_run_counts_them_as_well(self, world: ConversionWorld) -> None:
        world.secure([*valid(2), invalid(90_000)])
        world.reject(invalid(90_000))
        planned = only(world.convert(dry_run=True))
        assert (planned.counts["in_errors"], planned.counts["quarantined"]) == (1, 0)

    def test_the_files_are_listed_once_and_read_once(self, world: ConversionWorld) -> None:
        for number in range(5):
            world.secure([invalid(number)])
        for minute in (1, 2, 3):
            world.reject(replace(invalid(0), data=invalid(0).data + b" " * minute), at=NOON + timedelta(minutes=minute))
        world.aws.calls.clear()
        assert world.convert().counts["quarantined"] == 5
        totals = world.aws.calls.totals()
        assert totals["s3:ListObjectsV2"] == 1 + 1, "the work list, and errors/"
        assert totals["s3:GetObject"] == 1 + 5 + 3, "the lease on documents, raw files, errors/"


def only_key(world: ConversionWorld, prefix: str) -> str:
    [key] = [key for key in world.contents() if key.startswith(prefix)]
    return key


def pigeon(world: ConversionWorld) -> bytes:
    """A demand with a symbol that its schema lacks."""
    for record in valid(200):
        document = json.loads(record.data)
        image = document["dynamodb"].get("NewImage", {})
        if image.get("type") == {"S": "demand"}:
            image["contactMethod"] = {"S": "pigeon"}
            return json.dumps(document).encode()
    raise AssertionError(world)


def with_symbol(schema: Any, symbol: str) -> Any:
    text = json.dumps(schema)
    assert '["sms", "email"]' in text
    return json.loads(text.replace('["sms", "email"]', f'["sms", "email", "{symbol}"]'))


class TestSchemas:
    def test_a_record_that_needs_a_newer_schema_waits_until_the_catalog_has_it(self, world: ConversionWorld) -> None:
        record = replace(valid(1)[0], data=pigeon(world))
        newer = dict(load_record_types())
        newer["demand"] = replace(newer["demand"], schema=with_symbol(newer["demand"].schema, "pigeon"))
        world.record_types = newer
        world.secure([record])
        waiting = only(world.convert(now=SOON))
        assert waiting.state is State.WAITING_FOR_SCHEMA
        assert "table demand: contactMethod fits only the newer schema" in waiting.why
        assert [key for key in world.contents() if not key.startswith("replay/raw/")] == []
        world.apply_schemas(newer)
        assert counts(world.convert(now=SOON)) == {"records": 1, "written": 1}

    def test_records_that_need_nothing_new_do_not_wait(self, world: ConversionWorld) -> None:
        newer = dict(load_record_types())
        newer["demand"] = replace(newer["demand"], schema=with_symbol(newer["demand"].schema, "pigeon"))
        world.record_types = newer
        world.secure(valid(30))
        assert counts(world.convert(now=SOON)) == {"records": 30, "written": 30}

    def test_a_table_under_change_makes_its_batches_wait(self, world: ConversionWorld) -> None:
        records = valid(30)
        world.secure(records)
        world.set_table_parameters("demand", **{"dmd.change": '{"id": "someone", "columns": null}'})
        waiting = only(world.convert(now=SOON))
        assert (waiting.state, waiting.why) == (State.WAITING_FOR_SCHEMA, "table demand is under change someone")
        assert world.rows() == Counter()

    def test_a_missing_table_makes_its_batches_wait(self, world: ConversionWorld) -> None:
        world.secure(valid(30))
        world.catalog.delete_table("demand")
        waiting = only(world.convert(now=SOON))
        assert waiting.state is State.WAITING_FOR_SCHEMA
        assert "table demand: the catalog has no such table" in waiting.why

    @pytest.mark.parametrize(
        "literal", ["no JSON", '{"type": "record", "name": "r", "fields": [{"name": "type", "type": "string"}]}']
    )
    def test_a_table_whose_schema_takes_no_rows_makes_its_batches_wait_and_no_others(
        self, world: ConversionWorld, literal: str
    ) -> None:
        records = valid(30)
        demands = [one for one in records if {"demand"} == {table for table, _ in groups_of(world, [one])}]
        others = [one for one in records if one not in demands]
        waiting, settled = world.secure(demands), world.secure(others)
        world.set_table_parameters("demand", **{"avro.schema.literal": literal})
        states = {report.batch: report.state for report in world.convert(now=SOON).batches}
        assert states == {waiting: State.WAITING_FOR_SCHEMA, settled: State.SETTLED}


class TestSettled:
    def test_only_what_is_settled_carries_the_tags_by_which_it_may_expire(self, world: ConversionWorld) -> None:
        settled, waiting = world.secure(valid(4)), world.secure(valid(4, first=2000), size=1)
        states = {one.batch: one.state for one in world.convert(now=SOON).batches}
        assert states == {settled: State.SETTLED, waiting: State.WAITING_FOR_CERTAINTY}
        layout = world.settings.layout
        assert tags(world, layout.raw_key(settled)) == dict([SETTLED_RAW_TAG])
        assert tags(world, layout.done_key(settled)) == dict([SETTLED_DONE_TAG])
        assert tags(world, layout.raw_key(waiting)) == {}

    def test_a_batch_whose_raw_file_cannot_be_tagged_stays_open(self, world: ConversionWorld) -> None:
        batch = world.secure(valid(4))
        world.aws.fail("s3:PutObjectTagging", "AccessDenied", status=403)
        report = only(world.convert(now=SOON))
        assert (report.state, "AccessDenied" in report.why) == (State.FAILED, True)
        assert world.bucket.find(world.settings.layout.done_key(batch)) is None
        assert counts(world.convert(now=SOON)) == {"records": 4, "written": 4}

    def test_the_partitions_are_registered_and_the_done_document_says_all(self, world: ConversionWorld) -> None:
        records = traffic(400, seed=2)
        rows = world.deliver(records, groups=5)
        batch = world.secure(records, size=1)
        report = world.convert()
        done = json.loads(world.bucket.read(world.settings.layout.done_key(batch)))
        replayed = world.rows(replayed=True).total()
        quarantined = sum(one.size or 0 for one in world.quarantined())
        assert done["counts"]["written"] == replayed == world.in_athena("replay-%")
        assert done["counts"]["delivered"] == rows
        assert done["counts"]["quarantined"] == quarantined
        assert done["counts"]["filtered"] == filtered(world, records)
        assert replayed + rows + quarantined + filtered(world, records) == len(records)
        keys = [key for key in world.contents() if replayed_batch(key.rpartition("/")[2])]
        assert sorted(done["files"]) == sorted(f"{world.settings.prefix}/{key}" for key in keys)
        for table, days in done["partitions"].items():
            assert set(days) <= world.held(table).keys()
        assert {table: set(days) for table, days in report.partition_keys.items()} == {
            table: {key.split("=")[1].split("/")[0] for key in keys if f"/{table}/" in key}
            for table in {key.split("/")[1] for key in keys}
        }
        assert done["settled_by"] == "run"

    def test_a_partition_that_cannot_be_registered_leaves_the_batch_open(self, world: ConversionWorld) -> None:
        world.secure(valid(10))
        world.aws.fail("glue:BatchCreatePartition", "InternalServiceException", status=500)
        failed = only(world.convert(now=SOON))
        assert failed.state is State.FAILED
        assert failed.why.startswith("not registered: ")
        assert counts(world.convert(now=SOON)) == {"records": 10, "written": 10}
        assert world.in_athena() == 10

    def test_a_partition_of_a_table_that_comes_under_change_meanwhile_is_registered_as_the_change_wants_it(
        self, world: ConversionWorld
    ) -> None:
        columns = [{"Name": "type", "Type": "string"}]
        records = [record for record in valid(40) if b'{"S": "demand"}' in record.data][:5]

        def change(params: dict[str, Any], **_event: Any) -> None:
            if params["url_path"].endswith(".avro"):
                mark = {"id": "someone", "columns": columns}
                world.set_table_parameters("demand", **{"dmd.change": json.dumps(mark)})

        world.secure(records)
        world.bucket._client.meta.events.register_first("before-call.s3.PutObject", change)
        assert counts(world.convert(now=SOON)) == {"records": 5, "written": 5}
        held = world.held("demand")
        assert set(held) == {str(day) for _, day in groups_of(world, records)}
        assert {one["Name"] for each in held.values() for one in each["StorageDescriptor"]["Columns"]} == {"type"}

    def test_a_partition_that_is_registered_elsewhere_is_left_to_who_registers(self, world: ConversionWorld) -> None:
        records = valid(1)
        [group] = groups_of(world, records)
        register(world, [group])
        world.change_partition(*group, Location="s3://elsewhere/")
        before = world.held(group[0])
        world.secure(records)
        assert counts(world.convert(now=SOON)) == {"records": 1, "written": 1}
        assert world.held(group[0]) == before

    def test_a_partition_that_has_expired_gets_the_rows_and_is_not_registered_again(
        self, world: ConversionWorld, caplog: pytest.LogCaptureFixture
    ) -> None:
        records = valid(6)
        (table, day), *others = sorted(groups_of(world, records))
        manifest = Manifest(
            table=table,
            partition_date=day,
            definition={"Values": [str(day)]},
            objects=(),
            rows=0,
            dropped_at=NOON,
            dropped_by="run",
            grace_days=14,
        )
        world.bucket.write(world.settings.layout.manifest_key(table, day), manifest.content(), "application/json")
        world.secure(records)
        assert counts(world.convert(now=SOON)) == {"records": 6, "written": 6}
        held = {(name, value) for name in world.record_types for value in world.held(name)}
        assert held == {(name, str(other)) for name, other in others}
        assert f"{table}/partition_date={day} has rows of a replay and is not registered" in caplog.text

    def test_dates_of_files_that_a_killed_run_wrote_become_partition_keys_when_the_batch_is_settled(
        self, world: ConversionWorld
    ) -> None:
        records = valid(10)
        world.deliver(records, groups=1)
        batch = world.secure(records)
        first = world.convert(now=SOON).partition_keys
        assert sum(map(len, first.values())) == len(groups_of(world, records)) - 1
        world.bucket.delete(world.settings.layout.done_key(batch))  # it was killed before it was settled
        assert world.convert(now=SOON, run_id="another").partition_keys == first

    def test_a_damaged_raw_file_stops_its_batch_and_no_other(self, world: ConversionWorld) -> None:
        bad, good = world.secure(valid(3)), world.secure(valid(3, seed=2, first=9000))
        world.bucket.write(world.settings.layout.raw_key(bad), b"no raw file", "application/gzip")
        reports = {report.batch: report for report in world.convert(now=SOON).batches}
        assert reports[bad].state is State.FAILED
        assert "is no raw file, or a damaged one" in reports[bad].why
        assert reports[good].state is State.SETTLED

    def test_a_damaged_header_of_a_replayed_file_stops_its_batch(self, world: ConversionWorld) -> None:
        records = valid(1)
        [group] = groups_of(world, records)
        batch = world.secure(records)
        key = world.settings.layout.replay_key(*group, batch)
        world.bucket.write(key, b"Obj\x01", "avro/binary")
        failed = only(world.convert(now=SOON))
        assert failed.state is State.FAILED
        assert f"{key} cannot be compared with" in failed.why

    def test_a_damaged_file_stops_its_batch_and_no_other(self, world: ConversionWorld) -> None:
        one = valid(1)
        other = [
            record for record in valid(20, seed=7, first=5000) if groups_of(world, [record]) != groups_of(world, one)
        ]
        other = other[:1]
        world.deliver(one)
        [stored] = world.bucket.objects_below(f"{world.settings.prefix}/avro/")
        world.bucket.write(stored.key, b"Obj\x01damaged", "avro/binary")
        first, second = world.secure(one), world.secure(other)
        reports = {report.batch: report for report in world.convert(now=SOON).batches}
        assert reports[first].state is State.FAILED
        assert f"{stored.key} cannot be compared with" in reports[first].why
        assert reports[second].state is State.SETTLED

    def test_a_dry_run_writes_nothing_and_tells_the_same_counts(self, world: ConversionWorld) -> None:
        world.secure(traffic(200, seed=2), size=1)
        before = world.contents()
        planned = only(world.convert(dry_run=True))
        assert planned.state is State.PLANNED
        assert world.contents() == before
        assert not any(world.held(table) for table in world.record_types)
        assert only(world.convert()).counts == planned.counts

    def test_a_row_that_its_file_lacks_goes_to_quarantine(self, world: ConversionWorld) -> None:
        """An attempt that was killed had found the row delivered; since then somebody removed the worker's file."""
        records = valid(2)
        records = [records[0], replace(records[0], sequence_number=records[0].sequence_number + 1)]
        world.deliver(records[:1])
        batch = world.secure(records)
        world.convert(now=SOON)
        world.bucket.delete(world.settings.layout.done_key(batch))
        for stored in list(world.bucket.objects_below(f"{world.settings.prefix}/avro/")):
            if replayed_batch(stored.key.rpartition("/")[2]) is None:
                world.bucket.delete(stored.key)
        found = counts(world.convert(now=SOON))
        assert found == {"records": 2, "written": 1, "quarantined": 1}
        world.secure_brought(world.quarantined()[0])
        world.convert()
        assert world.rows() == world.clean(records)

    @pytest.mark.parametrize("change", [lambda numbers: numbers[1:], lambda numbers: [*numbers, 1]])
    def test_a_batch_whose_records_do_not_add_up_stays_open(
        self, world: ConversionWorld, monkeypatch: pytest.MonkeyPatch, change: Callable[[list[int]], list[int]]
    ) -> None:
        """A defect: one of them would be nowhere, or one in two places."""
        batch = world.secure(valid(4))
        convert_group = conversion.BatchConverter._convert_group
        changed: list[object] = []

        def miscount(self: conversion.BatchConverter, work: Any, group: Group) -> Any:
            placed = convert_group(self, work, group)
            if changed:
                return placed
            changed.append(group)
            return replace(placed, written=frozenset(change(sorted(placed.written))))

        with monkeypatch.context() as patched:
            patched.setattr(conversion.BatchConverter, "_convert_group", miscount)
            report = only(world.convert(now=SOON))
        assert report.state is State.FAILED
        assert "of its 4 records are accounted for; it stays open, whole" in report.why
        assert world.bucket.find(world.settings.layout.done_key(batch)) is None
        assert only(world.convert(now=SOON)).state is State.SETTLED


class TestLanes:
    def test_a_lane_that_another_run_converts_is_left_to_it(self, world: ConversionWorld) -> None:
        world.secure(valid(5))
        key = world.settings.layout.lease_key(SHARD)
        assert leases.take(world.bucket, key, "another", SOON) is None
        report = world.convert(now=SOON)
        assert report.busy == "another, until 2026-03-01T13:05:00.000Z at the latest"
        assert world.rows() == Counter()
        assert world.convert(now=SOON, run_id="another").batches[0].state is State.SETTLED

    def test_a_run_whose_process_lives_on_beside_its_own_retry_writes_nothing_twice(
        self, world: ConversionWorld
    ) -> None:
        """Airflow took it for dead. Both hold the lease, for it is the run's; each file is written by one of them."""
        records = valid(12)
        world.secure(records[:8])
        world.secure(records[4:])
        client = world.bucket._client
        replayed = f"{world.settings.prefix}/avro/"
        retried: list[LaneReport] = []

        def retry(params: dict[str, Any], **_event: Any) -> None:
            if replayed in params["url_path"] and not retried:
                retried.append(LaneReport(SHARD))
                retried[0] = world.convert(now=SOON)

        client.meta.events.register("before-call.s3.PutObject", retry)
        mine = world.convert(now=SOON)
        for report in (retried[0], mine):
            assert [sorted(one.counts.items()) for one in report.batches] == [
                sorted({**dict.fromkeys(COUNTS, 0), "records": 8, "written": 8}.items()) for _ in range(2)
            ]
        assert world.rows() == world.clean(records)

    def test_a_lease_that_nobody_can_read_is_told(self, world: ConversionWorld) -> None:
        key = world.settings.layout.lease_key(SHARD)
        world.bucket.write(key, b"{}", "application/json")
        with pytest.raises(StorageError, match=rf"{key} is no lease .* remove it"):
            world.convert(now=SOON)

    def test_a_lease_that_has_ended_is_taken_over(self, world: ConversionWorld) -> None:
        world.secure(valid(5))
        leases.take(world.bucket, world.settings.layout.lease_key(SHARD), "killed", SOON)
        assert world.convert(now=SOON + timedelta(minutes=59)).busy
        assert counts(world.convert(now=SOON + timedelta(minutes=61))) == {"records": 5, "written": 5}

    def test_each_lane_converts_its_own(self, world: ConversionWorld) -> None:
        other = "shardId-000000000001"
        world.secure(valid(5))
        world.secure(valid(5, seed=2), folder=other)
        assert [str(one.batch.lane) for one in world.convert(now=SOON).batches] == [SHARD]
        assert [str(one.batch.lane) for one in world.convert(other, now=SOON).batches] == [other]
        assert world.rows().total() == 10

    def test_documents_are_converted_once_whether_they_came_by_their_shard_or_not(self, world: ConversionWorld) -> None:
        """A record that was rejected, lies in errors/ by the crash of the worker, and in quarantine by the replay."""
        records = valid(8)
        document = errors_document([Rejected(record.data, "x") for record in records], SOON)
        brought = parse_errors_document(document, "2026-03-01-12-05-00-a")
        world.secure_brought(brought)
        assert counts(world.convert(DOCUMENTS)) == {"records": 8, "written": 8}
        world.secure(records)
        assert counts(world.convert()) == {"records": 8, "delivered": 8}
        world.secure_brought(parse_errors_document(document, "2026-03-01-12-05-00-b"))
        assert counts(world.convert(DOCUMENTS)) == {"records": 8, "delivered": 8}
        assert world.rows() == world.clean(records)

    @pytest.mark.parametrize("first", [SHARD, DOCUMENTS])
    def test_a_record_that_came_by_its_shard_and_in_a_document_is_written_once_by_two_lanes_at_once(
        self, world: ConversionWorld, first: str
    ) -> None:
        records = valid(4)
        second = DOCUMENTS if first == SHARD else SHARD
        world.secure(records)
        document = errors_document([Rejected(record.data, "x") for record in records], SOON)
        world.secure_brought(parse_errors_document(document, "2026-03-01-12-05-00-a"))
        reports: list[LaneReport] = []

        def convert_the_other(params: dict[str, Any], **_event: Any) -> None:
            if params["url_path"].endswith(".avro") and not reports:
                reports.append(LaneReport(second))
                reports[0] = world.convert(second)

        world.bucket._client.meta.events.register("before-call.s3.PutObject", convert_the_other)
        assert counts(world.convert(first)) == {"records": 4, "written": 4}
        assert [report.busy for report in reports] == ["run, until 2026-03-02T01:00:00.000Z at the latest"]
        assert world.pauses, "the second one waited a while"
        assert counts(world.convert(second)) == {"records": 4, "delivered": 4}
        assert world.rows() == world.clean(records)

    def test_documents_wait_until_a_shard_is_converted(self, world: ConversionWorld) -> None:
        records = valid(4)
        world.secure(records)
        document = errors_document([Rejected(record.data, "x") for record in records], SOON)
        world.secure_brought(parse_errors_document(document, "2026-03-01-12-05-00-a"))
        key = world.settings.layout.lease_key(SHARD)
        assert leases.take(world.bucket, key, "another", LATER) is None
        world.patience = Patience(sleep=lambda _: leases.give_back(world.bucket, key))
        assert counts(world.convert(DOCUMENTS)) == {"records": 4, "written": 4}

    def test_a_shard_waits_until_documents_are_converted_and_holds_nothing_meanwhile(
        self, world: ConversionWorld
    ) -> None:
        world.secure(valid(4))
        documents = world.settings.layout.lease_key(DOCUMENTS)
        assert leases.take(world.bucket, documents, "another", LATER) is None
        held_meanwhile: list[object] = []

        def end_of_documents(_: float) -> None:
            held_meanwhile.append(world.bucket.find(world.settings.layout.lease_key(SHARD)))
            leases.give_back(world.bucket, documents)

        world.patience = Patience(sleep=end_of_documents)
        assert counts(world.convert()) == {"records": 4, "written": 4}
        assert held_meanwhile == [None]

    def test_a_lane_that_is_cut_off_has_settled_what_it_did_before(
        self, world: ConversionWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(conversion, "_SETTLED_TOGETHER", 2)
        records = valid(5)
        batches = [world.secure([record]) for record in records]
        convert_secured = conversion.BatchConverter.convert_secured

        def cut_off(self: conversion.BatchConverter, batch: BatchId) -> BatchReport:
            if batch == batches[3]:
                raise KeyboardInterrupt
            return convert_secured(self, batch)

        with monkeypatch.context() as patched:
            patched.setattr(conversion.BatchConverter, "convert_secured", cut_off)
            with pytest.raises(KeyboardInterrupt):
                world.convert(now=SOON)
        done = [world.bucket.find(world.settings.layout.done_key(batch)) is not None for batch in batches]
        assert done == [True, True, False, False, False]
        assert [one.state for one in world.convert(now=SOON).batches] == [State.SETTLED] * 3
        assert world.rows() == world.clean(records)

    def test_a_lease_on_documents_that_has_ended_keeps_no_shard_out(self, world: ConversionWorld) -> None:
        world.secure(valid(4))
        leases.take(world.bucket, world.settings.layout.lease_key(DOCUMENTS), "killed", NOON)
        assert world.convert(now=NOON + timedelta(minutes=59)).busy is not None
        assert counts(world.convert(now=NOON + timedelta(minutes=61))) == {"records": 4, "written": 4}


@pytest.mark.parametrize(("batches", "size", "delivered"), [(1, 20, 0), (3, 20, 0), (1, 40, 4)])
def test_the_calls_are_those_of_the_formula(world: ConversionWorld, batches: int, size: int, delivered: int) -> None:
    listed: set[Group] = set()
    lists, files = 0, 0
    for number in range(batches):
        records = valid(size, seed=number, first=1000 * (number + 1))
        groups = groups_of(world, records)
        world.deliver(records, groups=delivered)
        world.secure(records)
        lists += len({table for table, _ in groups - listed})  # the folders of a table that are new are listed together
        files += len(groups) - delivered
        listed |= groups
    register(world, listed)
    world.aws.calls.clear()
    world.convert(now=SOON)
    assert dict(world.aws.calls.totals()) == {
        "s3:PutObject": 1 + files + batches,
        "s3:PutObjectTagging": batches,
        "s3:DeleteObject": 1,
        "s3:GetObject": 1 + batches + delivered,
        "s3:ListObjectsV2": 1 + lists,
        "lambda:ListEventSourceMappings": 1,
        "glue:GetTable": len(world.record_types),
        "glue:BatchGetPartition": len({table for table, _ in listed}),
    }


@pytest.mark.parametrize("batches", [1, 3, 12])
def test_beyond_reading_and_writing_the_data_a_batch_costs_at_most_eight_calls(
    world: ConversionWorld, batches: int
) -> None:
    """From the third batch of a lane on: what the lane costs is shared."""
    records = valid(10)
    groups = groups_of(world, records)
    for number in range(batches):
        first = 1000 * (number + 1)
        world.secure([replace(one, sequence_number=first + place) for place, one in enumerate(records)])
    register(world, groups)
    world.aws.calls.clear()
    world.convert(now=SOON)
    data = batches + batches * len(groups)
    beyond = sum(world.aws.calls.totals().values()) - data
    tables = len({table for table, _ in groups})
    assert beyond == 5 + len(world.record_types) + 2 * tables + 2 * batches
    assert beyond <= 8 * batches or batches < 3


def test_what_is_out_of_the_ordinary_costs_what_the_formula_says(world: ConversionWorld) -> None:
    records = traffic(200, seed=2)
    groups = groups_of(world, [record for record in records if record.sequence_number < records[100].sequence_number])
    first = world.secure(records[:100], size=1)
    world.aws.calls.clear()
    assert only(world.convert(now=SOON)).state is State.WAITING_FOR_CERTAINTY
    waited = Counter(world.aws.calls.totals())
    assert waited == {
        "s3:PutObject": 1,
        "s3:ListObjectsV2": 1,
        "s3:GetObject": 2,
        "s3:DeleteObject": 1,
        "lambda:ListEventSourceMappings": 1,
        "lambda:GetFunctionConfiguration": 1,
        "glue:GetTable": len(world.record_types),
    }
    tables = len({table for table, _ in groups})
    world.aws.calls.clear()
    report = only(world.convert())
    assert Counter(world.aws.calls.totals()) - waited == {
        "s3:PutObject": len(report.files) + 2,  # what was rejected, and the done document
        "s3:PutObjectTagging": 1,
        "s3:ListObjectsV2": 2 * tables + 1,  # folders, manifests of what has expired, and errors/ for what was rejected
        "glue:BatchGetPartition": 2 * tables,  # what was created is read back
        "glue:GetTable": tables,
        "glue:BatchCreatePartition": tables,
    }
    overlapping = world.secure(records[50:100], size=1)
    files = {key for key in report.files if parts_of(world, key) in groups_of(world, records[50:100])}
    world.aws.calls.clear()
    again = only(world.convert())
    assert again.batch == overlapping != first
    assert set(again.files) == files
    assert Counter(world.aws.calls.totals()) - waited == {
        "s3:GetObject": len(files),  # the headers of what the first one wrote
        "s3:PutObject": 2,
        "s3:PutObjectTagging": 1,
        "s3:ListObjectsV2": len({parts_of(world, key)[0] for key in files}) + 1,
        "glue:BatchGetPartition": len({parts_of(world, key)[0] for key in files}),
    }


def parts_of(world: ConversionWorld, key: str) -> Group:
    """Table and date of a file."""
    _, table, folder, _ = key.removeprefix(f"{world.settings.prefix}/").split("/")
    return table, date.fromisoformat(folder.partition("=")[2])


def register(world: ConversionWorld, groups: Iterable[Group]) -> None:
    """Register partitions whatever lies in them."""
    steps: dict[str, list[Step]] = {}
    for table, day in sorted(groups):
        [step] = plan(
            world.catalog.table(table),
            world.settings.layout,
            found=[f"partition_date={day}/"],
            registered=(),
            ahead=(),
            dates=DateRange(),
        ).add
        steps.setdefault(table, []).append(step)
    for table, missing in steps.items():
        assert write_partitions(world.catalog, table, missing).failed == {}


def groups_of(world: ConversionWorld, records: Sequence[StreamRecord]) -> set[Group]:
    return set(deliver((record.data for record in records), world.record_types, now=NOON).groups)


def test_nothing_is_left_to_do_for_a_lane_without_open_batches(world: ConversionWorld) -> None:
    assert world.convert(now=LATER).as_data()["summary"] == []
