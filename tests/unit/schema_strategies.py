"""Random schemas of rows, schemas made of them by random edits, and rows of them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st


if TYPE_CHECKING:
    from collections.abc import Callable

Schema = dict[str, Any]

_PRIMITIVES = ("boolean", "int", "long", "float", "double", "bytes", "string")
_DEFAULTS: dict[str, Any] = {
    "boolean": True, "int": 1, "long": 2, "float": 1.5, "double": 2.5, "bytes": "b", "string": "s",
}  # fmt: skip
_SYMBOLS = ("RED", "GREEN", "BLUE")
_MOST_DEPTH = 2


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """The schema of a record of a few fields, nested up to two levels deep."""
    return _record(draw, "row", 0)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Schema, Schema]:
    """A writer's schema, and a reader's that a few random edits make of it."""
    writer = draw(schemas())
    reader = copy.deepcopy(writer)
    for number in range(draw(st.integers(0, 3))):
        _edit(draw, reader, number)
    return writer, reader


def rows(schema: Any, *, full: bool = False) -> st.SearchStrategy[Any]:
    """Values of a type.

    Args:
        schema: The type.
        full: Nothing is null or empty, so that every type comes up in every row.
    """
    if isinstance(schema, list):
        branches = [rows(branch, full=full) for branch in schema if not full or branch != "null"]
        return st.one_of(*branches)
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "record":
        return st.fixed_dictionaries({field["name"]: rows(field["type"], full=full) for field in schema["fields"]})
    if kind == "array":
        return st.lists(rows(schema["items"], full=full), min_size=int(full), max_size=2)
    if kind == "map":
        return st.dictionaries(st.text(max_size=2), rows(schema["values"], full=full), min_size=int(full), max_size=2)
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    if kind == "fixed":
        return st.binary(min_size=schema["size"], max_size=schema["size"])
    # Python's dates and moments end with the year 9999.
    return _MOMENTS[schema["logicalType"]] if _is_moment(schema) else _VALUES[kind]


def _is_moment(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("logicalType") in _MOMENTS


_MOMENTS: dict[str, st.SearchStrategy[Any]] = {
    "date": st.integers(-20_000, 40_000),
    "timestamp-millis": st.integers(-(10**12), 4 * 10**12),
}
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    # Bytes that are no text cannot be read as a string: schemas cannot tell, and a change of the column's type it is.
    "bytes": st.text(max_size=3).map(str.encode),
    "string": st.text(max_size=3),
}


def _record(draw: st.DrawFn, name: str, depth: int) -> Schema:
    count = draw(st.integers(1, 3))
    fields = [_field(draw, f"f{number}", f"{name}_{number}", depth) for number in range(count)]
    return {"type": "record", "name": name, "fields": fields}


def _field(draw: st.DrawFn, name: str, place: str, depth: int) -> Schema:
    """A field; one in three has a default, or is optional."""
    kind = _type(draw, place, depth)
    how = draw(st.sampled_from(["required", "default", "optional"]))
    if how == "optional":
        return {"name": name, "type": ["null", kind], "default": None}
    if how == "default" and (default := _default(kind)) is not None:
        return {"name": name, "type": kind, "default": default}
    return {"name": name, "type": kind}


def _type(draw: st.DrawFn, place: str, depth: int) -> Any:
    kinds = [*_PRIMITIVES, "enum", "fixed", "decimal", "date", "timestamp"]
    if depth < _MOST_DEPTH:
        kinds += ["record", "array", "map"]
    kind = draw(st.sampled_from(kinds))
    if kind == "record":
        return _record(draw, f"r{place}", depth + 1)
    if kind in {"array", "map"}:
        inner = _type(draw, place, depth + 1)
        inner = ["null", inner] if draw(st.booleans()) else inner
        return {"type": kind, "items" if kind == "array" else "values": inner}
    return _leaf(kind, place)


def _leaf(kind: str, place: str) -> Any:
    special: dict[str, Any] = {
        "enum": {"type": "enum", "name": f"e{place}", "symbols": list(_SYMBOLS)},
        "fixed": {"type": "fixed", "name": f"x{place}", "size": 2},
        "decimal": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2},
        "date": {"type": "int", "logicalType": "date"},
        "timestamp": {"type": "long", "logicalType": "timestamp-millis"},
    }
    return special.get(kind, kind)


def _default(kind: Any) -> Any:
    if isinstance(kind, str):
        return _DEFAULTS[kind]
    if kind["type"] == "record":
        values = {field["name"]: _default_of(field) for field in kind["fields"]}
        return None if None in values.values() else values
    simple: dict[str, Any] = {"array": [], "map": {}, "enum": "RED", "fixed": "xx"}
    return simple.get(kind["type"], _DEFAULTS.get(kind["type"]))


def _default_of(field: Schema) -> Any:
    if "default" in field:
        return field["default"]
    return None if isinstance(field["type"], list) else _default(field["type"])


def _edit(draw: st.DrawFn, schema: Schema, number: int) -> None:
    """One random edit of a record, or of one inside it."""
    record = draw(st.sampled_from(_records(schema)))
    edit: Callable[[st.DrawFn, Schema, int], None] = draw(
        st.sampled_from([_add, _remove, _reorder, _retype, _retype, _make_optional, _change_symbols, _rename, _scale])
    )
    edit(draw, record, number)


def _records(kind: Any) -> list[Schema]:
    if isinstance(kind, list):
        return [found for branch in kind for found in _records(branch)]
    if isinstance(kind, str):
        return []
    inside = [kind[name] for name in ("items", "values") if name in kind]
    inside += [field["type"] for field in kind.get("fields", [])]
    return [kind] * (kind["type"] == "record") + [found for one in inside for found in _records(one)]


def _add(draw: st.DrawFn, record: Schema, number: int) -> None:
    at = draw(st.integers(0, len(record["fields"])))
    record["fields"].insert(at, _field(draw, f"new{number}", f"_{record['name']}_new{number}", _MOST_DEPTH - 1))


def _remove(draw: st.DrawFn, record: Schema, _number: int) -> None:
    if len(record["fields"]) > 1:
        record["fields"].remove(draw(st.sampled_from(record["fields"])))


def _reorder(draw: st.DrawFn, record: Schema, _number: int) -> None:
    record["fields"] = draw(st.permutations(record["fields"]))


def _retype(draw: st.DrawFn, record: Schema, number: int) -> None:
    field = draw(st.sampled_from(record["fields"]))
    field["type"] = _leaf(
        draw(st.sampled_from([*_PRIMITIVES, "enum", "fixed", "decimal", "date", "timestamp"])), f"_retyped{number}"
    )
    field.pop("default", None)


def _make_optional(draw: st.DrawFn, record: Schema, _number: int) -> None:
    """What is required becomes optional, and the other way round."""
    field = draw(st.sampled_from(record["fields"]))
    is_optional = isinstance(field["type"], list)
    field["type"] = field["type"][1] if is_optional else ["null", field["type"]]
    field.pop("default", None)


def _change_symbols(draw: st.DrawFn, record: Schema, _number: int) -> None:
    for field in record["fields"]:
        kind = field["type"][1] if isinstance(field["type"], list) else field["type"]
        if isinstance(kind, dict) and kind["type"] == "enum":
            kind["symbols"] = draw(st.sampled_from([["RED"], ["GREEN", "RED", "BLUE"], [*_SYMBOLS, "PINK"]]))
            if draw(st.booleans()):
                kind["default"] = "RED"
            if field.get("default") is not None:
                field["default"] = "RED"


def _rename(draw: st.DrawFn, record: Schema, number: int) -> None:
    """With an alias or without."""
    field = draw(st.sampled_from(record["fields"]))
    if draw(st.booleans()):
        field["aliases"] = [field["name"]]
    field["name"] = f"renamed{number}"


def _scale(draw: st.DrawFn, record: Schema, _number: int) -> None:
    for field in record["fields"]:
        kind = field["type"][1] if isinstance(field["type"], list) else field["type"]
        if isinstance(kind, dict) and kind.get("logicalType") == "decimal":
            kind.update(draw(st.sampled_from([{"scale": 3}, {"precision": 4}, {"precision": 9}])))
