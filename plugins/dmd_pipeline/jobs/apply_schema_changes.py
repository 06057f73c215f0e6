"""Bring Glue's tables, and their partitions' copies, to what include/schemas says.

Calls for a table of P partitions that is in sync: 1 GetTable + ⌈P/1000⌉ GetPartitions + what looking at files costs
(:mod:`dmd_pipeline.jobs.file_schemas`); nothing is written. What a change costs on top of it:
:mod:`dmd_pipeline.jobs.table_change`. A table that is created: 1 CreateTable + 1 GetTable. A run: 1 GetDatabase +
⌈tables/100⌉ GetTables; a table that is missing costs one GetDatabase more.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from dmd_pipeline import hive
from dmd_pipeline.errors import (
    CatalogError,
    PartitionsFailedError,
    PipelineError,
    SchemaRefusedError,
    TableNotFoundError,
)
from dmd_pipeline.jobs.table_change import TableChanger
from dmd_pipeline.layout import PARTITION_KEY
from dmd_pipeline.parameters import chosen_tables
from dmd_pipeline.table_plans import TablePlan, Verdict, plan, to_create
from dmd_pipeline.wording import some


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_glue.type_defs import PartitionTypeDef, TableInputTypeDef

    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.jobs.table_change import Changed
    from dmd_pipeline.patience import Patience
    from dmd_pipeline.record_types import RecordType
    from dmd_pipeline.settings import Settings
    from dmd_pipeline.table_plans import Writer


logger = logging.getLogger(__name__)

_DATABASE_DESCRIPTION = "Demand capture pipeline: one table a record type, one partition a business date."

Outcome = Literal[
    "in sync",
    "planned",
    "created",
    "created by another run",
    "repaired",
    "changed",
    "left as it is",
    "waits for approval",
    "refused",
    "failed",
]


@dataclass(frozen=True)
class TableReport:
    """What came of one table.

    Attributes:
        table: Its name.
        outcome: In a word or two.
        plan: What was to be done; None when it could not even be made.
        changed: What was done to its partitions.
        error: Why it failed or was refused.
    """

    table: str
    outcome: Outcome
    plan: TablePlan | None = None
    changed: Changed | None = None
    error: str | None = None

    @property
    def partition_keys(self) -> list[str]:
        """Dates whose definition changed: what readers of the table's asset wait for."""
        return sorted(self.changed.completed) if self.changed is not None else []

    @property
    def summary(self) -> str:
        """One line for people."""
        line = f"{self.table}: {self.outcome}"
        if self.outcome == "planned" and self.plan is not None:
            line += f": {self.plan.verdict}"
        if self.changed is not None:
            line += (
                f", {len(self.changed.completed):,} of {self.plan.partitions if self.plan else 0:,} partitions written"
            )
            if self.changed.failed:
                line += f", FAILED: {some([f'{value}: {why}' for value, why in sorted(self.changed.failed.items())])}"
        if self.plan is not None and self.plan.summary != f"{self.table}: {self.plan.verdict}":
            line += f" ({self.plan.summary.removeprefix(f'{self.table}: ')})"
        if self.error is not None:
            line += f": {self.error}"
        return line


@dataclass(frozen=True)
class Report:
    """What came of a run.

    Attributes:
        tables: One entry a table.
        unknown: Tables of the database that no schema of include/schemas stands for: they are left.
        dry_run: Whether only plans were made.
    """

    tables: tuple[TableReport, ...]
    unknown: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """In a word or two, by table."""
        return {table.table: table.outcome for table in self.tables}

    @property
    def summary(self) -> list[str]:
        """One line a table, for people."""
        lines = [f"{'dry run: ' if self.dry_run else ''}{table.summary}" for table in self.tables]
        if self.unknown:
            lines.append(f"no schema in include/schemas, left alone: {some(self.unknown)}")
        return lines

    @property
    def partition_keys(self) -> dict[str, list[str]]:
        """Dates by table whose definition changed; tables without any are left out."""
        return {table.table: keys for table in self.tables if (keys := table.partition_keys)}

    @property
    def plans(self) -> str:
        """Every plan that is not empty, as people read it."""
        return "\n\n".join(str(table.plan) for table in self.tables if table.plan is not None)

    def as_data(self) -> dict[str, Any]:
        """Summary, outcomes, partition keys and plans, as JSON takes them."""
        return {
            "summary": self.summary,
            "outcomes": self.outcomes,
            "partition_keys": self.partition_keys,
            "plan": self.plans,
            "newer": {table.table: list(table.plan.newer) for table in self.tables if table.plan and table.plan.newer},
        }


