"""Places of failed batches, and until when their records are there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dmd_pipeline.failed_batches import DOCUMENTS, BatchId, FailedBatch, StreamRecord


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SHARD = "shardId-000000000001"


@pytest.mark.parametrize(
    ("folder", "start", "end"), [("", 1, 2), ("a/b", 1, 2), ("a_b", 1, 2), ("a", 2, 1), ("a", -1, 1)]
)
def test_what_may_not_stand_in_a_key_is_refused(folder: str, start: int, end: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        BatchId(folder, start, end)


@pytest.mark.parametrize(
    ("folder", "source", "lane"),
    [
        (SHARD, SHARD, SHARD),
        (f"{SHARD}-retry12", SHARD, SHARD),
        ("errors-2026-03-01-a", "errors-2026-03-01-a", DOCUMENTS),
        ("errors-2026-03-01-a-retry1", "errors-2026-03-01-a", DOCUMENTS),
    ],
)
def test_a_folder_tells_its_source_and_its_lane(folder: str, source: str, lane: str) -> None:
    batch = BatchId(folder, 1, 2)
    assert (batch.source, batch.lane) == (source, lane)


def test_batches_overlap_only_within_one_source() -> None:
    batch = BatchId(SHARD, 10, 20)
    assert batch.overlaps(BatchId(f"{SHARD}-retry1", 20, 30))
    assert not batch.overlaps(BatchId(SHARD, 21, 30))
    assert not batch.overlaps(BatchId("shardId-000000000002", 10, 20))


def test_the_deadline_is_the_earlier_of_stream_and_queue() -> None:
    batch = FailedBatch(BatchId(SHARD, 1, 2), 2, NOON, NOON, "c", "o", sent=NOON + timedelta(hours=1))
    assert batch.deadline(DAY, 14 * DAY) == NOON + DAY
    assert batch.deadline(7 * DAY, DAY) == NOON + timedelta(hours=1) + DAY


def test_records_that_came_along_have_no_deadline_but_the_queues() -> None:
    records = (StreamRecord(1, "k", NOON, b""),)
    batch = FailedBatch(BatchId(SHARD, 1, 1), 1, NOON, NOON, "c", "o", sent=NOON, records=records)
    assert batch.deadline(DAY, 4 * DAY) == NOON + 4 * DAY
    assert FailedBatch(BatchId(SHARD, 1, 1), 1, NOON, NOON, "c", "o", records=records).deadline(DAY, DAY) is None
