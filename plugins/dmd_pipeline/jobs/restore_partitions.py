"""Restore expired partitions: they are registered again from their manifests, and kept for a while.

For each date:

1. every object that the manifest lists is looked for, and must be the same as it was. One that was deleted is brought
   back where the bucket keeps versions and still has this one: ``keep_until`` is written into the manifest, and the
   delete marker above the object is taken away. Not where the partition is registered: somebody took it out of there;
2. ``keep_until`` is written into the manifest, so that the next run of ``drop_expired_partitions`` keeps the partition,
   and registration may register it;
3. the partition is registered, as its table looks by now;
4. Athena counts the rows of its files: as many as the manifest says.

What is lost when the process dies after any of these: nothing. Objects that are back without a partition are kept by
their manifest, and named by every plan of ``drop_expired_partitions``. A partition with ``keep_until`` that is not
registered is not deleted; the next run of this job, or of registration, registers it.

Whoever restores holds the table's lease: nobody deletes the objects meanwhile.

Calls for D dates of a table: 1 GetTable; 1 LIST a 1,000 manifests; 1 GET (their summary); 1 PUT + 1 DELETE (lease);
1 GET + 1 PUT a date; what :func:`dmd_pipeline.jobs.retention_store.contents` and
:mod:`dmd_pipeline.jobs.partition_writer` say; 1 statement. When objects of d dates are gone: 1 GetBucketVersioning
+ 1 BatchGetPartition + what ``contents`` says of them; to have them back, also 1 DeleteObjects for up to 1,000 of them
+ d PUT, and the first look again, 1 + D GET included.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from dmd_pipeline.aws.s3 import JSON
from dmd_pipeline.change_marks import ChangeMark
from dmd_pipeline.errors import CatalogError, ManifestError, PipelineError
from dmd_pipeline.hive import partition_input
from dmd_pipeline.jobs.partition_writer import write_partitions
from dmd_pipeline.jobs.retention_reports import failed_dates, raise_failures
from dmd_pipeline.jobs.retention_store import Manifests, contents, deleted, table_lease
from dmd_pipeline.layout import PARTITION_KEY
from dmd_pipeline.parameters import DateRange, chosen_tables
from dmd_pipeline.partitions import Step, merged
from dmd_pipeline.retention_manifests import ObjectVersion
from dmd_pipeline.wording import date_runs, some


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date

    from mypy_boto3_glue.type_defs import PartitionTypeDef, TableTypeDef

    from dmd_pipeline.aws.athena import Workgroup
    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.aws.s3 import Bucket, DeletedObject
    from dmd_pipeline.patience import Patience
    from dmd_pipeline.retention_manifests import Manifest
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TableReport:
    """What came of one table.

    Attributes:
        table: Its name.
        restored: Rows by date that are registered again.
        failed: Reason by date.
        error: Why nothing at all could be done, if so.
        dry_run: Whether nothing was to be changed.
    """

    table: str
    restored: Mapping[date, int] = field(default_factory=dict)
    failed: Mapping[date, str] = field(default_factory=dict)
    error: str | None = None
    dry_run: bool = False

    @property
    def summary(self) -> str:
        """One line for people."""
        if self.error is not None:
            return f"{self.table}: FAILED: {self.error}"
        done = "would be restored" if self.dry_run else "restored, counted by Athena"
        line = f"{self.table}: nothing of these dates has expired"
        if self.restored:
            line = f"{self.table}: {date_runs(self.restored)} {done}: {sum(self.restored.values()):,} rows"
        elif self.failed:
            line = f"{self.table}: nothing restored"
        return line + failed_dates(self.failed)


@dataclass
class _Found:
    """What there is of some dates.

    Attributes:
        manifests: Of the dates that can be restored.
        failed: Why the others cannot, by date.
        deleted: What has to be brought back before, by date and key.
    """

    manifests: dict[date, Manifest] = field(default_factory=dict)
    failed: dict[date, str] = field(default_factory=dict)
    deleted: dict[date, dict[str, DeletedObject]] = field(default_factory=dict)


def _why_not(left: DeletedObject | None) -> str:
    """Why an object of a manifest does not come back in a bucket with versions."""
    if left is None:
        return "none of its versions lies beneath a delete marker with an id"
    return f"version {left.version.version} is newer than that of the manifest"


@dataclass(frozen=True)
class Restorer:
    """The work of one run.

    Attributes:
        settings: Of the environment.
        glue: The catalog.
        bucket: Where the files are.
        workgroup: Gives Athena, which counts what is restored.
        keep_days: For so long the partitions do not expire.
        id: Names the run; its retry takes its lease up.
        now: The time.
        patience: How long to insist on partitions that Glue throttles.
    """

    settings: Settings
    glue: Catalog
    bucket: Bucket
    workgroup: Callable[[], Workgroup]
    id: str
    keep_days: int = 30
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    patience: Patience | None = None

    def restore(self, table: str, dates: DateRange, *, dry_run: bool) -> TableReport:
        """Restore what has expired of a table between two dates; what cannot be is in the report."""
        layout = self.settings.layout
        try:
            days = [day for day in Manifests(self.bucket, layout).etags(table) if day in dates]
            if dry_run or not days:
                found = self._look(table, days)
                rows = {day: manifest.rows for day, manifest in found.manifests.items()}
                return TableReport(table, rows, found.failed, dry_run=dry_run)
            with table_lease(self.bucket, layout, table, self.id, self.now):
                found = self._look(table, days)
                if found.deleted:
                    found = self._bring_back(table, days, found)
                return self._register(table, found.manifests, found.failed)
        except PipelineError as error:
            return TableReport(table, error=str(error))

    def _look(self, table: str, days: Collection[date]) -> _Found:
        """What can be restored of some dates, what has to be brought back for it, and what is wrong with the others."""
        store = Manifests(self.bucket, self.settings.layout)
        known = store.sound_summary(table).manifests if days else {}
        held = contents(self.bucket, self.settings.layout, table, days)
        found = _Found()
        gone: dict[date, list[ObjectVersion]] = {}
        for day in days:
            try:
                manifest, _ = store.find(table, day, known)
            except ManifestError as error:
                found.failed[day] = str(error)
                continue
            found.manifests[day] = manifest
            if missing := [one for one in manifest.objects if held[day].get(one.key) != one]:
                gone[day] = missing
        if gone:
            self._look_for_versions(table, gone, found)
        return found

    def _look_for_versions(self, table: str, gone: Mapping[date, Sequence[ObjectVersion]], found: _Found) -> None:
        """Look whether what is gone can be brought back; dates of which it cannot have failed."""
        registered = {one["Values"][0] for one in self.glue.registered(table, [str(day) for day in gone])}
        keeps_versions = self.bucket.keeps_versions()
        left = deleted(self.bucket, self.settings.layout, table, gone) if keeps_versions else {}
        for day, missing in gone.items():
            manifest = found.manifests[day]
            back = {
                one.key: left[one.key]
                for one in missing
                if one.key in left and one == ObjectVersion.of(left[one.key].version)
            }
            wrong = [one for one in missing if one.key not in back]
            if not wrong and str(day) not in registered:
                found.deleted[day] = back
                continue
            when = f", deleted {manifest.deleted_at:%Y-%m-%d}" if manifest.deleted_at else ""
            names = some([one.key.rpartition("/")[2] for one in wrong or missing])
            why = "the partition is registered: whoever took them away knows why"
            if wrong:
                why = _why_not(left.get(wrong[0].key)) if keeps_versions else "the bucket keeps no versions"
                why = f"they cannot be brought back: {why}"
            found.failed[day] = f"its objects are gone, or are others now{when}: {names}; {why}"
            del found.manifests[day]

    def _bring_back(self, table: str, days: Collection[date], found: _Found) -> _Found:
        """Bring deleted objects back; what there is then. Dates of which something is still missing have failed."""
        for day in found.deleted:
            # First: whatever is back, no run deletes it again before that.
            self._keep(found.manifests[day])
        back = [one for objects in found.deleted.values() for one in objects.values()]
        # The process dies after this call: the objects are back, no partition shows them, and the next run goes on.
        errors = self.bucket.take_markers_away(back)
        logger.info("%s: %d deleted objects brought back", table, len(back) - len(errors))
        again = self._look(table, days)
        for day, objects in again.deleted.items():
            reasons = [f"{key.rpartition('/')[2]}: {errors.get(key, 'it is still deleted')}" for key in objects]
            again.failed[day] = f"its objects could not be brought back: {some(reasons)}"
            del again.manifests[day]
        return again

    def _keep(self, manifest: Manifest, **changes: Any) -> None:
        """Have a manifest say that its partition does not expire for a while."""
        kept = manifest.model_copy(update={"keep_until": self.now() + timedelta(days=self.keep_days), **changes})
        self.bucket.write(
            self.settings.layout.manifest_key(manifest.table, manifest.partition_date), kept.content(), JSON
        )

    def _register(self, table: str, manifests: Mapping[date, Manifest], failed: dict[date, str]) -> TableReport:
        if not manifests:
            return TableReport(table, failed=failed)
        model = self.glue.table(table)
        if (change := ChangeMark.of(model)) is not None:
            raise CatalogError(f"table {table} is under change {change.id}: restore its partitions afterwards")
        steps = []
        for manifest in manifests.values():
            # The process dies after this call: the partition is kept, and registration brings it back as well.
            self._keep(manifest, deleted_at=None)
            steps.append(self._step(model, manifest))
        written = write_partitions(self.glue, table, steps, patience=self.patience)
        failed |= {day: written.failed[str(day)] for day in manifests if str(day) in written.failed}
        registered = [manifest for day, manifest in manifests.items() if day not in failed]
        counted = self._counted(table, registered)
        failed |= {
            one.partition_date: f"Athena reads {counted[one.partition_date]:,} rows of its files, not {one.rows:,}"
            for one in registered
            if counted[one.partition_date] != one.rows
        }
        rows = {one.partition_date: one.rows for one in registered if one.partition_date not in failed}
        return TableReport(table, rows, failed)

    def _step(self, model: TableTypeDef, manifest: Manifest) -> Step:
        """The partition as it was, with what registration owns as its table has it by now."""
        day, layout = manifest.partition_date, self.settings.layout
        wanted = partition_input(model, day, layout.partition_location(manifest.table, day))
        return Step(merged(cast("PartitionTypeDef", manifest.definition), wanted), holds_data=bool(manifest.objects))

    def _counted(self, table: str, manifests: Collection[Manifest]) -> dict[date, int]:
        """Rows that Athena reads in the files that the manifests list: of what came later, none are counted."""
        listed = {self.settings.layout.uri(one.key): each.partition_date for each in manifests for one in each.objects}
        rows = dict.fromkeys((one.partition_date for one in manifests), 0)
        if not listed:
            return rows
        values = ", ".join(f"'{day}'" for day in sorted(rows))
        counted = self.workgroup().rows(
            f'SELECT "$path", count(*) FROM {table} WHERE {PARTITION_KEY} IN ({values}) GROUP BY 1'
        )
        for path, count in counted:
            if path in listed:
                rows[listed[path]] += int(count)
        return rows


@dataclass(frozen=True)
class Report:
    """What came of a run.

    Attributes:
        tables: One entry a table.
    """

    tables: tuple[TableReport, ...]

    @property
    def summary(self) -> list[str]:
        """One line a table, for people."""
        return [f"{'dry run: ' if table.dry_run else ''}{table.summary}" for table in self.tables]

    @property
    def partition_keys(self) -> dict[str, list[str]]:
        """Dates by table that hold rows again."""
        return {
            one.table: sorted(str(day) for day, rows in one.restored.items() if rows)
            for one in self.tables
            if not one.dry_run and any(one.restored.values())
        }

    def as_data(self) -> dict[str, Any]:
        """As JSON takes it; identifiers and counts only."""
        return {"summary": self.summary, "partition_keys": self.partition_keys}


def run(
    restorer: Restorer,
    record_types: Collection[str],
    *,
    tables: Sequence[str],
    from_date: str | date | None,
    to_date: str | date | None,
    dry_run: bool = True,
    report_to: Callable[[Report], None] | None = None,
) -> Report:
    """Restore dates of tables; one that fails does not stop the others.

    Args:
        restorer: Of this run.
        record_types: Names of all tables, or a mapping of them.
        tables: Which tables; all when empty.
        from_date: First partition date, YYYY-MM-DD; None for the oldest.
        to_date: Last partition date; None for the newest.
        dry_run: Change nothing.
        report_to: Gets the report before any error is raised.

    Raises:
        ParameterError: A table is unknown, or a date is none, or from is after to.
        PartitionsFailedError: Some partitions, or whole tables, could not be restored; names each with its reason.
    """
    chosen, dates = chosen_tables(tables, record_types), DateRange.between(from_date, to_date)
    report = Report(tuple(restorer.restore(table, dates, dry_run=dry_run) for table in chosen))
    for line in report.summary:
        logger.info("%s", line)
    if report_to is not None:
        report_to(report)
    raise_failures(report.tables)
    return report
