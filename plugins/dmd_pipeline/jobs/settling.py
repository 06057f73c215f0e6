"""Settle converted batches: their partitions are registered, then each raw file its tag, and its done document.

Calls: ⌈R/1000⌉ BatchGetPartition for a table with rows on R dates; where a partition is missing, 1 LIST (manifests
of expired ones; what registration says of them), 1 GetTable and what :mod:`dmd_pipeline.jobs.partition_writer` says;
and 1 PutObjectTagging + 1 PUT a batch.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dmd_pipeline.aws.s3 import JSON
from dmd_pipeline.errors import PipelineError
from dmd_pipeline.jobs.lane_reports import BatchReport, State
from dmd_pipeline.jobs.partition_writer import write_partitions
from dmd_pipeline.jobs.retention_store import Manifests
from dmd_pipeline.layout import PARTITION_KEY, SETTLED_DONE_TAG, SETTLED_RAW_TAG
from dmd_pipeline.parameters import DateRange
from dmd_pipeline.partitions import plan


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date, datetime

    from dmd_pipeline.jobs.replay_environment import Environment


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settler:
    """Settles batches.

    Attributes:
        environment: Where.
        run_id: Names the run in the done documents.
        at: The time of the run.
    """

    environment: Environment
    run_id: str
    at: datetime

    def settle(self, reports: Sequence[BatchReport]) -> list[BatchReport]:
        """Settle what was converted.

        What is lost when the process dies before a done document: nothing; the batch is converted again, and found.

        Returns:
            All reports, in their order; those that were converted are settled now, or failed.
        """
        dates: dict[str, set[date]] = {}
        for report in reports:
            if report.state is State.CONVERTED:
                for table, days in report.dates.items():
                    dates.setdefault(table, set()).update(days)
        failed = {
            (table, day): reason for table, days in sorted(dates.items()) for day, reason in self._register(table, days)
        }
        return [self._settle(report, failed) if report.state is State.CONVERTED else report for report in reports]

    def _register(self, table: str, days: Iterable[date]) -> Iterable[tuple[date, str]]:
        """Register partitions; those that failed, with the reason."""
        glue = self.environment.glue
        wanted = {day.isoformat(): day for day in days}
        try:
            registered = {partition["Values"][0] for partition in glue.registered(table, sorted(wanted))}
            missing = wanted.keys() - registered
            missing -= self._expired(table, [wanted[value] for value in missing])
            if not missing:
                return []
            steps = plan(
                glue.table(table),
                self.environment.settings.layout,
                found=[f"{PARTITION_KEY}={value}/" for value in missing],
                registered=(),
                ahead=(),
                dates=DateRange(),
            )
            written = write_partitions(
                glue, table, steps.add, repair=steps.change is None, patience=self.environment.patience
            )
        except PipelineError as error:
            logger.warning("table %s: its partitions were not registered: %s", table, error)
            return [(day, str(error)) for day in wanted.values()]
        return [(wanted[value], reason) for value, reason in written.failed.items()]

    def _expired(self, table: str, days: Collection[date]) -> set[str]:
        """The values of partitions that have left the catalog because of their age: rows of theirs come too late."""
        expired = Manifests(self.environment.bucket, self.environment.settings.layout).expired(table, days, self.at)
        for day, reason in expired.items():
            logger.warning("%s/%s=%s has rows of a replay and is not registered: %s", table, PARTITION_KEY, day, reason)
        return {day.isoformat() for day in expired}

    def _settle(self, report: BatchReport, failed: dict[tuple[str, date], str]) -> BatchReport:
        unregistered = [
            f"{table}/{PARTITION_KEY}={day}: {failed[table, day]}"
            for table, days in report.dates.items()
            for day in sorted(days)
            if (table, day) in failed
        ]
        if unregistered:
            return replace(report, state=State.FAILED, why=f"not registered: {unregistered[0]}")
        document = json.dumps(report.as_document(self.run_id, self.at), indent=1).encode()
        bucket, layout = self.environment.bucket, self.environment.settings.layout
        try:
            # The process dies after this call: the batch is open, all of it where it belongs, and settled once more.
            bucket.tag(layout.raw_key(report.batch), SETTLED_RAW_TAG)
            bucket.create(layout.done_key(report.batch), document, JSON, tag=SETTLED_DONE_TAG)
        except PipelineError as error:
            return replace(report, state=State.FAILED, why=str(error))
        return replace(report, state=State.SETTLED)
