"""Which rows can be read with which schema: the sentences of the specification, and random pairs of schemas.

Sentences are those of Avro 1.12, *Schema Resolution*:
https://avro.apache.org/docs/1.12.0/specification/#schema-resolution
"""

from __future__ import annotations

import copy
import io
import json
from typing import Any

import fastavro
import fastavro.schema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dmd_pipeline.errors import SchemaError
from dmd_pipeline.resolution import PROMOTIONS, Obstacle, obstacles, shown_type, written_field
from dmd_pipeline.schemas import expand
from local.athena.engine import avro_schema, container
from local.athena.engine.container import CorruptFileError
from local.athena.engine.resolution import ResolutionError, UnsupportedResolutionError, resolve
from tests.unit.schema_strategies import pairs, rows, schemas


NARROWER = (
    # The engine looks structs and decimals up in the file's own schema: no alias, no default but null.
    "looks structs and decimals up",
    # The specification lets another scale be read as if the logical type were not there: values would be wrong.
    "decimals have the same scale",
    # A count of days read as a number, or as milliseconds, resolves, and means something else.
    "its meaning: a date counts days",
    # Bytes resolve to bytes; a decimal read as plain bytes is no longer the number.
    "or the first is promoted to the second",
)
"""Parts of the rules by which Athena, or the meaning of values, allows less than fastavro does."""


def row(*fields: Any) -> dict[str, Any]:
    return {"type": "record", "name": "row", "fields": list(fields)}


