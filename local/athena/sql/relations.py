"""FROM: tables, subqueries, joins, UNNEST."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from local.athena import types
from local.athena.engine.hidden_columns import HIDDEN_COLUMNS
from local.athena.engine.verification import column_type
from local.athena.sql.clauses import conjunction, origins_by_ref
from local.athena.sql.expressions import ExpressionTranslator
from local.athena.sql.operators import OperatorError, compare
from local.athena.sql.parsing_errors import refused
from local.athena.sql.projections import rebased
from local.athena.sql.scopes import Field, Relation, Scope
from local.athena.sql.tables import Origin, SystemTable, TableScan, push_down
from local.athena.sql.values import Value
from local.athena.types import BIGINT
from local.athena.views import View


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.athena.ports import Table
    from local.athena.sql.projections import Query
    from local.athena.sql.queries import QueryTranslator


class Relations:
    """Translates what stands after FROM."""

    def __init__(self, queries: QueryTranslator) -> None:
        self._queries = queries

    def clause(self, node: exp.Expr, parent: Scope | None) -> Relation:
        """A whole FROM clause; nothing, when the query has none."""
        source = node.args.get("from_")
        if source is None:
            return Relation("", ())
        return self._joined(self.relation(source.this, parent, ()), node.args.get("joins") or (), parent)

    def _joined(self, relation: Relation, joins: Sequence[exp.Join], parent: Scope | None) -> Relation:
        for join in joins:
            relation = self._join(relation, join, parent)
        return relation

    def relation(self, node: exp.Expr, parent: Scope | None, before: Sequence[Field]) -> Relation:
        """One thing after FROM. ``before`` are the columns on its left, which UNNEST and LATERAL may use."""
        if node.args.get("sample"):
            raise refused("NOT_SUPPORTED", "The local Athena does not know TABLESAMPLE", node)
        if node.args.get("version"):
            raise refused("NOT_SUPPORTED", "This connector does not support versioned tables", node)
        if isinstance(node, exp.Table):
            made = self._table(node)
        elif isinstance(node, exp.Subquery):
            made = self._subquery(node, parent)
        elif isinstance(node, exp.Unnest):
            made = self._unnest(node, Scope(before, parent))
        elif isinstance(node, exp.Lateral):
            made = self._lateral(node, Scope(before, parent))
        elif isinstance(node, exp.Values):
            made = self._derived(self._queries.query(node, parent), node)
        else:
            raise refused("NOT_SUPPORTED", f"The local Athena does not know {type(node).__name__} after FROM", node)
        return self._joined(made, node.args.get("joins") or (), parent)

    # --------------------------------------------------------------------------------------------------------- tables

    def _table(self, node: exp.Table) -> Relation:
        name = node.name.lower()
        if not node.db and self._queries.cte(name) is not None:
            return self._derived(self._queries.cte_relation(name), node, name)
        found = self._queries.metadata.resolve(node)
        if isinstance(found, SystemTable):
            return self._system_table(found, node)
        if isinstance(found, View):
            return self._view(found, node)
        return self._scan(found, node)

    def _system_table(self, found: SystemTable, node: exp.Table) -> Relation:
        self._queries.system_tables.append(found)
        alias = self._queries.alias()
        kinds = self._queries.metadata.types_of(found)
        fields = [
            Field(name, kind, f'{alias}."{name}"', self._qualifier(node))
            for name, kind in zip(found.rows.column_names, kinds, strict=True)
        ]
        return Relation(f"{found.name} AS {alias}", tuple(self._aliased(fields, node)))

    def _view(self, view: View, node: exp.Table) -> Relation:
        query = self._queries.view(view, node)
        alias = self._queries.alias()
        fields = rebased(query, alias, self._qualifier(node))
        return Relation(f"({query.sql}) AS {alias}", tuple(self._aliased(fields, node)))

    def _scan(self, table: Table, node: exp.Table) -> Relation:
        scan = TableScan(f"scan_{len(self._queries.scans)}", table)
        self._queries.scans.append(scan)
        alias = self._queries.alias()
        qualifier = self._qualifier(node)
        fields = [
            Field(name, column_type(column), f"{alias}.{name}", qualifier, on_use=_use(scan, name, alias))
            for column in table.columns
            for name in (column.name.lower(),)
        ]
        fields += [
            Field(
                column.name.lower(),
                column_type(column),
                f"{alias}.k{position}",
                qualifier,
                origins=(Origin(scan, position),),
            )
            for position, column in enumerate(table.partition_keys)
        ]
        hidden = [
            Field(name, kind, f"{alias}.h{position}", qualifier, hidden=True)
            for position, (name, kind) in enumerate(HIDDEN_COLUMNS.items())
        ]
        return Relation(f"{scan.name} AS {alias}", (*self._aliased(fields, node), *hidden))

    @staticmethod
    def _qualifier(node: exp.Expr) -> tuple[str, ...]:
        """The alias, or the name as it is written: no column of ``FROM t`` is called ``database.t.column``."""
        if node.alias:
            return (node.alias.lower(),)
        parts = [part.name.lower() for part in node.parts] if isinstance(node, exp.Table) else []
        return tuple(parts)

    @staticmethod
    def _aliased(fields: Sequence[Field], node: exp.Expr) -> list[Field]:
        """The columns under the names of ``AS t(a, b)``."""
        alias = node.args.get("alias")
        names = [one.name.lower() for one in (alias.args.get("columns") or ())] if alias is not None else []
        if not names:
            return list(fields)
        if len(names) != len(fields):
            raise refused(
                "MISMATCHED_COLUMN_ALIASES",
                f"Column alias list has {len(names)} entries but '{node.alias}' has {len(fields)} columns available",
                node,
            )
        return [replace(one, name=name) for one, name in zip(fields, names, strict=True)]

    # --------------------------------------------------------------------------------------------- queries after FROM

    def _subquery(self, node: exp.Subquery, parent: Scope | None) -> Relation:
        inner = node.this
        if isinstance(inner, exp.Table | exp.Unnest) or (isinstance(inner, exp.Subquery) and inner.alias):
            joined = self.relation(inner, parent, ())
            if not node.alias:
                return joined
            raise refused("NOT_SUPPORTED", "The local Athena does not know an alias for a join", node)
        return self._derived(self._queries.query(inner, parent), node)

    def _derived(self, query: Query, node: exp.Expr, name: str | None = None) -> Relation:
        alias = self._queries.alias()
        label = (node.alias or name or "").lower()
        fields = rebased(query, alias, (label,) if label else ())
        return Relation(f"({query.sql}) AS {alias}", tuple(self._aliased(fields, node)), query.reached)

    def _lateral(self, node: exp.Lateral, scope: Scope) -> Relation:
        if not isinstance(node.this, exp.Subquery):
            raise refused("NOT_SUPPORTED", "The local Athena knows LATERAL only with a query", node)
        made = self._derived(self._queries.translate(node.this.this, scope), node)
        return Relation(f"LATERAL {made.sql}", made.fields, frozenset(scope.reached))

    def _unnest(self, node: exp.Unnest, scope: Scope) -> Relation:
        """One row for every position up to the longest array; shorter ones are filled up with NULL."""
        translator = ExpressionTranslator(scope, self._queries)
        values = [translator.translate(one) for one in node.expressions]
        alias = self._queries.alias()
        fields: list[Field] = []
        lengths = []
        for one, value in zip(node.expressions, values, strict=True):
            columns, length = _unnested(value, f"{alias}.o", one)
            lengths.append(length)
            fields += [Field(name, kind, sql, facts=replace(value.facts, plain=False)) for name, kind, sql in columns]
        ordinal = node.args.get("offset")
        if ordinal:
            fields.append(Field(None, BIGINT, f"{alias}.o"))
            node = _with_ordinal_name(node, ordinal)
        longest = f"greatest({', '.join(f'coalesce({length}, 0)' for length in lengths)})"
        label = (node.alias.lower(),) if node.alias else ()
        qualified = [replace(one, qualifier=label) for one in self._aliased(fields, node)]
        sql = f"LATERAL (SELECT unnest(range(1, {longest} + 1)) AS o) AS {alias}"
        return Relation(sql, tuple(qualified), frozenset(scope.reached))

    # ---------------------------------------------------------------------------------------------------------- joins

    def _join(self, left: Relation, node: exp.Join, parent: Scope | None) -> Relation:
        if node.args.get("method"):
            raise refused("NOT_SUPPORTED", f"{node.args['method'].capitalize()} join not supported", node)
        side = (node.side or "").upper()
        right = self.relation(node.this, parent, left.fields)
        left_fields = _padded(left.fields) if side in ("RIGHT", "FULL") else left.fields
        right_fields = _padded(right.fields) if side in ("LEFT", "FULL") else right.fields
        if node.args.get("using"):
            return self._using(Relation(left.sql, left_fields), Relation(right.sql, right_fields), node, side)
        fields, reached = (*left_fields, *right_fields), left.reached | right.reached
        on = node.args.get("on")
        if on is None:
            if side or (node.kind or "").upper() == "INNER":
                raise refused("SYNTAX_ERROR", "mismatched input. Expecting: 'ON', 'USING'", node)
            return Relation(f"{left.sql} CROSS JOIN {right.sql}", fields, reached)
        scope = Scope(fields, parent, clause="FROM" if side else "WHERE")
        condition = self._on(on, side, left, right, scope)
        sql = f"{left.sql} {side or 'INNER'} JOIN {right.sql} ON {condition}"
        return Relation(sql, fields, reached | scope.reached)

    def _on(self, on: exp.Expr, side: str, left: Relation, right: Relation, scope: Scope) -> str:
        # A condition prunes a side whose rows that do not satisfy it are not kept.
        pruned = {"": (*left.fields, *right.fields), "LEFT": right.fields, "RIGHT": left.fields}.get(side, ())
        translator = ExpressionTranslator(scope, self._queries)
        written = []
        for part in conjunction(on):
            value = translator.condition(part, "JOIN ON clause")
            if value.facts.aggregate or value.facts.window:
                raise refused("EXPRESSION_NOT_SCALAR", "JOIN clause cannot contain aggregations", part)
            push_down(value, origins_by_ref(pruned))
            written.append(value.sql)
        return " AND ".join(written)

    def _using(self, left: Relation, right: Relation, node: exp.Join, side: str) -> Relation:
        """The columns of USING come once, first, and under no qualifier; then those of either side."""
        names = [one.name.lower() for one in node.args["using"]]
        conditions, shared = [], []
        for name in names:
            one, other = (self._using_column(relation, name, node) for relation in (left, right))
            try:
                conditions.append(compare("=", Value(one.sql(), one.type), Value(other.sql(), other.type)).sql)
            except OperatorError as error:
                raise refused("TYPE_MISMATCH", str(error), node) from error
            kind = types.common_type(one.type, other.type) or one.type
            merged = {"RIGHT": other.sql(), "FULL": f"coalesce({one.sql()}, {other.sql()})"}.get(side, one.sql())
            origins = {"": (*one.origins, *other.origins), "LEFT": one.origins, "RIGHT": other.origins}.get(side, ())
            shared.append(Field(name, kind, merged, origins=origins))
        rest = [one for one in (*left.fields, *right.fields) if one.name not in names]
        sql = f"{left.sql} {side or 'INNER'} JOIN {right.sql} ON {' AND '.join(conditions)}"
        return Relation(sql, (*shared, *rest), left.reached | right.reached)

    @staticmethod
    def _using_column(relation: Relation, name: str, node: exp.Join) -> Field:
        found = Scope(relation.fields).find([name])
        if found is None:
            raise refused("COLUMN_NOT_FOUND", f"Column '{name}' is missing from a side of join", node)
        return found[0]


def _use(scan: TableScan, name: str, alias: str) -> Callable[[], str]:
    return lambda: scan.use(name, alias)


def _padded(fields: Sequence[Field]) -> tuple[Field, ...]:
    """Columns that an outer join can fill up with NULL."""
    return tuple(replace(one, origins=tuple(replace(origin, padded=True) for origin in one.origins)) for one in fields)


def _unnested(value: Value, at: str, node: exp.Expr) -> tuple[list[tuple[str | None, types.Type, str]], str]:
    """The columns of an array or a map at a position, and its length. Rows in an array become columns."""
    kind = value.type
    if kind.name == "map":
        keys, values = f"map_keys({value.sql})", f"map_values({value.sql})"
        columns: list[tuple[str | None, types.Type, str]] = [
            (None, kind.elements[0], f"({keys})[{at}]"),
            (None, kind.elements[1], f"({values})[{at}]"),
        ]
        return columns, f"len({keys})"
    if kind.name != "array":
        raise refused("INVALID_FUNCTION_ARGUMENT", f"Cannot unnest type: {kind}", node)
    element = f"({value.sql})[{at}]"
    if kind.element.name == "row":
        return [
            (name, field, f"({element}).f{position}")
            for position, (name, field) in enumerate(zip(kind.element.names, kind.element.elements, strict=True))
        ], f"len({value.sql})"
    return [(None, kind.element, element)], f"len({value.sql})"


def _with_ordinal_name(node: exp.Unnest, ordinal: exp.Expr | bool) -> exp.Unnest:
    """Sqlglot takes the last name of ``AS t(a, n)`` for the ordinal's: put it back."""
    if not isinstance(ordinal, exp.Identifier):
        return node
    copied = node.copy()
    alias = copied.args.get("alias")
    if alias is not None and alias.args.get("columns"):
        alias.append("columns", ordinal.copy())
    elif alias is not None:
        alias.set("columns", [ordinal.copy()])
    return copied
