"""Date patterns: MySQL's (date_format, date_parse) and Joda's (format_datetime, parse_datetime) → DuckDB's."""

from __future__ import annotations

import re


class PatternError(ValueError):
    """A pattern that Trino refuses, or (``name``) that cannot be translated faithfully."""

    def __init__(self, message: str, name: str = "INVALID_FUNCTION_ARGUMENT") -> None:
        self.name = name
        super().__init__(message)


_MYSQL = {
    "a": "%a",
    "b": "%b",
    "c": "%-m",
    "d": "%d",
    "e": "%-d",
    "f": "%f",
    "H": "%H",
    "h": "%I",
    "I": "%I",
    "i": "%M",
    "j": "%j",
    "k": "%-H",
    "l": "%-I",
    "M": "%B",
    "m": "%m",
    "p": "%p",
    "r": "%I:%M:%S %p",
    "S": "%S",
    "s": "%S",
    "T": "%H:%M:%S",
    "v": "%V",
    "W": "%A",
    "x": "%G",
    "Y": "%Y",
    "y": "%y",
    "%": "%%",
}


def from_mysql(pattern: str) -> str:
    """DuckDB's spelling of a MySQL pattern.

    >>> from_mysql("%Y-%m-%d %H:%i")
    '%Y-%m-%d %H:%M'
    """

    def replaced(found: re.Match[str]) -> str:
        letter = found.group(1)
        if letter not in _MYSQL:
            raise PatternError(f"%{letter} not supported in date format string")
        return _MYSQL[letter]

    return re.sub(r"%(.)", replaced, pattern)


_JODA = {
    "yyyy": "%Y",
    "YYYY": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "ss": "%S",
    "SSS": "%g",
    "a": "%p",
    "EEEE": "%A",
    "EEE": "%a",
    "E": "%a",
    "DDD": "%j",
}

_JODA_TOKEN = re.compile(r"'([^']*)'|(([A-Za-z])\3*)|([^A-Za-z'])")


def from_joda(pattern: str) -> str:
    """DuckDB's spelling of a Joda pattern.

    >>> from_joda("yyyy-MM-dd'T'HH:mm:ss")
    '%Y-%m-%dT%H:%M:%S'
    """
    written = ""
    for found in _JODA_TOKEN.finditer(pattern):
        quoted, letters, _, other = found.groups()
        if letters:
            if letters not in _JODA:
                raise PatternError(f"The local Athena does not know '{letters}' in a date pattern", "NOT_SUPPORTED")
            written += _JODA[letters]
        else:
            written += (other if other is not None else quoted or "'").replace("%", "%%")
    return written
