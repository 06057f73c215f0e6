"""What the local Athena needs from the world: a catalog of tables and a store of objects.

The types are Athena's view of Glue: one table, one partition, one column. Adapters translate.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime


AVRO_SERDE = "org.apache.hadoop.hive.serde2.avro.AvroSerDe"
JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"
VIEW = "VIRTUAL_VIEW"
TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"


@dataclass(frozen=True)
class Column:
    """A column as the catalog declares it; ``type`` is a Hive type such as ``struct<a:int>``."""

    name: str
    type: str
    comment: str = ""


@dataclass(frozen=True)
class Storage:
    """Where and how data lies: what Glue calls a storage descriptor."""

    columns: tuple[Column, ...]
    location: str
    serde: str
    serde_parameters: Mapping[str, str] = field(default_factory=dict)
    input_format: str = ""
    output_format: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the catalog, or a view, whose definition ``view_text`` holds."""

    database: str
    name: str
    storage: Storage
    partition_keys: tuple[Column, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    kind: str = "EXTERNAL_TABLE"
    comment: str = ""
    created: datetime | None = None
    view_text: str = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that lie in the files."""
        return self.storage.columns

    def with_columns(self, columns: Sequence[Column]) -> Table:
        """The same table with other columns."""
        return replace(self, storage=replace(self.storage, columns=tuple(columns)))


@dataclass(frozen=True)
class Partition:
    """A registered partition with its own copy of columns and SerDe parameters."""

    values: tuple[str, ...]
    storage: Storage
    parameters: Mapping[str, str] = field(default_factory=dict)

    def name(self, table: Table) -> str:
        """Hive's name of the partition, such as ``partition_date=2025-06-01``."""
        return "/".join(f"{key.name}={value}" for key, value in zip(table.partition_keys, self.values, strict=True))


@dataclass(frozen=True)
class Database:
    """A database of the catalog."""

    name: str
    description: str = ""
    location: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredObject:
    """An object and what tells whether it changed."""

    uri: str
    size: int
    etag: str
    modified: datetime


class Catalog(Protocol):
    """Databases, tables and partitions. Lookups answer None for what does not exist."""

    def databases(self) -> Sequence[Database]:
        """All databases, by name."""

    def database(self, name: str) -> Database | None:
        """One database."""

    def tables(self, database: str) -> Sequence[Table]:
        """All tables of a database, by name."""

    def table(self, database: str, name: str) -> Table | None:
        """One table."""

    def partition_values(self, table: Table) -> Sequence[tuple[str, ...]]:
        """The values of all partitions of a table, in order: much cheaper than the partitions themselves."""

    def partitions(self, table: Table, values: Collection[tuple[str, ...]] | None = None) -> Sequence[Partition]:
        """Partitions of a table, whole, by value: all of them, or those with the given values that exist."""

    def create_database(self, database: Database) -> None:
        """Add a database that does not exist yet."""

    def drop_database(self, name: str) -> None:
        """Remove a database with all its tables."""

    def create_table(self, table: Table) -> None:
        """Add a table that does not exist yet."""

    def update_table(self, table: Table) -> None:
        """Replace the definition of a table; its partitions keep theirs."""

    def drop_table(self, table: Table) -> None:
        """Remove a table and its partitions from the catalog."""

    def add_partition(self, table: Table, partition: Partition) -> bool:
        """Add a partition; False when there is one with the same values."""

    def update_partition(self, table: Table, partition: Partition) -> None:
        """Replace the definition of a partition that has the same values."""

    def drop_partition(self, table: Table, partition: Partition) -> None:
        """Remove a partition from the catalog."""


class Objects(Protocol):
    """Objects by URI, ``s3://bucket/key``."""

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """All objects whose URI begins with the prefix, by URI. Raises BucketNotFoundError."""

    def read(self, uri: str) -> bytes:
        """The bytes of an object. Raises ObjectNotFoundError."""

    def write(self, uri: str, data: bytes, content_type: str) -> None:
        """Create or replace an object. Raises BucketNotFoundError."""


class BucketNotFoundError(LookupError):
    """The bucket of a URI does not exist."""


class ObjectNotFoundError(LookupError):
    """There is no object at a URI."""
