"""Attribute values → the values of an Avro schema, checked on the way.

A schema is compiled once into *readers*: functions that take an attribute value as it stands in the JSON, such as
``{"N": "12"}``, and return the value that fastavro writes, such as ``12``, or raise. Reading and validating are one
pass without a plain value in between: that is what makes validation cheaper than boto3's ``TypeDeserializer`` alone.

What fits what:

=============================  ====================================================================================
Avro                           attribute value
=============================  ====================================================================================
string, enum                   S; of an enum one of its symbols
boolean                        BOOL
int, long                      N, when it is a whole number in range: ``"1.0"`` is one, ``"1.5"`` is none
float, double                  N, as the nearest number of that type, when it is in range
decimal                        N, when it fits scale and precision exactly
bytes, fixed                   B; of a fixed, of its size
record, map                    M
array                          L, or the set of the items' type: SS, NS, BS
null                           NULL
union                          what fits one of its branches; the first in order that fits is taken
=============================  ====================================================================================

An attribute that the schema does not know is dropped, as avsc does by default. A field that is absent takes its
default; one without a default is an error. Other logical types are read as the type they are written on.
"""

from __future__ import annotations

import math
import struct
from copy import deepcopy
from decimal import Context, Decimal, DecimalException
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dmd_pipeline.attribute_values import NULL, below, decode_base64, is_number, misfit
from dmd_pipeline.errors import InvalidRecordError
from dmd_pipeline.schemas import AvroType, type_name, without_null


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


Reader: TypeAlias = "Callable[[Any], Any]"
"""Attribute value → value of the schema; raises InvalidRecordError with the path below it."""

AttributesReader: TypeAlias = "Callable[[Mapping[str, Any]], dict[str, Any]]"
"""The content of an M, or an image → a row: every field of the record, in the schema's order."""

_WIDE: Final = Context(prec=100)
"""Room for every decimal that Glue can hold; Python's own context has 28 digits."""

_RANGES: Final = {"int": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}


def compile_row_reader(expanded: Mapping[str, Any], *, skip: frozenset[str] = frozenset()) -> AttributesReader:
    """The reader of a table's rows.

    Args:
        expanded: Schema of the record.
        skip: Fields that are filled in later: never read, and None in the row.
    """
    fields = [field for field in expanded["fields"] if field["name"] not in skip]
    find_reader = {field["name"]: compile_reader(field["type"]) for field in fields}.get
    required = frozenset(field["name"] for field in fields if "default" not in field)
    defaults = {field["name"]: _default(field["type"], field["default"]) for field in fields if "default" in field}
    template = {field["name"]: defaults.get(field["name"]) for field in expanded["fields"]}
    # A list or a map must not be shared between rows.
    fresh = {name: default for name, default in defaults.items() if isinstance(default, dict | list)}

    def read_row(attributes: Mapping[str, Any]) -> dict[str, Any]:
        row = template.copy()
        name = ""
        try:
            for name, attribute in attributes.items():
                read = find_reader(name)
                if read is not None:
                    row[name] = read(attribute)
        except InvalidRecordError as error:
            raise below(name, error) from None
        if not required <= attributes.keys():
            missing = next(name for name in template if name in required and name not in attributes)
            raise InvalidRecordError(missing, "missing")
        for name in fresh:
            if name not in attributes:
                row[name] = deepcopy(fresh[name])
        return row

    return read_row


def compile_reader(avro_type: AvroType) -> Reader:
    """The reader of one type.

    Args:
        avro_type: Expanded.
    """
    inner, optional = without_null(avro_type)
    if optional:
        return _read_optional_string if inner == "string" else _optional(compile_reader(inner))
    if isinstance(inner, list):
        return _union([compile_reader(branch) for branch in inner])
    definition = inner if isinstance(inner, dict) else {"type": inner}
    kind = type_name(definition)
    if definition.get("logicalType") == "decimal" and kind in {"bytes", "fixed"}:
        return _decimal(definition)
    return _SIMPLE[kind] if kind in _SIMPLE else _COMPILERS[kind](definition)


