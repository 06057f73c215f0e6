"""Attribute values → Avro values: what fits is exact, what does not is refused by its path, nothing else happens."""

from __future__ import annotations

import base64
import itertools
import math
import re
import struct
from decimal import Decimal
from io import BytesIO
from typing import Any

import fastavro
import pytest
from fastavro.validation import validate
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.avro_readers import compile_reader, compile_row_reader
from dmd_pipeline.errors import InvalidRecordError
from dmd_pipeline.schemas import expand
from tests.unit.attribute_strategies import ATTRIBUTE_VALUES, BROKEN_ATTRIBUTE_VALUES, TEXTS


def read(avro_type: Any, attribute: Any) -> Any:
    """Read an attribute value as a type."""
    return read_field(avro_type, {"a": attribute})["a"]


def read_field(avro_type: Any, attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Read a map of attribute values as a record with one field, ``a``."""
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": avro_type, **more}]}
    return compile_row_reader(expand(schema))(attributes)


ENUM = {"type": "enum", "name": "E", "symbols": ["sms", "email"]}
FIXED = {"type": "fixed", "name": "F", "size": 2}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}
WIDE_DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 10}
INNER = {
    "type": "record",
    "name": "Inner",
    "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": ["null", "string"], "default": None}],
}


@pytest.mark.parametrize(
    ("avro_type", "attribute", "expected"),
    [
        ("string", {"S": "text"}, "text"),
        ("string", {"S": ""}, ""),
        ("string", {"S": "naïve \U0001f3b8"}, "naïve \U0001f3b8"),
        (ENUM, {"S": "sms"}, "sms"),
        ("boolean", {"BOOL": False}, False),
        ("int", {"N": "12"}, 12),
        ("int", {"N": "1.0"}, 1),
        ("int", {"N": "1e3"}, 1000),
        ("int", {"N": "-0"}, 0),
        ("int", {"N": "+7"}, 7),
        ("int", {"N": "007"}, 7),
        ("int", {"N": "2147483647"}, 2**31 - 1),
        ("int", {"N": "-2147483648"}, -(2**31)),
        ("long", {"N": "9223372036854775807"}, 2**63 - 1),
        ("long", {"N": "-9223372036854775808"}, -(2**63)),
        ({"type": "long", "logicalType": "timestamp-millis"}, {"N": "1750000000000"}, 1_750_000_000_000),
        ({"type": "int", "logicalType": "date"}, {"N": "20240"}, 20_240),
        ("double", {"N": "-118.2437"}, -118.2437),
        ("double", {"N": "1"}, 1.0),
        ("float", {"N": "0.5"}, 0.5),
        (DECIMAL, {"N": "1.5"}, Decimal("1.50")),
        (DECIMAL, {"N": "-999.99"}, Decimal("-999.99")),
        (DECIMAL, {"N": "1.500000"}, Decimal("1.50")),
        (WIDE_DECIMAL, {"N": "9" * 28 + ".0123456789"}, Decimal("9" * 28 + ".0123456789")),
        ("bytes", {"B": "AAH/"}, b"\x00\x01\xff"),
        (FIXED, {"B": "AAE="}, b"\x00\x01"),
        ("null", {"NULL": True}, None),
        (["null", "string"], {"NULL": True}, None),
        (["null", "string"], {"S": "text"}, "text"),
        (["null", "string"], {"S": "naïve"}, "naïve"),
        (["null", INNER], {"NULL": True}, None),
        (["null", "int"], {"N": "5"}, 5),
        ({"type": "array", "items": "string"}, {"L": [{"S": "b"}, {"S": "a"}]}, ["b", "a"]),
        ({"type": "array", "items": "string"}, {"L": []}, []),
        ({"type": "array", "items": "string"}, {"SS": ["b", "a"]}, ["b", "a"]),
        ({"type": "array", "items": "int"}, {"NS": ["2", "1"]}, [2, 1]),
        ({"type": "array", "items": "bytes"}, {"BS": ["AAE="]}, [b"\x00\x01"]),
        ({"type": "array", "items": ["null", "int"]}, {"L": [{"NULL": True}, {"N": "1"}]}, [None, 1]),
        ({"type": "map", "values": "int"}, {"M": {"a": {"N": "1"}}}, {"a": 1}),
        (INNER, {"M": {"x": {"N": "1"}, "unknown": {"S": "dropped"}}}, {"x": 1, "y": None}),
        (["int", "string"], {"S": "text"}, "text"),
        (["int", "string"], {"N": "1"}, 1),
        (["int", "double"], {"N": "1.5"}, 1.5),
        (["null", "int", INNER], {"M": {"x": {"N": "1"}}}, {"x": 1, "y": None}),
    ],
)
def test_what_fits_is_read_as_what_it_is(avro_type: Any, attribute: dict[str, Any], expected: object) -> None:
    value = read(avro_type, attribute)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("avro_type", "attribute", "reason"),
    [
        ("string", {"N": "1"}, "a: expected a string (S), found a number (N)"),
        ("string", {"NULL": True}, "a: expected a string (S), found null (NULL)"),
        ("string", {"S": 5}, "a: expected a string (S), found that with a malformed value"),
        ("string", "text", "a: expected a string (S), found something that is no attribute value"),
        ("string", None, "a: expected a string (S), found something that is no attribute value"),
        ("string", {"S": "\ud83c"}, "a: expected text, found half of a surrogate pair in it"),
        (["null", "string"], {"S": "\ud83c"}, "a: expected text, found half of a surrogate pair in it"),
        (["null", "string"], {"N": "1"}, "a: expected a string (S), found a number (N)"),
        (["null", "string"], {"NULL": False}, "a: expected a string (S), found null (NULL)"),
        (["null", "string"], [], "a: expected a string (S), found something that is no attribute value"),
        (ENUM, {"S": "fax"}, "a: expected one of sms, email; found another string"),
        (ENUM, {"N": "1"}, "a: expected a string (S), found a number (N)"),
        ("boolean", {"S": "true"}, "a: expected a boolean (BOOL), found a string (S)"),
        ("boolean", {"BOOL": 1}, "a: expected a boolean (BOOL), found that with a malformed value"),
        ("int", {"S": "1"}, "a: expected a number (N), found a string (S)"),
        ("int", {"N": 1}, "a: expected a number (N), found that with a malformed value"),
        ("int", {"N": "one"}, "a: expected a number (N)"),
        ("int", {"N": "1_000"}, "a: expected a number (N)"),
        ("int", {"N": "\u0661"}, "a: expected a number (N)"),
        ("int", {"N": "\u00b2"}, "a: expected a number (N)"),
        ("int", {"N": "1.5"}, "a: expected a whole number, found a fraction"),
        ("int", {"N": "1e-9999"}, "a: expected a whole number, found a fraction"),
        ("int", {"N": "2147483648"}, "a: expected a number in the range of Avro's int"),
        ("int", {"N": "-2147483649"}, "a: expected a number in the range of Avro's int"),
        ("int", {"N": "1e9999"}, "a: expected a number in the range of Avro's int"),
        ("int", {"N": "1e99999999999"}, "a: expected a number (N)"),
        ("long", {"N": "9223372036854775808"}, "a: expected a number in the range of Avro's long"),
        ("double", {"N": "nan"}, "a: expected a number (N)"),
        ("double", {"N": "1e309"}, "a: expected a number in the range of Avro's double"),
        ("float", {"N": "1e39"}, "a: expected a number in the range of Avro's float"),
        (DECIMAL, {"N": "1.505"}, "a: expected a number that decimal(5,2) holds exactly"),
        (DECIMAL, {"N": "1000"}, "a: expected a number that decimal(5,2) holds exactly"),
        (DECIMAL, {"N": "1e9999"}, "a: expected a number that decimal(5,2) holds exactly"),
        (DECIMAL, {"N": "1e-9999"}, "a: expected a number that decimal(5,2) holds exactly"),
        ("bytes", {"B": "?"}, "a: expected bytes in base64"),
        ("bytes", {"S": "AAE="}, "a: expected bytes (B), found a string (S)"),
        (FIXED, {"B": "AAH/"}, "a: expected 2 bytes, found 3"),
        ("null", {"S": ""}, "a: expected null (NULL), found a string (S)"),
        ({"type": "array", "items": "int"}, {"S": "1"}, "a: expected a list (L) or a set (SS, NS, BS), found a string"),
        ({"type": "array", "items": "int"}, {"L": {}}, "a: expected a list (L) or a set"),
        ({"type": "array", "items": "int"}, {"L": [{"N": "1"}, {"N": "x"}]}, "a[1]: expected a number (N)"),
        ({"type": "array", "items": "int"}, {"SS": ["1"]}, "a[0]: expected a number (N), found a string (S)"),
        ({"type": "array", "items": INNER}, {"L": [{"M": {}}]}, "a[0].x: missing"),
        ({"type": "map", "values": "int"}, {"M": {"secret": {"S": "x"}}}, "a[*]: expected a number (N)"),
        ({"type": "map", "values": INNER}, {"M": {"secret": {"M": {}}}}, "a[*].x: missing"),
        ({"type": "map", "values": "int"}, {"M": {"\ud800": {"N": "1"}}}, "a[*]: expected text, found half"),
        (INNER, {"M": {"x": {"N": "1"}, "y": {"N": "1"}}}, "a.y: expected a string (S), found a number (N)"),
        (INNER, {"L": []}, "a: expected a map (M), found a list (L)"),
        (["int", "string"], {"BOOL": True}, "a: expected a value that fits one branch of the union, found a boolean"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_path(avro_type: Any, attribute: Any, reason: str) -> None:
    with pytest.raises(InvalidRecordError, match=re.escape(reason)) as raised:
        read(avro_type, attribute)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("avro_type", "default", "expected"),
    [
        (["null", "string"], None, None),
        ("string", "unknown", "unknown"),
        ("int", 0, 0),
        ("double", 1, 1.0),
        ("bytes", "\u00ff\u0000", b"\xff\x00"),
        (FIXED, "\u0001\u0002", b"\x01\x02"),
        (ENUM, "sms", "sms"),
        ({"type": "array", "items": "double"}, [1], [1.0]),
        ({"type": "map", "values": "bytes"}, {"k": "\u00ff"}, {"k": b"\xff"}),
        (INNER, {"x": 1}, {"x": 1, "y": None}),
        (["string", "null"], "first", "first"),
    ],
)
def test_an_absent_field_takes_its_default(avro_type: Any, default: object, expected: object) -> None:
    assert read_field(avro_type, {}, default=default) == {"a": expected}


def test_a_default_is_not_shared_between_rows() -> None:
    schema = {
        "type": "record",
        "name": "R",
        "fields": [{"name": "a", "type": {"type": "array", "items": "int"}, "default": []}],
    }
    reader = compile_row_reader(expand(schema))
    reader({})["a"].append(1)
    assert reader({}) == {"a": []}


def test_an_optional_field_without_default_must_be_there() -> None:
    with pytest.raises(InvalidRecordError, match="a: missing"):
        read_field(["null", "string"], {})


def test_a_row_has_every_field_in_the_schema_s_order_and_no_other() -> None:
    fields = [{"name": name, "type": ["null", "int"], "default": None} for name in "cab"]
    reader = compile_row_reader(expand({"type": "record", "name": "R", "fields": fields}), skip=frozenset("b"))
    row = reader({"a": {"N": "1"}, "b": {"N": "2"}, "c": {"N": "3"}, "d": {"N": "4"}})
    assert list(row.items()) == [("c", 3), ("a", 1), ("b", None)]


_numbers = itertools.count()


def _fields_of(types: list[tuple[Any, Any, Any]]) -> tuple[Any, Any, Any]:
    """A record of types, with a value and an attribute value for each field."""
    schema = {
        "type": "record",
        "name": f"R{next(_numbers)}",
        "fields": [
            {"name": f"f{index}", "type": avro_type} for index, (avro_type, _value, _attribute) in enumerate(types)
        ],
    }
    value = {f"f{index}": value for index, (_type, value, _attribute) in enumerate(types)}
    return schema, value, {"M": {f"f{index}": attribute for index, (_t, _v, attribute) in enumerate(types)}}


def _array_of(item: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    avro_type, value, attribute = item
    return {"type": "array", "items": avro_type}, [value, value], {"L": [attribute, attribute]}


def _map_of(item: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    avro_type, value, attribute = item
    return {"type": "map", "values": avro_type}, {"key": value}, {"M": {"key": attribute}}


def _optional(item: tuple[Any, Any, Any], *, null: bool) -> tuple[Any, Any, Any]:
    avro_type, value, attribute = item
    if isinstance(avro_type, list) or avro_type == "null":
        return item
    return ["null", avro_type], None if null else value, {"NULL": True} if null else attribute


SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)
DOUBLE = st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: abs(number) < 1e126)
TYPED_VALUES: st.SearchStrategy[tuple[Any, Any, Any]] = st.recursive(
    st.one_of(
        TEXTS.map(lambda value: ("string", value, {"S": value})),
        st.integers(-(2**31), 2**31 - 1).map(lambda value: ("int", value, {"N": str(value)})),
        st.integers(-(2**63), 2**63 - 1).map(lambda value: ("long", value, {"N": str(value)})),
        SINGLE.map(lambda value: ("float", value, {"N": repr(value)})),
        DOUBLE.map(lambda value: ("double", value, {"N": repr(value)})),
        st.booleans().map(lambda value: ("boolean", value, {"BOOL": value})),
        st.binary(max_size=9).map(lambda value: ("bytes", value, {"B": base64.b64encode(value).decode()})),
        st.integers(-99_999, 99_999).map(
            lambda cents: (DECIMAL, Decimal(cents).scaleb(-2), {"N": str(Decimal(cents).scaleb(-2))})
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(_fields_of),
        inner.map(_array_of),
        inner.map(_map_of),
        st.builds(_optional, inner, null=st.booleans()),
    ),
    max_leaves=6,
)
"""An Avro type, a value of it, and the attribute value that stands for the value."""


@given(TYPED_VALUES)
def test_a_value_of_any_type_is_read_exactly_and_survives_avro(typed: tuple[Any, Any, Any]) -> None:
    avro_type, value, attribute = typed
    schema = {"type": "record", "name": "Top", "fields": [{"name": "a", "type": avro_type}]}
    row = compile_row_reader(expand(schema))({"a": attribute})
    assert row == {"a": value}
    file = BytesIO()
    fastavro.schemaless_writer(file, schema, row)
    file.seek(0)
    assert fastavro.schemaless_reader(file, schema, None) == {"a": value}


ANY_TYPE = [
    "string", "boolean", "int", "long", "float", "double", "bytes", "null", ENUM, FIXED, DECIMAL, WIDE_DECIMAL, INNER,
    {"type": "array", "items": "string"}, {"type": "array", "items": INNER}, {"type": "map", "values": "double"},
    ["null", "string"], ["null", "long"], ["null", INNER], ["int", "string"], ["null", "boolean", "double"],
]  # fmt: skip


@given(st.sampled_from(ANY_TYPE), ATTRIBUTE_VALUES | BROKEN_ATTRIBUTE_VALUES)
def test_anything_either_becomes_a_value_that_avro_accepts_or_is_refused(avro_type: Any, attribute: Any) -> None:
    reader = compile_reader(avro_type)
    try:
        value = reader(attribute)
    except InvalidRecordError:
        return
    assert validate(value, avro_type, raise_errors=False)
    fastavro.schemaless_writer(
        BytesIO(), {"type": "record", "name": "R", "fields": [{"name": "a", "type": avro_type}]}, {"a": value}
    )


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=3))
def test_a_number_becomes_an_int_only_when_nothing_is_lost(number: Decimal) -> None:
    fits = number == number.to_integral_value() and -(2**31) <= number < 2**31
    try:
        assert read("int", {"N": str(number)}) == number
    except InvalidRecordError:
        assert not fits
    else:
        assert fits


@given(DOUBLE)
def test_a_number_becomes_the_nearest_float_of_its_type(number: float) -> None:
    assert read("double", {"N": repr(number)}) == number
    try:
        single = struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        single = math.inf
    if math.isinf(single):
        with pytest.raises(InvalidRecordError, match="range of Avro's float"):
            read("float", {"N": repr(number)})
    else:
        file = BytesIO()
        fastavro.schemaless_writer(file, "float", read("float", {"N": repr(number)}))
        assert struct.unpack("<f", file.getvalue())[0] == single
