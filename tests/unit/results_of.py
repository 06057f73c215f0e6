"""Results of checks, for the tests of what becomes of them."""

from __future__ import annotations

from typing import Any

from dmd_pipeline.quality_documents import Result, Verdict
from tests.unit.test_quality_documents import CONTENT, SUITE, verdict


def finding(name: str, **changed: Any) -> dict[str, Any]:
    usual = {
        "id": name,
        "sentence": f"Every row has its {name}.",
        "severity": "fail",
        "passed": False,
        "observed": 50.0,
        "element_count": 1200,
        "unexpected_count": 600,
        "expected": "none unexpected",
        "sample": [{"reference_id": "event-secret", "reference_timestamp": "2026-03-01", "value": "j***@e***"}],
    }
    return usual | changed


def result(word: str = "passed", *names: str, **changed: Any) -> Result:
    """A result, in which expectations of these names fail."""
    usual = {
        "table_name": "demand",
        "partition_date": "2026-03-01",
        "verdict": word,
        "checked_at": "2026-03-01T21:00:00.000Z",
        "rows": 1200,
        "files": 3,
        "bytes": 100,
        "newest": "2026-03-01T20:15:00.000Z",
        "content": CONTENT,
        "suite": SUITE,
        "engine": "memory",
        "reason": "it has files, and no rows" if word == "unknown" else None,
        "failed_expectations": names,
        "warned_expectations": [],
        "expectations": [finding(name) for name in names] + [finding("id", passed=True, observed=None)],
        "cost": verdict()["cost"],
        "dag_id": "check_data_quality",
        "run_id": "manual",
    }
    return Result.model_validate(usual | changed)


def said(word: str, **changed: Any) -> Verdict:
    """A verdict of before."""
    return Verdict.model_validate(verdict(verdict=word, **changed))
