"""The catalog as Athena's own API shows it: databases and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.athena.errors import AthenaApiError, invalid_request
from local.athena.paging import paged


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.athena.ports import Catalog, Column, Database, Table


_NAME = "AwsDataCatalog"
_LARGEST = 50


def operations(catalog: Catalog) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
    """The operations on data catalogs, databases and tables."""

    def list_databases(body: dict[str, Any]) -> dict[str, Any]:
        _check_catalog(body)
        page, token = paged([_database(one) for one in catalog.databases()], body, _LARGEST)
        return {"DatabaseList": page} | token

    def get_database(body: dict[str, Any]) -> dict[str, Any]:
        _check_catalog(body)
        return {"Database": _database(_found(catalog, body))}

    def list_table_metadata(body: dict[str, Any]) -> dict[str, Any]:
        _check_catalog(body)
        database = _found(catalog, body)
        page, token = paged([_table(one) for one in catalog.tables(database.name)], body, _LARGEST)
        return {"TableMetadataList": page} | token

    def get_table_metadata(body: dict[str, Any]) -> dict[str, Any]:
        _check_catalog(body)
        database, name = _found(catalog, body), str(body.get("TableName") or "")
        table = catalog.table(database.name, name)
        if table is None:
            raise AthenaApiError("MetadataException", f"Table {name} not found.")
        return {"TableMetadata": _table(table)}

    def list_data_catalogs(_body: dict[str, Any]) -> dict[str, Any]:
        return {"DataCatalogsSummary": [{"CatalogName": _NAME, "Type": "GLUE"}]}

    def get_data_catalog(body: dict[str, Any]) -> dict[str, Any]:
        _check_catalog({"CatalogName": body.get("Name")})
        return {"DataCatalog": {"Name": _NAME, "Type": "GLUE"}}

    return {
        "ListDatabases": list_databases,
        "GetDatabase": get_database,
        "ListTableMetadata": list_table_metadata,
        "GetTableMetadata": get_table_metadata,
        "ListDataCatalogs": list_data_catalogs,
        "GetDataCatalog": get_data_catalog,
    }


def _check_catalog(body: dict[str, Any]) -> None:
    name = str(body.get("CatalogName") or "")
    if name.lower() != _NAME.lower():
        raise invalid_request(f"Data catalog {name} was not found")


def _found(catalog: Catalog, body: dict[str, Any]) -> Database:
    name = str(body.get("DatabaseName") or "")
    database = catalog.database(name)
    if database is None:
        raise AthenaApiError("MetadataException", f"Database {name} not found.")
    return database


def _database(database: Database) -> dict[str, Any]:
    described: dict[str, Any] = {"Name": database.name, "Parameters": dict(database.parameters)}
    return described | ({"Description": database.description} if database.description else {})


def _table(table: Table) -> dict[str, Any]:
    serde = {f"serde.param.{key}": value for key, value in table.storage.serde_parameters.items()}
    formats = {
        "inputformat": table.storage.input_format,
        "location": table.storage.location,
        "outputformat": table.storage.output_format,
        "serde.serialization.lib": table.storage.serde,
    }
    described: dict[str, Any] = {
        "Name": table.name,
        "TableType": table.kind,
        "Columns": _columns(table.columns),
        "PartitionKeys": _columns(table.partition_keys),
        "Parameters": {**table.parameters, **formats, **serde},
    }
    return described | ({"CreateTime": table.created.timestamp()} if table.created else {})


def _columns(columns: Sequence[Column]) -> list[dict[str, str]]:
    return [{"Name": one.name, "Type": one.type} | ({"Comment": one.comment} if one.comment else {}) for one in columns]
