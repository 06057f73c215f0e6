"""How Athena reads a partition of Avro files, as data: a catalog, some files, a query, and what comes back.

The cases follow the three rules by which the engine reads a partition, sentence by sentence:

1. *verification*: the table's columns against the partition's own copy, by position, over the shorter list;
2. *reader schema*: the partition's SerDe parameters, overridden by the table's Parameters;
3. *lookup and resolution*: columns by name in that schema, then Avro's rules from the writer's schema to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Schema = dict[str, Any]

_PRIMITIVES = {"int": "int", "bigint": "long", "float": "float", "double": "double", "boolean": "boolean"}


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
    """An object below the partition's location: Avro rows, or any bytes."""

    name: str
    schema: Schema | None = None
    rows: Sequence[Mapping[str, Any]] = ()
    content: bytes = b""
    codec: str = "null"


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
        query: With ``{table}`` for its name.
        rows: The rows that come back, as texts, in any order.
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
    query: str = "SELECT id, n FROM {table}"
    rows: Sequence[Sequence[str | None]] = ()
    error: str | None = None
    saying: Sequence[str] = ()


MISMATCH = "HIVE_PARTITION_SCHEMA_MISMATCH"
CANNOT_OPEN = "HIVE_CANNOT_OPEN_SPLIT"
VERIFICATION, READER, LOOKUP, RESOLUTION, COERCION, FILES = (
    "verification",
    "reader schema",
    "lookup",
    "resolution",
    "coercion",
    "files",
)


def one(schema: Schema, **row: Any) -> list[File]:
    """One file with one row."""
    return [File("one.avro", schema, [row])]


def _retyped(partition: str, table: str, expected: str | None, value: Any, avro: Any, *, fails: bool = False) -> Case:
    """A column whose type in the partition is not the table's."""
    schema = record(ID, required("x", avro))
    return Case(
        f"a partition's {partition} {'does not become' if fails else 'becomes'} the table's {table}"
        + ("" if fails or expected is None else f": {expected}"),
        VERIFICATION if fails else COERCION,
        table=f"id string, x {table}",
        partition=f"id string, x {partition}",
        in_partition=schema,
        files=one(schema, id="a", x=value),
        query="SELECT x FROM {table}",
        rows=[] if fails else [[expected]],
        error=MISMATCH if fails else None,
        saying=["'x'", f"'{table}'", f"'{partition}'"] if fails else [],
    )


_MORE = record(ID, NUMBER, optional("extra", "string"))
_DATES = record(required("requested", "string"), name="dates")
_MORE_DATES = record(required("requested", "string"), optional("triggered", "string"), name="dates")
_STAMPED = record(ID, required("date", _DATES))
_MORE_STAMPED = record(ID, required("date", _MORE_DATES))
_COLOUR = {"type": "enum", "name": "colour", "symbols": ["RED", "GREEN"]}
_MORE_COLOURS = {"type": "enum", "name": "colour", "symbols": ["RED", "GREEN", "BLUE"]}
_COLOURS_WITH_DEFAULT = {"type": "enum", "name": "colour", "symbols": ["RED", "OTHER"], "default": "OTHER"}

