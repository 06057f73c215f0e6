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
    delayed = figures["delayed"]
    calls, seconds = "total_calls", "seconds"
    yield from _beside_peers(f"first registration, {size}: AWS calls", figures["first"], calls, ("≤ 1/20", ""))
    yield from _beside_peers("first registration: seconds", figures["first"], seconds, ("faster", "faster"))
    yield from _beside_peers(
        f"first registration, {delayed['partitions']:,} partitions, {delayed['added_milliseconds']} ms added to each "
        "call: seconds",
        delayed["first"],
        seconds,
        ("faster", "faster"),
    )
    yield from _beside_peers("nothing to do: AWS calls", figures["nothing_to_do"], calls, ("", ""))
    yield from _beside_peers("nothing to do: seconds", figures["nothing_to_do"], seconds, ("faster", "faster"))


def _beside_peers(what: str, runs: Mapping[str, Any], figure: str, aims: tuple[str, str]) -> Iterator[list[str]]:
    ours = runs["register_partitions"][figure]
    digits = ",.1f" if figure == "seconds" else ",d"
    for peer, aim in zip(("MSCK REPAIR TABLE", "awswrangler"), aims, strict=True):
        theirs = runs[peer][figure]
        yield [what, format(ours, digits), f"{format(theirs, digits)} ({peer})", _fraction(ours, theirs), aim]


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
