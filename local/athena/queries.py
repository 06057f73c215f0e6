"""One query: text → plan → pruned and read tables → rows."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from local.athena.engine.cache import DecodedCache
from local.athena.engine.scan import Scan, Scanner, partition_value
from local.athena.engine.verification import column_type
from local.athena.errors import QueryCancelled, QueryError
from local.athena.sql.failing import failure_of
from local.athena.sql.metadata import Metadata
from local.athena.sql.parsing import parse_query
from local.athena.sql.queries import QueryTranslator


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from local.athena.duck import Duck
    from local.athena.ports import Catalog, Objects, Partition
    from local.athena.sql.tables import TableScan
    from local.athena.types import Type


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result."""

    name: str
    type: Type


@dataclass
class QueryResult:
    """What a query yields.

    Attributes:
        columns: Its columns.
        rows: Its rows, values as DuckDB gives them.
        scanned_bytes: Sum of the sizes of the objects read.
        scanned_rows: Count of the rows in them.
    """

    columns: list[ResultColumn] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    scanned_bytes: int = 0
    scanned_rows: int = 0


class Cancellation:
    """The wish to stop a query, made by another thread."""

    def __init__(self) -> None:
        self._wanted = Event()
        self._interrupt: Callable[[], None] | None = None

    @property
    def wanted(self) -> bool:
        """Whether the query is to stop."""
        return self._wanted.is_set()

    def cancel(self) -> None:
        """Stop the query."""
        self._wanted.set()
        if self._interrupt is not None:
            self._interrupt()

    def detach(self) -> None:
        """Nothing can be interrupted any more."""
        self._interrupt = None

    def attach(self, interrupt: Callable[[], None]) -> None:
        """Tell how what runs now can be interrupted."""
        self._interrupt = interrupt
        self.check()

    def check(self) -> None:
        """Stop here when that is wanted.

        Raises:
            QueryCancelled: It is.
        """
        if self.wanted:
            raise QueryCancelled


class QueryRunner:
    """Runs queries on a catalog and objects."""

    def __init__(self, catalog: Catalog, objects: Objects, duck: Duck, cache: DecodedCache | None = None) -> None:
        self._catalog = catalog
        self._duck = duck
        self._scanner = Scanner(objects, cache or DecodedCache())

    def run(
        self,
        text: str,
        database: str | None,
        now: datetime,
        parameters: Sequence[str] = (),
        cancellation: Cancellation | None = None,
    ) -> QueryResult:
        """Run one query.

        Args:
            text: The statement.
            database: The database of names without one.
            now: What CURRENT_TIMESTAMP is, in UTC.
            parameters: SQL expressions for the question marks.
            cancellation: How others can stop it.

        Raises:
            QueryError: As Trino fails.
            QueryCancelled: It was stopped.
        """
        cancellation = cancellation or Cancellation()
        translator = QueryTranslator(Metadata(self._catalog, database))
        query = translator.translate(parse_query(text, parameters))
        sql = translator.finished(query.sql)
        cursor = self._duck.cursor(now)
        try:
            cancellation.attach(cursor.interrupt)
            result = QueryResult(
                [
                    ResultColumn(one.name if one.name is not None else f"_col{position}", one.type)
                    for position, one in enumerate(query.fields)
                ]
            )
            sources = [self._read(cursor, scan, result, cancellation) for scan in translator.scans]
            for table in translator.system_tables:
                cursor.register(table.name, table.rows)
            prefix = f"WITH {', '.join(sources)} " if sources else ""
            logger.debug("DuckDB runs: %s", prefix + sql)
            result.rows = self._execute(cursor, prefix + sql, cancellation)
        finally:
            cancellation.detach()
            cursor.close()
        return result

    def _read(
        self, cursor: duckdb.DuckDBPyConnection, scan: TableScan, result: QueryResult, cancellation: Cancellation
    ) -> str:
        """Read a table; the SQL that names it."""
        partitions = self._pruned(cursor, scan) if scan.table.partition_keys else []
        scanned = self._scanner.scan(Scan(scan.table, scan.columns, partitions), scan.name, cancellation.check)
        for name, table in scanned.sources.items():
            cursor.register(name, table)
        result.scanned_bytes += scanned.bytes
        result.scanned_rows += scanned.rows
        return f"{scan.name} AS ({scanned.select})"

    def _pruned(self, cursor: duckdb.DuckDBPyConnection, scan: TableScan) -> list[Partition]:
        """The partitions that satisfy what the query says about their keys: DuckDB itself evaluates it."""
        if not scan.predicates:
            return list(self._catalog.partitions(scan.table))
        listed = self._catalog.partition_values(scan.table)
        keys = scan.table.partition_keys
        columns = {
            f"v{position}": pa.array([one[position] for one in listed], pa.string()) for position in range(len(keys))
        }
        columns["number"] = pa.array(range(len(listed)), pa.int32())
        cursor.register("partition_list", pa.table(columns))
        typed = ", ".join(
            f"{partition_value(f'v{position}', column_type(key))} AS k{position}" for position, key in enumerate(keys)
        )
        where = " AND ".join(scan.predicates)
        sql = f"SELECT number FROM (SELECT number, {typed} FROM partition_list) WHERE {where}"
        chosen = self._execute(cursor, sql, Cancellation())
        cursor.unregister("partition_list")
        return list(self._catalog.partitions(scan.table, {listed[number] for (number,) in chosen}))

    @staticmethod
    def _execute(cursor: duckdb.DuckDBPyConnection, sql: str, cancellation: Cancellation) -> list[tuple[Any, ...]]:
        try:
            rows: list[tuple[Any, ...]] = cursor.execute(sql).fetchall()
        except duckdb.Error as error:
            cancellation.check()
            raise translated_failure(error) from error
        return rows


