"""What comes of a lane, for people, for the next task and for the done documents."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest

from dmd_pipeline.failed_batches import BatchId
from dmd_pipeline.jobs.lane_reports import COUNTS, BatchReport, LaneReport, State


SHARD = "shardId-000000000001"
BATCH, NEXT, LAST = BatchId(SHARD, 17, 20), BatchId(SHARD, 21, 30), BatchId(SHARD, 31, 31)
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)


def settled(batch: BatchId = BATCH, **counts: int) -> BatchReport:
    return BatchReport(batch, State.SETTLED, counts=counts)


class TestBatch:
    def test_its_line_tells_what_there_is_and_nothing_else(self) -> None:
        report = settled(records=12_345, written=12_340, delivered=0, quarantined=5)
        assert str(report) == f"{SHARD}/17-20: settled: 12,345 records, 12,340 written, 5 quarantined"

    def test_its_line_gives_the_reason(self) -> None:
        waiting = BatchReport(BATCH, State.WAITING_FOR_CERTAINTY, "40 records for a batch of 25", {"records": 40})
        assert str(waiting) == f"{SHARD}/17-20: waiting for certainty: 40 records (40 records for a batch of 25)"
        assert str(BatchReport(BATCH, State.FAILED, "S3 refused")) == f"{SHARD}/17-20: failed (S3 refused)"

    @pytest.mark.parametrize("state", State)
    def test_only_what_will_be_converted_by_itself_is_waiting(self, state: State) -> None:
        assert BatchReport(BATCH, state).is_waiting == state.value.startswith("waiting")

    def test_its_done_document_tells_all_counts_files_and_partitions(self) -> None:
        report = BatchReport(
            BATCH,
            State.SETTLED,
            counts={"records": 4, "written": 3, "filtered": 1},
            files=("avro/demand/b.avro", "avro/event/a.avro"),
            dates={"event": frozenset({SECOND, FIRST}), "demand": frozenset({FIRST})},
            fresh={"event": frozenset({FIRST})},
            quarantine="quarantine/rejected/one.json",
        )
        document = report.as_document("scheduled__1", AT)
        assert json.loads(json.dumps(document)) == {
            "batch": f"{SHARD}/17-20",
            "counts": {
                "records": 4,
                "written": 3,
                "delivered": 0,
                "indistinguishable": 0,
                "in_errors": 0,
                "quarantined": 0,
                "filtered": 1,
                "lost": 0,
            },
            "files": ["avro/demand/b.avro", "avro/event/a.avro"],
            "partitions": {"demand": ["2026-03-01"], "event": ["2026-03-01", "2026-03-02"]},
            "quarantine": "quarantine/rejected/one.json",
            "settled_by": "scheduled__1",
            "settled_at": "2026-03-01T12:00:00.000Z",
        }
        assert list(document["partitions"]) == ["demand", "event"]

    def test_a_batch_of_filtered_records_alone_has_a_done_document_too(self) -> None:
        document = settled(records=2, filtered=2).as_document("run", AT)
        assert (document["files"], document["partitions"], document["quarantine"]) == ([], {}, None)
        assert document["counts"] == dict.fromkeys(COUNTS, 0) | {"records": 2, "filtered": 2}


class TestLane:
    def test_records_of_settled_batches_add_up_and_batches_are_counted_by_state(self) -> None:
        lane = LaneReport(
            SHARD,
            (
                settled(records=4, written=3, filtered=1),
                settled(NEXT, records=2, delivered=2, indistinguishable=1),
                BatchReport(LAST, State.WAITING_FOR_SCHEMA, "why", {"records": 7}),
            ),
        )
        assert lane.counts == {
            "settled": 2,
            "waiting for schema": 1,
            "records": 6,
            "written": 3,
            "delivered": 2,
            "indistinguishable": 1,
            "in_errors": 0,
            "quarantined": 0,
            "filtered": 1,
            "lost": 0,
        }

    def test_records_of_a_batch_that_could_not_be_settled_do_not_count(self) -> None:
        """It is converted again, and counted then."""
        report = BatchReport(BATCH, State.FAILED, "not registered", {"records": 4, "written": 4})
        assert LaneReport(SHARD, (report,)).counts == {"failed": 1, **dict.fromkeys(COUNTS, 0)}

    def test_a_dry_run_counts_what_would_be(self) -> None:
        lane = LaneReport(
            SHARD, (BatchReport(BATCH, State.PLANNED, counts={"records": 4, "written": 4}),), dry_run=True
        )
        assert (lane.counts["planned"], lane.counts["records"], lane.counts["written"]) == (1, 4, 4)
        assert lane.summary == [f"dry run: {SHARD}/17-20: planned: 4 records, 4 written"]

    def test_partitions_are_those_that_were_written_into_of_all_batches(self) -> None:
        lane = LaneReport(
            SHARD,
            (
                BatchReport(BATCH, State.SETTLED, fresh={"event": frozenset({SECOND}), "demand": frozenset({FIRST})}),
                BatchReport(NEXT, State.SETTLED, fresh={"event": frozenset({FIRST, SECOND})}),
                BatchReport(LAST, State.SETTLED, dates={"sale": frozenset({FIRST})}),  # delivered by the worker
            ),
        )
        assert lane.partition_keys == {"demand": ["2026-03-01"], "event": ["2026-03-01", "2026-03-02"]}
        assert list(lane.partition_keys) == ["demand", "event"]

    def test_partitions_of_a_batch_that_could_not_be_settled_are_told_at_once(self) -> None:
        """Its rows are there, and the next run does not write them again."""
        lane = LaneReport(
            SHARD, (BatchReport(BATCH, State.FAILED, "S3 refused", fresh={"demand": frozenset({FIRST})}),)
        )
        assert lane.partition_keys == {"demand": ["2026-03-01"]}

    def test_failed_batches_are_named_with_their_reason(self) -> None:
        lane = LaneReport(SHARD, (settled(), BatchReport(NEXT, State.FAILED, "S3 refused")))
        assert lane.failed == {f"{SHARD}/21-30": "S3 refused"}

    def test_a_lane_that_is_left_to_another_run_says_to_whom(self) -> None:
        lane = LaneReport(SHARD, busy="another, until 2026-03-01T13:00:00.000Z at the latest")
        assert lane.summary == [f"{SHARD}: left to another, until 2026-03-01T13:00:00.000Z at the latest"]
        assert lane.counts == dict.fromkeys(COUNTS, 0)

    def test_it_is_handed_on_as_json_takes_it(self) -> None:
        lane = LaneReport(SHARD, (settled(records=1, written=1), BatchReport(NEXT, State.FAILED, "why")))
        data = lane.as_data()
        assert json.loads(json.dumps(data)) == data
        assert data == {
            "lane": SHARD,
            "summary": [f"{SHARD}/17-20: settled: 1 records, 1 written", f"{SHARD}/21-30: failed (why)"],
            "counts": lane.counts,
            "partition_keys": {},
            "failed": {f"{SHARD}/21-30": "why"},
            "busy": None,
        }
