"""SQS's batch calls about received messages: what fails as a whole, and what fails for one message only."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final

from moto.sqs.models import sqs_backends

from local.aws.wire import AwsError, json_response


if TYPE_CHECKING:
    from collections.abc import Callable

    from local.aws.faults import Faults
    from local.aws.wire import Call, Response

LARGEST_BATCH = 10
LONGEST_HIDING_SECONDS = 12 * 60 * 60
_PREFIX: Final = "AWS.SimpleQueueService."
_ENTRY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_BATCH_CALLS: Final = frozenset({"ChangeMessageVisibilityBatch", "DeleteMessageBatch", "SendMessageBatch"})


class QueueRule:
    """Answers DeleteMessageBatch and ChangeMessageVisibilityBatch; checks the entries of every batch call.

    A fault on one item of a batch is named by the entry's id.
    """

    def __init__(self, account: str, faults: Faults) -> None:
        self._account = account
        self._faults = faults
        self._handlers: dict[str, Callable[[Any, dict[str, Any]], None]] = {
            "ChangeMessageVisibilityBatch": _hide,
            "DeleteMessageBatch": _delete,
        }

    def __call__(self, call: Call) -> Response | None:
        """Serve a batch call about received messages; leave anything else to moto."""
        if call.service != "sqs" or call.operation not in _BATCH_CALLS:
            return None
        entries: list[dict[str, Any]] = call.json.get("Entries") or []
        _check_entries(entries)
        handler = self._handlers.get(call.operation)
        if handler is None:
            return None
        queue = sqs_backends[self._account][call.region].queues.get(call.json["QueueUrl"].rpartition("/")[2])
        if queue is None:
            return None  # moto says so
        successful, failed = [], []
        for entry in entries:
            try:
                self._faults.strike_item(call.name, entry["Id"])
                handler(queue, entry)
                successful.append({"Id": entry["Id"]})
            except AwsError as error:
                at_fault = (error.status or 400) < 500
                failed.append(
                    {"Id": entry["Id"], "SenderFault": at_fault, "Code": error.code, "Message": error.message}
                )
        return json_response({"Successful": successful, "Failed": failed})


def _check_entries(entries: list[dict[str, Any]]) -> None:
    if not entries:
        raise AwsError(f"{_PREFIX}EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > LARGEST_BATCH:
        raise AwsError(
            f"{_PREFIX}TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {LARGEST_BATCH}. You have sent {len(entries)}.",
        )
    ids = [str(entry.get("Id", "")) for entry in entries]
    for entry_id in ids:
        if _ENTRY_ID.fullmatch(entry_id) is None:
            raise AwsError(
                f"{_PREFIX}InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most "
                "80 letters long.",
            )
        if ids.count(entry_id) > 1:
            raise AwsError(f"{_PREFIX}BatchEntryIdsNotDistinct", f"Id {entry_id} repeated.")


def _delete(queue: Any, entry: dict[str, Any]) -> None:
    """Delete a message; one that is gone already counts as deleted."""
    handle = entry.get("ReceiptHandle", "")
    if handle not in queue.deleted_messages and _message(queue, handle) is None:
        raise AwsError("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.')
    queue.delete_message(handle)


def _hide(queue: Any, entry: dict[str, Any]) -> None:
    """Hide a message that somebody has received, for at most twelve hours from its receipt."""
    handle, seconds = entry.get("ReceiptHandle", ""), entry.get("VisibilityTimeout", 0)
    if not 0 <= seconds <= LONGEST_HIDING_SECONDS:
        raise AwsError(
            "InvalidParameterValue",
            f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer "
            f"between 0 and {LONGEST_HIDING_SECONDS}.",
        )
    message = _message(queue, handle)
    if message is None and handle not in queue.deleted_messages:
        raise AwsError("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.')
    if message is None or message.visible:
        raise AwsError(
            "InvalidParameterValue",
            f"Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not "
            "available for visibility timeout change.",
        )
    received = message.approximate_first_receive_timestamp / 1000
    if time.time() + seconds > received + LONGEST_HIDING_SECONDS:
        raise AwsError(
            "InvalidParameterValue",
            f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the "
            f"message is beyond the limit [{LONGEST_HIDING_SECONDS} seconds].",
        )
    message.change_visibility(seconds)
    if message.visible:
        queue.pending_messages.discard(message)


def _message(queue: Any, handle: str) -> Any:
    return next((message for message in queue._messages if message.had_receipt_handle(handle)), None)  # noqa: SLF001 - moto has no other way
