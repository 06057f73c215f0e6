"""Bring Glue's tables and their partitions to what include/schemas says, without a moment in which readers miss a row.

## What it does

`plan` compares include/schemas with each table, with every partition's own copy, and with the schemas of its oldest and
newest files. Then, for each table, in tasks of its own:

| a table is | what happens |
|---|---|
| in sync | nothing: its tasks are skipped |
| missing | it is created |
| changed by hand (*drift*) | `apply_…` puts it right, or only says so (`schema_changes.repair_drift`) |
| to be changed, *compatible* | `apply_…` changes it in place: every reader gets every row at every moment |
| to be changed, *breaking* | `approve_…` asks; then backup, rehearsal, proof by Athena, change in place, proof |
| *refused* | `apply_…` fails and says the nearest change that would be accepted |

The dates whose partitions changed become partition keys of the table's asset. Tables without a schema stay.

## When it runs

As soon as it is unpaused for the first time; then daily (it finds what was changed by hand), and by hand after a
schema was edited.

## Parameters

`tables`; `dry_run`, which only plans; `strategy` (*recreate*: with approval and proof in any case; *rollback*: back to
a backup) and `rollback_to`, a backup's key (empty: the latest); `approval_hours`: no answer by then is a rejection.

## Safe to re-run?

Yes. A run that was killed at any call is taken up by its retry, or by another run an hour later; readers get all rows
meanwhile. A second change of a table that is being changed refuses to start.

## When it fails

* *refused …*: edit the schema as it says. Nothing was changed.
* *… Nothing was switched* or *Rolled back …*: the reason stands before it; the table is as it was.
* *is under change by …*: wait for that run, or until the time it says.
* *N partition(s) … failed*: readers get their rows; the next run, or registration, completes them.

An alert *files that the table cannot read* means that the worker was deployed before the table: see
docs/runbooks/change-a-schema.md.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import CronTriggerTimetable, TriggerRule, chain, dag, task

from dmd_pipeline.airflow import schema_changes
from dmd_pipeline.airflow.approvals import AskToApprove
from dmd_pipeline.airflow.assets import table_assets
from dmd_pipeline.airflow.defaults import DEFAULT_ARGS
from dmd_pipeline.airflow.params import approval_param, dry_run_param, strategy_params, tables_param
from dmd_pipeline.airflow.tags import Tag
from dmd_pipeline.settings import load_settings


if TYPE_CHECKING:
    from typing import Unpack

    from airflow.sdk import Context


SETTINGS = load_settings()


@dag(
    # Not only at the next full day, but at once: a new environment has no tables.
    schedule=CronTriggerTimetable(SETTINGS.schedules.apply_schema_changes, timezone="UTC", run_immediately=True),
    catchup=False,  # a run brings everything up to date: one makes up for all that were missed
    max_active_runs=4,  # a run that waits for an answer holds up no other; a table's mark keeps two from changing it
    default_args=DEFAULT_ARGS,
    params={
        **tables_param(),
        **dry_run_param(default=False),
        **strategy_params(),
        **approval_param(SETTINGS.schema_changes.approval_hours),
    },
    tags=[Tag.CATALOG, Tag.CHANGES],
    doc_md=__doc__,
)
def apply_schema_changes() -> None:
    """Wire the tasks: the docstring of this file is their documentation."""

    @task
    def plan(**context: Unpack[Context]) -> None:
        """Compare everything and change nothing; its return value is the plan of every table."""
        schema_changes.plan(SETTINGS, context)

    def publish_task(table: str) -> Any:
        @task(task_id=f"publish_{table}", outlets=[table_assets()[table]])
        def publish(**context: Unpack[Context]) -> None:
            """Tell who waits for the table which of its dates changed."""
            schema_changes.publish(table, context)

        return publish()

    def apply_task(table: str) -> Any:
        # Longer than others, for Athena reads every file; shorter than what keeps other runs away from the table.
        @task(task_id=f"apply_{table}", trigger_rule=TriggerRule.NONE_FAILED, execution_timeout=timedelta(minutes=50))
        def apply(**context: Unpack[Context]) -> None:
            """Do what the plan says, if it is the one that was approved; its return value is the report."""
            schema_changes.apply(SETTINGS, table, context)

        return apply()

    made = plan()
    for table in table_assets():
        ask = AskToApprove(name=table, hours=SETTINGS.schema_changes.approval_hours, **schema_changes.QUESTION)
        chain(made, ask, apply_task(table), publish_task(table))


apply_schema_changes()
