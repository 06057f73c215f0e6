"""What readers get while the schema of a table of 1,000 partitions changes, beside two ways that delete partitions.

The table is ``demand`` with its real schema, a file of one to three rows a date. The change is a compatible one: a
column ``priority`` is inserted with a default, and the struct ``date`` gains an optional field before its last one; by
position as well as by name, partitions cannot stand beside the new table as they are. Contenders:

- ``apply_schema_changes``, in place (:mod:`dmd_pipeline.transitions`);
- the same with ``strategy=recreate``, as a breaking change is made (:mod:`dmd_pipeline.jobs.recreation`), approved
  already;
- Terraform's way, which drops the table and creates it, and then all partitions have to be registered;
- dbt-athena's way, which updates the table, deletes all its partitions and creates them again.

Each is looked at twice. **Beside a reader**: a thread queries without pause, every answer is compared with the only
right one, and what counts is what it was given. What happens between two of its queries it cannot see, so that the
change is made once more with milliseconds added to each call of the change, which is an assumption and not a
measurement of AWS. **Between the calls**: the change stands still before each of its calls to Glue and after the last
one, and the same query is asked. That is independent of speed: every state between two calls is seen, whichever is
quick. There, ``apply_schema_changes`` makes one call at a time, so that nothing moves while it is looked; seconds are
those of the change alone, with nobody else asking. A query that has begun before a call and ends after it is the
reader's to meet.

The AWS is the local one, in a process of its own, the same for all; a query waits for the same processor as the change.
"""

from __future__ import annotations

import contextlib
import io
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache, partial
from statistics import median
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

import boto3
import fastavro
import pyathena

from bench.local_account import CountedSession, aws_in_another_process
from bench.peers import replace_like_terraform, swap_like_dbt_athena
from dmd_pipeline.aws.athena import Workgroup
from dmd_pipeline.aws.glue import WRITE_BATCH, Catalog
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.errors import QueryFailedError
from dmd_pipeline.hive import partition_input, table_input
from dmd_pipeline.jobs import apply_schema_changes
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.settings import load_settings


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_glue.type_defs import TableInputTypeDef

    from dmd_pipeline.settings import Settings


TABLE: Final = "demand"
BESIDE: Final = "demand__ha"
"""The table that dbt-athena has made, with all partitions, by the time that it swaps."""
FIRST_DATE: Final = date(2020, 1, 1)
SETTINGS: Final = load_settings("local")
LAYOUT: Final = SETTINGS.layout
ONE_CALL_AT_A_TIME: Final = SETTINGS.model_copy(
    update={"registration": SETTINGS.registration.model_copy(update={"parallel_batches": 1})}
)

_PATIENCE_SECONDS: Final = 60

Verdict = Literal["right", "failed", "wrong"]


class BadAnswers(TypedDict):
    """Queries that failed, with names of errors, and those that answered something else than the table's rows."""

    failed: int
    wrong: int
    errors: dict[str, int]


class ReaderFigures(BadAnswers):
    """What a reader got during a change; of several changes, what it got in all, and the median of the seconds.

    ``window_seconds`` is the time from the first bad query's start to the last one's end.
    """

    queries: int
    window_seconds: float
    change_seconds: float
    query_seconds: float
    longest_query_seconds: float
    calls: dict[str, int]
    total_calls: int


class LookFigures(BadAnswers):
    """What was seen between the calls of a change; ``bad_seconds`` of the change itself, the looks not counted."""

    looks: int
    bad_seconds: float


class DelayedFigures(TypedDict):
    """A change beside a reader with milliseconds added to each of its calls, by contender."""

    added_milliseconds: int
    reader: dict[str, ReaderFigures]


class SchemaChangeFigures(TypedDict):
    """What readers get during a change, by contender."""

    partitions: int
    rounds: int
    reader: dict[str, ReaderFigures]
    looks: dict[str, LookFigures]
    delayed: DelayedFigures


def measure(partitions: int = 1_000, rounds: int = 3, milliseconds: int = 50) -> SchemaChangeFigures:
    """Change the table in every contender's way: beside a reader ``rounds`` times, delayed, and with looks between."""
    beside: dict[str, list[ReaderFigures]] = {name: [] for name in CONTENDERS}
    delayed: dict[str, ReaderFigures] = {}
    looks: dict[str, LookFigures] = {}
    with aws_in_another_process(partial(objects, partitions)) as environment:
        for _ in range(rounds):
            for name in CONTENDERS:
                beside[name].append(beside_a_reader(name, environment, partitions))
        for name in CONTENDERS:
            delayed[name] = beside_a_reader(name, environment, partitions, delay=milliseconds / 1000)
            looks[name] = between_the_calls(name, environment, partitions)
    return {
        "partitions": partitions,
        "rounds": rounds,
        "reader": {name: _together(runs) for name, runs in beside.items()},
        "looks": looks,
        "delayed": {"added_milliseconds": milliseconds, "reader": delayed},
    }


