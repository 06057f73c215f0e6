"""Avro → Glue: the type of every column, what is refused, and the inputs of tables and partitions."""

from __future__ import annotations

import copy
import json
import re
from datetime import date
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import validate_parameters
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.errors import SchemaError
from dmd_pipeline.hive import SCHEMA_LITERAL, glue_columns, partition_input, table_input
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.schemas import schema_literal


RECORD_TYPES = load_record_types()
LOCATION = "s3://bucket/data-pipeline/avro/demand/"
DAY = date(2025, 6, 1)
GLUE = ServiceModel(Loader().load_service_model("glue", "service-2"))


def record(*fields: dict[str, Any], name: str = "R") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def field(name: str, avro_type: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": avro_type, **more}


def column_type(avro_type: Any) -> str:
    return glue_columns(record(field("a", avro_type)))[0]["Type"]


ENUM = {"type": "enum", "name": "E", "symbols": ["A"]}
FIXED = {"type": "fixed", "name": "F", "size": 16}
INNER = record(field("x", "int"), field("y", ["null", "string"], default=None), name="Inner")

TYPES: list[tuple[Any, str]] = [
    ("boolean", "boolean"),
    ("int", "int"),
    ("long", "bigint"),
    ("float", "float"),
    ("double", "double"),
    ("bytes", "binary"),
    ("string", "string"),
    ({"type": "string"}, "string"),
    (ENUM, "string"),
    (FIXED, "binary"),
    ({"type": "array", "items": "long"}, "array<bigint>"),
    ({"type": "array", "items": ["null", "long"]}, "array<bigint>"),
    ({"type": "array", "items": {"type": "array", "items": INNER}}, "array<array<struct<x:int,y:string>>>"),
    ({"type": "map", "values": "double"}, "map<string,double>"),
    ({"type": "map", "values": {"type": "array", "items": ENUM}}, "map<string,array<string>>"),
    (INNER, "struct<x:int,y:string>"),
    (record(field("deep", ["null", INNER]), name="Outer"), "struct<deep:struct<x:int,y:string>>"),
    (["null", "string"], "string"),
    (["string", "null"], "string"),
    (["null", INNER], "struct<x:int,y:string>"),
    (["int", "string"], "uniontype<int,string>"),
    (["null", "int", "string"], "uniontype<int,string>"),
    (["int"], "uniontype<int>"),
    ({"type": "array", "items": ["int", INNER]}, "array<uniontype<int,struct<x:int,y:string>>>"),
    ({"type": "int", "logicalType": "date"}, "date"),
    (["null", {"type": "int", "logicalType": "date"}], "date"),
    ({"type": "long", "logicalType": "timestamp-millis"}, "timestamp"),
    ({"type": "long", "logicalType": "timestamp-micros"}, "bigint"),
    ({"type": "int", "logicalType": "time-millis"}, "int"),
    ({"type": "string", "logicalType": "uuid"}, "string"),
    ({"type": "string", "logicalType": "date"}, "string"),
    ({"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}, "decimal(10,2)"),
    ({"type": "bytes", "logicalType": "decimal", "precision": 38}, "decimal(38,0)"),
    (FIXED | {"logicalType": "decimal", "precision": 20, "scale": 20}, "decimal(20,20)"),
    ({"type": "string", "logicalType": "decimal", "precision": 10}, "string"),
]


@pytest.mark.parametrize(("avro_type", "expected"), TYPES, ids=lambda value: json.dumps(value)[:60])
def test_every_avro_type_has_its_column_type(avro_type: Any, expected: str) -> None:
    assert column_type(avro_type) == expected


def test_a_type_used_by_name_is_the_same_type() -> None:
    columns = glue_columns(record(field("a", INNER), field("b", {"type": "array", "items": "Inner"})))
    assert columns[1]["Type"] == "array<struct<x:int,y:string>>"


def test_names_are_lower_case_everywhere() -> None:
    inner = record(field("innerName", "int"), name="I")
    assert glue_columns(record(field("outerName", {"type": "array", "items": inner}))) == [
        {"Name": "outername", "Type": "array<struct<innername:int>>"}
    ]


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (record(field("fanId", "int"), field("fanid", "int")), "R.fanid: has the same name as 'fanId' in Athena"),
        (
            record(field("a", {"type": "array", "items": record(field("X", "int"), field("x", "int"), name="I")})),
            "a.x: has the same name as 'X' in Athena",
        ),
        (record(field("a", record(field("b", record(name="J")), name="I"))), "a.b: a struct needs at least one field"),
        (record(), "R: a table needs at least one field"),
        (record(field("Partition_Date", "string")), "R.Partition_Date: a record cannot hold the partition column"),
        (record(field("a", "null")), "a: Glue has no column type for Avro's 'null'"),
        (record(field("a", ["null"])), "a: Glue has no column type for Avro's 'null'"),
        (record(field("a", {"type": "map", "values": "null"})), "a: Glue has no column type for Avro's 'null'"),
        (
            record(field("a", {"type": "bytes", "logicalType": "decimal", "precision": 39})),
            "a: a decimal needs a precision from 1 to 38, found 39",
        ),
        (record(field("a", {"type": "bytes", "logicalType": "decimal"})), "a: a decimal needs a precision"),
        (record(field("next", ["null", "R"])), "R.next: the type 'R' is used within itself"),
        (record(field("a" * 256, "int")), "a column's name has at most 255 characters in Glue"),
    ],
)
def test_what_glue_cannot_express_is_refused_naming_the_field(schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(reason)):
        glue_columns(schema)


def test_a_partition_column_inside_a_struct_is_no_conflict() -> None:
    assert column_type(record(field("partition_date", "string"), name="I")) == "struct<partition_date:string>"


def test_a_column_type_longer_than_glue_allows_is_refused_naming_the_field() -> None:
    wide = record(*(field(f"field_{number}", "string") for number in range(8_000)), name="Wide")
    with pytest.raises(SchemaError, match=r"wide: its column type has 142,\d+ characters, Glue allows 131,072"):
        glue_columns(record(field("wide", wide)))


def test_a_schema_longer_than_a_glue_parameter_is_refused() -> None:
    schema = record(*(field(f"field_{number}", "string", doc="x" * 1000) for number in range(600)))
    with pytest.raises(SchemaError, match=r"wide: the schema's literal has 6\d\d,\d+ characters, .* at most 512,000"):
        table_input("wide", schema, LOCATION)


def test_a_doc_becomes_the_column_s_comment() -> None:
    columns = glue_columns(record(field("a", "int", doc="How many."), field("b", "int"), field("c", "int", doc=None)))
    assert columns == [
        {"Name": "a", "Type": "int", "Comment": "How many."},
        {"Name": "b", "Type": "int"},
        {"Name": "c", "Type": "int"},
    ]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=600))