_VERIFIED = [
    Case("equal lists of columns pass", VERIFICATION, rows=[["a", "1"]]),
    Case(
        "a column added at the end of the table passes: only the shorter list is compared",
        VERIFICATION,
        table=f"{COLUMNS}, extra string",
        partition=COLUMNS,
        in_partition=_MORE,
        query="SELECT id, n, extra FROM {table}",
        rows=[["a", "1", None]],
    ),
    Case(
        "a column removed from the end of the table passes",
        VERIFICATION,
        table="id string",
        partition=COLUMNS,
        query="SELECT id FROM {table}",
        rows=[["a"]],
    ),
    Case(
        "a column inserted before one of another type fails: columns are compared by position",
        VERIFICATION,
        table="id string, extra array<string>, n int",
        partition=COLUMNS,
        in_partition=record(ID, optional("extra", {"type": "array", "items": "string"}), NUMBER),
        error=MISMATCH,
        saying=["'extra'", "'array<string>'", "'n'", "'int'"],
    ),
    Case(
        "a column inserted where all types stay equal by position passes, whatever the names",
        VERIFICATION,
        table="id string, extra string, note string",
        partition="id string, note string",
        in_partition=record(ID, optional("extra", "string"), required("note", "string")),
        files=one(record(ID, required("note", "string")), id="a", note="x"),
        query="SELECT id, extra, note FROM {table}",
        rows=[["a", None, "x"]],
    ),
    Case(
        "a column removed from the middle fails when the types shift",
        VERIFICATION,
        table="id string, tags array<string>",
        partition="id string, n int, tags array<string>",
        query="SELECT id FROM {table}",
        error=MISMATCH,
        saying=["'tags'", "'n'"],
    ),
    Case(
        "columns in another order fail when their types do not coerce",
        VERIFICATION,
        table="tags array<string>, id string",
        partition="id string, tags array<string>",
        query="SELECT id FROM {table}",
        error=MISMATCH,
    ),
    Case(
        "columns in another order pass when their types coerce, and are read by name",
        VERIFICATION,
        table="second string, first string",
        partition="first string, second string",
        in_partition=record(required("first", "string"), required("second", "string")),
        files=one(record(required("first", "string"), required("second", "string")), first="1", second="2"),
        query="SELECT second, first FROM {table}",
        rows=[["2", "1"]],
    ),
    Case(
        "a mismatch fails a query even when it does not use the column",
        VERIFICATION,
        table="id string, n array<string>",
        partition=COLUMNS,
        query="SELECT id FROM {table}",
        error=MISMATCH,
    ),
    Case(
        "a mismatch fails even count(*)",
        VERIFICATION,
        table="id string, n array<string>",
        partition=COLUMNS,
        query="SELECT count(*) FROM {table}",
        error=MISMATCH,
        saying=["partition_date=2025-06-01"],
    ),
    Case(
        "a partition that is pruned away is not verified",
        VERIFICATION,
        table="id string, n array<string>",
        partition=COLUMNS,
        query="SELECT id FROM {table} WHERE partition_date = '1999-01-01'",
        rows=[],
    ),
    Case(
        "a partition without any columns passes",
        VERIFICATION,
        partition="",
        rows=[["a", "1"]],
    ),
    Case(
        "a struct may have gained a field in the table",
        VERIFICATION,
        table="id string, date struct<requested:string,triggered:string>",
        partition="id string, date struct<requested:string>",
        in_partition=_MORE_STAMPED,
        files=one(_STAMPED, id="a", date={"requested": "r"}),
        query="SELECT date.requested, date.triggered FROM {table}",
        rows=[["r", None]],
    ),
    Case(
        "a struct may have lost a field in the table",
        VERIFICATION,
        table="id string, date struct<requested:string>",
        partition="id string, date struct<requested:string,triggered:string>",
        in_partition=_MORE_STAMPED,
        files=one(_MORE_STAMPED, id="a", date={"requested": "r", "triggered": "t"}),
        query="SELECT date FROM {table}",
        rows=[["{requested=r}"]],
    ),
    Case(
        "fields of a struct are compared by name, not by position",
        VERIFICATION,
        table="id string, date struct<triggered:string,requested:string>",
        partition="id string, date struct<requested:string,triggered:string>",
        in_partition=_MORE_STAMPED,
        files=one(_MORE_STAMPED, id="a", date={"requested": "r", "triggered": "t"}),
        query="SELECT date FROM {table}",
        rows=[["{triggered=t, requested=r}"]],
    ),
    Case(
        "a struct fails when a field of the same name does not coerce",
        VERIFICATION,
        table="id string, date struct<requested:array<string>>",
        partition="id string, date struct<requested:string>",
        in_partition=_STAMPED,
        files=one(_STAMPED, id="a", date={"requested": "r"}),
        query="SELECT id FROM {table}",
        error=MISMATCH,
    ),
    _retyped("bigint", "int", None, 1, "long", fails=True),
    _retyped("double", "int", None, 1.5, "double", fails=True),
    _retyped("boolean", "int", None, True, "boolean", fails=True),
    _retyped("int", "boolean", None, 1, "int", fails=True),
    _retyped("int", "date", None, 1, "int", fails=True),
    _retyped("string", "array<string>", None, "x", "string", fails=True),
    _retyped("array<string>", "string", None, ["x"], {"type": "array", "items": "string"}, fails=True),
    _retyped("array<bigint>", "array<int>", None, [1], {"type": "array", "items": "long"}, fails=True),
]

