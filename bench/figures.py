"""The README's table of figures, made of bench/results.json and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


RESULTS = Path(__file__).resolve().parent / "results.json"
_BEGIN, _END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"


def placed_into(readme: str, results: Mapping[str, Any]) -> str:
    """The README with its table of figures replaced.

    Raises:
        ValueError: The README lacks the two marks between which the table stands.
    """
    if _BEGIN not in readme or _END not in readme:
        raise ValueError(f"README.md: expected the marks {_BEGIN} and {_END}")
    return re.sub(
        f"{re.escape(_BEGIN)}.*?{re.escape(_END)}",
        lambda _: f"{_BEGIN}\n{rendered(results)}\n{_END}",
        readme,
        flags=re.DOTALL,
    )


def rendered(results: Mapping[str, Any]) -> str:
    """The figures as Markdown: what was measured, the figure, its aim, and what it was measured beside."""
    rows = [row for name, rows_of in _ROWS.items() if name in results for row in rows_of(results[name])]
    measured = results["measured"]
    table = tabulate(rows, headers=["what", "ours", "beside", "ratio", "aim"], tablefmt="github", disable_numparse=True)
    return f"{table}\n\nMeasured on {measured['on']}: {measured['cores']} cores, Python {measured['python']}."


def _registration(figures: Mapping[str, Any]) -> Iterator[list[str]]:
    size = f"{figures['partitions']:,} partitions of {figures['objects_per_partition']} objects"
    for key, run, aims in (
        ("first", "first registration", ("≤ 1/20", "faster")),
        ("nothing_to_do", "nothing to do", ("", "faster")),
    ):
        ours = figures[key]["register_partitions"]
        for peer in ("MSCK REPAIR TABLE", "awswrangler"):
            other = figures[key][peer]
            by_msck = peer.startswith("MSCK")
            yield [
                f"{run}, {size}: AWS calls",
                f"{ours['total_calls']:,}",
                f"{other['total_calls']:,} ({peer})",
                _fraction(ours["total_calls"], other["total_calls"]),
                aims[0] if by_msck else "",
            ]
            yield [
                f"{run}: seconds",
                f"{ours['seconds']:.1f}",
                f"{other['seconds']:.1f} ({peer})",
                _fraction(ours["seconds"], other["seconds"]),
                aims[1],
            ]


def _delivery(figures: Mapping[str, Any]) -> Iterator[list[str]]:
    yield [
        "delivery: change records a second",
        f"{figures['delivery_records_per_second']:,}",
        f"{figures['parts_records_per_second']:,} (JSON + TypeDeserializer + fastavro, no validation)",
        f"{figures['ratio']:.2f}",
        "≥ 0.8",
    ]
    yield [
        "delivery: memory growth over all batches",
        f"{figures['growth_kilobytes_over_all_batches']:,.0f} kB",
        f"{figures['peak_megabytes_of_one_batch']:.1f} MB (peak of one batch)",
        "",
        "bounded",
    ]


def _parsing(figures: Mapping[str, Any]) -> Iterator[list[str]]:
    yield [
        f"importing all {figures['dag_files']} DAG files: processor seconds",
        f"{figures['all_dag_files_seconds']:.2f}",
        f"{figures['bare_import_seconds']:.2f} (`from airflow.sdk import dag, task, Asset, Param`)",
        f"{figures['ratio']:.2f}",
        "≤ 1.1",
    ]


def _demo(figures: Mapping[str, Any]) -> Iterator[list[str]]:
    longest = sorted(figures["seconds_by_step"].items(), key=lambda step: -step[1])[:3]
    yield [
        "`make demo` after set-up: minutes",
        f"{figures['minutes']:.1f}",
        "most in: " + ", ".join(f"{step} {seconds:.0f} s" for step, seconds in longest),
        "",
        "≤ 3",
    ]


_ROWS = {"registration": _registration, "delivery": _delivery, "parsing": _parsing, "demo": _demo}


def _fraction(ours: float, theirs: float) -> str:
    return f"1/{theirs / ours:.1f}" if ours <= theirs else f"{ours / theirs:.1f}"
