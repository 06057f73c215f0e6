"""Aggregates and window functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from local.athena import types
from local.athena.sql.functions import calls
from local.athena.sql.functions.aggregates import CALL_BEGINS, CALL_ENDS
from local.athena.sql.operators import comparable, converted
from local.athena.sql.parsing_errors import refused
from local.athena.sql.values import Facts, Value
from local.athena.types import BIGINT, VARCHAR, Type


if TYPE_CHECKING:
    from collections.abc import Callable

    from local.athena.sql.expressions import ExpressionTranslator


_CALL = re.compile(f"{CALL_BEGINS}(.*){CALL_ENDS}", re.DOTALL)
_COUNTING = frozenset({"count", "approx_distinct"})


def ordering(translator: ExpressionTranslator, order: exp.Expr) -> tuple[str, list[Value]]:
    """``ORDER BY …`` of an aggregate or a window; Trino puts NULL last unless told otherwise."""
    values = [translator.translate(one.this) for one in order.expressions]
    written = ", ".join(order_item(value, one) for value, one in zip(values, order.expressions, strict=True))
    return f"ORDER BY {written}", values


def _instant(kind: Type) -> Type:
    return types.TIMESTAMP if kind.is_zoned else kind


def _orderable(kind: Type) -> bool:
    return kind.name not in ("map", "json") and all(map(_orderable, kind.elements))


def order_item(value: Value, node: exp.Expr) -> str:
    """One item of ORDER BY."""
    if not _orderable(value.type):
        raise refused(
            "TYPE_MISMATCH", f"Type {value.type} is not orderable, and therefore cannot be used in ORDER BY", node
        )
    direction = "DESC" if node.args.get("desc") else "ASC"
    nulls = "FIRST" if node.args.get("nulls_first") else "LAST"
    return f"{comparable(value)} {direction} NULLS {nulls}"


class Aggregates:
    """Calls of aggregates, with DISTINCT, ORDER BY and FILTER."""

    def call(self, translator: ExpressionTranslator, node: exp.Expr) -> Value:
        """An aggregate in a select list, HAVING or ORDER BY."""
        sql, kind, inner = self.inner(translator, node)
        if any(value.facts.aggregate for value in inner):
            raise refused("NESTED_AGGREGATION", "Cannot nest aggregations inside aggregation", node)
        if any(value.facts.window for value in inner):
            raise refused("NESTED_WINDOW", "Cannot nest window functions inside aggregation", node)
        return Value(cast_result(_unmarked(sql), kind), kind, calls.facts_of_aggregate(inner))

    def inner(self, translator: ExpressionTranslator, node: exp.Expr) -> tuple[str, Type, list[Value]]:
        """SQL, type and arguments of an aggregate, without the cast of its result."""
        if isinstance(node, exp.Filter):
            sql, kind, values = self.inner(translator, node.this)
            condition = translator.condition(node.expression.this, "FILTER clause")
            return _changed(sql, lambda one: f"{one} FILTER (WHERE {condition.sql})"), kind, [*values, condition]
        if isinstance(node, exp.GroupConcat):
            return self._listagg(translator, node)
        if not isinstance(node, exp.Anonymous):
            raise refused("NOT_SUPPORTED", f"The local Athena does not know {node.sql(dialect='trino')}", node)
        return self._plain(translator, node)

    def _plain(self, translator: ExpressionTranslator, node: exp.Anonymous) -> tuple[str, Type, list[Value]]:
        name, arguments = _name(node), list(node.expressions)
        if not calls.is_aggregate(name):
            calls.known(name)
            raise refused("FUNCTION_NOT_AGGREGATE", f"{name} is not an aggregate function", node)
        if name == "count" and (not arguments or isinstance(arguments[0], exp.Star)):
            return "count(*)", BIGINT, []
        distinct, arguments = _without_distinct(arguments)
        order, arguments = _without_order(arguments)
        values = translator.arguments(name, arguments)
        if name in _COUNTING and values:
            # Two zones may show one moment.
            values = [Value(comparable(values[0]), _instant(values[0].type), values[0].facts), *values[1:]]
        sql, kind = calls.call_aggregate(name, values)
        sql = without_cast(sql)
        if distinct:
            sql = _changed(sql, lambda one: one.replace("(", "(DISTINCT ", 1))
        if order is not None:
            written, order_values = ordering(translator, order)
            sql = _changed(sql, lambda one: f"{one[:-1]} {written})")
            values = [*values, *order_values]
        return sql, kind, values

    def _listagg(self, translator: ExpressionTranslator, node: exp.GroupConcat) -> tuple[str, Type, list[Value]]:
        order = node.this if isinstance(node.this, exp.Order) else None
        subject = order.this if order is not None else node.this
        distinct = isinstance(subject, exp.Distinct)
        value = translator.translate(subject.expressions[0] if distinct else subject)
        if not value.type.is_text:
            raise refused("TYPE_MISMATCH", f"listagg takes varchar, not {value.type}", node)
        separator = node.args.get("separator")
        text = translator.translate(separator).sql if separator is not None else "''"
        written, values = ordering(translator, order) if order is not None else ("", [])
        return (
            f"string_agg({'DISTINCT ' if distinct else ''}{value.sql}, {text} {written})",
            VARCHAR,
            [value, *values],
        )


def _changed(sql: str, change: Callable[[str], str]) -> str:
    """SQL whose aggregate is changed; it may be only a part of it."""
    if _CALL.search(sql) is None:
        return change(sql)
    return _CALL.sub(lambda found: f"{CALL_BEGINS}{change(found[1])}{CALL_ENDS}", sql)


def _unmarked(sql: str) -> str:
    return sql.replace(CALL_BEGINS, "").replace(CALL_ENDS, "")


def _name(node: exp.Expr) -> str:
    return str(node.this).lower() if isinstance(node, exp.Anonymous) else type(node).__name__.lower()


def _without_distinct(arguments: list[exp.Expr]) -> tuple[bool, list[exp.Expr]]:
    if arguments and isinstance(arguments[0], exp.Distinct):
        return True, [*arguments[0].expressions, *arguments[1:]]
    if arguments and isinstance(arguments[0], exp.Order) and isinstance(arguments[0].this, exp.Distinct):
        inner = arguments[0].copy()
        inner.set("this", arguments[0].this.expressions[0])
        return True, [inner, *arguments[1:]]
    return False, arguments


def _without_order(arguments: list[exp.Expr]) -> tuple[exp.Order | None, list[exp.Expr]]:
    if arguments and isinstance(arguments[-1], exp.Order):
        return arguments[-1], [*arguments[:-1], arguments[-1].this]
    return None, arguments


def cast_result(sql: str, kind: Type) -> str:
    """An aggregate in Trino's type: DuckDB's sums and counts are of others."""
    return f"CAST({sql} AS {kind.duckdb})" if kind.is_numeric or kind == types.DAY_TO_SECOND else sql


def without_cast(sql: str) -> str:
    """The call inside the cast of its result, into which FILTER and DISTINCT belong."""
    found = re.fullmatch(r"CAST\((.*) AS \w+(?:\(\d+,\d+\))?\)", sql, re.DOTALL)
    return found.group(1) if found else sql


class Windows:
    """Functions with OVER."""

    def __init__(self, aggregates: Aggregates) -> None:
        self._aggregates = aggregates

    def call(self, translator: ExpressionTranslator, node: exp.Window) -> Value:
        """A function with OVER."""
        sql, kind, values = self._function(translator, node.this)
        over, over_values = self._over(translator, node)
        merged = Facts.merged(value.facts for value in (*values, *over_values))
        if merged.window:
            raise refused("NESTED_WINDOW", "Cannot nest window functions inside window function", node)
        facts = Facts(merged.refs, merged.loose, merged.aggregate, window=True, plain=False)
        return Value(cast_result(_unmarked(_changed(sql, lambda one: f"{one} OVER ({over})")), kind), kind, facts)

    def _function(self, translator: ExpressionTranslator, node: exp.Expr) -> tuple[str, Type, list[Value]]:
        ignore = isinstance(node, exp.IgnoreNulls)
        inner = node.this if isinstance(node, exp.IgnoreNulls | exp.RespectNulls) else node
        if isinstance(inner, exp.Anonymous) and calls.is_window(_name(inner)):
            values = translator.arguments(_name(inner), inner.expressions)
            sql, kind = calls.call_window(_name(inner), values)
            sql = without_cast(sql)
            return (f"{sql[:-1]} IGNORE NULLS)" if ignore else sql), kind, values
        return self._aggregates.inner(translator, inner)

    def _over(self, translator: ExpressionTranslator, node: exp.Expr) -> tuple[str, list[Value]]:
        base, base_values = self._named(translator, node)
        values = [translator.translate(one) for one in node.args.get("partition_by") or ()]
        parts = [f"PARTITION BY {', '.join(comparable(value) for value in values)}"] if values else []
        order = node.args.get("order")
        if order is not None:
            written, order_values = ordering(translator, order)
            parts.append(written)
            values += order_values
        frame = node.args.get("spec")
        if frame is not None:
            _check_frame(frame, ordered=order is not None or "ORDER BY" in base)
            parts.append(_frame(translator, frame))
        return " ".join(part for part in (base, *parts) if part), [*base_values, *values]

    def _named(self, translator: ExpressionTranslator, node: exp.Expr) -> tuple[str, list[Value]]:
        """The window on which another is built, to which that may add what it lacks."""
        if node.args.get("alias") is None:
            return "", []
        name = node.args["alias"].name.lower()
        named = translator.windows.get(name)
        if named is None:
            raise refused("INVALID_WINDOW_REFERENCE", f"Cannot resolve WINDOW name {name}", node)
        if node.args.get("partition_by"):
            raise refused(
                "INVALID_PARTITION_BY",
                "WINDOW specification with named WINDOW reference cannot specify PARTITION BY",
                node,
            )
        written, values = self._over(translator, named)
        if node.args.get("order") is not None and "ORDER BY" in written:
            raise refused(
                "INVALID_ORDER_BY", "Cannot specify ORDER BY if referenced named WINDOW specifies ORDER BY", node
            )
        if named.args.get("spec") is not None and (node.args.get("order") or node.args.get("spec")):
            raise refused(
                "INVALID_WINDOW_REFERENCE", "Cannot reference named WINDOW containing frame specification", node
            )
        return written, values


_SIDES = ("UNBOUNDED PRECEDING", "PRECEDING", "CURRENT ROW", "FOLLOWING", "UNBOUNDED FOLLOWING")


def _check_frame(frame: exp.Expr, ordered: bool) -> None:
    start, end = _side(frame, "start"), _side(frame, "end")
    if _SIDES.index(start) > _SIDES.index(end):
        raise refused("INVALID_WINDOW_FRAME", f"Window frame starting from {start} cannot end with {end}", frame)
    offset = {start, end} & {"PRECEDING", "FOLLOWING"}
    kind = str(frame.args["kind"]).upper()
    if not ordered and (kind == "GROUPS" or (kind == "RANGE" and offset)):
        raise refused(
            "MISSING_ORDER_BY", f"Window frame of type {kind} PRECEDING or FOLLOWING requires ORDER BY", frame
        )


def _side(frame: exp.Expr, side: str) -> str:
    edge, direction = frame.args.get(side), str(frame.args.get(f"{side}_side") or "").upper()
    if edge is None or (isinstance(edge, str) and edge.upper() == "CURRENT ROW"):
        return "CURRENT ROW"
    return f"UNBOUNDED {direction}" if isinstance(edge, str) else direction


def _frame(translator: ExpressionTranslator, frame: exp.Expr) -> str:
    def bound(side: str) -> str:
        edge, direction = frame.args.get(side), frame.args.get(f"{side}_side")
        if edge is None:
            return "CURRENT ROW"
        if isinstance(edge, str):
            return f"{edge} {direction or ''}".strip().upper()
        return f"{_offset(kind, translator.translate(edge), edge)} {str(direction).upper()}"

    kind = str(frame.args["kind"]).upper()
    return f"{kind} BETWEEN {bound('start')} AND {bound('end')}"


def _offset(kind: str, value: Value, node: exp.Expr) -> str:
    """How far a frame goes: rows or groups are counted, a range has the order's own measure."""
    if kind == "RANGE" and value.type == types.DAY_TO_SECOND:
        return f"to_milliseconds({value.sql})"
    if kind == "RANGE" and value.type == types.YEAR_TO_MONTH:
        return f"to_months(CAST({value.sql} AS INTEGER))"
    if kind == "RANGE" and value.type.is_numeric:
        return value.sql
    if not value.type.is_integer:
        raise refused(
            "TYPE_MISMATCH",
            f"Window frame {kind} start value type must be exact numeric type with scale 0 (actual {value.type})",
            node,
        )
    return converted(value, BIGINT).sql
