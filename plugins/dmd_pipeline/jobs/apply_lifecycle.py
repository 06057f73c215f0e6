"""Bring the bucket's lifecycle configuration to what the settings ask for, and leave the rules of others alone.

Look, plan (:mod:`dmd_pipeline.lifecycle`), replace the configuration if this very plan was approved, and look again
until S3 shows it.

S3 has no condition for replacing a configuration. So it is read immediately before, and compared with what was
approved: anything that has changed since makes the approval void. What remains is a race of two calls: whoever writes
the configuration between our GET and our PUT, or so shortly before it that S3 does not show it yet, loses what was
written. Afterwards nobody can tell, but for CloudTrail.

What is lost when the process dies after a call: nothing. After the GET nothing has happened. After the PUT the
configuration is complete, ours and theirs, for S3 takes it as a whole; the next run finds nothing to do.

Calls: 1 GetBucketLifecycleConfiguration; to change something 1 PutBucketLifecycleConfiguration more, and 1 GET a look
until S3 shows it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.errors import StorageError
from dmd_pipeline.lifecycle import Plan, plan
from dmd_pipeline.lifecycle_words import as_markdown
from dmd_pipeline.patience import Patience
from dmd_pipeline.wording import some


if TYPE_CHECKING:
    from collections.abc import Callable

    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

_PATIENCE: Final = Patience(attempts=12, first_pause=2, longest_pause=30)
"""S3 speaks of a few minutes until a new configuration is seen everywhere."""


@dataclass(frozen=True)
class Report:
    """What came of a run.

    Attributes:
        plan: What was to be done.
        dry_run: Whether nothing was to be changed.
        is_applied: Whether it was done.
        why_not: Why nothing was done although something differs; empty when it was.
        error: Why it cannot be told whether it is done, if so.
    """

    plan: Plan
    dry_run: bool
    is_applied: bool = False
    why_not: str = ""
    error: str | None = None

    @property
    def summary(self) -> list[str]:
        """One line for people."""
        counts = self.plan.counts
        told = [f"{counts[kind]} {'' if self.is_applied else 'to be '}{kind}" for kind in _KINDS if counts[kind]]
        line = f"{', '.join(told) or 'nothing to change'}; {counts['same']} the same, {counts['foreign']} not ours"
        if self.why_not:
            line += f"; nothing was done: {self.why_not}"
        if self.error is not None:
            line += f"; FAILED: {self.error}"
        if self.plan.warnings:
            line += f"; WARNING: {some(self.plan.warnings)}"
        return [f"dry run: {line}" if self.dry_run else line]

    def as_data(self) -> dict[str, Any]:
        """As JSON takes it."""
        text = as_markdown(self.plan)
        return {
            "summary": self.summary,
            "counts": self.plan.counts,
            "asking": {} if self.plan.is_empty else {"rules": {"digest": self.plan.digest, "plan": text}},
            "plans": [text],
            "rules": [change.then for change in self.plan.changes if change.then is not None],
        }


_KINDS: Final = ("added", "changed", "removed")


def run(
    settings: Settings,
    bucket: Bucket,
    *,
    approved: str | None = None,
    dry_run: bool = True,
    patience: Patience = _PATIENCE,
    report_to: Callable[[Report], None] | None = None,
) -> Report:
    """Plan, and do what the plan says if it was approved.

    Args:
        settings: Of the environment.
        bucket: Its bucket.
        approved: Digest of the plan that somebody approved.
        dry_run: Change nothing.
        patience: How often to look whether S3 shows what was written.
        report_to: Gets the report before any error is raised.

    Raises:
        StorageError: S3 refused, or does not show what was written.
    """
    made = plan(settings, bucket.lifecycle())
    if dry_run or made.is_empty:
        report = Report(made, dry_run)
    elif approved != made.digest:
        report = Report(made, dry_run, why_not="a person has to approve this very plan")
    else:
        # The process dies after this call: the configuration is complete, and the next run finds nothing to do.
        bucket.replace_lifecycle(made.wanted)
        report = Report(made, dry_run, is_applied=True, error=_look_again(made, bucket, patience))
    for line in report.summary:
        logger.info("%s", line)
    if report_to is not None:
        report_to(report)
    if report.error is not None:
        raise StorageError(report.summary[0])
    return report


def _look_again(made: Plan, bucket: Bucket, patience: Patience) -> str | None:
    """Why it is not what was written; None when it is."""
    for _ in patience:
        if bucket.lifecycle().says(made.wanted):
            return None
    return "S3 took the configuration and shows another one: run again, and find out who else writes it"
