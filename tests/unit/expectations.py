"""Expectation suites for the tests: files of one's own, and what Great Expectations itself makes of a suite."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from dmd_pipeline.settings import INCLUDE


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dmd_pipeline.expectations import Suite


def entry(
    name: str,
    kind: str,
    /,
    *,
    severity: str = "critical",
    notes: str = "It holds.",
    meta: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> dict[str, Any]:
    """An expectation as it stands in a file, its arguments by keyword."""
    return {"type": kind, "kwargs": kwargs, "severity": severity, "notes": notes, "meta": {"id": name, **(meta or {})}}


def include_with(folder: Path, table: str, content: str | Sequence[Mapping[str, Any]]) -> Path:
    """A copy of the record types there are, in which a table has another suite: a file's text, or expectations."""
    for name in ("schemas", "record_types", "expectations"):
        shutil.copytree(INCLUDE / name, folder / name, dirs_exist_ok=True)
    text = content if isinstance(content, str) else json.dumps({"name": table, "expectations": list(content)})
    (folder / "expectations" / f"{table}.json").write_text(text, encoding="utf-8")
    return folder


def given_to_great_expectations(suite: Suite) -> Any:
    """A suite as Great Expectations takes it; refused when it knows no such expectation or argument."""
    from dmd_pipeline.jobs import expectation_library  # here, for it takes seconds

    expectation_library.load()
    import great_expectations

    return great_expectations.ExpectationSuite(**suite.config)
