"""Summaries of what is known of partitions, as they are read and written."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from dmd_pipeline.quality_documents import BrokenDocumentError, Summary


CONTENT = "0123456789abcdef"
OTHER = "fedcba9876543210"
SUITE = "00112233aabbccdd"
KEY = "data-pipeline/quality/summaries/demand/2026.json"


def seen(**changed: Any) -> dict[str, Any]:
    usual = {"files": 3, "bytes": 100, "newest": "2026-03-01T20:15:00Z", "content": CONTENT, "registered": True}
    return usual | changed


def verdict(**changed: Any) -> dict[str, Any]:
    usual = {
        "verdict": "passed",
        "checked_at": "2026-03-01T21:00:00.000Z",
        "content": CONTENT,
        "suite": SUITE,
        "rows": 1200,
        "failed": [],
        "warned": [],
        "reason": None,
        "observed": {"fan_present": 0.0, "usual_rows": None},
        "engine": "memory",
        "cost": {"queries": 1, "shared_by": 4, "scanned_bytes": 100, "dollars": 0.00001, "seconds": 0.5},
        "result": "data-pipeline/quality/results/demand/2026-03-01/one.json",
        "run_id": "manual",
    }
    return usual | changed


def summary(**changed: Any) -> dict[str, Any]:
    usual = {
        "version": 1,
        "table": "demand",
        "year": 2026,
        "seen_at": "2026-03-01T22:00:00Z",
        "dates": {"2026-03-01": {"seen": seen(), "verdict": verdict()}, "2026-02-28": {"seen": seen()}},
    }
    return usual | changed


def parsed(document: Any) -> Summary:
    return Summary.parse(json.dumps(document).encode(), KEY)


def test_what_is_read_is_what_was_written() -> None:
    read = parsed(summary())

    assert Summary.parse(read.written(), KEY) == read
    assert read.seen_at == datetime(2026, 3, 1, 22, tzinfo=UTC)
    march = read.dates[date(2026, 3, 1)]
    assert march.verdict is not None
    assert (march.verdict.rows, march.verdict.observed) == (1200, {"fan_present": 0.0, "usual_rows": None})
    assert read.dates[date(2026, 2, 28)].verdict is None


def test_the_same_summary_gives_the_same_bytes_whatever_its_order() -> None:
    dates = summary()["dates"]

    assert parsed(summary()).written() == parsed(summary(dates=dict(reversed(dates.items())))).written()


def test_keys_of_a_later_version_are_passed_over() -> None:
    assert parsed(summary(mood="good")) == parsed(summary())


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (summary(version=2), "version"),
        (summary(seen_at="2026-03-01T22:00:00"), "seen_at"),
        (summary(dates={"2026-3-1": {}}), "dates.2026-3-1"),
        (summary(dates={"20260301": {}}), "dates.20260301"),
        (summary(dates={"17": {}}), "dates.17"),
        (summary(dates={"2026-03-01": {"verdict": verdict(verdict="fine")}}), "dates.2026-03-01.verdict.verdict"),
        (summary(dates={"2026-03-01": {"verdict": verdict(suite="../x")}}), "dates.2026-03-01.verdict.suite"),
        (summary(dates={"2026-03-01": {"seen": seen(files=-1)}}), "dates.2026-03-01.seen.files"),
        (summary(dates={"2026-03-01": {"seen": seen(content="x")}}), "dates.2026-03-01.seen.content"),
        ([], ""),
    ],
)
def test_what_is_no_summary_is_told_by_key_and_place(document: Any, place: str) -> None:
    with pytest.raises(BrokenDocumentError) as broken:
        parsed(document)

    assert str(broken.value).startswith(f"broken document: {KEY}: {place}")


def test_half_a_document_is_broken() -> None:
    with pytest.raises(BrokenDocumentError, match=KEY):
        Summary.parse(b'{"version": 1, "ta', KEY)
