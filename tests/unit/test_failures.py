"""What is read of every message about a failed batch, and what is refused; nothing worse comes of any message."""

from __future__ import annotations

import base64
import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline import failures
from dmd_pipeline.delivery import Rejected, errors_document
from dmd_pipeline.errors import NotAFailureError, StorageError
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord


STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/changes"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:deliveryWorker"
SHARD = "shardId-000000000006"
OTHER_SHARD = "shardId-000000000007"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SENT = NOON + timedelta(hours=1)
FIRST = 49590338271490256608559692538361571095921575989136588898
SECRET = "+15550100"


def position(**changes: Any) -> dict[str, Any]:
    info = {
        "shardId": SHARD,
        "startSequenceNumber": str(FIRST),
        "endSequenceNumber": str(FIRST + 2),
        "approximateArrivalOfFirstRecord": "2026-03-01T12:00:00.021Z",
        "approximateArrivalOfLastRecord": "2026-03-01T12:00:02Z",
        "batchSize": 3,
        "streamArn": STREAM,
    }
    return {**invoked(), "version": "1.0", "timestamp": "2026-03-01T13:00:00.000Z", "KinesisBatchInfo": info | changes}


def invoked(**changes: Any) -> dict[str, Any]:
    context = {
        "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
        "functionArn": f"{FUNCTION}:$LATEST",
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 3,
    }
    response = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    return {"requestContext": context | changes, "responseContext": response}


def entry(number: int, *, shard: str = SHARD, **changes: Any) -> dict[str, Any]:
    kinesis = {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": "k",
        "sequenceNumber": str(number),
        "data": base64.b64encode(f"{number} {SECRET}".encode()).decode(),
        "approximateArrivalTimestamp": NOON.timestamp() + (number - FIRST) + 0.25,
    }
    return {
        "kinesis": kinesis | changes,
        "eventSource": "aws:kinesis",
        "eventID": f"{shard}:{number}",
        "eventName": "aws:kinesis:record",
        "eventSourceARN": STREAM,
    }


def event(*numbers: int) -> dict[str, Any]:
    return {"Records": [entry(FIRST + number) for number in numbers]}


def record(number: int) -> StreamRecord:
    arrived = NOON + timedelta(seconds=number, milliseconds=250)
    return StreamRecord(FIRST + number, "k", arrived, f"{FIRST + number} {SECRET}".encode())


def parse(message: Any, attributes: dict[str, str] | None = None) -> list[FailedBatch]:
    body = message if isinstance(message, str) else json.dumps(message)
    return failures.parse(
        body, attributes or {}, stream_arn=STREAM, function_arn=FUNCTION, origin="queue message 5f0c", sent=SENT
    )


def refused(message: Any) -> str:
    with pytest.raises(NotAFailureError) as caught:
        parse(message)
    return str(caught.value)


PLACE = FailedBatch(
    id=BatchId(SHARD, FIRST, FIRST + 2),
    size=3,
    first_arrival=NOON + timedelta(milliseconds=21),
    last_arrival=NOON + timedelta(seconds=2),
    condition="RetryAttemptsExhausted",
    origin="queue message 5f0c",
    request_id="e4b46cbf-b738-xmpl-8880-a18cdf61200e",
    sent=SENT,
)


