"""Tables, as they are now; their history is in ``versions``."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from local.aws.glue.paging import page
from local.aws.glue.store import INVALID, NOT_FOUND, created, current_definition, current_version, with_storage_defaults
from local.aws.wire import AwsError


if TYPE_CHECKING:
    from local.aws.glue.store import Store

_LARGEST_PAGE = 100
_CREATED_BY = "arn:aws:iam::{account}:root"


class Tables:
    """Operations on tables; each takes a request's body and gives the response's."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """CreateTable; the name is folded to lower case."""
        if "TableInput" not in body:
            raise AwsError(INVALID, "TableInput must not be null.")
        definition = _stored(body["TableInput"])
        self._store.add_table(body["DatabaseName"], definition["Name"], definition)
        return {}

    def get(self, body: dict[str, Any]) -> dict[str, Any]:
        """GetTable."""
        return {"Table": shown(self._store.table(body["DatabaseName"], body["Name"]))}

    def list(self, body: dict[str, Any]) -> dict[str, Any]:
        """GetTables, by name; ``Expression`` is a regular expression on names, in which ``*`` alone means anything."""
        tables = self._store.database(body["DatabaseName"]).tables
        pattern = _pattern(body.get("Expression") or ".*")
        found = [tables[name] for name in sorted(tables) if pattern.fullmatch(name)]
        chosen, token = page(found, lambda table: [table.name], body, _LARGEST_PAGE)
        return {"TableList": [shown(table) for table in chosen], **token}

    def update(self, body: dict[str, Any]) -> dict[str, Any]:
        """UpdateTable: a new version, unless the version that the caller saw is no longer the current one."""
        definition = _stored(body["TableInput"])
        table = self._store.table(body["DatabaseName"], body.get("Name") or definition["Name"])
        if table.name != definition["Name"]:
            raise AwsError(INVALID, "Table cannot be renamed.")
        seen = body.get("VersionId")
        if seen is not None and seen != current_version(table):
            raise AwsError("ConcurrentModificationException", "Update table failed due to concurrent modifications.")
        replaced = current_version(table)
        table.update(definition)
        table.updated = time.time()
        if body.get("SkipArchive"):
            del table.versions[replaced]
        return {}

    def delete(self, body: dict[str, Any]) -> dict[str, Any]:
        """DeleteTable, with its partitions and versions."""
        table = self._store.table(body["DatabaseName"], body["Name"])
        del self._store.database(body["DatabaseName"]).tables[table.name]
        return {}

    def batch_delete(self, body: dict[str, Any]) -> dict[str, Any]:
        """BatchDeleteTable; what is not there is an error of its item."""
        tables = self._store.database(body["DatabaseName"]).tables
        errors = [
            {
                "TableName": name,
                "ErrorDetail": {"ErrorCode": NOT_FOUND, "ErrorMessage": f"Table {name.lower()} not found."},
            }
            for name in body["TablesToDelete"]
            if tables.pop(name.lower(), None) is None
        ]
        return {"Errors": errors}


def shown(table: Any, version: str | None = None) -> dict[str, Any]:
    """A table as Glue describes it, now or at an earlier version."""
    definition = current_definition(table) if version is None else table.versions[version]
    return {
        "Retention": 0,
        **definition,
        "Name": table.name,
        "DatabaseName": table.database_name,
        "CreateTime": created(table),
        "UpdateTime": getattr(table, "updated", created(table)),
        "CreatedBy": _CREATED_BY.format(account=table.catalog_id),
        "IsRegisteredWithLakeFormation": False,
        "CatalogId": table.catalog_id,
        "VersionId": version or current_version(table),
    }


def _stored(definition: dict[str, Any]) -> dict[str, Any]:
    return {**with_storage_defaults(definition), "Name": definition["Name"].lower()}


def _pattern(expression: str) -> re.Pattern[str]:
    try:
        return re.compile(re.sub(r"(?<![.\])}])\*", ".*", expression))
    except re.error as error:
        raise AwsError(INVALID, f"Expression is not a valid regular expression: {error}") from error
