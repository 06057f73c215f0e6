from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.delivery_worker.checkpoints import Checkpoints, done_through


if TYPE_CHECKING:
    from pathlib import Path

SHARD = "shardId-000000000000"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints.json"


@pytest.fixture
def checkpoints(path: Path) -> Checkpoints:
    begun = Checkpoints(path, "mapping-1")
    begun.positions([SHARD])
    begun.begin()
    return begun


def test_nothing_is_done_before_the_worker_has_begun(path: Path) -> None:
    assert not done_through(path, {SHARD: "5"})


def test_a_record_is_done_with_when_it_and_all_before_it_have_come_to_an_end(
    checkpoints: Checkpoints, path: Path
) -> None:
    checkpoints.read(SHARD, "12", ["7", "9", "12"])
    checkpoints.finished(SHARD, ["7", "12"])

    assert not done_through(path, {SHARD: "12"})
    assert done_through(path, {SHARD: "8"})

    checkpoints.finished(SHARD, ["9"])

    assert done_through(path, {SHARD: "12"})
    assert not done_through(path, {SHARD: "13"})


def test_sequence_numbers_compare_as_numbers(checkpoints: Checkpoints, path: Path) -> None:
    checkpoints.read(SHARD, "100", [])

    assert done_through(path, {SHARD: "99"})


def test_a_restarted_worker_goes_on_at_the_oldest_unfinished_record(checkpoints: Checkpoints, path: Path) -> None:
    checkpoints.read(SHARD, "12", ["7", "9", "12"])
    checkpoints.finished(SHARD, ["7"])

    assert Checkpoints(path, "mapping-1").positions([SHARD]) == {
        SHARD: {"read_through": "12", "oldest_unfinished": "9"}
    }


def test_the_progress_under_another_mapping_means_nothing(checkpoints: Checkpoints, path: Path) -> None:
    checkpoints.read(SHARD, "12", [])

    assert Checkpoints(path, "mapping-2").positions([SHARD]) == {
        SHARD: {"read_through": None, "oldest_unfinished": None}
    }
