"""Keys and locations: what is built can be taken apart again, and nothing else is taken for a partition."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.failed_batches import BatchId
from dmd_pipeline.layout import (
    Layout,
    delivered_at,
    partition_date_of,
    replayed_batch,
    same_location,
    secured_batch,
)


LAYOUT = Layout("bucket", "data-pipeline")
UNIQUE = UUID("6b1c1d9a-3b0a-4c3e-9f0e-0d5d6f1f2a3b")
NOW = datetime(2025, 6, 15, 1, 2, 3, tzinfo=UTC)


@given(st.dates())
def test_the_folder_of_a_partition_gives_its_date_back(day: date) -> None:
    """Every date that Python knows, the year 1 included: four digits are always written."""
    prefix = LAYOUT.partition_prefix("demand", day)
    assert prefix.startswith(LAYOUT.table_prefix("demand"))
    assert partition_date_of(prefix.removeprefix(LAYOUT.table_prefix("demand"))) == day


@given(st.text())
def test_any_other_folder_is_no_partition(text: str) -> None:
    found = partition_date_of(text)
    assert found is None or text == f"partition_date={found.isoformat()}/"


@pytest.mark.parametrize(
    "folder",
    [
        "partition_date=2025-06-01",
        "partition_date=2025-06-01//",
        "partition_date=2025-06-01/\n",
        "partition_date=2025-6-1/",
        "partition_date=20250601/",
        "partition_date=2025-02-30/",
        "partition_date=0000-01-01/",
        "partition_date=2025-06-01T00/",
        "partition_date=\u0662\u0660\u0662\u0665-\u0660\u0666-\u0660\u0661/",  # 2025-06-01 in Arabic digits
        "partition_date=__HIVE_DEFAULT_PARTITION__/",
        "Partition_Date=2025-06-01/",
        "2025-06-01/",
        "",
    ],
)
def test_a_folder_that_only_resembles_a_partition_is_none(folder: str) -> None:
    assert partition_date_of(folder) is None


def test_locations_are_the_documented_ones() -> None:
    day = date(2025, 6, 1)
    assert LAYOUT.table_location("sale") == "s3://bucket/data-pipeline/avro/sale/"
    assert LAYOUT.partition_location("sale", day) == "s3://bucket/data-pipeline/avro/sale/partition_date=2025-06-01/"
    assert LAYOUT.athena_results_location() == "s3://bucket/data-pipeline/athena/results/"


def test_what_lies_in_folders_of_tables_lies_in_the_folder_of_all_tables() -> None:
    folders = {
        LAYOUT.tables_prefix(): LAYOUT.table_prefix("sale"),
        LAYOUT.all_backups_prefix(): LAYOUT.backup_key("sale", NOW),
        LAYOUT.retention_prefix(): LAYOUT.manifest_key("sale", date(2025, 6, 1)),
        LAYOUT.all_quality_summaries_prefix(): LAYOUT.quality_summary_key("sale", 2025),
        LAYOUT.quality_docs_prefix(): LAYOUT.quality_docs_key("sale", date(2025, 6, 1)),
    }
    assert [folder for folder, key in folders.items() if not key.startswith(folder)] == []
    assert len(folders) == 5
    assert all(folder.startswith(LAYOUT.everything_prefix()) for folder in folders)


def test_keys_of_the_delivery_worker_are_the_documented_ones() -> None:
    delivered = LAYOUT.delivered_key("sale", date(2025, 12, 24), NOW, UNIQUE)
    assert delivered == f"data-pipeline/avro/sale/partition_date=2025-12-24/2025-06-15-01-02-03-{UNIQUE}.avro"
    assert LAYOUT.errors_key(NOW, UNIQUE) == f"data-pipeline/errors/2025-06-15-01-02-03-{UNIQUE}.json"
    assert LAYOUT.errors_key(NOW, UNIQUE).startswith(LAYOUT.errors_prefix())


_BATCHES = st.builds(
    lambda folder, ends: BatchId(folder, min(ends), max(ends)),
    st.from_regex(r"[A-Za-z0-9-]{1,60}", fullmatch=True),
    st.tuples(st.integers(0, 2**186), st.integers(0, 2**186)),
)


@given(_BATCHES, st.dates())
def test_the_keys_of_a_failed_batch_give_it_back(batch: BatchId, day: date) -> None:
    """Folders with hyphens, digits and -retry1 among them: the last two numbers are the range."""
    raw, done = (key.removeprefix(LAYOUT.raw_prefix()) for key in (LAYOUT.raw_key(batch), LAYOUT.done_key(batch)))
    assert (secured_batch(raw), secured_batch(done)) == ((batch, False), (batch, True))
    name = LAYOUT.replay_key("demand", day, batch).removeprefix(LAYOUT.partition_prefix("demand", day))
    assert replayed_batch(name) == batch


@pytest.mark.parametrize(
    "name",
    ["", "a/1-2.jsonl", "a/2.jsonl.gz", "1-2.jsonl.gz", "a/b/1-2.jsonl.gz", "a/1-2.done.json.gz", "a_b/1-2.done.json"],
)
def test_another_object_is_no_secured_batch(name: str) -> None:
    assert secured_batch(name) is None


def test_the_workers_files_are_no_replays_and_tell_when_they_were_begun() -> None:
    prefix = LAYOUT.partition_prefix("sale", date(2025, 12, 24))
    name = LAYOUT.delivered_key("sale", date(2025, 12, 24), NOW, UNIQUE).removeprefix(prefix)
    assert replayed_batch(name) is None
    assert delivered_at(name) == NOW
    assert delivered_at("replay-a-1-2.avro") is None
    assert name < "replay-", "who lists from a time on finds all replays as well"


def test_documents_about_failed_batches_are_where_the_documentation_says() -> None:
    batch = BatchId("shardId-000000000001", 17, 20)
    assert LAYOUT.raw_key(batch) == "data-pipeline/replay/raw/shardId-000000000001/17-20.jsonl.gz"
    assert LAYOUT.done_key(batch) == "data-pipeline/replay/raw/shardId-000000000001/17-20.done.json"
    assert LAYOUT.lease_key(batch.lane) == "data-pipeline/replay/leases/shardId-000000000001.json"
    key = LAYOUT.quarantine_key("lost", date(2025, 6, 1), "shardId-000000000001-17-20")
    assert key == "data-pipeline/quarantine/lost/2025-06-01/shardId-000000000001-17-20.json"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("s3://b/t/", "s3://b/t", True),
        ("s3://b/t/", "s3://b/t/", True),
        ("s3://b/t/", "s3://b/T/", False),
        ("s3://b/t/", "s3://c/t/", False),
    ],
)
def test_a_slash_at_the_end_makes_no_other_location(one: str, other: str, *, same: bool) -> None:
    assert same_location(one, other) is same
    assert same_location(other, one) is same
