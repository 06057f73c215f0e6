"""The plan of ``register_partitions``: partitions that S3 asks for, minus partitions that Glue holds.

Desired is a partition for every folder with at least one object, whatever its date, and for today and the days ahead,
so that a new day can be queried the moment its first file lands. Each should look like its table: location, SerDe,
formats, columns and schema literal; its Parameters and everything else in it belong to others and are kept.

What becomes of a date:

=========  ====================================================================================================
add        wanted, and Glue does not hold it
repair     Glue holds it, and what registration owns in it differs from the table
in sync    Glue holds it as wanted
empty      Glue holds it as wanted, and it has no objects (the days ahead are not counted): it reads as zero rows
expired    it has objects, and has left the catalog because of its age: registration does not bring it back
strange    whatever this project did not write: other folders, loose objects, partitions that are not dates, and
           partitions that point elsewhere while their own folder is empty. Reported by name, never touched.
=========  ====================================================================================================

Everything here is pure: ``plan`` of what was read gives the steps; ``remaining`` of what was read again must be empty.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from dmd_pipeline import hive
from dmd_pipeline.change_marks import ChangeMark
from dmd_pipeline.layout import PARTITION_KEY, partition_date_of, same_location
from dmd_pipeline.wording import date_runs, some


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from mypy_boto3_glue.type_defs import (
        PartitionInputTypeDef,
        PartitionTypeDef,
        TableTypeDef,
    )

    from dmd_pipeline.layout import Layout
    from dmd_pipeline.parameters import DateRange

    # Glue's storage descriptors, as read and as written, are different types with the same keys.
    _Descriptor = Mapping[str, Any]


_COPIED = ("InputFormat", "OutputFormat")
_OWNED = ("Columns", "Location", *_COPIED)
_KEPT_OF_PARTITION = ("LastAccessTime", "LastAnalyzedTime", "Parameters")


@dataclass(frozen=True)
class Step:
    """One partition to write.

    Attributes:
        wanted: How it should look.
        holds_data: Whether its folder is known to have objects.
        differences: What differs in the partition that is there; empty when none is there.
    """

    wanted: PartitionInputTypeDef
    holds_data: bool = False
    differences: tuple[str, ...] = ()

    @property
    def value(self) -> str:
        """The partition's value in Glue."""
        return self.wanted["Values"][0]

    @property
    def partition_date(self) -> date:
        """Its date, of a partition that has one."""
        return date.fromisoformat(self.value)


@dataclass(frozen=True)
class Strange:
    """Something that this project did not write.

    Attributes:
        name: Its name below the table's prefix, or the partition's values.
        reason: Why it is left alone.
    """

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name if self.name.isprintable() else repr(self.name)} ({self.reason})"


@dataclass(frozen=True)
class TablePlan:
    """What to do about one table's partitions; prints as a table.

    Attributes:
        table: Name of the table.
        add: Partitions to create.
        repair: Partitions to update.
        in_sync: How many are as wanted and hold data, or lie ahead.
        empty: Dates of partitions that are as wanted and have no objects.
        strange: What is reported and never touched.
        expired: Dates with objects that have left the catalog because of their age.
        change: Id of the schema change under way, during which nothing is repaired.
    """

    table: str
    add: tuple[Step, ...] = ()
    repair: tuple[Step, ...] = ()
    in_sync: int = 0
    empty: tuple[date, ...] = ()
    strange: tuple[Strange, ...] = ()
    expired: tuple[date, ...] = ()
    change: str | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """Everything to write."""
        return self.add + self.repair

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.steps

    def without(self, expired: Collection[date]) -> TablePlan:
        """The plan that does not add partitions which have expired."""
        return replace(
            self,
            add=tuple(step for step in self.add if step.partition_date not in expired),
            expired=tuple(step.partition_date for step in self.add if step.partition_date in expired),
        )

    def __str__(self) -> str:
        reasons = sorted({difference for step in self.repair for difference in step.differences})
        rows = [
            ("add", len(self.add), date_runs(step.partition_date for step in self.add)),
            ("repair", len(self.repair), date_runs(step.partition_date for step in self.repair)),
            ("", "", f"differs: {', '.join(reasons)}" if reasons else ""),
            ("in sync", self.in_sync, ""),
            ("empty", len(self.empty), date_runs(self.empty)),
            ("expired", len(self.expired), date_runs(self.expired)),
            ("strange", len(self.strange), some(self.strange)),
        ]
        title = self.table if self.change is None else f"{self.table} (under change {self.change}: nothing is repaired)"
        shown = [row for row in rows if row[1] or row[2]]
        return f"{title}\n{tabulate(shown, headers=('', 'partitions', 'which'), tablefmt='simple')}"


