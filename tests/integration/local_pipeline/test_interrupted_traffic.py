"""Traffic whose sender dies is known afterwards: the ledger and the stream agree, whenever it happened."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from local.ledger import Ledger, load_all, next_journal
from local.traffic.plan import Planned, Size, plan
from local.traffic.sending import send
from local.traffic.settling import settle


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.aws import LocalAws

SIZE = Size(records=1700, days=5)


class Dying:
    """A Kinesis client whose user dies at its third PutRecords: before it, in the middle of it, or right after it."""

    def __init__(self, kinesis: Any, arrived: Callable[[list[Any]], list[Any]]) -> None:
        self._kinesis = kinesis
        self._arrived = arrived
        self._calls = 0

    def put_records(self, **request: Any) -> Any:
        self._calls += 1
        if self._calls < 3:
            return self._kinesis.put_records(**request)
        if arrived := self._arrived(request["Records"]):
            self._kinesis.put_records(StreamName=request["StreamName"], Records=arrived)
        raise KeyboardInterrupt


def on_the_stream(aws: LocalAws) -> Counter[bytes]:
    kinesis, found = aws.client("kinesis"), Counter[bytes]()
    for shard in kinesis.list_shards(StreamName=aws.settings.stream)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName=aws.settings.stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        page = kinesis.get_records(ShardIterator=iterator)
        assert not page["MillisBehindLatest"]
        found.update(record["Data"] for record in page["Records"])
    return found


def entered(*sent: Planned) -> Ledger:
    ledger = Ledger(seed=0)
    for one in sent:
        ledger.add(one)
    return ledger


def rows(ledger: Ledger) -> dict[tuple[str, str], tuple[int, int]]:
    """Without the number of duplicates: of two copies under way, nobody can tell which one arrived."""
    return {(kind, day): (sent.valid, sent.invalid) for kind, day, sent in ledger.entries()}


@pytest.mark.parametrize(
    ("arrived", "total"),
    [
        pytest.param(lambda _: [], 2 * 500, id="before the request"),
        pytest.param(lambda records: records[::3], 2 * 500 + 167, id="in the middle of it"),
        pytest.param(lambda records: records, 3 * 500, id="right after it"),
    ],
)
def test_what_an_interrupted_sender_sent_is_entered(
    aws: LocalAws, tmp_path: Path, arrived: Callable[[list[Any]], list[Any]], total: int
) -> None:
    kinesis, stream = aws.client("kinesis"), aws.settings.stream
    earlier = list(plan(Size(records=40, days=2), seed=1, now=datetime.now(UTC)))
    send(kinesis, stream, earlier, next_journal(tmp_path, seed=None, crash_points=()))
    planned = list(plan(SIZE, seed=2, now=datetime.now(UTC)))
    interrupted = next_journal(tmp_path, seed=None, crash_points=())
    with pytest.raises(KeyboardInterrupt):
        send(Dying(kinesis, arrived), stream, planned, interrupted)  # type: ignore[arg-type]

    settle(kinesis, stream, tmp_path)

    held = on_the_stream(aws)
    ledgers = load_all(tmp_path)
    expected = entered(*planned[:1000], *arrived(planned[1000:1500]))
    assert [ledger.total for ledger in ledgers] == [40, total]
    assert held.total() == 40 + total
    assert ledgers[1].under_way == []
    assert rows(ledgers[1]) == rows(expected)
    assert ledgers[1].filtered == expected.filtered
    assert settle(kinesis, stream, tmp_path) == 0, "it is settled once"
    assert next_journal(tmp_path, seed=None, crash_points=()).ledger.seed == 3, "the next one sends other records"


def test_a_copy_sent_before_is_not_taken_for_one_that_was_under_way(aws: LocalAws, tmp_path: Path) -> None:
    """The same records twice: those of the first time do not stand for those of the second."""
    kinesis, stream, now = aws.client("kinesis"), aws.settings.stream, datetime.now(UTC)
    planned = list(plan(Size(records=30, days=2), seed=1, now=now))
    send(kinesis, stream, planned, next_journal(tmp_path, seed=1, crash_points=()))
    next_journal(tmp_path, seed=1, crash_points=()).about_to_send(planned)

    assert settle(kinesis, stream, tmp_path) == 0
    assert [ledger.total for ledger in load_all(tmp_path)] == [30, 0]
