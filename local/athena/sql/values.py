"""A translated expression: DuckDB SQL, its Trino type, and what must be known about it further up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.athena.types import Type


@dataclass(frozen=True)
class Loose:
    """A column outside any aggregation, which a grouped query must have among its grouping keys."""

    name: str
    line: int | None
    column: int | None


@dataclass(frozen=True)
class Facts:
    """What an expression contains.

    Attributes:
        refs: Columns it reads, as they are written in DuckDB's SQL.
        loose: Its columns that are not inside an aggregate.
        aggregate: Whether there is an aggregate in it.
        window: Whether there is a window function in it.
        plain: Whether it can be evaluated while planning: no subquery, nothing random.
    """

    refs: frozenset[str] = frozenset()
    loose: frozenset[Loose] = frozenset()
    aggregate: bool = False
    window: bool = False
    plain: bool = True

    @staticmethod
    def merged(parts: Iterable[Facts]) -> Facts:
        """The facts of an expression made of others."""
        parts = tuple(parts)
        return Facts(
            frozenset().union(*(part.refs for part in parts)),
            frozenset().union(*(part.loose for part in parts)),
            any(part.aggregate for part in parts),
            any(part.window for part in parts),
            all(part.plain for part in parts),
        )


@dataclass(frozen=True)
class Value:
    """A translated expression.

    Attributes:
        sql: DuckDB SQL.
        type: Its Trino type.
        facts: What it contains.
        text: The text of a string literal.
    """

    sql: str
    type: Type
    facts: Facts = field(default_factory=Facts)
    text: str | None = None


def combined(sql: str, kind: Type, *parts: Value) -> Value:
    """An expression made of others."""
    return Value(sql, kind, Facts.merged(part.facts for part in parts))


def quote(text: str) -> str:
    """DuckDB SQL of a string."""
    return "'" + text.replace("'", "''") + "'"
