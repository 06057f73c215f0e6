"""The sample of a table's files against the local AWS: what is found, and what it costs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING, Any

import fastavro
import pytest
from moto.s3.models import s3_backends

from dmd_pipeline.errors import StorageError
from dmd_pipeline.jobs.file_schemas import FileSample, sample


if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.integration.jobs.conftest import World


DAY = date(2025, 6, 1)
NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
OLD: dict[str, Any] = {"type": "record", "name": "Sale", "fields": [{"name": "id", "type": "string"}]}
NEW: dict[str, Any] = {**OLD, "fields": [*OLD["fields"], {"name": "n", "type": ["null", "int"], "default": None}]}


def file_of(schema: dict[str, Any], rows: int = 1, **metadata: str) -> bytes:
    file = BytesIO()
    fastavro.writer(file, schema, [{"id": str(row)} for row in range(rows)], metadata=metadata)
    return file.getvalue()


def put(world: World, day: date, name: str, content: bytes, hours: float = 0) -> str:
    """An object of the table ``sale``, written so many hours after noon; returns its URI."""
    key = world.settings.layout.partition_prefix("sale", day) + name
    stored = s3_backends[world.settings.account_id]["aws"].put_object(world.settings.bucket, key, content)
    stored.last_modified = (NOON + timedelta(hours=hours)).replace(tzinfo=None)
    return world.settings.layout.uri(key)


def look(world: World, dates: Collection[date] = (DAY,), at_most: int = 10, parallel: int = 4) -> FileSample:
    return sample(world.bucket, world.settings.layout, "sale", dates, at_most_partitions=at_most, parallel=parallel)


def test_every_schema_is_told_with_an_example_its_files_and_their_dates(world: World) -> None:
    second, third = DAY + timedelta(days=1), DAY + timedelta(days=2)
    put(world, DAY, "a.avro", file_of(OLD), hours=0)
    put(world, DAY, "b.avro", file_of(OLD), hours=1)
    last_old = put(world, second, "a.avro", file_of(OLD), hours=2)
    put(world, second, "b.avro", file_of(NEW), hours=3)
    last_new = put(world, third, "a.avro", file_of(NEW), hours=4)
    found = look(world, [DAY, second, third])
    new, old = found.schemas
    assert (new.schema["fields"], new.example, new.files) == (NEW["fields"], last_new, 2)
    assert (new.last_written, new.first_date, new.last_date) == (NOON + timedelta(hours=4), second, third)
    assert (old.schema["fields"], old.example, old.files) == (OLD["fields"], last_old, 3)
    assert (old.last_written, old.first_date, old.last_date) == (NOON + timedelta(hours=2), DAY, second)
    assert (found.partitions, found.of_partitions, found.files, found.unreadable) == (3, 3, 5, {})


def test_schemas_that_differ_in_the_order_of_keys_only_are_one(world: World) -> None:
    content = file_of(OLD)
    spelled = content.replace(b'"type": "record", "name": "Sale"', b'"name": "Sale", "type": "record"')
    assert spelled != content
    put(world, DAY, "a.avro", content)
    put(world, DAY, "b.avro", spelled, hours=1)
    assert [schema.files for schema in look(world).schemas] == [2]


def test_the_oldest_and_the_newest_file_are_looked_at_whatever_their_names(world: World) -> None:
    put(world, DAY, "a.avro", file_of(OLD), hours=5)
    newest = put(world, DAY, "b.avro", file_of(NEW), hours=6)
    put(world, DAY, "deeper/c.avro", file_of(OLD), hours=0)
    put(world, DAY, "d.avro", b"never looked at", hours=1)
    found = look(world)
    assert found.schemas[0].example == newest
    assert (found.files, found.unreadable) == (2, {})


def test_of_files_of_one_second_the_key_decides(world: World) -> None:
    first = put(world, DAY, "a.avro", b"first")
    put(world, DAY, "b.avro", b"between")
    last = put(world, DAY, "c.avro", b"last")
    assert set(look(world).unreadable) == {first, last}


@pytest.mark.parametrize("name", ["_temporary/a.avro", ".a.avro", "_a.avro", "deeper/_a.avro", "deeper/"])
def test_what_athena_does_not_read_is_not_looked_at(world: World, name: str) -> None:
    put(world, DAY, name, b"hidden", hours=-1)
    put(world, DAY, "0.avro", b"", hours=-2)
    put(world, DAY, "a.avro", file_of(OLD))
    put(world, DAY, f"{name}.hidden" if not name.endswith("/") else name, b"hidden", hours=1)
    put(world, DAY, "z.avro", b"", hours=2)
    found = look(world)
    assert (found.files, len(found.schemas), found.unreadable) == (1, 1, {})


def test_files_that_are_no_container_files_are_reported_and_stop_nothing(world: World) -> None:
    strange = put(world, DAY, "a.avro", b"PAR1")
    put(world, DAY, "b.avro", file_of(OLD), hours=1)
    cut = put(world, DAY + timedelta(days=1), "a.avro", file_of(OLD)[:50])
    found = look(world, [DAY, DAY + timedelta(days=1)])
    assert (found.files, [schema.files for schema in found.schemas]) == (3, [1])
    assert found.unreadable == {
        strange: "no Avro container file: it does not begin with Obj and a byte of 1",
        cut: "no Avro container file, or cut off: its header goes beyond byte 50",
    }


def test_partitions_without_files_and_tables_without_partitions_show_nothing(world: World) -> None:
    assert look(world) == FileSample(partitions=1, of_partitions=1)
    assert look(world, []) == FileSample()


def test_no_more_partitions_are_looked_at_than_asked_for(world: World) -> None:
    days = [DAY + timedelta(days=number) for number in range(9)]
    for day in days:
        put(world, day, "a.avro", file_of(OLD))
    found = look(world, days, at_most=3)
    assert (found.partitions, found.of_partitions, found.files) == (3, 9, 3)
    assert (found.schemas[0].first_date, found.schemas[0].last_date) == (days[0], days[-1])
    assert world.aws.calls.totals() == {"s3:ListObjectsV2": 3, "s3:GetObject": 3}


@pytest.mark.parametrize("objects", [1, 2, 999, 1000, 1001])
def test_a_partition_costs_what_the_docstring_says(world: World, objects: int) -> None:
    content = file_of(OLD)
    for number in range(objects):
        put(world, DAY, f"{number:04d}.avro", content)
    look(world)
    assert world.aws.calls.totals() == {"s3:ListObjectsV2": ceil(objects / 1000), "s3:GetObject": min(2, objects)}


def test_only_the_beginning_of_a_large_file_is_read_and_more_only_for_a_large_header(world: World) -> None:
    put(world, DAY, "a.avro", file_of(OLD, rows=200_000))
    look(world)
    assert world.aws.calls.count("s3:GetObject") == 1
    put(world, DAY, "b.avro", file_of(OLD, comment="x" * 64 * 1024), hours=1)
    world.aws.calls.clear()
    assert look(world).schemas[0].files == 2
    assert world.aws.calls.count("s3:GetObject") == 3


def test_the_number_of_threads_changes_nothing(world: World) -> None:
    days = [DAY + timedelta(days=number) for number in range(20)]
    for number, day in enumerate(days):
        put(world, day, "a.avro", [file_of(OLD), file_of(NEW), b"strange"][number % 3], hours=number)
    assert look(world, days, at_most=20, parallel=1) == look(world, days, at_most=20, parallel=8)


def test_a_refusal_of_s3_is_an_error(world: World) -> None:
    put(world, DAY, "a.avro", file_of(OLD))
    world.aws.fail("s3:GetObject", code="AccessDenied", status=403)
    with pytest.raises(StorageError, match=r"^cannot read s3://.*/a\.avro: AccessDenied"):
        look(world)
