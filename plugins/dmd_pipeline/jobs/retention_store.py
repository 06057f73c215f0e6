"""The manifests of expired partitions, in the bucket.

Calls: ⌈M/1000⌉ LIST, at least one, for M manifests of a table between two dates; 1 GET for each that is read.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from dmd_pipeline.errors import ManifestError
from dmd_pipeline.retention_manifests import Manifest


if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.layout import Layout


_ENDING = ".json"


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


def _day_of(name: str) -> date | None:
    try:
        day = date.fromisoformat(name.removesuffix(_ENDING))
    except ValueError:
        return None
    return day if f"{day}{_ENDING}" == name else None
