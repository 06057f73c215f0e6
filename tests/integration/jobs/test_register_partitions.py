"""Registration against the local AWS: what Glue holds afterwards, and what it cost."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.change_marks import CHANGE_PARAMETER, ChangeMark
from dmd_pipeline.errors import (
    CatalogError,
    DatabaseNotFoundError,
    ParameterError,
    PartitionsFailedError,
    StorageError,
    TableNotFoundError,
)
from dmd_pipeline.jobs.retention_store import Manifests
from dmd_pipeline.retention_manifests import Manifest
from dmd_pipeline.retention_summaries import Known
from tests.integration.jobs.conftest import TODAY


if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import ColumnTypeDef

    from dmd_pipeline.jobs.register_partitions import Report
    from tests.integration.jobs.conftest import World


NOW = datetime(2026, 3, 1, 3, tzinfo=UTC)
AHEAD = {"2026-03-01", "2026-03-02"}


def days(count: int, first: date = date(2020, 1, 1)) -> list[date]:
    return [first + timedelta(days=day) for day in range(count)]


def test_every_date_with_an_object_is_registered_past_or_future_and_the_days_ahead_as_well(world: World) -> None:
    world.put("demand", "2019-12-31", "2025-06-01", "2031-01-01")
    world.register()
    assert set(world.held("demand")) == {"2019-12-31", "2025-06-01", "2031-01-01", *AHEAD}
    assert set(world.held("sale")) == AHEAD


def test_a_partition_looks_like_its_table_and_lies_in_its_folder(world: World) -> None:
    world.put("demand", "2025-06-01")
    world.register(tables=["demand"])
    expected = {
        **world.table("demand")["StorageDescriptor"],
        "Location": f"s3://{world.settings.bucket}/data-pipeline/avro/demand/partition_date=2025-06-01/",
    }
    assert world.held("demand")["2025-06-01"]["StorageDescriptor"] == expected


def test_a_second_run_only_reads(world: World) -> None:
    world.put("demand", *days(30))
    world.register()
    world.aws.calls.clear()
    assert world.register().summary[0] == "demand: 32 in sync"
    assert world.aws.calls.totals() == Counter({"s3:ListObjectsV2": 4, "glue:GetPartitions": 4, "glue:GetTable": 4})


def cost(*, folders: int, held: int, added: int, repaired: int, unregistered: int) -> Counter[str]:
    """The formula in the job's docstring; ``unregistered`` are folders."""
    return +Counter(
        {
            "s3:ListObjectsV2": max(1, ceil(folders / 1000)) + (unregistered > 0),
            "glue:GetPartitions": max(1, ceil(held / 1000)),
            "glue:GetTable": 1,
            "glue:BatchCreatePartition": ceil(added / 100),
            "glue:BatchUpdatePartition": ceil(repaired / 100),
            "glue:BatchGetPartition": ceil(repaired / 1000) + ceil((added + repaired) / 1000),
        }
    )


@pytest.mark.parametrize("added", [0, 1, 98, 99, 998, 999])
def test_adding_costs_what_the_formula_says(world: World, added: int) -> None:
    """With today and tomorrow that is 2, 3, 100, 101, 1000 and 1001 partitions."""
    world.put("demand", *days(added))
    world.register(tables=["demand"])
    assert world.aws.calls.totals() == cost(folders=added, held=0, added=added + 2, repaired=0, unregistered=added)


@pytest.mark.parametrize("repaired", [1, 100, 101])
def test_repairing_costs_what_the_formula_says(world: World, repaired: int) -> None:
    world.put("demand", *days(150))
    world.register(tables=["demand"])
    world.spoil("demand", days(repaired))
    world.put("demand", date(2019, 1, 1))
    world.aws.calls.clear()
    world.register(tables=["demand"])
    assert world.aws.calls.totals() == cost(folders=151, held=152, added=1, repaired=repaired, unregistered=1)


def test_ten_years_of_partitions_are_registered_and_then_cost_four_pages_each(world: World) -> None:
    decade = days(3653, date(2016, 1, 1))
    world.put("demand", *decade)
    report = world.register(tables=["demand"], today=date(2025, 12, 30))
    assert report.summary == ["demand: 3653 added"]
    assert world.aws.calls.totals() == cost(folders=3653, held=0, added=3653, repaired=0, unregistered=3653)
    assert set(world.held("demand")) == {str(day) for day in decade}
    world.aws.calls.clear()
    assert world.register(tables=["demand"], today=date(2025, 12, 30)).summary == ["demand: 3653 in sync"]
    assert world.aws.calls.totals() == cost(folders=3653, held=3653, added=0, repaired=0, unregistered=0)


