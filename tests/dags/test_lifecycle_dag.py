"""The DAG of the bucket's lifecycle rules, run by Airflow against the local AWS, with somebody who answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.airflow import lifecycle
from dmd_pipeline.airflow.approvals import REJECT, AskToApprove, approval
from dmd_pipeline.lifecycle import our_rules
from local.dags_doc import load_dags


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws
    from tests.dags.dag_runner import DagRunner


DAG = load_dags()["apply_lifecycle_rules"]
THEIRS: Any = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": "data-pipeline/avro/"}, "Expiration": {"Days": 90}}


@pytest.fixture
def bucket(aws: LocalAws, settings: Settings) -> Any:
    """Gives the bucket's rules; it has one of others."""
    s3 = aws.client("s3")
    s3.put_bucket_lifecycle_configuration(Bucket=settings.bucket, LifecycleConfiguration={"Rules": [THEIRS]})
    return SimpleNamespace(
        rules=lambda: s3.get_bucket_lifecycle_configuration(Bucket=settings.bucket)["Rules"], calls=aws.calls
    )


def test_unless_somebody_says_so_it_is_a_dry_run(bucket: Any, runner: DagRunner) -> None:
    planned = runner.run("apply_lifecycle_rules")
    assert planned["state"] == "success", planned
    assert planned["tasks"] == {"plan": "success", "approve_rules": "skipped", "apply": "skipped"}
    [line] = planned["returned"]["plan"]["summary"]
    assert line.startswith("dry run: 9 to be added; 0 the same, 1 not ours; WARNING: rule x is not ours and expires ")
    assert bucket.rules() == [THEIRS]


def test_after_approval_the_rules_are_written_and_the_next_run_has_nothing_to_ask(
    bucket: Any, runner: DagRunner, settings: Settings
) -> None:
    applied = runner.run_with_answer("apply_lifecycle_rules", approval(""), dry_run=False)
    assert applied["state"] == "success", applied
    assert applied["tasks"] == dict.fromkeys(("plan", "approve_rules", "apply"), "success")
    assert applied["returned"]["apply"]["summary"][0].startswith("9 added; 0 the same, 1 not ours")
    assert bucket.rules() == [THEIRS, *our_rules(settings)]

    again = runner.run("apply_lifecycle_rules", dry_run=False)
    assert again["tasks"] == {"plan": "success", "approve_rules": "skipped", "apply": "skipped"}
    assert again["returned"]["plan"]["summary"][0].startswith("dry run: nothing to change; 9 the same, 1 not ours")


def test_after_a_rejection_nothing_is_changed_and_the_run_succeeds(bucket: Any, runner: DagRunner) -> None:
    rejected = runner.run_with_answer("apply_lifecycle_rules", REJECT, dry_run=False)
    assert rejected["state"] == "success", rejected
    assert rejected["tasks"] == dict.fromkeys(("plan", "approve_rules", "apply"), "success")
    [line] = rejected["returned"]["apply"]["summary"]
    assert "9 to be added" in line
    assert "nothing was done: a person has to approve this very plan" in line
    assert bucket.rules() == [THEIRS]
    assert bucket.calls.count("s3:PutBucketLifecycleConfiguration") == 1, "that of the test itself"


def test_the_question_shows_the_plan_and_rejection_is_the_default(settings: Settings) -> None:
    ask = DAG.get_task("approve_rules")
    assert isinstance(ask, AskToApprove)
    assert ask.defaults == [REJECT]
    planned = {"asking": {"rules": {"digest": "d1", "plan": "| added |"}}}
    context: Any = {"ti": SimpleNamespace(xcom_pull=lambda task_ids: planned if task_ids == "plan" else None)}
    subject, body, *options = ask.render_template([ask.subject, ask.body, *ask.options], context)
    assert subject == "Change the lifecycle rules of the bucket? (plan d1)"
    assert body.rstrip() == f"| added |\n\n{lifecycle.QUESTION['what_follows']}".rstrip()
    assert options == ["Approve plan d1", REJECT]
    assert DAG.params["dry_run"] is True
    assert DAG.params["approval_hours"] == settings.lifecycle.approval_hours
