"""Raw files: what is written is read again, byte for byte; damage is told by place."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline import raw_batches
from dmd_pipeline.errors import StorageError
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord
from dmd_pipeline.raw_batches import RawBatch


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BATCH = FailedBatch(
    BatchId("shardId-000000000001", 17, 20), 3, NOON, NOON, "RetryAttemptsExhausted", "queue message 5f0c", "e4b4", NOON
)
RECORDS = tuple(StreamRecord(number, "k", NOON + timedelta(microseconds=number), b"\x00\xff\n") for number in (17, 20))
WHERE = "s3://bucket/raw"

_MOMENTS = st.datetimes(timezones=st.just(UTC))
_NUMBERS = st.integers(0, 2**186)
_RECORDS = st.lists(
    st.builds(StreamRecord, _NUMBERS, st.text(), _MOMENTS, st.binary()),
    unique_by=lambda record: record.sequence_number,
    max_size=5,
)
_BATCHES = st.builds(
    FailedBatch,
    id=st.tuples(_NUMBERS, _NUMBERS).map(lambda ends: BatchId("shardId-000000000001", min(ends), max(ends))),
    size=st.none() | st.integers(1, 10_000),
    first_arrival=st.none() | _MOMENTS,
    last_arrival=st.none() | _MOMENTS,
    condition=st.text(),
    origin=st.text(),
    request_id=st.text(),
    sent=st.none() | _MOMENTS,
    attempts=st.integers(0, 9),
)


@given(_BATCHES, _RECORDS, st.integers(0, 9), st.booleans())
def test_what_is_written_is_read(batch: FailedBatch, records: list[StreamRecord], lost: int, brought: bool) -> None:
    told = replace(batch, records=tuple(records)) if brought else batch
    written = raw_batches.content(told, records, lost=lost)
    ordered = tuple(sorted(records, key=lambda record: record.sequence_number))
    assert raw_batches.read(written, WHERE) == RawBatch(batch, ordered, from_stream=not brought, lost=lost)
    assert raw_batches.content(told, records[::-1], lost=lost) == written


@pytest.mark.parametrize(
    "batch",
    [
        replace(BATCH, size=None, first_arrival=None, last_arrival=None, sent=None, request_id=""),
        replace(BATCH, id=BatchId("errors-x-retry2", 0, 1), attempts=2),
    ],
)
def test_a_batch_keeps_what_is_known_of_it(batch: FailedBatch) -> None:
    assert raw_batches.read(raw_batches.content(batch, RECORDS), WHERE).batch == batch


def test_records_that_came_along_are_told_from_those_of_the_stream() -> None:
    found = raw_batches.read(raw_batches.content(replace(BATCH, records=RECORDS), RECORDS), WHERE)
    assert not found.from_stream
    assert found.batch.records is None


def test_the_same_records_give_the_same_bytes_in_any_order_and_time_zone() -> None:
    elsewhere = timezone(timedelta(hours=-5))
    moved = [replace(record, arrived=record.arrived.astimezone(elsewhere)) for record in reversed(RECORDS)]
    batch = replace(BATCH, sent=NOON.astimezone(elsewhere))
    assert raw_batches.content(batch, moved) == raw_batches.content(BATCH, RECORDS)


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_damaged_bytes_are_told_by_place(place: int, junk: bytes) -> None:
    content = raw_batches.content(BATCH, RECORDS)
    cut = content[: place % len(content)]
    for damaged in (cut, junk + content):
        with pytest.raises(StorageError, match=WHERE):
            raw_batches.read(damaged, WHERE)


def test_a_large_batch_is_written_and_read_line_by_line() -> None:
    data = [bytes(range(256)) * 8 for _ in range(2_000)]
    records = [StreamRecord(number, "k", NOON, one) for number, one in enumerate(data)]
    size = sum(map(len, data))
    tracemalloc.start()
    try:
        content = raw_batches.content(BATCH, records)
        _, writing = tracemalloc.get_traced_memory()
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        raw_batches.read(content, WHERE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert writing < 0.5 * size
    assert peak - held < 1.5 * size, "the records themselves, and a line"


@pytest.mark.parametrize("lines", ["", "\n", "[]", "{}", "3", "[" * 100_000, '{"batch": 3}', "\udcff"])
def test_other_content_is_told_by_place(lines: str) -> None:
    with pytest.raises(StorageError, match=WHERE):
        raw_batches.read(gzip.compress(lines.encode(errors="surrogateescape")), WHERE)


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        (0, "from_stream", "no"),
        (0, "lost", None),
        (0, "batch", {}),
        (1, "sequenceNumber", 17),
        (1, "sequenceNumber", "-1"),
        (1, "partitionKey", None),
        (1, "arrived", "2026-03-01T12:00:00"),
        (1, "arrived", "noon"),
        (1, "data", "!"),
        (1, "data", None),
    ],
)
def test_a_wrong_value_is_told_by_place(line: int, key: str, value: Any) -> None:
    lines = [json.loads(one) for one in gzip.decompress(raw_batches.content(BATCH, RECORDS)).splitlines()]
    lines[line][key] = value
    with pytest.raises(StorageError, match=WHERE):
        raw_batches.read(gzip.compress("\n".join(map(json.dumps, lines)).encode()), WHERE)
