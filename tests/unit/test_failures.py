"""Messages about failed batches: every shape that Lambda gives them, and whatever else comes."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.delivery import Rejected, errors_document
from dmd_pipeline.errors import NotAFailureError, StorageError
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord
from dmd_pipeline.failures import parse, parse_errors_document


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/prd3292-local-dmnd-table-stream"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:deliveryWorker-local"
SENT = datetime(2019, 11, 14, 0, 38, 7, tzinfo=UTC)
SHARD = "shardId-000000000006"
FIRST = 49601189658422359378836298521827638475320189012309704722


def context(**changed: Any) -> dict[str, Any]:
    return {"requestId": "r-1", "functionArn": FUNCTION, "condition": "RetryAttemptsExhausted"} | changed


def position(**changed: Any) -> dict[str, Any]:
    """The message of AWS's documentation, of our stream."""
    info = {
        "shardId": SHARD,
        "startSequenceNumber": str(FIRST),
        "endSequenceNumber": str(FIRST + 999),
        "approximateArrivalOfFirstRecord": "2019-11-14T00:38:04.835Z",
        "approximateArrivalOfLastRecord": "2019-11-14T00:38:05.580Z",
        "batchSize": 500,
        "streamArn": STREAM,
    }
    return {
        "requestContext": context(),
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2019-11-14T00:38:06.021Z",
        "KinesisBatchInfo": info | changed,
    }


def event(*numbers: int, shard: str = SHARD) -> dict[str, Any]:
    """An event as the function gets it."""
    return {
        "Records": [
            {
                "eventID": f"{shard}:{number}",
                "eventSource": "aws:kinesis",
                "eventSourceARN": STREAM,
                "kinesis": {
                    "sequenceNumber": str(number),
                    "partitionKey": "k",
                    "data": base64.b64encode(b"record %d" % number).decode(),
                    "approximateArrivalTimestamp": 1573691884.835,
                },
            }
            for number in numbers
        ]
    }


def parsed(document: Any, attributes: Mapping[str, str] | None = None) -> list[FailedBatch]:
    body = document if isinstance(document, str) else json.dumps(document)
    return parse(
        body, attributes or {}, stream_arn=STREAM, function_arn=FUNCTION, origin="queue message m-1", sent=SENT
    )


def refused(document: Any) -> NotAFailureError:
    with pytest.raises(NotAFailureError) as error:
        parsed(document)
    return error.value


def test_a_position_is_told_with_all_that_is_known_of_it() -> None:
    [batch] = parsed(position())
    assert batch == FailedBatch(
        id=BatchId(SHARD, FIRST, FIRST + 999),
        size=500,
        first_arrival=datetime(2019, 11, 14, 0, 38, 4, 835000, tzinfo=UTC),
        last_arrival=datetime(2019, 11, 14, 0, 38, 5, 580000, tzinfo=UTC),
        condition="RetryAttemptsExhausted",
        origin="queue message m-1",
        request_id="r-1",
        sent=SENT,
    )


@pytest.mark.parametrize("condition", ["RecordAgeExceeded", "EventAgeExceeded", "SomethingNew"])
def test_a_batch_that_was_never_answered_is_understood_whatever_the_condition(condition: str) -> None:
    document = position() | {"requestContext": context(condition=condition)}
    del document["responseContext"]
    [batch] = parsed(document)
    assert (batch.condition, batch.size) == (condition, 500)


@pytest.mark.parametrize("arn", [FUNCTION, f"{FUNCTION}:$LATEST", f"{FUNCTION}:live"])
def test_a_version_or_an_alias_of_the_function_is_the_function(arn: str) -> None:
    assert parsed(position() | {"requestContext": context(functionArn=arn)})


def test_what_sns_delivered_is_unwrapped_once() -> None:
    wrapped = {"Type": "Notification", "MessageId": "s", "TopicArn": "t", "Message": json.dumps(position())}
    assert parsed(wrapped) == parsed(position())
    assert refused({"Type": "Notification", "Message": json.dumps(wrapped)}).reason == "unknown"


