"""The dead-letter queue, looked at without taking anything out of it, and the records that its messages speak of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dmd_pipeline.failed_batches import StreamRecord
from local.errors import LocalError


if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_kinesis.client import KinesisClient
    from mypy_boto3_sqs.client import SQSClient

_PAGE_OF_RECORDS = 1000  # a shard gives 2 MB a second
_PEEK_SECONDS = 60


class EvidenceError(LocalError):
    """Two things that AWS tells do not go together."""


@dataclass(frozen=True)
class Message:
    """A message in a queue.

    Attributes:
        id: Its id.
        sent: When it was sent.
        body: What it says.
    """

    id: str
    sent: datetime
    body: dict[str, Any]


def peek(sqs: SQSClient, queue: str) -> list[Message]:
    """A queue's messages; they are visible again afterwards."""
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found: list[Message] = []
    handles: list[str] = []
    while messages := sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=_PEEK_SECONDS,
        MessageSystemAttributeNames=["SentTimestamp"],
    ).get("Messages"):
        for message in messages:
            sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
            found.append(Message(message["MessageId"], sent, json.loads(message["Body"])))
            handles.append(message["ReceiptHandle"])
    for handle in handles:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    return found


def in_flight(sqs: SQSClient, queue: str) -> int:
    """How many of a queue's messages somebody is working on, so that nobody else sees them."""
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"])
    return int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])


def records_between(kinesis: KinesisClient, stream: str, batch: dict[str, Any]) -> list[StreamRecord]:
    """What the stream holds between the ends of a failed batch: also records of other lanes, and filtered ones.

    Args:
        kinesis: The client.
        stream: The stream's name.
        batch: ``KinesisBatchInfo`` of its message.
    """
    first, last = batch["startSequenceNumber"], int(batch["endSequenceNumber"])
    found: list[StreamRecord] = []
    for record in _from(kinesis, stream, batch["shardId"], first):
        if record.sequence_number > last:
            break
        found.append(record)
        if record.sequence_number == last:
            break
    return found


def _from(kinesis: KinesisClient, stream: str, shard_id: str, first: str) -> Iterator[StreamRecord]:
    iterator: str | None = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard_id, ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=first
    )["ShardIterator"]
    while iterator is not None:
        page = kinesis.get_records(ShardIterator=iterator, Limit=_PAGE_OF_RECORDS)
        for one in page["Records"]:
            yield StreamRecord(
                int(one["SequenceNumber"]), one["PartitionKey"], one["ApproximateArrivalTimestamp"], one["Data"]
            )
        iterator = page.get("NextShardIterator") if page.get("MillisBehindLatest") else None
