"""Avro schemas with every name written out, and the types in which Trino shows their values."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from local.athena import types


if TYPE_CHECKING:
    from local.athena.types import Type


PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


class AvroSchemaError(ValueError):
    """A text that is no Avro schema, or one that no table can have."""


class UnsupportedUnionError(ValueError):
    """A union of several types: its values are not read here."""


@dataclass(frozen=True)
class AvroField:
    """A field of a record."""

    name: str
    type: AvroType
    has_default: bool = False
    default: Any = field(default=None, hash=False)  # a list or an object cannot be hashed
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class AvroType:
    """An Avro schema in which named types stand at every place where they are used.

    Attributes:
        kind: ``record``, ``enum``, ``array``, ``map``, ``union``, ``fixed`` or a primitive type.
        name: Full name of a record, an enum or a fixed.
        fields: Fields of a record.
        symbols: Symbols of an enum.
        default_symbol: The symbol an enum falls back to.
        elements: Items of an array, values of a map, branches of a union.
        size: Bytes of a fixed.
        logical: Name of a logical type.
        precision: Of a decimal.
        scale: Of a decimal.
    """

    kind: str
    name: str = ""
    fields: tuple[AvroField, ...] = ()
    symbols: tuple[str, ...] = ()
    default_symbol: str | None = None
    elements: tuple[AvroType, ...] = ()
    size: int = 0
    logical: str = ""
    precision: int = 0
    scale: int = 0

    @property
    def nullable_of(self) -> AvroType | None:
        """T of a union [null, T] or [T, null], or None for everything else."""
        others = [element for element in self.elements if element.kind != "null"]
        if self.kind == "union" and len(others) == 1 and len(self.elements) == 2:
            return others[0]
        return None


NULL = AvroType("null")


@lru_cache(maxsize=512)
def parse(text: str | bytes) -> AvroType:
    """Read a schema from JSON.

    Raises:
        AvroSchemaError: It is no Avro schema, or it refers to itself.
    """
    try:
        return _Parser().type(json.loads(text), "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AvroSchemaError(str(error)) from error


class _Parser:
    def __init__(self) -> None:
        self._named: dict[str, AvroType] = {}
        self._open: set[str] = set()

    def type(self, given: Any, namespace: str) -> AvroType:
        if isinstance(given, str):
            return self._reference(given, namespace)
        if isinstance(given, list):
            return AvroType("union", elements=tuple(self.type(branch, namespace) for branch in given))
        kind = given["type"]
        if not isinstance(kind, str):
            return self.type(kind, namespace)
        if kind in ("record", "error", "enum", "fixed"):
            return self._named_type(kind, given, namespace)
        if kind == "array":
            return AvroType("array", elements=(self.type(given["items"], namespace),))
        if kind == "map":
            return AvroType("map", elements=(self.type(given["values"], namespace),))
        if kind in PRIMITIVES:
            return AvroType(kind, **_logical(given))
        return self._reference(kind, namespace)

    def _reference(self, name: str, namespace: str) -> AvroType:
        if name in PRIMITIVES:
            return AvroType(name)
        full = name if "." in name or not namespace else f"{namespace}.{name}"
        if full in self._open:
            raise AvroSchemaError(f"Recursive Avro schema: {full}")
        if full not in self._named and name in self._named:
            full = name
        if full not in self._named:
            raise AvroSchemaError(f"Undefined name: {name}")
        return self._named[full]

    def _named_type(self, kind: str, given: dict[str, Any], namespace: str) -> AvroType:
        name = given["name"]
        _check_name(name)
        inner = name.rpartition(".")[0] if "." in name else given.get("namespace", namespace)
        full = name if "." in name or not inner else f"{inner}.{name}"
        if full in self._named or full in self._open:
            raise AvroSchemaError(f"Can't redefine: {full}")
        self._open.add(full)
        if kind == "enum":
            made = AvroType("enum", full, symbols=tuple(given["symbols"]), default_symbol=given.get("default"))
            if made.default_symbol is not None and made.default_symbol not in made.symbols:
                raise AvroSchemaError(f"The Enum Default: {made.default_symbol} is not in the enum symbol set")
        elif kind == "fixed":
            made = AvroType("fixed", full, size=int(given["size"]), **_logical(given))
        else:
            made = AvroType("record", full, fields=tuple(self._field(one, inner) for one in given["fields"]))
            if len({one.name for one in made.fields}) < len(made.fields):
                raise AvroSchemaError(f"Duplicate field in record {full}")
        self._open.discard(full)
        self._named[full] = made
        return made

    def _field(self, given: dict[str, Any], namespace: str) -> AvroField:
        _check_name(given["name"])
        return AvroField(
            name=given["name"],
            type=self.type(given["type"], namespace),
            has_default="default" in given,
            default=given.get("default"),
            aliases=tuple(given.get("aliases", ())),
        )


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*", name):
        raise AvroSchemaError(f"Illegal name: {name}")


def _logical(given: dict[str, Any]) -> dict[str, Any]:
    name = given.get("logicalType")
    if not isinstance(name, str):
        return {}
    precision, scale = given.get("precision"), given.get("scale")  # the engine wants both, although Avro does not
    if not (isinstance(precision, int) and isinstance(scale, int)):
        precision = scale = -1
    return {"logical": name, "precision": precision, "scale": scale}


_SIMPLE = {
    "null": types.UNKNOWN,
    "boolean": types.BOOLEAN,
    "int": types.INTEGER,
    "long": types.BIGINT,
    "float": types.REAL,
    "double": types.DOUBLE,
    "string": types.VARCHAR,
    "enum": types.VARCHAR,
    "bytes": types.VARBINARY,
    "fixed": types.VARBINARY,
}

# The logical types that Hive and Trino honour in Avro; values of all others are shown as what they are stored as.
_LOGICAL = {("int", "date"): types.DATE, ("long", "timestamp-millis"): types.TIMESTAMP}


def trino_type(schema: AvroType) -> Type:
    """The type in which the engine shows the values of a schema.

    Raises:
        UnsupportedUnionError: A union of several types.
    """
    if schema.kind == "union":
        inner = schema.nullable_of or (schema.elements[0] if len(schema.elements) == 1 else None)
        if inner is None:
            raise UnsupportedUnionError("A union of several types is not read by the local Athena")
        return trino_type(inner)
    if schema.kind == "array":
        return types.array(trino_type(schema.elements[0]))
    if schema.kind == "map":
        return types.map_of(types.VARCHAR, trino_type(schema.elements[0]))
    if schema.kind == "record":
        return types.row(
            tuple(trino_type(one.type) for one in schema.fields), tuple(one.name.lower() for one in schema.fields)
        )
    if is_decimal(schema):
        return types.decimal(schema.precision, schema.scale)
    return _LOGICAL.get((schema.kind, schema.logical)) or _SIMPLE[schema.kind]


def is_decimal(schema: AvroType) -> bool:
    """Whether the engine shows the values as decimals: it does so for bytes, and not for fixed."""
    return schema.kind == "bytes" and schema.logical == "decimal"


def check_decimals(schema: AvroType) -> None:
    """Refuse a decimal whose precision and scale are none.

    Raises:
        AvroSchemaError: There is one, wherever in the schema.
    """
    for inner in (*schema.elements, *(one.type for one in schema.fields)):
        check_decimals(inner)
    if is_decimal(schema) and not (1 <= schema.precision <= 38 and 0 <= schema.scale <= schema.precision):
        raise AvroSchemaError("Invalid precision or scale for decimal type")


def is_limited_text(schema: AvroType) -> bool:
    """Whether it is Hive's own kind of text with a longest length."""
    return schema.kind == "string" and schema.logical in ("char", "varchar")


