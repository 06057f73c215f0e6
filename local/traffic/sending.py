"""Puts records onto the stream, up to 500 at a time, and again those that were refused."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from local.errors import WaitError


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_kinesis.client import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

    from local.traffic.plan import Planned

_MOST_RECORDS = 500  # of one PutRecords
_ATTEMPTS = 8
_FIRST_PAUSE_SECONDS = 0.1


def send(
    kinesis: KinesisClient, stream: str, planned: Iterable[Planned], progress: Callable[[int], None]
) -> dict[str, str]:
    """Send records in their order.

    Args:
        kinesis: The client.
        stream: The stream's name.
        planned: The records.
        progress: Called with the number of records sent so far.

    Returns:
        The sequence number of the last record sent, by shard.

    Raises:
        WaitError: The stream kept refusing some.
    """
    last: dict[str, str] = {}
    waiting: list[PutRecordsRequestEntryTypeDef] = []
    sent = 0
    for one in planned:
        entry: PutRecordsRequestEntryTypeDef = {"Data": one.data, "PartitionKey": one.partition_key}
        if one.hash_key is not None:
            entry["ExplicitHashKey"] = one.hash_key
        waiting.append(entry)
        if len(waiting) == _MOST_RECORDS:
            _put(kinesis, stream, waiting, last)
            sent += len(waiting)
            progress(sent)
            waiting = []
    if waiting:
        _put(kinesis, stream, waiting, last)
        progress(sent + len(waiting))
    return last


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
