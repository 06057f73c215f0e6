"""Failed batches on the local AWS: change records on a shard of the stream, and Lambda's message about them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dmd_pipeline.failed_batches import BatchId
from local.traffic.plan import Size, plan


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


_AT_ONCE = 500


@dataclass(frozen=True)
class Failed:
    """A failed batch.

    Attributes:
        batch: Its place.
        message: Id of the message about it.
        rows: How many of its records become rows.
        invalid: How many are rejected.
        filtered: How many the event source mapping keeps from the worker.
    """

    batch: BatchId
    message: str
    rows: int
    invalid: int
    filtered: int


def fail_batch(
    aws: LocalAws,
    settings: Settings,
    *,
    shard: int = 0,
    records: int = 400,
    seed: int = 2,
    ago: timedelta = timedelta(0),
) -> Failed:
    """Put traffic on a shard, and a message into the dead-letter queue that says that the worker failed on it.

    The message says that the records arrived so long ago, for tests that move the clock of the local AWS alone.
    """
    kinesis, sqs = aws.client("kinesis"), aws.client("sqs")
    where = kinesis.list_shards(StreamName=settings.stream)["Shards"][shard]
    planned = list(plan(Size(records=records, days=5), seed, datetime.now(UTC)))
    numbers: list[int] = []
    for first in range(0, len(planned), _AT_ONCE):
        entries = [
            {"Data": one.data, "PartitionKey": "k", "ExplicitHashKey": where["HashKeyRange"]["StartingHashKey"]}
            for one in planned[first : first + _AT_ONCE]
        ]
        answer = kinesis.put_records(StreamName=settings.stream, Records=entries)
        assert answer["FailedRecordCount"] == 0
        numbers += [int(one["SequenceNumber"]) for one in answer["Records"]]
    filtered = sum(one.record_type is None for one in planned)
    invalid = sum(one.record_type is not None and one.flaw is not None for one in planned)
    batch = BatchId(where["ShardId"], min(numbers), max(numbers))
    url = sqs.get_queue_url(QueueName=settings.dead_letter_queue)["QueueUrl"]
    body = json.dumps(_message(settings, batch, len(planned) - filtered, datetime.now(UTC) - ago))
    message = sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"]
    return Failed(batch, message, len(planned) - filtered - invalid, invalid, filtered)


def _message(settings: Settings, batch: BatchId, size: int, at: datetime) -> dict[str, object]:
    now = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "requestContext": {
            "requestId": "b7c2a3f0-0000-4000-8000-000000000001",
            "functionArn": settings.function_arn,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": now,
        "KinesisBatchInfo": {
            "shardId": batch.folder,
            "startSequenceNumber": str(batch.start),
            "endSequenceNumber": str(batch.end),
            "approximateArrivalOfFirstRecord": now,
            "approximateArrivalOfLastRecord": now,
            "batchSize": size,
            "streamArn": settings.stream_arn,
        },
    }