_COERCED = [
    _retyped("int", "bigint", "7", 7, "int"),
    _retyped("int", "double", "7.0", 7, "int"),
    _retyped("int", "decimal(10,2)", "7.00", 7, "int"),
    _retyped("int", "string", "7", 7, "int"),
    _retyped("bigint", "double", "7.0", 7, "long"),
    _retyped("bigint", "decimal(20,1)", "7.0", 7, "long"),
    _retyped("bigint", "string", "8000000000", 8_000_000_000, "long"),
    _retyped("float", "double", "1.5", 1.5, "float"),
    _retyped("double", "float", "1.5", 1.5, "double"),
    _retyped("double", "string", "1.0E10", 1e10, "double"),
    _retyped("boolean", "string", "true", True, "boolean"),
    _retyped("string", "int", "42", "42", "string"),
    _retyped("string", "int", None, "forty-two", "string"),
    _retyped("string", "bigint", "8000000000", "8000000000", "string"),
    _retyped("string", "double", "1.5", "1.5", "string"),
    _retyped("string", "date", "2025-06-01", "2025-06-01", "string"),
    _retyped("string", "timestamp", "2025-06-01 10:00:00.000", "2025-06-01 10:00:00", "string"),
    _retyped("string", "boolean", "true", "true", "string"),
    _retyped("date", "string", "2025-06-01", 20240, {"type": "int", "logicalType": "date"}),
    _retyped("array<int>", "array<bigint>", "[1, 2]", [1, 2], {"type": "array", "items": "int"}),
    _retyped("map<string,int>", "map<string,bigint>", "{k=1}", {"k": 1}, {"type": "map", "values": "int"}),
    Case(
        "fields of a struct coerce one by one, also inside arrays",
        COERCION,
        table="id string, x array<struct<a:bigint,b:string>>",
        partition="id string, x array<struct<b:string,a:int>>",
        in_partition=record(
            ID,
            required("x", {"type": "array", "items": record(required("b", "string"), required("a", "int"), name="e")}),
        ),
        files=one(
            record(
                ID,
                required(
                    "x", {"type": "array", "items": record(required("b", "string"), required("a", "int"), name="e")}
                ),
            ),
            id="a",
            x=[{"a": 1, "b": "one"}],
        ),
        query="SELECT x FROM {table}",
        rows=[["[{a=1, b=one}]"]],
    ),
]

_WIDE = record(ID, required("n", "long"))
_READ_BY = [
    Case(
        "the schema in the partition's SerDe parameters reads the files",
        READER,
        table=f"{COLUMNS}, extra string",
        in_partition=_MORE,
        query="SELECT extra FROM {table}",
        rows=[[None]],
    ),
    Case(
        "the schema in the table's Parameters reads the files when it is the only one",
        READER,
        in_table=PLAIN,
        in_partition=None,
        rows=[["a", "1"]],
    ),
    Case(
        "the schema in the table's Parameters wins over the partition's",
        READER,
        table=f"{COLUMNS}, extra string",
        in_table=record(ID, NUMBER, required("extra", "string", default="from the table")),
        in_partition=record(ID, NUMBER, required("extra", "string", default="from the partition")),
        query="SELECT extra FROM {table}",
        rows=[["from the table"]],
    ),
    Case(
        "the schema in the table's SerDe parameters says nothing about a partition",
        READER,
        table=f"{COLUMNS}, extra string",
        in_table_serde=record(ID, NUMBER, required("extra", "string", default="from the table")),
        in_partition=record(ID, NUMBER, required("extra", "string", default="from the partition")),
        query="SELECT extra FROM {table}",
        rows=[["from the partition"]],
    ),
    Case(
        "one change of the table's Parameters switches a partition with an old list and an old schema",
        READER,
        table=f"{COLUMNS}, extra string",
        partition=COLUMNS,
        in_table=_MORE,
        in_partition=PLAIN,
        query="SELECT id, n, extra FROM {table}",
        rows=[["a", "1", None]],
    ),
    Case(
        "a schema that is none is an error",
        READER,
        in_table={"type": "record", "name": "row"},
        error=CANNOT_OPEN,
        saying=["Unable to load or parse schema"],
    ),
]

