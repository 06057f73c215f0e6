"""What a partition holds: its files as a listing shows them, the rows that their block headers tell, and the rows.

Calls: ⌈F/1000⌉ LIST (at least one) for a partition with F files; to count its rows those of
:func:`dmd_pipeline.container_files.count_rows`, to read them 1 GET a file, in memory all at once.
"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import fastavro

from dmd_pipeline.container_files import count_rows
from dmd_pipeline.errors import ContainerFileError
from dmd_pipeline.jobs.partition_files import DAMAGE
from dmd_pipeline.parameters import DateRange
from dmd_pipeline.quality_plans import is_read, seen_in


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import date

    from dmd_pipeline.aws.s3 import Bucket, StoredObject
    from dmd_pipeline.layout import Layout
    from dmd_pipeline.quality_documents import Seen
    from dmd_pipeline.rows import Row

_READERS: Final = 8


@dataclass(frozen=True)
class Partition:
    """A partition as it was listed.

    Attributes:
        day: Its date.
        objects: The files that Athena reads.
        seen: What there is to remember of them.
    """

    day: date
    objects: tuple[StoredObject, ...]
    seen: Seen


@dataclass
class Bodies:
    """A partition's files, read whole.

    Attributes:
        partition: Which.
        rows: How many they have, as their block headers tell.
    """

    partition: Partition
    rows: int
    _bucket: Bucket
    _bodies: list[bytes] = field(repr=False)

    def read(self, schema: Mapping[str, Any]) -> Iterator[tuple[Row, date]]:
        """The rows, each with the partition's date.

        Args:
            schema: The reader schema: that of the table.

        Raises:
            ContainerFileError: A file is damaged, or the schema cannot read it; names the file.
        """
        parsed = fastavro.parse_schema(dict(schema))
        for stored, body in zip(self.partition.objects, self._bodies, strict=True):
            if not body:
                continue  # Athena takes it for a file without rows
            try:
                for row in fastavro.reader(io.BytesIO(body), reader_schema=parsed):
                    yield dict(row), self.partition.day
            except DAMAGE as error:
                # The class only: the message may quote the data that it stumbled over.
                raise _damaged(self._bucket, stored, type(error).__name__) from error


class PartitionContents:
    """The partitions of one table.

    Args:
        bucket: Where they lie.
        layout: And under which keys.
        table: The table.
    """

    def __init__(self, bucket: Bucket, layout: Layout, table: str) -> None:
        self._bucket = bucket
        self._layout = layout
        self._table = table

    def listed(self, day: date, *, registered: bool) -> Partition:
        """A partition as it is now.

        Args:
            day: Its date.
            registered: Whether Glue holds it.

        Raises:
            StorageError: S3 refused.
        """
        folder = self._layout.partition_prefix(self._table, day)
        found = self._bucket.objects_below(folder)
        objects = tuple(stored for stored in found if is_read(stored.key.removeprefix(folder)))
        seen = seen_in(objects, self._layout.table_prefix(self._table), [day], DateRange(day, day))[day]
        return Partition(day, objects, seen.model_copy(update={"registered": registered}))

    def rows(self, objects: Collection[StoredObject]) -> int:
        """How many rows files have, as their block headers tell; the data is not read.

        Raises:
            ContainerFileError: A file is damaged; names it.
            StorageError: S3 refused, or a file is gone.
        """
        with ThreadPoolExecutor(_READERS) as readers:
            return sum(readers.map(self._rows, objects))

    def bodies(self, partition: Partition) -> Bodies:
        """All files of a partition.

        Raises:
            ContainerFileError: A file is damaged; names it.
            StorageError: S3 refused, or a file is gone.
        """
        with ThreadPoolExecutor(_READERS) as readers:
            bodies = list(readers.map(lambda stored: self._bucket.read(stored.key), partition.objects))
        rows = sum(map(self._rows_of_body, partition.objects, bodies))
        return Bodies(partition, rows, self._bucket, bodies)

    def _rows_of_body(self, stored: StoredObject, body: bytes) -> int:
        return self._counted(stored, len(body), lambda start, length: body[start : start + length])

    def _rows(self, stored: StoredObject) -> int:
        read_range = self._bucket.read_range
        return self._counted(stored, stored.size, lambda start, length: read_range(stored.key, start, length))

    def _counted(self, stored: StoredObject, size: int, read: Callable[[int, int], bytes]) -> int:
        try:
            return count_rows(read, size)
        except ContainerFileError as error:
            raise _damaged(self._bucket, stored, str(error)) from error


def _damaged(bucket: Bucket, stored: StoredObject, why: str) -> ContainerFileError:
    return ContainerFileError(
        f"s3://{bucket.name}/{stored.key} cannot be read ({why}): move it out of its partition, where it breaks "
        "queries as well"
    )
