"""Raw files: what is secured comes back as it was."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.errors import StorageError
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord
from dmd_pipeline.raw_batches import RawBatch, content, read


_MOMENTS = st.datetimes(timezones=st.just(UTC))
_NUMBERS = st.integers(0, 2**186)
_RECORDS = st.lists(
    st.builds(StreamRecord, _NUMBERS, st.text(max_size=8), _MOMENTS, st.binary(max_size=40)),
    max_size=4,
    unique_by=lambda record: record.sequence_number,
)
_BATCHES = st.builds(
    FailedBatch,
    id=st.tuples(_NUMBERS, _NUMBERS).map(lambda ends: BatchId("shardId-000000000001", min(ends), max(ends))),
    size=st.none() | st.integers(1, 10_000),
    first_arrival=st.none() | _MOMENTS,
    last_arrival=st.none() | _MOMENTS,
    condition=st.text(max_size=8),
    origin=st.text(max_size=8),
    request_id=st.text(max_size=8),
    sent=st.none() | _MOMENTS,
    attempts=st.integers(0, 9),
)


@given(_BATCHES, _RECORDS, st.integers(0, 9), st.booleans())
def test_what_is_written_is_read(batch: FailedBatch, records: list[StreamRecord], lost: int, brought: bool) -> None:
    given_batch = replace(batch, records=tuple(records)) if brought else batch
    written = content(given_batch, records, lost=lost)
    ordered = tuple(sorted(records, key=lambda record: record.sequence_number))
    assert read(written, "raw") == RawBatch(batch, ordered, from_stream=not brought, lost=lost)
    assert content(given_batch, records[::-1], lost=lost) == written


_BATCH = FailedBatch(BatchId("shardId-000000000001", 1, 2), 2, None, None, "c", "o")
_WHOLE = content(_BATCH, [StreamRecord(1, "k", datetime(2026, 3, 1, tzinfo=UTC), b"data")])


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"no gzip",
        _WHOLE[:-9],
        gzip.compress(b""),
        gzip.compress(b"{}\n"),
        gzip.compress(gzip.decompress(_WHOLE).replace(b'"data": "', b'"data": "*')),
        gzip.compress(gzip.decompress(_WHOLE).replace(b"+00:00", b"")),
    ],
)
def test_a_damaged_file_is_refused_by_its_place(damaged: bytes) -> None:
    with pytest.raises(StorageError, match="s3://bucket/raw is no raw file, or a damaged one"):
        read(damaged, "s3://bucket/raw")
