"""The states between an old table and a new one, in each of which every reader gets every row.

The catalog cannot change a table and its partitions in one call. A change goes through these states:

1. *marked*: the table carries ``dmd.change``, so that nobody else repairs its partitions meanwhile;
2. *shortened*: partitions whose columns could not stand beside the new table's have their lists cut to the columns with
   which both begin: what a partition does not declare is read as the table says;
3. *switched*: one UpdateTable sets columns, both schema literals and all else; from here on the new schema reads all;
4. *completed*: every partition has the new columns and the new literal;
5. the mark is removed.

The engine verifies a partition against its table when a query is planned, and reads it with the table's own literal.
That each state is whole, for each kind of change, is a group of cases which a real Trino judges too
(docs/local-athena.md, *The four rules*, rule 4; docs/decisions/0008).

From any mixture of these states the same steps lead to any other table, so that a change that was cut off is finished,
or taken back, by going through them again. All of it is pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from dmd_pipeline.change_marks import CHANGE_PARAMETER
from dmd_pipeline.partitions import Step, differences, merged


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mypy_boto3_glue.type_defs import (
        ColumnOutputTypeDef,
        ColumnTypeDef,
        PartitionInputTypeDef,
        PartitionTypeDef,
        TableInputTypeDef,
        TableTypeDef,
    )

    from dmd_pipeline.change_marks import ChangeMark

    Columns = Sequence[ColumnTypeDef] | Sequence[ColumnTypeDef | ColumnOutputTypeDef]
    """A list of columns, as written or as read."""
    Look = Callable[[PartitionTypeDef], PartitionInputTypeDef]
    """How a partition should look."""


_WRITABLE: Final = (
    "Name",
    "Description",
    "Owner",
    "LastAccessTime",
    "LastAnalyzedTime",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "ViewOriginalText",
    "ViewExpandedText",
    "TableType",
    "Parameters",
    "TargetTable",
    "ViewDefinition",
    "FederatedTable",
)
"""What UpdateTable takes of what GetTable gives."""


def as_input(table: TableTypeDef) -> TableInputTypeDef:
    """A table as it is, as it is written back: UpdateTable replaces all of it."""
    return cast("TableInputTypeDef", {name: value for name, value in table.items() if name in _WRITABLE})


def updated(current: TableTypeDef, wanted: TableInputTypeDef) -> TableInputTypeDef:
    """The table with what ``wanted`` says; Parameters, SerDe parameters and settings that it does not name stay."""
    storage, wanted_storage = current.get("StorageDescriptor", {}), wanted["StorageDescriptor"]
    serde, wanted_serde = storage.get("SerdeInfo", {}), wanted_storage["SerdeInfo"]
    result = {
        **as_input(current),
        **wanted,
        "Parameters": {**current.get("Parameters", {}), **wanted.get("Parameters", {})},
        "StorageDescriptor": {
            **storage,
            **wanted_storage,
            "SerdeInfo": {
                **serde,
                **wanted_serde,
                "Parameters": {**serde.get("Parameters", {}), **wanted_serde.get("Parameters", {})},
            },
        },
    }
    return cast("TableInputTypeDef", result)


def with_mark(table: TableInputTypeDef, mark: ChangeMark | None) -> TableInputTypeDef:
    """The table with a mark, or without any."""
    parameters = {name: value for name, value in table.get("Parameters", {}).items() if name != CHANGE_PARAMETER}
    if mark is not None:
        parameters[CHANGE_PARAMETER] = mark.as_parameter()
    return {**table, "Parameters": parameters}


def shared(columns: Columns, others: Columns) -> list[ColumnTypeDef]:
    """The columns of the first list with which both begin; comments are not compared."""
    count = 0
    for one, other in zip(columns, others, strict=False):
        if _identity(one) != _identity(other):
            break
        count += 1
    return cast("list[ColumnTypeDef]", list(columns[:count]))


def shortening(partitions: Iterable[PartitionTypeDef], columns: Columns) -> tuple[Step, ...]:
    """The second state: partitions to shorten before their table gets other columns.

    A partition that begins like the table, or is the beginning of it, stands beside it as it is.
    """
    steps = []
    for partition in partitions:
        own = partition.get("StorageDescriptor", {}).get("Columns", [])
        kept = shared(own, columns)
        if len(kept) < min(len(own), len(columns)):
            wanted = cast("PartitionInputTypeDef", {**_writable(partition), "StorageDescriptor": _cut(partition, kept)})
            steps.append(Step(wanted, differences=("columns",)))
    return tuple(steps)


def completing(partitions: Iterable[PartitionTypeDef], wanted: Look) -> tuple[Step, ...]:
    """The fourth state: partitions that do not look as wanted, which says so for each of them."""
    steps = []
    for partition in partitions:
        should_be = wanted(partition)
        found = differences(partition, should_be)
        if found:
            steps.append(Step(should_be, differences=found))
    return tuple(steps)


def like_table(table: TableInputTypeDef) -> Look:
    """How partitions of a table look: its columns, SerDe and formats, each at its own location."""
    model = table["StorageDescriptor"]

    def wanted(partition: PartitionTypeDef) -> PartitionInputTypeDef:
        location = partition.get("StorageDescriptor", {}).get("Location", "")
        return {"Values": partition["Values"], "StorageDescriptor": {**model, "Location": location}}

    return wanted


def as_partition_input(current: PartitionTypeDef, wanted: PartitionInputTypeDef | None = None) -> PartitionInputTypeDef:
    """A partition as it is, as it is written; with what is wanted of it put right."""
    return merged(current, wanted or cast("PartitionInputTypeDef", _writable(current)))


def _writable(partition: PartitionTypeDef) -> Mapping[str, Any]:
    return {"Values": partition["Values"], "StorageDescriptor": partition.get("StorageDescriptor", {})}


def _cut(partition: PartitionTypeDef, columns: Columns) -> Mapping[str, Any]:
    return {**partition.get("StorageDescriptor", {}), "Columns": columns}


def _identity(column: ColumnTypeDef | ColumnOutputTypeDef) -> tuple[str, str]:
    return column["Name"].lower(), column.get("Type", "")
