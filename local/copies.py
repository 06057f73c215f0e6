"""Rows that stand more than once because something was tried more than once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dmd_pipeline.errors import InvalidRecordError
from dmd_pipeline.rows import Now


if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from datetime import datetime

    from dmd_pipeline.delivery import Deliverer
    from dmd_pipeline.failed_batches import StreamRecord
    from local.fates import Fates, Place, Witnesses

Rows = Counter[tuple[str, str]]
"""Rows by table and partition date."""


def by_table(rows: Rows) -> Counter[str]:
    """Rows of all partition dates together."""
    counts: Counter[str] = Counter()
    for (table, _), count in rows.items():
        counts[table] += count
    return counts


def copies_of_failed_invocations(
    by_file: Mapping[str, Rows], fates: Fates, witnesses: Witnesses, deliverer: Deliverer
) -> Rows:
    """Rows in files of invocations that failed later, but for the one of each record that must stay.

    It must stay if the record is settled: the replay leaves out a row that is there already. Records that wait are
    counted where they wait, and records that were delivered in a later attempt are rows there.

    Args:
        by_file: The rows of each of these files.
        fates: What became of the records.
        witnesses: Which invocations had a record.
        deliverer: Tells which file a record's row went to.
    """
    found: Rows = Counter()
    for rows in by_file.values():
        found.update(rows)
    for place, record in fates.settled.items():
        if (group := written_group(place, record, by_file, witnesses, deliverer)) is not None:
            found[group] -= 1
    return found


def written_group(
    place: Place, record: StreamRecord, by_file: Mapping[str, Rows], witnesses: Witnesses, deliverer: Deliverer
) -> tuple[str, str] | None:
    """Table and partition date in which a failed invocation has written the row of a record; None if none has.

    Args:
        place: Of the record.
        record: As it came from the stream.
        by_file: As of :func:`copies_of_failed_invocations`; so are the others.
        witnesses: Which invocations had a record.
        deliverer: Tells which file a record's row went to.
    """
    for invocation in witnesses.failed_invocations_of(place, record):
        try:
            (table, day), _ = deliverer.row(record.data, Now.at(invocation.at))
        except InvalidRecordError:
            return None
        if invocation.groups.get((table, day.isoformat())) in by_file:
            return table, day.isoformat()
    return None


def was_rejected(
    place: Place, record: StreamRecord, files: Container[str], witnesses: Witnesses, deliverer: Deliverer
) -> bool:
    """Whether a failed invocation has put a record into errors/.

    Args:
        place: Of the record.
        record: As it came from the stream.
        files: In errors/.
        witnesses: Which invocations had a record.
        deliverer: Tells which records are invalid.
    """
    failed = witnesses.failed_invocations_of(place, record)
    return any(
        key in files and not _is_valid(record, deliverer, invocation.at)
        for invocation in failed
        for key in invocation.errors
    )


def _is_valid(record: StreamRecord, deliverer: Deliverer, at: datetime) -> bool:
    try:
        deliverer.row(record.data, Now.at(at))
    except InvalidRecordError:
        return False
    return True


def copies_of_waiting_batches(by_file: Mapping[str, Rows], places: Mapping[str, Iterable[Place]], fates: Fates) -> Rows:
    """Replayed rows of records that still wait: a run ended after their file, and before their batch was settled.

    Args:
        by_file: The rows of each file of replayed rows; it has one table and one partition date.
        places: The places of its records.
        fates: What became of the records.
    """
    found: Rows = Counter()
    for key, rows in by_file.items():
        waiting = sum(place in fates.waiting for place in places[key])
        found.update(dict.fromkeys(rows, waiting))
    return found
