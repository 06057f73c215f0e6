"""Quality documents that no check has made: each state once, and whatever else a page has to show.

They are written as the check writes them, key by key, so that the pages are held to the documents and not to the code
that makes them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dmd_pipeline.expectations import load_suite


if TYPE_CHECKING:
    from collections.abc import Iterable

    from dmd_pipeline.settings import Settings

CONTENT = "c0ffee0000000000"
OTHER = "0ddba11000000000"
SENTENCE = "Every row says which event it belongs to."
STATES = ("passed", "warned", "failed", "unknown", "stale", "unchecked", "unregistered", "empty")


def stamp(when: datetime) -> str:
    """A time as documents hold it."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def cost(**changed: Any) -> dict[str, Any]:
    usual = {"queries": 1, "shared_by": 12, "scanned_bytes": 833_333, "dollars": 0.00000417, "seconds": 0.8}
    return {**usual, **changed}


def expectation(**changed: Any) -> dict[str, Any]:
    """What came of one expectation: it failed, with one failing row."""
    usual = {
        "id": "event_id_present",
        "sentence": SENTENCE,
        "severity": "fail",
        "passed": False,
        "observed": 0.25,
        "element_count": 1200,
        "unexpected_count": 3,
        "expected": "at most 0.1 % unexpected",
        "sample": [
            {"reference_id": "evt-1", "reference_timestamp": "2026-03-01T10:00:00.000Z", "value": "xxx@xxxx.xx"},
        ],
    }
    return {**usual, **changed}


def seen(**changed: Any) -> dict[str, Any]:
    usual = {"files": 3, "bytes": 252_000, "newest": "2026-03-01T20:15:00Z", "content": CONTENT, "registered": True}
    return {**usual, **changed}


@dataclass
class Documents:
    """The documents of one environment, before they are put into its bucket."""

    settings: Settings
    now: datetime
    summaries: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)

    def look_at(self, table: str, day: date) -> dict[str, Any]:
        """The dates that the summary of a table and year holds."""
        suits = {"version": 1, "table": table, "year": day.year, "seen_at": stamp(self.now), "dates": {}}
        dates: dict[str, Any] = self.summaries.setdefault((table, day.year), suits)["dates"]
        return dates

    def enter(self, table: str, day: date, **entry: Any) -> None:
        """Put ``seen`` and ``verdict`` of a partition into a summary."""
        self.look_at(table, day)[day.isoformat()] = entry

    def verdict(self, table: str, day: date, verdict: str = "passed", **changed: Any) -> dict[str, Any]:
        """A verdict on a partition as it is."""
        failed = ["event_id_present"] if verdict == "failed" else []
        warned = ["event_id_present"] if verdict == "warned" else []
        known = verdict != "unknown"
        content, suite = changed.get("content", CONTENT), changed.get("suite", load_suite(table).digest)
        usual = {
            "verdict": verdict,
            "checked_at": stamp(self.now - timedelta(hours=1)),
            "content": content,
            "suite": suite,
            "rows": 1200 if known else None,
            "failed": failed,
            "warned": warned,
            "reason": None if known else "Athena does not read 2 of its files.",
            "observed": {"event_id_present": 0.25 if failed or warned else 0.0} if known else {},
            "engine": "memory" if known else "none",
            "cost": cost(),
            "result": self.settings.layout.quality_result_key(table, day, content, suite),
            "run_id": "manual__2026-03-01T12:00:00+00:00",
        }
        return {**usual, **changed}

    def result(self, table: str, day: date, given: dict[str, Any], *expectations: dict[str, Any]) -> None:
        """Write the result document of a verdict."""
        document = {
            "table_name": table,
            "partition_date": day.isoformat(),
            **{key: given[key] for key in ("verdict", "checked_at", "rows", "content", "suite", "engine", "reason")},
            "files": 3,
            "bytes": 252_000,
            "newest": "2026-03-01T20:15:00Z",
            "failed_expectations": given["failed"],
            "warned_expectations": given["warned"],
            "expectations": list(expectations),
            "cost": given["cost"],
            "dag_id": "check_data_quality",
            "run_id": given["run_id"],
        }
        key = self.settings.layout.quality_result_key(table, day, given["content"], given["suite"])
        self.objects[key] = json.dumps(document).encode()

    def judge(
        self, table: str, day: date, verdict: str = "passed", *expectations: dict[str, Any], **changed: Any
    ) -> None:
        """Give a partition a verdict, with its result; of one expectation when none is named."""
        given = self.verdict(table, day, verdict, **changed)
        self.enter(table, day, seen=seen(), verdict=given)
        passed = {"passed": True, "observed": 0.0, "unexpected_count": 0, "sample": []}
        usual = expectation(
            severity="warn" if verdict == "warned" else "fail", **(passed if verdict == "passed" else {})
        )
        self.result(table, day, given, *(expectations or (usual,)))

    def put_in_state(self, table: str, day: date, state: str) -> None:
        """Make a partition be in a state."""
        if state in {"passed", "warned", "failed", "unknown"}:
            self.judge(table, day, state)
        elif state == "stale":
            self.judge(table, day)
            self.look_at(table, day)[day.isoformat()]["seen"] = seen(content=OTHER)
        elif state == "unchecked":
            self.enter(table, day, seen=seen())
        elif state == "unregistered":
            self.enter(table, day, seen=seen(registered=False))
        else:
            self.enter(table, day, seen=seen(files=0, bytes=0, newest=None))

    def all(self) -> Iterable[tuple[str, bytes]]:
        """Every document, with its key."""
        for (table, year), summary in self.summaries.items():
            yield self.settings.layout.quality_summary_key(table, year), json.dumps(summary).encode()
        yield from self.objects.items()
