"""The text of a statement → a syntax tree, with Trino's grammar and nothing else.

Two parsers see every query: trino-sql-validator refuses what is not Trino's grammar, and sqlglot builds the tree. Of
sqlglot's Trino dialect one thing is switched off: its knowledge of functions. Every call arrives as a name with its
arguments, and ``functions`` decides what it means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import sqlglot
import trino_sql_validator
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import TokenType

from local.athena.errors import QueryError
from local.athena.sql.grammar import check_tokens, check_tree
from local.athena.sql.parsing_errors import mismatched


if TYPE_CHECKING:
    from collections.abc import Sequence


Statement = TypeVar("Statement", exp.Create, exp.Drop)

# Calls with a grammar of their own; all others are plain calls.
_SPECIAL_CALLS = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "LISTAGG", "SUBSTRING")


# What stands at a cast that is a literal such as DATE '2025-06-01', which Trino tells from CAST('2025-06-01' AS date).
TYPED_LITERAL = "typed literal"


def _typed_literal(parser: Any, this: exp.Expr, kind: exp.DataType) -> exp.Expr:
    special = TrinoParser.TYPE_LITERAL_PARSERS.get(kind.this)
    node: exp.Expr = special(parser, this, kind) if special else exp.Cast(this=this, to=kind)
    node.meta[TYPED_LITERAL] = True
    return node


class _PlainCallParser(TrinoParser):
    """Parses every call as a name with arguments."""

    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        name: parser for name, parser in TrinoParser.FUNCTION_PARSERS.items() if name in _SPECIAL_CALLS
    }
    TYPE_LITERAL_PARSERS: ClassVar[dict[Any, Any]] = {
        **TrinoParser.TYPE_LITERAL_PARSERS,
        **dict.fromkeys(
            (
                exp.DataType.Type.DATE,
                exp.DataType.Type.TIMESTAMP,
                exp.DataType.Type.TIMESTAMPTZ,
                exp.DataType.Type.DECIMAL,
            ),
            _typed_literal,
        ),
    }


class TrinoWithPlainCalls(Trino):
    """Trino's dialect without sqlglot's own notion of what its functions mean."""

    INDEX_OFFSET = 0

    Parser = _PlainCallParser


def parse_query(text: str, parameters: Sequence[str] = ()) -> exp.Query:
    """The tree of one query.

    Args:
        text: The statement, possibly with a semicolon at its end.
        parameters: SQL expressions for the question marks.

    Raises:
        QueryError: SYNTAX_ERROR, or INVALID_PARAMETER_USAGE when the parameters do not match.
    """
    check_syntax(text)
    tree = _parse(_with_markers(text, parameters))
    check_tree(tree)
    _fill_in(tree, parameters)
    return _as_query(tree)


def _as_query(tree: exp.Expr | None) -> exp.Query:
    if not isinstance(tree, exp.Query | exp.Values):
        raise QueryError("NOT_SUPPORTED", f"The local Athena does not run {type(tree).__name__} statements")
    return tree if isinstance(tree, exp.Query) else exp.select("*").from_(tree)


@dataclass(frozen=True)
class CreateView:
    """CREATE VIEW.

    Attributes:
        name: The view's name.
        query: The tree of its query.
        text: The text of its query.
        replaces: Whether it may take the place of another view.
    """

    name: exp.Table
    query: exp.Query
    text: str
    replaces: bool


def parse_create_view(text: str) -> CreateView:
    """``CREATE [OR REPLACE] VIEW name AS query``, which is all that Athena documents.

    Raises:
        QueryError: SYNTAX_ERROR, or NOT_SUPPORTED for Trino's other clauses.
    """
    tree = _statement(text, exp.Create)
    if not isinstance(tree.this, exp.Table) or tree.args.get("properties"):
        raise QueryError("NOT_SUPPORTED", "The local Athena knows CREATE VIEW name AS query, and no clauses between")
    tokens = TrinoWithPlainCalls().tokenize(text)
    begin = next(at for at, one in enumerate(tokens) if one.token_type == TokenType.ALIAS) + 1
    query = _as_query(tree.expression)
    return CreateView(tree.this, query, text[tokens[begin].start :], bool(tree.args.get("replace")))


def parse_drop_view(text: str) -> tuple[exp.Table, bool]:
    """``DROP VIEW [IF EXISTS] name``: the name, and whether the view may be missing.

    Raises:
        QueryError: SYNTAX_ERROR.
    """
    tree = _statement(text, exp.Drop)
    found = tree.find(exp.Table)
    if found is None:
        raise QueryError("SYNTAX_ERROR", "mismatched input '<EOF>'. Expecting: <identifier>", 1, 1)
    return found, bool(tree.args.get("exists"))


def _statement(text: str, kind: type[Statement]) -> Statement:
    """The tree of a statement on a view."""
    check_syntax(text)
    tree = _parse(text)
    check_tree(tree)
    if not isinstance(tree, kind):
        raise QueryError("SYNTAX_ERROR", f"mismatched input '{text.split()[0]}'", 1, 1)
    return tree


def check_syntax(text: str) -> None:
    """Refuse what Trino's grammar does not know."""
    result = trino_sql_validator.analyze_statements(text, jinja="reject", function_arguments="off")
    validation = result.validation
    if validation.error is not None:
        line, column = validation.error.line or 1, validation.error.column or 1
        message = re.sub(r"^sql parser error: | at line \d+, column \d+$", "", validation.error.message)
        raise QueryError("SYNTAX_ERROR", f"mismatched input. {message}", line, column)
    if len(result.statements) > 1:
        raise _several_statements(result.statements[1].start_line, result.statements[1].start_column)
    if not result.statements:
        raise QueryError("SYNTAX_ERROR", "mismatched input '<EOF>'. Expecting: <statement>", 1, 1)


