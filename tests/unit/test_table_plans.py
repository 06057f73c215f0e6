"""The plan of one table: what differs, what becomes of it, and how people read it."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from dmd_pipeline import hive
from dmd_pipeline.change_marks import CHANGE_PARAMETER, ChangeMark
from dmd_pipeline.hive import SCHEMA_LITERAL
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.schemas import schema_literal
from dmd_pipeline.table_plans import TablePlan, Verdict, Writer, plan, to_create


if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_glue.type_defs import PartitionTypeDef, TableInputTypeDef, TableTypeDef

ID = {"name": "id", "type": "string", "doc": "Who."}
NUMBER = {"name": "n", "type": "int"}
EXTRA = {"name": "extra", "type": ["null", "string"], "default": None}
OLD = {"type": "record", "name": "row", "doc": "Rows.", "fields": [ID, NUMBER]}
ADDED = {**OLD, "fields": [ID, NUMBER, EXTRA]}
TEXT = {**OLD, "fields": [ID, {"name": "n", "type": "string"}]}
DOUBLE = {**OLD, "fields": [ID, {"name": "n", "type": "double"}]}
CHANGED_AT = datetime(2026, 3, 1, tzinfo=UTC)


def wanted_of(schema: dict[str, Any] = OLD) -> TableInputTypeDef:
    return hive.table_input("scratch", schema, "s3://bucket/tables/scratch/")


def held(schema: dict[str, Any] = OLD) -> Any:
    """The table as Glue holds it, to be changed by hand."""
    return {**copy.deepcopy(dict(wanted_of(schema))), "VersionId": "1", "UpdateTime": CHANGED_AT}


def partitions_of(schema: dict[str, Any] = OLD, count: int = 2) -> list[PartitionTypeDef]:
    storage = wanted_of(schema)["StorageDescriptor"]
    return [
        cast(
            "PartitionTypeDef",
            {
                "Values": [f"2026-01-{day:02}"],
                "StorageDescriptor": {
                    **copy.deepcopy(dict(storage)),
                    "Location": f"s3://bucket/tables/scratch/partition_date=2026-01-{day:02}/",
                },
            },
        )
        for day in range(1, count + 1)
    ]


def planned(current: Any, schema: dict[str, Any] = OLD, *writers: Writer, partitions: Any = None) -> TablePlan:
    some = partitions_of() if partitions is None else partitions
    return plan(cast("TableTypeDef", current), wanted_of(schema), some, writers)


def columns(table: Any) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", table["StorageDescriptor"]["Columns"])


def serde(table: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", table["StorageDescriptor"]["SerdeInfo"])


def test_a_table_as_it_should_be_is_in_sync() -> None:
    made = planned(held())
    assert (made.verdict, made.differences, made.stale, made.newer) == (Verdict.IN_SYNC, (), (), ())
    assert made.is_empty
    assert str(made) == made.summary == "scratch: in sync"


def test_a_table_that_is_missing_is_created() -> None:
    assert str(to_create(wanted_of())) == "scratch: create"


def _other_library(table: Any) -> None:
    serde(table)["SerializationLibrary"] = "org.example.OtherSerDe"


BY_HAND: dict[str, tuple[Callable[[Any], Any], str, str, str]] = {
    "a column is added": (
        lambda table: columns(table).append({"Name": "x", "Type": "int"}),
        "-", "column x", "no schema has it, and it is removed",
    ),
    "a column is removed": (lambda table: columns(table).pop(), "+", "column n", "it comes back"),
    "a type is changed": (
        lambda table: columns(table)[1].update(Type="bigint"), "~", "column n", "as the schema says again",
    ),
    "a comment is changed": (lambda table: columns(table)[0].update(Comment="?"), "~", "column id", "its comment"),
    "columns change places": (lambda table: columns(table).reverse(), "~", "the order of columns", "another order"),
    "the SerDe's literal is another": (
        lambda table: serde(table)["Parameters"].update({SCHEMA_LITERAL: "{}"}),
        "~", "avro.schema.literal of the SerDe", "the one in the table's Parameters counts",
    ),
    "the SerDe's literal is gone": (
        lambda table: serde(table)["Parameters"].pop(SCHEMA_LITERAL),
        "~", "avro.schema.literal of the SerDe", "tools that look at the SerDe's",
    ),
    "the location is another": (
        lambda table: table["StorageDescriptor"].update(Location="s3://elsewhere/"),
        "~", "location", "partitions that are added by hand land there",
    ),
    "the input format is another": (
        lambda table: table["StorageDescriptor"].update(InputFormat="text"), "~", "InputFormat", "may not be read",
    ),
    "the output format is another": (
        lambda table: table["StorageDescriptor"].update(OutputFormat="text"), "~", "OutputFormat", "may not be read",
    ),
    "the SerDe is another": (_other_library, "~", "SerDe", "may not be read at all"),
    "a Parameter is another": (
        lambda table: table["Parameters"].update(EXTERNAL="FALSE"), "~", "Parameter EXTERNAL", "another kind",
    ),
    "the description is another": (lambda table: table.update(Description="?"), "~", "Description", "none"),
    "the type is another": (lambda table: table.update(TableType="MANAGED_TABLE"), "~", "TableType", "none"),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_what_was_changed_by_hand_is_drift_and_named(name: str) -> None:
    change, sign, what, readers = BY_HAND[name]
    table = held()
    change(table)
    made = planned(table)
    assert (made.verdict, made.schema) == (Verdict.DRIFT, ())
    (one,) = made.drift
    assert (one.sign, one.field) == (sign, what)
    assert readers in one.readers
    assert one.rule == "changed by hand: include/schemas decides"
    assert f"scratch: drift; changed by hand: {what}" in made.summary


def test_parameters_of_others_and_a_slash_at_a_locations_end_are_no_drift() -> None:
    table = held()
    table["Parameters"]["theirs"] = "1"
    table["StorageDescriptor"]["Location"] = table["StorageDescriptor"]["Location"].rstrip("/")
    assert planned(table).verdict is Verdict.IN_SYNC


def test_a_description_that_no_schema_asks_for_is_left() -> None:
    """It would not be taken away, and be found again every day."""
    bare = {name: value for name, value in OLD.items() if name != "doc"}
    table = {**held(bare), "Description": "Written in the console."}
    assert planned(table, bare, partitions=partitions_of(bare)).verdict is Verdict.IN_SYNC


def test_other_partition_keys_are_refused() -> None:
    table = held()
    table["PartitionKeys"] = [{"Name": "day", "Type": "string"}]
    made = planned(table)
    assert made.verdict is Verdict.REFUSED
    assert [(one.field, one.kind) for one in made.drift] == [("partition keys", "refused")]
    assert "make one of another name" in made.drift[0].readers


def test_a_literal_in_the_serde_alone_still_says_which_schema_the_table_has() -> None:
    table = held()
    del table["Parameters"][SCHEMA_LITERAL]
    made = planned(table)
    assert made.verdict is Verdict.COMPATIBLE
    assert [one.field for one in made.schema] == ["avro.schema.literal"]
    assert [one.field for one in made.drift] == ["avro.schema.literal of the SerDe"]
    assert planned(table, DOUBLE).verdict is Verdict.BREAKING


@pytest.mark.parametrize("literal", [None, "no schema", '{"type": "record"}', '"string"', "[]", "1", "null"])
def test_a_table_without_a_schema_gets_one(literal: str | None) -> None:
    table = held()
    for parameters in (table["Parameters"], serde(table)["Parameters"]):
        parameters.pop(SCHEMA_LITERAL)
        if literal is not None:
            parameters[SCHEMA_LITERAL] = literal
    made = planned(table)
    assert made.verdict is Verdict.COMPATIBLE
    assert "no schema that can be read" in made.schema[0].readers


def test_another_spelling_of_the_schema_is_written_and_means_nothing() -> None:
    table = held()
    for parameters in (table["Parameters"], serde(table)["Parameters"]):
        parameters[SCHEMA_LITERAL] = json.dumps(OLD, indent=4)
    made = planned(table)
    assert (made.verdict, made.drift) == (Verdict.COMPATIBLE, ())
    assert [one.readers for one in made.schema] == ["none: both say the same of every row"]


def test_partitions_with_a_stale_copy_are_drift_and_counted() -> None:
    made = planned(held(ADDED), ADDED, partitions=[*partitions_of(ADDED), *partitions_of(count=1)])
    assert (made.verdict, made.stale, made.partitions) == (Verdict.DRIFT, ("2026-01-01",), 3)
    assert made.summary == "scratch: drift; 1 of 3 partitions have a stale copy"


def test_a_change_that_was_not_ended_is_named_and_ended() -> None:
    table = held()
    table["Parameters"][CHANGE_PARAMETER] = ChangeMark("run-7").as_parameter()
    made = planned(table)
    assert (made.verdict, made.unfinished) == (Verdict.DRIFT, "run-7")
    assert made.summary == "scratch: drift; change run-7 was begun and not ended"


def test_the_worst_difference_decides() -> None:
    assert planned(held(), ADDED).verdict is Verdict.COMPATIBLE
    assert planned(held(), DOUBLE).verdict is Verdict.BREAKING
    assert planned(held(), TEXT).verdict is Verdict.REFUSED
    table = held()
    columns(table).append({"Name": "x", "Type": "int"})
    assert planned(table, DOUBLE).verdict is Verdict.BREAKING


def test_without_partitions_nothing_can_break() -> None:
    made = planned(held(), TEXT, partitions=[])
    assert made.verdict is Verdict.COMPATIBLE
    assert [one.readers for one in made.schema] == ["no partition holds rows"]


def test_files_of_a_schema_that_the_wanted_one_cannot_read_refuse_the_change() -> None:
    """The table would read what its own schema says, and some file says otherwise."""
    writer = Writer(TEXT, "s3://bucket/old.avro", 3)
    made = planned(held(), ADDED, writer)
    assert made.verdict is Verdict.REFUSED
    (refused,) = (one for one in made.schema if one.kind == "refused")
    assert refused.field == "n"
    assert "3 sampled files such as s3://bucket/old.avro: files hold string, which cannot be read as int" in (
        refused.readers
    )


def test_files_that_the_table_cannot_read_are_told_and_those_that_the_wanted_one_reads_are_cured() -> None:
    long = {**OLD, "fields": [ID, {"name": "n", "type": "long"}]}
    writer = Writer(long, "s3://bucket/new.avro", 1, CHANGED_AT.replace(day=2))
    told = "WARNING, files that the table cannot read: 1 sampled file such as s3://bucket/new.avro"
    stays = planned(held(), OLD, writer)
    assert (stays.verdict, stays.newer) == (Verdict.IN_SYNC, ("1 sampled file such as s3://bucket/new.avro",))
    assert told in stays.summary
    cured = planned(held(), long, writer)
    assert cured.verdict is Verdict.COMPATIBLE
    assert told in cured.summary


@pytest.mark.parametrize(("day", "is_told"), [(2, True), (None, True), (-1, False)])
def test_files_that_may_hold_a_null_are_told_if_they_came_after_the_tables_change(
    day: int | None, *, is_told: bool
) -> None:
    nullable = {**OLD, "fields": [ID, {"name": "n", "type": ["null", "int"]}]}
    written = None if day is None else CHANGED_AT.replace(day=day) if day > 0 else CHANGED_AT.replace(month=2)
    made = planned(held(), OLD, Writer(nullable, "s3://bucket/x.avro", 1, written))
    assert bool(made.newer) is is_told


def test_files_without_any_schema_are_told() -> None:
    made = plan(cast("TableTypeDef", held()), wanted_of(), partitions_of(), (), ["s3://bucket/x.avro (no Avro)"])
    assert made.newer == ("s3://bucket/x.avro (no Avro)",)


def test_the_digest_names_what_is_approved_and_nothing_else() -> None:
    made = planned(held(), DOUBLE)
    assert made.digest == planned(held(), DOUBLE).digest
    assert made.digest == planned(held(), DOUBLE, partitions=partitions_of(count=9)).digest
    drifted = held()
    columns(drifted).append({"Name": "x", "Type": "int"})
    others = [
        planned(held(), ADDED),
        planned(held(), {**DOUBLE, "doc": "said otherwise"}),
        planned(drifted, DOUBLE),
        planned(held(), DOUBLE, partitions=[]),
        planned(held(), DOUBLE, Writer(TEXT, "s3://bucket/x.avro", 1)),
    ]
    assert len({made.digest, *(other.digest for other in others)}) == 1 + len(others)


def real_change() -> TablePlan:
    """Demand, of which everything changes that can."""
    schema = load_record_types()["demand"].schema
    new = json.loads(schema_literal(schema))
    gone = new["fields"].pop(3)
    new["fields"].insert(1, {"name": "priority", "type": "int", "default": 5, "doc": "How much it matters. " * 20})
    new["fields"].append({"name": "mandatory", "type": {"type": "map", "values": "double"}})
    new["fields"].append({"name": f"{gone['name']}Renamed", "type": gone["type"], "aliases": [gone["name"]]})
    new["fields"][2]["doc"] = "Another | text\nof two lines. " * 10
    wanted = hive.table_input("demand", new, "s3://bucket/tables/scratch/")
    current: Any = {**hive.table_input("demand", schema, "s3://bucket/tables/scratch/"), "VersionId": "1"}
    return plan(cast("TableTypeDef", current), wanted, partitions_of())


def test_a_real_plan_is_readable_in_a_terminal_and_on_a_page() -> None:
    made = real_change()
    lines = str(made).splitlines()
    assert lines[0] == made.summary
    assert max(map(len, lines)) <= 200
    assert all(any(one.field in line for line in lines) for one in made.differences)
    _, page = made.as_markdown.split("\n\n")
    assert len(page.splitlines()) == len(made.differences) + 2, "a difference is a line of the table"
    assert {line.replace("\\|", "").count("|") for line in page.splitlines()} == {6}


def test_partitions_that_point_elsewhere_are_named_and_left_to_registration() -> None:
    first, second = partitions_of()
    second["StorageDescriptor"]["Location"] = "s3://elsewhere/"
    made = planned(held(), partitions=[first, second])
    assert (made.verdict, made.elsewhere) == (Verdict.IN_SYNC, ("2026-01-02 at s3://elsewhere/",))
    assert made.summary == (
        "scratch: in sync; partitions point elsewhere (register_partitions decides): 2026-01-02 at s3://elsewhere/"
    )
