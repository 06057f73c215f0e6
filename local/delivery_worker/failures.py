"""The message about a batch that failed for good, as Lambda sends it to the on-failure destination."""

from __future__ import annotations

from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from local.delivery_worker.batches import Batch


class Condition(StrEnum):
    """Why Lambda gave up."""

    RETRIES = "RetryAttemptsExhausted"
    AGE = "RecordAgeExceeded"


def on_failure_message(
    batch: Batch,
    condition: Condition,
    *,
    request_id: UUID,
    invocations: int,
    function_arn: str,
    stream_arn: str,
    now: datetime,
) -> dict[str, Any]:
    """The body of the message: the batch's position in the stream, never its records."""
    message: dict[str, Any] = {
        "requestContext": {
            "requestId": str(request_id),
            "functionArn": function_arn,
            "condition": condition.value,
            "approximateInvokeCount": invocations,
        },
    }
    if condition is not Condition.AGE:  # a batch that got too old may never have been answered
        message["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    first, last = batch.records[0], batch.records[-1]
    return message | {
        "version": "1.0",
        "timestamp": stamp(now),
        "KinesisBatchInfo": {
            "shardId": batch.shard_id,
            "startSequenceNumber": first.sequence_number,
            "endSequenceNumber": last.sequence_number,
            "approximateArrivalOfFirstRecord": stamp(first.arrived),
            "approximateArrivalOfLastRecord": stamp(last.arrived),
            "batchSize": len(batch),
            "streamArn": stream_arn,
        },
    }


def stamp(moment: datetime) -> str:
    """A time as AWS and Winston write it: UTC, milliseconds, ``Z``.

    >>> from datetime import UTC, datetime
    >>> stamp(datetime(2019, 11, 14, 0, 38, 6, 21999, tzinfo=UTC))
    '2019-11-14T00:38:06.021Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
