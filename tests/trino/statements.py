"""What one statement of the corpus is."""

from __future__ import annotations

from typing import NamedTuple


class Statement(NamedTuple):
    """A query on the demo's data that depends neither on chance nor on the clock.

    Attributes:
        name: What it asks, unique in its group.
        sql: The statement.
        tolerance: Relative difference that numbers may have: for approximate aggregates.
    """

    name: str
    sql: str
    tolerance: float = 0.0
