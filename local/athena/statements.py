"""Which statement a text is: what Athena calls it, and which engine runs it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of statement.

    Attributes:
        type: ``StatementType``: DML, DDL or UTILITY.
        subtype: ``SubstatementType``.
    """

    type: str
    subtype: str

    @property
    def has_csv(self) -> bool:
        """Whether its result is a table and not text."""
        return self.type == "DML"


SELECT = Kind("DML", "SELECT")

_KINDS: tuple[tuple[str, Kind], ...] = (
    (r"(select|with|values|table|\()", SELECT),
    (r"insert", Kind("DML", "INSERT")),
    (r"explain", Kind("DML", "EXPLAIN")),
    (r"unload", Kind("DML", "UNLOAD")),
    (r"(delete|update|merge)", Kind("DML", "DELETE")),
    (r"create\s+(database|schema)", Kind("DDL", "CREATE_DATABASE")),
    (r"create\s+(external\s+)?table", Kind("DDL", "CREATE_TABLE")),
    (r"create\s+(or\s+replace\s+)?view", Kind("DDL", "CREATE_VIEW")),
    (r"drop\s+(database|schema)", Kind("DDL", "DROP_DATABASE")),
    (r"drop\s+table", Kind("DDL", "DROP_TABLE")),
    (r"drop\s+view", Kind("DDL", "DROP_VIEW")),
    (r"alter\s+table\s+\S+\s+add\s+(if\s+not\s+exists\s+)?partition", Kind("DDL", "ALTER_TABLE_ADD_PARTITION")),
    (r"alter\s+table\s+\S+\s+drop\s+(if\s+exists\s+)?partition", Kind("DDL", "ALTER_TABLE_DROP_PARTITION")),
    (r"alter\s+table\s+\S+\s+(partition\s*\([^;]*\)\s*)?set\s+location", Kind("DDL", "ALTER_TABLE_SET_LOCATION")),
    (r"alter\s+table\s+\S+\s+set\s+tblproperties", Kind("DDL", "ALTER_TABLE_PROPERTIES")),
    (r"alter\s+table\s+\S+\s+add\s+columns", Kind("DDL", "ALTER_TABLE_ADD_COLUMNS")),
    (r"alter\s+table", Kind("DDL", "ALTER_TABLE")),
    (r"msck", Kind("DDL", "MSCK_REPAIR_TABLE")),
    (r"show\s+partitions", Kind("UTILITY", "SHOW_PARTITIONS")),
    (r"show\s+columns", Kind("UTILITY", "SHOW_COLUMNS")),
    (r"show\s+views", Kind("UTILITY", "SHOW_VIEWS")),
    (r"show\s+tables", Kind("UTILITY", "SHOW_TABLES")),
    (r"show\s+(databases|schemas)", Kind("UTILITY", "SHOW_DATABASES")),
    (r"show\s+create\s+view", Kind("UTILITY", "SHOW_CREATE_VIEW")),
    (r"show\s+create\s+table", Kind("UTILITY", "SHOW_CREATE_TABLE")),
    (r"show\s+tblproperties", Kind("UTILITY", "SHOW_TBLPROPERTIES")),
    (r"(describe|desc)\b", Kind("UTILITY", "DESCRIBE_TABLE")),
)

_COMMENT = re.compile(r"\s*(--[^\n]*(\n|$)|/\*.*?\*/)", re.DOTALL)


def without_comments(text: str) -> str:
    """The text without comments and spaces in front of it, and without a semicolon at its end."""
    while (found := _COMMENT.match(text)) is not None:
        text = text[found.end() :]
    return text.strip().removesuffix(";").strip()


def kind_of(text: str) -> Kind:
    """The kind of a statement; what is not recognised is taken for a query, whose parser refuses it."""
    statement = without_comments(text)
    for pattern, kind in _KINDS:
        if re.match(pattern, statement, re.IGNORECASE):
            return kind
    return SELECT
