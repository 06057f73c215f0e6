"""What it costs to let old partitions leave and to delete their files, beside doing it by hand, one after the other.

One table, 1,000 partitions of 100 small Avro files, all of them expired. *Ours* is ``drop_expired_partitions`` as its
DAG runs it: the plan, which somebody approves, and the run that carries it out; then, the grace period later, the same
again for the deletion. All calls and seconds of the four are added up. It is measured twice: with a verdict on each
partition, which says how many rows it has, and for fewer partitions without any, where every file has to be read.

The peer is what people type: ``ALTER TABLE … DROP PARTITION`` and ``aws s3 rm --recursive``
(:func:`bench.peers.drop_one_by_one`). It writes no manifest and looks at nothing: nobody can undo it. It works on a few
of the partitions, and its figures are scaled to all of them. Athena is asked every 50 ms whether a statement is done.

Calls are counted by the client, so that retries would count too; seconds are those of the clock on the wall. The AWS is
the local one, in a process of its own, for each of them another with the same content. It answers within a few
milliseconds, so that seconds are mostly work: reading what 1,000 versions a page tell, for one. On AWS the number of
calls decides, and how many are made at once. A second comparison, of 200 partitions, adds 50 ms to every call, which is
an assumption and not a measurement of AWS.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, TypedDict

import pyathena

from bench import quality_world
from bench.local_account import CountedSession, aws_in_another_process
from bench.peers import drop_one_by_one
from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.delivery import container
from dmd_pipeline.hive import table_input
from dmd_pipeline.jobs import drop_expired_partitions, register_partitions
from dmd_pipeline.jobs.drop_expired_partitions import Dropper
from dmd_pipeline.jobs.partition_checks import DAG_ID
from dmd_pipeline.jobs.quality_store import QualityStore
from dmd_pipeline.parameters import DateRange
from dmd_pipeline.quality_documents import Cost, Judgement, Result
from dmd_pipeline.quality_plans import seen_in
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.settings import TableRetention, load_settings


if TYPE_CHECKING:
    from collections.abc import Iterator

    from dmd_pipeline.quality_documents import Seen


TABLE: Final = "demand"
FIRST_DATE: Final = date(2020, 1, 1)
NOW: Final = datetime(2026, 1, 1, 3, tzinfo=UTC)
RULES: Final = TableRetention(retention_days=365, mode="enforce")
LOCAL: Final = load_settings("local")
LAYOUT: Final = LOCAL.layout
POLL_SECONDS: Final = quality_world.POLL_SECONDS

_FILE_ROWS: Final = (1, 2, 3)
"""Rows of a partition's first file, second file, and so on, again and again."""


class RunFigures(TypedDict):
    """Calls by operation, and seconds."""

    calls: dict[str, int]
    total_calls: int
    seconds: float


class DelayedFigures(TypedDict):
    """Partitions with verdicts, and ``peer_partitions`` of them by hand, with milliseconds added to each call."""

    partitions: int
    peer_partitions: int
    added_milliseconds: int
    with_verdicts: RunFigures
    by_hand: RunFigures


class RetentionFigures(TypedDict):
    """Partitions that leave and are deleted; ``by_hand`` and ``without_verdicts`` are of ``peer_partitions`` only.

    ``steps`` are those of the partitions with verdicts: the two plans, and what came of each.
    """

    partitions: int
    objects_per_partition: int
    peer_partitions: int
    with_verdicts: RunFigures
    steps: dict[str, RunFigures]
    without_verdicts: RunFigures
    by_hand: RunFigures
    delayed: DelayedFigures


def measure(partitions: int = 1_000, files: int = 100, peer_partitions: int = 100) -> RetentionFigures:
    """Let the partitions of equal tables go: all of them with verdicts, and a few without, and a few by hand."""
    with table(partitions, files) as environment:
        give_verdicts()
        steps = expire(environment)
    with table(peer_partitions, files) as environment:
        without_verdicts = expire(environment)
    with table(peer_partitions, files) as environment:
        by_hand = remove_by_hand(environment, peer_partitions)
    return {
        "partitions": partitions,
        "objects_per_partition": files,
        "peer_partitions": peer_partitions,
        "with_verdicts": together(steps),
        "steps": steps,
        "without_verdicts": together(without_verdicts),
        "by_hand": by_hand,
        "delayed": _measure_delayed(200, files, peer_partitions=20, milliseconds=50),
    }


def _measure_delayed(partitions: int, files: int, *, peer_partitions: int, milliseconds: int) -> DelayedFigures:
    with table(partitions, files) as environment:
        give_verdicts()
        with_verdicts = together(expire(environment, milliseconds / 1000))
    with table(peer_partitions, files) as environment:
        by_hand = remove_by_hand(environment, peer_partitions, milliseconds / 1000)
    return {
        "partitions": partitions,
        "peer_partitions": peer_partitions,
        "added_milliseconds": milliseconds,
        "with_verdicts": with_verdicts,
        "by_hand": by_hand,
    }


def together(steps: dict[str, RunFigures]) -> RunFigures:
    """The sum of some steps."""
    calls: Counter[str] = Counter()
    for step in steps.values():
        calls.update(step["calls"])
    return _figures(calls, sum(step["seconds"] for step in steps.values()))


def _figures(calls: Counter[str], seconds: float) -> RunFigures:
    return {"calls": dict(sorted(calls.items())), "total_calls": calls.total(), "seconds": round(seconds, 2)}


# -------------------------------------------------------------------------------------------------------- contenders


