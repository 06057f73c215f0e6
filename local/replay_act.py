"""The demo's act about failed batches: what there is to see before it, and two settings that make it short.

Both settings are put back at its end. What the delivery worker does is over by then, so neither changes what it did.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_sqs.client import SQSClient

    from dmd_pipeline.settings import Settings
    from local.dead_letters import Message
    from local.worker_log import Invocation

REPLAY_DAG: Final = "reprocess_failed_batches"
_LEFT: Final = timedelta(hours=3)
"""Until the queue forgets its oldest message: less than the margin at which the DAG alerts."""
_RECORD_AGE_SECONDS: Final = 60
"""The least that Lambda takes."""


def failed_batches(
    messages: Sequence[Message], invocations: Sequence[Invocation]
) -> tuple[list[list[object]], list[str]]:
    """Rows and headers of a table: each failed batch, and what its attempts wrote before they crashed."""
    rows: list[list[object]] = []
    for message in messages:
        batch = message.body["KinesisBatchInfo"]
        ends = batch["shardId"], int(batch["startSequenceNumber"]), int(batch["endSequenceNumber"])
        attempts = [one for one in invocations if (one.shard_id, one.first, one.last) == ends]
        files = [len(one.files) for one in attempts]
        condition = message.body["requestContext"]["condition"]
        rows.append([batch["shardId"], batch["batchSize"], condition, len(attempts), max(files, default=0), sum(files)])
    headers = ["shard", "records", "condition", "attempts", "files of an attempt", "files written"]
    return sorted(rows, key=str), headers


@contextmanager
def close_deadline(sqs: SQSClient, queue: str, messages: Sequence[Message]) -> Iterator[None]:
    """Let the queue keep its messages so much shorter that the oldest will be forgotten soon; none is forgotten now.

    Args:
        sqs: The client.
        queue: The queue's name.
        messages: Those in it.
    """
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["MessageRetentionPeriod"])["Attributes"]
    now = datetime.now(UTC)
    shorter = _LEFT + max((now - message.sent for message in messages), default=timedelta())
    seconds = min(int(shorter.total_seconds()), int(before["MessageRetentionPeriod"]))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": str(seconds)})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=dict(before))


@contextmanager
def early_certainty(lambda_: LambdaClient, settings: Settings) -> Iterator[timedelta]:
    """Let the event source mapping give records up after a minute.

    Args:
        lambda_: The client.
        settings: The environment's names.

    Yields:
        How long after a record's arrival it is certain now that the worker will not deliver it.
    """
    found = lambda_.list_event_source_mappings(FunctionName=settings.function, EventSourceArn=settings.stream_arn)
    [mapping] = found["EventSourceMappings"]
    lambda_.update_event_source_mapping(UUID=mapping["UUID"], MaximumRecordAgeInSeconds=_RECORD_AGE_SECONDS)
    timeout = lambda_.get_function_configuration(FunctionName=settings.function)["Timeout"]
    try:
        yield timedelta(seconds=_RECORD_AGE_SECONDS + timeout)
    finally:
        before = mapping["MaximumRecordAgeInSeconds"]
        lambda_.update_event_source_mapping(UUID=mapping["UUID"], MaximumRecordAgeInSeconds=before)
