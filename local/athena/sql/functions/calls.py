"""A call by name → DuckDB SQL: the first overload that fits, or Trino's refusal."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import trino_sql_validator

from local.athena import types
from local.athena.sql.casts import cast
from local.athena.sql.functions.aggregates import AGGREGATES, WINDOWS
from local.athena.sql.functions.catalog import SCALARS
from local.athena.sql.functions.signatures import Match, Signature, cost, is_variable, match, substituted
from local.athena.sql.functions.special import EXPECTED, SPECIAL, ArgumentError, NoMatchError
from local.athena.sql.operators import converted
from local.athena.sql.values import Facts, Value, combined, quote
from local.athena.types import VARCHAR, Type


if TYPE_CHECKING:
    from collections.abc import Sequence


_MISSING = "!"  # in place of a template
UNTYPED_LAMBDA = Type("function")
_EXACT_DIGITS = 15  # DuckDB averages decimals as doubles


class UnknownFunctionError(LookupError):
    """No function of Trino has this name, or none takes these arguments; the text is Trino's."""


class UnsupportedFunctionError(LookupError):
    """Trino has the function, the local Athena does not."""


def is_scalar(name: str) -> bool:
    """Whether it is a function of single rows."""
    return name in SCALARS or name in SPECIAL


def is_aggregate(name: str) -> bool:
    """Whether it aggregates rows."""
    return name in AGGREGATES or name in ("sum", "avg")


def is_window(name: str) -> bool:
    """Whether it needs OVER."""
    return name in WINDOWS


def known(name: str) -> None:
    """Tell a function that Trino does not have from one that is only missing here.

    Raises:
        UnknownFunctionError: Trino has no such function.
        UnsupportedFunctionError: Trino has it.
    """
    if is_scalar(name) or is_aggregate(name) or is_window(name):
        return
    checked = trino_sql_validator.validate(f'SELECT "{name}"()', jinja="reject", function_arguments="off")
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name) or name in (warning.name for warning in checked.warnings):
        raise UnknownFunctionError(f"Function '{name}' not registered")
    raise UnsupportedFunctionError(f"Function '{name}' is not available in the local Athena")


def lambda_types(name: str, arguments: Sequence[Type]) -> list[Type] | None:
    """The types that the lambdas of a call have according to its other arguments.

    Args:
        name: The function.
        arguments: The types of its arguments; of a lambda ``UNTYPED_LAMBDA``, or what it was found to be.

    Returns:
        The types of the lambdas, in order; None when no overload has lambdas at these places.
    """
    places = [kind.name == "function" for kind in arguments]
    for signature in (*SCALARS.get(name, ()), *AGGREGATES.get(name, ())):
        if places != [kind.name == "function" for kind in signature.parameters]:
            continue
        known_ones = [place for place, kind in enumerate(arguments) if kind != UNTYPED_LAMBDA]
        parameters = tuple(signature.parameters[place] for place in known_ones)
        found = match(replace(signature, parameters=parameters), [arguments[place] for place in known_ones])
        if found is not None:
            return [substituted(one, found.bound) for one in signature.parameters if one.name == "function"]
    return None


def call_scalar(name: str, arguments: Sequence[Value]) -> Value:
    """A call of a function of single rows.

    Raises:
        UnknownFunctionError: The arguments do not fit.
        ArgumentError: They fit, and are refused nevertheless.
    """
    special = SPECIAL.get(name)
    if special is not None:
        try:
            return special(arguments)
        except NoMatchError:
            pass  # an overload with a template may fit
    return applied(chosen(name, SCALARS.get(name, ()), [value.type for value in arguments]), arguments)


def call_aggregate(name: str, arguments: Sequence[Value]) -> tuple[str, Type]:
    """DuckDB SQL and type of an aggregate, without DISTINCT, FILTER and ORDER BY."""
    if name in ("sum", "avg") and len(arguments) == 1 and arguments[0].type.name == "decimal":
        precision, scale = arguments[0].type.numbers
        if name == "sum":
            return f"sum({arguments[0].sql})", types.decimal(38, scale)
        if precision > _EXACT_DIGITS:
            raise ArgumentError(f"The local Athena does not average {arguments[0].type}", "NOT_SUPPORTED")
        return f"avg({arguments[0].sql})", arguments[0].type
    matched = chosen(name, AGGREGATES.get(name, ()), [value.type for value in arguments])
    value = applied(matched, arguments)
    return value.sql, value.type


