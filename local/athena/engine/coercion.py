"""Which types a partition's own copy of a column may have beside the table's: ``HiveCoercionPolicy`` of Trino 411.

It decides whether a query is planned, and nothing else: the values are read as the Avro schema says, see
``presentation``. Later versions of Trino let more pairs pass (integers as double, text as date); the fewer are
the ones that pass everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from local.athena.types import Type


INTEGERS = ("tinyint", "smallint", "integer", "bigint")

# From a partition's type to the types the table may have instead. Integers also widen, nested types by their parts.
_COERCIONS: dict[str, frozenset[str]] = {
    "varchar": frozenset({*INTEGERS, "varchar"}),
    "char": frozenset({"char"}),
    "real": frozenset({"double", "decimal"}),
    "double": frozenset({"real", "decimal"}),
    "decimal": frozenset({"decimal", "real", "double", "varchar"}),
} | {name: frozenset({"varchar"}) for name in INTEGERS}


def can_coerce(partition: Type, table: Type) -> bool:
    """Whether a partition may declare the one type where the table declares the other."""
    if partition == table:
        return True
    if partition.name in INTEGERS and table.name in INTEGERS:
        return widens(partition, table)
    if table.name in _COERCIONS.get(partition.name, ()):
        return True
    if partition.name != table.name:
        return False
    if partition.name in ("array", "map"):
        return all(can_coerce(*pair) for pair in zip(partition.elements, table.elements, strict=True))
    return partition.name == "row" and _can_coerce_fields(partition, table)


def widens(narrow: Type, wide: Type) -> bool:
    """Whether every value of one type of integers is one of the other's."""
    return INTEGERS.index(narrow.name) < INTEGERS.index(wide.name)


def _can_coerce_fields(partition: Type, table: Type) -> bool:
    """Fields may come and go at the end; all others must have the same place and name, and a type that coerces."""
    return all(
        own_name == name and can_coerce(own, declared)
        for own_name, name, own, declared in zip(
            partition.names, table.names, partition.elements, table.elements, strict=False
        )
    )
