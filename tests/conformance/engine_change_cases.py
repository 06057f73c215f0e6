"""A change of a table's schema, step by step: the states that lie between the old table and the new one.

The catalog cannot change a table and its partitions at once. A change goes through these states, and in each of them,
for each partition, the query that readers use must give all rows:

1. *before*: everything is old;
2. *shortened*: the partition's list of columns is cut to the beginning that the old and the new list share;
3. *switched*: the table is new, with the new schema in its Parameters and its SerDe parameters: one UpdateTable;
4. *delivered*: as before, and a file of the new schema has come;
5. *completed*: the partition has the new list and the new schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.conformance.engine_case import CHANGE, MISMATCH, REFUSED, Case, File, Schema, optional, record, required


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class _Version:
    """One side of a change: what the table looks like, a row of it, and how its readers ask."""

    columns: Sequence[str]
    schema: Schema
    row: Mapping[str, Any]
    query: str
    shown: Sequence[str | None]


@dataclass(frozen=True)
class _Change:
    """A change of a table.

    Attributes:
        name: What changes.
        old: Before.
        new: Afterwards.
        old_row_shown: What the new query shows of the old file.
        without_shortening: The error when the table is switched while the partition still has the old list, if any.
    """

    name: str
    old: _Version
    new: _Version
    old_row_shown: Sequence[str | None]
    without_shortening: str | None = None

    @property
    def shared(self) -> Sequence[str]:
        """The columns with which both lists begin."""
        shared = []
        for one, other in zip(self.old.columns, self.new.columns, strict=False):
            if one != other:
                break
            shared.append(one)
        return shared


def _steps(change: _Change) -> list[Case]:
    """The states of a change, and the one that a change without the second step goes through."""
    old_file = File("1.avro", change.old.schema, [change.old.row])
    new_file = File("2.avro", change.new.schema, [change.new.row])
    both = [change.old_row_shown, change.new.shown]
    old, new = change.old, change.new
    return [
        _state(change, "before", old, old, old.columns, [old_file], [old.shown]),
        _state(change, "shortened", old, old, change.shared, [old_file], [old.shown]),
        _state(change, "switched", new, old, change.shared, [old_file], [change.old_row_shown]),
        _state(change, "delivered", new, old, change.shared, [old_file, new_file], both),
        _state(change, "completed", new, new, new.columns, [old_file, new_file], both),
        _state(
            change,
            "switched without having been shortened",
            new,
            old,
            old.columns,
            [old_file, new_file],
            both,
            change.without_shortening,
        ),
    ]


def _state(
    change: _Change,
    step: str,
    table: _Version,
    partition: _Version,
    columns: Sequence[str],
    files: Sequence[File],
    rows: Sequence[Sequence[str | None]],
    error: str | None = None,
) -> Case:
    return Case(
        f"{change.name}: {step}",
        CHANGE,
        table=", ".join(table.columns),
        partition=", ".join(columns),
        in_table=table.schema,
        in_table_serde=table.schema,
        in_partition=partition.schema,
        files=files,
        query=table.query,
        rows=[] if error else rows,
        error=error,
    )


_ID, _N, _NOTE = required("id", "string"), required("n", "int"), required("note", "string")
_TAGS = optional("tags", {"type": "array", "items": "string"})
_A, _B, _C = required("a", "string"), required("b", "string"), optional("c", "string")


def _plain(*columns: str) -> str:
    return f"SELECT {', '.join(column.split()[0] for column in columns)} FROM {{table}}"


def _version(
    columns: Sequence[str],
    fields: Sequence[Mapping[str, Any]],
    row: Mapping[str, Any],
    shown: Sequence[str | None],
    query: str | None = None,
) -> _Version:
    return _Version(columns, record(*fields), row, query or _plain(*columns), shown)


_OLD = _version(
    ["id string", "n int", "note string"], [_ID, _N, _NOTE], {"id": "old", "n": 1, "note": "x"}, ["old", "1", "x"]
)
_STRUCT = _version(
    ["id string", "x struct<a:string,b:string>", "n int"],
    [_ID, required("x", record(_A, _B, name="s")), _N],
    {"id": "old", "x": {"a": "1", "b": "2"}, "n": 1},
    ["old", "{a=1, b=2}", "1"],
)
_NEW_STRUCT = {"id": "new", "x": {"a": "1", "b": "2", "c": "3"}, "n": 2}

_CHANGES = [
    _Change(
        "a column is added at the end",
        _OLD,
        _version(
            [*_OLD.columns, "tags array<string>"],
            [_ID, _N, _NOTE, _TAGS],
            {"id": "new", "n": 2, "note": "y", "tags": ["t"]},
            ["new", "2", "y", "[t]"],
        ),
        ["old", "1", "x", None],
    ),
    _Change(
        "a column is inserted",
        _OLD,
        _version(
            ["id string", "tags array<string>", "n int", "note string"],
            [_ID, _TAGS, _N, _NOTE],
            {"id": "new", "tags": ["t"], "n": 2, "note": "y"},
            ["new", "[t]", "2", "y"],
        ),
        ["old", None, "1", "x"],
        without_shortening=MISMATCH,
    ),
    _Change(
        "a column is inserted at the beginning",
        _OLD,
        _version(
            ["tags array<string>", *_OLD.columns],
            [_TAGS, _ID, _N, _NOTE],
            {"tags": ["t"], "id": "new", "n": 2, "note": "y"},
            ["[t]", "new", "2", "y"],
        ),
        [None, "old", "1", "x"],
        without_shortening=MISMATCH,
    ),
    _Change(
        "a column is removed",
        _OLD,
        _version(["id string", "note string"], [_ID, _NOTE], {"id": "new", "note": "y"}, ["new", "y"]),
        ["old", "x"],
    ),
    _Change(
        "columns change places",
        _version(
            ["id string", "n int", "tags array<string>"],
            [_ID, _N, _TAGS],
            {"id": "old", "n": 1, "tags": ["s"]},
            ["old", "1", "[s]"],
        ),
        _version(
            ["id string", "tags array<string>", "n int"],
            [_ID, _TAGS, _N],
            {"id": "new", "tags": ["t"], "n": 2},
            ["new", "[t]", "2"],
        ),
        ["old", "[s]", "1"],
        without_shortening=MISMATCH,
    ),
    _Change(
        "an int becomes a bigint",
        _OLD,
        _version(
            ["id string", "n bigint", "note string"],
            [_ID, required("n", "long"), _NOTE],
            {"id": "new", "n": 2, "note": "y"},
            ["new", "2", "y"],
        ),
        ["old", "1", "x"],
    ),
    _Change(
        "an int becomes a double",
        _OLD,
        _version(
            ["id string", "n double", "note string"],
            [_ID, required("n", "double"), _NOTE],
            {"id": "new", "n": 2.5, "note": "y"},
            ["new", "2.5", "y"],
        ),
        ["old", "1.0", "x"],
        without_shortening=MISMATCH,
    ),
    _Change(
        "a column becomes optional and another gets a default",
        _OLD,
        _version(
            ["id string", "n int", "note string", "kind string"],
            [_ID, optional("n", "int"), _NOTE, required("kind", "string", default="none")],
            {"id": "new", "n": None, "note": "y", "kind": "k"},
            ["new", None, "y", "k"],
        ),
        ["old", "1", "x", "none"],
    ),
    _Change(
        "a struct gains a field at its end",
        _STRUCT,
        _version(
            ["id string", "x struct<a:string,b:string,c:string>", "n int"],
            [_ID, required("x", record(_A, _B, _C, name="s")), _N],
            _NEW_STRUCT,
            ["new", "{a=1, b=2, c=3}", "2"],
        ),
        ["old", "{a=1, b=2, c=null}", "1"],
        without_shortening=REFUSED,
    ),
    _Change(
        "a struct gains a field in its middle",
        _STRUCT,
        _version(
            ["id string", "x struct<a:string,c:string,b:string>", "n int"],
            [_ID, required("x", record(_A, _C, _B, name="s")), _N],
            _NEW_STRUCT,
            ["new", "3", "2"],
            "SELECT id, x.c, n FROM {table}",
        ),
        ["old", None, "1"],
        without_shortening=MISMATCH,
    ),
    _Change(
        "a struct loses a field",
        _STRUCT,
        _version(
            ["id string", "x struct<b:string>", "n int"],
            [_ID, required("x", record(_B, name="s")), _N],
            {"id": "new", "x": {"b": "2"}, "n": 2},
            ["new", "{b=2}", "2"],
        ),
        ["old", "{b=2}", "1"],
        without_shortening=MISMATCH,
    ),
    _Change(
        "an array of structs gains a field",
        _version(
            ["id string", "x array<struct<a:string>>"],
            [_ID, required("x", {"type": "array", "items": record(_A, name="s")})],
            {"id": "old", "x": [{"a": "1"}]},
            ["old", "[{a=1}]"],
        ),
        _version(
            ["id string", "x array<struct<c:string,a:string>>"],
            [_ID, required("x", {"type": "array", "items": record(_C, _A, name="s")})],
            {"id": "new", "x": [{"a": "1", "c": "3"}]},
            ["new", "[{c=3, a=1}]"],
        ),
        ["old", "[{c=null, a=1}]"],
        without_shortening=MISMATCH,
    ),
    _Change(
        "everything at once",
        _OLD,
        _version(
            ["tags array<string>", "note string", "n double", "x struct<a:string,c:string>"],
            [
                _TAGS,
                _NOTE,
                required("n", "double"),
                optional("x", record(_A, _C, name="s")),
            ],
            {"tags": ["t"], "note": "y", "n": 2.5, "x": {"a": "1", "c": "3"}},
            ["[t]", "y", "2.5", "{a=1, c=3}"],
        ),
        [None, "x", "1.0", None],
        without_shortening=MISMATCH,
    ),
]

_ONLY_IN_SERDE = [
    Case(
        "a schema kept in SerDe parameters alone switches with the table's",
        CHANGE,
        table="id string, n int, tags array<string>",
        partition="id string, n int",
        in_table_serde=record(_ID, _N, _TAGS),
        in_partition=record(_ID, _N),
        query="SELECT id, n, tags FROM {table}",
        rows=[["a", "1", None]],
    ),
]

CHANGE_CASES = [case for change in _CHANGES for case in _steps(change)] + _ONLY_IN_SERDE
