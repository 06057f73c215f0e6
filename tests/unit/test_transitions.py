"""The states between an old table and a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import botocore.session
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.change_marks import CHANGE_PARAMETER, ChangeMark
from dmd_pipeline.transitions import (
    as_input,
    as_partition_input,
    completing,
    like_table,
    shared,
    shortening,
    updated,
    with_mark,
)


if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import PartitionTypeDef, TableInputTypeDef, TableTypeDef

LITERAL = "avro.schema.literal"


def column(name: str, kind: str, comment: str = "") -> dict[str, str]:
    return {"Name": name, "Type": kind, "Comment": comment}


COLUMNS = st.lists(
    st.builds(
        column, st.sampled_from("abcdef"), st.sampled_from(["int", "bigint", "string"]), st.sampled_from(["", "x"])
    ),
    max_size=5,
    unique_by=lambda one: one["Name"],
)


def table_of(columns: list[dict[str, str]], **more: Any) -> TableInputTypeDef:
    descriptor = {
        "Columns": columns,
        "Location": "s3://b/t/",
        "InputFormat": "in",
        "OutputFormat": "out",
        "SerdeInfo": {"SerializationLibrary": "avro", "Parameters": {LITERAL: "new"}},
    }
    return cast("TableInputTypeDef", {"Name": "t", "StorageDescriptor": descriptor, **more})


def partition_of(number: int, columns: list[dict[str, str]]) -> PartitionTypeDef:
    return cast(
        "PartitionTypeDef",
        {
            "Values": [f"2026-01-{number + 1:02}"],
            "Parameters": {"theirs": str(number)},
            "LastAccessTime": number,
            "CreationTime": number,
            "StorageDescriptor": {
                "Columns": columns,
                "Location": f"s3://b/t/{number}/",
                "InputFormat": "in",
                "SortColumns": [{"Column": "a", "SortOrder": 1}],
                "SerdeInfo": {"Name": "theirs", "SerializationLibrary": "avro", "Parameters": {"theirs": "1"}},
            },
        },
    )


@st.composite
def mixtures(draw: st.DrawFn) -> tuple[list[dict[str, str]], list[dict[str, str]], list[PartitionTypeDef]]:
    """An old table, a new one, and partitions in any of the states between, or in none of them."""
    old, new = draw(COLUMNS), draw(COLUMNS)
    both = shared(cast("Any", old), cast("Any", new))
    lists = draw(st.lists(st.one_of(st.sampled_from([old, new, list(both)]), COLUMNS), max_size=4))
    return old, new, [partition_of(number, cast("Any", one)) for number, one in enumerate(lists)]


def applied(partitions: list[PartitionTypeDef], steps: Any) -> list[PartitionTypeDef]:
    """What Glue holds after the steps were written as the one writer of partitions writes them."""
    wanted = {step.value: step.wanted for step in steps}
    return [
        cast("PartitionTypeDef", {**one, **as_partition_input(one, wanted[one["Values"][0]])})
        if one["Values"][0] in wanted
        else one
        for one in partitions
    ]


def declared(partition: PartitionTypeDef) -> list[tuple[str, str]]:
    return [(one["Name"], one.get("Type", "")) for one in partition["StorageDescriptor"]["Columns"]]


@given(mixtures())
def test_after_shortening_every_partition_begins_as_it_did_and_stands_beside_both_tables(mixture: Any) -> None:
    old, new, partitions = mixture
    shortened = applied(partitions, shortening(partitions, new))
    for before, after in zip(partitions, shortened, strict=True):
        own, columns = declared(after), [(one["Name"], one["Type"]) for one in new]
        length = min(len(own), len(columns))
        assert own == declared(before)[: len(own)], "it is a beginning of its own list"
        assert own[:length] == columns[:length], "one is the beginning of the other"
        if declared(before) == [(one["Name"], one["Type"]) for one in old]:
            length = min(len(own), len(old))
            assert own[:length] == [(one["Name"], one["Type"]) for one in old][:length]
        assert {**after, "StorageDescriptor": {**after["StorageDescriptor"], "Columns": []}} == {
            **before,
            "StorageDescriptor": {**before["StorageDescriptor"], "Columns": []},
        }, "nothing else changes"
    assert shortening(shortened, new) == (), "a second plan is empty"


@given(mixtures())
def test_after_completing_no_partition_needs_anything_and_what_is_others_stays(mixture: Any) -> None:
    _, new, partitions = mixture
    look = like_table(table_of(new))
    for start in (partitions, applied(partitions, shortening(partitions, new))):
        completed = applied(start, completing(start, look))
        assert completing(completed, look) == ()
        assert shortening(completed, new) == ()
        for before, after in zip(start, completed, strict=True):
            assert after["StorageDescriptor"]["Columns"] == new
            for name in ("Values", "Parameters", "LastAccessTime", "CreationTime"):
                assert after[name] == before[name]
            was, now = cast("Any", before["StorageDescriptor"]), cast("Any", after["StorageDescriptor"])
            assert (now["Location"], now["SortColumns"]) == (was["Location"], was["SortColumns"])
            assert now["SerdeInfo"]["Name"] == "theirs"
            assert now["SerdeInfo"]["Parameters"] == {"theirs": "1", LITERAL: "new"}


@given(COLUMNS, COLUMNS)
def test_the_shared_beginning_is_the_longest_and_the_same_from_either_side(one: Any, other: Any) -> None:
    both = declared_of(shared(one, other))
    assert both == declared_of(shared(other, one))
    assert both == declared_of(one)[: len(both)] == declared_of(other)[: len(both)]
    if len(both) < min(len(one), len(other)):
        assert declared_of(one)[len(both)] != declared_of(other)[len(both)]


def declared_of(columns: Any) -> list[tuple[str, str]]:
    return [(one["Name"], one["Type"]) for one in columns]


def test_names_that_differ_in_case_are_one_column_and_a_type_that_differs_is_another() -> None:
    one, other = [column("Fan", "int"), column("n", "int")], [column("fan", "int", "Who."), column("n", "bigint")]
    assert shared(cast("Any", one), cast("Any", other)) == one[:1]


def test_a_partition_without_a_storage_descriptor_stands_beside_any_table() -> None:
    bare = cast("PartitionTypeDef", {"Values": ["2026-01-01"]})
    assert shortening([bare], cast("Any", [column("a", "int")])) == ()


def test_an_updated_table_keeps_what_the_wanted_one_does_not_name() -> None:
    current = cast(
        "TableTypeDef",
        {
            **table_of([column("a", "int")]),
            "Owner": "hadoop",
            "Retention": 7,
            "VersionId": "3",
            "UpdateTime": 1,
            "Parameters": {"theirs": "1", LITERAL: "old"},
        },
    )
    current["StorageDescriptor"]["SerdeInfo"] = {"Name": "theirs", "Parameters": {"path": "1", LITERAL: "old"}}
    cast("Any", current["StorageDescriptor"])["BucketColumns"] = ["a"]
    new = updated(
        current, cast("TableInputTypeDef", {**table_of([column("b", "int")]), "Parameters": {LITERAL: "new"}})
    )
    serde = cast("Any", new["StorageDescriptor"]["SerdeInfo"])
    assert (new["Owner"], new["Retention"]) == ("hadoop", 7)
    assert new["Parameters"] == {"theirs": "1", LITERAL: "new"}
    assert new["StorageDescriptor"]["BucketColumns"] == ["a"]
    assert new["StorageDescriptor"]["Columns"] == [column("b", "int")]
    assert serde == {"Name": "theirs", "SerializationLibrary": "avro", "Parameters": {"path": "1", LITERAL: "new"}}
    assert "VersionId" not in new
    assert "UpdateTime" not in new


def test_what_is_written_back_is_all_that_the_service_both_gives_and_takes() -> None:
    """The service's own model, as botocore has it: a key that AWS adds is noticed here."""
    model: Any = botocore.session.get_session().get_service_model("glue")
    given_, taken = ({*model.shape_for(name).members} for name in ("Table", "TableInput"))
    table = cast("TableTypeDef", dict.fromkeys(given_ | taken, "x"))
    assert {*as_input(table)} == given_ & taken


def test_a_mark_is_put_on_and_taken_off_and_nothing_else_changes() -> None:
    table = cast("TableInputTypeDef", {**table_of([]), "Parameters": {"theirs": "1"}})
    marked = with_mark(table, ChangeMark("change-1", backup="key"))
    assert ChangeMark.of(cast("TableTypeDef", marked)) == ChangeMark("change-1", backup="key")
    assert {*marked["Parameters"]} == {"theirs", CHANGE_PARAMETER}
    assert with_mark(marked, None) == table
    assert table["Parameters"] == {"theirs": "1"}, "the table given is left as it is"
