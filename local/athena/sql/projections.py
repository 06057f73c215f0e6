"""Translated queries whose select lists can still shrink: what nobody uses is not read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.athena.sql.casts import cast
from local.athena.sql.parsing_errors import refused
from local.athena.sql.scopes import Field


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlglot import exp

    from local.athena.sql.correlation import Clause
    from local.athena.types import Type


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
class Query:
    """A translated query whose select list can still shrink; ``reached`` as in ``Relation``."""

    sql: str
    fields: tuple[Field, ...]
    projection: Projection | None = None
    reached: frozenset[Clause] = frozenset()

    def complete(self) -> Query:
        """The same query with all its columns."""
        if self.projection is not None:
            self.projection.use_all()
        return self


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


def renamed(query: Query, names: Sequence[str], node: exp.Expr) -> Query:
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
    return Query(query.sql, fields, query.projection, query.reached)


def as_kinds(query: Query, kinds: Sequence[Type]) -> str:
    """SQL of a complete query whose columns are converted to other types."""
    columns = ", ".join(
        f"{cast(f'c{position}', one.type, kind)} AS c{position}"
        for position, (one, kind) in enumerate(zip(query.fields, kinds, strict=True))
    )
    return f"SELECT {columns} FROM ({query.sql})"
