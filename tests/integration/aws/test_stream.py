"""The stream's gateway against the local AWS: what is read, from where to where, and what it costs."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.airflow import clients
from dmd_pipeline.aws.config import CLIENT_CONFIG
from dmd_pipeline.aws.kinesis import Stream
from dmd_pipeline.errors import PositionError, ShardNotFoundError, StreamError, ThrottledError
from dmd_pipeline.pacing import Pace


if TYPE_CHECKING:
    from dmd_pipeline.failed_batches import StreamRecord
    from local.aws import LocalAws


@pytest.fixture
def stream(aws: LocalAws) -> Stream:
    return Stream(aws.client("kinesis"), aws.settings.stream)


class SmallPages(Pace):
    """A pace that asks for few records at a time."""

    def __init__(self, records: int = 2) -> None:
        super().__init__(0.7)  # calls may take longer to arrive than others: at 1.0 a busy machine is throttled
        self._records = records

    def before(self) -> int:
        return min(self._records, super().before())


def put(aws: LocalAws, *data: str, key: str = "key") -> tuple[str, list[int]]:
    """Write records to one shard; which shard it was, and their sequence numbers."""
    kinesis = aws.client("kinesis")
    answers = [kinesis.put_record(StreamName=aws.settings.stream, Data=one.encode(), PartitionKey=key) for one in data]
    return answers[0]["ShardId"], [int(answer["SequenceNumber"]) for answer in answers]


def data_of(pages: list[tuple[StreamRecord, ...]]) -> list[list[str]]:
    return [[record.data.decode() for record in page] for page in pages]


def test_the_retention_is_the_streams(aws: LocalAws, stream: Stream) -> None:
    assert stream.retention() == timedelta(hours=24)
    aws.client("kinesis").increase_stream_retention_period(StreamName=stream.name, RetentionPeriodHours=48)
    aws.calls.clear()
    assert stream.retention() == timedelta(hours=48)
    assert aws.calls.totals() == {"kinesis:DescribeStreamSummary": 1}


def test_shards_are_listed_with_closed_ones_in_one_call(aws: LocalAws, stream: Stream) -> None:
    aws.client("kinesis").update_shard_count(StreamName=stream.name, TargetShardCount=8, ScalingType="UNIFORM_SCALING")
    aws.calls.clear()
    assert stream.shard_ids() == [f"shardId-{number:012d}" for number in range(12)]
    assert aws.calls.totals() == {"kinesis:ListShards": 1}


def test_a_thousand_shards_are_listed_page_by_page(aws: LocalAws) -> None:
    aws.client("kinesis").create_stream(StreamName="wide", ShardCount=1001)
    aws.calls.clear()
    assert len(Stream(aws.client("kinesis"), "wide").shard_ids()) == 1001
    assert aws.calls.totals() == {"kinesis:ListShards": 2}


def test_an_open_shard_is_read_from_a_number_on_to_its_tip(aws: LocalAws, stream: Stream) -> None:
    shard, numbers = put(aws, "a", "b", "c", "d")
    aws.calls.clear()
    pages = list(stream.read(shard, numbers[1], SmallPages()))
    assert data_of(pages) == [["b", "c"], ["d"]]
    assert [record.sequence_number for page in pages for record in page] == numbers[1:]
    assert aws.calls.totals() == {"kinesis:GetShardIterator": 1, "kinesis:GetRecords": 2}
    (record, *_), *_ = pages
    assert record.partition_key == "key"
    assert abs(datetime.now(UTC) - record.arrived) < timedelta(minutes=1)


def test_who_stops_taking_pages_pays_no_further_one(aws: LocalAws, stream: Stream) -> None:
    shard, numbers = put(aws, "a", "b", "c", "d")
    aws.calls.clear()
    assert [record.data for record in next(stream.read(shard, numbers[0], SmallPages()))] == [b"a", b"b"]
    assert aws.calls.count("kinesis:GetRecords") == 1


def test_a_shard_is_read_from_a_time_on(aws: LocalAws, stream: Stream) -> None:
    put(aws, "a", "b")
    time.sleep(0.02)
    between = datetime.now(UTC)
    time.sleep(0.02)
    shard, _ = put(aws, "c")
    assert data_of(list(stream.read(shard, between, SmallPages()))) == [["c"]]
    assert data_of(list(stream.read(shard, between - timedelta(hours=30), SmallPages()))) == [["a", "b"], ["c"]]


def test_a_closed_shard_is_read_to_its_end_and_its_children_are_not(aws: LocalAws, stream: Stream) -> None:
    shard, numbers = put(aws, "a", "b", "c")
    aws.client("kinesis").update_shard_count(StreamName=stream.name, TargetShardCount=8, ScalingType="UNIFORM_SCALING")
    child, _ = put(aws, "later")
    assert child != shard
    assert data_of(list(stream.read(shard, numbers[0], SmallPages()))) == [["a", "b"], ["c"]]


def test_an_empty_shard_has_one_empty_page(aws: LocalAws, stream: Stream) -> None:
    shard, _ = put(aws, "a")
    other = next(one for one in stream.shard_ids() if one != shard)
    assert list(stream.read(other, datetime.now(UTC) - timedelta(hours=1), SmallPages())) == [()]


def test_when_the_start_has_expired_an_empty_page_comes_first_and_then_a_later_record(
    aws: LocalAws, stream: Stream
) -> None:
    shard, numbers = put(aws, "a", "b")
    aws.clock.advance(timedelta(hours=25))
    _, later = put(aws, "c")
    pages = list(stream.read(shard, numbers[0], SmallPages()))
    assert data_of(pages) == [[], ["c"]]
    assert pages[1][0].sequence_number == later[0]


def test_an_iterator_that_expires_is_replaced_behind_the_last_record(aws: LocalAws, stream: Stream) -> None:
    shard, numbers = put(aws, "a", "b", "c", "d", "e")
    aws.calls.clear()
    found = []
    for page in stream.read(shard, numbers[0], SmallPages()):
        found.append(page)
        aws.clock.advance(timedelta(minutes=6))
    assert data_of(found) == [["a", "b"], ["c", "d"], ["e"]]
    assert aws.calls.totals() == {"kinesis:GetShardIterator": 3, "kinesis:GetRecords": 5}


def test_an_iterator_that_expires_before_the_first_record_begins_again_at_the_start(
    aws: LocalAws, stream: Stream
) -> None:
    shard, numbers = put(aws, "a", "b", "c")
    aws.fail("kinesis:GetRecords", code="ExpiredIteratorException")
    assert data_of(list(stream.read(shard, numbers[1], SmallPages()))) == [["b", "c"]]


def test_iterators_that_always_expire_end_in_an_error(aws: LocalAws, stream: Stream) -> None:
    shard, numbers = put(aws, "a")
    aws.fail("kinesis:GetRecords", code="ExpiredIteratorException", times=100)
    with pytest.raises(StreamError, match=f"^cannot read shard {shard} of stream {stream.name}: ExpiredIterator"):
        list(stream.read(shard, numbers[0], SmallPages()))
    assert aws.calls.count("kinesis:GetRecords") == 2


def test_the_pace_is_told_what_a_page_brought(aws: LocalAws, stream: Stream) -> None:
    told: list[tuple[int, int]] = []

    class Listening(SmallPages):
        def after(self, records: int, size: int) -> None:
            told.append((records, size))
            super().after(records, size)

    shard, numbers = put(aws, "a" * 100, "b" * 50, "c")
    list(stream.read(shard, numbers[0], Listening()))
    assert told == [(2, 150 + 2 * len("key")), (1, 1 + len("key"))]


def test_reading_at_a_pace_is_not_throttled(aws: LocalAws, stream: Stream) -> None:
    shard, numbers = put(aws, *(str(number) for number in range(12)))
    pages = list(stream.read(shard, numbers[0], SmallPages(1)))
    assert len(pages) == 12
    assert aws.calls.count("kinesis:GetRecords") == 12


def test_throttles_are_retried_by_boto3_alone_and_then_told(
    aws: LocalAws, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")
    shard, numbers = put(aws, "a")
    patient = clients.stream(aws.settings)
    throttle: dict[str, Any] = {"operation": "kinesis:GetRecords", "code": "ProvisionedThroughputExceededException"}
    aws.fail(**throttle, times=2)
    assert data_of(list(patient.read(shard, numbers[0], SmallPages()))) == [["a"]]
    time.sleep(1)
    aws.calls.clear()
    aws.fail(**throttle, times=100)
    with pytest.raises(ThrottledError, match=f"^cannot read shard {shard} of stream {stream.name}: AWS asked to slow"):
        list(patient.read(shard, numbers[0], SmallPages()))
    assert aws.calls.count("kinesis:GetRecords") == CLIENT_CONFIG.retries["total_max_attempts"]  # type: ignore[attr-defined]  # botocore's options are not typed


def test_a_shard_that_was_closed_and_is_empty_by_now_is_gone(aws: LocalAws, stream: Stream) -> None:
    shard, numbers = put(aws, "a")
    aws.client("kinesis").update_shard_count(StreamName=stream.name, TargetShardCount=8, ScalingType="UNIFORM_SCALING")
    aws.clock.advance(timedelta(hours=25))
    with pytest.raises(ShardNotFoundError, match=f"^stream {stream.name} has no shard {shard}: "):
        list(stream.read(shard, numbers[0], SmallPages()))
    assert stream.shard_ids() == [f"shardId-{number:012d}" for number in range(4, 12)]


def test_a_stream_that_does_not_exist_is_no_lost_shard(aws: LocalAws) -> None:
    missing = Stream(aws.client("kinesis"), "no-such-stream")
    with pytest.raises(StreamError, match="no-such-stream") as caught:
        list(missing.read("shardId-000000000000", 5, SmallPages()))
    assert not isinstance(caught.value, ShardNotFoundError)
    with pytest.raises(StreamError, match=r"^cannot list shards of stream no-such-stream: ResourceNotFoundException"):
        missing.shard_ids()


def test_a_place_that_is_not_of_the_shard_is_named(aws: LocalAws, stream: Stream) -> None:
    shard, _ = put(aws, "a")
    with pytest.raises(PositionError, match=f"^shard {shard} of stream {stream.name} cannot be read from sequence num"):
        list(stream.read(shard, 5, SmallPages()))
    with pytest.raises(PositionError, match=r"cannot be read from time 20.*future"):
        list(stream.read(shard, datetime.now(UTC) + timedelta(hours=1), SmallPages()))