@dataclass(frozen=True)
class SchemaChanges:
    """The work of one run.

    Attributes:
        settings: Of the environment.
        record_types: What tables there are, and their schemas.
        glue: The catalog.
        id: Names the run: what it left behind when it was killed is its own.
        written: The schemas with which a table's files were written, given its partitions.
        patience: How long to insist on partitions that Glue throttles.
        now: The time.
    """

    settings: Settings
    record_types: Mapping[str, RecordType]
    glue: Catalog
    id: str
    written: Callable[[str, Sequence[PartitionTypeDef]], Sequence[Writer]] = lambda _table, _partitions: ()
    patience: Patience | None = None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def plan(self, table: str) -> TablePlan:
        """Look at everything and decide; nothing is written."""
        wanted = self.wanted(table)
        try:
            partitions = list(self.glue.partitions(table))
        except TableNotFoundError:
            return to_create(wanted)
        # Read last, as registration does: what decides is then as fresh as can be.
        return plan(self.glue.table(table), wanted, partitions, self.written(table, partitions))

    def wanted(self, table: str) -> TableInputTypeDef:
        """The table that include/schemas asks for."""
        return hive.table_input(table, self.record_types[table].schema, self.settings.layout.table_location(table))

    def apply(self, made: TablePlan) -> TableReport:
        """Do what a plan says; raises nothing but defects: what AWS refuses is in the report."""
        try:
            return self._apply(made)
        except PipelineError as error:
            return TableReport(made.table, "failed", made, error=str(error))

    def _apply(self, made: TablePlan) -> TableReport:
        match made.verdict:
            case Verdict.IN_SYNC:
                return TableReport(made.table, "in sync", made)
            case Verdict.CREATE:
                return self._create(made)
            case Verdict.REFUSED:
                return TableReport(made.table, "refused", made, error=_refusal(made))
            case Verdict.BREAKING:
                return TableReport(made.table, "waits for approval", made)
            case Verdict.DRIFT if not self.settings.schema_changes.repair_drift:
                return TableReport(made.table, "left as it is", made)
        changed = self.changer.change(made.wanted)
        outcome: Outcome = "repaired" if made.verdict is Verdict.DRIFT else "changed"
        return TableReport(made.table, "failed" if changed.failed else outcome, made, changed)

    @property
    def changer(self) -> TableChanger:
        """Changes tables in the name of this run."""
        parallel = self.settings.registration.parallel_batches
        return TableChanger(self.glue, self.id, parallel, self.patience, self.now)

    def _create(self, made: TablePlan) -> TableReport:
        created = self.glue.create_table(made.wanted)
        self.glue.table(made.table)  # looked at again: raises when it is not there
        return TableReport(made.table, "created" if created else "created by another run", made)


def run(
    settings: Settings,
    record_types: Mapping[str, RecordType],
    glue: Catalog,
    *,
    run_id: str,
    written: Callable[[str, Sequence[PartitionTypeDef]], Sequence[Writer]] | None = None,
    tables: Sequence[str] | None = None,
    dry_run: bool = False,
    patience: Patience | None = None,
    now: Callable[[], datetime] | None = None,
    report_to: Callable[[Report], None] | None = None,
) -> Report:
    """Plan, apply, verify and report, table by table; one that fails does not stop the others.

    Args:
        settings: Of the environment.
        record_types: What tables there are, and their schemas.
        glue: The catalog.
        run_id: Names the run; a run that was killed and is tried again has the same.
        written: The schemas with which a table's files were written, given its partitions; none is read if None.
        tables: Which tables; all when None or empty.
        dry_run: Only plan.
        patience: How long to insist on partitions that Glue throttles.
        now: The time.
        report_to: Gets the report before any error is raised.

    Returns:
        The report, of a run in which everything succeeded; a table may wait for approval.

    Raises:
        ParameterError: A table is unknown.
        SchemaError: Glue cannot express a schema; nothing was read or written.
        SchemaRefusedError: Some schemas cannot be applied; names each with the nearest change that could be.
        PartitionsFailedError: Some partitions could not be written; readers get their rows all the same.
        CatalogError: Glue refused; the message names each table that failed.
    """
    chosen = chosen_tables(tables, record_types)
    work = SchemaChanges(settings, record_types, glue, run_id, written or (lambda _table, _partitions: ()), patience)
    if now is not None:
        work = replace(work, now=now)
    for table in chosen:
        work.wanted(table)  # raises before anything is read
    missing = not glue.database_exists()
    if missing and not dry_run:
        # False when another run was quicker: what counts is that it is there now.
        glue.create_database(_DATABASE_DESCRIPTION)
    if missing and dry_run:
        reports = [TableReport(table, "planned", to_create(work.wanted(table))) for table in chosen]
        report = Report(tuple(reports), dry_run=True)
    else:
        report = _work_on(work, chosen, dry_run=dry_run)
    for line in report.summary:
        logger.info("%s", line)
    if report_to is not None:
        report_to(report)
    raise_failures(report)
    return report


def _work_on(work: SchemaChanges, tables: Sequence[str], *, dry_run: bool) -> Report:
    unknown = tuple(name for name in work.glue.table_names() if name not in work.record_types)
    reports = []
    for table in tables:
        try:
            made = work.plan(table)
        except PipelineError as error:
            reports.append(TableReport(table, "failed", error=str(error)))
            continue
        logger.info("%s", made)
        reports.append(TableReport(table, "planned", made) if dry_run else work.apply(made))
    return Report(tuple(reports), unknown, dry_run)


def raise_failures(report: Report) -> None:
    """Raise what went wrong, if anything did.

    Raises:
        SchemaRefusedError: Some schemas cannot be applied.
        PartitionsFailedError: Some partitions could not be written.
        CatalogError: Glue refused.
    """
    partitions = {
        f"{table.table}/{PARTITION_KEY}={value}": why
        for table in report.tables
        if table.changed is not None
        for value, why in table.changed.failed.items()
    }
    errors = {
        table.table: table.error for table in report.tables if table.outcome in ("failed", "refused") and table.error
    }
    if partitions:
        raise PartitionsFailedError(partitions | errors)
    if not errors:
        return
    refused = all(table.outcome == "refused" for table in report.tables if table.table in errors)
    kind = SchemaRefusedError if refused else CatalogError
    raise kind("; ".join(f"table {table}: {why}" for table, why in sorted(errors.items())))


def _refusal(made: TablePlan) -> str:
    reasons = [f"{one.field}: {one.readers}" for one in made.differences if one.kind == Verdict.REFUSED.value]
    return f"nothing was changed; {some(reasons)}"
