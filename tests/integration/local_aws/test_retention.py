"""What the stream forgets, and what expires, as time goes by."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError


if TYPE_CHECKING:
    from local.aws import LocalAws


def put(aws: LocalAws, data: bytes) -> dict[str, str]:
    """Write to one shard."""
    answer: dict[str, str] = aws.client("kinesis").put_record(
        StreamName=aws.settings.stream, Data=data, PartitionKey="key"
    )
    return answer


def iterator(aws: LocalAws, shard: str, kind: str, **where: Any) -> str:
    text: str = aws.client("kinesis").get_shard_iterator(
        StreamName=aws.settings.stream, ShardId=shard, ShardIteratorType=kind, **where
    )["ShardIterator"]
    return text


def read(aws: LocalAws, where: str) -> dict[str, Any]:
    page: dict[str, Any] = aws.client("kinesis").get_records(ShardIterator=where)
    return page


def test_records_are_forgotten_after_the_retention_period(aws: LocalAws) -> None:
    shard = put(aws, b"old")["ShardId"]
    aws.clock.advance(timedelta(hours=23))
    put(aws, b"young")
    aws.clock.advance(timedelta(hours=2))
    page = read(aws, iterator(aws, shard, "TRIM_HORIZON"))
    assert [record["Data"] for record in page["Records"]] == [b"young"]


def test_a_longer_retention_keeps_them(aws: LocalAws) -> None:
    shard = put(aws, b"old")["ShardId"]
    aws.client("kinesis").increase_stream_retention_period(StreamName=aws.settings.stream, RetentionPeriodHours=48)
    aws.clock.advance(timedelta(hours=25))
    page = read(aws, iterator(aws, shard, "TRIM_HORIZON"))
    assert [record["Data"] for record in page["Records"]] == [b"old"]


def test_an_iterator_at_a_forgotten_record_passes_over_the_gap_with_an_empty_page(aws: LocalAws) -> None:
    forgotten = put(aws, b"old")
    aws.clock.advance(timedelta(hours=23))
    put(aws, b"young")
    aws.clock.advance(timedelta(hours=2))
    where = iterator(
        aws, forgotten["ShardId"], "AT_SEQUENCE_NUMBER", StartingSequenceNumber=forgotten["SequenceNumber"]
    )
    first = read(aws, where)
    second = read(aws, first["NextShardIterator"])
    assert first["Records"] == []
    assert first["MillisBehindLatest"] >= 2 * 60 * 60 * 1000
    assert [record["Data"] for record in second["Records"]] == [b"young"]
    assert second["MillisBehindLatest"] == 0


def test_an_iterator_lives_for_five_minutes(aws: LocalAws) -> None:
    where = iterator(aws, put(aws, b"x")["ShardId"], "TRIM_HORIZON")
    aws.clock.advance(timedelta(seconds=290))
    following = read(aws, where)["NextShardIterator"]
    aws.clock.advance(timedelta(seconds=20))
    with pytest.raises(ClientError, match=r"ExpiredIteratorException.*tolerated delay of 300000 milliseconds"):
        read(aws, where)
    assert read(aws, following)["Records"] == []


def test_who_reads_ten_mebibytes_waits_for_the_next_page(aws: LocalAws) -> None:
    for _ in range(11):
        shard = put(aws, b"x" * 1_000_000)["ShardId"]
        aws.clock.advance(timedelta(seconds=1))
    page = read(aws, iterator(aws, shard, "TRIM_HORIZON"))
    assert sum(len(record["Data"]) for record in page["Records"]) <= 10 * 1024 * 1024
    assert len(page["Records"]) == 10
    with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
        read(aws, page["NextShardIterator"])
    aws.clock.advance(timedelta(seconds=5))
    assert len(read(aws, page["NextShardIterator"])["Records"]) == 1


def test_a_throttled_read_shows_in_the_streams_metrics(aws: LocalAws) -> None:
    where = iterator(aws, put(aws, b"x")["ShardId"], "TRIM_HORIZON")
    for _ in range(5):
        read(aws, where)
    with pytest.raises(ClientError, match="Rate exceeded"):
        read(aws, where)
    found = aws.client("cloudwatch").list_metrics(Namespace="AWS/Kinesis")["Metrics"]
    assert {"ReadProvisionedThroughputExceeded", "IncomingRecords"} <= {metric["MetricName"] for metric in found}


def test_an_emptied_aws_is_back_in_the_present(aws: LocalAws) -> None:
    aws.clock.advance(timedelta(days=3))
    aws.reset()
    stamp = read(aws, iterator(aws, put(aws, b"x")["ShardId"], "TRIM_HORIZON"))["Records"][0]
    expected = aws.client("kinesis").describe_stream_summary(StreamName=aws.settings.stream)
    created = expected["StreamDescriptionSummary"]["StreamCreationTimestamp"]
    assert abs(stamp["ApproximateArrivalTimestamp"] - created) < timedelta(minutes=5)
