"""The ports on moto's backends, in process: no HTTP, so that a table of 10,000 partitions is planned in a moment."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from moto.core.exceptions import JsonRESTError
from moto.glue.models import glue_backends
from moto.s3.exceptions import MissingBucket
from moto.s3.models import FakeDeleteMarker, s3_backends

from local.athena.ports import (
    VIEW,
    BucketNotFoundError,
    Column,
    Database,
    ObjectNotFoundError,
    Partition,
    Storage,
    StoredObject,
    Table,
)


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence


Snapshot = TypeVar("Snapshot")

# What Glue itself adds to a table.
_NOT_INPUT = frozenset({"DatabaseName", "CreateTime", "UpdateTime", "VersionId", "CatalogId"})


class MotoCatalog:
    """The Glue catalog of one account and region of moto."""

    def __init__(self, account_id: str, region: str) -> None:
        self._account_id = account_id
        self._region = region

    @property
    def _glue(self) -> Any:
        return glue_backends[self._account_id][self._region]

    def databases(self) -> Sequence[Database]:
        """All databases, by name."""
        found = _snapshot(lambda: list(self._glue.databases.values()))
        return sorted((_database(one.name, one.input) for one in found), key=lambda one: one.name)

    def database(self, name: str) -> Database | None:
        """One database."""
        found = self._glue.databases.get(name.lower())
        return None if found is None else _database(found.name, found.input)

    def tables(self, database: str) -> Sequence[Table]:
        """All tables of a database, by name."""
        found = self._glue.databases.get(database.lower())
        if found is None:
            return []
        tables = _snapshot(lambda: list(found.tables.values()))
        return sorted((_table(one.as_dict()) for one in tables), key=lambda one: one.name)

    def table(self, database: str, name: str) -> Table | None:
        """One table."""
        found = self._table(database, name)
        return None if found is None else _table(found.as_dict())

    def partition_values(self, table: Table) -> Sequence[tuple[str, ...]]:
        """The values of all partitions of a table, in order."""
        return sorted(tuple(one.values) for one in self._partitions(table))

    def partitions(self, table: Table, values: Collection[tuple[str, ...]] | None = None) -> Sequence[Partition]:
        """Partitions of a table, whole, by value: all of them, or those with the given values that exist."""
        wanted = None if values is None else set(values)
        found = [one for one in self._partitions(table) if wanted is None or tuple(one.values) in wanted]
        return sorted((_partition(one.partition_input) for one in found), key=lambda one: one.values)

    def _partitions(self, table: Table) -> list[Any]:
        found = self._table(table.database, table.name)
        return [] if found is None else _snapshot(lambda: list(found.partitions.values()))

    def create_database(self, database: Database) -> None:
        """Add a database that does not exist yet."""
        given = {
            "Name": database.name,
            "Description": database.description,
            "LocationUri": database.location,
            "Parameters": dict(database.parameters),
        }
        self._glue.create_database(database.name, {key: value for key, value in given.items() if value})

    def drop_database(self, name: str) -> None:
        """Remove a database with all its tables."""
        self._glue.delete_database(name)

    def create_table(self, table: Table) -> None:
        """Add a table that does not exist yet."""
        self._glue.create_table(table.database, table.name, _table_input(table))

    def update_table(self, table: Table) -> None:
        """Replace the definition of a table; its partitions keep theirs."""
        current = self._table(table.database, table.name).as_dict()
        kept = {key: value for key, value in current.items() if key not in _NOT_INPUT}
        wanted = _table_input(table)
        wanted["StorageDescriptor"] = {**(kept.get("StorageDescriptor") or {}), **wanted["StorageDescriptor"]}
        self._glue.update_table(table.database, table.name, {**kept, **wanted})

    def drop_table(self, table: Table) -> None:
        """Remove a table and its partitions from the catalog."""
        self._glue.delete_table(table.database, table.name)

    def add_partition(self, table: Table, partition: Partition) -> bool:
        """Add a partition; False when there is one with the same values."""
        given = {
            "Values": list(partition.values),
            "StorageDescriptor": _storage_descriptor(partition.storage),
            "Parameters": dict(partition.parameters),
        }
        try:
            self._glue.create_partition(table.database, table.name, given)
        except JsonRESTError as error:
            if error.error_type == "AlreadyExistsException":
                return False
            raise
        return True

    def update_partition(self, table: Table, partition: Partition) -> None:
        """Replace the definition of a partition that has the same values."""
        # Not moto's own update: that makes another partition, with another time of creation.
        current = self._glue.get_partition(table.database, table.name, list(partition.values))
        kept = current.partition_input
        descriptor = {**(kept.get("StorageDescriptor") or {}), **_storage_descriptor(partition.storage)}
        current.partition_input = {
            **kept,
            "StorageDescriptor": descriptor,
            "Parameters": dict(partition.parameters),
        }

    def drop_partition(self, table: Table, partition: Partition) -> None:
        """Remove a partition from the catalog."""
        self._glue.delete_partition(table.database, table.name, list(partition.values))

    def _table(self, database: str, name: str) -> Any:
        found = self._glue.databases.get(database.lower())
        return None if found is None else found.tables.get(name.lower())


class MotoObjects:
    """The objects of one account of moto's S3."""

    def __init__(self, account_id: str) -> None:
        self._account_id = account_id

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """All objects whose URI begins with the prefix, by URI."""
        bucket_name, start = _split(prefix)
        bucket = self._bucket(bucket_name)
        keys = _sorted_keys(bucket.keys)
        for key in keys[bisect_left(keys, start) :]:
            if not key.startswith(start):
                break
            stored = bucket.keys.get(key)
            if stored is not None and not isinstance(stored, FakeDeleteMarker):
                modified = stored.last_modified.replace(microsecond=0, tzinfo=UTC)  # S3 keeps seconds
                yield StoredObject(f"s3://{bucket_name}/{key}", stored.size, stored.etag, modified)

    def read(self, uri: str) -> bytes:
        """The bytes of an object."""
        bucket_name, key = _split(uri)
        stored = self._bucket(bucket_name).keys.get(key)
        if stored is None or isinstance(stored, FakeDeleteMarker):
            raise ObjectNotFoundError(uri)
        value: bytes = stored.value
        return value

    def write(self, uri: str, data: bytes, content_type: str) -> None:
        """Create or replace an object."""
        bucket_name, key = _split(uri)
        self._bucket(bucket_name)
        stored = self._backend.put_object(bucket_name, key, data)
        stored.set_metadata({"Content-Type": content_type})

    @property
    def _backend(self) -> Any:
        return s3_backends[self._account_id]["aws"]

    def _bucket(self, name: str) -> Any:
        try:
            return self._backend.get_bucket(name)
        except MissingBucket as error:
            raise BucketNotFoundError(name) from error


