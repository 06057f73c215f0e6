"""The dead-letter queue: messages are received, hidden for longer, and deleted.

The Batch calls answer 200 even when items failed. Here they return the failed items, by message id, each with its
:class:`~dmd_pipeline.aws.faults.ItemError`; whoever calls decides what that means.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from dmd_pipeline.aws.faults import ItemError, translated
from dmd_pipeline.errors import QueueError


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        BatchResultErrorEntryTypeDef,
        MessageAttributeValueOutputTypeDef,
        MessageTypeDef,
    )


BATCH: Final = 10
"""Most messages of one call."""
LONGEST_WAIT: Final = timedelta(seconds=20)
"""Longest time that SQS waits for a message to come."""
LONGEST_HIDING: Final = timedelta(hours=12)
"""Longest time for which a message can be hidden, counted from its receipt."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a message is hidden and deleted with.

    Attributes:
        id: The message's; stays the same at every receipt.
        handle: Of this receipt.
    """

    id: str
    handle: str


@dataclass(frozen=True, slots=True)
class Message(Receipt):
    """A message as it was received.

    Attributes:
        body: Its text.
        attributes: Message attributes; binary ones as base64.
        sent: When it was sent, by SQS's clock.
        receives: How often it has been received, with this time.
    """

    body: str
    attributes: Mapping[str, str]
    sent: datetime
    receives: int


class Queue:
    """One queue; its address is asked for once: 1 GetQueueUrl call.

    Attributes:
        name: Its name.
    """

    def __init__(self, client: SQSClient, name: str) -> None:
        self._client = client
        self.name = name

    def retention(self) -> timedelta:
        """How long a message is kept: one GetQueueAttributes call.

        Raises:
            QueueError: SQS refused, or there is no such queue.
            ThrottledError: SQS asked to slow down until the retries ran out.
        """
        with translated(f"look at queue {self.name}", QueueError):
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["MessageRetentionPeriod"])
        return timedelta(seconds=int(answer["Attributes"]["MessageRetentionPeriod"]))

    def receive(self, *, wait: timedelta, hidden_for: timedelta) -> list[Message]:
        """Up to ten messages, or none: one ReceiveMessage call.

        An empty answer does not say that the queue is empty, unless it was waited for.

        Args:
            wait: How long to wait for the first, whole seconds, at most 20.
            hidden_for: How long nobody else receives them, whole seconds.

        Raises:
            QueueError: SQS refused, or there is no such queue.
            ThrottledError: SQS asked to slow down until the retries ran out.
        """
        with translated(f"receive from queue {self.name}", QueueError):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=_seconds(wait),
                VisibilityTimeout=_seconds(hidden_for),
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            )
        return [_message(found) for found in answer.get("Messages", [])]

    def hide(self, messages: Sequence[Receipt], hidden_for: timedelta) -> dict[str, ItemError]:
        """Hide messages for longer, counted from now: one ChangeMessageVisibilityBatch call for each ten.

        Args:
            messages: As they were received.
            hidden_for: How long, whole seconds; with zero others receive them at once.

        Returns:
            Those that failed, by id.

        Raises:
            QueueError: SQS refused, or there is no such queue.
            ThrottledError: SQS asked to slow down until the retries ran out.
        """
        failed: dict[str, ItemError] = {}
        for batch in _batches(messages):
            with translated(f"hide {len(batch)} messages of queue {self.name}", QueueError):
                answer = self._client.change_message_visibility_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {
                            "Id": str(number),
                            "ReceiptHandle": message.handle,
                            "VisibilityTimeout": _seconds(hidden_for),
                        }
                        for number, message in enumerate(batch)
                    ],
                )
            failed |= _failed(batch, answer.get("Failed", []))
        return failed

    def delete(self, messages: Sequence[Receipt]) -> dict[str, ItemError]:
        """Delete messages for good: one DeleteMessageBatch call for each ten.

        Args:
            messages: As they were received; one that is gone already counts as deleted.

        Returns:
            Those that failed, by id; they come again.

        Raises:
            QueueError: SQS refused, or there is no such queue.
            ThrottledError: SQS asked to slow down until the retries ran out.
        """
        failed: dict[str, ItemError] = {}
        for batch in _batches(messages):
            with translated(f"delete {len(batch)} messages of queue {self.name}", QueueError):
                answer = self._client.delete_message_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": message.handle} for number, message in enumerate(batch)
                    ],
                )
            failed |= _failed(batch, answer.get("Failed", []))
        return failed

    @cached_property
    def _url(self) -> str:
        return self._client.get_queue_url(QueueName=self.name)["QueueUrl"]


def _batches(messages: Sequence[Receipt]) -> Iterator[Sequence[Receipt]]:
    for start in range(0, len(messages), BATCH):
        yield messages[start : start + BATCH]


def _failed(batch: Sequence[Receipt], errors: Sequence[BatchResultErrorEntryTypeDef]) -> dict[str, ItemError]:
    return {batch[int(error["Id"])].id: ItemError(error["Code"], error.get("Message", "")) for error in errors}


def _message(found: MessageTypeDef) -> Message:
    system = found["Attributes"]
    return Message(
        id=found["MessageId"],
        handle=found["ReceiptHandle"],
        body=found["Body"],
        attributes={name: _text(value) for name, value in found.get("MessageAttributes", {}).items()},
        sent=datetime.fromtimestamp(int(system["SentTimestamp"]) / 1000, UTC),
        receives=int(system["ApproximateReceiveCount"]),
    )


def _text(value: MessageAttributeValueOutputTypeDef) -> str:
    if "StringValue" in value:
        return value["StringValue"]
    return base64.b64encode(value.get("BinaryValue", b"")).decode()


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
