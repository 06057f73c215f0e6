"""Small clauses that several kinds of query share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from local.athena.sql.parsing_errors import refused


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.athena.sql.scopes import Field
    from local.athena.sql.tables import Origin


def limits(node: exp.Expr) -> str:
    """LIMIT, FETCH FIRST and OFFSET."""
    written = ""
    limit, offset = node.args.get("limit"), node.args.get("offset")
    if isinstance(limit, exp.Fetch):
        options = limit.args.get("limit_options")
        if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
            raise refused("NOT_SUPPORTED", "The local Athena does not know FETCH … WITH TIES", limit)
        written += f" LIMIT {_count(limit.args.get('count'), 'LIMIT')}"
    elif limit is not None and not isinstance(limit.expression, exp.Var):
        written += f" LIMIT {_count(limit.expression, 'LIMIT')}"
    if offset is not None:
        written += f" OFFSET {_count(offset.expression, 'OFFSET')}"
    return written


def _count(node: exp.Expr | None, clause: str) -> int:
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        return int(node.name)
    raise refused("SYNTAX_ERROR", f"{clause} must be a number", node or exp.Null())


def conjunction(node: exp.Expr) -> Iterator[exp.Expr]:
    """The parts of a condition that all must hold."""
    if isinstance(node, exp.Paren):
        yield from conjunction(node.this)
    elif isinstance(node, exp.And):
        yield from conjunction(node.left)
        yield from conjunction(node.right)
    else:
        yield node


def origins_by_ref(fields: Sequence[Field]) -> dict[str, tuple[Origin, ...]]:
    """The partition keys that columns are copies of."""
    return {one.ref: one.origins for one in fields if one.origins}
