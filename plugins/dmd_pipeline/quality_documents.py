"""What is known of a table's partitions, and the verdicts on them: the summaries that jobs keep and pages show.

A summary is one JSON object a table and year, ``quality/summaries/{table}/{year}.json``::

    {"version": 1, "table": "demand", "year": 2026, "seen_at": "2026-03-01T12:00:00Z", "dates": {"2026-02-28": {
       "seen": {"files": 3, "bytes": 252000, "newest": "2026-03-01T20:15:00Z", "content": "…", "registered": true},
       "verdict": {"verdict": "passed", "checked_at": …, "content": "…", "suite": "…", "rows": 1200, …}}}}

``seen`` is what the last look at S3 and Glue found, ``verdict`` what the last check said; each may be missing.
``content`` stands for the partition's files and ``suite`` for its expectations: a verdict holds for no others.

A result is what came of one check, whole: one line of JSON a partition, content and suite, so that the folder of all of
them is a table of Athena as well (:mod:`dmd_pipeline.quality_tables`). Summaries can be made of results again.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from dmd_pipeline.errors import StorageError
from dmd_pipeline.stamps import utc_stamp


VERSION: Final = 1


class BrokenDocumentError(StorageError):
    """An object below quality/ is not what its key says; names the key and what is wrong."""


def broken(key: str, error: ValidationError) -> BrokenDocumentError:
    """The error about a document that is not of its form: the first thing that is wrong, without its value."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return BrokenDocumentError(f"broken document: {key}: {f'{place}: ' if place else ''}{first['msg']}")


Bytes = bytes
"""The type, in classes that have a field of its name."""


class Judgement(StrEnum):
    """What a check says of a partition."""

    PASSED = "passed"
    """Every expectation holds."""
    WARNED = "warned"
    """Only expectations that warn do not hold."""
    FAILED = "failed"
    """An expectation that fails does not hold."""
    UNKNOWN = "unknown"
    """It could not be checked, or has no rows: nobody may rely on it."""


class _Part(BaseModel):
    # Keys that are not known are left out: a later version of the pipeline may write more.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


