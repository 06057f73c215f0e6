"""The Glue catalog: one database, its tables and their partitions.

The Batch calls answer 200 even when items failed. Here they return the failed items, by partition value, each with its
:class:`~dmd_pipeline.aws.faults.ItemError`; whoever calls decides what that means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dmd_pipeline.aws.faults import ItemError, translated
from dmd_pipeline.errors import (
    CatalogError,
    ConcurrentChangeError,
    DatabaseNotFoundError,
    TableNotFoundError,
    ThrottledError,
)


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import (
        ErrorDetailTypeDef,
        GetPartitionsRequestPaginateTypeDef,
        PartitionInputTypeDef,
        PartitionTypeDef,
        TableInputTypeDef,
        TableTypeDef,
    )


WRITE_BATCH: Final = 100
"""Most partitions of a BatchCreatePartition or BatchUpdatePartition call."""
READ_BATCH: Final = 1000
"""Most partitions of a BatchGetPartition call and of a GetPartitions page."""
ALREADY_EXISTS: Final = "AlreadyExistsException"
NOT_FOUND: Final = "EntityNotFoundException"

_REMEDY: Final = "run the DAG apply_schema_changes, which creates what is missing"


class Catalog:
    """One database of the Glue catalog.

    Attributes:
        database: Its name.
    """

    def __init__(self, client: GlueClient, database: str) -> None:
        self._client = client
        self.database = database

    def database_exists(self) -> bool:
        """Whether the database is there."""
        with translated(f"read database {self.database}", CatalogError):
            try:
                self._client.get_database(Name=self.database)
            except self._client.exceptions.EntityNotFoundException:
                return False
        return True

    def create_database(self, description: str) -> bool:
        """Create the database; False when it was there already."""
        with translated(f"create database {self.database}", CatalogError):
            try:
                self._client.create_database(DatabaseInput={"Name": self.database, "Description": description})
            except self._client.exceptions.AlreadyExistsException:
                return False
        return True

    def table(self, name: str) -> TableTypeDef:
        """A table as Glue holds it.

        Raises:
            TableNotFoundError: It does not exist.
            DatabaseNotFoundError: Not even its database does.
        """
        with translated(f"read table {self.database}.{name}", CatalogError):
            try:
                return self._client.get_table(DatabaseName=self.database, Name=name)["Table"]
            except self._client.exceptions.EntityNotFoundException as error:
                raise self._missing(name) from error

    def table_names(self) -> list[str]:
        """Names of the database's tables; 100 a call.

        Raises:
            DatabaseNotFoundError: The database does not exist.
        """
        pages = self._client.get_paginator("get_tables").paginate(DatabaseName=self.database)
        with translated(f"list tables of {self.database}", CatalogError):
            try:
                return [table["Name"] for page in pages for table in page["TableList"]]
            except self._client.exceptions.EntityNotFoundException as error:
                raise DatabaseNotFoundError(f"database {self.database} does not exist: {_REMEDY}") from error

    def create_table(self, table: TableInputTypeDef) -> bool:
        """Create a table; False when one of its name was there already.

        Raises:
            DatabaseNotFoundError: The database does not exist.
        """
        with translated(f"create table {self.database}.{table['Name']}", CatalogError):
            try:
                self._client.create_table(DatabaseName=self.database, TableInput=table)
            except self._client.exceptions.AlreadyExistsException:
                return False
            except self._client.exceptions.EntityNotFoundException as error:
                raise self._missing(table["Name"]) from error
        return True

    def update_table(self, table: TableInputTypeDef, version: str) -> None:
        """Replace a table, all of it, when nobody has changed it since it was read; Glue archives the old version.

        Args:
            table: As it should be.
            version: ``VersionId`` of the table as it was read.

        Raises:
            ConcurrentChangeError: It has another version by now; nothing was changed.
            TableNotFoundError: It does not exist.
            DatabaseNotFoundError: Not even its database does.
        """
        name = table["Name"]
        with translated(f"update table {self.database}.{name}", CatalogError):
            try:
                self._client.update_table(DatabaseName=self.database, TableInput=table, VersionId=version)
            except self._client.exceptions.ConcurrentModificationException as error:
                raise ConcurrentChangeError(
                    f"table {self.database}.{name} was changed by somebody else since it was read (version {version}): "
                    "see who did it in its versions, and run again"
                ) from error
            except self._client.exceptions.EntityNotFoundException as error:
                raise self._missing(name) from error

    def delete_table(self, name: str) -> bool:
        """Delete a table with its partitions and versions, no files; False when there is none of its name."""
        with translated(f"delete table {self.database}.{name}", CatalogError):
            try:
                self._client.delete_table(DatabaseName=self.database, Name=name)
            except self._client.exceptions.EntityNotFoundException:
                return False
        return True

    def partitions(self, table: str, expression: str | None = None) -> Iterator[PartitionTypeDef]:
        """A table's partitions, whole, page by page.

        Args:
            table: Its name.
            expression: Glue's filter, such as ``partition_date >= '2025-06-01'``.

        Raises:
            TableNotFoundError: The table does not exist.
            DatabaseNotFoundError: Not even its database does.
        """
        request: GetPartitionsRequestPaginateTypeDef = {
            "DatabaseName": self.database,
            "TableName": table,
            "PaginationConfig": {"PageSize": READ_BATCH},
        }
        if expression is not None:
            request["Expression"] = expression
        pages = self._client.get_paginator("get_partitions").paginate(**request)
        with translated(f"list partitions of {self.database}.{table}", CatalogError):
            try:
                for page in pages:
                    yield from page["Partitions"]
            except self._client.exceptions.EntityNotFoundException as error:
                raise self._missing(table) from error

    def read_partitions(
        self, table: str, values: Collection[str]
    ) -> tuple[dict[str, PartitionTypeDef], tuple[str, ...]]:
        """Read up to 1,000 partitions fresh and whole.

        Returns:
            Those that exist, by value; and the values that Glue did not get to, which are to be asked for again.
        """
        with translated(f"read {len(values)} partitions of {self.database}.{table}", CatalogError):
            answer = self._client.batch_get_partition(
                DatabaseName=self.database,
                TableName=table,
                PartitionsToGet=[{"Values": [value]} for value in values],
            )
        found = {partition["Values"][0]: partition for partition in answer.get("Partitions", [])}
        return found, tuple(key["Values"][0] for key in answer.get("UnprocessedKeys", []))

    def registered(self, table: str, values: Sequence[str]) -> Iterator[PartitionTypeDef]:
        """Those of some partitions that exist, whole: one call a 1,000 values, and one more for what Glue left out.

        Raises:
            ThrottledError: Glue got to none of them.
        """
        for start in range(0, len(values), READ_BATCH):
            asked = tuple(values[start : start + READ_BATCH])
            while asked:
                found, left = self.read_partitions(table, asked)
                if len(left) == len(asked):
                    raise ThrottledError(f"table {table}: Glue leaves {len(left)} partitions unread")
                yield from found.values()
                asked = left

    def create_partitions(self, table: str, partitions: Sequence[PartitionInputTypeDef]) -> dict[str, ItemError]:
        """Create up to 100 partitions; returns those that failed."""
        with translated(f"create {len(partitions)} partitions of {self.database}.{table}", CatalogError):
            answer = self._client.batch_create_partition(
                DatabaseName=self.database, TableName=table, PartitionInputList=partitions
            )
        return {
            error["PartitionValues"][0]: _item_error(error.get("ErrorDetail")) for error in answer.get("Errors", [])
        }

    def update_partitions(self, table: str, partitions: Sequence[PartitionInputTypeDef]) -> dict[str, ItemError]:
        """Replace up to 100 partitions; returns those that failed."""
        with translated(f"update {len(partitions)} partitions of {self.database}.{table}", CatalogError):
            answer = self._client.batch_update_partition(
                DatabaseName=self.database,
                TableName=table,
                Entries=[
                    {"PartitionValueList": partition["Values"], "PartitionInput": partition} for partition in partitions
                ],
            )
        return {
            error["PartitionValueList"][0]: _item_error(error.get("ErrorDetail")) for error in answer.get("Errors", [])
        }

    def delete_partitions(self, table: str, values: Sequence[str]) -> dict[str, ItemError]:
        """Delete up to 25 partitions by their values; returns those that failed. One that is not there has failed."""
        with translated(f"delete {len(values)} partitions of {self.database}.{table}", CatalogError):
            answer = self._client.batch_delete_partition(
                DatabaseName=self.database,
                TableName=table,
                PartitionsToDelete=[{"Values": [value]} for value in values],
            )
        return {
            error["PartitionValues"][0]: _item_error(error.get("ErrorDetail")) for error in answer.get("Errors", [])
        }

    def _missing(self, table: str) -> DatabaseNotFoundError | TableNotFoundError:
        """Which of the two is missing: Glue's message does not say so reliably."""
        if self.database_exists():
            return TableNotFoundError(f"table {self.database}.{table} does not exist: {_REMEDY}")
        return DatabaseNotFoundError(f"database {self.database} does not exist: {_REMEDY}")


def _item_error(detail: ErrorDetailTypeDef | None) -> ItemError:
    detail = detail or {}
    return ItemError(detail.get("ErrorCode", "unknown error"), detail.get("ErrorMessage", ""))
