"""What SQS and SNS refuse and moto does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from moto.sqs.models import sqs_backends

from local.aws.wire import AwsError


if TYPE_CHECKING:
    from local.aws.wire import Call, Response

_LONGEST_SUBJECT = 100  # characters, exclusive
_FIRST_PRINTABLE, _LAST_PRINTABLE = " ", "~"


class RedriveRule:
    """The console's redrive: SQS moves messages back only out of a queue that is another queue's dead-letter queue.

    The queue that Lambda feeds is none, and nothing local makes one of the other kind.
    """

    def __init__(self, account: str) -> None:
        self._account = account

    def __call__(self, call: Call) -> Response | None:
        """Refuse StartMessageMoveTask."""
        if call.name != "sqs:StartMessageMoveTask":
            return None
        source = call.json.get("SourceArn", "")
        queues = list(sqs_backends[self._account][call.region].queues.values())
        if all(queue.queue_arn != source for queue in queues):
            raise AwsError("ResourceNotFoundException", "The resource that you specified for SourceArn doesn't exist.")
        if not any(_dead_letters_of(queue) == source for queue in queues):
            raise AwsError("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        return None


def check_subject(call: Call) -> Response | None:
    """Refuse a subject that SNS refuses: it is ASCII, one line, and shorter than 100 characters (a rule)."""
    if call.name != "sns:Publish":
        return None
    subject = parse_qs(call.body.decode(), keep_blank_values=True).get("Subject", ["-"])[0]
    printable = all(_FIRST_PRINTABLE <= character <= _LAST_PRINTABLE for character in subject)
    if not subject or subject[0] == " " or not printable or len(subject) >= _LONGEST_SUBJECT:
        raise AwsError("InvalidParameter", "Invalid parameter: Subject", 400)
    return None


def _dead_letters_of(queue: object) -> str | None:
    policy = getattr(queue, "redrive_policy", None) or {}
    if isinstance(policy, str):
        policy = json.loads(policy)
    arn: str | None = policy.get("deadLetterTargetArn")
    return arn
