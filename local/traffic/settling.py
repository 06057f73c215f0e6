"""What became of traffic whose sender died: the stream tells which of the records under way it holds.

A sender writes down what it is about to send, sends it, and enters it (``local.ledger``). One that is interrupted, or
killed, leaves records of which only the stream knows whether they arrived: those are looked for behind the last record
that was entered, before anybody sends again. One hole remains: a request that is still on its way to the stream at
that moment, after its sender's death, comes too late to be seen.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from local.ledger import Ledger, digest, files


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_kinesis.client import KinesisClient
    from mypy_boto3_kinesis.type_defs import RecordTypeDef

_PAGE_OF_RECORDS = 1000  # a shard gives 2 MB a second


def settle(kinesis: KinesisClient, stream: str, folder: Path) -> int:
    """Enter what interrupted senders sent, and forget what they did not.

    Args:
        kinesis: The client.
        stream: The stream's name.
        folder: Where the ledgers are; nobody sends meanwhile.

    Returns:
        How many records were entered.
    """
    entered = 0
    for path in files(folder):
        ledger = Ledger.load(path)
        if ledger.under_way:
            entered += _settle(kinesis, stream, ledger)
            ledger.save(path)
    return entered


def _settle(kinesis: KinesisClient, stream: str, ledger: Ledger) -> int:
    held: Counter[str] = Counter()
    wanted = {one.digest for one in ledger.under_way}
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        shard_id = shard["ShardId"]
        for record in _records(kinesis, stream, shard_id, ledger.last_sequence_numbers.get(shard_id)):
            if (name := digest(record["Data"])) in wanted:
                held[name] += 1
                ledger.last_sequence_numbers[shard_id] = record["SequenceNumber"]
    entered = 0
    for one in ledger.under_way:
        if held[one.digest]:
            held[one.digest] -= 1
            ledger.add(one)
            entered += 1
    ledger.under_way = []
    return entered


def _records(kinesis: KinesisClient, stream: str, shard_id: str, after: str | None) -> Iterator[RecordTypeDef]:
    """What a shard holds behind a record; all it holds when there is none to begin behind."""
    if after is None:
        start = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON")
    else:
        start = kinesis.get_shard_iterator(
            StreamName=stream,
            ShardId=shard_id,
            ShardIteratorType="AFTER_SEQUENCE_NUMBER",
            StartingSequenceNumber=after,
        )
    iterator: str | None = start["ShardIterator"]
    while iterator is not None:
        page = kinesis.get_records(ShardIterator=iterator, Limit=_PAGE_OF_RECORDS)
        yield from page["Records"]
        iterator = page.get("NextShardIterator") if page.get("MillisBehindLatest") else None
