"""Securing when a run is killed at any call, when two run at once, and when AWS fails: always the same end state."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.errors import AlertError
from tests.integration.jobs import job_processes
from tests.integration.jobs.replay_world import ReplayWorld


if TYPE_CHECKING:
    from pathlib import Path

    from dmd_pipeline.jobs.replay_reports import SecureReport
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


CALLS = {
    "ListEventSourceMappings": 1,
    "DescribeAlarms": 1,
    "PutMetricAlarm": 1,
    "ListObjectsV2": 1,
    "GetQueueUrl": 1,
    "ReceiveMessage": 2,
    "GetQueueAttributes": 1,
    "DescribeStreamSummary": 1,
    "PutObject: the event's records": 1,
    "PutObject: the foreign message": 1,
    "GetShardIterator": 2,
    "GetRecords: one page of the whole range, and a trimmed one after a page that passes over the gap": 3,
    "PutObject: the whole range, the loss and what is left": 3,
    "DeleteMessageBatch: the others, and the one about the loss": 2,
}


@pytest.fixture
def world(aws: LocalAws, settings: Settings) -> ReplayWorld:
    """A queue with one of each: a position, a position of which the beginning is forgotten, an event, a foreign one."""
    world = ReplayWorld(aws, settings)
    old = world.put_some(world.shards[0], 3)
    aws.clock.advance(timedelta(hours=23))
    trimmed = [*old, *world.put_some(world.shards[0], 2)]
    aws.clock.advance(timedelta(hours=2))
    whole = world.put_some(world.shards[1], 4)
    foreign = world.position(whole)
    foreign["KinesisBatchInfo"]["streamArn"] += "-other"
    for body in (
        world.position(whole),
        world.position(trimmed),
        world.event(world.put_some(world.shards[2], 2)),
        foreign,
    ):
        world.send(body)
    return world


def alarms(world: ReplayWorld) -> list[Any]:
    ignored = {"AlarmConfigurationUpdatedTimestamp", "StateUpdatedTimestamp", "StateTransitionedTimestamp"}
    return [
        {key: value for key, value in alarm.items() if key not in ignored}
        for alarm in world.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    ]


def begin_again(world: ReplayWorld, messages: list[Any]) -> None:
    """As if no run had ever been."""
    world.forget()
    world.restore(messages)
    names = [alarm["AlarmName"] for alarm in world.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]]
    world.aws.client("cloudwatch").delete_alarms(AlarmNames=names)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_killed_at_any_call_and_run_again_gives_what_one_whole_run_gives(world: ReplayWorld, moment: str) -> None:
    messages = world.messages()
    world.restore(messages)
    world.secure()
    expected, expected_alarms = world.written(), alarms(world)
    assert sorted(key.split("/")[1] for key in expected) == ["foreign", "lost", "raw", "raw", "raw"]
    assert world.messages() == []
    call, killed = 0, True
    while killed:
        call += 1
        begin_again(world, messages)
        killed = job_processes.run_and_kill("secure", call, moment)
        world.show_all()
        report = world.secure()
        assert world.written() == expected, f"killed {moment} call {call}"
        assert world.messages() == [], f"killed {moment} call {call}"
        assert alarms(world) == expected_alarms, f"killed {moment} call {call}"
        assert report.counts["failed"] == 0
    assert call == sum(CALLS.values()) + 1, "and one run to the end"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_whenever_a_run_is_killed_it_or_the_next_one_tells_of_the_loss(
    world: ReplayWorld, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_by_the_killed_one = tmp_path / "told"
    monkeypatch.setenv(job_processes.TOLD, str(told_by_the_killed_one))
    messages = world.messages()
    calls = sum(CALLS.values())
    silent = 0
    for call in range(calls - 4, calls + 1):
        begin_again(world, messages)
        told_by_the_killed_one.unlink(missing_ok=True)
        assert job_processes.run_and_kill("secure", call, moment)
        world.show_all()
        report = world.secure()
        told = "replay-lost" in {notice.key for notice in report.notices}
        assert told == (report.counts["lost_batches"] == 1)
        assert told or "replay-lost" in told_by_the_killed_one.read_text(), f"killed {moment} call {call}"
        silent += not told
    assert silent == (moment == "after"), "only the very last call takes the message away"


def test_a_loss_of_which_nobody_could_be_told_is_told_by_the_next_run(world: ReplayWorld) -> None:
    def fail(_: SecureReport) -> None:
        raise AlertError("no channel took it")

    with pytest.raises(AlertError):
        world.secure(report_to=fail)
    [left] = world.messages()
    assert json.loads(left.body)["KinesisBatchInfo"]["batchSize"] == 5, "the one of which the beginning is forgotten"
    world.show_all()
    told: list[SecureReport] = []
    world.secure(report_to=told.append)
    assert [report.counts["lost_batches"] for report in told] == [1]
    assert world.messages() == []


@pytest.mark.parametrize("job", ["secure", "secure_errors"])
def test_two_runs_at_once_give_what_one_gives(world: ReplayWorld, job: str) -> None:
    for shard in world.shards:
        records = world.put_some(shard, 60)
        for first in range(0, 60, 6):
            world.send(world.position(records[first : first + 6]))
    for number in range(12):
        document = '{"timestamp": "2026-03-01T12:00:00.000Z", "error": {"message": "bad"}, "events": ["{}"]}'
        name = f"{world.settings.prefix}/errors/2026-03-01-12-00-{number:02d}-x.json"
        world.bucket.write(name, document.encode(), "application/json")
    messages = world.messages()
    world.restore(messages)
    asked = {"source": "errors"} if job == "secure_errors" else {}
    world.secure(**asked)
    expected = world.written()
    begin_again(world, messages)
    common = "s3.PutObject" if job == "secure_errors" else "sqs.ReceiveMessage"
    assert job_processes.run_at_once(job, 2, first_write=common) == [0, 0]
    assert world.written() == expected
    if job == "secure":
        assert world.messages() == []


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        ("kinesis:GetRecords", "ProvisionedThroughputExceededException", 400),
        ("kinesis:GetRecords", "InternalFailure", 500),
        ("kinesis:GetShardIterator", "ProvisionedThroughputExceededException", 400),
        ("kinesis:DescribeStreamSummary", "LimitExceededException", 400),
        ("s3:PutObject", "SlowDown", 503),
        ("s3:PutObject", "InternalError", 500),
        ("sqs:ReceiveMessage", "InternalError", 500),
        ("sqs:GetQueueAttributes", "ThrottlingException", 400),
        ("sqs:DeleteMessageBatch", "InternalError", 500),
        ("lambda:ListEventSourceMappings", "TooManyRequestsException", 429),
        ("cloudwatch:DescribeAlarms", "ThrottlingException", 400),
    ],
)
@pytest.mark.parametrize("after", [0, 1, 2])
def test_whatever_call_fails_the_next_run_gives_what_one_whole_run_gives(
    world: ReplayWorld, operation: str, code: str, status: int, after: int
) -> None:
    messages = world.messages()
    world.restore(messages)
    world.secure()
    expected = world.written()
    begin_again(world, messages)
    world.aws.calls.clear()
    world.aws.fail(operation, code, status=status, after=after)
    report = world.secure()
    struck = world.aws.calls.count(operation) > after
    assert bool(report.failures or report.undeleted) == struck
    world.show_all()
    world.secure()
    world.show_all()
    world.secure()
    assert world.written() == expected
    assert world.messages() == []
