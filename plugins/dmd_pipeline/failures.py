"""What arrives about a failed batch, in every shape that Lambda gives it.

=======================================  ==============================================================================
shape                                    told by
=======================================  ==============================================================================
on-failure destination of a stream       ``KinesisBatchInfo``: the position; ``responseContext`` only if the function
                                         was invoked
the same, in S3                          and ``payload``: the event itself, as an object or as the text of one; without
                                         all of the batch's records, the position counts, too
asynchronous destination                 ``requestPayload``: the event
the function's own dead-letter queue     the event is the body; RequestID and ErrorCode are message attributes
an event                                 ``Records``, each of ``aws:kinesis``
any of them through SNS                  ``Type`` is ``Notification``; the text is in ``Message``, its attributes are in
                                         ``MessageAttributes``
=======================================  ==============================================================================

Sources: AWS Lambda Developer Guide, "Retain discarded batch records for Kinesis Data Streams" and "Capturing records of
Lambda asynchronous invocations". Conditions that are not known are accepted: there are more than are documented.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.delivery import original_events
from dmd_pipeline.errors import NotAFailureError, StorageError
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord
from dmd_pipeline.raw_batches import typed
from dmd_pipeline.stamps import parse_stamp


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_SHARD_ID: Final = re.compile(r"shardId-\d{12}", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,128}", re.ASCII)
_FUNCTION: Final = re.compile(r"(arn:[^:]*:lambda:[^:]*:[^:]*:function:[^:]+)(?::[^:]+)?")
"""A function's ARN, with or without a version or alias at its end."""
_LONGEST_WORD: Final = 200
_YEARS: Final = range(2000, 3000)
"""A record arrived in one of them: deadlines are counted from arrivals, and must not leave the years 1 to 9999."""


def parse(
    body: str,
    attributes: Mapping[str, str],
    *,
    stream_arn: str,
    function_arn: str,
    origin: str,
    sent: datetime | None,
) -> list[FailedBatch]:
    """The failed batches that a message tells of.

    Args:
        body: Of the message, or a document's content.
        attributes: The message attributes.
        stream_arn: Of our stream.
        function_arn: Of our function; the message's may name a version or an alias of it.
        origin: What the message is, for people.
        sent: When it was sent; None when no queue holds it.

    Returns:
        At least one. Several when an event holds records of several shards.

    Raises:
        NotAFailureError: It tells of none of ours. Says what is wrong by field, and holds no value.
    """
    about = _About(stream_arn, function_arn, origin, sent)
    try:
        return list(_parsed(*_unwrapped(_object(body, "the body"), attributes), about))
    except RecursionError:
        raise NotAFailureError("unknown", "nested too deeply") from None


def parse_errors_document(content: bytes, stem: str) -> FailedBatch:
    """The records of one of the worker's documents of invalid records.

    Nobody knows their places on the stream: the document stands for a shard, and places in it for sequence numbers.

    Args:
        content: The document.
        stem: Its name below errors/, without its ending.

    Raises:
        StorageError: It is no such document.
    """
    try:
        document = json.loads(content)
        arrived = _plausible(parse_stamp(document["timestamp"]))
        typed(document["events"], list)
        records = tuple(StreamRecord(place, "", arrived, event) for place, event in enumerate(original_events(content)))
        identity = BatchId(f"errors-{stem}", 0, len(records) - 1)  # refuses a document without events, and odd names
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise StorageError(
            f"errors/{stem}.json is no document of invalid records ({type(error).__name__}): move it elsewhere"
        ) from error
    return FailedBatch(
        id=identity,
        size=len(records),
        first_arrival=arrived,
        last_arrival=arrived,
        condition="errors",
        origin=f"errors/{stem}.json",
        records=records,
    )


@dataclass(frozen=True)
class _About:
    """What is known of a message besides its text."""

    stream_arn: str
    function_arn: str
    origin: str
    sent: datetime | None


@dataclass(frozen=True)
class _Invocation:
    """What a message says of the last invocation."""

    condition: str
    request_id: str


def _unwrapped(document: dict[str, Any], attributes: Mapping[str, str]) -> tuple[dict[str, Any], Mapping[str, str]]:
    """What SNS delivered, and its message attributes; what did not come through SNS as it is."""
    if not _is_notification(document):
        return document, attributes
    inner = _object(document["Message"], "Message")
    if _is_notification(inner):
        raise _unknown("Message: expected what Lambda sent, found one more notification of SNS")
    told = document.get("MessageAttributes")
    wrapped = told.items() if isinstance(told, dict) else ()
    return inner, {
        **{name: str(value.get("Value")) for name, value in wrapped if isinstance(value, dict)},
        **attributes,
    }


