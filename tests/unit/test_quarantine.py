"""Documents in quarantine, and what they give back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dmd_pipeline.errors import StorageError
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord
from dmd_pipeline.quarantine import Rejection, batches_in, lost_document, message_document, rejected_document
from tests.unit.test_failures import FUNCTION, STREAM, position


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BATCH = FailedBatch(BatchId("shardId-000000000001", 10, 20), 5, NOON, NOON, "RetryAttemptsExhausted", "message m", "r")
REJECTED = [
    Rejection(StreamRecord(number, "k", NOON + timedelta(seconds=number), b"\xff%d" % number), "type: missing")
    for number in (18, 12)
]


def test_rejected_records_come_back_under_their_own_numbers_and_are_counted() -> None:
    [batch] = batches_in(rejected_document(BATCH, REJECTED), "s3://b/q")
    assert (batch.id, batch.attempts, batch.size) == (BatchId("shardId-000000000001-retry1", 12, 18), 1, 2)
    assert batch.records == tuple(one.record for one in reversed(REJECTED))
    assert (batch.id.source, batch.id.lane) == (BATCH.id.folder, BATCH.id.folder)
    assert (batch.request_id, batch.origin, batch.sent) == ("r", "s3://b/q", None)
    [again] = batches_in(rejected_document(batch, REJECTED), "s3://b/q")
    assert (again.id.folder, again.attempts) == ("shardId-000000000001-retry2", 2)


def test_the_same_rejections_give_the_same_bytes() -> None:
    assert rejected_document(BATCH, REJECTED) == rejected_document(BATCH, REJECTED[::-1])


def test_a_document_says_why_without_the_record_in_plain_sight() -> None:
    secret = replace(REJECTED[0].record, data=b'{"phoneNumber": "+1-555-0100"}')
    document = rejected_document(BATCH, [Rejection(secret, "eventId: missing")])
    assert json.loads(document)["records"][0]["reason"] == "eventId: missing"
    assert b"555-0100" not in document


def kept_message(body: str, reason: str = "unknown") -> bytes:
    return message_document(reason, "why", message_id="m", body=body, attributes={"a": "b"}, sent=NOON)


def test_a_message_is_kept_whole_and_read_again_when_it_is_understood() -> None:
    document = kept_message(json.dumps(position()))
    assert json.loads(document)["attributes"] == {"a": "b"}
    [batch] = batches_in(document, "s3://b/q", stream_arn=STREAM, function_arn=FUNCTION)
    assert (batch.id.folder, batch.sent) == ("shardId-000000000006", None)
    assert batches_in(document, "s3://b/q") == []


def test_a_message_that_is_still_not_understood_gives_nothing() -> None:
    assert batches_in(kept_message("no JSON"), "s3://b/q", stream_arn=STREAM, function_arn=FUNCTION) == []


def test_what_is_lost_is_told_and_gives_nothing_back() -> None:
    document = lost_document(BATCH, at_least=3, at_most=5, first_left=14, since=NOON)
    told = json.loads(document)
    assert (told["batch"], told["lostAtLeast"], told["lostAtMost"]) == (str(BATCH.id), 3, 5)
    assert (told["firstLeft"], told["lostSince"]) == ("14", NOON.isoformat())
    assert batches_in(document, "s3://b/q") == []


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"kind": "other"}', b'{"kind": "rejected", "records": []}', b"\xff"]
)
def test_another_document_is_refused_by_its_place(content: bytes) -> None:
    with pytest.raises(StorageError, match="s3://b/q is no document of this quarantine, or a damaged one"):
        batches_in(content, "s3://b/q")
