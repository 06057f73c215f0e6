"""What the last recorded comparison found, kept in ``verdicts.json`` and shown in the README."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.trino.judge import counts, table


if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.trino.judge import Verdicts

RECORD = Path(__file__).with_name("verdicts.json")
README = Path(__file__).resolve().parents[2] / "README.md"
_BEGIN, _END = "<!-- verdicts: written by make conformance-trino PYTEST=--record -->", "<!-- end of verdicts -->"


def record(verdicts: Verdicts) -> None:
    """Write what was found today into the record and the README; groups that were not compared stay as they were."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    kept = {(release, group): rest for release, group, *rest in _recorded()}
    found = kept | {key: [*row, today] for key, row in counts(verdicts).items()}
    rows = [[*key, *rest] for key, rest in sorted(found.items(), key=lambda one: one[0][0])]
    RECORD.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")
    README.write_text(placed_into(README.read_text(encoding="utf-8"), rows), encoding="utf-8")


def _recorded() -> list[list[Any]]:
    return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else []


def placed_into(readme: str, recorded: Sequence[Sequence[Any]]) -> str:
    """The README with its table of verdicts replaced.

    Raises:
        ValueError: The README lacks the two marks between which the table stands.
    """
    if _BEGIN not in readme or _END not in readme:
        raise ValueError(f"README.md: expected the marks {_BEGIN} and {_END}")
    between = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    return between.sub(lambda _: f"{_BEGIN}\n{rendered(recorded)}\n{_END}", readme)


def rendered(recorded: Sequence[Sequence[Any]]) -> str:
    """The counts as Markdown, with the days on which they were found.

    Args:
        recorded: Release, group, cases that are equal, listed and different, and the day.
    """
    shown = table({(release, group): tuple(row) for release, group, *row, _day in recorded}, "github")
    days = sorted({row[-1] for row in recorded})
    return f"{shown}\n\nCompared on {' and '.join(days)}."
