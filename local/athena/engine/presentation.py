"""How values of the reader schema's types become values of the table's types.

Hive's reader of Avro, in Trino 411, takes each value as the Avro schema says and writes it into the table's type
without asking whether the two belong together, the fields of a struct **by position**. Trino's own reader, in Trino
476, takes it for a value of the type that the partition declares, and converts that to the table's. Either answers
things that nobody meant where the three types do not belong together, such as the bits of an integer as a float.
Values are shown here where both readers show the same; what one of them shows is refused.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from local.athena.engine.coercion import INTEGERS, widens
from local.athena.types import BIGINT, INTEGER, UNBOUNDED, UNKNOWN, Type, array


if TYPE_CHECKING:
    from collections.abc import Iterable


class Presentation(IntEnum):
    """What becomes of the values of one type in a column of another, from good to bad."""

    RIGHT = 0
    DOUBTFUL = 1  # Trino 411 answers, and Trino 476 something else, or neither answers with the value
    FAILS = 2  # Trino 411 fails with an internal error


# All of these are one long inside Hive's reader, which is written into the table's column as it is.
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
    return Presentation.DOUBTFUL if _is_answered(avro, table, nested=nested) else Presentation.FAILS


def is_declared(avro: Type, own: Type) -> bool:
    """Whether the reader schema gives the values the type that the partition declares, or bigint for int."""
    return (own, avro) == (INTEGER, BIGINT) or _is_alike(avro, own)


def _is_alike(avro: Type, own: Type) -> bool:
    """Whether the types are the same, but for the length of text; fields of structs may come and go."""
    if avro in (own, UNKNOWN) or avro.name == own.name == "varchar":
        return True
    if avro.name != own.name or avro.name not in ("array", "map", "row"):
        return False
    return all(_is_alike(*pair) for pair in zip(avro.elements, own.elements, strict=False))


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
        return avro.name == "real"
    if avro.name == table.name == "decimal":
        (precision, scale), (wanted_precision, wanted_scale) = avro.numbers, table.numbers
        return wanted_scale >= scale and wanted_precision - wanted_scale >= precision - scale
    return avro.name == "varchar" and table.name in ("varchar", "char")


def _is_answered(avro: Type, table: Type, *, nested: bool) -> bool:
    if {avro.name, table.name} <= {"varchar", "char", "varbinary"} or avro.name == table.name == "decimal":
        return True
    numbers = _LONGS if nested else _LONGS | {"double"}
    return avro.name in numbers and table.name in numbers


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
