"""A verdict for every partition: what is looked at, what is due, what is said of it, and what that costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.jobs.quality_world import QualityWorld


if TYPE_CHECKING:
    from tests.integration.jobs.conftest import World


@pytest.fixture
def quality(world: World) -> QualityWorld:
    return QualityWorld(world)


def test_every_partition_gets_a_verdict_and_then_needs_none(quality: QualityWorld) -> None:
    quality.fill("event", "sale")
    found = quality.run()
    assert {result.verdict for result in found.values()} <= {"passed", "warned"}
    assert len(found) > 3
    assert not any(plan.due for plan in quality.look().plans)
    told = quality.query("SELECT table_name, partition_date, verdict, rows FROM data_quality_latest")
    assert {f"{table} {day}": (verdict, rows) for table, day, verdict, rows in told} == {
        name: (result.verdict, result.rows) for name, result in found.items()
    }
