"""The formats of files that are read here, by the SerDe that names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from local.athena.engine.avro_files import avro_reader
from local.athena.engine.json_files import json_reader
from local.athena.errors import QueryError
from local.athena.ports import AVRO_SERDE, JSON_SERDE


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from local.athena.ports import Objects, Partition, StoredObject, Table
    from local.athena.types import Type


class Reader(Protocol):
    """Reads files whose rows arrive with the same types. Equal readers read alike, so that they can be keys."""

    @property
    def kinds(self) -> tuple[Type, ...]:
        """The types of the wanted columns as they arrive, in order."""

    def read(self, objects: Objects, files: Sequence[StoredObject]) -> pa.Table:
        """The rows of files, at least one, with the columns f0, f1, … as wanted and the hidden ones behind."""

    def __hash__(self) -> int:
        """The hash of what it reads by."""


_READERS: dict[str, Callable[[Table, Partition | None, Sequence[str]], Reader]] = {
    AVRO_SERDE: avro_reader,
    JSON_SERDE: json_reader,
}


def reader_of(table: Table, partition: Partition | None, columns: Sequence[str]) -> Reader:
    """What reads the files of a partition, or of a table without partitions.

    Args:
        table: The table.
        partition: The partition, or None when the table has none.
        columns: The wanted columns in lower case.

    Raises:
        QueryError: NOT_SUPPORTED for a SerDe that is not known here, and what the format refuses.
    """
    serde = (partition or table).storage.serde
    made = _READERS.get(serde)
    if made is None:
        raise QueryError(
            "NOT_SUPPORTED", f"The local Athena reads Avro and JSON only, and {table.name} has the SerDe '{serde}'"
        )
    return made(table, partition, columns)
