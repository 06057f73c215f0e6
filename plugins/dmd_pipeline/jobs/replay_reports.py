"""What comes of securing failed batches: outcomes, the lines for people, the alerts, the data for tasks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

from tabulate import tabulate

from dmd_pipeline.alerts import Severity
from dmd_pipeline.stamps import utc_stamp
from dmd_pipeline.wording import some


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from dmd_pipeline.failed_batches import BatchId, FailedBatch


class State(StrEnum):
    """What became of a batch."""

    SECURED = "secured"
    KNOWN = "known"
    """Its records were secured before."""
    LOST = "lost"
    """Nothing of it was left."""
    CAPPED = "capped"
    """Its records were rejected too often: only a person can help."""
    FAILED = "failed"
    """It is where it was, and comes again."""


_IN_A_DRY_RUN: Final = {
    State.SECURED: "would be secured",
    State.KNOWN: "known: only its message would be deleted",
    State.LOST: "lost: a document about it would be written",
}


@dataclass(frozen=True)
class Loss:
    """Records that the stream had forgotten.

    Attributes:
        at_least: How many records of the batch are known to be gone.
        at_most: How many can be gone; None when nobody knows.
        first_left: Sequence number of the first record of the range that was left; None when nothing was.
        since: When the first of them was forgotten; None when nobody knows.
    """

    at_least: int
    at_most: int | None
    first_left: int | None
    since: datetime | None

    def __str__(self) -> str:
        count = f"{self.at_least:,}" if self.at_least == self.at_most else f"at least {self.at_least:,}"
        if self.at_most is not None and self.at_most != self.at_least:
            count += f" and at most {self.at_most:,}"
        since = "" if self.since is None else f" since {utc_stamp(self.since)}"
        left = "nothing is left" if self.first_left is None else f"what is left begins at {self.first_left}"
        return f"{count} records lost{since}, {left}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one batch; holds identifiers and counts, never records.

    Attributes:
        batch: Its place.
        state: What became of it.
        origin: Where it was told of.
        request_id: Lambda's id of the last invocation, ``""`` when there was none.
        condition: Why Lambda gave up, or which source it was taken from.
        size: How many records the function was invoked with; None when nobody knows.
        came_along: Whether the records came with the message.
        first_arrival: When the stream took the first record.
        deadline: When the first of it would have been lost, or was.
        records: How many were secured.
        bytes: Of their data.
        loss: What was lost of it.
        why: The reason of a failure; of a batch that is only looked at, what would be written.
    """

    batch: BatchId
    state: State
    origin: str
    request_id: str = ""
    condition: str = ""
    size: int | None = None
    came_along: bool = False
    first_arrival: datetime | None = None
    deadline: datetime | None = None
    records: int = 0
    bytes: int = 0
    loss: Loss | None = None
    why: str = ""

    @classmethod
    def of(cls, batch: FailedBatch, state: State, deadline: datetime | None, **rest: Any) -> Outcome:
        """The outcome of a batch.

        Args:
            batch: The batch.
            state: What became of it.
            deadline: When the first of it would have been lost.
            **rest: Any other attribute.
        """
        return cls(
            batch.id,
            state,
            batch.origin,
            batch.request_id,
            batch.condition,
            batch.size,
            batch.records is not None,
            batch.first_arrival,
            deadline,
            **rest,
        )

    @property
    def went_well(self) -> bool:
        """Whether its records are safe, all of them."""
        return self.state in {State.SECURED, State.KNOWN} and self.loss is None

    def is_near(self, at: datetime, margin: timedelta) -> bool:
        """Whether the batch was found, at that moment, with a deadline nearer than the margin."""
        return self.state in {State.SECURED, State.FAILED} and self.deadline is not None and self.deadline - at < margin

    def __str__(self) -> str:
        """One line of the log: enough to follow a batch from its message to its rows."""
        parts = [f"{self.batch}: {self.state}"]
        if self.state is State.SECURED:
            parts.append(f"{self.records:,} records, {self.bytes:,} bytes")
            parts.append("records came along" if self.came_along else "read from the stream")
        parts += [
            f"from {self.origin}",
            f"request {self.request_id or 'unknown'}",
            f"condition {self.condition}",
            f"batch size {'unknown' if self.size is None else format(self.size, ',')}",
            f"deadline {'none' if self.deadline is None else utc_stamp(self.deadline)}",
        ]
        if self.loss is not None:
            parts.append(str(self.loss).upper() if self.state is State.LOST else f"LOST: {self.loss}")
        if self.why:
            parts.append(self.why)
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Tally:
    """Batches of which there is nothing to tell but how many they are.

    Attributes:
        secured: Batches that were secured.
        known: Batches that had been secured before.
        records: How many were secured.
        bytes: Of their data.
        oldest: First arrival of the oldest that was waiting.
        nearest_deadline: Of those that were waiting.
    """

    secured: int = 0
    known: int = 0
    records: int = 0
    bytes: int = 0
    oldest: datetime | None = None
    nearest_deadline: datetime | None = None

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """Of one batch."""
        if outcome.state is State.KNOWN:
            return cls(known=1)
        return cls(1, 0, outcome.records, outcome.bytes, outcome.first_arrival, outcome.deadline)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.secured + other.secured,
            self.known + other.known,
            self.records + other.records,
            self.bytes + other.bytes,
            _earliest([self.oldest, other.oldest]),
            _earliest([self.nearest_deadline, other.nearest_deadline]),
        )


