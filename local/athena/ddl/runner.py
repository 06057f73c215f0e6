"""Runs the statements that change or show the catalog."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from local.athena.ddl import definitions, show, views
from local.athena.ddl.repair import repair
from local.athena.ddl.tokens import Tokens
from local.athena.errors import DdlError, QueryError
from local.athena.ports import Database, Partition, Table
from local.athena.results import text_result
from local.athena.statements import kind_of, without_comments
from local.athena.views import is_view


if TYPE_CHECKING:
    from collections.abc import Callable

    from local.athena.ports import Catalog, Objects
    from local.athena.results import Result


_DONE = text_result([], [])


class DdlRunner:
    """Runs DDL statements on a catalog."""

    def __init__(self, catalog: Catalog, objects: Objects) -> None:
        self._catalog = catalog
        self._objects = objects
        self._statements: dict[str, Callable[[Tokens, str | None], Result]] = {
            "CREATE_DATABASE": self._create_database,
            "DROP_DATABASE": self._drop_database,
            "CREATE_TABLE": self._create_table,
            "DROP_TABLE": self._drop_table,
            "ALTER_TABLE_ADD_PARTITION": self._add_partitions,
            "ALTER_TABLE_DROP_PARTITION": self._drop_partitions,
            "ALTER_TABLE_SET_LOCATION": self._set_location,
            "ALTER_TABLE_PROPERTIES": self._set_properties,
            "ALTER_TABLE_ADD_COLUMNS": self._add_columns,
            "MSCK_REPAIR_TABLE": self._repair,
            "CREATE_VIEW": self._create_view,
            "DROP_VIEW": self._drop_view,
            "SHOW_PARTITIONS": self._show_partitions,
            "SHOW_TABLES": self._show_tables,
            "SHOW_DATABASES": self._show_databases,
            "SHOW_COLUMNS": self._show_columns,
            "SHOW_CREATE_TABLE": self._show_create_table,
            "SHOW_TBLPROPERTIES": self._show_properties,
            "SHOW_VIEWS": self._show_views,
            "SHOW_CREATE_VIEW": self._show_create_view,
            "DESCRIBE_TABLE": self._describe,
        }

    def run(self, text: str, database: str | None) -> Result:
        """Run one statement.

        Args:
            text: The statement.
            database: The database of names without one.

        Raises:
            QueryError: As Athena fails.
        """
        kind = kind_of(text)
        statement = self._statements.get(kind.subtype)
        if statement is None:
            words = kind.subtype.replace("_", " ")
            raise QueryError("NOT_SUPPORTED", f"The local Athena does not run this statement ({words})")
        return statement(Tokens(without_comments(text)), database)

    # ----------------------------------------------------------------------------------------------------- databases

    def _create_database(self, tokens: Tokens, _: str | None) -> Result:
        tokens.expect("CREATE")
        tokens.take()  # DATABASE or SCHEMA, as the kind of the statement says
        if_not_exists = tokens.accept("IF", "NOT", "EXISTS")
        name = tokens.identifier()
        comment = tokens.string() if tokens.accept("COMMENT") else ""
        location = tokens.string() if tokens.accept("LOCATION") else ""
        properties = definitions.properties(tokens) if tokens.accept("WITH", "DBPROPERTIES") else {}
        tokens.end()
        if self._catalog.database(name) is None:
            self._catalog.create_database(Database(name, comment, location, properties))
        elif not if_not_exists:
            raise _execution_error(f"Database {name} already exists")
        return _DONE

    def _drop_database(self, tokens: Tokens, _: str | None) -> Result:
        tokens.expect("DROP")
        tokens.take()
        if_exists = tokens.accept("IF", "EXISTS")
        name = tokens.identifier()
        cascade = tokens.accept("CASCADE")
        tokens.accept("RESTRICT")
        tokens.end()
        if self._catalog.database(name) is None:
            if if_exists:
                return _DONE
            raise DdlError("SemanticException", f"[Error 10072]: Database does not exist: {name}")
        if self._catalog.tables(name) and not cascade:
            raise _execution_error(f"InvalidOperationException(message:Database {name} is not empty.)")
        self._catalog.drop_database(name)
        return _DONE

    # -------------------------------------------------------------------------------------------------------- tables

    def _table(self, tokens: Tokens, database: str | None) -> Table:
        owner, name = tokens.qualified(database)
        table = self._catalog.table(owner, name)
        if table is None:
            raise DdlError("SemanticException", f"[Error 10001]: Table not found {owner}.{name}")
        return table

    def _create_table(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("CREATE")
        if not tokens.accept("EXTERNAL"):
            raise QueryError(
                "NOT_SUPPORTED", "The local Athena runs CREATE EXTERNAL TABLE only, no managed tables and no CTAS"
            )
        tokens.expect("TABLE")
        if_not_exists = tokens.accept("IF", "NOT", "EXISTS")
        owner, name = tokens.qualified(database)
        columns = definitions.columns(tokens)
        comment = tokens.string() if tokens.accept("COMMENT") else ""
        keys = definitions.columns(tokens) if tokens.accept("PARTITIONED", "BY") else ()
        storage = definitions.storage(tokens, columns)
        properties = definitions.properties(tokens) if tokens.accept("TBLPROPERTIES") else {}
        tokens.end()
        repeated = {one.name for one in keys} & {one.name for one in columns}
        if repeated:
            raise DdlError(
                "SemanticException", f"[Error 10035]: Column repeated in partitioning columns: {min(repeated)}"
            )
        if self._catalog.database(owner) is None:
            raise DdlError("SemanticException", f"[Error 10072]: Database does not exist: {owner}")
        if self._catalog.table(owner, name) is None:
            marks = {"EXTERNAL": "TRUE", "transient_lastDdlTime": str(int(time.time()))}
            self._catalog.create_table(Table(owner, name, storage, keys, marks | properties, comment=comment))
        elif not if_not_exists:
            raise _execution_error(f"AlreadyExistsException(message:Table {name} already exists.)")
        return _DONE

    def _drop_table(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("DROP", "TABLE")
        if_exists = tokens.accept("IF", "EXISTS")
        owner, name = tokens.qualified(database)
        tokens.accept("PURGE")
        tokens.end()
        table = self._catalog.table(owner, name)
        if table is not None and is_view(table):
            raise _execution_error("Cannot drop a view with DROP TABLE")
        if table is not None:
            self._catalog.drop_table(table)
        elif not if_exists:
            raise DdlError("SemanticException", f"[Error 10001]: Table not found {owner}.{name}")
        return _DONE

    def _set_properties(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("ALTER", "TABLE")
        table = self._table(tokens, database)
        tokens.expect("SET", "TBLPROPERTIES")
        properties = definitions.properties(tokens)
        tokens.end()
        self._catalog.update_table(replace(table, parameters={**table.parameters, **properties}))
        return _DONE

    def _add_columns(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("ALTER", "TABLE")
        table = self._table(tokens, database)
        tokens.expect("ADD", "COLUMNS")
        added = definitions.columns(tokens)
        tokens.end()
        existing = {one.name.lower() for one in (*table.columns, *table.partition_keys)}
        repeated = existing & {one.name for one in added}
        if repeated:
            raise DdlError("SemanticException", f"[Error 10036]: Duplicate column name: {min(repeated)}")
        self._catalog.update_table(table.with_columns((*table.columns, *added)))
        return _DONE

    # ----------------------------------------------------------------------------------------------------- partitions

    def _add_partitions(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("ALTER", "TABLE")
        table = self._table(tokens, database)
        tokens.expect("ADD")
        if_not_exists = tokens.accept("IF", "NOT", "EXISTS")
        wanted = []
        while tokens.accept("PARTITION"):
            values = definitions.partition_spec(tokens, table)
            location = tokens.string() if tokens.accept("LOCATION") else definitions.partition_location(table, values)
            wanted.append(Partition(values, replace(table.storage, location=location)))
        if not wanted:
            tokens.fail("'PARTITION'")
        tokens.end()
        for partition in wanted:
            if not self._catalog.add_partition(table, partition) and not if_not_exists:
                raise _execution_error("AlreadyExistsException(message:Partition already exists.)")
        return _DONE

    def _drop_partitions(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("ALTER", "TABLE")
        table = self._table(tokens, database)
        tokens.expect("DROP")
        if_exists = tokens.accept("IF", "EXISTS")
        registered = {one.values: one for one in self._catalog.partitions(table)}
        wanted = []
        while tokens.accept("PARTITION"):
            values = definitions.partition_spec(tokens, table)
            if values in registered:
                wanted.append(registered[values])
            elif not if_exists:
                raise _partition_not_found(definitions.partition_condition(table, values))
            tokens.accept(",")
        tokens.end()
        for partition in wanted:
            self._catalog.drop_partition(table, partition)
        return _DONE

    def _set_location(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("ALTER", "TABLE")
        table = self._table(tokens, database)
        values = definitions.partition_spec(tokens, table) if tokens.accept("PARTITION") else None
        tokens.expect("SET", "LOCATION")
        location = definitions.location(tokens)
        tokens.end()
        if values is None:
            self._catalog.update_table(replace(table, storage=replace(table.storage, location=location)))
            return _DONE
        found = self._catalog.partitions(table, [values])
        if not found:
            keys = (key.name for key in table.partition_keys)
            given = ", ".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))
            raise _partition_not_found(f"{{{given}}}")
        self._catalog.update_partition(table, replace(found[0], storage=replace(found[0].storage, location=location)))
        return _DONE

    def _repair(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("MSCK", "REPAIR", "TABLE")
        table = self._table(tokens, database)
        tokens.end()
        return repair(self._catalog, self._objects, table)

    # ---------------------------------------------------------------------------------------------------------- views

    def _create_view(self, tokens: Tokens, database: str | None) -> Result:
        views.create(self._catalog, tokens.text, database)
        return _DONE

    def _drop_view(self, tokens: Tokens, database: str | None) -> Result:
        views.drop(self._catalog, tokens.text, database)
        return _DONE

    # ----------------------------------------------------------------------------------------------------------- show

    def _show_partitions(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("SHOW", "PARTITIONS")
        table = self._table(tokens, database)
        tokens.end()
        return show.partitions(self._catalog, table)

    def _show_tables(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("SHOW", "TABLES")
        return show.tables(self._catalog, *self._listed(tokens, database))

    def _show_views(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("SHOW", "VIEWS")
        return views.names(self._catalog, *self._listed(tokens, database))

    def _listed(self, tokens: Tokens, database: str | None) -> tuple[str, str | None]:
        """``[IN database] [LIKE 'pattern']``: which tables or views are to be shown."""
        owner = tokens.identifier() if tokens.accept("IN") or tokens.accept("FROM") else database
        tokens.accept("LIKE")
        pattern = tokens.string() if tokens.peek() is not None else None
        tokens.end()
        if owner is None or self._catalog.database(owner) is None:
            raise DdlError("SemanticException", f"[Error 10072]: Database does not exist: {owner}")
        return owner, pattern

    def _show_databases(self, tokens: Tokens, _: str | None) -> Result:
        tokens.expect("SHOW")
        tokens.take()
        tokens.accept("LIKE")
        pattern = tokens.string() if tokens.peek() is not None else None
        tokens.end()
        return show.databases(self._catalog, pattern)

    def _show_columns(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("SHOW", "COLUMNS")
        if not tokens.accept("IN"):
            tokens.expect("FROM")
        owner, name = tokens.qualified(database or "")
        if tokens.accept("IN") or tokens.accept("FROM"):
            owner = tokens.identifier()
        tokens.end()
        table = self._catalog.table(owner, name)
        if table is None:
            raise DdlError("SemanticException", f"[Error 10001]: Table not found {owner}.{name}")
        return show.columns(table)

    def _show_create_table(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("SHOW", "CREATE", "TABLE")
        table = self._table(tokens, database)
        tokens.end()
        if is_view(table):
            raise DdlError("SemanticException", f"{table.name} is a view: SHOW CREATE VIEW shows it")
        return show.create_table(table)

    def _show_create_view(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("SHOW", "CREATE", "VIEW")
        table = self._table(tokens, database)
        tokens.end()
        if not is_view(table):
            raise DdlError("SemanticException", f"{table.name} is a table: SHOW CREATE TABLE shows it")
        return views.create_statement(table)

    def _show_properties(self, tokens: Tokens, database: str | None) -> Result:
        tokens.expect("SHOW", "TBLPROPERTIES")
        table = self._table(tokens, database)
        name = None
        if tokens.accept("("):
            name = tokens.string()
            tokens.expect(")")
        tokens.end()
        return show.table_properties(table, name)

    def _describe(self, tokens: Tokens, database: str | None) -> Result:
        tokens.take()  # DESCRIBE or DESC
        for word in ("EXTENDED", "FORMATTED"):
            if tokens.accept(word):
                raise QueryError("NOT_SUPPORTED", f"The local Athena does not run DESCRIBE {word}")
        table = self._table(tokens, database)
        tokens.end()
        return show.describe(table)


def _partition_not_found(shown: str) -> DdlError:
    return DdlError("SemanticException", f"[Error 10006]: Partition not found {shown}")


def _execution_error(message: str) -> DdlError:
    return DdlError("Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask.", message)
