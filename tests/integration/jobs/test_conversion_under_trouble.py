"""Converting when a run is killed at any call, when two run at once, and when AWS fails: always the same end state."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from dmd_pipeline.errors import PipelineError
from dmd_pipeline.jobs.lane_reports import State
from tests.integration.jobs import job_processes
from tests.integration.jobs.conversion_world import LATER, ConversionWorld, invalid, valid


if TYPE_CHECKING:
    from collections.abc import Callable

    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


AFTER_THE_LEASE = LATER + timedelta(hours=1, minutes=1)


@pytest.fixture
def world(aws: LocalAws, settings: Settings) -> ConversionWorld:
    """Two batches that overlap, the first of them half-written; one record is rejected."""
    world = ConversionWorld(aws, settings)
    world.create_tables()
    records = valid(5)
    world.deliver(records[:3], groups=2)
    world.secure(records[:4])
    world.secure([*records[2:], invalid(records[-1].sequence_number + 1)])
    return world


def state(world: ConversionWorld) -> object:
    """Everything that a run leaves: objects byte by byte, and partitions."""
    return world.contents(), {table: world.held(table) for table in world.record_types}


def whole_run(world: ConversionWorld) -> tuple[object, Callable[[], None]]:
    """What one whole run gives, and what undoes it."""
    before = world.contents()
    report = world.convert()
    assert {batch.state for batch in report.batches} == {State.SETTLED}
    assert sum(batch.counts["quarantined"] for batch in report.batches) == 1
    expected = state(world)

    def undo() -> None:
        world.forget(keep=before)
        assert world.contents() == before

    undo()
    return expected, undo


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_killed_at_any_call_and_run_again_gives_what_one_whole_run_gives(
    world: ConversionWorld, moment: str
) -> None:
    """Its own retry goes on at once; another run finds the lane taken, and goes on when the lease has ended."""
    expected, undo = whole_run(world)
    call, killed = 0, True
    while killed:
        call += 1
        killed = job_processes.run_and_kill("convert", call, moment)
        if call % 2:
            world.convert(run_id="killed")
        else:
            world.convert(run_id="another", now=AFTER_THE_LEASE)
        assert state(world) == expected, f"killed {moment} call {call}"
        undo()
    assert call > 20, "and one run to the end"


def test_a_run_that_comes_while_another_one_works_leaves_the_lane_to_it(world: ConversionWorld) -> None:
    assert job_processes.run_and_kill("convert", 8, "after")
    before = state(world)
    assert world.convert(run_id="another").busy is not None
    assert state(world) == before


def test_two_runs_at_once_give_what_one_gives(world: ConversionWorld) -> None:
    expected, _ = whole_run(world)
    assert job_processes.run_at_once("convert_beside_others", 2, first_write="s3.PutObject") == [0, 0]
    assert state(world) == expected


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        ("s3:PutObject", "SlowDown", 503),
        ("s3:GetObject", "InternalError", 500),
        ("s3:ListObjectsV2", "InternalError", 500),
        ("s3:DeleteObject", "InternalError", 500),
        ("glue:GetTable", "ThrottlingException", 400),
        ("glue:BatchGetPartition", "InternalServiceException", 500),
        ("glue:BatchCreatePartition", "InternalServiceException", 500),
        ("lambda:ListEventSourceMappings", "TooManyRequestsException", 429),
    ],
)
@pytest.mark.parametrize("times", [1, 1000])
def test_whatever_call_fails_the_next_run_gives_what_one_whole_run_gives(
    world: ConversionWorld, operation: str, code: str, status: int, times: int
) -> None:
    """The first call, the second, …; only this one, or all from there on.

    Which of two overlapping batches writes a row may differ then.
    """
    _, undo = whole_run(world)
    records, [rejected] = valid(5), [invalid(0)]
    after, failed = 0, True
    while failed:
        world.aws.calls.clear()
        world.aws.fail(operation, code, status=status, after=after, times=times)
        try:
            settled = {batch.state for batch in world.convert().batches} == {State.SETTLED}
        except PipelineError:
            settled = False
        failed = world.aws.calls.count(operation) > after
        assert settled == (not failed or operation == "s3:DeleteObject")  # of the lease
        world.aws.heal()
        world.convert()
        assert world.rows() == world.clean(records)
        assert [record.data for batch in world.quarantined() for record in batch.records or ()] == [rejected.data]
        assert world.in_athena() == len(records)
        assert world.convert().batches == ()
        undo()
        after += 1
    assert after > 1
