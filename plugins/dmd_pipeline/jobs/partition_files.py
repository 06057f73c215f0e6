"""What lies in the folders of partitions already: the worker's rows, and the sequence numbers of replayed ones.

Calls: at most ⌈F/1000⌉ LIST, at least one, for a partition with F files written since a time, once for all batches; and
one for several partitions whose files, and all that lie between them, fit into a page of 1,000. 1 GET for each file
that is read, of a replayed one only its header.
"""

from __future__ import annotations

import io
import json
import threading
import zlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import fastavro

from dmd_pipeline.container_files import read_header
from dmd_pipeline.errors import ContainerFileError
from dmd_pipeline.failed_batches import DOCUMENTS
from dmd_pipeline.fingerprints import WrittenRows
from dmd_pipeline.layout import delivered_at, replayed_batch
from dmd_pipeline.replay import numbers_in


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date, datetime

    from dmd_pipeline.aws.s3 import Bucket, StoredObject
    from dmd_pipeline.delivery import Group
    from dmd_pipeline.failed_batches import BatchId
    from dmd_pipeline.layout import Layout


_MOST_FOLDERS: Final = 500
"""Listings that are kept: a lane's batches lie in the same few partitions, and memory stays flat if they do not."""
_MOST_NUMBERS: Final = 100_000
"""Sequence numbers that are kept; of a file that is asked for again after that, the header is read again."""

DAMAGE: Final = (
    ValueError, EOFError, LookupError, TypeError, ArithmeticError, RecursionError, zlib.error,
    fastavro.schema.SchemaParseException,
)  # fmt: skip
"""What fastavro makes of files that are none."""


@dataclass(frozen=True)
class _Name:
    """A file's name, understood once: every batch asks for all of them."""

    text: str
    moment: datetime | None
    replayed: BatchId | None = None
    source: str = ""
    lane: str = ""

    @classmethod
    def of(cls, text: str) -> _Name:
        replayed = replayed_batch(text)
        if replayed is None:
            return cls(text, delivered_at(text))
        return cls(text, None, replayed, replayed.source, replayed.lane)


