"""Views as Athena keeps them in the catalog: a table without files, and the query as JSON in Base64.

The JSON is Trino's ``ConnectorViewDefinition``. Athena and Trino write the query as their own formatter prints it; here
it is kept as it was typed.

* https://docs.aws.amazon.com/athena/latest/ug/create-view.html
* https://github.com/trinodb/trino/blob/master/core/trino-spi/src/main/java/io/trino/spi/connector/ConnectorViewDefinition.java
* https://github.com/trinodb/trino/blob/master/plugin/trino-hive/src/main/java/io/trino/plugin/hive/ViewReaderUtil.java
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass

from local.athena.errors import QueryError
from local.athena.ports import VIEW, Column, Storage, Table
from local.athena.types import Type, to_hive


_CATALOG = "awsdatacatalog"
_PARAMETERS = {"comment": "Presto View", "presto_view": "true"}
_TEXT = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=]+) \*/")


@dataclass(frozen=True)
class ViewColumn:
    """A column that a view had when it was made; ``type`` is a Trino type as Trino writes it."""

    name: str
    type: str


@dataclass(frozen=True)
class View:
    """A view.

    Attributes:
        owner: The database that it stands in.
        name: Its name.
        query: Its query.
        database: The database of names without one in the query.
        columns: Its columns.
    """

    owner: str
    name: str
    query: str
    database: str | None
    columns: tuple[ViewColumn, ...]

    @property
    def full_name(self) -> str:
        """Its name with database and catalog."""
        return f"{_CATALOG}.{self.owner}.{self.name}"


def is_view(table: Table) -> bool:
    """Whether what the catalog calls a table is a view."""
    return table.kind == VIEW


def view_of(table: Table) -> View:
    """The view that a table of the catalog stands for.

    Raises:
        QueryError: NOT_SUPPORTED for a view of Hive's, HIVE_INVALID_VIEW_DATA when its definition cannot be read.
    """
    if table.parameters.get("presto_view") != "true":
        name = f"{table.database}.{table.name}"
        raise QueryError("NOT_SUPPORTED", f"The local Athena knows views of Athena's own only, not Hive's: {name}")
    found = _TEXT.fullmatch(table.view_text)
    try:
        given = json.loads(base64.b64decode(found[1] if found else "", validate=True))
        columns = tuple(ViewColumn(one["name"], one["type"]) for one in given["columns"])
        return View(table.database, table.name, given["originalSql"], given.get("schema"), columns)
    except (ValueError, KeyError, TypeError) as error:
        raise QueryError("HIVE_INVALID_VIEW_DATA", f"Invalid view JSON: {table.database}.{table.name}") from error


def table_of(view: View, kinds: tuple[Type, ...]) -> Table:
    """The table of the catalog that stands for a view whose columns have these types.

    Raises:
        QueryError: NOT_SUPPORTED when Hive has no such type.
    """
    given = {
        "originalSql": view.query,
        "catalog": _CATALOG,
        "schema": view.database,
        "columns": [{"name": one.name, "type": one.type} for one in view.columns],
        "runAsInvoker": True,  # whoever reads a view of Athena's needs permission on its tables as well
        "path": [],
    }
    text = base64.b64encode(json.dumps(given).encode()).decode()
    columns = tuple(Column(one.name.lower(), _hive(kind)) for one, kind in zip(view.columns, kinds, strict=True))
    return Table(
        database=view.owner,
        name=view.name,
        storage=Storage(columns, "", ""),
        partition_keys=(),
        parameters=_PARAMETERS,
        kind=VIEW,
        view_text=f"/* Presto View: {text} */",
    )


_WITHOUT_HIVE_TYPE = frozenset(
    {"time", "timestamp with time zone", "json", "interval day to second", "interval year to month", "unknown"}
)


def _hive(kind: Type) -> str:
    _check_hive_has(kind)
    return to_hive(kind)


def _check_hive_has(kind: Type) -> None:
    if kind.name in _WITHOUT_HIVE_TYPE:
        raise QueryError("NOT_SUPPORTED", f"Unsupported Hive type: {kind}")
    if kind.name == "row" and None in kind.names:
        message = f"Anonymous row type is not supported in Hive. Please give each field a name: {kind}"
        raise QueryError("NOT_SUPPORTED", message)
    for element in kind.elements:
        _check_hive_has(element)
