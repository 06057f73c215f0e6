"""A catalog and objects in memory, which count what is asked of them."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fastavro

from local.athena.ports import (
    AVRO_SERDE,
    Column,
    Database,
    ObjectNotFoundError,
    Partition,
    Storage,
    StoredObject,
    Table,
)


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

SCHEMA = {
    "type": "record",
    "name": "row",
    "fields": [{"name": "id", "type": "string"}, {"name": "n", "type": "long"}],
}
LOCATION = "s3://bucket/rows/"
_WRITTEN = datetime(2025, 6, 1, tzinfo=UTC)


def container(rows: Sequence[Mapping[str, Any]], schema: Mapping[str, Any] = SCHEMA) -> bytes:
    """An Avro file."""
    written = io.BytesIO()
    fastavro.writer(written, fastavro.parse_schema(dict(schema)), [dict(row) for row in rows])
    return written.getvalue()


@dataclass
class MemoryObjects:
    """Objects by URI.

    Attributes:
        content: The objects.
        listed: The prefixes that were listed.
        opened: The URIs that were read.
    """

    content: dict[str, bytes] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """All objects whose URI begins with the prefix."""
        self.listed.append(prefix)
        for uri, data in sorted(self.content.items()):
            if uri.startswith(prefix):
                yield StoredObject(uri, len(data), hashlib.sha256(data).hexdigest(), _WRITTEN)

    def read(self, uri: str) -> bytes:
        """The bytes of an object."""
        self.opened.append(uri)
        if uri not in self.content:
            raise ObjectNotFoundError(uri)
        return self.content[uri]

    def write(self, uri: str, data: bytes, content_type: str) -> None:  # noqa: ARG002  # the port asks for it
        """Create or replace an object."""
        self.content[uri] = data


@dataclass
class MemoryCatalog:
    """One database with one table."""

    dates: list[str] = field(default_factory=list)
    schema: Mapping[str, Any] = field(default_factory=lambda: SCHEMA)

    def _storage(self, location: str) -> Storage:
        columns = (Column("id", "string"), Column("n", "bigint"))
        return Storage(columns, location, AVRO_SERDE, {"avro.schema.literal": json.dumps(self.schema)})

    def databases(self) -> Sequence[Database]:
        """All databases."""
        return [Database("db")]

    def database(self, name: str) -> Database | None:
        """One database."""
        return Database(name) if name == "db" else None

    def tables(self, database: str) -> Sequence[Table]:  # noqa: ARG002  # the port asks for it
        """All tables."""
        return [Table("db", "rows", self._storage(LOCATION), (Column("partition_date", "string"),))]

    def table(self, database: str, name: str) -> Table | None:
        """One table."""
        return self.tables(database)[0] if name == "rows" else None

    def partition_values(self, table: Table) -> Sequence[tuple[str, ...]]:  # noqa: ARG002  # the port asks for it
        """The values of all partitions."""
        return [(day,) for day in self.dates]

    def partitions(
        self,
        table: Table,  # noqa: ARG002  # the port asks for it
        values: Collection[tuple[str, ...]] | None = None,
    ) -> Sequence[Partition]:
        """Partitions."""
        return [
            Partition((day,), self._storage(f"{LOCATION}partition_date={day}/"))
            for day in self.dates
            if values is None or (day,) in values
        ]

    def create_database(self, database: Database) -> None:
        """Not needed."""
        raise NotImplementedError

    def drop_database(self, name: str) -> None:
        """Not needed."""
        raise NotImplementedError

    def create_table(self, table: Table) -> None:
        """Not needed."""
        raise NotImplementedError

    def update_table(self, table: Table) -> None:
        """Not needed."""
        raise NotImplementedError

    def drop_table(self, table: Table) -> None:
        """Not needed."""
        raise NotImplementedError

    def add_partition(self, table: Table, partition: Partition) -> bool:
        """Not needed."""
        raise NotImplementedError

    def update_partition(self, table: Table, partition: Partition) -> None:
        """Not needed."""
        raise NotImplementedError

    def drop_partition(self, table: Table, partition: Partition) -> None:
        """Not needed."""
        raise NotImplementedError