def test_objects_cost_nothing_however_many_there_are(world: World) -> None:
    world.put_names("demand", *(f"partition_date=2025-06-01/{number}.avro" for number in range(1500)))
    world.register(tables=["demand"])
    assert world.aws.calls.count("s3:ListObjectsV2") == 2, "folders, and the manifests of expired partitions"


def test_an_empty_bucket_gets_the_days_ahead_and_nothing_else(world: World) -> None:
    report = world.register()
    assert report.summary == [f"{table}: 2 added" for table in ("demand", "event", "notification", "sale")]
    assert report.partition_keys == {}


def test_a_table_with_no_prefix_at_all_does_not_disturb_the_others(world: World) -> None:
    world.put("sale", "2025-06-01")
    world.register()
    assert set(world.held("notification")) == AHEAD
    assert set(world.held("sale")) == AHEAD | {"2025-06-01"}


def test_a_partition_that_points_elsewhere_is_put_right(world: World) -> None:
    world.put("demand", "2025-06-01")
    world.register()
    before = world.held("demand")
    world.spoil("demand", ["2025-06-01"])
    assert world.register().summary[0] == "demand: 2 in sync, 1 repaired"
    assert world.held("demand") == before


@pytest.mark.parametrize(
    "damage",
    [
        {"Columns": [{"Name": "fanid", "Type": "int"}]},
        {"InputFormat": "org.apache.hadoop.mapred.TextInputFormat"},
        {"SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe", "Parameters": {}}},
    ],
    ids=["columns", "format", "SerDe"],
)
def test_a_partition_that_differs_from_its_table_is_put_right(world: World, damage: dict[str, object]) -> None:
    world.put("demand", "2025-06-01")
    world.register()
    before = world.held("demand")
    world.change_partition("demand", "2025-06-01", **damage)
    assert world.register().partition_keys == {"demand": ["2025-06-01"]}
    assert world.held("demand") == before


def test_a_repair_keeps_the_parameters_of_others(world: World) -> None:
    world.put("demand", "2025-06-01")
    world.register()
    serde = world.held("demand")["2025-06-01"]["StorageDescriptor"]["SerdeInfo"]
    serde["Parameters"] = {**serde["Parameters"], "avro.schema.literal": "{}", "theirs": "2"}
    world.change_partition("demand", "2025-06-01", parameters={"quality.verdict": "passed"}, SerdeInfo=serde)
    world.register()
    held = world.held("demand")["2025-06-01"]
    table = world.table("demand")["StorageDescriptor"]["SerdeInfo"]["Parameters"]
    assert held["Parameters"] == {"quality.verdict": "passed"}
    assert held["StorageDescriptor"]["SerdeInfo"]["Parameters"] == {**table, "theirs": "2"}


def test_strange_names_are_reported_and_never_registered(world: World) -> None:
    world.put_names("demand", "backup/file.avro", "partition_date=2025-6-1/file.avro", "loose.avro")
    report = world.register(tables=["demand"])
    assert set(world.held("demand")) == AHEAD
    assert report.summary[0] == (
        "demand: 2 added, 3 strange; WARNING, left alone: backup/ (not a partition folder); "
        "loose.avro (an object outside any partition folder); partition_date=2025-6-1/ (not a partition folder)"
    )


@pytest.mark.parametrize(
    "folder",
    [
        "partition_date=2025-02-30",
        "PARTITION_DATE=2025-06-01",
        "partition_date%3D2025-06-01",
        "partition_date=2025-06-01+",
        "partition_date=2025-06-01 ",
        "partition_date=2025-06-01\n",
        "partition_date=\uff12\uff10\uff12\uff15-06-01",
        "partition_date=2025-06-01T00:00:00",
        "ünï cødé & <xml> \U0001f3b8",
        "",
    ],
)
def test_a_name_that_s3_allows_and_nobody_expects_is_reported_as_it_is(world: World, folder: str) -> None:
    world.put_names("demand", f"{folder}/file.avro", f"{folder}/2025-06-01/file.avro")
    report = world.register(tables=["demand"])
    assert [strange.name for strange in report.tables[0].plan.strange] == [f"{folder}/"]
    assert report.summary[0].isprintable(), "a stranger's name cannot forge a line of the log"
    assert set(world.held("demand")) == AHEAD


