"""Attribute values → plain values: the same as boto3 gives, and never anything for what is none."""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.attribute_values import unmarshal, unmarshal_map
from dmd_pipeline.errors import InvalidRecordError
from tests.unit.attribute_strategies import ATTRIBUTE_VALUES, BROKEN_ATTRIBUTE_VALUES


if TYPE_CHECKING:
    from decimal import Decimal


_boto3: Any = TypeDeserializer().deserialize


def _with_bytes(attribute: dict[str, Any]) -> dict[str, Any]:
    """As botocore hands it to boto3: bytes where the stream's JSON has base64."""
    ((tag, value),) = attribute.items()
    if tag == "B":
        return {tag: base64.b64decode(value)}
    if tag == "BS":
        return {tag: [base64.b64decode(item) for item in value]}
    if tag == "L":
        return {tag: [_with_bytes(item) for item in value]}
    if tag == "M":
        return {tag: {name: _with_bytes(item) for name, item in value.items()}}
    return attribute


@given(ATTRIBUTE_VALUES)
def test_every_attribute_value_stands_for_what_boto3_says(attribute: dict[str, Any]) -> None:
    assert unmarshal(json.loads(json.dumps(attribute))) == _boto3(_with_bytes(attribute))


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_is_held_or_refused_as_boto3_does(number: Decimal) -> None:
    try:
        expected = _boto3({"N": str(number)})
    except ArithmeticError:
        with pytest.raises(InvalidRecordError, match="a number that DynamoDB can hold"):
            unmarshal({"N": str(number)})
    else:
        assert unmarshal({"N": str(number)}).as_tuple() == expected.as_tuple()


@given(BROKEN_ATTRIBUTE_VALUES)
def test_anything_else_is_refused_with_one_error(attribute: Any) -> None:
    with suppress(InvalidRecordError):
        unmarshal(attribute)


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ({}, "expected an attribute value"),
        ("text", "expected an attribute value"),
        (None, "expected an attribute value"),
        ({"S": "a", "N": "1"}, "expected an attribute value"),
        ({"X": "a"}, "expected an attribute value"),
        ({"S": 5}, "expected a string (S), found that with a malformed value"),
        ({"N": 5}, "expected a number (N), found that with a malformed value"),
        ({"N": "1_000"}, "expected a number (N)"),
        ({"N": " 1"}, "expected a number (N)"),
        ({"N": "NaN"}, "expected a number (N)"),
        ({"N": "Infinity"}, "expected a number (N)"),
        ({"N": "\u0661"}, "expected a number (N)"),
        ({"N": "1E+127"}, "expected a number that DynamoDB can hold"),
        ({"N": "1" * 39}, "expected a number that DynamoDB can hold"),
        ({"BOOL": "true"}, "expected a boolean (BOOL), found that with a malformed value"),
        ({"B": "not base64"}, "expected bytes in base64"),
        ({"B": "é"}, "expected bytes in base64"),
        ({"M": []}, "expected a map (M)"),
        ({"L": {}}, "expected a list (L)"),
        ({"SS": ["a", 5]}, "expected a set of strings (SS)"),
        ({"NS": ["a"]}, "expected a number (N)"),
        ({"BS": "abcd"}, "expected a set of bytes (BS)"),
    ],
)
def test_a_broken_attribute_value_is_told_in_words(attribute: Any, reason: str) -> None:
    with pytest.raises(InvalidRecordError, match=re.escape(reason)):
        unmarshal(attribute)


def test_a_broken_attribute_value_is_told_by_its_path() -> None:
    image = {"venues": {"L": [{"M": {}}, {"M": {"location": {"M": {"longitude": {"N": "east"}}}}}]}}
    with pytest.raises(InvalidRecordError) as raised:
        unmarshal_map(image)
    assert raised.value.field == "venues[1].location.longitude"
    assert "east" not in str(raised.value)
