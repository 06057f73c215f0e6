"""Delete what tests have left in the bucket, once it is old enough: below `data-pipeline/test/`, and nowhere else.

## What it does

Lists `data-pipeline/test/` and deletes the objects that were written more than `older_than_days` ago, 1,000 a call.
Keys of other folders cannot be named by it: it speaks of names in this folder only.

## When it runs

Weekly, and by hand.

## Parameters

`older_than_days` (by default `retention.test_data_days` of `include/environments`); `dry_run` (true by default;
scheduled runs delete), which counts objects and bytes.

## Safe to re-run?

Yes: at any time, after being killed, and twice at once.

## When it fails

* *FAILED: name: reason*: all others are deleted. The next run tries again; it may wait until then.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import CronTriggerTimetable, dag, task

from dmd_pipeline.airflow import retention
from dmd_pipeline.airflow.defaults import DEFAULT_ARGS
from dmd_pipeline.airflow.params import age_param, dry_run_param
from dmd_pipeline.airflow.tags import Tag
from dmd_pipeline.settings import load_settings


if TYPE_CHECKING:
    from typing import Unpack

    from airflow.sdk import Context


SETTINGS = load_settings()


@dag(
    # Nothing is deleted, and nobody is asked, just because somebody has unpaused it.
    schedule=CronTriggerTimetable(SETTINGS.schedules.clean_test_data, timezone="UTC", run_immediately=timedelta(0)),
    catchup=False,  # a run deletes all that is old: one makes up for all that were missed
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    params={**age_param(SETTINGS.retention.test_data_days), **dry_run_param(default=True, only_by_hand=True)},
    tags=[Tag.RETENTION, Tag.DELETES],
    doc_md=__doc__,
)
def clean_test_data() -> None:
    """Wire the task: the docstring of this file is its documentation."""

    @task
    def clean(**context: Unpack[Context]) -> None:
        """Delete what is old enough; its return value is the report, also when some of it failed."""
        retention.clean(SETTINGS, context)

    clean()


clean_test_data()