_IN_AN_ENVELOPE: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "an S3 destination's payload, as an object": lambda of: position() | {"payload": of},
    "an S3 destination's payload, as text": lambda of: position() | {"payload": json.dumps(of)},
    "an asynchronous destination": lambda of: {"version": "1.0", "requestContext": context(), "requestPayload": of},
    "an event": lambda of: of,
}


@pytest.mark.parametrize("name", _IN_AN_ENVELOPE)
def test_records_that_come_along_are_taken_in_their_order(name: str) -> None:
    [batch] = parsed(_IN_AN_ENVELOPE[name](event(12, 10, 11)))
    assert (batch.id, batch.size, batch.sent) == (BatchId(SHARD, 10, 12), 3, SENT)
    arrived = datetime(2019, 11, 14, 0, 38, 4, 835000, tzinfo=UTC)
    assert batch.records == tuple(StreamRecord(n, "k", arrived, b"record %d" % n) for n in (10, 11, 12))


def test_an_event_of_two_shards_is_two_batches() -> None:
    other = "shardId-000000000007"
    both = {"Records": event(1, 2)["Records"] + event(1, shard=other)["Records"]}
    assert [(batch.id, batch.size) for batch in parsed(both)] == [(BatchId(SHARD, 1, 2), 2), (BatchId(other, 1, 1), 1)]


def test_the_functions_own_queue_tells_the_error_in_message_attributes() -> None:
    attributes = {"RequestID": "r-2", "ErrorCode": "200", "ErrorMessage": "+1-555-0100 is no number"}
    [batch] = parsed(event(5), attributes)
    assert (batch.request_id, batch.condition) == ("r-2", "200")
    assert "555" not in repr(batch)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (position(streamArn=f"{STREAM}-other"), "KinesisBatchInfo.streamArn: another stream"),
        (
            position() | {"requestContext": context(functionArn=f"{FUNCTION}-other")},
            "requestContext.functionArn: another function",
        ),
        ({"Records": [{"eventSource": "aws:s3", "s3": {}}]}, "Records[0].eventSource: not aws:kinesis"),
        (
            {"Records": [event(1)["Records"][0] | {"eventSourceARN": "arn:other"}]},
            "Records[0].eventSourceARN: another stream",
        ),
    ],
)
def test_what_is_of_others_is_foreign(document: Any, text: str) -> None:
    error = refused(document)
    assert (error.reason, error.text) == ("foreign", text)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("{", "the body: expected JSON"),
        ("[1]", "the body: expected a JSON object"),
        ("x" * 262_144, "the body: expected JSON"),
        ("[" * 100_000, "the body: expected JSON"),
        ({}, "expected KinesisBatchInfo, requestPayload or Records, found none of them"),
        ({"KinesisBatchInfo": {}}, "requestContext: missing"),
        (position() | {"KinesisBatchInfo": []}, "KinesisBatchInfo: expected an object"),
        (position() | {"requestContext": context(functionArn=None)}, "requestContext.functionArn: missing"),
        (position(streamArn=7), "KinesisBatchInfo.streamArn: expected a string"),
        (position(batchSize=-1), "KinesisBatchInfo.batchSize: expected a positive integer"),
        (position(batchSize=True), "KinesisBatchInfo.batchSize: expected a positive integer"),
        (position(shardId="shard/../6"), "KinesisBatchInfo.shardId: expected shardId- and twelve digits"),
        (position(startSequenceNumber=17), "KinesisBatchInfo.startSequenceNumber: expected a sequence number as text"),
        (position(endSequenceNumber="1"), "KinesisBatchInfo.endSequenceNumber: before startSequenceNumber"),
        (
            position(approximateArrivalOfFirstRecord="soon"),
            "KinesisBatchInfo.approximateArrivalOfFirstRecord: expected an ISO-8601 time",
        ),
        (position() | {"payload": {"Records": []}}, "payload: expected Records, a list with at least one record"),
        (position() | {"payload": "{"}, "payload: expected JSON"),
        ({"Records": [1]}, "Records[0]: expected an object"),
    ],
)
def test_what_is_not_understood_is_told_by_its_field(document: Any, text: str) -> None:
    error = refused(document)
    assert (error.reason, error.text) == ("unknown", text)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"data": "*"}, "Records[0].kinesis.data: expected base64"),
        ({"partitionKey": None}, "Records[0].kinesis.partitionKey: missing"),
        ({"sequenceNumber": "2"}, "Records[0].eventID: expected the shard and the record's sequenceNumber"),
        (
            {"approximateArrivalTimestamp": "now"},
            "Records[0].kinesis.approximateArrivalTimestamp: expected seconds since 1970",
        ),
        (
            {"approximateArrivalTimestamp": 1e300},
            "Records[0].kinesis.approximateArrivalTimestamp: expected seconds since 1970, of the years 1 to 9999",
        ),
    ],
)
def test_a_record_that_is_none_is_told_by_its_field(changed: dict[str, Any], text: str) -> None:
    document = event(1)
    document["Records"][0]["kinesis"] |= changed
    assert refused(document).text == text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_PATHS = [
    ("requestContext",), ("requestContext", "functionArn"), ("requestContext", "condition"), ("KinesisBatchInfo",),
    *(("KinesisBatchInfo", key) for key in position()["KinesisBatchInfo"]), ("payload",), ("requestPayload",),
    ("payload", "Records"), *(("payload", "Records", 0, key) for key in event(1)["Records"][0]),
    *(("payload", "Records", 0, "kinesis", key) for key in event(1)["Records"][0]["kinesis"]),
]  # fmt: skip


