"""Reading a table: the registered partitions that a query can need, each file as its format is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from local.athena.engine.files import Listing
from local.athena.engine.formats import reader_of
from local.athena.engine.hidden_columns import HIDDEN_COLUMNS
from local.athena.engine.lagging import has_values_beyond
from local.athena.engine.presentation import presented
from local.athena.engine.verification import column_type, column_types, own_column, verify
from local.athena.errors import QueryError


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.athena.engine.cache import DecodedCache
    from local.athena.engine.formats import Reader
    from local.athena.ports import Objects, Partition, StoredObject, Table
    from local.athena.types import Type


@dataclass
class Scan:
    """What a query wants of a table.

    Attributes:
        table: The table.
        columns: Columns in the files that the query uses, in the order in which they are wanted.
        partitions: The partitions that are left after pruning.
    """

    table: Table
    columns: Sequence[str]
    partitions: Sequence[Partition]


@dataclass
class Scanned:
    """What came of it.

    Attributes:
        sources: Arrow tables by the name under which the SQL below refers to them.
        select: DuckDB SQL with the columns c0, c1, … as wanted, then one a partition key (k0, …), then the hidden ones.
        bytes: Sum of the sizes of the objects read.
        rows: Count of rows.
    """

    sources: dict[str, pa.Table] = field(default_factory=dict)
    select: str = ""
    bytes: int = 0
    rows: int = 0


class Scanner:
    """Reads tables from objects."""

    def __init__(self, objects: Objects, cache: DecodedCache) -> None:
        self._objects = objects
        self._cache = cache

    def scan(self, wanted: Scan, name: str, check_cancelled: Callable[[], None] = lambda: None) -> Scanned:
        """Read a table.

        Args:
            wanted: Table, columns and partitions.
            name: Prefix of the names of the Arrow tables.
            check_cancelled: Called between partitions; raises QueryCancelled when the query is to stop.

        Raises:
            QueryError: As the engine fails: HIVE_PARTITION_SCHEMA_MISMATCH, HIVE_CANNOT_OPEN_SPLIT, …
        """
        table = wanted.table
        for partition in wanted.partitions:
            verify(table, partition)
        splits: list[Partition | None] = list(wanted.partitions) if table.partition_keys else [None]
        listing = Listing(self._objects, [_location(table, split) for split in splits])
        result = Scanned()
        pieces: dict[Reader, list[pa.Table]] = {}
        for split in splits:
            check_cancelled()
            files = [one for one in listing.below(_location(table, split)) if one.size > 0]
            result.bytes += sum(one.size for one in files)
            if files:
                reader = reader_of(table, split, wanted.columns)
                pieces.setdefault(reader, []).append(self._split(wanted, split, reader, files))
        result.rows = sum(piece.num_rows for parts in pieces.values() for piece in parts)
        for number, parts in enumerate(pieces.values()):
            result.sources[f"{name}_{number}"] = pa.concat_tables(parts)
        result.select = _select(wanted, [(f"{name}_{number}", reader) for number, reader in enumerate(pieces)])
        return result

    def _split(
        self, wanted: Scan, partition: Partition | None, reader: Reader, files: Sequence[StoredObject]
    ) -> pa.Table:
        """The rows of one partition, with where they come from beside them."""
        key = (tuple((one.uri, one.etag) for one in files), reader)
        rows = self._cache.get(key)
        if rows is None:
            rows = reader.read(self._objects, files)
            self._cache.put(key, rows)
        if partition:
            _check_own_columns(wanted, partition, rows)
        for position, _ in enumerate(wanted.table.partition_keys):
            value = partition.values[position] if partition else None
            rows = rows.append_column(f"k{position}", pa.repeat(pa.scalar(value, pa.string()), rows.num_rows))
        return rows


def _check_own_columns(wanted: Scan, partition: Partition, rows: pa.Table) -> None:
    """Refuse values of which the partition's own copy of the column does not know."""
    declared = column_types(wanted.table)
    for position, name in enumerate(wanted.columns):
        own = own_column(partition, name)
        if own is None:
            continue
        column = rows.column(f"f{position}")
        if any(has_values_beyond(chunk, column_type(own), declared[name]) for chunk in column.chunks):
            raise QueryError(
                "NOT_SUPPORTED",
                f"Partition {partition.name(wanted.table)} declares {name} without fields that its files have: "
                "Trino shows them or not, depending on how the query asks for them. Update the partition's columns",
            )


def _location(table: Table, partition: Partition | None) -> str:
    return partition.storage.location if partition else table.storage.location


def _select(wanted: Scan, sources: Sequence[tuple[str, Reader]]) -> str:
    """SQL that gives what all readers yield the table's types."""
    table = wanted.table
    declared = column_types(table)
    keys = [column_type(one) for one in table.partition_keys]
    if not sources:
        return f"SELECT {', '.join(_nothing(wanted, declared, keys))} WHERE false"
    selects = []
    for name, reader in sources:
        expressions = [
            f"{presented(f'f{position}', kind, declared[column])} AS c{position}"
            for position, (column, kind) in enumerate(zip(wanted.columns, reader.kinds, strict=True))
        ]
        expressions += [f"{partition_value(f'k{position}', kind)} AS k{position}" for position, kind in enumerate(keys)]
        partition = " || '/' || ".join(
            f"'{one.name}=' || k{position}" for position, one in enumerate(table.partition_keys)
        )
        expressions += ["h0", "h1", "struct_pack(u := h2, z := 'UTC') AS h2", f"{partition or 'NULL::VARCHAR'} AS h3"]
        selects.append(f"SELECT {', '.join(expressions)} FROM {name}")
    return " UNION ALL ".join(selects)


def _nothing(wanted: Scan, declared: dict[str, Type], keys: Sequence[Type]) -> list[str]:
    empty = [
        f"CAST(NULL AS {declared[column].duckdb}) AS c{position}" for position, column in enumerate(wanted.columns)
    ]
    empty += [f"CAST(NULL AS {kind.duckdb}) AS k{position}" for position, kind in enumerate(keys)]
    return empty + [
        f"CAST(NULL AS {kind.duckdb}) AS h{position}" for position, kind in enumerate(HIDDEN_COLUMNS.values())
    ]


DEFAULT_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def partition_value(value: str, kind: Type) -> str:
    """SQL of a partition's value, which the catalog keeps as text, in the type of its key."""
    return f"CAST(nullif({value}, '{DEFAULT_PARTITION}') AS {kind.duckdb})"
