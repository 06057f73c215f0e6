"""Names of tables → tables of the catalog, and tables that the catalog's own content makes up."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from local.athena import types
from local.athena.engine.verification import column_type
from local.athena.sql.parsing_errors import refused
from local.athena.sql.tables import SystemTable
from local.athena.views import View, is_view, view_of


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlglot import exp

    from local.athena.ports import Catalog, Column, Table
    from local.athena.types import Type


CATALOG_NAME = "awsdatacatalog"
_PARTITIONS = "$partitions"
_INFORMATION_SCHEMA = "information_schema"


class Metadata:
    """What a query can know about the catalog.

    Attributes:
        catalog: The catalog.
        database: The database of names without one, or None.
    """

    def __init__(self, catalog: Catalog, database: str | None) -> None:
        self.catalog = catalog
        self.database = database
        self._made = 0

    @contextmanager
    def within(self, database: str | None) -> Iterator[None]:
        """Meanwhile names without a database are those of another one."""
        outer, self.database = self.database, database
        try:
            yield
        finally:
            self.database = outer

    def name_of(self, node: exp.Table) -> tuple[str, str]:
        """Database and name that a name stands for, whether or not there is such a table.

        Raises:
            QueryError: CATALOG_NOT_FOUND, SCHEMA_NOT_FOUND, MISSING_SCHEMA_NAME.
        """
        catalog, database, name = node.catalog.lower(), node.db.lower() or (self.database or ""), node.name.lower()
        if catalog and catalog != CATALOG_NAME:
            raise refused("CATALOG_NOT_FOUND", f"Catalog '{catalog}' does not exist", node)
        if not database:
            raise refused("MISSING_SCHEMA_NAME", "Schema must be specified when session schema is not set", node)
        if database != _INFORMATION_SCHEMA and self.catalog.database(database) is None:
            raise refused("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist", node)
        return database, name

    def resolve(self, node: exp.Table) -> Table | SystemTable | View:
        """The table or view of a name.

        Raises:
            QueryError: TABLE_NOT_FOUND, HIVE_INVALID_VIEW_DATA, and what ``name_of`` raises.
        """
        database, name = self.name_of(node)
        if database == _INFORMATION_SCHEMA:
            return self._information_schema(name, node)
        table = self.catalog.table(database, name.removesuffix(_PARTITIONS))
        if table is None or (name.endswith(_PARTITIONS) and not table.partition_keys):
            shown = f"{CATALOG_NAME}.{database}.{name}"
            raise refused("TABLE_NOT_FOUND", f"Table '{shown}' does not exist", node)
        if name.endswith(_PARTITIONS):
            return self._partitions(table)
        return view_of(table) if is_view(table) else table

    @staticmethod
    def types_of(table: SystemTable) -> list[Type]:
        """Trino's types of a system table's columns."""
        return [_ARROW_TYPES[str(column.type)] for column in table.rows.schema]

    def _name(self) -> str:
        self._made += 1
        return f"system_{self._made}"

    def _partitions(self, table: Table) -> SystemTable:
        values = self.catalog.partition_values(table)
        columns = {}
        for position, key in enumerate(table.partition_keys):
            kind = _ARROW_BY_NAME.get(column_type(key).name, pa.string())
            columns[key.name.lower()] = pa.array([one[position] for one in values], pa.string()).cast(kind)
        return SystemTable(self._name(), pa.table(columns))

    def _information_schema(self, name: str, node: exp.Table) -> SystemTable:
        if name == "schemata":
            rows: dict[str, Sequence[object]] = {
                "catalog_name": [CATALOG_NAME for _ in self.catalog.databases()],
                "schema_name": [one.name for one in self.catalog.databases()],
            }
        elif name == "tables":
            rows = self._tables()
        elif name == "columns":
            rows = self._columns()
        else:
            shown = f"{CATALOG_NAME}.information_schema.{name}"
            raise refused("TABLE_NOT_FOUND", f"Table '{shown}' does not exist", node)
        arrays = {
            column: pa.array(values, pa.int64() if column == "ordinal_position" else pa.string())
            for column, values in rows.items()
        }
        return SystemTable(self._name(), pa.table(arrays))

    def _every_table(self) -> list[Table]:
        return [table for database in self.catalog.databases() for table in self.catalog.tables(database.name)]

    def _tables(self) -> dict[str, Sequence[object]]:
        tables = self._every_table()
        return {
            "table_catalog": [CATALOG_NAME for _ in tables],
            "table_schema": [table.database for table in tables],
            "table_name": [table.name for table in tables],
            "table_type": ["VIEW" if is_view(table) else "BASE TABLE" for table in tables],
        }

    def _columns(self) -> dict[str, Sequence[object]]:
        found = [
            (table, position, column, extra)
            for table in self._every_table()
            for position, (column, extra) in enumerate(_all_columns(table), 1)
        ]
        return {
            "table_catalog": [CATALOG_NAME for _ in found],
            "table_schema": [table.database for table, *_ in found],
            "table_name": [table.name for table, *_ in found],
            "column_name": [column.name.lower() for _, _, column, _ in found],
            "ordinal_position": [position for _, position, _, _ in found],
            "column_default": [None for _ in found],
            "is_nullable": ["YES" for _ in found],
            "data_type": [str(column_type(column)) for _, _, column, _ in found],
            "comment": [column.comment or None for _, _, column, _ in found],
            "extra_info": [extra for *_, extra in found],
        }


def _all_columns(table: Table) -> list[tuple[Column, str | None]]:
    return [(column, None) for column in table.columns] + [(key, "partition key") for key in table.partition_keys]


_ARROW_TYPES = {"string": types.VARCHAR, "int64": types.BIGINT, "int32": types.INTEGER, "date32[day]": types.DATE}
_ARROW_BY_NAME = {"bigint": pa.int64(), "integer": pa.int32(), "date": pa.date32()}
