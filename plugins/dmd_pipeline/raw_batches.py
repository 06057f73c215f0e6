r"""Raw files: the secured records of a failed batch, as they came from the stream.

A raw file is gzipped JSON lines. The first line is the batch, each further one a record, in ascending order::

    {"batch": {"folder": "shardId-000000000001", "start": "17", "end": "20", …}, "from_stream": true, "lost": 0}
    {"sequenceNumber": "17", "partitionKey": "…", "arrived": "2026-03-01T12:00:00.021000+00:00", "data": "<base64>"}

The same batch and records give the same bytes. The records hold personal data: the file is encrypted in S3.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.errors import StorageError
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord


if TYPE_CHECKING:
    from collections.abc import Sequence


_MOMENTS: Final = ("first_arrival", "last_arrival", "sent")
_PLAIN: Final = ("size", "condition", "origin", "request_id", "attempts")


@dataclass(frozen=True)
class RawBatch:
    """A secured batch.

    Attributes:
        batch: What was told of it, without the records.
        records: In ascending order.
        from_stream: Whether they were read from the stream, where records of other batches may lie between them.
        lost: How many are known to be gone, at least.
    """

    batch: FailedBatch
    records: tuple[StreamRecord, ...]
    from_stream: bool
    lost: int = 0


def content(batch: FailedBatch, records: Sequence[StreamRecord], *, lost: int = 0) -> bytes:
    """The bytes of a raw file.

    Args:
        batch: The records came from the stream when it brought none itself.
        records: In any order.
        lost: How many are known to be gone, at least.
    """
    head = {"batch": _described(batch), "from_stream": batch.records is None, "lost": lost}
    ordered = sorted(records, key=lambda record: record.sequence_number)
    lines = [json.dumps(line) for line in (head, *map(record_document, ordered))]
    return gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)


def read(content: bytes, where: str) -> RawBatch:
    """A raw file.

    Args:
        content: Its bytes.
        where: Its place, for the error.

    Raises:
        StorageError: They are no raw file, or a damaged one.
    """
    try:
        head, *lines = gzip.decompress(content).splitlines()
        described = json.loads(head)
        records = tuple(record_of(json.loads(line)) for line in lines)
        return RawBatch(
            _batch_of(described["batch"]), records, from_stream=bool(described["from_stream"]), lost=described["lost"]
        )
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, AttributeError) as error:
        raise StorageError(
            f"{where} is no raw file, or a damaged one ({type(error).__name__}): restore an older version of it, or "
            "secure its range again (source stream) while the stream remembers it"
        ) from error


def record_document(record: StreamRecord) -> dict[str, str]:
    """A record as JSON takes it."""
    return {
        "sequenceNumber": str(record.sequence_number),
        "partitionKey": record.partition_key,
        "arrived": record.arrived.isoformat(),
        "data": base64.b64encode(record.data).decode(),
    }


def record_of(document: Any) -> StreamRecord:
    """The record of a document.

    Raises:
        ValueError: A value is none of its kind.
        TypeError: A value is of another type.
        KeyError: A key is missing.
    """
    arrived = datetime.fromisoformat(document["arrived"])
    if arrived.tzinfo is None:
        raise ValueError("arrived: expected a time zone")
    data = base64.b64decode(document["data"], validate=True)
    return StreamRecord(int(document["sequenceNumber"]), str(document["partitionKey"]), arrived, data)


def _described(batch: FailedBatch) -> dict[str, Any]:
    moments = {name: getattr(batch, name) for name in _MOMENTS}
    return {
        "folder": batch.id.folder,
        "start": str(batch.id.start),
        "end": str(batch.id.end),
        "size": batch.size,
        "condition": batch.condition,
        "origin": batch.origin,
        "request_id": batch.request_id,
        "attempts": batch.attempts,
        **{name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
    }


def _batch_of(described: dict[str, Any]) -> FailedBatch:
    known: dict[str, Any] = {name: described[name] for name in _PLAIN}
    texts = {name: described[name] for name in _MOMENTS}
    known |= {name: None if text is None else datetime.fromisoformat(text) for name, text in texts.items()}
    identity = BatchId(described["folder"], int(described["start"]), int(described["end"]))
    return FailedBatch(id=identity, **known)
