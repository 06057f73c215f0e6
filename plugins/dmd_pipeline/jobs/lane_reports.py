"""What comes of converting a lane."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.stamps import utc_stamp


if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from dmd_pipeline.failed_batches import BatchId


class State(StrEnum):
    """How far a batch has come."""

    CONVERTED = "converted"
    """Its rows are written; what is missing is to register their partitions."""
    SETTLED = "settled"
    WAITING_FOR_CERTAINTY = "waiting for certainty"
    WAITING_FOR_SCHEMA = "waiting for schema"
    FAILED = "failed"
    PLANNED = "planned"


PLACES: Final = ("written", "delivered", "in_errors", "quarantined", "filtered")
"""Where the records of a batch can be; each of them is in one."""
COUNTS: Final = ("records", *PLACES, "indistinguishable", "lost")
"""What is counted of a batch."""


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What came of a batch.

    Attributes:
        batch: Its place.
        state: How far it has come.
        why: The reason for its state, for people.
        counts: By the names of :data:`COUNTS`; of a batch that is only planned, what would be.
        files: Keys of the files that hold rows of it by now.
        dates: Partitions of its rows, by table.
        fresh: Partitions in which a file of it lies by now, by table: written by this run, or by one that was killed.
        quarantine: Key of the document with what was rejected, if there is one.
    """

    batch: BatchId
    state: State
    why: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    dates: Mapping[str, frozenset[date]] = field(default_factory=dict)
    fresh: Mapping[str, frozenset[date]] = field(default_factory=dict)
    quarantine: str | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it will be converted by itself, later."""
        return self.state in {State.WAITING_FOR_CERTAINTY, State.WAITING_FOR_SCHEMA}

    def __str__(self) -> str:
        told = ((self.counts[name], name.replace("_", " ")) for name in COUNTS if self.counts.get(name))
        counted = ", ".join(f"{count:,} {name}" for count, name in told)
        return f"{self.batch}: {self.state}{f': {counted}' if counted else ''}{f' ({self.why})' if self.why else ''}"

    def as_document(self, run_id: str, at: datetime) -> dict[str, Any]:
        """The content of the batch's done document."""
        return {
            "batch": str(self.batch),
            "counts": {name: self.counts.get(name, 0) for name in COUNTS},
            "files": list(self.files),
            "partitions": {table: sorted(map(str, days)) for table, days in sorted(self.dates.items())},
            "quarantine": self.quarantine,
            "settled_by": run_id,
            "settled_at": utc_stamp(at),
        }


@dataclass(frozen=True)
class LaneReport:
    """What came of a lane.

    Attributes:
        lane: Its name.
        batches: Those that were open, oldest first.
        busy: Who converts it, when somebody else does.
        dry_run: Whether nothing was to be written.
    """

    lane: str
    batches: tuple[BatchReport, ...] = ()
    busy: str | None = None
    dry_run: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """Of all batches by their state, and of their records."""
        states = Counter(batch.state.value for batch in self.batches)
        records: Counter[str] = Counter()
        for batch in self.batches:
            if batch.state in {State.SETTLED, State.PLANNED}:
                records.update(batch.counts)
        return dict(states) | {name: records[name] for name in COUNTS}

    @property
    def partition_keys(self) -> dict[str, list[str]]:
        """Dates by table into which rows were written."""
        dates: dict[str, set[str]] = {}
        for batch in self.batches:
            for table, days in batch.fresh.items():
                dates.setdefault(table, set()).update(map(str, days))
        return {table: sorted(days) for table, days in sorted(dates.items())}

    @property
    def failed(self) -> dict[str, str]:
        """Reason by batch."""
        return {str(batch.batch): batch.why for batch in self.batches if batch.state is State.FAILED}

    @property
    def summary(self) -> list[str]:
        """A line a batch, for people."""
        if self.busy is not None:
            return [f"{self.lane}: left to {self.busy}"]
        return [f"{'dry run: ' if self.dry_run else ''}{batch}" for batch in self.batches]

    def as_data(self) -> dict[str, Any]:
        """As JSON takes it; identifiers and counts only."""
        return {
            "lane": self.lane,
            "summary": self.summary,
            "counts": self.counts,
            "partition_keys": self.partition_keys,
            "failed": self.failed,
            "busy": self.busy,
        }