def plan(
    table: TableTypeDef,
    layout: Layout,
    *,
    found: Iterable[str],
    registered: Iterable[PartitionTypeDef],
    ahead: Collection[date],
    dates: DateRange,
) -> TablePlan:
    """Compare what S3 holds with what Glue holds.

    Args:
        table: The table as Glue holds it: the model of its partitions.
        layout: Where things lie.
        found: Names directly below the table's prefix; those of folders end in a slash.
        registered: The table's partitions, whole, in any order. Read once.
        ahead: Dates to register whether or not they hold data.
        dates: The run's dates; all others are ignored.
    """
    folders, strange_names = _sort_names(found, dates)
    wanted = folders | {day for day in ahead if day in dates}
    model = _Model(table, layout)
    held = _Held()
    # A partition that is made while Glue is listed may be listed on two pages; the later one counts.
    for partition in {tuple(partition["Values"]): partition for partition in registered}.values():
        day = _date_of(partition)
        if day is None:
            held.strange.append(Strange("/".join(partition["Values"]), "a registered partition, but not a date"))
        elif day in dates:
            held.add(model.judge(partition, day, wanted=day in wanted, holds_data=day in folders))
    missing = sorted(wanted - held.dates)
    return TablePlan(
        table["Name"],
        add=tuple(Step(model.partition(day), day in folders) for day in missing),
        repair=tuple(sorted(held.repair, key=lambda step: step.partition_date)),
        in_sync=held.in_sync,
        empty=tuple(sorted(held.empty)),
        strange=(*strange_names, *sorted(held.strange, key=lambda strange: strange.name)),
        change=None if model.change is None else model.change.id,
    )


def remaining(steps: Iterable[Step], seen: Mapping[str, PartitionTypeDef], *, repair: bool = True) -> tuple[Step, ...]:
    """The second plan: what is still to do, after ``steps`` were written and their partitions read again.

    Args:
        steps: What was to be written.
        seen: What Glue holds now, by partition value.
        repair: Whether a partition that is there must also look as wanted.
    """
    left = []
    for step in steps:
        if step.value not in seen:
            left.append(replace(step, differences=()))
        elif repair and (found := differences(seen[step.value], step.wanted)):
            left.append(replace(step, differences=found))
    return tuple(left)


def differences(current: PartitionTypeDef, wanted: PartitionInputTypeDef) -> tuple[str, ...]:
    """What of a partition differs from how it should look, in words; only of what registration owns."""
    is_now, should_be = current.get("StorageDescriptor", {}), wanted["StorageDescriptor"]
    checks = (
        ("location", same_location(is_now.get("Location", ""), should_be.get("Location", ""))),
        ("columns", _columns(is_now) == _columns(should_be)),
        ("formats", all(is_now.get(name) == should_be.get(name) for name in _COPIED)),
        ("SerDe", _library(is_now) == _library(should_be)),
        ("schema", _serde_parameters(should_be).items() <= _serde_parameters(is_now).items()),
    )
    return tuple(name for name, same in checks if not same)


