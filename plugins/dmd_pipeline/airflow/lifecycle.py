"""The tasks of ``apply_lifecycle_rules``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from dmd_pipeline.airflow import clients
from dmd_pipeline.airflow.approvals import approved_digest
from dmd_pipeline.airflow.runs import asked_of, keep_report, skip


if TYPE_CHECKING:
    from airflow.sdk import Context

    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

QUESTION: Final = {
    "name": "rules",
    "question": "Change the lifecycle rules of the bucket?",
    "what_follows": """
**If you approve:** S3 deletes what the rules say, for good where the bucket keeps no versions, usually within days of
its age. Rules that are not ours stay as they are. If anything in the bucket's configuration differs from this plan by
then, nothing is done.

**If you reject**, or nobody answers in time: nothing is changed.
""",
}


def plan(settings: Settings, context: Context) -> None:
    """Plan, and skip the other tasks when there is nothing to do, or nothing is to be done."""
    from dmd_pipeline.jobs import apply_lifecycle as job

    dry_run = asked_of(context)["dry_run"]
    report = job.run(settings, clients.bucket(settings), report_to=keep_report(context))
    for text in report.as_data()["plans"]:
        logger.info("%s", text)
    if dry_run or report.plan.is_empty:
        skip(context, [f"approve_{QUESTION['name']}", "apply"])


def apply(settings: Settings, context: Context) -> None:
    """Do what the plan says, if it is the one that was approved."""
    from dmd_pipeline.jobs import apply_lifecycle as job

    approved = approved_digest(context, QUESTION["name"])
    job.run(settings, clients.bucket(settings), approved=approved, dry_run=False, report_to=keep_report(context))
