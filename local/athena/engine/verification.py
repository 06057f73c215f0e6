"""What the engine compares before it reads a partition: the table's columns with the partition's own copy of them.

Athena compares an Avro table with its partitions **by position, over the shorter of the two lists**. (Trino 435 by
itself compares them by name; which of the two a given version of Athena does must be seen on AWS.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.athena.engine.coercion import can_coerce
from local.athena.errors import QueryError
from local.athena.types import Type, UnknownTypeError, parse_hive


if TYPE_CHECKING:
    from local.athena.ports import Column, Partition, Table


def verify(table: Table, partition: Partition) -> None:
    """Compare a partition's columns with its table's.

    Raises:
        QueryError: HIVE_PARTITION_SCHEMA_MISMATCH for the first pair of columns that does not coerce.
    """
    for declared, own in zip(table.columns, partition.storage.columns, strict=False):
        if declared.type == own.type:
            continue
        if not can_coerce(column_type(own), column_type(declared)):
            raise QueryError(
                "HIVE_PARTITION_SCHEMA_MISMATCH",
                "There is a mismatch between the table and partition schemas. "
                "The types are incompatible and cannot be coerced. "
                f"The column '{declared.name}' in table '{table.database}.{table.name}' is declared as type "
                f"'{declared.type}', but partition '{partition.name(table)}' declared column '{own.name}' "
                f"as type '{own.type}'.",
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
