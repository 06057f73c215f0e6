"""Databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.aws.glue.paging import page
from local.aws.glue.store import created


if TYPE_CHECKING:
    from local.aws.glue.store import Store

_LARGEST_PAGE = 100


class Databases:
    """Operations on databases; each takes a request's body and gives the response's."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """CreateDatabase."""
        definition = body["DatabaseInput"]
        self._store.add_database(definition["Name"].lower(), definition)
        return {}

    def get(self, body: dict[str, Any]) -> dict[str, Any]:
        """GetDatabase."""
        return {"Database": self._shown(self._store.database(body["Name"]))}

    def list(self, body: dict[str, Any]) -> dict[str, Any]:
        """GetDatabases, by name."""
        found = [self._store.databases[name] for name in sorted(self._store.databases)]
        chosen, token = page(found, lambda database: [database.name], body, _LARGEST_PAGE)
        return {"DatabaseList": [self._shown(database) for database in chosen], **token}

    def update(self, body: dict[str, Any]) -> dict[str, Any]:
        """UpdateDatabase; the name stays."""
        self._store.database(body["Name"]).input = dict(body["DatabaseInput"])
        return {}

    def delete(self, body: dict[str, Any]) -> dict[str, Any]:
        """DeleteDatabase, with all its tables."""
        del self._store.databases[self._store.database(body["Name"]).name]
        return {}

    def _shown(self, database: Any) -> dict[str, Any]:
        return {
            **database.input,
            "Name": database.name,
            "CreateTime": created(database),
            "CatalogId": self._store.account,
        }
