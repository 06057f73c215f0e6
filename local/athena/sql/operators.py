"""Trino's operators: what they accept, what they yield, and how DuckDB says it."""

from __future__ import annotations

from local.athena import types
from local.athena.sql.casts import cast
from local.athena.sql.failing import failing
from local.athena.sql.nesting import nested_equality
from local.athena.sql.values import Value, combined
from local.athena.types import DATE, DAY_TO_SECOND, YEAR_TO_MONTH, Type, as_decimal, common_type, decimal


class OperatorError(ValueError):
    """An operator does not accept its operands; the text is Trino's, ``name`` Trino's name of the error."""

    def __init__(self, message: str, name: str = "TYPE_MISMATCH") -> None:
        self.name = name
        super().__init__(message)


def converted(value: Value, target: Type) -> Value:
    """A value converted to a type to which Trino converts it by itself."""
    if value.type == target or (value.type.name == target.name == "varchar"):
        return Value(value.sql, target, value.facts, value.text)
    return combined(cast(value.sql, value.type, target), target, value)


def unified(values: list[Value], problem: str) -> tuple[list[Value], Type]:
    """Values converted to their common type.

    Raises:
        OperatorError: There is none.
    """
    kind = types.UNKNOWN
    for value in values:
        common = common_type(kind, value.type)
        if common is None:
            raise OperatorError(problem.format(kind, value.type))
        kind = common
    return [converted(value, kind) for value in values], kind


# --------------------------------------------------------------------------------------------------------- comparison

_UNORDERED = frozenset({"map", "json"})


def compare(symbol: str, left: Value, right: Value) -> Value:
    """``left symbol right`` for =, <>, <, <=, >, >= and IS [NOT] DISTINCT FROM."""
    kind = common_type(left.type, right.type)
    if kind is None or (kind.name in _UNORDERED and symbol not in ("=", "<>")):
        raise OperatorError(f"Cannot apply operator: {left.type} {symbol} {right.type}")
    one, other = converted(left, kind).sql, converted(right, kind).sql
    if kind.elements and symbol in ("=", "<>"):
        same = nested_equality(one, other, kind)
        return combined(same if symbol == "=" else f"(NOT {same})", types.BOOLEAN, left, right)
    one, other = comparable(Value(one, kind)), comparable(Value(other, kind))
    return combined(f"({one} {symbol} {other})", types.BOOLEAN, left, right)


def comparable(value: Value) -> str:
    """SQL of what DuckDB has to compare: of a timestamp with time zone, the instant."""
    return f"({value.sql}).u" if value.type.is_zoned else value.sql


# --------------------------------------------------------------------------------------------------------- arithmetic


def arithmetic(symbol: str, left: Value, right: Value) -> Value:
    """``left symbol right`` for +, -, *, / and %."""
    if left.type.is_numeric and right.type.is_numeric:
        return _numeric(symbol, left, right)
    if types.UNKNOWN in (left.type, right.type):
        kind = left.type if right.type == types.UNKNOWN else right.type
        if kind.is_numeric or kind == types.UNKNOWN:
            result = types.INTEGER if kind == types.UNKNOWN else kind
            return combined(f"CAST(NULL AS {result.duckdb})", result, left, right)
    moved = _moved(symbol, left, right)
    if moved is None:
        raise OperatorError(f"Cannot apply operator: {left.type} {symbol} {right.type}")
    return moved


def _numeric(symbol: str, left: Value, right: Value) -> Value:
    kind = common_type(left.type, right.type)
    if kind is None:
        raise OperatorError(f"Cannot apply operator: {left.type} {symbol} {right.type}")
    if kind.name == "decimal":
        return _decimal(symbol, left, right)
    one, other = converted(left, kind).sql, converted(right, kind).sql
    if kind.is_integer:
        operator = "//" if symbol == "/" else symbol
        sql = f"CAST(({one} {operator} {other}) AS {kind.duckdb})"
    elif symbol == "%":
        sql = f"fmod({one}, {other})"
    else:
        sql = f"CAST(({one} {symbol} {other}) AS {kind.duckdb})"
    return combined(sql, kind, left, right)


def _decimal(symbol: str, left: Value, right: Value) -> Value:
    one, other = as_decimal(left.type), as_decimal(right.type)
    result = decimal_result(symbol, one, other)
    first, second = converted(left, one).sql, converted(right, other).sql
    if symbol in ("+", "-"):
        # Trino adds in the result's type: one digit more than the operands have, at most 38.
        sql = f"CAST((CAST({first} AS {result.duckdb}) {symbol} CAST({second} AS {result.duckdb})) AS {result.duckdb})"
    elif symbol == "*":
        if one.numbers[0] + other.numbers[0] > 38:
            raise OperatorError(f"The local Athena does not multiply {one} by {other}: more than 38 digits")
        sql = f"CAST(({first} * {second}) AS {result.duckdb})"
    elif symbol == "%":
        wide = (common_type(one, other) or one).duckdb
        sql = f"CAST((CAST({first} AS {wide}) % CAST({second} AS {wide})) AS {result.duckdb})"
    else:
        sql = _decimal_division(first, second, one, other, result)
    return combined(sql, result, left, right)


def decimal_result(symbol: str, one: Type, other: Type) -> Type:
    """The type of arithmetic on two decimals.

    >>> str(decimal_result("*", decimal(10, 2), decimal(5, 1)))
    'decimal(15, 3)'
    """
    (precision1, scale1), (precision2, scale2) = one.numbers, other.numbers
    scale = max(scale1, scale2)
    if symbol in ("+", "-"):
        return decimal(min(38, max(precision1 - scale1, precision2 - scale2) + scale + 1), scale)
    if symbol == "*":
        return decimal(min(38, precision1 + precision2), scale1 + scale2)
    if symbol == "/":
        return decimal(min(38, precision1 + scale2 + max(scale2 - scale1, 0)), scale)
    return decimal(min(precision1 - scale1, precision2 - scale2) + scale, scale)


