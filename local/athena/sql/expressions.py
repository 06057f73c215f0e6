"""Expressions: sqlglot's tree → DuckDB SQL with Trino's types. What is not known here is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from local.athena import types
from local.athena.sql import literals
from local.athena.sql.casts import CannotCastError, cast
from local.athena.sql.correlation import not_joinable
from local.athena.sql.datatypes import to_type
from local.athena.sql.functions import calls
from local.athena.sql.functions.calls import UnknownFunctionError, UnsupportedFunctionError
from local.athena.sql.functions.special import SPECIAL, ArgumentError
from local.athena.sql.operators import (
    OperatorError,
    arithmetic,
    comparable,
    compare,
    converted,
    joined,
    negated,
    unified,
)
from local.athena.sql.parsing import TYPED_LITERAL
from local.athena.sql.parsing_errors import position, refused
from local.athena.sql.scopes import Field, Scope
from local.athena.sql.values import Facts, Loose, Value, combined, quote
from local.athena.types import BOOLEAN, Type


if TYPE_CHECKING:
    from collections.abc import Callable

    from local.athena.sql.queries import QueryTranslator


_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
}
_ARITHMETIC: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}

_MOST_ITERATIONS = 4  # after which Trino gives up finding types for lambdas


class ExpressionTranslator:
    """Translates expressions that stand in one scope.

    Attributes:
        scope: The columns that can be meant.
        queries: Translates subqueries.
        keys: SQL of the grouping keys: an expression that is one is no longer loose.
        windows: Named windows of the query.
    """

    def __init__(
        self,
        scope: Scope,
        queries: QueryTranslator,
        keys: frozenset[str] = frozenset(),
        windows: dict[str, exp.Expr] | None = None,
    ) -> None:
        self.scope = scope
        self.queries = queries
        self.keys = keys
        self.windows = windows or {}

    def translate(self, node: exp.Expr) -> Value:
        """One expression.

        Raises:
            QueryError: As Trino refuses it, with its place.
        """
        handler = _HANDLERS.get(type(node))
        if handler is None:
            shown = node.sql(dialect="trino")[:60]
            raise refused("NOT_SUPPORTED", f"The local Athena does not know {type(node).__name__}: {shown}", node)
        try:
            value = handler(self, node)
        except (CannotCastError, OperatorError) as error:
            raise refused(error.name, str(error), node) from error
        except ArgumentError as error:
            raise refused(error.name, str(error), node) from error
        except UnknownFunctionError as error:
            raise refused("FUNCTION_NOT_FOUND", str(error), node) from error
        except UnsupportedFunctionError as error:
            raise refused("NOT_SUPPORTED", str(error), node) from error
        except literals.LiteralError as error:
            raise refused(error.name, str(error), node) from error
        if value.sql in self.keys and value.facts.loose:
            facts = value.facts
            cleared = Facts(facts.refs, frozenset(), facts.aggregate, facts.window, facts.plain)
            return Value(value.sql, value.type, cleared, value.text)
        return value

    def condition(self, node: exp.Expr, clause: str) -> Value:
        """An expression that must be boolean."""
        value = self.translate(node)
        if value.type == types.UNKNOWN:
            return converted(value, BOOLEAN)
        if value.type != BOOLEAN:
            raise refused("TYPE_MISMATCH", f"{clause} must evaluate to a boolean: actual type {value.type}", node)
        return value

    def boolean(self, node: exp.Expr) -> Value:
        """An operand of AND, OR or NOT."""
        value = self.translate(node)
        if value.type not in (BOOLEAN, types.UNKNOWN):
            raise refused(
                "TYPE_MISMATCH", f"Logical expression term must evaluate to a boolean (actual: {value.type})", node
            )
        return converted(value, BOOLEAN)

    # ------------------------------------------------------------------------------------------------------- names

    def column(self, node: exp.Column) -> Value:
        """A name with dots: a column, perhaps qualified, perhaps with fields of its row after it."""
        parts = [part.name for part in node.parts]
        if isinstance(node.this, exp.Star):
            raise refused("SYNTAX_ERROR", "'*' is not an expression", node)
        return self.name(parts, node)

    def name(self, parts: list[str], node: exp.Expr) -> Value:
        """The longest beginning of the name that is a column; what is left are fields."""
        for length in range(len(parts), 0, -1):
            found = self.scope.find(parts[:length])
            if found is None:
                continue
            value = self._reference(*found, node)
            # Trino can join a subquery to whole columns of the query around it, not to fields of their rows.
            if found[1] and (not self.scope.reach(parts[:length]) or (parts[length:] and self.scope.fields)):
                raise not_joinable(node)
            for field in parts[length:]:
                value = self.dereferenced(value, field, node)
            return value
        raise refused("COLUMN_NOT_FOUND", f"Column '{'.'.join(parts).lower()}' cannot be resolved", node)

    def _reference(self, found: Field, outer: bool, node: exp.Expr) -> Value:
        sql = found.sql()
        if found.facts is not None:
            facts = found.facts
        else:
            loose = frozenset() if outer else frozenset({Loose(found.name or "", *position(node))})
            facts = Facts(frozenset({sql}), loose, plain=not outer)
        return Value(sql, found.type, facts)

    def dereferenced(self, value: Value, field: str, node: exp.Expr) -> Value:
        """A field of a row."""
        if value.type.name != "row":
            raise refused("TYPE_MISMATCH", f"Expression {_shown(node)} is not of type ROW", node)
        wanted = field.lower()
        positions = [at for at, name in enumerate(value.type.names) if name is not None and name.lower() == wanted]
        if not positions:
            raise refused("COLUMN_NOT_FOUND", f"Column '{_shown(node)}' cannot be resolved", node)
        if len(positions) > 1:
            raise refused("AMBIGUOUS_NAME", f"Ambiguous row field reference: {field}", node)
        return combined(f"({value.sql}).f{positions[0]}", value.type.elements[positions[0]], value)

    def dot(self, node: exp.Dot) -> Value:
        """An expression with a field after it."""
        # Not Dot.parts: that leaves out a root which is a function's result or a lambda's variable.
        parts = list(node.flatten(unnest=False))
        if all(isinstance(part, exp.Identifier) for part in parts):
            return self.name([part.name for part in parts], node)
        if not isinstance(node.expression, exp.Identifier):
            raise refused("NOT_SUPPORTED", f"The local Athena does not know {_shown(node)}", node)
        return self.dereferenced(self.translate(node.this), node.expression.name, node)

    def identifier(self, node: exp.Identifier) -> Value:
        """A name in a lambda."""
        return self.name([node.name], node)

    def subscript(self, node: exp.Bracket) -> Value:
        """``array[position]`` or ``map[key]``."""
        base, index = self.translate(node.this), self.translate(node.expressions[0])
        kind = base.type
        if kind.name == "array" and index.type.is_integer:
            return combined(f"trino_subscript({base.sql}, {index.sql})", kind.element, base, index)
        if kind.name == "map" and types.can_coerce(index.type, kind.elements[0]):
            key = converted(index, kind.elements[0])
            return combined(f"trino_map_subscript({base.sql}, {key.sql})", kind.elements[1], base, index)
        if kind.name == "row" and index.type.is_integer and isinstance(node.expressions[0], exp.Literal):
            at = int(node.expressions[0].name)
            if 1 <= at <= len(kind.elements):
                return combined(f"({base.sql}).f{at - 1}", kind.elements[at - 1], base)
        raise OperatorError(f"Cannot apply operator: {base.type}[{index.type}]")

    # --------------------------------------------------------------------------------------------------- operators

    def logical(self, node: exp.And | exp.Or) -> Value:
        """AND and OR."""
        word = "AND" if isinstance(node, exp.And) else "OR"
        left, right = self.boolean(node.left), self.boolean(node.right)
        return combined(f"({left.sql} {word} {right.sql})", BOOLEAN, left, right)

    def negation(self, node: exp.Not) -> Value:
        """NOT."""
        value = self.boolean(node.this)
        return combined(f"(NOT {value.sql})", BOOLEAN, value)

    def comparison(self, node: exp.Expr) -> Value:
        """=, <>, <, … and comparisons with ANY and ALL of a subquery."""
        symbol = _COMPARISONS[type(node)]
        left, right = node.args["this"], node.args["expression"]
        if isinstance(right, exp.Any | exp.All):
            return self._quantified(symbol, left, right)
        return compare(symbol, self.translate(left), self.translate(right))

    def _quantified(self, symbol: str, left: exp.Expr, right: exp.Expr) -> Value:
        value = self.translate(left)
        query = right.this.unnest() if isinstance(right.this, exp.Subquery) else right.this
        sql, kind = self.queries.single_column(query, self.scope)
        if kind != value.type and types.common_type(kind, value.type) != value.type:
            raise OperatorError(f"Cannot apply operator: {value.type} {symbol} {kind}")
        word = "ANY" if isinstance(right, exp.Any) else "ALL"
        return _with_subquery(f"({value.sql} {symbol} {word} ({sql}))", BOOLEAN, value)

    def calculation(self, node: exp.Expr) -> Value:
        """+, -, *, / and %."""
        left, right = self.translate(node.args["this"]), self.translate(node.args["expression"])
        return arithmetic(_ARITHMETIC[type(node)], left, right)

    def negative(self, node: exp.Neg) -> Value:
        """A minus sign; the smallest number of a type has no positive counterpart."""
        if isinstance(node.this, exp.Literal) and not node.this.is_string:
            return literals.number("-" + node.this.name)
        return negated(self.translate(node.this))

    def concatenation(self, node: exp.DPipe) -> Value:
        """||."""
        return joined(self.translate(node.this), self.translate(node.expression))

    def between(self, node: exp.Between) -> Value:
        """BETWEEN."""
        value, low, high = (self.translate(node.args[part]) for part in ("this", "low", "high"))
        return combined(
            f"({compare('>=', value, low).sql} AND {compare('<=', value, high).sql})", BOOLEAN, value, low, high
        )

    def membership(self, node: exp.In) -> Value:
        """IN with a list or a subquery."""
        value = self.translate(node.this)
        query = node.args.get("query")
        if query is None and isinstance(node.expressions[0], exp.Values):
            query = node.expressions[0]
        if query is not None:
            inner = query.unnest() if isinstance(query, exp.Subquery) else query
            sql, kind = self.queries.single_column(inner, self.scope, "TYPE_MISMATCH")
            common = types.common_type(kind, value.type)
            if common is None:
                raise OperatorError(
                    f"value and result of subquery must be of the same type for IN expression: {value.type} vs {kind}"
                )
            if common.elements:
                raise refused("NOT_SUPPORTED", f"The local Athena does not look for a {common} in a subquery", node)
            one = comparable(converted(value, common))
            selected = comparable(converted(Value("c0", kind), common))
            return _with_subquery(f"({one} IN (SELECT {selected} FROM ({sql})))", BOOLEAN, value)
        options = [self.translate(option) for option in node.expressions]
        values, kind = unified([value, *options], "IN value and list items must be the same type: {} vs {}")
        if kind.elements:
            same = (compare("=", values[0], option).sql for option in values[1:])
            return combined(f"({' OR '.join(same)})", BOOLEAN, value, *options)
        listed = ", ".join(comparable(option) for option in values[1:])
        return combined(f"({comparable(values[0])} IN ({listed}))", BOOLEAN, value, *options)

    def like(self, node: exp.Like) -> Value:
        """LIKE."""
        return self._like(node, None)

    def escaped_like(self, node: exp.Escape) -> Value:
        """LIKE … ESCAPE."""
        if not isinstance(node.this, exp.Like):
            raise refused("NOT_SUPPORTED", f"The local Athena does not know {_shown(node)}", node)
        return self._like(node.this, self.translate(node.expression))

    def _like(self, node: exp.Like, escape: Value | None) -> Value:
        value, pattern = self.translate(node.this), self.translate(node.expression)
        for operand, what in ((value, "Left side"), (pattern, "Pattern for")):
            if not (operand.type.is_text or operand.type == types.UNKNOWN):
                raise OperatorError(f"{what} of LIKE expression must evaluate to a varchar (actual: {operand.type})")
        suffix = f" ESCAPE {escape.sql}" if escape else ""
        word = "NOT LIKE" if node.args.get("negate") else "LIKE"
        return combined(f"({value.sql} {word} {pattern.sql}{suffix})", BOOLEAN, value, pattern)

    def null_test(self, node: exp.Is) -> Value:
        """IS NULL, IS TRUE, IS FALSE."""
        value = self.translate(node.this)
        test = node.expression
        if isinstance(test, exp.Null):
            return combined(f"({value.sql} IS NULL)", BOOLEAN, value)
        raise refused("NOT_SUPPORTED", f"The local Athena does not know {_shown(node)}", node)

    def parenthesis(self, node: exp.Paren) -> Value:
        """An expression in parentheses."""
        return self.translate(node.this)

    def aliased(self, node: exp.Alias) -> Value:
        """An expression with a name."""
        return self.translate(node.this)

    # ------------------------------------------------------------------------------------------------- conditional

    def case(self, node: exp.Case) -> Value:
        """CASE with or without a subject."""
        subject = self.translate(node.this) if node.this is not None else None
        conditions, results = [], []
        for branch in node.args["ifs"]:
            if subject is None:
                conditions.append(self.condition(branch.this, "CASE WHEN clause"))
            else:
                conditions.append(compare("=", subject, self.translate(branch.this)))
            results.append(self.translate(branch.args["true"]))
        default = node.args.get("default")
        otherwise = [self.translate(default)] if default is not None else []
        values, kind = unified(
            [*results, *otherwise],
            "All CASE results must be the same type or coercible to a common type. "
            "Cannot find common type between {} and {}",
        )
        branches = " ".join(
            f"WHEN {condition.sql} THEN {value.sql}" for condition, value in zip(conditions, values, strict=False)
        )
        tail = f" ELSE {values[-1].sql}" if otherwise else ""
        return combined(f"CASE {branches}{tail} END", kind, *conditions, *results, *otherwise)

    def choice(self, node: exp.If) -> Value:
        """IF(condition, value[, otherwise])."""
        parts = [node.this, node.args["true"]]
        if node.args.get("false") is not None:
            parts.append(node.args["false"])
        return SPECIAL["if"]([self.translate(part) for part in parts])

    def conversion(self, node: exp.Cast) -> Value:
        """CAST, and typed literals such as DATE '2025-06-01'."""
        target = to_type(node.to)
        if node.meta.get(TYPED_LITERAL) and isinstance(node.this, exp.Literal):
            return literals.typed(node.this.name, target)
        value = self.translate(node.this)
        return combined(cast(value.sql, value.type, target), target, value)

    def attempted_conversion(self, node: exp.TryCast) -> Value:
        """TRY_CAST."""
        target = to_type(node.to)
        value = self.translate(node.this)
        converted_sql = cast(value.sql, value.type, target)
        if value.facts.aggregate or value.facts.window or not value.facts.plain:
            raise refused("NOT_SUPPORTED", "The local Athena runs TRY_CAST on plain expressions only", node)
        return combined(f"TRY({converted_sql})", target, value)

    # --------------------------------------------------------------------------------------------------- functions

    def call(self, node: exp.Anonymous) -> Value:
        """A function by name."""
        name = str(node.this).lower()
        if calls.is_aggregate(name):
            return self.queries.aggregates.call(self, node)
        if name == "grouping":
            return self._grouping(node)
        if calls.is_window(name):
            raise refused("MISSING_OVER", f"Window function {name} requires an OVER clause", node)
        calls.known(name)
        return calls.call_scalar(name, self.arguments(name, _without_form(name, node.expressions)))

    def arguments(self, name: str, nodes: list[exp.Expr]) -> list[Value]:
        """The arguments of a call; the types of a lambda's parameters follow from those that are no lambdas."""
        for node in nodes:
            if isinstance(node, exp.Star | exp.Distinct | exp.Order):
                raise refused("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {name}", node)
        plain = [None if isinstance(node, exp.Lambda) else self.translate(node) for node in nodes]
        if None not in plain:
            return [value for value in plain if value is not None]
        return self._with_lambdas(name, nodes, plain)

    def _with_lambdas(self, name: str, nodes: list[exp.Expr], plain: list[Value | None]) -> list[Value]:
        """Arguments with lambdas, which are translated anew until their results change nothing about their types."""
        lambdas = [node for node in nodes if isinstance(node, exp.Lambda)]
        given = [calls.UNTYPED_LAMBDA if value is None else value.type for value in plain]
        kinds = calls.lambda_types(name, given)
        if kinds is None:
            given_types = ", ".join("<function>" if value is None else str(value.type) for value in plain)
            raise refused(
                "FUNCTION_NOT_FOUND", f"Unexpected parameters ({given_types}) for function {name}.", lambdas[0]
            )
        for _ in range(_MOST_ITERATIONS):
            translated = iter([self._lambda(node, kind) for node, kind in zip(lambdas, kinds, strict=True)])
            values = [next(translated) if value is None else value for value in plain]
            found = calls.lambda_types(name, [value.type for value in values])
            if found is None or found == kinds:  # None: the lambdas do not fit, which the call will say
                return values
            kinds = found
        raise refused(
            "GENERIC_INTERNAL_ERROR",
            f"SignatureBinder.iterativeSolve does not converge after {_MOST_ITERATIONS} iterations.",
            lambdas[0],
        )

    def _lambda(self, node: exp.Lambda, kind: Type) -> Value:
        kinds = kind.elements[:-1]
        if len(node.expressions) != len(kinds):
            raise refused(
                "INVALID_PARAMETER_USAGE",
                f"Expected a lambda that takes {len(kinds)} argument(s) but got {len(node.expressions)}",
                node,
            )
        variable = f"v{len(self.scope.variables)}"
        refs = [variable] if len(kinds) == 1 else [f"{variable}.p{place}" for place in range(len(kinds))]
        names = [parameter.name.lower() for parameter in node.expressions]
        fields = {name: Field(name, one, ref, facts=Facts()) for name, one, ref in zip(names, kinds, refs, strict=True)}
        inner = ExpressionTranslator(self.scope.with_variables(fields), self.queries, self.keys)
        body = inner.translate(node.this)
        return Value(f"{variable}: {body.sql}", Type("function", elements=(*kinds, body.type)), body.facts)

    def _grouping(self, node: exp.Anonymous) -> Value:
        values = [self.translate(argument) for argument in node.expressions]
        for value, argument in zip(values, node.expressions, strict=True):
            if not isinstance(argument, exp.Column | exp.Dot):
                raise refused("SYNTAX_ERROR", "mismatched input. GROUPING takes names of columns", argument)
            if self.keys and value.sql not in self.keys:
                raise refused(
                    "INVALID_ARGUMENTS",
                    "The arguments to GROUPING() must be expressions referenced by the GROUP BY at the associated "
                    f"query level. Mismatch due to {_shown(argument)}.",
                    node,
                )
        facts = Facts(aggregate=True, plain=False)
        return Value(f"CAST(grouping({', '.join(value.sql for value in values)}) AS INTEGER)", types.INTEGER, facts)

    def array(self, node: exp.Array) -> Value:
        """ARRAY[…]."""
        values, kind = unified(
            [self.translate(element) for element in node.expressions], "Cannot find common type between {} and {}"
        )
        result = types.array(kind)
        return combined(f"CAST([{', '.join(value.sql for value in values)}] AS {result.duckdb})", result, *values)

    def tuple_row(self, node: exp.Tuple) -> Value:
        """(a, b) is ROW(a, b)."""
        return SPECIAL["row"]([self.translate(element) for element in node.expressions])

    def interval(self, node: exp.Interval) -> Value:
        """INTERVAL '1' DAY."""
        return literals.interval(node)

    def at_time_zone(self, node: exp.AtTimeZone) -> Value:
        """AT TIME ZONE."""
        value = self.translate(node.this)
        if value.type.name == "timestamp":
            value = converted(value, Type(types.ZONED.name, value.type.numbers))
        return calls.call_scalar("at_timezone", [value, self.translate(node.args["zone"])])

    def extract(self, node: exp.Extract) -> Value:
        """EXTRACT(field FROM value)."""
        field = node.this.name.lower()
        name = {"dow": "day_of_week", "doy": "day_of_year", "yow": "year_of_week"}.get(field, field)
        return calls.call_scalar(name, [self.translate(node.expression)])

    def trim(self, node: exp.Trim) -> Value:
        """TRIM([LEADING | TRAILING | BOTH] [characters FROM] text)."""
        name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
        value = self.translate(node.this)
        characters = node.expression
        if characters is None:
            return calls.call_scalar(name, [value])
        return calls.call_scalar(name, [value, self.translate(characters)])

    def text_position(self, node: exp.StrPosition) -> Value:
        """POSITION(part IN text)."""
        return calls.call_scalar("strpos", [self.translate(node.this), self.translate(node.args["substr"])])

    def substring(self, node: exp.Substring) -> Value:
        """SUBSTRING(text FROM start FOR length)."""
        parts = [node.this, node.args.get("start"), node.args.get("length")]
        return calls.call_scalar("substr", [self.translate(part) for part in parts if part is not None])

    # -------------------------------------------------------------------------------------------------- subqueries

    def scalar_subquery(self, node: exp.Subquery) -> Value:
        """A query that stands for one value."""
        sql, kind = self.queries.single_column(node.unnest(), self.scope)
        return _with_subquery(f"(SELECT single_value(list(c0)) FROM ({sql}))", kind)

    def bare_subquery(self, node: exp.Query) -> Value:
        """The same without its own parentheses in the tree."""
        sql, kind = self.queries.single_column(node, self.scope)
        return _with_subquery(f"(SELECT single_value(list(c0)) FROM ({sql}))", kind)

    def existence(self, node: exp.Exists) -> Value:
        """EXISTS."""
        inner = node.this.unnest() if isinstance(node.this, exp.Subquery) else node.this
        relation = self.queries.translate(inner, self.scope)
        return _with_subquery(f"EXISTS ({relation.sql})", BOOLEAN)

    # ---------------------------------------------------------------------------------------------------- the rest

    def literal(self, node: exp.Literal) -> Value:
        """A number or a string."""
        return literals.text(node.name) if node.is_string else literals.number(node.name)

    def truth(self, node: exp.Boolean) -> Value:
        """TRUE and FALSE."""
        return Value("true" if node.this else "false", BOOLEAN)

    def null(self, _node: exp.Null) -> Value:
        """NULL."""
        return Value("NULL", types.UNKNOWN)

    def json(self, node: exp.ParseJSON) -> Value:
        """JSON '…'."""
        return calls.call_scalar("json_parse", [self.translate(node.this)])

    def moment(self, node: exp.Expr) -> Value:
        """CURRENT_DATE and its kind: the time at which the query started."""
        return literals.moment(node)

    def hexadecimal(self, node: exp.HexString) -> Value:
        """X'00FF'."""
        return Value(f"unhex({quote(node.name)})", types.VARBINARY)

    def adjacent(self, node: exp.Concat) -> Value:
        """'a' 'b' is no Trino SQL, although sqlglot takes it."""
        raise refused("SYNTAX_ERROR", "mismatched input. Two strings stand side by side", node)

    def window(self, node: exp.Window) -> Value:
        """A function with OVER."""
        return self.queries.windows.call(self, node)

    def aggregate_form(self, node: exp.Expr) -> Value:
        """An aggregate with FILTER, or LISTAGG."""
        return self.queries.aggregates.call(self, node)


