r"""Regular expressions that mean the same to Python and to Athena.

A suite's expressions are searched for by Python's ``re``, in rows in memory, and by Trino's ``regexp_like``, which has
Joni with Java's syntax. Both also run where RE2 stands for Trino. What the three understand differently is refused:

=====================================================  ==============================================================
refused                                                because
=====================================================  ==============================================================
``\d \w \s \b`` and other classes in a letter          of all scripts in one of them, of ASCII in another
look-around, back-references, named groups, flags      missing in one of them, or spelled otherwise
lazy and possessive repetition                         what matches does not depend on it, where both have it
``[`` or ``&&`` inside a class                         Java's nested classes and intersections
``{`` and ``]`` that stand for themselves              an error in one of them: ``\{``, ``\]``
``$`` before anything but an end                       before a line break at the very end it matches in Python and
                                                       Java, and not in RE2; at the end it can be said in all three
=====================================================  ==============================================================
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


MOST_REPETITIONS: Final = 1_000
"""Of RE2."""

_ESCAPE: Final = r"\\[\\.^$*+?()\[\]{}|\-nrt]"
_TOKEN: Final = re.compile(
    rf"""
      (?P<atom> {_ESCAPE} | \[\^?(?:{_ESCAPE}|[^\\\[\]])+\] | [.] | [^\\\[\](){{}}*+?^$|.] )
    | (?P<repetition> [*+?] | \{{(?P<least>\d+)(?:,(?P<most>\d*))?\}} )
    | (?P<opening> \((?:\?:)?(?!\?) )
    | (?P<closing> \) )
    | (?P<start> \^ )
    | (?P<end> \$ )
    | (?P<bar> \| )
    """,
    re.VERBOSE,
)
_AMBIGUOUS_IN_CLASS: Final = re.compile(r"&&|--|\|\||~~")
_END_IN_TRINO: Final = r"(?:\n?\z)"


def check_pattern(pattern: str) -> None:
    """Refuse a regular expression that Python and Athena might understand differently.

    >>> check_pattern("^[a-z]+-[0-9]{1,3}$")

    Raises:
        ValueError: Says where, and what was found.
    """
    _translated(pattern)


def in_trino(pattern: str) -> str:
    r"""The expression for ``regexp_like`` that finds what Python's ``re.search`` finds with this one.

    >>> in_trino("^[a-z]+$")
    '^[a-z]+(?:\\n?\\z)'

    Raises:
        ValueError: It is none that both understand alike.
    """
    return _translated(pattern)


def _translated(pattern: str) -> str:
    tokens = list(_tokens(pattern))
    try:
        pattern.encode()
        re.compile(pattern)
    except (re.error, UnicodeEncodeError, OverflowError, RecursionError) as error:
        raise ValueError(f"it is no regular expression: {error}") from None
    _check_ends(tokens, pattern)
    return "".join(_END_IN_TRINO if token.group() == "$" else token.group() for token in tokens)


def _tokens(pattern: str) -> Iterator[re.Match[str]]:
    if not pattern:
        raise ValueError("it is empty, and would match everything")
    before = "bar"
    place = 0
    while place < len(pattern):
        token = _TOKEN.match(pattern, place)
        if token is None:
            raise ValueError(f"{_at(pattern, place)} is not understood alike by Python and Athena")
        _check_token(token, before, pattern)
        yield token
        before, place = _kind(token), token.end()


def _check_ends(tokens: Iterable[re.Match[str]], pattern: str) -> None:
    """Nothing follows a ``$``, nor a group of which an alternative ends with one."""
    ended = [False]  # for each group that is open
    is_end = False  # the token before
    for token in tokens:
        kind = _kind(token)
        if is_end and kind not in {"closing", "bar", "end"}:
            raise ValueError(f"{_at(pattern, token.start())} follows the end of the text; nothing can")
        is_end = kind == "end"
        if kind == "opening":
            ended.append(False)
        elif kind == "closing":
            is_end = ended.pop()
        ended[-1] = ended[-1] or is_end


def _check_token(token: re.Match[str], before: str, pattern: str) -> None:
    text, place = token.group(), token.start()
    if _kind(token) == "repetition":
        if before not in {"atom", "closing"}:
            raise ValueError(f"{_at(pattern, place)}: lazy and possessive repetition, and extensions, are not portable")
        if max(int(token["least"] or 0), int(token["most"] or 0)) > MOST_REPETITIONS:
            raise ValueError(f"{_at(pattern, place)} asks for more than {MOST_REPETITIONS:,} repetitions")
    elif text.startswith("[") and _AMBIGUOUS_IN_CLASS.search(text):
        raise ValueError(f"{_at(pattern, place)} has a doubled sign in a class, which is an operator in Java")


def _kind(token: re.Match[str]) -> str:
    return str(token.lastgroup)


def _at(pattern: str, place: int) -> str:
    return f"{pattern[place : place + 12]!r} at character {place + 1}"