class TestAPosition:
    """The on-failure destination of the event source mapping."""

    def test_is_read_whole(self) -> None:
        assert parse(position()) == [PLACE]

    def test_needs_no_answer_of_the_function(self) -> None:
        message = position()
        del message["responseContext"]
        message["requestContext"]["condition"] = "RecordAgeExceeded"
        (batch,) = parse(message)
        assert (batch.id, batch.condition) == (PLACE.id, "RecordAgeExceeded")

    @pytest.mark.parametrize("condition", ["AgeOfRecordExceeded", "of 2031", "", None, 7])
    def test_has_any_condition(self, condition: Any) -> None:
        message = position()
        message["requestContext"]["condition"] = condition
        assert parse(message)[0].id == PLACE.id

    def test_keeps_no_word_that_breaks_a_line_of_the_log(self) -> None:
        message = position()
        message["requestContext"] |= {"condition": "a\nb" + "x" * 999, "requestId": "1\r\n2"}
        (batch,) = parse(message)
        assert batch.condition == ("ab" + "x" * 999)[:200]
        assert batch.request_id == "12"

    @pytest.mark.parametrize("qualifier", ["", ":$LATEST", ":7", ":live"])
    def test_names_our_function_with_any_qualifier(self, qualifier: str) -> None:
        message = position()
        message["requestContext"]["functionArn"] = FUNCTION + qualifier
        assert parse(message) == [PLACE]

    @pytest.mark.parametrize("arn", [f"{FUNCTION}2", f"{FUNCTION}:a:b", FUNCTION.replace("1:1", "2:1"), "no arn"])
    def test_of_another_function_is_foreign(self, arn: str) -> None:
        message = position()
        message["requestContext"]["functionArn"] = arn
        assert refused(message) == "foreign: requestContext.functionArn: another function"

    def test_of_another_stream_is_foreign(self) -> None:
        assert refused(position(streamArn=f"{STREAM}2")) == "foreign: KinesisBatchInfo.streamArn: another stream"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("shardId", "shardId-1"),
            ("shardId", "../../etc"),
            ("startSequenceNumber", "-1"),
            ("startSequenceNumber", "1" * 129),
            ("startSequenceNumber", 17),
            ("startSequenceNumber", "\u0661"),
            ("endSequenceNumber", str(FIRST - 1)),
            ("endSequenceNumber", "1\n"),
            ("approximateArrivalOfFirstRecord", "yesterday"),
            ("approximateArrivalOfFirstRecord", "9999-12-31T23:59:59Z"),
            ("approximateArrivalOfLastRecord", "0001-01-01T00:00:00+14:00"),
            ("approximateArrivalOfLastRecord", 1772366400),
            ("batchSize", 0),
            ("batchSize", -3),
            ("batchSize", 2.0),
            ("batchSize", True),
            ("batchSize", "3"),
            ("streamArn", 3),
        ],
    )
    def test_with_a_wrong_field_is_unknown_by_its_name(self, field: str, value: Any) -> None:
        found = refused(position(**{field: value}))
        assert found.startswith(f"unknown: KinesisBatchInfo.{field}: ")

    @pytest.mark.parametrize("field", position()["KinesisBatchInfo"])
    def test_without_a_field_is_unknown_by_its_name(self, field: str) -> None:
        message = position()
        del message["KinesisBatchInfo"][field]
        assert refused(message).startswith(f"unknown: KinesisBatchInfo.{field}: ")

    def test_without_the_invocation_is_unknown(self) -> None:
        message = position()
        del message["requestContext"]
        assert refused(message) == "unknown: requestContext: missing"
        assert refused(position() | {"KinesisBatchInfo": [1]}) == "unknown: KinesisBatchInfo: expected an object"


class TestAPayload:
    """An on-failure destination in S3."""

    @pytest.mark.parametrize("written", [json.dumps, lambda payload: payload])
    def test_brings_the_records_along(self, written: Any) -> None:
        (batch,) = parse(position() | {"payload": written(event(1, 0, 2))})
        assert batch.records == (record(0), record(1), record(2))
        assert (batch.id, batch.size, batch.condition) == (PLACE.id, 3, "RetryAttemptsExhausted")

    @pytest.mark.parametrize("payload", [None, "{", "[" * 100_000, 3, {}, {"Records": []}, {"Records": [{}]}])
    def test_that_is_damaged_does_not_hide_the_position(self, payload: Any) -> None:
        assert parse(position() | {"payload": payload}) == [PLACE]

    def test_of_a_part_comes_beside_the_position(self) -> None:
        place, part = parse(position() | {"payload": event(0, 1)})
        assert place == PLACE
        assert part.records == (record(0), record(1))

    def test_with_a_gap_gives_way_to_the_position(self) -> None:
        assert parse(position() | {"payload": event(0, 2)}) == [PLACE]

    def test_of_another_shard_comes_beside_the_position(self) -> None:
        payload = {"Records": [entry(FIRST + number, shard=OTHER_SHARD) for number in range(3)]}
        place, other = parse(position() | {"payload": payload})
        assert (place, other.id.folder) == (PLACE, OTHER_SHARD)


