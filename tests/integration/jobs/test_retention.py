"""Retention against the local AWS: what leaves the catalog, what it cost, and that it comes back row by row."""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.errors import ManifestError, ParameterError, PartitionsFailedError, SettingsError, StorageError
from dmd_pipeline.hive import partition_input
from dmd_pipeline.jobs import drop_expired_partitions, leases, restore_partitions, retention_store
from dmd_pipeline.jobs.drop_expired_partitions import Dropper
from dmd_pipeline.jobs.partition_contents import PartitionContents
from dmd_pipeline.jobs.quality_store import QualityStore
from dmd_pipeline.jobs.restore_partitions import Restorer
from dmd_pipeline.jobs.retention_store import Manifests
from dmd_pipeline.parameters import consecutive
from dmd_pipeline.retention_summaries import Known
from dmd_pipeline.settings import Hold, TableRetention
from tests.integration.jobs import job_processes
from tests.integration.jobs.conftest import workgroup
from tests.integration.jobs.conversion_world import ConversionWorld, valid
from tests.unit.results_of import result as result_of


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from dmd_pipeline.aws.s3 import DeletedObject
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


NOW = datetime(2026, 9, 1, 3, tzinfo=UTC)
"""More than a hundred days after the traffic of the tests."""
CUTOFF = NOW.date() - timedelta(days=100)


class RetentionWorld(ConversionWorld):
    """The local AWS with delivered rows and registered partitions, and rules for the table ``demand``."""

    before: tuple[list[str], Counter[str], dict[str, str]]
    """What a test begins with: old dates, rows by date, objects."""

    def __init__(self, aws: LocalAws, settings: Settings) -> None:
        super().__init__(aws, settings)
        self.create_tables()
        self.deliver(valid(18))
        self.register(today=NOW.date())
        self.rules()
        self.aws.calls.clear()

    def rules(self, table: str = "demand", **changes: Any) -> None:
        wanted = {"retention_days": 100, "mode": "enforce", "max_share_per_run": 1.0, **changes}
        rules = self.settings.retention.model_copy(update={"tables": {table: TableRetention(**wanted)}})
        self.settings = self.settings.model_copy(update={"retention": rules})

    def dropper(self, now: datetime = NOW, approved: Mapping[str, str] | None = None) -> Dropper:
        return Dropper(self.settings, self.catalog, self.bucket, "run", approved or {}, lambda: now, self.patience)

    def drop(
        self, now: datetime = NOW, *, dry_run: bool = False, approved: Mapping[str, str] | None = None
    ) -> list[str]:
        """Run the job on ``demand``; its summary."""
        dropper = self.dropper(now, approved)
        report = drop_expired_partitions.run(dropper, self.record_types, tables=["demand"], dry_run=dry_run)
        json.dumps(report.as_data())
        return report.summary

    def drop_with_approval(self, now: datetime = NOW) -> list[str]:
        return self.drop(now, approved={"demand": self.dropper(now).plan("demand").digest})

    def restore(self, now: datetime = NOW, *, dry_run: bool = False, **dates: Any) -> restore_partitions.Report:
        restorer = Restorer(
            self.settings,
            self.catalog,
            self.bucket,
            lambda: workgroup(self.settings),
            "run",
            now=lambda: now,
            patience=self.patience,
        )
        asked = {"from_date": None, "to_date": None, **dates}
        report = restore_partitions.run(restorer, self.record_types, tables=["demand"], dry_run=dry_run, **asked)
        json.dumps(report.as_data())
        return report

    def give_verdicts(self, rows: int | None, *days: str) -> None:
        """Say that partitions hold so many rows, as a check would of what lies in them now."""
        listed = PartitionContents(self.bucket, self.settings.layout, "demand")
        given = {}
        for day in map(date.fromisoformat, days):
            seen = listed.listed(day, registered=True).seen
            given[day] = seen, result_of(partition_date=str(day), content=seen.content, rows=rows)
        QualityStore(self.bucket, self.settings.layout).record_results("demand", given, NOW)

    def planned_rows(self) -> dict[str, int | None]:
        """Rows of what is to leave, by date; the calls of nothing but this plan are counted."""
        self.aws.calls.clear()
        return {str(one.day): one.rows for one in self.dropper().plan("demand").drop}

    def in_athena_by_date(self) -> Counter[str]:
        sql = "SELECT partition_date, count(*) FROM demand GROUP BY 1"
        return Counter({str(day): int(count) for day, count in workgroup(self.settings).rows(sql)})

    def delete_again(self) -> None:
        """Everything as it is when a grace period has passed: deleted, and not in the catalog."""
        for key in manifests(self):
            told = json.loads(self.bucket.read(key))
            for one in told["objects"]:
                self.bucket.delete(one["key"])
            gone = told | {"keep_until": None, "deleted_at": "2026-09-16T03:00:00Z"}
            self.bucket.write(key, json.dumps(gone).encode(), "application/json")
        self.catalog.delete_partitions("demand", self.old)
        self.bucket.delete(self.settings.layout.retention_lease_key("demand"))

    def objects(self) -> dict[str, str]:
        """All files of the table, with their versions."""
        prefix = self.settings.layout.table_prefix("demand")
        return {one.key: f"{one.version} {one.etag}" for one in self.bucket.versions_below(prefix)}

    @property
    def old(self) -> list[str]:
        """The registered partitions that have expired."""
        return sorted(value for value in self.held("demand") if value < str(CUTOFF))


@pytest.fixture
def world(aws: LocalAws, settings: Settings) -> RetentionWorld:
    return RetentionWorld(aws, settings)


def failures(caught: pytest.ExceptionInfo[PartitionsFailedError]) -> str:
    return str(caught.value)