def beside_a_reader(name: str, environment: dict[str, str], partitions: int, delay: float = 0) -> ReaderFigures:
    """Change a fresh table while a thread reads it without pause.

    Args:
        name: Of the contender.
        environment: Variables of an AWS that holds the :func:`objects`, and at which this process is pointed.
        partitions: How many the table has.
        delay: Seconds added to each call of the change.

    Raises:
        RuntimeError: The change was not made, or readers get wrong answers before or after it.
    """
    make_table(partitions)
    question = Question.about(partitions)
    counted = CountedSession(environment, delay)
    counted.prepare("glue", "s3", "athena")
    reader = Reader(question)
    with reader.reading():
        start = time.perf_counter()
        CONTENDERS[name](counted, SETTINGS, partitions)
        seconds = time.perf_counter() - start
    _make_sure_it_was_changed(name, question)
    bad = [answer for answer in reader.answers if answer.verdict != "right"]
    took = [answer.ended - answer.began for answer in reader.answers if answer.verdict == "right"]
    return {
        "queries": len(reader.answers),
        **_counted(reader.answers),
        "window_seconds": round(bad[-1].ended - bad[0].began, 2) if bad else 0.0,
        "change_seconds": round(seconds, 2),
        "query_seconds": round(median(took), 2),
        "longest_query_seconds": round(max(took), 2),
        "calls": dict(sorted(counted.calls.items())),
        "total_calls": counted.calls.total(),
    }


def between_the_calls(name: str, environment: dict[str, str], partitions: int) -> LookFigures:
    """Change a fresh table, and ask before each call to Glue and after the last one; raises as the other one does."""
    make_table(partitions)
    question = Question.about(partitions)
    with _workgroup() as workgroup:
        looks = Looks(question, workgroup)
        counted = CountedSession(environment)
        counted.register("before-call.glue", looks.look)
        CONTENDERS[name](counted, ONE_CALL_AT_A_TIME, partitions)
        looks.look()
    _make_sure_it_was_changed(name, question)
    return {"looks": len(looks.answers), **_counted(looks.answers), "bad_seconds": round(looks.bad_seconds, 2)}


def _counted(answers: list[Answer]) -> BadAnswers:
    return {
        "failed": sum(answer.verdict == "failed" for answer in answers),
        "wrong": sum(answer.verdict == "wrong" for answer in answers),
        "errors": dict(Counter(answer.error for answer in answers if answer.error)),
    }


def _together(runs: list[ReaderFigures]) -> ReaderFigures:
    errors: Counter[str] = Counter()
    for run in runs:
        errors.update(run["errors"])
    return {
        "queries": sum(run["queries"] for run in runs),
        "failed": sum(run["failed"] for run in runs),
        "wrong": sum(run["wrong"] for run in runs),
        "errors": dict(errors),
        "window_seconds": median(run["window_seconds"] for run in runs),
        "change_seconds": median(run["change_seconds"] for run in runs),
        "query_seconds": median(run["query_seconds"] for run in runs),
        "longest_query_seconds": max(run["longest_query_seconds"] for run in runs),
        "calls": runs[0]["calls"],
        "total_calls": runs[0]["total_calls"],
    }


# ----------------------------------------------------------------------------------------------------------- readers


@dataclass(frozen=True)
class Answer:
    """What came of a query that was asked and answered at these times."""

    verdict: Verdict
    error: str | None
    began: float
    ended: float


@dataclass(frozen=True)
class Question:
    """What readers ask, and the only right answer.

    Attributes:
        sql: Counts of each date: all rows, and a field behind the place where the struct gains one.
        rows: What it answers at any time before, during and after the change.
    """

    sql: str
    rows: tuple[tuple[str, int, int], ...]

    @classmethod
    def about(cls, partitions: int) -> Question:
        """The question for a table of so many partitions."""
        sql = f'SELECT partition_date, count(*), count("date".deleted) FROM {TABLE} GROUP BY 1 ORDER BY 1'
        return cls(sql, tuple((str(day), _rows(day), _rows(day) - 1) for day in _dates(partitions)))

    def asked(self, workgroup: Workgroup) -> Answer:
        """Ask it once."""
        verdict: Verdict
        error = None
        began = time.perf_counter()
        try:
            verdict = "right" if workgroup.rows(self.sql) == self.rows else "wrong"
        except QueryFailedError as failure:
            verdict, error = "failed", failure.reason.split(":", 1)[0]
        return Answer(verdict, error, began, time.perf_counter())


