"""What the delivery worker does with a batch: change records in, rows by partition and rejected records out.

The steps are those of the Lambda function that runs today:

1. read each change record, take the new image (INSERT, MODIFY) or the old one (REMOVE);
2. check that its ``type`` is known and that it fits the table's Avro schema;
3. mark a removal as deleted and scrub its personal data;
4. add what is derived: ``reference``, and what the record type declares, such as ``system`` of a demand;
5. group by record type and partition date, in order of arrival; a group becomes one container file;
6. hand back what was rejected, byte for byte, with a reason that names the field; it never fails the batch.

Every copy of a duplicated change is delivered: the archive only appends, and readers order by ``reference.timestamp``.
Nothing here reads a clock or makes a random number: the same input gives the same rows and the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import fastavro

from dmd_pipeline.change_records import parse
from dmd_pipeline.errors import InvalidRecordError
from dmd_pipeline.rows import Clock, Now, Row, RowMaker
from dmd_pipeline.schemas import writer_schema
from dmd_pipeline.stamps import utc_stamp


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from dmd_pipeline.record_types import RecordType


SYNC_MARKER_BYTES = 16
CONTENT_TYPE = "avro/binary"
"""Content type of the container files in S3."""

Group = tuple[str, date]
"""Record type and partition date."""

_REASONS_IN_MESSAGE = 10


@dataclass(frozen=True)
class Rejected:
    """A record that did not become a row.

    Attributes:
        original: Its bytes as they came from the stream.
        reason: What is wrong; begins with the dotted path of the field and holds no value.
    """

    original: bytes
    reason: str


@dataclass(frozen=True)
class Delivery:
    """What became of a batch: each of its records is in exactly one of the two.

    Attributes:
        groups: Rows that fit the record type's schema, by record type and partition date, in order of arrival.
        rejected: In order of arrival.
    """

    groups: dict[Group, list[Row]]
    rejected: list[Rejected]


def deliver(records: Iterable[bytes], record_types: Mapping[str, RecordType], *, now: datetime) -> Delivery:
    """Turn a batch of change records into rows, grouped as they will lie in S3.

    Args:
        records: Change records as they came from the stream.
        record_types: What :func:`~dmd_pipeline.record_types.load_record_types` gives.
        now: Time of the delivery.

    Raises:
        ValueError: ``now`` has no time zone.
    """
    time = Now.at(now)
    deliverer = Deliverer(record_types)
    groups: dict[Group, list[Row]] = {}
    rejected: list[Rejected] = []
    for original in records:
        try:
            group, row = deliverer.row(original, time)
        except InvalidRecordError as error:
            rejected.append(Rejected(original, str(error)))
            continue
        rows = groups.get(group)
        if rows is None:
            rows = groups[group] = []
        rows.append(row)
    return Delivery(groups, rejected)


class Deliverer:
    """Delivers change records one by one, for those who give each of them a time of its own."""

    def __init__(self, record_types: Mapping[str, RecordType]) -> None:
        self._makers = {name: _row_maker(record_type) for name, record_type in record_types.items()}

    def row(self, original: bytes, now: Clock) -> tuple[Group, Row]:
        """The row of a change record, and where it belongs.

        Raises:
            InvalidRecordError: It is none that can become a row; names the field.
        """
        change = parse(original)
        name = change.record_type
        maker = self._makers.get(name)
        if maker is None:
            raise InvalidRecordError("type", f"expected one of {', '.join(self._makers)}; found another string")
        partition_date, row = maker.make(change, now)
        return (name, partition_date), row


def container(
    record_type: RecordType, rows: Iterable[Row], *, sync_marker: bytes, metadata: Mapping[str, str] | None = None
) -> bytes:
    """An Avro object container file: the schema in its header, no codec.

    Args:
        record_type: Whose schema the rows fit.
        rows: As :func:`deliver` gives them.
        sync_marker: 16 bytes that separate the file's blocks; random ones, unless the file must be reproduced.
        metadata: What else the header holds; names that begin with ``avro.`` are Avro's own.

    Raises:
        ValueError: The sync marker has another length.
    """
    if len(sync_marker) != SYNC_MARKER_BYTES:
        raise ValueError(f"a sync marker has {SYNC_MARKER_BYTES} bytes, found {len(sync_marker)}")
    file = BytesIO()
    schema = _writer_schema(record_type)
    fastavro.writer(file, schema, rows, codec="null", sync_marker=sync_marker, metadata=dict(metadata or {}))
    return file.getvalue()


def errors_document(rejected: Sequence[Rejected], now: datetime) -> bytes:
    r"""The content of a file in errors/.

    ``events`` holds the original JSON of each record as a string. Bytes that are no UTF-8 survive: each becomes the
    lone surrogate U+DC80 to U+DCFF that Python's ``surrogateescape`` gives it, spelled ``\udc80`` in the document,
    which is pure ASCII. :func:`original_events` turns them back; other JSON readers may show U+FFFD in their place.

    Args:
        rejected: At least one.
        now: Time of the delivery.
    """
    document = {
        "timestamp": utc_stamp(now),
        "error": {"message": _message(rejected)},
        "events": [record.original.decode(errors="surrogateescape") for record in rejected],
    }
    return json.dumps(document, ensure_ascii=True).encode()


def original_events(document: bytes) -> list[bytes]:
    """The original bytes of the records in a file in errors/: the inverse of :func:`errors_document`."""
    events: list[str] = json.loads(document)["events"]
    return [event.encode(errors="surrogateescape") for event in events]


@lru_cache(maxsize=64)
def _row_maker(record_type: RecordType) -> RowMaker:
    return RowMaker(record_type)


@lru_cache(maxsize=64)
def _writer_schema(record_type: RecordType) -> Any:
    return writer_schema(record_type.schema)


def _message(rejected: Sequence[Rejected]) -> str:
    """How many records were rejected, and why; the most frequent reasons where there are many."""
    reasons = Counter(record.reason for record in rejected).most_common()
    listed = [f"{reason} ({count})" for reason, count in reasons[:_REASONS_IN_MESSAGE]]
    if len(reasons) > len(listed):
        listed.append(f"and {len(reasons) - len(listed)} other reasons")
    return f"{len(rejected)} invalid record(s): {'; '.join(listed)}"
