"""Trino's names of types, read into types: ``row(a bigint, "b c" array(varchar(3)))``."""

from __future__ import annotations

import re
from functools import cache

from local.athena.types import UNBOUNDED, Type, row


_TOKEN = re.compile(r'"(?:[^"]|"")*"|[(),]|[^\s"(),]+')
_SUFFIX = re.compile(r"with time zone|day to second|year to month")


@cache
def parse(text: str) -> Type:
    """The type of a name.

    >>> str(parse('row(a bigint, "b c" array(varchar(3)))'))
    'row(a bigint, "b c" array(varchar(3)))'
    """
    # The client spells intervals in capitals.
    tokens = _TOKEN.findall(text.lower() if text.startswith("INTERVAL") else text)
    kind, rest = _type(tokens)
    if rest:
        raise ValueError(f"{text!r} is no name of a type: {' '.join(rest)!r} is left over")
    return kind


def _type(tokens: list[str]) -> tuple[Type, list[str]]:
    name, rest = tokens[0], tokens[1:]
    arguments: list[list[str]] = []
    if rest[:1] == ["("]:
        arguments, rest = _arguments(rest[1:])
    suffix = " ".join(rest[:3])
    if _SUFFIX.fullmatch(suffix):  # timestamp(3) with time zone, interval day to second
        name, rest = f"{name} {suffix}", rest[3:]
    if name == "row":
        return row(*_fields(arguments)), rest
    if name in ("array", "map"):
        return Type(name, elements=tuple(_whole(one) for one in arguments)), rest
    numbers = tuple(int(one[0]) for one in arguments)
    return Type(name, (UNBOUNDED,) if name == "varchar" and not numbers else numbers), rest


def _fields(arguments: list[list[str]]) -> tuple[tuple[Type, ...], tuple[str | None, ...]]:
    split = [_field(one) for one in arguments]
    return tuple(kind for _, kind in split), tuple(name for name, _ in split)


def _field(tokens: list[str]) -> tuple[str | None, Type]:
    try:
        return None, _whole(tokens)
    except ValueError:
        return tokens[0].strip('"').replace('""', '"'), _whole(tokens[1:])


def _whole(tokens: list[str]) -> Type:
    kind, rest = _type(tokens)
    if rest:
        raise ValueError(rest)
    return kind


def _arguments(tokens: list[str]) -> tuple[list[list[str]], list[str]]:
    """What stands between parentheses, by comma, and what follows them."""
    arguments: list[list[str]] = [[]]
    depth = 0
    for position, token in enumerate(tokens):
        if token == ")" and depth == 0:
            return arguments, tokens[position + 1 :]
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and depth == 0:
            arguments.append([])
        else:
            arguments[-1].append(token)
    raise ValueError("a parenthesis is not closed")
