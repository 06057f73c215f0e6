"""The tasks of ``drop_expired_partitions``, ``restore_partitions`` and ``clean_test_data``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.airflow import clients
from dmd_pipeline.airflow.approvals import approved_digest
from dmd_pipeline.airflow.assets import table_assets
from dmd_pipeline.airflow.runs import (
    asked_of,
    is_by_hand,
    keep_report,
    planned,
    publish_returned,
    skip,
    skip_downstream,
)


if TYPE_CHECKING:
    from airflow.sdk import Context

    from dmd_pipeline.jobs.drop_expired_partitions import Dropper
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

QUESTION: Final = {
    "question": "Let partitions of {name} expire?",
    "what_follows": """
**If you approve:** what *leaves the catalog* is not seen by queries any more; its objects stay for the grace period,
and `restore_partitions` brings it back. What *is deleted* has left before, and its grace period has passed: its objects
go. If anything differs from this plan by then, nothing is done, and you are asked again.

**If you reject**, or nobody answers in time: nothing is changed, and the next daily run asks again.
""",
}


def plan(settings: Settings, context: Context) -> None:
    """Plan all tables; skip the tasks of those with nothing to do, and the questions that need not be asked.

    Raises:
        PipelineError: Nothing could be planned; or a table could not, in a dry run. Otherwise that table's own task
            meets the same error, and the others go on.
    """
    from dmd_pipeline.jobs import drop_expired_partitions as job

    dry_run, dropper, tables = _is_dry_run(context), _dropper(settings, context), asked_of(context)["tables"]
    data = planned(
        context, lambda keep: job.run(dropper, table_assets(), tables=tables, report_to=keep), dry_run=dry_run
    )
    for text in data["plans"]:
        logger.info("%s", text)
    to_do = set() if dry_run else set(data["to_do"])
    needed = {f"approve_{table}" for table in to_do & set(data["asking"])} | {f"drop_{table}" for table in to_do}
    of_tables = {f"{what}_{table}" for what in ("approve", "drop") for table in table_assets()}
    skip(context, sorted(of_tables - needed))


def drop(settings: Settings, table: str, context: Context) -> None:
    """Work on one table, with the approval that was given for it, if any."""
    from dmd_pipeline.jobs import drop_expired_partitions as job

    digest = approved_digest(context, table)
    approved = {} if digest is None else {table: digest}
    dropper = _dropper(settings, context, approved=approved)
    job.run(dropper, table_assets(), tables=[table], dry_run=False, report_to=keep_report(context))


def restore(settings: Settings, context: Context) -> None:
    """Restore what was asked for, and skip the publishing tasks that have nothing to publish."""
    from dmd_pipeline.jobs import restore_partitions as job

    asked = asked_of(context)
    restorer = job.Restorer(
        settings,
        clients.catalog(settings),
        clients.bucket(settings),
        lambda: clients.workgroup(settings),
        _id(context),
        keep_days=asked.pop("keep_days"),
    )
    report = job.run(restorer, table_assets(), report_to=keep_report(context), **asked)
    skip_downstream(context, unless={f"publish_{table}" for table in report.partition_keys})


def publish(table: str, context: Context) -> None:
    """Make the dates that were restored partition keys of the table's asset."""
    publish_returned(context, "restore", table, table_assets()[table], f"no partition of {table} was restored")


def clean(settings: Settings, context: Context) -> None:
    """Delete what tests have left."""
    from dmd_pipeline.jobs import clean_test_data as job

    folder = job.FolderOfTests(clients.bucket(settings), settings.layout)
    job.run(folder, report_to=keep_report(context), **asked_of(context) | {"dry_run": _is_dry_run(context)})


def _dropper(settings: Settings, context: Context, **more: Any) -> Dropper:
    from dmd_pipeline.jobs.drop_expired_partitions import Dropper
    from dmd_pipeline.record_types import load_record_types

    glue, bucket = clients.catalog(settings), clients.bucket(settings)
    personal = {name: kind.redacted for name, kind in load_record_types().items()}
    return Dropper(settings, glue, bucket, _id(context), personal=personal, counts_rows=is_by_hand(context), **more)


def _is_dry_run(context: Context) -> bool:
    """Whether somebody asked for a plan only; a scheduled run does what the settings say."""
    return is_by_hand(context) and asked_of(context)["dry_run"]


def _id(context: Context) -> str:
    """Names the run among those of all DAGs."""
    return f"{context['dag'].dag_id}/{context['run_id']}"
