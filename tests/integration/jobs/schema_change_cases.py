"""Changes of a schema, as data: what becomes of each, and what readers get before and afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dmd_pipeline.table_plans import Verdict
from tests.conformance.engine_case import ID, optional, record, required


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Row = dict[str, Any]
Shown = list[str | None]


@dataclass(frozen=True)
class SchemaChange:
    """One change of a table that has an id and a column or two.

    Attributes:
        name: What changes.
        verdict: What becomes of it.
        old: The old schema.
        old_row: A row written with it; the id is added.
        new: The new schema.
        new_row: A row written with it.
        query: What readers ask of the new table.
        old_shown: What the query shows of the old row, after its id.
        new_shown: And of the new one.
        old_query: What readers ask of the old table.
        before: What that shows.
        saying: Part of what the plan says.
    """

    name: str
    verdict: Verdict
    old: Mapping[str, Any]
    old_row: Row
    new: Mapping[str, Any]
    new_row: Row
    query: str
    old_shown: Shown
    new_shown: Shown
    old_query: str
    before: Shown
    saying: str = ""


def _fields(*fields: Mapping[str, Any], name: str = "row") -> dict[str, Any]:
    return record(ID, *fields, name=name)


def _change(
    name: str,
    verdict: Verdict,
    old: Sequence[Mapping[str, Any]],
    new: Sequence[Mapping[str, Any]],
    rows: tuple[Row, Row],
    shown: tuple[Shown, Shown, Shown],
    *,
    asked: tuple[str, str] | None = None,
    saying: str = "",
) -> SchemaChange:
    """A change between the fields after the id.

    ``rows`` are an old and a new one; ``shown`` is what readers get of the old one before, and of both afterwards.
    """
    queries = asked or tuple(", ".join(field["name"] for field in fields) for fields in (old, new))
    return SchemaChange(
        name, verdict, _fields(*old), rows[0], _fields(*new), rows[1], queries[1], shown[1], shown[2], queries[0],
        shown[0], saying,
    )  # fmt: skip


_N, _NOTE = required("n", "int"), required("note", "string")
_A, _B, _C = required("a", "string"), required("b", "string"), optional("c", "string")
_COLOUR = {"type": "enum", "name": "colour", "symbols": ["RED", "GREEN"]}
_OLD_ROW = {"n": 1, "note": "x"}
_DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}


def _struct(*fields: Mapping[str, Any]) -> dict[str, Any]:
    return required("s", record(*fields, name="s"))


COMPATIBLE = [
    _change(
        "an optional column is added at the end",
        Verdict.COMPATIBLE,
        [_N],
        [_N, optional("extra", "string")],
        ({"n": 1}, {"n": 2, "extra": "e"}),
        (["1"], ["1", None], ["2", "e"]),
        saying="old rows read null",
    ),
    _change(
        "a column with a default is inserted",
        Verdict.COMPATIBLE,
        [_N, _NOTE],
        [_N, required("priority", "int", default=5), _NOTE],
        (_OLD_ROW, {"n": 2, "priority": 7, "note": "y"}),
        (["1", "x"], ["1", "5", "x"], ["2", "7", "y"]),
        saying="old rows read 5",
    ),
    _change(
        "an array with a default is inserted before all others",
        Verdict.COMPATIBLE,
        [_N, _NOTE],
        [required("tags", {"type": "array", "items": "string"}, default=[]), _N, _NOTE],
        (_OLD_ROW, {"tags": ["t"], "n": 2, "note": "y"}),
        (["1", "x"], ["[]", "1", "x"], ["[t]", "2", "y"]),
    ),
    _change(
        "an enum with a default is added",
        Verdict.COMPATIBLE,
        [_N],
        [_N, required("colour", _COLOUR, default="RED")],
        ({"n": 1}, {"n": 2, "colour": "GREEN"}),
        (["1"], ["1", "RED"], ["2", "GREEN"]),
    ),
    _change(
        "the last column is removed",
        Verdict.COMPATIBLE,
        [_N, _NOTE],
        [_N],
        (_OLD_ROW, {"n": 2}),
        (["1", "x"], ["1"], ["2"]),
        saying="COLUMN_NOT_FOUND",
    ),
    _change(
        "a column in the middle is removed",
        Verdict.COMPATIBLE,
        [_N, _NOTE],
        [_NOTE],
        (_OLD_ROW, {"note": "y"}),
        (["1", "x"], ["x"], ["y"]),
    ),
    _change(
        "a column is renamed: removed and added",
        Verdict.COMPATIBLE,
        [_N, _NOTE],
        [_N, optional("remark", "string")],
        (_OLD_ROW, {"n": 2, "remark": "y"}),
        (["1", "x"], ["1", None], ["2", "y"]),
        saying="If remark is its new name: a rename is removed and added, and old values show with",
    ),
    _change(
        "a column is renamed with an alias",
        Verdict.COMPATIBLE,
        [_N, _NOTE],
        [_N, required("remark", "string", aliases=["note"])],
        (_OLD_ROW, {"n": 2, "remark": "y"}),
        (["1", "x"], ["1", "x"], ["2", "y"]),
        saying="remark shows its values from now on",
    ),
    _change(
        "columns change places",
        Verdict.COMPATIBLE,
        [_N, _NOTE],
        [_NOTE, _N],
        (_OLD_ROW, {"note": "y", "n": 2}),
        (["1", "x"], ["x", "1"], ["y", "2"]),
        saying="SELECT * shows them in another order",
    ),
    _change(
        "an int becomes a long",
        Verdict.COMPATIBLE,
        [_N],
        [required("n", "long")],
        ({"n": 1}, {"n": 3_000_000_000}),
        (["1"], ["1"], ["3000000000"]),
        saying="values come as bigint instead of int",
    ),
    _change(
        "a float becomes a double",
        Verdict.COMPATIBLE,
        [required("n", "float")],
        [required("n", "double")],
        ({"n": 1.5}, {"n": 2.5}),
        (["1.5"], ["1.5"], ["2.5"]),
    ),
    _change(
        "a column becomes optional",
        Verdict.COMPATIBLE,
        [_N],
        [optional("n", "int")],
        ({"n": 1}, {"n": None}),
        (["1"], ["1"], [None]),
        saying="it may be null from now on",
    ),
    _change(
        "only the documentation changes",
        Verdict.COMPATIBLE,
        [_N],
        [required("n", "int", doc="How many.")],
        ({"n": 1}, {"n": 2}),
        (["1"], ["1"], ["2"]),
        saying="the column's comment changes",
    ),
    _change(
        "a default changes",
        Verdict.COMPATIBLE,
        [required("n", "int", default=1)],
        [required("n", "int", default=9)],
        ({"n": 1}, {"n": 2}),
        (["1"], ["1"], ["2"]),
    ),
    _change(
        "an enum gains a symbol",
        Verdict.COMPATIBLE,
        [required("colour", _COLOUR)],
        [required("colour", {**_COLOUR, "symbols": ["RED", "BLUE", "GREEN"]})],
        ({"colour": "GREEN"}, {"colour": "BLUE"}),
        (["GREEN"], ["GREEN"], ["BLUE"]),
        saying="the table must be changed before the worker writes it",
    ),
    _change(
        "a struct gains a field at its end",
        Verdict.COMPATIBLE,
        [_struct(_A, _B), _N],
        [_struct(_A, _B, _C), _N],
        ({"s": {"a": "1", "b": "2"}, "n": 1}, {"s": {"a": "1", "b": "2", "c": "3"}, "n": 2}),
        (["{a=1, b=2}", "1"], ["{a=1, b=2, c=null}", "1"], ["{a=1, b=2, c=3}", "2"]),
    ),
    _change(
        "a struct gains a field in its middle",
        Verdict.COMPATIBLE,
        [_struct(_A, _B), _N],
        [_struct(_A, _C, _B), _N],
        ({"s": {"a": "1", "b": "2"}, "n": 1}, {"s": {"a": "1", "b": "2", "c": "3"}, "n": 2}),
        (["{a=1, b=2}", "1"], ["{a=1, c=null, b=2}", "1"], ["{a=1, c=3, b=2}", "2"]),
    ),
    _change(
        "a struct loses a field",
        Verdict.COMPATIBLE,
        [_struct(_A, _B), _N],
        [_struct(_B), _N],
        ({"s": {"a": "1", "b": "2"}, "n": 1}, {"s": {"b": "2"}, "n": 2}),
        (["{a=1, b=2}", "1"], ["{b=2}", "1"], ["{b=2}", "2"]),
    ),
    _change(
        "a field of a struct becomes a long",
        Verdict.COMPATIBLE,
        [_struct(_N)],
        [_struct(required("n", "long"))],
        ({"s": {"n": 1}}, {"s": {"n": 3_000_000_000}}),
        (["{n=1}"], ["{n=1}"], ["{n=3000000000}"]),
    ),
    _change(
        "structs in an array gain a field",
        Verdict.COMPATIBLE,
        [required("s", {"type": "array", "items": record(_A, name="s")})],
        [required("s", {"type": "array", "items": record(_C, _A, name="s")})],
        ({"s": [{"a": "1"}]}, {"s": [{"a": "2", "c": "3"}]}),
        (["[{a=1}]"], ["[{c=null, a=1}]"], ["[{c=3, a=2}]"]),
    ),
    _change(
        "values of a map become longs",
        Verdict.COMPATIBLE,
        [required("m", {"type": "map", "values": "int"})],
        [required("m", {"type": "map", "values": "long"})],
        ({"m": {"k": 1}}, {"m": {"k": 2}}),
        (["{k=1}"], ["{k=1}"], ["{k=2}"]),
    ),
    _change(
        "an optional struct is added",
        Verdict.COMPATIBLE,
        [_N],
        [optional("s", record(_A, name="s")), _N],
        ({"n": 1}, {"s": {"a": "1"}, "n": 2}),
        (["1"], [None, "1"], ["{a=1}", "2"]),
    ),
    _change(
        "everything at once",
        Verdict.COMPATIBLE,
        [_N, _NOTE, _struct(_A, _B)],
        [optional("tags", {"type": "array", "items": "string"}), _struct(_C, _A), required("n", "long")],
        ({**_OLD_ROW, "s": {"a": "1", "b": "2"}}, {"tags": ["t"], "s": {"a": "1", "c": "3"}, "n": 2}),
        (["1", "x", "{a=1, b=2}"], [None, "{c=null, a=1}", "1"], ["[t]", "{c=3, a=1}", "2"]),
    ),
    _change(
        "the schema is spelled in another way",
        Verdict.COMPATIBLE,
        [_N],
        [required("n", "int", unit="pieces")],
        ({"n": 1}, {"n": 2}),
        (["1"], ["1"], ["2"]),
        saying="both say the same of every row",
    ),
]

BREAKING = [
    _change(
        "an int becomes a double",
        Verdict.BREAKING,
        [_N],
        [required("n", "double")],
        ({"n": 1}, {"n": 2.5}),
        (["1"], ["1.0"], ["2.5"]),
        saying="values come as double instead of int",
    ),
    _change(
        "a long becomes a double",
        Verdict.BREAKING,
        [required("n", "long")],
        [required("n", "double")],
        ({"n": 1}, {"n": 2.5}),
        (["1"], ["1.0"], ["2.5"]),
    ),
    _change(
        "text becomes bytes",
        Verdict.BREAKING,
        [_NOTE],
        [required("note", "bytes")],
        ({"note": "x"}, {"note": b"y"}),
        (["x"], ["78"], ["79"]),
    ),
    _change(
        "a column may no longer be null",
        Verdict.BREAKING,
        [optional("n", "int")],
        [_N],
        ({"n": 1}, {"n": 2}),
        (["1"], ["1"], ["2"]),
        saying="it may be null in files, and may not be any more",
    ),
]

REFUSED = [
    _change(
        "a required column is added without a default",
        Verdict.REFUSED,
        [_N],
        [_N, _NOTE],
        ({"n": 1}, {}),
        (["1"], [], []),
        saying='give it a default: "type": ["null", …], "default": null',
    ),
    _change(
        "text becomes a number",
        Verdict.REFUSED,
        [_NOTE],
        [required("note", "int")],
        ({"note": "x"}, {}),
        (["x"], [], []),
        saying="files hold string, which cannot be read as int",
    ),
    _change(
        "a long becomes an int",
        Verdict.REFUSED,
        [required("n", "long")],
        [_N],
        ({"n": 1}, {}),
        (["1"], [], []),
        saying="keep its type, and add a field of another name",
    ),
    _change(
        "an enum becomes text",
        Verdict.REFUSED,
        [required("colour", _COLOUR)],
        [required("colour", "string")],
        ({"colour": "RED"}, {}),
        (["RED"], [], []),
    ),
    _change(
        "a struct is added with a default that is not null",
        Verdict.REFUSED,
        [_N],
        [_N, required("s", record(_A, name="s"), default={"a": "1"})],
        ({"n": 1}, {}),
        (["1"], [], []),
        saying="its default holds a struct or a decimal",
    ),
    _change(
        "a decimal gets another scale",
        Verdict.REFUSED,
        [required("n", _DECIMAL)],
        [required("n", {**_DECIMAL, "scale": 3})],
        ({"n": b"\x01"}, {}),
        (["0.01"], [], []),
        saying="decimals have the same scale",
    ),
    _change(
        "a number becomes a date",
        Verdict.REFUSED,
        [_N],
        [required("n", {"type": "int", "logicalType": "date"})],
        ({"n": 1}, {}),
        (["1"], [], []),
        saying="its meaning: a date counts days",
    ),
    _change(
        "an optional struct is renamed with an alias",
        Verdict.REFUSED,
        [_N, optional("s", record(_A, name="s"))],
        [_N, optional("t", record(_A, name="s"), aliases=["s"])],
        ({"n": 1, "s": {"a": "1"}}, {}),
        (["1", "{a=1}"], [], []),
        saying="leave the alias out: old rows then read null",
    ),
    _change(
        "a struct gains a required field",
        Verdict.REFUSED,
        [_struct(_A)],
        [_struct(_A, _B)],
        ({"s": {"a": "1"}}, {}),
        (["{a=1}"], [], []),
        saying="s.b",
    ),
]

CHANGES = [*COMPATIBLE, *BREAKING, *REFUSED]
