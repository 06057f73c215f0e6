"""Puts records onto the stream, up to 500 at a time, and again those that were refused."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from local.errors import WaitError


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mypy_boto3_kinesis.client import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

    from local.ledger import Journal
    from local.traffic.plan import Planned

_MOST_RECORDS = 500  # of one PutRecords
_ATTEMPTS = 8
_FIRST_PAUSE_SECONDS = 0.1


def send(
    kinesis: KinesisClient,
    stream: str,
    planned: Iterable[Planned],
    journal: Journal,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Send records in their order.

    Args:
        kinesis: The client.
        stream: The stream's name.
        planned: The records.
        journal: Where they are entered, each before and after it is sent; at the end its ledger also tells the
            sequence number of the last record in each shard.
        progress: Called with the number of records sent so far.

    Raises:
        WaitError: The stream kept refusing some.
    """
    sent = 0
    for batch in _batches(planned):
        journal.about_to_send(batch)
        _put(kinesis, stream, [_entry(one) for one in batch], journal.ledger.last_sequence_numbers)
        journal.sent()
        sent += len(batch)
        progress(sent)


def _batches(planned: Iterable[Planned]) -> Iterator[list[Planned]]:
    remaining = iter(planned)
    while batch := list(itertools.islice(remaining, _MOST_RECORDS)):
        yield batch


def _entry(one: Planned) -> PutRecordsRequestEntryTypeDef:
    entry: PutRecordsRequestEntryTypeDef = {"Data": one.data, "PartitionKey": one.partition_key}
    if one.hash_key is not None:
        entry["ExplicitHashKey"] = one.hash_key
    return entry


def _put(
    kinesis: KinesisClient, stream: str, entries: list[PutRecordsRequestEntryTypeDef], last: dict[str, str]
) -> None:
    for attempt in range(_ATTEMPTS):
        answers = kinesis.put_records(StreamName=stream, Records=entries)["Records"]
        refused = []
        for entry, answer in zip(entries, answers, strict=True):
            if "ErrorCode" in answer:
                refused.append(entry)
            elif int(answer["SequenceNumber"]) > int(last.get(answer["ShardId"], "0")):
                last[answer["ShardId"]] = answer["SequenceNumber"]
        if not refused:
            return
        entries = refused
        time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    raise WaitError(f"The stream {stream} refused {len(entries)} record(s) {_ATTEMPTS} times.")