def test_a_comment_is_one_line_of_at_most_255_bytes_that_begins_as_the_doc(doc: str) -> None:
    comment = glue_columns(record(field("a", "int", doc=doc)))[0].get("Comment", "")
    assert len(comment.encode()) <= 255
    assert len(comment.splitlines()) <= 1
    assert " ".join(doc.split()).startswith(comment.removesuffix("…"))
    assert comment.endswith("…") or comment == " ".join(doc.split())


def test_a_comment_is_cut_between_characters_and_not_within_one() -> None:
    """Glue counts bytes."""
    (column,) = glue_columns(record(field("a", "int", doc=f"x{'é' * 200}")))
    assert column["Comment"] == f"x{'é' * 125}…"


@pytest.mark.parametrize("name", RECORD_TYPES)
class TestOurTables:
    def test_botocore_accepts_the_inputs(self, name: str) -> None:
        """Shapes, types and required members are those of Glue's own model."""
        table = table_input(name, RECORD_TYPES[name].schema, LOCATION)
        partition = partition_input(table, DAY, LOCATION)
        for operation, parameters in (
            ("CreateTable", {"DatabaseName": "db", "TableInput": table}),
            ("CreatePartition", {"DatabaseName": "db", "TableName": name, "PartitionInput": partition}),
        ):
            shape = GLUE.operation_model(operation).input_shape
            assert shape is not None
            validate_parameters(parameters, shape)

    def test_every_column_has_a_comment_that_was_not_cut(self, name: str) -> None:
        schema = RECORD_TYPES[name].schema
        comments = [column["Comment"] for column in glue_columns(schema)]
        assert comments == [item["doc"] for item in schema["fields"]]

    def test_the_literal_is_in_the_table_s_parameters_and_in_its_serde_s(self, name: str) -> None:
        """Which of the two the engine reads depends on its version."""
        schema = RECORD_TYPES[name].schema
        table = table_input(name, schema, LOCATION)
        literal = schema_literal(schema)
        assert table["Parameters"][SCHEMA_LITERAL] == literal
        assert table["StorageDescriptor"]["SerdeInfo"]["Parameters"][SCHEMA_LITERAL] == literal
        partition = partition_input(table, DAY, LOCATION)
        assert partition["StorageDescriptor"]["SerdeInfo"]["Parameters"][SCHEMA_LITERAL] == literal


def test_a_table_is_what_athena_asks_for_of_an_avro_table() -> None:
    schema = record(field("fanId", "string", doc="The fan."), name="Demand") | {"doc": "A wish."}
    literal = schema_literal(schema)
    assert table_input("demand", schema, LOCATION) == {
        "Name": "demand",
        "Description": "A wish.",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "avro", "avro.schema.literal": literal},
        "PartitionKeys": [
            {"Name": "partition_date", "Type": "string", "Comment": "Business date of the record, YYYY-MM-DD (UTC)."}
        ],
        "StorageDescriptor": {
            "Columns": [{"Name": "fanid", "Type": "string", "Comment": "The fan."}],
            "Location": LOCATION,
            "InputFormat": "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
            "Compressed": False,
            "NumberOfBuckets": -1,
            "StoredAsSubDirectories": False,
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
                "Parameters": {"serialization.format": "1", "avro.schema.literal": literal},
            },
        },
    }


def test_a_partition_has_its_own_copy_of_what_its_table_holds() -> None:
    table = table_input("demand", RECORD_TYPES["demand"].schema, LOCATION)
    before = copy.deepcopy(table)
    partition = partition_input(table, DAY, f"{LOCATION}partition_date=2025-06-01/")
    assert partition["Values"] == ["2025-06-01"]
    assert partition["StorageDescriptor"]["Location"] == f"{LOCATION}partition_date=2025-06-01/"
    assert partition["StorageDescriptor"] | {"Location": LOCATION} == table["StorageDescriptor"]

    storage: Any = partition["StorageDescriptor"]
    storage["Columns"].clear()
    storage["SerdeInfo"]["Parameters"].clear()
    assert table == before


@given(st.dates())
def test_a_partition_s_value_is_its_date_in_ten_characters(day: date) -> None:
    table = table_input("r", record(field("a", "int")), LOCATION)
    (value,) = partition_input(table, day, LOCATION)["Values"]
    assert len(value) == len("2025-06-01")
    assert date.fromisoformat(value) == day
