"""PutRecord and PutRecords."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, Any

from local.aws.kinesis.shards import HASH_SPACE
from local.aws.wire import AwsError


if TYPE_CHECKING:
    from local.aws.faults import Faults
    from local.aws.kinesis.streams import Stream

LARGEST_RECORD = 1024 * 1024  # bytes of data and partition key: MaxRecordSizeInKiB of a stream that sets nothing
LARGEST_REQUEST = 10 * 1024 * 1024
_THROTTLED = "ProvisionedThroughputExceededException"


class Writing:
    """Writes records to a stream; each operation takes a request's body and gives the response's."""

    def __init__(self, stream: Stream, faults: Faults) -> None:
        self._stream = stream
        self._faults = faults

    def put(self, body: dict[str, Any]) -> dict[str, Any]:
        """PutRecord."""
        size = _size(body)
        self._check_size(size, LARGEST_RECORD)
        written = self._write(body, size)
        self._publish(size, 1, 0)
        return written

    def put_many(self, body: dict[str, Any]) -> dict[str, Any]:
        """PutRecords: 200, and an error code in the place of each record that a shard had no capacity for."""
        sizes = [_size(entry) for entry in body["Records"]]
        for size in sizes:
            self._check_size(size, LARGEST_RECORD)
        self._check_size(sum(sizes), LARGEST_REQUEST)
        results, accepted = [], 0
        for entry, size in zip(body["Records"], sizes, strict=True):
            try:
                self._faults.strike_item("kinesis:PutRecords", entry["PartitionKey"])
                results.append(self._write(entry, size))
                accepted += size
            except AwsError as error:
                results.append({"ErrorCode": error.code, "ErrorMessage": error.message})
        failed = sum("ErrorCode" in result for result in results)
        self._publish(accepted, len(results) - failed, failed)
        return {"FailedRecordCount": failed, "Records": results}

    def _write(self, entry: dict[str, Any], size: int) -> dict[str, Any]:
        shard = self._stream.shards.for_hash(_hash_key(entry))
        now = self._stream.now()
        if not shard.writes.allows(size, now):
            raise AwsError(_THROTTLED, self._stream.rate_exceeded(shard))
        record = self._stream.shards.append(shard, entry["PartitionKey"], entry["Data"], size, now)
        return {"ShardId": shard.shard_id, "SequenceNumber": str(record.sequence_number)}

    def _publish(self, size: int, records: int, throttled: int) -> None:
        self._stream.publish(
            {
                "IncomingBytes": size,
                "IncomingRecords": records,
                "WriteProvisionedThroughputExceeded": throttled,
            }
        )

    @staticmethod
    def _check_size(size: int, largest: int) -> None:
        if size > largest:
            raise AwsError("InvalidArgumentException", f"Records size of {size} bytes exceeds {largest} bytes.")


def _size(entry: dict[str, Any]) -> int:
    if not entry.get("PartitionKey"):
        raise AwsError("InvalidArgumentException", "PartitionKey is missing.")
    try:
        data = base64.b64decode(entry["Data"], validate=True)
    except binascii.Error as error:
        raise AwsError("SerializationException", "Data is not base64.") from error
    return len(data) + len(entry["PartitionKey"].encode())


def _hash_key(entry: dict[str, Any]) -> int:
    explicit = entry.get("ExplicitHashKey")
    if explicit is None:
        return int(hashlib.md5(entry["PartitionKey"].encode(), usedforsecurity=False).hexdigest(), 16)
    if int(explicit) >= HASH_SPACE:
        raise AwsError("InvalidArgumentException", f"ExplicitHashKey {explicit} is not below 2^128.")
    return int(explicit)
