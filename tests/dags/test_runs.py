"""The DAGs, run by Airflow against the local AWS: states, reports, partition keys and alerts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws
    from tests.dags.dag_runner import DagRunner


TABLES = ("demand", "event", "notification", "sale")


def put(aws: LocalAws, settings: Settings, table: str, *days: str) -> None:
    for day in days:
        key = f"{settings.layout.table_prefix(table)}partition_date={day}/file.avro"
        aws.client("s3").put_object(Bucket=settings.bucket, Key=key, Body=b"avro")


def set_unreadable_change_mark(aws: LocalAws, settings: Settings, table: str) -> None:
    glue: Any = aws.client("glue")
    now = glue.get_table(DatabaseName=settings.database, Name=table)["Table"]
    changed = {key: now[key] for key in ("Name", "TableType", "PartitionKeys", "StorageDescriptor")}
    changed["Parameters"] = {**now["Parameters"], "dmd.change": "?"}
    glue.update_table(DatabaseName=settings.database, TableInput=changed)


def alerts(aws: LocalAws, settings: Settings) -> list[dict[str, Any]]:
    """The alerts that reached the topic: locally it feeds a queue."""
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{settings.alerts_topic}-inbox")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    bodies = [json.loads(message["Body"]) for message in messages]
    return [json.loads(body["Message"]) if "Message" in body else body for body in bodies]


def test_tables_are_created_and_then_in_sync(aws: LocalAws, runner: DagRunner) -> None:
    first = runner.run("apply_schema_changes")
    assert first["state"] == "success"
    assert first["tasks"] == {
        "plan": "success",
        **{f"approve_{table}": "skipped" for table in TABLES},
        **{f"apply_{table}": "success" for table in TABLES},
        **{f"publish_{table}": "skipped" for table in TABLES},
    }
    assert [first["returned"][f"apply_{table}"]["summary"] for table in TABLES] == [
        [f"{table}: created"] for table in TABLES
    ]
    second = runner.run("apply_schema_changes")
    assert second["returned"]["plan"]["summary"] == [f"{table}: planned: in sync" for table in TABLES]
    assert {state for task, state in second["tasks"].items() if task != "plan"} == {"skipped"}
    assert aws.calls.count("glue:CreateTable") == 4


def test_what_was_changed_by_hand_is_put_right_and_its_dates_are_published(
    aws: LocalAws, runner: DagRunner, settings: Settings
) -> None:
    runner.run("apply_schema_changes")
    put(aws, settings, "demand", "2020-01-01")
    runner.run("register_partitions", tables=["demand"])
    glue: Any = aws.client("glue")
    now = glue.get_table(DatabaseName=settings.database, Name="demand")["Table"]
    changed = {key: now[key] for key in ("Name", "TableType", "PartitionKeys", "StorageDescriptor", "Parameters")}
    changed["StorageDescriptor"]["Columns"].append({"Name": "note", "Type": "string"})
    glue.update_table(DatabaseName=settings.database, TableInput=changed)
    runner.run("register_partitions", tables=["demand"])
    result = runner.run("apply_schema_changes")
    assert result["returned"]["plan"]["to_do"] == ["demand"]
    assert result["returned"]["apply_demand"]["summary"][0].startswith("demand: repaired, 3 partitions written")
    assert ["demand", "2020-01-01"] in result["emitted"]
    assert (result["tasks"]["publish_demand"], result["tasks"]["apply_sale"]) == ("success", "skipped")


def test_a_table_with_files_that_it_cannot_read_is_told_of(
    aws: LocalAws, runner: DagRunner, settings: Settings
) -> None:
    runner.run("apply_schema_changes")
    put(aws, settings, "demand", "2020-01-01")
    runner.run("register_partitions", tables=["demand"])
    assert runner.run("apply_schema_changes")["state"] == "success"
    (alert,) = alerts(aws, settings)
    assert alert["title"] == "local: demand has files that the table cannot read"
    assert "partition_date=2020-01-01/" in alert["text"]


def test_new_dates_become_partition_keys_of_their_tables_assets_and_others_are_skipped(
    aws: LocalAws, runner: DagRunner, settings: Settings
) -> None:
    runner.run("apply_schema_changes")
    put(aws, settings, "demand", "2020-01-01", "2031-01-01")
    put(aws, settings, "sale", "2020-01-01")
    put(aws, settings, "event", "2020-1-1")
    first = runner.run("register_partitions")
    assert first["state"] == "success"
    assert first["tasks"] == {
        "register": "success",
        "publish_demand": "success",
        "publish_event": "skipped",
        "publish_notification": "skipped",
        "publish_sale": "success",
    }
    assert first["emitted"] == [["demand", "2020-01-01"], ["demand", "2031-01-01"], ["sale", "2020-01-01"]]
    report = first["returned"]["register"]
    assert report["summary"][0] == "demand: 4 added"
    assert "WARNING, left alone: partition_date=2020-1-1/" in report["summary"][1]
    assert report["counts"]["demand"]["added"] == 4
    second = runner.run("register_partitions")
    assert second["emitted"] == []
    assert set(second["tasks"].values()) == {"success", "skipped"}


def test_what_was_written_is_published_although_the_run_fails_and_somebody_is_told(
    aws: LocalAws, runner: DagRunner, settings: Settings
) -> None:
    runner.run("apply_schema_changes")
    put(aws, settings, "demand", "2020-01-01", "2020-01-02")
    put(aws, settings, "sale", "2020-01-03")
    aws.fail("glue:BatchCreatePartition", "AccessDeniedException", item="2020-01-02", message="Not you.")
    result = runner.run("register_partitions")
    assert result["state"] == "failed"
    assert result["tasks"]["register"] == "failed"
    assert result["emitted"] == [["demand", "2020-01-01"], ["sale", "2020-01-03"]]
    assert result["returned"]["register"]["summary"][0] == (
        "demand: 3 added, 1 failed; FAILED: 2020-01-02: AccessDeniedException: Not you."
    )
    (alert,) = alerts(aws, settings)
    assert alert["severity"] == "high"
    assert alert["title"] == "local: register_partitions.register failed"
    assert alert["text"].startswith("PartitionsFailedError: 1 partition(s) or table(s) failed")
    assert alert["link"].endswith("/tasks/register?try_number=1")
    assert runner.run("register_partitions")["emitted"] == [["demand", "2020-01-02"]]


def test_what_was_written_is_published_although_another_table_fails_altogether(
    aws: LocalAws, runner: DagRunner, settings: Settings
) -> None:
    """At once: a second attempt would find those dates in sync, and nobody would hear of them."""
    runner.run("apply_schema_changes")
    put(aws, settings, "demand", "2020-01-01")
    set_unreadable_change_mark(aws, settings, "sale")
    result = runner.run("register_partitions")
    assert result["state"] == "failed"
    assert result["emitted"] == [["demand", "2020-01-01"]]
    (alert,) = alerts(aws, settings)
    assert "failed, all others were written. sale: table sale: its Parameter dmd.change" in alert["text"]


def test_a_run_without_tables_fails_with_the_remedy_and_publishes_nothing(
    aws: LocalAws, runner: DagRunner, settings: Settings
) -> None:
    result = runner.run("register_partitions", tables=["demand"])
    assert result["state"] == "failed"
    assert result["emitted"] == []
    assert "run the DAG apply_schema_changes" in result["returned"]["register"]["summary"][0]
    assert "run the DAG apply_schema_changes" in alerts(aws, settings)[0]["text"]


@pytest.mark.parametrize(
    ("dag_id", "conf", "told"),
    [
        ("register_partitions", {"table": ["demand"]}, "'table'; known are dry_run, from_date, tables, to_date"),
        ("register_partitions", {"today": "2020-01-01", "patience": None}, "'patience', 'today'; known are"),
        ("check_data_quality", {"table": ["demand"]}, "'table'; known are dry_run, engine, force, from_date, tables"),
        (
            "apply_schema_changes",
            {"from_date": "2020-01-01"},
            "'from_date'; known are approval_hours, dry_run, rollback_to, strategy, tables",
        ),
    ],
)
def test_a_key_that_is_no_param_fails_the_run_by_its_name_before_any_call(
    aws: LocalAws, runner: DagRunner, settings: Settings, dag_id: str, conf: dict[str, Any], told: str
) -> None:
    """Airflow lets it through: a misspelled ``table`` must not mean all tables."""
    assert runner.run(dag_id, **conf)["state"] == "failed"
    assert {name.split(":")[0] for name in aws.calls.names()} == {"sns"}
    (alert,) = alerts(aws, settings)
    assert alert["text"].startswith(f"ParameterError: unknown parameter {told}")


def test_dates_that_make_no_range_fail_the_run_by_their_names(
    aws: LocalAws, runner: DagRunner, settings: Settings
) -> None:
    assert runner.run("register_partitions", from_date="2026-01-02", to_date="2026-01-01")["state"] == "failed"
    (alert,) = alerts(aws, settings)
    assert alert["text"] == (
        "ParameterError: from_date 2026-01-02 is after to_date 2026-01-01: swap them, or leave one out"
    )


def test_a_backfill_touches_its_tables_and_dates_alone(aws: LocalAws, runner: DagRunner, settings: Settings) -> None:
    runner.run("apply_schema_changes")
    for table in ("demand", "sale"):
        put(aws, settings, table, "2020-01-01", "2020-01-02", "2020-01-03")
    asked = {"tables": ["sale"], "from_date": "2020-01-02", "to_date": "2020-01-02"}
    plan = runner.run("register_partitions", **asked, dry_run=True)
    assert plan["returned"]["register"]["summary"] == ["dry run: sale: 1 to add"]
    assert plan["emitted"] == []
    assert runner.run("register_partitions", **asked)["emitted"] == [["sale", "2020-01-02"]]
