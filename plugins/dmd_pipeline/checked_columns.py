"""Checked columns: what expectations may speak of, computed alike from an Avro row and in Athena.

Rows are nested, expectations are not. So every value of a row that is not inside a list or a map has a flat name, its
dotted path in lower case, and a few more names tell what a row alone does not say:

=======================  ============================================================================================
name                     value
=======================  ============================================================================================
``fanid``                of a field
``date.requested``       of a field of a record; None also when the record is missing
``date``, ``venues``     of a record, list or map at the top: only whether it is there
``partition_date``       the partition that the row lies in, YYYY-MM-DD
``business_date``        the partition that the row belongs to: the UTC date of the first of the record type's stamps
                         that is there; None when there is none, or when it is not written as a stamp should be
``deleted.{path}``       of personal data in a row that is deleted; None in all others
=======================  ============================================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.errors import SchemaError
from dmd_pipeline.layout import PARTITION_KEY
from dmd_pipeline.record_types import NOW
from dmd_pipeline.schemas import AvroType, expand, type_name, without_null
from dmd_pipeline.stamps import DATE_PATTERN, OFFSET_PATTERN, STAMP_PATTERN, TIME_PATTERN, parse_stamp


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from dmd_pipeline.record_types import RecordType
    from dmd_pipeline.rows import Row


BUSINESS_DATE: Final = "business_date"
DELETED: Final = "deleted"

_IS_STAMP: Final = re.compile(STAMP_PATTERN).fullmatch
# \z is the end of the text in every engine; what $ is depends on the engine.
_IN_UTC: Final = rf"^{DATE_PATTERN}(?:T{TIME_PATTERN}Z?)?\z"
_WITH_OFFSET: Final = rf"^{DATE_PATTERN}T{TIME_PATTERN}{OFFSET_PATTERN}\z"


class Kind(StrEnum):
    """What a checked column holds, and so what can be expected of it.

    No pattern is asked of a text that is worked out: Trino 411 makes wrong bytecode of ``regexp_like(CASE … END, …)``
    when a field of a record is inside, and fails with COMPILER_ERROR.
    """

    TEXT = "text"
    DERIVED_TEXT = "text that is worked out"
    BOOLEAN = "booleans"
    WHOLE = "whole numbers"
    PRESENCE = "values of which only the presence is checked"


@dataclass(frozen=True)
class CheckedColumn:
    """Something that expectations may speak of.

    Attributes:
        name: Dotted, in lower case.
        sql: Its value in Trino, in a query of the table alone, every identifier quoted.
        personal: Whether it is personal data, which is shown to nobody.
        value: Its value in a row as fastavro reads it, given the date of the partition that the row lies in. A field
            that the row's file does not know is None.
        kind: What it holds.
    """

    name: str
    sql: str
    personal: bool
    value: Callable[[Row, date], Any]
    kind: Kind


def checked_columns(record_type: RecordType) -> Mapping[str, CheckedColumn]:
    """Everything that expectations of a table may speak of, by name, in the order of the schema.

    Raises:
        SchemaError: A field has a name that is taken.
    """
    personal = frozenset(path.lower() for path in record_type.redacted)
    columns: dict[str, CheckedColumn] = {}
    for column in (*_of_fields(expand(record_type.schema), personal), *_of_rows(record_type)):
        if column.name in columns:
            raise SchemaError(f"{record_type.name}: {column.name} is what checks call something else; rename the field")
        columns[column.name] = column
    return columns


def quoted(identifier: str) -> str:
    """An identifier in Trino.

    >>> quoted("date")
    '"date"'
    """
    return '"{}"'.format(identifier.replace('"', '""'))


def literal(text: str) -> str:
    """A text in Trino.

    >>> literal("Jane's")
    "'Jane''s'"
    """
    return "'{}'".format(text.replace("'", "''"))


# Columns of the schema


def _of_fields(
    record: Mapping[str, Any], personal: frozenset[str], above: tuple[str, ...] = ()
) -> Iterator[CheckedColumn]:
    for field in record["fields"]:
        path = (*above, field["name"])
        inner, _optional = without_null(field["type"])
        is_record = isinstance(inner, dict) and type_name(inner) == "record"
        if not above or not (is_record or type_name(inner) in {"array", "map"}):
            name = ".".join(path).lower()
            yield CheckedColumn(name, _sql(path), name in personal, _reader(path), _kind(inner))
        if is_record and isinstance(inner, dict):
            yield from _of_fields(inner, personal, path)


def _kind(avro_type: AvroType) -> Kind:
    if isinstance(avro_type, dict) and "logicalType" in avro_type:
        return Kind.PRESENCE
    return _KINDS.get(type_name(avro_type), Kind.PRESENCE)


_KINDS: Final = {
    "string": Kind.TEXT,
    "enum": Kind.TEXT,
    "boolean": Kind.BOOLEAN,
    "int": Kind.WHOLE,
    "long": Kind.WHOLE,
}


def _sql(path: Iterable[str]) -> str:
    return ".".join(quoted(name.lower()) for name in path)


def _reader(path: Sequence[str]) -> Callable[[Row, date], Any]:
    *records, last = path

    def read(row: Row, _: date) -> Any:
        for name in records:
            found = row.get(name)
            if found is None:
                return None
            row = found
        return row.get(last)

    return read


# Columns that a row alone does not tell


def _of_rows(record_type: RecordType) -> Iterator[CheckedColumn]:
    yield CheckedColumn(PARTITION_KEY, quoted(PARTITION_KEY), False, lambda _, day: day.isoformat(), Kind.TEXT)
    yield _business_date([path.split(".") for path in record_type.partition_date if path != NOW])
    for path in record_type.redacted:
        yield _of_deleted(path.split("."))


def _business_date(paths: Sequence[Sequence[str]]) -> CheckedColumn:
    readers = [_reader(path) for path in paths]

    def value(row: Row, day: date) -> str | None:
        stamps = (read(row, day) for read in readers)
        stamp = next((stamp for stamp in stamps if stamp is not None), None)
        return None if stamp is None or _IS_STAMP(stamp) is None else parse_stamp(stamp).date().isoformat()

    cases = [f"WHEN {stamp} IS NOT NULL THEN {_utc_date(stamp)}" for stamp in map(_sql, paths)]
    sql = f"CASE {' '.join(cases)} END" if cases else "CAST(NULL AS varchar)"
    return CheckedColumn(BUSINESS_DATE, sql, False, value, Kind.DERIVED_TEXT)


def _utc_date(stamp: str) -> str:
    # To the minute, in the one form of which nobody doubts how it is read.
    in_full = f"substr({stamp}, 1, 16) || ':00' || substr({stamp}, -6)"
    return (
        f"CASE WHEN regexp_like({stamp}, {literal(_IN_UTC)}) THEN substr({stamp}, 1, 10) "
        f"WHEN regexp_like({stamp}, {literal(_WITH_OFFSET)}) "
        f"THEN CAST(CAST(from_iso8601_timestamp({in_full}) AT TIME ZONE 'UTC' AS date) AS varchar) END"
    )


def _of_deleted(path: Sequence[str]) -> CheckedColumn:
    read = _reader(path)

    def value(row: Row, day: date) -> Any:
        return read(row, day) if row.get("isDeleted") else None

    name = ".".join((DELETED, *path)).lower()
    return CheckedColumn(name, f"CASE WHEN {quoted('isdeleted')} THEN {_sql(path)} END", True, value, Kind.DERIVED_TEXT)
