"""Drop expired partitions: what is older than its table's retention leaves the catalog; its objects follow much later.

For each table: look at the catalog, the manifests and the folders of what is due, make the plan
(:mod:`dmd_pipeline.retention`), and do it where the settings enforce it. Partitions leave, 25 at a time:

1. their manifests are written to ``retention/``;
2. they are deleted from the catalog, and it is read back that they are gone.

What is lost when the process dies after either: nothing. After the first, the partition is still registered, and the
next run writes its manifest anew, with a grace period of its own. After the second, the manifest has all that it takes
to restore it. No object is touched: this phase only hides rows.

Of partitions whose grace period has passed, the objects are deleted: :mod:`dmd_pipeline.jobs.expired_objects`.

Whoever changes something holds the table's lease: nobody restores a partition while its objects are being deleted, and
of two runs only one works on a table.

Calls a table, for P partitions and F folders; and E partitions that leave, with N files:

    1 GetTable + ⌈P/1000⌉ GetPartitions + ⌈F/1000⌉ LIST (folders) + 1 LIST a 1,000 manifests + 1 GET (their summary)
    + 1 GET for each manifest that was written anew since the summary was (restored partitions, those of a run that was
      cut off; all of them, when there is none yet), or whose partition was deleted and has objects again
    + what :func:`dmd_pipeline.jobs.retention_store.contents` says for all that leaves or may be deleted
    + what :mod:`dmd_pipeline.jobs.partition_rows` says for all that leaves: 1 GET a year where ``check_data_quality``
      has given its verdicts, at least 1 GET for each of the N files where it has not (those not for a table in mode
      plan, unless somebody asks for it)
    to do it: 1 PUT + 1 DELETE (lease) + E PUT + ⌈E/25⌉ BatchDeletePartition + ⌈E/25⌉ BatchGetPartition
            + 1 PUT (summary: also by itself, when manifests had to be read or a deletion was not yet written down)
            + what :mod:`dmd_pipeline.jobs.expired_objects` says

A table without a retention, and without manifests, costs 1 LIST, and the LIST of its folders when it has personal data.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from dmd_pipeline.aws.glue import NOT_FOUND
from dmd_pipeline.aws.s3 import JSON
from dmd_pipeline.errors import PipelineError, SettingsError
from dmd_pipeline.jobs.expired_objects import ExpiredObjects
from dmd_pipeline.jobs.partition_rows import partition_rows, told_rows
from dmd_pipeline.jobs.retention_reports import Report, TableReport, raise_failures
from dmd_pipeline.jobs.retention_store import Manifests, listed, table_lease
from dmd_pipeline.layout import PARTITION_KEY, partition_date_of
from dmd_pipeline.parameters import chosen_tables
from dmd_pipeline.patience import Patience
from dmd_pipeline.retention import Plan, due, personal_data, plan
from dmd_pipeline.retention_manifests import Manifest, ObjectVersion
from dmd_pipeline.retention_summaries import Known
from dmd_pipeline.transitions import as_partition_input
from dmd_pipeline.wording import date_runs


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import date

    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.retention import Delete, Drop, PersonalData
    from dmd_pipeline.settings import Settings, TableRetention


logger = logging.getLogger(__name__)

_AT_ONCE: Final = 25
"""Partitions of one BatchDeletePartition call."""
_AT_A_TIME: Final = 8
"""Manifests that are written at the same time."""


@dataclass
class _Books:
    """What is known of a table's manifests.

    Attributes:
        known: By partition date: what the summary says of those that are the same, and what was read or written since.
        etag: Of the summary; None when there is none.
        were_read: Whether manifests were read of which the summary says nothing, or something else.
    """

    known: dict[date, Known] = field(default_factory=dict)
    etag: str | None = None
    were_read: bool = False


@dataclass(frozen=True)
class Dropper:
    """The work of one run.

    Attributes:
        settings: Of the environment.
        glue: The catalog.
        bucket: Where the files are.
        id: Names the run in the manifests; its retry takes its lease up.
        approved: Digests of plans that somebody approved, by table.
        now: The time.
        patience: How long to insist on partitions that Glue throttles.
        personal: Fields with personal data, by table.
        counts_rows: Whether rows are also counted for tables in mode plan: one read a file, or more, where no verdict
            says how many.
    """

    settings: Settings
    glue: Catalog
    bucket: Bucket
    id: str
    approved: Mapping[str, str] = field(default_factory=dict)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    patience: Patience = field(default_factory=Patience)
    personal: Mapping[str, Collection[str]] = field(default_factory=dict)
    counts_rows: bool = True

    def plan(self, table: str) -> Plan:
        """Look at everything and decide; nothing is written.

        Args:
            table: Its name.

        Raises:
            PipelineError: AWS refused to tell, or a manifest is damaged.
        """
        return self._look(table)[0]

    def _look(self, table: str) -> tuple[Plan, _Books]:
        """The plan of a table, and what is known of its manifests."""
        layout, rules = self.settings.layout, self.settings.retention.of(table)
        store = Manifests(self.bucket, layout)
        etags = store.etags(table)
        if rules.retention_days is None and not etags:
            folders = self._folders(table) if self.personal.get(table) else ()
            return Plan(table, personal=self._personal(table, folders)), _Books()
        registered = list(self.glue.partitions(table))
        folders = self._folders(table)
        held = {
            day for one in registered if (day := partition_date_of(f"{PARTITION_KEY}={one['Values'][0]}/")) is not None
        }
        summary, summary_etag = store.summary(table)
        known = summary.of(etags)
        # Also those of which nothing is left, until it is written down that they are deleted: a run was cut off.
        gone = {day for day, one in known.items() if one.deleted_at is not None}
        found = store.look_up(table, [day for day in etags if day in folders or day in held or day not in gone], known)
        manifests = {day: manifest for day, (manifest, _) in found.items()}
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
        objects = listed(self.bucket, layout, table, wanted.folders)
        leaving = {day: objects[day] for day in wanted.drop}
        count = partition_rows if self.counts_rows or rules.mode == "enforce" else told_rows
        made = plan(
            table,
            layout,
            rules,
            wanted,
            manifests=manifests,
            etags={day: etag for day, (_, etag) in found.items()},
            contents={day: tuple(map(ObjectVersion.of, stored)) for day, stored in objects.items()},
            rows={**dict.fromkeys(leaving), **count(self.bucket, layout, table, leaving)},
            partitions=len(registered),
            is_first=not etags,
        )
        read = {day: Known.of(manifest, etag) for day, (manifest, etag) in found.items()}
        books = _Books(known | read, summary_etag, were_read=not read.items() <= known.items())
        return replace(made, personal=self._personal(table, folders)), books

    def _folders(self, table: str) -> set[date]:
        """The dates of a table with at least one object."""
        names = self.bucket.names_below(self.settings.layout.table_prefix(table))
        return {day for name in names if (day := partition_date_of(name)) is not None}

    def _personal(self, table: str, folders: Collection[date]) -> PersonalData | None:
        retention = self.settings.retention
        fields = self.personal.get(table, ())
        return personal_data(fields, retention.of(table), folders, retention.personal_data_days, self.now().date())

    def work_on(self, table: str, *, dry_run: bool) -> TableReport:
        """Plan, and do what the plan says; what AWS refuses is in the report."""
        mode = self.settings.retention.of(table).mode
        try:
            if dry_run:
                return TableReport(table, self.plan(table), mode)
            if mode == "plan":
                made = self.plan(table)
                why_not = "" if made.is_empty else "retention.tables has it in mode plan"
                return TableReport(table, made, mode, why_not=why_not)
            with table_lease(self.bucket, self.settings.layout, table, self.id, self.now):
                return self._enforce(*self._look(table))
        except PipelineError as error:
            return TableReport(table, Plan(table), mode, error=str(error))

    def _enforce(self, made: Plan, books: _Books) -> TableReport:
        if made.approval and self.approved.get(made.table) != made.digest:
            # What a run that was cut off has deleted is written down, whatever becomes of the rest.
            failed = self._write_down(made.table, (), made.gone, books) if made.gone else {}
            why_not = f"a person has to approve: {'; '.join(made.approval)}"
            return TableReport(made.table, made, "enforce", failed=failed, why_not=why_not)
        if made.is_empty and not made.gone and not books.were_read:
            return TableReport(made.table, made, "enforce")
        return self._carry_out(made, books)

    def _carry_out(self, made: Plan, books: _Books) -> TableReport:
        rules = self.settings.retention.of(made.table)
        failed: dict[date, str] = {}
        for start in range(0, len(made.drop), _AT_ONCE):
            failed |= self._drop_together(made.table, made.drop[start : start + _AT_ONCE], rules, books)
        dropped = [one for one in made.drop if one.day not in failed]
        if dropped:
            logger.info("%s: %s left the catalog", made.table, date_runs(one.day for one in dropped))
        failed |= ExpiredObjects(made.table, self.settings.layout, self.glue, self.bucket).delete(made.delete)
        gone = [*made.gone, *(one for one in made.delete if one.day not in failed)]
        failed |= self._write_down(made.table, dropped, gone, books)
        deleted = [one for one in gone if one.manifest.objects]  # of the others, there never was anything
        return TableReport(made.table, made, "enforce", _days(dropped, failed), _days(deleted, failed), failed)

    def _write_down(
        self, table: str, dropped: Iterable[Drop], gone: Iterable[Delete], books: _Books
    ) -> dict[date, str]:
        """Write down what is known of a table's manifests; for each partition of which it could not be, the reason.

        The process dies before this: manifests are read one by one, and of deletions the next run finds nothing left.
        """
        books.known |= {one.day: Known(etag=one.etag, deleted_at=self.now()) for one in gone}
        try:
            Manifests(self.bucket, self.settings.layout).summarize(table, books.known, books.etag)
        except PipelineError as error:
            logger.warning("table %s: %s", table, error)
            left, deleted = "it has left the catalog", "its objects are deleted"
            done = dict.fromkeys(_days(dropped), left) | dict.fromkeys(_days(gone), deleted)
            return {day: f"{what}, and the summary does not say so: {error}" for day, what in done.items()}
        return {}

    def _drop_together(
        self, table: str, drops: Sequence[Drop], rules: TableRetention, books: _Books
    ) -> dict[date, str]:
        """Let a few partitions leave; reasons of those that did not."""
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            results = pool.map(lambda one: self._write_manifest(table, one, rules), drops)
            written = dict(zip((one.day for one in drops), results, strict=True))
        books.known |= {day: result for day, result in written.items() if isinstance(result, Known)}
        failed = {day: result for day, result in written.items() if isinstance(result, str)}
        leaving = {str(one.day): one.day for one in drops if one.day not in failed}
        if not leaving:
            return failed
        errors = self._delete(table, list(leaving))
        # The process dies before this: the partitions are gone, and their manifests say all that is needed.
        still_there = {partition["Values"][0] for partition in self.glue.registered(table, list(leaving))}
        return failed | {
            day: errors.get(value, "is still registered") for value, day in leaving.items() if value in still_there
        }

    def _write_manifest(self, table: str, drop: Drop, rules: TableRetention) -> Known | str:
        """Write the manifest of a partition that is to leave; why not, if it could not be."""
        if drop.rows is None:
            return "its rows were not counted"
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
        try:
            key = self.settings.layout.manifest_key(table, drop.day)
            return Known.of(manifest, self.bucket.write(key, manifest.content(), JSON))
        except PipelineError as error:
            return str(error)

    def _delete(self, table: str, values: Sequence[str]) -> dict[str, str]:
        left, told = list(values), dict[str, str]()
        for _ in self.patience:
            errors = self.glue.delete_partitions(table, left)
            told |= {value: str(error) for value, error in errors.items()}
            left = [value for value, error in errors.items() if error.may_pass and error.code != NOT_FOUND]
            if not left:  # asked here, for the next attempt begins with a pause
                break
        return told


def _days(steps: Iterable[Drop | Delete], failed: Collection[date] = ()) -> tuple[date, ...]:
    """The dates of what did not fail."""
    return tuple(one.day for one in steps if one.day not in failed)


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
    raise_failures(report.tables)
    return report
