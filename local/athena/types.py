"""The types of Trino, their Hive and Avro spellings, and how DuckDB stores their values.

DuckDB lacks some of Trino's types or stores them with another meaning. Values are kept like this:

* ``row``: a STRUCT whose fields are called ``f0``, ``f1``, … by position: Trino's rows may have
  fields without names and fields with equal ones
* ``timestamp with time zone``: a STRUCT of the instant in UTC (``u``) and the name of the zone (``z``)
* ``interval day to second``: milliseconds; ``interval year to month``: months
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


UNBOUNDED = 2147483647


@dataclass(frozen=True)
class Type:
    """A Trino type.

    Attributes:
        name: Its base name in lower case, such as ``varchar`` or ``row``.
        numbers: Length, precision, or precision and scale.
        elements: Types of an array's elements, a map's keys and values, a row's fields, a function's result.
        names: Names of a row's fields, None where a field has none.
    """

    name: str
    numbers: tuple[int, ...] = ()
    elements: tuple[Type, ...] = ()
    names: tuple[str | None, ...] = ()

    def __str__(self) -> str:
        return _display(self)

    @property
    def duckdb(self) -> str:
        """The type in which DuckDB keeps the values."""
        return _duckdb(self)

    @property
    def is_integer(self) -> bool:
        """Whether it is one of the four integer types."""
        return self.name in _INTEGERS

    @property
    def is_numeric(self) -> bool:
        """Whether arithmetic is defined on it."""
        return self.is_integer or self.name in ("real", "double", "decimal")

    @property
    def is_text(self) -> bool:
        """Whether it is a character type."""
        return self.name in ("varchar", "char")

    @property
    def is_zoned(self) -> bool:
        """Whether it is a timestamp with time zone."""
        return self.name == "timestamp with time zone"

    @property
    def element(self) -> Type:
        """Type of an array's elements."""
        return self.elements[0]


_INTEGERS = {"tinyint": 1, "smallint": 2, "integer": 3, "bigint": 4}

UNKNOWN = Type("unknown")
BOOLEAN = Type("boolean")
TINYINT = Type("tinyint")
SMALLINT = Type("smallint")
INTEGER = Type("integer")
BIGINT = Type("bigint")
REAL = Type("real")
DOUBLE = Type("double")
VARCHAR = Type("varchar", (UNBOUNDED,))
VARBINARY = Type("varbinary")
DATE = Type("date")
TIME = Type("time", (3,))
TIMESTAMP = Type("timestamp", (3,))
ZONED = Type("timestamp with time zone", (3,))
JSON = Type("json")
DAY_TO_SECOND = Type("interval day to second")
YEAR_TO_MONTH = Type("interval year to month")


def varchar(length: int) -> Type:
    """A varchar of at most so many characters."""
    return Type("varchar", (length,))


def decimal(precision: int, scale: int) -> Type:
    """A decimal number."""
    return Type("decimal", (precision, scale))


def array(element: Type) -> Type:
    """An array."""
    return Type("array", elements=(element,))


def map_of(key: Type, value: Type) -> Type:
    """A map."""
    return Type("map", elements=(key, value))


def row(elements: tuple[Type, ...], names: tuple[str | None, ...] | None = None) -> Type:
    """A row; its fields are anonymous unless named."""
    return Type("row", elements=elements, names=names or (None,) * len(elements))


def _display(kind: Type) -> str:
    if kind.name == "varchar":
        return "varchar" if kind.numbers[0] == UNBOUNDED else f"varchar({kind.numbers[0]})"
    if kind.name == "timestamp with time zone":
        return f"timestamp({kind.numbers[0]}) with time zone"
    if kind.name == "row":
        fields = (
            f"{_quoted_if_needed(name)} {element}" if name else str(element)
            for name, element in zip(kind.names, kind.elements, strict=True)
        )
        return f"row({', '.join(fields)})"
    if kind.numbers:
        return f"{kind.name}({','.join(map(str, kind.numbers))})"
    return f"{kind.name}({', '.join(map(str, kind.elements))})" if kind.elements else kind.name