_LOOKED_UP = [
    Case(
        "columns are found by name, whatever their place in the schema",
        LOOKUP,
        in_partition=record(NUMBER, ID),
        rows=[["a", "1"]],
    ),
    Case(
        "a column is found under a name with capitals",
        LOOKUP,
        table="fanid string",
        in_partition=record(required("fanId", "string")),
        files=one(record(required("fanId", "string")), fanId="f"),
        query="SELECT fanid FROM {table}",
        rows=[["f"]],
    ),
    Case(
        "a field in lower case comes before one with capitals",
        LOOKUP,
        table="fanid string",
        in_partition=record(required("fanId", "string"), required("fanid", "string")),
        files=one(record(required("fanId", "string"), required("fanid", "string")), fanId="capital", fanid="lower"),
        query="SELECT fanid FROM {table}",
        rows=[["lower"]],
    ),
    Case(
        "a column that the schema lacks is an error",
        LOOKUP,
        table=f"{COLUMNS}, extra string",
        query="SELECT extra FROM {table}",
        error=CANNOT_OPEN,
        saying=["Unable to find column extra in table Avro schema row"],
    ),
    Case(
        "a column that the schema lacks does not matter to a query that does not use it",
        LOOKUP,
        table=f"{COLUMNS}, extra string",
        rows=[["a", "1"]],
    ),
    Case(
        "a column that the schema lacks does not matter to a partition without files",
        LOOKUP,
        table=f"{COLUMNS}, extra string",
        files=[],
        query="SELECT extra FROM {table}",
        rows=[],
    ),
]

