"""Reports of securing: counts, lines for people, alerts, and why a run has to end failed."""

from __future__ import annotations

import gc
import json
import weakref
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.alerts import Severity
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord
from dmd_pipeline.jobs.replay_reports import Loss, Outcome, Outcomes, SecureReport, State, Tally
from dmd_pipeline.jobs.securing import LARGEST_CHUNK, ShardRanges, chunks, loss_of


if TYPE_CHECKING:
    from collections.abc import Iterator

    from dmd_pipeline.aws.kinesis import Stream
    from dmd_pipeline.pacing import Pace


SHARD = "shardId-000000000001"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RETENTION = timedelta(hours=24)
_HOURS = st.integers(-9, 9).map(lambda hours: NOON + timedelta(hours=hours))


def outcome(state: State = State.SECURED, **changes: Any) -> Outcome:
    known: dict[str, Any] = {
        "first_arrival": NOON - timedelta(hours=1),
        "deadline": NOON + timedelta(hours=23),
        "size": 3,
    }
    return Outcome(BatchId(SHARD, 17, 20), state, "queue message 5f0c", **(known | changes))


def report(*outcomes: Outcome, **changes: Any) -> SecureReport:
    return SecureReport("queue", NOON, timedelta(hours=4), len(outcomes), outcomes, **changes)


class TestOutcomes:
    """Of what went well only sums are kept, and nothing that people see depends on it."""

    @given(
        st.lists(
            st.builds(
                outcome,
                st.sampled_from(State),
                records=st.integers(0, 9),
                bytes=st.integers(0, 999),
                first_arrival=st.none() | _HOURS,
                deadline=st.none() | _HOURS,
                loss=st.none() | st.just(Loss(2, 3, 19, NOON)),
                why=st.sampled_from(["", "S3 refused"]),
            )
        )
    )
    def test_a_report_says_the_same_as_if_all_were_kept(self, found: list[Outcome]) -> None:
        summed_up = Outcomes(NOON, timedelta(hours=4))
        for one in found:
            summed_up.add(one)
        told = replace(report(*summed_up.told, others=summed_up.others), claimed=len(found))
        assert told.as_data() == report(*found).as_data()
        assert (told.near, told.lost, told.failures) == (
            report(*found).near,
            report(*found).lost,
            report(*found).failures,
        )

    @pytest.mark.parametrize("state", [State.SECURED, State.KNOWN])
    def test_of_what_went_well_none_is_kept(self, state: State) -> None:
        found = Outcomes(NOON, timedelta(hours=4))
        for _ in range(3):
            found.add(outcome(state, records=2, bytes=20))
        assert found.told == []
        assert found.others.secured + found.others.known == 3

    def test_all_are_kept_where_each_is_shown(self) -> None:
        found = Outcomes(NOON, timedelta(hours=4), all=True)
        found.add(outcome())
        assert (found.told, found.others) == ([outcome()], Tally())


class TestSummary:
    """Lines for people."""

    def test_of_nothing_is_one_line(self) -> None:
        assert report().summary == ["queue: nothing waits"]

    def test_counts_what_was_secured_and_says_how_old_and_how_urgent_it_was(self) -> None:
        found = report(outcome(records=3, bytes=1200), outcome(State.KNOWN), open=4, lanes=("documents", SHARD))
        assert found.summary == [
            (
                "queue: 1 secured (3 records, 1,200 bytes), 1 known; oldest 2026-03-01T11:00:00.000Z; "
                "nearest deadline 2026-03-02T11:00:00.000Z; 4 open in 2 lanes"
            )
        ]

    def test_names_what_was_lost_failed_or_capped(self) -> None:
        loss = Loss(2, 3, 19, NOON)
        found = report(
            outcome(loss=loss, records=2), outcome(State.FAILED, why="S3 refused"), outcome(State.CAPPED, why="3 times")
        )
        assert found.summary[1:] == [
            (
                f"LOST: {SHARD}/17-20: at least 2 and at most 3 records lost since 2026-03-01T12:00:00.000Z, what is "
                "left begins at 19"
            ),
            f"FAILED: {SHARD}/17-20: S3 refused",
            f"CAPPED: {SHARD}/17-20: 3 times",
        ]
        assert found.problems == found.summary[1:]

    def test_names_what_went_to_quarantine_and_what_comes_again(self) -> None:
        found = report(quarantined={"queue message 1": "foreign: another stream"}, undeleted={"2": "InternalError"})
        assert found.summary == [
            "queue: 1 quarantined",
            "quarantine: queue message 1: foreign: another stream",
            "not deleted, they come again: 2: InternalError",
        ]
        assert found.problems == []

    def test_of_many_things_names_some(self) -> None:
        found = report(*(outcome(State.FAILED, why="x") for _ in range(3)), failed={str(n): "y" for n in range(100)})
        assert "and 91 more" in found.summary[1]

    def test_says_when_it_is_a_dry_run(self) -> None:
        assert report(dry_run=True).summary == ["dry run: queue: nothing waits"]


