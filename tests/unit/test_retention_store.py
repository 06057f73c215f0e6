"""What lies in the folders of many partitions is found side by side, each object once."""

from __future__ import annotations

import gc
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.aws.s3 import StoredVersion
from dmd_pipeline.jobs.retention_store import listed
from dmd_pipeline.layout import Layout


if TYPE_CHECKING:
    from collections.abc import Iterator


LAYOUT = Layout("bucket", "data-pipeline")
FIRST = date(2023, 11, 20)
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)


class Bucket:
    """Lists the files of a table; remembers what it was asked."""

    def __init__(self, keys: list[str]) -> None:
        self.keys = sorted(keys)
        self.asked: list[tuple[str, str]] = []
        self.collects: set[bool] = set()

    def versions_below(self, prefix: str, *, start_after: str, stop_before: str) -> Iterator[StoredVersion]:
        self.asked.append((start_after.removeprefix(prefix), stop_before.removeprefix(prefix)))
        self.collects.add(gc.isenabled())
        for key in self.keys:
            if start_after < key < stop_before:
                yield StoredVersion(key, 1, WRITTEN, '"e"', "null")


def days(count: int, start: int = 0) -> list[date]:
    return [FIRST + timedelta(days=start + number) for number in range(count)]


def find(bucket: Any, wanted: list[date]) -> dict[date, list[str]]:
    found = listed(bucket, LAYOUT, "demand", wanted)
    return {day: [one.key for one in objects] for day, objects in found.items()}


@pytest.mark.parametrize(
    ("wanted", "stretches"),
    [([], 0), (days(1), 1), (days(100), 1), (days(101), 2), (days(250), 3), (days(2) + days(2, start=3), 2)],
)
def test_up_to_a_hundred_days_in_a_row_are_one_listing(wanted: list[date], stretches: int) -> None:
    files = {
        day: [f"{LAYOUT.partition_prefix('demand', day)}{name}.avro" for name in "ab"] for day in days(300, start=-20)
    }
    bucket = Bucket([key for keys in files.values() for key in keys])
    assert find(bucket, wanted) == {day: files[day] for day in wanted}
    assert len(set(bucket.asked)) == len(bucket.asked) == stretches


def test_garbage_is_collected_again_also_when_a_listing_fails() -> None:
    bucket = Bucket([])
    find(bucket, days(3))
    assert (bucket.collects, gc.isenabled()) == ({False}, True)

    def refuse(*_: Any, **__: Any) -> Iterator[StoredVersion]:
        raise RuntimeError

    bucket.versions_below = refuse  # type: ignore[method-assign] # one method is replaced: S3 refuses from now on
    with pytest.raises(RuntimeError):
        find(bucket, days(3))
    assert gc.isenabled()