_RESOLVED = [
    Case(
        "a field that a file lacks takes its default",
        RESOLUTION,
        table=f"{COLUMNS}, extra string",
        in_partition=record(ID, NUMBER, required("extra", "string", default="none")),
        query="SELECT extra FROM {table}",
        rows=[["none"]],
    ),
    Case(
        "a field that a file lacks and that has no default is an error",
        RESOLUTION,
        table=f"{COLUMNS}, extra string",
        in_partition=record(ID, NUMBER, required("extra", "string")),
        query="SELECT extra FROM {table}",
        error=CANNOT_OPEN,
        saying=["Avro type resolution error", "one.avro"],
    ),
    Case(
        "a missing default does not matter to a query that does not use the column",
        RESOLUTION,
        table=f"{COLUMNS}, extra string",
        in_partition=record(ID, NUMBER, required("extra", "string")),
        rows=[["a", "1"]],
    ),
    Case(
        "an invalid default reads as null",
        RESOLUTION,
        table=f"{COLUMNS}, extra int",
        in_partition=record(ID, NUMBER, required("extra", "int", default="no number")),
        query="SELECT extra FROM {table}",
        rows=[[None]],
    ),
    Case(
        "null as default of a union whose first type is another reads as null",
        RESOLUTION,
        table=f"{COLUMNS}, extra string",
        in_partition=record(ID, NUMBER, required("extra", ["string", "null"], default=None)),
        query="SELECT extra FROM {table}",
        rows=[[None]],
    ),
    Case(
        "a nested field that a file lacks takes its default",
        RESOLUTION,
        table="id string, date struct<requested:string,triggered:string>",
        in_partition=_MORE_STAMPED,
        files=one(_STAMPED, id="a", date={"requested": "r"}),
        query="SELECT date FROM {table}",
        rows=[["{requested=r, triggered=null}"]],
    ),
    Case(
        "a nested field that a file lacks and that has no default is an error",
        RESOLUTION,
        table="id string, date struct<requested:string,triggered:string>",
        in_partition=record(
            ID, required("date", record(required("requested", "string"), required("triggered", "string"), name="dates"))
        ),
        files=one(_STAMPED, id="a", date={"requested": "r"}),
        query="SELECT date.requested FROM {table}",
        error=CANNOT_OPEN,
        saying=["Avro type resolution error"],
    ),
    Case(
        "a field that only the file has is skipped",
        RESOLUTION,
        files=one(_MORE, id="a", n=1, extra="x"),
        rows=[["a", "1"]],
    ),
    Case(
        "an int in the file is read as the schema's long",
        RESOLUTION,
        table="id string, n bigint",
        in_partition=_WIDE,
        rows=[["a", "1"]],
    ),
    Case(
        "a long in the file is not read as the schema's int",
        RESOLUTION,
        files=one(_WIDE, id="a", n=1),
        error=CANNOT_OPEN,
        saying=["Avro type resolution error"],
    ),
    Case(
        "a field that became optional reads old files",
        RESOLUTION,
        in_partition=record(ID, optional("n", "int")),
        rows=[["a", "1"]],
    ),
    Case(
        "a field that became required reads old files as long as they hold no null",
        RESOLUTION,
        files=one(record(ID, optional("n", "int")), id="a", n=1),
        rows=[["a", "1"]],
    ),
    Case(
        "a null in the file of a field that became required is an error",
        RESOLUTION,
        files=one(record(ID, optional("n", "int")), id="a", n=None),
        error="HIVE_CURSOR_ERROR",
        saying=["Failed to read Avro file"],
    ),
    Case(
        "a renamed field finds its old name by its alias",
        RESOLUTION,
        table="id string, count int",
        in_partition=record(ID, required("count", "int", aliases=["n"])),
        query="SELECT count FROM {table}",
        rows=[["1"]],
    ),
    Case(
        "the record's name does not matter",
        RESOLUTION,
        in_partition=record(ID, NUMBER, name="another"),
        rows=[["a", "1"]],
    ),
    Case(
        "an enum is a string",
        RESOLUTION,
        table="colour string",
        in_partition=record(required("colour", _COLOUR)),
        files=one(record(required("colour", _COLOUR)), colour="GREEN"),
        query="SELECT colour FROM {table}",
        rows=[["GREEN"]],
    ),
    Case(
        "an enum that gained a symbol reads old files",
        RESOLUTION,
        table="colour string",
        in_partition=record(required("colour", _MORE_COLOURS)),
        files=one(record(required("colour", _COLOUR)), colour="GREEN"),
        query="SELECT colour FROM {table}",
        rows=[["GREEN"]],
    ),
    Case(
        "a file whose enum has a symbol that the schema lacks is an error, even if no row has it",
        RESOLUTION,
        table="colour string",
        in_partition=record(required("colour", _COLOUR)),
        files=one(record(required("colour", _MORE_COLOURS)), colour="GREEN"),
        query="SELECT colour FROM {table}",
        error=CANNOT_OPEN,
        saying=["Avro type resolution error"],
    ),
    Case(
        "a symbol that the schema lacks becomes the enum's default",
        RESOLUTION,
        table="colour string",
        in_partition=record(required("colour", _COLOURS_WITH_DEFAULT)),
        files=one(record(required("colour", _MORE_COLOURS)), colour="BLUE"),
        query="SELECT colour FROM {table}",
        rows=[["OTHER"]],
    ),
    Case(
        "files of one partition may have been written with different schemas",
        RESOLUTION,
        table=f"{COLUMNS}, extra string",
        in_partition=_MORE,
        files=[
            File("1.avro", PLAIN, [{"id": "old", "n": 1}]),
            File("2.avro", _MORE, [{"id": "new", "n": 2, "extra": "x"}]),
            File("3.avro", record(NUMBER, ID), [{"id": "turned", "n": 3}]),
        ],
        query="SELECT id, n, extra FROM {table}",
        rows=[["old", "1", None], ["new", "2", "x"], ["turned", "3", None]],
    ),
    Case(
        "arrays of records, with records and arrays in them",
        RESOLUTION,
        table="venues array<struct<name:string,markets:array<struct<id:string>>>>",
        in_partition=record(
            required(
                "venues",
                {
                    "type": "array",
                    "items": record(
                        required("name", "string"),
                        required(
                            "markets", {"type": "array", "items": record(required("id", "string"), name="market")}
                        ),
                        name="venue",
                    ),
                },
            )
        ),
        files=one(
            record(
                required(
                    "venues",
                    {
                        "type": "array",
                        "items": record(
                            required("name", "string"),
                            required(
                                "markets", {"type": "array", "items": record(required("id", "string"), name="market")}
                            ),
                            name="venue",
                        ),
                    },
                )
            ),
            venues=[{"name": "v", "markets": [{"id": "1"}, {"id": "2"}]}, {"name": "w", "markets": []}],
        ),
        query="SELECT v.name, m.id FROM {table} CROSS JOIN UNNEST(venues) AS v(name, markets) "
        "CROSS JOIN UNNEST(v.markets) AS m(id)",
        rows=[["v", "1"], ["v", "2"]],
    ),
    Case(
        "logical types: date, timestamp-millis and decimal are honoured, all others are what they are stored as",
        RESOLUTION,
        table="d date, t timestamp, m decimal(6,2), u bigint, k int",
        in_partition=record(
            required("d", {"type": "int", "logicalType": "date"}),
            required("t", {"type": "long", "logicalType": "timestamp-millis"}),
            required("m", {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}),
            required("u", {"type": "long", "logicalType": "timestamp-micros"}),
            required("k", {"type": "int", "logicalType": "time-millis"}),
        ),
        files=one(
            record(
                required("d", "int"),
                required("t", "long"),
                required("m", "bytes"),
                required("u", "long"),
                required("k", "int"),
            ),
            d=20240,
            t=1_748_772_000_123,
            m=(-12345).to_bytes(2, "big", signed=True),
            u=7,
            k=8,
        ),
        query="SELECT d, t, m, u, k FROM {table}",
        rows=[["2025-06-01", "2025-06-01 10:00:00.123", "-123.45", "7", "8"]],
    ),
    Case(
        "bytes are binary, and a map is a map",
        RESOLUTION,
        table="b binary, m map<string,int>",
        in_partition=record(required("b", "bytes"), required("m", {"type": "map", "values": "int"})),
        files=one(
            record(required("b", "bytes"), required("m", {"type": "map", "values": "int"})), b=b"\x00\xff", m={"k": 1}
        ),
        query="SELECT b, m FROM {table}",
        rows=[["00 ff", "{k=1}"]],
    ),
]

