"""The bench of verdicts on partitions, at a small size: what it counts holds in every run of the tests.

Seconds depend on the machine, and are left to the bench. Soda is not installed for tests; what it is told is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import quality, quality_peers, quality_world
from bench.quality import GREAT_EXPECTATIONS, OURS
from bench.quality_peers import SODA, SodaError
from dmd_pipeline.jobs.partition_checks import Engine


if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from bench.quality_peers import SodaRun
    from local.aws import LocalAws

CANNOT = "it cannot be had"


@pytest.fixture(autouse=True)
def tables(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """An AWS with tables and no demands, at which this process is pointed, and no Soda."""

    def cannot(_day: date, _rounds: int) -> SodaRun:
        raise SodaError(CANNOT)

    monkeypatch.setattr(quality, "verify_with_soda", cannot)
    assert aws.session_env()
    quality_world.make_tables()


def test_a_sound_partition_is_scanned_once_by_us_and_thirteen_times_by_great_expectations() -> None:
    figures = quality.one_partition(rows=300, rounds=1)
    ours, theirs = figures["checks"][OURS], figures["checks"][GREAT_EXPECTATIONS]
    assert ours["queries"] == 1
    assert ours["scanned_bytes"] == figures["partition_bytes"] + figures["referenced_bytes"]
    assert theirs["queries"] == 13
    assert theirs["scanned_bytes"] == 13 * figures["partition_bytes"]
    assert figures["without"] == {SODA: CANNOT}, "a peer that is not there is said"


def test_many_partitions_take_a_statement_a_chunk() -> None:
    days = quality.small_partitions(3, rows_each=20)
    figures = quality.many_partitions(days, 20, peer_partitions=1)
    ours, theirs = figures["checks"][OURS], figures["checks"][GREAT_EXPECTATIONS]
    assert (ours["queries"], theirs["queries"]) == (1, 13)
    assert theirs["seconds"] > figures["peer_seconds_measured"], "scaled from one partition to three"


def test_the_memory_of_a_small_partition_is_bounded() -> None:
    figures = quality.memory(quality.MEGABYTE // 2)
    assert 0.48 <= figures["partition_megabytes"] <= 0.5
    assert 0 <= figures["peak_megabytes"] < 100


def test_partitions_that_were_not_all_checked_are_no_measurement() -> None:
    (day,) = quality_world.dates(1)
    quality_world.fill([day], 5)
    with pytest.raises(RuntimeError, match="were checked"):
        quality._check({"demand": ["2025-03-01", "2025-03-02"]}, Engine.MEMORY)


def test_a_soda_that_cannot_be_installed_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DMD_SODA_CACHE", str(tmp_path / "file"))
    with pytest.raises(SodaError, match=r"soda-athena==.* cannot be installed: .*Not a directory"):
        quality_peers.verify_with_soda(quality_world.FIRST_DATE, 1)
