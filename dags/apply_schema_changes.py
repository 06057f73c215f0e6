"""Create the Glue database and tables that include/schemas asks for and Glue lacks.

## What it does

It reads the schemas in `include/schemas`, looks which tables Glue has, and creates what is missing: an external table
with Avro's SerDe, partitioned by `partition_date`. A table that exists is reported as *exists* and is **not touched**:
finding and applying differences between a schema and its table is not part of this DAG yet.

Partitions are not its business: `register_partitions` adds them.

## When it runs

As soon as it is unpaused for the first time, so that a new environment gets its tables; then on the schedule of
`include/environments` (daily), and by hand after a schema was added.

## Parameters

`tables`, and `dry_run`, which shows the plan in the log of `apply` and changes nothing.

## Safe to re-run?

Yes: at any time, after being killed, and twice at once. It creates what is missing and nothing else.

## When it fails

* *include/schemas/….avsc: …* or *include/record_types/….yaml: …*: the file is wrong, in the place that is named.
  Nothing was created.
* *table … was not created: …*: Glue's reason follows, most often a missing permission. The other tables were created;
  run it again when the reason is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import CronTriggerTimetable, dag, task

from dmd_pipeline.airflow.defaults import DEFAULT_ARGS
from dmd_pipeline.airflow.params import dry_run_param, tables_param
from dmd_pipeline.airflow.runs import asked_of, keep_report
from dmd_pipeline.airflow.tags import Tag
from dmd_pipeline.settings import load_settings


if TYPE_CHECKING:
    from typing import Unpack

    from airflow.sdk import Context


SETTINGS = load_settings()


@dag(
    # Not only at the next full day, but at once: a new environment has no tables.
    schedule=CronTriggerTimetable(SETTINGS.schedules.apply_schema_changes, timezone="UTC", run_immediately=True),
    catchup=False,  # a run creates whatever is missing: one makes up for all that were missed
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params={**tables_param(), **dry_run_param(default=False)},
    tags=[Tag.CATALOG, Tag.ADDS],
    doc_md=__doc__,
)
def apply_schema_changes() -> None:
    """Wire the tasks: the docstring of this file is their documentation."""

    @task
    def apply(**context: Unpack[Context]) -> None:
        """Create what is missing; its return value is the report, also when some of it failed."""
        from dmd_pipeline.airflow import clients
        from dmd_pipeline.jobs import apply_schema_changes as job
        from dmd_pipeline.record_types import load_record_types

        job.run(
            SETTINGS,
            load_record_types(),
            clients.catalog(SETTINGS),
            clients.bucket(SETTINGS),
            lambda: clients.workgroup(SETTINGS),
            run_id=context["run_id"],
            report_to=keep_report(context),
            **asked_of(context),
        )

    apply()


apply_schema_changes()
