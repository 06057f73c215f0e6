"""Which schemas a table's files were written with, seen in a sample of them.

Calls per sampled partition: ⌈objects/1000⌉ LIST (at least one) + ≤ 2 GET, more only where a header is longer than
64 KiB. Of each partition the oldest and the newest file are looked at: the schema of writers changes with time, not
back and forth.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from dmd_pipeline.container_files import read_header
from dmd_pipeline.errors import ContainerFileError
from dmd_pipeline.schemas import schema_literal


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date, datetime

    from dmd_pipeline.aws.s3 import Bucket, StoredObject
    from dmd_pipeline.layout import Layout


@dataclass(frozen=True)
class WrittenSchema:
    """One schema that files were written with.

    Attributes:
        schema: As the files hold it.
        example: URI of the newest of the sampled files that have it.
        files: How many of the sampled files have it.
        last_written: When the newest of them was written.
        first_date: The oldest partition date among them.
        last_date: The newest partition date among them.
    """

    schema: Mapping[str, Any]
    example: str
    files: int
    last_written: datetime
    first_date: date
    last_date: date


@dataclass(frozen=True)
class FileSample:
    """What a sample of a table's files showed.

    Attributes:
        schemas: Every schema found, the one that was written last first.
        partitions: How many partitions were looked at.
        of_partitions: How many there are.
        files: How many files were looked at.
        unreadable: Those of them that are no container files: the reason, by URI.
    """

    schemas: tuple[WrittenSchema, ...] = ()
    partitions: int = 0
    of_partitions: int = 0
    files: int = 0
    unreadable: Mapping[str, str] = field(default_factory=dict)


def sample(
    bucket: Bucket,
    layout: Layout,
    table: str,
    dates: Collection[date],
    *,
    at_most_partitions: int,
    parallel: int,
) -> FileSample:
    """Look into some files of a table.

    Args:
        bucket: Where they are.
        layout: Where they lie in it.
        table: Its name.
        dates: Of its partitions.
        at_most_partitions: So many are looked at; see :func:`chosen_dates`.
        parallel: So many at the same time.

    Raises:
        StorageError: S3 refused, or a file went away between its listing and its reading: try again.
        ThrottledError: S3 asked to slow down until the retries ran out.
        ValueError: A number is less than one.
    """
    chosen = chosen_dates(dates, at_most_partitions)
    look = partial(_look_into, bucket, layout, table)
    with ThreadPoolExecutor(parallel) as threads:
        files = [file for files in threads.map(look, chosen) for file in files]
    return FileSample(
        schemas=_distinct(files),
        partitions=len(chosen),
        of_partitions=len(set(dates)),
        files=len(files),
        unreadable={file.uri: file.reason for file in files if file.schema is None},
    )


def chosen_dates(dates: Iterable[date], at_most: int) -> tuple[date, ...]:
    """Up to so many of some dates, oldest first: the oldest, the newest, and others evenly spread between them.

    Evenly by their place among the dates, not by the calendar. If there may be one only, it is the newest.

    >>> from datetime import date
    >>> [day.day for day in chosen_dates([date(2025, 6, day) for day in range(1, 10)], 3)]
    [1, 5, 9]

    Raises:
        ValueError: None may be chosen.
    """
    if at_most < 1:
        raise ValueError(f"expected a sample of at least one partition, found {at_most}")
    ordered = sorted(set(dates))
    if len(ordered) <= at_most:
        return tuple(ordered)
    if at_most == 1:
        return (ordered[-1],)
    return tuple(ordered[place * (len(ordered) - 1) // (at_most - 1)] for place in range(at_most))


@dataclass(frozen=True)
class _File:
    """A file that was looked at: its schema, or why it has none."""

    uri: str
    modified: datetime
    day: date
    schema: Mapping[str, Any] | None
    reason: str = ""


def _look_into(bucket: Bucket, layout: Layout, table: str, day: date) -> list[_File]:
    prefix = layout.partition_prefix(table, day)
    found = []
    for stored in _oldest_and_newest(bucket.objects_below(prefix), prefix):
        file = partial(_File, layout.uri(stored.key), stored.modified, day)
        try:
            found.append(file(read_header(partial(bucket.read_range, stored.key)).schema))
        except ContainerFileError as error:
            found.append(file(None, str(error)))
    return found


def _oldest_and_newest(objects: Iterable[StoredObject], prefix: str) -> list[StoredObject]:
    """Of all files that have rows, without keeping the list: a partition may hold millions of objects."""
    oldest = newest = None
    for stored in objects:
        if stored.size == 0 or not _is_visible(stored.key.removeprefix(prefix)):
            continue
        if oldest is None or _age(stored) < _age(oldest):
            oldest = stored
        if newest is None or _age(stored) > _age(newest):
            newest = stored
    return [stored for stored in dict.fromkeys((oldest, newest)) if stored is not None]


def _age(stored: StoredObject) -> tuple[datetime, str]:
    return stored.modified, stored.key


def _is_visible(name: str) -> bool:
    """Whether Athena reads it: neither a file or folder whose name begins so, nor the marker of a folder."""
    return not name.endswith("/") and not any(part.startswith(("_", ".")) for part in name.split("/"))


def _distinct(files: Iterable[_File]) -> tuple[WrittenSchema, ...]:
    schemas: dict[str, Mapping[str, Any]] = {}
    groups: dict[str, list[_File]] = {}
    for file in files:
        if file.schema is not None:
            literal = schema_literal(file.schema)
            schemas.setdefault(literal, file.schema)
            groups.setdefault(literal, []).append(file)
    found = [_written(schemas[literal], group) for literal, group in groups.items()]
    return tuple(sorted(found, key=lambda one: (one.last_written, one.example), reverse=True))


def _written(schema: Mapping[str, Any], files: list[_File]) -> WrittenSchema:
    newest = max(files, key=lambda file: (file.modified, file.uri))
    days = [file.day for file in files]
    return WrittenSchema(schema, newest.uri, len(files), newest.modified, min(days), max(days))
