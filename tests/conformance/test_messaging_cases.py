"""SQS on a queue of the case's own; of SNS only what it refuses, so that nobody is alerted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.conformance.account import refused


if TYPE_CHECKING:
    from tests.conformance.account import Account

ONE_MEBIBYTE = 1024 * 1024


def make_queue(account: Account, visibility_timeout: int = 30) -> str:
    sqs = account.client("sqs")
    url: str = sqs.create_queue(
        QueueName=account.unique("queue"), Attributes={"VisibilityTimeout": str(visibility_timeout)}
    )["QueueUrl"]
    account.remove_later(lambda: sqs.delete_queue(QueueUrl=url))
    return url


@pytest.mark.creates_resources
def test_a_message_batch_takes_at_most_ten(account: Account) -> None:
    entries = [{"Id": str(number), "MessageBody": "x"} for number in range(11)]
    with refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest"):
        account.client("sqs").send_message_batch(QueueUrl=make_queue(account), Entries=entries)


@pytest.mark.creates_resources
def test_a_receipt_holds_at_most_ten_messages(account: Account) -> None:
    with refused("InvalidParameterValue", "MaxNumberOfMessages"):
        account.client("sqs").receive_message(QueueUrl=make_queue(account), MaxNumberOfMessages=11)


@pytest.mark.creates_resources
def test_a_message_has_at_most_one_mebibyte(account: Account) -> None:
    sqs, url = account.client("sqs"), make_queue(account)
    assert sqs.send_message(QueueUrl=url, MessageBody="x" * ONE_MEBIBYTE)["MessageId"]
    with refused("InvalidParameterValue"):
        sqs.send_message(QueueUrl=url, MessageBody="x" * (ONE_MEBIBYTE + 1))


@pytest.mark.creates_resources
def test_a_batch_has_at_most_one_mebibyte_together(account: Account) -> None:
    entries = [{"Id": str(number), "MessageBody": "x" * 600_000} for number in range(2)]
    with refused("AWS.SimpleQueueService.BatchRequestTooLong"):
        account.client("sqs").send_message_batch(QueueUrl=make_queue(account), Entries=entries)


@pytest.mark.creates_resources
def test_a_received_message_is_hidden_until_its_time_is_over(account: Account) -> None:
    sqs, url = account.client("sqs"), make_queue(account, visibility_timeout=2)
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    first = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"][0]
    assert sqs.receive_message(QueueUrl=url).get("Messages", []) == []
    again = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"][0]
    assert (again["MessageId"], again["Body"]) == (first["MessageId"], "hello")


@pytest.mark.creates_resources
def test_waiting_for_a_message_takes_no_longer_than_told(account: Account) -> None:
    url, began = make_queue(account), time.monotonic()
    assert account.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []) == []
    assert 0.9 < time.monotonic() - began < 10


def test_a_queue_that_lambda_feeds_cannot_be_redriven(account: Account) -> None:
    with refused("InvalidParameterValue", "Dead Letter Queue"):
        account.client("sqs").start_message_move_task(SourceArn=account.settings.dead_letter_queue_arn)


def test_a_queue_that_does_not_exist_is_named_so(account: Account) -> None:
    with refused("AWS.SimpleQueueService.NonExistentQueue"):
        account.client("sqs").get_queue_url(QueueName=account.unique("missing"))


@pytest.mark.parametrize("subject", ["x" * 100, "two\nlines", "ümlaut", " leading space"])
def test_the_subject_of_an_alert_is_one_short_line_of_ascii(account: Account, subject: str) -> None:
    with refused("InvalidParameter"):
        account.client("sns").publish(
            TopicArn=account.settings.alerts_topic_arn, Subject=subject, Message="refused: alerts nobody"
        )


def test_an_alert_has_at_most_256_kibibytes(account: Account) -> None:
    with refused("InvalidParameter", "too long"):
        account.client("sns").publish(TopicArn=account.settings.alerts_topic_arn, Message="x" * (256 * 1024 + 1))
