"""The README's figures are those of bench/results.json, word for word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import figures
from bench.__main__ import BENCHES


README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_shows_the_figures_that_were_measured() -> None:
    """If this fails, run ``make bench``: figures are not edited by hand."""
    results = json.loads(figures.RESULTS.read_text(encoding="utf-8"))
    text = README.read_text(encoding="utf-8")
    assert figures.rendered(results) in text
    assert figures.rendered_readers(results) in text
    assert figures.placed_into(text, results) == text


def test_every_bench_has_its_rows_in_the_table() -> None:
    results = json.loads(figures.RESULTS.read_text(encoding="utf-8"))
    assert {*BENCHES, "measured"} == results.keys()
    assert {*BENCHES} == results["measured"].keys()


def test_readers_noticed_nothing_of_ours() -> None:
    """The aims of issue 4, of the figures as measured at full size."""
    found = json.loads(figures.RESULTS.read_text(encoding="utf-8"))["schema_change"]
    assert found["partitions"] == 1_000
    for kind in (found["reader"], found["looks"], found["delayed"]["reader"]):
        ours, peers = kind["apply_schema_changes"], (kind["Terraform"], kind["dbt-athena"])
        assert (ours["failed"], ours["wrong"]) == (0, 0)
        assert kind["apply_schema_changes, recreate"]["wrong"] == 0
        assert all(peer["failed"] + peer["wrong"] > 0 for peer in peers)


def test_benches_that_were_not_measured_together_say_when_each_was() -> None:
    parsing = {"dag_files": 2, "bare_import_seconds": 4.0, "all_dag_files_seconds": 4.0, "ratio": 1.0}
    demo = {"minutes": 1.0, "seconds_by_step": {"start": 1.0}}
    of = {"python": "3.11.7", "cores": 2}
    measured = {"parsing": {"on": "2026-11-22", **of}, "demo": {"on": "2026-11-23", **of}}
    results = {"parsing": parsing, "demo": demo, "measured": measured}
    assert figures.rendered(results).endswith(
        "\n\nMeasured on 2026-11-22: 2 cores, Python 3.11.7 (parsing); 2026-11-23: 2 cores, Python 3.11.7 (demo)."
    )
    assert figures.rendered_readers(results) == "Not measured yet."


@pytest.mark.parametrize("name", ["figures", "readers"])
def test_a_mark_without_its_end_is_refused(name: str) -> None:
    text = README.read_text(encoding="utf-8").replace(f"<!-- end of {name} -->", "")
    results = json.loads(figures.RESULTS.read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match=f"<!-- {name}: written by make bench --> and <!-- end of {name} -->"):
        figures.placed_into(text, results)


def test_a_readme_without_room_for_the_figures_is_refused() -> None:
    with pytest.raises(ValueError, match=r"README\.md: expected the marks"):
        figures.placed_into("# Title", {"measured": {}})
