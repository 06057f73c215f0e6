"""What Trino's grammar does not know, although both parsers let it pass.

Refusing here is always right: nothing in this module accepts a statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from local.athena.sql.parsing_errors import mismatched, refused


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.tokenizer_core import Token

    from local.athena.errors import QueryError


# Reserved words; after any other word a bracket can be a subscript: many keywords are allowed as names of columns.
_RESERVED = frozenset(
    word
    for words in (
        "ALL AND AS BETWEEN BY CASE CROSS DISTINCT ELSE END EXCEPT FROM FULL GROUP HAVING IN INNER INTERSECT IS JOIN",
        "LEFT LIKE NOT ON OR ORDER OUTER RIGHT SELECT THEN UNION USING VALUES WHEN WHERE WITH",
    )
    for word in words.split()
)
_SUBSCRIPTED_SIGNS = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.IDENTIFIER, TokenType.PLACEHOLDER})
_STAR_MODIFIERS = frozenset({"EXCLUDE", "REPLACE", "RENAME"})
_FOREIGN_SIGNS = frozenset({"{", "==", "//", "**", ":="})


def check_tokens(tokens: Sequence[Token]) -> None:
    """Refuse what can be seen in the words alone."""
    if tokens and tokens[0].token_type == TokenType.FROM:
        raise _unexpected(tokens[0])
    limits: dict[int, bool] = {}
    depth = 0
    for position, token in enumerate(tokens):
        before = tokens[position - 1] if position else None
        _check_token(token, before)
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if token.token_type == TokenType.SELECT:
            limits[depth] = False
        if token.token_type == TokenType.LIMIT:
            limits[depth] = True
        if token.token_type == TokenType.OFFSET and limits.get(depth):
            raise _unexpected(token)  # Trino wants OFFSET before LIMIT


def _check_token(token: Token, before: Token | None) -> None:
    if token.text in _FOREIGN_SIGNS and token.token_type != TokenType.STRING:
        raise _unexpected(token)
    if token.token_type == TokenType.L_BRACKET and not _can_be_subscripted(before):
        raise _unexpected(token)
    if before is not None and before.token_type == TokenType.STAR and token.text.upper() in _STAR_MODIFIERS:
        raise _unexpected(token)


def _can_be_subscripted(token: Token | None) -> bool:
    if token is None:
        return False
    if token.token_type in _SUBSCRIPTED_SIGNS:
        return True
    return token.text.replace("_", "").isalnum() and token.text.upper() not in _RESERVED


def _unexpected(token: Token) -> QueryError:
    return mismatched(token.text, token.line, token.col - len(token.text) + 1)


def check_tree(tree: exp.Expr) -> None:
    """Refuse what only the tree shows."""
    for star in tree.find_all(exp.Star):
        if any(star.args.get(part) for part in ("except_", "replace", "rename")):
            raise refused("SYNTAX_ERROR", "mismatched input after '*'", star)
    for group in tree.find_all(exp.Group):
        if group.args.get("all") is not None or group.args.get("totals"):
            raise refused("NOT_SUPPORTED", "The local Athena does not know GROUP BY ALL", group)