def field(kind: Any, name: str = "f", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def found(writer: Any, reader: Any) -> tuple[Obstacle, ...]:
    """Obstacles of one field's two types."""
    return obstacles(expand(row(field(writer))), expand(row(field(reader))))


def enum(*symbols: str, name: str = "colour", **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": list(symbols), **more}


def fixed(size: int, name: str = "hash") -> dict[str, Any]:
    return {"type": "fixed", "name": name, "size": size}


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def record(*fields: Any, name: str = "inner") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


PRIMITIVES = ("boolean", "int", "long", "float", "double", "bytes", "string")
DATE = {"type": "int", "logicalType": "date"}
MOMENT = {"type": "long", "logicalType": "timestamp-millis"}

READ = [
    ("both schemas are arrays whose item types match", {"type": "array", "items": "int"},
     {"type": "array", "items": "long"}),
    ("both schemas are maps whose value types match", {"type": "map", "values": "float"},
     {"type": "map", "values": "double"}),
    ("both schemas are enums whose (unqualified) names match", enum("A", "B"), enum("B", "A", "C")),
    ("if the reader has a default value, then that value is used", enum("A", "B"), enum("A", default="A")),
    ("both schemas are fixed whose sizes and (unqualified) names match", fixed(2), fixed(2)),
    ("both schemas are records", record(field("int")), record(field("int"), name="other")),
    ("if the writer's record contains a field with a name not present in the reader's record, it is ignored",
     record(field("int"), field("int", "gone")), record(field("int"))),
    ("the ordering of fields may be different: fields are matched by name",
     record(field("int", "a"), field("string", "b")), record(field("string", "b"), field("int", "a"))),
    ("if the reader's field has a default and the writer's record lacks it, the reader should use the default",
     record(field("int")), record(field("int"), field("int", "new", default=1))),
    ("if reader's is a union, but writer's is not: the first schema in the reader's union that matches", "int",
     ["null", "string", "long"]),
    ("if both are unions: the first schema in the reader's union that matches the selected writer's", ["null", "int"],
     ["string", "long", "null"]),
    ("if writer's is a union, but reader's is not: if the reader's schema matches the selected", ["int", "long"],
     "long"),
    ("a reader's field is found by its aliases", record(field("int", "old")),
     record(field("int", "new", aliases=["older", "old"]))),
    ("two decimal types match if they have the same scale and precision", decimal(6, 2), decimal(6, 2)),
    ("decimal: a larger precision holds all values", decimal(6, 2), decimal(9, 2)),
]  # fmt: skip
SOME_ROWS = [
    ("if the writer's symbol is not present in the reader's enum and the reader has no default, an error is signalled",
     enum("A", "B"), enum("A")),
    ("if writer's is a union, but reader's is not: if they do not match, an error is signalled", ["null", "int"],
     "int"),
    ("if both are unions, and none matches, an error is signalled", ["null", "int", "string"], ["null", "int"]),
    ("and the same inside", {"type": "array", "items": ["null", "int"]}, {"type": "array", "items": "int"}),
]  # fmt: skip
NOT_READ = [
    ("if the reader's field has no default and the writer's record lacks it, an error is signalled",
     record(field("int")), record(field("int"), field("int", "new"))),
    ("enums whose names do not match", enum("A"), enum("A", name="other")),
    ("fixed whose sizes do not match", fixed(2), fixed(3)),
    ("fixed whose names do not match", fixed(2), fixed(2, "other")),
    ("arrays whose item types do not match", {"type": "array", "items": "string"}, {"type": "array", "items": "int"}),
    ("maps whose value types do not match", {"type": "map", "values": "string"}, {"type": "map", "values": "int"}),
    ("an array is no map", {"type": "array", "items": "int"}, {"type": "map", "values": "int"}),
    ("a record is no primitive type", record(field("int")), "int"),
    ("an enum is no string", enum("A"), "string"),
    ("fixed is no bytes", fixed(2), "bytes"),
    ("if reader's is a union, but writer's is not: if none matches, an error is signalled", "string", ["null", "int"]),
    ("nothing of the writer's union but null matches", ["null", "string"], ["null", "int"]),
    ("decimals of different scales do not match", decimal(6, 2), decimal(6, 3)),
    ("decimals of a smaller precision do not hold all values", decimal(6, 2), decimal(4, 2)),
    ("a decimal is not its bytes", decimal(6, 2), "bytes"),
    ("bytes are no decimal", "bytes", decimal(6, 2)),
    ("a date is not its number", DATE, "int"),
    ("a number is no date", "int", DATE),
    ("a date is not counted in milliseconds", DATE, MOMENT),
    ("the engine: a struct has no alias", record(field(record(field("int"), name="deep"), "old")),
     record(field(record(field("int"), name="deep"), "new", aliases=["old"]))),
    ("the engine: a decimal has no default but null", record(field("int")),
     record(field("int"), field(decimal(6, 2), "new", default="x"))),
]  # fmt: skip


def said(case: tuple[str, Any, Any]) -> str:
    return case[0]


@pytest.mark.parametrize("case", READ, ids=said)
def test_what_the_specification_reads_has_no_obstacle(case: tuple[str, Any, Any]) -> None:
    assert found(case[1], case[2]) == ()


@pytest.mark.parametrize("case", SOME_ROWS, ids=said)
def test_what_is_an_error_for_some_values_is_an_obstacle_of_some_rows(case: tuple[str, Any, Any]) -> None:
    assert [obstacle.in_every_row for obstacle in found(case[1], case[2])] == [False]


@pytest.mark.parametrize("case", NOT_READ, ids=said)
def test_what_is_an_error_for_every_value_is_an_obstacle_of_every_row(case: tuple[str, Any, Any]) -> None:
    result = found(case[1], case[2])
    assert result
    assert any(obstacle.in_every_row for obstacle in result)
    assert all(obstacle.reason and obstacle.rule and obstacle.remedy for obstacle in result)


@pytest.mark.parametrize("writer", PRIMITIVES)
@pytest.mark.parametrize("reader", PRIMITIVES)
def test_a_primitive_type_is_read_as_itself_or_as_what_it_is_promoted_to(writer: str, reader: str) -> None:
    """Int is promotable to long, float, or double; long to float or double; float to double; string and bytes."""
    promoted = {
        "int": {"long", "float", "double"},
        "long": {"float", "double"},
        "float": {"double"},
        "string": {"bytes"},
        "bytes": {"string"},
    }
    is_read = writer == reader or reader in promoted.get(writer, set())
    assert (found(writer, reader) == ()) is is_read
    assert ((writer, reader) in PROMOTIONS) is (is_read and writer != reader)
    assert (found({"type": writer}, {"type": reader, "doc": "said otherwise"}) == ()) is is_read


def test_an_obstacle_tells_the_whole_path_of_its_field() -> None:
    place = record(field("double", "longitude"), name="location")
    wanted = record(field("double", "longitude"), field("double", "latitude"), name="location")
    venues = [{"type": "array", "items": record(field(one, "location"), name="venue")} for one in (place, wanted)]
    result = obstacles(expand(row(field(venues[0], "venues"))), expand(row(field(venues[1], "venues"))))
    assert [one.field for one in result] == ["venues[].location.latitude"]


def test_of_several_names_the_fields_own_comes_first() -> None:
    fields = [field("int", "older"), field("int", "old"), field("int", "new")]
    wanted = field("int", "new", aliases=["old", "older"])
    assert written_field(fields, wanted) == fields[2]
    assert written_field(fields[:2], wanted) == fields[1]
    assert written_field([], wanted) is None


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("int", "int"),
        (["null", {"type": "map", "values": decimal(6, 2)}], "null | map<decimal(6,2)>"),
        (DATE, "int (date)"),
        (record(), "record inner"),
        (enum("A"), "enum colour"),
        (fixed(2), "fixed hash"),
    ],
)
def test_types_are_shown_in_few_words(kind: Any, shown: str) -> None:
    assert shown_type(kind) == shown


