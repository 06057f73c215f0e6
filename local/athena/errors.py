"""What can go wrong: a query that fails as it would on Athena, or a request that Athena's API refuses.

``QueryError`` ends up in the state of an execution (``FAILED``, with ``StateChangeReason`` and ``AthenaError``);
``AthenaApiError`` is answered to the caller of the API.
"""

from __future__ import annotations

from enum import IntEnum


class Category(IntEnum):
    """``AthenaError.ErrorCategory``: who has to act."""

    SYSTEM = 1
    USER = 2
    OTHER = 3


# Trino's internal errors; every other name is a mistake in the query, the catalog or the data.
_SYSTEM_ERRORS = frozenset({"GENERIC_INTERNAL_ERROR"})

# https://docs.aws.amazon.com/athena/latest/ug/error-reference.html; what is not listed there gets the general type.
_ERROR_TYPES = {
    "SYNTAX_ERROR": 1006,
    "TABLE_NOT_FOUND": 1006,
    "COLUMN_NOT_FOUND": 1006,
    "FUNCTION_NOT_FOUND": 1006,
    "TYPE_MISMATCH": 1006,
    "NOT_SUPPORTED": 1008,
    "HIVE_PARTITION_SCHEMA_MISMATCH": 1401,
    "HIVE_CANNOT_OPEN_SPLIT": 1401,
    "HIVE_CURSOR_ERROR": 1401,
    "HIVE_BAD_DATA": 1401,
}
_GENERAL_ERROR_TYPE = 1000


class QueryError(Exception):
    """A statement fails, as Trino would let it fail.

    Attributes:
        name: Trino's name of the error, such as ``TABLE_NOT_FOUND``.
        message: What Trino says after the name.
        line: Line of the statement, from 1, where the error is known to be somewhere.
        column: Column of the statement, from 1.
    """

    def __init__(self, name: str, message: str, line: int | None = None, column: int | None = None) -> None:
        self.name = name
        self.message = message
        self.line = line
        self.column = column
        super().__init__(self.reason)

    @property
    def located_message(self) -> str:
        """The message with the place in front of it, where that is known."""
        place = f"line {self.line}:{self.column}: " if self.line is not None else ""
        return f"{place}{self.message}"

    @property
    def reason(self) -> str:
        """The text of ``StateChangeReason``."""
        return f"{self.name}: {self.located_message}"

    @property
    def category(self) -> Category:
        """Whether the engine or the user is to blame."""
        return Category.SYSTEM if self.name in _SYSTEM_ERRORS else Category.USER

    @property
    def error_type(self) -> int:
        """``AthenaError.ErrorType``; only the category is meant to be relied on."""
        return _ERROR_TYPES.get(self.name, _GENERAL_ERROR_TYPE)


class DdlError(QueryError):
    """A DDL statement fails in the Hive part of Athena, which words its errors differently."""

    @property
    def reason(self) -> str:
        """The text of ``StateChangeReason``."""
        return f"FAILED: {self.name} {self.message}"


class QueryCancelled(Exception):  # noqa: N818 - it is the wish of a user, not an error
    """StopQueryExecution was called while the statement ran."""


class AthenaApiError(Exception):
    """A request that Athena's API refuses.

    Attributes:
        code: Name of the exception, such as ``InvalidRequestException``.
        message: What the caller reads.
        status: HTTP status.
        details: Further members of the error's body.
    """

    def __init__(self, code: str, message: str, status: int = 400, **details: str) -> None:
        self.code = code
        self.message = message
        self.status = status
        self.details = details
        super().__init__(f"{code}: {message}")


def invalid_request(message: str, code: str = "INVALID_INPUT") -> AthenaApiError:
    """The error that Athena answers to almost every mistake in a request."""
    return AthenaApiError("InvalidRequestException", message, AthenaErrorCode=code)