def _optional(read: Reader) -> Reader:
    def read_optional(attribute: Any) -> Any:
        return None if attribute == NULL else read(attribute)

    return read_optional


def _union(branches: list[Reader]) -> Reader:
    def read_union(attribute: Any) -> Any:
        for read in branches:
            try:
                return read(attribute)
            except InvalidRecordError:
                continue
        raise misfit("a value that fits one branch of the union", attribute)

    return read_union


def _read_string(attribute: Any) -> str:
    try:
        text = attribute["S"]
    except (KeyError, TypeError):
        text = None
    if type(text) is not str:
        raise misfit("a string (S)", attribute)
    if not text.isascii():
        _check_unicode(text)
    return text


def _read_optional_string(attribute: Any) -> str | None:
    """What _optional would make of _read_string, in one call: most fields of most records are this."""
    try:
        text = attribute["S"]
        if type(text) is str and text.isascii():
            return text
    except (KeyError, TypeError):
        if attribute == NULL:
            return None
    return _read_string(attribute)


def _check_unicode(text: str) -> None:
    """JSON can spell half of a surrogate pair, UTF-8 and so Avro cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidRecordError("", "expected text, found half of a surrogate pair in it") from None


def _read_boolean(attribute: Any) -> bool:
    value = attribute.get("BOOL") if isinstance(attribute, dict) else None
    if type(value) is not bool:
        raise misfit("a boolean (BOOL)", attribute)
    return value


def _read_null(attribute: Any) -> None:
    if attribute != NULL:
        raise misfit("null (NULL)", attribute)


def _read_bytes(attribute: Any) -> bytes:
    if not isinstance(attribute, dict) or "B" not in attribute:
        raise misfit("bytes (B)", attribute)
    return decode_base64(attribute["B"])


def _number_text(attribute: Any) -> str:
    try:
        text: str = attribute["N"]
        if is_number(text):
            return text
    except (KeyError, TypeError):
        pass
    raise misfit("a number (N)", attribute)


def _whole_number(kind: str) -> Reader:
    least, most = _RANGES[kind]
    digits_always_in_range = len(str(most)) - 1

    def read_whole_number(attribute: Any) -> int:
        try:
            text = attribute["N"]
            if text.isdigit() and text.isascii() and len(text) <= digits_always_in_range:
                return int(text)
        except (KeyError, TypeError, AttributeError):
            pass
        number = Decimal(_number_text(attribute))
        # The range comes first: it keeps an exponent from making an integer of ten thousand digits.
        if not least <= number <= most:
            raise InvalidRecordError("", f"expected a number in the range of Avro's {kind}")
        whole = int(number)
        if whole != number:
            raise InvalidRecordError("", "expected a whole number, found a fraction")
        return whole

    return read_whole_number


def _read_double(attribute: Any) -> float:
    number = float(_number_text(attribute))
    if math.isinf(number):
        raise InvalidRecordError("", "expected a number in the range of Avro's double")
    return number


def _read_float(attribute: Any) -> float:
    number = _read_double(attribute)
    try:
        struct.pack("<f", number)
    except OverflowError:
        raise InvalidRecordError("", "expected a number in the range of Avro's float") from None
    return number


def _decimal(definition: Mapping[str, Any]) -> Reader:
    precision, scale = int(definition["precision"]), int(definition.get("scale", 0))
    unit = Decimal(1).scaleb(-scale)
    too_large = Decimal(1).scaleb(precision - scale)

    def read_decimal(attribute: Any) -> Decimal:
        number = Decimal(_number_text(attribute))
        try:
            exact = number.quantize(unit, context=_WIDE) if number.copy_abs() < too_large else None
        except DecimalException:
            exact = None
        if exact is None or exact != number:
            raise InvalidRecordError("", f"expected a number that decimal({precision},{scale}) holds exactly")
        return exact

    return read_decimal


def _enum(definition: Mapping[str, Any]) -> Reader:
    symbols = frozenset(definition["symbols"])
    expected = f"expected one of {', '.join(definition['symbols'])}"

    def read_enum(attribute: Any) -> str:
        symbol = _read_string(attribute)
        if symbol not in symbols:
            raise InvalidRecordError("", f"{expected}; found another string")
        return symbol

    return read_enum


def _fixed(definition: Mapping[str, Any]) -> Reader:
    size = int(definition["size"])

    def read_fixed(attribute: Any) -> bytes:
        value = _read_bytes(attribute)
        if len(value) != size:
            raise InvalidRecordError("", f"expected {size} bytes, found {len(value)}")
        return value

    return read_fixed


def _record(definition: Mapping[str, Any]) -> Reader:
    read_row = compile_row_reader(definition)

    def read_record(attribute: Any) -> dict[str, Any]:
        return read_row(_content(attribute, "M", dict, "a map (M)"))

    return read_record


def _map(definition: Mapping[str, Any]) -> Reader:
    read = compile_reader(definition["values"])

    def read_map(attribute: Any) -> dict[str, Any]:
        values = {}
        for key, value in _content(attribute, "M", dict, "a map (M)").items():
            try:
                _check_unicode(key)
                values[key] = read(value)
            except InvalidRecordError as error:
                # Keys of a map are data, unlike names of fields.
                raise below("[*]", error) from None
        return values

    return read_map


_SETS: Final = {"SS": "S", "NS": "N", "BS": "B"}


def _array(definition: Mapping[str, Any]) -> Reader:
    read = compile_reader(definition["items"])

    def read_array(attribute: Any) -> list[Any]:
        items = _items(attribute)
        try:
            return [read(item) for item in items]
        except InvalidRecordError:
            raise _misfit_in(items, read) from None

    return read_array


def _misfit_in(items: list[Any], read: Reader) -> InvalidRecordError:
    """The error in the first item that has one: only who fails pays for counting."""
    for index, item in enumerate(items):
        try:
            read(item)
        except InvalidRecordError as error:
            return below(f"[{index}]", error)
    raise ValueError("expected an item that cannot be read")


def _items(attribute: Any) -> list[Any]:
    expected = "a list (L) or a set (SS, NS, BS)"
    if isinstance(attribute, dict) and "L" not in attribute:
        for tag, item_tag in _SETS.items():
            if tag in attribute:
                return [{item_tag: item} for item in _content(attribute, tag, list, expected)]
    items: list[Any] = _content(attribute, "L", list, expected)
    return items


def _content(attribute: Any, tag: str, kind: type[Any], expected: str) -> Any:
    try:
        value = attribute[tag]
    except (KeyError, TypeError):
        value = None
    if type(value) is not kind:
        raise misfit(expected, attribute)
    return value


_SIMPLE: Final[dict[str, Reader]] = {
    "string": _read_string,
    "boolean": _read_boolean,
    "null": _read_null,
    "bytes": _read_bytes,
    "int": _whole_number("int"),
    "long": _whole_number("long"),
    "float": _read_float,
    "double": _read_double,
}
_COMPILERS: Final[dict[str, Callable[[Mapping[str, Any]], Reader]]] = {
    "enum": _enum,
    "fixed": _fixed,
    "record": _record,
    "map": _map,
    "array": _array,
}


def _default(avro_type: AvroType, value: Any) -> Any:
    """The value of a default as it is spelled in a schema's JSON; that of a union is of its first branch."""
    kind = type_name(avro_type)
    if isinstance(avro_type, list):
        return _default(avro_type[0], value)
    if kind in {"bytes", "fixed"}:
        return str(value).encode("latin-1")
    if isinstance(avro_type, str):
        return float(value) if kind in {"float", "double"} else value
    if kind == "array":
        return [_default(avro_type["items"], item) for item in value]
    if kind == "map":
        return {key: _default(avro_type["values"], item) for key, item in value.items()}
    if kind == "record":
        return {
            field["name"]: _default(field["type"], value.get(field["name"], field.get("default")))
            for field in avro_type["fields"]
        }
    return value
