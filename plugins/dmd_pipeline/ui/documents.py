"""What the pages read from S3: summaries, results and Data Docs, and what becomes of those that are broken.

A page costs one GET a table and year, whatever the tables hold. A summary that has not changed since it was last read
is not parsed again.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

from dmd_pipeline.quality_documents import BrokenDocumentError, Result, Summary


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.layout import Layout
    from dmd_pipeline.quality_documents import Entry, Verdict

_READERS: Final = 8
_KEPT: Final = 64
"""Parsed summaries that are kept: four tables and sixteen years."""
_CLIENT_SECONDS: Final = 300.0
"""So long a client is used: what is changed in the Airflow connection counts soon after."""


@dataclass(frozen=True)
class TableYears:
    """What the summaries of some years say of one table.

    Attributes:
        entries: What is known, by partition date.
        seen_at: When the DAG last looked at the table; None when it never did.
        problems: Documents that could not be read, a sentence each.
    """

    entries: Mapping[date, Entry]
    seen_at: datetime | None
    problems: tuple[str, ...] = ()


class Documents:
    """The quality documents of one environment.

    Args:
        connect: Makes the bucket's gateway; called again from time to time.
        layout: Where things lie.
    """

    def __init__(self, connect: Callable[[], Bucket], layout: Layout) -> None:
        self._connect = connect
        self._layout = layout
        self._lock = threading.Lock()
        self._bucket: tuple[Bucket, float] | None = None
        self._parsed: OrderedDict[str, tuple[str, Summary]] = OrderedDict()

    def years(self, tables: Iterable[str], years: Iterable[int]) -> dict[str, TableYears]:
        """What is known of tables in some years: one GET a table and year, eight at a time.

        Raises:
            StorageError: S3 does not answer, or refused.
            ThrottledError: S3 asked to slow down.
        """
        names, wanted = list(tables), list(years)
        bucket = self._gateway()
        with ThreadPoolExecutor(_READERS) as readers:
            found = readers.map(lambda pair: self._summary(bucket, *pair), product(names, wanted))
            summaries = list(found)
        return {
            name: _joined(summaries[index * len(wanted) : (index + 1) * len(wanted)])
            for index, name in enumerate(names)
        }

    def result(self, table: str, day: date, verdict: Verdict) -> Result | BrokenDocumentError | None:
        """The result document of a verdict, None when there is none: one GET.

        Where it lies is computed: what stands in a summary never says what is read.

        Raises:
            StorageError: S3 does not answer, or refused.
            ThrottledError: S3 asked to slow down.
        """
        key = self._layout.quality_result_key(table, day, verdict.content, verdict.suite)
        found = self._gateway().find(key)
        if found is None:
            return None
        try:
            return Result.parse(found[0], key).about(table, day, key)
        except BrokenDocumentError as error:
            return error

    def docs(self, table: str, day: date) -> bytes | None:
        """Great Expectations' own page of a partition, None when there is none: one GET.

        Raises:
            StorageError: S3 does not answer, or refused.
            ThrottledError: S3 asked to slow down.
        """
        found = self._gateway().find(self._layout.quality_docs_key(table, day))
        return None if found is None else found[0]

    def _summary(self, bucket: Bucket, table: str, year: int) -> Summary | BrokenDocumentError | None:
        key = self._layout.quality_summary_key(table, year)
        found = bucket.find(key)
        if found is None:
            return None
        body, etag = found
        with self._lock:
            kept = self._parsed.get(key)
        if kept is not None and kept[0] == etag:
            return kept[1]
        try:
            summary = Summary.parse(body, key).about(table, year, key)
        except BrokenDocumentError as error:
            return error
        with self._lock:
            self._parsed[key] = etag, summary
            self._parsed.move_to_end(key)
            while len(self._parsed) > _KEPT:
                self._parsed.popitem(last=False)
        return summary

    def _gateway(self) -> Bucket:
        with self._lock:
            now = time.monotonic()
            if self._bucket is None or now - self._bucket[1] > _CLIENT_SECONDS:
                self._bucket = self._connect(), now
            return self._bucket[0]


def _joined(found: Sequence[Summary | BrokenDocumentError | None]) -> TableYears:
    entries: dict[date, Entry] = {}
    looks: list[datetime] = []
    problems: list[str] = []
    for summary in found:
        if isinstance(summary, BrokenDocumentError):
            problems.append(str(summary))
        elif summary is not None:
            entries.update(summary.dates)
            looks.append(summary.seen_at)
    return TableYears(entries, max(looks, default=None), tuple(problems))
