"""Bring partitions back that have left the catalog, and keep them for a while.

## What it does

For each date that has a manifest in `retention/`:

1. looks whether every object that it lists is there and the same. One that was deleted is brought back where the bucket
   keeps versions: its delete marker is taken away, and nothing else;
2. writes `keep_until` into the manifest, so that tomorrow's `drop_expired_partitions` keeps the partition;
3. registers it, and has Athena count its rows: as many as the manifest says.

The dates become partition keys of the table's asset.

## When it runs

By hand only.

## Parameters

`tables`, `from_date`, `to_date` (business dates, both included; empty means no limit); `keep_days`: for so many days
they do not expire again; `dry_run`, which says what would come back.

## Safe to re-run?

Yes: at any time, after being killed, and twice at once: one run at a time works on a table.

## When it fails

All other dates were restored. Runbook: docs/runbooks/retention.md

* *its objects are gone, or are others now, deleted …; they cannot be brought back: …*: the grace period was over, and
  the reason says what has become of their versions.
* *its objects could not be brought back: …*: S3 refused. Mend the permission, and restore the date again.
* *the partition is registered: whoever took them away knows why*: it was restored before.
* *Athena reads … rows of its files, not …*: it is registered; find out what its files hold before you use it.
* *is under change …*: restore it when `apply_schema_changes` has ended.
* *another run works on the partitions of …*: wait for it, or until the time it says.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import chain, dag, task

from dmd_pipeline.airflow import retention
from dmd_pipeline.airflow.assets import table_assets
from dmd_pipeline.airflow.defaults import DEFAULT_ARGS
from dmd_pipeline.airflow.params import date_params, dry_run_param, keep_param, tables_param
from dmd_pipeline.airflow.tags import Tag
from dmd_pipeline.settings import load_settings


if TYPE_CHECKING:
    from typing import Unpack

    from airflow.sdk import Context


SETTINGS = load_settings()


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=2,  # a lease keeps them apart
    default_args=DEFAULT_ARGS,
    params={**tables_param(), **date_params(), **keep_param(30), **dry_run_param(default=False)},
    tags=[Tag.RETENTION, Tag.ADDS],
    doc_md=__doc__,
)
def restore_partitions() -> None:
    """Wire the tasks: the docstring of this file is their documentation."""

    # Shorter than the lease on the table: nobody works on after its end.
    @task(execution_timeout=timedelta(minutes=50))
    def restore(**context: Unpack[Context]) -> None:
        """Register partitions again; its return value is the report, also when some of them failed."""
        retention.restore(SETTINGS, context)

    def publish_task(table: str) -> Any:
        @task(task_id=f"publish_{table}", outlets=[table_assets()[table]])
        def publish(**context: Unpack[Context]) -> None:
            """Tell who waits for the table which of its dates are back."""
            retention.publish(table, context)

        return publish().as_teardown()  # also after a failed `restore`, and it leaves the run's state to that

    chain(restore(), [publish_task(table) for table in table_assets()])


restore_partitions()
