"""Give every partition with data a verdict, and put it where analysts look: a page, and a table in Athena.

## What it does

1. `plan` lists the objects and Glue's partitions of the window. Due is a partition that was never checked, whose files
   or expectations changed, or into which nothing arrives any more.
2. `check`, mapped over at most 16 chunks, reads small partitions and checks them in memory; large ones are counted in
   Athena, with one statement for all expectations. Either way Athena must count what the files' block headers tell.
3. `conclude` sums the run up in a line a table, with what it cost.
4. `publish_…` makes the dates that **passed** partition keys of the asset `{table}_checked`.

A verdict is *passed*; *warned* or *failed* when an expectation of that severity does not hold
(`include/expectations/{table}.json`); *unknown* without rows, without registration, or when it could not be checked.
See *Data quality* in the navigation, or `data_quality_latest` in Athena. Personal data is masked everywhere.

## When it runs

Hourly (`include/environments`), and by hand for a range. An hour in which nothing changed costs one task and a listing.

## Parameters

`tables`; `from_date` and `to_date` (business dates, both included) or `window_days`; `force` checks what needs no
check; `engine` is *auto*, *memory* or *athena*, with the same verdict; `dry_run` shows the plan and changes nothing.

## Safe to re-run?

Yes: at any time, after being killed, and twice at once. It reads tables and writes below `quality/` alone. What a
killed run had not put down is checked again.

## When it fails

Everything else was checked first. Runbook: docs/runbooks/data-quality.md

* *… failed: {dates}*: these partitions broke an expectation; each had an alert, and has a page with samples.
* *… unknown: {dates}*: it cannot be told; the reason says what to do. The next run tries again, and tells once.
* *all other tables are checked*: a table or its suite is missing or wrong, and is named with the remedy.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import CronTriggerTimetable, chain, dag, task

from dmd_pipeline.airflow import quality
from dmd_pipeline.airflow.assets import checked_assets
from dmd_pipeline.airflow.defaults import DEFAULT_ARGS
from dmd_pipeline.airflow.params import check_params, date_params, dry_run_param, tables_param
from dmd_pipeline.airflow.tags import Tag
from dmd_pipeline.settings import load_settings


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    from airflow.sdk import Context


SETTINGS = load_settings()


@dag(
    schedule=CronTriggerTimetable(SETTINGS.schedules.check_data_quality, timezone="UTC"),
    catchup=False,  # a run checks whatever is due: one makes up for all that were missed
    max_active_runs=2,  # a check by hand need not wait for a scheduled run; they do not disturb each other
    default_args=DEFAULT_ARGS,
    params={
        **tables_param(),
        **date_params(),
        **check_params(SETTINGS.quality.window_days),
        **dry_run_param(default=False),
    },
    tags=[Tag.QUALITY, Tag.ADDS],
    doc_md=__doc__,
)
def check_data_quality() -> None:
    """Wire the tasks: the docstring of this file is their documentation."""

    @task
    def plan(**context: Unpack[Context]) -> None:
        """Find the partitions that are due; its return value is the plan of every table."""
        quality.plan(SETTINGS, context)

    @task
    def list_chunks(planned: Mapping[str, Any]) -> list[Mapping[str, Sequence[str]]]:
        """Name the work: `check` runs once for each chunk."""
        return list(planned["chunks"])

    @task(
        execution_timeout=timedelta(hours=2),  # a chunk may hold years
        max_active_tis_per_dagrun=SETTINGS.quality.parallel_chunks,  # each loads Great Expectations
        doc_md=quality.check.__doc__,  # Airflow forgets the docstring of a task that is mapped
    )
    def check(chunk: Mapping[str, Sequence[str]], **context: Unpack[Context]) -> None:
        """Check the partitions of a chunk; its return value is the report."""
        quality.check(SETTINGS, chunk, context)

    @task
    def conclude(**context: Unpack[Context]) -> None:
        """Sum the run up; fails when something is not sound, or was not checked."""
        quality.conclude(context)

    def publish_task(table: str) -> Any:
        @task(task_id=f"publish_{table}", outlets=[checked_assets()[table]])
        def publish(**context: Unpack[Context]) -> None:
            """Tell who waits for the table which of its dates passed."""
            quality.publish(table, context)

        return publish()

    planned: Any = plan()  # in truth an XComArg
    # Teardowns run after failures too: what passed is published, whatever else did not.
    concluded = conclude().as_teardown(setups=planned, on_failure_fail_dagrun=True)
    published = [publish_task(table).as_teardown(setups=planned) for table in checked_assets()]
    chain(check.expand(chunk=list_chunks(planned)), concluded, published)


check_data_quality()
