"""The DAG reprocess_failed_batches, run by Airflow against the local AWS."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from dmd_pipeline.failed_batches import BatchId
from dmd_pipeline.jobs.claiming import Source
from dmd_pipeline.jobs.leases import LEASE
from local.dags_doc import load_dags
from tests.failed_batches import fail_batch


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws
    from tests.dags.dag_runner import DagRunner


TABLES = ("demand", "event", "notification", "sale")
DAG_ID = "reprocess_failed_batches"
DAG = load_dags()[DAG_ID]
LATER = ["list_lanes", "convert", "conclude", *(f"publish_{table}" for table in TABLES)]


def alerts(aws: LocalAws, settings: Settings) -> list[dict[str, Any]]:
    """The alerts that reached the topic."""
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{settings.alerts_topic}-inbox")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    bodies = [json.loads(message["Body"]) for message in messages]
    return [json.loads(body["Message"]) if "Message" in body else body for body in bodies]


def keys(aws: LocalAws, settings: Settings, prefix: str) -> list[str]:
    pages = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=settings.bucket, Prefix=prefix)
    return [one["Key"] for page in pages for one in page.get("Contents", [])]


def waiting_messages(aws: LocalAws, settings: Settings) -> int:
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName=settings.dead_letter_queue)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    held = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(map(int, held.values()))


def test_a_conversion_ends_before_its_lease() -> None:
    longest = DAG.get_task("convert").execution_timeout
    assert longest is not None
    assert longest + timedelta(minutes=5) <= LEASE


def test_a_run_by_hand_need_not_wait_for_a_scheduled_one() -> None:
    assert DAG.max_active_runs == 2


def test_by_default_a_run_takes_the_queue_and_is_no_dry_run() -> None:
    assert DAG.params.dump() == {
        "source": "queue",
        "prefix": None,
        "shard_id": None,
        "start": None,
        "end": None,
        "dry_run": False,
    }


def test_the_sources_of_the_form_are_those_of_the_job() -> None:
    assert DAG.params.get_param("source").schema["enum"] == list(Source)


@pytest.mark.parametrize(
    ("name", "value"),
    [("source", "sqs"), ("source", None), ("shard_id", "shard-1"), ("start", 17), ("dry_run", "yes")],
)
def test_a_param_of_the_wrong_kind_is_refused_when_a_run_is_triggered(name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        DAG.params.get_param(name).resolve(value)


def test_an_empty_queue_costs_one_task(aws: LocalAws, runner: DagRunner) -> None:
    runner.run("apply_schema_changes")
    runner.run(DAG_ID)  # makes the alarm
    aws.calls.clear()
    result = runner.run(DAG_ID)
    assert result["state"] == "success"
    assert result["tasks"] == {"secure": "success", **dict.fromkeys(LATER, "skipped")}
    assert result["returned"]["secure"]["summary"] == ["queue: nothing waits"]
    assert aws.calls.totals() == {
        "lambda:ListEventSourceMappings": 1,
        "cloudwatch:DescribeAlarms": 1,
        "s3:ListObjectsV2": 1,
        "sqs:GetQueueUrl": 1,
        "sqs:ReceiveMessage": 1,
    }


def test_failed_batches_of_two_shards_become_rows_and_their_dates_are_published(
    aws: LocalAws, runner: DagRunner, settings: Settings
) -> None:
    runner.run("apply_schema_changes")
    failed = [fail_batch(aws, settings, shard=shard, seed=shard) for shard in (0, 1)]
    result = runner.run(DAG_ID)
    assert result["state"] == "success", result
    assert [result["tasks"][f"convert[{number}]"] for number in (0, 1)] == ["success", "success"]
    conclusion = result["returned"]["conclude"]
    counts = conclusion["counts"]
    assert (counts["waiting"], counts["secured"], counts["converted"]) == (2, 2, 2)
    assert counts["written"] == sum(one.rows for one in failed)
    assert counts["quarantined"] == sum(one.invalid for one in failed)
    assert counts["filtered"] == sum(one.filtered for one in failed)
    assert {asset for asset, _ in result["emitted"]} == set(TABLES)
    assert len(result["emitted"]) == sum(len(days) for days in conclusion["partition_keys"].values())
    assert waiting_messages(aws, settings) == 0
    assert runner.run(DAG_ID)["tasks"] == {"secure": "success", **dict.fromkeys(LATER, "skipped")}


def test_a_batch_that_fails_keeps_neither_the_others_dates_nor_the_conclusion_back(
    aws: LocalAws, runner: DagRunner, settings: Settings
) -> None:
    runner.run("apply_schema_changes")
    good = fail_batch(aws, settings, shard=0)
    damaged = settings.layout.raw_key(BatchId("shardId-000000000001", 1, 2))
    aws.client("s3").put_object(Bucket=settings.bucket, Key=damaged, Body=b"?")
    result = runner.run(DAG_ID)
    assert result["state"] == "failed"
    assert (result["tasks"]["convert[0]"], result["tasks"]["convert[1]"]) == ("success", "success")
    assert result["tasks"]["conclude"] == "failed"
    conclusion = result["returned"]["conclude"]
    assert conclusion["counts"]["written"] == good.rows
    assert conclusion["problems"][0].startswith("FAILED: shardId-000000000001/1-2: ")
    assert {asset for asset, _ in result["emitted"]} == set(conclusion["partition_keys"])
    assert result["emitted"]


def test_a_lane_whose_task_fails_does_so_neither() -> None:
    """Read off the wiring: such a task is tried again for minutes, longer than a test may take."""
    assert DAG.get_task("secure").is_setup
    conclude = DAG.get_task("conclude")
    assert conclude.upstream_task_ids == {"secure", "convert"}
    assert conclude.is_teardown, "it runs whatever became of `convert`, unless `secure` failed or skipped it"
    assert conclude.on_failure_fail_dagrun
    for table in TABLES:
        publish = DAG.get_task(f"publish_{table}")
        assert publish.upstream_task_ids == {"secure", "conclude"}
        assert publish.is_teardown, "it runs although `conclude` failed"


def test_what_is_lost_fails_the_run_and_somebody_is_told(aws: LocalAws, runner: DagRunner, settings: Settings) -> None:
    runner.run("apply_schema_changes")
    failed = fail_batch(aws, settings, shard=0, ago=timedelta(hours=25))
    aws.clock.advance(timedelta(hours=25))
    kept = fail_batch(aws, settings, shard=1)
    result = runner.run(DAG_ID)
    assert result["state"] == "failed"
    assert result["tasks"]["conclude"] == "failed"
    assert result["returned"]["conclude"]["counts"]["written"] == kept.rows
    assert str(failed.batch) in result["returned"]["conclude"]["problems"][0]
    titles = [alert["title"] for alert in alerts(aws, settings)]
    assert any("LOST" in title for title in titles)
    assert "local: reprocess_failed_batches.conclude failed" in titles


def test_a_dry_run_shows_what_would_be_written_and_writes_nothing(
    aws: LocalAws, runner: DagRunner, settings: Settings
) -> None:
    runner.run("apply_schema_changes")
    failed = fail_batch(aws, settings)
    result = runner.run(DAG_ID, dry_run=True)
    assert result["state"] == "success"
    assert keys(aws, settings, f"{settings.prefix}/replay/") == []
    assert waiting_messages(aws, settings) == 1
    assert str(failed.batch) in result["returned"]["secure"]["plan"]
    assert f"{failed.rows:,} written" in result["returned"]["secure"]["plan"]
    assert result["emitted"] == []


@pytest.mark.parametrize(
    ("conf", "told"),
    [
        ({"tables": ["demand"]}, "unknown parameter 'tables'; known are dry_run, end, prefix, shard_id, source, start"),
        ({"prefix": "data-pipeline/errors/"}, "prefix: source queue takes none"),
        ({"source": "stream"}, "start: source stream needs one"),
    ],
)
def test_parameters_that_make_no_sense_fail_the_run_before_any_call(
    aws: LocalAws, runner: DagRunner, settings: Settings, conf: dict[str, Any], told: str
) -> None:
    result = runner.run(DAG_ID, **conf)
    assert result["state"] == "failed"
    assert set(result["tasks"].values()) == {"failed", "upstream_failed"}
    assert {name.split(":")[0] for name in aws.calls.names()} == {"sns"}
    (alert,) = alerts(aws, settings)
    assert alert["text"].startswith(f"ParameterError: {told}")
