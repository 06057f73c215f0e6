"""Drop expired partitions: what is older than its table's retention leaves the catalog; its objects follow much later.

For each table: look at the catalog, the manifests and the folders of what is due, make the plan
(:mod:`dmd_pipeline.retention`), and do it where the settings enforce it. Partitions leave, 25 at a time:

1. their manifests are written to ``retention/``;
2. they are deleted from the catalog, and it is read back that they are gone.

What is lost when the process dies after either: nothing. After the first, the partition is still registered, and the
next run writes its manifest anew, with a grace period of its own. After the second, the manifest has all that it takes
to restore it. No object is touched: this phase only hides rows.

Of partitions whose grace period has passed, the objects are deleted, one partition after the other:

1. manifest, catalog and folder are read once more: the manifest must be the planned one, the partition not registered,
   and each of its objects still what the manifest says; else nothing of it is deleted;
2. exactly these objects are deleted, 1,000 at a time, and the answer's errors are read key by key;
3. the folder is listed again, and when none of them is left the manifest gets ``deleted_at``.

What is lost when the process dies after any of these: the objects that a manifest lists, as was decided. The next run
deletes the rest of them. An object that came meanwhile is in no manifest, and stays.

Calls a table, for P partitions, F folders, X of them with a manifest; of what leaves or may be deleted, E partitions
with V versions of objects and N files:

    1 GetTable + ⌈P/1000⌉ GetPartitions + ⌈F/1000⌉ LIST (folders) + 1 LIST a 1,000 manifests + X GET
    + ⌈V/1000⌉ ListObjectVersions for each of the E, at least one
    + what :func:`dmd_pipeline.container_files.count_rows` says for each of the N files
    for what leaves: 1 PUT each + ⌈E/25⌉ BatchDeletePartition + ⌈E/25⌉ BatchGetPartition
    for what is deleted: 1 GET + 1 BatchGetPartition + 1 PUT + 2 ⌈V/1000⌉ ListObjectVersions each, and
            ⌈objects/1000⌉ DeleteObjects

A table without a retention, and without manifests, costs 1 LIST.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.aws.glue import NOT_FOUND
from dmd_pipeline.aws.s3 import JSON
from dmd_pipeline.container_files import count_rows
from dmd_pipeline.errors import ContainerFileError, PartitionsFailedError, PipelineError, SettingsError
from dmd_pipeline.jobs.retention_store import Manifests
from dmd_pipeline.layout import PARTITION_KEY, partition_date_of
from dmd_pipeline.parameters import chosen_tables
from dmd_pipeline.patience import Patience
from dmd_pipeline.retention import Plan, due, plan
from dmd_pipeline.retention_manifests import Manifest, ObjectVersion
from dmd_pipeline.transitions import as_partition_input
from dmd_pipeline.wording import date_runs, some


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date

    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.retention import Delete, Drop
    from dmd_pipeline.settings import Settings, TableRetention


logger = logging.getLogger(__name__)

_AT_ONCE: Final = 25
"""Partitions of one BatchDeletePartition call."""
_KEYS_AT_ONCE: Final = 1000
"""Objects of one DeleteObjects call."""
_READERS: Final = 8
"""Files that are counted, and manifests that are read, at the same time."""


@dataclass(frozen=True)
class TableReport:
    """What came of one table.

    Attributes:
        table: Its name.
        plan: What was to be done.
        dropped: Dates that have left the catalog.
        deleted: Dates whose objects are deleted.
        failed: Reason by date.
        why_not: Why nothing was done although something is due; empty when it was.
        error: Why nothing at all could be done, if so.
    """

    table: str
    plan: Plan
    dropped: tuple[date, ...] = ()
    deleted: tuple[date, ...] = ()
    failed: Mapping[date, str] = field(default_factory=dict)
    why_not: str = ""
    error: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether the plan was carried out, as far as it could be."""
        return bool(self.dropped or self.deleted or self.failed)

    @property
    def counts(self) -> dict[str, int]:
        """How many partitions came out how; objects, bytes and rows of the plan."""
        return {
            "dropped": len(self.dropped),
            "deleted": len(self.deleted),
            "to_drop": 0 if self.is_done else len(self.plan.drop),
            "to_delete": 0 if self.is_done else len(self.plan.delete),
            "in_grace": len(self.plan.in_grace),
            "late": len(self.plan.late),
            "kept": len(self.plan.kept),
            "failed": len(self.failed),
            "objects": sum(len(one.objects) for one in self.plan.drop),
            "bytes": sum(one.bytes for one in self.plan.drop),
            "rows": sum(one.rows for one in self.plan.drop),
            "objects_to_delete": sum(len(one.objects) for one in self.plan.delete),
            "bytes_to_delete": sum(one.bytes for one in self.plan.delete),
        }

    @property
    def summary(self) -> str:
        """One line for people."""
        if self.error is not None:
            return f"{self.table}: FAILED: {self.error}"
        told = ("dropped", "deleted", "to_drop", "to_delete", "in_grace", "failed")
        counted = [f"{self.counts[name]} {name.replace('_', ' ')}" for name in told if self.counts[name]]
        line = f"{self.table}: {', '.join(counted) or 'nothing expires'}"
        if self.why_not:
            line += f"; nothing was done: {self.why_not}"
        if self.plan.late:
            line += f"; WARNING, objects that came later: {date_runs(self.plan.late)}"
        if self.plan.kept:
            line += f"; kept although old: {some(self.plan.kept)}"
        if self.failed:
            line += f"; FAILED: {some([f'{day}: {reason}' for day, reason in sorted(self.failed.items())])}"
        return line