def call_window(name: str, arguments: Sequence[Value]) -> tuple[str, Type]:
    """DuckDB SQL and type of a function that needs OVER."""
    value = applied(chosen(name, WINDOWS[name], [value.type for value in arguments]), arguments)
    return value.sql, value.type


def chosen(name: str, overloads: Sequence[Signature], arguments: Sequence[Type]) -> Match:
    """The overload that fits with the least conversion.

    Raises:
        UnknownFunctionError: None fits.
        UnsupportedFunctionError: The one that fits is not available here.
    """
    fitting = [found for one in overloads if (found := match(one, arguments)) is not None]
    if not fitting:
        known(name)
        given = ", ".join(map(str, arguments))
        expected = ", ".join(EXPECTED.get(name, ())) or ", ".join(map(str, overloads))
        told = f" Expected: {expected}" if expected else ""
        raise UnknownFunctionError(f"Unexpected parameters ({given}) for function {name}.{told}")
    best = min(fitting, key=lambda found: cost(found, arguments))
    if best.signature.template == _MISSING:
        raise UnsupportedFunctionError(f"Function {best.signature} is not available in the local Athena")
    return best


def applied(matched: Match, arguments: Sequence[Value]) -> Value:
    """The SQL of a call whose overload is known."""
    values = [_as_parameter(value, parameter) for value, parameter in zip(arguments, matched.parameters, strict=True)]
    result = substituted(matched.signature.result, matched.bound)
    written = _filled(matched.signature.template, values)
    sql = f"CAST({written} AS {result.duckdb})" if _needs_cast(matched.signature.template, result) else written
    return combined(sql, result, *arguments)


def _as_parameter(value: Value, parameter: Type) -> Value:
    if value.type.name == "function":
        return _lambda_as_parameter(value, parameter)
    if (parameter.elements and parameter.name == value.type.name) or value.type.name != parameter.name:
        return converted(value, parameter) if parameter != value.type else value
    return value


def _lambda_as_parameter(value: Value, parameter: Type) -> Value:
    """A lambda whose result is converted to the type of the others that must be equal to it."""
    result, wanted = value.type.elements[-1], parameter.elements[-1]
    if result == wanted or is_variable(wanted):
        return value
    variable, _, body = value.sql.partition(": ")
    return combined(f"{variable}: {converted(Value(body, result), wanted).sql}", parameter, value)


def _needs_cast(template: str, result: Type) -> bool:
    """DuckDB's functions often yield another integer type than Trino's."""
    return result.is_integer and template != "{0}"


def _filled(template: str, values: Sequence[Value]) -> str:
    if template.endswith("FILTER_TRUE({0})"):
        return f"count(CASE WHEN {values[0].sql} THEN 1 END)"
    listed = ", ".join(value.sql for value in values)

    def filled(found: re.Match[str]) -> str:
        return listed if found[1] == "*" else _argument(values[int(found[1])], found[2])

    return re.sub(r"\{(\d|\*)(?::(\w+))?\}", filled, template)


def _argument(value: Value, form: str | None) -> str:
    if form == "path":
        return quote(_json_path(value))
    if form == "type":
        return quote(str(value.type).replace('"', ""))  # typeof does not quote the names of fields
    if form == "text":
        return cast(value.sql, value.type, types.array(VARCHAR))
    if form == "cast":
        return cast(value.sql, value.type, types.DATE)
    return value.sql


_JSON_PATH = re.compile(r"\$?((\.\w[\w-]*)|(\[\d+\])|(\[\"[^\"]*\"\])|(\['[^']*'\]))*")


def _json_path(value: Value) -> str:
    if value.text is None:
        raise ArgumentError("The local Athena needs a literal as JSON path", "NOT_SUPPORTED")
    if not _JSON_PATH.fullmatch(value.text) or not value.text:
        raise ArgumentError(f"Invalid JSON path: '{value.text}'")
    path = re.sub(r"\[['\"]([^'\"]*)['\"]\]", r'."\1"', value.text)
    return path if path.startswith("$") else f"${path if path.startswith(('.', '[')) else '.' + path}"


def facts_of_aggregate(arguments: Sequence[Value]) -> Facts:
    """An aggregate takes its columns in: none of them is loose any more."""
    merged = Facts.merged(value.facts for value in arguments)
    return Facts(merged.refs, frozenset(), aggregate=True, window=merged.window, plain=merged.plain)
