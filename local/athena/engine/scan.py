"""Reading a table: the registered partitions that a query can need, each file as the engine reads it."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from local.athena.engine import avro_schema, container, reader_schema
from local.athena.engine.avro_schema import AvroSchemaError, AvroType, UnsupportedUnionError, trino_type
from local.athena.engine.coercion import can_coerce, coerced
from local.athena.engine.columns import arrow_table, empty_table
from local.athena.engine.files import Listing
from local.athena.engine.resolution import ResolutionError, projected, resolve
from local.athena.engine.verification import column_type, verify
from local.athena.errors import QueryError
from local.athena.ports import ObjectNotFoundError
from local.athena.types import BIGINT, VARCHAR, ZONED, Type, to_hive


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.athena.engine.cache import DecodedCache
    from local.athena.engine.container import Container
    from local.athena.ports import Objects, Partition, StoredObject, Table


logger = logging.getLogger(__name__)

HIDDEN_COLUMNS: dict[str, Type] = {
    "$path": VARCHAR,
    "$file_size": BIGINT,
    "$file_modified_time": ZONED,
    "$partition": VARCHAR,
}


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


@dataclass(frozen=True)
class _Group:
    """Rows that arrive with the same types and so can be converted by the same SQL."""

    reader: AvroType
    kinds: tuple[Type, ...]


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
        pieces: dict[_Group, list[pa.Table]] = {}
        for split in splits:
            check_cancelled()
            files = [one for one in listing.below(_location(table, split)) if one.size > 0]
            result.bytes += sum(one.size for one in files)
            if files:
                group = self._group(wanted, split)
                pieces.setdefault(group, []).append(self._split(wanted, split, group, files))
        result.rows = sum(piece.num_rows for parts in pieces.values() for piece in parts)
        for number, parts in enumerate(pieces.values()):
            result.sources[f"{name}_{number}"] = pa.concat_tables(parts)
        result.select = _select(wanted, [(f"{name}_{number}", group) for number, group in enumerate(pieces)])
        return result

    def _group(self, wanted: Scan, partition: Partition | None) -> _Group:
        """Which schema reads the partition, masked to the columns that are wanted, and the types it yields."""
        schema = reader_schema.reader_schema(wanted.table, partition)
        found = reader_schema.find_columns(schema, wanted.columns)
        reader = projected(schema, found)
        try:
            kinds = trino_type(reader).elements
        except UnsupportedUnionError as error:
            raise QueryError("NOT_SUPPORTED", str(error)) from error
        for name, kind in zip(wanted.columns, kinds, strict=True):
            declared = column_type(next(one for one in wanted.table.columns if one.name.lower() == name))
            if not can_coerce(kind, declared):
                raise QueryError(
                    "HIVE_BAD_DATA",
                    f"Field {name}'s type {to_hive(kind)} in the Avro schema {schema.name} is incompatible with "
                    f"type {to_hive(declared)} defined in table schema",
                )
        return _Group(reader, kinds)

    def _split(
        self, wanted: Scan, partition: Partition | None, group: _Group, files: Sequence[StoredObject]
    ) -> pa.Table:
        """The rows of one partition, with where they come from beside them."""
        key = (tuple((one.uri, one.etag) for one in files), group.reader)
        rows = self._cache.get(key)
        if rows is None:
            rows = self._read(group.reader, files)
            self._cache.put(key, rows)
        for position, _ in enumerate(wanted.table.partition_keys):
            value = partition.values[position] if partition else None
            rows = rows.append_column(f"k{position}", pa.repeat(pa.scalar(value, pa.string()), rows.num_rows))
        return rows

    def _read(self, reader: AvroType, files: Sequence[StoredObject]) -> pa.Table:
        """The rows of one partition's files: neighbours with the same writer's schema are decoded together."""
        opened = [(one, self._open(one)) for one in files]
        tables = []
        for writer, group in groupby(opened, key=lambda pair: pair[1].schema):
            members = list(group)
            tables.append(self._decode(writer, reader, members))
        return pa.concat_tables(tables) if tables else empty_table(reader)

    def _open(self, one: StoredObject) -> Container:
        name = one.uri.rpartition("/")[2]
        try:
            opened = container.parse(self._objects.read(one.uri))
            container.check_codec(opened)
        except ObjectNotFoundError as error:
            raise QueryError("HIVE_CANNOT_OPEN_SPLIT", f"Error opening Hive split {one.uri}: no such object") from error
        except container.NotAvroError as error:
            raise QueryError("HIVE_CANNOT_OPEN_SPLIT", f"Error opening Hive split {one.uri}: {error}") from error
        except container.CorruptFileError as error:
            raise QueryError("HIVE_CURSOR_ERROR", f"Failed to read Avro file: {name}") from error
        except container.UnsupportedCodecError as error:
            raise QueryError("NOT_SUPPORTED", str(error)) from error
        return opened

    def _decode(self, writer: bytes, reader: AvroType, members: Sequence[tuple[StoredObject, Container]]) -> pa.Table:
        first = members[0][0]
        try:
            plan = _plan(writer, reader)
        except (ResolutionError, AvroSchemaError) as error:
            logger.info("%s cannot be read: %s", first.uri, error)
            raise QueryError(
                "HIVE_CANNOT_OPEN_SPLIT", f"Avro type resolution error when initializing split from {first.uri}"
            ) from error
        counts = [opened.rows for _, opened in members]
        if reader.fields:
            try:
                rows = container.decode((opened for _, opened in members), *plan)
            except container.CorruptFileError as error:
                name = first.uri.rpartition("/")[2]
                logger.info("%s or one of the files after it cannot be read: %s", first.uri, error)
                raise QueryError("HIVE_CURSOR_ERROR", f"Failed to read Avro file: {name}") from error
            table = _table(reader, rows, first)
        else:
            table = pa.table({"nothing": pa.nulls(sum(counts), pa.bool_())})
        return _with_hidden(table, [one for one, _ in members], counts)


@lru_cache(maxsize=1024)
def _plan(writer: bytes, reader: AvroType) -> tuple[str, str]:
    """The schemas for the decoder, by the file's schema and the wanted one."""
    resolved = resolve(avro_schema.parse(writer), reader)
    return json.dumps(resolved.writer), json.dumps(resolved.reader)


