"""Register partitions: Glue holds exactly the partitions that S3 asks for, and each looks like its table.

Calls per table, for F names below its prefix, P partitions, A of them added and R repaired:

    ⌈F/1000⌉ LIST (at least one)
    + ⌈P/1000⌉ GetPartitions (at least one; more when Glue's pages are short)
    + 1 GetTable
    + ⌈A/100⌉ BatchCreatePartition
    + ⌈R/1000⌉ BatchGetPartition + ⌈R/100⌉ BatchUpdatePartition
    + ⌈(A+R)/1000⌉ BatchGetPartition
    + 1 LIST, where folders with data are not registered, and 1 GET for each of these that has expired; for more than
      ten, 1 GET (their summary) and 1 GET for each that it does not know (:mod:`dmd_pipeline.jobs.retention_store`)

so a run with nothing to do only reads, and objects cost nothing however many there are. The table is read last: its
columns, and whether it is under change, are then as fresh as can be when partitions are written.

What is verified is what was written: an empty plan needs no second look, it is one.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dmd_pipeline.errors import CatalogError, PartitionsFailedError, PipelineError
from dmd_pipeline.jobs.partition_writer import write_partitions
from dmd_pipeline.jobs.retention_store import Manifests
from dmd_pipeline.layout import PARTITION_KEY
from dmd_pipeline.parameters import DateRange, chosen_tables
from dmd_pipeline.partitions import TablePlan, plan
from dmd_pipeline.wording import some


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date

    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.patience import Patience
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TableReport:
    """What came of one table.

    Attributes:
        table: Its name.
        plan: What was to be done.
        failed: Reason by partition value.
        error: Why nothing at all could be done, if so.
        dry_run: Whether nothing was meant to be done.
    """

    table: str
    plan: TablePlan
    failed: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    dry_run: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """How many partitions came out how."""
        add, repair = (
            sum(step.value not in self.failed for step in steps) for steps in (self.plan.add, self.plan.repair)
        )
        return {
            "in_sync": self.plan.in_sync,
            "added": 0 if self.dry_run else add,
            "repaired": 0 if self.dry_run else repair,
            "to_add": add if self.dry_run else 0,
            "to_repair": repair if self.dry_run else 0,
            "failed": len(self.failed),
            "empty": len(self.plan.empty),
            "expired": len(self.plan.expired),
            "strange": len(self.plan.strange),
        }

    @property
    def partition_keys(self) -> list[str]:
        """Dates that were added or repaired and hold data: what readers of the table's asset wait for."""
        if self.dry_run:
            return []
        return sorted(step.value for step in self.plan.steps if step.holds_data and step.value not in self.failed)

    @property
    def summary(self) -> str:
        """One line for people."""
        if self.error is not None:
            return f"{self.table}: FAILED: {self.error}"
        counted = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in self.counts.items() if count)
        line = f"{self.table}: {counted or 'no partitions'}"
        if self.plan.change is not None:
            line += f"; under change {self.plan.change}: nothing repaired"
        if self.plan.strange:
            line += f"; WARNING, left alone: {some(self.plan.strange)}"
        if self.failed:
            line += f"; FAILED: {some([f'{value}: {reason}' for value, reason in sorted(self.failed.items())])}"
        return line


@dataclass(frozen=True)
class Report:
    """What came of a run.

    Attributes:
        tables: One entry a table.
        dry_run: Whether only the plan was made.
    """

    tables: tuple[TableReport, ...]
    dry_run: bool

    @property
    def summary(self) -> list[str]:
        """One line a table, for people."""
        return [f"{'dry run: ' if self.dry_run else ''}{table.summary}" for table in self.tables]

    @property
    def partition_keys(self) -> dict[str, list[str]]:
        """Dates by table that were added or repaired and hold data; tables without any are left out."""
        return {table.table: keys for table in self.tables if (keys := table.partition_keys)}

    def as_data(self) -> dict[str, Any]:
        """Summary, counts, partition keys and plan, as JSON takes them; identifiers and counts only."""
        return {
            "summary": self.summary,
            "counts": {table.table: table.counts for table in self.tables},
            "partition_keys": self.partition_keys,
            "plan": "\n\n".join(str(table.plan) for table in self.tables if table.error is None),
        }


