"""How Athena reads a partition of Avro files, as data: a catalog, some files, a query, and what comes back.

The cases follow the rules by which the engine reads a partition, sentence by sentence:

1. *verification*: the table's columns against the partition's own copy of them;
2. *reader schema*: the partition's SerDe parameters, overridden by the table's, overridden by the table's Parameters;
3. *lookup*, *resolution* and *presentation*: columns by name in that schema, Avro's rules from the writer's schema to
   it, and the table's types made of its types;
4. *schema change*: the steps of a change, each of which leaves every reader whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Schema = dict[str, Any]


def record(*fields: Mapping[str, Any], name: str = "row") -> Schema:
    """An Avro record."""
    return {"type": "record", "name": name, "fields": list(fields)}


def required(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    """A field without a default."""
    return {"name": name, "type": kind, **more}


def optional(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    """A field that is null unless it is given."""
    return {"name": name, "type": ["null", kind], "default": None, **more}


ID = required("id", "string")
NUMBER = required("n", "int")
PLAIN = record(ID, NUMBER)
COLUMNS = "id string, n int"


@dataclass(frozen=True)
class File:
    """An object below the partition's location: Avro rows, or any bytes.

    Attributes:
        name: Its name.
        schema: The writer's schema.
        rows: The rows.
        content: The bytes of an object that is no Avro.
        codec: How its blocks are compressed.
        folder: Another folder of the table, when it does not lie in the partition's own.
        lost: Bytes that are missing at its end.
    """

    name: str
    schema: Schema | None = None
    rows: Sequence[Mapping[str, Any]] = ()
    content: bytes = b""
    codec: str = "null"
    folder: str | None = None
    lost: int = 0


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        name: What it shows, as a sentence.
        rule: The rule it belongs to.
        table: The table's columns, ``"id string, n int"``.
        partition: The partition's own copy of them; the table's unless said otherwise.
        in_table: The schema in the table's Parameters.
        in_table_serde: The schema in the table's SerDe parameters.
        in_partition: The schema in the partition's SerDe parameters.
        files: What lies at the partition's location.
        location: Another folder of the table to which the partition points, or the URI of one outside.
        query: With ``{table}`` for its name.
        rows: The rows that come back, as texts, in any order.
        types: The types of their columns, where they matter.
        error: The name of the error, when the query fails.
        saying: Parts of its message.
    """

    name: str
    rule: str
    table: str = COLUMNS
    partition: str | None = None
    in_table: Schema | None = None
    in_table_serde: Schema | None = None
    in_partition: Schema | None = field(default_factory=lambda: PLAIN)
    files: Sequence[File] = field(default_factory=lambda: [File("one.avro", PLAIN, [{"id": "a", "n": 1}])])
    location: str | None = None
    query: str = "SELECT id, n FROM {table}"
    rows: Sequence[Sequence[str | None]] = ()
    types: Sequence[str] | None = None
    error: str | None = None
    saying: Sequence[str] = ()


MISMATCH = "HIVE_PARTITION_SCHEMA_MISMATCH"
CURSOR = "HIVE_CURSOR_ERROR"
CANNOT_OPEN = "HIVE_CANNOT_OPEN_SPLIT"
INTERNAL = "GENERIC_INTERNAL_ERROR"
REFUSED = "NOT_SUPPORTED"  # the local Athena alone: Trino answers, and not as anyone would expect

VERIFICATION, READER, LOOKUP, RESOLUTION, PRESENTATION, CHANGE, FILES = (
    "verification",
    "reader schema",
    "lookup",
    "resolution",
    "presentation",
    "schema change",
    "files",
)


def one(schema: Schema, **row: Any) -> list[File]:
    """One file with one row."""
    return [File("one.avro", schema, [row])]
