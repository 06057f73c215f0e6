"""The tables of a query: what is asked of each, and which partitions can hold an answer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    import pyarrow as pa

    from local.athena.ports import Table
    from local.athena.sql.values import Value


@dataclass
class TableScan:
    """One appearance of a table of the catalog in a query.

    Attributes:
        name: Under which DuckDB's SQL refers to it.
        table: The table.
        columns: Columns in the files that the query uses, lower case, by order of first use.
        predicates: DuckDB SQL over ``k0``, ``k1``, … that a partition must satisfy.
    """

    name: str
    table: Table
    columns: list[str] = field(default_factory=list)
    predicates: list[str] = field(default_factory=list)

    def use(self, column: str, alias: str) -> str:
        """Ask for a column in the files; the SQL by which it is read."""
        if column not in self.columns:
            self.columns.append(column)
        return f"{alias}.c{self.columns.index(column)}"


@dataclass(frozen=True)
class SystemTable:
    """A table made of what the catalog says, such as information_schema.tables."""

    name: str
    rows: pa.Table


@dataclass(frozen=True)
class Origin:
    """A partition key of one appearance of a table.

    Attributes:
        scan: The appearance.
        key: Position among the partition keys.
        padded: Whether an outer join can put NULL in its place.
    """

    scan: TableScan
    key: int
    padded: bool = False

    def __hash__(self) -> int:
        return hash((id(self.scan), self.key))


_REFERENCE = re.compile(r"\br\d+\.[ckh]\d+\b")


def _as_key(numbers: dict[str, int], reference: re.Match[str]) -> str:
    return f"k{numbers[reference.group()]}"


def push_down(conjunct: Value, origins: dict[str, tuple[Origin, ...]]) -> None:
    """Tell tables of a condition that reads nothing but their partition keys.

    Args:
        conjunct: A condition that every row of the result must satisfy.
        origins: Partition keys by the SQL of the columns that are copies of them.
    """
    refs = conjunct.facts.refs
    if not refs or not conjunct.facts.plain or conjunct.facts.aggregate or conjunct.facts.window:
        return
    scans = {id(origin.scan): origin.scan for ref in refs for origin in origins.get(ref, ())}
    for scan in scans.values():
        keys = {ref: [one for one in origins.get(ref, ()) if one.scan is scan] for ref in refs}
        if all(len(found) == 1 for found in keys.values()):
            numbers = {ref: found[0].key for ref, found in keys.items()}
            predicate = _REFERENCE.sub(partial(_as_key, numbers), conjunct.sql)
            if any(found[0].padded for found in keys.values()):
                # An outer join pads with NULL: a condition that NULL satisfies says nothing about partitions.
                nulls = _REFERENCE.sub("NULL", conjunct.sql)
                predicate = f"(coalesce({nulls}, false) OR {predicate})"
            scan.predicates.append(predicate)
