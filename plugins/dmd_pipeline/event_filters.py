"""Lambda's event filtering: whether a record of the stream passes the filter of an event source mapping.

A pattern is a JSON document of the same shape as the record, ``{"data": {...}, "partitionKey": [...]}``; a list at its
leaves holds the rules of which one must hold. These rules are understood::

    "value", 5, true, null              equal
    {"prefix": "a"}, {"suffix": "z"}    beginning or end of a string
    {"equals-ignore-case": "Abc"}       equal but for upper and lower case
    {"anything-but": ["a", "b"]}        present and none of these; also {"prefix": "a"}, {"suffix": "z"}
    {"numeric": [">", 0, "<=", 5]}      a number within bounds
    {"exists": true}                    present, or with false: absent
    "$or": [{...}, {...}]               one of several patterns

Everything else is refused rather than ignored: who takes a filter for another one loses records or delivers too many.
As in Lambda, a record whose data is not JSON never passes a pattern on ``data``: it is dropped before the function sees
it. Rules look at values only, as EventBridge's do: to them a field that holds an object, or an empty list, is absent.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

from dmd_pipeline.change_records import decoded
from dmd_pipeline.errors import PatternError


Matcher = Callable[[Any], bool]
_ABSENT: Final = object()
_NO_JSON: Final = object()
_DATA: Final = "data"
_PARTITION_KEY: Final = "partitionKey"
_OR: Final = "$or"
_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class EventFilter:
    """The filter criteria of an event source mapping: a record passes if it matches one of its patterns.

    Args:
        patterns: The patterns as JSON texts; without any, everything passes.

    Raises:
        PatternError: A pattern is not understood.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._matchers = [_compile(text) for text in patterns]

    def passes(self, data: bytes, partition_key: str) -> bool:
        """Whether a Kinesis record reaches the function."""
        if not self._matchers:
            return True
        event = {_PARTITION_KEY: partition_key, _DATA: _decoded(data)}
        return any(matches(event) for matches in self._matchers)


def _decoded(data: bytes) -> Any:
    for decode in (decoded, json.loads):  # the second one knows other encodings, and byte order marks
        try:
            return decode(data)
        except (ValueError, RecursionError):
            continue
    return _NO_JSON


def _compile(text: str) -> Matcher:
    try:
        pattern = json.loads(text)
    except ValueError as error:
        raise PatternError(f"the filter pattern {text!r} is not JSON: {error}") from error
    if not isinstance(pattern, dict):
        raise PatternError(f"the filter pattern {text!r} is not a JSON object")
    _check_top(pattern)
    return _document(pattern)


def _check_top(pattern: dict[str, Any]) -> None:
    """Refuse what cannot be decided from a record's data and partition key."""
    for key, value in pattern.items():
        if key == _OR:
            for one in _alternatives(value):
                _check_top(one)
        elif key not in (_DATA, _PARTITION_KEY):
            raise PatternError(f"{key}: filters on this property are not supported; on data and partitionKey they are")
        elif key == _DATA and not isinstance(value, dict):
            raise PatternError(f"{key}: expected an object, as Lambda does for a stream, found {value!r}")


def _document(pattern: dict[str, Any]) -> Matcher:
    if not pattern:
        raise PatternError("expected a field with rules, found an empty object")
    fields: list[tuple[str, Matcher]] = []
    alternatives: list[Matcher] = []
    for key, value in pattern.items():
        if key == _OR:
            alternatives = [_document(one) for one in _alternatives(value)]
        elif isinstance(value, dict):
            fields.append((key, _document(value)))
        elif isinstance(value, list) and value:
            fields.append((key, _leaf(value)))
        else:
            raise PatternError(f"{key}: expected a list of rules or an object, found {value!r}")

    def matches(document: Any) -> bool:
        if isinstance(document, list):  # one of its objects must match as a whole
            return any(matches(one) for one in document)
        if document is _NO_JSON:
            return False
        found = document if isinstance(document, dict) else {}
        return all(matcher(found.get(key, _ABSENT)) for key, matcher in fields) and (
            not alternatives or any(matcher(document) for matcher in alternatives)
        )

    return matches


def _alternatives(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        raise PatternError(f"{_OR}: expected a list of objects, found {value!r}")
    return value


def _leaf(rules: list[Any]) -> Matcher:
    matchers = [_rule(rule) for rule in rules]

    def matches(value: Any) -> bool:
        return any(matcher(one) for one in _values(value) for matcher in matchers)

    return matches


def _values(value: Any) -> Sequence[Any]:
    if not isinstance(value, dict | list):
        return (value,)
    values = value if isinstance(value, list) else ()
    return [one for one in values if not isinstance(one, dict | list)] or (_ABSENT,)


def _rule(rule: Any) -> Matcher:
    if isinstance(rule, str | int | float | None):
        return lambda value: _equal(value, rule)
    if isinstance(rule, dict) and len(rule) == 1:
        [(name, operand)] = rule.items()
        make = _RULES.get(name)
        if make is not None:
            return make(operand)
    raise PatternError(f"unknown filter rule {rule!r}; known: {', '.join(_RULES)}")


def _equal(value: Any, wanted: Any) -> bool:
    # JSON's true is no number, though Python's True is.
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _text(name: str, operand: Any) -> str:
    if not isinstance(operand, str):
        raise PatternError(f"{name}: expected a string, found {operand!r}")
    return operand


def _prefix(operand: Any) -> Matcher:
    wanted = _text("prefix", operand)
    return lambda value: isinstance(value, str) and value.startswith(wanted)


def _suffix(operand: Any) -> Matcher:
    wanted = _text("suffix", operand)
    return lambda value: isinstance(value, str) and value.endswith(wanted)


def _ignore_case(operand: Any) -> Matcher:
    wanted = _text("equals-ignore-case", operand).casefold()
    return lambda value: isinstance(value, str) and value.casefold() == wanted


def _anything_but(operand: Any) -> Matcher:
    rules = operand if isinstance(operand, list) else [operand]
    for rule in rules:
        inner = next(iter(rule), None) if isinstance(rule, dict) else None
        if (isinstance(rule, dict) and inner not in _INSIDE_ANYTHING_BUT) or isinstance(rule, bool | None):
            raise PatternError(f"anything-but: expected strings, numbers, a prefix or a suffix, found {rule!r}")
    if not rules:
        raise PatternError("anything-but: expected at least one value")
    unwanted = [_rule(rule) for rule in rules]
    return lambda value: value is not _ABSENT and not any(matcher(value) for matcher in unwanted)


def _numeric(operand: Any) -> Matcher:
    pairs = list(zip(operand[::2], operand[1::2], strict=True)) if _is_paired(operand) else []
    if not pairs or any(sign not in _COMPARISONS or not _is_number(bound) for sign, bound in pairs):
        raise PatternError(f"numeric: expected pairs such as ['>', 0, '<=', 5], found {operand!r}")
    return lambda value: _is_number(value) and all(_COMPARISONS[sign](value, bound) for sign, bound in pairs)


def _is_paired(operand: Any) -> bool:
    return isinstance(operand, list) and len(operand) % 2 == 0 and all(isinstance(sign, str) for sign in operand[::2])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _exists(operand: Any) -> Matcher:
    if not isinstance(operand, bool):
        raise PatternError(f"exists: expected true or false, found {operand!r}")
    return lambda value: (value is not _ABSENT) == operand


_INSIDE_ANYTHING_BUT: Final = frozenset({"prefix", "suffix", "equals-ignore-case"})
_RULES: Final[dict[str, Callable[[Any], Matcher]]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignore_case,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
}
