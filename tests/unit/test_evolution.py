"""What a change of a schema means, difference by difference."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given, settings

from dmd_pipeline.errors import SchemaError
from dmd_pipeline.evolution import Difference, Kind, compare, with_obstacles, worst
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.resolution import Obstacle, obstacles
from dmd_pipeline.schemas import expand
from tests.unit.schema_strategies import pairs, schemas


TABLES = sorted(load_record_types())
OPTIONAL = {"default": None}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def row(*fields: Any, name: str = "row") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def enum(*symbols: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "colour", "symbols": list(symbols), **more}


def changed(old: Any, new: Any) -> tuple[Difference, ...]:
    return compare(expand(copy.deepcopy(old)), expand(copy.deepcopy(new)))


A, B = field("a", "string"), field("b", "int")
ONE = [
    # name, old fields, new fields, then sign, field, kind, part of what readers are told, part of the rule
    ("added", [A], [A, field("n", ["null", "int"], **OPTIONAL)],
     ("+", "n", "compatible", "old rows read null", "adding columns")),
    ("added with a default", [A], [A, field("n", "int", default=5)],
     ("+", "n", "compatible", "old rows read 5", "takes its default")),
    ("added without a default", [A], [A, field("n", "int")],
     ("+", "n", "refused", 'give it a default: "type"', "must have a default")),
    ("removed", [A, B], [A], ("-", "b", "compatible", "COLUMN_NOT_FOUND; its values stay", "removing columns")),
    ("reordered", [A, B], [B, A], ("~", "the order of columns", "compatible", "another order", "reordering columns")),
    ("int to long", [B], [field("b", "long")], ("~", "b", "compatible", "bigint instead of int", "promotions")),
    ("float to double", [field("b", "float")], [field("b", "double")],
     ("~", "b", "compatible", "double instead of float", "promotions")),
    ("int to double", [B], [field("b", "double")], ("~", "b", "breaking", "mean something else", "promotions")),
    ("text to bytes", [A], [field("a", "bytes")], ("~", "a", "breaking", "binary instead of string", "promotions")),
    ("text to number", [A], [field("a", "int")], ("~", "a", "refused", "keep its type, and add", "types are the same")),
    ("optional", [B], [field("b", ["null", "int"])], ("~", "b", "compatible", "may be null from now on", "branch")),
    ("required", [field("b", ["null", "int"])], [B],
     ("~", "b", "breaking", "may not be any more; keep null", "branch of the writer's union")),
    ("symbol added", [field("c", enum("X"))], [field("c", enum("X", "Y"))],
     ("+", "c", "compatible", "before the worker writes it", "matched by name")),
    ("symbol removed", [field("c", enum("X", "Y"))], [field("c", enum("X"))],
     ("-", "c", "breaking", 'keep Y, or give the enum a "default"', "lacks")),
    ("symbol removed beside a default", [field("c", enum("X", "Y"))], [field("c", enum("X", default="X"))],
     ("-", "c", "compatible", "Y in a file is read as X", "matched by name")),
    ("symbols reordered", [field("c", enum("X", "Y"))], [field("c", enum("Y", "X"))],
     ("~", "c", "compatible", "the order of its symbols changes", "only a field")),
    ("documented", [A], [field("a", "string", doc="What.")],
     ("~", "a", "compatible", "comment changes, nothing else", "not part of it")),
    ("default changed", [field("b", "int", default=1)], [field("b", "int", default=2)],
     ("~", "b", "compatible", "its default changes; rows that hold the field are read as before", "only a field")),
    ("aliased", [A], [field("a", "string", aliases=["z"])], ("~", "a", "compatible", "its aliases change", "")),
    ("date from number", [B], [field("b", {"type": "int", "logicalType": "date"})],
     ("~", "b", "refused", "cannot be read as int (date)", "a date counts days")),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), [one[1:] for one in ONE], ids=[one[0] for one in ONE])
def test_one_difference_tells_what_it_means_and_who_says_so(old: Any, new: Any, told: tuple[str, ...]) -> None:
    (one,) = changed(row(*old), row(*new))
    assert (one.sign, one.field, one.kind) == told[:3]
    assert told[3].removesuffix(" change") in one.readers
    assert told[4] in one.rule


def test_a_rename_is_a_field_that_goes_and_one_that_comes() -> None:
    gone, come = changed(row(A), row(field("z", ["null", "string"], **OPTIONAL)))
    assert [(one.sign, one.field, one.kind) for one in (gone, come)] == [
        ("-", "a", Kind.COMPATIBLE),
        ("+", "z", Kind.COMPATIBLE),
    ]
    assert "its values stay in the files" in gone.readers
    assert come.readers == "old rows read null"


def test_a_rename_with_an_alias_shows_the_old_values_and_is_called_a_rename() -> None:
    gone, come = changed(row(A), row(field("z", "string", aliases=["a"])))
    assert "z shows its values from now on (alias)" in gone.readers
    assert come.readers == "old rows show what they hold as a (alias): renamed is removed and added"
    assert "a rename is not possible" in come.rule
    assert worst((gone, come)) is Kind.COMPATIBLE


def test_a_rename_with_an_alias_that_changes_the_type_is_breaking() -> None:
    assert worst(changed(row(B), row(field("z", "double", aliases=["b"])))) is Kind.BREAKING


def test_a_field_deep_inside_is_named_with_its_whole_path() -> None:
    def venues(*fields: Any) -> Any:
        location = field("location", ["null", row(*fields, name="location")], **OPTIONAL)
        return row(field("venues", {"type": "array", "items": row(location, name="venue")}))

    (one,) = changed(
        venues(field("latitude", "float")),
        venues(field("latitude", "float"), field("longitude", ["null", "double"], **OPTIONAL)),
    )
    assert (one.sign, one.field) == ("+", "venues[].location.longitude")
    (one,) = changed(venues(field("latitude", "float")), venues(field("latitude", "double")))
    assert (one.sign, one.field, one.kind) == ("~", "venues[].location.latitude", Kind.COMPATIBLE)


def test_another_name_of_the_record_changes_no_row() -> None:
    (one,) = changed(row(A), row(A, name="other"))
    assert (one.field, one.kind) == ("other", Kind.COMPATIBLE)


def test_an_obstacle_judges_the_difference_of_its_field_and_others_are_added() -> None:
    mild = Difference("a", "int", "long", Kind.COMPATIBLE, "wider", "rule")
    found = [
        Obstacle("a", "it may be null", "R", "keep null", in_every_row=False),
        Obstacle("b", "it is text", "R", "keep it"),
    ]
    one, other = with_obstacles([mild], found, "files of today")
    assert (one.before, one.after, one.kind) == ("int", "long", Kind.BREAKING)
    assert one.readers == "files of today: it may be null; keep null"
    assert (other.field, other.before, other.kind) == ("b", "it is text", Kind.REFUSED)
    assert with_obstacles([mild], [], "nobody") == (mild,)
    refused = Difference("a", "int", "text", Kind.REFUSED, "never", "rule")
    assert with_obstacles([refused], found[:1], "files") == (refused,), "the worse judgement stays"


def test_the_worst_of_nothing_is_compatible() -> None:
    kinds = [Difference("a", "x", "y", kind, "", "") for kind in Kind]
    assert [worst(kinds[:count]) for count in range(4)] == [Kind.COMPATIBLE, *Kind]
    assert worst(reversed(kinds)) is Kind.REFUSED


@pytest.mark.parametrize("table", TABLES)
def test_our_own_schemas_may_gain_and_lose_any_field(table: str) -> None:
    schema = expand(load_record_types()[table].schema)
    assert compare(schema, schema) == ()
    for place, gone in enumerate(schema["fields"]):
        fewer = {**schema, "fields": [one for one in schema["fields"] if one is not gone]}
        (one,) = compare(schema, fewer)
        assert (one.sign, one.field, one.kind) == ("-", gone["name"], Kind.COMPATIBLE)
        (one,) = compare(fewer, schema)
        assert (one.sign, one.field) == ("+", schema["fields"][place]["name"])
        is_default_enough = gone.get("default", "") is None or gone.get("default") in ([], {})
        assert (one.kind is Kind.COMPATIBLE) is (
            is_default_enough or ("default" in gone and not obstacles(fewer, schema))
        )


@given(schemas())
def test_a_schema_does_not_differ_from_itself(schema: dict[str, Any]) -> None:
    assert changed(schema, schema) == ()


@settings(max_examples=300)
@given(pairs())
def test_the_verdict_of_two_schemas_agrees_with_what_keeps_rows_from_being_read(
    pair: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    try:
        old, new = (expand(one) for one in pair)
    except SchemaError:
        assume(False)  # an edit made a default wrong
    found = obstacles(old, new)
    verdict = worst(compare(old, new))
    assert (verdict is Kind.REFUSED) is any(obstacle.in_every_row for obstacle in found)
    if verdict is Kind.COMPATIBLE:
        assert not found
