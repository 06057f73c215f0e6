"""Requests are held against botocore's own model of the service, as AWS holds them against the same model.

boto3 checks types, required members and minima before it sends anything; maxima, patterns and enums are left to the
service. Here all of them are checked, for every operation of the services that speak a JSON protocol, and a violation
reads as on AWS::

    1 validation error detected: Value '[…]' at 'partitionsToDelete' failed to satisfy constraint:
    Member must have length less than or equal to 25

The model is the rule: nothing in this module knows a limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from moto.core.utils import get_service_model

from local.aws.wire import AwsError


if TYPE_CHECKING:
    from botocore.model import Shape

    from local.aws.wire import Call, Response

CODE_OF_SERVICE = {
    "athena": "InvalidRequestException",
    "glue": "ValidationException",
    "kinesis": "ValidationException",
    "kms": "ValidationException",
    "lambda": "ValidationException",
    "logs": "InvalidParameterException",
}
"""The services whose requests are checked, and the code of their refusals. Of Lambda's, the JSON body is."""

Check = Callable[[Any, str, list[str]], None]
"""Appends to the list what is wrong with a value at a path."""
_JSON_PROTOCOLS = frozenset({"json", "rest-json"})
_SHOWN = 200  # characters of an offending value that a message repeats
_CACHED_TEXT = 256  # longer texts are not worth keeping
_SUPPLEMENTARY = r"\uD800\uDC00-\uDBFF\uDFFF"  # Java's spelling of every character above U+FFFF


def validate(call: Call) -> Response | None:
    """Refuse a request that breaks a constraint of the service's model (a rule of the pipeline)."""
    code = CODE_OF_SERVICE.get(call.service)
    if code is None or call.protocol not in _JSON_PROTOCOLS:
        return None
    check = _check_of_operation(call.service, call.operation)
    if check is not None and (call.body or call.protocol == "json"):
        problems: list[str] = []
        check(call.json, "", problems)
        if problems:
            plural = "s" if len(problems) > 1 else ""
            raise AwsError(code, f"{len(problems)} validation error{plural} detected: {'; '.join(problems)}")
    return None


@cache
def _check_of_operation(service: str, operation: str) -> Check | None:
    model = get_service_model(service)
    if operation not in model.operation_names:
        raise AwsError("UnknownOperationException", f"{service} has no operation {operation}.")
    shape = model.operation_model(operation).input_shape
    return None if shape is None else _check_of_shape(shape, {})


def _check_of_shape(shape: Any, under_way: dict[str, list[Check]]) -> Check:
    """The check of a shape; ``under_way`` holds those of recursive shapes until they are complete."""
    if shape.name in under_way:
        waiting = under_way[shape.name]
        return lambda value, path, problems: waiting[0](value, path, problems)
    waiting = []
    build = _BUILDERS.get(shape.type_name, _scalar)
    check = build(shape, {**under_way, shape.name: waiting})
    waiting.append(check)
    return check


def _structure(shape: Any, under_way: dict[str, list[Check]]) -> Check:
    in_body = {name: member for name, member in shape.members.items() if "location" not in member.serialization}
    members = {name: _check_of_shape(member, under_way) for name, member in in_body.items()}
    required = tuple(name for name in shape.required_members if name in in_body)

    def check(value: Any, path: str, problems: list[str]) -> None:
        if not isinstance(value, dict):
            raise _wrong_type(path, "a structure")
        missing = [_joined(path, name) for name in required if value.get(name) is None]
        problems.extend(
            f"Value null at '{name}' failed to satisfy constraint: Member must not be null" for name in missing
        )
        for name, item in value.items():
            if item is not None and name in members:
                members[name](item, _joined(path, name), problems)

    return check


def _list(shape: Any, under_way: dict[str, list[Check]]) -> Check:
    member = _check_of_shape(shape.member, under_way)
    length = _length(shape)

    def check(value: Any, path: str, problems: list[str]) -> None:
        if not isinstance(value, list):
            raise _wrong_type(path, "a list")
        length(value, path, problems)
        for position, item in enumerate(value, start=1):
            member(item, f"{path}.{position}.member", problems)

    return check


def _map(shape: Any, under_way: dict[str, list[Check]]) -> Check:
    keys = _check_of_shape(shape.key, under_way)
    values = _check_of_shape(shape.value, under_way)
    length = _length(shape)

    def check(value: Any, path: str, problems: list[str]) -> None:
        if not isinstance(value, dict):
            raise _wrong_type(path, "a map")
        length(value, path, problems)
        for key, item in value.items():
            keys(key, path, problems)
            if item is not None:
                values(item, f"{path}.{key}.member", problems)

    return check


def _string(shape: Any, _: dict[str, list[Check]]) -> Check:
    length = _length(shape)
    pattern = shape.metadata.get("pattern")
    allowed = frozenset(shape.enum)

    def check(value: Any, path: str, problems: list[str]) -> None:
        if not isinstance(value, str):
            raise _wrong_type(path, "a string")
        length(value, path, problems)
        if allowed and value not in allowed:
            members = ", ".join(sorted(allowed))
            problems.append(_problem(value, path, f"Member must satisfy enum value set: [{members}]"))
        if pattern is not None and not _matches(pattern, value):
            problems.append(_problem(value, path, f"Member must satisfy regular expression pattern: {pattern}"))

    return check


def _number(shape: Any, _: dict[str, list[Check]]) -> Check:
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")

    def check(value: Any, path: str, problems: list[str]) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong_type(path, "a number")
        if lowest is not None and value < lowest:
            problems.append(_problem(value, path, f"Member must have value greater than or equal to {lowest}"))
        if highest is not None and value > highest:
            problems.append(_problem(value, path, f"Member must have value less than or equal to {highest}"))

    return check


def _scalar(_: Any, __: dict[str, list[Check]]) -> Check:
    return lambda *_: None


_BUILDERS: dict[str, Callable[[Any, dict[str, list[Check]]], Check]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _number,
    "long": _number,
    "float": _number,
    "double": _number,
}


def _length(shape: Shape) -> Check:
    shortest, longest = shape.metadata.get("min"), shape.metadata.get("max")
    if shortest is None and longest is None:
        return lambda *_: None

    def check(value: Any, path: str, problems: list[str]) -> None:
        if longest is not None and len(value) > longest:
            problems.append(_problem(value, path, f"Member must have length less than or equal to {longest}"))
        if shortest is not None and len(value) < shortest:
            problems.append(_problem(value, path, f"Member must have length greater than or equal to {shortest}"))

    return check


def _problem(value: Any, path: str, constraint: str) -> str:
    return f"Value '{str(value)[:_SHOWN]}' at '{path}' failed to satisfy constraint: {constraint}"


def _wrong_type(path: str, expected: str) -> AwsError:
    return AwsError("SerializationException", f"{path or 'The request'} cannot be read: expected {expected}.")


def _joined(path: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{path}.{member}" if path else member


def _matches(pattern: str, text: str) -> bool:
    return _matches_cached(pattern, text) if len(text) <= _CACHED_TEXT else _matches_now(pattern, text)


def _matches_now(pattern: str, text: str) -> bool:
    expression = _compiled(pattern)
    return expression is None or expression.fullmatch(text) is not None


_matches_cached = lru_cache(maxsize=65536)(_matches_now)


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """A model's pattern for Python, or None when it uses character classes that only Java knows: not checked then."""
    try:
        return re.compile(pattern.replace(_SUPPLEMENTARY, "\U00010000-\U0010ffff"))
    except re.error:
        return None
