"""Lambda's event filtering: whether a record passes a filter pattern.

A pattern is a JSON document of the same shape as the record; a list at its leaves holds the rules of which one must
hold. These rules are understood::

    "value", 5, true, null              equal
    {"prefix": "a"}, {"suffix": "z"}    beginning or end of a string
    {"equals-ignore-case": "Abc"}       equal but for upper and lower case
    {"anything-but": ["a", "b"]}        present and none of these
    {"numeric": [">", 0, "<=", 5]}      a number within bounds
    {"exists": true}                    present, or with false: absent
    "$or": [{...}, {...}]               one of several patterns

Unknown rules are refused rather than ignored. As in Lambda, a record whose data is not JSON never passes a pattern on
``data``: it is dropped before the function sees it.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from typing import Any


Matcher = Callable[[Any], bool]
_ABSENT = object()
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class PatternError(ValueError):
    """A filter pattern that Lambda would refuse, or that this module does not understand."""


class EventFilter:
    """The filter criteria of an event source mapping: a record passes if it matches one of its patterns.

    Args:
        patterns: The patterns as JSON texts; without any, everything passes.

    Raises:
        PatternError: A pattern is not understood.
    """

    def __init__(self, patterns: list[str]) -> None:
        self._matchers = [_compile(text) for text in patterns]

    def passes(self, data: bytes, partition_key: str) -> bool:
        """Whether a Kinesis record reaches the function."""
        if not self._matchers:
            return True
        try:
            decoded = json.loads(data)
        except ValueError:
            return False
        event = {"data": decoded, "partitionKey": partition_key}
        return any(matches(event) for matches in self._matchers)


def _compile(text: str) -> Matcher:
    try:
        pattern = json.loads(text)
    except ValueError as error:
        raise PatternError(f"the filter pattern {text!r} is not JSON: {error}") from error
    if not isinstance(pattern, dict):
        raise PatternError(f"the filter pattern {text!r} is not a JSON object")
    return _document(pattern)


def _document(pattern: dict[str, Any]) -> Matcher:
    fields: list[tuple[str, Matcher]] = []
    alternatives: list[Matcher] = []
    for key, value in pattern.items():
        if key == "$or":
            alternatives = [_document(one) for one in value]
        elif isinstance(value, dict):
            fields.append((key, _document(value)))
        elif isinstance(value, list) and value:
            fields.append((key, _leaf(value)))
        else:
            raise PatternError(f"{key}: expected a list of rules or an object, found {value!r}")

    def matches(document: Any) -> bool:
        found = document if isinstance(document, dict) else {}
        return all(matcher(found.get(key, _ABSENT)) for key, matcher in fields) and (
            not alternatives or any(matcher(document) for matcher in alternatives)
        )

    return matches


def _leaf(rules: list[Any]) -> Matcher:
    matchers = [_rule(rule) for rule in rules]

    def matches(value: Any) -> bool:
        values = value if isinstance(value, list) else [value]
        return any(matcher(one) for one in values for matcher in matchers)

    return matches


def _rule(rule: Any) -> Matcher:
    if not isinstance(rule, dict):
        return lambda value: _equal(value, rule)
    if len(rule) == 1:
        [(name, operand)] = rule.items()
        make = _RULES.get(name)
        if make is not None:
            return make(operand)
    raise PatternError(f"unknown filter rule {rule!r}; known: {', '.join(_RULES)}")


def _equal(value: Any, wanted: Any) -> bool:
    # JSON's true is no number, though Python's True is.
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _prefix(operand: str) -> Matcher:
    return lambda value: isinstance(value, str) and value.startswith(operand)


def _suffix(operand: str) -> Matcher:
    return lambda value: isinstance(value, str) and value.endswith(operand)


def _ignore_case(operand: str) -> Matcher:
    return lambda value: isinstance(value, str) and value.casefold() == operand.casefold()


def _anything_but(operand: Any) -> Matcher:
    unwanted = [_rule(one) for one in (operand if isinstance(operand, list) else [operand])]
    return lambda value: value is not _ABSENT and not any(matcher(value) for matcher in unwanted)


def _numeric(operand: list[Any]) -> Matcher:
    pairs = list(zip(operand[::2], operand[1::2], strict=True)) if len(operand) % 2 == 0 else []
    if not pairs or any(sign not in _COMPARISONS for sign, _ in pairs):
        raise PatternError(f"numeric: expected pairs such as ['>', 0, '<=', 5], found {operand!r}")
    return lambda value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and all(_COMPARISONS[sign](value, bound) for sign, bound in pairs)
    )


def _exists(operand: bool) -> Matcher:
    return lambda value: (value is not _ABSENT) == operand


_RULES: dict[str, Callable[[Any], Matcher]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignore_case,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
}
