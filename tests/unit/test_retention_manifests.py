"""Manifests: what is written is read again; whatever is not the manifest of its partition is refused, by its key."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dmd_pipeline.errors import ManifestError
from dmd_pipeline.layout import Layout
from dmd_pipeline.retention_manifests import Manifest, ObjectVersion


LAYOUT = Layout("bucket", "data-pipeline")
DAY = date(2024, 1, 31)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "data-pipeline/avro/demand/partition_date=2024-01-31/a.avro"
MANIFEST = Manifest(
    table="demand",
    partition_date=DAY,
    definition={"Values": ["2024-01-31"], "StorageDescriptor": {"Location": "s3://bucket/x"}, "Parameters": {"a": "1"}},
    objects=(
        ObjectVersion(key=KEY, version="v1", etag='"e"', size=7),
        ObjectVersion(key=KEY[:-6] + "b.avro", version="null", etag='"f"', size=0),
    ),
    rows=3,
    dropped_at=NOON,
    dropped_by="run",
    grace_days=14,
    keep_until=NOON + timedelta(days=30),
)


def read(content: bytes) -> Manifest:
    return Manifest.read(content, LAYOUT, "demand", DAY)


def test_what_is_written_is_read() -> None:
    assert read(MANIFEST.content()) == MANIFEST
    assert MANIFEST.bytes == 7


def test_it_is_kept_until_the_very_moment() -> None:
    ends = NOON + timedelta(days=30)
    assert [MANIFEST.is_kept(now) for now in (ends - timedelta(seconds=1), ends)] == [True, False]
    assert not MANIFEST.model_copy(update={"keep_until": None}).is_kept(NOON)


@pytest.mark.parametrize(("days", "longer"), [(1, 14), (14, 14), (30, 30)])
def test_the_longer_grace_period_counts(days: int, longer: int) -> None:
    assert MANIFEST.grace_ends(days) == NOON + timedelta(days=longer)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff", b"null"])
def test_what_is_no_manifest_is_refused_by_its_key(content: bytes) -> None:
    with pytest.raises(ManifestError, match=r"^data-pipeline/retention/demand/2024-01-31\.json is no manifest: "):
        read(content)


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("version",), 2, "version"),
        (("table",), "event", "is the manifest of event/2024-01-31"),
        (("partition_date",), "2024-02-01", "is the manifest of demand/2024-02-01"),
        (("definition", "Values"), ["2024-02-01"], "definition.Values"),
        (("rows",), -1, "rows"),
        (("dropped_at",), "2026-03-01T12:00:00", "dropped_at"),
        (("grace_days",), 0, "grace_days"),
        (("deleted",), True, "deleted"),
        (("objects", 0, "size"), -1, "objects.0.size"),
        (("objects", 0, "version"), "", "objects.0.version"),
        *(
            (("objects", 1, "key"), key, "is no file of the partition")
            for key in (
                "data-pipeline/avro/demand/partition_date=2024-02-01/a.avro",
                "data-pipeline/avro/event/partition_date=2024-01-31/a.avro",
                "data-pipeline/avro/demand/partition_date=2024-01-31/below/a.avro",
                "data-pipeline/avro/demand/partition_date=2024-01-31/_SUCCESS",
                "data-pipeline/avro/demand/partition_date=2024-01-31/",
                "data-pipeline/avro/demand/partition_date=2024-01-31/../../event/a.avro",
                "a.avro",
            )
        ),
    ],
)
def test_a_wrong_value_is_told(place: tuple[Any, ...], value: Any, told: str) -> None:
    document = json.loads(MANIFEST.content())
    *above, name = place
    holder = document
    for part in above:
        holder = holder[part]
    holder[name] = value
    with pytest.raises(ManifestError) as caught:
        read(json.dumps(document).encode())
    assert told in str(caught.value)