class TestAnEvent:
    """Records that came along with an asynchronous invocation, or alone."""

    def test_is_sorted_and_counted(self) -> None:
        (batch,) = parse(event(2, 0, 2))
        assert batch.records == (record(0), record(2))
        assert (batch.id, batch.size) == (BatchId(SHARD, FIRST, FIRST + 2), 2)
        assert (batch.first_arrival, batch.last_arrival) == (record(0).arrived, record(2).arrived)
        assert (batch.condition, batch.request_id) == ("event", "")

    def test_gives_a_batch_for_each_shard(self) -> None:
        message = {"Records": [entry(FIRST + 1, shard=OTHER_SHARD), entry(FIRST)]}
        assert [str(batch.id) for batch in parse(message)] == [
            f"{SHARD}/{FIRST}-{FIRST}",
            f"{OTHER_SHARD}/{FIRST + 1}-{FIRST + 1}",
        ]

    def test_of_the_functions_own_queue_has_its_attributes_but_never_the_error_text(self) -> None:
        attributes = {"RequestID": "e4b4", "ErrorCode": "200", "ErrorMessage": f"bad number {SECRET}"}
        (batch,) = parse(event(0), attributes)
        assert (batch.condition, batch.request_id) == ("200", "e4b4")
        assert SECRET not in f"{batch.condition} {batch.origin} {batch.request_id}"

    @pytest.mark.parametrize("written", [json.dumps, lambda payload: payload])
    def test_of_an_asynchronous_destination(self, written: Any) -> None:
        (batch,) = parse(invoked() | {"requestPayload": written(event(0)), "responsePayload": {"errorMessage": SECRET}})
        assert batch.records == (record(0),)
        assert (batch.condition, batch.request_id) == (PLACE.condition, PLACE.request_id)

    def test_of_another_function_is_foreign(self) -> None:
        message = invoked(functionArn=f"{FUNCTION}2") | {"requestPayload": event(0)}
        assert refused(message).startswith("foreign: ")

    @pytest.mark.parametrize(("field", "value"), [("eventSource", "aws:sqs"), ("eventSourceARN", f"{STREAM}2")])
    def test_of_another_source_is_foreign(self, field: str, value: str) -> None:
        message = {"Records": [entry(FIRST), entry(FIRST + 1) | {field: value}]}
        assert refused(message).startswith(f"foreign: Records[1].{field}: ")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("sequenceNumber", None),
            ("sequenceNumber", "x"),
            ("partitionKey", 3),
            ("data", "no base64!"),
            ("data", "\xe9"),
            ("data", None),
            ("approximateArrivalTimestamp", "2026-03-01T12:00:00Z"),
            ("approximateArrivalTimestamp", True),
            ("approximateArrivalTimestamp", float("nan")),
            ("approximateArrivalTimestamp", float("inf")),
            ("approximateArrivalTimestamp", 10**300),
            ("approximateArrivalTimestamp", -1),
            ("approximateArrivalTimestamp", 1772366400000),
        ],
    )
    def test_with_a_wrong_field_is_unknown_by_its_name(self, field: str, value: Any) -> None:
        assert refused({"Records": [entry(FIRST, **{field: value})]}).startswith(f"unknown: Records[0].kinesis.{field}")

    @pytest.mark.parametrize("told", [f"{SHARD}:{FIRST + 1}", SHARD, f"shard:{FIRST}", 3, None])
    def test_with_another_number_in_its_identifier_is_unknown(self, told: Any) -> None:
        assert refused({"Records": [entry(FIRST) | {"eventID": told}]}).startswith("unknown: Records[0].eventID: ")

    @pytest.mark.parametrize("records", [None, [], {}, "abc", [1]])
    def test_without_records_is_unknown(self, records: Any) -> None:
        assert refused({"Records": records}).startswith("unknown: ")


