"""The statements of the documents, taken from them: whole blocks, and those within commands and programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.documents import DOCUMENTS, blocks_of
from tests.trino.corpus.limits import unlimited
from tests.trino.statements import Statement


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.documents import Block

LEFT_OUT = {
    "ALTER TABLE": "Hive's DDL, which Athena runs without Trino",
    "MSCK REPAIR": "Hive's DDL, which Athena runs without Trino",
    "DESCRIBE": "answered by Hive in its own form",
    "SHOW CREATE": "answered by Hive in its own form",
    "SHOW PARTITIONS": "answered by Hive in its own form",
    "SHOW TABLES": "answered by Hive in its own form",
}
"""Kinds of statements that Trino cannot judge, and why."""
_VERDICTS = "data_quality"
"""A table of JSON files, and a view, which the corpus's database does not have."""
_JUDGED = ("SELECT", "WITH")
_WITHIN = {
    "sh": re.compile(r'--query-string "([^"]+)"'),
    "python": re.compile(r'execute\("([^"]+)"\)'),
}


def why_left_out(sql: str) -> str | None:
    """Why Trino cannot judge a statement; None when it can.

    Raises:
        ValueError: The statement is of a kind that is listed nowhere here.
    """
    if _VERDICTS in sql:
        return "about verdicts, of which the demo's data has none"
    if sql.startswith(_JUDGED):
        return None
    for kind, reason in LEFT_OUT.items():
        if sql.startswith(kind):
            return reason
    raise ValueError(f"Is this a statement that Trino can judge? Say so here:\n{sql}")


def _statements() -> Iterator[Statement]:
    for document in DOCUMENTS:
        for block in blocks_of(document):
            for number, sql in enumerate(_sql_of(block), 1):
                yield Statement(f"{block.name}.{number}", unlimited(sql.strip()))


def _sql_of(block: Block) -> list[str]:
    if block.language == "sql":
        return [block.code]
    within = _WITHIN.get(block.language)
    return within.findall(block.code) if within else []


STATEMENTS = tuple(_statements())
