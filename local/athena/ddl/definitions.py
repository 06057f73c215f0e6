"""The parts of CREATE TABLE and ALTER TABLE that describe columns, partitions and properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.athena.errors import DdlError
from local.athena.ports import AVRO_SERDE, JSON_SERDE, TEXT_INPUT, Column, Storage
from local.athena.types import UnknownTypeError, parse_hive


if TYPE_CHECKING:
    from local.athena.ddl.tokens import Tokens
    from local.athena.ports import Table


AVRO_INPUT = "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat"
AVRO_OUTPUT = "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat"
_UNQUOTED = frozenset({"tinyint", "smallint", "int", "bigint"})
TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
# By the word after STORED AS: the SerDe where no other is named, or "" where one must be, and both formats.
_FORMATS = {
    "AVRO": (AVRO_SERDE, AVRO_INPUT, AVRO_OUTPUT),
    "TEXTFILE": ("", TEXT_INPUT, TEXT_OUTPUT),
}
_INPUTS = {AVRO_SERDE: AVRO_INPUT, JSON_SERDE: TEXT_INPUT}


def columns(tokens: Tokens) -> tuple[Column, ...]:
    """``(name type [COMMENT 'text'], …)``."""
    found = []
    tokens.expect("(")
    while True:
        name = tokens.identifier()
        kind = _hive_type(tokens)
        comment = tokens.string() if tokens.accept("COMMENT") else ""
        found.append(Column(name, kind, comment))
        if not tokens.accept(","):
            break
    tokens.expect(")")
    doubled = {one.name for one in found if [other.name for other in found].count(one.name) > 1}
    if doubled:
        raise DdlError("SemanticException", f"[Error 10036]: Duplicate column name: {min(doubled)}")
    return tuple(found)


def _hive_type(tokens: Tokens) -> str:
    """Everything up to the comma or the parenthesis after a type, in Hive's own spelling: without spaces."""
    depth, text = 0, ""
    while (token := tokens.peek()) is not None:
        if depth == 0 and (token.text in (",", ")") or (text and token.text.upper() == "COMMENT")):
            break
        depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(token.text, 0)
        text += tokens.take().text
    try:
        parse_hive(text.lower())
    except (UnknownTypeError, IndexError, ValueError):
        tokens.fail("a type")
    return text.lower()


def properties(tokens: Tokens) -> dict[str, str]:
    """``('key'='value', …)``."""
    found = {}
    tokens.expect("(")
    while True:
        key = tokens.string()
        tokens.expect("=")
        found[key] = tokens.string()
        if not tokens.accept(","):
            break
    tokens.expect(")")
    return found


def partition_spec(tokens: Tokens, table: Table) -> tuple[str, ...]:
    """``(key = 'value', …)`` with every partition key of the table, in the table's order."""
    given = {}
    tokens.expect("(")
    while True:
        name = tokens.identifier()
        tokens.expect("=")
        given[name] = tokens.take().text
        if not tokens.accept(","):
            break
    tokens.expect(")")
    keys = [key.name.lower() for key in table.partition_keys]
    if sorted(given) != sorted(keys):
        raise DdlError(
            "SemanticException", f"Partition spec {{{', '.join(given)}}} does not match the partition keys {keys}"
        )
    return tuple(given[key] for key in keys)


def storage(tokens: Tokens, table_columns: tuple[Column, ...]) -> Storage:
    """ROW FORMAT SERDE … STORED AS … LOCATION … of a table."""
    serde, parameters = "", {"serialization.format": "1"}
    if tokens.accept("ROW", "FORMAT"):
        tokens.expect("SERDE")
        serde = tokens.string()
        if tokens.accept("WITH", "SERDEPROPERTIES"):
            parameters |= properties(tokens)
    if tokens.accept("STORED", "AS"):
        serde, input_format, output_format = _format(tokens, serde)
    else:  # Hive's default is text
        _, input_format, output_format = _FORMATS["TEXTFILE"]
    if serde not in _INPUTS:
        raise DdlError("SemanticException", f"The local Athena knows tables of these SerDes only: {', '.join(_INPUTS)}")
    if input_format != _INPUTS[serde]:
        raise DdlError("SemanticException", f"Files of the SerDe {serde} need the input format {_INPUTS[serde]}")
    if "avro.schema.url" in parameters:
        raise DdlError("SemanticException", "Athena does not support avro.schema.url: use avro.schema.literal")
    tokens.expect("LOCATION")
    return Storage(table_columns, location(tokens), serde, parameters, input_format, output_format)


def _format(tokens: Tokens, serde: str) -> tuple[str, str, str]:
    if tokens.accept("INPUTFORMAT"):
        input_format = tokens.string()
        tokens.expect("OUTPUTFORMAT")
        return serde, input_format, tokens.string()
    name = tokens.identifier().upper()
    if name not in _FORMATS:
        known = " and ".join(_FORMATS)
        raise DdlError("SemanticException", f"The local Athena knows STORED AS {known} only, not {name}")
    own, input_format, output_format = _FORMATS[name]
    return serde or own, input_format, output_format


def location(tokens: Tokens) -> str:
    """The string after LOCATION."""
    given = tokens.string()
    if not given.startswith("s3://"):
        raise DdlError("SemanticException", f"The location '{given}' is not an S3 URI")
    return given


def partition_condition(table: Table, values: tuple[str, ...]) -> str:
    """A partition as Hive's errors write the condition that looks for it: ``(key = 'value')``."""
    conditions = [
        f"({key.name} = {value})" if key.type.lower() in _UNQUOTED else f"({key.name} = '{value}')"
        for key, value in zip(table.partition_keys, values, strict=True)
    ]
    joined = conditions[0]
    for condition in conditions[1:]:
        joined = f"({joined} and {condition})"
    return joined


def partition_location(table: Table, values: tuple[str, ...]) -> str:
    """Where Hive looks for a partition whose location nobody tells."""
    folders = "/".join(f"{key.name}={value}" for key, value in zip(table.partition_keys, values, strict=True))
    return f"{table.storage.location.rstrip('/')}/{folders}"