@settings(max_examples=200)
@given(schemas())
def test_schemas_of_one_canonical_form_read_each_other(schema: dict[str, Any]) -> None:
    """*Parsing Canonical Form*: "if this doesn't matter for reading, then they are the same"."""
    documented = _documented(schema)
    canonical = [fastavro.schema.to_parsing_canonical_form(copy.deepcopy(one)) for one in (schema, documented)]
    assert canonical[0] == canonical[1]
    one, other = expand(schema), expand(documented)
    assert obstacles(one, other) == obstacles(other, one) == ()


@settings(max_examples=300)
@given(st.data())
def test_without_obstacles_every_row_reads_and_with_one_of_every_row_none_does(data: st.DataObject) -> None:
    """By fastavro, and by the resolution of the local Athena, of which a real Trino is the judge."""
    writer, reader = data.draw(pairs())
    try:
        result = obstacles(expand(writer), expand(reader))
    except SchemaError:
        assume(False)  # an edit made a default wrong
    every = [obstacle for obstacle in result if obstacle.in_every_row]
    assume(every or not result)
    written = data.draw(st.lists(rows(writer, full=bool(every)), min_size=1, max_size=3))
    body = io.BytesIO()
    fastavro.writer(body, copy.deepcopy(writer), written)
    if not every:
        assert len(_read_by_fastavro(body.getvalue(), reader)) == len(written)
        assert len(_read_by_athena(body.getvalue(), writer, reader)) == len(written)
        return
    if not all(any(part in one.rule for part in NARROWER) for one in every):
        with pytest.raises((fastavro.read.SchemaResolutionError, TypeError, KeyError)):
            _read_by_fastavro(body.getvalue(), reader)
    # A value that no branch reads is found when it is decoded.
    if not all("decimals" in one.rule or "its meaning" in one.rule or "promoted" in one.rule for one in every):
        with pytest.raises((ResolutionError, UnsupportedResolutionError, CorruptFileError)):
            _read_by_athena(body.getvalue(), writer, reader)


def _read_by_fastavro(body: bytes, reader: dict[str, Any]) -> list[Any]:
    return list(fastavro.reader(io.BytesIO(body), copy.deepcopy(reader)))


def _read_by_athena(body: bytes, writer: dict[str, Any], reader: dict[str, Any]) -> Any:
    resolved = resolve(*(avro_schema.parse(json.dumps(one)) for one in (writer, reader)))
    return container.decode([container.parse(body)], json.dumps(resolved.writer), json.dumps(resolved.reader))


def _documented(kind: Any) -> Any:
    """A schema with texts for people everywhere, without the defaults of fields, spelled in the long way."""
    if isinstance(kind, list):
        return [_documented(branch) for branch in kind]
    if isinstance(kind, str):
        return {"type": kind}
    inner = {name: _documented(kind[name]) for name in ("items", "values") if name in kind}
    fields = [
        {"name": one["name"], "doc": "What.", "order": "ignore", "type": _documented(one["type"])}
        for one in kind.get("fields", [])
    ]
    return {**kind, **inner, **({"fields": fields} if fields else {}), "doc": "Said of it."}
