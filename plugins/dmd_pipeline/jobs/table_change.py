"""Change a table and its partitions in place: no reader ever misses a partition, a row, or the table.

The states and why each of them is whole: :mod:`dmd_pipeline.transitions`. A run that is killed leaves one of them,
under its mark; the run that comes next goes through the same steps again. What is lost when the process dies after any
call: nothing. What comes late: repairs by registration, until the next run has taken the mark over.

Calls, for P partitions of which S have to be shortened and C completed: 2 UpdateTable, 3 when S > 0 or might be;
1 GetTable before each and 1 at the end; ⌈P/1000⌉ GetPartitions twice, three times when S > 0 although the columns of
the old and the new table could stand beside each other; and for S and for C what
:mod:`dmd_pipeline.jobs.partition_writer` says, ⌈S/100⌉ and ⌈C/100⌉ BatchUpdatePartition among it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.change_marks import ChangeMark
from dmd_pipeline.errors import CatalogError, ConcurrentChangeError, PipelineError
from dmd_pipeline.jobs.partition_writer import write_partitions
from dmd_pipeline.transitions import as_input, completing, like_table, shared, shortening, updated, with_mark
from dmd_pipeline.wording import some


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_glue.type_defs import (
        TableInputTypeDef,
        TableTypeDef,
    )

    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.partitions import Step
    from dmd_pipeline.patience import Patience
    from dmd_pipeline.transitions import Columns, Look


logger = logging.getLogger(__name__)

LEASE: Final = timedelta(hours=1)
"""How long a mark is respected after its table was last changed: longer than any task that changes one may run."""
_RELEASES: Final = 3
"""How often to try to take a mark away while others change the table."""


@dataclass(frozen=True)
class Changed:
    """What came of a change.

    Attributes:
        completed: Partitions that were brought into the new form, by value.
        shortened: How many had to be shortened first.
        failed: Reason by value, of partitions that still have their old or a shortened copy: readers get their rows.
    """

    completed: tuple[str, ...] = ()
    shortened: int = 0
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TableChanger:
    """Changes tables of one catalog in the name of one run.

    Attributes:
        glue: The catalog.
        id: Names the run: what it left behind when it was killed is its own.
        parallel: Calls under way at once.
        patience: How long to insist on partitions that Glue throttles.
        now: The time; compared with Glue's of a table's last change.
    """

    glue: Catalog
    id: str
    parallel: int = 1
    patience: Patience | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def change(
        self,
        wanted: TableInputTypeDef,
        look: Look | None = None,
        *,
        backup: str | None = None,
        keep_mark: bool = False,
    ) -> Changed:
        """Bring a table and its partitions into the wanted form.

        Args:
            wanted: The table as it should be; what it does not name stays.
            look: How each partition should look; like the table when None.
            backup: Key of the backup that the mark tells.
            keep_mark: Leave the mark, for who wants to look before others may change the table again.

        Returns:
            What was done. Partitions that failed are whole, and stale: the next run finds them.

        Raises:
            ConcurrentChangeError: Somebody else is changing the table, or did while this one was under way. It was put
                back as it was.
            PipelineError: AWS refused. The table was put back as it was; where even that failed, the message says so.
        """
        name = wanted["Name"]
        current = self.glue.table(name)
        self.check(current)
        columns = wanted["StorageDescriptor"]["Columns"]
        own = current.get("StorageDescriptor", {}).get("Columns", [])
        both = shared(own, columns)
        may_clash = len(both) < min(len(own), len(columns))
        partitions = [] if may_clash else list(self.glue.partitions(name))
        shortened = 0
        if may_clash or shortening(partitions, columns):
            current = self._put(as_input(current), current, ChangeMark(self.id, tuple(both), backup))
            try:
                shortened = self._shorten(name, columns)
            except PipelineError as error:
                raise self._taken_back(name, error) from error
        try:
            new = self._put(updated(current, wanted), current, ChangeMark(self.id, None, backup))
        except PipelineError as error:
            if shortened or may_clash:
                raise self._taken_back(name, error) from error
            raise
        logger.info("%s: the table is switched; %d partitions were shortened before", name, shortened)
        changed = self._complete(name, look or like_table(as_input(new)), shortened)
        if not keep_mark:
            self.release(name)
        return changed

    def check(self, current: TableTypeDef) -> None:
        """Make sure that the table is not another run's.

        Raises:
            ConcurrentChangeError: It is under change by a run that may still be going on.
        """
        mark = ChangeMark.of(current)
        if mark is None or mark.id == self.id:
            return
        changed = current.get("UpdateTime", self.now())
        if self.now() - changed < LEASE:
            raise ConcurrentChangeError(
                f"table {current['Name']} is under change by {mark.id} (last step {changed:%Y-%m-%d %H:%M} UTC): wait "
                f"for it. If that run was killed, trigger the DAG after {changed + LEASE:%H:%M} UTC: it takes over"
            )
        logger.warning("%s: taking over the change %s, which was cut off", current["Name"], mark.id)

    def mark(self, name: str, backup: str | None = None) -> TableTypeDef:
        """Put the mark on a table, which changes nothing else; returns the table."""
        current = self.glue.table(name)
        self.check(current)
        return self._put(as_input(current), current, ChangeMark(self.id, None, backup))

    def release(self, name: str) -> None:
        """Take the mark away, if the table has one; what others change meanwhile stays.

        Raises:
            ConcurrentChangeError: The mark is another run's, or others change the table again and again; it is still
                there.
        """
        for attempt in range(1, _RELEASES + 1):
            current = self.glue.table(name)
            if ChangeMark.of(current) is None:
                return
            self.check(current)
            try:
                self.glue.update_table(with_mark(as_input(current), None), current["VersionId"])
            except ConcurrentChangeError:
                # Nothing is left to be decided by what was read: the mark goes, whatever else the table has.
                if attempt == _RELEASES:
                    raise
            else:
                return

    def take_back(self, name: str) -> Changed:
        """End what a change left before its table was switched: partitions look like the table again, the mark goes."""
        current = self.glue.table(name)
        self.check(current)
        changed = self._complete(name, like_table(as_input(current)), 0)
        self.release(name)
        return changed

    def _put(self, table: TableInputTypeDef, current: TableTypeDef, mark: ChangeMark) -> TableTypeDef:
        """Write a table under its mark, against the version that was read; returns it with its new version."""
        wanted = with_mark(table, mark)
        try:
            self.glue.update_table(wanted, current["VersionId"])
        except ConcurrentChangeError:
            # An answer that was lost makes boto3 ask again: then it is our own writing that stands in the way.
            if not _holds(self.glue.table(table["Name"]), wanted):
                raise
        written = self.glue.table(table["Name"])
        found = ChangeMark.of(written)
        if found is None or found.id != mark.id:
            raise ConcurrentChangeError(
                f"table {table['Name']} was changed by somebody else just after this run had written it: run again"
            )
        return written

    def _shorten(self, name: str, columns: Columns) -> int:
        # Listed after the mark was set: what registration adds from now on has the short list.
        steps = shortening(self.glue.partitions(name), columns)
        failed = self._write(name, steps).failed
        if failed:
            reasons = some([f"{value}: {reason}" for value, reason in sorted(failed.items())])
            raise CatalogError(f"table {name}: {len(failed)} partitions could not be shortened: {reasons}")
        return len(steps)

    def _complete(self, name: str, look: Look, shortened: int) -> Changed:
        steps = completing(self.glue.partitions(name), look)
        failed = self._write(name, steps).failed
        return Changed(tuple(step.value for step in steps if step.value not in failed), shortened, failed)

    def _write(self, name: str, steps: Sequence[Step]) -> Changed:
        if not steps:
            return Changed()
        logger.info("%s: writing %d partitions", name, len(steps))
        written = write_partitions(self.glue, name, steps, parallel=self.parallel, patience=self.patience)
        return Changed(failed=written.failed)

    def _taken_back(self, name: str, error: PipelineError) -> PipelineError:
        """The error, after the table's partitions were put back; and what is left to do when they could not be."""
        try:
            failed = self.take_back(name).failed
        except PipelineError as second:
            return type(error)(
                f"{error}. Nothing was switched; putting the partitions back failed as well ({second}): readers get "
                "all rows, and the next run ends it"
            )
        left = f"; {len(failed)} partitions are still shortened, readers get their rows" if failed else ""
        return type(error)(f"{error}. Its partitions look like the table again{left}")


def _holds(table: TableTypeDef, wanted: TableInputTypeDef) -> bool:
    """Whether a table has the Parameters, its mark among them, and the columns with which it was to be written."""
    storages: list[Mapping[str, Any]] = [one.get("StorageDescriptor", {}) for one in (table, wanted)]
    found, asked = ([(one["Name"], one.get("Type")) for one in storage.get("Columns", ())] for storage in storages)
    return table.get("Parameters") == wanted.get("Parameters") and found == asked
