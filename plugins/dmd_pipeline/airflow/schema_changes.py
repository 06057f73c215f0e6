"""The tasks of ``apply_schema_changes``: who is asked, who is skipped, who is told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk.exceptions import AirflowSkipException

from dmd_pipeline.airflow import clients
from dmd_pipeline.airflow.alerts import alerts_of
from dmd_pipeline.airflow.approvals import approved_digest
from dmd_pipeline.airflow.assets import table_assets
from dmd_pipeline.airflow.params import APPROVAL_HOURS
from dmd_pipeline.airflow.runs import asked_of, keep_report, planned, skip
from dmd_pipeline.alerts import Severity
from dmd_pipeline.errors import AlertError


if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

    from dmd_pipeline.jobs.schema_reports import Report
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

QUESTION: Final = {
    "question": "Apply a breaking change to {name}?",
    "what_follows": """
**If you approve:** the table and its partitions are backed up; the change is rehearsed on a second table, where Athena
reads every column of every file; then the table is changed in place, read again, and the rehearsal is dropped. If
anything fails, the table goes back to its backup by itself. Data files are not touched.

**If you reject**, or nobody answers in time: nothing is changed.
""",
}


def plan(settings: Settings, context: Context) -> None:
    """Plan all tables; skip the tasks of those with nothing to do, and the questions that need not be asked.

    Raises:
        PipelineError: Nothing could be planned; or a table could not, in a dry run. Otherwise that table's own task
            meets the same error, and the others go on.
    """
    asked = asked_of(context)
    data = planned(
        context, lambda keep: _run(settings, context, report_to=keep, dry_run=True), dry_run=asked["dry_run"]
    )
    _tell_of_newer_files(settings, data["newer"], context)
    to_do, asking = _tasks_of(settings, asked, data)
    idle = [
        task_id
        for table in table_assets()
        for task_id, is_needed in (
            (f"approve_{table}", table in asking),
            (f"apply_{table}", table in to_do),
            (f"publish_{table}", table in to_do),
        )
        if not is_needed
    ]
    skip(context, idle)


def apply(settings: Settings, table: str, context: Context) -> None:
    """Work on one table, with the approval that was given for it, if any."""
    digest = approved_digest(context, table)
    approved = {} if digest is None else {table: digest}
    report = _run(settings, context, report_to=keep_report(context), tables=[table], approved=approved)
    if not report.partition_keys:
        skip(context, [f"publish_{table}"])


def _run(settings: Settings, context: Context, **more: Any) -> Report:
    """The job, as the run asks for it and ``more`` says."""
    from dmd_pipeline.jobs import apply_schema_changes as job
    from dmd_pipeline.record_types import load_each_record_type

    record_types, wrong = load_each_record_type()
    asked = {name: value for name, value in asked_of(context).items() if name != APPROVAL_HOURS}
    return job.run(
        settings,
        record_types,
        clients.catalog(settings),
        clients.bucket(settings),
        lambda: clients.workgroup(settings),
        run_id=context["run_id"],
        wrong=wrong,
        **{**asked, **more},
    )


def publish(table: str, context: Context) -> None:
    """Make the dates whose partitions changed partition keys of the table's asset."""
    report: Mapping[str, Any] | None = context["ti"].xcom_pull(task_ids=f"apply_{table}")
    keys = (report or {}).get("partition_keys", {}).get(table)
    if not keys:
        raise AirflowSkipException(f"no partition of {table} changed")
    context["outlet_events"][table_assets()[table]].add_partitions(keys)


def _tasks_of(settings: Settings, asked: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Tables whose tasks have something to do, and those for which somebody is asked first."""
    if asked["dry_run"]:
        return set(), set()
    if asked["strategy"] == "rollback":
        return set(asked["tables"]), set()
    return set(data["to_do"]), set(data["asking"]) if settings.schema_changes.approve_breaking else set()


def _tell_of_newer_files(settings: Settings, newer: Mapping[str, list[str]], context: Context) -> None:
    """An alert a table with files that it cannot read: each of them breaks its partition for readers."""
    for table, files in newer.items():
        try:
            alerts_of(settings).send(
                severity=Severity.HIGH,
                title=f"{settings.environment}: {table} has files that the table cannot read",
                text=(
                    f"{'; '.join(files)}. Queries of their partitions fail. Most often the worker was deployed before "
                    "the table was changed: apply the schema that it writes (docs/runbooks/change-a-schema.md)."
                ),
                link=context["ti"].log_url,
                key=f"{settings.environment}/{table}/newer-files",
            )
        except AlertError:
            logger.exception("that %s has files that it cannot read reached not every channel", table)
