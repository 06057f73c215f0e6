"""What became of the records of failed batches, each by its place: a shard and a sequence number.

A record that the worker delivered in the end, in a later attempt or in the lane of another batch, has no other fate. Of
the rest, each has one:

* *waiting*: it lies between the ends of a message in the dead-letter queue, or in a secured batch, or in both, and no
  batch with it is settled;
* *settled*: a secured batch with it is done with, so it must be a row now, exactly once;
* *quarantined*: it is settled, and the last attempt to make a row of it ended in quarantine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dmd_pipeline.failed_batches import StreamRecord
    from local.replay_evidence import Held
    from local.worker_log import Invocation

Place = tuple[str, int]
"""A shard, or what stands for it, and a sequence number."""


@dataclass(frozen=True)
class Fates:
    """The records of failed batches by what became of them.

    Attributes:
        waiting: Those that are not rows yet, as far as anybody knows.
        settled: Those that are rows.
        quarantined: Those that cannot become rows.
    """

    waiting: dict[Place, StreamRecord]
    settled: dict[Place, StreamRecord]
    quarantined: dict[Place, StreamRecord]


@dataclass(frozen=True)
class Witnesses:
    """What tells the fates.

    Attributes:
        invocations: Of the function.
        lane_of: The lane that a partition key takes in its shard.
        passes: Whether the event source mapping lets a record through.
    """

    invocations: Sequence[Invocation]
    lane_of: Callable[[str], int]
    passes: Callable[[StreamRecord], bool]

    def failed_invocations_of(self, place: Place, record: StreamRecord) -> list[Invocation]:
        """The invocations with a record that failed."""
        return [one for one in self._of(place, record) if one.crashed]

    def is_left(self, place: Place, record: StreamRecord) -> bool:
        """Whether a record was for the worker, and the worker did not deliver it."""
        return self.passes(record) and all(one.crashed for one in self._of(place, record))

    def _of(self, place: Place, record: StreamRecord) -> list[Invocation]:
        (shard_id, number), lane = place, self.lane_of(record.partition_key)
        return [one for one in self.invocations if one.was_for(shard_id, lane, number)]


def tell(
    dead: Iterable[tuple[str, Sequence[StreamRecord]]],
    secured: Sequence[Held],
    rejected: Sequence[Held],
    witnesses: Witnesses,
) -> Fates:
    """Tell the fates of all records of failed batches.

    Args:
        dead: Shard and records between the ends, of each message in the dead-letter queue.
        secured: The secured batches.
        rejected: What stands in quarantine.
        witnesses: What the worker's log and its event source mapping say.
    """
    held = [*dead, *((one.batch.source, one.records) for one in secured if one.is_of_the_stream and not one.attempt)]
    done = [one for one in secured if one.settled]
    first_done = [(one.batch.source, one.records) for one in done if one.is_of_the_stream and not one.attempt]
    left = {place: record for place, record in _places([*held, *first_done]) if witnesses.is_left(place, record)}
    settled = {place: left[place] for place, _ in _places(first_done) if place in left}
    last_attempt: dict[Place, int] = {}
    for one in done:
        for place, _ in _places([(one.batch.source, one.records)]):
            last_attempt[place] = max(one.attempt, last_attempt.get(place, 0))
    settled_batches = {one.batch for one in done}
    quarantined = {
        place: record
        for one in rejected
        if one.batch in settled_batches
        for place, record in _places([(one.batch.source, one.records)])
        if last_attempt.get(place) == one.attempt and (place in left or not one.is_of_the_stream)
    }
    return Fates(
        waiting={place: record for place, record in left.items() if place not in settled},
        settled={place: record for place, record in settled.items() if place not in quarantined},
        quarantined=quarantined,
    )


def _places(found: Iterable[tuple[str, Sequence[StreamRecord]]]) -> Iterable[tuple[Place, StreamRecord]]:
    for source, records in found:
        for record in records:
            yield (source, record.sequence_number), record
