from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from local.delivery_worker.batches import Batch, StreamRecord
from local.delivery_worker.failures import Condition, on_failure_message


ARRIVED = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
BATCH = Batch(
    "shardId-000000000001",
    tuple(StreamRecord(str(100 + place), "key", ARRIVED + timedelta(seconds=place), b"{}") for place in range(3)),
)
CONTEXT = {
    "requestId": "00000000-0000-0000-0000-000000000007",
    "functionArn": "arn:function",
    "approximateInvokeCount": 3,
}


def message(condition: Condition) -> dict[str, object]:
    return on_failure_message(
        BATCH,
        condition,
        request_id=UUID(int=7),
        invocations=3,
        function_arn="arn:function",
        stream_arn="arn:stream",
        now=ARRIVED + timedelta(minutes=1),
    )


def test_the_message_is_the_one_that_aws_sends() -> None:
    assert message(Condition.RETRIES) == {
        "requestContext": {**CONTEXT, "condition": "RetryAttemptsExhausted"},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2026-01-02T03:05:05.678Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000001",
            "startSequenceNumber": "100",
            "endSequenceNumber": "102",
            "approximateArrivalOfFirstRecord": "2026-01-02T03:04:05.678Z",
            "approximateArrivalOfLastRecord": "2026-01-02T03:04:07.678Z",
            "batchSize": 3,
            "streamArn": "arn:stream",
        },
    }


def test_a_batch_that_got_too_old_has_no_response() -> None:
    expired = message(Condition.AGE)

    assert "responseContext" not in expired
    assert expired["requestContext"] == {**CONTEXT, "condition": "RecordAgeExceeded"}


def test_halves_keep_all_records_in_order() -> None:
    first, second = BATCH.halves()

    assert first.records + second.records == BATCH.records
    assert (len(first), len(second)) == (1, 2)
