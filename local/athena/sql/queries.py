"""Queries: SELECT, set operations, WITH and VALUES → DuckDB SQL."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from local.athena import types
from local.athena.sql.aggregation import Aggregates, Windows, order_item
from local.athena.sql.casts import cast
from local.athena.sql.expressions import ExpressionTranslator
from local.athena.sql.parsing import refused
from local.athena.sql.relations import Relations
from local.athena.sql.scopes import Field, Relation, Scope
from local.athena.sql.tables import Origin, push_down
from local.athena.sql.values import Facts, Value
from local.athena.types import Type


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from local.athena.sql.metadata import Metadata
    from local.athena.sql.tables import SystemTable, TableScan


@dataclass
class Projection:
    """The select list of a query, of which only what is used is written out in the end."""

    items: list[Callable[[], str]] = field(default_factory=list)
    used: dict[int, str] = field(default_factory=dict)

    def use(self, position: int) -> str:
        """Ask for an item."""
        if position not in self.used:
            self.used[position] = self.items[position]()
        return self.used[position]

    def use_all(self) -> None:
        """Ask for every item."""
        for position in range(len(self.items)):
            self.use(position)

    def render(self) -> str:
        """The select list."""
        listed = [f"{sql} AS c{position}" for position, sql in sorted(self.used.items())]
        return ", ".join(listed) or "1 AS nothing"


@dataclass
class _Item:
    """An item of a select list before it is known whether it is used."""

    name: str | None
    type: Type
    sql: Callable[[], str]
    value: Value | None = None
    origins: tuple[Origin, ...] = ()
    node: exp.Expression | None = None


@dataclass
class Query:
    """A translated query whose select list can still shrink."""

    sql: str
    fields: tuple[Field, ...]
    projection: Projection | None = None

    def complete(self) -> Query:
        """The same query with all its columns."""
        if self.projection is not None:
            self.projection.use_all()
        return self


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
        self._aliases = 0

    # ------------------------------------------------------------------------------------------------ for the others

    def alias(self) -> str:
        """A new name for a relation."""
        self._aliases += 1
        return f"r{self._aliases}"

    def translate(self, node: exp.Expression, parent: Scope | None = None) -> Query:
        """A query with all its columns."""
        return self.query(node, parent).complete()

    def single_column(self, node: exp.Expression, parent: Scope) -> tuple[str, Type]:
        """A subquery that must have one column: its SQL, with the column c0, and its type."""
        query = self.translate(node, parent)
        if len(query.fields) != 1:
            raise refused(
                "TYPE_MISMATCH",
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

    # ------------------------------------------------------------------------------------------------------- queries

    def query(self, node: exp.Expression, parent: Scope | None) -> Query:
        """A query whose unused columns may still be left out."""
        with self._with(node):
            if isinstance(node, exp.Subquery) and not node.alias:
                return self._parenthesised(node, parent)
            if isinstance(node, exp.SetOperation):
                return self._set_operation(node, parent)
            if isinstance(node, exp.Select):
                return _Select(self, node, parent).translate()
            if isinstance(node, exp.Values):
                return self._values(node, parent)
        raise refused("NOT_SUPPORTED", f"The local Athena does not know {type(node).__name__}", node)

    @contextmanager
    def _with(self, node: exp.Expression) -> Iterator[None]:
        clause = node.args.get("with_")
        outer = self._ctes
        if clause is not None:
            if clause.args.get("recursive"):
                raise refused("NOT_SUPPORTED", "The local Athena does not run WITH RECURSIVE", clause)
            for cte in clause.expressions:
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
        translator = ExpressionTranslator(Scope((), parent), self)
        rows = [
            [translator.translate(one) for one in (row.expressions if isinstance(row, exp.Tuple) else [row])]
            for row in node.expressions
        ]
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
    def _common(kinds: Sequence[Type], node: exp.Expression) -> Type:
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
        sql = f"({_as_kinds(left, kinds)}) {word}{every} ({_as_kinds(right, kinds)})"
        # A condition on the result of UNION holds for either side; rows of the others must be in the left one.
        sides = (left, right) if word == "UNION" else (left,)
        fields = tuple(
            Field(one.name, kind, f"c{position}", origins=_same_origins(sides, position))
            for position, (one, kind) in enumerate(zip(left.fields, kinds, strict=True))
        )
        return self._ordered(Query(sql, fields), node, parent)

    def _ordered(self, query: Query, node: exp.Expression, parent: Scope | None) -> Query:
        """ORDER BY, OFFSET and LIMIT around a query, on its columns."""
        limit = limits(self, node)
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
        return Query(sql + limit, kept)

    def project(self, items: Sequence[Callable[[], str]]) -> tuple[str, Projection]:
        """A place for a select list that is written out later."""
        projection = Projection(list(items))
        self._projections.append(projection)
        return f"\x01{len(self._projections) - 1}\x01", projection

    def source(self, node: exp.Expression, parent: Scope | None) -> Relation:
        """The FROM clause of a query."""
        return self._relations.clause(node, parent)


def _output(node: exp.Expression, fields: Sequence[Field], translator: ExpressionTranslator) -> Value:
    """An item of ORDER BY that may be the number of a column."""
    if isinstance(node, exp.Literal) and not node.is_string:
        position = int(node.name)
        if not 1 <= position <= len(fields):
            raise refused("INVALID_COLUMN_REFERENCE", f"ORDER BY position {position} is not in select list", node)
        return Value(fields[position - 1].sql(), fields[position - 1].type)
    return translator.translate(node)


def _same_origins(sides: Sequence[Query], position: int) -> tuple[Origin, ...]:
    origins = [side.fields[position].origins for side in sides]
    return tuple(origin for side in origins for origin in side) if all(origins) else ()


def _as_kinds(query: Query, kinds: Sequence[Type]) -> str:
    columns = ", ".join(
        f"{cast(f'c{position}', one.type, kind)} AS c{position}"
        for position, (one, kind) in enumerate(zip(query.fields, kinds, strict=True))
    )
    return f"SELECT {columns} FROM ({query.sql})"


def rebased(query: Query, alias: str, qualifier: tuple[str, ...] = ()) -> tuple[Field, ...]:
    """The columns of a query as seen from the query around it."""

    def use(position: int) -> Callable[[], str]:
        def on_use() -> str:
            if query.projection is not None:
                query.projection.use(position)
            return f"{alias}.c{position}"

        return on_use

    return tuple(
        Field(one.name, one.type, f"{alias}.c{position}", qualifier, origins=one.origins, on_use=use(position))
        for position, one in enumerate(query.fields)
    )


def without_origins(fields: Sequence[Field]) -> Iterator[Field]:
    """Columns that are no longer copies of partition keys: a condition must not pass a LIMIT."""
    return (Field(one.name, one.type, one.ref, one.qualifier, one.hidden) for one in fields)


def renamed(query: Query, names: Sequence[str], node: exp.Expression) -> Query:
    """The query with other names of its columns."""
    if not names:
        return query
    if len(names) != len(query.fields):
        raise refused(
            "MISMATCHED_COLUMN_ALIASES",
            f"Column alias list has {len(names)} entries but relation has {len(query.fields)} columns",
            node,
        )
    fields = tuple(
        Field(name.lower(), one.type, one.ref, origins=one.origins)
        for name, one in zip(names, query.fields, strict=True)
    )
    return Query(query.sql, fields, query.projection)


def limits(queries: QueryTranslator, node: exp.Expression) -> str:
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


def _count(node: exp.Expression | None, clause: str) -> int:
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        return int(node.name)
    raise refused("SYNTAX_ERROR", f"{clause} must be a number", node or exp.Null())


class _Select:
    """One SELECT."""

    def __init__(self, queries: QueryTranslator, node: exp.Select, parent: Scope | None) -> None:
        self._queries = queries
        self._node = node
        self._parent = parent
        self._source = queries.source(node, parent)
        self._scope = Scope(self._source.fields, parent)
        self._windows = {one.this.name.lower(): one for one in node.args.get("windows") or ()}
        self._refuse_unknown_clauses()

    def _refuse_unknown_clauses(self) -> None:
        for clause in ("qualify", "cluster", "distribute", "sort", "match", "into", "locks", "sample", "laterals"):
            if self._node.args.get(clause):
                raise refused(
                    "NOT_SUPPORTED", f"The local Athena does not know {clause.upper()} in a query", self._node
                )
        distinct = self._node.args.get("distinct")
        if distinct is not None and distinct.args.get("on"):
            raise refused("SYNTAX_ERROR", "mismatched input 'ON'", self._node)

    def translate(self) -> Query:
        node = self._node
        where = self._where()
        group, keys, grouped = self._group()
        items = self._items(keys, grouped)
        having = self._having(keys)
        distinct = node.args.get("distinct") is not None
        token, projection = self._queries.project([item.sql for item in items])
        if distinct:
            projection.use_all()
        order = self._order(items, keys, grouped, projection)
        limit = limits(self._queries, node)
        source = f" FROM {self._source.sql}" if self._source.sql else ""
        sql = f"SELECT {'DISTINCT ' if distinct else ''}{token}{source}{where}{group}{having}{order}{limit}"
        if grouped and not group:
            projection.use_all()  # without an aggregate in its list it would be another query
        movable = not limit and not grouped
        windowed = any(item.value is not None and item.value.facts.window for item in items)
        fields = tuple(
            Field(item.name, item.type, f"c{position}", origins=item.origins if movable and not windowed else ())
            for position, item in enumerate(items)
        )
        return Query(sql, fields, projection)

    # -------------------------------------------------------------------------------------------------- the clauses

    def _translator(self, keys: frozenset[str] = frozenset()) -> ExpressionTranslator:
        return ExpressionTranslator(self._scope, self._queries, keys, self._windows)

    def _where(self) -> str:
        where = self._node.args.get("where")
        if where is None:
            return ""
        translator = self._translator()
        conjuncts = []
        for part in conjunction(where.this):
            value = translator.condition(part, "WHERE clause")
            if value.facts.aggregate or value.facts.window:
                raise refused(
                    "EXPRESSION_NOT_SCALAR",
                    "WHERE clause cannot contain aggregations, window functions or grouping operations",
                    part,
                )
            push_down(value, origins_by_ref(self._source.fields))
            conjuncts.append(value.sql)
        return f" WHERE {' AND '.join(conjuncts)}"

    def _group(self) -> tuple[str, frozenset[str], bool]:
        """The GROUP BY clause, the SQL of its keys, and whether the query is grouped at all."""
        group = self._node.args.get("group")
        aggregated = any(self._has_aggregate(one) for one in self._node.expressions) or bool(
            self._node.args.get("having")
        )
        if group is None:
            return "", frozenset(), aggregated
        keys: list[str] = []
        written = [self._grouping_element(one, keys) for one in group.expressions]
        return (f" GROUP BY {', '.join(written)}" if written else ""), frozenset(keys), True

    def _grouping_element(self, node: exp.Expression, keys: list[str]) -> str:
        for kind, word in ((exp.GroupingSets, "GROUPING SETS"), (exp.Rollup, "ROLLUP"), (exp.Cube, "CUBE")):
            if isinstance(node, kind):
                return f"{word} ({', '.join(self._grouping_element(one, keys) for one in node.expressions)})"
        if isinstance(node, exp.Tuple | exp.Paren):
            inner = node.expressions if isinstance(node, exp.Tuple) else [node.this]
            return f"({', '.join(self._grouping_element(one, keys) for one in inner)})"
        key = self._grouping_key(node)
        keys.append(key)
        return key

    def _grouping_key(self, node: exp.Expression) -> str:
        if isinstance(node, exp.Literal) and not node.is_string:
            position = int(node.name)
            selected = self._expanded()
            if not 1 <= position <= len(selected):
                raise refused("INVALID_COLUMN_REFERENCE", f"GROUP BY position {position} is not in select list", node)
            chosen = selected[position - 1]
            node = chosen.this if isinstance(chosen, exp.Alias) else chosen
        value = self._translator().translate(node)
        if value.facts.aggregate or value.facts.window:
            raise refused(
                "EXPRESSION_NOT_SCALAR",
                "GROUP BY clause cannot contain aggregations, window functions or grouping operations",
                node,
            )
        return value.sql

    def _expanded(self) -> list[exp.Expression]:
        if any(_is_star(one) for one in self._node.expressions):
            raise refused("NOT_SUPPORTED", "The local Athena does not count columns of * in GROUP BY", self._node)
        return list(self._node.expressions)

    def _has_aggregate(self, node: exp.Expression) -> bool:
        return self._translator().translate(node).facts.aggregate if _may_aggregate(node) else False

    def _having(self, keys: frozenset[str]) -> str:
        having = self._node.args.get("having")
        if having is None:
            return ""
        value = self._translator(keys).condition(having.this, "HAVING clause")
        self._refuse_loose(value, having.this)
        return f" HAVING {value.sql}"

    def _items(self, keys: frozenset[str], grouped: bool) -> list[_Item]:
        items: list[_Item] = []
        translator = self._translator(keys)
        for node in self._node.expressions:
            if _is_star(node):
                items += self._star(node, grouped, keys)
            else:
                items.append(self._item(node, translator, grouped))
        return items

    def _item(self, node: exp.Expression, translator: ExpressionTranslator, grouped: bool) -> _Item:
        inner = node.this if isinstance(node, exp.Alias) else node
        name = node.alias if isinstance(node, exp.Alias) else _natural_name(inner)
        found = self._plain_column(inner) if not grouped else None
        if found is not None:
            return _Item(name, found.type, found.sql, origins=found.origins, node=inner)
        value = translator.translate(inner)
        if grouped:
            self._refuse_loose(value, inner)
        if value.type == types.UNKNOWN:
            value = Value(f"CAST({value.sql} AS INTEGER)", value.type, value.facts)
        return _Item(name, value.type, lambda: value.sql, value, node=inner)

    def _plain_column(self, node: exp.Expression) -> Field | None:
        """A column that is only passed on, which may turn out not to be used."""
        if not isinstance(node, exp.Column):
            return None
        found = self._scope.find([part.name for part in node.parts])
        return found[0] if found is not None and not found[1] else None

    def _star(self, node: exp.Expression, grouped: bool, keys: frozenset[str]) -> list[_Item]:
        qualifier = tuple(part.name.lower() for part in node.parts[:-1]) if isinstance(node, exp.Column) else ()
        found = [
            one
            for one in self._scope.fields
            if not one.hidden and (not qualifier or one.qualifier[-len(qualifier) :] == qualifier)
        ]
        if not found:
            if qualifier:
                return self._row_star(node)
            raise refused("COLUMN_NOT_FOUND", "SELECT * not allowed from relation that has no columns", node)
        if grouped:
            for one in found:
                if one.sql() not in keys:
                    raise _not_aggregated(one.name or "", node)
        return [_Item(one.name, one.type, one.sql, origins=one.origins) for one in found]

    def _row_star(self, node: exp.Expression) -> list[_Item]:
        """row.* has a column for every field."""
        parts = [part.name for part in node.parts[:-1]] if isinstance(node, exp.Column) else []
        value = self._translator().name(parts, node)
        if value.type.name != "row":
            raise refused("TABLE_NOT_FOUND", f"Table '{'.'.join(parts)}' not found", node)
        return [
            _Item(name, kind, lambda at=at: f"({value.sql}).f{at}")  # type: ignore[misc]
            for at, (name, kind) in enumerate(zip(value.type.names, value.type.elements, strict=True))
        ]

    def _refuse_loose(self, value: Value, node: exp.Expression) -> None:
        if value.facts.loose:
            raise _not_aggregated(node.sql(dialect="trino").lower(), node)

    def _order(self, items: list[_Item], keys: frozenset[str], grouped: bool, projection: Projection) -> str:
        order = self._node.args.get("order")
        if order is None:
            return ""
        written = []
        for one in order.expressions:
            value = self._order_value(one.this, items, keys, grouped, projection)
            written.append(order_item(value, one))
        return f" ORDER BY {', '.join(written)}"

    def _order_value(
        self, node: exp.Expression, items: list[_Item], keys: frozenset[str], grouped: bool, projection: Projection
    ) -> Value:
        position = self._named_item(node, items)
        if position is not None:
            return Value(projection.use(position), items[position].type)
        aliases = {
            item.name.lower(): Field(item.name, item.type, "", facts=Facts(), on_use=_user(projection, at))
            for at, item in enumerate(items)
            if item.name is not None and self._scope.find([item.name]) is None
        }
        translator = ExpressionTranslator(self._scope.with_variables(aliases), self._queries, keys, self._windows)
        value = translator.translate(node)
        if grouped:
            self._refuse_loose(value, node)
        if self._node.args.get("distinct") is not None and value.sql not in projection.used.values():
            raise refused(
                "EXPRESSION_NOT_IN_DISTINCT",
                "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
                node,
            )
        return value

    @staticmethod
    def _named_item(node: exp.Expression, items: list[_Item]) -> int | None:
        """The item that a number or an alias in ORDER BY stands for."""
        if isinstance(node, exp.Literal) and not node.is_string:
            position = int(node.name)
            if not 1 <= position <= len(items):
                raise refused("INVALID_COLUMN_REFERENCE", f"ORDER BY position {position} is not in select list", node)
            return position - 1
        if isinstance(node, exp.Column) and len(node.parts) == 1:
            name = node.name.lower()
            found = [at for at, item in enumerate(items) if item.name is not None and item.name.lower() == name]
            if len(found) > 1 and len({id(items[at].sql) for at in found}) > 1:
                raise refused("AMBIGUOUS_NAME", f"'{name}' in ORDER BY is ambiguous", node)
            return found[0] if found else None
        return None


def _user(projection: Projection, position: int) -> Callable[[], str]:
    return lambda: projection.use(position)


def _not_aggregated(shown: str, node: exp.Expression) -> Exception:
    return refused(
        "EXPRESSION_NOT_AGGREGATE", f"'{shown}' must be an aggregate expression or appear in GROUP BY clause", node
    )


def _is_star(node: exp.Expression) -> bool:
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _may_aggregate(node: exp.Expression) -> bool:
    return node.find(exp.Anonymous, exp.GroupConcat) is not None and not _is_star(node)


def _natural_name(node: exp.Expression) -> str | None:
    """Trino names a column after the last part of a name, and nothing else."""
    if isinstance(node, exp.Column):
        return node.name.lower()
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
        return node.expression.name.lower()
    if isinstance(node, exp.Paren):
        return _natural_name(node.this)
    return None


def conjunction(node: exp.Expression) -> Iterator[exp.Expression]:
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