def merged(current: PartitionTypeDef, wanted: PartitionInputTypeDef) -> PartitionInputTypeDef:
    """A partition as it is, with what registration owns put right; everything else, known or not, stays."""
    is_now, should_be = current.get("StorageDescriptor", {}), wanted["StorageDescriptor"]
    owned = {name: should_be[name] for name in _OWNED if name in should_be}  # type: ignore[literal-required]  # keys as data
    parameters = {**_serde_parameters(is_now), **_serde_parameters(should_be)}
    held: Mapping[str, Any] = is_now.get("SerdeInfo", {})
    wanted_serde: Mapping[str, Any] = should_be.get("SerdeInfo", {})
    serde = {**held, **wanted_serde, "Parameters": parameters}
    kept = {name: current[name] for name in _KEPT_OF_PARTITION if name in current}  # type: ignore[literal-required]  # keys as data
    return {**kept, "Values": current["Values"], "StorageDescriptor": {**is_now, **owned, "SerdeInfo": serde}}  # type: ignore[typeddict-item]  # merged


class _Held:
    """What Glue holds of the run's dates, sorted by what becomes of it."""

    def __init__(self) -> None:
        self.dates: set[date] = set()
        self.in_sync = 0
        self.empty: list[date] = []
        self.repair: list[Step] = []
        self.strange: list[Strange] = []

    def add(self, verdict: _Verdict) -> None:
        self.dates.add(verdict.day)
        if isinstance(verdict.outcome, Strange):
            self.strange.append(verdict.outcome)
        elif isinstance(verdict.outcome, Step):
            self.repair.append(verdict.outcome)
        elif verdict.wanted:
            self.in_sync += 1
        else:
            self.empty.append(verdict.day)


@dataclass(frozen=True)
class _Verdict:
    day: date
    wanted: bool
    outcome: Step | Strange | None


class _Model:
    """How the partitions of one table should look."""

    def __init__(self, table: TableTypeDef, layout: Layout) -> None:
        self._name = table["Name"]
        self._layout = layout
        self.change = ChangeMark.of(table)
        # Copied once and shared by all partitions: a table may have thousands, each with a schema of kilobytes.
        self._model = hive.partition_input(table, date.min, layout.table_location(self._name))["StorageDescriptor"]
        if self.change is not None and self.change.columns is not None:
            self._model = {**self._model, "Columns": self.change.columns}

    def partition(self, day: date) -> PartitionInputTypeDef:
        location = self._layout.partition_location(self._name, day)
        return {"Values": [day.isoformat()], "StorageDescriptor": {**self._model, "Location": location}}

    def judge(self, partition: PartitionTypeDef, day: date, *, wanted: bool, holds_data: bool) -> _Verdict:
        if self.change is not None:
            return _Verdict(day, wanted, None)
        should_be = self.partition(day)
        found = differences(partition, should_be)
        if not found:
            return _Verdict(day, wanted, None)
        if "location" in found and not wanted:
            elsewhere = partition.get("StorageDescriptor", {}).get("Location", "nowhere")
            reason = f"points to {elsewhere} and has no objects in its own folder"
            return _Verdict(day, wanted, Strange(f"{PARTITION_KEY}={day}", reason))
        return _Verdict(day, wanted, Step(should_be, holds_data, found))


def _sort_names(found: Iterable[str], dates: DateRange) -> tuple[set[date], list[Strange]]:
    folders: set[date] = set()
    strange: list[Strange] = []
    for name in found:
        day = partition_date_of(name)
        if day is not None:
            folders.add(day)
        elif name.endswith("/"):
            strange.append(Strange(name, "not a partition folder"))
        else:
            strange.append(Strange(name, "an object outside any partition folder"))
    return {day for day in folders if day in dates}, strange


def _date_of(partition: PartitionTypeDef) -> date | None:
    values = partition["Values"]
    return partition_date_of(f"{PARTITION_KEY}={values[0]}/") if len(values) == 1 else None


def _columns(descriptor: _Descriptor) -> list[tuple[str, str, str]]:
    return [
        (column["Name"], column.get("Type", ""), column.get("Comment", "")) for column in descriptor.get("Columns", ())
    ]


def _library(descriptor: _Descriptor) -> str | None:
    library: str | None = descriptor.get("SerdeInfo", {}).get("SerializationLibrary")
    return library


def _serde_parameters(descriptor: _Descriptor) -> Mapping[str, str]:
    parameters: Mapping[str, str] = descriptor.get("SerdeInfo", {}).get("Parameters", {})
    return parameters