def _decimal_division(first: str, second: str, one: Type, other: Type, result: Type) -> str:
    """Exact division, rounded half up, in 128-bit integers."""
    shift = result.numbers[1] + other.numbers[1] - one.numbers[1]
    if one.numbers[0] + shift > 38:
        raise OperatorError(f"The local Athena does not divide {one} by {other}: more than 38 digits")
    dividend = f"(CAST({first} * {10 ** one.numbers[1]} AS HUGEINT) * {10**shift})"
    divisor = f"CAST({second} * {10 ** other.numbers[1]} AS HUGEINT)"
    return f"CAST(decimal_quotient({dividend}, {divisor}, {result.numbers[1]}) AS {result.duckdb})"


def _moved(symbol: str, left: Value, right: Value) -> Value | None:
    """Dates and timestamps moved by intervals; intervals added, subtracted and multiplied."""
    intervals = (DAY_TO_SECOND, YEAR_TO_MONTH)
    if symbol == "+" and left.type in intervals and right.type not in intervals:
        left, right = right, left
    if symbol in ("+", "-") and right.type in intervals:
        if left.type == right.type:
            return combined(f"({left.sql} {symbol} {right.sql})", left.type, left, right)
        return _shifted(symbol, left, right)
    if symbol == "-" and left.type == right.type == DATE:
        return combined(f"(CAST({left.sql} - {right.sql} AS BIGINT) * 86400000)", DAY_TO_SECOND, left, right)
    if symbol == "-" and left.type.name == right.type.name and left.type.name.startswith("timestamp"):
        one, other = comparable(left), comparable(right)
        return combined(f"((epoch_us({one}) - epoch_us({other})) // 1000)", DAY_TO_SECOND, left, right)
    if symbol == "*" and left.type.is_integer and right.type in intervals:
        left, right = right, left
    if symbol == "*" and left.type in intervals and right.type.is_integer:
        return combined(f"({left.sql} * {right.sql})", left.type, left, right)
    return None


def _shifted(symbol: str, moment: Value, interval: Value) -> Value | None:
    unit = "to_milliseconds" if interval.type == DAY_TO_SECOND else "to_months"
    amount = f"{unit}(CAST({interval.sql} AS {'BIGINT' if unit == 'to_milliseconds' else 'INTEGER'}))"
    kind = moment.type
    if interval.type == DAY_TO_SECOND and kind.numbers:
        kind = Type(kind.name, (max(3, kind.numbers[0]),))  # an interval counts milliseconds
    if kind == DATE:
        if interval.type == DAY_TO_SECOND:
            whole = failing(
                "INVALID_FUNCTION_ARGUMENT", "'Cannot add hour, minutes or seconds to a date'", types.BIGINT
            )
            days = f"CASE WHEN {interval.sql} % 86400000 = 0 THEN {interval.sql} // 86400000 ELSE {whole} END"
            return combined(f"({moment.sql} {symbol} CAST({days} AS INTEGER))", DATE, moment, interval)
        return combined(f"CAST({moment.sql} {symbol} {amount} AS DATE)", DATE, moment, interval)
    if kind.name == "timestamp":
        return combined(f"({moment.sql} {symbol} {amount})", kind, moment, interval)
    if kind.is_zoned:
        return combined(
            f"zoned_shifted({moment.sql}, {'' if symbol == '+' else '-'}{amount}, {interval.type == YEAR_TO_MONTH})",
            kind,
            moment,
            interval,
        )
    return None


def negated(value: Value) -> Value:
    """``-value``."""
    if value.type.is_integer:
        return combined(f"CAST((-{value.sql}) AS {value.type.duckdb})", value.type, value)
    if value.type.is_numeric or value.type in (DAY_TO_SECOND, YEAR_TO_MONTH):
        return combined(f"(-{value.sql})", value.type, value)
    raise OperatorError(f"Cannot negate {value.type}")


def joined(left: Value, right: Value) -> Value:
    """``left || right`` of text, arrays, or an array and an element."""
    if (left.type.is_text and right.type.is_text) or {left.type.name, right.type.name} <= {
        "varchar",
        "char",
        "unknown",
    }:
        return combined(f"({left.sql} || {right.sql})", types.VARCHAR, left, right)
    if left.type.name == "array" and right.type.name != "array":
        right = _as_array(right)
    elif right.type.name == "array" and left.type.name != "array":
        left = _as_array(left)
    if left.type.name == right.type.name == "array":
        values, kind = unified([left, right], "Cannot concatenate {} and {}")
        return combined(f"trino_concat_lists([{values[0].sql}, {values[1].sql}])", kind, left, right)
    if left.type == right.type == types.VARBINARY:
        return combined(f"({left.sql} || {right.sql})", types.VARBINARY, left, right)
    raise OperatorError(f"Unexpected parameters ({left.type}, {right.type}) for function concat.", "FUNCTION_NOT_FOUND")


def _as_array(value: Value) -> Value:
    """An element as an array of its own; nothing can be added that is NULL."""
    if value.type == types.UNKNOWN:
        raise OperatorError("Could not choose a best candidate operator. Explicit type casts must be added.")
    sql = f"CASE WHEN {value.sql} IS NULL THEN NULL ELSE [{value.sql}] END"
    return combined(sql, types.array(value.type), value)
