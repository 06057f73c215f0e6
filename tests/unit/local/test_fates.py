"""What became of the records of failed batches, and which rows of them are copies."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dmd_pipeline.delivery import Deliverer
from dmd_pipeline.failed_batches import BatchId, StreamRecord
from dmd_pipeline.record_types import load_record_types
from local.copies import copies_of_failed_invocations, copies_of_waiting_batches, was_rejected
from local.fates import Fates, Witnesses, tell
from local.replay_evidence import Held
from local.worker_log import Invocation


if TYPE_CHECKING:
    from collections.abc import Iterable

SHARD = "shardId-000000000000"
AT = datetime(2026, 1, 5, 10, tzinfo=UTC)
DAY = "2026-01-01"
FILTERED = 99
SALE = json.dumps(
    {
        "eventName": "INSERT",
        "dynamodb": {
            "ApproximateCreationDateTime": 1767600000000,
            "NewImage": {
                "type": {"S": "sale"},
                "id": {"S": "sale-1"},
                "eventId": {"S": "event-1"},
                "saleTypes": {"L": []},
                "saleStartDateTime": {"S": f"{DAY}T10:00:00.000Z"},
            },
        },
    }
).encode()


def record(number: int, lane: int = 0) -> StreamRecord:
    return StreamRecord(number, str(lane), AT, SALE)


def records(*numbers: int) -> tuple[StreamRecord, ...]:
    return tuple(map(record, numbers))


def invocation(first: int, last: int, *, crashed: bool = True, lane: int = 0, wrote: str | None = None) -> Invocation:
    groups = {} if wrote is None else {("sale", DAY): wrote}
    return Invocation("id", AT, SHARD, lane, first, last, crashed, groups)


def witnesses(*invocations: Invocation) -> Witnesses:
    return Witnesses(invocations, int, lambda one: one.sequence_number != FILTERED)


def held(*numbers: int, settled: bool = False, folder: str = SHARD) -> Held:
    return Held(BatchId(folder, numbers[0], numbers[-1]), records(*numbers), settled)


def numbers(places: Iterable[tuple[str, int]]) -> list[int]:
    return sorted(number for _, number in places)


def test_a_record_in_the_queue_and_secured_waits_once() -> None:
    fates = tell([(SHARD, records(1, 2, 3))], [held(1, 2, 3)], [], witnesses(invocation(1, 3)))

    assert numbers(fates.waiting) == [1, 2, 3]
    assert (fates.settled, fates.quarantined) == ({}, {})


def test_filtered_records_and_those_of_a_lane_that_was_delivered_wait_for_nobody() -> None:
    between = [record(1), record(2, lane=1), record(FILTERED), record(100)]
    told = witnesses(invocation(1, 100), invocation(2, 50, lane=1, crashed=False))

    assert numbers(tell([(SHARD, between)], [], [], told).waiting) == [1, 100]


def test_a_record_that_a_later_attempt_delivered_does_not_wait() -> None:
    told = witnesses(invocation(1, 4), invocation(1, 2, crashed=False), invocation(3, 4))

    assert numbers(tell([(SHARD, records(1, 2, 3, 4))], [], [], told).waiting) == [3, 4], "bisected"


def test_a_record_does_not_wait_once_any_batch_with_it_is_settled() -> None:
    fates = tell([(SHARD, records(2, 3))], [held(1, 2, settled=True)], [], witnesses(invocation(1, 3)))

    assert (numbers(fates.waiting), numbers(fates.settled)) == ([3], [1, 2])


def test_a_record_is_in_quarantine_only_when_its_batch_is_settled_and_the_worker_has_not_rejected_it_before() -> None:
    rejected = [held(1, 2), held(5)]
    secured = [held(1, 2, settled=True), held(5)]
    told = witnesses(invocation(1, 5), invocation(2, 2, crashed=False))

    fates = tell([], secured, [rejected[0], rejected[1]], told)

    assert numbers(fates.quarantined) == [1], "2 stands in errors/, 5 still waits"
    assert (numbers(fates.waiting), numbers(fates.settled)) == ([5], [])


def test_the_last_attempt_tells_whether_a_record_is_still_in_quarantine() -> None:
    first, retry = held(1, 2, settled=True), held(1, 2, settled=True, folder=f"{SHARD}-retry1")
    documents = [held(1, 2), held(2, folder=f"{SHARD}-retry1")]
    again = Held(BatchId(f"{SHARD}-retry1", 1, 2), records(2), settled=False)

    before = tell([], [first], documents[:1], witnesses(invocation(1, 2)))
    after = tell([], [first, retry], [documents[0], again], witnesses(invocation(1, 2)))

    assert (numbers(before.quarantined), numbers(before.settled)) == ([1, 2], [])
    assert (numbers(after.quarantined), numbers(after.settled)) == ([2], [1])


def test_all_rows_of_failed_attempts_are_copies_while_their_records_wait() -> None:
    attempts = [invocation(1, 3, wrote=key) for key in ("one", "two", "three")]
    fates = tell([(SHARD, records(1, 2, 3))], [], [], witnesses(*attempts))

    assert copies(fates, *attempts) == {("sale", DAY): 9}


def test_one_row_of_each_record_stays_when_its_batch_is_settled() -> None:
    attempts = [invocation(1, 3, wrote=key) for key in ("one", "two", "three")]
    fates = tell([], [held(1, 2, 3, settled=True)], [], witnesses(*attempts))

    assert copies(fates, *attempts) == {("sale", DAY): 6}


def test_nothing_stays_of_attempts_that_did_not_write_the_records_group() -> None:
    attempts = [invocation(1, 3)]
    fates = tell([], [held(1, 2, 3, settled=True)], [], witnesses(*attempts))

    assert copies(fates, *attempts) == {}


def test_all_rows_of_failed_attempts_are_copies_when_a_later_one_delivered() -> None:
    attempts = [invocation(1, 3, wrote="one"), invocation(1, 3, crashed=False)]
    # As a neighbour between whose ends these records lie, too.
    fates = tell([], [held(1, 2, 3, settled=True)], [], witnesses(*attempts))

    assert copies(fates, attempts[0]) == {("sale", DAY): 3}


def test_an_invalid_record_was_rejected_when_a_failed_attempt_with_it_wrote_to_errors() -> None:
    wrote = dataclasses.replace(invocation(1, 3), errors=["errors/one.json"])
    delivered = dataclasses.replace(invocation(4, 6, crashed=False), errors=["errors/two.json"])
    deliverer, told = Deliverer(load_record_types()), witnesses(wrote, delivered)

    def rejected(one: StreamRecord, *files: str) -> bool:
        return was_rejected((SHARD, one.sequence_number), one, files, told, deliverer)

    bad = [dataclasses.replace(one, data=b"{}") for one in records(2, 3, 5)]
    both = ("errors/one.json", "errors/two.json")
    assert [rejected(one, *both) for one in bad] == [True, True, False]
    assert not rejected(bad[0], "errors/two.json"), "the file was replayed, or is another one"
    assert not rejected(record(2), *both), "it is valid: the file was for its neighbours"


def copies(fates: Fates, *attempts: Invocation) -> dict[tuple[str, str], int]:
    """Of attempts that had three records each."""
    files = {key: Counter({("sale", DAY): 3}) for attempt in attempts for key in attempt.files}
    return dict(copies_of_failed_invocations(files, fates, witnesses(*attempts), Deliverer(load_record_types())))


def test_replayed_rows_are_copies_until_their_batch_is_settled() -> None:
    rows = {"replay": Counter({("sale", DAY): 2})}
    places = {"replay": [(SHARD, 1), (SHARD, 2)]}
    told = witnesses(invocation(1, 2))

    open_ = tell([], [held(1, 2)], [], told)
    settled = tell([], [held(1, 2, settled=True)], [], told)

    assert copies_of_waiting_batches(rows, places, open_).total() == 2
    assert copies_of_waiting_batches(rows, places, settled).total() == 0
