"""What the tests of replays share: records on the stream, messages in the queue, and what a run leaves behind."""

from __future__ import annotations

import base64
import json
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
from moto.sqs.models import sqs_backends

from dmd_pipeline import raw_batches
from dmd_pipeline.aws.cloudwatch import Alarms
from dmd_pipeline.aws.kinesis import Stream
from dmd_pipeline.aws.lambda_ import Functions
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.aws.sqs import Queue
from dmd_pipeline.failed_batches import BatchId
from dmd_pipeline.jobs import reprocess_failed_batches
from tests.integration.jobs.conftest import NO_RETRIES


if TYPE_CHECKING:
    from collections.abc import Sequence

    from dmd_pipeline.jobs.replay_reports import SecureReport
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


AT_ONCE = timedelta(seconds=0)
REQUEST_ID = "e4b46cbf-b738-xmpl-8880-a18cdf61200e"
_RECORDS_A_REQUEST = 500
_BYTES_A_SECOND = 1024 * 1024


@dataclass(frozen=True)
class Sent:
    """A record on the stream."""

    shard_id: str
    number: int
    data: bytes
    at: datetime


class ReplayWorld:
    """The local AWS with failed batches in it.

    Attributes:
        aws: The local AWS.
        settings: Of its environment.
        shards: Ids of the shards that it began with.
    """

    def __init__(self, aws: LocalAws, settings: Settings) -> None:
        self.aws = aws
        self.settings = settings
        self.clients: dict[str, Any] = {
            name: boto3.client(name, config=NO_RETRIES) for name in ("sqs", "kinesis", "lambda", "cloudwatch", "s3")
        }  # of its own: tests hang hooks on them
        self.bucket = Bucket(self.clients["s3"], settings.bucket)
        self.shards = self.open_shards()
        self.pauses: list[float] = []
        aws.calls.clear()

    def open_shards(self) -> list[str]:
        """Shards that can be written to, sorted."""
        found = self.aws.client("kinesis").list_shards(StreamName=self.settings.stream)["Shards"]
        return sorted(shard["ShardId"] for shard in found if "EndingSequenceNumber" not in shard["SequenceNumberRange"])

    def now(self) -> datetime:
        """The local AWS's time."""
        return datetime.fromtimestamp(self.aws.clock.now(), UTC)

    def sleep(self, seconds: float) -> None:
        """Let time pass for the local AWS, and for nobody else."""
        self.pauses.append(seconds)
        self.aws.clock.advance(timedelta(seconds=seconds))

    def reshard(self) -> None:
        """Twice as many shards: those that were open are closed."""
        self.aws.client("kinesis").update_shard_count(
            StreamName=self.settings.stream, TargetShardCount=2 * len(self.open_shards()), ScalingType="UNIFORM_SCALING"
        )

    def put(self, shard_id: str, *data: bytes) -> list[Sent]:
        """Write to a shard, as fast as it takes it."""
        found = self.aws.client("kinesis").list_shards(StreamName=self.settings.stream)["Shards"]
        (hash_key,) = (shard["HashKeyRange"]["StartingHashKey"] for shard in found if shard["ShardId"] == shard_id)
        sent: list[Sent] = []
        left = list(data)
        while left:
            size, count = 0, 0
            for one in left[:_RECORDS_A_REQUEST]:
                size += len(one) + 1
                if count and size > _BYTES_A_SECOND:
                    break
                count += 1
            batch, left = left[:count], left[count:]
            entries = [{"Data": one, "PartitionKey": "k", "ExplicitHashKey": hash_key} for one in batch]
            answer = self.aws.client("kinesis").put_records(StreamName=self.settings.stream, Records=entries)
            assert answer["FailedRecordCount"] == 0
            sent += [
                Sent(shard_id, int(result["SequenceNumber"]), one, self.now())
                for result, one in zip(answer["Records"], batch, strict=True)
            ]
            if left:
                self.aws.clock.advance(timedelta(seconds=1.1))
        return sent

    def put_some(self, shard_id: str, count: int, size: int = 20) -> list[Sent]:
        """Write so many different records to a shard."""
        return self.put(shard_id, *(f"{number:08d}".encode().ljust(size, b".") for number in range(count)))

    def position(self, records: Sequence[Sent], **changes: Any) -> dict[str, Any]:
        """The message about a batch, as Lambda sends it."""
        first, last = records[0], records[-1]
        info = {
            "shardId": first.shard_id,
            "startSequenceNumber": str(first.number),
            "endSequenceNumber": str(last.number),
            "approximateArrivalOfFirstRecord": stamp(first.at),
            "approximateArrivalOfLastRecord": stamp(last.at),
            "batchSize": len(records),
            "streamArn": self.settings.stream_arn,
        }
        return {
            "requestContext": {
                "requestId": REQUEST_ID,
                "functionArn": self.settings.function_arn,
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 3,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": stamp(self.now()),
            "KinesisBatchInfo": info | changes,
        }

    def event(self, records: Sequence[Sent]) -> dict[str, Any]:
        """The event that the function is invoked with."""
        return {
            "Records": [
                {
                    "kinesis": {
                        "kinesisSchemaVersion": "1.0",
                        "partitionKey": "k",
                        "sequenceNumber": str(record.number),
                        "data": base64.b64encode(record.data).decode(),
                        "approximateArrivalTimestamp": round(record.at.timestamp(), 3),
                    },
                    "eventSource": "aws:kinesis",
                    "eventVersion": "1.0",
                    "eventID": f"{record.shard_id}:{record.number}",
                    "eventName": "aws:kinesis:record",
                    "invokeIdentityArn": f"arn:aws:iam::{self.settings.account_id}:role/worker",
                    "awsRegion": self.settings.region,
                    "eventSourceARN": self.settings.stream_arn,
                }
                for record in records
            ]
        }

    def send(self, body: Any, **attributes: str) -> str:
        """Put a message into the queue; its id."""
        sqs = self.aws.client("sqs")
        url = sqs.get_queue_url(QueueName=self.settings.dead_letter_queue)["QueueUrl"]
        answer = sqs.send_message(
            QueueUrl=url,
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
        identifier: str = answer["MessageId"]
        return identifier

    def messages(self) -> list[Any]:
        """What is in the queue, visible or not, as moto keeps it."""
        return list(self._queue._messages)

    def receive_by_others(self) -> list[Any]:
        """What somebody else would receive now."""
        sqs = self.aws.client("sqs")
        url = sqs.get_queue_url(QueueName=self.settings.dead_letter_queue)["QueueUrl"]
        found: list[Any] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get(
            "Messages", []
        )
        return found

    def show_all(self) -> None:
        """Let the time pass after which hidden messages are visible."""
        for message in self._queue._messages:
            message.visible_at = 0

    def restore(self, messages: Sequence[Any]) -> None:
        """Put the queue back to what :meth:`messages` said."""
        self._queue._messages = deepcopy(list(messages))
        self._queue._pending_messages = set()
        self._queue.deleted_messages = set()
        self.show_all()

    @property
    def _queue(self) -> Any:
        return sqs_backends[self.settings.account_id][self.settings.region].queues[self.settings.dead_letter_queue]

    def secure(self, **asked: Any) -> SecureReport:
        """Run the job, without waiting for anything."""
        clients, settings = self.clients, self.settings
        arguments = {
            "now": self.now,
            "sleep": self.sleep,
            "clock": self.aws.clock.now,
            "long_poll": AT_ONCE,
            **asked,
        }
        return reprocess_failed_batches.secure(
            settings,
            queue=Queue(clients["sqs"], settings.dead_letter_queue),
            stream=Stream(clients["kinesis"], settings.stream),
            functions=Functions(clients["lambda"]),
            alarms=Alarms(clients["cloudwatch"]),
            bucket=self.bucket,
            **arguments,
        )

    def written(self, prefix: str = "") -> dict[str, bytes]:
        """Content of the objects that a run may have written, by key without the environment's prefix."""
        s3, found = self.aws.client("s3"), {}
        for below in ("replay/", "quarantine/"):
            pages = s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.settings.bucket, Prefix=f"{self.settings.prefix}/{below}"
            )
            for page in pages:
                for one in page.get("Contents", []):
                    key = one["Key"].removeprefix(f"{self.settings.prefix}/")
                    found[key] = s3.get_object(Bucket=self.settings.bucket, Key=one["Key"])["Body"].read()
        return {key: content for key, content in found.items() if key.startswith(prefix)}

    def forget(self) -> None:
        """Remove what runs have written."""
        for key in self.written():
            self.aws.client("s3").delete_object(Bucket=self.settings.bucket, Key=f"{self.settings.prefix}/{key}")

    def batch(self, records: Sequence[Sent]) -> BatchId:
        """The batch of these records."""
        return BatchId(records[0].shard_id, records[0].number, records[-1].number)

    def raw_name(self, records: Sequence[Sent]) -> str:
        """Key of a batch's raw file, without the environment's prefix."""
        return f"replay/raw/{self.batch(records)}.jsonl.gz"

    def secured(self, records: Sequence[Sent]) -> list[bytes]:
        """Data of the records in a batch's raw file."""
        content = self.written()[self.raw_name(records)]
        return [record.data for record in raw_batches.read(content, "raw").records]

    def set_mapping(self, **changes: Any) -> None:
        """Change the event source mapping."""
        client = self.aws.client("lambda")
        (mapping,) = client.list_event_source_mappings()["EventSourceMappings"]
        client.update_event_source_mapping(UUID=mapping["UUID"], **changes)


def stamp(moment: datetime) -> str:
    """A time as AWS writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
