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
from local.athena.engine.columns import arrow_table, empty_table
from local.athena.engine.files import Listing
from local.athena.engine.lagging import has_values_beyond
from local.athena.engine.presentation import Presentation, is_declared, presentation, presented
from local.athena.engine.resolution import (
    Gap,
    ResolutionError,
    UnsupportedResolutionError,
    gaps,
    projected,
    resolve,
)
from local.athena.engine.verification import column_type, own_column, verify
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
    """Rows that arrive with the same types and so can be converted by the same SQL.

    Attributes:
        schema: The reader schema.
        reader: The same with the wanted columns only, in the order in which they are wanted.
        kinds: Their types.
    """

    schema: AvroType
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
        declared = _declared(wanted.table)
        for name, kind in zip(wanted.columns, kinds, strict=True):
            own = own_column(partition, name) if partition else None
            _check_presentation(name, kind, column_type(own) if own else declared[name], declared[name])
        return _Group(schema, reader, kinds)

    def _split(
        self, wanted: Scan, partition: Partition | None, group: _Group, files: Sequence[StoredObject]
    ) -> pa.Table:
        """The rows of one partition, with where they come from beside them."""
        key = (tuple((one.uri, one.etag) for one in files), group.schema, group.reader)
        rows = self._cache.get(key)
        if rows is None:
            rows = self._read(group, files)
            self._cache.put(key, rows)
        if partition:
            _check_own_columns(wanted, partition, rows)
        for position, _ in enumerate(wanted.table.partition_keys):
            value = partition.values[position] if partition else None
            rows = rows.append_column(f"k{position}", pa.repeat(pa.scalar(value, pa.string()), rows.num_rows))
        return rows

    def _read(self, group: _Group, files: Sequence[StoredObject]) -> pa.Table:
        """The rows of one partition's files: neighbours with the same writer's schema are decoded together."""
        opened = [(one, self._open(one)) for one in files]
        tables = []
        for writer, neighbours in groupby(opened, key=lambda pair: pair[1].schema):
            tables.append(self._decode(writer, group, list(neighbours)))
        return pa.concat_tables(tables) if tables else empty_table(group.reader)

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

    def _decode(self, writer: bytes, group: _Group, members: Sequence[tuple[StoredObject, Container]]) -> pa.Table:
        first = members[0][0]
        counts = [opened.rows for _, opened in members]
        if not group.reader.fields:
            table = pa.table({"nothing": pa.nulls(sum(counts), pa.bool_())})
        elif sum(counts) == 0:  # a file is held against the schema when its first row is read
            table = empty_table(group.reader)
        else:
            table = _table(group.reader, _rows(writer, group, [opened for _, opened in members], first), first)
        return _with_hidden(table, [one for one, _ in members], counts)


def _rows(writer: bytes, group: _Group, containers: Sequence[Container], first: StoredObject) -> list[dict[str, Any]]:
    """The rows of files with one writer's schema; whatever cannot be read of them is an error, wanted or not."""
    try:
        found, plan = _plans(writer, group.schema, group.reader)
        if found:
            container.decode(containers, *_plan(avro_schema.parse(writer), group.schema))
        _refuse(found)
        return container.decode(containers, *plan)
    except UnsupportedResolutionError as error:
        raise QueryError("NOT_SUPPORTED", str(error)) from error
    except (ResolutionError, AvroSchemaError) as error:
        logger.info("%s cannot be read: %s", first.uri, error)
        raise QueryError("HIVE_CURSOR_ERROR", str(error)) from error
    except container.CorruptFileError as error:
        name = first.uri.rpartition("/")[2]
        logger.info("%s or one of the files after it cannot be read: %s", first.uri, error)
        raise QueryError("HIVE_CURSOR_ERROR", f"Failed to read Avro file: {name}") from error


def _refuse(found: frozenset[Gap]) -> None:
    if Gap.SYMBOL in found:
        raise UnsupportedResolutionError("An enum has symbols that the schema lacks: not every Trino reads the others")


@lru_cache(maxsize=1024)
def _plans(writer: bytes, schema: AvroType, reader: AvroType) -> tuple[frozenset[Gap], tuple[str, str]]:
    """What only the values tell, of all columns, and the schemas for the decoder, of the wanted ones."""
    written = avro_schema.parse(writer)
    return gaps(written, schema), _plan(written, reader)


def _plan(written: AvroType, reader: AvroType) -> tuple[str, str]:
    resolved = resolve(written, reader)
    return json.dumps(resolved.writer), json.dumps(resolved.reader)


def _declared(table: Table) -> dict[str, Type]:
    return {one.name.lower(): column_type(one) for one in table.columns}


def _check_presentation(name: str, kind: Type, own: Type, declared: Type) -> None:
    """Refuse values whose type in the Avro schema is not one for the partition's and the table's column."""
    found = presentation(kind, declared)
    if found is Presentation.RIGHT and is_declared(kind, own):
        return
    types = (
        f"Column {name} is {to_hive(kind)} in the Avro schema, {to_hive(own)} in the partition "
        f"and {to_hive(declared)} in the table"
    )
    if found is Presentation.FAILS:
        raise QueryError("GENERIC_INTERNAL_ERROR", f"{types}: the engine fails to read it")
    raise QueryError("NOT_SUPPORTED", f"{types}: the releases of Trino do not all read its value")


def _check_own_columns(wanted: Scan, partition: Partition, rows: pa.Table) -> None:
    """Refuse values of which the partition's own copy of the column does not know."""
    declared = _declared(wanted.table)
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
    declared = _declared(table)
    keys = [column_type(one) for one in table.partition_keys]
    if not groups:
        return f"SELECT {', '.join(_nothing(wanted, declared, keys))} WHERE false"
    selects = []
    for name, group in groups:
        expressions = [
            f"{presented(f'f{position}', kind, declared[column])} AS c{position}"
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