class TestThroughSns:
    """A topic between Lambda and the queue."""

    def wrapped(self, message: Any, **changes: Any) -> dict[str, Any]:
        return {"Type": "Notification", "MessageId": "1", "Message": json.dumps(message), **changes}

    def test_is_read_as_without(self) -> None:
        assert parse(self.wrapped(position())) == [PLACE]

    def test_brings_its_attributes_in_the_body(self) -> None:
        told = {"RequestID": {"Type": "String", "Value": "e4b4"}, "ErrorCode": {"Type": "Number", "Value": "200"}}
        (batch,) = parse(self.wrapped(event(0), MessageAttributes=told))
        assert (batch.condition, batch.request_id) == ("200", "e4b4")

    def test_twice_is_refused(self) -> None:
        assert "one more notification" in refused(self.wrapped(self.wrapped(position())))

    def test_around_something_else_is_unknown(self) -> None:
        assert refused(self.wrapped("hello")).startswith("unknown: Message: ")
        assert refused({"Type": "Notification", "Message": 3}).startswith("unknown: Message: ")


class TestAnythingElse:
    """Refused, and nothing worse."""

    @pytest.mark.parametrize(
        ("message", "told"),
        [
            ("{", "the body: expected JSON"),
            ("[1]", "the body: expected a JSON object"),
            ({}, "expected KinesisBatchInfo, requestPayload or Records, found none of them"),
            ({"KinesisBatchInfo": {}}, "requestContext: missing"),
            (position() | invoked(functionArn=None), "requestContext.functionArn: missing"),
            (position(streamArn=7), "KinesisBatchInfo.streamArn: expected a string"),
            (position(batchSize=-1), "KinesisBatchInfo.batchSize: expected a positive integer"),
            (position(shardId="shard/../6"), "KinesisBatchInfo.shardId: expected shardId- and twelve digits"),
            (
                position(startSequenceNumber=1),
                "KinesisBatchInfo.startSequenceNumber: expected a sequence number as text",
            ),
            (position(endSequenceNumber="1"), "KinesisBatchInfo.endSequenceNumber: before startSequenceNumber"),
            (invoked() | {"requestPayload": "{"}, "requestPayload: expected JSON"),
            (
                invoked() | {"requestPayload": {"Records": []}},
                "requestPayload: expected Records, a list with at least one record",
            ),
            ({"Records": [1]}, "Records[0]: expected an object"),
            ({"Records": [entry(FIRST, data="*")]}, "Records[0].kinesis.data: expected base64"),
            ({"Records": [entry(FIRST, partitionKey=None)]}, "Records[0].kinesis.partitionKey: missing"),
        ],
    )
    def test_is_told_in_words(self, message: Any, told: str) -> None:
        assert refused(message) == f"unknown: {told}"

    def test_of_another_service_is_foreign(self) -> None:
        message = {"Records": [{"eventSource": "aws:s3", "s3": {}}]}
        assert refused(message) == "foreign: Records[0].eventSource: not aws:kinesis"

    @pytest.mark.parametrize(
        "body",
        ["", "hello {", "[1]", "null", "3", '"text"', "{}", "x" * 262_144, "[" * 262_144, "9" * 5000, "\ufeff{}"],
    )
    def test_is_unknown(self, body: str) -> None:
        assert refused(body).startswith("unknown: ")

    @pytest.mark.parametrize("depth", [900, 5_000, 80_000])
    def test_that_is_nested_deeply_is_unknown(self, depth: int) -> None:
        assert refused('{"a":' * depth + "1" + "}" * depth).startswith("unknown: ")

    def test_is_told_without_its_values(self) -> None:
        message = position(shardId=SECRET, batchSize=SECRET)
        assert SECRET not in refused(message)
        assert SECRET not in refused({"Records": [entry(FIRST, data=SECRET + "!")]})