@dataclass
class Reader:
    """Asks without pause, in a thread.

    Attributes:
        question: What it asks.
        answers: What it got.
    """

    question: Question
    answers: list[Answer] = field(default_factory=list)
    _begun: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Ask from before what happens inside until after it: the first and the last query see nothing but its ends.

        Raises:
            RuntimeError: Nothing was answered, or the first or the last answer was not right.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="reader") as thread:
            reading = thread.submit(self._read)
            try:
                if not self._begun.wait(_PATIENCE_SECONDS):
                    raise RuntimeError(f"no answer within {_PATIENCE_SECONDS} seconds: {self.question.sql}")
                yield
            finally:
                self._over.set()
            reading.result()
        if (self.answers[0].verdict, self.answers[-1].verdict) != ("right", "right"):
            raise RuntimeError(
                f"the table is not whole before or after the change: {self.answers[0]}, {self.answers[-1]}"
            )

    def _read(self) -> None:
        with _workgroup() as workgroup:
            over = False
            while not over:
                over = self._over.is_set()  # before it asks: the last query begins when all is over
                self.answers.append(self.question.asked(workgroup))
                self._begun.set()


@dataclass
class Looks:
    """Asks whenever it is told to, and knows what time it would be had it not asked.

    Attributes:
        question: What it asks.
        workgroup: Where.
        answers: What it got.
        bad_seconds: From the first look that was bad to the first after which none was.
    """

    question: Question
    workgroup: Workgroup
    answers: list[Answer] = field(default_factory=list)
    bad_seconds: float = 0.0
    _looked_for: float = 0.0
    _first_bad: float | None = None

    def look(self, **_event: Any) -> None:
        """Ask once; takes what boto3 hands to whoever listens."""
        answer = self.question.asked(self.workgroup)
        now = answer.began - self._looked_for
        self._looked_for += answer.ended - answer.began
        if answer.verdict != "right" and self._first_bad is None:
            self._first_bad = now
        if answer.verdict == "right" and self._first_bad is not None and self.answers[-1].verdict != "right":
            self.bad_seconds = now - self._first_bad
        self.answers.append(answer)


@cache
def _session() -> boto3.Session:
    """For all that is not counted: a session reads the services' descriptions once, which takes a while."""
    return boto3.Session(region_name=SETTINGS.region)


@contextlib.contextmanager
def _workgroup(session: boto3.Session | None = None, poll_seconds: float = 0.01) -> Iterator[Workgroup]:
    connection = pyathena.connect(
        session=session or _session(),
        region_name=SETTINGS.region,
        schema_name=SETTINGS.database,
        work_group=SETTINGS.workgroup,
        poll_interval=poll_seconds,
        s3_staging_dir="",  # the workgroup says where results go, not a variable of pyathena's
    )
    try:
        yield Workgroup(connection, SETTINGS.workgroup)
    finally:
        connection.client.close()


# --------------------------------------------------------------------------------------------------------- the table


@cache
def old_schema() -> Mapping[str, Any]:
    """The schema of the table before the change, and of all its files."""
    return load_record_types()[TABLE].schema


@cache
def new_schema() -> Mapping[str, Any]:
    """A column more in the middle, and a field more in the middle of a struct."""
    schema = deepcopy(dict(old_schema()))
    priority = {"name": "priority", "type": "int", "default": 0, "doc": "What comes first where not all can be told."}
    schema["fields"].insert(_place(schema["fields"], "artistId"), priority)
    fields = schema["fields"][_place(schema["fields"], "date")]["type"]["fields"]
    cancelled = {"name": "cancelled", "type": ["null", "string"], "default": None, "doc": "When it was cancelled."}
    fields.insert(_place(fields, "deleted"), cancelled)
    return schema


def _place(fields: list[dict[str, Any]], name: str) -> int:
    return [one["name"] for one in fields].index(name)


def objects(partitions: int) -> Iterator[tuple[str, bytes]]:
    """A file of the old schema for each date."""
    bodies = {count: _file(count) for count in (1, 2, 3)}
    for day in _dates(partitions):
        yield f"{LAYOUT.partition_prefix(TABLE, day)}00000.avro", bodies[_rows(day)]


