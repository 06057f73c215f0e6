"""Documents in quarantine: what could not be converted, whole, with the reason, for a later attempt.

=================  =============================================================================================
kind               holds
=================  =============================================================================================
``rejected``       records of one batch that cannot become rows, byte for byte, each with its reason
``message``        a message that tells of no failed batch of this pipeline, with its message attributes
``lost``           no records, but which range of which shard was lost, how much of it, and since when
=================  =============================================================================================

Every attempt at rejected records is counted: what is rejected again goes into a document of its own, whose count is one
higher. The documents hold personal data: they are encrypted in S3.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dmd_pipeline import failures
from dmd_pipeline.errors import NotAFailureError, StorageError
from dmd_pipeline.failed_batches import BatchId, FailedBatch
from dmd_pipeline.raw_batches import record_document, record_of, typed


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dmd_pipeline.failed_batches import StreamRecord


@dataclass(frozen=True)
class Rejection:
    """A record that cannot become a row.

    Attributes:
        record: As it came.
        reason: What is wrong; begins with the dotted path of the field and holds no value.
    """

    record: StreamRecord
    reason: str


def rejected_document(batch: FailedBatch, rejected: Sequence[Rejection]) -> bytes:
    """The rejected records of a batch; the same ones give the same bytes.

    Args:
        batch: Whose records they are.
        rejected: At least one.
    """
    ordered = sorted(rejected, key=lambda rejection: rejection.record.sequence_number)
    return _content(
        {
            "kind": "rejected",
            "batch": str(batch.id),
            "folder": batch.id.source,
            "attempts": batch.attempts + 1,
            "origin": batch.origin,
            "requestId": batch.request_id,
            "records": [record_document(one.record) | {"reason": one.reason} for one in ordered],
        }
    )


def message_document(
    reason: str, text: str, *, message_id: str, body: str, attributes: Mapping[str, str], sent: datetime
) -> bytes:
    """A message that is not ours to convert.

    Args:
        reason: ``foreign`` or ``unknown``.
        text: Why, for people.
        message_id: SQS's id of it.
        body: Whole.
        attributes: Its message attributes.
        sent: When it was sent.
    """
    return _content(
        {
            "kind": "message",
            "reason": reason,
            "text": text,
            "messageId": message_id,
            "sent": sent.isoformat(),
            "attributes": dict(attributes),
            "body": body,
        }
    )


def lost_document(
    batch: FailedBatch, *, at_least: int, at_most: int | None, first_left: int | None, since: datetime | None
) -> bytes:
    """What is lost of a batch.

    Args:
        batch: Which range of which shard, and who told of it.
        at_least: So many records are gone.
        at_most: Not more than so many; None when nobody knows.
        first_left: Sequence number of the first record that is still there; None when none is.
        since: When the stream forgot the first of them; None when nobody knows.
    """
    return _content(
        {
            "kind": "lost",
            "batch": str(batch.id),
            "origin": batch.origin,
            "requestId": batch.request_id,
            "size": batch.size,
            "firstArrival": None if batch.first_arrival is None else batch.first_arrival.isoformat(),
            "lastArrival": None if batch.last_arrival is None else batch.last_arrival.isoformat(),
            "lostAtLeast": at_least,
            "lostAtMost": at_most,
            "firstLeft": None if first_left is None else str(first_left),
            "lostSince": None if since is None else since.isoformat(),
        }
    )


def batches_in(
    content: bytes, where: str, *, stream_arn: str | None = None, function_arn: str | None = None
) -> list[FailedBatch]:
    """What a document gives back for another attempt.

    Rejected records are one batch, under their own sequence numbers, in the folder ``{folder}-retry{attempts}``.

    Args:
        content: The document.
        where: Its place, for batches and errors.
        stream_arn: Of the stream whose messages are understood; without it messages give nothing.
        function_arn: Of the function.

    Returns:
        An empty list for what was lost, and for a message that is still not understood.

    Raises:
        StorageError: It is no document of ours, or a damaged one.
    """
    try:
        document = json.loads(content)
        kind = document["kind"]
        if kind == "rejected":
            return [_retried(document, where)]
        if kind == "message":
            return _understood(document, where, stream_arn, function_arn)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _damaged(where, type(error).__name__) from error
    if kind == "lost":
        return []
    raise _damaged(where, "its kind is not known")


def _damaged(where: str, why: str) -> StorageError:
    return StorageError(f"{where} is no document of this quarantine, or a damaged one ({why}): move it elsewhere")


def _retried(document: dict[str, Any], where: str) -> FailedBatch:
    records = tuple(record_of(one) for one in document["records"])
    attempts = typed(document["attempts"], int)
    if attempts < 1:
        raise ValueError("attempts: expected at least one")
    numbers = [record.sequence_number for record in records]
    arrivals = [record.arrived for record in records]
    return FailedBatch(
        id=BatchId(f"{typed(document['folder'], str)}-retry{attempts}", min(numbers), max(numbers)),
        size=len(records),
        first_arrival=min(arrivals),
        last_arrival=max(arrivals),
        condition="quarantine",
        origin=where,
        request_id=typed(document["requestId"], str),
        attempts=attempts,
        records=records,
    )


def _understood(
    document: dict[str, Any], where: str, stream_arn: str | None, function_arn: str | None
) -> list[FailedBatch]:
    if stream_arn is None or function_arn is None:
        return []
    try:
        return failures.parse(
            typed(document["body"], str),
            typed(document["attributes"], dict),
            stream_arn=stream_arn,
            function_arn=function_arn,
            origin=where,
            sent=None,  # no queue forgets it any more
        )
    except NotAFailureError:
        return []


def _content(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1).encode()
