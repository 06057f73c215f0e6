"""Summaries: what they keep of manifests, what they forget, and what is none."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.errors import ManifestError
from dmd_pipeline.layout import Layout
from dmd_pipeline.retention_manifests import Manifest, ObjectVersion
from dmd_pipeline.retention_summaries import Known, Summary


if TYPE_CHECKING:
    from collections.abc import Mapping


LAYOUT = Layout("bucket", "data-pipeline")
DAY, OTHER = date(2024, 2, 29), date(2024, 3, 1)
DROPPED = datetime(2026, 3, 1, 3, tzinfo=UTC)


def manifest(day: date = DAY, **changes: Any) -> Manifest:
    key = f"{LAYOUT.partition_prefix('demand', day)}a.avro"
    known = {
        "table": "demand",
        "partition_date": day,
        "definition": {"Values": [str(day)], "StorageDescriptor": {"Location": "s3://…"}},
        "objects": (ObjectVersion(key=key, version="null", etag='"e"', size=7),),
        "rows": 3,
        "dropped_at": DROPPED,
        "dropped_by": "run",
        "grace_days": 14,
    }
    return Manifest(**{**known, **changes})


def summary(**known: Known) -> Summary:
    return Summary(table="demand", manifests={date.fromisoformat(day): one for day, one in known.items()})


def read(content: bytes) -> Summary:
    return Summary.read(content, LAYOUT, "demand")


def stored(document: Mapping[str, Any]) -> bytes:
    return gzip.compress(json.dumps(document).encode(), mtime=0)


WHOLE = Summary(
    table="demand", manifests={DAY: Known.of(manifest(), '"1"'), OTHER: Known(etag='"2"', deleted_at=DROPPED)}
)


def test_what_is_written_is_read_again_and_the_same_gives_the_same_bytes() -> None:
    assert read(WHOLE.content()) == WHOLE
    assert WHOLE.content() == read(WHOLE.content()).content()


def test_it_speaks_of_manifests_that_are_as_they_were_and_of_no_others() -> None:
    assert WHOLE.of({DAY: '"1"', OTHER: '"2"'}) == WHOLE.manifests
    assert WHOLE.of({DAY: '"another"', OTHER: '"2"'}).keys() == {OTHER}
    assert WHOLE.of({}) == {}


def test_of_what_is_deleted_only_that_is_kept() -> None:
    assert Known.of(manifest(deleted_at=DROPPED), '"1"') == Known(etag='"1"', deleted_at=DROPPED)


def told(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(gzip.decompress(WHOLE.content()))
    document["manifests"][str(DAY)]["manifest"] |= changes
    return document


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no summary: "),
        (b"{}", "is no summary: Not a gzipped file"),
        (WHOLE.content()[:-9], "is no summary: "),
        (gzip.compress(b"[", mtime=0), "is no summary: Invalid JSON"),
        (stored(told() | {"version": 2}), "is no summary: version: Input should be 1"),
        (stored(told() | {"more": 1}), "is no summary: more: Extra inputs are not permitted"),
        (stored(told() | {"table": "event"}), "is the summary of event"),
        (stored(told(rows=-1)), r"is no summary: manifests.2024-02-29.manifest.rows: "),
        (stored(told(table="event")), "is the manifest of event/2024-02-29"),
        (stored(told(partition_date=str(OTHER))), "is the manifest of demand/2024-03-01"),
        (
            stored(told(objects=[{"key": "data-pipeline/avro/demand/x.avro", "version": "1", "etag": "e", "size": 1}])),
            "objects: 'data-pipeline/avro/demand/x.avro' is no file of the partition",
        ),
    ],
    ids=(
        "nothing",
        "no gzip",
        "cut off",
        "no JSON",
        "a later version",
        "a key that nobody knows",
        "another table's",
        "a manifest that is none",
        "a manifest of another table",
        "a manifest of another date",
        "another's objects",
    ),
)
def test_what_is_none_is_refused_with_its_key_and_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(ManifestError, match=f"^data-pipeline/retention/summaries/demand.json.gz:? {why}") as caught:
        read(content)
    assert "is no summary" not in why or "restore its object; without it" in str(caught.value)
