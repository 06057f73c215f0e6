"""Errors at a place of a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.athena.errors import QueryError


if TYPE_CHECKING:
    from sqlglot import exp


def mismatched(found: str, line: int, column: int, detail: str = "") -> QueryError:
    """Trino's error for a word that cannot stand where it stands."""
    return QueryError("SYNTAX_ERROR", f"mismatched input '{found}'.{' ' if detail else ''}{detail}", line, column)


def position(node: exp.Expr) -> tuple[int, int] | tuple[None, None]:
    """Line and column of the first token of an expression that knows where it stands."""
    places = [
        (one.meta["line"], one.meta["col"] - (one.meta["end"] - one.meta["start"]))
        for one in node.walk()
        if "line" in one.meta and "col" in one.meta
    ]
    return min(places) if places else (None, None)


def refused(name: str, message: str, node: exp.Expr) -> QueryError:
    """An error at a place of the statement."""
    line, column = position(node)
    return QueryError(name, message, line, column)
