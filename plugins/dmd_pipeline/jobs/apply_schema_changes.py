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
from enum import StrEnum
from typing import TYPE_CHECKING

from dmd_pipeline import hive
from dmd_pipeline.change_marks import ChangeMark
from dmd_pipeline.errors import (
    CatalogError,
    DatabaseNotFoundError,
    ParameterError,
    PipelineError,
    SchemaError,
    TableNotFoundError,
)
from dmd_pipeline.jobs.file_schemas import sample
from dmd_pipeline.jobs.recreation import Recreation
from dmd_pipeline.jobs.schema_reports import Report, TableReport
from dmd_pipeline.jobs.table_change import TableChanger
from dmd_pipeline.layout import PARTITION_KEY, partition_date_of
from dmd_pipeline.parameters import chosen_tables
from dmd_pipeline.table_plans import TablePlan, Verdict, Writer, plan, to_create, unreadable_by
from dmd_pipeline.wording import some


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date

    from mypy_boto3_glue.type_defs import PartitionTypeDef, TableInputTypeDef

    from dmd_pipeline.aws.athena import Workgroup
    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.jobs.schema_reports import Outcome
    from dmd_pipeline.patience import Patience
    from dmd_pipeline.record_types import RecordType
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

_DATABASE_DESCRIPTION = "Demand capture pipeline: one table a record type, one partition a business date."


class Strategy(StrEnum):
    """How tables are changed."""

    AUTO = "auto"
    """In place where a change is compatible, with approval and proof where it is breaking."""
    RECREATE = "recreate"
    """With approval and proof, whatever the change, also when there is none."""
    ROLLBACK = "rollback"
    """Back to a backup."""


