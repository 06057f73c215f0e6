from __future__ import annotations

import json
from typing import Any

import pytest

from dmd_pipeline.errors import PatternError
from dmd_pipeline.event_filters import EventFilter


def passes(pattern: dict[str, Any], document: Any) -> bool:
    event_filter = EventFilter([json.dumps({"data": pattern})])
    return event_filter.passes(json.dumps(document).encode(), "key")


@pytest.mark.parametrize(
    ("rules", "value", "expected"),
    [
        (["sale", "event"], "event", True),
        (["sale", "event"], "refund", False),
        ([5], 5, True),
        ([1], True, False),
        ([True], True, True),
        ([None], None, True),
        ([{"prefix": "ev"}], "event", True),
        ([{"prefix": "ev"}], 5, False),
        ([{"suffix": "nt"}], "event", True),
        ([{"equals-ignore-case": "EVENT"}], "event", True),
        ([{"anything-but": ["sale"]}], "event", True),
        ([{"anything-but": ["sale"]}], "sale", False),
        ([{"anything-but": {"prefix": "ev"}}], "event", False),
        ([{"numeric": [">", 0, "<=", 5]}], 5, True),
        ([{"numeric": [">", 0, "<=", 5]}], 0, False),
        ([{"numeric": ["=", 1]}], True, False),
        ([{"numeric": ["=", 5]}], "5", False),
        ([{"exists": True}], None, True),
        ([{"exists": False}], "there", False),
        (["b"], ["a", "b"], True),
    ],
)
def test_a_rule_holds_for_a_value(rules: list[Any], value: Any, expected: bool) -> None:
    assert passes({"field": rules}, {"field": value}) is expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [(["a"], False), ([{"anything-but": ["a"]}], False), ([{"exists": True}], False), ([{"exists": False}], True)],
)
def test_only_exists_false_holds_for_an_absent_field(rules: list[Any], expected: bool) -> None:
    assert passes({"field": rules}, {"other": 1}) is expected


def test_every_field_of_a_pattern_must_hold_at_its_depth() -> None:
    pattern = {"dynamodb": {"NewImage": {"type": {"S": ["sale"]}}}, "eventName": ["INSERT"]}

    assert passes(pattern, {"eventName": "INSERT", "dynamodb": {"NewImage": {"type": {"S": "sale"}}}})
    assert not passes(pattern, {"eventName": "MODIFY", "dynamodb": {"NewImage": {"type": {"S": "sale"}}}})
    assert not passes(pattern, {"eventName": "INSERT", "dynamodb": "no object"})


def test_one_alternative_of_or_suffices_beside_the_other_fields() -> None:
    pattern = {"c": [3], "$or": [{"a": [1]}, {"b": [2]}]}

    assert passes(pattern, {"b": 2, "c": 3})
    assert not passes(pattern, {"c": 3})
    assert not passes(pattern, {"b": 2})


def test_one_of_several_patterns_suffices_and_without_any_everything_passes() -> None:
    both = EventFilter(['{"data": {"a": [1]}}', '{"partitionKey": ["key"]}'])

    assert both.passes(b'{"a": 2}', "key")
    assert not both.passes(b'{"a": 2}', "other")
    assert EventFilter([]).passes(b"no JSON", "key")


@pytest.mark.parametrize("data", [b'{"a": 1', b"\xff", b""])
def test_data_that_is_no_json_is_dropped(data: bytes) -> None:
    assert not EventFilter(['{"data": {"a": [{"exists": false}]}}']).passes(data, "key")


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"data": {"a": []}}', "a: expected a list"),
        ('{"data": {"a": "b"}}', "a: expected a list"),
        ('{"data": {"a": [{"wildcard": "x*"}]}}', "wildcard"),
        ('{"data": {"a": [{"numeric": [">"]}]}}', "numeric"),
        ('{"data": {"a": [{"numeric": ["~", 5]}]}}', "numeric"),
    ],
)
def test_a_pattern_that_is_not_understood_is_refused_by_name(pattern: str, named: str) -> None:
    with pytest.raises(PatternError, match=named):
        EventFilter([pattern])
