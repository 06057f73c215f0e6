"""Which records of a failed batch the delivery worker has put into ``errors/`` already.

Before an attempt fails, it may have written its invalid records; and where batches of several lanes lie in one range,
the worker has delivered the others with theirs. What stands there stays there: to be seen in one place, and to be
replayed once its cause is mended (source ``errors``).

Calls: ⌈N/1000⌉ LIST, at least one, for N files written since the first arrival of a batch with invalid records, once
for all batches of a lane; 1 GET for each file of the period in question, until all of them are found.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Final

from dmd_pipeline import failures
from dmd_pipeline.layout import delivered_at


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.failed_batches import StreamRecord
    from dmd_pipeline.layout import Layout


_DIGEST_BYTES: Final = 16
_MOST_EVENTS: Final = 100_000
"""Records of files that are remembered, by their digests; files that are asked for again after that are read again."""


class WorkerErrors:
    """The worker's files in ``errors/``, listed once and read when they are asked for.

    Nobody else may write what is asked for here: the worker is done with the records in question.
    """

    def __init__(self, bucket: Bucket, layout: Layout) -> None:
        self._bucket = bucket
        self._layout = layout
        self._since: datetime | None = None
        self._names: list[tuple[datetime, str]] = []
        self._events: dict[str, Counter[bytes]] = {}
        self._kept_events = 0

    def held(self, records: Iterable[StreamRecord], since: datetime, until: datetime) -> frozenset[int]:
        """The sequence numbers of those of some records that stand in files of a period.

        Records are known by their bytes. One that stands there stands for one record: of several identical ones, the
        first are taken for it.

        Args:
            records: Invalid ones.
            since: The worker has written none of them before.
            until: And none of them later.

        Raises:
            StorageError: S3 refused, or a file is no document of invalid records; names it.
        """
        sought: dict[bytes, list[int]] = {}
        for record in sorted(records, key=lambda record: record.sequence_number, reverse=True):
            sought.setdefault(_digest(record.data), []).append(record.sequence_number)
        found: set[int] = set()
        for events in self._files(since, until) if sought else ():
            for digest in sought.keys() & events.keys():
                numbers = sought[digest]
                found.update(numbers.pop() for _ in range(min(events[digest], len(numbers))))
                if not numbers:
                    del sought[digest]
            if not sought:
                break
        return frozenset(found)

    def _files(self, since: datetime, until: datetime) -> Iterator[Counter[bytes]]:
        """The events of each file of a period, oldest first."""
        if self._since is None or since < self._since:
            self._list(since)
        for moment, key in self._names:
            if since <= moment <= until:
                yield self._events_of(key)

    def _list(self, since: datetime) -> None:
        prefix = self._layout.errors_prefix()
        found = self._bucket.objects_below(prefix, self._layout.errors_since(since))
        moments = ((delivered_at(stored.key.removeprefix(prefix)), stored.key) for stored in found if stored.size)
        self._names = [(moment, key) for moment, key in moments if moment is not None]
        self._since = since

    def _events_of(self, key: str) -> Counter[bytes]:
        known = self._events.get(key)
        if known is not None:
            return known
        stem = key.removeprefix(self._layout.errors_prefix()).removesuffix(".json")
        batch = failures.parse_errors_document(self._bucket.read(key), stem)
        events = Counter(_digest(record.data) for record in batch.records or ())
        if self._kept_events > _MOST_EVENTS:
            self._events.clear()
            self._kept_events = 0
        self._events[key] = events
        self._kept_events += len(events)
        return events


def _digest(event: bytes) -> bytes:
    return hashlib.blake2b(event, digest_size=_DIGEST_BYTES).digest()
