"""Whether a view's query still has the columns that were stored with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot

from local.athena import types
from local.athena.errors import QueryError
from local.athena.sql.datatypes import to_type
from local.athena.sql.parsing_errors import refused
from local.athena.sql.projections import Query, as_kinds
from local.athena.sql.scopes import Field


if TYPE_CHECKING:
    from sqlglot import exp

    from local.athena.types import Type
    from local.athena.views import View, ViewColumn


def as_view(query: Query, view: View, node: exp.Expr) -> Query:
    """The query with the columns that were stored.

    Raises:
        QueryError: VIEW_IS_STALE when there are others, or of types that do not become the stored ones by themselves.
    """
    problem = _count_problem(query, view)
    kinds = []
    for position, (one, stored) in enumerate(zip(query.fields, view.columns, strict=False)):
        kind = _stored_type(stored, one.type)
        problem = problem or _problem(position, one, stored, kind)
        kinds.append(kind or one.type)
    if problem:
        raise refused("VIEW_IS_STALE", f"View '{view.full_name}' is stale or in invalid state: {problem}", node)
    if [one.type for one in query.fields] == kinds:
        return query  # of which unused columns can still be left out
    named = zip(view.columns, kinds, strict=True)
    fields = tuple(Field(stored.name, kind, f"c{position}") for position, (stored, kind) in enumerate(named))
    return Query(as_kinds(query.complete(), kinds), fields)


def _count_problem(query: Query, view: View) -> str:
    stored, found = len(view.columns), len(query.fields)
    return (
        ""
        if stored == found
        else f"stored view column count ({stored}) does not match column count derived from the view query analysis "
        f"({found})"
    )


def _problem(position: int, one: Field, stored: ViewColumn, kind: Type | None) -> str:
    projected = f"of type {one.type} projected from query view at position {position}"
    if one.name is None:
        return f"a column {projected} has no name"
    described = f"column [{stored.name}] of type {stored.type} stored in view definition"
    if one.name.lower() != stored.name.lower():
        return f"column [{one.name}] {projected} has a different name from {described}"
    if kind is None or not types.can_coerce(one.type, kind):
        return f"column [{one.name}] {projected} cannot be coerced to {described}"
    return ""


def _stored_type(stored: ViewColumn, found: Type) -> Type | None:
    """The type that was stored, or None when it is none that is known here."""
    if stored.type == str(found):
        return found
    try:
        parsed = sqlglot.parse_one(f"CAST(NULL AS {stored.type})", dialect="trino")
        return to_type(parsed.args["to"])
    except (sqlglot.errors.SqlglotError, QueryError, KeyError):
        return None
