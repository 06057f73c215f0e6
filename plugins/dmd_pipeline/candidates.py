"""Records that become rows, unless the rows are there already; and which parts of a row the time of delivery made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.rows import Now


if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from dmd_pipeline.delivery import Deliverer, Group
    from dmd_pipeline.failed_batches import StreamRecord
    from dmd_pipeline.rows import Row


Path = tuple[str, ...]
"""Names of the fields that lead to a value."""
_LATER: Final = timedelta(days=10 * 366)
"""Another time of delivery: on another day, and later than the other stamps of a record."""


@dataclass(frozen=True)
class Candidate:
    """A record that becomes a row, unless the row is there already.

    Attributes:
        record: As it came from the stream.
        row: Made with the catalog's schema.
        stamped: Fields that hold the time of delivery.
        dated_by_arrival: Whether its partition is the day of delivery: the worker may have put it into a later one.
    """

    record: StreamRecord
    row: Row
    stamped: tuple[Path, ...] = ()
    dated_by_arrival: bool = False


def candidate_of(record: StreamRecord, deliverer: Deliverer) -> tuple[Group, Candidate]:
    """What a record becomes when it is delivered at the moment of its arrival.

    A row that asks for the time of delivery is made twice, at two times: what differs is what the time has made.

    Raises:
        InvalidRecordError: It is none that can become a row; names the field.
    """
    clock = _WatchedClock(Now.at(record.arrived))
    group, row = deliverer.row(record.data, clock)
    if not clock.was_read:
        return group, Candidate(record, row)
    later_group, later = deliverer.row(record.data, Now.at(record.arrived + _LATER))
    stamped = tuple(sorted(_differences(row, later, ())))
    return group, Candidate(record, row, stamped, dated_by_arrival=group != later_group)


class _WatchedClock:
    """Tells whether the time was asked for."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self.was_read = False

    @property
    def stamp(self) -> str:
        self.was_read = True
        return self._now.stamp

    @property
    def day(self) -> date:
        self.was_read = True
        return self._now.day


def _differences(one: Any, other: Any, path: Path) -> Iterator[Path]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            yield from _differences(one.get(name), other.get(name), (*path, name))
    elif one != other:
        yield path
