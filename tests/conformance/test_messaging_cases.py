"""SQS on a queue of the case's own; of SNS only what it refuses, so that nobody is alerted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

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


def receive(account: Account, url: str, **options: Any) -> dict[str, Any]:
    """One message of a queue that holds one."""
    message: dict[str, Any] = account.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10, **options)[
        "Messages"
    ][0]
    return message


def entries_of(call: str, *handles: str, seconds: int = 5) -> list[dict[str, Any]]:
    hiding = {"VisibilityTimeout": seconds} if call == "change_message_visibility_batch" else {}
    return [{"Id": str(number), "ReceiptHandle": handle, **hiding} for number, handle in enumerate(handles)]


BATCH_CALLS = pytest.mark.parametrize("call", ["delete_message_batch", "change_message_visibility_batch"])


@pytest.mark.creates_resources
@BATCH_CALLS
def test_a_batch_of_receipts_has_one_to_ten_entries_with_ids_of_their_own(account: Account, call: str) -> None:
    batch_call, url = getattr(account.client("sqs"), call), make_queue(account)
    account.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    handle = receive(account, url)["ReceiptHandle"]
    with refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest"):
        batch_call(QueueUrl=url, Entries=entries_of(call, *[handle] * 11))
    with refused("AWS.SimpleQueueService.EmptyBatchRequest"):
        batch_call(QueueUrl=url, Entries=[])
    with refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct"):
        batch_call(QueueUrl=url, Entries=entries_of(call, handle) * 2)
    with refused("AWS.SimpleQueueService.InvalidBatchEntryId"):
        batch_call(QueueUrl=url, Entries=[{**entries_of(call, handle)[0], "Id": "not an id"}])


@pytest.mark.creates_resources
@BATCH_CALLS
def test_a_receipt_that_sqs_did_not_give_fails_alone(account: Account, call: str) -> None:
    sqs, url = account.client("sqs"), make_queue(account)
    sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = receive(account, url)["ReceiptHandle"]
    answer = getattr(sqs, call)(QueueUrl=url, Entries=entries_of(call, "garbage", handle))
    assert [done["Id"] for done in answer["Successful"]] == ["1"]
    assert [(failed["Id"], failed["Code"], failed["SenderFault"]) for failed in answer["Failed"]] == [
        ("0", "ReceiptHandleIsInvalid", True)
    ]


@pytest.mark.creates_resources
def test_a_message_that_is_gone_is_deleted_again_but_not_hidden(account: Account) -> None:
    sqs, url = account.client("sqs"), make_queue(account)
    sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = receive(account, url)["ReceiptHandle"]
    for _ in range(2):
        answer = sqs.delete_message_batch(QueueUrl=url, Entries=entries_of("delete_message_batch", handle))
        assert [done["Id"] for done in answer["Successful"]] == ["0"]
    call = "change_message_visibility_batch"
    answer = sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries_of(call, handle))
    assert [failed["Code"] for failed in answer["Failed"]] == ["InvalidParameterValue"]


@pytest.mark.creates_resources
def test_a_message_is_hidden_for_at_most_twelve_hours_from_its_receipt(account: Account) -> None:
    sqs, url = account.client("sqs"), make_queue(account)
    sqs.send_message(QueueUrl=url, MessageBody="x")
    handle = receive(account, url)["ReceiptHandle"]
    call, half_a_day = "change_message_visibility_batch", 12 * 60 * 60
    time.sleep(1.1)
    for seconds in (half_a_day, half_a_day + 1):
        answer = sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries_of(call, handle, seconds=seconds))
        assert [failed["Code"] for failed in answer["Failed"]] == ["InvalidParameterValue"]
    answer = sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries_of(call, handle, seconds=0))
    assert answer["Successful"]
    assert receive(account, url, MessageSystemAttributeNames=["All"])["Attributes"]["ApproximateReceiveCount"] == "2"


@pytest.mark.creates_resources
def test_attributes_of_a_message_come_only_when_asked_for(account: Account) -> None:
    sqs, url = account.client("sqs"), make_queue(account, visibility_timeout=0)
    attribute = {"DataType": "String", "StringValue": "5f0c"}
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes={"RequestID": attribute})
    assert not {"Attributes", "MessageAttributes"} & set(receive(account, url))
    asked = receive(account, url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["SentTimestamp"])
    assert asked["MessageAttributes"] == {"RequestID": attribute}
    assert abs(int(asked["Attributes"]["SentTimestamp"]) / 1000 - time.time()) < 60
    assert set(asked["Attributes"]) == {"SentTimestamp"}
