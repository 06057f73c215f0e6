"""The queue's gateway against the local AWS: what is received, hidden and deleted, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from dmd_pipeline.airflow import clients
from dmd_pipeline.aws.faults import ItemError
from dmd_pipeline.aws.sqs import Queue
from dmd_pipeline.errors import QueueError, ThrottledError


if TYPE_CHECKING:
    from dmd_pipeline.aws.sqs import Message
    from local.aws import LocalAws

AT_ONCE = timedelta(0)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def queue(aws: LocalAws) -> Queue:
    return Queue(aws.client("sqs"), aws.settings.dead_letter_queue)


def send(aws: LocalAws, *bodies: str) -> None:
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName=aws.settings.dead_letter_queue)["QueueUrl"]
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)


def left(aws: LocalAws) -> int:
    """How many messages the queue holds, hidden ones too."""
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName=aws.settings.dead_letter_queue)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return sum(int(attributes[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible"))


def receive_all(queue: Queue) -> list[Message]:
    found: list[Message] = []
    while page := queue.receive(wait=AT_ONCE, hidden_for=MINUTE):
        found += page
    return found


def test_the_retention_is_the_queues_and_its_address_is_asked_for_once(aws: LocalAws, queue: Queue) -> None:
    aws.calls.clear()
    assert queue.retention() == timedelta(days=14)
    queue.receive(wait=AT_ONCE, hidden_for=MINUTE)
    assert aws.calls.totals() == {"sqs:GetQueueUrl": 1, "sqs:GetQueueAttributes": 1, "sqs:ReceiveMessage": 1}


def test_a_message_comes_with_all_that_is_known_of_it(aws: LocalAws, queue: Queue) -> None:
    sqs = aws.client("sqs")
    sent = sqs.send_message(
        QueueUrl=sqs.get_queue_url(QueueName=queue.name)["QueueUrl"],
        MessageBody='{"a": "ü"}',
        MessageAttributes={
            "RequestID": {"DataType": "String", "StringValue": "5f0c"},
            "ErrorCode": {"DataType": "Number", "StringValue": "200"},
            "Raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        },
    )
    (message,) = queue.receive(wait=AT_ONCE, hidden_for=AT_ONCE)
    assert (message.id, message.body) == (sent["MessageId"], '{"a": "ü"}')
    assert message.attributes == {"RequestID": "5f0c", "ErrorCode": "200", "Raw": "AP8="}
    assert abs(datetime.now(UTC) - message.sent) < timedelta(minutes=1)
    assert message.receives == 1
    (again,) = queue.receive(wait=timedelta(seconds=2), hidden_for=MINUTE)
    assert (again.id, again.receives) == (message.id, 2)
    assert again.handle != message.handle


def test_ten_messages_come_at_once_and_are_hidden_meanwhile(aws: LocalAws, queue: Queue) -> None:
    send(aws, *(str(number) for number in range(25)))
    aws.calls.clear()
    assert sorted(int(message.body) for message in receive_all(queue)) == list(range(25))
    assert aws.calls.count("sqs:ReceiveMessage") == 4


def test_deleting_costs_a_call_for_ten_and_leaves_the_others(aws: LocalAws, queue: Queue) -> None:
    send(aws, *(str(number) for number in range(25)))
    messages = receive_all(queue)
    aws.calls.clear()
    assert queue.delete(messages[:21]) == {}
    assert aws.calls.totals() == {"sqs:DeleteMessageBatch": 3}
    assert left(aws) == 4
    assert queue.delete(messages[:1]) == {}, "deleting again is no error"
    aws.calls.clear()
    assert queue.delete([]) == {}
    assert aws.calls.totals() == {}


def test_messages_that_are_hidden_no_longer_come_again(aws: LocalAws, queue: Queue) -> None:
    send(aws, *(str(number) for number in range(12)))
    messages = receive_all(queue)
    aws.calls.clear()
    assert queue.hide(messages, 2 * MINUTE) == {}
    assert queue.hide(messages, AT_ONCE) == {}
    assert aws.calls.totals() == {"sqs:ChangeMessageVisibilityBatch": 4}
    assert {message.id for message in receive_all(queue)} == {message.id for message in messages}


def test_items_that_fail_inside_a_successful_call_are_told_by_message(aws: LocalAws, queue: Queue) -> None:
    send(aws, *(str(number) for number in range(3)))
    messages = queue.receive(wait=AT_ONCE, hidden_for=MINUTE)
    aws.fail("sqs:DeleteMessageBatch", code="InternalError", status=500, message="Later.", item="1")
    failed = queue.delete(messages)
    assert failed == {messages[1].id: ItemError("InternalError", "Later.")}
    assert failed[messages[1].id].may_pass
    assert left(aws) == 1

    failed = queue.hide(messages, MINUTE)
    assert {identifier: error.code for identifier, error in failed.items()} == {
        messages[number].id: "InvalidParameterValue" for number in (0, 2)
    }
    assert not failed[messages[0].id].may_pass


def test_more_than_twelve_hours_of_hiding_fail_by_message(aws: LocalAws, queue: Queue) -> None:
    send(aws, "a")
    (message,) = queue.receive(wait=AT_ONCE, hidden_for=MINUTE)
    failed = queue.hide([message], timedelta(hours=12, seconds=1))
    assert failed[message.id].code == "InvalidParameterValue"


def test_a_message_that_was_received_twice_is_deleted_in_one_batch(aws: LocalAws, queue: Queue) -> None:
    send(aws, "a")
    (first,) = queue.receive(wait=AT_ONCE, hidden_for=AT_ONCE)
    (second,) = queue.receive(wait=timedelta(seconds=2), hidden_for=MINUTE)
    assert queue.delete([first, second]) == {}
    assert left(aws) == 0


def test_a_missing_queue_is_named(aws: LocalAws) -> None:
    missing = Queue(aws.client("sqs"), "no-such-queue")
    with pytest.raises(QueueError, match=r"^cannot look at queue no-such-queue: .*NonExistentQueue"):
        missing.retention()
    with pytest.raises(QueueError, match=r"^cannot receive from queue no-such-queue: .*NonExistentQueue"):
        missing.receive(wait=AT_ONCE, hidden_for=MINUTE)


def test_a_refusal_names_what_was_tried(aws: LocalAws, queue: Queue) -> None:
    send(aws, "a")
    messages = queue.receive(wait=AT_ONCE, hidden_for=MINUTE)
    aws.fail("sqs:DeleteMessageBatch", code="AccessDenied", status=403, message="No.")
    with pytest.raises(QueueError, match=f"^cannot delete 1 messages of queue {queue.name}: AccessDenied: No.$"):
        queue.delete(messages)
    aws.fail("sqs:ChangeMessageVisibilityBatch", code="RequestThrottled", status=403)
    with pytest.raises(ThrottledError, match=f"^cannot hide 1 messages of queue {queue.name}: "):
        queue.hide(messages, MINUTE)
    assert left(aws) == 1


def test_tasks_get_the_queue_of_the_settings(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")
    send(aws, "a")
    assert [message.body for message in clients.queue(aws.settings).receive(wait=AT_ONCE, hidden_for=MINUTE)] == ["a"]
