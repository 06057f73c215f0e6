"""Access to the catalog that moto keeps, with Glue's errors for what is missing."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

from moto.glue import models as moto_glue
from moto.glue.models import FakeDatabase, FakePartition, FakeTable, glue_backends

from local.aws.wire import AwsError


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moto.glue.models import GlueBackend

NOT_FOUND = "EntityNotFoundException"
ALREADY_EXISTS = "AlreadyExistsException"
INVALID = "InvalidInputException"
_STORAGE_DEFAULTS = {"Compressed": False, "NumberOfBuckets": 0, "SortColumns": [], "StoredAsSubDirectories": False}
"""What Glue adds to every storage descriptor that does not say otherwise."""


class Table(FakeTable):  # type: ignore[misc]  # moto is not typed
    """moto's table, with Glue's numbers: the first version is 0."""

    versions: dict[str, dict[str, Any]]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.versions = {"0": with_storage_defaults(self.versions["1"])}
        self._current_version = 0


class Partition(FakePartition):  # type: ignore[misc]  # moto is not typed
    """moto's partition, with Glue's defaults in its storage descriptor."""

    def __init__(self, database_name: str, table_name: str, partiton_input: dict[str, Any]) -> None:
        super().__init__(database_name, table_name, with_storage_defaults(partiton_input))
        self.created = time.time()


def install_glue_models() -> None:
    """Have moto, too, make tables and partitions as Glue does: the local Athena's DDL goes through it."""
    moto_glue.FakeTable = Table
    moto_glue.FakePartition = Partition


class Store:
    """The databases, tables and partitions of one account and region."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    @property
    def account(self) -> str:
        """The account, which is also the catalog's id."""
        return self._account

    @property
    def databases(self) -> dict[str, Any]:
        """Moto's databases by name."""
        backend: GlueBackend = glue_backends[self._account][self._region]
        databases: dict[str, Any] = backend.databases
        return databases

    def database(self, name: str) -> Any:
        """One database; names are folded to lower case."""
        try:
            return self.databases[name.lower()]
        except KeyError:
            raise AwsError(NOT_FOUND, f"Database {name.lower()} not found.") from None

    def add_database(self, name: str, definition: Mapping[str, Any]) -> None:
        """Make a database."""
        if name in self.databases:
            raise AwsError(ALREADY_EXISTS, "Database already exists.")
        self.databases[name] = FakeDatabase(name, dict(definition), self._account)

    def table(self, database: str, name: str) -> Any:
        """One table; names are folded to lower case."""
        tables = self.database(database).tables
        try:
            return tables[name.lower()]
        except KeyError:
            raise AwsError(NOT_FOUND, f"Table {name.lower()} not found.") from None

    def add_table(self, database: str, name: str, definition: dict[str, Any]) -> None:
        """Make a table; its first version is 0."""
        owner = self.database(database)
        if name in owner.tables:
            raise AwsError(ALREADY_EXISTS, "Table already exists.")
        owner.tables[name] = Table(owner.name, name, definition, self._account)


def current_version(table: Any) -> str:
    """Id of a table's current version."""
    return str(table._current_version)  # noqa: SLF001 - moto has no accessor


def current_definition(table: Any) -> dict[str, Any]:
    """A table's current definition."""
    definition: dict[str, Any] = table.versions[current_version(table)]
    return definition


def partition_keys(table: Any) -> list[dict[str, str]]:
    """A table's partition keys: name and type."""
    keys: list[dict[str, str]] = current_definition(table).get("PartitionKeys") or []
    return keys


def partition_id(values: Sequence[str]) -> str:
    """Moto's key of a partition."""
    return str(list(values))


def new_partition(table: Any, definition: dict[str, Any], created: float | None = None) -> Any:
    """A partition for moto to keep."""
    partition = Partition(table.database_name, table.name, definition)
    if created is not None:
        partition.created = created
    return partition


def with_storage_defaults(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a table's or partition's definition with Glue's defaults in its storage descriptor."""
    completed = dict(definition)
    storage = completed.get("StorageDescriptor")
    if storage is not None:
        completed["StorageDescriptor"] = {**copy.deepcopy(_STORAGE_DEFAULTS), **storage}
    return completed


def created(thing: Any) -> float:
    """When a database, table or partition was made, in seconds since the epoch."""
    known = getattr(thing, "created", None)
    if known is not None:
        return float(known)
    moment = thing.creation_time if isinstance(thing, FakePartition) else thing.created_time
    return float(moment.timestamp())
