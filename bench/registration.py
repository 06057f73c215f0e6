"""What registering partitions costs, beside what MSCK REPAIR TABLE does and beside awswrangler.

One table, 10,000 partitions of 20 objects. Each contender starts with an empty table and registers everything, then
runs again with nothing left to do. Calls are counted by the client, so that retries would count too; seconds are those
of the clock on the wall. The AWS is the local one, in a process of its own, the same for all.

The local AWS answers within a few milliseconds, so those seconds are mostly the work of both processes. On AWS a call
takes much longer, and how many are made, and how many at once, decides. A second comparison, of 2,000 partitions, adds
50 ms to every call, which is an assumption and not a measurement of AWS.
"""

from __future__ import annotations

import contextlib
import math
import time
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypedDict

from bench.local_account import CountedSession, aws_in_another_process
from bench.peers import register_with_awswrangler, repair_like_msck
from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.hive import table_input
from dmd_pipeline.jobs import register_partitions
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.settings import load_settings


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


TABLE = "sale"
FIRST_DATE = date(1990, 1, 1)  # so that today and tomorrow are not among the 10,000
SETTINGS = load_settings("local")
LAYOUT = SETTINGS.layout


class RunFigures(TypedDict):
    """One run of one contender: calls by operation, and seconds."""

    calls: dict[str, int]
    total_calls: int
    seconds: float


class DelayedFigures(TypedDict):
    """First registrations with milliseconds added to each call, by contender."""

    partitions: int
    added_milliseconds: int
    first: dict[str, RunFigures]


class RegistrationFigures(TypedDict):
    """A first registration and a run with nothing to do, by contender."""

    partitions: int
    objects_per_partition: int
    rounds: int
    calls_by_the_formula: dict[str, int]
    first: dict[str, RunFigures]
    nothing_to_do: dict[str, RunFigures]
    delayed: DelayedFigures


def measure(partitions: int = 10_000, objects: int = 20, rounds: int = 3) -> RegistrationFigures:
    """Run every contender on an empty table, then again on the full one; ``rounds`` times, the contenders in turn."""
    import awswrangler  # noqa: F401 # so that no contender's seconds hold an import

    first: dict[str, list[RunFigures]] = {name: [] for name in CONTENDERS}
    nothing_to_do: dict[str, list[RunFigures]] = {name: [] for name in CONTENDERS}
    with aws_in_another_process(partial(_objects, partitions, objects)) as environment:
        for _ in range(rounds):
            for name, contender in CONTENDERS.items():
                counted = CountedSession(environment)
                _make_empty_table(counted)
                first[name].append(_figures(contender, counted))
                nothing_to_do[name].append(_figures(contender, counted))
    registered = partitions + SETTINGS.registration.ahead_days + 1
    return {
        "partitions": partitions,
        "objects_per_partition": objects,
        "rounds": rounds,
        "calls_by_the_formula": {
            "first": _pages(partitions) + 1 + 1 + math.ceil(registered / 100) + _pages(registered),
            "nothing_to_do": _pages(partitions) + _pages(registered) + 1,
        },
        "first": {name: _median(runs) for name, runs in first.items()},
        "nothing_to_do": {name: _median(runs) for name, runs in nothing_to_do.items()},
        "delayed": _measure_delayed(partitions=2_000, milliseconds=50),
    }


def _measure_delayed(partitions: int, milliseconds: int) -> DelayedFigures:
    first: dict[str, RunFigures] = {}
    with aws_in_another_process(partial(_objects, partitions, 1)) as environment:
        for name, contender in CONTENDERS.items():
            _make_empty_table(CountedSession(environment))
            first[name] = _figures(contender, CountedSession(environment, milliseconds / 1000))
    return {"partitions": partitions, "added_milliseconds": milliseconds, "first": first}


def _pages(items: int) -> int:
    return math.ceil(items / 1000)


def _median(runs: list[RunFigures]) -> RunFigures:
    """The run of the median seconds; the calls are the same in all of them, unless AWS had to be asked again."""
    return sorted(runs, key=lambda run: run["seconds"])[len(runs) // 2]


def _ours(counted: CountedSession) -> None:
    register_partitions.run(
        SETTINGS,
        load_record_types(),
        Catalog(counted.client("glue"), SETTINGS.database),
        Bucket(counted.client("s3"), SETTINGS.bucket),
        today=datetime.now(UTC).date(),
        tables=[TABLE],
    )


def _msck(counted: CountedSession) -> None:
    repair_like_msck(counted.plain_client("s3"), counted.plain_client("glue"), SETTINGS, TABLE)


def _awswrangler(counted: CountedSession) -> None:
    register_with_awswrangler(counted.session, SETTINGS, TABLE)


CONTENDERS: dict[str, Callable[[CountedSession], None]] = {
    "register_partitions": _ours,
    "MSCK REPAIR TABLE": _msck,
    "awswrangler": _awswrangler,
}


def _figures(contender: Callable[[CountedSession], None], counted: CountedSession) -> RunFigures:
    counted.prepare("glue", "s3")
    counted.calls.clear()
    start = time.perf_counter()
    contender(counted)
    seconds = time.perf_counter() - start
    return {
        "calls": dict(sorted(counted.calls.items())),
        "total_calls": counted.calls.total(),
        "seconds": round(seconds, 2),
    }


def _make_empty_table(counted: CountedSession) -> None:
    glue = counted.client("glue")
    with contextlib.suppress(glue.exceptions.EntityNotFoundException):
        glue.delete_table(DatabaseName=SETTINGS.database, Name=TABLE)
    table = table_input(TABLE, load_record_types()[TABLE].schema, LAYOUT.table_location(TABLE))
    glue.create_table(DatabaseName=SETTINGS.database, TableInput=table)


def _objects(partitions: int, objects: int) -> Iterator[tuple[str, bytes]]:
    for day in range(partitions):
        for number in range(objects):
            yield f"{LAYOUT.partition_prefix(TABLE, FIRST_DATE + timedelta(days=day))}{number:05}.avro", b""