# Trino's reserved words, which it quotes where they are names of fields.
_RESERVED = frozenset(
    word
    for words in (
        "alter and as between by case cast constraint create cross cube current_catalog current_date current_path",
        "current_role current_schema current_time current_timestamp current_user deallocate delete describe distinct",
        "drop else end escape except execute exists extract false for from full group grouping having in inner insert",
        "intersect into is join json_array json_exists json_object json_query json_value left like listagg localtime",
        "localtimestamp natural normalize not null on or order outer prepare recursive right rollup select skip table",
        "then trim true uescape union unnest using values when where with",
    )
    for word in words.split()
)


def _quoted_if_needed(name: str) -> str:
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in _RESERVED
    return name if plain else f'"{name}"'


_DUCKDB_NAMES = {
    "unknown": "INTEGER",
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "varchar": "VARCHAR",
    "char": "VARCHAR",
    "varbinary": "BLOB",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamp with time zone": "STRUCT(u TIMESTAMP, z VARCHAR)",
    "json": "JSON",
    "interval day to second": "BIGINT",
    "interval year to month": "BIGINT",
}


@cache
def _duckdb(kind: Type) -> str:
    if kind.name == "decimal":
        return f"DECIMAL({kind.numbers[0]},{kind.numbers[1]})"
    if kind.name == "array":
        return f"{kind.element.duckdb}[]"
    if kind.name == "map":
        return f"MAP({kind.elements[0].duckdb}, {kind.elements[1].duckdb})"
    if kind.name == "row":
        fields = (f"f{position} {element.duckdb}" for position, element in enumerate(kind.elements))
        return f"STRUCT({', '.join(fields)})"
    return _DUCKDB_NAMES[kind.name]


# ---------------------------------------------------------------------------------------------- coercion in expressions


def can_coerce(source: Type, target: Type) -> bool:
    """Whether Trino converts the one type to the other by itself."""
    common = common_type(source, target)
    return common is not None and (common == target or (common.name == target.name == "varchar"))


def common_type(one: Type, other: Type) -> Type | None:
    """The type to which Trino converts both by itself, or None where there is no such type."""
    if one == other or other == UNKNOWN:
        return one
    if one == UNKNOWN:
        return other
    if one.name == other.name:
        return _common_of_same_name(one, other)
    if one.is_numeric and other.is_numeric:
        return _common_number(one, other)
    for source, target in ((one, other), (other, one)):
        if (source.name, target.name) in _WIDENINGS:
            return Type(target.name, _widened_numbers(source, target))
    return None


_WIDENINGS = frozenset(
    {
        ("date", "timestamp"),
        ("date", "timestamp with time zone"),
        ("timestamp", "timestamp with time zone"),
        ("char", "varchar"),
    }
)


def _widened_numbers(source: Type, target: Type) -> tuple[int, ...]:
    if source.numbers and target.numbers:
        return (max(source.numbers[0], target.numbers[0]),)
    return target.numbers


def _common_of_same_name(one: Type, other: Type) -> Type | None:
    if one.name == "decimal":
        return _common_decimal(one, other)
    if one.name in ("varchar", "char", "time", "timestamp", "timestamp with time zone"):
        return Type(one.name, (max(one.numbers[0], other.numbers[0]),))
    if len(one.elements) != len(other.elements):
        return None
    elements = tuple(common_type(left, right) for left, right in zip(one.elements, other.elements, strict=True))
    if any(element is None for element in elements):
        return None
    names = tuple(left if left == right else None for left, right in zip(one.names, other.names, strict=True))
    return Type(one.name, elements=tuple(element for element in elements if element is not None), names=names)


def _common_decimal(one: Type, other: Type) -> Type:
    scale = max(one.numbers[1], other.numbers[1])
    whole = max(one.numbers[0] - one.numbers[1], other.numbers[0] - other.numbers[1])
    return decimal(min(38, whole + scale), scale)


_INTEGER_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}


def as_decimal(kind: Type) -> Type:
    """The decimal type that holds every value of an integer type."""
    return kind if kind.name == "decimal" else decimal(_INTEGER_DIGITS[kind.name], 0)


def _common_number(one: Type, other: Type) -> Type:
    names = {one.name, other.name}
    if "double" in names:
        return DOUBLE
    if "real" in names:
        return REAL
    if "decimal" in names:
        return _common_decimal(as_decimal(one), as_decimal(other))
    return max(one, other, key=lambda kind: _INTEGERS[kind.name])


# ------------------------------------------------------------------------------------------------------------ spellings


