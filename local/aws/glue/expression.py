"""The ``Expression`` of GetPartitions: a SQL condition on the partition keys.

sqlglot parses; only what Glue documents is accepted: comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL and
parentheses, between a partition key and literals.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import expressions as ast

from local.aws.wire import AwsError


Values = Mapping[str, str]
"""A partition's values by lower-case key name."""
Predicate = Callable[[Values], bool]
_NUMERIC = re.compile(r"(tiny|small|big)?int|long|decimal(\(.*\))?")
_COMPARISONS: dict[type[ast.Expr], Callable[[Any, Any], bool]] = {
    ast.EQ: operator.eq,
    ast.NEQ: operator.ne,
    ast.GT: operator.gt,
    ast.GTE: operator.ge,
    ast.LT: operator.lt,
    ast.LTE: operator.le,
}


@lru_cache(maxsize=256)
def predicate(expression: str, keys: tuple[tuple[str, str], ...]) -> Predicate:
    """What an expression asks of a partition.

    Args:
        expression: The condition; a blank one lets every partition pass.
        keys: Name and type of each partition key.

    Raises:
        AwsError: The expression cannot be read, or names something that is not a partition key.
    """
    if not expression.strip():
        return lambda _: True
    try:
        condition = sqlglot.parse_one(f"SELECT 1 WHERE {expression}").args["where"].this
    except (sqlglot.errors.SqlglotError, KeyError, AttributeError) as error:
        raise _invalid() from error
    return _Translator({name.lower(): type_.lower() for name, type_ in keys}).predicate(condition)


def _invalid() -> AwsError:
    return AwsError("InvalidInputException", "Invalid partition expression!")


class _Translator:
    def __init__(self, types: Mapping[str, str]) -> None:
        self._types = types

    def predicate(self, node: ast.Expr) -> Predicate:
        """A condition as a function."""
        if isinstance(node, ast.Paren):
            return self.predicate(node.this)
        if isinstance(node, ast.Not):
            inner = self.predicate(node.this)
            return lambda values: not inner(values)
        if isinstance(node, ast.And | ast.Or):
            return self._both(node)
        if type(node) in _COMPARISONS:
            return self._comparison(node)
        return self._membership(node)

    def _both(self, node: ast.And | ast.Or) -> Predicate:
        left, right = self.predicate(node.left), self.predicate(node.right)
        if isinstance(node, ast.And):
            return lambda values: left(values) and right(values)
        return lambda values: left(values) or right(values)

    def _comparison(self, node: ast.Expr) -> Predicate:
        compare = _COMPARISONS[type(node)]
        left, right = self._operand(node.args["this"], node), self._operand(node.args["expression"], node)
        return lambda values: compare(left(values), right(values))

    def _membership(self, node: ast.Expr) -> Predicate:
        if isinstance(node, ast.In) and node.expressions:
            value = self._operand(node.this, node)
            options = [self._operand(option, node) for option in node.expressions]
            return lambda values: any(value(values) == option(values) for option in options)
        if isinstance(node, ast.Between):
            value, low, high = (self._operand(node.args[name], node) for name in ("this", "low", "high"))
            return lambda values: low(values) <= value(values) <= high(values)
        if isinstance(node, ast.Like) and isinstance(node.expression, ast.Literal):
            name = self._key(node.this)
            pattern = _like(node.expression.name)
            return lambda values: pattern.fullmatch(values[name]) is not None
        if isinstance(node, ast.Is) and isinstance(node.expression, ast.Null):
            name = self._key(node.this)
            return lambda values: values.get(name) is None
        raise _invalid()

    def _operand(self, node: ast.Expr, within: ast.Expr) -> Callable[[Values], Any]:
        """A key or literal of a condition, comparable as the key's type."""
        typed = self._type_of_key_in(within)
        if isinstance(node, ast.Column):
            name = self._key(node)
            return lambda values: typed(values[name])
        if isinstance(node, ast.Literal):
            constant = typed(node.name)
        elif isinstance(node, ast.Neg) and isinstance(node.this, ast.Literal):
            constant = typed(f"-{node.this.name}")
        else:
            raise _invalid()
        return lambda _: constant

    def _type_of_key_in(self, node: ast.Expr) -> Callable[[str], Any]:
        names = {self._key(column) for column in node.find_all(ast.Column)}
        if len(names) != 1:
            raise _invalid()
        return _as_number if _NUMERIC.fullmatch(self._types[names.pop()]) else str

    def _key(self, node: ast.Expr) -> str:
        name = node.name.lower() if isinstance(node, ast.Column) else ""
        if name not in self._types:
            raise _invalid()
        return name


def _as_number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _invalid() from None


def _like(pattern: str) -> re.Pattern[str]:
    translated = "".join({"%": ".*", "_": "."}.get(character, re.escape(character)) for character in pattern)
    return re.compile(translated, re.DOTALL)
