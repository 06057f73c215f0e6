"""The manifests of expired partitions, and what lies in the partitions' folders.

Calls: ⌈M/1000⌉ LIST, at least one, for M manifests of a table between two dates, with their ETags; 1 GET for their
summary, 1 PUT to write it; 1 GET for each manifest that is read.
⌈V/1000⌉ ListObjectVersions, at least one, for V versions of objects in the folders of up to 100 days that follow one
another; and at most one more for what lies behind them.
"""

from __future__ import annotations

import gc
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from dmd_pipeline.errors import ManifestError, StorageError
from dmd_pipeline.jobs import leases
from dmd_pipeline.layout import PARTITION_KEY, partition_date_of
from dmd_pipeline.parameters import consecutive
from dmd_pipeline.retention_manifests import Manifest, ObjectVersion
from dmd_pipeline.retention_summaries import Summary


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from dmd_pipeline.aws.s3 import Bucket, DeletedObject, StoredVersion
    from dmd_pipeline.layout import Layout
    from dmd_pipeline.retention_summaries import Known

    Found = tuple[Manifest, str]
    """A manifest and its ETag."""


logger = logging.getLogger(__name__)

_READERS = 4
"""Manifests that are read, or stretches of folders that are listed, at the same time."""
_FEW = 10
"""Manifests that are read one by one although there may be a summary."""
_GZIP = "application/gzip"
_STRETCH_DAYS = 100
"""Days whose folders are listed one after the other: pages of a listing cannot be asked for at once."""
_ENDING = ".json"
_AFTER_THE_SLASH = chr(ord("/") + 1)


_counting = threading.Lock()
_listing = 0
"""Threads that list folders just now."""


class Manifests:
    """Reads the manifests of one environment."""

    def __init__(self, bucket: Bucket, layout: Layout) -> None:
        self._bucket = bucket
        self._layout = layout

    def etags(self, table: str, first: date = date.min, last: date = date.max) -> dict[date, str]:
        """The ETags of a table's manifests as they are now, by date, sorted.

        Args:
            table: Its name.
            first: Of the dates; earlier ones are left out.
            last: Of the dates, included.

        Raises:
            StorageError: S3 refused.
        """
        prefix = self._layout.manifests_prefix(table)
        found: dict[date, str] = {}
        for stored in self._bucket.objects_below(prefix, start_after=f"{prefix}{first}"):
            if stored.key > f"{prefix}{last}{_ENDING}":
                break
            if (day := _day_of(stored.key.removeprefix(prefix))) is not None:
                found[day] = stored.etag
        return found

    def find(self, table: str, day: date, known: Mapping[date, Known]) -> Found:
        """The manifest of a partition and its ETag, by which it is known whether it is still the same: one GET.

        Args:
            table: Its table.
            day: Its date.
            known: Says when its objects were deleted.

        Raises:
            ManifestError: There is none, or it is damaged.
            StorageError: S3 refused.
        """
        key = self._layout.manifest_key(table, day)
        if (found := self._bucket.find(key)) is None:
            raise ManifestError(f"{key} is gone: restore its object")
        content, etag = found
        manifest = Manifest.read(content, self._layout, table, day)
        if (held := known.get(day)) is not None and (held.etag, manifest.deleted_at) == (etag, None):
            manifest = manifest.model_copy(update={"deleted_at": held.deleted_at})
        return manifest, etag

    def summary(self, table: str) -> tuple[Summary, str | None]:
        """What is known of a table's manifests, and the summary's ETag; nothing before any was written.

        Raises:
            ManifestError: It is damaged.
            StorageError: S3 refused.
        """
        found = self._bucket.find(self._layout.retention_summary_key(table))
        if found is None:
            return Summary(table=table), None
        content, etag = found
        return Summary.read(content, self._layout, table), etag

    def sound_summary(self, table: str) -> Summary:
        """The summary for those who do without one that is damaged: it decides nothing, the manifests do.

        Raises:
            StorageError: S3 refused.
        """
        try:
            return self.summary(table)[0]
        except ManifestError as error:
            logger.warning("%s", error)
            return Summary(table=table)

    def summarize(self, table: str, known: Mapping[date, Known], etag: str | None) -> None:
        """Write the summary anew; whoever does holds the table's lease.

        Args:
            table: Its name.
            known: What it is to say.
            etag: Of the summary that was read; None when there was none.

        Raises:
            StorageError: Somebody else has written it since, as a run that nobody knew was still alive; or S3 refused.
        """
        key = self._layout.retention_summary_key(table)
        content = Summary(table=table, manifests=dict(sorted(known.items()))).content()
        if etag is None:
            is_written = self._bucket.create(key, content, _GZIP)
        else:
            is_written = self._bucket.replace(key, content, _GZIP, etag) is not None
        if not is_written:
            raise StorageError(f"{key} was written by another run meanwhile")

    def look_up(self, table: str, days: Iterable[date], known: Mapping[date, Known]) -> dict[date, Found]:
        """The manifests of some dates, and when their objects were deleted; read where nothing is known of them.

        Args:
            table: Its name.
            days: Partition dates with a manifest.
            known: Of manifests that are still the same.

        Raises:
            ManifestError: One is gone, or damaged.
            StorageError: S3 refused.
        """
        days = list(days)
        with ThreadPoolExecutor(_READERS) as pool:
            return dict(zip(days, pool.map(lambda day: self._known_or_found(table, day, known), days), strict=True))

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
        etags = self.etags(table, min(days), max(days))
        concerned = sorted(etags.keys() & set(days))
        # Few are read faster than all is that is known of the others.
        known = self.sound_summary(table).of(etags) if len(concerned) > _FEW else {}
        found: dict[date, str] = {}
        for day in concerned:
            if day in known and known[day].deleted_at is not None:
                found[day] = f"expired, its objects were deleted {known[day].deleted_at:%Y-%m-%d}"
                continue
            try:
                manifest, _ = self._known_or_found(table, day, known)
            except ManifestError as error:
                found[day] = str(error)
                continue
            if not manifest.is_kept(now):
                found[day] = f"expired, dropped {manifest.dropped_at:%Y-%m-%d}; restore_partitions brings it back"
        return found

    def _known_or_found(self, table: str, day: date, known: Mapping[date, Known]) -> Found:
        if (held := known.get(day)) is not None and held.manifest is not None:
            return held.manifest, held.etag
        return self.find(table, day, known)


