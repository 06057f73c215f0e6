"""The tasks of ``check_data_quality``: what is due, what is checked, who is told."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from dmd_pipeline.airflow import clients
from dmd_pipeline.airflow.alerts import tell
from dmd_pipeline.airflow.assets import checked_assets
from dmd_pipeline.airflow.runs import asked_of, day_of, keep_report, publish_returned, returned, skip, skip_downstream
from dmd_pipeline.alerts import Severity
from dmd_pipeline.quality_documents import Judgement
from dmd_pipeline.wording import some


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow.sdk import Context

    from dmd_pipeline.jobs.partition_checks import Environment
    from dmd_pipeline.jobs.quality_reports import Checked
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

MOST_ALERTS: Final = 10
"""Alerts of a chunk about one partition each; those beyond are told of together."""

_ASKED: Final = ("tables", "from_date", "to_date", "window_days", "force", "dry_run")


def plan(settings: Settings, context: Context) -> None:
    """Look, and plan; skip the tasks that have nothing to do: in the usual run of a quiet hour, all others."""
    from dmd_pipeline.jobs import check_data_quality as job

    asked = asked_of(context)
    report = job.look(
        _environment(settings),
        now=datetime.now(UTC),
        today=day_of(context),
        report_to=keep_report(context),
        **{name: asked[name] for name in _ASKED},
    )
    if report.dry_run or not report.chunks:
        idle = {task.task_id for task in context["dag"].tasks} - {context["ti"].task_id}
        skip(context, idle - ({"conclude"} if report.errors else set()))


def check(settings: Settings, chunk: Mapping[str, Sequence[str]], context: Context) -> None:
    """Check one chunk; its return value is the chunk's report, also when it fails.

    Raises:
        ChecksFailedError: Partitions failed, or could not be checked; all others were.
    """
    from dmd_pipeline.jobs import partition_checks as job

    asked = asked_of(context)
    job.check(
        _environment(settings),
        chunk,
        run_id=context["run_id"],
        engine=asked["engine"],
        forced=asked["force"],
        tell=_teller(settings, context),
        report_to=keep_report(context),
    )


def conclude(context: Context) -> None:
    """Sum the run up, and skip the publishing tasks that have nothing to publish.

    Raises:
        ChecksIncompleteError: Tables could not be looked at, or chunks not checked; all others were.
        ChecksFailedError: Partitions failed, or could not be checked.
    """
    from dmd_pipeline.jobs.quality_reports import Conclusion

    [planned] = returned(context, "plan")
    conclusion = Conclusion(planned, returned(context, "check"))
    for line in conclusion.summary:
        logger.info("%s", line)
    keep_report(context)(conclusion)
    conclusion.raise_problems()
    skip_downstream(context, unless={f"publish_{table}" for table in conclusion.partition_keys})


def publish(table: str, context: Context) -> None:
    """Make the dates that passed partition keys of the table's second asset."""
    publish_returned(
        context, "conclude", table, checked_assets()[table], f"no partition of {table} was checked and passed"
    )


def _teller(settings: Settings, context: Context) -> Callable[[Sequence[Checked]], None]:
    """Sends an alert for each partition, and one for all of them together when there are too many."""
    root, _, _ = context["ti"].log_url.partition("/dags/")
    told = 0

    def tell_of(bad: Sequence[Checked]) -> None:
        nonlocal told
        alone, rest = bad[: MOST_ALERTS - told], bad[MOST_ALERTS - told :]
        told += len(alone)
        for one in alone:
            severity = Severity.HIGH if one.result.verdict is Judgement.FAILED else Severity.MEDIUM
            page = f"{root}/dq/{one.table}/{one.day}"
            key = f"data-quality/{one.table}/{one.day}"  # of one incident, whatever files still arrive
            tell(settings, context, severity, one.title, one.text, key, link=page)
        if rest:
            names = some([one.title for one in rest], at_most=len(rest))
            title = f"{len(rest)} more partitions are not sound"
            tell(settings, context, Severity.HIGH, title, names, f"data-quality/{rest[0].name}", link=f"{root}/dq/")

    return tell_of


def _environment(settings: Settings) -> Environment:
    from dmd_pipeline.jobs.partition_checks import Environment
    from dmd_pipeline.record_types import load_record_types

    return Environment(
        settings,
        load_record_types(),
        clients.bucket(settings),
        clients.catalog(settings),
        lambda: clients.workgroup(settings),
    )
