"""Let partitions that are older than their table's retention leave: first the catalog, and much later the bucket.

## What it does

For each table with a retention (`retention.tables` in `include/environments`; without one a table is kept for ever):

| an old partition | |
|---|---|
| that is registered | **leaves the catalog**: queries do not see it any more; its objects stay, listed in a manifest |
| that has left `grace_days` ago | **is deleted**: exactly the objects of its manifest, if they are still the same |
| that got objects since it has left | is **late**: these objects stay until a person decides |
| that is held, under change, or not clear | is **kept**, and named with the reason |

Of tables without a retention, those are named that hold personal data for longer than `retention.personal_data_days`.

Old is a business date more than `retention_days` ago. `plan` shows all of it in its log. A table in mode *plan* stays
as it is. In mode *enforce*, `approve_…` asks a person the first time, and beyond the table's limits; `drop_…` carries
out exactly the plan that was approved, or nothing.

## When it runs

Daily. By hand to see the plan; `restore_partitions` brings back what has left the catalog.

## Parameters

`tables`; `dry_run` (true by default; scheduled runs do what the settings say); `approval_hours`: no answer by then is a
rejection, and the next daily run asks again.

## Safe to re-run?

Yes: at any time, after being killed, and twice at once: one run at a time works on a table.

## When it fails

Everything else was done first. Runbook: docs/runbooks/retention.md

* *FAILED: date: reason*: the next run tries again; of what is half deleted, the rest goes then.
* *… is no manifest*, *… is no summary*: nothing of the table was done. Restore the object that is named.
* *another run works on the partitions of …*: wait for it, or until the time it says.
* *retention.tables.…: no such table*: mend the settings.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import CronTriggerTimetable, TriggerRule, chain, dag, task

from dmd_pipeline.airflow import retention
from dmd_pipeline.airflow.approvals import AskToApprove
from dmd_pipeline.airflow.assets import table_assets
from dmd_pipeline.airflow.defaults import DEFAULT_ARGS
from dmd_pipeline.airflow.params import approval_param, dry_run_param, tables_param
from dmd_pipeline.airflow.tags import Tag
from dmd_pipeline.settings import load_settings


if TYPE_CHECKING:
    from typing import Unpack

    from airflow.sdk import Context


SETTINGS = load_settings()


@dag(
    # Nothing is deleted, and nobody is asked, just because somebody has unpaused it.
    schedule=CronTriggerTimetable(
        SETTINGS.schedules.drop_expired_partitions, timezone="UTC", run_immediately=timedelta(0)
    ),
    catchup=False,  # a run does all that is due: one makes up for all that were missed
    max_active_runs=2,  # a run that waits for an answer does not hold up the next day's
    default_args=DEFAULT_ARGS,
    params={
        **tables_param(),
        **dry_run_param(default=True, only_by_hand=True),
        **approval_param(SETTINGS.retention.approval_hours),
    },
    tags=[Tag.RETENTION, Tag.DELETES],
    doc_md=__doc__,
)
def drop_expired_partitions() -> None:
    """Wire the tasks: the docstring of this file is their documentation."""

    @task
    def plan(**context: Unpack[Context]) -> None:
        """Look at everything and change nothing; its return value is the plan of every table."""
        retention.plan(SETTINGS, context)

    def drop_task(table: str) -> Any:
        # Shorter than the lease on the table: nobody works on after its end.
        @task(task_id=f"drop_{table}", trigger_rule=TriggerRule.NONE_FAILED, execution_timeout=timedelta(minutes=50))
        def drop(**context: Unpack[Context]) -> None:
            """Do what the plan says, if it is the one that was approved; its return value is the report."""
            retention.drop(SETTINGS, table, context)

        return drop()

    made = plan()
    for table in table_assets():
        ask = AskToApprove(name=table, hours=SETTINGS.retention.approval_hours, **retention.QUESTION)
        chain(made, ask, drop_task(table))


drop_expired_partitions()