@dataclass(frozen=True)
class Report:
    """What came of a run.

    Attributes:
        tables: One entry a table.
        dry_run: Whether nothing was to be changed.
    """

    tables: tuple[TableReport, ...]
    dry_run: bool

    @property
    def summary(self) -> list[str]:
        """One line a table, for people."""
        return [f"{'dry run: ' if self.dry_run else ''}{table.summary}" for table in self.tables]

    def as_data(self) -> dict[str, Any]:
        """As JSON takes it; identifiers and counts only."""
        return {"summary": self.summary, "counts": {table.table: table.counts for table in self.tables}}


@dataclass(frozen=True)
class Dropper:
    """The work of one run.

    Attributes:
        settings: Of the environment.
        glue: The catalog.
        bucket: Where the files are.
        id: Names the run in the manifests.
        approved: Digests of plans that somebody approved, by table.
        now: The time.
        patience: How long to insist on partitions that Glue throttles.
    """

    settings: Settings
    glue: Catalog
    bucket: Bucket
    id: str
    approved: Mapping[str, str] = field(default_factory=dict)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    patience: Patience = field(default_factory=Patience)

    def plan(self, table: str) -> Plan:
        """Look at everything and decide; nothing is written.

        Raises:
            PipelineError: AWS refused to tell, or a manifest is damaged.
        """
        layout, rules = self.settings.layout, self.settings.retention.of(table)
        store = Manifests(self.bucket, layout)
        known = store.days(table)
        if rules.retention_days is None and not known:
            return Plan(table)
        registered = list(self.glue.partitions(table))
        names = self.bucket.names_below(layout.table_prefix(table))
        folders = {day for name in names if (day := partition_date_of(name)) is not None}
        held = {
            day for one in registered if (day := partition_date_of(f"{PARTITION_KEY}={one['Values'][0]}/")) is not None
        }
        with ThreadPoolExecutor(_READERS) as pool:
            wanted_manifests = [day for day in known if day in folders or day in held]
            manifests = dict(
                zip(wanted_manifests, pool.map(lambda day: store.read(table, day), wanted_manifests), strict=True)
            )
        # Read last: whether it is under change is then as fresh as can be.
        wanted = due(
            self.glue.table(table),
            layout,
            rules,
            registered=registered,
            manifests=manifests,
            folders=folders,
            now=self.now(),
        )
        contents = {day: tuple(self._held(table, day).values()) for day in wanted.folders}
        return plan(
            table,
            layout,
            rules,
            wanted,
            manifests=manifests,
            contents=contents,
            rows={day: self._rows(contents[day]) for day in wanted.drop},
            partitions=len(registered),
            is_first=not known,
        )

    def work_on(self, table: str, *, dry_run: bool) -> TableReport:
        """Plan, and do what the plan says; what AWS refuses is in the report."""
        try:
            made = self.plan(table)
            if made.is_empty or (why_not := self._why_not(table, made, dry_run=dry_run)):
                return TableReport(table, made, why_not="" if made.is_empty or dry_run else why_not)
            return self._carry_out(made)
        except PipelineError as error:
            return TableReport(table, Plan(table), error=str(error))

    def _why_not(self, table: str, made: Plan, *, dry_run: bool) -> str:
        if dry_run:
            return "dry run"
        if self.settings.retention.of(table).mode == "plan":
            return "retention.tables has it in mode plan"
        if made.approval and self.approved.get(table) != made.digest:
            return f"a person has to approve: {'; '.join(made.approval)}"
        return ""

    def _carry_out(self, made: Plan) -> TableReport:
        rules = self.settings.retention.of(made.table)
        failed: dict[date, str] = {}
        for start in range(0, len(made.drop), _AT_ONCE):
            failed |= self._drop_together(made.table, made.drop[start : start + _AT_ONCE], rules)
        dropped = tuple(one.day for one in made.drop if one.day not in failed)
        if dropped:
            logger.info("%s: %s left the catalog", made.table, date_runs(dropped))
        deleted = []
        for delete in made.delete:
            if (reason := self._delete_objects(made.table, delete)) is None:
                deleted.append(delete.day)
                logger.info("%s/%s=%s: %d objects deleted", made.table, PARTITION_KEY, delete.day, len(delete.objects))
            else:
                failed[delete.day] = reason
        return TableReport(made.table, made, dropped, tuple(deleted), failed)

    def _delete_objects(self, table: str, planned: Delete) -> str | None:
        """Delete what a plan says of one partition; why it was not, or not whole."""
        try:
            if (reason := self._has_changed(table, planned)) is not None:
                return f"nothing was deleted: {reason}"
            keys, errors = [one.key for one in planned.objects], dict[str, str]()
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                # The process dies after this call: these objects are gone, as was decided, and the next run goes on.
                errors |= self.bucket.delete_together(keys[start : start + _KEYS_AT_ONCE])
            left = sorted(self._held(table, planned.day).keys() & set(keys))
            if left:
                return f"{len(left)} of its objects are still there: {errors.get(left[0], left[0])}"
            gone = planned.manifest.model_copy(update={"deleted_at": self.now()})
            self.bucket.write(self.settings.layout.manifest_key(table, planned.day), gone.content(), JSON)
        except PipelineError as error:
            return str(error)
        return None

    def _has_changed(self, table: str, planned: Delete) -> str | None:
        """What is not as it was when the plan was made."""
        if Manifests(self.bucket, self.settings.layout).read(table, planned.day) != planned.manifest:
            return "its manifest has changed"
        if list(self.glue.registered(table, [str(planned.day)])):
            return "it is registered again"
        held = self._held(table, planned.day)
        if any(held.get(one.key) != one for one in planned.objects):
            return "its objects have changed"
        return None

    def _held(self, table: str, day: date) -> dict[str, ObjectVersion]:
        """What lies below the prefix of a partition, by key."""
        return {
            one.key: ObjectVersion(key=one.key, version=one.version, etag=one.etag, size=one.size)
            for one in self.bucket.versions_below(self.settings.layout.partition_prefix(table, day))
        }

    def _drop_together(self, table: str, drops: Sequence[Drop], rules: TableRetention) -> dict[date, str]:
        """Let a few partitions leave; reasons of those that did not."""
        failed: dict[date, str] = {}
        leaving: dict[str, date] = {}
        for one in drops:
            try:
                self._write_manifest(table, one, rules)
            except PipelineError as error:
                failed[one.day] = str(error)
            else:
                leaving[str(one.day)] = one.day
        errors = self._delete(table, list(leaving))
        # The process dies before this: the partitions are gone, and their manifests say all that is needed.
        still_there = (
            {partition["Values"][0] for partition in self.glue.registered(table, list(leaving))} if leaving else set()
        )
        return failed | {
            day: errors.get(value, "is still registered") for value, day in leaving.items() if value in still_there
        }

    def _write_manifest(self, table: str, drop: Drop, rules: TableRetention) -> None:
        manifest = Manifest(
            table=table,
            partition_date=drop.day,
            definition=dict(as_partition_input(drop.partition)),
            objects=drop.objects,
            rows=drop.rows,
            dropped_at=self.now(),
            dropped_by=self.id,
            grace_days=rules.grace_days,
        )
        # Over one of a run that was killed, or of a partition that was restored: the partition is registered now.
        # The process dies after this call: it still is, and the next run writes this manifest anew.
        self.bucket.write(self.settings.layout.manifest_key(table, drop.day), manifest.content(), JSON)

    def _delete(self, table: str, values: Sequence[str]) -> dict[str, str]:
        left, told = list(values), dict[str, str]()
        for _ in self.patience:
            if not left:
                break
            errors = self.glue.delete_partitions(table, left)
            told |= {value: str(error) for value, error in errors.items()}
            left = [value for value, error in errors.items() if error.may_pass and error.code != NOT_FOUND]
        return told

    def _rows(self, objects: Collection[ObjectVersion]) -> int | str:
        """Rows of files, or which of them cannot be counted."""
        rows = 0
        with ThreadPoolExecutor(_READERS) as pool:
            try:
                rows = sum(pool.map(self._rows_of, objects))
            except ContainerFileError as error:
                return str(error)
        return rows

    def _rows_of(self, stored: ObjectVersion) -> int:
        try:
            return count_rows(lambda start, length: self.bucket.read_range(stored.key, start, length), stored.size)
        except ContainerFileError as error:
            raise ContainerFileError(f"{stored.key.rpartition('/')[2]} cannot be counted: {error}") from error


