"""What the last recorded comparison found, kept in ``verdicts.json`` and shown in the README."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.trino.judge import counts, table


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.trino.judge import Verdicts

RECORD = Path(__file__).with_name("verdicts.json")
README = Path(__file__).resolve().parents[2] / "README.md"
_BEGIN, _END = "<!-- verdicts: written by make conformance-trino PYTEST=--record -->", "<!-- end of verdicts -->"


def record(verdicts: Verdicts) -> None:
    """Write what was found today into the record and the README."""
    found = {"on": f"{datetime.now(UTC):%Y-%m-%d}", "counts": [[*key, *row] for key, row in counts(verdicts).items()]}
    RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    README.write_text(placed_into(README.read_text(encoding="utf-8"), found), encoding="utf-8")


def placed_into(readme: str, found: Mapping[str, Any]) -> str:
    """The README with its table of verdicts replaced.

    Raises:
        ValueError: The README lacks the two marks between which the table stands.
    """
    if _BEGIN not in readme or _END not in readme:
        raise ValueError(f"README.md: expected the marks {_BEGIN} and {_END}")
    between = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    return between.sub(lambda _: f"{_BEGIN}\n{rendered(found)}\n{_END}", readme)


def rendered(found: Mapping[str, Any]) -> str:
    """The counts as Markdown, with the day on which they were found."""
    shown = table({(release, group): tuple(row) for release, group, *row in found["counts"]}, "github")
    return f"{shown}\n\nCompared on {found['on']}."
