"""Keep Glue's partitions equal to what lies in S3, so that Athena sees new data without MSCK REPAIR.

## What it does

For each table it lists the folders `partition_date=YYYY-MM-DD/` in S3 and the partitions in Glue, and compares them:

| a partition | becomes |
|---|---|
| with objects in its folder, or of today or tomorrow (UTC), that Glue lacks | **added** |
| whose location, SerDe, formats, columns or schema differ from its table's | **repaired**; all else in it is kept |
| registered, but without objects | counted as **empty**, and left: it reads as zero rows |
| with objects, that has a manifest in `retention/` | counted as **expired**, and left out of the catalog |
| of any other name, or that points elsewhere while its own folder is empty | reported as **strange**, and left |

Other folders, and objects outside a folder, are reported as *strange* too.

Afterwards it reads back what it wrote. The dates that were added or repaired and hold data become partition keys of the
table's asset, so that other DAGs can be scheduled on them. While a table's schema is being changed (`dmd.change`) it
only adds partitions.

## When it runs

On the schedule of `include/environments` (every 10 minutes; locally every minute), and by hand for a backfill.

## Parameters

`tables`, `from_date`, `to_date` (business dates, both included; empty means no limit) and `dry_run`, which shows the
plan in the log of `register` and changes nothing.

## Safe to re-run?

Yes: at any time, after being killed, and twice at once. It compares states and remembers nothing.
Only partition keys are not made up for: those of a run that was killed before it published them are never sent. They
are hints; whoever must miss nothing compares states, too.

## When it fails

* *… does not exist: run the DAG apply_schema_changes*: do that.
* *N partition(s) or table(s) failed*: the others were written and published. Each is named with its reason; the next
  run tries again, so one failure at night may wait, a second one may not.
* *unknown parameter …*, *from_date … is after to_date …*: nothing was read or written; trigger it again with others.
* *AWS asked to slow down*: somebody else is busy with Glue or S3. The next run takes up what is left.

*Strange* names fail nothing. Find out who wrote them: their rows are invisible to Athena.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import CronTriggerTimetable, chain, dag, task
from airflow.sdk.exceptions import AirflowSkipException

from dmd_pipeline.airflow.assets import table_assets
from dmd_pipeline.airflow.defaults import DEFAULT_ARGS
from dmd_pipeline.airflow.params import date_params, dry_run_param, tables_param
from dmd_pipeline.airflow.runs import asked_of, day_of, keep_report, skip_downstream
from dmd_pipeline.airflow.tags import Tag
from dmd_pipeline.settings import load_settings


if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from airflow.sdk import Context


SETTINGS = load_settings()


@dag(
    schedule=CronTriggerTimetable(SETTINGS.schedules.register_partitions, timezone="UTC"),
    catchup=False,  # a run registers whatever is there: one makes up for all that were missed
    max_active_runs=2,  # a backfill by hand need not wait for a scheduled run; they do not disturb each other
    default_args=DEFAULT_ARGS,
    params={**tables_param(), **date_params(), **dry_run_param(default=False)},
    tags=[Tag.CATALOG, Tag.ADDS],
    doc_md=__doc__,
)
def register_partitions() -> None:
    """Wire the tasks: the docstring of this file is their documentation."""

    @task
    def register(**context: Unpack[Context]) -> None:
        """Add and repair partitions; its return value is the report, also when some of them failed."""
        from dmd_pipeline.airflow import clients
        from dmd_pipeline.jobs import register_partitions as job

        report = job.run(
            SETTINGS,
            table_assets(),
            clients.catalog(SETTINGS),
            clients.bucket(SETTINGS),
            today=day_of(context),
            report_to=keep_report(context),
            **asked_of(context),
        )
        skip_downstream(context, unless={f"publish_{table}" for table in report.partition_keys})

    def publish_task(table: str, report: Any) -> Any:
        asset = table_assets()[table]

        # A teardown runs after a failed `register` too, and leaves it to `register` whether the run has failed.
        @task(task_id=f"publish_{table}", outlets=[asset])
        def publish(report: Mapping[str, Any] | None, **context: Unpack[Context]) -> None:
            """Tell who waits for the table which of its dates are new."""
            keys = (report or {}).get("partition_keys", {}).get(table)
            if not keys:
                raise AirflowSkipException(f"no partition of {table} was added or repaired that holds data")
            context["outlet_events"][asset].add_partitions(keys)

        return publish(report).as_teardown()

    report = register()
    chain(report, [publish_task(table, report) for table in table_assets()])


register_partitions()
