"""Runs DDL statements (placeholder)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.athena.errors import QueryError


if TYPE_CHECKING:
    from local.athena.ports import Catalog, Objects
    from local.athena.results import Result


class DdlRunner:
    """Runs DDL statements."""

    def __init__(self, catalog: Catalog, objects: Objects) -> None:
        self._catalog = catalog
        self._objects = objects

    def run(self, text: str, database: str | None) -> Result:
        """Run one statement."""
        raise QueryError("NOT_SUPPORTED", "DDL is not built yet")
