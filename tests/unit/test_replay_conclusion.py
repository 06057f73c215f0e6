"""What a whole run over failed batches comes to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from dmd_pipeline.errors import ReplayIncompleteError
from dmd_pipeline.failed_batches import BatchId
from dmd_pipeline.jobs import replay_reports
from dmd_pipeline.jobs.lane_reports import BatchReport, LaneReport, State
from dmd_pipeline.jobs.replay_conclusion import Conclusion
from dmd_pipeline.jobs.replay_reports import Loss, Outcome, SecureReport


AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE, OTHER = "shardId-000000000001", "shardId-000000000002"
BATCH, NEXT = BatchId(ONE, 17, 20), BatchId(OTHER, 5, 9)
SECURED = Outcome(
    BATCH,
    replay_reports.State.SECURED,
    "queue message 1",
    first_arrival=AT,
    deadline=AT + timedelta(days=1),
    records=4,
    bytes=40,
)
COUNTS = {
    "records": 4,
    "written": 2,
    "delivered": 1,
    "indistinguishable": 0,
    "quarantined": 1,
    "filtered": 0,
    "lost": 0,
}


def settled(batch: BatchId, day: date, **counts: int) -> BatchReport:
    return BatchReport(
        batch,
        State.SETTLED,
        counts=COUNTS | counts,
        fresh={"demand": frozenset({day})},
        dates={"demand": frozenset({day})},
    )


def secured(*outcomes: Outcome, lanes: tuple[str, ...] = (ONE, OTHER)) -> SecureReport:
    return SecureReport(source="queue", at=AT, claimed=len(outcomes), outcomes=outcomes, lanes=lanes, open=len(lanes))


def conclusion(report: SecureReport, *lanes: LaneReport, dry_run: bool = False) -> Conclusion:
    """Of reports as the tasks hand them on: as data."""
    return Conclusion("queue", report.as_data(), [lane.as_data() for lane in lanes], dry_run)


def test_one_line_tells_of_the_whole_run_and_its_records_add_up() -> None:
    made = conclusion(
        secured(SECURED),
        LaneReport(ONE, (settled(BATCH, date(2026, 3, 1), indistinguishable=1),)),
        LaneReport(
            OTHER, (BatchReport(NEXT, State.WAITING_FOR_CERTAINTY), BatchReport(NEXT, State.WAITING_FOR_SCHEMA))
        ),
    )
    (line,) = made.summary
    assert line == (
        "queue: waiting 1 (oldest 2026-03-01T12:00:00.000Z, nearest deadline 2026-03-02T12:00:00.000Z); "
        "secured 1 (4 records); "
        "converted 1 (4 records: 2 written, 1 already delivered (1 could not be told apart), 1 quarantined, "
        "0 filtered out); waiting for schema 1, for certainty 1; lost 0, capped 0, failed 0"
    )
    assert made.schema_waits == {OTHER: 1}
    made.raise_problems()


def test_the_dates_of_all_lanes_are_joined() -> None:
    first, second = date(2026, 3, 1), date(2026, 3, 2)
    made = conclusion(
        secured(SECURED),
        LaneReport(ONE, (settled(BATCH, second), settled(BATCH, first))),
        LaneReport(OTHER, (settled(NEXT, second),)),
    )
    assert made.partition_keys == {"demand": ["2026-03-01", "2026-03-02"]}
    assert made.as_data()["partition_keys"] == made.partition_keys


def test_what_is_lost_what_is_capped_and_what_fails_ends_the_run_badly() -> None:
    lost = Outcome(NEXT, replay_reports.State.LOST, "queue message 2", loss=Loss(3, 5, None, AT))
    capped = Outcome(NEXT, replay_reports.State.CAPPED, "a document", why="its records were rejected 3 times")
    failed = Outcome(NEXT, replay_reports.State.FAILED, "queue message 3", why="S3 refused")
    made = conclusion(
        secured(SECURED, lost, capped, failed, lanes=(ONE,)),
        LaneReport(ONE, (settled(BATCH, AT.date()), BatchReport(BATCH, State.FAILED, "a damaged file"))),
    )
    assert (made.counts["lost"], made.counts["capped"], made.counts["failed"]) == (3, 1, 2)
    assert made.summary[0].endswith("lost 3, capped 1, failed 2")
    with pytest.raises(ReplayIncompleteError) as caught:
        made.raise_problems()
    for told in (
        "all else is done",
        "LOST: ",
        "S3 refused",
        "CAPPED: ",
        f"FAILED: {BATCH}: a damaged file",
        "docs/runb",
    ):
        assert told in str(caught.value)


def test_a_lane_without_a_report_has_failed() -> None:
    made = conclusion(secured(SECURED), LaneReport(ONE, (settled(BATCH, AT.date()),)))
    assert made.problems == [f"FAILED: lane {OTHER}: its task failed, see its log"]
    assert made.counts["failed"] == 1


def test_a_lane_that_another_run_converts_is_no_problem() -> None:
    made = conclusion(secured(lanes=(ONE,)), LaneReport(ONE, busy="another run, until 13:00"))
    assert made.problems == []
    assert made.summary[0].endswith(f"; left to another run: {ONE}")


def test_a_dry_run_says_so_and_counts_what_would_be() -> None:
    planned = BatchReport(BATCH, State.PLANNED, counts=COUNTS)
    made = conclusion(secured(lanes=(ONE,)), LaneReport(ONE, (planned,), dry_run=True), dry_run=True)
    assert made.summary[0].startswith("dry run: queue: waiting 0; secured 0 (0 records); converted 1 (4 records: ")
