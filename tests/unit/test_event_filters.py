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
        ([{"anything-but": [5, {"suffix": "t"}]}], "event", False),
        ([{"exists": True}], [], False),
        ([{"exists": True}], {"S": "sale"}, False),
        ([{"exists": False}], {"S": "sale"}, True),
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


def test_one_object_of_a_list_must_match_as_a_whole() -> None:
    pattern = {"list": {"a": [1], "b": [2]}}

    assert passes(pattern, {"list": [{"a": 3}, {"a": 1, "b": 2}]})
    assert not passes(pattern, {"list": [{"a": 1}, {"b": 2}]})


def test_data_that_is_no_json_passes_a_pattern_on_the_partition_key_alone() -> None:
    event_filter = EventFilter(['{"partitionKey": [{"prefix": "a"}]}'])

    assert event_filter.passes(b"no JSON", "abc")
    assert not event_filter.passes(b"no JSON", "b")


def test_data_nested_too_deeply_is_dropped() -> None:
    assert not EventFilter(['{"data": {"a": [{"exists": false}]}}']).passes(b"[" * 200_000, "key")


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
        ('{"data": {"a": [{"numeric": [">", "5"]}]}}', "numeric"),
        ('{"data": {"a": [{"numeric": 5}]}}', "numeric"),
        ('{"data": {"a": [{"numeric": [["a"], 5]}]}}', "numeric"),
        ('{"data": {"a": [{"prefix": 5}]}}', "prefix: expected a string"),
        ('{"data": {"a": [{"prefix": {"equals-ignore-case": "x"}}]}}', "prefix: expected a string"),
        ('{"data": {"a": [{"exists": "yes"}]}}', "exists"),
        ('{"data": {"a": [{"anything-but": {"exists": true}}]}}', "anything-but"),
        ('{"data": {"a": [{"anything-but": []}]}}', "anything-but"),
        ('{"data": {"a": [{"anything-but": [null]}]}}', "anything-but"),
        ('{"data": {"a": [["x"]]}}', "unknown filter rule"),
        ('{"data": {"a": [{"prefix": "x", "suffix": "y"}]}}', "unknown filter rule"),
        ('{"data": {}}', "empty object"),
        ("{}", "empty object"),
        ('{"data": ["text"]}', "data: expected an object"),
        ('{"data": {"$or": {"a": [1]}}}', "expected a list of objects"),
        ('{"data": {"$or": []}}', "expected a list of objects"),
        ('{"sequenceNumber": ["5"]}', "sequenceNumber"),
        ('{"$or": [{"eventSource": ["x"]}]}', "eventSource"),
    ],
)
def test_a_pattern_that_is_not_understood_is_refused_by_name(pattern: str, named: str) -> None:
    with pytest.raises(PatternError, match=named):
        EventFilter([pattern])