def _snapshot(copy: Callable[[], Snapshot]) -> Snapshot:
    """A copy of a dictionary that other threads change: iterating it meanwhile raises RuntimeError."""
    while True:
        try:
            return copy()
        except RuntimeError:
            continue


def _sorted_keys(store: Any) -> list[str]:
    """The names of a bucket's objects in order; the local AWS keeps them so."""
    names = getattr(store, "names", None)
    return list(names()) if names is not None else sorted(_snapshot(lambda: list(store.keys())))


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _database(name: str, given: Mapping[str, Any]) -> Database:
    return Database(name, given.get("Description") or "", given.get("LocationUri") or "", given.get("Parameters") or {})


def _table(given: Mapping[str, Any]) -> Table:
    created = given.get("CreateTime")
    return Table(
        database=given["DatabaseName"],
        name=given["Name"],
        storage=_storage(given.get("StorageDescriptor") or {}),
        partition_keys=_columns(given.get("PartitionKeys")),
        parameters=given.get("Parameters") or {},
        kind=given.get("TableType") or "",
        comment=given.get("Description") or "",
        created=created.replace(tzinfo=UTC) if isinstance(created, datetime) else None,
        view_text=given.get("ViewOriginalText") or "",
    )


def _partition(given: Mapping[str, Any]) -> Partition:
    return Partition(
        values=tuple(given["Values"]),
        storage=_storage(given.get("StorageDescriptor") or {}),
        parameters=given.get("Parameters") or {},
    )


def _storage(given: Mapping[str, Any]) -> Storage:
    serde = given.get("SerdeInfo") or {}
    return Storage(
        columns=_columns(given.get("Columns")),
        location=given.get("Location") or "",
        serde=serde.get("SerializationLibrary") or "",
        serde_parameters=serde.get("Parameters") or {},
        input_format=given.get("InputFormat") or "",
        output_format=given.get("OutputFormat") or "",
    )


def _columns(given: Sequence[Mapping[str, Any]] | None) -> tuple[Column, ...]:
    return tuple(Column(one["Name"], one.get("Type") or "string", one.get("Comment") or "") for one in given or ())


def _table_input(table: Table) -> dict[str, Any]:
    if table.kind == VIEW:
        return _view_input(table)
    given = {
        "Name": table.name,
        "StorageDescriptor": _storage_descriptor(table.storage),
        "PartitionKeys": _column_input(table.partition_keys),
        "Parameters": dict(table.parameters),
        "TableType": table.kind,
    }
    return given | ({"Description": table.comment} if table.comment else {})


def _view_input(view: Table) -> dict[str, Any]:
    """A view as Athena itself writes it."""
    return {
        "Name": view.name,
        "StorageDescriptor": {
            "Columns": _column_input(view.columns),
            "Location": "",
            "Compressed": False,
            "NumberOfBuckets": 0,
            "SerdeInfo": {},
            "SortColumns": [],
            "StoredAsSubDirectories": False,
        },
        "PartitionKeys": [],
        "ViewOriginalText": view.view_text,
        "ViewExpandedText": "/* Presto View */",
        "TableType": view.kind,
        "Parameters": dict(view.parameters),
    }


def _storage_descriptor(storage: Storage) -> dict[str, Any]:
    return {
        "Columns": _column_input(storage.columns),
        "Location": storage.location,
        "InputFormat": storage.input_format,
        "OutputFormat": storage.output_format,
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": storage.serde, "Parameters": dict(storage.serde_parameters)},
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": {},
        "StoredAsSubDirectories": False,
    }


def _column_input(columns: Sequence[Column]) -> list[dict[str, str]]:
    return [
        {"Name": column.name, "Type": column.type} | ({"Comment": column.comment} if column.comment else {})
        for column in columns
    ]