def expire(environment: dict[str, str], delay: float = 0) -> dict[str, RunFigures]:
    """Let all old partitions leave, and delete their objects when the grace period is over.

    Args:
        environment: Variables of an AWS with the table, at which this process is pointed.
        delay: Seconds added to each call.

    Raises:
        RuntimeError: Something is still there.
    """
    counted = CountedSession(environment, delay)
    steps: dict[str, RunFigures] = {}
    for what, now in (("drop", NOW), ("delete", NOW + timedelta(days=RULES.grace_days))):
        dropper = _dropper(counted, now)
        with _measured(counted, steps, f"plan to {what}"):
            report = drop_expired_partitions.run(dropper, load_record_types(), tables=[TABLE])
        approved = {TABLE: report.as_data()["asking"][TABLE]["digest"]}
        with _measured(counted, steps, what):
            drop_expired_partitions.run(
                replace(dropper, approved=approved), load_record_types(), tables=[TABLE], dry_run=False
            )
    _make_sure_all_is_gone()
    return steps


def _dropper(counted: CountedSession, now: datetime) -> Dropper:
    retention = LOCAL.retention.model_copy(update={"tables": {TABLE: RULES}})
    settings = LOCAL.model_copy(update={"retention": retention})
    glue, bucket = Catalog(counted.client("glue"), settings.database), Bucket(counted.client("s3"), settings.bucket)
    return Dropper(settings, glue, bucket, "bench", now=lambda: now)


def remove_by_hand(environment: dict[str, str], partitions: int, delay: float = 0) -> RunFigures:
    """Drop and delete the first partitions as people do; raises as the other one does."""
    counted = CountedSession(environment, delay)
    connection = pyathena.connect(
        session=counted.session,
        region_name=LOCAL.region,
        schema_name=LOCAL.database,
        work_group=LOCAL.workgroup,
        poll_interval=POLL_SECONDS,
        s3_staging_dir="",  # the workgroup says where results go, not a variable of pyathena's
    )
    steps: dict[str, RunFigures] = {}
    with contextlib.closing(connection), _measured(counted, steps, "by hand"):
        drop_one_by_one(connection.cursor(), counted.plain_client("s3"), LOCAL, TABLE, dates(partitions))
    _make_sure_all_is_gone()
    return steps["by hand"]


@contextlib.contextmanager
def _measured(counted: CountedSession, steps: dict[str, RunFigures], step: str) -> Iterator[None]:
    counted.prepare("glue", "s3", "athena")
    counted.calls.clear()
    start = time.perf_counter()
    yield
    steps[step] = _figures(counted.calls, time.perf_counter() - start)


def _make_sure_all_is_gone() -> None:
    with quality_world.environment() as there:
        held = [one["Values"][0] for one in there.glue.partitions(TABLE) if one["Values"][0] < str(NOW.date())]
        left = [one.key for one in there.bucket.objects_below(LAYOUT.table_prefix(TABLE))]
    if held or left:
        raise RuntimeError(f"{len(held)} partitions are still registered, {len(left)} objects still there")


# --------------------------------------------------------------------------------------------------------- the table


@contextlib.contextmanager
def table(partitions: int, files: int) -> Iterator[dict[str, str]]:
    """The variables of an AWS of its own with the table, at which this process is pointed meanwhile."""
    with aws_in_another_process(partial(objects, partitions, files)) as environment:
        make_table(partitions)
        yield environment


def dates(partitions: int) -> list[date]:
    """Those of the table."""
    return [FIRST_DATE + timedelta(days=number) for number in range(partitions)]


def objects(partitions: int, files: int) -> Iterator[tuple[str, bytes]]:
    """The files of all partitions."""
    kind = load_record_types()[TABLE]
    bodies = [container(kind, quality_world.rows(FIRST_DATE, rows), sync_marker=bytes(16)) for rows in _FILE_ROWS]
    for day in dates(partitions):
        for number in range(files):
            yield f"{LAYOUT.partition_prefix(TABLE, day)}{number:05}.avro", bodies[number % len(bodies)]


def make_table(partitions: int) -> None:
    """The table, with all partitions registered whose files are there."""
    with quality_world.environment() as there:
        there.glue.create_table(table_input(TABLE, there.record_types[TABLE].schema, LAYOUT.table_location(TABLE)))
        report = register_partitions.run(
            LOCAL, there.record_types, there.glue, there.bucket, today=NOW.date(), tables=[TABLE]
        )
        held = sum(1 for _ in there.glue.partitions(TABLE))
    if held < partitions:
        raise RuntimeError(f"not all partitions are registered: {report.summary}")


def give_verdicts() -> None:
    """Put down what a check says of sound partitions, in the place and of the form in which it does."""
    with quality_world.environment() as there:
        prefix = LAYOUT.table_prefix(TABLE)
        seen = seen_in(there.bucket.objects_below(prefix), prefix, (), DateRange())
        results = {day: (one, _result(day, one)) for day, one in seen.items()}
        QualityStore(there.bucket, LAYOUT).record_results(TABLE, results, NOW)


def _result(day: date, seen: Seen) -> Result:
    return Result(
        table_name=TABLE,
        partition_date=day,
        verdict=Judgement.PASSED,
        checked_at=NOW,
        rows=rows_in(seen.files),
        files=seen.files,
        bytes=seen.bytes,
        newest=seen.newest,
        content=seen.content,
        suite="0" * 16,
        engine="memory",
        reason=None,
        failed_expectations=(),
        warned_expectations=(),
        expectations=(),
        cost=Cost(queries=1, shared_by=1, scanned_bytes=seen.bytes, dollars=0, seconds=0),
        dag_id=DAG_ID,
        run_id="bench",
    )


def rows_in(files: int) -> int:
    """How many rows a partition of so many files has."""
    return sum(_FILE_ROWS[number % len(_FILE_ROWS)] for number in range(files))
