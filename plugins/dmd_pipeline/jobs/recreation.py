"""A change that has to be proved before readers meet it, and taken back when the proof fails.

1. *backup*: table and partitions to ``catalog-backups/``, and the mark on the table, which tells the backup's key;
2. *rehearsal*: ``{table}__next`` with the new definition and every partition, at the same locations;
3. *proof*: one Athena query reads every column of every file; its counts must be those of the files' own blocks;
4. *cut-over*: the table itself is changed in place (:mod:`dmd_pipeline.jobs.table_change`), so that there is no moment
   without a table or a partition;
5. *proof* again, on the table; then ``{table}__next`` goes, and the mark.

Data files are only read. What is lost when the process dies after any call: nothing. Before the cut-over the next run
takes the rehearsal away; from the cut-over on it goes on with step 5, or back to the backup.

Calls, for P partitions with F files, on top of those of the change in place (:mod:`dmd_pipeline.jobs.table_change`):

- for the table: 1 PutObject, 3 GetTable, 1 UpdateTable, 1 CreateTable, 2 DeleteTable;
- for the partitions: 3 ⌈P/1000⌉ GetPartitions, and for the rehearsal ⌈P/100⌉ BatchCreatePartition and ⌈P/1000⌉
  BatchGetPartition;
- for each of the two proofs: ⌈objects below the table's prefix/1000⌉ ListObjectsV2 (at least one), F GetObject (more
  where a file is larger than 64 KiB, see :mod:`dmd_pipeline.container_files`), and, if there are files, one query of F
  rows (:mod:`dmd_pipeline.aws.athena`), which scans all of the table: $5 a terabyte.

Without partitions, GetPartitions is called as for one.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dmd_pipeline.aws.athena import DOLLARS_PER_TERABYTE
from dmd_pipeline.catalog_backups import Backup
from dmd_pipeline.container_files import count_rows
from dmd_pipeline.errors import (
    CatalogError,
    ConcurrentChangeError,
    ContainerFileError,
    PipelineError,
    VerificationError,
)
from dmd_pipeline.hive import SCHEMA_LITERAL
from dmd_pipeline.jobs.partition_writer import write_partitions
from dmd_pipeline.partitions import Step
from dmd_pipeline.transitions import as_input, like_table, with_mark
from dmd_pipeline.wording import some


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from mypy_boto3_glue.type_defs import PartitionTypeDef, TableInputTypeDef

    from dmd_pipeline.aws.athena import Workgroup
    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.change_marks import ChangeMark
    from dmd_pipeline.jobs.table_change import Changed, TableChanger
    from dmd_pipeline.layout import Layout


logger = logging.getLogger(__name__)

NEXT: Final = "__next"
"""End of the name of the table on which a change is rehearsed."""
_TERABYTE: Final = 2**40


@dataclass(frozen=True)
class Recreated:
    """What came of it.

    Attributes:
        changed: What was done to the table's partitions.
        backup: Key of the backup.
        files: How many files were read and counted.
        billed_bytes: What Athena charges for both proofs.
    """

    changed: Changed
    backup: str
    files: int
    billed_bytes: int

    def __str__(self) -> str:
        dollars = self.billed_bytes / _TERABYTE * DOLLARS_PER_TERABYTE
        return f"{self.files:,} files proved by Athena before and after (${dollars:.2f}); backup {self.backup}"


@dataclass(frozen=True)
class Recreation:
    """Proved changes of one run.

    Attributes:
        changer: Changes tables in place, in the name of the run.
        bucket: Where files and backups are.
        layout: Where they lie in it.
        workgroup: Athena.
        now: The time, which names a backup.
        parallel: Calls under way at once.
    """

    changer: TableChanger
    bucket: Bucket
    layout: Layout
    workgroup: Workgroup
    now: Callable[[], datetime]
    parallel: int = 1

    @property
    def glue(self) -> Catalog:
        """The catalog."""
        return self.changer.glue

    def recreate(self, wanted: TableInputTypeDef) -> Recreated:
        """Bring a table into the wanted form, with proof.

        Raises:
            ConcurrentChangeError: Somebody else is changing the table; nothing was done.
            PipelineError: It could not be done, and everything is as it was: says what was restored.
        """
        table = wanted["Name"]
        current = self.glue.table(table)
        self.changer.check(current)
        backup = Backup.of(current, self.glue.partitions(table), self.changer.id)
        key = self.layout.backup_key(table, self.now())
        self.bucket.write(key, backup.content, "application/gzip")
        logger.info("%s: backup of %d partitions at %s", table, len(backup.partitions), self.layout.uri(key))
        marked = self.changer.mark(table, key)  # from here on the table is this run's
        try:
            if Backup.of(marked, (), self.changer.id).table != backup.table:
                raise ConcurrentChangeError(f"table {table} was changed by somebody else while its backup was made")
            rehearsed = self._rehearse(wanted)
        except PipelineError as error:
            raise self._given_up(table, error) from error
        return self._switch(wanted, backup, key, rehearsed)

    def settle(self, table: str, mark: ChangeMark) -> Recreated | None:
        """End a proved change that was cut off, whatever is wanted by now.

        Returns:
            What came of it when the table had been switched already; None when nothing was switched, and the table is
            as it was before.

        Raises:
            PipelineError: The proof failed, and everything is as it was; or AWS refused, and the next run has to do it.
        """
        current = self.glue.table(table)
        self.changer.check(current)
        backup = self.backup(mark.backup or "")
        if current.get("Parameters", {}).get(SCHEMA_LITERAL) == backup.literal:
            self.glue.delete_table(table + NEXT)
            self.changer.take_back(table)
            return None
        return self._switch(with_mark(as_input(current), None), backup, mark.backup or "", 0)

    def roll_back(self, table: str, key: str) -> Changed:
        """Bring a table back to a backup.

        Raises:
            PipelineError: The backup cannot be read, or AWS refused.
        """
        backup = self.backup(key)
        if backup.table["Name"] != table:
            raise CatalogError(f"{self.layout.uri(key)} is a backup of {backup.table['Name']}, not of {table}")
        return self.changer.change(backup.table, backup.look, backup=key)

    def backup(self, key: str) -> Backup:
        """A backup by its key."""
        return Backup.read(self.bucket.read(key), self.layout.uri(key))

    def latest_backup(self, table: str) -> str:
        """Key of a table's latest backup.

        Raises:
            CatalogError: It has none.
        """
        prefix = self.layout.backups_prefix(table)
        keys = [stored.key for stored in self.bucket.objects_below(prefix)]
        if not keys:
            raise CatalogError(
                f"table {table} has no backup below {self.layout.uri(prefix)}: there is nothing to restore"
            )
        return max(keys)

    # ----------------------------------------------------------------------------------------------------- the steps

    def _rehearse(self, wanted: TableInputTypeDef) -> int:
        """Make the table's next form beside it, and prove it; returns the bytes that Athena charges for."""
        table, rehearsal = wanted["Name"], wanted["Name"] + NEXT
        self.glue.delete_table(rehearsal)  # of a run that was killed
        self.glue.create_table({**wanted, "Name": rehearsal})
        like = like_table(wanted)
        partitions = list(self.glue.partitions(table))
        steps = [Step(like(partition)) for partition in partitions]
        written = write_partitions(self.glue, rehearsal, steps, parallel=self.parallel, patience=self.changer.patience)
        if written.failed:
            reasons = some([f"{value}: {reason}" for value, reason in sorted(written.failed.items())])
            raise CatalogError(f"table {rehearsal}: {len(written.failed)} partitions were not made: {reasons}")
        return self._prove(rehearsal, table, wanted, partitions)[1]

    def _switch(self, wanted: TableInputTypeDef, backup: Backup, key: str, billed: int) -> Recreated:
        """The cut-over and all that follows; on any failure back to the backup."""
        table = wanted["Name"]
        try:
            changed = self.changer.change(wanted, backup=key, keep_mark=True)
            if changed.failed:
                reasons = some([f"{value}: {reason}" for value, reason in sorted(changed.failed.items())])
                raise CatalogError(f"table {table}: {len(changed.failed)} partitions could not be written: {reasons}")
            files, again = self._prove(table, table, wanted, list(self.glue.partitions(table)))
        except ConcurrentChangeError as error:
            raise self._given_up(table, error) from error
        except PipelineError as error:
            raise self._restored(table, backup, key, error) from error
        self.glue.delete_table(table + NEXT)
        self.changer.release(table)
        return Recreated(changed, key, files, billed + again)

    def _prove(
        self, name: str, table: str, wanted: TableInputTypeDef, partitions: Sequence[PartitionTypeDef]
    ) -> tuple[int, int]:
        """Read every column of every file through Athena, and count: how many files, and bytes charged.

        Files that come meanwhile are not compared; those that were there are, one by one.

        Raises:
            VerificationError: Athena counts otherwise than the files do.
            QueryFailedError: Athena cannot read a file.
        """
        expected = self._counted(table, partitions)
        if not expected:
            return 0, 0
        columns = [column["Name"] for column in wanted["StorageDescriptor"]["Columns"]]
        counts = ", ".join(f'count("{column}")' for column in columns)
        answer = self.workgroup.query(f'SELECT "$path", count(*), {counts} FROM "{name}" GROUP BY 1')
        found = {str(row[0]): int(row[1]) for row in answer.rows}
        wrong = [
            f"{uri}: {count:,} rows, Athena reads {found.get(uri, 0):,}"
            for uri, count in sorted(expected.items())
            if found.get(uri, 0) != count
        ]
        if wrong:
            raise VerificationError(f"table {name}: Athena does not read what {len(wrong)} files hold: {some(wrong)}")
        logger.info("%s: %d files hold what Athena reads", name, len(expected))
        return len(expected), answer.billed_bytes

    def _counted(self, table: str, partitions: Sequence[PartitionTypeDef]) -> dict[str, int]:
        """Rows by URI of all files at the partitions' locations, as their blocks tell."""
        locations = {
            partition.get("StorageDescriptor", {}).get("Location", "").rstrip("/") + "/" for partition in partitions
        }
        root = self.layout.uri("")
        elsewhere = sorted(location for location in locations if not location.startswith(root))
        if elsewhere:
            raise VerificationError(
                f"table {table}: partitions lie outside the bucket, where nothing can be proved: {some(elsewhere)}; "
                "run register_partitions, which repairs them"
            )
        prefix = self.layout.table_prefix(table)
        inside = {location for location in locations if location.startswith(self.layout.uri(prefix))}
        prefixes = [prefix, *sorted(location.removeprefix(root) for location in locations - inside)]
        keys = [
            (stored.key, stored.size)
            for below in prefixes
            for stored in self.bucket.objects_below(below)
            if stored.size and _is_read(self.layout.uri(stored.key), locations)
        ]
        with ThreadPoolExecutor(self.parallel) as threads:
            counted = list(threads.map(lambda one: self._rows(*one), keys))
        return {self.layout.uri(key): rows for (key, _), rows in zip(keys, counted, strict=True)}

    def _rows(self, key: str, size: int) -> int:
        try:
            return count_rows(lambda start, length: self.bucket.read_range(key, start, length), size)
        except ContainerFileError as error:
            raise VerificationError(f"{self.layout.uri(key)} cannot be counted: {error}") from error

    def _given_up(self, table: str, error: PipelineError) -> PipelineError:
        """The error, after the rehearsal was taken away; nothing had been switched."""
        try:
            self.changer.check(self.glue.table(table))  # another run may have taken over what this one is too slow for
            self.glue.delete_table(table + NEXT)
            self.changer.release(table)
        except PipelineError as second:
            return CatalogError(
                f"{error}. Nothing was switched; tidying up failed as well, the next run does it: {second}"
            )
        return CatalogError(f"{error}. Nothing was switched: {table} is as it was")

    def _restored(self, table: str, backup: Backup, key: str, error: PipelineError) -> PipelineError:
        """The error, after the backup was restored."""
        try:
            restored = self.changer.change(backup.table, backup.look, backup=key)
            self.glue.delete_table(table + NEXT)
        except PipelineError as second:
            return CatalogError(
                f"{error}. Rolling back failed as well: {second}. The next run goes on with it; or trigger "
                f"apply_schema_changes with strategy rollback and rollback_to {key}"
            )
        left = f"; {len(restored.failed)} partitions are left for the next run" if restored.failed else ""
        return CatalogError(
            f"{error}. Rolled back: {table} and {len(restored.completed):,} of its partitions are as in "
            f"{self.layout.uri(key)}{left}"
        )


def _is_read(uri: str, locations: set[str]) -> bool:
    """Whether Athena reads a file: below a partition's location, and no part of its path there is hidden."""
    for location in locations:
        if uri.startswith(location):
            return not any(part.startswith(("_", ".")) for part in uri.removeprefix(location).split("/"))
    return False
