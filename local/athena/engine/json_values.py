"""Values of JSON → values of columns, as the OpenX JSON SerDe makes them.

Two readers of this SerDe are public, and which of them Athena has is not known: the original and Trino's own. Trino
lists where the two differ. A value is taken here where both take it for the same; where one of them fails, it does not
fit, which AWS's documentation says fails the query; where they answer different things, it is refused.

* https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
* https://github.com/trinodb/trino/blob/master/lib/trino-hive-formats/src/main/java/io/trino/hive/formats/line/openxjson/README.md
* https://github.com/rcongiu/Hive-JSON-Serde
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa


if TYPE_CHECKING:
    from collections.abc import Callable

    from local.athena.types import Type

    Conversion = Callable[[Any], Any]


class MalformedRowError(ValueError):
    """A line that is no JSON object."""


class DuplicateKeyError(ValueError):
    """An object in which two keys are the same, whatever their case."""


class UnfitValueError(ValueError):
    """A value that does not fit the type of its column."""


class UnsupportedValueError(ValueError):
    """A value that the readers of this SerDe show differently, or a type that is not read here."""


class _Capitalised(dict[str, Any]):
    """An object of whose keys one at least is written with capitals."""


def parse_row(line: str) -> dict[str, Any]:
    """The object in a line, with its keys in lower case, at every depth.

    Raises:
        MalformedRowError: The line is no JSON object. The readers are lenient beyond JSON; that is not imitated.
        DuplicateKeyError: Two keys are the same: an error in Athena, as AWS documents it; in Trino the last one wins.
    """
    try:
        found = json.loads(line, object_pairs_hook=_object, parse_constant=_no_constant)
    except DuplicateKeyError:
        raise
    except (ValueError, RecursionError) as error:
        raise MalformedRowError("Row is not a valid JSON Object") from error
    if isinstance(found, list):
        raise UnsupportedValueError("The local Athena reads lines that hold an object, not an array")
    if not isinstance(found, dict):
        raise MalformedRowError("Row is not a valid JSON Object")
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {name.lower(): value for name, value in pairs}
    if len(found) < len(pairs):
        raise DuplicateKeyError("Row is not a valid JSON Object - JSONException: Duplicate key")
    return found if all(name in found for name, _ in pairs) else _Capitalised(found)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def arrow_type(kind: Type) -> pa.DataType:
    """The type in which Arrow takes the values of a column.

    Raises:
        UnsupportedValueError: Columns of this type are not read from JSON here.
    """
    if kind.name == "array":
        return pa.list_(arrow_type(kind.element))
    if kind.name == "map" and str(kind.elements[0]) == "varchar":
        return pa.map_(pa.string(), arrow_type(kind.elements[1]))
    if kind.name == "row":
        return pa.struct([(f"f{position}", arrow_type(element)) for position, element in enumerate(kind.elements)])
    if str(kind) not in _SIMPLE:
        raise UnsupportedValueError(f"The local Athena does not read {kind} from JSON")
    return _SIMPLE[str(kind)][0]


def conversion(kind: Type) -> Conversion:
    """What makes of a value of JSON, which is not null, one that Arrow takes; it raises the errors above."""
    if kind.name in _NESTED:
        return _NESTED[kind.name](kind)
    return _SIMPLE[str(kind)][1]


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise UnfitValueError


_WRITTEN_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,18})")
_WRITTEN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


def _integer(bits: int) -> Conversion:
    def convert(value: Any) -> int:
        if isinstance(value, str) and _WRITTEN_INTEGER.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise UnfitValueError  # 1.0 as well: the original reader does not take it for a whole number
        return value

    return convert


def _double(value: Any) -> float:
    if isinstance(value, str) and _WRITTEN_NUMBER.fullmatch(value):
        return float(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise UnfitValueError
    try:
        return float(value)
    except OverflowError as error:
        raise UnfitValueError from error


def _text(value: Any) -> str:
    """Text; booleans and whole numbers become text as they are written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return str(value)
    if not isinstance(value, str):
        raise UnsupportedValueError("Numbers with a fraction, arrays and objects as text are not written alike")
    try:
        value.encode()
    except UnicodeEncodeError as error:  # half of a pair of surrogates
        raise UnfitValueError from error
    return value


def _array(kind: Type) -> Conversion:
    """A list, or the one thing that it would hold; the empty text is no list at all."""
    inner = _nullable(kind.element)

    def convert(value: Any) -> list[Any] | None:
        if value == "":
            return None
        return [inner(item) for item in (value if isinstance(value, list) else [value])]

    return convert


def _map(kind: Type) -> Conversion:
    inner = _nullable(kind.elements[1])

    def convert(value: Any) -> list[tuple[str, Any]] | None:
        if isinstance(value, str) and not value.strip():
            return None
        if isinstance(value, _Capitalised):
            raise UnsupportedValueError("Keys of maps with capitals stay so or not, depending on the reader")
        if not isinstance(value, dict):
            raise UnfitValueError
        return [(_text(key), inner(item)) for key, item in value.items()]

    return convert


def _row(kind: Type) -> Conversion:
    fields = [
        (f"f{position}", (name or "").lower(), _nullable(element))
        for position, (name, element) in enumerate(zip(kind.names, kind.elements, strict=True))
    ]

    def convert(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise UnfitValueError
        return {place: inner(value.get(name)) for place, name, inner in fields}

    return convert


def _nullable(kind: Type) -> Conversion:
    inner = conversion(kind)
    return lambda value: None if value is None else inner(value)


_NESTED: dict[str, Callable[[Type], Conversion]] = {"array": _array, "map": _map, "row": _row}
_SIMPLE: dict[str, tuple[pa.DataType, Conversion]] = {
    "boolean": (pa.bool_(), _boolean),
    "tinyint": (pa.int8(), _integer(8)),
    "smallint": (pa.int16(), _integer(16)),
    "integer": (pa.int32(), _integer(32)),
    "bigint": (pa.int64(), _integer(64)),
    "double": (pa.float64(), _double),
    "varchar": (pa.string(), _text),
}
