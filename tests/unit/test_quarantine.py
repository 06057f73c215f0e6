"""Documents in quarantine: what they hold, and what they give back for another attempt."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline import quarantine
from dmd_pipeline.errors import StorageError
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord
from dmd_pipeline.quarantine import Rejection


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHARD = "shardId-000000000001"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/changes"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:deliveryWorker"
BATCH = FailedBatch(BatchId(SHARD, 17, 30), 9, NOON, NOON, "RetryAttemptsExhausted", "queue message 5f0c", "e4b4")
WHERE = "s3://bucket/quarantine/x.json"
SECRET = "+15550100"


def record(number: int, data: bytes = SECRET.encode()) -> StreamRecord:
    return StreamRecord(number, "k", NOON + timedelta(seconds=number), data)


REJECTED = [Rejection(record(25), "type: missing"), Rejection(record(19), "eventId: expected a string")]


def read(content: bytes) -> list[FailedBatch]:
    return quarantine.batches_in(content, WHERE, stream_arn=STREAM, function_arn=FUNCTION)


class TestRejectedRecords:
    """Records that cannot become rows."""

    def test_come_back_as_one_batch_under_their_own_numbers(self) -> None:
        assert read(quarantine.rejected_document(BATCH, REJECTED)) == [
            FailedBatch(
                id=BatchId(f"{SHARD}-retry1", 19, 25),
                size=2,
                first_arrival=NOON + timedelta(seconds=19),
                last_arrival=NOON + timedelta(seconds=25),
                condition="quarantine",
                origin=WHERE,
                request_id="e4b4",
                attempts=1,
                records=(record(19), record(25)),
            )
        ]

    def test_count_every_attempt_and_keep_their_shard(self) -> None:
        batch = BATCH
        for attempt in (1, 2, 3):
            (batch,) = read(quarantine.rejected_document(batch, REJECTED))
            assert (batch.attempts, batch.id.folder) == (attempt, f"{SHARD}-retry{attempt}")
            assert (batch.id.source, batch.id.lane) == (SHARD, SHARD)

    @given(st.lists(st.binary(), min_size=1, max_size=5))
    def test_keep_every_byte(self, contents: list[bytes]) -> None:
        records = tuple(record(place, data) for place, data in enumerate(contents))
        (batch,) = read(quarantine.rejected_document(BATCH, [Rejection(one, "x: y") for one in records]))
        assert batch.records == records

    def test_give_the_same_bytes_in_any_order(self) -> None:
        assert quarantine.rejected_document(BATCH, REJECTED) == quarantine.rejected_document(BATCH, REJECTED[::-1])

    def test_stand_there_with_reason_and_origin_and_encoded(self) -> None:
        content = quarantine.rejected_document(BATCH, REJECTED)
        document = json.loads(content)
        assert [one["reason"] for one in document["records"]] == ["eventId: expected a string", "type: missing"]
        assert (document["batch"], document["origin"]) == (f"{SHARD}/17-30", "queue message 5f0c")
        assert SECRET.encode() not in content

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("records", []),
            ("records", None),
            ("records", [{}]),
            ("records", "abc"),
            ("attempts", 0),
            ("attempts", "1"),
            ("attempts", float("inf")),
            ("folder", None),
            ("folder", "../x"),
            ("requestId", 3),
            ("kind", "other"),
            ("kind", []),
        ],
    )
    def test_in_a_damaged_document_are_told_by_place(self, key: str, value: Any) -> None:
        document = json.loads(quarantine.rejected_document(BATCH, REJECTED)) | {key: value}
        with pytest.raises(StorageError, match=WHERE):
            read(json.dumps(document).encode())


class TestMessages:
    """Messages that told of no failed batch of this pipeline."""

    POSITION = json.dumps(
        {
            "requestContext": {"requestId": "e4b4", "functionArn": FUNCTION, "condition": "x"},
            "KinesisBatchInfo": {
                "shardId": SHARD,
                "startSequenceNumber": "17",
                "endSequenceNumber": "30",
                "approximateArrivalOfFirstRecord": "2026-03-01T12:00:00Z",
                "approximateArrivalOfLastRecord": "2026-03-01T12:00:00Z",
                "batchSize": 9,
                "streamArn": STREAM,
            },
        }
    )

    def document(self, body: str, **attributes: str) -> bytes:
        return quarantine.message_document(
            "unknown", "the body: expected JSON", message_id="5f0c", body=body, attributes=attributes, sent=NOON
        )

    @pytest.mark.parametrize("body", ["hello {", "x" * 262_144, "\u2603 \U0001f600", ""])
    def test_are_kept_whole_with_their_attributes(self, body: str) -> None:
        document = json.loads(self.document(body, ErrorCode="200"))
        assert document == {
            "kind": "message",
            "reason": "unknown",
            "text": "the body: expected JSON",
            "messageId": "5f0c",
            "sent": "2026-03-01T12:00:00+00:00",
            "attributes": {"ErrorCode": "200"},
            "body": body,
        }

    def test_that_are_understood_by_now_come_back_and_no_queue_forgets_them(self) -> None:
        (batch,) = read(self.document(self.POSITION))
        assert batch == replace(BATCH, condition="x", origin=WHERE)
        assert batch.sent is None

    def test_that_are_not_understood_stay(self) -> None:
        assert read(self.document("hello {")) == []

    def test_are_not_asked_for_without_our_stream(self) -> None:
        assert quarantine.batches_in(self.document(self.POSITION), WHERE) == []

    @pytest.mark.parametrize(("key", "value"), [("body", None), ("attributes", 3)])
    def test_in_a_damaged_document_are_told_by_place(self, key: str, value: Any) -> None:
        document = json.loads(self.document("hello {")) | {key: value}
        with pytest.raises(StorageError, match=WHERE):
            read(json.dumps(document).encode())


class TestLosses:
    """What nobody can bring back."""

    def test_say_shard_range_count_and_since_when(self) -> None:
        content = quarantine.lost_document(BATCH, at_least=2, at_most=5, first_left=19, since=NOON)
        document = json.loads(content)
        assert document["batch"] == f"{SHARD}/17-30"
        assert (document["lostAtLeast"], document["lostAtMost"], document["firstLeft"]) == (2, 5, "19")
        assert document["lostSince"] == "2026-03-01T12:00:00+00:00"
        assert read(content) == []

    def test_say_null_for_what_nobody_knows(self) -> None:
        batch = replace(BATCH, size=None, first_arrival=None, last_arrival=None)
        document = json.loads(quarantine.lost_document(batch, at_least=1, at_most=None, first_left=None, since=None))
        unknown = ("size", "firstArrival", "lastArrival", "lostAtMost", "firstLeft", "lostSince")
        assert [document[name] for name in unknown] == [None] * 6


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"3", b"\xff\xff", b"[" * 100_000])
def test_anything_else_is_told_by_place(content: bytes) -> None:
    with pytest.raises(StorageError, match=WHERE):
        read(content)
