"""Checks that are killed at any call, that run twice at once, and that AWS slows down."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.errors import ChecksFailedError
from dmd_pipeline.quality_documents import Result
from tests.integration.jobs.quality_world import NOW, QualityWorld
from tests.integration.jobs.test_check_data_quality import rows_of, unredacted


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.jobs.conftest import World


class Killed(BaseException):
    """The process dies here."""


class Kill:
    """Kills a run before one of its calls to S3 or Glue, counted from 1."""

    def __init__(self, world: World) -> None:
        self.calls = 0
        self.at: int | None = None
        self._lock = threading.Lock()
        for client in (world.glue, world.bucket._client):
            client.meta.events.register("before-call", self._count)

    def _count(self, **_: Any) -> None:
        with self._lock:
            self.calls += 1
            if self.calls == self.at:
                raise Killed


@pytest.fixture
def quality(world: World) -> QualityWorld:
    """Two tables, one partition of which is bad."""
    quality = QualityWorld(world)
    day, rows = rows_of("demand", 12)
    quality.write("demand", day, [*rows, *unredacted(rows)])
    sale, few = rows_of("sale", 5)
    quality.write("sale", sale, few)
    quality.write("sale", NOW.date(), few, number=1)
    quality.register()
    return quality


def state(quality: QualityWorld) -> dict[str, Any]:
    """Everything below quality/, without what differs from run to run; each object is whole."""
    found: dict[str, Any] = {}
    for key, body in quality.objects().items():
        if key.endswith(".html"):
            assert body.rstrip().endswith(b"</html>")
            found[key] = "a page"
        elif "/results/" in key:
            result = Result.parse(body, key)
            found[key] = result.model_dump(mode="json", exclude={"cost", "run_id"})
        else:
            summary = json.loads(body)
            for entry in summary["dates"].values():
                if entry.get("verdict"):
                    for name in ("cost", "run_id"):
                        del entry["verdict"][name]
            found[key] = summary
    return found


def forget(quality: QualityWorld) -> None:
    """As if nothing had ever been checked."""
    for key in quality.objects():
        quality.delete(key)
    glue, database = quality.aws.client("glue"), quality.world.settings.database
    for name in ("data_quality", "data_quality_latest"):
        if name in quality.world.catalog.table_names():
            glue.delete_table(DatabaseName=database, Name=name)
    quality.told.clear()


def test_a_run_that_is_killed_at_any_call_is_made_up_for_by_the_next(quality: QualityWorld) -> None:
    kill = Kill(quality.world)
    both: Any = ["demand", "sale"]
    quality.run(tables=both)
    calls = kill.calls
    undisturbed = state(quality)
    results = sum("/results/" in key for key in undisturbed)
    assert calls > 20
    for at in range(1, calls + 1):
        forget(quality)
        kill.calls, kill.at = 0, at
        with pytest.raises(Killed):
            quality.run(tables=both)
        kill.at = None
        told = len(quality.told)
        partly = state(quality)
        for key, document in partly.items():
            if "/results/" in key:
                assert document == undisturbed[key], "no half verdict"
        quality.run(tables=both)
        assert state(quality) == undisturbed, at
        assert 1 <= len(quality.told) <= 1 + told, "told at least once"
    assert quality.query("SELECT count(*) FROM data_quality_latest") == [(results,)]


@pytest.fixture
def together(quality: QualityWorld) -> Iterator[list[threading.Thread]]:
    """Two runs, started at once."""
    looks = [quality.look(), quality.look()]
    threads = [threading.Thread(target=quality.check, args=(look, f"run-{at}")) for at, look in enumerate(looks)]
    yield threads
    for thread in threads:
        thread.join()


def test_two_runs_at_once_leave_one_verdict(quality: QualityWorld, together: list[threading.Thread]) -> None:
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    both = state(quality)
    forget(quality)
    quality.run()
    assert both == state(quality)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("s3:PutObject", "SlowDown"),
        ("s3:GetObject", "SlowDown"),
        ("s3:ListObjectsV2", "SlowDown"),
        ("glue:BatchGetPartition", "ThrottlingException"),
        ("athena:StartQueryExecution", "ThrottlingException"),
    ],
)
def test_what_aws_slows_down_is_unknown_or_left_for_the_next_run(
    quality: QualityWorld, operation: str, code: str
) -> None:
    look = quality.look()
    quality.aws.fail(operation, code=code, status=503 if operation.startswith("s3") else 400, times=1)
    for report in quality.check(look):
        for checked in report.checked:
            assert checked.result.verdict != "passed" or checked.result.engine != "none"
    quality.aws.heal()
    quality.run()
    disturbed = state(quality)
    forget(quality)
    quality.run()
    assert disturbed == state(quality)


def test_the_alert_comes_before_the_verdict_is_put_down(quality: QualityWorld) -> None:
    """So that somebody who dies in between has told, and is made up for; never the other way round."""
    look = quality.look(tables=["demand"])
    [chunk] = look.as_data()["chunks"]

    def die(_: Any) -> None:
        raise Killed

    from dmd_pipeline.jobs import partition_checks

    with pytest.raises(Killed):
        partition_checks.check(quality.environment, chunk, run_id="test", now=lambda: NOW, tell=die)
    assert all(entry.verdict is None for entry in quality.entries("demand").values())
    told: list[Any] = []
    with pytest.raises(ChecksFailedError):
        partition_checks.check(quality.environment, chunk, run_id="test", now=lambda: NOW, tell=told.extend)
    assert len(told) == 1
