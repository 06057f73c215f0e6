"""What the engine does when a partition's column has another type than the table's: refuse, or convert the values."""

from __future__ import annotations

from local.athena.sql.failing import failing
from local.athena.types import UNBOUNDED, Type, array


_INTEGERS = ("tinyint", "smallint", "integer", "bigint")
_EVERY_NUMBER = (*_INTEGERS, "real", "double", "decimal")

# From a partition's type to the types a table may have instead. Integers also widen: see can_coerce.
_COERCIONS: dict[str, frozenset[str]] = {
    "boolean": frozenset({"varchar"}),
    "real": frozenset({"double", "decimal", "varchar"}),
    "double": frozenset({"real", "decimal", "varchar"}),
    "decimal": frozenset({*_EVERY_NUMBER, "varchar"}),
    "date": frozenset({"varchar"}),
    "timestamp": frozenset({"varchar"}),
    "varchar": frozenset({*_INTEGERS, "real", "double", "date", "timestamp", "boolean", "varchar"}),
    "char": frozenset({"char", "varchar"}),
} | {name: frozenset({"double", "decimal", "varchar"}) for name in _INTEGERS}


def can_coerce(partition: Type, table: Type) -> bool:
    """Whether values of a partition's column can be shown as values of the table's column."""
    if partition == table:
        return True
    if partition.name in _INTEGERS and table.name in _INTEGERS:
        return _INTEGERS.index(partition.name) < _INTEGERS.index(table.name)
    if table.name in _COERCIONS.get(partition.name, ()):
        return True
    if partition.name != table.name:
        return False
    if partition.name in ("array", "map"):
        return all(can_coerce(*pair) for pair in zip(partition.elements, table.elements, strict=True))
    if partition.name == "row":
        return _can_coerce_fields(partition, table)
    return False


def _can_coerce_fields(partition: Type, table: Type) -> bool:
    """Fields may be added and dropped; one of the same name must be equal or coerce."""
    wanted = dict(zip(table.names, table.elements, strict=True))
    return all(
        can_coerce(element, wanted[name])
        for name, element in zip(partition.names, partition.elements, strict=True)
        if name in wanted
    )


def coerced(value: str, source: Type, target: Type) -> str:
    """DuckDB SQL of a value of one type converted to another that it coerces to."""
    if source.name == target.name == "row":
        return _coerced_row(value, source, target)
    if source.name == target.name == "array":
        return _coerced_array(value, source, target)
    if source.name == target.name == "map" and source != target:
        return _coerced_map(value, source, target)
    if source.name == "varchar":
        return _coerced_text(value, target)
    if source.name in ("real", "double") and target.name == "varchar":
        return f"java_number_text({value})"
    if target.name == "decimal" and source != target:
        return f"TRY_CAST({value} AS {target.duckdb})"
    return f"CAST({value} AS {target.duckdb})"


def _coerced_row(value: str, source: Type, target: Type) -> str:
    positions = {name: position for position, name in enumerate(source.names)}
    fields = []
    for position, (name, element) in enumerate(zip(target.names, target.elements, strict=True)):
        if name in positions:
            at = positions[name]
            converted = coerced(f"({value}).f{at}", source.elements[at], element)
        else:
            converted = f"CAST(NULL AS {element.duckdb})"
        fields.append(f"f{position} := {converted}")
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({', '.join(fields)}) END"


def _coerced_array(value: str, source: Type, target: Type) -> str:
    if source == target and not _holds_timestamps(source):
        return value
    variable = f"e{value.count('lambda')}"
    return f"list_transform({value}, lambda {variable}: {coerced(variable, source.element, target.element)})"


def _holds_timestamps(kind: Type) -> bool:
    """Timestamps arrive in milliseconds, which is another type for DuckDB than the one it computes with."""
    return kind.name == "timestamp" or any(_holds_timestamps(element) for element in kind.elements)


def _coerced_map(value: str, source: Type, target: Type) -> str:
    keys = coerced(f"map_keys({value})", _array_of(source, 0), _array_of(target, 0))
    values = coerced(f"map_values({value})", _array_of(source, 1), _array_of(target, 1))
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE map({keys}, {values}) END"


def _array_of(kind: Type, position: int) -> Type:
    return array(kind.elements[position])


def _coerced_text(value: str, target: Type) -> str:
    if target.name in _INTEGERS:
        return f"CASE WHEN regexp_full_match({value}, '[+-]?[0-9]+') THEN TRY_CAST({value} AS {target.duckdb}) END"
    if target.name == "boolean":
        return f"CASE lower({value}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if target.name in ("date", "timestamp"):
        pattern = "[0-9]{4}-[0-9]{2}-[0-9]{2}" + (
            "" if target.name == "date" else "( [0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?)?"
        )
        invalid = failing("INVALID_ARGUMENTS", f"'Invalid {target.name} value: ' || {value}", target)
        return (
            f"CASE WHEN {value} IS NULL THEN NULL "
            f"WHEN regexp_full_match({value}, '{pattern}') THEN CAST({value} AS {target.duckdb}) ELSE {invalid} END"
        )
    if target.name == "varchar":
        return _shortened(value, target)
    return f"TRY_CAST({value} AS {target.duckdb})"


def _shortened(value: str, target: Type) -> str:
    length = target.numbers[0]
    return value if length == UNBOUNDED else f"left({value}, {length})"