_INTEGER_TYPES = {"INT64": "bigint", "INT32": "integer", "INT16": "smallint", "INT8": "tinyint"}
# Trino has another error for what a bigint cannot hold, and for decimals.
_TOO_LARGE = re.compile(
    r"Type (?:INT\d+|DOUBLE|FLOAT) with value (\S+) can't be cast .* destination type (INT(?:8|16|32))\b"
)


# What RE2 says of regular expressions that only Java knows.
_FOREIGN_EXPRESSIONS = ("invalid perl operator", "invalid escape sequence")
_NAMES: dict[type[duckdb.Error], str] = {
    duckdb.OutOfRangeException: "NUMERIC_VALUE_OUT_OF_RANGE",
    duckdb.ConversionException: "INVALID_CAST_ARGUMENT",
    duckdb.InvalidInputException: "INVALID_FUNCTION_ARGUMENT",
}


def translated_failure(error: duckdb.Error) -> QueryError:
    """Trino's error for one of DuckDB's."""
    text = str(error)
    own = failure_of(text)
    if own is not None:
        return own
    if "Division by zero" in text:
        return QueryError("DIVISION_BY_ZERO", "Division by zero")
    found = re.search(r"Overflow in (\w+) of (\w+) \((.*?)\)", text)
    if found:
        kind = _INTEGER_TYPES.get(found[2], found[2])
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", f"{kind} {found[1]} overflow: {found[3]}")
    if "Type INT128" in text and "destination type INT64" in text:
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", "bigint addition overflow")
    found = _TOO_LARGE.search(text)
    if found and found[1] != "nan":
        kind = _INTEGER_TYPES[found[2]]
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", f"Out of range for {kind}: {found[1]}")
    found = re.search(r"Unknown TimeZone '(.*?)'", text)
    if found:
        return QueryError("INVALID_FUNCTION_ARGUMENT", f"'{found[1]}' is not a valid time zone")
    if any(part in text for part in _FOREIGN_EXPRESSIONS):
        return QueryError("NOT_SUPPORTED", f"The local Athena does not know this pattern: {_first_line(text)}")
    for kind_of_error, name in _NAMES.items():
        if isinstance(error, kind_of_error):
            return QueryError(name, _first_line(text))
    logger.warning("DuckDB refused what was translated for it: %s", _first_line(text))
    return QueryError("GENERIC_INTERNAL_ERROR", f"The local Athena could not run the statement: {_first_line(text)}")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].partition(": ")[2] or text.strip().splitlines()[0]
