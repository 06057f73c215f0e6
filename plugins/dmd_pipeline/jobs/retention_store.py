"""The manifests of expired partitions, and what lies in the partitions' folders.

Calls: ⌈M/1000⌉ LIST, at least one, for M manifests of a table between two dates; 1 GET for each that is read.
⌈W/1000⌉ ListObjectVersions, at least one, for W versions of manifests between two dates, to see which have changed.
⌈V/1000⌉ ListObjectVersions, at least one, for V versions of objects in the folders of days that follow one another;
and at most one more for what lies behind them.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from dmd_pipeline.errors import ManifestError, StorageError
from dmd_pipeline.jobs import leases
from dmd_pipeline.layout import PARTITION_KEY, partition_date_of
from dmd_pipeline.parameters import consecutive
from dmd_pipeline.retention_manifests import Manifest, ObjectVersion


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from dmd_pipeline.aws.s3 import Bucket, DeletedObject, StoredVersion
    from dmd_pipeline.layout import Layout


_ENDING = ".json"
_AFTER_THE_ENDING = chr(ord(_ENDING[0]) + 1)
_AFTER_THE_SLASH = chr(ord("/") + 1)


class Manifests:
    """Reads the manifests of one environment."""

    def __init__(self, bucket: Bucket, layout: Layout) -> None:
        self._bucket = bucket
        self._layout = layout

    def days(self, table: str, first: date = date.min, last: date = date.max) -> list[date]:
        """The dates of a table that have a manifest, sorted.

        Args:
            table: Its name.
            first: Of the dates; earlier ones are left out.
            last: Of the dates, included.

        Raises:
            StorageError: S3 refused.
        """
        prefix = self._layout.manifests_prefix(table)
        names = self._bucket.names_below(prefix, start_at=str(first), stop_after=f"{last}{_ENDING}")
        return sorted(day for name in names if (day := _day_of(name)) is not None)

    def read(self, table: str, day: date) -> Manifest:
        """The manifest of a partition.

        Raises:
            ManifestError: It is none, or damaged.
            StorageError: There is none, or S3 refused.
        """
        return Manifest.read(self._bucket.read(self._layout.manifest_key(table, day)), self._layout, table, day)

    def find(self, table: str, day: date) -> tuple[Manifest, str]:
        """The manifest of a partition and its ETag, by which it is known whether it is still the same.

        Raises:
            ManifestError: There is none, or it is damaged.
            StorageError: S3 refused.
        """
        key = self._layout.manifest_key(table, day)
        if (found := self._bucket.find(key)) is None:
            raise ManifestError(f"{key} is gone: restore its object")
        content, etag = found
        return Manifest.read(content, self._layout, table, day), etag

    def etags(self, table: str, first: date, last: date) -> dict[date, str]:
        """The ETags of a table's manifests as they are now, by date.

        Args:
            table: Its name.
            first: Of the dates.
            last: Of the dates, included.

        Raises:
            StorageError: S3 refused.
        """
        prefix = self._layout.manifests_prefix(table)
        found = self._bucket.versions_below(
            prefix, start_after=f"{prefix}{first}", stop_before=f"{prefix}{last}{_AFTER_THE_ENDING}"
        )
        named = ((_day_of(one.key.removeprefix(prefix)), one.etag) for one in found)
        return {day: etag for day, etag in named if day is not None}

    def expired(self, table: str, days: Collection[date], now: datetime) -> Mapping[date, str]:
        """Those of some dates that nobody may register: their partitions have expired, and were not restored.

        Args:
            table: Its name.
            days: Partition dates that Glue does not hold.
            now: The time.

        Returns:
            Why not, by date. A date whose manifest cannot be read is among them: nobody knows what was decided.

        Raises:
            StorageError: S3 refused.
        """
        if not days:
            return {}
        found: dict[date, str] = {}
        for day in sorted(set(self.days(table, min(days), max(days))) & set(days)):
            try:
                manifest = self.read(table, day)
            except ManifestError as error:
                found[day] = str(error)
                continue
            if not manifest.is_kept(now):
                found[day] = f"expired, dropped {manifest.dropped_at:%Y-%m-%d}; restore_partitions brings it back"
        return found


@contextmanager
def table_lease(bucket: Bucket, layout: Layout, table: str, holder: str, now: Callable[[], datetime]) -> Iterator[bool]:
    """Keep everybody else from letting a table's partitions expire, or restoring them, meanwhile.

    Yields:
        Whether an earlier run was cut off: it has left its lease.

    Raises:
        StorageError: Somebody else does; says who, and until when at the latest. Or S3 refused.
    """
    key = layout.retention_lease_key(table)
    was_cut_off = bucket.find(key) is not None
    if (held := leases.take(bucket, key, holder, now())) is not None:
        raise StorageError(f"another run works on the partitions of {table}: {held}; try again then")
    # The process dies meanwhile: its own retry takes the lease up, another run when it has ended.
    try:
        yield was_cut_off
    finally:
        leases.give_back(bucket, key)


def contents(bucket: Bucket, layout: Layout, table: str, days: Iterable[date]) -> dict[date, dict[str, ObjectVersion]]:
    """What lies in the folders of some partitions, as manifests have it: by date, and by key.

    Raises:
        StorageError: S3 refused.
    """
    found = listed(bucket, layout, table, days)
    return {day: {one.key: ObjectVersion.of(one) for one in objects} for day, objects in found.items()}


def listed(bucket: Bucket, layout: Layout, table: str, days: Iterable[date]) -> dict[date, list[StoredVersion]]:
    """What lies in the folders of some partitions, whatever it is: by date, sorted by key.

    Raises:
        StorageError: S3 refused.
    """
    prefix = layout.table_prefix(table)
    found: dict[date, list[StoredVersion]] = {day: [] for day in days}
    for bounds in _stretches(layout, table, found):
        for one in bucket.versions_below(prefix, **bounds):
            folder = one.key.removeprefix(prefix).partition("/")[0]
            if (day := partition_date_of(f"{folder}/")) in found:
                found[day].append(one)
    return found


def deleted(bucket: Bucket, layout: Layout, table: str, days: Iterable[date]) -> dict[str, DeletedObject]:
    """What was deleted in the folders of some partitions and left a version, by key; it costs what contents costs.

    Raises:
        StorageError: S3 refused.
    """
    found: dict[str, DeletedObject] = {}
    for bounds in _stretches(layout, table, days):
        found |= bucket.deleted_below(layout.table_prefix(table), **bounds)
    return found


def _stretches(layout: Layout, table: str, days: Iterable[date]) -> Iterator[dict[str, str]]:
    """Between which keys the folders of days lie that follow one another."""
    prefix = layout.table_prefix(table)
    for first, last in consecutive(days):
        yield {
            "start_after": f"{prefix}{PARTITION_KEY}={first}",
            "stop_before": f"{prefix}{PARTITION_KEY}={last}{_AFTER_THE_SLASH}",
        }


def _day_of(name: str) -> date | None:
    try:
        day = date.fromisoformat(name.removesuffix(_ENDING))
    except ValueError:
        return None
    return day if f"{day}{_ENDING}" == name else None