def _is_notification(document: dict[str, Any]) -> bool:
    return document.get("Type") == "Notification" and "Message" in document


def _parsed(document: dict[str, Any], attributes: Mapping[str, str], about: _About) -> Iterator[FailedBatch]:
    if "KinesisBatchInfo" in document:
        invocation = _invocation(document, about)
        position = _position(_mapping(document, "KinesisBatchInfo"), invocation, about)
        yield from _with_payload(position, document.get("payload"), invocation, about)
    elif "requestPayload" in document:
        invocation = _invocation(document, about)
        yield from _with_records(
            _object(document["requestPayload"], "requestPayload"), "requestPayload", invocation, about
        )
    elif "Records" in document:
        condition = _word(attributes.get("ErrorCode")) or "event"
        yield from _with_records(
            document, "the event", _Invocation(condition, _word(attributes.get("RequestID"))), about
        )
    else:
        raise _unknown("expected KinesisBatchInfo, requestPayload or Records, found none of them")


def _invocation(document: dict[str, Any], about: _About) -> _Invocation:
    context = _mapping(document, "requestContext")
    arn = _text(context, "requestContext.functionArn")
    match = _FUNCTION.fullmatch(arn)
    if match is None or match.group(1) != about.function_arn:
        raise NotAFailureError("foreign", "requestContext.functionArn: another function")
    return _Invocation(_word(context.get("condition")), _word(context.get("requestId")))


def _position(info: dict[str, Any], invocation: _Invocation, about: _About) -> FailedBatch:
    name = "KinesisBatchInfo"
    if _text(info, f"{name}.streamArn") != about.stream_arn:
        raise NotAFailureError("foreign", f"{name}.streamArn: another stream")
    size = info.get("batchSize")
    if type(size) is not int or size < 1:
        raise _unknown(f"{name}.batchSize: expected a positive integer")
    start, end = (_number(info.get(key), f"{name}.{key}") for key in ("startSequenceNumber", "endSequenceNumber"))
    if start > end:
        raise _unknown(f"{name}.endSequenceNumber: before startSequenceNumber")
    first, last = (
        _moment(info, f"{name}.{key}") for key in ("approximateArrivalOfFirstRecord", "approximateArrivalOfLastRecord")
    )
    return FailedBatch(
        id=BatchId(_shard(info.get("shardId"), f"{name}.shardId"), start, end),
        size=size,
        first_arrival=first,
        last_arrival=last,
        condition=invocation.condition,
        origin=about.origin,
        request_id=invocation.request_id,
        sent=about.sent,
    )


def _with_payload(position: FailedBatch, payload: Any, invocation: _Invocation, about: _About) -> Iterator[FailedBatch]:
    """The records of a payload, when it has all of the batch; otherwise the position, and what there is of them.

    A payload that is damaged or cut off must not hide a range that the stream still remembers; nor may a range that the
    stream has forgotten hide records that came along. Where both have the same first and last record there is room for
    one: the position, which has the others too.
    """
    carried: list[FailedBatch] = []
    if payload is not None:
        with suppress(NotAFailureError):
            carried = list(_with_records(_object(payload, "payload"), "payload", invocation, about))
    if not any(_is_all_of(batch, position) for batch in carried):
        yield position
    yield from (batch for batch in carried if batch.id != position.id or batch.size == position.size)


def _is_all_of(carried: FailedBatch, position: FailedBatch) -> bool:
    return (
        carried.size == position.size
        and carried.id.folder == position.id.folder
        and position.id.start <= carried.id.start <= carried.id.end <= position.id.end
    )


