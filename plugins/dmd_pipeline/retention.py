"""The plan of ``drop_expired_partitions``: what leaves the catalog, what is deleted, and what stays although it is old.

A partition expires by its business date. It leaves in two phases, never both in one run:

========  =============================================================================================================
drop      it is older than the table's retention and registered: its manifest is written, then it leaves the catalog.
          Its objects stay where they are, and it can be restored.
delete    the grace period after that has passed, and nobody has restored it: exactly the objects that its manifest
          lists, and that are still the same, are deleted.
========  =============================================================================================================

Whatever is not entirely clear is kept, and named with the reason: a hold, a table under change, a location that is not
the partition's own folder, objects of another kind in it, an object that is not what the manifest says. An object that
came after the partition had left is *late*: it stays, and every plan shows it until a person decides.

Everything here is pure. What is due follows from the catalog, the manifests and the settings (:func:`due`); only of
what is due need the folders be listed, and with their contents the plan is made (:func:`plan`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from dmd_pipeline.change_marks import ChangeMark
from dmd_pipeline.layout import is_partition_file, partition_date_of, same_location
from dmd_pipeline.wording import some


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from mypy_boto3_glue.type_defs import PartitionTypeDef, TableTypeDef

    from dmd_pipeline.layout import Layout
    from dmd_pipeline.retention_manifests import Manifest, ObjectVersion
    from dmd_pipeline.settings import TableRetention


_DIGEST_LENGTH: Final = 16


@dataclass(frozen=True)
class Kept:
    """Something that is old enough, and stays.

    Attributes:
        name: Its partition date, or the partition's values.
        reason: What stands in the way.
    """

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


@dataclass(frozen=True)
class Due:
    """What a table's rules ask for, before any folder is looked at.

    Attributes:
        drop: Registered partitions that are older than the retention, by date.
        delete: Manifests whose grace period has passed, by date.
        gone: Those of them whose folder is empty: there is nothing to delete, whatever else is the matter.
        look: Other dates whose folders may hold late objects: they have a manifest, and are not registered.
        in_grace: When the objects of the others may be deleted, by date.
        kept: What stays, and why.
    """

    drop: Mapping[date, PartitionTypeDef] = field(default_factory=dict)
    delete: Mapping[date, Manifest] = field(default_factory=dict)
    gone: Mapping[date, Manifest] = field(default_factory=dict)
    look: frozenset[date] = frozenset()
    in_grace: Mapping[date, datetime] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()

    @property
    def folders(self) -> list[date]:
        """The dates whose folders are to be listed."""
        return sorted({*self.drop, *self.delete, *self.look})


@dataclass(frozen=True)
class Drop:
    """A partition that leaves the catalog.

    Attributes:
        day: Its date.
        partition: As Glue has it.
        objects: All that lies in its folder.
        rows: Of these; None when nobody has counted them: then it cannot leave.
    """

    day: date
    partition: PartitionTypeDef
    objects: tuple[ObjectVersion, ...]
    rows: int | None

    @property
    def bytes(self) -> int:
        """Of all its objects."""
        return sum(one.size for one in self.objects)


@dataclass(frozen=True)
class Delete:
    """A partition whose objects are deleted.

    Attributes:
        day: Its date.
        manifest: What may be deleted.
        objects: Those of its objects that are still there, each the same as it was.
        etag: Of the manifest as it was read.
    """

    day: date
    manifest: Manifest
    objects: tuple[ObjectVersion, ...]
    etag: str

    @property
    def bytes(self) -> int:
        """Of the objects that are deleted."""
        return sum(one.size for one in self.objects)


@dataclass(frozen=True)
class PersonalData:
    """A fact for whoever answers for personal data: a table keeps some for long, and nobody has decided for how long.

    Attributes:
        fields: Where it stands in a row, as dotted paths; the rows of removals do not have it any more.
        older_than: Age in days from which partitions are told of.
        partitions: How many with files are older.
        oldest: The first of them.
    """

    fields: tuple[str, ...]
    older_than: int
    partitions: int
    oldest: date

    def __str__(self) -> str:
        many = "partition is" if self.partitions == 1 else "partitions are"
        return (
            f"{', '.join(self.fields)}: {self.partitions:,} {many} more than {self.older_than:,} days old, the oldest "
            f"{self.oldest}, and the table has no retention"
        )


@dataclass(frozen=True)
class Plan:
    """What to do about one table's old partitions.

    Attributes:
        table: Its name.
        drop: What leaves the catalog, by date.
        delete: What is deleted, by date.
        gone: Of what nothing is left to delete: a run was cut off before it wrote that down, or there was nothing.
        late: Keys that came after their partition had left, by date.
        in_grace: When the objects of partitions that have left may be deleted.
        kept: What stays, and why.
        approval: Why a person has to approve; empty when nobody has to.
        personal: Personal data for which no retention is set, if any is old.
    """

    table: str
    drop: tuple[Drop, ...] = ()
    delete: tuple[Delete, ...] = ()
    gone: tuple[Delete, ...] = ()
    late: Mapping[date, tuple[str, ...]] = field(default_factory=dict)
    in_grace: Mapping[date, datetime] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    approval: tuple[str, ...] = ()
    personal: PersonalData | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes for anybody."""
        return not self.drop and not self.delete

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to tell either."""
        return self.is_empty and not (self.late or self.in_grace or self.kept or self.personal)

    @cached_property
    def digest(self) -> str:
        """Stands for what would be done: an approval is one of this, and of nothing else."""
        said = {
            "table": self.table,
            "drop": [[str(one.day), _described(one.objects), one.rows] for one in self.drop],
            "delete": [[str(one.day), _described(one.objects)] for one in self.delete],
        }
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:_DIGEST_LENGTH]


def personal_data(
    fields: Collection[str], rules: TableRetention, days: Collection[date], older_than: int, today: date
) -> PersonalData | None:
    """Personal data that is old although nobody has set a retention.

    Args:
        fields: Where a table has personal data.
        rules: How long it keeps its partitions.
        days: Of its partitions with files.
        older_than: Age in days.
        today: The day (UTC).
    """
    if not fields or rules.retention_days is not None:
        return None
    old = [day for day in days if day < today - timedelta(days=older_than)]
    return PersonalData(tuple(fields), older_than, len(old), min(old)) if old else None


def due(
    table: TableTypeDef,
    layout: Layout,
    rules: TableRetention,
    *,
    registered: Iterable[PartitionTypeDef],
    manifests: Mapping[date, Manifest],
    folders: Collection[date],
    now: datetime,
) -> Due:
    """What the rules ask for.

    Args:
        table: As Glue holds it.
        layout: Where things lie.
        rules: How long the table keeps its partitions.
        registered: All of its partitions, for two may share a location.
        manifests: Those of dates that are registered or have a folder, and of others whose deletion is not known of.
        folders: Dates with at least one object.
        now: The time (UTC).
    """
    partitions = {tuple(partition["Values"]): partition for partition in registered}
    by_date = {day: partition for values, partition in partitions.items() if (day := _date_of(values)) is not None}
    rest = {day: manifest for day, manifest in sorted(manifests.items()) if day not in by_date}
    guards = _Guards(table, layout, rules, partitions.values(), now)
    drop: dict[date, PartitionTypeDef] = {}
    delete: dict[date, Manifest] = {}
    gone: dict[date, Manifest] = {}
    in_grace: dict[date, datetime] = {}
    kept: list[Kept] = []
    for day, partition in sorted(by_date.items()):
        is_kept = (manifest := manifests.get(day)) is not None and manifest.is_kept(now)
        if not guards.is_expired(day) or is_kept:
            continue
        if (reason := guards.against(day) or guards.against_place(day, partition)) is None:
            drop[day] = partition
        else:
            kept.append(Kept(str(day), reason))
    if rules.retention_days is not None:
        strange = [values for values in partitions if _date_of(values) is None]
        kept += [Kept("/".join(values), "is no date that can be read") for values in sorted(strange)]
    for day, manifest in rest.items():
        if manifest.deleted_at is not None or manifest.is_kept(now):
            continue
        if manifest.keep_until is None and now < (ends := manifest.grace_ends(rules.grace_days)):
            in_grace[day] = ends
        elif day not in folders:
            gone[day] = manifest
        elif (reason := guards.against_deletion(day, manifest) or guards.against(day)) is None:
            delete[day] = manifest
        else:
            kept.append(Kept(str(day), reason))
    return Due(drop, delete, gone, frozenset((rest.keys() & set(folders)) - delete.keys()), in_grace, tuple(kept))


def plan(
    table: str,
    layout: Layout,
    rules: TableRetention,
    wanted: Due,
    *,
    manifests: Mapping[date, Manifest],
    etags: Mapping[date, str],
    contents: Mapping[date, Collection[ObjectVersion]],
    rows: Mapping[date, int | str | None],
    partitions: int,
    is_first: bool,
) -> Plan:
    """The plan, once the folders of what is due are known.

    Args:
        table: Its name.
        layout: Where things lie.
        rules: How long the table keeps its partitions.
        wanted: What is due.
        manifests: As for :func:`due`.
        etags: Theirs.
        contents: What lies below the prefix of each of ``wanted.folders``; nothing for a date that is missing.
        rows: How many rows the files of each date of ``wanted.drop`` hold, why they could not be counted, or None when
            they were not to be.
        partitions: How many the table has.
        is_first: Whether nothing of the table has ever expired.
    """
    kept = list(wanted.kept)
    drop: list[Drop] = []
    delete: list[Delete] = []
    gone = [Delete(day, manifest, (), etags[day]) for day, manifest in wanted.gone.items()]
    late: dict[date, tuple[str, ...]] = {}
    for day in wanted.folders:
        found = tuple(sorted(contents.get(day, ()), key=lambda one: one.key))
        folder = layout.partition_prefix(table, day)
        if day in wanted.drop:
            counted = rows.get(day, "its rows were not counted")
            strange = [one.key.removeprefix(folder) for one in found if not is_partition_file(one.key, folder)]
            if strange:
                kept.append(Kept(str(day), f"holds objects of another kind: {some(strange)}"))
            elif isinstance(counted, str):
                kept.append(Kept(str(day), counted))
            else:
                drop.append(Drop(day, wanted.drop[day], found, counted))
            continue
        listed = {one.key: one for one in manifests[day].objects}
        if others := tuple(one.key for one in found if one.key not in listed):
            late[day] = others
        if manifests[day].deleted_at is not None and len(others) < len(found):
            kept.append(Kept(str(day), "was deleted, and some of its objects are there again: restore it"))
        if day in wanted.delete:
            changed = [one.key.removeprefix(folder) for one in found if listed.get(one.key, one) != one]
            if changed:
                kept.append(Kept(str(day), f"is not what its manifest says: {some(changed)}"))
            else:
                there = tuple(one for one in found if one.key in listed)
                (delete if there else gone).append(Delete(day, manifests[day], there, etags[day]))
    approval = _approval(rules, len(drop), len(delete), partitions, is_first=is_first)
    return Plan(
        table,
        tuple(drop),
        tuple(delete),
        tuple(gone),
        late,
        wanted.in_grace,
        tuple(sorted(kept, key=lambda one: one.name)),
        approval,
    )


class _Guards:
    """What keeps a partition although it is old."""

    def __init__(
        self,
        table: TableTypeDef,
        layout: Layout,
        rules: TableRetention,
        partitions: Iterable[PartitionTypeDef],
        now: datetime,
    ) -> None:
        self._name = table["Name"]
        self._layout = layout
        self._rules = rules
        self._change = ChangeMark.of(table)
        self._places = [_folder(place) for partition in partitions if (place := _place(partition))]
        days = rules.retention_days
        self._oldest_kept = date.min if days is None else now.date() - timedelta(days=days)

    def is_expired(self, day: date) -> bool:
        """Whether a date is older than the retention."""
        return day < self._oldest_kept

    def against(self, day: date) -> str | None:
        """What stands in the way of either phase."""
        if self._change is not None:
            return f"its table is under change {self._change.id}"
        return next((f"held: {hold.reason}" for hold in self._rules.holds if hold.covers(day)), None)

    def against_place(self, day: date, partition: PartitionTypeDef) -> str | None:
        """What is wrong with where a partition lies."""
        place = _place(partition)
        if not same_location(place, self._layout.partition_location(self._name, day)):
            return f"lies at {place or 'no place'}, not in its own folder"
        folder = _folder(place)
        if sum(one.startswith(folder) or folder.startswith(one) for one in self._places) > 1:
            return "another partition lies at the same place, or within it, or around it"
        return None

    def against_deletion(self, day: date, manifest: Manifest) -> str | None:
        """What has become of a partition since it left."""
        if manifest.keep_until is not None:
            return "was restored, and is not registered: restore it again"
        if not self.is_expired(day):
            return "has left the catalog, and is not older than the retention any more: restore it"
        return None


def _approval(rules: TableRetention, drops: int, deletes: int, partitions: int, *, is_first: bool) -> tuple[str, ...]:
    if not drops and not deletes:
        return ()
    reasons = []
    if is_first:
        reasons.append("partitions of this table have never expired before")
    for count, what in ((drops, "leave the catalog"), (deletes, "are deleted")):
        if count > rules.max_partitions_per_run:
            reasons.append(
                f"{count} partitions {what}, more than {rules.max_partitions_per_run} (max_partitions_per_run)"
            )
        if partitions and count / partitions > rules.max_share_per_run:
            share = f"{count / partitions:.0%} of the table's partitions"
            reasons.append(f"{share} {what}, more than {rules.max_share_per_run:.0%} (max_share_per_run)")
    return tuple(reasons)


def _described(objects: Iterable[ObjectVersion]) -> list[list[str | int]]:
    return [[one.key, one.version, one.etag, one.size] for one in objects]


def _place(partition: PartitionTypeDef) -> str:
    return partition.get("StorageDescriptor", {}).get("Location", "")


def _folder(place: str) -> str:
    return place.rstrip("/") + "/"


def _date_of(values: tuple[str, ...]) -> date | None:
    return partition_date_of(f"partition_date={values[0]}/") if len(values) == 1 else None
