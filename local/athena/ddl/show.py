"""SHOW and DESCRIBE: the catalog as lines of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.athena.errors import DdlError
from local.athena.ports import Partition
from local.athena.results import text_result


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.athena.ports import Catalog, Column, Table
    from local.athena.results import Result


def partitions(catalog: Catalog, table: Table) -> Result:
    """SHOW PARTITIONS."""
    if not table.partition_keys:
        raise DdlError("SemanticException", f"[Error 10241]: Table {table.name} is not a partitioned table")
    names = [Partition(values, table.storage).name(table) for values in catalog.partition_values(table)]
    return text_result(["partition"], sorted(names))


def tables(catalog: Catalog, database: str, pattern: str | None) -> Result:
    """SHOW TABLES."""
    names = [one.name for one in catalog.tables(database)]
    return text_result(["tab_name"], [name for name in names if matches(name, pattern)])


def databases(catalog: Catalog, pattern: str | None) -> Result:
    """SHOW DATABASES."""
    names = [one.name for one in catalog.databases()]
    return text_result(["database_name"], [name for name in names if matches(name, pattern)])


def matches(name: str, pattern: str | None) -> bool:
    """Hive's patterns: ``*`` for anything, ``|`` between alternatives."""
    if pattern is None:
        return True
    alternatives = [re.escape(part).replace(r"\*", ".*") for part in pattern.lower().split("|")]
    return any(re.fullmatch(part, name) for part in alternatives)


def columns(table: Table) -> Result:
    """SHOW COLUMNS."""
    return text_result(["field"], [f"{one.name:<20}" for one in (*table.columns, *table.partition_keys)])


def table_properties(table: Table, name: str | None) -> Result:
    """SHOW TBLPROPERTIES."""
    if name is not None:
        missing = f"Table {table.database}.{table.name} does not have property: {name}"
        return text_result(["prpt_name", "prpt_value"], [table.parameters.get(name, missing)])
    return text_result(
        ["prpt_name", "prpt_value"], [f"{key}\t{value}" for key, value in sorted(table.parameters.items())]
    )


def describe(table: Table) -> Result:
    """DESCRIBE: three columns in one line of text each, as Athena gives them."""
    lines = [_described(one) for one in (*table.columns, *table.partition_keys)]
    if table.partition_keys:
        lines += ["\t \t ", "# Partition Information\t \t ", _line("# col_name", "data_type", "comment"), "\t \t "]
        lines += [_described(one) for one in table.partition_keys]
    return text_result(["col_name", "data_type", "comment"], lines)


def _described(column: Column) -> str:
    return _line(column.name, column.type, column.comment)


def _line(*cells: str) -> str:
    return "\t".join(f"{cell:<20}" for cell in cells)


def create_table(table: Table) -> Result:
    """SHOW CREATE TABLE: a statement that makes the same table."""
    lines = [f"CREATE EXTERNAL TABLE `{table.name}`(", *_column_lines(table.columns)]
    if table.comment:
        lines.append(f"COMMENT {_quoted(table.comment)}")
    if table.partition_keys:
        lines += ["PARTITIONED BY ( ", *_column_lines(table.partition_keys)]
    storage = table.storage
    lines += ["ROW FORMAT SERDE ", f"  {_quoted(storage.serde)} "]
    if storage.serde_parameters:
        lines += ["WITH SERDEPROPERTIES ( ", *_property_lines(storage.serde_parameters)]
    lines += ["STORED AS INPUTFORMAT ", f"  {_quoted(storage.input_format)} "]
    lines += ["OUTPUTFORMAT ", f"  {_quoted(storage.output_format)}"]
    lines += ["LOCATION", f"  {_quoted(storage.location)}"]
    shown = {key: value for key, value in table.parameters.items() if key != "EXTERNAL"}
    if shown:
        lines += ["TBLPROPERTIES (", *_property_lines(shown)]
    return text_result(["createtab_stmt"], lines)


def _column_lines(found: Sequence[Column]) -> list[str]:
    lines = [
        f"  `{one.name}` {one.type}" + (f" COMMENT {_quoted(one.comment)}" if one.comment else "") for one in found
    ]
    return [f"{line}, " for line in lines[:-1]] + [f"{lines[-1]})"]


def _property_lines(found: Mapping[str, str]) -> list[str]:
    items = sorted(found.items())
    lines = [f"  {_quoted(key)}={_quoted(value)}" for key, value in items]
    return [f"{line}, " for line in lines[:-1]] + [f"{lines[-1]}) "]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"
