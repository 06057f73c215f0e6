"""DuckDB expressions that fail with one of Trino's errors when, and only when, they are evaluated.

DuckDB's own ``error()`` is volatile and cannot stand inside TRY. A cast that cannot succeed can.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.athena.errors import QueryError


if TYPE_CHECKING:
    from local.athena.types import Type


_MARK = "@@"
_MARKED = re.compile(rf"{_MARK}([A-Z_]+){_MARK}(.*?){_MARK}", re.DOTALL)


def failing(name: str, message: str, kind: Type | None = None) -> str:
    """An expression of a type that raises one of Trino's errors.

    Args:
        name: Trino's name of the error.
        message: DuckDB SQL of its text.
        kind: The type that the expression shall have; NULL's type when it does not matter.
    """
    return failing_as(name, message, "INTEGER" if kind is None else kind.duckdb)


def failing_as(name: str, message: str, duckdb_type: str) -> str:
    """The same with a type of DuckDB.

    The expression must not stand in the condition of a CASE: DuckDB evaluates constant conditions while it plans.
    """
    text = f"'{_MARK}{name}{_MARK}' || coalesce(CAST({message} AS VARCHAR), 'null') || '{_MARK}'"
    if duckdb_type == "BLOB":
        return f"encode({failing_as(name, message, 'VARCHAR')})"
    if duckdb_type in ("VARCHAR", "JSON"):  # to which every text can be cast
        return f"CAST(CAST({text} AS INTEGER) AS {duckdb_type})"
    return f"CAST({text} AS {duckdb_type})"


def failure_of(text: str) -> QueryError | None:
    """The error that such an expression raised, found in DuckDB's message."""
    found = _MARKED.search(text)
    return None if found is None else QueryError(found.group(1), found.group(2).replace("''", "'"))
