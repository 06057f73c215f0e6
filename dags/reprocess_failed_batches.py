"""Bring back what deliveryWorker failed on: its records are secured at once, and each becomes a row exactly once.

## What it does

The dead-letter queue holds only the *position* of a failed batch: its records vanish with the stream's retention.

1. `secure` looks at the event source mapping and at the queue's alarm; copies the records of every failed batch to
   `replay/raw/`, nearest deadline first; only then deletes the message.
2. `convert`, once a shard (*lane*): writes the rows that are missing, leaves out what was delivered, puts rejected
   records into `quarantine/`, registers the partitions, settles the batch.
3. `conclude` sums up the run in a line; fails when something was lost, failed or was tried too often.
4. `publish_…` makes the dates that got rows partition keys of the table's asset.

Every line of the logs names its batch, `{shard}/{first}-{last}` (sequence numbers): search for that to follow it.
A batch *waits* while the worker may still deliver a part of it, or until a table has the schema that it needs.

## When it runs

As soon as it is unpaused, then every 5 minutes (`include/environments`). An empty queue costs one task and five calls.

## Parameters

`source`: *queue*; *destination* (an S3 on-failure destination: give `prefix`); *errors* (deliveryWorker's `errors/`);
*quarantine* (after a schema or its source was mended); *stream* (`start`, `end`, and `shard_id` for sequence numbers).
`dry_run` shows what would be done in the log of `secure`. No `tables`: a batch is settled as a whole, or not at all.

## Safe to re-run?

Yes: at any time, after being killed, twice at once, over ranges that overlap. One run at a time converts a shard. What
a killed run began, its own retry takes up at once, other runs an hour later.

## When it fails

Everything else was done first. Runbook: docs/runbooks/dead-letter-queue.md

* *LOST …*: the stream had forgotten records. No run brings them back; `quarantine/lost/` names shard, range and time.
* *FAILED …*: each batch with its reason. The next run tries again.
* *CAPPED …*: a document of `quarantine/` was rejected `replay.attempts` times.
* *expected …*: a parameter makes no sense; nothing was read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import CronTriggerTimetable, chain, dag, task

from dmd_pipeline.airflow import replays
from dmd_pipeline.airflow.assets import table_assets
from dmd_pipeline.airflow.defaults import DEFAULT_ARGS
from dmd_pipeline.airflow.params import dry_run_param, replay_params
from dmd_pipeline.airflow.tags import Tag
from dmd_pipeline.settings import load_settings


if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from airflow.sdk import Context


SETTINGS = load_settings()


@dag(
    # And at once when it is unpaused for the first time: deadlines do not wait for the next full five minutes.
    schedule=CronTriggerTimetable(SETTINGS.schedules.reprocess_failed_batches, timezone="UTC", run_immediately=True),
    catchup=False,  # a run takes whatever is there: one makes up for all that were missed
    max_active_runs=2,  # a run by hand need not wait for a scheduled one; leases keep them apart
    default_args=DEFAULT_ARGS,
    params={**replay_params(), **dry_run_param(default=False)},
    tags=[Tag.DELIVERY, Tag.ADDS],
    doc_md=__doc__,
)
def reprocess_failed_batches() -> None:
    """Wire the tasks: the docstring of this file is their documentation."""

    @task
    def secure(**context: Unpack[Context]) -> None:
        """Copy the records of failed batches to where they last; its return value is the report."""
        replays.secure(SETTINGS, context)

    @task
    def list_lanes(secured: Mapping[str, Any]) -> list[str]:
        """Name the lanes with open batches: `convert` runs once for each."""
        return list(secured["lanes"])

    @task(
        execution_timeout=timedelta(minutes=50),  # shorter than the lease on the lane: nobody works on after its end
        map_index_template="{{ task.op_kwargs['lane'] }}",
        doc_md=replays.convert.__doc__,  # Airflow forgets the docstring of a task that is mapped
    )
    def convert(lane: str, **context: Unpack[Context]) -> None:
        """Write what is missing of the lane's batches, and settle them; its return value is the report."""
        replays.convert(SETTINGS, lane, context)

    @task
    def conclude(**context: Unpack[Context]) -> None:
        """Sum the run up; fails when something was lost, failed, or was tried too often."""
        replays.conclude(SETTINGS, context)

    def publish_task(table: str) -> Any:
        @task(task_id=f"publish_{table}", outlets=[table_assets()[table]])
        def publish(**context: Unpack[Context]) -> None:
            """Tell who waits for the table which of its dates got rows."""
            replays.publish(table, context)

        return publish()

    secured: Any = secure()  # in truth an XComArg
    # Teardowns run after failures too, but not when `secure` itself failed. Whether the run fails is up to `conclude`.
    concluded = conclude().as_teardown(setups=secured, on_failure_fail_dagrun=True)
    published = [publish_task(table).as_teardown(setups=secured) for table in table_assets()]
    chain(convert.expand(lane=list_lanes(secured)), concluded, published)


reprocess_failed_batches()
