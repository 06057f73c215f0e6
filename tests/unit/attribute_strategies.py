"""Hypothesis strategies: attribute values as they stand in the stream's JSON, sound and broken."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st


def _number_text(parts: tuple[int, int]) -> str:
    digits, exponent = parts
    return str(Decimal(digits).scaleb(exponent))


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER_TEXTS = st.one_of(
    st.integers(-(10**38) + 1, 10**38 - 1).map(str),
    st.tuples(st.integers(-(10**15), 10**15), st.integers(-60, 60)).map(_number_text),
    st.sampled_from(["0", "-0", "1.0", "1e3", "1E+3", "-1.5", "2147483648", "9223372036854775807", "0.1"]),
)
BASE64_TEXTS = st.binary(max_size=20).map(lambda value: base64.b64encode(value).decode())

SCALARS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    TEXTS.map(lambda value: {"S": value}),
    NUMBER_TEXTS.map(lambda value: {"N": value}),
    st.booleans().map(lambda value: {"BOOL": value}),
    st.just({"NULL": True}),
    BASE64_TEXTS.map(lambda value: {"B": value}),
    st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(lambda values: {"SS": values}),
    st.lists(NUMBER_TEXTS, min_size=1, max_size=3, unique_by=Decimal).map(lambda values: {"NS": values}),
    st.lists(BASE64_TEXTS, min_size=1, max_size=3, unique=True).map(lambda values: {"BS": values}),
)
ATTRIBUTE_VALUES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda values: {"L": values}),
        st.dictionaries(TEXTS, inner, max_size=3).map(lambda values: {"M": values}),
    ),
    max_leaves=8,
)
"""Every attribute type that DynamoDB has."""

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)

TAGS = ["S", "N", "BOOL", "NULL", "M", "L", "B", "SS", "NS", "BS", "X", ""]
BROKEN_ATTRIBUTE_VALUES: st.SearchStrategy[Any] = st.one_of(
    JSON_VALUES,
    st.dictionaries(st.sampled_from(TAGS), JSON_VALUES | ATTRIBUTE_VALUES, max_size=2),
    st.dictionaries(st.sampled_from(TAGS), st.lists(JSON_VALUES | ATTRIBUTE_VALUES, max_size=3), max_size=2),
)
"""Anything that JSON can hold where an attribute value should stand; now and then it is a sound one."""