@dataclass(frozen=True)
class SchemaChanges:
    """The work of one run.

    Attributes:
        settings: Of the environment.
        record_types: What tables there are, and their schemas.
        glue: The catalog.
        id: Names the run: what it left behind when it was killed is its own.
        bucket: Where files and backups are.
        workgroup: Gives Athena, which proves breaking changes.
        strategy: How tables are changed.
        approved: Digests of plans that somebody approved, by table.
        wrong: What is wrong with the files of tables that have no record type.
        patience: How long to insist on partitions that Glue throttles.
        now: The time.
    """

    settings: Settings
    record_types: Mapping[str, RecordType]
    glue: Catalog
    id: str
    bucket: Bucket
    workgroup: Callable[[], Workgroup]
    strategy: Strategy = Strategy.AUTO
    approved: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, SchemaError] = field(default_factory=dict)
    patience: Patience | None = None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def plan(self, table: str) -> TablePlan:
        """Look at everything and decide; nothing is written."""
        wanted = self.wanted(table)
        try:
            partitions = list(self.glue.partitions(table))
        except (TableNotFoundError, DatabaseNotFoundError):
            return to_create(wanted)
        writers, broken = self._written(table, partitions)
        # Read last, as registration does: what decides is then as fresh as can be.
        made = plan(self.glue.table(table), wanted, partitions, writers, broken)
        if self.strategy is Strategy.RECREATE and made.verdict is not Verdict.REFUSED:
            return replace(made, verdict=Verdict.BREAKING)
        return made

    def wanted(self, table: str) -> TableInputTypeDef:
        """The table that include/schemas asks for.

        Raises:
            SchemaError: Its files are wrong, or Glue cannot express its schema.
        """
        if table in self.wrong:
            raise self.wrong[table]
        return hive.table_input(table, self.record_types[table].schema, self.settings.layout.table_location(table))

    def work_on(self, table: str, *, dry_run: bool) -> TableReport:
        """Plan, and do what the plan says; what AWS refuses is in the report."""
        made = None
        try:
            made = self.plan(table)
            logger.info("%s", made)
            if dry_run:
                return TableReport(table, "planned", made)
            if made.unfinished is not None and self._settled(made):
                made = self.plan(table)
            return self._apply(made)
        except SchemaError as error:
            return TableReport(table, "refused", error=f"nothing was changed; {error}")
        except PipelineError as error:
            return TableReport(table, "failed", made, error=str(error))

    def roll_back(self, table: str, key: str | None) -> TableReport:
        """Bring a table back to a backup, the latest by default; the schema in include/schemas has to follow."""
        try:
            recreation = self._recreation()
            key = key or recreation.latest_backup(table)
            unreadable = [
                f"{writer} ({found[0].field}: {found[0].reason})"
                for writer in self._written(table, list(self.glue.partitions(table)))[0]
                if (found := unreadable_by(recreation.backup(key).table, writer))
            ]
            if unreadable:
                raise CatalogError(f"{key} cannot be restored: its schema does not read {some(unreadable, at_most=3)}")
            return TableReport(table, "rolled back", changed=recreation.roll_back(table, key), proof=f"to {key}")
        except PipelineError as error:
            return TableReport(table, "failed", error=str(error))

    def _apply(self, made: TablePlan) -> TableReport:
        match made.verdict:
            case Verdict.IN_SYNC:
                return TableReport(made.table, "in sync", made)
            case Verdict.CREATE:
                return self._create(made)
            case Verdict.REFUSED:
                return TableReport(made.table, "refused", made, error=_refusal(made))
            case Verdict.BREAKING if not self._is_approved(made):
                return TableReport(made.table, "not approved", made)
            case Verdict.BREAKING:
                recreated = self._recreation().recreate(made.wanted)
                return TableReport(made.table, "recreated", made, recreated.changed, proof=str(recreated))
            case Verdict.DRIFT if made.unfinished is None and not self.settings.schema_changes.repair_drift:
                return TableReport(made.table, "left as it is", made)
        changed = self._changer().change(made.wanted)
        outcome: Outcome = "repaired" if made.verdict is Verdict.DRIFT else "changed"
        return TableReport(made.table, "failed" if changed.failed else outcome, made, changed)

    def _is_approved(self, made: TablePlan) -> bool:
        return not self.settings.schema_changes.approve_breaking or self.approved.get(made.table) == made.digest

    def _settled(self, made: TablePlan) -> bool:
        """End what another run began and was killed at, where going on needs its backup or somebody's approval."""
        mark = ChangeMark.of(self.glue.table(made.table))
        if mark is not None and mark.backup is not None:
            recreated = self._recreation().settle(made.table, mark)
            logger.warning(
                "%s: %s was cut off: %s", made.table, mark.id, recreated or "taken back, nothing was switched"
            )
            return True
        if mark is not None and made.verdict in (Verdict.BREAKING, Verdict.REFUSED):
            self._changer().take_back(made.table)
            return True
        return False

    def _create(self, made: TablePlan) -> TableReport:
        created = self.glue.create_table(made.wanted)
        self.glue.table(made.table)  # looked at again: raises when it is not there
        return TableReport(made.table, "created" if created else "created by another run", made)

    def _changer(self) -> TableChanger:
        """Changes tables in the name of this run."""
        parallel = self.settings.registration.parallel_batches
        return TableChanger(self.glue, self.id, parallel, self.patience, self.now)

    def _recreation(self) -> Recreation:
        parallel = self.settings.registration.parallel_batches
        return Recreation(self._changer(), self.bucket, self.settings.layout, self.workgroup(), self.now, parallel)

    def _written(self, table: str, partitions: Sequence[PartitionTypeDef]) -> tuple[list[Writer], list[str]]:
        """The schemas with which files were written, and files that have none."""
        at_most = self.settings.schema_changes.sampled_partitions
        dates = [day for one in partitions if (day := _date_of(one["Values"][0])) is not None]
        if not dates or not at_most:
            return [], []
        parallel = self.settings.registration.parallel_batches
        found = sample(self.bucket, self.settings.layout, table, dates, at_most_partitions=at_most, parallel=parallel)
        return (
            [Writer(one.schema, one.example, one.files, one.last_written) for one in found.schemas],
            [f"{uri} ({reason})" for uri, reason in found.unreadable.items()],
        )


