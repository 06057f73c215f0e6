"""Have S3 delete what this project leaves behind, once it is old enough: the lifecycle rules of the bucket.

## What it does

`plan` makes our rules from `lifecycle` in `include/environments` and compares them with the bucket's:

| leftovers | expire after |
|---|---|
| `replay/raw/`, of batches that are settled | `replay_raw_days` (their `….done.json` a week later) |
| `quarantine/` | `quarantine_days` |
| `catalog-backups/` | `backups_days` |
| `quality/results/`, `quality/docs/` | `quality_days` |
| `athena/results/` | `athena_results_days` |
| versions that were overwritten or deleted, of all folders | `noncurrent_days` |
| unfinished uploads, in all folders | `unfinished_uploads_days` |

Rules whose id does not begin with `dmd-` are not ours: they stay as they are, and the plan warns of those that take
something from tables, `errors/`, open batches or what is known of expired partitions. `approve_rules` shows the plan
and asks a person, always; `apply` writes exactly what was approved, or nothing, and looks whether S3 shows it.

## When it runs

By hand, after the settings were changed.

## Parameters

`dry_run` (true by default), which only plans; `approval_hours`: no answer by then is a rejection.

## Safe to re-run?

Yes: at any time, and after being killed. S3 cannot be told to write only if nothing has changed: who changes the rules
in the same second may lose it.

## When it fails

Runbook: docs/runbooks/retention.md#let-s3-delete-our-leftovers

* *a person has to approve this very plan* (no failure): rejected, unanswered, or the rules have changed since.
* *shows another one*: somebody else writes the rules as well. Run it again, and find out who.
* *boto3 does not know …*: a rule of somebody else's would lose what it says. Update boto3.
* *AccessDenied*: docs/real-environment.md has the permissions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import TriggerRule, chain, dag, task

from dmd_pipeline.airflow import lifecycle
from dmd_pipeline.airflow.approvals import AskToApprove
from dmd_pipeline.airflow.defaults import DEFAULT_ARGS
from dmd_pipeline.airflow.params import approval_param, dry_run_param
from dmd_pipeline.airflow.tags import Tag
from dmd_pipeline.settings import load_settings


if TYPE_CHECKING:
    from typing import Unpack

    from airflow.sdk import Context


SETTINGS = load_settings()


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=2,  # a run that waits for an answer does not hold up a dry run
    default_args=DEFAULT_ARGS,
    params={**dry_run_param(default=True), **approval_param(SETTINGS.lifecycle.approval_hours)},
    tags=[Tag.RETENTION, Tag.DELETES],
    doc_md=__doc__,
)
def apply_lifecycle_rules() -> None:
    """Wire the tasks: the docstring of this file is their documentation."""

    @task
    def plan(**context: Unpack[Context]) -> None:
        """Look at the bucket's rules and change nothing; its return value is the plan."""
        lifecycle.plan(SETTINGS, context)

    @task(trigger_rule=TriggerRule.NONE_FAILED)
    def apply(**context: Unpack[Context]) -> None:
        """Write the rules of the plan, if it is the one that was approved; its return value is the report."""
        lifecycle.apply(SETTINGS, context)

    chain(plan(), AskToApprove(hours=SETTINGS.lifecycle.approval_hours, **lifecycle.QUESTION), apply())


apply_lifecycle_rules()
