"""Executions of statements: their states, their order, and which of them are the same."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from local.athena.errors import Category, QueryError, invalid_request
from local.athena.queries import Cancellation
from local.athena.workgroups import ENGINE_VERSION


if TYPE_CHECKING:
    from local.athena.results import Result
    from local.athena.statements import Kind


_KEPT = 5000
FINAL = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})


@dataclass
class Execution:
    """One execution of a statement.

    Attributes:
        query: The text.
        kind: Which statement it is.
        database: The database of names without one.
        catalog: The data catalog that was named.
        workgroup: The work group.
        output: URI of the result, without its ending.
        parameters: SQL expressions for the question marks.
    """

    query: str
    kind: Kind
    database: str | None
    catalog: str
    workgroup: str
    output: str
    parameters: tuple[str, ...] = ()
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "QUEUED"
    reason: str | None = None
    error: QueryError | None = None
    submitted: datetime = field(default_factory=lambda: datetime.now(UTC))
    completed: datetime | None = None
    result: Result | None = None
    scanned_bytes: int = 0
    input_rows: int = 0
    started_at: float | None = None
    queued_at: float = field(default_factory=time.monotonic)
    finished_at: float | None = None
    cancellation: Cancellation = field(default_factory=Cancellation)
    lock: Lock = field(default_factory=Lock)

    @property
    def location(self) -> str:
        """URI of the result."""
        return self.output + self.id + (".csv" if self.kind.has_csv else ".txt")

    def start(self) -> bool:
        """From QUEUED to RUNNING; False when it was cancelled before."""
        with self.lock:
            if self.state != "QUEUED":
                return False
            self.state, self.started_at = "RUNNING", time.monotonic()
            return True

    def finish(self, state: str, reason: str | None = None, error: QueryError | None = None) -> None:
        """Into a final state, unless it is in one."""
        with self.lock:
            if self.state in FINAL:
                return
            self.state, self.reason, self.error = state, reason, error
            self.completed, self.finished_at = datetime.now(UTC), time.monotonic()

    def described(self) -> dict[str, Any]:
        """The ``QueryExecution`` of GetQueryExecution."""
        status: dict[str, Any] = {"State": self.state, "SubmissionDateTime": self.submitted.timestamp()}
        if self.completed is not None:
            status["CompletionDateTime"] = self.completed.timestamp()
        if self.reason is not None:
            status["StateChangeReason"] = self.reason
        if self.error is not None:
            status["AthenaError"] = {
                "ErrorCategory": int(self.error.category),
                "ErrorType": self.error.error_type,
                "Retryable": self.error.category == Category.SYSTEM,
                "ErrorMessage": self.error.reason,
            }
        context = {"Catalog": self.catalog} | ({"Database": self.database} if self.database else {})
        described = {
            "QueryExecutionId": self.id,
            "Query": self.query,
            "StatementType": self.kind.type,
            "ResultConfiguration": {"OutputLocation": self.location},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": context,
            "Status": status,
            "Statistics": self.statistics(),
            "WorkGroup": self.workgroup,
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": ENGINE_VERSION},
            "SubstatementType": self.kind.subtype,
        }
        return described | ({"ExecutionParameters": list(self.parameters)} if self.parameters else {})

    def statistics(self) -> dict[str, Any]:
        """The ``Statistics`` of GetQueryExecution."""
        end = self.finished_at if self.finished_at is not None else time.monotonic()
        begin = self.started_at if self.started_at is not None else end
        return {
            "EngineExecutionTimeInMillis": _milliseconds(end - begin),
            "DataScannedInBytes": self.scanned_bytes,
            "TotalExecutionTimeInMillis": _milliseconds(end - self.queued_at),
            "QueryQueueTimeInMillis": _milliseconds(begin - self.queued_at),
            "ServiceProcessingTimeInMillis": 0,
            "ResultReuseInformation": {"ReusedPreviousResult": False},
        }


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))


class Executions:
    """All executions, newest first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._executions: dict[str, Execution] = {}
        self._tokens: dict[str, tuple[tuple[Any, ...], str]] = {}

    def reset(self) -> None:
        """Stop and forget all of them."""
        with self._lock:
            stopped = list(self._executions.values())
            self._executions.clear()
            self._tokens.clear()
        for execution in stopped:
            execution.finish("CANCELLED")
            execution.cancellation.cancel()

    def add(self, execution: Execution, token: str | None) -> tuple[Execution, bool]:
        """Add an execution, or find the one that the same request made before; and whether it is new.

        Raises:
            AthenaApiError: The token was used for another request.
        """
        identity = (execution.query, execution.database, execution.workgroup, execution.output, execution.parameters)
        with self._lock:
            if token is not None and token in self._tokens:
                known, known_id = self._tokens[token]
                if known != identity:
                    raise invalid_request("Idempotent parameters do not match")
                if known_id in self._executions:
                    return self._executions[known_id], False
            if token is not None:
                self._tokens[token] = (identity, execution.id)
            self._executions[execution.id] = execution
            self._forget()
        return execution, True

    def _forget(self) -> None:
        """Results are kept in memory: of a service that runs for days, only those of the newest executions."""
        too_many = len(self._executions) - _KEPT
        for identifier in [one.id for one in self._executions.values() if one.state in FINAL][: max(0, too_many)]:
            del self._executions[identifier]

    def find(self, identifier: str) -> Execution | None:
        """One execution, or None."""
        return self._executions.get(identifier)

    def get(self, identifier: str) -> Execution:
        """One execution.

        Raises:
            AthenaApiError: There is none with that identifier.
        """
        found = self.find(identifier)
        if found is None:
            raise invalid_request(f"QueryExecution {identifier} was not found")
        return found

    def of_workgroup(self, workgroup: str) -> list[Execution]:
        """The executions of a work group, newest first."""
        with self._lock:
            return [one for one in reversed(self._executions.values()) if one.workgroup == workgroup]