@contextmanager
def table_lease(bucket: Bucket, layout: Layout, table: str, holder: str, now: Callable[[], datetime]) -> Iterator[None]:
    """Keep everybody else from letting a table's partitions expire, or restoring them, meanwhile.

    Raises:
        StorageError: Somebody else does; says who, and until when at the latest. Or S3 refused.
    """
    key = layout.retention_lease_key(table)
    if (held := leases.take(bucket, key, holder, now())) is not None:
        raise StorageError(f"another run works on the partitions of {table}: {held}; try again then")
    # The process dies meanwhile: its own retry takes the lease up, another run when it has ended.
    try:
        yield
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

    def enter(bounds: dict[str, str]) -> None:
        for one in bucket.versions_below(prefix, **bounds):
            folder = one.key.removeprefix(prefix).partition("/")[0]
            if (day := partition_date_of(f"{folder}/")) in found:
                found[day].append(one)  # no other stretch has this day

    with _garbage_left(), ThreadPoolExecutor(_READERS) as pool:
        list(pool.map(enter, _stretches(layout, table, found)))
    return found


@contextmanager
def _garbage_left() -> Iterator[None]:
    """Look for no garbage meanwhile: a listing makes many objects, none of them in a cycle, and all of them stay.

    Python looks at all of them again and again otherwise, which takes as long as half of the listing. Of threads that
    ask for it at once, the last one ends it.
    """
    global _listing
    with _counting:
        _listing += 1
        gc.disable()
    try:
        yield
    finally:
        with _counting:
            _listing -= 1
            if _listing == 0:
                gc.enable()


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
    """Between which keys the folders of days lie that follow one another, up to a hundred of them together."""
    prefix = layout.table_prefix(table)
    for first, last in consecutive(days):
        for start in range(first.toordinal(), last.toordinal() + 1, _STRETCH_DAYS):
            end = min(start + _STRETCH_DAYS - 1, last.toordinal())
            yield {
                "start_after": f"{prefix}{PARTITION_KEY}={date.fromordinal(start)}",
                "stop_before": f"{prefix}{PARTITION_KEY}={date.fromordinal(end)}{_AFTER_THE_SLASH}",
            }


def _day_of(name: str) -> date | None:
    try:
        day = date.fromisoformat(name.removesuffix(_ENDING))
    except ValueError:
        return None
    return day if f"{day}{_ENDING}" == name else None