class TestDrop:
    def test_what_is_old_leaves_the_catalog_and_no_object_is_touched(self, world: RetentionWorld) -> None:
        old, rows, objects = world.old, world.in_athena_by_date(), world.objects()
        assert len(old) > 1
        assert world.drop_with_approval() == [f"demand: {len(old)} dropped"]
        assert world.old == []
        assert world.in_athena_by_date() == {day: count for day, count in rows.items() if day not in old}
        assert world.objects() == objects
        assert world.drop() == [f"demand: {len(old)} in grace"]

    def test_the_manifest_tells_all_that_was_known(self, world: RetentionWorld) -> None:
        day, rows, held = world.old[0], world.in_athena_by_date(), world.held("demand")
        world.drop_with_approval()
        key = world.settings.layout.manifest_key("demand", date.fromisoformat(day))
        told = json.loads(world.bucket.read(key))
        folder = world.settings.layout.partition_prefix("demand", date.fromisoformat(day))
        versions = {name: version for name, version in world.objects().items() if name.startswith(folder)}
        assert {one["key"]: f"{one['version']} {one['etag']}" for one in told["objects"]} == versions
        assert told["rows"] == rows[day]
        assert told["dropped_at"] == "2026-09-01T03:00:00Z"
        assert (told["dropped_by"], told["grace_days"]) == ("run", 14)
        assert (told["keep_until"], told["deleted_at"]) == (None, None)
        assert told["definition"]["StorageDescriptor"] == held[day]["StorageDescriptor"]

    def test_registration_does_not_bring_them_back(self, world: RetentionWorld) -> None:
        old = world.old
        world.drop_with_approval()
        report = world.register(tables=["demand"], today=NOW.date(), now=lambda: NOW + timedelta(days=900))
        assert f"{len(old)} expired" in report.summary[0]
        assert world.old == []

    def test_the_first_time_a_person_has_to_approve_this_very_plan(self, world: RetentionWorld) -> None:
        before = world.held("demand")
        for approved in ({}, {"demand": "0123456789abcdef"}, {"event": world.dropper().plan("demand").digest}):
            [line] = world.drop(approved=approved)
            assert line.startswith(f"demand: {len(world.old)} to drop; nothing was done: a person has to approve: ")
            assert line.endswith("partitions of this table have never expired before")
        digest = world.dropper().plan("demand").digest
        day = date.fromisoformat(world.old[0])
        key = world.settings.layout.partition_prefix("demand", day) + "late.avro"
        world.bucket.write(key, world.bucket.read(next(iter(world.objects()))), "avro/binary")
        assert "a person has to approve" in world.drop(approved={"demand": digest})[0], (
            "an object came: it is another plan"
        )
        assert world.held("demand") == before

    @pytest.mark.parametrize("changes", [{"mode": "plan"}, {"retention_days": None}])
    def test_nothing_leaves_unless_the_settings_enforce_it(self, world: RetentionWorld, changes: Any) -> None:
        before = world.held("demand")
        world.rules(**changes)
        [line] = world.drop_with_approval()
        assert ("retention.tables has it in mode plan" in line) is ("mode" in changes)
        assert world.held("demand") == before

    def test_a_dry_run_changes_nothing(self, world: RetentionWorld) -> None:
        before = world.contents() | world.objects()
        assert world.drop(dry_run=True, approved={"demand": world.dropper().plan("demand").digest}) == [
            f"dry run: demand: {len(world.old)} to drop"
        ]
        assert world.contents() | world.objects() == before
        assert {call for call in world.aws.calls.totals() if "Put" in call or "Delete" in call} == set()

    def test_a_hold_keeps_its_dates_and_is_named(self, world: RetentionWorld) -> None:
        day, *others = world.old
        held = date.fromisoformat(day)
        world.rules(holds=(Hold(from_date=held, to_date=held, reason="audit"),))
        [line] = world.drop_with_approval()
        assert line == f"demand: {len(others)} dropped; kept although old: {day} (held: audit)"
        assert world.old == [day]

    def test_a_damaged_file_keeps_its_partition_and_no_other(self, world: RetentionWorld) -> None:
        day, *others = world.old
        key = world.settings.layout.partition_prefix("demand", date.fromisoformat(day)) + "a.avro"
        world.bucket.write(key, b"Obj\x01 and no more", "avro/binary")
        [line] = world.drop_with_approval()
        assert line.startswith(f"demand: {len(others)} dropped; kept although old: {day} (s3://")
        assert f"{key} cannot be read (" in line
        assert world.old == [day]

    def test_a_table_that_nobody_knows_in_the_settings_is_an_error(self, world: RetentionWorld) -> None:
        world.rules(table="demands")
        with pytest.raises(SettingsError, match=r"local.yaml: retention.tables.demands: no such table; known"):
            world.drop()
        with pytest.raises(ParameterError, match="demands"):
            drop_expired_partitions.run(world.dropper(), world.record_types, tables=["demands"])

    def test_a_damaged_manifest_stops_its_table_and_is_named(self, world: RetentionWorld) -> None:
        world.drop_with_approval()
        day = min(key.rpartition("/")[2][:10] for key in manifests(world))
        key = world.settings.layout.manifest_key("demand", date.fromisoformat(day))
        world.bucket.write(key, b"{}", "application/json")
        with pytest.raises(PartitionsFailedError) as caught:
            world.drop()
        assert f"{key} is no manifest" in failures(caught)

    def test_a_manifest_that_is_gone_by_the_time_it_is_read_is_named(self, world: RetentionWorld) -> None:
        store = Manifests(world.bucket, world.settings.layout)
        with pytest.raises(ManifestError, match=r"retention/demand/2020-01-01\.json is gone: restore its object"):
            store.find("demand", date(2020, 1, 1), {})

    def test_what_glue_refuses_is_told_and_the_rest_is_done(self, world: RetentionWorld) -> None:
        day, *others = world.old

        def refused(params: Any, **_: Any) -> None:
            asked = json.loads(params["body"])
            asked["PartitionsToDelete"] = [one for one in asked["PartitionsToDelete"] if one != {"Values": [day]}]
            params["body"] = json.dumps(asked)

        world.glue.meta.events.register("before-call.glue.BatchDeletePartition", refused)
        with pytest.raises(PartitionsFailedError) as caught:
            world.drop_with_approval()
        assert failures(caught).count("is still registered") == 1
        assert world.old == [day]
        assert len(others) == len(manifests(world)) - 1

    def test_old_personal_data_of_a_table_that_is_kept_for_ever_is_told_and_stays(self, world: RetentionWorld) -> None:
        first, second = sorted(world.in_athena_by_date())[:2]
        world.rules(retention_days=None, mode="plan")
        later = datetime.fromisoformat(second).replace(tzinfo=UTC) + timedelta(days=730)
        dropper = replace(world.dropper(later), personal={"demand": ("phoneNumber", "email")})
        before = world.contents()
        world.aws.calls.clear()
        report = drop_expired_partitions.run(dropper, world.record_types, tables=["demand"], dry_run=False)
        assert world.aws.calls.totals() == {"s3:ListObjectsV2": 2}
        told = f"1 partition is more than 730 days old, the oldest {first}, and the table has no retention"
        assert report.summary == [f"demand: nothing expires; PERSONAL DATA: phoneNumber, email: {told}"]
        assert world.contents() == before
        world.rules(retention_days=3650)
        covered = drop_expired_partitions.run(replace(dropper, settings=world.settings), ["demand"], dry_run=False)
        assert covered.summary == ["demand: nothing expires"]

    def test_a_partition_without_objects_leaves_and_comes_back_without_rows(self, world: RetentionWorld) -> None:
        empty = date(2026, 1, 1)
        model = world.catalog.table("demand")
        location = world.settings.layout.partition_location("demand", empty)
        world.catalog.create_partitions("demand", [partition_input(model, empty, location)])
        old = world.old
        assert str(empty) == old[0]
        assert world.drop_with_approval() == [f"demand: {len(old)} dropped"]
        report = world.restore(from_date=empty, to_date=empty)
        assert report.summary == ["demand: 2026-01-01 restored, counted by Athena: 0 rows"]
        assert report.partition_keys == {}, "nobody has to read a date that has no rows"
        assert world.old == [str(empty)]
        assert f"{len(old) - 1} deleted" in world.drop_with_approval(AFTER_GRACE)[0]

    def test_objects_without_a_partition_are_left_alone_until_registration_finds_them(
        self, world: RetentionWorld
    ) -> None:
        lost = date(2026, 1, 1)
        key = world.settings.layout.partition_prefix("demand", lost) + "a.avro"
        world.bucket.write(key, world.bucket.read(next(iter(world.objects()))), "avro/binary")
        old = world.old
        assert world.drop_with_approval() == [f"demand: {len(old)} dropped"]
        assert key not in listed_in_manifests(world)
        world.register(tables=["demand"], today=NOW.date(), now=lambda: NOW)
        assert world.old == [str(lost)]
        assert world.drop_with_approval()[0].startswith("demand: 1 dropped")
        assert key in listed_in_manifests(world)

    def test_it_costs_what_the_formula_says(self, world: RetentionWorld) -> None:
        old, files = world.old, world.objects()
        held = [key for key in files if key.split("partition_date=")[1][:10] in old]
        digest = world.dropper().plan("demand").digest
        world.aws.calls.clear()
        world.drop(approved={"demand": digest})
        reads = {
            "glue:GetTable": 1,
            "glue:GetPartitions": 1,
            "s3:ListObjectsV2": 2,
            "s3:ListObjectVersions": stretches(old),
            "s3:GetObject": 1 + 1 + len(held),
        }
        writes = {
            "s3:PutObject": 1 + len(old) + 1,
            "s3:DeleteObject": 1,
            "glue:BatchDeletePartition": ceil(len(old) / 25),
            "glue:BatchGetPartition": ceil(len(old) / 25),
        }
        assert world.aws.calls.totals() == reads | writes
        assert world.pauses == [], "nobody waits where Glue throttles nothing"
        world.rules(table="event")
        world.aws.calls.clear()
        drop_expired_partitions.run(world.dropper(), world.record_types, tables=["sale"], dry_run=False)
        assert world.aws.calls.totals() == {"s3:ListObjectsV2": 1}


