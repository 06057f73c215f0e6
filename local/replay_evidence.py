"""What ``reprocess_failed_batches`` left in S3: secured records, replayed rows, rejected records.

Its own reports and done documents are not read: that a done document is there says that a batch is settled, and
everything else is counted in the files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dmd_pipeline import quarantine, raw_batches
from dmd_pipeline.container_files import read_header
from dmd_pipeline.failed_batches import DOCUMENTS, BatchId
from dmd_pipeline.layout import replayed_batch, secured_batch
from dmd_pipeline.replay import numbers_in


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dmd_pipeline.failed_batches import StreamRecord
    from dmd_pipeline.settings import Settings
    from local.clients import LocalClients

_ATTEMPT = re.compile(r"-retry(\d+)$", re.ASCII)
_REJECTED = re.compile(r"rejected/[^/]+/(?P<folder>.+)-(?P<start>\d+)-(?P<end>\d+)\.json", re.ASCII)


@dataclass(frozen=True)
class Held:
    """Records of a batch that stand in a file.

    Attributes:
        batch: The batch.
        records: Its records; of a secured range also those of other lanes, and filtered ones.
        settled: Whether the batch is done with.
    """

    batch: BatchId
    records: tuple[StreamRecord, ...]
    settled: bool

    @property
    def attempt(self) -> int:
        """How often its records were rejected before."""
        return attempt_of(self.batch)

    @property
    def is_of_the_stream(self) -> bool:
        """Whether its sequence numbers are those of a shard."""
        return self.batch.lane != DOCUMENTS


def attempt_of(batch: BatchId) -> int:
    """How often the records of a batch were rejected before."""
    found = _ATTEMPT.search(batch.folder)
    return int(found.group(1)) if found else 0


class ReplayEvidence:
    """Looks for what was replayed in one local pipeline's S3.

    Args:
        clients: Its clients.
        settings: The environment's names.
        tables: The record types.
    """

    def __init__(self, clients: LocalClients, settings: Settings, tables: Iterable[str]) -> None:
        self._s3 = clients("s3")
        self._bucket = settings.bucket
        self._layout = settings.layout
        self._tables = sorted(tables)

    def keys(self) -> frozenset[str]:
        """Everything that it has written, by key."""
        replayed = [
            key
            for table in self._tables
            for key in self._below(self._layout.table_prefix(table))
            if replayed_batch(_name(key))
        ]
        return frozenset(
            [*self._below(self._layout.raw_prefix()), *self._below(self._layout.quarantine_prefix()), *replayed]
        )

    def secured(self, keys: Iterable[str]) -> list[Held]:
        """The secured batches among some keys."""
        prefix = self._layout.raw_prefix()
        batches = [
            (key, *found)
            for key in sorted(keys)
            if key.startswith(prefix) and (found := secured_batch(key.removeprefix(prefix)))
        ]
        settled = {batch for _, batch, is_done in batches if is_done}
        return [
            Held(batch, raw_batches.read(self._read(key), self._layout.uri(key)).records, batch in settled)
            for key, batch, is_done in batches
            if not is_done
        ]

    def rejected(self, keys: Iterable[str]) -> list[Held]:
        """The rejected records that stand in quarantine, by the batch they were rejected from; none is settled."""
        prefix = self._layout.quarantine_prefix()
        found = []
        for key in sorted(keys):
            match = _REJECTED.fullmatch(key.removeprefix(prefix)) if key.startswith(prefix) else None
            if match is None:
                continue  # a message that nobody understood, or one about lost records
            batch = BatchId(match["folder"], int(match["start"]), int(match["end"]))
            documents = quarantine.batches_in(self._read(key), self._layout.uri(key))
            records = tuple(record for document in documents for record in document.records or ())
            found.append(Held(batch, records, settled=False))
        return found

    def replayed(self, keys: Iterable[str]) -> dict[str, frozenset[tuple[str, int]]]:
        """By file of replayed rows: the source and the sequence numbers of its rows, as its header tells them."""
        found = {}
        for key in keys:
            if batch := replayed_batch(_name(key)):
                metadata = read_header(partial(_part, self._read(key))).metadata
                numbers = numbers_in({name: value.decode() for name, value in metadata.items()})
                found[key] = frozenset((batch.source, number) for number in numbers)
        return found

    def _below(self, prefix: str) -> Iterator[str]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                yield found["Key"]

    def _read(self, key: str) -> bytes:
        body: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body


def _part(content: bytes, start: int, length: int) -> bytes:
    return content[start : start + length]


def _name(key: str) -> str:
    return key.rpartition("/")[2]
