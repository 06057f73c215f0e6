"""MSCK REPAIR TABLE: every folder below the table's location that looks like a partition becomes one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from local.athena.engine.files import as_folder
from local.athena.errors import DdlError
from local.athena.ports import BucketNotFoundError, Partition
from local.athena.results import text_result


if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.athena.ports import Catalog, Objects, Table
    from local.athena.results import Result


def repair(catalog: Catalog, objects: Objects, table: Table) -> Result:
    """Add what is missing; remove nothing.

    Raises:
        DdlError: The table has no partitions, or its bucket does not exist.
    """
    if not table.partition_keys:
        raise DdlError("SemanticException", f"Table {table.name} is not a partitioned table")
    folder = as_folder(table.storage.location)
    try:
        found = _partitions(table, (one.uri.removeprefix(folder) for one in objects.list(folder)))
    except BucketNotFoundError as error:
        raise DdlError("SemanticException", f"The specified bucket does not exist: {error}") from error
    registered = set(catalog.partition_values(table))
    missing = sorted(set(found) - registered)
    for values in missing:
        storage = replace(table.storage, location=folder + found[values])
        catalog.add_partition(table, Partition(values, storage))
    return text_result(["result"], _report(table, missing, found, registered))


def _partitions(table: Table, keys: Iterable[str]) -> dict[tuple[str, ...], str]:
    """The partitions' folders below the location, by their values."""
    depth = len(table.partition_keys)
    found: dict[tuple[str, ...], str] = {}
    for key in keys:
        parts = key.split("/")[:-1][:depth]
        names = [part.partition("=")[0] for part in parts]
        values = tuple(unquote(part.partition("=")[2]) for part in parts)
        if names == [one.name for one in table.partition_keys] and all(values):
            found.setdefault(values, "/".join(parts))
    return found


def _report(
    table: Table,
    missing: list[tuple[str, ...]],
    found: dict[tuple[str, ...], str],
    registered: set[tuple[str, ...]],
) -> list[str]:
    def listed(title: str, every: Iterable[tuple[str, ...]]) -> list[str]:
        names = [f"{table.name}:{Partition(values, table.storage).name(table)}" for values in every]
        return [title + ":\t" + "\t".join(names)] if names else []

    lines = listed("Partitions not in metastore", missing)
    lines += listed("Partitions missing from filesystem", sorted(registered - set(found)))
    return lines + [
        f"Repair: Added partition to metastore {table.name}:{Partition(values, table.storage).name(table)}"
        for values in missing
    ]
