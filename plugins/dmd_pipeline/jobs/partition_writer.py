"""The one function that writes partitions.

Whatever changes a partition goes through :func:`write_partitions`, so that these hold everywhere: a partition that is
there is read fresh and whole before it is replaced; only what the writer owns changes, and Parameters it does not know
stay; every per-item error is read; and after writing, Glue is asked what it holds now. That answer, not the absence of
errors, decides what failed.

Calls, for A partitions to add and R to repair: ⌈A/100⌉ BatchCreatePartition + ⌈R/1000⌉ BatchGetPartition + ⌈R/100⌉
BatchUpdatePartition, then ⌈(A+R)/1000⌉ BatchGetPartition to look again. Items that Glue throttles, and partitions that
somebody else made or dropped meanwhile, cost more.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from dmd_pipeline.aws.faults import ItemError
from dmd_pipeline.aws.glue import ALREADY_EXISTS, NOT_FOUND, READ_BATCH, WRITE_BATCH
from dmd_pipeline.errors import PipelineError, ThrottledError
from dmd_pipeline.partitions import differences, merged, remaining
from dmd_pipeline.patience import Patience


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from mypy_boto3_glue.type_defs import PartitionInputTypeDef, PartitionTypeDef

    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.partitions import Step


logger = logging.getLogger(__name__)

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Written:
    """What came of writing.

    Attributes:
        seen: The partitions as Glue holds them now, by value.
        failed: Reason by value, for those that do not look as wanted.
    """

    seen: dict[str, PartitionTypeDef]
    failed: dict[str, str]


@dataclass
class _Work:
    """What is still to do, and what Glue last said about each item that failed."""

    create: set[str]
    change: set[str]
    errors: dict[str, ItemError] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.create or self.change)


def write_partitions(
    glue: Catalog,
    table: str,
    steps: Sequence[Step],
    *,
    repair: bool = True,
    parallel: int = 1,
    patience: Patience | None = None,
) -> Written:
    """Bring partitions of one table into the wanted form.

    Args:
        glue: The catalog.
        table: Name of the table.
        steps: What to write: partitions that differ, and partitions that are not there.
        repair: Whether a partition that turns out to be there already may be changed.
        parallel: Calls under way at once.
        patience: How long to insist on items that Glue throttles.

    Returns:
        What Glue holds afterwards, and what failed: all others are as wanted, whoever wrote them.

    Raises:
        PipelineError: Glue could not be read.
    """
    writer = _Writer(glue, table, steps, repair=repair, parallel=parallel, patience=patience or Patience())
    return writer.write()


class _Writer:
    def __init__(
        self, glue: Catalog, table: str, steps: Sequence[Step], *, repair: bool, parallel: int, patience: Patience
    ) -> None:
        self._glue = glue
        self._table = table
        self._steps = {step.value: step for step in steps}
        self._repair = repair
        self._parallel = parallel
        self._patience = patience

    def write(self) -> Written:
        work = _Work(
            create={value for value, step in self._steps.items() if not step.differences},
            change={value for value, step in self._steps.items() if step.differences and self._repair},
        )
        for attempt in self._patience:
            if attempt > 1:
                logger.warning("%s: attempt %d, %s left", self._table, attempt, len(work.create) + len(work.change))
            self._attempt(work)
            if not work:
                break
        return self._look_again(work.errors)

    def _attempt(self, work: _Work) -> None:
        """Write everything that is to do; what is left in ``work`` afterwards may succeed later."""
        create, work.create = work.create, set()
        refused = self._in_batches(
            [self._steps[value].wanted for value in sorted(create)], self._glue.create_partitions
        )
        existing = {value for value, error in refused.items() if error.code == ALREADY_EXISTS}
        work.errors |= refused
        work.create |= {value for value, error in refused.items() if error.may_pass}
        # Somebody else made it meanwhile: that counts only if it is what was wanted, which a fresh look tells.
        change, work.change = work.change | (existing if self._repair else set()), set()
        fresh = self._read(change)
        work.create |= change - fresh.keys()
        refused = self._in_batches(
            [
                merged(current, self._steps[value].wanted)
                for value, current in fresh.items()
                if differences(current, self._steps[value].wanted)
            ],
            self._glue.update_partitions,
        )
        work.errors |= refused
        work.change |= {value for value, error in refused.items() if error.may_pass}
        work.create |= {value for value, error in refused.items() if error.code == NOT_FOUND}

    def _look_again(self, errors: dict[str, ItemError]) -> Written:
        seen = self._read(self._steps)
        left = remaining(self._steps.values(), seen, repair=self._repair)
        failed = {
            step.value: str(errors[step.value]) if step.value in errors else _still(step.differences) for step in left
        }
        return Written(seen, failed)

    def _in_batches(
        self,
        partitions: Sequence[PartitionInputTypeDef],
        call: Callable[[str, Sequence[PartitionInputTypeDef]], dict[str, ItemError]],
    ) -> dict[str, ItemError]:
        """Errors by partition value; a call that fails as a whole is an error of each of its partitions."""

        def one_batch(batch: Sequence[PartitionInputTypeDef]) -> dict[str, ItemError]:
            try:
                return call(self._table, batch)
            except PipelineError as error:
                # Not to be tried again here: boto3 has just run out of attempts for it.
                reason = ItemError(type(error).__name__, str(error))
                return {partition["Values"][0]: reason for partition in batch}

        errors: dict[str, ItemError] = {}
        with ThreadPoolExecutor(self._parallel) as pool:
            for refused in pool.map(one_batch, _batches(partitions, WRITE_BATCH)):
                errors |= refused
        return errors

    def _read(self, values: Collection[str]) -> dict[str, PartitionTypeDef]:
        """Partitions as they are now."""
        found: dict[str, PartitionTypeDef] = {}
        with ThreadPoolExecutor(self._parallel) as pool:
            for partitions in pool.map(self._read_batch, _batches(sorted(values), READ_BATCH)):
                found |= partitions
        return found

    def _read_batch(self, asked: Sequence[str]) -> dict[str, PartitionTypeDef]:
        """Keys that Glue leaves unprocessed are asked for again: patience ends only where nothing comes any more."""
        found: dict[str, PartitionTypeDef] = {}
        attempts = iter(self._patience)
        while asked:
            if next(attempts, None) is None:
                raise ThrottledError(
                    f"table {self._table}: Glue leaves {len(asked)} partitions unread, again and again"
                )
            partitions, left = self._glue.read_partitions(self._table, asked)
            found |= partitions
            if len(left) < len(asked):
                attempts = iter(self._patience)
            asked = left
        return found


def _batches(items: Sequence[_Item], size: int) -> Iterable[Sequence[_Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _still(differences: tuple[str, ...]) -> str:
    return f"still differs after writing: {', '.join(differences)}" if differences else "missing after writing"
