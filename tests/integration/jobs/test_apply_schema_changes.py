"""Creating the catalog: what Glue holds afterwards."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline import hive
from dmd_pipeline.errors import CatalogError, ParameterError
from dmd_pipeline.record_types import load_record_types
from tests.integration.jobs import job_processes
from tests.integration.jobs.conftest import World


if TYPE_CHECKING:
    from dmd_pipeline.jobs.schema_reports import Report
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


TABLES = ("demand", "event", "notification", "sale")


@pytest.fixture
def bare(aws: LocalAws, settings: Settings) -> World:
    """The local AWS with a database and no tables."""
    return World(aws, settings)


def create(world: World, **asked: Any) -> Report:
    return world.apply_schemas(**asked)


def test_every_missing_table_is_created_from_its_schema(bare: World) -> None:
    assert create(bare).summary == [f"{table}: created" for table in TABLES]
    for table in TABLES:
        location = bare.settings.layout.table_location(table)
        wanted: Any = hive.table_input(table, load_record_types()[table].schema, location)
        held = bare.table(table)
        descriptor = held["StorageDescriptor"]
        held["StorageDescriptor"] = {key: descriptor[key] for key in wanted["StorageDescriptor"]}
        assert {key: held[key] for key in wanted} == wanted


def test_a_missing_database_is_created_too(bare: World) -> None:
    bare.glue.delete_database(Name=bare.settings.database)
    assert create(bare).outcomes == dict.fromkeys(TABLES, "created")


def test_a_second_run_only_reads(bare: World) -> None:
    create(bare)
    bare.aws.calls.clear()
    assert create(bare).summary == [f"{table}: in sync" for table in TABLES]
    assert bare.aws.calls.totals() == Counter(
        {"glue:GetDatabase": 1, "glue:GetTables": 1, "glue:GetTable": 4, "glue:GetPartitions": 4}
    )


def test_only_the_tables_asked_for_are_created(bare: World) -> None:
    create(bare, tables=["sale"])
    listed = bare.glue.get_tables(DatabaseName=bare.settings.database)["TableList"]
    assert [table["Name"] for table in listed] == ["sale"]


def test_a_dry_run_plans_and_creates_nothing(bare: World) -> None:
    create(bare, tables=["sale"])
    report = create(bare, dry_run=True)
    assert report.summary == [
        "demand: planned: create",
        "event: planned: create",
        "notification: planned: create",
        "sale: planned: in sync",
    ]
    assert len(bare.glue.get_tables(DatabaseName=bare.settings.database)["TableList"]) == 1


def test_a_table_that_cannot_be_created_is_named_and_the_others_are_created(bare: World) -> None:
    bare.aws.fail("glue:CreateTable", "AccessDeniedException", message="Not you.")
    reports: list[Report] = []
    with pytest.raises(CatalogError, match=r"table demand: cannot create table .*\.demand: AccessDeniedException: Not"):
        create(bare, report_to=reports.append)
    assert reports[0].outcomes == {**dict.fromkeys(TABLES, "created"), "demand": "failed"}
    assert create(bare).outcomes == {**dict.fromkeys(TABLES, "in sync"), "demand": "created"}


def test_an_unknown_table_is_refused_before_any_call(bare: World) -> None:
    with pytest.raises(ParameterError, match="unknown 'sales'"):
        create(bare, tables=["sales"])
    assert bare.aws.calls.names() == []


def test_a_table_that_others_create_meanwhile_counts(bare: World) -> None:
    made = threading.Event()

    def create_it_first(**_event: Any) -> None:
        if not made.is_set():
            made.set()
            World(bare.aws, bare.settings).create_tables()

    bare.glue.meta.events.register("before-call.glue.CreateTable", create_it_first)
    assert create(bare).outcomes == {**dict.fromkeys(TABLES, "in sync"), "demand": "created by another run"}


def test_two_runs_at_once_both_succeed(bare: World) -> None:
    bare.glue.delete_database(Name=bare.settings.database)
    codes = job_processes.run_at_once("apply_schema_changes", 2, first_write="glue.CreateDatabase")
    assert codes == [0, 0], "both runs succeeded"
    assert create(bare).outcomes == dict.fromkeys(TABLES, "in sync")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_killed_at_any_call_and_run_again_gives_what_one_whole_run_gives(bare: World, moment: str) -> None:
    call, killed = 0, True
    while killed:
        call += 1
        bare.glue.delete_database(Name=bare.settings.database)
        killed = job_processes.run_and_kill("apply_schema_changes", call, moment)
        create(bare)
        assert create(bare).outcomes == dict.fromkeys(TABLES, "in sync"), f"killed {moment} call {call}"
    assert call == 20, (
        "GetDatabase, CreateDatabase, GetTables; GetPartitions, GetDatabase, CreateTable, GetTable of each"
    )
