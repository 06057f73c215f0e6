"""Keys and locations: what is built can be taken apart again, and nothing else is taken for a partition."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.layout import Layout, partition_date_of, same_location


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


def test_keys_of_the_delivery_worker_are_the_documented_ones() -> None:
    delivered = LAYOUT.delivered_key("sale", date(2025, 12, 24), NOW, UNIQUE)
    assert delivered == f"data-pipeline/avro/sale/partition_date=2025-12-24/2025-06-15-01-02-03-{UNIQUE}.avro"
    assert LAYOUT.errors_key(NOW, UNIQUE) == f"data-pipeline/errors/2025-06-15-01-02-03-{UNIQUE}.json"
    assert LAYOUT.errors_key(NOW, UNIQUE).startswith(LAYOUT.errors_prefix())


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
