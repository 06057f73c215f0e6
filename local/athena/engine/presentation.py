"""How values of the reader schema's types become values of the table's types.

Trino's Hive reader of Avro (``GenericHiveRecordCursor`` of Trino 411) takes each value as the Avro schema says and
writes it into the table's type without asking whether the two belong together: it widens integers, numbers its way
into doubles, cuts text off, and takes the fields of a struct **by position**. For other pairs it fails, or answers
something that nobody meant, such as the bits of an integer as a float: those are refused here.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from local.athena.engine.coercion import INTEGERS, widens
from local.athena.types import UNBOUNDED, UNKNOWN, Type, array


if TYPE_CHECKING:
    from collections.abc import Iterable


class Presentation(IntEnum):
    """What becomes of the values of one type in a column of another, from good to bad."""

    RIGHT = 0
    DOUBTFUL = 1  # Trino answers, and not always with the value
    FAILS = 2  # Trino's reader fails with an internal error


# All of these are one long inside Trino's reader, which is written into the table's column as it is.
_LONGS = frozenset({*INTEGERS, "real", "date", "timestamp"})


def presentation(avro: Type, table: Type, *, nested: bool = False) -> Presentation:
    """What Trino does with values of the reader schema's type in a column of the table's type.

    Args:
        avro: The type that the schema gives the values.
        table: The type that the table declares.
        nested: Whether they are parts of another value: those are converted less.
    """
    if avro.name == table.name == "row":
        return _row(avro, table)
    if avro.name == table.name and avro.name in ("array", "map"):
        return _worst(zip(avro.elements, table.elements, strict=True))
    if avro in (table, UNKNOWN) or (not nested and _is_shown_rightly(avro, table)) or _is_wider_integer(avro, table):
        return Presentation.RIGHT
    return Presentation.DOUBTFUL if _is_answered(avro, table) else Presentation.FAILS


def _row(avro: Type, table: Type) -> Presentation:
    if len(avro.elements) != len(table.elements):
        return Presentation.FAILS
    inner = _worst(zip(avro.elements, table.elements, strict=True))
    return inner if avro.names == table.names else max(inner, Presentation.DOUBTFUL)


def _worst(pairs: Iterable[tuple[Type, Type]]) -> Presentation:
    return max((presentation(one, other, nested=True) for one, other in pairs), default=Presentation.RIGHT)


def _is_wider_integer(avro: Type, table: Type) -> bool:
    return avro.name in INTEGERS and table.name in INTEGERS and widens(avro, table)


def _is_shown_rightly(avro: Type, table: Type) -> bool:
    if table.name == "double":
        return avro.name in (*INTEGERS, "real")
    if table.name in ("tinyint", "smallint"):  # Avro has no such types; a number that is too big is an error
        return avro.name == "integer"
    if avro.name == table.name == "decimal":
        (precision, scale), (wanted_precision, wanted_scale) = avro.numbers, table.numbers
        return wanted_scale >= scale and wanted_precision - wanted_scale >= precision - scale
    return avro.name == "varchar" and table.name in ("varchar", "char")


def _is_answered(avro: Type, table: Type) -> bool:
    if {avro.name, table.name} <= {"varchar", "char", "varbinary"} or avro.name == table.name == "decimal":
        return True
    return table.name in _LONGS and avro.name in (_LONGS | {"double"})


def presented(value: str, avro: Type, table: Type) -> str:
    """DuckDB SQL of a value of the reader schema's type as one of the table's type, where that is right."""
    if avro == UNKNOWN:
        return f"CAST(NULL AS {table.duckdb})"
    if avro.name == "row":
        return _presented_row(value, avro, table)
    if avro.name == "array":
        return _presented_array(value, avro, table)
    if avro.name == "map" and avro != table:
        return _presented_map(value, avro, table)
    if avro.name == "varchar":
        return value if table.numbers[0] == UNBOUNDED else f"left({value}, {table.numbers[0]})"
    return f"CAST({value} AS {table.duckdb})"


def _presented_row(value: str, avro: Type, table: Type) -> str:
    fields = (
        f"f{position} := {presented(f'({value}).f{position}', element, wanted)}"
        for position, (element, wanted) in enumerate(zip(avro.elements, table.elements, strict=True))
    )
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({', '.join(fields)}) END"


def _presented_array(value: str, avro: Type, table: Type) -> str:
    if avro == table and not _holds_timestamps(avro):
        return value
    variable = f"e{value.count('lambda')}"
    return f"list_transform({value}, lambda {variable}: {presented(variable, avro.element, table.element)})"


def _holds_timestamps(kind: Type) -> bool:
    """Timestamps arrive in milliseconds, which is another type for DuckDB than the one it computes with."""
    return kind.name == "timestamp" or any(_holds_timestamps(element) for element in kind.elements)


def _presented_map(value: str, avro: Type, table: Type) -> str:
    keys, values = (
        presented(f"map_{part}({value})", array(avro.elements[at]), array(table.elements[at]))
        for at, part in enumerate(("keys", "values"))
    )
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE map({keys}, {values}) END"
