"""One SELECT: its clauses in the order in which SQL evaluates them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from local.athena import types
from local.athena.sql import correlation
from local.athena.sql.aggregation import order_item
from local.athena.sql.clauses import conjunction, limits, origins_by_ref
from local.athena.sql.expressions import ExpressionTranslator
from local.athena.sql.parsing_errors import refused
from local.athena.sql.projections import Projection, Query
from local.athena.sql.scopes import Field, Scope
from local.athena.sql.tables import Origin, push_down
from local.athena.sql.values import Facts, Value


if TYPE_CHECKING:
    from collections.abc import Callable

    from local.athena.sql.queries import QueryTranslator
    from local.athena.types import Type


@dataclass
class _Item:
    """An item of a select list before it is known whether it is used."""

    name: str | None
    type: Type
    sql: Callable[[], str]
    value: Value | None = None
    origins: tuple[Origin, ...] = ()
    node: exp.Expr | None = None


class Select:
    """One SELECT."""

    def __init__(self, queries: QueryTranslator, node: exp.Select, parent: Scope | None) -> None:
        self._queries = queries
        self._node = node
        self._parent = parent
        self._source = queries.source(node, parent)
        self._scope = Scope(self._source.fields, parent, reached=set(self._source.reached))
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
        """The whole of it."""
        node = self._node
        self._scope.clause = "WHERE"
        where = self._where()
        self._scope.clause = "SELECT"
        group, keys, grouped = self._group()
        items = self._items(keys, grouped)
        having = self._having(keys)
        distinct = node.args.get("distinct") is not None
        token, projection = self._queries.project([item.sql for item in items])
        if distinct:
            projection.use_all()
        order = self._order(items, keys, grouped, projection)
        limit = limits(node)
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
        if self._scope.reached:
            projection.use_all()  # what the list uses is known only then
        correlation.check(node, self._scope.reached, aggregated=grouped)
        return Query(sql, fields, projection, frozenset(self._scope.reached))

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

    def _grouping_element(self, node: exp.Expr, keys: list[str]) -> str:
        for kind, word in ((exp.GroupingSets, "GROUPING SETS"), (exp.Rollup, "ROLLUP"), (exp.Cube, "CUBE")):
            if isinstance(node, kind):
                return f"{word} ({', '.join(self._grouping_element(one, keys) for one in node.expressions)})"
        if isinstance(node, exp.Tuple | exp.Paren):
            inner = node.expressions if isinstance(node, exp.Tuple) else [node.this]
            return f"({', '.join(self._grouping_element(one, keys) for one in inner)})"
        key = self._grouping_key(node)
        keys.append(key)
        return key

    def _grouping_key(self, node: exp.Expr) -> str:
        if _is_position(node):
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

    def _expanded(self) -> list[exp.Expr]:
        if any(_is_star(one) for one in self._node.expressions):
            raise refused("NOT_SUPPORTED", "The local Athena does not count columns of * in GROUP BY", self._node)
        return list(self._node.expressions)

    def _has_aggregate(self, node: exp.Expr) -> bool:
        return self._translator().translate(node).facts.aggregate if _may_aggregate(node) else False

    def _having(self, keys: frozenset[str]) -> str:
        having = self._node.args.get("having")
        if having is None:
            return ""
        value = self._translator(keys).condition(having.this, "HAVING clause")
        if value.facts.window:
            raise refused(
                "NESTED_WINDOW", "HAVING clause cannot contain window functions or row pattern measures", having.this
            )
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

    def _item(self, node: exp.Expr, translator: ExpressionTranslator, grouped: bool) -> _Item:
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

    def _plain_column(self, node: exp.Expr) -> Field | None:
        """A column that is only passed on, which may turn out not to be used."""
        if not isinstance(node, exp.Column):
            return None
        found = self._scope.find([part.name for part in node.parts])
        return found[0] if found is not None and not found[1] else None

    def _star(self, node: exp.Expr, grouped: bool, keys: frozenset[str]) -> list[_Item]:
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

    def _row_star(self, node: exp.Expr) -> list[_Item]:
        """row.* has a column for every field."""
        parts = [part.name for part in node.parts[:-1]] if isinstance(node, exp.Column) else []
        value = self._translator().name(parts, node)
        if value.type.name != "row":
            raise refused("TABLE_NOT_FOUND", f"Table '{'.'.join(parts)}' not found", node)
        return [
            _Item(name, kind, lambda at=at: f"({value.sql}).f{at}")  # type: ignore[misc]
            for at, (name, kind) in enumerate(zip(value.type.names, value.type.elements, strict=True))
        ]

    def _refuse_loose(self, value: Value, node: exp.Expr) -> None:
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
        self, node: exp.Expr, items: list[_Item], keys: frozenset[str], grouped: bool, projection: Projection
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
    def _named_item(node: exp.Expr, items: list[_Item]) -> int | None:
        """The item that a number or an alias in ORDER BY stands for."""
        if _is_position(node):
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


def _not_aggregated(shown: str, node: exp.Expr) -> Exception:
    return refused(
        "EXPRESSION_NOT_AGGREGATE", f"'{shown}' must be an aggregate expression or appear in GROUP BY clause", node
    )


def _is_position(node: exp.Expr) -> bool:
    """Whether it is a whole number, which counts the columns of the select list; 1.5 is only a constant."""
    return isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit()


def _is_star(node: exp.Expr) -> bool:
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _may_aggregate(node: exp.Expr) -> bool:
    return node.find(exp.Anonymous, exp.GroupConcat) is not None and not _is_star(node)


def _natural_name(node: exp.Expr) -> str | None:
    """Trino names a column after the last part of a chain of names, as it is written, and after nothing else."""
    if isinstance(node, exp.Column | exp.Identifier):
        return node.name
    if isinstance(node, exp.Dot) and _natural_name(node.this) is not None:
        return _natural_name(node.expression)
    if isinstance(node, exp.Paren):
        return _natural_name(node.this)
    return None
