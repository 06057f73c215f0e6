"""What a verdict on a partition costs, beside Great Expectations and Soda on Athena.

Three questions, of the table ``demand`` whose rows are all sound (:mod:`bench.quality_world`):

* **One large partition** in Athena, where the engine is ``athena``: statements, bytes that they scan, seconds. Beside
  it Great Expectations' SQL source with a query for an asset, and a contract of Soda's. They get less to check: see
  :mod:`bench.quality_peers`. Ours also reads the table ``event`` whole, to find rows whose event is not there; those
  bytes are said apart. Seconds are those of the check with its page and result written, all libraries loaded.
* **Many small partitions** in one run, from a fresh process with nothing loaded to the last verdict: ours looks first,
  and checks chunk after chunk in that one process, although the DAG checks several at once. Great Expectations gets the
  first of the same partitions; its seconds after loading are scaled, and the figure says so.
* **Memory** of the engine ``memory`` for a partition of the largest size that it gets (``quality.memory_megabytes``),
  in a process of its own that has checked a small partition before, so that all libraries are loaded: the highest that
  Linux has seen the process hold (VmHWM) less what it held before (VmRSS).

Everybody asks the local Athena 20 times a second whether a statement is done, which it is at once: no statement on AWS
is as quick. Therefore the many partitions are checked once more with PyAthena's own pause, a second, which everybody
has who sets no other. Statements and bytes are what Athena's own history says. The local Athena counts every file that
a statement is about; on AWS a ``LIMIT`` may end a scan early, so two of Great Expectations' statements, which look for
rows that there are, may scan less there.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar

from bench import quality_world
from bench.local_account import aws_in_another_process
from bench.quality_peers import SODA, SodaError, soda_contract, validate_with_great_expectations, verify_with_soda
from bench.quality_world import POLL_SECONDS, SETTINGS, TABLE, History
from dmd_pipeline.jobs import expectation_library
from dmd_pipeline.jobs.check_data_quality import look
from dmd_pipeline.jobs.partition_checks import Engine, check
from dmd_pipeline.quality_documents import Judgement


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from dmd_pipeline.jobs.quality_reports import CheckReport


OURS: Final = "check_data_quality"
GREAT_EXPECTATIONS: Final = "Great Expectations"
MEGABYTE: Final = 2**20

_Found = TypeVar("_Found")


class CheckFigures(TypedDict):
    """Checks of some partitions: statements in Athena, the bytes that these scanned, and seconds."""

    queries: int
    scanned_bytes: int
    seconds: float


class OneFigures(TypedDict):
    """A large partition in Athena, by contender.

    ``referenced_bytes`` are those of the other table, which only we read. ``without`` says of a contender that could
    not be measured why.
    """

    rows: int
    rounds: int
    partition_bytes: int
    referenced_bytes: int
    checks: dict[str, CheckFigures]
    without: dict[str, str]


class ManyFigures(TypedDict):
    """Many small partitions in one run, by contender; ``peer_partitions`` of them for Great Expectations.

    ``poll_seconds`` lie between two questions whether a statement is done. ``peer_seconds_measured`` are those of its
    partitions, before they were scaled to all; its statements and bytes are of its partitions only.
    """

    partitions: int
    rows_each: int
    peer_partitions: int
    poll_seconds: float
    peer_seconds_measured: float
    checks: dict[str, CheckFigures]


class MemoryFigures(TypedDict):
    """The in-memory engine: the partition that it gets, and its peak beyond what the libraries take."""

    rows: int
    partition_megabytes: float
    peak_megabytes: float
    libraries_megabytes: float
    seconds: float


class QualityFigures(TypedDict):
    """What verdicts cost."""

    one: OneFigures
    many: ManyFigures
    many_as_by_default: ManyFigures
    memory: MemoryFigures


def measure(rows: int = 20_000, rounds: int = 3, partitions: int = 100, rows_each: int = 500) -> QualityFigures:
    """Make the partitions, and measure everybody on the same."""
    with aws_in_another_process(_nothing):
        quality_world.make_tables()
        one = one_partition(rows, rounds)
        days = small_partitions(partitions, rows_each)
        return {
            "one": one,
            "many": many_partitions(days, rows_each, peer_partitions=10),
            "many_as_by_default": many_partitions(days, rows_each, peer_partitions=5, poll_seconds=1.0),
            "memory": memory(SETTINGS.quality.memory_megabytes * MEGABYTE),
        }


# ---------------------------------------------------------------------------------------------- one large partition


def one_partition(rows: int, rounds: int) -> OneFigures:
    """Check a partition in Athena, in every contender's way; needs the tables."""
    (day,) = quality_world.dates(1)
    size = quality_world.fill([day], rows)
    checks = {name: _in_a_process(_checked_in_athena, name, day, rounds) for name in (OURS, GREAT_EXPECTATIONS)}
    without = {}
    try:
        checks[SODA] = _checked_by_soda(day, rounds)
    except SodaError as error:
        without[SODA] = str(error)
    return {
        "rows": rows,
        "rounds": rounds,
        "partition_bytes": size,
        "referenced_bytes": quality_world.stored_bytes(quality_world.REFERENCED),
        "checks": checks,
        "without": without,
    }


