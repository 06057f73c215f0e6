"""A change of a record → the row of its table, by the record type's declaration.

The order matters and is the pipeline's own: first the image must fit the schema, then a removal is marked and scrubbed,
then what is derived is added. ``reference`` is always written here; one in the image is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dmd_pipeline.avro_readers import compile_row_reader
from dmd_pipeline.change_records import REMOVE
from dmd_pipeline.errors import InvalidRecordError, SchemaError
from dmd_pipeline.record_types import NOW
from dmd_pipeline.schemas import expand, field_type
from dmd_pipeline.stamps import parse_stamp, utc_stamp


if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from dmd_pipeline.change_records import ChangeRecord
    from dmd_pipeline.record_types import DerivedRecord, RecordType


REDACTED = "[redacted]"

Row = dict[str, Any]


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
        self._partition_date = tuple(_Stamp(path) for path in record_type.partition_date)
        self._reference_id = tuple(_keys(path) for path in record_type.reference_id)
        self._reference_timestamp = tuple(_Stamp(path) for path in record_type.reference_timestamp.paths)
        self._latest = record_type.reference_timestamp.pick == "latest_of"
        self._redacted = tuple(_keys(path) for path in record_type.redacted)
        self._derived = record_type.derived
        self._dates = _date_fields(expanded)

    def make(self, change: ChangeRecord, now: Now) -> tuple[date, Row]:
        """The row of a change, and the partition it belongs to.

        Raises:
            InvalidRecordError: The image does not fit the schema, or a stamp that is needed is none; names the field.
        """
        row = self._read(change.attributes)
        if change.event_name == REMOVE:
            self._mark_removed(row, now)
        for derived in self._derived:
            _derive(row, derived)
        row["reference"] = {
            "id": "_".join([_value(row, keys) for keys in self._reference_id]),
            "timestamp": self._timestamp(row, now),
        }
        return self._partition(row, now), row

    def _mark_removed(self, row: Row, now: Now) -> None:
        row["isDeleted"] = True
        if row["date"] is None:
            # The removal is then also the first thing known of the record: it gives every stamp that must be there.
            row["date"] = {name: now.stamp if required else None for name, required in self._dates.items()}
        row["date"]["deleted"] = now.stamp
        for *above, name in self._redacted:
            holder = _value(row, tuple(above))
            if holder is not None and holder[name] is not None:
                holder[name] = REDACTED

    def _partition(self, row: Row, now: Now) -> date:
        for stamp in self._partition_date:
            text = stamp.of(row, now)
            if text is not None:
                return stamp.moment(text).date() if stamp.path != NOW else now.day
        raise InvalidRecordError(self._partition_date[-1].path, "missing")

    def _timestamp(self, row: Row, now: Now) -> str:
        present = self._present(row, now)
        if self._latest:
            return max(present)[1]
        return next(present)[1]

    def _present(self, row: Row, now: Now) -> Iterator[tuple[datetime, str]]:
        """The stamps a row's ``reference.timestamp`` is picked from; a declaration is refused that could give none."""
        for stamp in self._reference_timestamp:
            text = stamp.of(row, now)
            if text is not None:
                yield stamp.moment(text), text


class _Stamp:
    """A place in a row where a stamp may stand."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._keys = _keys(path)

    def of(self, row: Row, now: Now) -> str | None:
        """The stamp's text, None when it is absent."""
        return now.stamp if self.path == NOW else _value(row, self._keys)

    def moment(self, text: str) -> datetime:
        """The moment it tells."""
        try:
            return parse_stamp(text)
        except (ValueError, OverflowError):
            raise InvalidRecordError(self.path, "expected an ISO-8601 date or time, found other text") from None


def _keys(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _value(row: Row, keys: tuple[str, ...]) -> Any:
    value: Any = row
    for key in keys:
        if value is None:
            return None
        value = value[key]
    return value


def _derive(row: Row, derived: DerivedRecord) -> None:
    source = _value(row, _keys(derived.source))
    match = derived.pattern.fullmatch(source) if source is not None else None
    if match is not None:
        row[derived.record] = match.groupdict()


def _date_fields(expanded: dict[str, Any]) -> dict[str, bool]:
    """The fields of ``date`` in order, and whether each must be there."""
    found = field_type(expanded, "date")
    if found is None or not isinstance(found.avro_type, dict):
        raise SchemaError("every record type has a record date")
    return {field["name"]: "default" not in field for field in found.avro_type["fields"]}
