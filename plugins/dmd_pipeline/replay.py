"""What becomes of the records of a failed batch: the plan of a replay.

The records become rows as the delivery worker makes them, with two differences. The time of delivery is each record's
own arrival, so that a replay is a function of its input. And the schema is the one that the catalog has: a record that
needs a newer one, which is still to be applied, waits for it.

Replayed files are told from the worker's by their names. They carry the sequence numbers of their rows in the header,
as the first number and the differences to the next ones::

    dmd.sequence_numbers = 49590338271490256608559692538361571095921575989136588898,1000,3
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.candidates import candidate_of
from dmd_pipeline.delivery import SYNC_MARKER_BYTES, Deliverer
from dmd_pipeline.errors import InvalidRecordError
from dmd_pipeline.quarantine import Rejection
from dmd_pipeline.rows import Now
from dmd_pipeline.schemas import expand, schema_literal, without_null


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from dmd_pipeline.candidates import Candidate
    from dmd_pipeline.delivery import Group
    from dmd_pipeline.failed_batches import StreamRecord
    from dmd_pipeline.record_types import RecordType
    from dmd_pipeline.rows import Row


SEQUENCE_NUMBERS: Final = "dmd.sequence_numbers"


@dataclass(frozen=True)
class Conversion:
    """What the records of a batch become: each is in one of these, or counted as filtered.

    Attributes:
        groups: By record type and partition date; by sequence number within a group.
        rejected: Records that cannot become rows.
        filtered: How many the event source mapping keeps from the worker.
        waiting: Why a batch cannot be converted yet, by table; nothing of it may be written then.
    """

    groups: Mapping[Group, tuple[Candidate, ...]] = field(default_factory=dict)
    rejected: tuple[Rejection, ...] = ()
    filtered: int = 0
    waiting: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many records become rows."""
        return sum(len(candidates) for candidates in self.groups.values())


class Converter:
    """Converts batches; what can be known before the first record is worked out once.

    Args:
        catalog: The record types with the schemas that their tables have, made by
            :func:`~dmd_pipeline.record_types.with_schema`. One that has no table is left out.
        newest: The record types of include/.
    """

    def __init__(self, catalog: Mapping[str, RecordType], newest: Mapping[str, RecordType]) -> None:
        self._deliverer = Deliverer(catalog)
        self._newest = Deliverer(newest)
        self._missing = newest.keys() - catalog.keys()
        self._changing = {
            name: _Additions(catalog[name].schema, newest[name].schema)
            for name in newest.keys() & catalog.keys()
            if schema_literal(newest[name].schema) != schema_literal(catalog[name].schema)
        }

    def convert(self, records: Iterable[StreamRecord], passes: Callable[[StreamRecord], bool]) -> Conversion:
        """Convert the records of one batch.

        Args:
            records: In any order.
            passes: Whether a record is let through to the worker.
        """
        groups: dict[Group, list[Candidate]] = {}
        rejected: list[Rejection] = []
        waiting: dict[str, str] = {}
        filtered = 0
        for record in sorted(records, key=lambda record: record.sequence_number):
            if not passes(record):
                filtered += 1
                continue
            if self._missing or self._changing:
                waiting |= self._waits_for(record)
            try:
                group, candidate = candidate_of(record, self._deliverer)
            except InvalidRecordError as error:
                rejected.append(Rejection(record, str(error)))
            else:
                groups.setdefault(group, []).append(candidate)
        return Conversion(
            {group: tuple(candidates) for group, candidates in sorted(groups.items())},
            tuple(rejected),
            filtered,
            waiting,
        )

    def _waits_for(self, record: StreamRecord) -> dict[str, str]:
        """The table that a record waits for, and why."""
        try:
            (name, _), row = self._newest.row(record.data, Now.at(record.arrived))
        except InvalidRecordError:
            return {}  # no schema helps it
        if name in self._missing:
            return {name: "the catalog has no such table, or without a schema that takes its rows"}
        if name not in self._changing:
            return {}
        try:
            self._deliverer.row(record.data, Now.at(record.arrived))
        except InvalidRecordError as error:
            return {name: f"{error.field or 'the record'} fits only the newer schema"}
        added = self._changing[name].used_in(row)
        return {name: f"{added} is a field of the newer schema only"} if added else {}


class _Additions:
    """The fields that a newer schema has and the catalog's lacks."""

    def __init__(self, present: Mapping[str, Any], newer: Mapping[str, Any]) -> None:
        self._present = expand(present)
        self._newer = expand(newer)

    def used_in(self, row: Row) -> str | None:
        """The dotted path of an added field that holds more than its default; None without one."""
        return _used(self._newer, row, self._present, "")


def _used(newer: Any, value: Any, present: Any, path: str) -> str | None:
    newer, present = without_null(newer)[0], without_null(present)[0]
    if isinstance(value, list) and _is(newer, "array") and _is(present, "array"):
        below = (_used(newer["items"], item, present["items"], path) for item in value)
        return next(filter(None, below), None)
    if not isinstance(value, dict):
        return None
    if _is(newer, "map") and _is(present, "map"):
        below = (_used(newer["values"], item, present["values"], path) for item in value.values())
        return next(filter(None, below), None)
    return _used_in_record(newer, value, present, path) if _is(newer, "record") else None


def _used_in_record(newer: Any, value: dict[str, Any], present: Any, path: str) -> str | None:
    known = {one["name"]: one for one in present["fields"]} if _is(present, "record") else {}
    for one in newer["fields"]:
        name = one["name"]
        below = f"{path}.{name}" if path else name
        if name not in known:
            if _as_default(value[name]) != one.get("default"):
                return below
        elif found := _used(one["type"], value[name], known[name]["type"], below):
            return found
    return None


def _as_default(value: Any) -> Any:
    """A value as a schema's JSON spells it, where each byte is a character."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _is(avro_type: Any, name: str) -> bool:
    return isinstance(avro_type, dict) and avro_type["type"] == name


def replay_metadata(numbers: Sequence[int]) -> dict[str, str]:
    """The metadata of a replayed file.

    >>> numbers_in(replay_metadata([7, 9, 20])) == {7, 9, 20}
    True

    Args:
        numbers: Sequence numbers of its rows in ascending order; at least one.
    """
    differences = (after - before for before, after in pairwise(numbers))
    return {SEQUENCE_NUMBERS: ",".join(map(str, (numbers[0], *differences)))}


def numbers_in(metadata: Mapping[str, str]) -> frozenset[int]:
    """The sequence numbers of a replayed file's rows.

    Raises:
        ValueError: They are missing or unreadable.
    """
    text = metadata.get(SEQUENCE_NUMBERS)
    if text is None:
        raise ValueError(f"its header lacks {SEQUENCE_NUMBERS}")
    return frozenset(accumulate(map(int, text.split(","))))


def sync_marker(key: str) -> bytes:
    """The sync marker of a replayed file: the same key gives the same bytes."""
    return hashlib.sha256(key.encode()).digest()[:SYNC_MARKER_BYTES]


def days_of_delivery(first: date, last: date, own: Collection[date]) -> list[date]:
    """The days on which the worker may have delivered, but for those that are looked at anyway."""
    span = (first + timedelta(days=count) for count in range((last - first).days + 1))
    return [day for day in span if day not in own]
