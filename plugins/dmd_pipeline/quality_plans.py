"""The plan of ``check_data_quality``: partitions whose verdict is missing or older than what they hold.

Desired is a verdict that is not stale on every partition with files. What becomes of a partition:

=========  ====================================================================================================
due        its state is unchecked, stale or unregistered; or the last check could compute nothing; or nothing has
           arrived for longer than is expected; or it is forced
sound      it has a verdict, whatever it says, on these files and these expectations
empty      it has no files: there is nothing to check
=========  ====================================================================================================

So whatever happened meanwhile leads to a new check: a late file, a replay, another expectation, a check that was
killed; and a partition that nobody touched costs its share of a listing.

Everything here is pure.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tabulate import tabulate

from dmd_pipeline.layout import partition_date_of
from dmd_pipeline.parameters import DateRange
from dmd_pipeline.quality import State, content_digest, state_of
from dmd_pipeline.quality_documents import Entry, Seen
from dmd_pipeline.wording import date_runs


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from dmd_pipeline.aws.s3 import StoredObject

MAX_CHUNKS: Final = 16
"""Chunks are checked by a process each, and each loads Great Expectations."""
LEAST_CHUNK: Final = 20
"""Partitions that are worth a process of their own: loading Great Expectations takes as long as checking so many."""
NOT_COMPUTED: Final = "none"
"""Engine of a verdict that no engine gave: the check itself went wrong, and is tried again."""

_DUE: Final = frozenset({State.UNCHECKED, State.STALE, State.UNREGISTERED})


@dataclass(frozen=True)
class Due:
    """A partition to check.

    Attributes:
        table: Name of the table.
        partition_date: Of the partition.
        seen: What the look found.
        reason: Its state, ``silent`` or ``forced``.
    """

    table: str
    partition_date: date
    seen: Seen
    reason: str


@dataclass(frozen=True)
class QualityPlan:
    """What to check of one table; prints as a table.

    Attributes:
        table: Its name.
        due: By date, latest first.
        sound: How many partitions need no check.
        empty: How many have no files.
    """

    table: str
    due: tuple[Due, ...] = ()
    sound: int = 0
    empty: int = 0

    def __str__(self) -> str:
        reasons = Counter(due.reason for due in self.due)
        rows = [
            (reason, count, date_runs(due.partition_date for due in self.due if due.reason == reason))
            for reason, count in sorted(reasons.items())
        ]
        rows += [("sound", self.sound, ""), ("empty", self.empty, "")]
        shown = [row for row in rows if row[1]]
        return f"{self.table}\n{tabulate(shown, headers=('', 'partitions', 'which'), tablefmt='simple')}"


def window(today: date, days: int) -> DateRange:
    """The dates that a run by the clock looks at: so many days back from today, and every date ahead.

    >>> from datetime import date
    >>> str(window(date(2026, 3, 31), 30))
    '2026-03-01 to the last'
    """
    return DateRange(today - timedelta(days=days), None)


def seen_in(
    objects: Iterable[StoredObject], prefix: str, registered: Collection[date], dates: DateRange
) -> dict[date, Seen]:
    """What a look at S3 and Glue found, by partition date.

    Args:
        objects: Of the table, in any order.
        prefix: Of the table; ends in a slash.
        registered: Dates that Glue holds.
        dates: All others are left out.
    """
    found: dict[date, _Folder] = {}
    for item in objects:
        folder, slash, name = item.key.removeprefix(prefix).partition("/")
        day = partition_date_of(folder + slash)
        if day is not None and day in dates and is_read(name):
            found.setdefault(day, _Folder()).add(item)
    days = found.keys() | {day for day in registered if day in dates}
    return {day: found.get(day, _Folder()).seen(registered=day in registered) for day in days}


def is_read(name: str) -> bool:
    """Whether Athena reads an object of a partition's folder.

    Args:
        name: Its key without the folder. It has none when it is the folder itself, as the console makes it.
    """
    return bool(name) and not any(part.startswith(("_", ".")) for part in name.split("/"))


def plan(
    table: str,
    seen: Mapping[date, Seen],
    entries: Mapping[date, Entry],
    suite: str,
    *,
    silent: Collection[date] = (),
    force: bool = False,
) -> QualityPlan:
    """Compare what partitions hold with what their verdicts were given on.

    Args:
        table: Name of the table.
        seen: What the look found.
        entries: What is known from before.
        suite: Digest of the expectations.
        silent: Partitions for which nothing has arrived for longer than is expected.
        force: Check every partition with files.
    """
    due: list[Due] = []
    sound = empty = 0
    for day, now in sorted(seen.items(), reverse=True):
        entry = Entry(seen=now, verdict=entries.get(day, Entry()).verdict)
        state = state_of(entry, suite)
        if state is State.EMPTY:
            empty += 1
        elif force:
            due.append(Due(table, day, now, "forced"))
        elif state in _DUE or (entry.verdict is not None and entry.verdict.engine == NOT_COMPUTED):
            due.append(Due(table, day, now, state))
        elif day in silent:
            due.append(Due(table, day, now, "silent"))
        else:
            sound += 1
    return QualityPlan(table, tuple(due), sound, empty)


def chunks(due: Iterable[Due], *, at_most: int = MAX_CHUNKS, least: int = LEAST_CHUNK) -> list[dict[str, list[date]]]:
    """The work in chunks of about the same size in bytes: dates by table, each sorted.

    Args:
        due: All partitions to check.
        at_most: So many chunks.
        least: Partitions that are worth another chunk.
    """
    # The largest first, each to whoever has the least so far: within 4/3 of the best there is (Graham, 1969).
    waiting = sorted(due, key=lambda one: (-one.seen.bytes, one.table, one.partition_date))
    count = min(at_most, -(-len(waiting) // least))
    loads: list[tuple[int, int]] = [(0, number) for number in range(count)]
    shares: Sequence[dict[str, list[date]]] = [{} for _ in range(count)]
    for one in waiting:
        load, number = heapq.heappop(loads)
        shares[number].setdefault(one.table, []).append(one.partition_date)
        # Each partition costs something, however small it is.
        heapq.heappush(loads, (load + one.seen.bytes + _OVERHEAD_BYTES, number))
    return [{table: sorted(days) for table, days in sorted(share.items())} for share in shares]


_OVERHEAD_BYTES: Final = 100_000
"""Listing and judging a partition takes about as long as reading so much more of it."""


class _Folder:
    def __init__(self) -> None:
        self.files = self.size = 0
        self.newest: datetime | None = None

    def add(self, item: StoredObject) -> None:
        self.files += 1
        self.size += item.size
        self.newest = item.modified if self.newest is None else max(self.newest, item.modified)

    def seen(self, *, registered: bool) -> Seen:
        return Seen(
            files=self.files,
            bytes=self.size,
            newest=self.newest,
            content=content_digest(self.files, self.size, self.newest),
            registered=registered,
        )
