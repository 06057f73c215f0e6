"""Equality of rows, arrays and maps, in three-valued logic.

DuckDB takes a NULL inside for a value that equals another NULL. To Trino it makes the answer unknown, unless something
else in the two differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from local.athena.types import Type


def nested_equality(one: str, other: str, kind: Type) -> str:
    """DuckDB SQL of ``one = other`` for values of a type."""
    return _equality(one, other, kind, 0)


def _equality(one: str, other: str, kind: Type, depth: int) -> str:
    if not kind.elements:
        suffix = ".u" if kind.is_zoned else ""
        return f"({_field(one, suffix)} = {_field(other, suffix)})"
    pair = f"pair{depth}"
    # Named, so that each side is computed once however often it is used.
    return (
        f"list_transform([struct_pack(a := {one}, b := {other})], "
        f"lambda {pair}: CASE WHEN {pair}.a IS NULL OR {pair}.b IS NULL THEN NULL "
        f"ELSE {_BODIES[kind.name](f'{pair}.a', f'{pair}.b', kind, depth + 1)} END)[1]"
    )


def _field(sql: str, suffix: str) -> str:
    return f"({sql}){suffix}" if suffix else sql


def _rows(one: str, other: str, kind: Type, depth: int) -> str:
    fields = (_equality(f"{one}.f{at}", f"{other}.f{at}", field, depth) for at, field in enumerate(kind.elements))
    return f"({' AND '.join(fields)})"


def _arrays(one: str, other: str, kind: Type, depth: int) -> str:
    item = f"item{depth}"
    same = _equality(f"{item}[1]", f"{item}[2]", kind.element, depth)
    return (
        f"CASE WHEN len({one}) <> len({other}) THEN false "
        f"ELSE trino_all(list_transform(list_zip({one}, {other}), lambda {item}: {same})) END"
    )


def _maps(one: str, other: str, kind: Type, depth: int) -> str:
    key = f"key{depth}"
    same = _equality(f"map_extract_value({one}, {key})", f"map_extract_value({other}, {key})", kind.elements[1], depth)
    found = f"CASE WHEN map_contains({other}, {key}) THEN {same} ELSE false END"
    return (
        f"CASE WHEN cardinality({one}) <> cardinality({other}) THEN false "
        f"ELSE trino_all(list_transform(map_keys({one}), lambda {key}: {found})) END"
    )


_BODIES = {"row": _rows, "array": _arrays, "map": _maps}
