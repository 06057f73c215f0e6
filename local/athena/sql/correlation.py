"""Which subqueries that use columns of the query around them are answered; the others are refused.

Trino turns such a subquery into a join and can do so for some shapes only: "Given correlated subquery is not
supported". With GROUP BY, DISTINCT or LIMIT beside a condition Trino 411 even loses rows of the query around it. What
passes here it was seen to answer, and rightly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sqlglot import exp

from local.athena.sql.parsing_errors import refused


if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from local.athena.errors import QueryError

Clause = Literal["FROM", "WHERE", "SELECT"]
"""Where a column of the query around is used; SELECT stands for all clauses after WHERE."""


def check(node: exp.Select, reached: AbstractSet[Clause], *, aggregated: bool) -> None:
    """Refuse a subquery that Trino cannot turn into a join.

    Args:
        node: The subquery.
        reached: Its clauses that use columns of the query around it.
        aggregated: Whether it has groups, or is one.

    Raises:
        QueryError: NOT_SUPPORTED.
    """
    if reached and not _can_be_joined(node, reached, aggregated=aggregated):
        raise not_joinable(node)


def not_joinable(node: exp.Expr) -> QueryError:
    """The error of all that cannot be turned into a join."""
    return refused("NOT_SUPPORTED", "Given correlated subquery is not supported", node)


def _can_be_joined(node: exp.Select, reached: AbstractSet[Clause], *, aggregated: bool) -> bool:
    user = _user(node)
    compared, tested = isinstance(user, exp.In | exp.Any | exp.All), isinstance(user, exp.Exists)
    limited, grouped = bool(node.args.get("limit")), _is_grouped(node)
    if isinstance(user, exp.SetOperation) or node.args.get("having") or node.args.get("offset"):
        return False
    if "FROM" in reached or node.args.get("from_") is None:
        derived = isinstance(user, exp.From | exp.Subquery)
        return _is_bare(node) and not (compared or grouped or (limited and (tested or derived)))
    listed = "SELECT" in reached and not tested
    return not (listed or limited or grouped or (compared and aggregated))


def _user(node: exp.Expr) -> exp.Expr | None:
    """What the subquery is part of, past its parentheses."""
    user = node.parent
    while isinstance(user, exp.Subquery | exp.Paren) and not user.alias:
        user = user.parent
    return user


def _is_grouped(node: exp.Select) -> bool:
    group = node.args.get("group")
    keys = [] if group is None else [one for one in group.expressions if not _is_empty(one)]
    return bool(keys or node.args.get("distinct"))


def _is_empty(key: exp.Expr) -> bool:
    """``GROUP BY ()``."""
    return isinstance(key, exp.Tuple) and not key.expressions


def _is_bare(node: exp.Select) -> bool:
    """Nothing but a list of the outer row that is unnested, and perhaps aggregated as a whole."""
    return not (node.args.get("where") or node.args.get("joins") or node.find(exp.Filter, exp.Window))
