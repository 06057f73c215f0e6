"""The versions that a table has had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.aws.glue.paging import page
from local.aws.glue.store import INVALID, NOT_FOUND, current_version
from local.aws.glue.tables import shown
from local.aws.wire import AwsError


if TYPE_CHECKING:
    from local.aws.glue.store import Store

_LARGEST_PAGE = 100


class Versions:
    """Operations on versions of tables; each takes a request's body and gives the response's."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, body: dict[str, Any]) -> dict[str, Any]:
        """GetTableVersion; the current one unless told otherwise."""
        table = self._table(body)
        return {"TableVersion": _shown(table, _known(table, body.get("VersionId") or current_version(table)))}

    def list(self, body: dict[str, Any]) -> dict[str, Any]:
        """GetTableVersions, newest first."""
        table = self._table(body)
        newest_first = sorted(table.versions, key=int, reverse=True)
        chosen, token = page(newest_first, lambda version: [-int(version)], body, _LARGEST_PAGE)
        return {"TableVersions": [_shown(table, version) for version in chosen], **token}

    def delete(self, body: dict[str, Any]) -> dict[str, Any]:
        """DeleteTableVersion."""
        table = self._table(body)
        _remove(table, body["VersionId"])
        return {}

    def batch_delete(self, body: dict[str, Any]) -> dict[str, Any]:
        """BatchDeleteTableVersion; what cannot be deleted is an error of its item."""
        table = self._table(body)
        errors = []
        for version in body["VersionIds"]:
            try:
                _remove(table, version)
            except AwsError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
                errors.append({"TableName": table.name, "VersionId": version, "ErrorDetail": detail})
        return {"Errors": errors}

    def _table(self, body: dict[str, Any]) -> Any:
        return self._store.table(body["DatabaseName"], body["TableName"])


def _shown(table: Any, version: str) -> dict[str, Any]:
    return {"Table": shown(table, version), "VersionId": version}


def _known(table: Any, version: str) -> str:
    if not version.isdigit():
        raise AwsError(INVALID, f"For input string: {version!r}")
    if version not in table.versions:
        raise AwsError(NOT_FOUND, "Version not found.")
    return version


def _remove(table: Any, version: str) -> None:
    if _known(table, version) == current_version(table):
        raise AwsError(INVALID, "The current version of a table cannot be deleted.")
    del table.versions[version]
