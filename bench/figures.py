"""The README's tables of figures, made of bench/results.json and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


RESULTS = Path(__file__).resolve().parent / "results.json"


def placed_into(readme: str, results: Mapping[str, Any]) -> str:
    """The README with its tables of figures replaced.

    Raises:
        ValueError: The README lacks the two marks between which a table stands.
    """
    for name, table in (("figures", rendered), ("readers", rendered_readers)):
        begin, end = f"<!-- {name}: written by make bench -->", f"<!-- end of {name} -->"
        if end not in readme.partition(begin)[2]:
            raise ValueError(f"README.md: expected the marks {begin} and {end}")
        before, rest = readme.split(begin, 1)
        readme = f"{before}{begin}\n{table(results)}\n{end}{rest.split(end, 1)[1]}"
    return readme


def rendered(results: Mapping[str, Any]) -> str:
    """The figures as Markdown: what was measured, the figure, its aim, and what it was measured beside."""
    rows = [row for name, rows_of in _ROWS.items() if name in results for row in rows_of(results[name])]
    table = tabulate(rows, headers=["what", "ours", "beside", "ratio", "aim"], tablefmt="github", disable_numparse=True)
    return f"{table}\n\n{_measured(results, _ROWS)}"


def rendered_readers(results: Mapping[str, Any]) -> str:
    """What readers get while a schema changes, as Markdown: a row for each way of changing it."""
    if "schema_change" not in results:
        return "Not measured yet."
    figures = results["schema_change"]
    delayed = figures["delayed"]
    rows = []
    for name, beside in figures["reader"].items():
        slowly, looks = delayed["reader"][name], figures["looks"][name]
        rows.append(
            [
                name,
                f"{_bad(beside)} of {beside['queries']:,}",
                f"{beside['window_seconds']:,.1f} s of {beside['change_seconds']:,.1f} s",
                f"{_bad(slowly)} of {slowly['queries']:,}",
                f"{slowly['window_seconds']:,.1f} s of {slowly['change_seconds']:,.1f} s",
                f"{_bad(looks)} of {looks['looks']:,}",
                f"{looks['bad_seconds']:,.2f} s",
                f"{beside['total_calls']:,}",
                _READERS_AIMS.get(name, ""),
            ]
        )
    added = f"{delayed['added_milliseconds']} ms a call"
    headers = [
        "change by", "reader: failed + wrong", "window", f"{added}: failed + wrong", "window",
        "between calls: failed + wrong", "window", "AWS calls", "aim",
    ]  # fmt: skip
    table = tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)
    every = [*figures["reader"].values(), *delayed["reader"].values()]
    ours = figures["reader"]["apply_schema_changes"]
    return (
        f"{table}\n\n{figures['partitions']:,} partitions. Reader: all queries of {figures['rounds']} changes, and the "
        f"median window of so many seconds that a change took; {added}: one change. A query took "
        f"{ours['query_seconds']:.1f} s beside `apply_schema_changes`, the longest of all "
        f"{max(one['longest_query_seconds'] for one in every):.1f} s. {_measured(results, ['schema_change'])}"
    )


def _bad(figures: Mapping[str, Any]) -> str:
    return f"{figures['failed']:,} + {figures['wrong']:,}"


def _measured(results: Mapping[str, Any], names: Iterable[str]) -> str:
    """When and where some benches were run, which were it together or not."""
    runs: dict[str, list[str]] = {}
    for name in names:
        if name in results:
            of = results["measured"][name]
            runs.setdefault(f"{of['on']}: {of['cores']} cores, Python {of['python']}", []).append(name)
    together = len(runs) == 1
    return f"Measured on {'; '.join(run if together else f'{run} ({_listed(of)})' for run, of in runs.items())}."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


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


def _replay(figures: Mapping[str, Any]) -> Iterator[list[str]]:
    yield [
        f"replay of {figures['batches']} failed batches: records a second",
        f"{figures['replay_records_per_second']:,}",
        f"{figures['bare_records_per_second']:,} (bare GetRecords + delivery + PutObject)",
        f"{figures['ratio']:.2f}",
        "≥ 0.6",
    ]
    yield [
        "replay: AWS calls a batch beside reading and writing the data",
        f"{figures['calls_a_batch_beside_data']:.1f}",
        "",
        "",
        "≤ 8",
    ]
    yield [
        "replay: memory with 1,000 batches waiting",
        f"{figures['peak_megabytes_of_1_000_waiting']:.1f} MB",
        (
            f"{figures['peak_megabytes_of_100_waiting']:.1f} MB (100 waiting), "
            f"{figures['peak_megabytes_of_10_000_records']:.1f} MB (one batch of 10,000 records)"
        ),
        "",
        "flat",
    ]


def _quality(figures: Mapping[str, Any]) -> Iterator[list[str]]:
    one, memory = figures["one"], figures["memory"]
    ours = one["checks"]["check_data_quality"]
    size, referenced = one["partition_bytes"], one["referenced_bytes"]
    what = f"verdict on a partition of {one['rows']:,} rows in Athena"
    peers = {name: found for name, found in one["checks"].items() if found is not ours}
    aims = {"Great Expectations": ("≤ 2", "≤ 1.1, ≤ 1/4", "")}
    for name, theirs in peers.items():
        queries, scanned, seconds = aims.get(name, ("", "", ""))
        yield [
            f"{what}: queries",
            f"{ours['queries']}",
            f"{theirs['queries']} ({name})",
            _fraction(ours["queries"], theirs["queries"]),
            queries,
        ]
        yield [
            f"{what}: bytes scanned, of the partition's ({referenced / size:.2f} of ours are the table `event`)",
            f"{ours['scanned_bytes'] / size:.2f}",
            f"{theirs['scanned_bytes'] / size:.2f} ({name})",
            _fraction(ours["scanned_bytes"], theirs["scanned_bytes"]),
            scanned,
        ]
        yield [
            f"{what}: seconds",
            f"{ours['seconds']:.1f}",
            f"{theirs['seconds']:.1f} ({name})",
            _fraction(ours["seconds"], theirs["seconds"]),
            seconds,
        ]
    for name, why in one["without"].items():
        yield [what, "", f"not measured ({name}): {why}", "", ""]
    for many in (figures["many"], figures["many_as_by_default"]):
        ours, peer = many["checks"]["check_data_quality"], many["checks"]["Great Expectations"]
        size = f"{many['partitions']:,} partitions of {many['rows_each']:,} rows in one run"
        yield [
            f"verdicts on {size}, {many['poll_seconds'] * 1000:.0f} ms between looks at a statement: seconds",
            f"{ours['seconds']:.1f}",
            f"{peer['seconds']:.1f} (Great Expectations, {many['peer_partitions']} of {many['partitions']:,}, scaled)",
            _fraction(ours["seconds"], peer["seconds"]),
            "≤ 1/10",
        ]
    yield [
        f"verdict on a partition of {memory['partition_megabytes']:.0f} MB in memory: peak beyond the libraries",
        f"{memory['peak_megabytes']:.0f} MB",
        f"{memory['libraries_megabytes']:.0f} MB (the libraries)",
        "",
        "",
    ]


def _retention(figures: Mapping[str, Any]) -> Iterator[list[str]]:
    every, few, delayed = figures["partitions"], figures["peer_partitions"], figures["delayed"]
    ours, theirs = figures["with_verdicts"], figures["by_hand"]
    what, calls, seconds = f"{every:,} partitions of {figures['objects_per_partition']} objects expire", ",.0f", ",.1f"
    yield _beside_hand(f"{what}: AWS calls", ours, theirs, "total_calls", calls, (few, every), "≤ 1/50")
    yield _beside_hand(f"{what}: seconds", ours, theirs, "seconds", seconds, (few, every), "≤ 1/5")
    yield _beside_hand(
        f"{delayed['partitions']:,} of them, {delayed['added_milliseconds']} ms added to each call: seconds",
        delayed["with_verdicts"],
        delayed["by_hand"],
        "seconds",
        seconds,
        (delayed["peer_partitions"], delayed["partitions"]),
        "≤ 1/5",
    )
    what, ours = f"{few:,} of them, without verdicts", figures["without_verdicts"]
    yield _beside_hand(f"{what}: AWS calls", ours, theirs, "total_calls", calls, (few, few), "")
    yield _beside_hand(f"{what}: seconds", ours, theirs, "seconds", seconds, (few, few), "")


def _beside_hand(
    what: str,
    ours: Mapping[str, Any],
    by_hand: Mapping[str, Any],
    figure: str,
    digits: str,
    scale: tuple[int, int],
    aim: str,
) -> list[str]:
    few, every = scale
    theirs = by_hand[figure] * every / few
    peer = "ALTER TABLE DROP PARTITION, `aws s3 rm`" + (f", {few:,} of {every:,}, scaled" if few < every else "")
    beside = f"{format(theirs, digits)} ({peer})"
    return [what, format(ours[figure], digits), beside, _fraction(ours[figure], theirs), aim]


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
        "most in: " + ", ".join(f"{step.partition(' (')[0]} {seconds:.0f} s" for step, seconds in longest),
        "",
        "≤ 8",
    ]


_ROWS = {
    "registration": _registration,
    "delivery": _delivery,
    "replay": _replay,
    "quality": _quality,
    "retention": _retention,
    "parsing": _parsing,
    "demo": _demo,
}


_READERS_AIMS = {
    "apply_schema_changes": "0 failed, 0 wrong",
    "apply_schema_changes, recreate": "0 wrong, window ≤ 1/20 of Terraform's",
}


def _fraction(ours: float, theirs: float) -> str:
    return f"1/{theirs / ours:.1f}" if ours <= theirs else f"{ours / theirs:.1f}"
