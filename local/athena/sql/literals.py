"""Literals: numbers, strings, dates, intervals, and the time of the query."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlglot import exp

from local.athena import types
from local.athena.sql.casts import cast
from local.athena.sql.values import Value, quote
from local.athena.types import BIGINT, DATE, DAY_TO_SECOND, INTEGER, TIMESTAMP, YEAR_TO_MONTH, ZONED, Type, decimal


class LiteralError(ValueError):
    """A literal that is none; the text is Trino's, ``name`` Trino's name of the error."""

    def __init__(self, message: str, name: str = "INVALID_LITERAL") -> None:
        self.name = name
        super().__init__(message)


_LARGEST = {INTEGER: 2**31 - 1, BIGINT: 2**63 - 1}
# What push-down looks for in SQL must not be found in a string.
_LIKE_A_REFERENCE = re.compile(r"(\br\d+)(\.[ckh]\d+\b)")


def number(written: str) -> Value:
    """1 is an integer, 1.5 a decimal(2, 1), 1e0 a double."""
    if "e" in written.lower():
        return Value(f"CAST('{written}' AS DOUBLE)", types.DOUBLE)
    if "." in written:
        digits, _, fraction = written.lstrip("-").partition(".")
        precision = max(1, len(digits.lstrip("0")) + len(fraction))
        if precision > 38:
            raise LiteralError(f"Invalid decimal literal: {written}")
        kind = decimal(precision, len(fraction))
        return Value(f"CAST('{written}' AS {kind.duckdb})", kind)
    for kind, largest in _LARGEST.items():
        if -largest - 1 <= int(written) <= largest:
            return Value(f"CAST({written} AS {kind.duckdb})", kind)
    raise LiteralError(f"Invalid numeric literal: {written}", "SYNTAX_ERROR")


def text(written: str) -> Value:
    """'abc' is a varchar(3)."""
    sql = _LIKE_A_REFERENCE.sub(r"\1' || '\2", quote(written))
    return Value(
        f"({sql})" if " || " in sql and _LIKE_A_REFERENCE.search(written) else sql,
        types.varchar(len(written)),
        text=written,
    )


def typed(written: str, target: Type) -> Value:
    """DATE '…', TIMESTAMP '…' with as many digits as are written, DECIMAL '…'."""
    if target.name == "decimal":
        return number(written if "." in written or "e" in written.lower() else written + ".")
    if not _exists(written, target):
        raise LiteralError(f"'{written}' is not a valid {target.name.partition(' ')[0]} literal")
    if target == DATE:
        return Value(cast(quote(written), types.VARCHAR, DATE), DATE)
    digits = len(written.partition(".")[2].partition(" ")[0]) if "." in written else 0
    kind = Type(target.name, (max(target.numbers[0], min(digits, 12)) if digits else target.numbers[0],))
    return Value(cast(quote(written), types.VARCHAR, kind), kind)


_DAY = r"\s*(\d{4})-(\d{1,2})-(\d{1,2})"
_TIME_OF_DAY = r"(?: ([01]?\d|2[0-3]):[0-5]?\d(?::[0-5]?\d(?:\.\d{1,12})?)?)?(?: ?([A-Za-z+-].*))?"


def _exists(written: str, target: Type) -> bool:
    """Whether there is such a day, time of day and zone."""
    clock = "" if target == DATE else _TIME_OF_DAY
    found = re.fullmatch(rf"{_DAY}{clock}\s*", written)
    if found is None:
        return False
    try:
        date(*(int(part) for part in found.groups()[:3]))
        zone = None if target == DATE else found[5]
        return zone is None or zone[0] in "+-" or zone == "Z" or bool(ZoneInfo(zone))
    except (ValueError, KeyError, OSError):
        return False


_MILLISECONDS = {"SECOND": 1000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000, "WEEK": 604_800_000}
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


def interval(node: exp.Interval) -> Value:
    """INTERVAL '2' DAY, INTERVAL '1-6' YEAR TO MONTH."""
    written = node.this.name if isinstance(node.this, exp.Literal) else ""
    unit = node.args.get("unit")
    name = str(unit.name if isinstance(unit, exp.Var) else "").upper().removesuffix("S")
    if isinstance(unit, exp.IntervalSpan):
        return _span(written, unit)
    if name == "SECOND" and re.fullmatch(r"-?\d+\.\d{1,3}", written):
        return Value(f"CAST({Decimal(written) * 1000:.0f} AS BIGINT)", DAY_TO_SECOND)
    if not re.fullmatch(r"-?\d+", written):
        raise LiteralError(f"Invalid INTERVAL literal: {written}")
    if name in _MILLISECONDS:
        return Value(f"CAST({int(written) * _MILLISECONDS[name]} AS BIGINT)", DAY_TO_SECOND)
    if name in _MONTHS:
        return Value(f"CAST({int(written) * _MONTHS[name]} AS BIGINT)", YEAR_TO_MONTH)
    raise LiteralError(f"Invalid INTERVAL unit: {name}")


_CLOCK = re.compile(r"(-?)(?:(\d+) )?(\d+):(\d+)(?::(\d+)(?:\.(\d{1,3}))?)?")


def _span(written: str, unit: exp.IntervalSpan) -> Value:
    if (unit.this.name.upper(), unit.expression.name.upper()) == ("DAY", "SECOND"):
        return _day_to_second(written)
    found = re.fullmatch(r"(-?)(\d+)-(\d+)", written)
    if found is None or (unit.this.name.upper(), unit.expression.name.upper()) != ("YEAR", "MONTH"):
        raise LiteralError(f"The local Athena does not know the INTERVAL literal '{written}'", "NOT_SUPPORTED")
    months = int(found[2]) * 12 + int(found[3])
    return Value(f"CAST({'-' if found[1] else ''}{months} AS BIGINT)", YEAR_TO_MONTH)


def _day_to_second(written: str) -> Value:
    found = _CLOCK.fullmatch(written)
    if found is None or found[5] is None:
        raise LiteralError(f"Invalid INTERVAL DAY TO SECOND value: {written}")
    sign, days, hours, minutes, seconds, fraction = found.groups()
    counts = (int(days or 0), int(hours), int(minutes), int(seconds))
    total = sum(
        count * _MILLISECONDS[unit] for count, unit in zip(counts, ("DAY", "HOUR", "MINUTE", "SECOND"), strict=True)
    )
    total += int((fraction or "0").ljust(3, "0"))
    return Value(f"CAST({sign}{total} AS BIGINT)", DAY_TO_SECOND)


def moment(node: exp.Expr) -> Value:
    """CURRENT_DATE, CURRENT_TIMESTAMP, LOCALTIMESTAMP: the start of the query, in UTC."""
    if isinstance(node, exp.CurrentDate):
        return Value("CAST(query_now() AS DATE)", DATE)
    if isinstance(node, exp.CurrentTimestamp):
        return Value("struct_pack(u := query_now(), z := 'UTC')", ZONED)
    return Value("query_now()", TIMESTAMP)
