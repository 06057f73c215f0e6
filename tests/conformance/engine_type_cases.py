"""Types, as cases: which ones a partition may declare beside the table's, and what is read of which.

Two things that have nothing to do with each other. *Verification* compares declarations, and decides whether the query
is planned. *Presentation* takes values as the Avro schema says, whatever the declarations are, and puts them into the
table's type.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.conformance.engine_case import (
    ID,
    INTERNAL,
    MISMATCH,
    PRESENTATION,
    REFUSED,
    RESOLUTION,
    VERIFICATION,
    Case,
    File,
    Schema,
    one,
    optional,
    record,
    required,
)


class _Sample(NamedTuple):
    """An Avro type with a value of it, as it is written and as it is shown."""

    avro: Any
    value: Any
    shown: str


def _decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def _items(kind: Any) -> dict[str, Any]:
    return {"type": "array", "items": kind}


_SAMPLES = {
    "int": _Sample("int", 7, "7"),
    "bigint": _Sample("long", 8_000_000_000, "8000000000"),
    "float": _Sample("float", 1.5, "1.5"),
    "double": _Sample("double", 2.5, "2.5"),
    "boolean": _Sample("boolean", True, "true"),
    "string": _Sample("string", "42", "42"),
    "date": _Sample({"type": "int", "logicalType": "date"}, 20240, "2025-06-01"),
    "timestamp": _Sample(
        {"type": "long", "logicalType": "timestamp-millis"}, 1_748_772_000_123, "2025-06-01 10:00:00.123"
    ),
    "decimal(6,2)": _Sample(_decimal(6, 2), (12345).to_bytes(2, "big", signed=True), "123.45"),
    "binary": _Sample("bytes", b"\x2a", "2a"),
}

# From a partition's type to the table's, of all pairs of the types above: those that pass, and what is read then.
_PASSING = {
    ("int", "bigint"): "7",
    ("float", "double"): "1.5",
    ("int", "string"): INTERNAL,
    ("bigint", "string"): INTERNAL,
    ("string", "int"): INTERNAL,
    ("string", "bigint"): INTERNAL,
    ("float", "decimal(6,2)"): INTERNAL,
    ("double", "decimal(6,2)"): INTERNAL,
    ("decimal(6,2)", "float"): INTERNAL,
    ("decimal(6,2)", "double"): INTERNAL,
    ("decimal(6,2)", "string"): INTERNAL,
    ("double", "float"): REFUSED,
}


def _declared(partition: str, table: str, sample: _Sample, outcome: str) -> Case:
    """A column whose type in the partition, and in its schema, is not the table's."""
    schema = record(ID, required("x", sample.avro))
    verb = {
        MISMATCH: "does not become",
        INTERNAL: "may become, and cannot be read as,",
        REFUSED: "may become, and is not read as,",
    }.get(outcome, "becomes")
    error = outcome if outcome in (MISMATCH, INTERNAL, REFUSED) else None
    return Case(
        f"a partition's {partition} {verb} the table's {table}",
        VERIFICATION if error == MISMATCH else PRESENTATION,
        table=f"id string, x {table}",
        partition=f"id string, x {partition}",
        in_partition=schema,
        files=one(schema, id="a", x=sample.value),
        query="SELECT x FROM {table}",
        rows=[] if error else [[outcome]],
        error=error,
        saying=["'x'", f"'{table}'", f"'{partition}'"] if error == MISMATCH else [],
    )


_PAIRS = [
    _declared(partition, table, _SAMPLES[partition], _PASSING.get((partition, table), MISMATCH))
    for partition in _SAMPLES
    for table in _SAMPLES
    if partition != table
]

_MORE_PAIRS = [
    _declared("tinyint", "smallint", _SAMPLES["int"], REFUSED),
    _declared("smallint", "int", _SAMPLES["int"], REFUSED),
    _declared("smallint", "tinyint", _SAMPLES["int"], MISMATCH),
    _declared("string", "varchar(1)", _SAMPLES["string"], "4"),
    _declared("varchar(9)", "string", _SAMPLES["string"], "42"),
    _declared("char(2)", "string", _SAMPLES["string"], MISMATCH),
    _declared("decimal(6,2)", "decimal(8,3)", _SAMPLES["decimal(6,2)"], "123.450"),
    _declared("string", "array<string>", _SAMPLES["string"], MISMATCH),
    _declared("array<string>", "string", _Sample(_items("string"), ["x"], ""), MISMATCH),
    _declared("array<bigint>", "array<int>", _Sample(_items("long"), [1], ""), MISMATCH),
    _declared("array<int>", "array<double>", _Sample(_items("int"), [1], ""), MISMATCH),
    _declared("array<int>", "array<bigint>", _Sample(_items("int"), [1, 2], ""), "[1, 2]"),
    _declared("array<array<int>>", "array<array<bigint>>", _Sample(_items(_items("int")), [[1], []], ""), "[[1], []]"),
    _declared(
        "map<string,int>", "map<string,bigint>", _Sample({"type": "map", "values": "int"}, {"k": 1}, ""), "{k=1}"
    ),
    _declared(
        "map<string,bigint>", "map<string,int>", _Sample({"type": "map", "values": "long"}, {"k": 1}, ""), MISMATCH
    ),
    _declared("struct<a:int>", "string", _Sample(record(required("a", "int"), name="s"), {"a": 1}, ""), MISMATCH),
]