def run(
    dropper: Dropper,
    record_types: Collection[str],
    *,
    tables: Sequence[str] | None = None,
    dry_run: bool = True,
    report_to: Callable[[Report], None] | None = None,
) -> Report:
    """Work on tables, one after the other; one that fails does not stop the others.

    Args:
        dropper: Of this run.
        record_types: Names of all tables, or a mapping of them.
        tables: Which tables; all when None or empty.
        dry_run: Change nothing.
        report_to: Gets the report before any error is raised.

    Raises:
        ParameterError: A table is unknown.
        SettingsError: The settings speak of a table that nobody knows: nobody would notice that it is kept for ever.
        PartitionsFailedError: Some partitions, or whole tables, failed; names each with its reason.
    """
    chosen = chosen_tables(tables, record_types)
    if unknown := sorted(set(dropper.settings.retention.tables) - set(record_types)):
        raise SettingsError(
            f"include/environments/{dropper.settings.environment}.yaml: retention.tables.{unknown[0]}: no such table; "
            f"known are {', '.join(sorted(record_types))}"
        )
    report = Report(tuple(dropper.work_on(table, dry_run=dry_run) for table in chosen), dry_run)
    for line in report.summary:
        logger.info("%s", line)
    if report_to is not None:
        report_to(report)
    failures = {
        f"{one.table}/{PARTITION_KEY}={day}": reason for one in report.tables for day, reason in one.failed.items()
    } | {one.table: one.error for one in report.tables if one.error is not None}
    if failures:
        raise PartitionsFailedError(failures)
    return report
