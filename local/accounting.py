"""Does everything that was sent stand somewhere, once? One line for each record type, and a look at every date."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.copies import by_table
from local.ledger import sent_by_type, times_sent, valid_by_date
from local.traffic.plan import DELIVERY_DAY


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from local.copies import Rows
    from local.evidence import Found
    from local.ledger import Ledger

NO_TABLE = "(no table)"
_COLUMNS = {
    "sent": "sent",
    "readable": "= readable",
    "in_errors": "+ errors/",
    "in_quarantine": "+ quarantine",
    "waiting": "+ waiting",
    "filtered": "+ filtered",
    "merged": "+ merged",
    "rewritten": "- rewritten by retries",
    "difference": "difference",
}
_ONLY_WHERE_THERE_ARE_ANY = ("in_quarantine", "merged", "rewritten")


@dataclass(frozen=True)
class Line:
    """The account of one record type.

    Attributes:
        record_type: The type, or ``NO_TABLE`` for what the filter drops.
        sent: Records sent, by the ledger.
        readable: Rows in Athena.
        in_errors: Records in errors/.
        in_quarantine: Records that the replay rejected.
        waiting: Records of failed batches that wait, in the dead-letter queue or secured.
        filtered: Records that the event source mapping dropped.
        merged: Records that were sent twice, byte for byte, and of which the replay took the one row for both.
        rewritten: Copies among the readable ones and those in errors/.
    """

    record_type: str
    sent: int
    readable: int = 0
    in_errors: int = 0
    in_quarantine: int = 0
    waiting: int = 0
    filtered: int = 0
    merged: int = 0
    rewritten: int = 0

    @property
    def found(self) -> int:
        """Records found, each counted once."""
        places = self.readable + self.in_errors + self.in_quarantine + self.waiting + self.filtered
        return places + self.merged - self.rewritten

    @property
    def difference(self) -> int:
        """How many records are missing; negative when there are too many."""
        return self.sent - self.found


@dataclass(frozen=True)
class DateDifference:
    """A date on which rows are missing, or too many.

    Attributes:
        record_type: The type.
        day: The business date.
        expected: How many rows there should be: the ledger's valid records but for those that wait,
            and those that were merged.
        found: How many there are, each once.
    """

    record_type: str
    day: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.record_type} {self.day}: {self.expected} rows expected, {self.found} found"


def account(ledgers: Sequence[Ledger], found: Found) -> list[Line]:
    """Set what was sent against what is found.

    ::

        sent = readable + in errors/ + in quarantine + waiting + filtered + merged - rewritten

    *Rewritten* are the copies that failed attempts leave. What such an attempt wrote is known by the function's log,
    for which records it was by the sequence numbers in the log, and what became of these by where they lie now:

    * a record that a later attempt delivered: every row of it in files of failed attempts is a copy;
    * a record that waits: every row of it is a copy, for it is counted where it waits; also a replayed one, of a run
      that ended before it had settled the batch;
    * a record whose batch is settled: all but one are copies, if an attempt wrote its group at all. The replay leaves
      that one as it is; were it to write the row again, or to leave out one that is not there, the account would tell;
    * an invalid record in errors/ of a failed attempt: a copy when a later attempt rejected it again, or while it
      waits. Of one whose batch is settled, all but one: the replay leaves it there.

    *Merged* are records of failed batches of which the worker wrote an identical one, sent before or after, as a row or
    into errors/. Nobody can tell which of the two it stands for: the replay takes it for the one that it looks for.
    """
    sent = sent_by_type(ledgers)
    readable, rewritten = by_table(found.rows), by_table(found.rewritten_rows)
    rewritten.update(found.rewritten_errors)
    merged = by_table(merged_records(ledgers, found)) + merged_rejections(ledgers, found)
    names = {*sent, *readable, *found.in_errors, *found.in_quarantine, *found.waiting}
    lines = [
        Line(
            name,
            sent[name],
            readable=readable[name],
            in_errors=found.in_errors[name],
            in_quarantine=found.in_quarantine[name],
            waiting=found.waiting[name],
            merged=merged[name],
            rewritten=rewritten[name],
        )
        for name in sorted(names)
    ]
    dropped = sum(sum(ledger.filtered.values()) for ledger in ledgers)
    return [*lines, Line(NO_TABLE, dropped, filtered=found.filtered)]


def dates_that_differ(ledgers: Sequence[Ledger], found: Found) -> list[DateDifference]:
    """The dates that have not exactly the rows that were sent for them.

    Records that have no business date are rows of some day of delivery, nobody can say which: so those days may have
    more rows than were sent for them, together as many as there are such records.
    """
    expected = valid_by_date(ledgers)
    expected.subtract(found.waiting_rows)
    expected.subtract(merged_records(ledgers, found))
    held = Counter(found.rows)
    held.subtract(found.rewritten_rows)
    differences = []
    for record_type in sorted({name for name, _ in (*expected, *held)}):
        undated = expected.pop((record_type, DELIVERY_DAY), 0)
        left = undated
        for day in sorted({day for name, day in (*expected, *held) if name == record_type}):
            place = record_type, day
            more = held[place] - expected[place]
            if more > 0 and day in found.days_of_delivery:
                left -= more
            elif more:
                differences.append(DateDifference(record_type, day, expected[place], held[place]))
        if left:
            differences.append(DateDifference(record_type, DELIVERY_DAY, undated, undated - left))
    return differences


def merged_records(ledgers: Sequence[Ledger], found: Found) -> Rows:
    """The records whose row was taken for that of an identical one, by record type and business date.

    Of so many identical records as only the replay can have written, it leaves out one for each that the worker wrote.
    """
    sent = times_sent(ledgers)
    merged: Rows = Counter()
    for (record_type, day, name), count in found.replayed.items():
        merged[record_type, day] += min(count, max(0, sent[name] - found.unwritten[name]))
    return merged


def merged_rejections(ledgers: Sequence[Ledger], found: Found) -> Counter[str]:
    """The invalid records that were taken for an identical one in errors/, by type: as :func:`merged_records`."""
    sent = times_sent(ledgers)
    merged: Counter[str] = Counter()
    for (record_type, name), count in found.left_in_errors.items():
        merged[record_type] += min(count, max(0, sent[name] - found.unwritten[name]))
    return merged


def table(lines: Iterable[Line]) -> tuple[list[list[object]], list[str]]:
    """Rows and headers of the printed account, with a total at the end; some columns only where they tell something."""
    listed = list(lines)
    counted = [name for name in _COLUMNS if name != "difference"]
    total = Line("all", **{name: sum(getattr(line, name) for line in listed) for name in counted})
    shown = [name for name in _COLUMNS if name not in _ONLY_WHERE_THERE_ARE_ANY or getattr(total, name)]
    rows = [[line.record_type, *(getattr(line, name) for name in shown)] for line in (*listed, total)]
    return rows, ["type", *(_COLUMNS[name] for name in shown)]