@dataclass
class Outcomes:
    """Collects what became of batches: those of which people are told one by one, and all others as a sum.

    A line about each is in the log; memory does not grow with those that simply went well.

    Attributes:
        at: When the run began.
        margin: A deadline nearer than this is told.
        all: Whether all are told, as in the plan of a dry run.
        told: Those that are.
        others: Those that are not.
    """

    at: datetime
    margin: timedelta
    all: bool = False
    told: list[Outcome] = field(default_factory=list)
    others: Tally = Tally()

    def add(self, outcome: Outcome) -> None:
        """Enter one."""
        if self.all or not outcome.went_well or outcome.is_near(self.at, self.margin):
            self.told.append(outcome)
        else:
            self.others += Tally.of(outcome)


@dataclass(frozen=True)
class Notice:
    """An alert that is to be sent.

    Attributes:
        severity: How soon somebody has to look.
        title: What happened, on one line.
        text: The details.
        key: The same for every alert about the same trouble.
    """

    severity: Severity
    title: str
    text: str
    key: str

    def as_data(self) -> dict[str, str]:
        """As JSON takes it."""
        return {"severity": self.severity.value, "title": self.title, "text": self.text, "key": self.key}


@dataclass(frozen=True)
class SecureReport:
    """What came of a run that secures.

    Attributes:
        source: Where batches were claimed from.
        claimed: How many messages or documents were looked at.
        outcomes: One entry a batch, the nearest deadline first; without those of which there is nothing to tell.
        others: Those, summed up.
        passed_over: Documents whose records were secured before: they were not even read.
        quarantined: Messages that tell of no failed batch of this pipeline: reason by message.
        strange: Documents that tell of none, left where they are: reason by key.
        failed: What failed besides batches: reason by message, document or thing.
        undeleted: Messages that are done with and could not be deleted: reason by message. They come again, harmlessly.
        findings: What is wrong with the event source mapping.
        notes: What else people should know.
        open: How many batches are secured and not settled.
        lanes: Lanes with open batches.
        at: When the run began.
        margin: A deadline nearer than this is an alert.
        dry_run: Whether nothing was to be changed.
    """

    source: str
    at: datetime
    margin: timedelta = timedelta(0)
    claimed: int = 0
    outcomes: tuple[Outcome, ...] = ()
    others: Tally = Tally()
    passed_over: int = 0
    quarantined: Mapping[str, str] = field(default_factory=dict)
    strange: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    undeleted: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    open: int = 0
    lanes: tuple[str, ...] = ()
    dry_run: bool = False

    def in_state(self, *states: State) -> list[Outcome]:
        """Outcomes of batches in these states."""
        return [outcome for outcome in self.outcomes if outcome.state in states]

    @property
    def lost(self) -> list[Outcome]:
        """Batches of which records are gone, even if others were secured."""
        return [outcome for outcome in self.outcomes if outcome.loss is not None]

    @property
    def near(self) -> list[Outcome]:
        """Batches that were found with a deadline nearer than the margin: secured in time, or still where they were."""
        return [outcome for outcome in self.outcomes if outcome.is_near(self.at, self.margin)]

    @property
    def oldest(self) -> datetime | None:
        """First arrival of the oldest batch that was waiting."""
        waiting = (outcome.first_arrival for outcome in self.outcomes if outcome.state is not State.KNOWN)
        return _earliest([self.others.oldest, *waiting])

    @property
    def nearest_deadline(self) -> datetime | None:
        """Of the batches that were waiting and are not lost."""
        waiting = (outcome.deadline for outcome in self.in_state(State.SECURED, State.FAILED))
        return _earliest([self.others.nearest_deadline, *waiting])

    @property
    def failures(self) -> dict[str, str]:
        """Everything that failed: reason by batch, message, document or thing."""
        return dict(self.failed) | {str(outcome.batch): outcome.why for outcome in self.in_state(State.FAILED)}

    @property
    def counts(self) -> dict[str, int]:
        """How many of what."""
        secured = self.in_state(State.SECURED)
        return {
            "claimed": self.claimed,
            "secured": self.others.secured + len(secured),
            "records": self.others.records + sum(outcome.records for outcome in secured),
            "bytes": self.others.bytes + sum(outcome.bytes for outcome in secured),
            "known": self.passed_over + self.others.known + len(self.in_state(State.KNOWN)),
            "quarantined": len(self.quarantined),
            "strange": len(self.strange),
            "lost_batches": len(self.lost),
            "lost_records": sum(outcome.loss.at_least for outcome in self.lost if outcome.loss is not None),
            "capped": len(self.in_state(State.CAPPED)),
            "failed": len(self.failures),
            "undeleted": len(self.undeleted),
            "near": len(self.near),
            "open": self.open,
        }

    @property
    def problems(self) -> list[str]:
        """Why the run has to end failed, although everything else was done; empty when it need not."""
        lost = [f"{outcome.batch}: {outcome.loss}" for outcome in self.lost]
        capped = [f"{outcome.batch}: {outcome.why}" for outcome in self.in_state(State.CAPPED)]
        failed = [f"{name}: {why}" for name, why in sorted(self.failures.items())]
        return [
            *([f"LOST: {some(lost)}"] if lost else []),
            *([f"FAILED: {some(failed)}"] if failed else []),
            *([f"CAPPED: {some(capped)}"] if capped else []),
        ]

    @property
    def summary(self) -> list[str]:
        """Lines for people: one when nothing waits."""
        lines = [f"{'dry run: ' if self.dry_run else ''}{self.source}: {self._counted}", *self.problems]
        if self.near:
            lines.append(f"NEAR THEIR DEADLINE: {some([_with_deadline(outcome) for outcome in self.near])}")
        for title, things in (
            ("quarantine", self.quarantined),
            ("left where they are", self.strange),
            ("not deleted, they come again", self.undeleted),
        ):
            if things:
                lines.append(f"{title}: {some([f'{name}: {why}' for name, why in things.items()])}")
        lines += [f"event source mapping: {finding}" for finding in self.findings]
        return [*lines, *self.notes]

    @property
    def table(self) -> str:
        """A row a batch, of those that are told, or message; nearest deadline first."""
        rows = [
            (
                str(outcome.batch),
                outcome.origin,
                "" if outcome.deadline is None else utc_stamp(outcome.deadline),
                _records_and_size(outcome),
                f"{outcome.bytes:,}" if outcome.records else "",
                self._state(outcome),
            )
            for outcome in self.outcomes
        ]
        rows += [("", name, "", "", "", f"quarantine: {why}") for name, why in self.quarantined.items()]
        rows += [("", name, "", "", "", f"left: {why}") for name, why in self.strange.items()]
        rows += [("", name, "", "", "", f"failed: {why}") for name, why in self.failed.items()]
        headers = ("batch", "origin", "deadline", "records / batch size", "bytes", "state")
        return tabulate(rows, headers=headers, tablefmt="simple", disable_numparse=True)

    @property
    def notices(self) -> list[Notice]:
        """The alerts that are to be sent."""
        notices = []
        if self.lost:
            records = self.counts["lost_records"]
            title = f"Records of {len(self.lost):,} failed batches are LOST: at least {records:,}"
            lines = [f"{outcome.batch} ({outcome.origin}): {outcome.loss}" for outcome in self.lost]
            notices.append(Notice(Severity.HIGH, title, _lines(lines), "replay-lost"))
        if self.near:
            title = f"{len(self.near):,} failed batches were found shortly before their records would be lost"
            notices.append(
                Notice(Severity.HIGH, title, _lines([_with_deadline(one) for one in self.near]), "replay-deadline")
            )
        if self.findings:
            title = "The delivery worker's event source mapping loses or blocks records"
            notices.append(Notice(Severity.HIGH, title, _lines(list(self.findings)), "replay-event-source-mapping"))
        if capped := self.in_state(State.CAPPED):
            title = f"{len(capped):,} documents of rejected records have been tried too often"
            lines = [f"{outcome.batch} ({outcome.origin}): {outcome.why}" for outcome in capped]
            notices.append(Notice(Severity.MEDIUM, title, _lines(lines), "replay-capped"))
        return notices

    def as_data(self) -> dict[str, Any]:
        """Summary, lanes, counts and alerts, as JSON takes them; identifiers and counts only."""
        return {
            "summary": self.summary,
            "lanes": list(self.lanes),
            "counts": self.counts,
            "oldest": None if self.oldest is None else utc_stamp(self.oldest),
            "nearest_deadline": None if self.nearest_deadline is None else utc_stamp(self.nearest_deadline),
            "problems": self.problems,
            "alerts": [notice.as_data() for notice in self.notices],
            "plan": self.table if self.dry_run else "",
        }

    @property
    def _counted(self) -> str:
        counts = self.counts
        names = ("secured", "known", "quarantined", "strange", "lost_batches", "capped", "failed")
        told = [f"{counts[name]:,} {name.replace('_', ' ')}" for name in names if counts[name]]
        if counts["secured"]:
            told[0] += f" ({counts['records']:,} records, {counts['bytes']:,} bytes)"
        line = ", ".join(told) or "nothing waits"
        if self.oldest is not None:
            line += f"; oldest {utc_stamp(self.oldest)}"
        if self.nearest_deadline is not None:
            line += f"; nearest deadline {utc_stamp(self.nearest_deadline)}"
        if self.open:
            line += f"; {self.open:,} open in {len(self.lanes):,} lanes"
        return line

    def _state(self, outcome: Outcome) -> str:
        words = _IN_A_DRY_RUN.get(outcome.state, outcome.state.value) if self.dry_run else outcome.state.value
        if outcome.loss is not None:
            words += f"; {outcome.loss}"
        return f"{words}: {outcome.why}" if outcome.why else words


def _earliest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _records_and_size(outcome: Outcome) -> str:
    size = "unknown" if outcome.size is None else f"{outcome.size:,}"
    return f"{outcome.records:,} / {size}" if outcome.records else f"? / {size}"


def _with_deadline(outcome: Outcome) -> str:
    deadline = "none" if outcome.deadline is None else utc_stamp(outcome.deadline)
    return f"{outcome.batch} ({outcome.origin}): {outcome.state}, deadline {deadline}"


def _lines(lines: list[str], at_most: int = 50) -> str:
    hidden = len(lines) - at_most
    return "\n".join([*lines[:at_most], *([f"and {hidden:,} more"] if hidden > 0 else [])])
