"""Checks that are slowed down, or made twice at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from dmd_pipeline.errors import PipelineError
from dmd_pipeline.jobs import partition_checks
from tests.integration.jobs.quality_world import QualityWorld
from tests.integration.jobs.test_check_data_quality import BEFORE, DAY, damage, write


if TYPE_CHECKING:
    from datetime import date

    from tests.integration.jobs.conftest import World


@pytest.fixture
def quality(world: World) -> QualityWorld:
    """A partition that is sound and one that is not."""
    quality = QualityWorld(world)
    write(quality, BEFORE)
    damage(quality, DAY)
    quality.register()
    return quality


def verdicts(quality: QualityWorld) -> dict[date, str]:
    """What the summary says."""
    return {day: str(entry.verdict.verdict) for day, entry in quality.entries("event").items() if entry.verdict}


def run(quality: QualityWorld) -> None:
    quality.run(tables=["event"], engine="athena")


def test_two_runs_at_once_leave_one_verdict_a_partition(quality: QualityWorld) -> None:
    chunk = {"event": [str(BEFORE), str(DAY)]}
    quality.look(tables=["event"])
    with ThreadPoolExecutor(2) as runs:
        both = [
            runs.submit(partition_checks.check, quality.environment, chunk, run_id=name, now=lambda: quality.now)
            for name in ("one", "other")
        ]
    assert all(isinstance(one.exception(), PipelineError) for one in both), "a failed partition ends both"
    assert verdicts(quality) == {BEFORE: "passed", DAY: "failed"}
    assert len(quality.objects("results/")) == 2


def test_two_runs_at_once_on_other_partitions_keep_both(quality: QualityWorld) -> None:
    quality.look(tables=["event"])
    with ThreadPoolExecutor(2) as runs:
        for day in (BEFORE, DAY):
            runs.submit(
                partition_checks.check,
                quality.environment,
                {"event": [str(day)]},
                run_id=str(day),
                now=lambda: quality.now,
            )
    found = {day: entry.verdict.run_id for day, entry in quality.entries("event").items() if entry.verdict}
    assert found == {BEFORE: str(BEFORE), DAY: str(DAY)}


@pytest.mark.parametrize(
    "operation",
    ["s3:ListObjectsV2", "s3:GetObject", "s3:PutObject", "glue:BatchGetPartition", "athena:StartQueryExecution"],
)
def test_what_was_slowed_down_is_checked_by_the_next_run(quality: QualityWorld, operation: str) -> None:
    look = quality.look(tables=["event"])
    quality.aws.fail(operation, code="SlowDown" if operation.startswith("s3") else "ThrottlingException")
    quality.check(look)
    quality.aws.heal()
    quality.now += timedelta(hours=1)
    run(quality)
    assert verdicts(quality) == {BEFORE: "passed", DAY: "failed"}
