"""Statements run on Athena for the conformance cases."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from tests.conformance.account import Account

_PATIENCE_SECONDS = 120.0


@dataclass
class Run:
    """What came of a statement.

    Attributes:
        execution: The ``QueryExecution`` in its final state.
        columns: The ``ColumnInfo`` of its result.
        rows: Its rows without the header; None for NULL.
    """

    execution: dict[str, Any]
    columns: list[dict[str, Any]] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)

    @property
    def state(self) -> str:
        """The final state."""
        return str(self.execution["Status"]["State"])

    @property
    def reason(self) -> str:
        """Why it is in it."""
        return str(self.execution["Status"].get("StateChangeReason", ""))

    @property
    def scanned_bytes(self) -> int:
        """Bytes of the objects that were read."""
        return int(self.execution["Statistics"]["DataScannedInBytes"])


def run(account: Account, statement: str, database: str | None = None, **arguments: Any) -> Run:
    """Run a statement and wait for its result."""
    athena = account.client("athena")
    started = athena.start_query_execution(
        QueryString=statement,
        QueryExecutionContext={"Database": database or account.database},
        WorkGroup=account.settings.workgroup,
        **arguments,
    )
    identifier = started["QueryExecutionId"]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    pause = 0.005
    while True:
        execution = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
        if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
            break
        assert time.monotonic() < deadline, f"{statement} did not finish in time"
        time.sleep(pause)
        pause = min(1.0, pause * 2)
    if execution["Status"]["State"] != "SUCCEEDED":
        return Run(execution)
    return _with_rows(athena, Run(execution), identifier)


def _with_rows(athena: Any, found: Run, identifier: str) -> Run:
    for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=identifier):
        found.columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        found.rows += [[cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]]
    if found.execution["StatementType"] == "DML":
        del found.rows[0]
    return found
