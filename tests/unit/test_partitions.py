"""The plan of registration: properties of any state, and each rule by example."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline import hive
from dmd_pipeline.change_marks import CHANGE_PARAMETER, ChangeMark
from dmd_pipeline.layout import Layout, partition_date_of
from dmd_pipeline.parameters import DateRange
from dmd_pipeline.partitions import Strange, TablePlan, differences, merged, plan, remaining


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_glue.type_defs import PartitionTypeDef, TableTypeDef


LAYOUT = Layout("bucket", "data-pipeline")
SCHEMA = {
    "type": "record",
    "name": "demand",
    "fields": [{"name": "fanId", "type": "string", "doc": "Who."}, {"name": "eventId", "type": "string"}],
}
TABLE = cast("TableTypeDef", hive.table_input("demand", SCHEMA, LAYOUT.table_location("demand")))
TODAY = date(2025, 6, 1)
AHEAD = [TODAY, TODAY + timedelta(days=1)]
EVER = DateRange()

# What may have happened to a partition; each is something that registration puts right, or must leave alone.
DAMAGES: dict[str, dict[str, Any]] = {
    "none": {},
    "location": {"Location": "s3://elsewhere/partition/"},
    "columns": {"Columns": [{"Name": "fanid", "Type": "int"}]},
    "formats": {"InputFormat": "org.apache.hadoop.mapred.TextInputFormat"},
    "SerDe": {"SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe", "Parameters": {"x": "1"}}},
    "schema": {"SerdeInfo": {"SerializationLibrary": hive.SERDE, "Parameters": {hive.SCHEMA_LITERAL: "{}"}}},
}


def partition(day: date, damage: str = "none", **rest: Any) -> PartitionTypeDef:
    """A partition as Glue returns it."""
    wanted = deepcopy(hive.partition_input(TABLE, day, LAYOUT.partition_location("demand", day)))
    descriptor = {**wanted["StorageDescriptor"], **DAMAGES[damage]}
    return cast("PartitionTypeDef", {"Values": [day.isoformat()], "StorageDescriptor": descriptor, **rest})


def folder(day: date) -> str:
    return f"partition_date={day}/"


def planned(
    found: Iterable[str], registered: Iterable[PartitionTypeDef], dates: DateRange = EVER, table: TableTypeDef = TABLE
) -> TablePlan:
    return plan(table, LAYOUT, found=found, registered=registered, ahead=AHEAD, dates=dates)


def applied(made: TablePlan, registered: Iterable[PartitionTypeDef]) -> dict[tuple[str, ...], PartitionTypeDef]:
    """What Glue holds after a plan was carried out, by values."""
    after = {tuple(held["Values"]): held for held in registered}
    for step in made.add:
        assert (step.value,) not in after, "a partition that exists cannot be added"
        after[step.value,] = cast("PartitionTypeDef", step.wanted)
    for step in made.repair:
        after[step.value,] = cast("PartitionTypeDef", merged(after[step.value,], step.wanted))
    return after


days = st.dates(date(2025, 5, 1), date(2025, 7, 31))
foreign_names = st.sampled_from(
    ["backup/", "loose.avro", "partition_date=2025-6-1/", "partition_date=20250601/", "partition_date=2025-02-30/", "/"]
)
found_names = st.sets(st.one_of(days.map(folder), foreign_names), max_size=40)
parameters = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3)
registered_days = st.dictionaries(days, st.tuples(st.sampled_from(sorted(DAMAGES)), parameters), max_size=40)
foreign_values = st.sets(st.sampled_from(["20250601", "__HIVE_DEFAULT_PARTITION__", "2025-W23-1", ""]))


@st.composite
def registered_partitions(draw: st.DrawFn) -> list[PartitionTypeDef]:
    own = [
        partition(day, damage, Parameters=given_parameters)
        for day, (damage, given_parameters) in draw(registered_days).items()
    ]
    foreign = [cast("PartitionTypeDef", {**partition(TODAY), "Values": [value]}) for value in draw(foreign_values)]
    return own + foreign


ranges = st.tuples(st.none() | days, st.none() | days).map(
    lambda ends: DateRange(*ends) if None in ends else DateRange(*sorted(cast("tuple[date, date]", ends)))
)


@given(found_names, registered_partitions(), ranges)
def test_applying_the_plan_gives_every_wanted_partition_as_it_should_look(
    found: set[str], registered: list[PartitionTypeDef], dates: DateRange
) -> None:
    after = applied(planned(found, registered, dates), registered)
    folders = {day for name in found if (day := partition_date_of(name))}
    for day in folders | set(AHEAD):
        if day in dates:
            wanted = hive.partition_input(TABLE, day, LAYOUT.partition_location("demand", day))
            assert differences(after[day.isoformat(),], wanted) == ()


@given(found_names, registered_partitions(), ranges)
def test_the_second_plan_is_empty_and_reports_the_same_strange_things(
    found: set[str], registered: list[PartitionTypeDef], dates: DateRange
) -> None:
    first = planned(found, registered, dates)
    after = applied(first, registered)
    second = planned(found, after.values(), dates)
    assert second.is_empty
    assert second.strange == first.strange
    assert remaining(first.steps, {values[0]: held for values, held in after.items()}) == ()


@given(found_names, registered_partitions(), ranges)
def test_what_the_plan_does_not_name_stays_as_it_was(
    found: set[str], registered: list[PartitionTypeDef], dates: DateRange
) -> None:
    made = planned(found, registered, dates)
    after = applied(made, registered)
    repaired = {step.value for step in made.repair}
    for before in registered:
        values = tuple(before["Values"])
        assert after[values].get("Parameters") == before.get("Parameters")
        if values[0] not in repaired:
            assert after[values] == before
    assert all(step.partition_date in dates for step in made.steps)


@given(found_names, registered_partitions(), ranges)
def test_every_registered_partition_of_the_dates_is_counted_once(
    found: set[str], registered: list[PartitionTypeDef], dates: DateRange
) -> None:
    made = planned(found, registered, dates)
    strange_partitions = [strange for strange in made.strange if strange.name not in found]
    outside = [held for held in registered if (day := _day(held)) is not None and day not in dates]
    assert made.in_sync + len(made.empty) + len(made.repair) + len(strange_partitions) + len(outside) == len(registered)


def _day(held: PartitionTypeDef) -> date | None:
    return partition_date_of(f"partition_date={held['Values'][0]}/")


@given(found_names, registered_partitions())
def test_a_table_under_change_is_only_added_to(found: set[str], registered: list[PartitionTypeDef]) -> None:
    mark = ChangeMark("change-1", ({"Name": "fanid", "Type": "string", "Comment": ""},))
    table = cast("TableTypeDef", {**TABLE, "Parameters": {CHANGE_PARAMETER: mark.as_parameter()}})
    made = planned(found, registered, table=table)
    assert made.repair == ()
    assert made.change == "change-1"
    assert all(step.wanted["StorageDescriptor"]["Columns"] == mark.columns for step in made.add)
    assert planned(found, applied(made, registered).values(), table=table).is_empty


@pytest.mark.parametrize("damage", [name for name in DAMAGES if name != "none"])
def test_a_partition_that_holds_data_and_differs_is_repaired_for_that_reason(damage: str) -> None:
    day = date(2025, 5, 1)
    made = planned([folder(day)], [partition(day, damage)])
    assert [(step.partition_date, step.holds_data) for step in made.repair] == [(day, True)]
    assert damage in made.repair[0].differences


def test_dates_with_objects_today_and_the_days_ahead_are_added() -> None:
    old, future = date(2019, 1, 1), date(2031, 1, 1)
    made = planned([folder(old), folder(future)], [])
    assert [(step.partition_date, step.holds_data) for step in made.add] == [
        (old, True),
        (AHEAD[0], False),
        (AHEAD[1], False),
        (future, True),
    ]


def test_a_registered_partition_without_objects_is_counted_as_empty() -> None:
    made = planned([], [partition(date(2025, 5, 1)), *map(partition, AHEAD)])
    assert made.empty == (date(2025, 5, 1),)
    assert made.in_sync == 2
    assert made.is_empty


def test_a_partition_that_is_listed_twice_counts_once_as_it_was_last() -> None:
    other = TODAY + timedelta(days=1)
    made = planned([], [partition(TODAY, "columns"), partition(TODAY), partition(other), partition(other, "columns")])
    assert (made.in_sync, [step.partition_date for step in made.repair]) == (1, [other])


def test_an_empty_partition_with_stale_columns_is_repaired_for_it_breaks_every_query() -> None:
    made = planned([], [partition(date(2025, 5, 1), "columns")])
    assert [step.partition_date for step in made.repair] == [date(2025, 5, 1)]
    assert not made.repair[0].holds_data


def test_a_partition_that_points_elsewhere_while_its_own_folder_is_empty_is_left_alone_by_name() -> None:
    made = planned([], [partition(date(2025, 5, 1), "location"), *map(partition, AHEAD)])
    assert made.is_empty
    assert made.strange == (
        Strange(
            "partition_date=2025-05-01",
            "points to s3://elsewhere/partition/ and has no objects in its own folder",
        ),
    )


def test_a_slash_at_the_end_of_a_location_makes_no_difference() -> None:
    day = date(2025, 5, 1)
    held = partition(day)
    held["StorageDescriptor"]["Location"] = held["StorageDescriptor"]["Location"].rstrip("/")
    assert planned([folder(day)], [held, *map(partition, AHEAD)]).is_empty


def test_a_repair_keeps_what_it_does_not_know() -> None:
    day = date(2025, 5, 1)
    held = partition(day, "schema", Parameters={"theirs": "1"}, LastAccessTime="then")
    held["StorageDescriptor"]["SerdeInfo"]["Parameters"]["theirs"] = "2"
    held["StorageDescriptor"]["Parameters"] = {"theirs": "3"}
    held["StorageDescriptor"]["NumberOfBuckets"] = 7
    repaired: Mapping[str, Any] = merged(held, planned([folder(day)], [held]).repair[0].wanted)
    assert repaired["Parameters"] == {"theirs": "1"}
    assert repaired["LastAccessTime"] == "then"
    assert repaired["StorageDescriptor"]["SerdeInfo"]["Parameters"]["theirs"] == "2"
    assert repaired["StorageDescriptor"]["Parameters"] == {"theirs": "3"}
    assert repaired["StorageDescriptor"]["NumberOfBuckets"] == 7


def test_a_repair_sends_no_key_that_glue_returns_but_does_not_take() -> None:
    held = partition(date(2025, 5, 1), "columns", DatabaseName="d", TableName="t", CatalogId="1", CreationTime="then")
    repaired = merged(held, planned([], [held]).repair[0].wanted)
    assert set(repaired) == {"Values", "StorageDescriptor"}


def test_the_plan_prints_as_a_table() -> None:
    first, last = date(2025, 5, 1), date(2025, 5, 3)
    found = [folder(first), folder(date(2025, 5, 2)), folder(last), "backup/"]
    printed = str(planned(found, [partition(last, "location"), *map(partition, AHEAD)]))
    assert [line.split() for line in printed.splitlines()[3:]] == [
        ["add", "2", "2025-05-01", "to", "2025-05-02"],
        ["repair", "1", "2025-05-03"],
        ["differs:", "location"],
        ["in", "sync", "2"],
        ["strange", "1", "backup/", "(not", "a", "partition", "folder)"],
    ]
    assert printed.splitlines()[0] == "demand"
