"""Kinesis: sequence numbers, iterators, limits and resharding, on a stream of the case's own."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.account import refused


if TYPE_CHECKING:
    from tests.conformance.account import Account

pytestmark = pytest.mark.creates_resources

BETWEEN_READS = 0.21  # seconds: five reads a second and shard


def make_stream(account: Account, shards: int = 1) -> str:
    kinesis, name = account.client("kinesis"), account.unique("stream")
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    account.remove_later(lambda: kinesis.delete_stream(StreamName=name, EnforceConsumerDeletion=True))
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 60})
    return name


def put(account: Account, stream: str, *records: str) -> list[dict[str, Any]]:
    written = [
        account.client("kinesis").put_record(StreamName=stream, Data=record.encode(), PartitionKey=record)
        for record in records
    ]
    return list(written)


def shards_of(account: Account, stream: str) -> list[dict[str, Any]]:
    shards: list[dict[str, Any]] = account.client("kinesis").list_shards(StreamName=stream)["Shards"]
    return shards


def iterator(account: Account, stream: str, kind: str, shard: int = 0, **where: Any) -> str:
    shard_id = shards_of(account, stream)[shard]["ShardId"]
    answer = account.client("kinesis").get_shard_iterator(
        StreamName=stream, ShardId=shard_id, ShardIteratorType=kind, **where
    )
    text: str = answer["ShardIterator"]
    return text


def read(account: Account, where: str | None, seconds: float = 5) -> list[str]:
    """What an iterator gives until the end of the shard, or until nothing has come for a second."""
    found: list[str] = []
    quiet_until = time.monotonic() + (1 if account.is_local else seconds)
    while where is not None and time.monotonic() < quiet_until:
        page = account.client("kinesis").get_records(ShardIterator=where)
        found += [record["Data"].decode() for record in page["Records"]]
        where = page.get("NextShardIterator")
        if page["Records"] and page["MillisBehindLatest"] == 0:
            break
        time.sleep(BETWEEN_READS)
    return found


def test_an_iterator_begins_where_it_is_told(account: Account) -> None:
    stream = make_stream(account)
    numbers = [answer["SequenceNumber"] for answer in put(account, stream, "a", "b", "c")]
    starts = {
        "TRIM_HORIZON": ({}, ["a", "b", "c"]),
        "AT_SEQUENCE_NUMBER": ({"StartingSequenceNumber": numbers[1]}, ["b", "c"]),
        "AFTER_SEQUENCE_NUMBER": ({"StartingSequenceNumber": numbers[1]}, ["c"]),
        "AT_TIMESTAMP": ({"Timestamp": datetime.now(UTC) - timedelta(minutes=1)}, ["a", "b", "c"]),
    }
    found = {}
    for kind, (where, _) in starts.items():
        found[kind] = read(account, iterator(account, stream, kind, **where))
        time.sleep(BETWEEN_READS)
    assert found == {kind: expected for kind, (_, expected) in starts.items()}


def test_the_latest_iterator_sees_only_what_comes_later(account: Account) -> None:
    stream = make_stream(account)
    put(account, stream, "before")
    latest = iterator(account, stream, "LATEST")
    put(account, stream, "after")
    assert read(account, latest) == ["after"]


def test_sequence_numbers_grow_and_are_long(account: Account) -> None:
    stream = make_stream(account)
    numbers = [int(answer["SequenceNumber"]) for answer in put(account, stream, "a", "b", "c")]
    assert numbers == sorted(set(numbers))
    assert len(str(numbers[0])) == 56


def test_a_page_that_reached_the_tip_says_so_and_the_next_is_empty(account: Account) -> None:
    stream = make_stream(account)
    put(account, stream, "a")
    where: str | None = iterator(account, stream, "TRIM_HORIZON")
    assert read(account, where) == ["a"]
    time.sleep(BETWEEN_READS)
    page = account.client("kinesis").get_records(ShardIterator=iterator(account, stream, "LATEST"))
    assert (page["Records"], page["MillisBehindLatest"], "NextShardIterator" in page) == ([], 0, True)


def test_a_page_holds_as_many_records_as_asked_and_tells_how_far_behind_it_is(account: Account) -> None:
    stream = make_stream(account)
    put(account, stream, "a", "b", "c")
    time.sleep(0.05)
    where = iterator(account, stream, "TRIM_HORIZON")
    page = account.client("kinesis").get_records(ShardIterator=where, Limit=2)
    assert len(page["Records"]) <= 2
    assert page["MillisBehindLatest"] > 0


def test_a_shard_is_read_five_times_a_second(account: Account) -> None:
    stream = make_stream(account)
    where = iterator(account, stream, "TRIM_HORIZON")
    kinesis = account.client("kinesis")
    with refused("ProvisionedThroughputExceededException", "Rate exceeded for shard"):
        for _ in range(50):
            kinesis.get_records(ShardIterator=where)


def test_a_batch_takes_at_most_500_records(account: Account) -> None:
    stream = make_stream(account)
    records = [{"Data": b"x", "PartitionKey": str(number)} for number in range(501)]
    with refused("ValidationException", "less than or equal to 500"):
        account.client("kinesis").put_records(StreamName=stream, Records=records)


def test_a_record_has_at_most_one_mebibyte(account: Account) -> None:
    stream = make_stream(account)
    with refused("InvalidArgumentException"):
        account.client("kinesis").put_record(StreamName=stream, Data=b"x" * (1024 * 1024), PartitionKey="key")


def test_records_that_a_shard_has_no_capacity_for_fail_one_by_one(account: Account) -> None:
    stream = make_stream(account)
    records = [{"Data": b"x" * 900_000, "PartitionKey": "key"} for _ in range(4)]
    answer = account.client("kinesis").put_records(StreamName=stream, Records=records)
    failed = [result["ErrorCode"] for result in answer["Records"] if "ErrorCode" in result]
    assert 0 < answer["FailedRecordCount"] < 4
    assert failed == ["ProvisionedThroughputExceededException"] * answer["FailedRecordCount"]
    assert all("SequenceNumber" in result for result in answer["Records"] if "ErrorCode" not in result)


def test_a_split_shard_keeps_its_records_and_ends(account: Account) -> None:
    stream, kinesis = make_stream(account), account.client("kinesis")
    put(account, stream, "before")
    parent = shards_of(account, stream)[0]
    middle = str(int(parent["HashKeyRange"]["EndingHashKey"]) // 2)
    kinesis.split_shard(StreamName=stream, ShardToSplit=parent["ShardId"], NewStartingHashKey=middle)
    kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 2, "MaxAttempts": 60})
    put(account, stream, "after")
    shards = shards_of(account, stream)
    assert [shard.get("ParentShardId") for shard in shards] == [None, parent["ShardId"], parent["ShardId"]]
    assert "EndingSequenceNumber" in shards[0]["SequenceNumberRange"]
    assert read(account, iterator(account, stream, "TRIM_HORIZON")) == ["before"]
    children = [read(account, iterator(account, stream, "TRIM_HORIZON", shard=number)) for number in (1, 2)]
    assert sorted(children) == [[], ["after"]]


def test_a_closed_shard_ends_with_no_next_iterator(account: Account) -> None:
    stream, kinesis = make_stream(account, shards=2), account.client("kinesis")
    one, other = (shard["ShardId"] for shard in shards_of(account, stream))
    kinesis.merge_shards(StreamName=stream, ShardToMerge=one, AdjacentShardToMerge=other)
    kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 2, "MaxAttempts": 60})
    where: str | None = iterator(account, stream, "TRIM_HORIZON")
    for _ in range(20):
        page = kinesis.get_records(ShardIterator=where)
        where = page.get("NextShardIterator")
        if where is None:
            break
        time.sleep(BETWEEN_READS)
    assert where is None


@pytest.mark.parametrize("number", ["1", "9" * 56], ids=["before the shard", "not of the shard"])
def test_a_sequence_number_of_another_shard_is_refused(account: Account, number: str) -> None:
    stream, kinesis = make_stream(account), account.client("kinesis")
    parent = shards_of(account, stream)[0]
    middle = str(int(parent["HashKeyRange"]["EndingHashKey"]) // 2)
    kinesis.split_shard(StreamName=stream, ShardToSplit=parent["ShardId"], NewStartingHashKey=middle)
    kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 2, "MaxAttempts": 60})
    with refused("InvalidArgumentException"):
        iterator(account, stream, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=number)


def test_an_iterator_that_kinesis_did_not_give_is_refused(account: Account) -> None:
    with refused("InvalidArgumentException"):
        account.client("kinesis").get_records(ShardIterator="bm90IGFuIGl0ZXJhdG9y")


def test_a_stream_that_does_not_exist_is_named_so(account: Account) -> None:
    with refused("ResourceNotFoundException"):
        account.client("kinesis").list_shards(StreamName=account.unique("missing"))


@pytest.mark.parametrize("number", ["", "not a number", "-5"])
def test_a_sequence_number_is_a_number(account: Account, number: str) -> None:
    stream = make_stream(account)
    with refused("ValidationException"):
        iterator(account, stream, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=number)


def test_a_time_that_has_not_come_is_refused(account: Account) -> None:
    stream = make_stream(account)
    with refused("InvalidArgumentException"):
        iterator(account, stream, "AT_TIMESTAMP", Timestamp=datetime.now(UTC) + timedelta(hours=1))


def test_a_shard_that_does_not_exist_is_named_so(account: Account) -> None:
    stream = make_stream(account)
    with refused("ResourceNotFoundException", "shardId-000000000099"):
        account.client("kinesis").get_shard_iterator(
            StreamName=stream, ShardId="shardId-000000000099", ShardIteratorType="TRIM_HORIZON"
        )