def _written_date(value: object) -> object:
    """Only YYYY-MM-DD: pydantic would take a number of seconds, too."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or date.fromisoformat(value).isoformat() != value:
        raise ValueError("expected a date as YYYY-MM-DD")
    return value


Count = Annotated[int, Field(ge=0)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
PartitionDate = Annotated[date, BeforeValidator(_written_date)]
Stamp = Annotated[AwareDatetime, PlainSerializer(utc_stamp)]
"""Written so that texts sort as the moments do."""


class Seen(_Part):
    """What the last look found.

    Attributes:
        files: Objects in the partition's folder.
        bytes: Sum of their sizes.
        newest: When the latest of them was written; None without any.
        content: Stands for these three: another one is another content.
        registered: Whether Glue holds the partition.
    """

    files: Count
    bytes: Count
    newest: Stamp | None
    content: Digest
    registered: bool


class Cost(_Part):
    """What a check cost.

    Attributes:
        queries: Athena statements that it took part in.
        shared_by: Partitions that these statements were shared by.
        scanned_bytes: This partition's share of what they scanned.
        dollars: This partition's share of what they were billed.
        seconds: Of the check, without the statements.
    """

    queries: Count
    shared_by: Annotated[int, Field(ge=1)]
    scanned_bytes: Count
    dollars: Annotated[float, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0)]


class Verdict(_Part):
    """What the last check said.

    Attributes:
        verdict: In a word.
        checked_at: When.
        content: Of the partition as it was checked.
        suite: Digest of the expectations.
        rows: Of the partition; None when they could not be counted.
        failed: Ids of the expectations that fail and do not hold.
        warned: Ids of the expectations that warn and do not hold.
        reason: Why the verdict is unknown, for people.
        observed: By expectation: percent of unexpected rows, or the observed value; None where it was not measured.
        engine: What computed the numbers.
        cost: What it cost.
        result: Key of the document with all of it.
        run_id: The run that checked.
    """

    verdict: Judgement
    checked_at: Stamp
    content: Digest
    suite: Digest
    rows: Count | None
    failed: tuple[str, ...]
    warned: tuple[str, ...]
    reason: str | None
    observed: dict[str, float | None]
    engine: str
    cost: Cost
    result: str
    run_id: str


class Entry(_Part):
    """What is known of one partition."""

    seen: Seen | None = None
    verdict: Verdict | None = None


class Summary(_Part):
    """What is known of the partitions of one table and year.

    Attributes:
        version: Of the form.
        table: Name of the table.
        year: Of the partition dates.
        seen_at: When S3 and Glue were last looked at.
        dates: What is known, by partition date.
    """

    version: Literal[1] = VERSION
    table: str
    year: int
    seen_at: Stamp
    dates: dict[PartitionDate, Entry]

    @classmethod
    def parse(cls, body: bytes, key: str) -> Self:
        """Read a summary.

        Args:
            body: Its content.
            key: Where it lies, for the message.

        Raises:
            BrokenDocumentError: It is no summary; names the key and the first thing that is wrong, without its value.
        """
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            raise broken(key, error) from None

    def about(self, table: str, year: int, key: str) -> Self:
        """The summary itself, when it is the one that was asked for.

        Raises:
            BrokenDocumentError: It is another's.
        """
        if (self.table, self.year) != (table, year):
            raise BrokenDocumentError(f"broken document: {key}: it is about {self.table[:80]} {self.year}")
        return self

    def written(self) -> bytes:
        """The summary as it is stored; the same one gives the same bytes."""
        return self.model_copy(update={"dates": dict(sorted(self.dates.items()))}).model_dump_json().encode()


class Failing(_Part):
    """A row that breaks an expectation; its values are masked."""

    reference_id: str | None
    reference_timestamp: str | None
    value: str


class Finding(_Part):
    """What came of one expectation.

    Attributes:
        id: Its id in the suite.
        sentence: What it says.
        severity: What comes of it when it does not hold.
        passed: Whether it holds.
        observed: Percent of rows that do not fit when there is an ``unexpected_count``, the observed value otherwise;
            None when it was not measured.
        element_count: Rows of the partition; None where rows are not what is looked at.
        unexpected_count: Rows that break it; None likewise.
        expected: Beside ``observed``, for people.
        sample: Some of the rows that break it.
    """

    id: str
    sentence: str
    severity: Literal["fail", "warn"]
    passed: bool
    observed: float | None
    element_count: int | None
    unexpected_count: int | None
    expected: str
    sample: tuple[Failing, ...] = ()


class Result(_Part):
    """What came of one check.

    Attributes:
        table_name: Of the table.
        partition_date: Of the partition.
        verdict: In a word.
        checked_at: When.
        rows: Of the partition; None when they could not be counted.
        files: Objects in the partition's folder, as they were checked.
        bytes: Sum of their sizes.
        newest: When the latest of them was written.
        content: Stands for these three.
        suite: Digest of the expectations.
        engine: What computed the numbers: ``memory``, ``athena``, or ``none`` when nothing did.
        reason: Why the verdict is unknown.
        failed_expectations: Ids of those that fail and do not hold.
        warned_expectations: Ids of those that warn and do not hold.
        expectations: What came of each; none when nothing was computed.
        cost: What it cost.
        dag_id: The DAG that checked.
        run_id: Its run.
    """

    table_name: str
    partition_date: PartitionDate
    verdict: Judgement
    checked_at: Stamp
    rows: Count | None
    files: Count
    bytes: Count
    newest: Stamp | None
    content: Digest
    suite: Digest
    engine: str
    reason: str | None
    failed_expectations: tuple[str, ...]
    warned_expectations: tuple[str, ...]
    expectations: tuple[Finding, ...]
    cost: Cost
    dag_id: str
    run_id: str

    @classmethod
    def parse(cls, body: Bytes, key: str) -> Self:
        """Read a result.

        Args:
            body: Its content.
            key: Where it lies, for the message.

        Raises:
            BrokenDocumentError: It is no result; names the key and the first thing that is wrong, without its value.
        """
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            raise broken(key, error) from None

    def about(self, table: str, day: date, key: str) -> Self:
        """The result itself, when it is the one that was asked for.

        Raises:
            BrokenDocumentError: It is another's.
        """
        if (self.table_name, self.partition_date) != (table, day):
            about = f"{self.table_name[:80]} {self.partition_date}"
            raise BrokenDocumentError(f"broken document: {key}: it is about {about}")
        return self

    def written(self) -> Bytes:
        """The result as it is stored: one line, as Athena's JSON tables need it."""
        return self.model_dump_json().encode() + b"\n"

    def summed_up(self, key: str) -> Verdict:
        """What a summary holds of it.

        Args:
            key: Where it lies.
        """
        return Verdict(
            verdict=self.verdict,
            checked_at=self.checked_at,
            content=self.content,
            suite=self.suite,
            rows=self.rows,
            failed=self.failed_expectations,
            warned=self.warned_expectations,
            reason=self.reason,
            observed={finding.id: finding.observed for finding in self.expectations},
            engine=self.engine,
            cost=self.cost,
            result=key,
            run_id=self.run_id,
        )
