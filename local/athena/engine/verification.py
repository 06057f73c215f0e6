"""What the engine compares before it reads a partition: the table's columns with the partition's own copy of them.

Trino compares the columns of an Avro table **by name**; Athena's documentation says that it verifies Avro **by index**.
Nobody has seen the two disagree on an account, so that a partition must pass both here: what only one of them lets
through is refused, as it would be where that one is wrong.

https://docs.aws.amazon.com/athena/latest/ug/updates-and-partitions.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.athena.engine.coercion import can_coerce
from local.athena.errors import QueryError
from local.athena.types import Type, UnknownTypeError, parse_hive


if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.athena.ports import Column, Partition, Table


_BY_POSITION_ONLY = (
    " (Compared by position, as Athena documents it for Avro; Trino compares by name and finds no mismatch.)"
)


def verify(table: Table, partition: Partition) -> None:
    """Compare a partition's columns with its table's, by name and by position.

    Raises:
        QueryError: HIVE_PARTITION_SCHEMA_MISMATCH for the first pair of columns that does not coerce.
    """
    for declared, own in _by_name(table, partition):
        _compare(table, partition, declared, own)
    for declared, own in zip(table.columns, partition.storage.columns, strict=False):
        _compare(table, partition, declared, own, _BY_POSITION_ONLY)


def own_column(partition: Partition, name: str) -> Column | None:
    """A partition's own copy of a column, by its name in any case."""
    return next((one for one in partition.storage.columns if one.name.lower() == name.lower()), None)


def _by_name(table: Table, partition: Partition) -> Iterator[tuple[Column, Column]]:
    own = {one.name.lower(): one for one in partition.storage.columns}
    return ((one, own[one.name.lower()]) for one in table.columns if one.name.lower() in own)


def _compare(table: Table, partition: Partition, declared: Column, own: Column, remark: str = "") -> None:
    if declared.type == own.type or can_coerce(column_type(own), column_type(declared)):
        return
    raise QueryError(
        "HIVE_PARTITION_SCHEMA_MISMATCH",
        "There is a mismatch between the table and partition schemas. "
        "The types are incompatible and cannot be coerced. "
        f"The column '{declared.name}' in table '{table.database}.{table.name}' is declared as type "
        f"'{declared.type}', but partition '{partition.name(table)}' declared column '{own.name}' "
        f"as type '{own.type}'.{remark}",
    )


def column_type(column: Column) -> Type:
    """The Trino type of a column.

    Raises:
        QueryError: HIVE_INVALID_METADATA when the catalog's type is none.
    """
    try:
        return parse_hive(column.type)
    except UnknownTypeError as error:
        raise QueryError("HIVE_INVALID_METADATA", f"Column '{column.name}': {error}") from error


def column_types(table: Table) -> dict[str, Type]:
    """The Trino types of a table's columns in the files, by their names in lower case."""
    return {one.name.lower(): column_type(one) for one in table.columns}