def _table(reader: AvroType, rows: Sequence[dict[str, Any]], first: StoredObject) -> pa.Table:
    try:
        return arrow_table(reader, rows)
    except (pa.ArrowException, ValueError, OverflowError) as error:  # such as a decimal of too many digits
        name = first.uri.rpartition("/")[2]
        raise QueryError("HIVE_CURSOR_ERROR", f"Failed to read Avro file: {name}") from error


def _with_hidden(table: pa.Table, files: Sequence[StoredObject], counts: Sequence[int]) -> pa.Table:
    repeated = np.repeat(np.arange(len(files), dtype=np.int32), counts)
    hidden: dict[str, Any] = {
        "h0": pa.array([one.uri for one in files], pa.string()),
        "h1": pa.array([one.size for one in files], pa.int64()),
        "h2": pa.array([one.modified.replace(tzinfo=None) for one in files], pa.timestamp("us")),
    }
    for name, values in hidden.items():
        table = table.append_column(name, values.take(pa.array(repeated)))
    return table


def _location(table: Table, partition: Partition | None) -> str:
    return partition.storage.location if partition else table.storage.location


def _select(wanted: Scan, groups: Sequence[tuple[str, _Group]]) -> str:
    """SQL that gives all groups the table's types."""
    table = wanted.table
    declared = {one.name.lower(): column_type(one) for one in table.columns}
    keys = [column_type(one) for one in table.partition_keys]
    if not groups:
        return f"SELECT {', '.join(_nothing(wanted, declared, keys))} WHERE false"
    selects = []
    for name, group in groups:
        expressions = [
            f"{coerced(f'f{position}', kind, declared[column])} AS c{position}"
            for position, (column, kind) in enumerate(zip(wanted.columns, group.kinds, strict=True))
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
