"""Partitions, one by one and in batches.

The batch operations answer 200 and tell what failed, item by item, in the body: a caller that does not read
``Errors`` or ``UnprocessedKeys`` loses partitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from local.aws.glue.expression import predicate
from local.aws.glue.paging import page
from local.aws.glue.store import (
    ALREADY_EXISTS,
    INVALID,
    NOT_FOUND,
    created,
    new_partition,
    partition_id,
    partition_keys,
)
from local.aws.wire import AwsError


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.aws.faults import Faults
    from local.aws.glue.store import Store

_LARGEST_PAGE = 1000


class Partitions:
    """Operations on partitions; each takes a request's body and gives the response's."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """CreatePartition."""
        _add(self._table(body), body["PartitionInput"])
        return {}

    def get(self, body: dict[str, Any]) -> dict[str, Any]:
        """GetPartition."""
        table = self._table(body)
        _check_values(table, body["PartitionValues"])
        return {"Partition": self._shown(table, _found(table, body["PartitionValues"]))}

    def update(self, body: dict[str, Any]) -> dict[str, Any]:
        """UpdatePartition; the values cannot change."""
        _replace(self._table(body), body["PartitionValueList"], body["PartitionInput"])
        return {}

    def delete(self, body: dict[str, Any]) -> dict[str, Any]:
        """DeletePartition."""
        _remove(self._table(body), body["PartitionValues"])
        return {}

    def list(self, body: dict[str, Any]) -> dict[str, Any]:
        """GetPartitions, in no order that means anything.

        A page covers up to MaxResults partitions of the table; with an Expression it holds those of them that pass,
        which may be none although there are more pages.
        """
        table = self._table(body)
        keys = tuple((key["Name"], key.get("Type", "string")) for key in partition_keys(table))
        passes = predicate(body.get("Expression") or "", keys)
        names = [name.lower() for name, _ in keys]
        inside = _segment(body.get("Segment"))
        found = sorted(filter(inside, table.partitions.values()), key=_position)
        chosen, token = page(found, _position, body, _LARGEST_PAGE)
        whole = not body.get("ExcludeColumnSchema")
        shown = [
            self._shown(table, partition, whole=whole)
            for partition in chosen
            if passes(dict(zip(names, partition.values, strict=False)))
        ]
        return {"Partitions": shown, **token}

    def batch_create(self, body: dict[str, Any]) -> dict[str, Any]:
        """BatchCreatePartition."""
        table = self._table(body)
        for definition in body["PartitionInputList"]:
            _check_values(table, definition.get("Values", []))
        errors = self._each(
            "glue:BatchCreatePartition",
            body["PartitionInputList"],
            lambda definition: definition["Values"],
            lambda definition: _add(table, definition),
        )
        return {"Errors": [{"PartitionValues": values, "ErrorDetail": detail} for values, detail in errors]}

    def batch_update(self, body: dict[str, Any]) -> dict[str, Any]:
        """BatchUpdatePartition."""
        table = self._table(body)
        errors = self._each(
            "glue:BatchUpdatePartition",
            body["Entries"],
            lambda entry: entry["PartitionValueList"],
            lambda entry: _replace(table, entry["PartitionValueList"], entry["PartitionInput"]),
        )
        return {"Errors": [{"PartitionValueList": values, "ErrorDetail": detail} for values, detail in errors]}

    def batch_delete(self, body: dict[str, Any]) -> dict[str, Any]:
        """BatchDeletePartition."""
        table = self._table(body)
        errors = self._each(
            "glue:BatchDeletePartition",
            body["PartitionsToDelete"],
            lambda entry: entry["Values"],
            lambda entry: _remove(table, entry["Values"]),
        )
        return {"Errors": [{"PartitionValues": values, "ErrorDetail": detail} for values, detail in errors]}

    def batch_get(self, body: dict[str, Any]) -> dict[str, Any]:
        """BatchGetPartition: what is not there is left out; what could not be looked up is in UnprocessedKeys."""
        table = self._table(body)
        found: list[dict[str, Any]] = []

        def look_up(entry: dict[str, Any]) -> None:
            partition = table.partitions.get(partition_id(entry["Values"]))
            if partition is not None:
                found.append(self._shown(table, partition))

        unprocessed = self._each(
            "glue:BatchGetPartition", body["PartitionsToGet"], lambda entry: entry["Values"], look_up
        )
        return {"Partitions": found, "UnprocessedKeys": [{"Values": values} for values, _ in unprocessed]}

    def _each(
        self,
        operation: str,
        items: Sequence[dict[str, Any]],
        values_of: Callable[[dict[str, Any]], Any],
        act: Callable[[dict[str, Any]], None],
    ) -> Sequence[tuple[Any, dict[str, str]]]:
        """Act on every item; the values and error of those that failed."""
        failures = []
        for item in items:
            try:
                self._faults.strike_item(operation, "/".join(values_of(item)))
                act(item)
            except AwsError as error:
                failures.append((values_of(item), {"ErrorCode": error.code, "ErrorMessage": error.message}))
        return failures

    def _table(self, body: dict[str, Any]) -> Any:
        return self._store.table(body["DatabaseName"], body["TableName"])

    def _shown(self, table: Any, partition: Any, *, whole: bool = True) -> dict[str, Any]:
        shown = {
            **partition.partition_input,
            "DatabaseName": table.database_name,
            "TableName": table.name,
            "CreationTime": created(partition),
            "CatalogId": self._store.account,
        }
        if not whole and "StorageDescriptor" in shown:
            storage = shown["StorageDescriptor"]
            shown["StorageDescriptor"] = {name: storage[name] for name in storage if name != "Columns"}
        return shown


def _position(partition: Any) -> list[Any]:
    """Where a partition stands in listings: scattered, so that nobody relies on an order that Glue does not promise."""
    return [crc32("\x1f".join(partition.values).encode()), *partition.values]


def _segment(segment: dict[str, int] | None) -> Callable[[Any], bool]:
    if segment is None:
        return lambda _: True
    number, total = segment["SegmentNumber"], segment["TotalSegments"]
    if number >= total:
        raise AwsError(INVALID, "SegmentNumber must be less than TotalSegments.")
    return lambda partition: _position(partition)[0] % total == number


def _check_values(table: Any, values: Sequence[str]) -> None:
    if len(values) != len(partition_keys(table)):
        raise AwsError(INVALID, "The number of partition keys do not match the number of partition values")


def _found(table: Any, values: Sequence[str]) -> Any:
    try:
        return table.partitions[partition_id(values)]
    except KeyError:
        raise AwsError(NOT_FOUND, "Cannot find partition.") from None


def _add(table: Any, definition: dict[str, Any]) -> None:
    values = definition.get("Values", [])
    _check_values(table, values)
    if partition_id(values) in table.partitions:
        raise AwsError(ALREADY_EXISTS, "Partition already exists.")
    table.partitions[partition_id(values)] = new_partition(table, definition)


def _replace(table: Any, values: Sequence[str], definition: dict[str, Any]) -> None:
    present = _found(table, values)
    if definition.get("Values", values) != list(values):
        raise AwsError(INVALID, "The values of a partition cannot be changed.")
    definition = {**definition, "Values": list(values)}
    table.partitions[partition_id(values)] = new_partition(table, definition, created(present))


def _remove(table: Any, values: Sequence[str]) -> None:
    _found(table, values)
    del table.partitions[partition_id(values)]