_DEFAULTS: dict[str, Any] = {
    "boolean": (bool,),
    "int": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "bytes": (str,),
    "string": (str,),
    "fixed": (str,),
    "enum": (str,),
    "array": (list,),
    "map": (dict,),
    "record": (dict,),
}


def fits(schema: AvroType, value: Any) -> bool:
    """Whether a JSON value is a valid default of a schema; a union's default belongs to its first branch."""
    if schema.kind == "union":
        return bool(schema.elements) and fits(schema.elements[0], value)
    if schema.kind == "null":
        return value is None
    if not isinstance(value, _DEFAULTS[schema.kind]) or (isinstance(value, bool) and schema.kind != "boolean"):
        return False
    if schema.kind == "array":
        return all(fits(schema.elements[0], item) for item in value)
    if schema.kind == "map":
        return all(fits(schema.elements[0], item) for item in value.values())
    if schema.kind == "enum":
        return value in schema.symbols
    if schema.kind == "record":
        return all(
            fits(one.type, value[one.name]) if one.name in value else one.has_default and fits(one.type, one.default)
            for one in schema.fields
        )
    return _in_range(schema.kind, value)


def _in_range(kind: str, value: Any) -> bool:
    bits = {"int": 31, "long": 63}.get(kind)
    return bits is None or -(2**bits) <= value < 2**bits
