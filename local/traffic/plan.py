"""Which records are sent, in which order: everything follows from the seed, the size and the time."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import uuid
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from local.delivery_worker.crashes import PILLS
from local.traffic import spoiling, wire
from local.traffic.records import MAKERS


if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from local.delivery_worker.crashes import CrashPoint

# Shares of what is sent.
_TYPES = {"demand": 0.55, "notification": 0.25, "event": 0.12, "sale": 0.08}
_REMOVED = 0.10
_REMOVED_BY_TTL = 0.5  # of the removed
_MODIFIED = 0.30
_DUPLICATED = 0.02
_INVALID = 0.01
_FILTERED = 0.01
_STRAGGLERS = 0.01  # business dates far outside the range of days
_UNDATED_EVENTS = 0.02
_DISPLACED = 0.05  # records that arrive out of order
_IN_MICROSECONDS = 0.15

_FURTHEST_DISPLACEMENT = 400  # places
_STRAGGLER_DAYS = (-400, -365, -90, 90, 180)
_SPACING = timedelta(milliseconds=3)
_HASH_KEYS = 2**128

DELIVERY_DAY = "day of delivery"
"""Stands for the business date of records that have none: it becomes the day on which they are delivered."""


@dataclass(frozen=True)
class Size:
    """How much traffic.

    Attributes:
        records: Change records in all, duplicates and invalid ones included.
        days: Business dates; two thirds of them lie in the past.
        crash_points: Where the function is to crash, for each batch that is to fail.
        days_ago: How many days ago those business dates lie that otherwise lie around the day of sending.
    """

    records: int
    days: int
    crash_points: tuple[CrashPoint, ...] = ()
    days_ago: int = 0


@dataclass(frozen=True)
class Planned:
    """One record to send, and what the ledger says of it.

    Attributes:
        data: Its bytes.
        partition_key: Its key in the stream.
        hash_key: Forces it into a shard; None leaves that to the partition key.
        record_type: One of the four, or None for a record that the filter drops.
        business_date: ISO date or ``DELIVERY_DAY``.
        flaw: What is wrong with it, None for a valid one.
        removed: Whether it tells of a removal.
        duplicate: Whether it was sent before.
    """

    data: bytes
    partition_key: str
    hash_key: str | None
    record_type: str | None
    business_date: str
    flaw: str | None
    removed: bool
    duplicate: bool


def plan(size: Size, seed: int, now: datetime) -> Iterator[Planned]:
    """The records of one batch of traffic, in the order in which they are sent.

    Args:
        size: How many, over how many days.
        seed: The same seed gives the same records.
        now: When the first change happened.
    """
    random = Random(seed)
    failing = len(size.crash_points)
    pills = {(number + 1) * size.records // (failing + 1): number for number in range(failing)}
    late: list[tuple[int, int, Planned]] = []  # a heap, ordered by the place at which a record is due
    created = 0
    for place in itertools.count():
        if created >= size.records:
            break
        at = now + place * _SPACING
        pill = pills.get(place)
        fresh = [_ordinary(random, size, at)] if pill is None else _pill(random, size, pill, at)
        due = place + _delay(random)
        for one in fresh[: size.records - created]:
            heapq.heappush(late, (due, created, one))
            created += 1
        if pill is None and fresh[0].flaw is None and created < size.records and random.random() < _DUPLICATED:
            copy = dataclasses.replace(fresh[0], duplicate=True)
            heapq.heappush(late, (place + random.randrange(1, _FURTHEST_DISPLACEMENT), created, copy))
            created += 1
        while late and late[0][0] <= place:
            yield heapq.heappop(late)[2]
    while late:
        yield heapq.heappop(late)[2]


def _delay(random: Random) -> int:
    return random.randrange(1, _FURTHEST_DISPLACEMENT) if random.random() < _DISPLACED else 0


def _ordinary(random: Random, size: Size, at: datetime) -> Planned:
    lot = random.random()
    if lot < _FILTERED:
        return _filtered(random, size, at)
    flaw = _flaw(random) if lot < _FILTERED + _INVALID else None
    return _change(random, size, at, _event_id(random), flaw)


def _pill(random: Random, size: Size, number: int, at: datetime) -> list[Planned]:
    """A valid record on which the function crashes, between two invalid ones.

    Each of the batches that are to fail goes to another part of the stream. The invalid records share the pill's
    partition key, so they follow each other in one lane: wherever a batch ends, one of them is in the pill's.
    """
    pill = PILLS[size.crash_points[number]]
    one = _change(random, size, at, f"{pill}{_event_id(random)[len(pill) :]}", flaw=None)
    invalid = [_change(random, size, at, _event_id(random), _flaw(random)) for _ in range(2)]
    shard = str(number * _HASH_KEYS // len(size.crash_points))
    return [
        dataclasses.replace(planned, partition_key=one.partition_key, hash_key=shard)
        for planned in (invalid[0], one, invalid[1])
    ]


def _change(random: Random, size: Size, at: datetime, event_id: str, flaw: str | None) -> Planned:
    kind = random.choices(list(_TYPES), list(_TYPES.values()))[0]
    day = _business_date(random, kind, size.days, at.date() - timedelta(days=size.days_ago))
    record = MAKERS[kind](random, day)
    business_date = day.isoformat()
    if kind == "event" and flaw is None and random.random() < _UNDATED_EVENTS:
        record = {name: value for name, value in record.items() if name not in ("date", "eventDate")}
        business_date = DELIVERY_DAY
    event_name, by_ttl = _event_name(random)
    in_microseconds = random.random() < _IN_MICROSECONDS
    change = wire.change_record(record, event_name, event_id, at, by_ttl=by_ttl, microseconds=in_microseconds)
    if flaw is not None:
        spoiling.INVALID[flaw](change, kind)
    return Planned(
        data=wire.encode(change),
        partition_key=wire.item_key(record),
        hash_key=None,
        record_type=kind,
        business_date=business_date,
        flaw=flaw,
        removed=event_name == "REMOVE",
        duplicate=False,
    )


def _filtered(random: Random, size: Size, at: datetime) -> Planned:
    one = _change(random, size, at, _event_id(random), flaw=None)
    flaw = random.choice(list(spoiling.FILTERED))
    return dataclasses.replace(one, data=spoiling.FILTERED[flaw](one.data), flaw=flaw, record_type=None)


def _flaw(random: Random) -> str:
    return random.choice(list(spoiling.INVALID))


def _event_id(random: Random) -> str:
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def _event_name(random: Random) -> tuple[str, bool]:
    """What happened, and whether DynamoDB itself did it."""
    lot = random.random()
    if lot < _REMOVED:
        return "REMOVE", random.random() < _REMOVED_BY_TTL
    return ("MODIFY" if lot < _REMOVED + _MODIFIED else "INSERT"), False


def _business_date(random: Random, kind: str, days: int, today: date) -> date:
    """Requests and messages belong to the past, sales mostly to the future, events to both; most near today."""
    first = -(days * 2 // 3)
    last = first + days - 1
    if random.random() < _STRAGGLERS:
        return today + timedelta(days=random.choice(_STRAGGLER_DAYS))
    earliest, latest = {"demand": (first, 0), "notification": (first, 0), "sale": (0, last)}.get(kind, (first, last))
    return today + timedelta(days=round(random.triangular(earliest, latest, 0)))
