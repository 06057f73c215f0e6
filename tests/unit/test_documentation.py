"""The documentation: what it links to is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dmd_pipeline import expectation_types
from dmd_pipeline.expectations import load_suite
from dmd_pipeline.quality import State
from tests.documents import blocks_of
from tests.unit.expectations import include_with


ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_of_the_repository(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_assumption_says_where_it_was_decided_and_how_to_find_out() -> None:
    lines = (ROOT / "docs" / "assumptions.md").read_text(encoding="utf-8").splitlines()
    rows = [
        re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("| ") and "| decided in |" not in line
    ]
    assert len(rows) > 20
    for _assumed, decided, how in rows:
        assert "](" in decided
        assert how.strip()


def test_every_example_of_an_expectation_is_one_and_every_type_has_an_example(tmp_path: Path) -> None:
    blocks = [block for block in blocks_of(ROOT / "docs" / "writing-an-expectation.md") if block.language == "json"]
    found = set()
    for number, block in enumerate(blocks):
        suite = load_suite("demand", include_with(tmp_path / str(number), "demand", [json.loads(block.code)]))
        found |= {expectation.type for expectation in suite.expectations}
    every = {value for value in vars(expectation_types).values() if str(value).startswith("expect_")}
    assert found == every


def test_every_state_of_a_partition_is_explained_to_analysts() -> None:
    text = (ROOT / "docs" / "reading-the-reports.md").read_text(encoding="utf-8")
    assert [state for state in State if f"| **{state}** |" not in text] == []
