"""From any source to rows: the same steps, the same guarantees."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline import quarantine
from dmd_pipeline.delivery import Rejected, errors_document
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord
from dmd_pipeline.jobs.lane_reports import State
from dmd_pipeline.quarantine import Rejection
from tests.integration.jobs import job_processes
from tests.integration.jobs.conversion_world import ConversionWorld, valid
from tests.integration.jobs.replay_world import ReplayWorld


if TYPE_CHECKING:
    from collections.abc import Callable

    from dmd_pipeline.jobs.lane_reports import BatchReport
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


CERTAIN = timedelta(hours=7)
"""Beyond the age at which the event source mapping gives records up."""


@dataclass
class Worlds:
    """One local AWS with records on its stream; the worker failed on them, or wrote some of their rows before."""

    replay: ReplayWorld
    conversion: ConversionWorld

    def __post_init__(self) -> None:
        self.records = valid(30)
        self.sent = self.replay.put(self.replay.shards[0], *(record.data for record in self.records))
        self.replay.secure()  # the alarm is there

    def on_stream(self) -> list[StreamRecord]:
        """The records with their places on the stream."""
        return [StreamRecord(one.number, "k", one.at, one.data) for one in self.sent]

    def put(self, key: str, body: bytes) -> None:
        self.replay.bucket.write(f"{self.replay.settings.prefix}/{key}", body, "application/json")

    def secure_and_convert(self, **asked: Any) -> list[BatchReport]:
        report = self.replay.secure(**asked)
        assert report.problems == []
        now = self.replay.now() + CERTAIN
        return [batch for lane in report.lanes for batch in self.conversion.convert(lane, now=now).batches]


def by_queue(worlds: Worlds) -> dict[str, str]:
    worlds.replay.send(worlds.replay.position(worlds.sent))
    return {}


def by_sns(worlds: Worlds) -> dict[str, str]:
    position = worlds.replay.position(worlds.sent)
    worlds.replay.send({"Type": "Notification", "MessageId": "m", "Message": json.dumps(position)})
    return {}


def by_asynchronous_destination(worlds: Worlds) -> dict[str, str]:
    context = worlds.replay.position(worlds.sent)["requestContext"]
    event = worlds.replay.event(worlds.sent)
    worlds.replay.send({"version": "1.0", "requestContext": context, "requestPayload": event})
    return {}


def by_destination(worlds: Worlds) -> dict[str, str]:
    position = worlds.replay.position(worlds.sent)
    document = position | {"payload": json.dumps(worlds.replay.event(worlds.sent))}
    worlds.put("failed/2026/one.json", json.dumps(document).encode())
    return {"source": "destination", "prefix": f"{worlds.replay.settings.prefix}/failed/"}


def by_destination_as_object(worlds: Worlds) -> dict[str, str]:
    document = worlds.replay.position(worlds.sent) | {"payload": worlds.replay.event(worlds.sent)}
    worlds.put("failed/2026/one.json", json.dumps(document).encode())
    return {"source": "destination", "prefix": f"{worlds.replay.settings.prefix}/failed/"}


def by_errors(worlds: Worlds) -> dict[str, str]:
    rejected = [Rejected(record.data, "x") for record in worlds.records]
    worlds.put("errors/2026-03-01-12-05-00-a.json", errors_document(rejected, worlds.replay.now()))
    return {"source": "errors"}


def by_quarantine(worlds: Worlds) -> dict[str, str]:
    records = worlds.on_stream()
    ends = BatchId(worlds.replay.shards[0], records[0].sequence_number, records[-1].sequence_number)
    batch = FailedBatch(ends, len(records), records[0].arrived, records[-1].arrived, "RetryAttemptsExhausted", "queue")
    document = quarantine.rejected_document(batch, [Rejection(record, "x") for record in records])
    worlds.put("quarantine/rejected/2026-03-01/one.json", document)
    return {"source": "quarantine"}


def by_stream(worlds: Worlds) -> dict[str, str]:
    ends = {"start": str(worlds.sent[0].number), "end": str(worlds.sent[-1].number)}
    return {"source": "stream", "shard_id": worlds.replay.shards[0]} | ends


SOURCES = {
    make.__name__: make
    for make in (
        by_queue,
        by_sns,
        by_asynchronous_destination,
        by_destination,
        by_destination_as_object,
        by_errors,
        by_quarantine,
        by_stream,
    )
}


@pytest.fixture
def worlds(aws: LocalAws, settings: Settings) -> Worlds:
    conversion = ConversionWorld(aws, settings)
    conversion.create_tables()
    return Worlds(ReplayWorld(aws, settings), conversion)


@pytest.mark.parametrize("half_written", [False, True])
@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
def test_every_record_becomes_a_row_once(
    worlds: Worlds, make: Callable[[Worlds], dict[str, str]], half_written: bool
) -> None:
    rows = worlds.conversion.deliver(worlds.records, groups=4, at=worlds.replay.now()) if half_written else 0
    asked = make(worlds)

    reports = worlds.secure_and_convert(**asked)

    assert [report.state for report in reports] == [State.SETTLED]
    assert (reports[0].counts["written"], reports[0].counts["delivered"]) == (len(worlds.records) - rows, rows)
    clean = worlds.conversion.clean(worlds.records)
    assert worlds.conversion.rows() == clean
    assert worlds.secure_and_convert(**asked) == [], "nothing is open any more"
    by_queue(worlds)
    worlds.secure_and_convert()
    assert worlds.conversion.rows() == clean, "told of once more, by a message"


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
def test_a_dry_run_shows_the_batch_and_changes_nothing(
    worlds: Worlds, make: Callable[[Worlds], dict[str, str]]
) -> None:
    asked = make(worlds)
    before, messages = worlds.replay.written(), len(worlds.replay.messages())

    report = worlds.replay.secure(dry_run=True, rehearse=lambda raw: f"{len(raw.records)} rows", **asked)

    [outcome] = report.outcomes
    plan = report.as_data()["plan"]
    for told in (str(outcome.batch), "30 rows"):
        assert told in plan
    assert worlds.replay.written() == before
    assert len(worlds.replay.messages()) == messages
    assert len(worlds.replay.receive_by_others()) == messages, "what was claimed is visible again"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("make", [by_destination, by_quarantine, by_stream])
def test_a_run_killed_at_any_call_and_run_again_secures_what_one_whole_run_does(
    worlds: Worlds, make: Callable[[Worlds], dict[str, str]], moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = make(worlds)
    monkeypatch.setenv(job_processes.ASKED, json.dumps(asked))
    worlds.replay.secure(**asked)
    expected = worlds.replay.written("replay/")
    assert len(expected) == 1
    call = 0
    killed = True
    while killed:
        call += 1
        for key in worlds.replay.written("replay/"):
            worlds.replay.bucket.delete(f"{worlds.replay.settings.prefix}/{key}")
        worlds.replay.aws.clock.advance(timedelta(seconds=1))  # a shard is read five times a second
        killed = job_processes.run_and_kill("secure_as_asked", call, moment)
        worlds.replay.aws.clock.advance(timedelta(seconds=1))
        report = worlds.replay.secure(**asked)
        assert report.problems == []
        assert worlds.replay.written("replay/") == expected, f"killed {moment} call {call}"
    assert call > 4, "the mapping, the alarm, two listings or reads, and the raw file"
