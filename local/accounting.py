"""Does everything that was sent stand somewhere? One line for each record type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.ledger import sent_by_type


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from local.evidence import Evidence
    from local.ledger import Ledger

NO_TABLE = "(no table)"


@dataclass(frozen=True)
class Line:
    """The account of one record type.

    Attributes:
        record_type: The type, or ``NO_TABLE`` for what the filter drops.
        sent: Records sent, by the ledger.
        readable: Rows in Athena.
        in_errors: Records in errors/.
        in_dead_letter_queue: Records whose batch stands in the dead-letter queue.
        filtered: Records that the event source mapping dropped.
        written_in_vain: Copies among the readable ones and those in errors/, left by invocations that failed later.
    """

    record_type: str
    sent: int
    readable: int = 0
    in_errors: int = 0
    in_dead_letter_queue: int = 0
    filtered: int = 0
    written_in_vain: int = 0

    @property
    def found(self) -> int:
        """Records found, each counted once."""
        places = self.readable + self.in_errors + self.in_dead_letter_queue + self.filtered
        return places - self.written_in_vain

    @property
    def difference(self) -> int:
        """How many records are missing; negative when there are too many."""
        return self.sent - self.found


def account(ledgers: Sequence[Ledger], evidence: Evidence) -> list[Line]:
    """Set what was sent against what is found."""
    sent = sent_by_type(ledgers)
    readable, in_errors = evidence.readable(), evidence.in_errors()
    dead, in_vain = evidence.in_dead_letter_queue(), evidence.written_in_vain()
    lines = [
        Line(
            record_type,
            sent[record_type],
            readable[record_type],
            in_errors[record_type],
            dead[record_type],
            written_in_vain=in_vain[record_type],
        )
        for record_type in sorted({*sent, *readable, *in_errors, *dead})
    ]
    dropped = sum(sum(ledger.filtered.values()) for ledger in ledgers)
    return [*lines, Line(NO_TABLE, dropped, filtered=evidence.filtered())]


def table(lines: Iterable[Line]) -> tuple[list[list[object]], list[str]]:
    """Rows and headers of the printed account, with a total at the end; columns of copies only where there are any."""
    listed = list(lines)
    total = Line(
        "all",
        *(
            sum(getattr(line, name) for line in listed)
            for name in ("sent", "readable", "in_errors", "in_dead_letter_queue", "filtered", "written_in_vain")
        ),
    )
    headers = ["type", "sent", "= readable", "+ errors/", "+ dead letters", "+ filtered", "difference"]
    rows: list[list[object]] = [
        [line.record_type, line.sent, line.readable, line.in_errors, line.in_dead_letter_queue, line.filtered]
        for line in (*listed, total)
    ]
    if total.written_in_vain:
        headers.insert(-1, "- copies of failed attempts")
        for row, line in zip(rows, (*listed, total), strict=True):
            row.append(line.written_in_vain)
    for row, line in zip(rows, (*listed, total), strict=True):
        row.append(line.difference)
    return rows, headers