def run(
    settings: Settings,
    record_types: Mapping[str, RecordType],
    glue: Catalog,
    bucket: Bucket,
    workgroup: Callable[[], Workgroup],
    *,
    run_id: str,
    tables: Sequence[str] | None = None,
    dry_run: bool = False,
    strategy: str = Strategy.AUTO,
    rollback_to: str | None = None,
    approved: Mapping[str, str] | None = None,
    wrong: Mapping[str, SchemaError] | None = None,
    patience: Patience | None = None,
    now: Callable[[], datetime] | None = None,
    report_to: Callable[[Report], None] | None = None,
) -> Report:
    """Plan, apply, verify and report, table by table; one that fails does not stop the others.

    Args:
        settings: Of the environment.
        record_types: What tables there are, and their schemas.
        glue: The catalog.
        bucket: Where files and backups are.
        workgroup: Gives Athena, which is asked for when a breaking change is to be proved.
        run_id: Names the run; a run that was killed and is tried again has the same.
        tables: Which tables; all when None or empty.
        dry_run: Only plan.
        strategy: One of ``Strategy``.
        rollback_to: Key of the backup to go back to, of one table; the latest when None.
        approved: Digests of plans that somebody approved, by table.
        wrong: What is wrong with the files of tables that have no record type.
        patience: How long to insist on partitions that Glue throttles.
        now: The time.
        report_to: Gets the report before any error is raised.

    Returns:
        The report, of a run in which everything succeeded; a table's plan may not be approved.

    Raises:
        ParameterError: A table or strategy is unknown, or a backup fits neither the strategy nor the tables.
        SchemaRefusedError: Some schemas are wrong or cannot be applied; names each with the nearest change that could
            be. The other tables were worked on.
        PartitionsFailedError: Some partitions could not be written; readers get their rows all the same.
        CatalogError: Glue refused; the message names each table that failed.
    """
    known = {*record_types, *(wrong or {})}
    chosen = chosen_tables(tables, known)
    how = _strategy(strategy, rollback_to, chosen)
    work = SchemaChanges(
        settings, record_types, glue, run_id, bucket, workgroup, how, approved or {}, wrong or {}, patience
    )
    if now is not None:
        work = replace(work, now=now)
    if not glue.database_exists() and not dry_run:
        # False when another run was quicker: what counts is that it is there now.
        glue.create_database(_DATABASE_DESCRIPTION)
    if how is Strategy.ROLLBACK and not dry_run:
        reports = [work.roll_back(table, rollback_to) for table in chosen]
    else:
        reports = [work.work_on(table, dry_run=dry_run) for table in chosen]
    unknown = _unknown(glue, known) if len(chosen) == len(known) else ()
    report = Report(tuple(reports), unknown, dry_run)
    for line in report.summary:
        logger.info("%s", line)
    if report_to is not None:
        report_to(report)
    report.raise_failures()
    return report


def _unknown(glue: Catalog, known: Collection[str]) -> tuple[str, ...]:
    """Tables for which include/schemas has no schema, or has none any more."""
    try:
        return tuple(name for name in glue.table_names() if name not in known)
    except DatabaseNotFoundError:
        return ()


def _strategy(strategy: str, rollback_to: str | None, tables: Sequence[str]) -> Strategy:
    if strategy not in list(Strategy):
        raise ParameterError(f"strategy: unknown {strategy!r}; known are {', '.join(Strategy)}")
    if rollback_to and strategy != Strategy.ROLLBACK:
        raise ParameterError("rollback_to: it is for the strategy rollback; choose that, or leave it empty")
    if rollback_to and len(tables) != 1:
        raise ParameterError(f"rollback_to: a backup is one table's; choose one of {', '.join(tables)}")
    return Strategy(strategy)


def _date_of(value: str) -> date | None:
    """The date of a partition, of one that has one."""
    return partition_date_of(f"{PARTITION_KEY}={value}/")


def _refusal(made: TablePlan) -> str:
    reasons = [f"{one.field}: {one.readers}" for one in made.differences if one.kind == Verdict.REFUSED.value]
    return f"nothing was changed; {some(reasons)}"