def _several_statements(line: int, column: int) -> QueryError:
    return QueryError("SYNTAX_ERROR", "Only one sql statement is allowed", line, column)


def _parse(text: str) -> exp.Expr:
    try:
        check_tokens(TrinoWithPlainCalls().tokenize(text))
        found = [tree for tree in sqlglot.parse(text, dialect=TrinoWithPlainCalls) if tree is not None]
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        line, column = first.get("line") or 1, first.get("col") or 1
        near = first.get("highlight") or "<EOF>"
        raise mismatched(str(near), line, column, str(first.get("description"))) from error
    except TokenError as error:
        raise QueryError("SYNTAX_ERROR", f"mismatched input. {error}", 1, 1) from error
    if len(found) != 1:
        raise _several_statements(1, 1) if found else QueryError("SYNTAX_ERROR", "mismatched input '<EOF>'", 1, 1)
    tree = found[0]
    if not isinstance(tree, exp.Expr):
        raise QueryError("SYNTAX_ERROR", "mismatched input '<EOF>'", 1, 1)
    return tree


_MARKER = "$parameter_"


def _with_markers(text: str, parameters: Sequence[str]) -> str:
    """The text with a name in the place of each question mark: the tree does not tell in which order they stood.

    Raises:
        QueryError: INVALID_PARAMETER_USAGE when there are more or fewer than parameters.
    """
    try:
        places = [one for one in TrinoWithPlainCalls().tokenize(text) if one.token_type == TokenType.PLACEHOLDER]
    except TokenError:
        return text  # the parser will say what is wrong
    if len(places) != len(parameters):
        raise QueryError(
            "INVALID_PARAMETER_USAGE",
            f"Incorrect number of parameters: expected {len(places)} but found {len(parameters)}",
            1,
            1,
        )
    for number, place in reversed(list(enumerate(places))):
        text = f'{text[: place.start]}"{_MARKER}{number}"{text[place.end + 1 :]}'
    return text


def _fill_in(tree: exp.Expr, parameters: Sequence[str]) -> None:
    """Put the parameters where their names stand."""
    values = {f"{_MARKER}{number}": _parameter(given) for number, given in enumerate(parameters)}
    for column in list(tree.find_all(exp.Column)):
        if column.name in values:
            column.replace(values[column.name].copy())


def _parameter(text: str) -> exp.Expr:
    """A parameter's value; Athena takes any literal, and plain text that is none as a string."""
    try:
        check_syntax(f"SELECT {text}")
        tree = sqlglot.parse_one(f"SELECT {text}", dialect=TrinoWithPlainCalls)
    except (QueryError, ParseError, TokenError) as error:
        raise QueryError("INVALID_PARAMETER_USAGE", f"'{text}' is not an expression") from error
    expressions = tree.args.get("expressions") or []
    if len(expressions) != 1 or tree.args.get("from_") is not None:
        raise QueryError("INVALID_PARAMETER_USAGE", f"'{text}' is not one expression")
    value: exp.Expr = expressions[0]
    return value