class TestAlerts:
    """Who has to be told."""

    def test_nobody_when_all_is_well(self) -> None:
        assert report(outcome(records=3), outcome(State.KNOWN)).notices == []

    @pytest.mark.parametrize(
        ("found", "severity", "key"),
        [
            (report(outcome(State.LOST, loss=Loss(3, 3, None, None))), Severity.HIGH, "replay-lost"),
            (report(outcome(records=2, loss=Loss(1, 2, 18, NOON))), Severity.HIGH, "replay-lost"),
            (report(outcome(deadline=NOON + timedelta(hours=3))), Severity.HIGH, "replay-deadline"),
            (report(outcome(State.FAILED, deadline=NOON + timedelta(hours=3))), Severity.HIGH, "replay-deadline"),
            (report(findings=("no limits",)), Severity.HIGH, "replay-event-source-mapping"),
            (report(outcome(State.CAPPED)), Severity.MEDIUM, "replay-capped"),
        ],
    )
    def test_of_what_needs_somebody(self, found: SecureReport, severity: Severity, key: str) -> None:
        assert [(notice.severity, notice.key) for notice in found.notices] == [(severity, key)]

    def test_not_of_the_deadline_of_what_was_secured_before(self) -> None:
        assert report(outcome(State.KNOWN, deadline=NOON)).notices == []

    def test_about_many_batches_names_some(self) -> None:
        (notice,) = report(*(outcome(State.CAPPED) for _ in range(60))).notices
        assert notice.text.splitlines()[-1] == "and 10 more"

    def test_are_data(self) -> None:
        data = report(outcome(State.LOST, loss=Loss(3, 3, None, None))).as_data()
        assert json.loads(json.dumps(data)) == data
        assert data["alerts"][0]["severity"] == "high"
        assert data["counts"]["lost_records"] == 3


class TestTheTable:
    """What a dry run shows."""

    def test_has_a_row_for_each_batch_and_message(self) -> None:
        found = report(
            outcome(records=3, bytes=1200),
            outcome(State.CAPPED, why="rejected 3 times"),
            quarantined={"queue message 7": "unknown-message: no JSON"},
            strange={"failed/1": "no failed batch"},
            failed={"failed/2": "cannot be read"},
            dry_run=True,
        )
        lines = found.as_data()["plan"].splitlines()
        assert len(lines) == 7
        for told in ("would be secured", "3 / 3", "1,200", "2026-03-02T11:00:00.000Z", "queue message 5f0c"):
            assert told in lines[2]

    def test_is_left_out_of_other_runs(self) -> None:
        assert report(outcome(records=3)).as_data()["plan"] == ""


