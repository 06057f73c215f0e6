"""What the engine asks of the catalog and the objects: nothing that the query does not need."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from local.athena.duck import Duck
from local.athena.engine.cache import DecodedCache
from local.athena.errors import QueryCancelled, QueryError
from local.athena.queries import Cancellation, QueryResult, QueryRunner
from tests.integration.local_athena.in_memory import LOCATION, MemoryCatalog, MemoryObjects, container


if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2025, 6, 1, 12)  # noqa: DTZ001 - UTC, as the engine takes it
DAYS = [str(date(2025, 6, 1) + timedelta(days=offset)) for offset in range(10)]


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    """One engine for all tests."""
    made = Duck()
    yield made
    made.close()


@pytest.fixture
def objects() -> MemoryObjects:
    """Two files of three rows a day."""
    made = MemoryObjects()
    for day in DAYS:
        for name in ("a", "b"):
            rows = [{"id": f"{day}-{name}-{number}", "n": number} for number in range(3)]
            made.content[f"{LOCATION}partition_date={day}/{name}.avro"] = container(rows)
    return made


@pytest.fixture
def runner(objects: MemoryObjects, duck: Duck) -> QueryRunner:
    """Queries over all days, decoded anew for each test."""
    return QueryRunner(MemoryCatalog(DAYS), objects, duck, DecodedCache())


def _run(runner: QueryRunner, query: str) -> QueryResult:
    return runner.run(query, "db", NOW)


def test_partitions_are_listed_in_one_sweep(runner: QueryRunner, objects: MemoryObjects) -> None:
    assert _run(runner, "SELECT count(*) FROM rows").rows == [(60,)]
    assert objects.listed == [f"{LOCATION}partition_date=2025-06-"]


def test_only_the_files_of_partitions_that_can_match_are_opened(runner: QueryRunner, objects: MemoryObjects) -> None:
    found = _run(runner, "SELECT count(*) FROM rows WHERE partition_date = '2025-06-05'")
    assert found.rows == [(6,)]
    assert {uri.split("/")[-2] for uri in objects.opened} == {"partition_date=2025-06-05"}
    assert found.scanned_bytes == sum(len(objects.content[uri]) for uri in objects.opened)


def test_a_day_that_is_the_beginning_of_another_is_not_confused_with_it(duck: Duck) -> None:
    objects = MemoryObjects(
        {
            f"{LOCATION}partition_date=1/a.avro": container([{"id": "one", "n": 1}]),
            f"{LOCATION}partition_date=10/a.avro": container([{"id": "ten", "n": 1}]),
        }
    )
    found = _run(QueryRunner(MemoryCatalog(["1"]), objects, duck), "SELECT id FROM rows")
    assert found.rows == [("one",)]


def test_what_was_decoded_is_kept_until_a_file_changes(runner: QueryRunner, objects: MemoryObjects) -> None:
    query = "SELECT sum(n) FROM rows WHERE partition_date = '2025-06-01'"
    first = _run(runner, query)
    opened = len(objects.opened)
    assert _run(runner, query).scanned_bytes == first.scanned_bytes  # Athena has no such cache
    assert len(objects.opened) == opened
    objects.content[f"{LOCATION}partition_date=2025-06-01/a.avro"] = container([{"id": "new", "n": 100}])
    assert _run(runner, query).rows == [(103,)]
    objects.content[f"{LOCATION}partition_date=2025-06-01/c.avro"] = container([{"id": "more", "n": 1000}])
    assert _run(runner, query).rows == [(1103,)]


def test_the_cache_is_bounded(objects: MemoryObjects, duck: Duck) -> None:
    runner = QueryRunner(MemoryCatalog(DAYS), objects, duck, DecodedCache(capacity=1))
    for _ in range(2):
        assert _run(runner, "SELECT count(*), sum(n) FROM rows").rows == [(60, 60)]
    assert len(objects.opened) == 2 * len(objects.content)


def test_ten_thousand_partitions_are_planned_for_one(duck: Duck) -> None:
    days = [str(date(2000, 1, 1) + timedelta(days=offset)) for offset in range(10_000)]
    objects = MemoryObjects({f"{LOCATION}partition_date={days[-1]}/a.avro": container([{"id": "a", "n": 1}])})
    runner = QueryRunner(MemoryCatalog(days), objects, duck)
    assert _run(runner, f"SELECT id FROM rows WHERE partition_date >= '{days[-1]}'").rows == [("a",)]
    assert _run(runner, "SELECT count(*) FROM rows").rows == [(1,)]
    assert len(objects.listed) == 2


def test_a_column_that_an_outer_query_does_not_use_is_not_read(duck: Duck) -> None:
    lacking = {"type": "record", "name": "row", "fields": [{"name": "id", "type": "string"}]}
    objects = MemoryObjects({f"{LOCATION}partition_date=1/a.avro": container([{"id": "a", "n": 1}])})
    runner = QueryRunner(MemoryCatalog(["1"], lacking), objects, duck)
    assert _run(runner, "SELECT id FROM (SELECT * FROM rows)").rows == [("a",)]
    with pytest.raises(QueryError, match="cannot find field n"):
        _run(runner, "SELECT * FROM rows")


def test_a_file_that_breaks_off_fails_the_query(runner: QueryRunner, objects: MemoryObjects) -> None:
    uri = f"{LOCATION}partition_date=2025-06-01/a.avro"
    objects.content[uri] = objects.content[uri][:-5]
    with pytest.raises(QueryError, match=r"HIVE_CURSOR_ERROR: Failed to read Avro file: a\.avro"):
        _run(runner, "SELECT count(*) FROM rows")


def test_a_codec_that_is_not_known_here_is_refused(runner: QueryRunner, objects: MemoryObjects) -> None:
    uri = f"{LOCATION}partition_date=2025-06-01/a.avro"
    objects.content[uri] = objects.content[uri].replace(b"\x08null", b"\x08brot")
    with pytest.raises(QueryError, match="NOT_SUPPORTED: Avro codec brot"):
        _run(runner, "SELECT count(*) FROM rows")


def test_a_query_that_was_stopped_before_it_reads_does_not_read(runner: QueryRunner, objects: MemoryObjects) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(QueryCancelled):
        runner.run("SELECT count(*) FROM rows", "db", NOW, cancellation=cancellation)
    assert objects.opened == []


def test_text_that_looks_like_a_column_of_ours_is_only_text(runner: QueryRunner) -> None:
    found = _run(runner, "SELECT count(*) FROM rows WHERE partition_date = 'r1.k0' OR partition_date || 'r1.k0' = 'x'")
    assert found.rows == [(0,)]


def test_the_engine_reaches_no_file_of_this_machine(duck: Duck) -> None:
    cursor = duck.cursor(NOW)
    with pytest.raises(Exception, match=r"(?i)disabled by configuration|permission"):
        cursor.execute("SELECT * FROM read_csv('/etc/passwd')")
    cursor.close()