_SYNONYMS = {
    "int": "integer",
    "string": "varchar",
    "float": "real",
    "binary": "varbinary",
    "struct": "row",
    "double precision": "double",
    "dec": "decimal",
    "numeric": "decimal",
}


class UnknownTypeError(ValueError):
    """A spelling that is no type."""


def parse_hive(text: str) -> Type:
    """The Trino type of a Hive type, as Glue spells it.

    >>> str(parse_hive("array<struct<name:string,size:decimal(10,2)>>"))
    'array(row(name varchar, size decimal(10,2)))'
    """
    return _cached_hive(text)


@cache
def _cached_hive(text: str) -> Type:
    reader = _HiveReader(text)
    kind = reader.type()
    if reader.peek() is not None:
        raise UnknownTypeError(f"Unknown type: {text}")
    return kind


class _HiveReader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = re.findall(r"[^<>(),:\s]+|[<>(),:]", text)
        self._at = 0

    def peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, expected: str | None = None) -> str:
        token = self.peek()
        if token is None or (expected is not None and token != expected):
            raise UnknownTypeError(f"Unknown type: {self._text}")
        self._at += 1
        return token

    def type(self) -> Type:
        name = self._take().lower()
        if name == "array":
            return array(self._angled(1)[0])
        if name == "map":
            return map_of(*self._angled(2))
        if name == "struct":
            return self._struct()
        if name == "uniontype":
            return self._union()
        return simple_type(name, self._numbers(), self._text)

    def _angled(self, count: int) -> list[Type]:
        self._take("<")
        kinds = [self.type()]
        for _ in range(count - 1):
            self._take(",")
            kinds.append(self.type())
        self._take(">")
        return kinds

    def _struct(self) -> Type:
        names, kinds = [], []
        self._take("<")
        while True:
            names.append(self._take().lower())
            self._take(":")
            kinds.append(self.type())
            if self._take() == ">":
                return row(tuple(kinds), tuple(names))

    def _union(self) -> Type:
        self._take("<")
        kinds = [self.type()]
        while self._take() == ",":
            kinds.append(self.type())
        return union_row(tuple(kinds))

    def _numbers(self) -> tuple[int, ...]:
        numbers: list[int] = []
        if self.peek() == "(":
            while self._take() != ")":
                numbers.append(int(self._take()))
                if self.peek() == ")":
                    self._take()
                    break
        return tuple(numbers)


def union_row(kinds: tuple[Type, ...]) -> Type:
    """The row as which the engine shows a union: a tag and one field a branch, of which one holds the value."""
    return row((TINYINT, *kinds), ("tag", *(f"field{position}" for position in range(len(kinds)))))


def simple_type(name: str, numbers: tuple[int, ...], spelling: str) -> Type:
    """A type without elements, by name and numbers in either spelling."""
    name = _SYNONYMS.get(name, name)
    if name == "decimal":
        precision = numbers[0] if numbers else 38 if spelling.lower() == "decimal" else 10
        scale = numbers[1] if len(numbers) > 1 else 0
        if not (1 <= precision <= 38 and 0 <= scale <= precision):
            raise UnknownTypeError(f"Unknown type: {spelling}")
        return decimal(precision, scale)
    if name == "varchar":
        return varchar(numbers[0] if numbers else UNBOUNDED)
    if name == "char":
        return Type("char", numbers or (1,))
    if name in ("time", "timestamp", "timestamp with time zone"):
        return Type(name, numbers or (3,))
    if name not in _DUCKDB_NAMES or numbers:
        raise UnknownTypeError(f"Unknown type: {spelling}")
    return Type(name)


def to_hive(kind: Type) -> str:
    """The Hive spelling of a type, as error messages and DDL show it."""
    if kind.name == "array":
        return f"array<{to_hive(kind.element)}>"
    if kind.name == "map":
        return f"map<{to_hive(kind.elements[0])},{to_hive(kind.elements[1])}>"
    if kind.name == "row":
        fields = (f"{name}:{to_hive(element)}" for name, element in zip(kind.names, kind.elements, strict=True))
        return f"struct<{','.join(fields)}>"
    if kind.name == "decimal":
        return f"decimal({kind.numbers[0]},{kind.numbers[1]})"
    if kind.name == "varchar":
        return "string" if kind.numbers[0] == UNBOUNDED else f"varchar({kind.numbers[0]})"
    return {"integer": "int", "real": "float", "varbinary": "binary"}.get(kind.name, kind.name)