class TestALogLine:
    """Enough to follow a batch, and nothing of its content."""

    def test_names_batch_origin_request_and_deadline(self) -> None:
        line = str(outcome(records=3, bytes=1200, request_id="e4b4", condition="RecordAgeExceeded"))
        assert line == (
            f"{SHARD}/17-20: secured; 3 records, 1,200 bytes; read from the stream; from queue message 5f0c; "
            "request e4b4; condition RecordAgeExceeded; batch size 3; deadline 2026-03-02T11:00:00.000Z"
        )

    def test_shouts_about_a_loss(self) -> None:
        assert "LOST: at least 1 and at most 2 records lost" in str(outcome(records=2, loss=Loss(1, 2, 18, NOON)))


def records(*numbers: int, data: bytes = b"x") -> list[StreamRecord]:
    return [StreamRecord(number, "k", NOON + timedelta(seconds=number), data) for number in numbers]


def batch(size: int | None = 4) -> FailedBatch:
    return FailedBatch(BatchId(SHARD, 10, 20), size, NOON, NOON, "RetryAttemptsExhausted", "queue message 5f0c")


class TestLoss:
    """What is missing of a range."""

    def test_is_nothing_when_both_ends_are_there(self) -> None:
        assert loss_of(batch(), records(10, 20), RETENTION) is None

    @pytest.mark.parametrize(
        ("size", "left", "expected"),
        [
            (4, [], (4, 4, None)),
            (None, [], (2, None, None)),
            (4, [15, 20], (2, 3, 15)),
            (4, [12, 13, 15, 17, 20], (1, 3, 12)),
            (None, [15, 20], (1, None, 15)),
            (4, [10, 12], (2, 3, 10)),
        ],
    )
    def test_is_bounded_by_what_is_left(self, size: int | None, left: list[int], expected: Any) -> None:
        found = loss_of(batch(size), records(*left), RETENTION)
        assert found is not None
        assert (found.at_least, found.at_most, found.first_left) == expected
        assert found.since == NOON + RETENTION

    def test_of_a_single_record(self) -> None:
        single = FailedBatch(BatchId(SHARD, 10, 10), 1, None, None, "x", "y")
        assert loss_of(single, [], RETENTION) == Loss(1, 1, None, None)


class TestChunks:
    """A range that somebody asked for, in files of a bounded size."""

    def test_end_with_the_last_number(self) -> None:
        assert list(chunks([records(1, 2), (), records(3, 4)], 3)) == [records(1, 2, 3)]

    def test_end_with_the_last_moment(self) -> None:
        assert list(chunks([records(1, 2, 3)], NOON + timedelta(seconds=2))) == [records(1, 2)]

    def test_of_nothing_are_none(self) -> None:
        assert list(chunks([(), records(7)], 5)) == []
        assert list(chunks([], 5)) == []

    def test_do_not_follow_the_pages(self) -> None:
        numbers = list(range(2 * LARGEST_CHUNK + 1))
        pages = [records(*numbers[:1]), records(*numbers[1:15_000]), records(*numbers[15_000:])]
        assert [len(chunk) for chunk in chunks(pages, 10**9)] == [LARGEST_CHUNK, LARGEST_CHUNK, 1]

    def test_hold_no_more_than_ten_megabytes_or_one_record(self) -> None:
        large = [*records(1, 2, 3, data=b"x" * 4_000_000), *records(4, data=b"x" * 11_000_000), *records(5)]
        assert [len(chunk) for chunk in chunks([large], 9)] == [2, 1, 1, 1]


def test_pages_that_were_read_are_let_go_with_their_reader() -> None:
    """Not only when the garbage is collected: they are megabytes, and what comes next would lie beside them."""

    class Shard:
        """Gives two records for ever."""

        def read(self, _shard: str, _start: int, _pace: Pace) -> Iterator[tuple[StreamRecord, ...]]:
            while True:
                yield tuple(StreamRecord(number, "k", NOON, b"data") for number in (17, 20))

    gc.disable()
    try:
        ranges = ShardRanges(cast("Stream", Shard()), 1.0, lambda: None)
        assert [record.sequence_number for record in ranges.records(BatchId(SHARD, 17, 17))] == [17]
        reader = weakref.ref(ranges)
        del ranges
        assert reader() is None
    finally:
        gc.enable()