def test_an_empty_object_that_the_console_makes_for_a_folder_is_not_strange(world: World) -> None:
    world.put_names("demand", "")
    assert world.register(tables=["demand"]).summary == ["demand: 2 added"]


def test_a_registered_partition_that_is_no_date_is_reported_and_stays(world: World) -> None:
    world.register()
    wanted = {**world.held("demand")["2026-03-01"], "Values": ["__HIVE_DEFAULT_PARTITION__"]}
    foreign = {key: wanted[key] for key in ("Values", "StorageDescriptor")}
    world.glue.create_partition(DatabaseName=world.settings.database, TableName="demand", PartitionInput=foreign)
    report = world.register(tables=["demand"])
    assert "__HIVE_DEFAULT_PARTITION__ (a registered partition, but not a date)" in report.summary[0]
    assert "__HIVE_DEFAULT_PARTITION__" in world.held("demand")


def test_an_empty_partition_is_counted_and_stays(world: World) -> None:
    world.register(today=date(2020, 1, 1))
    assert world.register(tables=["demand"]).summary == ["demand: 2 added, 2 empty"]
    assert {"2020-01-01", "2020-01-02"} < set(world.held("demand"))


class TestDates:
    """A backfill of a range of dates."""

    def test_only_its_dates_are_touched(self, world: World) -> None:
        world.put("demand", *days(31, date(2025, 1, 1)))
        world.register(tables=["demand"], from_date="2025-01-10", to_date="2025-01-12")
        assert set(world.held("demand")) == {"2025-01-10", "2025-01-11", "2025-01-12"}

    def test_both_ends_may_be_open(self, world: World) -> None:
        world.put("demand", "2025-01-01", "2027-01-01")
        world.register(tables=["demand"], from_date="2026-03-02")
        assert set(world.held("demand")) == {"2026-03-02", "2027-01-01"}
        world.register(tables=["demand"], to_date="2026-03-01")
        assert set(world.held("demand")) == {"2025-01-01", "2026-03-01", "2026-03-02", "2027-01-01"}

    def test_what_lies_before_and_after_costs_no_call(self, world: World) -> None:
        world.put("demand", *days(3000, date(2016, 1, 1)))
        world.register(tables=["demand"], from_date="2016-01-01", to_date="2016-01-05")
        world.register(tables=["demand"], from_date="2024-03-01", to_date="2024-03-05")
        assert world.aws.calls.count("s3:ListObjectsV2") == 4, "folders and manifests, twice"
        assert len(world.held("demand")) == 10

    def test_a_partition_outside_is_not_repaired(self, world: World) -> None:
        world.put("demand", "2025-01-01", "2025-01-02")
        world.register(tables=["demand"])
        world.spoil("demand", ["2025-01-01", "2025-01-02"])
        world.register(tables=["demand"], from_date="2025-01-02")
        held = world.held("demand")
        assert held["2025-01-01"]["StorageDescriptor"]["Location"] == "s3://elsewhere/"
        assert held["2025-01-02"]["StorageDescriptor"]["Location"] != "s3://elsewhere/"


class TestUnderChange:
    """A table whose Parameter dmd.change says that its schema is being changed."""

    def test_partitions_are_added_with_the_changes_columns_and_none_is_repaired(self, world: World) -> None:
        world.put("demand", "2025-01-01")
        world.register(tables=["demand"])
        world.spoil("demand", ["2025-01-01"])
        columns: tuple[ColumnTypeDef, ...] = ({"Name": "type", "Type": "string", "Comment": "Shortened."},)
        world.set_table_parameters("demand", **{CHANGE_PARAMETER: ChangeMark("change-1", columns).as_parameter()})
        world.put("demand", "2025-01-02")
        report = world.register(tables=["demand"])
        assert report.summary == ["demand: 3 in sync, 1 added; under change change-1: nothing repaired"]
        held = world.held("demand")
        assert held["2025-01-01"]["StorageDescriptor"]["Location"] == "s3://elsewhere/"
        assert held["2025-01-02"]["StorageDescriptor"]["Columns"] == list(columns)

    def test_a_mark_that_nobody_can_read_stops_the_table_and_no_other(self, world: World) -> None:
        world.set_table_parameters("demand", **{CHANGE_PARAMETER: "?"})
        with pytest.raises(CatalogError, match=r"table demand: its Parameter dmd\.change cannot be read"):
            world.register()
        assert world.held("demand") == {}
        assert set(world.held("sale")) == AHEAD


