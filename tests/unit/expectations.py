"""Expectation suites for the tests, loaded by Great Expectations itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dmd_pipeline.settings import INCLUDE


if TYPE_CHECKING:
    from pathlib import Path


def load_suite(name: str, include: Path = INCLUDE) -> Any:
    """The suite of a table; refused by Great Expectations when it knows no such expectation or argument."""
    import great_expectations  # here, for it takes seconds

    content = json.loads((include / "expectations" / f"{name}.json").read_text(encoding="utf-8"))
    return great_expectations.ExpectationSuite(**content)


def columns_of(suite: Any) -> set[str]:
    """The columns that a suite speaks of."""
    columns = (getattr(expectation, "column", None) for expectation in suite.expectations)
    return {column for column in columns if column is not None}
