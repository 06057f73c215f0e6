"""The JSON files of a table: one object a line, read as the OpenX JSON SerDe reads them.

A name of a column is looked up among the keys of the object whatever its case; a key that is missing is NULL. Bytes
that are no JSON, and values that do not fit their column, fail the query; errors name the file and the line, and never
what stands there.

https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
"""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from local.athena.engine.files import content
from local.athena.engine.hidden_columns import with_hidden
from local.athena.engine.json_values import (
    DuplicateKeyError,
    MalformedRowError,
    UnfitValueError,
    UnsupportedValueError,
    arrow_type,
    conversion,
    parse_row,
)
from local.athena.engine.verification import column_type, column_types, own_column
from local.athena.errors import QueryError
from local.athena.ports import TEXT_INPUT


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from local.athena.ports import Objects, Partition, StoredObject, Table
    from local.athena.types import Type


_IGNORE_MALFORMED = "ignore.malformed.json"
# What of the SerDe's properties changes nothing, or asks for what is done anyway.
_HARMLESS = {
    "serialization.format": None,
    "paths": None,
    "case.insensitive": "true",
    "dots.in.keys": "false",
    "use.null.for.invalid.data": "false",
}
_UNKNOWN_COMPRESSIONS = (".bz2", ".deflate", ".lz4", ".lzo", ".snappy", ".zst")
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class JsonReader:
    """Reads files of JSON objects.

    Attributes:
        columns: The wanted columns in lower case.
        kinds: Their types.
        ignores_malformed: Whether a line that is no JSON object is a row of NULLs, and not an error.
    """

    columns: tuple[str, ...]
    kinds: tuple[Type, ...]
    ignores_malformed: bool

    def read(self, objects: Objects, files: Sequence[StoredObject]) -> pa.Table:
        """The rows of files, a line each.

        Raises:
            QueryError: HIVE_CURSOR_ERROR for what is no JSON, HIVE_BAD_DATA for what does not fit its column.
        """
        conversions = [conversion(kind) for kind in self.kinds]
        values: list[list[Any]] = [[] for _ in self.kinds]
        counts = []
        for one in files:
            lines = _lines(one.uri, content(objects, one))
            counts.append(len(lines))
            for number, row in enumerate(self._rows(one.uri, lines), 1):
                for name, convert, kind, column in zip(self.columns, conversions, self.kinds, values, strict=True):
                    try:
                        value = row.get(name)
                        column.append(None if value is None else convert(value))
                    except UnsupportedValueError as error:
                        raise QueryError("NOT_SUPPORTED", f"{error}: {_place(one.uri, number)}") from error
                    except UnfitValueError as error:
                        text = f"Error parsing a value of column '{name}' as {kind}: {_place(one.uri, number)}"
                        raise QueryError("HIVE_BAD_DATA", text) from error
        arrays = {
            f"f{position}": pa.array(column, arrow_type(kind))
            for position, (column, kind) in enumerate(zip(values, self.kinds, strict=True))
        }
        return with_hidden(pa.table(arrays or {"nothing": pa.nulls(sum(counts), pa.bool_())}), files, counts)

    def _rows(self, uri: str, lines: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        for number, line in enumerate(lines, 1):
            try:
                yield parse_row(line)
            except MalformedRowError as error:
                if not self.ignores_malformed:
                    raise QueryError("HIVE_CURSOR_ERROR", f"{error}: {_place(uri, number)}") from error
                yield {}
            except DuplicateKeyError as error:
                raise QueryError("HIVE_CURSOR_ERROR", f"{error}: {_place(uri, number)}") from error
            except UnsupportedValueError as error:
                raise QueryError("NOT_SUPPORTED", f"{error}: {_place(uri, number)}") from error


def json_reader(table: Table, partition: Partition | None, columns: Sequence[str]) -> JsonReader:
    """What reads the files of a partition, or of a table without partitions.

    Raises:
        QueryError: NOT_SUPPORTED for properties, types and differences between partition and table that the local
            Athena does not know.
    """
    storage = (partition or table).storage
    if storage.input_format != TEXT_INPUT:
        raise QueryError("NOT_SUPPORTED", f"The local Athena reads JSON with the input format {TEXT_INPUT} only")
    for key, value in storage.serde_parameters.items():
        if key != _IGNORE_MALFORMED and _HARMLESS.get(key, "") not in (None, value.lower()):
            raise QueryError("NOT_SUPPORTED", f"The local Athena does not know the property {key} of the JSON SerDe")
    declared = column_types(table)
    for name in columns:
        own = own_column(partition, name) if partition else None
        if partition and (own is None or column_type(own) != declared[name]):
            raise QueryError(
                "NOT_SUPPORTED",
                f"Partition {partition.name(table)} does not declare {name} as its table does: update its columns",
            )
        try:
            arrow_type(declared[name])
        except UnsupportedValueError as error:
            raise QueryError("NOT_SUPPORTED", f"{error}: column {name}") from error
    kinds = tuple(declared[name] for name in columns)
    return JsonReader(tuple(columns), kinds, storage.serde_parameters.get(_IGNORE_MALFORMED, "").lower() == "true")


def _lines(uri: str, data: bytes) -> list[str]:
    """The lines of a text file; what its name says is compressed is unpacked first."""
    name = uri.lower()
    if name.endswith(_UNKNOWN_COMPRESSIONS):
        raise QueryError("NOT_SUPPORTED", f"The local Athena does not know this compression: {uri}")
    if name.endswith(".gz"):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise QueryError("HIVE_CURSOR_ERROR", f"Failed to read file at {uri}") from error
    lines = _LINE_END.split(data.decode("utf-8", "replace"))
    return lines if lines[-1] else lines[:-1]


def _place(uri: str, line: int) -> str:
    return f"{uri}, line {line}"
