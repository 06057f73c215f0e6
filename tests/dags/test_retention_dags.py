"""The DAGs of retention, run by Airflow against the local AWS."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.airflow.runs import is_by_hand
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.delivery import container
from dmd_pipeline.jobs.leases import LEASE
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.retention_manifests import Manifest
from local.dags_doc import load_dags


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws
    from tests.dags.dag_runner import DagRunner


DAGS = load_dags()
TODAY = datetime.now(UTC).date()
OLD = date(2015, 6, 1)
OTHERS = ("event", "notification", "sale")


def a_demand(fan: str) -> dict[str, Any]:
    stamp = f"{OLD}T12:00:00.000Z"
    identifiers = {"type": "demand", "fanId": fan, "eventId": "event", "saleId": "sale"}
    reference = {"id": f"event_sale_{fan}", "timestamp": stamp}
    return {**identifiers, "requestedDateTime": stamp, "date": {"requested": stamp}, "reference": reference}


def prepare(aws: LocalAws, settings: Settings, runner: DagRunner) -> None:
    """A table with many young partitions and an old one, of which something has expired before."""
    runner.run("apply_schema_changes")
    body = container(load_record_types()["demand"], [a_demand("fan-1"), a_demand("fan-2")], sync_marker=bytes(16))
    bucket = Bucket(aws.client("s3"), settings.bucket)
    for day in [OLD, *(TODAY - timedelta(days=days) for days in range(12))]:
        bucket.write(f"{settings.layout.partition_prefix('demand', day)}a.avro", body, "avro/binary")
    runner.run("register_partitions", tables=["demand"])
    before = Manifest(
        table="demand",
        partition_date=date(2010, 1, 1),
        definition={"Values": ["2010-01-01"]},
        objects=(),
        rows=0,
        dropped_at=datetime(2020, 1, 1, tzinfo=UTC),
        dropped_by="before",
        grace_days=14,
    )
    bucket.write(settings.layout.manifest_key("demand", date(2010, 1, 1)), before.content(), "application/json")


def registered(aws: LocalAws, settings: Settings) -> set[str]:
    pages = (
        aws.client("glue").get_paginator("get_partitions").paginate(DatabaseName=settings.database, TableName="demand")
    )
    return {one["Values"][0] for page in pages for one in page["Partitions"]}


def test_an_old_partition_leaves_and_is_restored(aws: LocalAws, runner: DagRunner, settings: Settings) -> None:
    prepare(aws, settings, runner)
    before = registered(aws, settings)

    planned = runner.run("drop_expired_partitions")
    assert planned["state"] == "success", planned
    assert {state for task, state in planned["tasks"].items() if task != "plan"} == {"skipped"}
    assert planned["returned"]["plan"]["summary"][0] == "dry run: demand: 1 to drop"
    assert "| leave the catalog" in planned["returned"]["plan"]["plans"][0]
    assert registered(aws, settings) == before

    dropped = runner.run("drop_expired_partitions", dry_run=False)
    assert dropped["state"] == "success", dropped
    assert dropped["tasks"] == {
        "plan": "success",
        "approve_demand": "skipped",
        "drop_demand": "success",
        **{f"{what}_{table}": "skipped" for table in OTHERS for what in ("approve", "drop")},
    }
    assert dropped["returned"]["drop_demand"]["summary"] == ["demand: 1 dropped"]
    assert registered(aws, settings) == before - {str(OLD)}

    rehearsed = runner.run("restore_partitions", tables=["demand"], from_date=str(OLD), dry_run=True)
    assert rehearsed["returned"]["restore"]["summary"] == [f"dry run: demand: {OLD} would be restored: 2 rows"]
    assert rehearsed["emitted"] == []
    restored = runner.run("restore_partitions", tables=["demand"], from_date=str(OLD), keep_days=3)
    assert restored["state"] == "success", restored
    assert restored["returned"]["restore"]["summary"] == [f"demand: {OLD} restored, counted by Athena: 2 rows"]
    assert restored["emitted"] == [["demand", str(OLD)]]
    assert registered(aws, settings) == before
    key = settings.layout.manifest_key("demand", OLD)
    manifest = Manifest.read(Bucket(aws.client("s3"), settings.bucket).read(key), settings.layout, "demand", OLD)
    assert manifest.dropped_by.startswith("drop_expired_partitions/manual__")
    assert manifest.keep_until is not None
    assert manifest.keep_until.date() - TODAY == timedelta(days=3)
    kept = runner.run("drop_expired_partitions", dry_run=False)
    assert set(kept["tasks"].values()) == {"success", "skipped"}
    assert kept["tasks"]["drop_demand"] == "skipped"


def test_a_table_that_cannot_be_planned_fails_alone_and_a_dry_run_says_so_at_once(
    aws: LocalAws, runner: DagRunner, settings: Settings
) -> None:
    prepare(aws, settings, runner)
    key = settings.layout.manifest_key("demand", OLD)
    aws.client("s3").put_object(Bucket=settings.bucket, Key=key, Body=b"{}")
    dry = runner.run("drop_expired_partitions")
    assert (dry["state"], dry["tasks"]["plan"]) == ("failed", "failed")
    real = runner.run("drop_expired_partitions", dry_run=False)
    assert real["state"] == "failed"
    assert (real["tasks"]["plan"], real["tasks"]["drop_demand"]) == ("success", "failed")
    assert f"{key} is no manifest" in real["returned"]["drop_demand"]["summary"][0]
    assert str(OLD) in registered(aws, settings)


def test_what_tests_left_is_deleted_and_nothing_else(aws: LocalAws, runner: DagRunner, settings: Settings) -> None:
    keys = [f"{settings.layout.test_prefix()}a/b", f"{settings.prefix}/tests/a", settings.layout.errors_prefix() + "a"]
    for key in keys:
        aws.client("s3").put_object(Bucket=settings.bucket, Key=key, Body=b"x")
    young = runner.run("clean_test_data", dry_run=False)
    assert young["returned"]["clean"]["summary"] == ["0 objects of tests deleted (0 bytes); 1 kept"]
    rehearsed = runner.run("clean_test_data")
    assert rehearsed["returned"]["clean"]["summary"] == [
        "dry run: 0 objects of tests would be deleted (0 bytes); 1 kept"
    ]
    assert not [call for call in aws.calls.totals() if "Delete" in call]


def test_only_a_schedule_does_what_the_settings_say() -> None:
    def context(run_type: str) -> Any:
        return {"dag_run": type("Run", (), {"run_type": run_type})()}

    assert not is_by_hand(context("scheduled"))
    assert is_by_hand(context("manual"))
    assert is_by_hand(context("backfill"))


@pytest.mark.parametrize("dag_id", ["drop_expired_partitions", "clean_test_data"])
def test_by_hand_nothing_is_deleted_unless_somebody_says_so(dag_id: str) -> None:
    assert DAGS[dag_id].params["dry_run"] is True


def test_whoever_holds_the_lease_on_a_table_ends_before_it_does() -> None:
    holders = [task for name in ("drop_expired_partitions", "restore_partitions") for task in DAGS[name].tasks]
    working = [task for task in holders if task.task_id.startswith(("drop_", "restore"))]
    assert len(working) == 5
    assert all(task.execution_timeout is not None and task.execution_timeout < LEASE for task in working)
