"""The statements of the project's own programs, taken from the code that issues them.

The jobs issue none: they talk to Glue and S3. The account of the demo counts rows, and the demo asks one question.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any
from unittest import mock

from local import demo
from local.evidence import Evidence
from tests.trino.corpus.limits import unlimited


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dmd_pipeline.settings import Settings


@dataclass
class Recorder:
    """Stands in for the clients of a local pipeline: keeps the statements, and answers each with one zero.

    Attributes:
        client: Gives the boto3 clients.
        statements: What was executed.
    """

    client: Callable[[str], Any]
    statements: list[str] = field(default_factory=list)

    def __call__(self, service: str) -> Any:
        """The boto3 client of a service."""
        return self.client(service)

    def athena(self) -> Recorder:
        """Itself, as a connection."""
        return self

    @contextmanager
    def cursor(self) -> Iterator[Recorder]:
        """Itself, as a cursor."""
        yield self

    def execute(self, statement: str) -> Recorder:
        """Keep a statement."""
        self.statements.append(statement)
        return self

    def fetchone(self) -> tuple[int]:
        """One row."""
        return (0,)

    def fetchall(self) -> list[tuple[int]]:
        """All rows."""
        return []


class _EvidenceWithCopies(Evidence):
    """Finds that every file was written by an invocation that failed later."""

    def __init__(self, clients: Any, settings: Settings, tables: Sequence[str], files: Sequence[str]) -> None:
        super().__init__(clients, settings, tables)
        self._files = list(files)

    def files_of_failed_invocations(self) -> list[str]:
        """The given files."""
        return self._files


class _DemoOnOneDay(demo.Demo):
    """Has sent records of one day only."""

    def _business_dates(self) -> list[date]:
        return [date(2026, 2, 20)]


def accounting(client: Callable[[str], Any], settings: Settings, tables: Sequence[str]) -> dict[str, str]:
    """What the account of the demo asks, by name: the rows of each table, and those of some of its files."""
    recorder = Recorder(client)
    files = [key for table in tables for key in _first_files(client, settings, table)]
    evidence = _EvidenceWithCopies(recorder, settings, tables, files)
    evidence.readable()
    evidence.written_in_vain()
    names = [f"{what} of {table}" for what in ("rows", "copies") for table in sorted(tables)]
    return dict(zip(names, recorder.statements, strict=True))


def question_of_the_demo() -> str:
    """What the demo asks at its end."""
    recorder = Recorder(lambda _service: None)
    with mock.patch.object(demo, "LocalClients", return_value=recorder):
        _DemoOnOneDay(pipeline=mock.MagicMock(), console=mock.MagicMock(), size=mock.sentinel.size).query()
    return unlimited(recorder.statements[0])


def _first_files(client: Callable[[str], Any], settings: Settings, table: str) -> list[str]:
    found = client("s3").list_objects_v2(Bucket=settings.bucket, Prefix=settings.layout.table_prefix(table), MaxKeys=3)
    return [one["Key"] for one in found["Contents"]]