def _read(table: str, avro: Any, value: Any, outcome: str) -> Case:
    """A column whose type in the Avro schema is not the one that table and partition declare."""
    schema = record(ID, required("x", avro))
    kind = avro if isinstance(avro, str) else avro.get("logicalType", avro["type"])
    error = outcome if outcome in (INTERNAL, REFUSED) else None
    return Case(
        f"the schema's {kind} in the table's {table}"
        + {INTERNAL: " cannot be read", REFUSED: " is refused"}.get(outcome, f": {outcome}"),
        PRESENTATION,
        table=f"id string, x {table}",
        in_partition=schema,
        files=one(schema, id="a", x=value),
        query="SELECT x FROM {table}",
        rows=[] if error else [[outcome]],
        error=error,
    )


_PRESENTED = [
    _read("bigint", "int", 7, REFUSED),
    _read("double", "int", 7, REFUSED),
    _read("double", "long", 7, REFUSED),
    _read("double", "float", 1.5, REFUSED),
    _read("string", "int", 7, INTERNAL),
    _read("string", "boolean", True, INTERNAL),
    _read("boolean", "int", 7, INTERNAL),
    _read("boolean", "string", "true", INTERNAL),
    _read("decimal(6,2)", "double", 1.5, INTERNAL),
    _read("array<string>", "string", "x", INTERNAL),
    _read("smallint", "int", 7, REFUSED),
    _read("int", "long", 7, REFUSED),
    _read("bigint", "double", 1.5, REFUSED),
    _read("float", "int", 7, REFUSED),
    _read("date", "int", 7, REFUSED),
    _read("int", {"type": "int", "logicalType": "date"}, 7, REFUSED),
    _read("timestamp", "long", 1_748_772_000_123, REFUSED),
    _read("binary", "string", "x", REFUSED),
    _read("array<bigint>", _items("int"), [7], REFUSED),
    _read("array<double>", _items("int"), [7], INTERNAL),
    _read("array<string>", _items("int"), [7], INTERNAL),
]


# ---------------------------------------------------------------------------------------------------- structs

_A, _B, _C = required("a", "string"), required("b", "string"), optional("c", "string")
_AB, _ABC, _BA = record(_A, _B, name="s"), record(_A, _B, _C, name="s"), record(_B, _A, name="s")


def _struct(
    name: str, table: str, partition: str, schema: Schema, written: Schema, rule: str = VERIFICATION, **outcome: Any
) -> Case:
    """A column ``x`` of structs."""
    return Case(
        name,
        rule,
        table=f"id string, x {table}",
        partition=f"id string, x {partition}" if partition else "id string",
        in_partition=record(ID, required("x", schema)),
        files=one(record(ID, required("x", written)), id="a", x={"a": "1", "b": "2", "c": "3"}),
        **{"query": "SELECT x FROM {table}", **outcome},
    )


