"""The Avro files of a table: which schema reads them, and their rows."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from local.athena.engine import avro_schema, container, reader_schema
from local.athena.engine.avro_schema import AvroSchemaError, AvroType, UnsupportedUnionError, trino_type
from local.athena.engine.columns import arrow_table, empty_table
from local.athena.engine.files import content
from local.athena.engine.hidden_columns import with_hidden
from local.athena.engine.presentation import Presentation, is_declared, presentation
from local.athena.engine.resolution import (
    Gap,
    ResolutionError,
    UnsupportedResolutionError,
    gaps,
    projected,
    resolve,
)
from local.athena.engine.verification import column_type, column_types, own_column
from local.athena.errors import QueryError
from local.athena.types import Type, to_hive


if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.athena.engine.container import Container
    from local.athena.ports import Objects, Partition, StoredObject, Table


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AvroReader:
    """Reads Avro files by one schema.

    Attributes:
        schema: The reader schema.
        wanted: The same with the wanted columns only, in the order in which they are wanted.
        kinds: Their types.
    """

    schema: AvroType
    wanted: AvroType
    kinds: tuple[Type, ...]

    def read(self, objects: Objects, files: Sequence[StoredObject]) -> pa.Table:
        """The rows of files: neighbours with the same writer's schema are decoded together.

        Raises:
            QueryError: As the engine fails: HIVE_CANNOT_OPEN_SPLIT, HIVE_CURSOR_ERROR, …
        """
        opened = [(one, _opened(objects, one)) for one in files]
        tables = []
        for writer, neighbours in groupby(opened, key=lambda pair: pair[1].schema):
            tables.append(self._decode(writer, list(neighbours)))
        return pa.concat_tables(tables)

    def _decode(self, writer: bytes, members: Sequence[tuple[StoredObject, Container]]) -> pa.Table:
        first = members[0][0]
        counts = [opened.rows for _, opened in members]
        if not self.wanted.fields:
            table = pa.table({"nothing": pa.nulls(sum(counts), pa.bool_())})
        elif sum(counts) == 0:  # a file is held against the schema when its first row is read
            table = empty_table(self.wanted)
        else:
            table = _table(self.wanted, self._rows(writer, [opened for _, opened in members], first), first)
        return with_hidden(table, [one for one, _ in members], counts)

    def _rows(self, writer: bytes, containers: Sequence[Container], first: StoredObject) -> list[dict[str, Any]]:
        """The rows of files with one writer's schema; whatever cannot be read of them is an error, wanted or not."""
        try:
            found, plan = _plans(writer, self.schema, self.wanted)
            if found:
                container.decode(containers, *_plan(avro_schema.parse(writer), self.schema))
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


def avro_reader(table: Table, partition: Partition | None, columns: Sequence[str]) -> AvroReader:
    """What reads the files of a partition, or of a table without partitions: a schema, and the types it yields.

    Raises:
        QueryError: The schema cannot be had, or does not yield what partition and table declare.
    """
    schema = reader_schema.reader_schema(table, partition)
    wanted = projected(schema, reader_schema.find_columns(schema, columns))
    try:
        kinds = trino_type(wanted).elements
    except UnsupportedUnionError as error:
        raise QueryError("NOT_SUPPORTED", str(error)) from error
    declared = column_types(table)
    for name, kind in zip(columns, kinds, strict=True):
        own = own_column(partition, name) if partition else None
        _check_presentation(name, kind, column_type(own) if own else declared[name], declared[name])
    return AvroReader(schema, wanted, kinds)


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


def _opened(objects: Objects, one: StoredObject) -> Container:
    try:
        opened = container.parse(content(objects, one))
        container.check_codec(opened)
    except container.NotAvroError as error:
        raise QueryError("HIVE_CANNOT_OPEN_SPLIT", f"Error opening Hive split {one.uri}: {error}") from error
    except container.CorruptFileError as error:
        raise QueryError("HIVE_CURSOR_ERROR", f"Failed to read Avro file: {one.uri.rpartition('/')[2]}") from error
    except container.UnsupportedCodecError as error:
        raise QueryError("NOT_SUPPORTED", str(error)) from error
    return opened


def _refuse(found: frozenset[Gap]) -> None:
    if Gap.SYMBOL in found:
        raise UnsupportedResolutionError("An enum has symbols that the schema lacks: not every Trino reads the others")


@lru_cache(maxsize=1024)
def _plans(writer: bytes, schema: AvroType, wanted: AvroType) -> tuple[frozenset[Gap], tuple[str, str]]:
    """What only the values tell, of all columns, and the schemas for the decoder, of the wanted ones."""
    written = avro_schema.parse(writer)
    return gaps(written, schema), _plan(written, wanted)


def _plan(written: AvroType, reader: AvroType) -> tuple[str, str]:
    resolved = resolve(written, reader)
    return json.dumps(resolved.writer), json.dumps(resolved.reader)


def _table(reader: AvroType, rows: Sequence[dict[str, Any]], first: StoredObject) -> pa.Table:
    try:
        return arrow_table(reader, rows)
    except (pa.ArrowException, ValueError, OverflowError) as error:  # such as a decimal of too many digits
        name = first.uri.rpartition("/")[2]
        raise QueryError("HIVE_CURSOR_ERROR", f"Failed to read Avro file: {name}") from error
