"""CREATE VIEW, DROP VIEW and what shows views: statements of Trino's, not of Hive's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.athena import types
from local.athena.ddl.show import matches
from local.athena.errors import QueryError
from local.athena.results import text_result
from local.athena.sql.metadata import Metadata
from local.athena.sql.parsing import parse_create_view, parse_drop_view
from local.athena.sql.queries import QueryTranslator
from local.athena.views import View, ViewColumn, is_view, table_of, view_of


if TYPE_CHECKING:
    from local.athena.ports import Catalog, Table
    from local.athena.results import Result
    from local.athena.sql.scopes import Field


def create(catalog: Catalog, text: str, database: str | None) -> None:
    """CREATE [OR REPLACE] VIEW: the query is translated, so that it must make sense, and not run.

    Raises:
        QueryError: As Trino fails.
    """
    statement = parse_create_view(text)
    metadata = Metadata(catalog, database)
    owner, name = metadata.name_of(statement.name)
    existing = catalog.table(owner, name)
    if existing is not None and not (statement.replaces and is_view(existing)):
        kind = "View" if is_view(existing) else "Table"
        raise _at_start("TABLE_ALREADY_EXISTS", f"{kind} already exists: '{_shown(owner, name)}'")
    fields = QueryTranslator(metadata).translate(statement.query).fields
    _check_columns(fields)
    columns = tuple(ViewColumn(one.name or "", str(one.type)) for one in fields)
    table = table_of(View(owner, name, statement.text, database, columns), tuple(one.type for one in fields))
    if existing is None:
        catalog.create_table(table)
    else:
        catalog.update_table(table)


def _check_columns(fields: tuple[Field, ...]) -> None:
    names = [None if one.name is None else one.name.lower() for one in fields]
    for position, one in enumerate(fields, 1):
        if one.name is None:
            raise _at_start("MISSING_COLUMN_NAME", f"Column name not specified at position {position}")
        if one.name.lower() in names[: position - 1]:
            raise _at_start("DUPLICATE_COLUMN_NAME", f"Column name '{one.name}' specified more than once")
        if one.type == types.UNKNOWN:
            raise _at_start("COLUMN_TYPE_UNKNOWN", f"Column type is unknown: {one.name}")


def drop(catalog: Catalog, text: str, database: str | None) -> None:
    """DROP VIEW [IF EXISTS].

    Raises:
        QueryError: There is no such view.
    """
    node, if_exists = parse_drop_view(text)
    owner, name = Metadata(catalog, database).name_of(node)
    table = catalog.table(owner, name)
    if table is not None and is_view(table):
        catalog.drop_table(table)
    elif table is not None:
        shown = _shown(owner, name)
        hint = f"View '{shown}' does not exist, but a table with that name exists. Did you mean DROP TABLE {shown}?"
        raise _at_start("GENERIC_USER_ERROR", hint)
    elif not if_exists:
        raise _at_start("GENERIC_USER_ERROR", f"View '{_shown(owner, name)}' does not exist")


def names(catalog: Catalog, database: str, pattern: str | None) -> Result:
    """SHOW VIEWS."""
    found = [one.name for one in catalog.tables(database) if is_view(one)]
    return text_result(["views"], [name for name in found if matches(name, pattern)])


def create_statement(table: Table) -> Result:
    """SHOW CREATE VIEW: a statement that makes the same view."""
    view = view_of(table)
    return text_result(["Create View"], [f"CREATE VIEW {view.full_name} AS", *view.query.splitlines()])


def _shown(owner: str, name: str) -> str:
    return f"awsdatacatalog.{owner}.{name}"


def _at_start(name: str, message: str) -> QueryError:
    """Trino says of the whole statement what is wrong with a view."""
    return QueryError(name, message, 1, 1)