_STRUCTS = [
    _struct(
        "a struct may have gained a field at its end in the table",
        "struct<a:string,b:string,c:string>",
        "struct<a:string,b:string>",
        _ABC,
        _AB,
        query="SELECT x.a, x.b, x.c FROM {table}",
        rows=[["1", "2", None]],
    ),
    _struct(
        "a struct may have lost its last field in the table",
        "struct<a:string,b:string>",
        "struct<a:string,b:string,c:string>",
        _AB,
        _ABC,
        rows=[["{a=1, b=2}"]],
    ),
    _struct(
        "a struct fails when a field was inserted before others",
        "struct<c:string,a:string,b:string>",
        "struct<a:string,b:string>",
        _ABC,
        _AB,
        error=MISMATCH,
    ),
    _struct(
        "a struct fails when a field that is not its last was removed",
        "struct<b:string>",
        "struct<a:string,b:string>",
        _AB,
        _AB,
        error=MISMATCH,
    ),
    _struct(
        "a struct fails when its fields changed places",
        "struct<b:string,a:string>",
        "struct<a:string,b:string>",
        _AB,
        _AB,
        error=MISMATCH,
    ),
    _struct(
        "a struct fails when a field was renamed",
        "struct<a:string,renamed:string>",
        "struct<a:string,b:string>",
        _AB,
        _AB,
        error=MISMATCH,
    ),
    _struct(
        "names of fields are compared in any case",
        "struct<a:string,b:string>",
        "struct<A:string,B:string>",
        _AB,
        _AB,
        rows=[["{a=1, b=2}"]],
    ),
    _struct(
        "a struct fails when a field does not coerce, even for a query that does not use it",
        "struct<a:array<string>,b:string>",
        "struct<a:string,b:string>",
        _AB,
        _AB,
        query="SELECT id FROM {table}",
        error=MISMATCH,
    ),
    Case(
        "fields of a struct coerce one by one, also inside arrays",
        PRESENTATION,
        table="id string, x array<struct<a:bigint,b:string>>",
        partition="id string, x array<struct<a:int,b:string>>",
        in_partition=record(ID, required("x", _items(record(required("a", "int"), _B, name="e")))),
        files=one(
            record(ID, required("x", _items(record(required("a", "int"), _B, name="e")))),
            id="a",
            x=[{"a": 1, "b": "2"}],
        ),
        query="SELECT x FROM {table}",
        rows=[["[{a=1, b=2}]"]],
        types=["array"],
    ),
    _struct(
        "a struct that has more fields in the schema than in the table cannot be read",
        "struct<a:string,b:string>",
        "struct<a:string,b:string>",
        _ABC,
        _ABC,
        PRESENTATION,
        error=INTERNAL,
    ),
    _struct(
        "a struct that has fewer fields in the schema than in the table cannot be read",
        "struct<a:string,b:string,c:string>",
        "struct<a:string,b:string,c:string>",
        _AB,
        _ABC,
        PRESENTATION,
        error=INTERNAL,
    ),
    _struct(
        "a struct whose fields stand elsewhere in the schema than in the table is refused: it is read by position",
        "struct<b:string,a:string>",
        "struct<b:string,a:string>",
        _AB,
        _AB,
        PRESENTATION,
        error=REFUSED,
    ),
    _struct(
        "fields of a struct stand in the file in any order",
        "struct<a:string,b:string>",
        "struct<a:string,b:string>",
        _AB,
        _BA,
        RESOLUTION,
        rows=[["{a=1, b=2}"]],
        types=["row"],
    ),
    _struct(
        "a field of a struct that the files have and the partition's copy lacks is refused: it shows or not",
        "struct<a:string,b:string,c:string>",
        "struct<a:string,b:string>",
        _ABC,
        _ABC,
        PRESENTATION,
        error=REFUSED,
    ),
    _struct(
        "a field of a struct that the files have and the partition's copy lacks is refused by itself too",
        "struct<a:string,b:string,c:string>",
        "struct<a:string,b:string>",
        _ABC,
        _ABC,
        PRESENTATION,
        query="SELECT x.c FROM {table}",
        error=REFUSED,
    ),
    _struct(
        "a field of a struct shows whole when the partition's copy lacks the column",
        "struct<a:string,b:string,c:string>",
        "",
        _ABC,
        _ABC,
        PRESENTATION,
        query="SELECT x.c, x FROM {table}",
        rows=[["3", "{a=1, b=2, c=3}"]],
    ),
]


# ---------------------------------------------------------------------------------------------- logical types


def _logical(name: str, table: str, avro: dict[str, Any], value: Any, shown: str, kind: str) -> Case:
    schema = record(required("x", avro))
    return Case(
        f"the logical type {name} is a {table}",
        RESOLUTION,
        table=f"x {table}",
        in_partition=schema,
        files=one(schema, x=value),
        query="SELECT x FROM {table}",
        rows=[[shown]],
        types=[kind],
    )


def _annotated(kind: str, logical: str) -> dict[str, Any]:
    return {"type": kind, "logicalType": logical}


_FIXED = {"type": "fixed", "name": "f", "size": 2}
_DURATION = {"type": "fixed", "name": "d", "size": 12, "logicalType": "duration"}

