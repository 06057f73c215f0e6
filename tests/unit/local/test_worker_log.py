from __future__ import annotations

import json
from datetime import UTC, datetime

from local.worker_log import invocations_in


def line(request_id: str, message: str, **context: object) -> str:
    return json.dumps(
        {"timestamp": "2026-01-05T10:00:00.000Z", "message": message, "requestId": request_id, "context": context}
    )


def received(request_id: str, first: int, last: int) -> str:
    place = {"shardId": "shardId-0", "lane": 1, "firstSequenceNumber": str(first), "lastSequenceNumber": str(last)}
    return line(request_id, "Processing batch", batchSize=2, **place)


LOG = [
    "START RequestId: a Version: $LATEST",
    received("a", 10, 20),
    line("a", "Wrote file", batchSize=1, recordType="sale", partitionDate="2026-01-01", key="a-sale"),
    line("a", "Wrote file", batchSize=1, key="a-errors"),
    "RequestId: a Error: Runtime exited with error: signal: killed Runtime.ExitError",
    "END RequestId: a",
    received("b", 10, 20),
    line("b", "Wrote file", batchSize=1, recordType="sale", partitionDate="2026-01-01", key="b-sale"),
    line("b", "Batch done", batchSize=2),
]


def test_an_invocation_tells_what_it_was_for_what_it_wrote_and_how_it_ended() -> None:
    crashed, done = invocations_in(LOG)

    assert (crashed.crashed, done.crashed) == (True, False)
    assert (crashed.groups, crashed.errors) == ({("sale", "2026-01-01"): "a-sale"}, ["a-errors"])
    assert crashed.files == ["a-sale", "a-errors"]
    assert (done.request_id, done.at, done.files) == ("b", datetime(2026, 1, 5, 10, tzinfo=UTC), ["b-sale"])


def test_it_was_for_the_records_of_its_lane_between_its_ends() -> None:
    crashed, _ = invocations_in(LOG)

    assert crashed.was_for("shardId-0", 1, 10)
    assert crashed.was_for("shardId-0", 1, 20)
    assert not crashed.was_for("shardId-0", 1, 21)
    assert not crashed.was_for("shardId-0", 0, 15), "another lane"
    assert not crashed.was_for("shardId-1", 1, 15), "another shard"
