"""The Athena workgroup: queries and what they answer.

Calls a query, for R rows: 1 StartQueryExecution + 1 GetQueryExecution at each look, as often as the connection's poll
interval says + ⌈(R+1)/1000⌉ GetQueryResults, for the header of a SELECT is a row as well.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from pyathena.error import Error

from dmd_pipeline.aws.faults import THROTTLES, error_code
from dmd_pipeline.errors import QueryFailedError, ThrottledError


if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyathena.connection import Connection
    from pyathena.cursor import Cursor


DOLLARS_PER_TERABYTE: Final = 5
"""What Athena charges for scanned bytes: https://aws.amazon.com/athena/pricing/."""
_MEGABYTE: Final = 2**20
_LEAST_BILLED: Final = 10 * _MEGABYTE


@dataclass(frozen=True)
class Answer:
    """What a query answered.

    Attributes:
        rows: In the order of the query, each value as Python's type of its column: int, str, Decimal, date, None, …
        execution_id: Under which Athena keeps the query.
        scanned_bytes: How much it read.
    """

    rows: tuple[tuple[Any, ...], ...]
    execution_id: str
    scanned_bytes: int

    @property
    def billed_bytes(self) -> int:
        """How much Athena charges for a SELECT: whole megabytes, at least ten; DDL costs nothing."""
        return max(_LEAST_BILLED, -(-self.scanned_bytes // _MEGABYTE) * _MEGABYTE)


class Workgroup:
    """One workgroup. Several threads may query it at once.

    Attributes:
        name: Its name.
    """

    def __init__(self, connection: Connection[Cursor], name: str) -> None:
        self._connection = connection
        self.name = name

    def query(self, sql: str) -> Answer:
        """Run a statement and wait for its end.

        Args:
            sql: One statement; built from validated identifiers only.

        Raises:
            QueryFailedError: It failed, was cancelled, or Athena refused it. What Athena says may quote a value where
                a statement casts or computes with values; those that count do not.
            ThrottledError: Athena asked to slow down until the retries ran out.
        """
        with self._connection.cursor() as cursor, self._translated(cursor):
            rows = tuple(tuple(row) for row in cursor.execute(sql).fetchall())
            return Answer(rows, cursor.query_id, cursor.data_scanned_in_bytes or 0)

    def rows(self, sql: str) -> tuple[tuple[Any, ...], ...]:
        """The rows of a query, for those who need nothing else; raises what :meth:`query` raises."""
        return self.query(sql).rows

    @contextmanager
    def _translated(self, cursor: Cursor) -> Iterator[None]:
        try:
            yield
        except Error as error:
            cause = error.__cause__  # pyathena wraps what boto3 raised
            if isinstance(cause, ClientError) and error_code(cause) in THROTTLES:
                raise ThrottledError(
                    f"cannot query workgroup {self.name}: AWS asked to slow down until the retries ran out "
                    f"({error_code(cause)})"
                ) from error
            raise QueryFailedError(str(error), self.name, cursor.query_id) from error
