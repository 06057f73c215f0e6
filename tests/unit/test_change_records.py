"""Change records: what is read of them, and how what is none is told."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.change_records import parse
from dmd_pipeline.errors import InvalidRecordError
from tests.unit.attribute_strategies import JSON_VALUES
from tests.unit.changes import change, demand, document, image


TTL = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("event_name", ["INSERT", "MODIFY", "REMOVE"])
def test_the_image_is_the_new_one_or_that_of_what_was_removed(event_name: str) -> None:
    images = {"NewImage": image({"which": "new"}), "OldImage": image({"which": "old"})}
    changed = parse(_encoded(document({}, event_name) | {"dynamodb": images}))
    assert changed.event_name == event_name
    assert changed.image == {"which": "old" if event_name == "REMOVE" else "new"}


def test_the_image_is_unmarshalled() -> None:
    item = {
        "text": "a", "number": Decimal("1.5"), "flag": True, "nothing": None, "bytes": b"\x00", "list": [1, "a"],
        "map": {"inner": "b"}, "texts": {"a", "b"}, "numbers": {1, 2}, "blobs": {b"\x01"},
    }  # fmt: skip
    assert parse(change(item)).image == item


def test_the_record_type_is_the_item_s_type() -> None:
    assert parse(change(demand())).record_type == "demand"


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({}, "type: missing"),
        ({"type": {"N": "1"}}, "type: expected a string (S), found a number (N)"),
        ({"type": {"S": 1}}, "type: expected a string (S)"),
        ({"type": "demand"}, "type: expected a string (S)"),
    ],
)
def test_an_item_without_a_type_is_told(attributes: Any, reason: str) -> None:
    with pytest.raises(InvalidRecordError, match=re.escape(reason)):
        _ = parse(_encoded(document(attributes))).record_type


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"ApproximateCreationDateTime": 1_750_000_000_123}, "2025-06-15T15:06:40.123000+00:00"),
        (
            {
                "ApproximateCreationDateTime": 1_750_000_000_123,
                "ApproximateCreationDateTimePrecision": "MILLISECOND",
            },
            "2025-06-15T15:06:40.123000+00:00",
        ),
        (
            {
                "ApproximateCreationDateTime": 1_750_000_000_123_456,
                "ApproximateCreationDateTimePrecision": "MICROSECOND",
            },
            "2025-06-15T15:06:40.123456+00:00",
        ),
    ],
)
def test_the_time_is_in_milliseconds_or_microseconds(changed: dict[str, Any], expected: str) -> None:
    data = _encoded(document({}, dynamodb={"NewImage": {}} | changed))
    assert parse(data).approximate_creation.isoformat() == expected


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001 set below
def test_every_microsecond_is_exact(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    count = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    stamped = {"ApproximateCreationDateTime": count, "ApproximateCreationDateTimePrecision": "MICROSECOND"}
    assert parse(_encoded(document({}, dynamodb={"NewImage": {}} | stamped))).approximate_creation == moment


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, "dynamodb.ApproximateCreationDateTime: missing"),
        ({"ApproximateCreationDateTime": "now"}, "dynamodb.ApproximateCreationDateTime: expected an integer"),
        ({"ApproximateCreationDateTime": True}, "dynamodb.ApproximateCreationDateTime: expected an integer"),
        ({"ApproximateCreationDateTime": 10**30}, "dynamodb.ApproximateCreationDateTime: expected a time in the years"),
        (
            {"ApproximateCreationDateTime": 1, "ApproximateCreationDateTimePrecision": "NANOSECOND"},
            "dynamodb.ApproximateCreationDateTimePrecision: expected one of MILLISECOND, MICROSECOND",
        ),
    ],
)
def test_a_time_that_is_none_is_told_only_to_who_asks(changed: dict[str, Any], reason: str) -> None:
    """Delivery does not ask: a change with an odd time still has a row."""
    parsed = parse(_encoded(document({}, dynamodb={"NewImage": {}} | changed)))
    with pytest.raises(InvalidRecordError, match=re.escape(reason)):
        _ = parsed.approximate_creation


@pytest.mark.parametrize(
    ("event_name", "identity", "expected"),
    [
        ("REMOVE", TTL, True),
        ("REMOVE", TTL | {"more": 1}, True),
        ("REMOVE", None, False),
        ("REMOVE", {"type": "Service", "principalId": "replication.dynamodb.amazonaws.com"}, False),
        ("REMOVE", "dynamodb.amazonaws.com", False),
        ("MODIFY", TTL, False),
    ],
)
def test_a_removal_by_time_to_live_is_told_from_one_by_a_user(
    event_name: str, identity: Any, *, expected: bool
) -> None:
    assert parse(change({}, event_name, userIdentity=identity)).is_ttl_removal is expected


def test_a_change_without_an_id_has_an_empty_one() -> None:
    assert parse(change({}, eventID="abc")).event_id == "abc"
    assert parse(change({}, eventID=None)).event_id == ""


def _with(**changed: Any) -> dict[str, Any]:
    return document({}) | changed


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not valid JSON at character 0"),
        (b"{", "not valid JSON at character 1"),
        (b"\xff\xfe", "expected JSON in UTF-8, found other bytes"),
        ("{}".encode("utf-16"), "expected JSON in UTF-8, found other bytes"),
        (b"\xef\xbb\xbf{}", "not valid JSON at character 0"),
        (b"[" * 100_000, "expected JSON that a change record may hold, found excess"),
        (b'{"a": ' + b"1" * 5000 + b"}", "expected JSON that a change record may hold, found excess"),
        (b"[]", "expected a JSON object"),
        (b"null", "expected a JSON object"),
        (b"{}", "eventName: expected one of INSERT, MODIFY, REMOVE"),
        (_encoded(_with(eventName="UPSERT")), "eventName: expected one of INSERT, MODIFY, REMOVE"),
        (_encoded(_with(eventName=["INSERT"])), "eventName: expected one of INSERT, MODIFY, REMOVE"),
        (_encoded(_with(dynamodb=None)), "dynamodb: missing"),
        (_encoded(_with(dynamodb=[])), "dynamodb: expected an object"),
        (_encoded(_with(dynamodb={})), "dynamodb.NewImage: missing, and INSERT needs it"),
        (_encoded(_with(dynamodb={"OldImage": {}})), "dynamodb.NewImage: missing, and INSERT needs it"),
        (
            _encoded(_with(eventName="MODIFY", dynamodb={"OldImage": {}})),
            "dynamodb.NewImage: missing, and MODIFY needs it",
        ),
        (
            _encoded(_with(eventName="REMOVE", dynamodb={"NewImage": {}})),
            "dynamodb.OldImage: missing, and REMOVE needs it",
        ),
        (_encoded(_with(dynamodb={"NewImage": "text"})), "dynamodb.NewImage: expected an object"),
    ],
)
def test_what_is_no_change_record_is_told_by_its_field(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidRecordError, match=re.escape(reason)):
        parse(data)


def test_an_image_nested_beyond_reason_is_an_error_of_its_record_alone() -> None:
    depth = 400
    data = _encoded(document({})).replace(b'"NewImage": {}', b'"NewImage": {"a": %s}')
    nested = data % (b'{"M": {"a": ' * depth + b'{"S": ""}' + b"}}" * depth)
    with suppress(InvalidRecordError):
        _ = parse(nested).image


@given(st.binary() | JSON_VALUES.map(_encoded) | JSON_VALUES.map(lambda value: _encoded(_with(dynamodb=value))))
def test_any_bytes_are_a_change_record_or_one_error(data: bytes) -> None:
    with suppress(InvalidRecordError):
        parse(data)