_SEEDS = [
    position(),
    position() | {"payload": event(0, 1, 2)},
    position() | {"payload": json.dumps(event(0, 1, 2))},
    invoked() | {"requestPayload": event(0, 1)},
    event(0, 1),
    {"Type": "Notification", "Message": json.dumps(position()), "MessageAttributes": {"ErrorCode": {"Value": "2"}}},
]
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something can be changed."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in ((*path, key), *_places(inner, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A message that was valid before some of it was replaced or removed."""
    message = copy.deepcopy(draw(st.sampled_from(_SEEDS)))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(message)
        if not places:
            break
        *path, last = draw(st.sampled_from(places))
        inner: Any = message
        for key in path:
            inner = inner[key]
        if draw(st.booleans()):
            inner[last] = draw(_VALUES)
        else:
            del inner[last]
    return message


def _holds(message: str) -> None:
    """Read, in a way that the rest can work with, or refused; any other error fails the test."""
    try:
        batches = parse(message)
    except NotAFailureError:
        return
    assert batches
    for batch in batches:
        assert batch.deadline(timedelta(days=365), timedelta(days=14)) is not None
        if batch.records is not None:
            numbers = [record.sequence_number for record in batch.records]
            assert numbers == sorted(set(numbers))
            assert (batch.id.start, batch.id.end, batch.size) == (numbers[0], numbers[-1], len(numbers))


@given(mutated())
def test_a_damaged_message_is_read_or_refused(message: Any) -> None:
    _holds(json.dumps(message))


@given(_VALUES)
def test_any_json_is_read_or_refused(message: Any) -> None:
    _holds(json.dumps(message))


@given(st.text())
def test_any_text_is_read_or_refused(message: str) -> None:
    _holds(message)


class TestADocumentOfInvalidRecords:
    """What the delivery worker writes to errors/."""

    STEM = "2026-03-01-12-00-00-5f0c1d5e-6a61-4f6c-9c1e-3d0a5b0e7a11"

    def document(self, **changes: Any) -> bytes:
        held = {"timestamp": "2026-03-01T12:00:00.000Z", "error": {"message": "bad"}, "events": ["{}", "\udcff{"]}
        return json.dumps(held | changes).encode()

    def test_is_numbered_by_place_and_byte_for_byte(self) -> None:
        batch = failures.parse_errors_document(self.document(), self.STEM)
        assert batch.id == BatchId(f"errors-{self.STEM}", 0, 1)
        assert batch.records == (StreamRecord(0, "", NOON, b"{}"), StreamRecord(1, "", NOON, b"\xff{"))
        assert (batch.size, batch.first_arrival, batch.last_arrival, batch.sent) == (2, NOON, NOON, None)
        assert batch.origin == f"errors/{self.STEM}.json"

    def test_is_what_the_worker_writes(self) -> None:
        content = errors_document([Rejected(b"one", "x"), Rejected(b"\xff two", "y")], NOON)
        batch = failures.parse_errors_document(content, self.STEM)
        assert batch.records is not None
        assert [record.data for record in batch.records] == [b"one", b"\xff two"]
        assert batch.id.lane == "documents"

    @pytest.mark.parametrize(
        "changes",
        [
            {"events": []},
            {"events": "abc"},
            {"events": {"a": 1}},
            {"events": [3]},
            {"events": ["\ud800"]},
            {"timestamp": None},
            {"timestamp": 3},
            {"timestamp": "9999-12-31"},
        ],
    )
    def test_that_is_damaged_is_told_by_its_name(self, changes: dict[str, Any]) -> None:
        with pytest.raises(StorageError, match=self.STEM):
            failures.parse_errors_document(self.document(**changes), self.STEM)

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xff", b"[" * 100_000])
    def test_that_is_none_is_told_by_its_name(self, content: bytes) -> None:
        with pytest.raises(StorageError, match=self.STEM):
            failures.parse_errors_document(content, self.STEM)

    def test_with_an_odd_name_is_told(self) -> None:
        with pytest.raises(StorageError):
            failures.parse_errors_document(self.document(), "a/b")