SAID = 4711
"""Rows that a verdict tells of: no partition of these tests holds so many."""


class TestRows:
    """A manifest tells how many rows there were: as a verdict says that was given on these very files, or counted."""

    def test_the_rows_of_a_verdict_are_taken_and_no_file_is_read(self, world: RetentionWorld) -> None:
        world.give_verdicts(SAID, *world.old)
        assert world.planned_rows() == dict.fromkeys(world.old, SAID)
        assert world.aws.calls.count("s3:GetObject") == 1 + len({day[:4] for day in world.old})
        old = world.old
        world.drop_with_approval()
        told = [json.loads(world.bucket.read(key))["rows"] for key in manifests(world)]
        assert told == [SAID] * len(old)

    @pytest.mark.parametrize("change", ["another file", "the same file again", "no such file"])
    def test_a_verdict_on_other_files_is_not_believed(self, world: RetentionWorld, change: str) -> None:
        day, *others = world.old
        key = next(key for key in world.objects() if f"={day}/" in key)
        body = world.bucket.read(key)
        world.give_verdicts(SAID, *world.old)
        if change == "another file":
            world.bucket.write(f"{key.removesuffix('.avro')}-2.avro", body, "avro/binary")
        elif change == "the same file again":
            time.sleep(1.1)  # a listing tells seconds
            world.bucket.write(key, body, "avro/binary")
        else:
            world.bucket.delete(key)
        counted = {"another file": 2, "the same file again": 1, "no such file": 0}[change] * rows_in(body)
        assert world.in_athena_by_date()[day] == counted, "the partition has no other file"
        assert world.planned_rows() == {day: counted} | dict.fromkeys(others, SAID)

    @pytest.mark.parametrize("without", ["verdict", "count", "summary that can be read", "permission"])
    def test_without_a_verdict_the_blocks_are_counted(self, world: RetentionWorld, without: str) -> None:
        rows = world.in_athena_by_date()
        if without != "verdict":
            world.give_verdicts(None if without == "count" else SAID, *world.old)
        if without == "summary that can be read":
            key = world.settings.layout.quality_summary_key("demand", int(world.old[0][:4]))
            world.bucket.write(key, b'{"version": 1', "application/json")
        if without == "permission":
            # The first one is for the summary of manifests, the second one for that of verdicts.
            world.aws.fail("s3:GetObject", "AccessDenied", status=403, after=1)
        assert world.planned_rows() == {day: rows[day] for day in world.old}

    def test_files_that_athena_does_not_read_have_no_rows(self, world: RetentionWorld) -> None:
        day, rows = world.old[0], world.in_athena_by_date()
        key = next(key for key in world.objects() if f"={day}/" in key)
        world.bucket.write(f"{key.rpartition('/')[0]}/_a.avro", world.bucket.read(key), "avro/binary")
        assert world.planned_rows()[day] == rows[day]
        world.drop_with_approval()
        assert f"{rows[day]:,} rows" in world.restore(from_date=day, to_date=day).summary[0]


def rows_in(body: bytes) -> int:
    return sum(1 for _ in fastavro.reader(io.BytesIO(body)))


def manifests(world: RetentionWorld) -> list[str]:
    prefix = world.settings.layout.manifests_prefix("demand")
    return [one.key for one in world.bucket.objects_below(prefix)]


class TestRestore:
    def test_all_comes_back_as_it_was_row_by_row(self, world: RetentionWorld) -> None:
        old, rows, held = world.old, world.in_athena_by_date(), world.held("demand")
        world.drop_with_approval()
        planned = world.restore(dry_run=True)
        assert planned.summary[0].startswith("dry run: demand: ")
        assert world.old == []
        report = world.restore()
        assert report.summary[0].endswith(f"restored, counted by Athena: {sum(rows[day] for day in old):,} rows")
        assert world.held("demand") == held
        assert world.in_athena_by_date() == rows
        assert report.partition_keys == {"demand": old}

    def test_it_stays_for_as_long_as_was_asked_for_and_then_leaves_again(self, world: RetentionWorld) -> None:
        old = world.old
        world.drop_with_approval()
        world.restore()
        world.drop_with_approval(NOW + timedelta(days=29))
        assert world.old == old, "others have grown old meanwhile, and have left"
        world.drop_with_approval(NOW + timedelta(days=30))
        assert world.old == []
        world.restore(NOW + timedelta(days=31))
        assert world.old == old

    def test_only_the_dates_that_were_asked_for(self, world: RetentionWorld) -> None:
        old = world.old
        world.drop_with_approval()
        world.restore(from_date=old[1], to_date=old[1])
        assert world.old == [old[1]]
        assert world.restore(from_date="2001-01-01", to_date="2001-01-02").summary == [
            "demand: nothing of these dates has expired"
        ]

    def test_what_is_not_whole_any_more_is_told_and_the_rest_comes_back(self, world: RetentionWorld) -> None:
        day, *others = world.old
        world.drop_with_approval()
        folder = world.settings.layout.partition_prefix("demand", date.fromisoformat(day))
        key = next(key for key in world.objects() if key.startswith(folder))
        world.aws.client("s3").delete_object(Bucket=world.settings.bucket, Key=key)
        with pytest.raises(PartitionsFailedError) as caught:
            world.restore()
        assert f"demand/partition_date={day}: its objects are gone, or are others now: " in failures(caught)
        assert world.old == others

    def test_rows_that_do_not_come_back_are_told(self, world: RetentionWorld) -> None:
        day, rows = world.old[0], world.in_athena_by_date()
        world.drop_with_approval()
        key = world.settings.layout.manifest_key("demand", date.fromisoformat(day))
        told = json.loads(world.bucket.read(key))
        world.bucket.write(key, json.dumps(told | {"rows": rows[day] + 1}).encode(), "application/json")
        with pytest.raises(PartitionsFailedError) as caught:
            world.restore(from_date=day, to_date=day)
        assert f"Athena reads {rows[day]:,} rows of its files, not {rows[day] + 1:,}" in failures(caught)

    def test_rows_that_came_later_come_back_with_it_and_are_not_counted(self, world: RetentionWorld) -> None:
        day, rows = world.old[0], world.in_athena_by_date()
        world.drop_with_approval()
        folder = world.settings.layout.partition_prefix("demand", date.fromisoformat(day))
        body = world.bucket.read(next(key for key in world.objects() if key.startswith(folder)))
        world.bucket.write(f"{folder}late.avro", body, "avro/binary")
        assert f"objects that came later: {day}" in world.drop()[0]
        assert f"{rows[day]:,} rows" in world.restore(from_date=day, to_date=day).summary[0]
        assert world.in_athena_by_date()[day] > rows[day]

    def test_a_table_under_change_is_left_alone(self, world: RetentionWorld) -> None:
        world.drop_with_approval()
        world.set_table_parameters("demand", **{"dmd.change": '{"id": "c"}'})
        with pytest.raises(PartitionsFailedError, match="demand is under change c: restore its partitions afterwards"):
            world.restore()
        assert world.old == []

    def test_a_partition_comes_back_as_its_table_looks_by_now(self, world: RetentionWorld) -> None:
        day = world.old[0]
        world.change_partition("demand", day, parameters={"owner": "somebody"})
        world.drop_with_approval()
        columns = world.table("demand")["StorageDescriptor"]["Columns"]
        world.restore()
        restored = world.held("demand")[day]
        assert restored["Parameters"] == {"owner": "somebody"}
        assert restored["StorageDescriptor"]["Columns"] == columns


