"""What ``drop_expired_partitions`` and ``restore_partitions`` tell, as data and in a line a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from tabulate import tabulate

from dmd_pipeline.errors import PartitionsFailedError
from dmd_pipeline.layout import PARTITION_KEY
from dmd_pipeline.wording import date_runs, some


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from dmd_pipeline.retention import Delete, Drop, Plan


_DOLLARS_PER_GIBIBYTE_MONTH: Final = 0.023
"""S3 Standard, the first 50 TB of a month, us-east-1 (https://aws.amazon.com/s3/pricing/)."""
_GIBIBYTE: Final = 2**30


@dataclass(frozen=True)
class TableReport:
    """What came of one table.

    Attributes:
        table: Its name.
        plan: What was to be done.
        mode: Whether the settings want it done, or only planned.
        dropped: Dates that have left the catalog.
        deleted: Dates whose objects are deleted.
        failed: Reason by date.
        why_not: Why nothing was done although something is due; empty when it was.
        error: Why nothing at all could be done, if so.
    """

    table: str
    plan: Plan
    mode: Literal["plan", "enforce"]
    dropped: tuple[date, ...] = ()
    deleted: tuple[date, ...] = ()
    failed: Mapping[date, str] = field(default_factory=dict)
    why_not: str = ""
    error: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether the plan was carried out, as far as it could be."""
        return bool(self.dropped or self.deleted or self.failed)

    @property
    def counts(self) -> dict[str, int]:
        """How many partitions came out how; objects, bytes and rows of the plan."""
        return {
            "dropped": len(self.dropped),
            "deleted": len(self.deleted),
            "to_drop": 0 if self.is_done else len(self.plan.drop),
            "to_delete": 0 if self.is_done else len(self.plan.delete),
            "in_grace": len(self.plan.in_grace),
            "late": len(self.plan.late),
            "kept": len(self.plan.kept),
            "failed": len(self.failed),
            "objects": sum(len(one.objects) for one in self.plan.drop),
            "bytes": sum(one.bytes for one in self.plan.drop),
            "rows": sum(one.rows or 0 for one in self.plan.drop),
            "objects_to_delete": sum(len(one.objects) for one in self.plan.delete),
            "bytes_to_delete": sum(one.bytes for one in self.plan.delete),
        }

    @property
    def summary(self) -> str:
        """One line for people."""
        if self.error is not None:
            return f"{self.table}: FAILED: {self.error}"
        told = ("dropped", "deleted", "to_drop", "to_delete", "in_grace", "failed")
        counted = [f"{self.counts[name]} {name.replace('_', ' ')}" for name in told if self.counts[name]]
        line = f"{self.table}: {', '.join(counted) or 'nothing expires'}"
        if self.why_not:
            line += f"; nothing was done: {self.why_not}"
        if self.plan.late:
            line += f"; WARNING, objects that came later: {date_runs(self.plan.late)}"
        if self.plan.kept:
            line += f"; kept although old: {some(self.plan.kept)}"
        if self.plan.personal:
            line += f"; PERSONAL DATA: {self.plan.personal}"
        return line + failed_dates(self.failed)

    @property
    def wants_to_act(self) -> bool:
        """Whether a run that is no dry run has something to do about the table, if only to fail."""
        return self.error is not None or (
            self.mode == "enforce" and bool(self.plan.drop or self.plan.delete or self.plan.gone)
        )

    @property
    def as_markdown(self) -> str:
        """The plan for a page, and for a log."""
        return self.error or plan_as_markdown(self.plan, self.mode)


@dataclass(frozen=True)
class Report:
    """What came of a run.

    Attributes:
        tables: One entry a table.
        dry_run: Whether nothing was to be changed.
    """

    tables: tuple[TableReport, ...]
    dry_run: bool

    @property
    def summary(self) -> list[str]:
        """One line a table, for people."""
        return [f"{'dry run: ' if self.dry_run else ''}{table.summary}" for table in self.tables]

    def as_data(self) -> dict[str, Any]:
        """As JSON takes it; identifiers and counts only."""
        return {
            "summary": self.summary,
            "counts": {table.table: table.counts for table in self.tables},
            "asking": {
                table.table: {"digest": table.plan.digest, "plan": table.as_markdown}
                for table in self.tables
                if table.mode == "enforce" and table.plan.approval
            },
            "plans": [table.as_markdown for table in self.tables if not table.plan.is_silent],
            "to_do": [table.table for table in self.tables if table.wants_to_act],
        }


class Outcome(Protocol):
    """What came of a table."""

    @property
    def table(self) -> str:
        """Its name."""

    @property
    def failed(self) -> Mapping[date, str]:
        """Reason by date."""

    @property
    def error(self) -> str | None:
        """Why nothing at all could be done, if so."""


def raise_failures(tables: Iterable[Outcome]) -> None:
    """Raise what went wrong, if anything did.

    Raises:
        PartitionsFailedError: Some partitions, or whole tables, failed; names each with its reason.
    """
    failures: dict[str, str] = {}
    for one in tables:
        failures |= {f"{one.table}/{PARTITION_KEY}={day}": reason for day, reason in one.failed.items()}
        if one.error is not None:
            failures[one.table] = one.error
    if failures:
        raise PartitionsFailedError(failures)


def failed_dates(failed: Mapping[date, str]) -> str:
    """The end of a summary: dates that failed, each with its reason; empty when none did."""
    listed = [f"{day}: {reason}" for day, reason in sorted(failed.items())]
    return f"; FAILED: {some(listed)}" if listed else ""


def plan_as_markdown(plan: Plan, mode: str) -> str:
    """A plan as a table, with all that a person has to know before approving it."""
    rows = [row for row in _rows(plan) if row[1]]
    remarks = [f"* {remark}" for remark in _remarks(plan)]
    return "\n\n".join(
        [
            f"{plan.table}: plan {plan.digest}, mode *{mode}*" + ("; nothing is due" if plan.is_empty else ""),
            *([tabulate(rows, headers=_HEADERS, tablefmt="pipe", disable_numparse=True)] if rows else []),
            *(["\n".join(remarks)] if remarks else []),
        ]
    )


_HEADERS: Final = ("partitions that", "how many", "oldest", "newest", "objects", "MB", "rows", "saves a month")


def _rows(plan: Plan) -> list[list[str]]:
    drops, deletes = plan.drop, plan.delete
    dropped = [one.rows for one in drops if one.rows is not None]
    saved = sum(one.bytes for one in deletes) / _GIBIBYTE * _DOLLARS_PER_GIBIBYTE_MONTH
    return [
        [
            "leave the catalog",
            *_span([one.day for one in drops]),
            *_amount(drops),
            f"{sum(dropped):,}" if len(dropped) == len(drops) else "not counted",
            "nothing yet",
        ],
        [
            "are deleted",
            *_span([one.day for one in deletes]),
            *_amount(deletes),
            f"{sum(one.manifest.rows for one in deletes):,}",
            f"${saved:,.2f}",
        ],
        ["have left, and are in their grace period", *_span(plan.in_grace)],
        ["have objects that came later", *_span(plan.late), f"{sum(map(len, plan.late.values())):,}"],
        ["are old, and are kept", f"{len(plan.kept):,}" if plan.kept else ""],
    ]


def _span(days: Collection[date]) -> list[str]:
    return [f"{len(days):,}", str(min(days)), str(max(days))] if days else ["", "", ""]


def _amount(steps: Sequence[Drop | Delete]) -> list[str]:
    megabytes = sum(one.bytes for one in steps) / 1e6
    return [f"{sum(len(one.objects) for one in steps):,}", f"{megabytes:,.1f}" if megabytes >= 0.1 else "< 0.1"]


def _remarks(plan: Plan) -> Iterator[str]:
    for reason in plan.approval:
        yield f"To be approved, because {reason}."
    if plan.drop:
        yield f"Queries stop seeing {date_runs(one.day for one in plan.drop)}."
    if plan.delete:
        yield f"The objects of {date_runs(one.day for one in plan.delete)} go."
    if plan.gone:
        yield f"Of {date_runs(one.day for one in plan.gone)} nothing is left to delete, which is to be written down."
    if plan.in_grace:
        yield f"The first of those in their grace period may go on {min(plan.in_grace.values()):%Y-%m-%d}."
    if plan.late:
        late = [f"{day} ({some(keys, at_most=2)})" for day, keys in sorted(plan.late.items())]
        yield f"Objects that came later stay until a person decides: {some(late)}."
    if plan.kept:
        yield f"What stands in the way: {some(plan.kept)}."
    if plan.personal:
        yield f"Personal data, a fact for whoever answers for it: {plan.personal}."
