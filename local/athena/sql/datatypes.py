"""Type names in CAST: sqlglot's tree → a Trino type."""

from __future__ import annotations

from sqlglot import exp

from local.athena import types
from local.athena.sql.parsing_errors import refused
from local.athena.types import Type, UnknownTypeError, simple_type


_KIND = exp.DataType.Type

_SIMPLE = {
    _KIND.BOOLEAN: "boolean",
    _KIND.TINYINT: "tinyint",
    _KIND.SMALLINT: "smallint",
    _KIND.INT: "integer",
    _KIND.BIGINT: "bigint",
    _KIND.FLOAT: "real",
    _KIND.DOUBLE: "double",
    _KIND.DECIMAL: "decimal",
    _KIND.VARCHAR: "varchar",
    _KIND.TEXT: "varchar",
    _KIND.CHAR: "char",
    _KIND.VARBINARY: "varbinary",
    _KIND.DATE: "date",
    _KIND.TIME: "time",
    _KIND.TIMESTAMP: "timestamp",
    _KIND.TIMESTAMPNTZ: "timestamp",
    _KIND.TIMESTAMPTZ: "timestamp with time zone",
    _KIND.JSON: "json",
}


def to_type(node: exp.DataType) -> Type:
    """The Trino type of a type name.

    Raises:
        QueryError: TYPE_NOT_FOUND, or NOT_SUPPORTED for a type that is not available here.
    """
    kind = node.this
    if kind == _KIND.ARRAY:
        return types.array(to_type(node.expressions[0]))
    if kind == _KIND.MAP:
        return types.map_of(to_type(node.expressions[0]), to_type(node.expressions[1]))
    if kind == _KIND.STRUCT:
        return _row(node)
    name = _SIMPLE.get(kind)
    if name is None:
        shown = node.sql(dialect="trino").lower()
        raise refused("NOT_SUPPORTED", f"Type {shown} is not available in the local Athena", node)
    try:
        # Trino's bare decimal is decimal(38, 0).
        return simple_type(name, tuple(int(one.name) for one in node.expressions), name)
    except UnknownTypeError as error:
        raise refused("TYPE_NOT_FOUND", str(error), node) from error
    except ValueError as error:  # a length that is no number
        raise refused("TYPE_MISMATCH", f"Unknown type: {node.sql(dialect='trino').lower()}", node) from error


def _row(node: exp.DataType) -> Type:
    names: list[str | None] = []
    elements = []
    for one in node.expressions:
        if isinstance(one, exp.ColumnDef):
            names.append(one.name if one.this.args.get("quoted") else one.name.lower())
            elements.append(to_type(one.args["kind"]))
        else:
            names.append(None)
            elements.append(to_type(one))
    return types.row(tuple(elements), tuple(names))