@given(st.sampled_from(_PATHS), _JSON)
def test_whatever_stands_in_a_field_the_message_is_understood_or_refused(path: tuple[Any, ...], value: Any) -> None:
    document = position() | {"payload": event(1)}
    *above, last = path
    holder: Any = document
    for name in above:
        holder = holder[name]
    holder[last] = value
    _understood_or_refused(json.dumps(document))


@given(_JSON.map(json.dumps) | st.text())
def test_any_other_body_is_refused(body: str) -> None:
    _understood_or_refused(body)


def _understood_or_refused(body: str) -> None:
    reason = "none"
    try:
        assert parsed(body)
    except NotAFailureError as error:
        reason = error.reason
    assert reason in {"none", "foreign", "unknown"}


class TestErrorsDocuments:
    NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def test_the_records_are_numbered_by_their_place(self) -> None:
        content = errors_document([Rejected(b"one", "x"), Rejected(b"\xff two", "y")], self.NOW)
        batch = parse_errors_document(content, "2026-03-01-12-00-00-5f0c")
        assert (batch.id, batch.size) == (BatchId("errors-2026-03-01-12-00-00-5f0c", 0, 1), 2)
        assert batch.records is not None
        assert [(record.sequence_number, record.data) for record in batch.records] == [(0, b"one"), (1, b"\xff two")]
        assert {record.arrived for record in batch.records} == {self.NOW}
        assert batch.id.lane == "documents"

    @pytest.mark.parametrize(
        "content", [b"", b"[]", b"{}", b'{"timestamp": "2026-03-01T12:00:00Z", "events": []}', b"\xff", b"7"]
    )
    def test_another_document_is_refused_by_its_name(self, content: bytes) -> None:
        with pytest.raises(StorageError, match=r"errors/some\.json is no document of invalid records"):
            parse_errors_document(content, "some")

    def test_a_name_that_may_not_stand_in_a_key_is_refused(self) -> None:
        content = errors_document([Rejected(b"one", "x")], self.NOW)
        with pytest.raises(StorageError, match="is no document of invalid records"):
            parse_errors_document(content, "a/../b")
