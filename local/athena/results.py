"""Results as Athena gives them: texts in GetQueryResults, CSV or text in S3, types of columns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from local.athena.duck import java_double, java_real
from local.athena.types import UNBOUNDED, Type


if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.athena.queries import QueryResult


@dataclass(frozen=True)
class Column:
    """A column as ``ColumnInfo`` describes it."""

    name: str
    type: str
    precision: int
    scale: int
    case_sensitive: bool

    def info(self) -> dict[str, Any]:
        """The ``ColumnInfo`` of GetQueryResults."""
        return {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": self.name,
            "Label": self.name,
            "Type": self.type,
            "Precision": self.precision,
            "Scale": self.scale,
            "Nullable": "UNKNOWN",
            "CaseSensitive": self.case_sensitive,
        }


@dataclass(frozen=True)
class Result:
    """What is kept of a finished statement.

    Attributes:
        columns: Its columns.
        rows: Its rows as texts; None stands for NULL.
        has_header: Whether the first page of GetQueryResults begins with the columns' names: only for queries.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str | None, ...], ...]
    has_header: bool

    @property
    def suffix(self) -> str:
        """Ending of the object in S3."""
        return ".csv" if self.has_header else ".txt"

    @property
    def content_type(self) -> str:
        """Content type of the object in S3."""
        return "application/octet-stream" if self.has_header else "text/plain"

    def data(self) -> bytes:
        """The object in S3."""
        if self.has_header:
            lines = [tuple(column.name for column in self.columns), *self.rows]
            return "".join(",".join(map(_quoted, line)) + "\n" for line in lines).encode()
        return "".join("\t".join(value or "" for value in line) + "\n" for line in self.rows).encode()

    def metadata(self) -> bytes:
        """The ``.metadata`` object beside it. Athena's own format is binary and not documented."""
        return json.dumps([column.info() for column in self.columns]).encode()

    def page(self, start: int, size: int) -> tuple[list[dict[str, Any]], int | None]:
        """Rows for GetQueryResults from a position on, and where the next page begins."""
        header: list[tuple[str | None, ...]] = [tuple(column.name for column in self.columns)]
        lines = header + list(self.rows) if self.has_header else list(self.rows)
        end = start + size
        shown = [{"Data": [_datum(value) for value in line]} for line in lines[start:end]]
        return shown, end if end < len(lines) else None


def _quoted(value: str | None) -> str:
    return "" if value is None else '"' + value.replace('"', '""') + '"'


def _datum(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}


def text_result(names: Sequence[str], lines: Sequence[str]) -> Result:
    """The result of a statement that answers with lines of text."""
    columns = tuple(Column(name, "string", 0, 0, case_sensitive=False) for name in names)
    return Result(columns, tuple((line,) for line in lines), has_header=False)


def query_result(result: QueryResult) -> Result:
    """The result of a query."""
    columns = tuple(_column(one.name, one.type) for one in result.columns)
    kinds = [one.type for one in result.columns]
    rows = tuple(tuple(text_of(value, kind) for value, kind in zip(row, kinds, strict=True)) for row in result.rows)
    return Result(columns, rows, has_header=True)


_NAMES = {"real": "float", "interval day to second": "interval day to second"}
_PRECISIONS = {
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "real": 17,
    "double": 17,
    "varbinary": 1073741824,
    "timestamp": 3,
    "timestamp with time zone": 3,
}


def _column(name: str, kind: Type) -> Column:
    precision, scale = _PRECISIONS.get(kind.name, 0), 0
    if kind.name in ("varchar", "char"):
        precision = kind.numbers[0] if kind.numbers else UNBOUNDED
    elif kind.name == "decimal":
        precision, scale = kind.numbers
    return Column(name, _NAMES.get(kind.name, kind.name), precision, scale, kind.name in ("varchar", "char"))


def text_of(value: Any, kind: Type) -> str | None:
    """A value as Athena writes it; None for NULL."""
    if value is None:
        return None
    writer = _WRITERS.get(kind.name)
    return str(value) if writer is None else writer(value, kind)


def _nested(value: Any, kind: Type) -> str:
    written = text_of(value, kind)
    return "null" if written is None else written


def _array(value: Any, kind: Type) -> str:
    return "[" + ", ".join(_nested(item, kind.element) for item in value) + "]"


def _map(value: Any, kind: Type) -> str:
    key, element = kind.elements
    return "{" + ", ".join(f"{_nested(one, key)}={_nested(other, element)}" for one, other in value.items()) + "}"


def _row(value: Any, kind: Type) -> str:
    return (
        "{"
        + ", ".join(
            f"{name or f'field{position}'}={_nested(value[f'f{position}'], element)}"
            for position, (name, element) in enumerate(zip(kind.names, kind.elements, strict=True))
        )
        + "}"
    )


def _timestamp(value: datetime, kind: Type) -> str:
    digits = max(3, kind.numbers[0]) if kind.numbers else 3
    return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond:06}".ljust(20 + digits, "0")[: 20 + digits]


def _time(value: time, kind: Type) -> str:
    digits = kind.numbers[0] if kind.numbers else 3
    return f"{value:%H:%M:%S}.{value.microsecond:06}"[: 9 + digits].rstrip(".")


def _zoned(value: Any, kind: Type) -> str:
    moment, zone = value["u"], value["z"]
    return f"{_timestamp(local_time(moment, zone), kind)} {zone}"


def local_time(moment: datetime, zone: str) -> datetime:
    """A moment in UTC as the clocks of a zone show it."""
    if zone[0] in "+-":
        hours, minutes = zone[1:].split(":")
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if zone[0] == "-" else 1)
        return moment.replace(tzinfo=UTC).astimezone(timezone(offset)).replace(tzinfo=None)
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _day_to_second(value: int, _kind: Type) -> str:
    sign = "-" if value < 0 else ""
    days, rest = divmod(abs(value), 86_400_000)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{sign}{days} {hours:02}:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"


def _year_to_month(value: int, _kind: Type) -> str:
    return f"{'-' if value < 0 else ''}{abs(value) // 12}-{abs(value) % 12}"


def _boolean(value: bool, _kind: Type) -> str:
    return "true" if value else "false"


def _date(value: date, _kind: Type) -> str:
    return value.isoformat()


_WRITERS: dict[str, Any] = {
    "boolean": _boolean,
    "real": lambda value, _kind: java_real(value),
    "double": lambda value, _kind: java_double(value),
    "date": _date,
    "time": _time,
    "timestamp": _timestamp,
    "timestamp with time zone": _zoned,
    "varbinary": lambda value, _kind: bytes(value).hex(" "),
    "array": _array,
    "map": _map,
    "row": _row,
    "decimal": lambda value, _kind: format(value, "f"),
    "interval day to second": _day_to_second,
    "interval year to month": _year_to_month,
}
