"""The tasks of ``reprocess_failed_batches``: what is secured, what is converted, who is told."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from dmd_pipeline.airflow import alerts, clients
from dmd_pipeline.airflow.assets import table_assets
from dmd_pipeline.airflow.runs import asked_of, keep_report, publish_returned, returned, skip, skip_downstream
from dmd_pipeline.alerts import Severity


if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Context

    from dmd_pipeline.jobs.replay_environment import Environment
    from dmd_pipeline.jobs.replay_reports import SecureReport
    from dmd_pipeline.raw_batches import RawBatch
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

LOST: Final = "replay-lost"
"""The alert about records that are gone: the message about them is deleted only when it has arrived."""
LASTING: Final = frozenset({"replay-event-source-mapping", "replay-waiting-for-schema"})
"""Alerts about a state, not an event: every run finds it again until somebody acts, so it is told once an hour."""


def secure(settings: Settings, context: Context) -> None:
    """Claim and secure; skip the tasks that have nothing to do: in the usual run, all others."""
    from dmd_pipeline.jobs import reprocess_failed_batches as job

    asked = asked_of(context)
    keep = keep_report(context)

    def keep_and_tell(report: SecureReport) -> None:
        keep(report)
        for alert in report.as_data()["alerts"]:
            tell(settings, context, Severity(alert["severity"]), alert["title"], alert["text"], alert["key"])

    report = job.secure(
        settings,
        queue=clients.queue(settings),
        stream=clients.stream(settings),
        functions=clients.functions(settings),
        alarms=clients.alarms(settings),
        bucket=clients.bucket(settings),
        rehearse=_rehearsal(settings) if asked["dry_run"] else None,
        report_to=keep_and_tell,
        **asked,
    )
    data = report.as_data()
    if data["plan"]:
        logger.info("what would be done:\n%s", data["plan"])
    if not data["lanes"]:
        idle = {"list_lanes", "convert"}
        if not report.claimed and not data["problems"]:
            idle = {task.task_id for task in context["dag"].tasks} - {context["ti"].task_id}
        skip(context, idle)


def convert(settings: Settings, lane: str, context: Context) -> None:
    """Convert the open batches of one lane; its return value is the lane's report."""
    from dmd_pipeline.jobs.conversion import convert_lane

    dry_run = asked_of(context)["dry_run"]
    report = convert_lane(_environment(settings), lane, run_id=context["run_id"], dry_run=dry_run)
    if report.busy is not None:
        logger.info("%s", report.summary[0])  # of what it did, the job has told
    keep_report(context)(report)


def conclude(settings: Settings, context: Context) -> None:
    """Sum the run up, and skip the publishing tasks that have nothing to publish.

    Raises:
        ReplayIncompleteError: Something was lost, failed, or was tried too often.
    """
    from dmd_pipeline.jobs.replay_conclusion import Conclusion

    asked = asked_of(context)
    conclusion = Conclusion(
        asked["source"], returned(context, "secure")[0], returned(context, "convert"), asked["dry_run"]
    )
    line, *problems = conclusion.summary
    logger.info("%s", line.replace("; ", ";\n    "))  # for a window that does not wrap
    for problem in problems:
        logger.error("%s", problem)
    keep_report(context)(conclusion)
    if conclusion.schema_waits:
        tell(
            settings,
            context,
            Severity.MEDIUM,
            f"{sum(conclusion.schema_waits.values()):,} failed batches wait for a table's schema",
            f"Their records are secured, and their rows are missing in Athena until apply_schema_changes has brought "
            f"the schema. The logs of `convert` name the tables. Batches by lane: {conclusion.schema_waits}.",
            "replay-waiting-for-schema",
        )
    conclusion.raise_problems()
    skip_downstream(context, unless={f"publish_{table}" for table in conclusion.partition_keys})


def publish(table: str, context: Context) -> None:
    """Make the dates into which rows were written partition keys of the table's asset."""
    publish_returned(context, "conclude", table, table_assets()[table], f"no row of {table} was written")


def _environment(settings: Settings) -> Environment:
    from dmd_pipeline.jobs.replay_environment import Environment
    from dmd_pipeline.record_types import load_record_types

    return Environment(
        settings,
        load_record_types(),
        clients.bucket(settings),
        clients.catalog(settings),
        clients.functions(settings),
        clients.stream(settings),
    )


def _rehearsal(settings: Settings) -> Callable[[RawBatch], str]:
    """Tells what would become of records that are not secured yet."""
    from dmd_pipeline.jobs.conversion import BatchConverter

    converter = BatchConverter(_environment(settings), datetime.now(UTC), dry_run=True)

    def rehearse(raw: RawBatch) -> str:
        return str(converter.convert(raw)).removeprefix(f"{raw.batch.id}: ")

    return rehearse


def tell(settings: Settings, context: Context, severity: Severity, title: str, text: str, key: str) -> None:
    """Send an alert; of a state that lasts, once an hour.

    Raises:
        AlertError: Nobody could be told of a loss.
    """
    if key in LASTING and not _is_first_of_hour(context):
        logger.warning("%s (told once an hour): %s", title, text)
        return
    alerts.tell(settings, context, severity, title, text, key, must_arrive=key == LOST)


def _is_first_of_hour(context: Context) -> bool:
    """Whether no earlier run was scheduled for the same hour; of a run by hand, always."""
    run = context["dag_run"]
    if run.run_type != "scheduled":
        return True
    before = context["ti"].get_previous_dagrun()
    return before is None or f"{before.run_after:%Y-%m-%dT%H}" != f"{run.run_after:%Y-%m-%dT%H}"
