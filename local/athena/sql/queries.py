"""Queries: set operations, WITH and VALUES → DuckDB SQL; ``select`` does SELECT, ``relations`` FROM."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlglot import exp

from local.athena import types
from local.athena.errors import QueryError
from local.athena.sql.aggregation import Aggregates, Windows, order_item
from local.athena.sql.casts import cast
from local.athena.sql.clauses import limits
from local.athena.sql.correlation import not_joinable
from local.athena.sql.expressions import ExpressionTranslator
from local.athena.sql.parsing import parse_query
from local.athena.sql.parsing_errors import refused
from local.athena.sql.projections import Projection, Query, as_kinds, rebased, renamed, without_origins
from local.athena.sql.relations import Relations
from local.athena.sql.scopes import Field, Relation, Scope
from local.athena.sql.select import Select
from local.athena.sql.stored_views import as_view
from local.athena.sql.values import Value, combined


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from local.athena.sql.metadata import Metadata
    from local.athena.sql.tables import Origin, SystemTable, TableScan
    from local.athena.types import Type
    from local.athena.views import View


_TOKEN = re.compile("\x01(\\d+)\x01")


class QueryTranslator:
    """Translates one statement; collects the tables it reads.

    Attributes:
        scans: Appearances of the catalog's tables.
        system_tables: Tables made of metadata.
    """

    def __init__(self, metadata: Metadata) -> None:
        self.metadata = metadata
        self.scans: list[TableScan] = []
        self.system_tables: list[SystemTable] = []
        self.aggregates = Aggregates()
        self.windows = Windows(self.aggregates)
        self._relations = Relations(self)
        self._projections: list[Projection] = []
        self._ctes: dict[str, tuple[exp.CTE, dict[str, object]]] = {}
        self._open_views: list[str] = []
        self._aliases = 0

    # ------------------------------------------------------------------------------------------------ for the others

    def alias(self) -> str:
        """A new name for a relation."""
        self._aliases += 1
        return f"r{self._aliases}"

    def translate(self, node: exp.Expr, parent: Scope | None = None) -> Query:
        """A query with all its columns."""
        return self.query(node, parent).complete()

    def single_column(self, node: exp.Expr, parent: Scope, error: str = "NOT_SUPPORTED") -> tuple[str, Type]:
        """A subquery that must have one column: its SQL, with the column c0, and its type.

        Trino takes several columns for a row, where a row can stand; ``error`` is what they are here.
        """
        query = self.translate(node, parent)
        if len(query.fields) != 1:
            raise refused(
                error,
                f"Multiple columns returned by subquery are not yet supported. Found {len(query.fields)}",
                node,
            )
        return query.sql, query.fields[0].type

    def finished(self, sql: str) -> str:
        """SQL in which all select lists are written out."""
        while _TOKEN.search(sql):
            sql = _TOKEN.sub(lambda found: self._projections[int(found[1])].render(), sql)
        return sql

    def cte(self, name: str) -> exp.CTE | None:
        """A named query of WITH that can be seen here."""
        found = self._ctes.get(name)
        return None if found is None else found[0]

    def cte_relation(self, name: str) -> Query:
        """The query of a name; Trino, too, runs it anew wherever the name stands."""
        cte, visible = self._ctes[name]
        outer = self._ctes
        self._ctes = dict(visible)  # type: ignore[arg-type]
        try:
            query = self.query(cte.this, None)
        finally:
            self._ctes = outer
        columns = [one.name for one in (cte.args["alias"].args.get("columns") or ())]
        return renamed(query, columns, cte)

    def view(self, view: View, node: exp.Expr) -> Query:
        """The query of a view, in which names mean what they meant where the view was made.

        Raises:
            QueryError: INVALID_VIEW when the query is no longer one, VIEW_IS_STALE when its columns are others.
        """
        if view.full_name in self._open_views:
            raise refused("VIEW_IS_RECURSIVE", "View is recursive", node)
        outer_ctes, self._ctes = self._ctes, {}
        self._open_views.append(view.full_name)
        try:
            with self.metadata.within(view.database):
                query = self.query(parse_query(view.query), None)
        except QueryError as error:
            message = f"Failed analyzing stored view '{view.full_name}': {error.located_message}"
            raise refused("INVALID_VIEW", message, node) from error
        finally:
            self._open_views.pop()
            self._ctes = outer_ctes
        return as_view(query, view, node)

    # ------------------------------------------------------------------------------------------------------- queries

    def query(self, node: exp.Expr, parent: Scope | None) -> Query:
        """A query whose unused columns may still be left out."""
        with self._with(node):
            if isinstance(node, exp.Subquery) and not node.alias:
                return self._parenthesised(node, parent)
            if isinstance(node, exp.SetOperation):
                return self._set_operation(node, parent)
            if isinstance(node, exp.Select):
                return Select(self, node, parent).translate()
            if isinstance(node, exp.Values):
                return self._values(node, parent)
        raise refused("NOT_SUPPORTED", f"The local Athena does not know {type(node).__name__}", node)

    @contextmanager
    def _with(self, node: exp.Expr) -> Iterator[None]:
        clause = node.args.get("with_")
        outer = self._ctes
        if clause is not None:
            if clause.args.get("recursive"):
                raise refused("NOT_SUPPORTED", "The local Athena does not run WITH RECURSIVE", clause)
            names = [cte.alias.lower() for cte in clause.expressions]
            for place, cte in enumerate(clause.expressions):
                if names[place] in names[:place]:
                    message = f"WITH query name '{names[place]}' specified more than once"
                    raise refused("DUPLICATE_NAMED_QUERY", message, cte)
                self._ctes = self._ctes | {cte.alias.lower(): (cte, dict(self._ctes))}
        try:
            yield
        finally:
            self._ctes = outer

    def _parenthesised(self, node: exp.Subquery, parent: Scope | None) -> Query:
        inner = self.query(node.this, parent)
        if not any(node.args.get(part) for part in ("order", "limit", "offset")):
            return inner
        return self._ordered(inner.complete(), node, parent)

    def _values(self, node: exp.Values, parent: Scope | None) -> Query:
        scope = Scope((), parent)
        translator = ExpressionTranslator(scope, self)
        rows = [_row_values(translator, row) for row in node.expressions]
        if scope.reached:
            raise not_joinable(node)
        if len({len(row) for row in rows}) != 1:
            raise refused("TYPE_MISMATCH", "Values rows have mismatched sizes", node)
        kinds = [self._common([row[position].type for row in rows], node) for position in range(len(rows[0]))]
        written = ", ".join(
            "(" + ", ".join(cast(value.sql, value.type, kind) for value, kind in zip(row, kinds, strict=True)) + ")"
            for row in rows
        )
        names = ", ".join(f"c{position}" for position in range(len(kinds)))
        fields = tuple(Field(None, kind, f"c{position}") for position, kind in enumerate(kinds))
        return Query(f"SELECT * FROM (VALUES {written}) AS {self.alias()}({names})", fields)

    @staticmethod
    def _common(kinds: Sequence[Type], node: exp.Expr) -> Type:
        result = types.UNKNOWN
        for kind in kinds:
            common = types.common_type(result, kind)
            if common is None:
                raise refused("TYPE_MISMATCH", f"Values rows have mismatched types: {result} vs {kind}", node)
            result = common
        return result

    def _set_operation(self, node: exp.SetOperation, parent: Scope | None) -> Query:
        left, right = self.translate(node.this, parent), self.translate(node.expression, parent)
        word = {exp.Union: "UNION", exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}[type(node)]
        if len(left.fields) != len(right.fields):
            raise refused(
                "TYPE_MISMATCH",
                f"{word} query has different number of fields: {len(left.fields)}, {len(right.fields)}",
                node,
            )
        kinds = []
        for position, (one, other) in enumerate(zip(left.fields, right.fields, strict=True), 1):
            common = types.common_type(one.type, other.type)
            if common is None:
                raise refused(
                    "TYPE_MISMATCH",
                    f"column {position} in {word} query has incompatible types: {one.type}, {other.type}",
                    node,
                )
            kinds.append(common)
        every = "" if node.args.get("distinct", True) else " ALL"
        sql = f"({as_kinds(left, kinds)}) {word}{every} ({as_kinds(right, kinds)})"
        # A condition on the result of UNION holds for either side; rows of the others must be in the left one.
        sides = (left, right) if word == "UNION" else (left,)
        fields = tuple(
            Field(one.name, kind, f"c{position}", origins=_same_origins(sides, position, kind))
            for position, (one, kind) in enumerate(zip(left.fields, kinds, strict=True))
        )
        return self._ordered(Query(sql, fields), node, parent)

    def _ordered(self, query: Query, node: exp.Expr, parent: Scope | None) -> Query:
        """ORDER BY, OFFSET and LIMIT around a query, on its columns."""
        limit = limits(node)
        order = node.args.get("order")
        if order is None and not limit:
            return query
        alias = self.alias()
        fields = rebased(query, alias)
        sql = f"SELECT * FROM ({query.sql}) AS {alias}"
        if order is not None:
            translator = ExpressionTranslator(Scope(fields, parent), self)
            items = [order_item(_output(one.this, fields, translator), one) for one in order.expressions]
            sql += f" ORDER BY {', '.join(items)}"
        kept = query.fields if not limit else tuple(without_origins(query.fields))
        return Query(sql + limit, kept, reached=query.reached)

    def project(self, items: Sequence[Callable[[], str]]) -> tuple[str, Projection]:
        """A place for a select list that is written out later."""
        projection = Projection(list(items))
        self._projections.append(projection)
        return f"\x01{len(self._projections) - 1}\x01", projection

    def source(self, node: exp.Expr, parent: Scope | None) -> Relation:
        """The FROM clause of a query."""
        return self._relations.clause(node, parent)


def _row_values(translator: ExpressionTranslator, node: exp.Expr) -> list[Value]:
    """The columns of an item of VALUES: whatever is a row there is a row of the table."""
    values = [translator.translate(one) for one in (node.expressions if isinstance(node, exp.Tuple) else [node])]
    value = values[0]
    if len(values) > 1 or value.type.name != "row":
        return values
    return [combined(f"({value.sql}).f{place}", kind, value) for place, kind in enumerate(value.type.elements)]


def _output(node: exp.Expr, fields: Sequence[Field], translator: ExpressionTranslator) -> Value:
    """An item of ORDER BY that may be the number of a column."""
    if isinstance(node, exp.Literal) and not node.is_string:
        position = int(node.name)
        if not 1 <= position <= len(fields):
            raise refused("INVALID_COLUMN_REFERENCE", f"ORDER BY position {position} is not in select list", node)
        return Value(fields[position - 1].sql(), fields[position - 1].type)
    return translator.translate(node)


def _same_origins(sides: Sequence[Query], position: int, kind: Type) -> tuple[Origin, ...]:
    origins = [side.fields[position].origins if side.fields[position].type == kind else () for side in sides]
    return tuple(origin for side in origins for origin in side) if all(origins) else ()
