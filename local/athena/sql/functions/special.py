"""Functions that need more than a template: units, patterns, decimals, any number of arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.athena import types
from local.athena.sql.casts import cast
from local.athena.sql.functions.dateformats import PatternError, from_joda, from_mysql
from local.athena.sql.functions.formats import FormatError, UnknownFormatError, formatted
from local.athena.sql.operators import OperatorError, arithmetic, comparable, compare, converted, unified
from local.athena.sql.values import Value, combined, quote
from local.athena.types import BIGINT, BOOLEAN, DATE, TIMESTAMP, UNBOUNDED, VARCHAR, ZONED, Type, decimal, varchar


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ArgumentError(ValueError):
    """A call whose arguments are not right; the text is Trino's, ``name`` Trino's name of the error."""

    def __init__(self, message: str, name: str = "INVALID_FUNCTION_ARGUMENT") -> None:
        self.name = name
        super().__init__(message)


class NoMatchError(ValueError):
    """The arguments are not of types that the function takes."""


def _count(arguments: Sequence[Value], *counts: int) -> None:
    if len(arguments) not in counts:
        raise NoMatchError


def _literal(value: Value, what: str) -> str:
    if value.text is None:
        raise ArgumentError(f"The local Athena needs a literal as {what}", "NOT_SUPPORTED")
    return value.text


# ------------------------------------------------------------------------------------------------------ date arithmetic

_UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
_DATE_UNITS = ("day", "week", "month", "quarter", "year")
_STEPS = {
    "millisecond": "to_milliseconds(CAST({} AS BIGINT))",
    "second": "to_seconds(CAST({} AS BIGINT))",
    "minute": "to_minutes(CAST({} AS BIGINT))",
    "hour": "to_hours(CAST({} AS BIGINT))",
    "day": "to_days(CAST({} AS INTEGER))",
    "week": "to_days(CAST({} * 7 AS INTEGER))",
    "month": "to_months(CAST({} AS INTEGER))",
    "quarter": "to_months(CAST({} * 3 AS INTEGER))",
    "year": "to_years(CAST({} AS INTEGER))",
}


def _unit(value: Value, kind: Type) -> str:
    unit = _literal(value, "unit of time").lower()
    allowed = _DATE_UNITS if kind == DATE else _UNITS
    if unit not in allowed:
        raise ArgumentError(f"'{unit}' is not a valid {'DATE' if kind == DATE else 'TIMESTAMP'} field")
    return unit


def _moment(value: Value) -> Value:
    if value.type == types.UNKNOWN:
        return converted(value, TIMESTAMP)
    if value.type.name not in ("date", "timestamp", "timestamp with time zone"):
        raise NoMatchError
    return value


def _date_add(arguments: Sequence[Value]) -> Value:
    _count(arguments, 3)
    moment = _moment(arguments[2])
    if not arguments[1].type.is_integer:
        raise NoMatchError
    unit = _unit(arguments[0], moment.type)
    step = _STEPS[unit].format(arguments[1].sql)
    if moment.type.is_zoned:
        calendar = "true" if unit in _DATE_UNITS else "false"
        sql = f"zoned_shifted({moment.sql}, {step}, {calendar})"
    else:
        sql = f"CAST({moment.sql} + {step} AS {moment.type.duckdb})"
    if unit == "millisecond":  # finer than the type may be
        sql = cast(sql, Type(moment.type.name, (6,)), moment.type)
    return combined(sql, moment.type, *arguments)


def _date_diff(arguments: Sequence[Value]) -> Value:
    _count(arguments, 3)
    moments, kind = unified([_moment(arguments[1]), _moment(arguments[2])], "{} {}")
    unit = _unit(arguments[0], kind)
    if kind.is_zoned and unit in _DATE_UNITS:
        one, other = (f"zoned_local_at({moment.sql}, ({moments[0].sql}).z)" for moment in moments)
    else:
        one, other = (comparable(moment) for moment in moments)
    return combined(f"date_sub('{unit}', {one}, {other})", BIGINT, *arguments)


def _date_trunc(arguments: Sequence[Value]) -> Value:
    _count(arguments, 2)
    moment = _moment(arguments[1])
    unit = _unit(arguments[0], moment.type)
    if moment.type.is_zoned:
        sql = f"zoned_truncated('{unit}', {moment.sql})"
        return combined(sql, moment.type, *arguments)
    return combined(f"CAST(date_trunc('{unit}', {moment.sql}) AS {moment.type.duckdb})", moment.type, *arguments)


def _sequence(arguments: Sequence[Value]) -> Value:
    """A sequence of timestamps, of as many digits as theirs; those of numbers and dates have templates."""
    _count(arguments, 3)
    ends, step = arguments[:2], arguments[2]
    kinds = {end.type.name for end in ends}
    if not kinds <= {"date", "timestamp"} or "timestamp" not in kinds:
        raise NoMatchError
    if step.type not in (types.DAY_TO_SECOND, types.YEAR_TO_MONTH):
        raise NoMatchError
    (start, stop), kind = unified(list(ends), "{} {}")
    macro = "trino_moments" if step.type == types.DAY_TO_SECOND else "trino_months"
    return combined(f"{macro}({start.sql}, {stop.sql}, {step.sql})", types.array(kind), *arguments)


def _local(value: Value) -> str:
    moment = _moment(value)
    return f"zoned_local({moment.sql})" if moment.type.is_zoned else f"CAST({moment.sql} AS TIMESTAMP)"


def _formatting(translate: Callable[[str], str]) -> Callable[[Sequence[Value]], Value]:
    def call(arguments: Sequence[Value]) -> Value:
        _count(arguments, 2)
        pattern = _pattern(translate, arguments[1])
        return combined(f"strftime({_local(arguments[0])}, {quote(pattern)})", VARCHAR, *arguments)

    return call


_YEARS = ("%Y", "%y", "%G")


def _parsing(translate: Callable[[str], str], kind: Type) -> Callable[[Sequence[Value]], Value]:
    def call(arguments: Sequence[Value]) -> Value:
        _count(arguments, 2)
        if not arguments[0].type.is_text:
            raise NoMatchError
        text, pattern = arguments[0].sql, _pattern(translate, arguments[1]).replace("%-", "%")
        if not any(year in pattern for year in _YEARS):  # DuckDB would take 1900
            text, pattern = f"('1970 ' || {text})", f"%Y {pattern}"
        sql = f"trino_parse_date({text}, {quote(pattern)})"
        return combined(sql if kind == TIMESTAMP else cast(sql, TIMESTAMP, kind), kind, *arguments)

    return call


def _pattern(translate: Callable[[str], str], value: Value) -> str:
    try:
        return translate(_literal(value, "date pattern"))
    except PatternError as error:
        raise ArgumentError(str(error), error.name) from error


# ------------------------------------------------------------------------------------------------------ any arguments


def _coalesce(arguments: Sequence[Value]) -> Value:
    if len(arguments) < 2:
        raise ArgumentError("The 'coalesce' function must have at least two arguments", "INVALID_FUNCTION_ARGUMENT")
    values, kind = unified(
        list(arguments),
        "All COALESCE operands must be the same type or coercible to a common type. "
        "Cannot find common type between {} and {}",
    )
    return combined(f"coalesce({', '.join(value.sql for value in values)})", kind, *arguments)


def _nullif(arguments: Sequence[Value]) -> Value:
    _count(arguments, 2)
    values, _ = unified(list(arguments), "Types are not comparable with NULLIF: {} vs {}")
    same = compare("=", values[0], values[1]).sql
    return combined(f"CASE WHEN {same} THEN NULL ELSE {arguments[0].sql} END", arguments[0].type, *arguments)


def _extreme(name: str) -> Callable[[Sequence[Value]], Value]:
    def call(arguments: Sequence[Value]) -> Value:
        values, kind = unified(list(arguments), "{} {}")
        # Unlike DuckDB's, Trino's greatest and least are NULL when any argument is.
        nulls = " OR ".join(f"{value.sql} IS NULL" for value in values)
        listed = ", ".join(value.sql for value in values)
        return combined(f"CASE WHEN {nulls} THEN NULL ELSE {name}({listed}) END", kind, *arguments)

    return call


def _concat(arguments: Sequence[Value]) -> Value:
    if len(arguments) < 2 or not all(value.type.is_text or value.type == types.UNKNOWN for value in arguments):
        raise NoMatchError
    return combined("(" + " || ".join(value.sql for value in arguments) + ")", VARCHAR, *arguments)


def _row(arguments: Sequence[Value]) -> Value:
    fields = ", ".join(f"f{position} := {value.sql}" for position, value in enumerate(arguments))
    return combined(f"struct_pack({fields})", types.row(tuple(value.type for value in arguments)), *arguments)


def _map(arguments: Sequence[Value]) -> Value:
    if arguments:
        raise NoMatchError
    return Value("map([], [])", types.map_of(types.UNKNOWN, types.UNKNOWN))


def _mod(arguments: Sequence[Value]) -> Value:
    _count(arguments, 2)
    return arithmetic("%", arguments[0], arguments[1])


def _random(_arguments: Sequence[Value]) -> Value:
    raise ArgumentError("random() is not repeatable: the local Athena does not run it", "NOT_SUPPORTED")


def _if(arguments: Sequence[Value]) -> Value:
    _count(arguments, 2, 3)
    condition, *branches = arguments
    if condition.type not in (BOOLEAN, types.UNKNOWN):
        raise OperatorError("First argument of IF must be boolean")
    values, kind = unified(list(branches), "Result types for IF must be the same: {} vs {}")
    otherwise = values[1].sql if len(values) > 1 else "NULL"
    return combined(f"CASE WHEN {condition.sql} THEN {values[0].sql} ELSE {otherwise} END", kind, *arguments)


def _try(arguments: Sequence[Value]) -> Value:
    _count(arguments, 1)
    if arguments[0].facts.aggregate or arguments[0].facts.window or not arguments[0].facts.plain:
        raise ArgumentError("The local Athena runs TRY on plain expressions only", "NOT_SUPPORTED")
    return combined(f"TRY({arguments[0].sql})", arguments[0].type, *arguments)


# ------------------------------------------------------------------------------------------------------ decimals


# To whole numbers; Trino's type has no scale, and room for what rounding up adds.
_TO_WHOLE = {
    "round": "round({}, 0)",
    "ceil": "ceil({})",
    "ceiling": "ceil({})",
    "floor": "floor({})",
    "truncate": "trunc({})",
    "sign": "sign({})",
}
_TO_DIGITS = {"round": "round({}, {})", "truncate": "trunc({}, CAST({} AS INTEGER))"}


def _decimal_rounding(name: str) -> Callable[[Sequence[Value]], Value]:
    def call(arguments: Sequence[Value]) -> Value:
        if not arguments or arguments[0].type.name != "decimal" or len(arguments) > (2 if name in _TO_DIGITS else 1):
            raise NoMatchError
        precision, scale = arguments[0].type.numbers
        if name == "abs":
            return combined(f"abs({arguments[0].sql})", arguments[0].type, *arguments)
        if len(arguments) == 2:
            kind = decimal(min(38, precision + (name == "round")), scale)
            sql = _TO_DIGITS[name].format(arguments[0].sql, arguments[1].sql)
        else:
            kind = _whole_kind(name, precision, scale)
            sql = _TO_WHOLE[name].format(arguments[0].sql)
        return combined(f"CAST({sql} AS {kind.duckdb})", kind, *arguments)

    return call


def _whole_kind(name: str, precision: int, scale: int) -> Type:
    if name == "sign":
        return decimal(1, 0)
    if name == "truncate":
        return decimal(max(1, precision - scale), 0)
    return decimal(min(38, precision - scale + min(scale, 1)), 0)


def _regexp_replace(arguments: Sequence[Value]) -> Value:
    _count(arguments, 2, 3)
    if not all(value.type.is_text for value in arguments):
        raise NoMatchError
    replacement = ""
    if len(arguments) == 3:
        text = _literal(arguments[2], "replacement of a regular expression")
        replacement = _rewritten_groups(text)
    subject, pattern = arguments[0].sql, arguments[1].sql
    length, added = arguments[0].type.numbers[0], arguments[2].type.numbers[0] if len(arguments) == 3 else 0
    # The length that Trino derives: every place may be replaced, and a replacement may hold the text itself.
    longest = length + max(length * added // 2, added) * (length + 1) if added else length
    sql = f"regexp_replace({subject}, {pattern}, {quote(replacement)}, 'g')"
    return combined(sql, varchar(min(UNBOUNDED, longest)), *arguments)


def _replace(arguments: Sequence[Value]) -> Value:
    _count(arguments, 3)
    if not all(value.type.is_text for value in arguments):
        raise NoMatchError
    length, added = arguments[0].type.numbers[0], arguments[2].type.numbers[0]
    sql = f"replace({', '.join(value.sql for value in arguments)})"
    return combined(sql, varchar(min(UNBOUNDED, length + added * (length + 1))), *arguments)


def _to_iso8601(arguments: Sequence[Value]) -> Value:
    """Of a type's precision; the text's length is the one that Trino derives."""
    _count(arguments, 1)
    kind = arguments[0].type
    if kind == DATE:
        return combined(f"strftime({arguments[0].sql}, '%Y-%m-%d')", varchar(16), *arguments)
    if kind.name not in ("timestamp", "timestamp with time zone"):
        raise NoMatchError
    digits = kind.numbers[0]
    macro, longest = ("zoned_iso", 28) if kind.is_zoned else ("timestamp_iso", 22)
    length = longest + digits + min(digits, 1)
    return combined(f"{macro}({arguments[0].sql}, {digits})", varchar(length), *arguments)


def _rewritten_groups(text: str) -> str:
    """Java's $1 is RE2's backslash and 1."""
    written, position = "", 0
    while position < len(text):
        character = text[position]
        if character == "$" and text[position + 1 : position + 2].isdigit():
            written += "\\" + text[position + 1]
            position += 1
        elif character in "$\\":
            raise ArgumentError("The local Athena knows only $1 … $9 in a replacement", "NOT_SUPPORTED")
        else:
            written += character
        position += 1
    return written


def _regexp_extract(name: str) -> Callable[[Sequence[Value]], Value]:
    def call(arguments: Sequence[Value]) -> Value:
        _count(arguments, 3)
        if not (arguments[0].type.is_text and arguments[1].type.is_text and arguments[2].type.is_integer):
            raise NoMatchError
        found = f"regexp_extract_all({arguments[0].sql}, {arguments[1].sql}, CAST({arguments[2].sql} AS INTEGER))"
        if name == "regexp_extract":
            return combined(f"nullif({found}[1], '')", arguments[0].type, *arguments)
        return combined(found, types.array(arguments[0].type), *arguments)

    return call


def _format(arguments: Sequence[Value]) -> Value:
    if len(arguments) < 2 or not arguments[0].type.is_text:
        raise NoMatchError
    try:
        sql = formatted(_literal(arguments[0], "format"), arguments[1:])
    except FormatError as error:
        raise ArgumentError(str(error)) from error
    except UnknownFormatError as error:
        raise ArgumentError(str(error), "NOT_SUPPORTED") from error
    return combined(sql, VARCHAR, *arguments)


def _codepoint(arguments: Sequence[Value]) -> Value:
    _count(arguments, 1)
    kind = arguments[0].type
    if kind != types.UNKNOWN and not (kind.is_text and kind.numbers[0] <= 1):
        raise NoMatchError
    return combined(f"CAST(trino_codepoint({arguments[0].sql}) AS INTEGER)", types.INTEGER, *arguments)


def _url_encode(arguments: Sequence[Value]) -> Value:
    _count(arguments, 1)
    if not arguments[0].type.is_text:
        raise NoMatchError
    # A character may take three, or twelve, as Trino reckons.
    return combined(
        f"java_url_encode({arguments[0].sql})", varchar(min(UNBOUNDED, 12 * arguments[0].type.numbers[0])), *arguments
    )


def _now(arguments: Sequence[Value]) -> Value:
    _count(arguments, 0)
    return Value("struct_pack(u := query_now(), z := 'UTC')", ZONED)


SPECIAL: dict[str, Callable[[Sequence[Value]], Value]] = {
    "date_add": _date_add,
    "date_diff": _date_diff,
    "date_trunc": _date_trunc,
    "sequence": _sequence,
    "date_format": _formatting(from_mysql),
    "format_datetime": _formatting(from_joda),
    "date_parse": _parsing(from_mysql, TIMESTAMP),
    "parse_datetime": _parsing(from_joda, ZONED),
    "coalesce": _coalesce,
    "nullif": _nullif,
    "greatest": _extreme("greatest"),
    "least": _extreme("least"),
    "concat": _concat,
    "row": _row,
    "map": _map,
    "mod": _mod,
    "if": _if,
    "try": _try,
    "random": _random,
    "rand": _random,
    "now": _now,
    "abs": _decimal_rounding("abs"),
    "round": _decimal_rounding("round"),
    "ceil": _decimal_rounding("ceil"),
    "ceiling": _decimal_rounding("ceiling"),
    "floor": _decimal_rounding("floor"),
    "codepoint": _codepoint,
    "format": _format,
    "replace": _replace,
    "sign": _decimal_rounding("sign"),
    "truncate": _decimal_rounding("truncate"),
    "url_encode": _url_encode,
    "to_iso8601": _to_iso8601,
    "regexp_replace": _regexp_replace,
    "regexp_extract": _regexp_extract("regexp_extract"),
    "regexp_extract_all": _regexp_extract("regexp_extract_all"),
}

_TIMES = ("date", "timestamp(p)", "timestamp(p) with time zone")
# What a refusal says that these functions take; Trino's names of the types.
EXPECTED: dict[str, tuple[str, ...]] = {
    "codepoint": ("codepoint(varchar(1))",),
    "date_add": tuple(f"date_add(varchar(x), bigint, {kind})" for kind in _TIMES),
    "date_diff": tuple(f"date_diff(varchar(x), {kind}, {kind})" for kind in _TIMES),
    "date_trunc": tuple(f"date_trunc(varchar(x), {kind})" for kind in _TIMES),
    "date_format": tuple(f"date_format({kind}, varchar(x))" for kind in _TIMES[1:]),
    "format_datetime": tuple(f"format_datetime({kind}, varchar(x))" for kind in _TIMES[1:]),
    "date_parse": ("date_parse(varchar(x), varchar(y))",),
    "parse_datetime": ("parse_datetime(varchar(x), varchar(y))",),
}
