"""Fields of a struct that a partition's files have, and its own copy of the column lacks.

The table's struct has gained a field, the partition has not been told, and newer files have it. Trino 411 then
answers ``date`` with the field's value and ``date.triggered`` with NULL. Neither is taken here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    import pyarrow as pa

    from local.athena.types import Type


def has_values_beyond(values: pa.Array, own: Type, declared: Type) -> bool:
    """Whether there is a value in a field that only the table's type has.

    Args:
        values: Values of a column, in the shape of the table's type.
        own: The type that the partition declares.
        declared: The type that the table declares.
    """
    if own == declared or own.name != declared.name:
        return False
    if declared.name == "row":
        return any(
            field.null_count < len(field)
            if position >= len(own.elements)
            else has_values_beyond(field, own.elements[position], element)
            for position, element in enumerate(declared.elements)
            for field in (values.field(position),)
        )
    if declared.name == "array":
        return has_values_beyond(values.flatten(), own.element, declared.element)
    if declared.name == "map":
        return has_values_beyond(values.items, own.elements[1], declared.elements[1])
    return False
