"""The DAG check_data_quality, run by Airflow against the local AWS."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from dmd_pipeline.delivery import container
from dmd_pipeline.record_types import load_record_types
from local.dags_doc import load_dags


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws
    from tests.dags.dag_runner import DagRunner


DAG_ID = "check_data_quality"
DAG = load_dags()[DAG_ID]
DAY = datetime.now(UTC).date() - timedelta(days=3)


def write_event(aws: LocalAws, settings: Settings, *identifiers: str | None, name: str = "file.avro") -> None:
    """A partition of ``event``: a row each, which is sound when it has an identifier of one word."""
    stamp = f"{DAY}T12:00:00.000Z"
    named = {"type": "event", "name": "A show", "eventDate": {"start": {"dateTime": stamp}}}
    rows = [{**named, "id": one, "reference": {"id": one, "timestamp": stamp}} for one in identifiers]
    body = container(load_record_types()["event"], rows, sync_marker=bytes(16))
    key = settings.layout.partition_prefix("event", DAY) + name
    aws.client("s3").put_object(Bucket=settings.bucket, Key=key, Body=body)


def alerts(aws: LocalAws, settings: Settings) -> list[dict[str, Any]]:
    """The alerts that reached the topic."""
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{settings.alerts_topic}-inbox")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    bodies = [json.loads(message["Body"]) for message in messages]
    return [json.loads(body["Message"]) if "Message" in body else body for body in bodies]


@pytest.mark.usefixtures("aws")
def test_a_quiet_hour_costs_one_task(runner: DagRunner) -> None:
    runner.run("apply_schema_changes")
    result = runner.run(DAG_ID)
    assert result["state"] == "success", result
    later = {task.task_id for task in DAG.tasks} - {"plan"}
    assert result["tasks"] == {"plan": "success", **dict.fromkeys(later, "skipped")}


def test_a_partition_goes_from_green_to_red_and_back(aws: LocalAws, runner: DagRunner, settings: Settings) -> None:
    runner.run("apply_schema_changes")
    write_event(aws, settings, "event-1", "event-2")
    runner.run("register_partitions")

    green = runner.run(DAG_ID)
    write_event(aws, settings, "not one word", name="late.avro")
    red = runner.run(DAG_ID)
    [alert] = alerts(aws, settings)
    again = runner.run(DAG_ID)
    key = settings.layout.partition_prefix("event", DAY) + "late.avro"
    aws.client("s3").delete_object(Bucket=settings.bucket, Key=key)
    repaired = runner.run(DAG_ID)

    assert green["state"] == "success", green
    assert green["emitted"] == [["event_checked", str(DAY)]], green["returned"]
    assert red["state"] == "failed", red
    assert red["emitted"] == []
    assert alert["title"] == f"local: event {DAY}: failed"
    assert "Every event's id is one word." in alert["text"]
    assert alert["link"].endswith(f"/dq/event/{DAY}")
    assert "not one word" not in json.dumps(alert)
    assert again["state"] == "success", "what was told of is not told again"
    assert repaired["state"] == "success"
    assert repaired["emitted"] == [["event_checked", str(DAY)]]
    assert alerts(aws, settings) == []


def test_a_table_that_is_missing_is_named_and_stops_no_other(
    aws: LocalAws, runner: DagRunner, settings: Settings
) -> None:
    runner.run("apply_schema_changes")
    write_event(aws, settings, "event-1")
    runner.run("register_partitions")
    aws.client("glue").delete_table(DatabaseName=settings.database, Name="demand")
    result = runner.run(DAG_ID)
    assert result["state"] == "failed"
    assert result["tasks"]["conclude"] == "failed"
    assert result["emitted"] == [["event_checked", str(DAY)]]
    [alert] = alerts(aws, settings)
    assert "demand" in alert["text"]
    assert "apply_schema_changes" in alert["text"]


def test_a_dry_run_changes_nothing(aws: LocalAws, runner: DagRunner, settings: Settings) -> None:
    runner.run("apply_schema_changes")
    write_event(aws, settings, "event-1")
    runner.run("register_partitions")
    result = runner.run(DAG_ID, dry_run=True)
    assert result["state"] == "success"
    assert "unchecked" in result["returned"]["plan"]["plan"]
    found = aws.client("s3").list_objects_v2(Bucket=settings.bucket, Prefix=f"{settings.prefix}/quality/")
    assert found["KeyCount"] == 0


@pytest.mark.parametrize(
    ("name", "value"), [("engine", "spark"), ("force", "yes"), ("window_days", -1), ("from_date", "yesterday")]
)
def test_a_param_of_the_wrong_kind_is_refused_when_a_run_is_triggered(name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        DAG.params.get_param(name).resolve(value)
