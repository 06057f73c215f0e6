"""The function format: Java's patterns → DuckDB SQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.athena import types
from local.athena.sql.casts import cast
from local.athena.sql.values import Value, quote
from local.athena.types import VARCHAR


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class FormatError(ValueError):
    """A pattern that Trino refuses."""


class UnknownFormatError(ValueError):
    """A pattern, or a type of argument, that is not known here."""


_SPECIFIER = re.compile(r"%(?P<flags>[-0,]*)(?P<width>[1-9]\d*)?(?:\.(?P<digits>\d+))?(?P<letter>.)", re.DOTALL)
_MOST_DIGITS = 15  # that a double has before and after the point, to be rounded as the decimal number it shows
_TEXTS = ("varchar", "boolean", "date", "decimal")


def formatted(pattern: str, arguments: Sequence[Value]) -> str:
    """DuckDB SQL of a pattern filled in.

    Raises:
        FormatError: Trino refuses it.
        UnknownFormatError: It is not known here.
    """
    parts: list[str] = []
    at, given = 0, iter(arguments)
    for found in _SPECIFIER.finditer(pattern):
        parts.append(quote(pattern[at : found.start()]))
        parts.append(_literal(found) or _specified(found, given))
        at = found.end()
    rest = pattern[at:]
    if "%" in rest:
        raise FormatError(f"Invalid format string: {pattern} (UnknownFormatConversion: Conversion = '%')")
    return f"({' || '.join([*parts, quote(rest)])})"


def _literal(found: re.Match[str]) -> str | None:
    return {"%": "'%'", "n": "chr(10)"}.get(found["letter"]) if found[0] in ("%%", "%n") else None


def _specified(found: re.Match[str], given: Iterator[Value]) -> str:
    value = next(given, None)
    if value is None:
        raise FormatError(f"Invalid format string: {found[0]} (MissingFormatArgument: Format specifier '{found[0]}')")
    writer = _WRITERS.get(found["letter"])
    if writer is None:
        raise UnknownFormatError(f"The local Athena does not know {found[0]} in a format")
    missing = "null"[: int(found["digits"] or 4)]  # Java cuts it to the digits that a number would have
    text = f"coalesce({writer(found, value)}, '{missing}')"
    if found["width"] is None:
        return text
    return _padded(text, found)


def _padded(text: str, found: re.Match[str]) -> str:
    width = f"CAST(greatest({found['width']}, length({text})) AS INTEGER)"
    if "-" in found["flags"]:
        return f"rpad({text}, {width}, ' ')"
    if "0" not in found["flags"]:
        return f"lpad({text}, {width}, ' ')"
    sign = f"CASE WHEN starts_with({text}, '-') THEN '-' ELSE '' END"
    return f"({sign} || lpad(ltrim({text}, '-'), CAST({width} - length({sign}) AS INTEGER), '0'))"


def _text(found: re.Match[str], value: Value) -> str:
    if found["digits"] or "0" in found["flags"] or "," in found["flags"]:
        raise UnknownFormatError(f"The local Athena does not know {found[0]} in a format")
    if value.type.name in ("double", "real"):
        return f"java_number_text({value.sql})"
    if value.type.is_integer or value.type.name in _TEXTS or value.type == types.UNKNOWN:
        return cast(value.sql, value.type, VARCHAR)
    raise UnknownFormatError(f"The local Athena does not format {value.type}")


def _whole(found: re.Match[str], value: Value) -> str:
    if not value.type.is_integer:
        raise _mismatch(found, value)
    if "," in found["flags"]:
        return f"format('{{:,}}', CAST({value.sql} AS BIGINT))"
    return cast(value.sql, value.type, VARCHAR)


def _fixed(found: re.Match[str], value: Value) -> str:
    """A number with digits after the point, rounded half up as the decimal number that it shows."""
    if value.type.name not in ("decimal", "double", "real"):
        raise _mismatch(found, value)
    digits = int(found["digits"] or 6)
    if digits > _MOST_DIGITS:
        raise UnknownFormatError(f"The local Athena does not know {found[0]} in a format")
    exact = f"CAST(CAST({value.sql} AS VARCHAR) AS DECIMAL(38, {_MOST_DIGITS + 3}))"
    number = f"CAST(round({exact}, {digits}) AS DECIMAL(38, {digits}))"
    if "," not in found["flags"]:
        return f"CAST({number} AS VARCHAR)"
    shown = f"CAST(abs({number}) AS VARCHAR)"
    sign = f"CASE WHEN {number} < 0 THEN '-' ELSE '' END"
    whole = f"format('{{:,}}', CAST(split_part({shown}, '.', 1) AS BIGINT))"
    return f"({sign} || {whole} || substring({shown}, length(split_part({shown}, '.', 1)) + 1))"


def _mismatch(found: re.Match[str], value: Value) -> FormatError:
    shown = {"double": "java.lang.Double", "varchar": "java.lang.String"}.get(value.type.name, "java.lang.Long")
    return FormatError(f"Invalid format string: {found[0]} (IllegalFormatConversion: {found['letter']} != {shown})")


_WRITERS = {"s": _text, "d": _whole, "f": _fixed}