_LOGICAL = [
    _logical("date", "date", _annotated("int", "date"), 20240, "2025-06-01", "date"),
    _logical("date before 1970", "date", _annotated("int", "date"), -1, "1969-12-31", "date"),
    _logical(
        "timestamp-millis",
        "timestamp",
        _annotated("long", "timestamp-millis"),
        1_748_772_000_123,
        "2025-06-01 10:00:00.123",
        "timestamp",
    ),
    _logical("timestamp-micros", "bigint", _annotated("long", "timestamp-micros"), 7, "7", "bigint"),
    _logical("local-timestamp-millis", "bigint", _annotated("long", "local-timestamp-millis"), 7, "7", "bigint"),
    _logical("local-timestamp-micros", "bigint", _annotated("long", "local-timestamp-micros"), 7, "7", "bigint"),
    _logical("time-millis", "int", _annotated("int", "time-millis"), 7, "7", "integer"),
    _logical("time-micros", "bigint", _annotated("long", "time-micros"), 7, "7", "bigint"),
    _logical("uuid", "string", _annotated("string", "uuid"), "5b1c", "5b1c", "varchar"),
    _logical("decimal", "decimal(6,2)", _decimal(6, 2), (-12345).to_bytes(2, "big", signed=True), "-123.45", "decimal"),
    _logical(
        "decimal of 38 digits",
        "decimal(38,10)",
        _decimal(38, 10),
        (10**37 + 1).to_bytes(16, "big", signed=True),
        "1000000000000000000000000000.0000000001",
        "decimal",
    ),
    _logical(
        "decimal in a fixed",
        "binary",
        {**_FIXED, "logicalType": "decimal", "precision": 4, "scale": 2},
        b"\x04\xd2",
        "04 d2",
        "varbinary",
    ),
    _logical("duration", "binary", _DURATION, bytes(12), " ".join(["00"] * 12), "varbinary"),
    _logical("of another name", "int", _annotated("int", "furlong"), 7, "7", "integer"),
    Case(
        "a decimal in a file whose schema does not say so cannot be read",
        RESOLUTION,
        table="x decimal(6,2)",
        in_partition=record(required("x", _decimal(6, 2))),
        files=one(record(required("x", "bytes")), x=b"\x01"),
        query="SELECT x FROM {table}",
        error="HIVE_CURSOR_ERROR",
    ),
    Case(
        "a date in a file whose schema does not say so is a date",
        RESOLUTION,
        table="x date, y timestamp",
        in_partition=record(
            required("x", _annotated("int", "date")), required("y", _annotated("long", "timestamp-millis"))
        ),
        files=one(record(required("x", "int"), required("y", "int")), x=20240, y=1000),
        query="SELECT x, y FROM {table}",
        rows=[["2025-06-01", "1970-01-01 00:00:01.000"]],
    ),
]

_UNIONS = [
    Case(
        "a union with null, whichever comes first, is an optional value",
        RESOLUTION,
        table="x string, y string",
        in_partition=record(required("x", ["null", "string"]), required("y", ["string", "null"])),
        files=[
            File(
                "one.avro",
                record(required("x", ["null", "string"]), required("y", ["string", "null"])),
                [{"x": "1", "y": None}, {"x": None, "y": "2"}],
            )
        ],
        query="SELECT x, y FROM {table}",
        rows=[["1", None], [None, "2"]],
    ),
    Case(
        "a union whose branches are in another order in the file",
        RESOLUTION,
        table="x string",
        in_partition=record(required("x", ["null", "string"])),
        files=one(record(required("x", ["string", "null"])), x="1"),
        query="SELECT x FROM {table}",
        rows=[["1"]],
    ),
    Case(
        "a union of several types that is not used does not matter",
        RESOLUTION,
        table="id string, x uniontype<int,string>",
        in_partition=record(ID, required("x", ["int", "string"])),
        files=one(record(ID, required("x", ["int", "string"])), id="a", x="1"),
        query="SELECT id FROM {table}",
        rows=[["a"]],
    ),
    Case(
        "a union of several types is refused",
        RESOLUTION,
        table="id string, x uniontype<int,string>",
        in_partition=record(ID, required("x", ["int", "string"])),
        files=one(record(ID, required("x", ["int", "string"])), id="a", x="1"),
        query="SELECT x FROM {table}",
        error=REFUSED,
    ),
    Case(
        "a value of a union's branch that the schema lacks is an error",
        RESOLUTION,
        table="x int",
        in_partition=record(required("x", "int")),
        files=one(record(required("x", ["int", "string"])), x="1"),
        query="SELECT x FROM {table}",
        error="HIVE_CURSOR_ERROR",
    ),
    Case(
        "a union's branch that the schema lacks does not matter while no row has it",
        RESOLUTION,
        table="x int",
        in_partition=record(required("x", "int")),
        files=one(record(required("x", ["int", "string"])), x=1),
        query="SELECT x FROM {table}",
        rows=[["1"]],
    ),
]

TYPE_CASES = [*_PAIRS, *_MORE_PAIRS, *_PRESENTED, *_STRUCTS, *_LOGICAL, *_UNIONS]