def _with_subquery(sql: str, kind: Type, *parts: Value) -> Value:
    merged = Facts.merged(part.facts for part in parts)
    return Value(sql, kind, Facts(merged.refs, merged.loose, merged.aggregate, merged.window, plain=False))


def _without_form(name: str, nodes: list[exp.Expr]) -> list[exp.Expr]:
    """The arguments of normalize(text, NFC): its form is a keyword, and this one the usual."""
    if name != "normalize" or len(nodes) != 2:
        return nodes
    if nodes[1].name.upper() != "NFC":
        raise refused("NOT_SUPPORTED", "The local Athena normalizes to NFC only", nodes[1])
    return nodes[:1]


def _shown(node: exp.Expr) -> str:
    return re.sub(r"\s+", " ", node.sql(dialect="trino"))[:80].lower()


_T = ExpressionTranslator
_HANDLERS: dict[type[exp.Expr], Callable[[ExpressionTranslator, Any], Value]] = {
    exp.Column: _T.column,
    exp.Dot: _T.dot,
    exp.Identifier: _T.identifier,
    exp.Bracket: _T.subscript,
    exp.And: _T.logical,
    exp.Or: _T.logical,
    exp.Not: _T.negation,
    exp.Neg: _T.negative,
    exp.DPipe: _T.concatenation,
    exp.Between: _T.between,
    exp.In: _T.membership,
    exp.Like: _T.like,
    exp.Escape: _T.escaped_like,
    exp.Is: _T.null_test,
    exp.Paren: _T.parenthesis,
    exp.Alias: _T.aliased,
    exp.Case: _T.case,
    exp.If: _T.choice,
    exp.Cast: _T.conversion,
    exp.TryCast: _T.attempted_conversion,
    exp.Anonymous: _T.call,
    exp.Array: _T.array,
    exp.Tuple: _T.tuple_row,
    exp.Interval: _T.interval,
    exp.AtTimeZone: _T.at_time_zone,
    exp.Extract: _T.extract,
    exp.Trim: _T.trim,
    exp.StrPosition: _T.text_position,
    exp.Substring: _T.substring,
    exp.Subquery: _T.scalar_subquery,
    exp.Select: _T.bare_subquery,
    exp.Exists: _T.existence,
    exp.Literal: _T.literal,
    exp.Boolean: _T.truth,
    exp.Null: _T.null,
    exp.CurrentDate: _T.moment,
    exp.CurrentTimestamp: _T.moment,
    exp.Localtimestamp: _T.moment,
    exp.HexString: _T.hexadecimal,
    exp.ParseJSON: _T.json,
    exp.Concat: _T.adjacent,
    exp.Window: _T.window,
    exp.Filter: _T.aggregate_form,
    exp.GroupConcat: _T.aggregate_form,
    **dict.fromkeys(_COMPARISONS, _T.comparison),
    **dict.fromkeys(_ARITHMETIC, _T.calculation),
}