def _file(rows: int) -> bytes:
    body = io.BytesIO()
    fastavro.writer(body, dict(old_schema()), [_row(number) for number in range(rows)])
    return body.getvalue()


def _row(number: int) -> dict[str, Any]:
    stamp = "2020-01-01T08:00:00Z"
    return {
        "type": TABLE,
        "fanId": f"fan-{number}",
        "eventId": "event",
        "saleId": "sale",
        "requestedDateTime": stamp,
        "date": {"requested": stamp, "deleted": stamp if number else None},
        "reference": {"id": f"event_sale_fan-{number}", "timestamp": stamp},
    }


def _rows(day: date) -> int:
    """How many rows a date has: not the same for all, so that rows of another date would be noticed."""
    return day.toordinal() % 3 + 1


def _dates(partitions: int) -> list[date]:
    return [FIRST_DATE + timedelta(days=number) for number in range(partitions)]


def make_table(partitions: int) -> None:
    """The table with its old schema and all partitions; beside it, the one that dbt-athena swaps in."""
    glue = _session().client("glue")
    for name, schema in ((TABLE, old_schema()), (BESIDE, new_schema())):
        with contextlib.suppress(glue.exceptions.EntityNotFoundException):
            glue.delete_table(DatabaseName=SETTINGS.database, Name=name)
        table = table_input(name, schema, LAYOUT.table_location(TABLE))
        glue.create_table(DatabaseName=SETTINGS.database, TableInput=table)
        wanted = [partition_input(table, day, LAYOUT.partition_location(TABLE, day)) for day in _dates(partitions)]
        for start in range(0, partitions, WRITE_BATCH):
            answer = glue.batch_create_partition(
                DatabaseName=SETTINGS.database, TableName=name, PartitionInputList=wanted[start : start + WRITE_BATCH]
            )
            if answer.get("Errors"):
                raise RuntimeError(f"the table could not be made: {answer['Errors']}")


def _make_sure_it_was_changed(name: str, question: Question) -> None:
    """The new columns can be asked for, of every row; a contender that changed nothing would disturb nobody."""
    rows = sum(count for _, count, _ in question.rows)
    sql = f'SELECT count(*), count(priority), sum(priority), count("date".cancelled) FROM {TABLE}'
    try:
        with _workgroup() as workgroup:
            found = workgroup.rows(sql)
    except QueryFailedError as error:
        raise RuntimeError(f"{name} did not change the table: {error}") from error
    if found != ((rows, rows, 0, 0),):
        raise RuntimeError(f"{name} did not change the table: {sql} answers {found}")


# -------------------------------------------------------------------------------------------------------- contenders


def _in_place(counted: CountedSession, settings: Settings, _partitions: int) -> None:
    _applied(counted, settings, "auto", "changed")


def _recreated(counted: CountedSession, settings: Settings, _partitions: int) -> None:
    # Somebody's approval takes longer than anything that is measured here.
    approved = settings.model_copy(
        update={"schema_changes": settings.schema_changes.model_copy(update={"approve_breaking": False})}
    )
    _applied(counted, approved, "recreate", "recreated")


def _applied(counted: CountedSession, settings: Settings, strategy: str, outcome: str) -> None:
    with _workgroup(counted.session, poll_seconds=0.5) as workgroup:  # as the DAG asks
        report = apply_schema_changes.run(
            settings,
            {TABLE: replace(load_record_types()[TABLE], schema=new_schema())},
            Catalog(counted.client("glue"), settings.database),
            Bucket(counted.client("s3"), settings.bucket),
            lambda: workgroup,
            run_id="bench",
            strategy=strategy,
        )
    if report.outcomes != {TABLE: outcome}:
        raise RuntimeError(f"the table was not changed: {report.summary}")


def _terraform(counted: CountedSession, settings: Settings, partitions: int) -> None:
    replace_like_terraform(counted.plain_client("glue"), settings, _new_table(), _dates(partitions))


def _dbt_athena(counted: CountedSession, settings: Settings, _partitions: int) -> None:
    swap_like_dbt_athena(counted.plain_client("glue"), settings.database, BESIDE, TABLE)


def _new_table() -> TableInputTypeDef:
    return table_input(TABLE, new_schema(), LAYOUT.table_location(TABLE))


CONTENDERS: Final[dict[str, Callable[[CountedSession, Settings, int], None]]] = {
    "apply_schema_changes": _in_place,
    "apply_schema_changes, recreate": _recreated,
    "Terraform": _terraform,
    "dbt-athena": _dbt_athena,
}
