"""Avro's resolution, on random schemas: whatever was written is read, field by field, as the reader wants it."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
from hypothesis import given, settings
from hypothesis import strategies as st

from local.athena.engine import avro_schema, container
from local.athena.engine.columns import arrow_table
from local.athena.engine.resolution import resolve


_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False),
    "string": st.text(max_size=5),
    "bytes": st.binary(max_size=5),
}
_PRIMITIVES = st.sampled_from(sorted(_VALUES))


def _wrapped(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        inner.filter(lambda one: not isinstance(one, list)).map(lambda one: ["null", one]),
        inner.map(lambda one: {"type": "array", "items": one}),
        inner.map(lambda one: {"type": "map", "values": one}),
    )


_TYPES = st.recursive(_PRIMITIVES, _wrapped, max_leaves=3)


def _value(kind: Any) -> st.SearchStrategy[Any]:
    if isinstance(kind, str):
        return _VALUES[kind]
    if isinstance(kind, list):
        return st.one_of(st.none(), _value(kind[1]))
    if kind["type"] == "array":
        return st.lists(_value(kind["items"]), max_size=3)
    return st.dictionaries(st.text(max_size=3), _value(kind["values"]), max_size=3)


@st.composite
def _written(draw: st.DrawFn) -> tuple[list[Any], list[dict[str, Any]], list[int]]:
    """Types of a record's fields, rows of it, and which fields are wanted, in which order."""
    kinds = draw(st.lists(_TYPES, min_size=1, max_size=4))
    row = st.fixed_dictionaries({f"name{position}": _value(kind) for position, kind in enumerate(kinds)})
    wanted = draw(
        st.permutations(range(len(kinds))).flatmap(
            lambda order: st.integers(1, len(order)).map(lambda count: list(order)[:count])
        )
    )
    return kinds, draw(st.lists(row, max_size=4)), wanted


def _record(fields: list[dict[str, Any]]) -> bytes:
    return json.dumps({"type": "record", "name": "row", "fields": fields}).encode()


@settings(max_examples=150, deadline=None)
@given(_written())
def test_wanted_fields_are_read_in_the_wanted_order(written: tuple[list[Any], list[dict[str, Any]], list[int]]) -> None:
    kinds, rows, wanted = written
    schema = _record([{"name": f"name{at}", "type": kind} for at, kind in enumerate(kinds)])
    file = io.BytesIO()
    fastavro.writer(file, fastavro.parse_schema(json.loads(schema)), rows)
    added = {"name": "added", "type": ["null", "int"], "default": None}
    reader = avro_schema.parse(_record([{"name": f"name{at}", "type": kinds[at]} for at in wanted] + [added]))

    resolved = resolve(avro_schema.parse(schema), reader)
    opened = container.parse(file.getvalue())
    decoded = container.decode([opened, opened], json.dumps(resolved.writer), json.dumps(resolved.reader))
    table = arrow_table(reader, decoded)

    assert opened.rows == len(rows)
    assert table.num_rows == 2 * len(rows)
    for position, at in enumerate(wanted):
        found = table.column(f"f{position}").to_pylist(maps_as_pydicts="strict")
        assert found == [row[f"name{at}"] for row in rows] * 2
    assert table.column(f"f{len(wanted)}").null_count == 2 * len(rows)
