"""Named queries: texts that people keep."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from local.athena.errors import invalid_request
from local.athena.paging import paged
from local.athena.workgroups import PRIMARY


if TYPE_CHECKING:
    from collections.abc import Callable


class NamedQueries:
    """All named queries."""

    def __init__(self) -> None:
        self._queries: dict[str, dict[str, Any]] = {}

    def reset(self) -> None:
        """Forget all of them."""
        self._queries.clear()

    def operations(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """The operations on named queries."""
        return {
            "CreateNamedQuery": self._create,
            "GetNamedQuery": self._get,
            "ListNamedQueries": self._list,
            "DeleteNamedQuery": self._delete,
        }

    def _create(self, body: dict[str, Any]) -> dict[str, Any]:
        for member in ("Name", "Database", "QueryString"):
            if not body.get(member):
                raise invalid_request(f"{member} is required")
        identifier = str(uuid.uuid4())
        kept = {key: body[key] for key in ("Name", "Description", "Database", "QueryString") if key in body}
        self._queries[identifier] = kept | {
            "NamedQueryId": identifier,
            "WorkGroup": body.get("WorkGroup") or PRIMARY,
        }
        return {"NamedQueryId": identifier}

    def _get(self, body: dict[str, Any]) -> dict[str, Any]:
        found = self._queries.get(str(body.get("NamedQueryId")))
        if found is None:
            raise invalid_request("NamedQuery was not found")
        return {"NamedQuery": found}

    def _list(self, body: dict[str, Any]) -> dict[str, Any]:
        workgroup = body.get("WorkGroup") or PRIMARY
        found = [identifier for identifier, one in self._queries.items() if one["WorkGroup"] == workgroup]
        page, following = paged(found, body, largest=50)
        return {"NamedQueryIds": page} | following

    def _delete(self, body: dict[str, Any]) -> dict[str, Any]:
        self._queries.pop(str(body.get("NamedQueryId")), None)
        return {}