class TestReport:
    """What a run tells about itself."""

    def test_partition_keys_are_the_dates_written_that_hold_data(self, world: World) -> None:
        world.put("demand", "2025-01-01", "2026-03-01")
        assert world.register().partition_keys == {"demand": ["2025-01-01", "2026-03-01"]}
        assert world.register().partition_keys == {}

    def test_a_dry_run_plans_and_writes_nothing(self, world: World) -> None:
        world.put("demand", "2025-01-01")
        world.register(tables=["demand"])
        world.spoil("demand", ["2025-01-01"])
        world.put("demand", "2025-01-02")
        before = world.held("demand")
        report = world.register(tables=["demand"], dry_run=True)
        assert report.summary == ["dry run: demand: 2 in sync, 1 to add, 1 to repair"]
        assert report.partition_keys == {}
        assert "differs: location" in report.as_data()["plan"]
        assert world.held("demand") == before

    def test_it_is_handed_out_before_the_run_fails(self, world: World) -> None:
        world.put("demand", "2025-01-01", "2025-01-02")
        world.aws.fail("glue:BatchCreatePartition", "AccessDeniedException", item="2025-01-01")
        reports: list[Report] = []
        with pytest.raises(PartitionsFailedError):
            world.register(report_to=reports.append)
        assert reports[0].partition_keys == {"demand": ["2025-01-02"]}
        assert reports[0].as_data()["counts"]["demand"]["failed"] == 1


class TestRefused:
    """Runs that cannot do what they were asked."""

    def test_a_missing_table_is_named_with_its_remedy_and_the_others_are_registered(self, world: World) -> None:
        world.glue.delete_table(DatabaseName=world.settings.database, Name="demand")
        with pytest.raises(TableNotFoundError, match=r"\.demand does not exist: run the DAG apply_schema_changes"):
            world.register()
        assert set(world.held("event")) == AHEAD

    def test_all_missing_tables_are_named(self, world: World) -> None:
        for table in ("demand", "sale"):
            world.glue.delete_table(DatabaseName=world.settings.database, Name=table)
        with pytest.raises(TableNotFoundError, match=r"\.demand does not exist.*\.sale does not exist"):
            world.register()

    def test_a_missing_database_is_named_once(self, world: World) -> None:
        world.glue.delete_database(Name=world.settings.database)
        with pytest.raises(DatabaseNotFoundError) as caught:
            world.register()
        assert str(caught.value) == (
            f"database {world.settings.database} does not exist: "
            "run the DAG apply_schema_changes, which creates what is missing"
        )

    def test_a_missing_bucket_is_named(self, world: World) -> None:
        world.aws.client("s3").delete_bucket(Bucket=world.settings.bucket)
        with pytest.raises(StorageError, match=rf"cannot list s3://{world.settings.bucket}/.*NoSuchBucket"):
            world.register(tables=["demand"])

    def test_nonsense_is_refused_before_any_call(self, world: World) -> None:
        with pytest.raises(ParameterError, match="unknown 'sales'"):
            world.register(tables=["sales"])
        with pytest.raises(ParameterError, match="from_date 2026-01-02 is after to_date 2026-01-01"):
            world.register(from_date="2026-01-02", to_date="2026-01-01")
        assert world.aws.calls.names() == []

    def test_a_table_that_fails_beside_one_that_was_written_is_named_by_an_error_that_is_not_tried_again(
        self, world: World
    ) -> None:
        world.put("demand", "2025-01-01")
        world.set_table_parameters("sale", **{CHANGE_PARAMETER: "?"})
        with pytest.raises(PartitionsFailedError) as caught:
            world.register()
        assert set(caught.value.failures) == {"sale"}
        with pytest.raises(CatalogError) as again:
            world.register()
        assert type(again.value) is CatalogError, "nothing was written: trying again loses nothing"

    def test_two_tables_that_fail_differently_are_both_named(self, world: World) -> None:
        world.glue.delete_table(DatabaseName=world.settings.database, Name="demand")
        world.set_table_parameters("sale", **{CHANGE_PARAMETER: "?"})
        with pytest.raises(CatalogError, match=r"\.demand does not exist.*table sale: its Parameter"):
            world.register(today=TODAY)


