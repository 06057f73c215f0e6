"""What Trino's grammar does not know, although both parsers let it pass.

Refusing here is always right: nothing in this module accepts a statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from local.athena.errors import QueryError
from local.athena.sql.parsing_errors import mismatched, refused


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.tokenizer_core import Token


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
# Names of types elsewhere (Hive's among them) that Trino does not know in CAST, although sqlglot does.
_FOREIGN_TYPES = frozenset(
    name
    for names in (
        "string text tinytext mediumtext longtext clob nvarchar nchar float float4 float8 numeric dec number bool",
        "datetime timestamptz timestampltz blob binary bytes int2 int4 int8 long hugeint uint struct list object",
    )
    for name in names.split()
)


def check_tokens(tokens: Sequence[Token]) -> None:
    """Refuse what can be seen in the words alone."""
    if tokens and tokens[0].token_type == TokenType.FROM:
        raise _unexpected(tokens[0])
    _check_types(tokens)
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


def _check_types(tokens: Sequence[Token]) -> None:
    """Refuse names of types that Trino does not know: what follows AS in CAST, up to its end."""
    inside = [""]  # of each open parenthesis: "cast" before AS, "type" after it
    for before, token, after in zip((None, *tokens[:-1]), tokens, (*tokens[1:], None), strict=True):
        if token.token_type == TokenType.L_PAREN:
            casts = before is not None and before.text.upper() in ("CAST", "TRY_CAST")
            inside.append("cast" if casts else inside[-1].replace("cast", ""))
        elif token.token_type == TokenType.R_PAREN:
            inside = inside[:-1] or [""]
        elif token.token_type == TokenType.ALIAS and inside[-1] == "cast":
            inside[-1] = "type"
        if inside[-1] == "type" and token.text.lower() in _FOREIGN_TYPES and _ends_name(after):
            place = token.line, token.col - len(token.text) + 1
            raise QueryError("TYPE_MISMATCH", f"Unknown type: {token.text.lower()}", *place)


def _ends_name(after: Token | None) -> bool:
    """Whether a name before it is a type's, and not that of a field of a row."""
    return after is not None and after.token_type in (TokenType.R_PAREN, TokenType.COMMA, TokenType.L_PAREN)


def _check_token(token: Token, before: Token | None) -> None:
    if token.token_type == TokenType.FROM and before is not None and before.token_type == TokenType.SELECT:
        raise _unexpected(token)
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