def _with_records(event: dict[str, Any], name: str, invocation: _Invocation, about: _About) -> Iterator[FailedBatch]:
    """The records of an event, by shard."""
    entries = event.get("Records")
    if not isinstance(entries, list) or not entries:
        raise _unknown(f"{name}: expected Records, a list with at least one record")
    shards: dict[str, dict[int, StreamRecord]] = defaultdict(dict)
    for place, entry in enumerate(entries):
        shard_id, record = _record(entry, f"Records[{place}]", about)
        shards[shard_id][record.sequence_number] = record
    for shard_id, by_number in sorted(shards.items()):
        records = tuple(record for _, record in sorted(by_number.items()))
        arrivals = [record.arrived for record in records]
        yield FailedBatch(
            id=BatchId(shard_id, records[0].sequence_number, records[-1].sequence_number),
            size=len(records),
            first_arrival=min(arrivals),
            last_arrival=max(arrivals),
            condition=invocation.condition,
            origin=about.origin,
            request_id=invocation.request_id,
            sent=about.sent,
            records=records,
        )


def _record(entry: Any, name: str, about: _About) -> tuple[str, StreamRecord]:
    if not isinstance(entry, dict):
        raise _unknown(f"{name}: expected an object")
    if entry.get("eventSource") != "aws:kinesis":
        raise NotAFailureError("foreign", f"{name}.eventSource: not aws:kinesis")
    if entry.get("eventSourceARN") != about.stream_arn:
        raise NotAFailureError("foreign", f"{name}.eventSourceARN: another stream")
    kinesis = _mapping(entry, f"{name}.kinesis")
    number = _number(kinesis.get("sequenceNumber"), f"{name}.kinesis.sequenceNumber")
    shard_id, _, again = _text(entry, f"{name}.eventID").partition(":")
    if again != kinesis["sequenceNumber"]:
        raise _unknown(f"{name}.eventID: expected the shard and the record's sequenceNumber")
    record = StreamRecord(
        number,
        _text(kinesis, f"{name}.kinesis.partitionKey"),
        _epoch(kinesis.get("approximateArrivalTimestamp"), f"{name}.kinesis.approximateArrivalTimestamp"),
        _bytes(_text(kinesis, f"{name}.kinesis.data"), f"{name}.kinesis.data"),
    )
    return _shard(shard_id, f"{name}.eventID"), record


def _object(value: Any, name: str) -> dict[str, Any]:
    """An object, or the text of one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):  # no JSON, an integer of thousands of digits, thousands of brackets
            raise _unknown(f"{name}: expected JSON") from None
    if not isinstance(value, dict):
        raise _unknown(f"{name}: expected a JSON object")
    return value


def _mapping(document: dict[str, Any], path: str) -> dict[str, Any]:
    value = document.get(path.rpartition(".")[2])
    if not isinstance(value, dict):
        raise _unknown(f"{path}: {'missing' if value is None else 'expected an object'}")
    return value


def _text(document: dict[str, Any], path: str) -> str:
    value = document.get(path.rpartition(".")[2])
    if not isinstance(value, str):
        raise _unknown(f"{path}: {'missing' if value is None else 'expected a string'}")
    return value


def _word(value: Any) -> str:
    """A condition or an identifier, for people; never long, and nothing that could break a line of a log."""
    return re.sub(r"[^\w.:/-]", "", value)[:_LONGEST_WORD] if isinstance(value, str) else ""


def _shard(value: Any, path: str) -> str:
    if not isinstance(value, str) or _SHARD_ID.fullmatch(value) is None:
        raise _unknown(f"{path}: expected shardId- and twelve digits")
    return value


def _number(value: Any, path: str) -> int:
    if not isinstance(value, str) or _NUMBER.fullmatch(value) is None:
        raise _unknown(f"{path}: expected a sequence number as text")
    return int(value)


def _moment(document: dict[str, Any], path: str) -> datetime:
    try:
        return _plausible(parse_stamp(_text(document, path)))
    except (ValueError, OverflowError):
        raise _unknown(f"{path}: expected an ISO-8601 time of the years {_YEARS[0]} to {_YEARS[-1]}") from None


def _epoch(value: Any, path: str) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unknown(f"{path}: expected seconds since 1970")
    try:
        return _plausible(datetime.fromtimestamp(value, UTC))
    except (ValueError, OverflowError, OSError):
        raise _unknown(f"{path}: expected seconds since 1970, of the years {_YEARS[0]} to {_YEARS[-1]}") from None


def _plausible(moment: datetime) -> datetime:
    if moment.year not in _YEARS:
        raise ValueError(f"expected a time of the years {_YEARS[0]} to {_YEARS[-1]}")
    return moment


def _bytes(text: str, path: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _unknown(f"{path}: expected base64") from None


def _unknown(text: str) -> NotAFailureError:
    return NotAFailureError("unknown", text)
