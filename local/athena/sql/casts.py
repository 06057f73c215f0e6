"""CAST and TRY_CAST between Trino's types, and the conversions Trino makes by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.athena.sql.failing import failing
from local.athena.types import UNBOUNDED, VARCHAR, Type, array


if TYPE_CHECKING:
    from collections.abc import Callable


_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_FLOAT = r"[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"  # as Java reads it
_DAY = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_INTEGER_NAMES = {"tinyint": "TINYINT", "smallint": "SMALLINT", "integer": "INT", "bigint": "BIGINT"}

_INCOMPLETE = frozenset({"char", "time"})  # types that Trino casts from and to more than is known here


class CannotCastError(ValueError):
    """Trino has no cast between the two types, or (``name``, Trino's name of the error) it is not available here."""

    def __init__(self, message: str, name: str = "TYPE_MISMATCH") -> None:
        self.name = name
        super().__init__(message)


def cast(sql: str, source: Type, target: Type) -> str:
    """DuckDB SQL of CAST(sql AS target).

    Raises:
        CannotCastError: There is no such cast.
    """
    if source == target:
        return sql
    if source.name == "unknown":
        return f"CAST(NULL AS {target.duckdb})"
    if source.name == target.name and source.elements:
        return _cast_elements(sql, source, target)
    convert = _CASTS.get((_family(source), _family(target)))
    if convert is None:
        missing = {source.name, target.name} & _INCOMPLETE
        raise CannotCastError(f"Cannot cast {source} to {target}", "NOT_SUPPORTED" if missing else "TYPE_MISMATCH")
    return convert(sql, source, target)


def _family(kind: Type) -> str:
    return "integers" if kind.is_integer else "floats" if kind.name in ("real", "double") else kind.name


def _plain(sql: str, _source: Type, target: Type) -> str:
    return f"CAST({sql} AS {target.duckdb})"


def _shortened(sql: str, source: Type, target: Type) -> str:
    """Trino cuts text that is too long for a varchar(n) in an explicit cast."""
    length = target.numbers[0]
    text = sql if source.name in ("varchar", "char") else f"CAST({sql} AS VARCHAR)"
    return (
        text
        if target.numbers[0] == UNBOUNDED or source.numbers[:1] <= target.numbers[:1]
        else f"left({text}, {length})"
    )


def _padded(_sql: str, _source: Type, _target: Type) -> str:
    raise CannotCastError("The local Athena does not cast to char(n)", "NOT_SUPPORTED")


def _decimal_digits(sql: str, source: Type) -> str:
    precision, scale = source.numbers
    written = f"CAST({sql} AS VARCHAR)"
    # DuckDB leaves the zero before the point out where there is no room for it: -.5
    return f"replace({written}, '.', '0.')" if precision == scale else written


def _decimal_text(sql: str, source: Type, target: Type) -> str:
    return _shortened(_decimal_digits(sql, source), VARCHAR, target)


def _number_text(sql: str, _source: Type, target: Type) -> str:
    return _shortened(f"CAST({sql} AS VARCHAR)", VARCHAR, target)


def _float_text(sql: str, _source: Type, target: Type) -> str:
    return _shortened(f"trino_number_text({sql})", VARCHAR, target)


def _boolean_text(sql: str, _source: Type, target: Type) -> str:
    return _shortened(f"CAST({sql} AS VARCHAR)", VARCHAR, target)


def _timestamp_text(sql: str, source: Type, target: Type) -> str:
    return _shortened(f"timestamp_text({sql}, {source.numbers[0]})", VARCHAR, target)


def _zoned_text(sql: str, source: Type, target: Type) -> str:
    return _shortened(f"zoned_text({sql}, {source.numbers[0]})", VARCHAR, target)


def _or_fail(sql: str, attempt: str, message: str, target: Type) -> str:
    """What an attempt gives; an error where it gives nothing although there was something."""
    failed = failing("INVALID_CAST_ARGUMENT", message, target)
    return f"CASE WHEN {sql} IS NULL THEN NULL WHEN {attempt} IS NOT NULL THEN {attempt} ELSE {failed} END"


def _text_to_integer(sql: str, _source: Type, target: Type) -> str:
    attempt = f"CASE WHEN regexp_full_match({sql}, '[+-]?[0-9]+') THEN TRY_CAST({sql} AS {target.duckdb}) END"
    return _or_fail(sql, attempt, f"'Cannot cast ''' || {sql} || ''' to {_INTEGER_NAMES[target.name]}'", target)


def _text_to_float(sql: str, _source: Type, target: Type) -> str:
    text = f"trim({sql}, whitespace())"
    number = f"regexp_extract({text}, '^({_FLOAT})[dDfF]?$', 1)"
    attempt = f"CASE WHEN regexp_full_match({text}, '{_FLOAT}[dDfF]?') THEN CAST({number} AS {target.duckdb}) END"
    return _or_fail(sql, attempt, f"'Cannot cast ''' || {sql} || ''' to {target.name.upper()}'", target)


def _text_to_decimal(sql: str, _source: Type, target: Type) -> str:
    attempt = f"CASE WHEN regexp_full_match({sql}, '{_NUMBER}') THEN TRY_CAST({sql} AS {target.duckdb}) END"
    shown = str(target).upper()
    return _or_fail(
        sql, attempt, f"'Cannot cast VARCHAR ''' || {sql} || ''' to {shown}. Value is not a number.'", target
    )


def _text_to_boolean(sql: str, _source: Type, target: Type) -> str:
    text = f"lower({sql})"
    attempt = f"CASE WHEN {text} IN ('true', 't', '1') THEN true WHEN {text} IN ('false', 'f', '0') THEN false END"
    return _or_fail(sql, attempt, f"'Cannot cast ''' || {sql} || ''' to BOOLEAN'", target)


def _text_to_date(sql: str, _source: Type, target: Type) -> str:
    attempt = f"CASE WHEN regexp_full_match(trim({sql}), '{_DAY}') THEN TRY_CAST(trim({sql}) AS DATE) END"
    return _or_fail(sql, attempt, f"'Value cannot be cast to date: ' || {sql}", target)


_CLOCK = "( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\\.[0-9]{1,12})?)?)?"


def _text_to_timestamp(sql: str, _source: Type, target: Type) -> str:
    attempt = (
        f"CASE WHEN regexp_full_match({sql}, '{_DAY}{_CLOCK}') THEN {_rounded(f'text_timestamp({sql})', target)} END"
    )
    return _or_fail(sql, attempt, f"'Value cannot be cast to timestamp: ' || {sql}", target)


def _rounded(sql: str, target: Type) -> str:
    """Values are kept in microseconds; a type of fewer digits rounds half up."""
    digits = target.numbers[0]
    if digits >= 6:
        return sql
    unit = 10 ** (6 - digits)
    return f"make_timestamp(CAST(floor((epoch_us({sql}) + {unit // 2}) / {unit}) AS BIGINT) * {unit})"


def _text_to_zoned(sql: str, _source: Type, target: Type) -> str:
    attempt = f"text_zoned({sql})"
    return _or_fail(sql, attempt, f"'Value cannot be cast to timestamp with time zone: ' || {sql}", target)


def _float_to_integer(sql: str, _source: Type, target: Type) -> str:
    return f"CAST(round(CAST({sql} AS DOUBLE)) AS {target.duckdb})"


def _decimal_to_integer(sql: str, _source: Type, target: Type) -> str:
    return f"CAST(round({sql}, 0) AS {target.duckdb})"


def _number_to_boolean(sql: str, _source: Type, _target: Type) -> str:
    return f"({sql} <> 0)"


def _timestamp_to_timestamp(sql: str, source: Type, target: Type) -> str:
    return sql if target.numbers[0] >= source.numbers[0] else _rounded(sql, target)


def _zoned_to_zoned(sql: str, source: Type, target: Type) -> str:
    if target.numbers[0] >= source.numbers[0]:
        return sql
    return f"struct_pack(u := {_rounded(f'({sql}).u', target)}, z := ({sql}).z)"


def _to_zoned(sql: str, _source: Type, _target: Type) -> str:
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE struct_pack(u := CAST({sql} AS TIMESTAMP), z := 'UTC') END"


def _zoned_to_local(sql: str, source: Type, target: Type) -> str:
    local = f"CAST(zoned_local({sql}) AS {target.duckdb})"
    return _timestamp_to_timestamp(local, source, target) if target.name == "timestamp" else local


def _json_scalar(sql: str, _source: Type, target: Type) -> str:
    """A JSON scalar as a value; JSON null is NULL."""
    text = f"CASE WHEN json_type({sql}) NOT IN ('OBJECT', 'ARRAY', 'NULL') THEN json_extract_string({sql}, '$') END"
    if target.name == "varchar":
        attempt = (
            f"CASE WHEN json_type({sql}) = 'DOUBLE' THEN trino_number_text(TRY_CAST({text} AS DOUBLE)) ELSE {text} END"
        )
    elif target.is_integer:
        attempt = f"TRY_CAST({text} AS {target.duckdb})"
    else:
        attempt = f"TRY_CAST({text} AS {target.duckdb})"
    failed = failing("INVALID_CAST_ARGUMENT", f"'Cannot cast to {target}: ' || CAST({sql} AS VARCHAR)", target)
    return (
        f"CASE WHEN {sql} IS NULL OR json_type({sql}) = 'NULL' THEN NULL "
        f"WHEN {attempt} IS NOT NULL THEN {attempt} ELSE {failed} END"
    )


def _json_array(sql: str, source: Type, target: Type) -> str:
    element = cast("j", source, target.element)
    return f"list_transform(CAST({sql} AS JSON[]), lambda j: {element})"


def _json_map(sql: str, source: Type, target: Type) -> str:
    keys = cast("json_keys(" + sql + ")", array(VARCHAR), array(target.elements[0]))
    members = f"list_transform(json_keys({sql}), lambda key: json_member({sql}, key))"
    values = f"list_transform({members}, lambda j: {cast('j', source, target.elements[1])})"
    return f"CASE WHEN {sql} IS NULL OR json_type({sql}) = 'NULL' THEN NULL ELSE map({keys}, {values}) END"


def _json_row(sql: str, source: Type, target: Type) -> str:
    """An object by the names of its members, whatever their case, or an array by position."""
    fields = ", ".join(
        f"f{place} := {cast(_json_field(name, place), source, kind)}"
        for place, (name, kind) in enumerate(zip(target.names, target.elements, strict=True))
    )
    made = f"CASE WHEN j IS NULL OR json_type(j) = 'NULL' THEN NULL ELSE struct_pack({fields}) END"
    fits = (
        f"{sql} IS NULL OR json_type({sql}) IN ('OBJECT', 'NULL') "
        f"OR (json_type({sql}) = 'ARRAY' AND json_array_length({sql}) = {len(target.elements)})"
    )
    failed = failing("INVALID_CAST_ARGUMENT", f"'Cannot cast to {target}: ' || CAST({sql} AS VARCHAR)")
    return f"list_transform([{sql}], lambda j: {made})[CASE WHEN {fits} THEN 1 ELSE {failed} END]"


def _json_field(name: str | None, place: int) -> str:
    member = f"json_member_of(j, '{(name or '').lower()}')"
    return f"(CASE WHEN json_type(j) = 'ARRAY' THEN json_extract(j, '$[{place}]') ELSE {member} END)"


def to_json(sql: str, source: Type, _target: Type | None = None) -> str:
    """A value as JSON."""
    if source.name == "json":
        return sql
    if source.name == "array":
        return f"to_json(list_transform({sql}, lambda j: {to_json('j', source.element)}))"
    if source.name == "row":
        members = ", ".join(
            f"'{name or ''}', {to_json(f'({sql}).f{position}', element)}"
            for position, (name, element) in enumerate(zip(source.names, source.elements, strict=True))
        )
        return f"CASE WHEN {sql} IS NULL THEN NULL ELSE json_object({members}) END"
    if source.name == "map":
        values = f"list_transform(map_values({sql}), lambda j: {to_json('j', source.elements[1])})"
        members = f"map_entries(map(CAST(map_keys({sql}) AS VARCHAR[]), {values}))"
        return f"to_json(map_from_entries(list_sort({members})))"  # Trino sorts the keys
    if source.name in ("varbinary", "interval day to second", "interval year to month", "time"):
        raise CannotCastError(f"Cannot cast {source} to json")
    if source.name == "decimal":
        return f"CAST({_decimal_digits(sql, source)} AS JSON)"  # with the digits of its scale
    if source.name in ("date", "timestamp", "timestamp with time zone"):
        return f"to_json({cast(sql, source, VARCHAR)})"
    return f"to_json({sql})"


def _cast_elements(sql: str, source: Type, target: Type) -> str:
    if source.name == "array":
        variable = f"e{sql.count('lambda')}"
        return f"list_transform({sql}, lambda {variable}: {cast(variable, source.element, target.element)})"
    if source.name == "map":
        keys = cast(f"map_keys({sql})", array(source.elements[0]), array(target.elements[0]))
        values = cast(f"map_values({sql})", array(source.elements[1]), array(target.elements[1]))
        return f"CASE WHEN {sql} IS NULL THEN NULL ELSE map({keys}, {values}) END"
    if len(source.elements) != len(target.elements):
        raise CannotCastError(f"Cannot cast {source} to {target}")
    if all(one == other for one, other in zip(source.elements, target.elements, strict=True)):
        return sql
    fields = ", ".join(
        f"f{position} := {cast(f'({sql}).f{position}', one, other)}"
        for position, (one, other) in enumerate(zip(source.elements, target.elements, strict=True))
    )
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE struct_pack({fields}) END"


_TO_JSON = ("integers", "floats", "decimal", "boolean", "varchar", "array", "map", "row", "date", "timestamp")
_CASTS: dict[tuple[str, str], Callable[[str, Type, Type], str]] = {
    ("integers", "integers"): _plain,
    ("integers", "floats"): _plain,
    ("integers", "decimal"): _plain,
    ("integers", "boolean"): _number_to_boolean,
    ("integers", "varchar"): _number_text,
    ("floats", "floats"): _plain,
    ("floats", "integers"): _float_to_integer,
    ("floats", "decimal"): _plain,
    ("floats", "boolean"): _number_to_boolean,
    ("floats", "varchar"): _float_text,
    ("decimal", "decimal"): _plain,
    ("decimal", "floats"): _plain,
    ("decimal", "integers"): _decimal_to_integer,
    ("decimal", "boolean"): _number_to_boolean,
    ("decimal", "varchar"): _decimal_text,
    ("boolean", "integers"): _plain,
    ("boolean", "floats"): _plain,
    ("boolean", "decimal"): _plain,
    ("boolean", "varchar"): _boolean_text,
    ("varchar", "varchar"): _shortened,
    ("varchar", "char"): _padded,
    ("char", "varchar"): _shortened,
    ("varchar", "integers"): _text_to_integer,
    ("varchar", "floats"): _text_to_float,
    ("varchar", "decimal"): _text_to_decimal,
    ("varchar", "boolean"): _text_to_boolean,
    ("varchar", "date"): _text_to_date,
    ("varchar", "timestamp"): _text_to_timestamp,
    ("varchar", "timestamp with time zone"): _text_to_zoned,
    ("date", "varchar"): _number_text,
    ("date", "timestamp"): _plain,
    ("date", "timestamp with time zone"): _to_zoned,
    ("timestamp", "timestamp"): _timestamp_to_timestamp,
    ("timestamp", "date"): _plain,
    ("timestamp", "time"): _plain,
    ("timestamp", "timestamp with time zone"): _to_zoned,
    ("timestamp", "varchar"): _timestamp_text,
    ("timestamp with time zone", "timestamp with time zone"): _zoned_to_zoned,
    ("timestamp with time zone", "timestamp"): _zoned_to_local,
    ("timestamp with time zone", "date"): _zoned_to_local,
    ("timestamp with time zone", "time"): _zoned_to_local,
    ("timestamp with time zone", "varchar"): _zoned_text,
    ("json", "varchar"): _json_scalar,
    ("json", "integers"): _json_scalar,
    ("json", "floats"): _json_scalar,
    ("json", "boolean"): _json_scalar,
    ("json", "array"): _json_array,
    ("json", "map"): _json_map,
    ("json", "row"): _json_row,
    **dict.fromkeys([(name, "json") for name in _TO_JSON], to_json),
}