class PartitionFiles:
    """The files of partitions, each folder listed once.

    Nobody else may write what is asked for here: the worker is done with the records in question, and the lane's lease
    keeps other replays of them away.
    """

    def __init__(self, bucket: Bucket, layout: Layout) -> None:
        self._bucket = bucket
        self._layout = layout
        self._names: dict[tuple[str, date], tuple[datetime, list[_Name]]] = {}
        self._numbers: dict[str, frozenset[int]] = {}
        self._kept_numbers = 0
        self._lock = threading.Lock()

    def list_folders(self, groups: Iterable[Group], since: datetime) -> None:
        """List the folders that are not listed yet, those of a table together.

        Args:
            groups: Tables and partition dates.
            since: Files of the worker that are older are left out.

        Raises:
            StorageError: S3 refused.
        """
        missing: dict[str, list[date]] = {}
        for table, day in sorted(set(groups)):
            held = self._names.get((table, day))
            if held is None or held[0] > since:
                missing.setdefault(table, []).append(day)
        if len(self._names) + sum(map(len, missing.values())) > _MOST_FOLDERS:
            self._names.clear()
        for table, days in missing.items():
            self._list(table, days, since)

    def replayed(self, table: str, day: date, batch: BatchId, since: datetime) -> dict[BatchId, frozenset[int]]:
        """The sequence numbers that replayed files of a partition hold, by the batch of the file.

        Args:
            table: Its name.
            day: Of the partition.
            batch: Files of batches that overlap it are looked at, its own among them.
            since: When the stream took the batch's first record.

        Raises:
            StorageError: S3 refused, or a file is damaged.
        """
        found = {}
        prefix = self._layout.partition_prefix(table, day)
        for name in self._listed(table, day, since):
            if name.replayed is not None and name.replayed.overlaps(batch):
                found[name.replayed] = self._numbers_of(prefix + name.text)
        return found

    def written(self, table: str, day: date, batch: BatchId, since: datetime, until: datetime) -> Iterator[WrittenRows]:
        """The files of a partition that rows of a batch are compared with by content, one after the other.

        They are those that the worker wrote within a period, and those whose name tells no time. A record that came in
        a document may have come by its shard as well, and nobody knows its place there: between the two, replayed files
        are among them.

        Raises:
            StorageError: S3 refused, or a file is damaged.
        """
        prefix = self._layout.partition_prefix(table, day)
        source, lane = batch.source, batch.lane
        for name in self._listed(table, day, since):
            if name.replayed is None:
                is_compared = name.moment is None or since <= name.moment <= until
            else:
                is_compared = DOCUMENTS in (name.lane, lane) and name.source != source
            if is_compared:
                yield self._rows_of(prefix + name.text)

    def add(self, table: str, day: date, batch: BatchId, numbers: frozenset[int]) -> None:
        """Remember a file that was replayed just now."""
        key = self._layout.replay_key(table, day, batch)
        self._keep(key, numbers)
        if held := self._names.get((table, day)):
            held[1].append(_Name.of(key.removeprefix(self._layout.partition_prefix(table, day))))

    def numbers_of(self, table: str, day: date, batch: BatchId) -> frozenset[int]:
        """Sequence numbers in a batch's own file, which is there.

        Raises:
            StorageError: S3 refused, or the file is damaged.
        """
        return self._numbers_of(self._layout.replay_key(table, day, batch))

    def _listed(self, table: str, day: date, since: datetime) -> list[_Name]:
        held = self._names.get((table, day))
        if held is None or held[0] > since:
            self._list(table, [day], since)
        return self._names[table, day][1]

    def _list(self, table: str, days: Sequence[date], since: datetime) -> None:
        walk = _Walk(self._bucket, self._layout.table_prefix(table))
        for day in days:
            prefix = self._layout.partition_prefix(table, day)
            # The names of replayed files sort after all times.
            found = walk.objects(prefix, after=f"{prefix}{since:%Y-%m-%d-%H-%M-%S}")
            names = (stored.key.removeprefix(prefix) for stored in found if stored.size)
            self._names[table, day] = since, [_Name.of(name) for name in names if name.endswith(".avro")]

    def _numbers_of(self, key: str) -> frozenset[int]:
        known = self._numbers.get(key)
        if known is not None:
            return known
        try:
            header = read_header(partial(self._bucket.read_range, key))
            numbers = numbers_in({name: value.decode() for name, value in header.metadata.items()})
        except (ContainerFileError, ValueError) as error:
            raise self._damaged(key, error) from error
        self._keep(key, numbers)
        return numbers

    def _keep(self, key: str, numbers: frozenset[int]) -> None:
        with self._lock:  # groups are converted side by side
            if self._kept_numbers > _MOST_NUMBERS:
                self._numbers.clear()
                self._kept_numbers = 0
            self._numbers[key] = numbers
            self._kept_numbers += len(numbers)

    def _rows_of(self, key: str) -> WrittenRows:
        try:
            file = fastavro.reader(io.BytesIO(self._bucket.read(key)))
            schema = json.loads(file.metadata["avro.schema"])
            return WrittenRows(schema, list(file))
        except DAMAGE as error:
            raise self._damaged(key, error) from error

    def _damaged(self, key: str, error: Exception) -> ContainerFileError:
        return ContainerFileError(
            f"s3://{self._bucket.name}/{key} cannot be compared with ({error}): "
            "move it out of its partition, where it breaks queries as well"
        )


class _Walk:
    """A walk through the objects below a prefix, in the order of their keys, that skips what nobody asks for."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._page: tuple[StoredObject, ...] = ()
        self._from = self._through = ""  # what the page covers: keys after the first, up to the second
        self._is_last = False

    def objects(self, prefix: str, *, after: str) -> list[StoredObject]:
        """Objects below a longer prefix whose keys sort after a key; prefixes are asked for in their order."""
        found: list[StoredObject] = []
        if not self._from <= after or not (self._is_last or after < self._through):
            self._fetch(after)
        while True:
            found += [one for one in self._page if one.key > after and one.key.startswith(prefix)]
            if self._is_last or (self._through > prefix and not self._through.startswith(prefix)):
                return found
            self._fetch(self._through)

    def _fetch(self, after: str) -> None:
        self._page, self._is_last = self._bucket.page_below(self._prefix, after)
        self._from, self._through = after, self._page[-1].key if self._page else after
