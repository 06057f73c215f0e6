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
    """Stands in for the clients of a local pipeline: keeps the statements, and answers each with no rows.

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

    def fetchall(self) -> list[tuple[int]]:
        """All rows."""
        return []


class _DemoOnOneDay(demo.Demo):
    """Has sent records of one day only."""

    def _business_dates(self) -> list[date]:
        return [date(2026, 2, 20)]


def accounting(client: Callable[[str], Any], settings: Settings, tables: Sequence[str]) -> dict[str, str]:
    """What the account of the demo asks, by name: the rows of each table, those of some files, and replayed ones."""
    recorder = Recorder(client)
    evidence = Evidence(recorder, settings, tables)  # type: ignore[arg-type]  # it asks no more of its clients
    evidence.readable()
    evidence.rows_in(key for table in tables for key in _first_files(client, settings, table))
    evidence.replayed_rows()
    names = [f"{what} of {table}" for what in ("rows", "copies", "replayed rows") for table in sorted(tables)]
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
