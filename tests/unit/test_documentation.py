"""The documentation: what it links to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


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
