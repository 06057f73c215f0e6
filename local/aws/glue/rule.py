"""Which handler serves which operation of the catalog."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from local.aws.glue.databases import Databases
from local.aws.glue.partitions import Partitions
from local.aws.glue.store import Store
from local.aws.glue.tables import Tables
from local.aws.glue.versions import Versions
from local.aws.wire import json_response


if TYPE_CHECKING:
    from collections.abc import Callable

    from local.aws.faults import Faults
    from local.aws.wire import Call, Response


class GlueRule:
    """Answers every call about databases, tables and partitions; one at a time, as if each were a transaction."""

    def __init__(self, account: str, faults: Faults) -> None:
        self._account = account
        self._faults = faults
        self._lock = threading.Lock()

    def __call__(self, call: Call) -> Response | None:
        """Serve a catalog operation; anything else of Glue is left to moto."""
        if call.service != "glue":
            return None
        handler = self._handlers(call.region).get(call.operation)
        if handler is None:
            return None
        with self._lock:
            return json_response(handler(call.json))

    def _handlers(self, region: str) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        store = Store(self._account, region)
        databases, tables, versions = Databases(store), Tables(store), Versions(store)
        partitions = Partitions(store, self._faults)
        return {
            "BatchCreatePartition": partitions.batch_create,
            "BatchDeletePartition": partitions.batch_delete,
            "BatchDeleteTable": tables.batch_delete,
            "BatchDeleteTableVersion": versions.batch_delete,
            "BatchGetPartition": partitions.batch_get,
            "BatchUpdatePartition": partitions.batch_update,
            "CreateDatabase": databases.create,
            "CreatePartition": partitions.create,
            "CreateTable": tables.create,
            "DeleteDatabase": databases.delete,
            "DeletePartition": partitions.delete,
            "DeleteTable": tables.delete,
            "DeleteTableVersion": versions.delete,
            "GetDatabase": databases.get,
            "GetDatabases": databases.list,
            "GetPartition": partitions.get,
            "GetPartitions": partitions.list,
            "GetTable": tables.get,
            "GetTableVersion": versions.get,
            "GetTableVersions": versions.list,
            "GetTables": tables.list,
            "UpdateDatabase": databases.update,
            "UpdatePartition": partitions.update,
            "UpdateTable": tables.update,
        }