def run(
    settings: Settings,
    record_types: Collection[str],
    glue: Catalog,
    s3: Bucket,
    *,
    today: date,
    tables: Sequence[str] | None = None,
    from_date: str | date | None = None,
    to_date: str | date | None = None,
    dry_run: bool = False,
    patience: Patience | None = None,
    report_to: Callable[[Report], None] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Report:
    """Plan, apply, verify and report, table by table; one that fails does not stop the others.

    Args:
        settings: Of the environment.
        record_types: Names of all tables, or a mapping of them.
        glue: The catalog.
        s3: The bucket.
        today: The day of the run (UTC): it and the days ahead are registered whether or not they hold data.
        tables: Which tables; all when None or empty.
        from_date: First partition date, YYYY-MM-DD; None for the oldest.
        to_date: Last partition date; None for the newest.
        dry_run: Only plan.
        patience: How long to insist on partitions that Glue throttles.
        report_to: Gets the report before any error is raised.
        now: The time: what was restored does not expire before another one.

    Returns:
        The report, of a run in which everything succeeded.

    Raises:
        ParameterError: A table is unknown, or a date is none, or from is after to.
        TableNotFoundError: A table does not exist: ``apply_schema_changes`` creates it.
        PartitionsFailedError: Some partitions, or whole tables, could not be written; names each with its reason.
        CatalogError: Several tables failed, in different ways, and nothing that holds data was written.
        PipelineError: AWS could not be read.
    """
    chosen = chosen_tables(tables, record_types)
    dates = DateRange.between(from_date, to_date)
    ahead = [today + timedelta(days=days) for days in range(settings.registration.ahead_days + 1)]
    job = _Registration(settings, glue, s3, dates, ahead, now(), dry_run=dry_run, patience=patience)
    reports, errors = [], []
    for table in chosen:
        try:
            reports.append(job.register(table))
        except PipelineError as error:
            reports.append(TableReport(table, TablePlan(table), error=str(error)))
            errors.append(error)
    report = Report(tuple(reports), dry_run)
    for line in report.summary:
        logger.info("%s", line)
    if report_to is not None:
        report_to(report)
    _raise_failures(report, errors)
    return report


@dataclass(frozen=True)
class _Registration:
    settings: Settings
    glue: Catalog
    s3: Bucket
    dates: DateRange
    ahead: Sequence[date]
    now: datetime
    dry_run: bool
    patience: Patience | None

    def register(self, table: str) -> TableReport:
        first = self._plan(table)
        unregistered = [step.partition_date for step in first.add if step.holds_data]
        expired = Manifests(self.s3, self.settings.layout).expired(table, unregistered, self.now)
        first = first.without(expired)
        logger.info("%s", first)
        for day, reason in expired.items():
            logger.info("%s/%s=%s is not registered: %s", table, PARTITION_KEY, day, reason)
        if self.dry_run or first.is_empty:
            return TableReport(table, first, dry_run=self.dry_run)
        written = write_partitions(
            self.glue,
            table,
            first.steps,
            repair=first.change is None,
            parallel=self.settings.registration.parallel_batches,
            patience=self.patience,
        )
        return TableReport(table, first, failed=written.failed)

    def _plan(self, table: str) -> TablePlan:
        names = self.s3.names_below(
            self.settings.layout.table_prefix(table),
            start_at=_folder(self.dates.first) if self.dates.first else "",
            stop_after=_folder(self.dates.last) if self.dates.last else None,
        )
        with ThreadPoolExecutor(1) as beside:  # S3 and Glue are listed at the same time: each is pages one by one
            registered = beside.submit(lambda: list(self.glue.partitions(table, self.dates.glue_expression)))
            found = list(names)
        return plan(
            self.glue.table(table),
            self.settings.layout,
            found=found,
            registered=registered.result(),
            ahead=self.ahead,
            dates=self.dates,
        )


def _folder(day: date) -> str:
    return f"{PARTITION_KEY}={day}/"


def _raise_failures(report: Report, errors: Sequence[PipelineError]) -> None:
    failures = {
        f"{table.table}/{PARTITION_KEY}={value}": reason
        for table in report.tables
        for value, reason in table.failed.items()
    }
    # A run that wrote something must not be tried again as a whole: the second attempt would find those partitions in
    # sync, and nobody would hear of their dates.
    if failures or (errors and report.partition_keys):
        raise PartitionsFailedError(failures | {table.table: table.error for table in report.tables if table.error})
    if errors:
        kinds = {type(error) for error in errors}
        kind = kinds.pop() if len(kinds) == 1 else CatalogError
        raise kind("; ".join(dict.fromkeys(map(str, errors)))) from errors[0]