def _checked_in_athena(name: str, day: date, rounds: int) -> CheckFigures:
    expectation_library.load()
    import great_expectations  # noqa: F401 # all of it: the peer's seconds hold no import either

    contender = {OURS: _check_in_athena, GREAT_EXPECTATIONS: validate_with_great_expectations}[name]
    return _alike([_figures(lambda: contender([day])) for _ in range(rounds)])


def _check_in_athena(days: Sequence[date]) -> None:
    _check({TABLE: [day.isoformat() for day in days]}, Engine.ATHENA)


def _checked_by_soda(day: date, rounds: int) -> CheckFigures:
    history = History()
    run = verify_with_soda(day, rounds)
    asked = history.since()
    contract = soda_contract(TABLE, day)
    checks = len(contract["checks"]) + sum(len(column["checks"]) for column in contract["columns"])
    if (run["checks"], run["passed"]) != (checks, True):
        raise RuntimeError(f"Soda made {run['checks']} of {checks} checks, all passed: {run['passed']}")
    return {
        "queries": asked.queries // rounds,
        "scanned_bytes": asked.scanned_bytes // rounds,
        "seconds": round(statistics.median(run["seconds"]), 2),
    }


def _alike(runs: Sequence[CheckFigures]) -> CheckFigures:
    """The run of the median seconds; what Athena is asked is the same in all of them."""
    if len({(run["queries"], run["scanned_bytes"]) for run in runs}) != 1:
        raise RuntimeError(f"the same check asks this and that: {runs}")
    return sorted(runs, key=lambda run: run["seconds"])[len(runs) // 2]


# ---------------------------------------------------------------------------------------------- many small partitions


def small_partitions(count: int, rows_each: int) -> list[date]:
    """Make small partitions; needs the tables."""
    days = quality_world.dates(count, start=1)
    quality_world.fill(days, rows_each)
    return days


def many_partitions(
    days: Sequence[date], rows_each: int, *, peer_partitions: int, poll_seconds: float = POLL_SECONDS
) -> ManyFigures:
    """Look at partitions and check them, from a fresh process on.

    Args:
        days: Of the partitions.
        rows_each: Rows of each.
        peer_partitions: How many of them Great Expectations gets.
        poll_seconds: Between two questions whether a statement is done.
    """
    ours = _in_a_process(_looked_and_checked, days, poll_seconds)
    loading, theirs = _in_a_process(_loaded_and_validated, days[:peer_partitions], poll_seconds)
    measured = theirs["seconds"]
    scaled = loading + (measured - loading) * len(days) / peer_partitions
    return {
        "partitions": len(days),
        "rows_each": rows_each,
        "peer_partitions": peer_partitions,
        "poll_seconds": poll_seconds,
        "peer_seconds_measured": measured,
        "checks": {OURS: ours, GREAT_EXPECTATIONS: {**theirs, "seconds": round(scaled, 2)}},
    }


def _looked_and_checked(days: Sequence[date], poll_seconds: float) -> CheckFigures:
    return _figures(lambda: _look_and_check(days, poll_seconds))


def _look_and_check(days: Sequence[date], poll_seconds: float) -> None:
    now = datetime.now(UTC)
    with quality_world.environment() as environment:
        seen = look(
            environment, now=now, today=now.date(), tables=[TABLE], from_date=min(days), to_date=max(days), force=True
        )
    chunks = seen.as_data()["chunks"]
    if seen.errors or sum(len(chunk[TABLE]) for chunk in chunks) != len(days):
        raise RuntimeError(f"not all partitions of the benchmark were found: {seen.summary}")
    for chunk in chunks:
        _check(chunk, Engine.AUTO, poll_seconds)


def _loaded_and_validated(days: Sequence[date], poll_seconds: float) -> tuple[float, CheckFigures]:
    """The seconds that loading takes, and what all of it takes."""
    history = History()
    started = time.perf_counter()
    expectation_library.load()
    import great_expectations  # noqa: F401 # all of it

    loaded = time.perf_counter()
    validate_with_great_expectations(days, poll_seconds)
    seconds = time.perf_counter() - started
    asked = history.since()
    figures: CheckFigures = {
        "queries": asked.queries,
        "scanned_bytes": asked.scanned_bytes,
        "seconds": round(seconds, 2),
    }
    return loaded - started, figures


# ---------------------------------------------------------------------------------------------- memory


def memory(size: int) -> MemoryFigures:
    """Check a partition of about so many bytes in memory, in a process of its own; needs the tables."""
    small, large = quality_world.dates(2, start=1000)
    row_count = quality_world.rows_within(size)
    quality_world.fill([small], row_count=100)
    stored = quality_world.fill([large], row_count)
    if not size * 0.97 <= stored <= size:
        raise RuntimeError(f"the partition of the benchmark has {stored} bytes instead of about {size}")
    before, peak, seconds = _in_a_process(_peak, small, large)
    return {
        "rows": row_count,
        "partition_megabytes": round(stored / MEGABYTE, 1),
        "peak_megabytes": round((peak - before) / MEGABYTE, 1),
        "libraries_megabytes": round(before / MEGABYTE, 1),
        "seconds": round(seconds, 2),
    }


def _peak(small: date, large: date) -> tuple[int, int, float]:
    """What the process holds before the large partition, the most that it ever held, and the large one's seconds."""
    _check({TABLE: [small.isoformat()]}, Engine.MEMORY)
    before = _status("VmRSS")
    started = time.perf_counter()
    _check({TABLE: [large.isoformat()]}, Engine.MEMORY)
    return before, _status("VmHWM"), time.perf_counter() - started


def _status(name: str) -> int:
    """A figure of this process in bytes, as Linux has it; getrusage would count a parent's memory, too."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"Linux does not say {name}")


# ---------------------------------------------------------------------------------------------- what all use


def _check(chunk: dict[str, list[str]], engine: Engine, poll_seconds: float = POLL_SECONDS) -> None:
    """Check a chunk; every partition must pass, for another verdict may cost something else."""
    found: list[CheckReport] = []
    with quality_world.environment(poll_seconds) as environment:
        check(environment, chunk, run_id="bench", engine=engine, forced=True, report_to=found.append)
    results = [one.result for one in found[0].checked]
    if len(results) != sum(map(len, chunk.values())):
        raise RuntimeError(f"{len(results)} partitions were checked")
    if wrong := [result for result in results if result.verdict is not Judgement.PASSED]:
        raise RuntimeError(f"a partition of the benchmark does not pass: {wrong[0]}")


def _figures(run: Callable[[], None]) -> CheckFigures:
    history = History()
    started = time.perf_counter()
    run()
    seconds = time.perf_counter() - started
    asked = history.since()
    return {"queries": asked.queries, "scanned_bytes": asked.scanned_bytes, "seconds": round(seconds, 2)}


def _in_a_process(function: Callable[..., _Found], *arguments: Any) -> _Found:
    """Call a function of this module in a fresh interpreter, which inherits the variables of the environment."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def _nothing() -> Iterator[tuple[str, bytes]]:
    yield from ()
