"""A table as the random queries see it: paths to its values by type, values that occur, and its days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.athena.queries import QueryRunner
    from local.athena.types import Type

_QUOTED = frozenset({"date", "end", "timestamp"})  # words that are more than names in SQL
_MOST_DAYS = 12
_MOST_VALUES = 12
_KINDS = {"varchar": "text", "boolean": "boolean", "integer": "integer", "bigint": "bigint", "double": "double"}


@dataclass(frozen=True)
class SampledTable:
    """What random queries need to know about a table.

    Attributes:
        name: The table.
        paths: SQL of its columns and their fields, by kind: ``text``, ``boolean``, ``texts``, ``row``, ….
        values: Texts that occur, by path.
        days: Values of partition_date that have rows, in order.
    """

    name: str
    paths: dict[str, tuple[str, ...]]
    values: dict[str, tuple[str, ...]]
    days: tuple[str, ...]

    def aliased(self, alias: str) -> SampledTable:
        """The same with an alias before every path, for joins."""
        paths = {
            kind: tuple(_qualified(path, alias) for path in found)
            for kind, found in self.paths.items()
            if kind in ("text", "boolean", "row", "iso")
        }
        paths = {kind: tuple(path for path in found if path) for kind, found in paths.items()}
        values = {_qualified(path, alias): found for path, found in self.values.items() if _qualified(path, alias)}
        return SampledTable(self.name, paths, values, self.days)


def _qualified(path: str, alias: str) -> str:
    return "" if "(" in path else f"{alias}.{path}"


def sample(runner: QueryRunner, database: str, name: str) -> SampledTable:
    """Look at a table through the local Athena."""

    def rows(sql: str) -> list[tuple[Any, ...]]:
        return runner.run(sql, database, datetime(2026, 1, 1, tzinfo=UTC)).rows

    counted = rows(f"SELECT partition_date FROM {name} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {_MOST_DAYS}")
    days = tuple(sorted(day for (day,) in counted))
    busiest = counted[0][0]
    columns = runner.run(f"SELECT * FROM {name} LIMIT 0", database, datetime(2026, 1, 1, tzinfo=UTC)).columns
    paths: dict[str, list[str]] = {}
    for column in columns:
        for kind, path in _paths(column.type, _written(column.name)):
            paths.setdefault(kind, []).append(path)
    values = {
        path: _spread(
            rows(
                f"SELECT DISTINCT {path} FROM {name} "
                f"WHERE partition_date = '{busiest}' AND {path} IS NOT NULL ORDER BY 1"
            )
        )
        for path in paths["text"]
    }
    paths["iso"] = [path for path, found in values.items() if found and all(_is_iso(value) for value in found)]
    return SampledTable(name, {kind: tuple(found) for kind, found in paths.items()}, values, days)


def _spread(rows: list[tuple[Any, ...]]) -> tuple[str, ...]:
    """Some of the values, from the whole range."""
    return tuple(value for (value,) in rows[:: max(1, len(rows) // _MOST_VALUES)])


def _written(name: str) -> str:
    return f'"{name}"' if name in _QUOTED else name


def _paths(kind: Type, path: str) -> Iterator[tuple[str, str]]:
    """Kinds and SQL of a value and of what is in it."""
    if kind.name in _KINDS:
        yield _KINDS[kind.name], path
    elif kind.name == "row":
        yield "row", path
        for name, element in zip(kind.names, kind.elements, strict=True):
            yield from _paths(element, f"{path}.{_written(str(name))}")
    elif kind.name == "array":
        yield "array", path
        yield from _paths_of_array(kind.element, path)


def _paths_of_array(element: Type, path: str) -> Iterator[tuple[str, str]]:
    if element.name == "varchar":
        yield "texts", path
    if element.name != "row":
        return
    for name, kind in zip(element.names, element.elements, strict=True):
        if kind.name in ("varchar", "integer"):
            yield f"{_KINDS[kind.name]}s", f"transform({path}, one -> one.{_written(str(name))})"
    yield from _paths(element, f"element_at({path}, 1)")


def _is_iso(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return "T" in value