_FOUND = [
    Case("a partition whose location holds nothing has no rows", FILES, files=[], rows=[]),
    Case(
        "objects whose name begins with an underscore or a dot are ignored",
        FILES,
        files=[
            File("one.avro", PLAIN, [{"id": "a", "n": 1}]),
            File("_SUCCESS", content=b"not Avro"),
            File(".hidden", content=b"not Avro"),
            File("_temporary/two.avro", content=b"not Avro"),
        ],
        rows=[["a", "1"]],
    ),
    Case(
        "objects in folders below the location are read",
        FILES,
        files=[File("deeper/one.avro", PLAIN, [{"id": "a", "n": 1}])],
        rows=[["a", "1"]],
    ),
    Case("an empty object is no row and no error", FILES, files=[File("empty.avro")], rows=[]),
    Case(
        "a file that is not Avro is an error",
        FILES,
        files=[File("note.txt", content=b"hello")],
        error=CANNOT_OPEN,
        saying=["Not an Avro data file"],
    ),
    Case(
        "a file that is not Avro fails even count(*)",
        FILES,
        files=[File("note.txt", content=b"hello")],
        query="SELECT count(*) FROM {table}",
        error=CANNOT_OPEN,
    ),
    Case(
        "a file that is not Avro does not matter to a query that does not need its partition",
        FILES,
        files=[File("note.txt", content=b"hello")],
        query="SELECT id FROM {table} WHERE partition_date > '2025-06-01'",
        rows=[],
    ),
    Case(
        "compressed blocks are read",
        FILES,
        files=[File("one.avro", PLAIN, [{"id": "a", "n": 1}], codec="deflate")],
        rows=[["a", "1"]],
    ),
    Case(
        "a file without rows has no rows",
        FILES,
        files=[File("one.avro", PLAIN, [])],
        rows=[],
    ),
    Case(
        "the partition's value is a column, and comes last",
        FILES,
        query="SELECT * FROM {table}",
        rows=[["a", "1", "2025-06-01"]],
    ),
]

CASES = [*_VERIFIED, *_COERCED, *_READ_BY, *_LOOKED_UP, *_RESOLVED, *_FOUND]
