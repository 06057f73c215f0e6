"""The README's figures are those of bench/results.json, word for word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import figures


README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_shows_the_figures_that_were_measured() -> None:
    """If this fails, run ``make bench``: figures are not edited by hand."""
    results = json.loads(figures.RESULTS.read_text(encoding="utf-8"))
    text = README.read_text(encoding="utf-8")
    assert figures.rendered(results) in text
    assert figures.placed_into(text, results) == text


def test_every_bench_has_its_rows_in_the_table() -> None:
    results = json.loads(figures.RESULTS.read_text(encoding="utf-8"))
    assert {"registration", "delivery", "parsing", "demo", "measured"} <= results.keys()


def test_a_readme_without_room_for_the_figures_is_refused() -> None:
    with pytest.raises(ValueError, match=r"README\.md: expected the marks"):
        figures.placed_into("# Title", {"measured": {}})
