r"""Raw files: the secured records of a failed batch, as they came from the stream.

A raw file is gzipped JSON lines. The first line is the batch, each further one a record, in ascending order::

    {"batch": {"folder": "shardId-000000000001", "start": "17", "end": "20", …}, "from_stream": true, "lost": 0}
    {"sequenceNumber": "17", "partitionKey": "…", "arrived": "2026-03-01T12:00:00.021000+00:00", "data": "<base64>"}

The same batch and records give the same bytes. The records hold personal data: the file is encrypted in S3.
"""

from __future__ import annotations

import base64
import gzip
import io
import itertools
import json
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dmd_pipeline.errors import StorageError
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord


if TYPE_CHECKING:
    from collections.abc import Sequence


_Kind = TypeVar("_Kind")

_MOMENTS: Final = ("first_arrival", "last_arrival", "sent")
_TEXTS: Final = ("condition", "origin", "request_id")
_LEVEL: Final = 6
"""Of compression: the default of zlib; gzip's own, 9, takes half as long again for a twentieth of the bytes."""
_NUMBER: Final = re.compile(r"\d{1,128}", re.ASCII)


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
    head = {"batch": described(batch), "from_stream": batch.records is None, "lost": lost}
    ordered = sorted(records, key=lambda record: record.sequence_number)
    file = io.BytesIO()
    # Line by line: as text, a large batch is several times as large as its records.
    packed = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=_LEVEL, mtime=0)
    with io.TextIOWrapper(packed, encoding="ascii") as lines:
        lines.writelines(f"{json.dumps(line)}\n" for line in itertools.chain([head], map(record_document, ordered)))
    return file.getvalue()


def read(content: bytes, where: str) -> RawBatch:
    """A raw file.

    Args:
        content: Its bytes.
        where: Its place, for the error.

    Raises:
        StorageError: They are no raw file, or a damaged one.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as lines:
            head = json.loads(lines.readline())
            records = tuple(record_of(json.loads(line)) for line in lines)
        from_stream = typed(head["from_stream"], bool)
        return RawBatch(described_batch(head["batch"]), records, from_stream, typed(head["lost"], int))
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, RecursionError) as error:
        raise StorageError(
            f"{where} is no raw file, or a damaged one ({type(error).__name__}): restore an older version of it, or "
            "secure its range again (source stream) while the stream remembers it"
        ) from error


def record_document(record: StreamRecord) -> dict[str, str]:
    """A record as JSON takes it."""
    return {
        "sequenceNumber": str(record.sequence_number),
        "partitionKey": record.partition_key,
        "arrived": _utc(record.arrived),
        "data": base64.b64encode(record.data).decode(),
    }


def record_of(document: Any) -> StreamRecord:
    """The record of a document.

    Raises:
        ValueError: A value is none of its kind.
        TypeError: A value is of another type.
        KeyError: A key is missing.
    """
    return StreamRecord(
        _number(document["sequenceNumber"]),
        typed(document["partitionKey"], str),
        _moment(document["arrived"]),
        base64.b64decode(typed(document["data"], str), validate=True),
    )


def described(batch: FailedBatch) -> dict[str, Any]:
    """A batch as JSON takes it, without its records."""
    moments = {name: getattr(batch, name) for name in _MOMENTS}
    return {
        "folder": batch.id.folder,
        "start": str(batch.id.start),
        "end": str(batch.id.end),
        "size": batch.size,
        "attempts": batch.attempts,
        **{name: getattr(batch, name) for name in _TEXTS},
        **{name: None if moment is None else _utc(moment) for name, moment in moments.items()},
    }


def described_batch(document: dict[str, Any]) -> FailedBatch:
    """The batch of a document that :func:`described` made.

    Raises:
        ValueError: A value is none of its kind.
        TypeError: A value is of another type.
        KeyError: A key is missing.
    """
    size = document["size"]
    known: dict[str, Any] = {name: typed(document[name], str) for name in _TEXTS}
    moments = {name: document[name] for name in _MOMENTS}
    known |= {name: None if text is None else _moment(text) for name, text in moments.items()}
    return FailedBatch(
        id=BatchId(typed(document["folder"], str), _number(document["start"]), _number(document["end"])),
        size=None if size is None else typed(size, int),
        attempts=typed(document["attempts"], int),
        **known,
    )


def typed(value: Any, kind: type[_Kind]) -> _Kind:
    """A value of a document, which has to be of a type and not of one derived from it.

    Raises:
        TypeError: It is of another one.

    >>> typed(3, int)
    3
    >>> typed(True, int)
    Traceback (most recent call last):
    TypeError: expected int, found bool
    """
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")
    return value


def _number(text: Any) -> int:
    if _NUMBER.fullmatch(typed(text, str)) is None:
        raise ValueError("expected a sequence number")
    return int(text)


def _moment(text: Any) -> datetime:
    moment = datetime.fromisoformat(typed(text, str))
    if moment.tzinfo is None:
        raise ValueError("expected a time zone")
    return moment


def _utc(moment: datetime) -> str:
    """The same text for the same moment, whatever zone the machine is in: boto3 gives its own."""
    return moment.astimezone(UTC).isoformat()