class TestExpired:
    """What has left the catalog because of its age does not come back by itself."""

    OLD = date(2019, 1, 1)

    def expire(self, world: World, day: date, **rest: Any) -> str:
        """Write what says that a partition has expired; its key."""
        manifest = Manifest(
            table="demand",
            partition_date=day,
            definition={"Values": [str(day)]},
            objects=(),
            rows=0,
            dropped_at=NOW - timedelta(days=3),
            dropped_by="run",
            grace_days=14,
            **rest,
        )
        key = world.settings.layout.manifest_key("demand", day)
        world.bucket.write(key, manifest.content(), "application/json")
        return key

    def test_it_is_not_registered_again_and_the_plan_says_so(self, world: World) -> None:
        world.put("demand", self.OLD, "2025-05-01")
        self.expire(world, self.OLD)
        report = world.register(tables=["demand"], now=lambda: NOW)
        assert report.summary == ["demand: 3 added, 1 expired"]
        assert "expired             1  2019-01-01" in report.as_data()["plan"]
        assert str(self.OLD) not in world.held("demand")
        assert report.partition_keys == {"demand": ["2025-05-01"]}
        world.aws.calls.clear()
        assert world.register(tables=["demand"], now=lambda: NOW).summary == ["demand: 3 in sync, 1 expired"]
        assert world.aws.calls.totals() == {
            "s3:ListObjectsV2": 2,
            "s3:GetObject": 1,
            "glue:GetPartitions": 1,
            "glue:GetTable": 1,
        }

    @pytest.mark.parametrize(("days", "held"), [(1, True), (0, False), (-1, False)])
    def test_what_was_restored_is_registered_until_it_expires_again(self, world: World, days: int, held: bool) -> None:
        world.put("demand", self.OLD)
        self.expire(world, self.OLD, keep_until=NOW + timedelta(days=days))
        world.register(tables=["demand"], now=lambda: NOW)
        assert (str(self.OLD) in world.held("demand")) is held

    def test_a_damaged_manifest_registers_nothing_and_is_told(self, world: World, caplog: Any) -> None:
        caplog.set_level("INFO")
        world.put("demand", self.OLD, "2025-05-01")
        key = self.expire(world, self.OLD)
        world.bucket.write(key, b"{", "application/json")
        assert world.register(tables=["demand"]).summary == ["demand: 3 added, 1 expired"]
        assert str(self.OLD) not in world.held("demand")
        assert f"2019-01-01 is not registered: {key} is no manifest" in caplog.text

    def test_of_many_what_a_summary_says_is_not_read_again(self, world: World, caplog: Any) -> None:
        caplog.set_level("INFO")
        days = [self.OLD + timedelta(days=number) for number in range(11)]
        world.put("demand", *days)
        for day in days:
            self.expire(world, day)
        store = Manifests(world.bucket, world.settings.layout)
        known = {day: Known.of(manifest, etag) for day, (manifest, etag) in store.look_up("demand", days, {}).items()}
        known[days[0]] = Known(etag=known[days[0]].etag, deleted_at=NOW)
        store.summarize("demand", known, None)
        world.aws.calls.clear()
        assert world.register(tables=["demand"], now=lambda: NOW).summary == ["demand: 2 added, 11 expired"]
        assert world.aws.calls.count("s3:GetObject") == 1
        assert f"{days[0]} is not registered: expired, its objects were deleted {NOW:%Y-%m-%d}" in caplog.text

    @pytest.mark.parametrize("damage", [b"{", b""])
    def test_a_damaged_summary_is_told_and_the_manifests_are_asked(
        self, world: World, caplog: Any, damage: bytes
    ) -> None:
        for number in range(11):
            world.put("demand", self.OLD + timedelta(days=number))
            self.expire(world, self.OLD + timedelta(days=number))
        key = world.settings.layout.retention_summary_key("demand")
        world.bucket.write(key, damage, "application/gzip")
        assert world.register(tables=["demand"], now=lambda: NOW).summary == ["demand: 2 added, 11 expired"]
        assert f"{key} is no summary" in caplog.text

    def test_the_manifests_of_other_tables_and_dates_say_nothing(self, world: World) -> None:
        world.put("demand", self.OLD)
        world.put("event", self.OLD + timedelta(days=1))
        self.expire(world, self.OLD + timedelta(days=1))
        world.register(tables=["demand", "event"])
        assert str(self.OLD) in world.held("demand")
        assert str(self.OLD + timedelta(days=1)) in world.held("event")
