"""A change of a record → the row of its table, by the record type's declaration.

The order matters and is the pipeline's own: first the image must fit the schema, then a removal is marked and scrubbed,
then what is derived is added. ``reference`` is always written here; one in the image is ignored.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dmd_pipeline.avro_readers import compile_row_reader
from dmd_pipeline.change_records import REMOVE
from dmd_pipeline.errors import InvalidRecordError, SchemaError
from dmd_pipeline.record_types import NOW
from dmd_pipeline.schemas import expand, field_type
from dmd_pipeline.stamps import parse_stamp, utc_stamp


if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from dmd_pipeline.change_records import ChangeRecord
    from dmd_pipeline.record_types import RecordType


REDACTED = "[redacted]"

Row = dict[str, Any]


class Clock(Protocol):
    """What gives rows the time of a delivery."""

    @property
    def stamp(self) -> str:
        """As rows hold it."""
        ...

    @property
    def day(self) -> date:
        """As a partition date."""
        ...


class Now(NamedTuple):
    """The time of a delivery, in both of the forms that rows need."""

    stamp: str
    day: date

    @classmethod
    def at(cls, moment: datetime) -> Now:
        """The time of a delivery.

        Raises:
            ValueError: The moment has no time zone.
        """
        stamp = utc_stamp(moment)
        return cls(stamp, parse_stamp(stamp).date())


class RowMaker:
    """Makes the rows of one record type; everything that can be known before the first record is worked out once."""

    def __init__(self, record_type: RecordType) -> None:
        expanded = expand(record_type.schema)
        self._read = compile_row_reader(expanded, skip=frozenset({"reference"}))
        self._partition_stamps = tuple((path, _getter(path)) for path in record_type.partition_date)
        self._id_parts = tuple(_getter(path) for path in record_type.reference_id)
        self._reference_stamps = tuple((path, _getter(path)) for path in record_type.reference_timestamp.paths)
        self._latest = record_type.reference_timestamp.pick == "latest_of"
        self._redacted = tuple(_holder_and_name(path) for path in record_type.redacted)
        self._derived = tuple(
            (derived.record, _getter(derived.source), derived.pattern.fullmatch) for derived in record_type.derived
        )
        self._dates = _date_fields(expanded)

    def make(self, change: ChangeRecord, now: Clock) -> tuple[date, Row]:
        """The row of a change, and the partition it belongs to.

        Raises:
            InvalidRecordError: The image does not fit the schema, or a stamp that is needed is none; names the field.
        """
        row = self._read(change.attributes)
        if change.event_name == REMOVE:
            self._mark_removed(row, now)
        for record, source, match in self._derived:
            text = source(row)
            found = match(text) if text is not None else None
            if found is not None:
                row[record] = found.groupdict()
        row["reference"] = {
            "id": "_".join([part(row) for part in self._id_parts]),
            "timestamp": self._timestamp(row, now),
        }
        return self._partition(row, now), row

    def _mark_removed(self, row: Row, now: Clock) -> None:
        row["isDeleted"] = True
        if row["date"] is None:
            # The removal is then also the first thing known of the record: it gives every stamp that must be there.
            row["date"] = {name: now.stamp if required else None for name, required in self._dates.items()}
        row["date"]["deleted"] = now.stamp
        for holder_of, name in self._redacted:
            holder = holder_of(row)
            if holder is not None and holder[name] is not None:
                holder[name] = REDACTED

    def _partition(self, row: Row, now: Clock) -> date:
        for path, stamp_of in self._partition_stamps:
            if path == NOW:
                return now.day
            text = stamp_of(row)
            if text is not None:
                return _moment(path, text).date()
        raise InvalidRecordError(self._partition_stamps[-1][0], "missing")

    def _timestamp(self, row: Row, now: Clock) -> str:
        latest: tuple[datetime, str] | None = None
        for path, stamp_of in self._reference_stamps:
            text = now.stamp if path == NOW else stamp_of(row)
            if text is None:
                continue
            moment = _moment(path, text)
            if not self._latest:
                return str(text)
            if latest is None or moment > latest[0]:
                latest = moment, text
        if latest is None:
            raise InvalidRecordError(self._reference_stamps[-1][0], "missing")
        return latest[1]


def _moment(path: str, text: str) -> datetime:
    try:
        return parse_stamp(text)
    except (ValueError, OverflowError):
        raise InvalidRecordError(path, "expected an ISO-8601 date or time, found other text") from None


def _getter(path: str) -> Callable[[Row], Any]:
    """What takes the value at a dotted path out of a row: None when it, or a record on the way to it, is null."""
    first, _dot, rest = path.partition(".")
    if not rest:
        return itemgetter(first)
    inner = _getter(rest)

    def get(row: Row) -> Any:
        record = row[first]
        return None if record is None else inner(record)

    return get


def _holder_and_name(path: str) -> tuple[Callable[[Row], Any], str]:
    """What takes the record that holds a dotted path's field out of a row, and the field's name."""
    above, _dot, name = path.rpartition(".")
    return (_getter(above) if above else lambda row: row), name


def _date_fields(expanded: dict[str, Any]) -> dict[str, bool]:
    """The fields of ``date`` in order, and whether each must be there."""
    found = field_type(expanded, "date")
    if found is None or not isinstance(found.avro_type, dict):
        raise SchemaError("every record type has a record date")
    return {field["name"]: "default" not in field for field in found.avro_type["fields"]}
