"""Avro schemas: what is refused, how they are spelled, how a field is found."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.errors import SchemaError
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.schemas import expand, field_type, load_schema, schema_literal, writer_schema


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


RECORD_TYPES = load_record_types()


def record(*fields: dict[str, Any], name: str = "R") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def field(name: Any, avro_type: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": avro_type, **more}


def _named_types(avro_type: Any) -> Iterator[dict[str, Any]]:
    """Every definition in a schema as written."""
    if isinstance(avro_type, list):
        for branch in avro_type:
            yield from _named_types(branch)
    elif isinstance(avro_type, dict):
        if "name" in avro_type:
            yield avro_type
        for inner in (avro_type.get("items"), avro_type.get("values")):
            yield from _named_types(inner)
        for item in avro_type.get("fields", []):
            yield from _named_types(item["type"])


@pytest.mark.parametrize("name", RECORD_TYPES)
class TestOurSchemas:
    def test_every_type_and_every_field_is_documented(self, name: str) -> None:
        for named in _named_types(RECORD_TYPES[name].schema):
            assert named["doc"].endswith("."), named["name"]
            for item in named.get("fields", []):
                assert item["doc"].endswith("."), f"{named['name']}.{item['name']}"

    def test_what_is_optional_is_null_by_default(self, name: str) -> None:
        """So that a file written before the field existed still reads."""
        for named in _named_types(RECORD_TYPES[name].schema):
            for item in named.get("fields", []):
                optional = isinstance(item["type"], list)
                assert optional == ("default" in item), f"{named['name']}.{item['name']}"
                if optional:
                    assert item["type"][0] == "null"
                    assert len(item["type"]) == 2
                    assert item["default"] is None

    def test_named_types_live_in_a_namespace_of_their_own(self, name: str) -> None:
        schema = RECORD_TYPES[name].schema
        assert schema["namespace"] == f"dmd_pipeline.{name}"
        names = [named["name"] for named in _named_types(schema)]
        assert len(names) == len(set(names))

    def test_the_literal_is_the_same_schema(self, name: str) -> None:
        schema = RECORD_TYPES[name].schema
        literal = schema_literal(schema)
        assert json.loads(literal) == schema
        assert fastavro.schema.fingerprint(
            fastavro.schema.to_parsing_canonical_form(json.loads(literal)), "CRC-64-AVRO"
        ) == fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(dict(schema)), "CRC-64-AVRO")
        assert literal.isascii()
        assert '"doc"' in literal


FIELDS = {
    "demand": "type fanId eventId saleId artistId? eventName? saleName? artistName? requestedDateTime phoneNumber? "
    "email? contactMethod? demandType? date.requested date.triggered? date.notified? date.deleted? systemUserId? "
    "system? reference.id reference.timestamp isDeleted?",
    "notification": "type fanId eventId saleId saleName? messageBody? phoneNumber? email? contactMethod? statusId? "
    "date.created date.updated? date.deleted? reference.id reference.timestamp isDeleted?",
    "event": "type id name? isSuppressed? url? locale? eventDate? eventDate.start? eventDate.start.dateTime? "
    "eventDate.start.localDate? eventDate.end? eventDate.end.dateTime? date? date.firstSeen? date.updated? "
    "date.deleted? classifications? images? promoter? promoters? ticketing? ticketing.safeTix? venues? attractions? "
    "reference.id reference.timestamp isDeleted?",
    "sale": "type id eventId saleTypes name? saleStartDate? saleStartDateTime saleEndDateTime? date? date.deleted? "
    "reference.id reference.timestamp isDeleted?",
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_record_has_the_fields_of_the_pipeline_s_domain(name: str) -> None:
    expanded = expand(RECORD_TYPES[name].schema)
    for item in FIELDS[name].split():
        found = field_type(expanded, item.rstrip("?"))
        assert found is not None, item
        assert found.optional == item.endswith("?"), item
    top_level = {item.split(".")[0].rstrip("?") for item in FIELDS[name].split()}
    assert {item["name"] for item in expanded["fields"]} == top_level


@pytest.mark.parametrize(
    ("name", "path", "symbols"),
    [
        ("demand", "contactMethod", ["sms", "email"]),
        ("demand", "demandType", ["remind", "invite"]),
        ("notification", "contactMethod", ["sms", "email"]),
        ("notification", "statusId", ["CREATED", "TRIGGERED", "QUEUED", "SENT", "DELIVERED", "FAILED"]),
    ],
)
def test_enums_have_the_symbols_of_the_pipeline_s_domain(name: str, path: str, symbols: list[str]) -> None:
    found = field_type(expand(RECORD_TYPES[name].schema), path)
    assert found is not None
    assert isinstance(found.avro_type, dict)
    assert found.avro_type["symbols"] == symbols


def test_an_attraction_says_whether_it_is_an_event_a_venue_or_an_attraction() -> None:
    found = field_type(expand(RECORD_TYPES["event"].schema), "attractions")
    assert found is not None
    assert isinstance(found.avro_type, dict)
    kind = next(item for item in found.avro_type["items"]["fields"] if item["name"] == "type")
    assert kind["type"]["symbols"] == ["event", "venue", "attraction"]


def test_a_literal_tells_schemas_apart_and_layouts_not() -> None:
    one = record(field("a", "int", doc="A."), field("b", "string"))
    other_order_of_keys = {"fields": [{"doc": "A.", "type": "int", "name": "a"}, one["fields"][1]], **one}
    assert schema_literal(one) == schema_literal(other_order_of_keys)
    assert schema_literal(one) != schema_literal(record(field("b", "string"), field("a", "int", doc="A.")))
    assert schema_literal(one) != schema_literal(record(field("a", "int", doc="B."), field("b", "string")))


@given(st.text())
def test_a_doc_survives_the_literal(doc: str) -> None:
    literal = schema_literal(record(field("a", "int", doc=doc)))
    assert literal.isascii()
    assert json.loads(literal)["fields"][0]["doc"] == doc


def test_expanding_puts_the_definition_wherever_the_name_is_used() -> None:
    inner = record(field("x", "int"), name="Inner")
    expanded = expand(record(field("a", inner), field("b", ["null", "Inner"], default=None)))
    assert expanded["fields"][1]["type"][1]["fields"] == expanded["fields"][0]["type"]["fields"]


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ("string", "expected the Avro schema of a record"),
        ([record()], "expected the Avro schema of a record"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, "expected the Avro schema of a record"),
        ({"type": "record", "fields": []}, "not a valid Avro schema"),
        ({"type": "record", "name": "R", "fields": [{"name": "a"}]}, "not a valid Avro schema"),
        ({"type": "record", "name": "R", "fields": 5}, "not a valid Avro schema"),
        (record(field("a", "text")), "unknown type 'text'"),
        (record(field("a", {"type": "array"})), "a definition lacks its 'items'"),
        (record(field("a", {"type": "enum", "name": "E", "symbols": ["not a name"]})), "not a valid Avro schema"),
        (record(field("a", "int", default="one")), "not a valid Avro schema"),
        (record(field("a", "int"), field("a", "string")), "R.a: two fields have this name"),
        (
            record(field("a", record(field("x", "int"), field("x", "int"), name="I"))),
            "R.a.x: two fields have this name",
        ),
        (record(field("next", ["null", "R"], default=None)), "R.next: the type 'R' is used within itself"),
        (record(field("a", {"type": "array", "items": "R"})), "R.a: the type 'R' is used within itself"),
        (record(field("a", {"type": "map", "values": "R"})), "R.a: the type 'R' is used within itself"),
        (
            record(field("a", record(field("b", ["null", "I"]), name="I"))),
            "R.a.b: the type 'I' is used within itself",
        ),
        (record(field("a:b", "int")), "R: expected a field's name of letters, digits and underscores, found 'a:b'"),
        (record(field(1, "int")), "R: expected a field's name of letters, digits and underscores, found 1"),
        (record(field("a", [])), "R.a: expected a union of different types"),
        (record(field("a", ["int", "int"])), "R.a: expected a union of different types"),
        (record(field("a", ["null", ["int", "string"]])), "R.a: expected a union of different types, none of them a"),
        (record(field("a", {"type": "fixed", "name": "F", "size": "4"})), "R.a: expected a fixed's size"),
    ],
)
def test_a_schema_that_cannot_be_a_table_s_is_refused_with_the_reason(schema: Any, reason: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(reason)):
        expand(schema)


@pytest.mark.parametrize(
    ("avro_type", "default"),
    [
        (["null", "string"], ""),
        ("int", 2**31),
        ("int", True),
        ("bytes", "ł"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, "B"),
        ({"type": "fixed", "name": "F", "size": 2}, "abc"),
        ({"type": "array", "items": "int"}, ["one"]),
        ({"type": "map", "values": "int"}, {"a": "one"}),
        (record(field("x", "int"), name="I"), {}),
        (record(field("x", "int"), name="I"), {"x": "one"}),
    ],
)
def test_a_default_that_no_row_could_be_written_with_is_refused(avro_type: Any, default: Any) -> None:
    with pytest.raises(SchemaError, match=re.escape(f"R.a: its default {default!r} is not of its type")):
        expand(record(field("a", avro_type, default=default)))


@pytest.mark.parametrize(
    ("avro_type", "default"),
    [
        (["null", "string"], None),
        (["string", "null"], ""),
        ("long", 2**40),
        ("double", 1),
        ("bytes", "\u00ff"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, "A"),
        ({"type": "fixed", "name": "F", "size": 2}, "ab"),
        ({"type": "array", "items": "int"}, [1]),
        ({"type": "map", "values": "boolean"}, {"a": True}),
        (record(field("x", "int"), field("y", "int", default=1), name="I"), {"x": 2}),
    ],
)
def test_a_default_of_the_fields_type_is_accepted(avro_type: Any, default: Any) -> None:
    schema = record(field("a", avro_type, default=default))
    assert expand(schema)["fields"][0]["default"] == default


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b'"string"', "expected the Avro schema of a record"),
        (b'{"type": "record", "name": "R", "fields": [{"name": "a", "type": "x"}]}', "unknown type 'x'"),
    ],
)
def test_a_file_that_is_no_schema_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "table.avsc"
    path.write_bytes(content)
    with pytest.raises(SchemaError, match=f"{re.escape(str(path))}: .*{reason}"):
        load_schema(path)


def test_a_schema_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"none\.avsc: cannot be read"):
        load_schema(tmp_path / "none.avsc")


def test_a_field_is_found_by_its_path_through_records_only() -> None:
    inner = record(field("x", ["null", "int"], default=None), field("y", "long"), name="Inner")
    expanded = expand(
        record(
            field("a", inner),
            field("b", ["null", "Inner"], default=None),
            field("c", {"type": "array", "items": "Inner"}, default=[]),
            field("d", ["int", "string"]),
        )
    )

    def kind(path: str) -> tuple[str, bool] | None:
        found = field_type(expanded, path)
        return (found.name, found.optional) if found else None

    assert kind("a") == ("record", False)
    assert kind("a.x") == ("int", True)
    assert kind("a.y") == ("long", False)
    assert kind("b.y") == ("long", True)
    assert kind("c") == ("array", True)
    assert kind("d") == ("union", False)
    assert [kind(path) for path in ("c.x", "a.z", "z", "a.x.y", "", "a.", ".a")] == [None] * 7


def test_a_schema_is_not_changed_by_being_used() -> None:
    schema = record(field("a", record(field("x", "int"), name="Inner")), field("b", "Inner"))
    before = json.dumps(schema)
    expand(schema)
    writer_schema(schema)
    schema_literal(schema)
    assert json.dumps(schema) == before