AFTER_GRACE = NOW + timedelta(days=15)


class TestRestoreAfterTheGracePeriod:
    """What was deleted comes back where the bucket keeps versions; where not, that is said."""

    @pytest.fixture
    def versioned(self, aws: LocalAws, settings: Settings) -> RetentionWorld:
        """Partitions that have expired and were deleted, in a bucket with versions."""
        aws.client("s3").put_bucket_versioning(Bucket=settings.bucket, VersioningConfiguration={"Status": "Enabled"})
        world = RetentionWorld(aws, settings)
        world.before = world.old, world.in_athena_by_date(), world.objects()
        world.drop_with_approval()
        world.drop_with_approval(AFTER_GRACE)
        assert not set(world.objects()) & set(listed_in_manifests(world)), "all of it is deleted"
        world.aws.calls.clear()
        return world

    def test_every_object_comes_back_as_the_version_that_it_was_and_every_row_with_it(
        self, versioned: RetentionWorld
    ) -> None:
        old, rows, objects = versioned.before
        planned = versioned.restore(AFTER_GRACE, dry_run=True)
        assert planned.summary[0].startswith("dry run: demand: ")
        assert versioned.old == []
        report = versioned.restore(AFTER_GRACE)
        assert report.partition_keys == {"demand": old}
        assert versioned.objects() == objects
        assert versioned.in_athena_by_date() == rows
        told = json.loads(versioned.bucket.read(manifests(versioned)[0]))
        assert told["deleted_at"] is None
        versioned.drop_with_approval(AFTER_GRACE + timedelta(days=29))
        assert versioned.objects() == objects
        versioned.drop_with_approval(AFTER_GRACE + timedelta(days=30))
        assert versioned.old == [], "it expires anew, with a grace period of its own"
        assert versioned.objects() == objects

    def test_it_costs_what_the_formula_says(self, versioned: RetentionWorld) -> None:
        old, _, _ = versioned.before
        found = stretches(old)
        versioned.restore(AFTER_GRACE)
        totals = versioned.aws.calls.totals()
        assert totals["s3:GetBucketVersioning"] == totals["s3:DeleteObjects"] == 1
        assert totals["s3:ListObjectVersions"] == 3 * found
        assert totals["s3:GetObject"] == 2 * (1 + len(old))
        assert totals["s3:PutObject"] == 1 + 2 * len(old), "the lease, and each manifest twice"
        assert totals["glue:BatchGetPartition"] == 2, "whether they are registered, before and after they are created"

    def test_what_was_deleted_twice_comes_back_as_well(self, versioned: RetentionWorld) -> None:
        old, _, objects = versioned.before
        for key in listed_in_manifests(versioned):
            versioned.bucket.delete(key)
        versioned.restore(AFTER_GRACE)
        assert versioned.objects() == objects
        assert versioned.old == old

    @pytest.mark.parametrize(
        ("spoil", "why"),
        [
            ("the version is gone", "none of its versions lies beneath a delete marker"),
            ("another one is there", "none of its versions lies beneath a delete marker"),
            ("another one was deleted since", "is newer than that of the manifest"),
        ],
    )
    def test_what_cannot_come_back_as_it_was_stays_as_it_is(
        self, versioned: RetentionWorld, spoil: str, why: str
    ) -> None:
        (first, second, *others), rows, _ = versioned.before
        s3, bucket = versioned.aws.client("s3"), versioned.settings.bucket
        of_first, of_second = (
            next(one for one in listed_objects(versioned) if f"partition_date={day}/" in one["key"])
            for day in (first, second)
        )
        if spoil == "the version is gone":
            s3.delete_object(Bucket=bucket, Key=of_first["key"], VersionId=of_first["version"])
        else:
            s3.put_object(Bucket=bucket, Key=of_first["key"], Body=b"another")
            if spoil == "another one was deleted since":
                s3.delete_object(Bucket=bucket, Key=of_first["key"])
        before = every_version(versioned, first)
        with pytest.raises(PartitionsFailedError) as caught:
            versioned.restore(AFTER_GRACE)
        told = f"demand/partition_date={first}: its objects are gone, or are others now, deleted 2026-09-16: "
        assert told in failures(caught)
        assert "they cannot be brought back: " in failures(caught)
        assert why in failures(caught)
        assert versioned.old == [second, *others]
        assert of_second["key"] in versioned.objects()
        assert every_version(versioned, first) == before
        assert versioned.in_athena_by_date() == Counter({day: count for day, count in rows.items() if day != first})

    def test_what_s3_does_not_bring_back_stays_out_of_the_catalog_and_in_its_manifest(
        self, versioned: RetentionWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (first, *others), _, objects = versioned.before
        refused = next(one for one in listed_in_manifests(versioned) if f"partition_date={first}/" in one)
        take_away = Bucket.take_markers_away

        def refuse(self: Bucket, deleted: Collection[DeletedObject]) -> dict[str, str]:
            rest = [one for one in deleted if one.version.key != refused]
            return take_away(self, rest) | {refused: "AccessDenied: not this one"}

        with monkeypatch.context() as patched:
            patched.setattr(Bucket, "take_markers_away", refuse)
            with pytest.raises(PartitionsFailedError) as caught:
                versioned.restore(AFTER_GRACE)
        assert f"partition_date={first}: its objects could not be brought back: " in failures(caught)
        assert "AccessDenied: not this one" in failures(caught)
        assert versioned.old == others
        versioned.drop_with_approval(AFTER_GRACE + timedelta(days=29))
        assert refused in listed_in_manifests(versioned), "nobody has forgotten it"
        versioned.restore(AFTER_GRACE + timedelta(days=29), from_date=first, to_date=first)
        assert {key for key in objects if f"={first}/" in key} <= set(versioned.objects())

    def test_what_somebody_took_out_of_a_registered_partition_stays_out(self, versioned: RetentionWorld) -> None:
        (first, *_), _, _ = versioned.before
        versioned.restore(AFTER_GRACE)
        key = next(one for one in versioned.objects() if f"partition_date={first}/" in one)
        versioned.bucket.delete(key)
        with pytest.raises(
            PartitionsFailedError, match="the partition is registered: whoever took them away knows why"
        ):
            versioned.restore(AFTER_GRACE, from_date=first, to_date=first)
        assert key not in versioned.objects()

    def test_what_is_back_is_not_deleted_again_although_its_manifest_never_said_that_it_was(
        self, versioned: RetentionWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The run that deleted it was cut off before it wrote that down, the one that restores it before the end."""
        for key in manifests(versioned):
            told = json.loads(versioned.bucket.read(key))
            versioned.bucket.write(key, json.dumps(told | {"deleted_at": None}).encode(), "application/json")

        def cut_off(*_: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(Restorer, "_register", cut_off)
            with pytest.raises(KeyboardInterrupt):
                versioned.restore(AFTER_GRACE)
        there = versioned.objects()
        versioned.drop_with_approval(AFTER_GRACE + timedelta(days=1))
        assert versioned.objects() == there == versioned.before[2]

    def test_a_marker_without_an_id_is_never_taken_away(self, versioned: RetentionWorld) -> None:
        """As deletions leave it while versioning is suspended: what is written next takes its place, under its id."""
        client = versioned.bucket._client

        def without_ids(parsed: Any, **_: Any) -> None:
            for marker in parsed.get("DeleteMarkers", []):
                marker["VersionId"] = "null"

        client.meta.events.register("after-call.s3.ListObjectVersions", without_ids)
        with pytest.raises(PartitionsFailedError, match="none of its versions lies beneath a delete marker with an id"):
            versioned.restore(AFTER_GRACE)
        client.meta.events.unregister("after-call.s3.ListObjectVersions", without_ids)
        assert versioned.aws.calls.count("s3:DeleteObjects") == 0

    def test_a_bucket_without_versions_is_named_as_the_reason(self, world: RetentionWorld) -> None:
        world.drop_with_approval()
        world.drop_with_approval(AFTER_GRACE)
        with pytest.raises(PartitionsFailedError, match="they cannot be brought back: the bucket keeps no versions"):
            world.restore(AFTER_GRACE)

    def test_what_is_back_without_a_partition_is_told_by_every_plan_and_deleted_by_none(
        self, versioned: RetentionWorld
    ) -> None:
        """As somebody leaves it who has taken the markers away by hand."""
        day = versioned.before[0][0]
        days = [date.fromisoformat(day)]
        deleted = retention_store.deleted(versioned.bucket, versioned.settings.layout, "demand", days)
        versioned.bucket.take_markers_away(deleted.values())
        there = versioned.objects()
        later = AFTER_GRACE + timedelta(days=300)
        [line] = versioned.drop_with_approval(later)
        assert f"{day} (was deleted, and some of its objects are there again: restore it)" in line
        assert set(there) <= set(versioned.objects()) | set(listed_in_manifests(versioned))
        assert {key for key in there if day in key} <= set(versioned.objects())

    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_a_restoration_killed_at_any_call_and_run_again_brings_everything_back(
        self, versioned: RetentionWorld, moment: str
    ) -> None:
        _, rows, objects = versioned.before
        call, killed = 0, True
        while killed:
            call += 1
            versioned.delete_again()
            killed = job_processes.run_and_kill("restore_deleted", call, moment)
            there = set(versioned.objects())
            versioned.bucket.delete(versioned.settings.layout.retention_lease_key("demand"))
            versioned.drop_with_approval(AFTER_GRACE + timedelta(days=1))
            assert there <= set(versioned.objects()), f"killed {moment} call {call}: what is back is not deleted again"
            versioned.restore(AFTER_GRACE)
            assert versioned.objects() == objects, f"killed {moment} call {call}"
            assert versioned.in_athena_by_date() == rows, f"killed {moment} call {call}"
        assert call > 10


class TestDelete:
    def test_after_the_grace_period_exactly_what_the_manifests_list_is_deleted(self, world: RetentionWorld) -> None:
        old, objects, rows = world.old, world.objects(), world.in_athena_by_date()
        world.drop_with_approval()
        listed = set(listed_in_manifests(world))
        assert listed == {key for key in objects if key.split("partition_date=")[1][:10] in old}
        assert "deleted" not in world.drop_with_approval(NOW + timedelta(days=14) - timedelta(seconds=1))[0]
        assert world.objects() == objects
        [line] = world.drop_with_approval(AFTER_GRACE)
        assert f"{len(old)} deleted" in line
        assert world.objects() == {key: version for key, version in objects.items() if key not in listed}
        assert world.in_athena_by_date() == {
            day: count for day, count in rows.items() if day >= str(AFTER_GRACE.date() - timedelta(days=100))
        }
        assert "delete" not in world.drop(AFTER_GRACE)[0]

    def test_what_came_later_stays_and_is_shown_ever_after(self, world: RetentionWorld) -> None:
        day = world.old[0]
        world.drop_with_approval()
        late = world.settings.layout.partition_prefix("demand", date.fromisoformat(day)) + "late.avro"
        world.bucket.write(late, world.bucket.read(listed_in_manifests(world)[0]), "avro/binary")
        for now in (AFTER_GRACE, AFTER_GRACE + timedelta(days=1)):
            assert f"WARNING, objects that came later: {day}" in world.drop_with_approval(now)[0]
            assert [key for key in world.objects() if f"={day}/" in key] == [late]
        world.register(tables=["demand"], today=NOW.date(), now=lambda: AFTER_GRACE)
        assert day not in world.held("demand")

    @pytest.mark.parametrize("change", ["content", "registration", "manifest", "no manifest"])
    def test_what_changes_after_the_plan_was_made_is_not_deleted(self, world: RetentionWorld, change: str) -> None:
        """Between the plan and the deletion, which is asked for first."""
        old = [date.fromisoformat(day) for day in world.old]
        whole = world.held("demand")
        world.drop_with_approval()
        world.rules(retention_days=100 + 15, max_share_per_run=1.0)  # nothing else grows old meanwhile
        planned, books = world.dropper(AFTER_GRACE)._look("demand")
        assert [one.day for one in planned.delete] == old
        key, day = listed_in_manifests(world)[0], old[0]
        if change == "content":
            world.bucket.write(key, world.bucket.read(key), "avro/binary")
            world.bucket.write(key, b"another content", "avro/binary")
        elif change == "registration":
            world.catalog.create_partitions("demand", [restorable(whole[str(day)])])
        elif change == "no manifest":
            world.bucket.delete(world.settings.layout.manifest_key("demand", day))
        else:
            world.restore(from_date=str(day), to_date=str(day), now=AFTER_GRACE)
            world.catalog.delete_partitions("demand", [str(day)])
        before = {name: version for name, version in world.objects().items() if f"={day}/" in name}
        report = world.dropper(AFTER_GRACE)._carry_out(planned, books)
        assert report.deleted == tuple(old[1:])
        assert report.failed[day].startswith("nothing was deleted: ")
        assert {name: version for name, version in world.objects().items() if f"={day}/" in name} == before

    def test_an_object_that_s3_refuses_to_delete_is_told_and_deleted_the_next_time(self, world: RetentionWorld) -> None:
        world.drop_with_approval()
        key, *others = listed_in_manifests(world)
        with (
            refused_deletions(world, key),
            pytest.raises(PartitionsFailedError, match=r"1 of its .* there: AccessDenied"),
        ):
            world.drop_with_approval(AFTER_GRACE)
        assert key in world.objects()
        assert not set(others) & set(world.objects())
        world.drop_with_approval(AFTER_GRACE)
        assert key not in world.objects()

    def test_what_was_deleted_cannot_be_restored_and_is_told_so(self, world: RetentionWorld) -> None:
        day = world.old[0]
        world.drop_with_approval()
        world.drop_with_approval(AFTER_GRACE)
        with pytest.raises(PartitionsFailedError) as caught:
            world.restore(AFTER_GRACE, from_date=day, to_date=day)
        assert "its objects are gone, or are others now, deleted 2026-09-16: " in failures(caught)
        assert day not in world.held("demand")

    def test_it_costs_what_the_formula_says(self, world: RetentionWorld) -> None:
        old = world.old
        world.drop_with_approval()
        world.rules(retention_days=100 + 15, max_share_per_run=1.0)
        digest = world.dropper(AFTER_GRACE).plan("demand").digest
        world.aws.calls.clear()
        world.drop(AFTER_GRACE, approved={"demand": digest})
        assert world.aws.calls.totals() == {
            "glue:GetTable": 1,
            "glue:GetPartitions": 1,
            "glue:BatchGetPartition": 1,
            "s3:ListObjectsV2": 3,
            "s3:ListObjectVersions": 3 * stretches(old),
            "s3:GetObject": 1,
            "s3:DeleteObjects": 1,
            "s3:PutObject": 1 + 1,
            "s3:DeleteObject": 1,
        }

    def test_of_ten_thousand_objects_a_thousand_are_deleted_at_once(self, world: RetentionWorld) -> None:
        day, *others = map(date.fromisoformat, world.old)
        world.rules(holds=(Hold(from_date=others[0], to_date=NOW.date(), reason="they stay behind it"),))
        fill(world, day, 10_000)
        calls = world.aws.calls
        approved = {"demand": world.dropper().plan("demand").digest}
        calls.clear()
        world.drop(approved=approved)
        look = ceil(10_000 / 1_000) + 1  # the last page is full: only the next one shows that others follow
        assert (calls.count("s3:ListObjectVersions"), calls.count("s3:PutObject")) == (look, 1 + 1 + 1)
        keys = listed_in_manifests(world)
        assert len(keys) == 10_000
        refused = keys[::4_000]

        approved = {"demand": world.dropper(AFTER_GRACE).plan("demand").digest}
        calls.clear()
        with refused_deletions(world, *refused), pytest.raises(PartitionsFailedError) as caught:
            world.drop(AFTER_GRACE, approved=approved)
        assert "3 of its objects are still there: AccessDenied: not this one" in failures(caught)
        assert calls.count("s3:DeleteObjects") == 10
        # For the plan, before and after the deletion.
        assert calls.count("s3:ListObjectVersions") == look + look + 1
        assert deletions(world) == {}, "nobody has written down that its objects are deleted"
        assert [key for key in world.objects() if f"={day}/" in key] == refused

        calls.clear()
        [line] = world.drop_with_approval(AFTER_GRACE)
        assert line.startswith("demand: 1 deleted")
        assert calls.count("s3:DeleteObjects") == 1
        assert not [key for key in world.objects() if f"={day}/" in key]

    def test_partitions_with_more_objects_than_are_looked_at_together(self, world: RetentionWorld) -> None:
        old = [date.fromisoformat(day) for day in world.old]
        fill(world, old[0], 9_999)
        fill(world, old[1], 2)
        world.drop_with_approval()
        world.aws.calls.clear()
        [line] = world.drop_with_approval(AFTER_GRACE)
        assert f"{len(old)} deleted" in line
        assert not [key for key in world.objects() if partition_day(key) in old]
        assert world.aws.calls.count("s3:DeleteObjects") == ceil(9_999 / 1_000) + 1
        assert world.aws.calls.count("glue:BatchGetPartition") >= 2, "two groups"


class TestSummary:
    """What is known of manifests saves reading them, and is never believed of another manifest than it speaks of."""

    def key(self, world: RetentionWorld) -> str:
        return world.settings.layout.retention_summary_key("demand")

    def test_a_manifest_that_was_written_since_is_read(self, world: RetentionWorld) -> None:
        first, *others = world.old
        world.drop_with_approval()
        world.restore(from_date=first, to_date=first)
        world.catalog.delete_partitions("demand", [first])
        world.aws.calls.clear()
        planned = world.dropper(AFTER_GRACE + timedelta(days=30)).plan("demand")
        assert world.aws.calls.count("s3:GetObject") >= 2, "the summary, and the manifest"
        assert f"{first} (was restored, and is not registered: restore it again)" in map(str, planned.kept)
        assert [str(one.day) for one in planned.delete] == others

    def test_without_it_the_same_is_planned_and_done(self, world: RetentionWorld) -> None:
        old = world.old
        world.drop_with_approval()
        planned = world.dropper(AFTER_GRACE).plan("demand")
        world.bucket.delete(self.key(world))
        assert world.dropper(AFTER_GRACE).plan("demand") == planned
        world.drop(AFTER_GRACE, approved={"demand": planned.digest})
        assert deletions(world) == dict.fromkeys(old, AFTER_GRACE)

    def test_a_damaged_one_stops_its_table_and_says_what_to_do(self, world: RetentionWorld) -> None:
        world.drop_with_approval()
        key, objects = self.key(world), world.objects()
        sound = world.bucket.read(key)
        for damaged in (sound[:-9], b"", b"{}"):
            world.bucket.write(key, damaged, "application/gzip")
            with pytest.raises(PartitionsFailedError, match=f"{key} is no summary: .*restore its"):
                world.drop(AFTER_GRACE)
        assert world.objects() == objects
        assert world.restore(NOW, dry_run=True).summary[0].endswith(" rows"), "who restores does without it"
        world.bucket.delete(key)
        assert "deleted" in world.drop_with_approval(AFTER_GRACE)[0]

    def test_another_one_that_was_written_meanwhile_is_not_written_over(self, world: RetentionWorld) -> None:
        """By a run that nobody knew was still alive."""
        world.drop_with_approval()
        dropper = world.dropper(AFTER_GRACE)
        planned, books = dropper._look("demand")
        known = {one.day: Known(etag=one.etag, deleted_at=NOW) for one in planned.delete}
        Manifests(world.bucket, world.settings.layout).summarize("demand", known, books.etag)
        report = dropper._carry_out(planned, books)
        assert report.failed.keys() == {*(one.day for one in planned.drop), *(one.day for one in planned.delete)}
        assert all("was written by another run meanwhile" in reason for reason in report.failed.values())
        assert set(deletions(world).values()) == {NOW}

    def test_manifests_that_had_to_be_read_are_known_from_then_on(self, world: RetentionWorld) -> None:
        old = world.old
        world.drop_with_approval()
        world.restore()
        for calls in (1 + len(old), 1):
            world.aws.calls.clear()
            assert world.drop(NOW) == ["demand: nothing expires"]
            assert world.aws.calls.count("s3:GetObject") == calls
            assert world.aws.calls.count("s3:PutObject") == 1 + (calls > 1), "the lease, and the summary once"

    def test_what_is_kept_after_a_restoration_that_was_cut_off_is_registered_by_registration(
        self, world: RetentionWorld
    ) -> None:
        """Its manifest still says that its objects were deleted, and already until when they are kept."""
        first, *_ = world.old
        whole = {key: world.bucket.read(key) for key in world.objects()}
        world.drop_with_approval()
        world.drop_with_approval(AFTER_GRACE)
        day = date.fromisoformat(first)
        store = Manifests(world.bucket, world.settings.layout)
        manifest, _ = store.find("demand", day, store.sound_summary("demand").manifests)
        assert manifest.deleted_at == AFTER_GRACE
        kept = manifest.model_copy(update={"keep_until": AFTER_GRACE + timedelta(days=30)})
        world.bucket.write(world.settings.layout.manifest_key("demand", day), kept.content(), "application/json")
        for key in listed_in_manifests(world):
            if f"={first}/" in key:
                world.bucket.write(key, whole[key], "avro/binary")
        for _ in range(2):  # the first run writes the summary anew
            world.drop_with_approval(AFTER_GRACE)
        assert store.sound_summary("demand").of(store.etags("demand"))[day].manifest == kept
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(retention_store, "_FEW", 0)
            world.register(tables=["demand"], today=NOW.date(), now=lambda: AFTER_GRACE)
        assert first in world.held("demand")

    def test_a_deletion_that_was_not_written_down_is_while_a_person_is_asked_about_others(
        self, world: RetentionWorld
    ) -> None:
        old, sound = world.old, world.bucket.read(next(iter(world.objects())))
        world.drop_with_approval()
        for key in listed_in_manifests(world):
            world.bucket.delete(key)
        other = date(2026, 1, 1)
        world.bucket.write(f"{world.settings.layout.partition_prefix('demand', other)}a.avro", sound, "avro/binary")
        world.register(tables=["demand"], today=NOW.date(), now=lambda: NOW)
        world.rules(max_share_per_run=0.01)
        [line] = world.drop(AFTER_GRACE)
        assert line.startswith("demand: 1 to drop; nothing was done: a person has to approve")
        assert deletions(world).keys() == set(old)

    @pytest.mark.parametrize("change", ["a longer retention", "no retention", "a hold"])
    def test_of_what_nothing_is_left_nothing_is_told_day_after_day(self, world: RetentionWorld, change: str) -> None:
        """Also where the rules have changed since, which keep what is left of others."""
        held = Hold(from_date=date(2020, 1, 1), to_date=NOW.date(), reason="audit")
        changes: dict[str, dict[str, Any]] = {
            "a longer retention": {"retention_days": 400},
            "no retention": {"retention_days": None},
            "a hold": {"holds": (held,), "retention_days": 115},
        }
        old = world.old
        world.drop_with_approval()
        for key in listed_in_manifests(world):
            world.bucket.delete(key)
        world.rules(**changes[change])
        planned = world.dropper(AFTER_GRACE).plan("demand")
        assert [str(one.day) for one in planned.gone] == old
        assert planned.is_silent

    def test_a_deletion_that_cannot_be_written_down_is_told_and_written_down_by_the_next_run(
        self, world: RetentionWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = world.old
        world.drop_with_approval()

        def refuse(*_: Any) -> None:
            raise StorageError("cannot write it")

        with monkeypatch.context() as patched:
            patched.setattr(Manifests, "summarize", refuse)
            with pytest.raises(PartitionsFailedError, match="its objects are deleted, and the summary does not say so"):
                world.drop_with_approval(AFTER_GRACE)
        assert deletions(world) == {}
        planned = world.dropper(AFTER_GRACE).plan("demand")
        assert ([str(one.day) for one in planned.gone], planned.approval) == (old, ()), "nobody has to approve that"
        assert world.drop(AFTER_GRACE) == [f"demand: {len(old)} deleted"]
        assert deletions(world).keys() == set(old)
        assert world.dropper(AFTER_GRACE).plan("demand").gone == ()

    def test_what_is_known_of_manifests_costs_no_reading(self, world: RetentionWorld) -> None:
        world.drop_with_approval()
        for now in (NOW, AFTER_GRACE):
            world.aws.calls.clear()
            world.dropper(now).plan("demand")
            assert world.aws.calls.count("s3:GetObject") == 1
        world.drop_with_approval(AFTER_GRACE)
        world.aws.calls.clear()
        world.rules(retention_days=100 + 15, max_share_per_run=1.0)  # nothing else leaves
        assert world.dropper(AFTER_GRACE).plan("demand").is_silent
        assert world.aws.calls.count("s3:GetObject") == 1, "of what is deleted, no manifest is read ever after"


THROTTLED = (
    "s3:ListObjectsV2", "s3:ListObjectVersions", "s3:GetObject", "s3:PutObject", "s3:DeleteObjects", "glue:GetTable",
    "glue:GetPartitions", "glue:BatchGetPartition", "glue:BatchDeletePartition",
)  # fmt: skip


@pytest.mark.parametrize("operation", THROTTLED)
def test_after_a_throttle_the_next_run_does_what_is_left(world: RetentionWorld, operation: str) -> None:
    """At either phase, whichever call it is: nothing is lost, and nothing is done twice."""
    old, objects = world.old, world.objects()
    code, status = ("SlowDown", 503) if operation.startswith("s3:") else ("ThrottlingException", 400)
    for now in (NOW, AFTER_GRACE):
        digest = world.dropper(now).plan("demand").digest
        world.aws.fail(operation, code, status=status)
        with suppress(PartitionsFailedError):
            world.drop(now, approved={"demand": digest})
        assert set(world.objects()) >= objects.keys() - set(listed_in_manifests(world))
        world.aws.heal()
        world.drop_with_approval(now)
    assert world.old == []
    assert sorted({key.split("partition_date=")[1][:10] for key in objects.keys() - world.objects().keys()}) == old
    assert deletions(world).keys() == set(old)


class TestTwoAtOnce:
    """Whoever changes something holds the table's lease."""

    def hold_lease(self, world: RetentionWorld, holder: str = "another") -> None:
        key = world.settings.layout.retention_lease_key("demand")
        assert leases.take(world.bucket, key, holder, NOW) is None

    def test_a_table_that_another_run_works_on_is_left_alone(self, world: RetentionWorld) -> None:
        old = world.old
        approved = {"demand": world.dropper().plan("demand").digest}
        self.hold_lease(world)
        with pytest.raises(
            PartitionsFailedError, match=r"another run works on the partitions of demand: another, until"
        ):
            world.drop(approved=approved)
        assert world.old == old
        assert manifests(world) == []
        world.drop(NOW + leases.LEASE, approved={"demand": world.dropper(NOW + leases.LEASE).plan("demand").digest})
        assert world.old == []

    def test_nothing_is_restored_while_another_run_deletes(self, world: RetentionWorld) -> None:
        world.drop_with_approval()
        self.hold_lease(world)
        with pytest.raises(PartitionsFailedError, match=r"another run works on the partitions of demand"):
            world.restore()
        assert world.old == []
        assert world.restore(dry_run=True).summary, "a look needs no lease"

    def test_the_retry_of_a_run_goes_on_and_gives_the_lease_back(self, world: RetentionWorld) -> None:
        self.hold_lease(world, "run")
        world.drop_with_approval()
        assert world.old == []
        assert world.bucket.find(world.settings.layout.retention_lease_key("demand")) is None

    def test_an_error_gives_the_lease_back(self, world: RetentionWorld) -> None:
        world.aws.fail("glue:GetTable", "InternalServiceException")
        with pytest.raises(PartitionsFailedError):
            world.drop()
        world.aws.heal()
        assert world.bucket.find(world.settings.layout.retention_lease_key("demand")) is None

    def test_of_two_deletions_at_once_nothing_but_what_manifests_list_is_gone(self, world: RetentionWorld) -> None:
        before = set(world.objects())
        world.drop_with_approval()
        codes = job_processes.run_at_once("delete_beside_others", 2, first_write="s3.PutObject")
        assert sorted(map(bool, codes)) == [False, True], "one of them was kept out"
        assert before - set(world.objects()) == set(listed_in_manifests(world))


@pytest.mark.parametrize(("code", "status"), [("AccessDenied", 403), ("SlowDown", 503)])
def test_a_deletion_that_s3_refuses_deletes_nothing_and_the_next_run_does(
    world: RetentionWorld, code: str, status: int
) -> None:
    before = world.objects()
    world.drop_with_approval()
    world.aws.fail("s3:DeleteObjects", code, status=status)
    with pytest.raises(PartitionsFailedError, match=code):
        world.drop_with_approval(AFTER_GRACE)
    assert world.objects() == before
    world.drop_with_approval(AFTER_GRACE)
    assert set(before) - set(world.objects()) == set(listed_in_manifests(world))


def test_restoring_costs_what_the_formula_says(world: RetentionWorld) -> None:
    old = world.old
    world.drop_with_approval()
    world.aws.calls.clear()
    world.restore()
    totals = world.aws.calls.totals()
    assert {name: count for name, count in totals.items() if not name.startswith("athena:")} == {
        "s3:ListObjectsV2": 1,
        "s3:PutObject": 1 + len(old),
        "s3:DeleteObject": 1,
        "s3:GetObject": 1 + len(old),
        "s3:ListObjectVersions": stretches(old),
        "glue:GetTable": 1,
        "glue:BatchCreatePartition": 1,
        "glue:BatchGetPartition": 1,
    }
    assert totals["athena:StartQueryExecution"] == 1


def stretches(days: list[str]) -> int:
    """How many runs of days that follow one another there are."""
    return len(consecutive(map(date.fromisoformat, days)))


def fill(world: RetentionWorld, day: date, objects: int) -> None:
    """Have so many objects in a partition: to those that it has, files without rows are added."""
    folder = world.settings.layout.partition_prefix("demand", day)
    more = objects - sum(1 for _ in world.bucket.objects_below(folder))
    world.aws.seed_objects(world.settings.bucket, ((f"{folder}{number:05}.avro", b"") for number in range(more)))


def partition_day(key: str) -> date:
    return date.fromisoformat(key.split("partition_date=")[1][:10])


@contextmanager
def refused_deletions(world: RetentionWorld, *keys: str) -> Iterator[None]:
    """Have S3 refuse to delete some objects, each by itself, as where their tags forbid it."""

    def spare(params: Any, **_: Any) -> None:
        body = params["body"].decode() if isinstance(params["body"], bytes) else params["body"]
        for key in keys:
            body = body.replace(f"<Object><Key>{key}</Key></Object>", "<Object><Key>nothing</Key></Object>")
        params["body"] = body.encode()

    def refuse(parsed: Any, **_: Any) -> None:
        parsed["Errors"] = [{"Key": key, "Code": "AccessDenied", "Message": "not this one"} for key in keys]

    events = world.bucket._client.meta.events
    events.register("before-call.s3.DeleteObjects", spare)
    events.register("after-call.s3.DeleteObjects", refuse)
    yield
    events.unregister("before-call.s3.DeleteObjects", spare)
    events.unregister("after-call.s3.DeleteObjects", refuse)


def deletions(world: RetentionWorld) -> dict[str, datetime]:
    """When the objects of partitions were deleted, by partition date, as it is written down."""
    store = Manifests(world.bucket, world.settings.layout)
    known = store.summary("demand")[0].of(store.etags("demand"))
    return {str(day): one.deleted_at for day, one in known.items() if one.deleted_at is not None}


def listed_objects(world: RetentionWorld) -> list[dict[str, str]]:
    told = [json.loads(world.bucket.read(key)) for key in manifests(world)]
    return [one for manifest in told for one in manifest["objects"]]


def listed_in_manifests(world: RetentionWorld) -> list[str]:
    return [one["key"] for one in listed_objects(world)]


def every_version(world: RetentionWorld, day: str) -> set[tuple[str, str]]:
    """Key and id of each version and delete marker in a partition's folder."""
    folder = world.settings.layout.partition_prefix("demand", date.fromisoformat(day))
    page = world.aws.client("s3").list_object_versions(Bucket=world.settings.bucket, Prefix=folder)
    return {(one["Key"], one["VersionId"]) for kind in ("Versions", "DeleteMarkers") for one in page.get(kind, [])}


def restorable(partition: Any) -> Any:
    return {name: partition[name] for name in ("Values", "StorageDescriptor")}


def end_state(world: RetentionWorld) -> Mapping[str, object]:
    told = {key: json.loads(world.bucket.read(key)) for key in manifests(world)}
    times = ("dropped_at", "dropped_by", "keep_until")
    kept = {key: {name: value for name, value in one.items() if name not in times} for key, one in told.items()}
    return {"catalog": world.held("demand"), "manifests": kept, "objects": world.objects()}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_killed_at_any_call_and_run_again_gives_what_one_whole_run_gives(
    world: RetentionWorld, moment: str
) -> None:
    whole = world.held("demand")
    world.drop_with_approval()
    dropped = end_state(world)
    call, killed = 0, True
    while killed:
        call += 1
        world.restore()
        assert world.held("demand") == whole
        for key in manifests(world):
            world.aws.client("s3").delete_object(Bucket=world.settings.bucket, Key=key)
        killed = job_processes.run_and_kill("drop_expired_partitions", call, moment)
        state = world.in_athena_by_date()
        assert all(day in state or has_manifest(world, day) for day in whole if day < str(CUTOFF))
        world.drop_with_approval()
        assert end_state(world) == dropped, f"killed {moment} call {call}"
    assert call > 8


def has_manifest(world: RetentionWorld, day: str) -> bool:
    return any(key.endswith(f"/{day}.json") for key in manifests(world))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_restoration_killed_at_any_call_and_run_again_gives_what_one_whole_run_gives(
    world: RetentionWorld, moment: str
) -> None:
    rows = world.in_athena_by_date()
    call, killed = 0, True
    while killed:
        call += 1
        world.drop_with_approval(NOW + timedelta(days=60 * call))
        assert world.old == []
        killed = job_processes.run_and_kill("restore_partitions", call, moment)
        world.drop(NOW + timedelta(days=60 * call + 13))  # within the grace period
        world.restore(NOW + timedelta(days=60 * call + 13))
        assert world.in_athena_by_date() == rows
    assert call > 4


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_deletion_killed_at_any_call_and_run_again_gives_what_one_whole_run_gives(
    world: RetentionWorld, moment: str
) -> None:
    whole, rows = {key: world.bucket.read(key) for key in world.objects()}, world.in_athena_by_date()
    left: dict[str, int] | None = None
    call, killed = 0, True
    while killed:
        call += 1
        for key in [key for key in whole if key not in world.objects()]:
            world.bucket.write(key, whole[key], "avro/binary")
        for key in manifests(world):
            world.bucket.delete(key)
        world.register(tables=["demand"], today=NOW.date(), now=lambda: NOW)
        assert world.in_athena_by_date() == rows
        world.drop_with_approval()
        listed = set(listed_in_manifests(world))
        killed = job_processes.run_and_kill("delete_expired", call, moment)
        assert {key for key in whole if key not in world.objects()} <= listed, "something else was deleted"
        world.drop_with_approval(AFTER_GRACE)
        state = world.in_athena_by_date()
        assert left is None or state == left, f"killed {moment} call {call}"
        told = {key.rpartition("/")[2].removesuffix(".json") for key in manifests(world)}
        assert deletions(world).keys() == told, f"killed {moment} call {call}: all is deleted, and that is written down"
        assert set(world.objects()) == whole.keys() - listed
        left = state
    assert call > 10
