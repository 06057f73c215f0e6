"""Where the records that were sent are now, as AWS tells it.

Each function looks in one place and counts records by their type. Nothing is taken from the ledger here: what was
sent and what was found must agree by themselves.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dmd_pipeline.delivery import original_events
from local.delivery_worker.batches import lane_of
from local.delivery_worker.mapping import read_mapping
from local.delivery_worker.reports import CRASHED, WROTE_FILE
from local.errors import LocalError


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dmd_pipeline.settings import Settings
    from local.clients import LocalClients

UNREADABLE = "unreadable"
"""Stands for the type of a record from which none can be read."""
_PAGE_OF_RECORDS = 1000  # a shard gives 2 MB a second
_PERIOD = timedelta(days=2)  # a local pipeline runs for hours


class EvidenceError(LocalError):
    """Two things that AWS tells do not go together."""


class Evidence:
    """Looks for records in one local pipeline's AWS.

    Args:
        clients: Its clients.
        settings: The environment's names.
        tables: The record types.
    """

    def __init__(self, clients: LocalClients, settings: Settings, tables: Iterable[str]) -> None:
        self._clients = clients
        self._settings = settings
        self._tables = sorted(tables)

    def readable(self) -> Counter[str]:
        """Rows that Athena reads."""
        return Counter({table: self._count(f"SELECT count(*) FROM {table}") for table in self._tables})

    def in_errors(self, files: Iterable[str] | None = None) -> Counter[str]:
        """Records in files of errors/, all files unless some are given."""
        counts: Counter[str] = Counter()
        s3 = self._clients("s3")
        for key in self._error_files() if files is None else files:
            body = s3.get_object(Bucket=self._settings.bucket, Key=key)["Body"].read()
            counts.update(record_type_of(event) for event in original_events(body))
        return counts

    def in_dead_letter_queue(self) -> Counter[str]:
        """Records whose batch stands in the dead-letter queue, counted on the stream.

        Raises:
            EvidenceError: The stream holds another number of records than a message says.
        """
        counts: Counter[str] = Counter()
        for message in self.dead_letters():
            batch = message["KinesisBatchInfo"]
            records = self._records_of(batch)
            if len(records) != batch["batchSize"]:
                raise EvidenceError(
                    f"A message in the dead-letter queue speaks of {batch['batchSize']} records in {batch['shardId']} "
                    f"from {batch['startSequenceNumber']}; the stream holds {len(records)}."
                )
            counts.update(record_type_of(data) for data in records)
        return counts

    def dead_letters(self) -> list[dict[str, Any]]:
        """The messages in the dead-letter queue; they stay there."""
        return [json.loads(body) for body in self._peek(self._settings.dead_letter_queue)]

    def alerts(self) -> list[dict[str, Any]]:
        """What the alerts' topic has sent to the queues that it feeds; it stays there."""
        subscriptions = self._clients("sns").list_subscriptions_by_topic(TopicArn=self._settings.alerts_topic_arn)
        queues = [
            one["Endpoint"].rpartition(":")[2] for one in subscriptions["Subscriptions"] if one["Protocol"] == "sqs"
        ]
        return [json.loads(body) for queue in queues for body in self._peek(queue)]

    def filtered(self) -> int:
        """Records that the event source mapping's filter dropped, by its own metric."""
        mapping = read_mapping(self._clients("lambda"), self._settings)
        now = datetime.now(UTC)
        answer = self._clients("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="FilteredOutEventCount",
            Dimensions=[{"Name": "EventSourceMappingUUID", "Value": mapping.uuid}],
            StartTime=now - _PERIOD,
            EndTime=now + timedelta(minutes=5),
            Period=300,
            Statistics=["Sum"],
        )
        return int(sum(point["Sum"] for point in answer["Datapoints"]))

    def written_in_vain(self) -> Counter[str]:
        """Records that stand in S3 because of invocations that failed afterwards.

        Their batch was, or will be, delivered once more as a whole, so these are copies. Which files they are, the
        function's log tells.
        """
        counts: Counter[str] = Counter()
        files = self.files_of_failed_invocations()
        for table in self._tables:
            prefix = self._settings.layout.table_prefix(table)
            paths = [f"'{self._settings.layout.uri(key)}'" for key in files if key.startswith(prefix)]
            if paths:
                counts[table] = self._count(f'SELECT count(*) FROM {table} WHERE "$path" IN ({", ".join(paths)})')
        errors = self._settings.layout.errors_prefix()
        return counts + self.in_errors([key for key in files if key.startswith(errors)])

    def files_of_failed_invocations(self) -> list[str]:
        """Keys of the files that the function wrote in invocations that crashed later, by its log."""
        written: dict[str, list[str]] = {}
        failed: set[str] = set()
        pages = self._clients("logs").get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=f"/aws/lambda/{self._settings.function}"):
            for event in page["events"]:
                message: str = event["message"]
                if CRASHED in message:
                    failed.add(message.split()[1])
                elif WROTE_FILE in message:
                    line = json.loads(message)
                    written.setdefault(line["requestId"], []).append(line["context"]["key"])
        return [key for request_id in sorted(failed) for key in written.get(request_id, [])]

    def registered(self) -> dict[str, list[str]]:
        """The partition dates that Glue holds, by table."""
        pages = self._clients("glue").get_paginator("get_partitions")
        return {
            table: [
                partition["Values"][0]
                for page in pages.paginate(
                    DatabaseName=self._settings.database, TableName=table, ExcludeColumnSchema=True
                )
                for partition in page["Partitions"]
            ]
            for table in self._tables
        }

    def _count(self, query: str) -> int:
        with self._clients.athena().cursor() as cursor:
            row = cursor.execute(query).fetchone()
            return int(row[0]) if row else 0

    def _error_files(self) -> Iterator[str]:
        pages = self._clients("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._settings.bucket, Prefix=self._settings.layout.errors_prefix()):
            for found in page.get("Contents", []):
                yield found["Key"]

    def _records_of(self, batch: dict[str, Any]) -> list[bytes]:
        """The records of a failed batch: those between its ends that pass the filter and take the same lane."""
        mapping = read_mapping(self._clients("lambda"), self._settings)
        kinesis = self._clients("kinesis")
        iterator = kinesis.get_shard_iterator(
            StreamName=self._settings.stream,
            ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=batch["startSequenceNumber"],
        )["ShardIterator"]
        last = int(batch["endSequenceNumber"])
        found: list[tuple[int, bytes]] = []
        while iterator is not None:
            page = kinesis.get_records(ShardIterator=iterator, Limit=_PAGE_OF_RECORDS)
            in_range = [record for record in page["Records"] if int(record["SequenceNumber"]) <= last]
            found += [
                (lane_of(record["PartitionKey"], mapping.parallelization_factor), record["Data"])
                for record in in_range
                if mapping.event_filter.passes(record["Data"], record["PartitionKey"])
            ]
            ends = len(in_range) < len(page["Records"]) or (in_range and int(in_range[-1]["SequenceNumber"]) == last)
            iterator = None if ends or not page.get("MillisBehindLatest") else page.get("NextShardIterator")
        return [data for lane, data in found if lane == found[0][0]]

    def _peek(self, queue: str) -> list[str]:
        """The bodies of a queue's messages, which are visible again afterwards."""
        sqs = self._clients("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        bodies: list[str] = []
        handles: list[str] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60).get(
            "Messages"
        ):
            for message in messages:
                bodies.append(message["Body"])
                handles.append(message["ReceiptHandle"])
        for handle in handles:
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        return bodies


def record_type_of(data: bytes) -> str:
    """The type of a change record, ``UNREADABLE`` when it tells none."""
    try:
        change = json.loads(data)["dynamodb"]
        image = change.get("NewImage") or change["OldImage"]
        return str(image["type"]["S"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return UNREADABLE
