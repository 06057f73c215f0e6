"""What checks report to people: a line for each outcome, the text of an alert, and why a run ends failed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.errors import ChecksFailedError, ChecksIncompleteError
from dmd_pipeline.quality_documents import Judgement
from dmd_pipeline.wording import date_runs, some


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from dmd_pipeline.quality_documents import Result, Verdict
    from dmd_pipeline.quality_plans import QualityPlan

BAD: Final = frozenset({Judgement.FAILED, Judgement.UNKNOWN})
"""Verdicts that nobody may rely on."""

_MOST_NAMED: Final = 10


@dataclass(frozen=True)
class Checked:
    """A partition that was checked.

    Attributes:
        result: What came of it.
        before: Its verdict until now.
        forced: Whether it was asked for by hand.
    """

    result: Result
    before: Verdict | None
    forced: bool = False

    @property
    def table(self) -> str:
        """Its table."""
        return self.result.table_name

    @property
    def day(self) -> date:
        """Its partition date."""
        return self.result.partition_date

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.table} {self.day}"

    @property
    def broken(self) -> tuple[str, ...]:
        """The sentences of the expectations that fail and do not hold."""
        failed = set(self.result.failed_expectations)
        return tuple(finding.sentence for finding in self.result.expectations if finding.id in failed)

    @property
    def is_news(self) -> bool:
        """Whether nobody has been told yet: the same was not said of the same files and expectations before."""
        result, before = self.result, self.before
        return result.verdict in BAD and (
            before is None
            or (before.verdict, before.content, before.suite) != (result.verdict, result.content, result.suite)
        )

    @property
    def is_problem(self) -> bool:
        """Whether the run has to end failed: it failed, or could not be checked, which is told once unless asked."""
        return self.result.verdict is Judgement.FAILED or (
            self.result.verdict is Judgement.UNKNOWN and (self.forced or self.is_news)
        )

    @property
    def title(self) -> str:
        """What happened, on one line."""
        return f"{self.name}: {self.result.verdict}"

    @property
    def text(self) -> str:
        """What is wrong with it: sentences, counts, no row."""
        result = self.result
        if result.verdict is Judgement.UNKNOWN:
            return f"It cannot be told whether {self.name} is sound: {result.reason}."
        rows = "" if result.rows is None else f" Of its {result.rows:,} rows:"
        return f"Do not rely on {self.name}.{rows} " + " ".join(f"✗ {line}" for line in self._lines())

    def _lines(self) -> list[str]:
        failed = set(self.result.failed_expectations)
        lines = []
        for finding in self.result.expectations:
            if finding.id in failed:
                rows = "" if finding.unexpected_count is None else f" ({finding.unexpected_count:,} rows break it)"
                lines.append(f"{finding.sentence}{rows}")
        return lines

    def __str__(self) -> str:
        result = self.result
        why = f" ({result.reason})" if result.reason else ""
        if result.verdict in {Judgement.FAILED, Judgement.WARNED}:
            why = f" ({some([*result.failed_expectations, *result.warned_expectations])})"
        rows = "" if result.rows is None else f", {result.rows:,} rows"
        return f"{self.name}: {result.verdict}{why}{rows}, engine {result.engine}, {result.cost.seconds:.2f} s"


@dataclass(frozen=True)
class CheckReport:
    """What came of a chunk.

    Attributes:
        checked: Its partitions that have files.
        empty: Those that have none any more.
        errors: Tables of which nothing could be checked, with the reason.
    """

    checked: tuple[Checked, ...]
    empty: tuple[str, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many partitions of a table have which verdict."""
        found: dict[str, Counter[str]] = {}
        for one in self.checked:
            found.setdefault(one.table, Counter())[str(one.result.verdict)] += 1
        return {table: dict(counter) for table, counter in sorted(found.items())}

    @property
    def cost(self) -> dict[str, float]:
        """What the checks cost together: bytes and dollars of Athena, and seconds."""
        costs = [one.result.cost for one in self.checked]
        return {
            "scanned_bytes": sum(cost.scanned_bytes for cost in costs),
            "dollars": sum(cost.dollars for cost in costs),
            "seconds": round(sum(cost.seconds for cost in costs), 3),
        }

    @property
    def summary(self) -> list[str]:
        """One line a table, for people."""
        lines = [_line(table, counts) for table, counts in self.counts.items()]
        return [*lines, *(f"{table}: FAILED: {why}" for table, why in sorted(self.errors.items()))]

    def as_data(self) -> dict[str, Any]:
        """Summary, counts, cost, dates that passed, and what is not sound; identifiers and counts only."""
        passed: dict[str, list[str]] = {}
        for one in self.checked:
            if one.result.verdict is Judgement.PASSED:
                passed.setdefault(one.table, []).append(str(one.day))
        return {
            "summary": self.summary,
            "counts": self.counts,
            "cost": self.cost,
            "partition_keys": passed,
            "problems": self.problems,
            "reasons": self.reasons,
        }

    @property
    def problems(self) -> list[str]:
        """What is not sound, by table and verdict, and tables of which nothing could be checked."""
        days: dict[tuple[str, str], list[date]] = {}
        for one in self._bad:
            days.setdefault((one.table, str(one.result.verdict)), []).append(one.day)
        named = [f"{table} {verdict}: {date_runs(found)}" for (table, verdict), found in sorted(days.items())]
        return [*named, *(f"{table}: {why}" for table, why in sorted(self.errors.items()))]

    @property
    def reasons(self) -> list[str]:
        """What does not hold, or why it cannot be told: at most ten sentences."""
        sentences = dict.fromkeys(f"{one.table}: {line}" for one in self._bad for line in one.broken)
        sentences |= dict.fromkeys(f"{one.name}: {one.result.reason}." for one in self._bad if one.result.reason)
        return list(sentences)[:_MOST_NAMED]

    @property
    def _bad(self) -> list[Checked]:
        return [one for one in self.checked if one.is_problem]

    def raise_problems(self) -> None:
        """End failed if a partition is not sound.

        Raises:
            ChecksFailedError: Names the partitions, and at most ten expectations.
        """
        if self.problems:
            raise ChecksFailedError(self.problems, self.reasons)


@dataclass(frozen=True)
class LookReport:
    """What is to be checked.

    Attributes:
        plans: By table.
        chunks: The work: partition dates by table.
        errors: Tables that could not be looked at, with the reason.
        dry_run: Whether only the plan was asked for.
    """

    plans: tuple[QualityPlan, ...]
    chunks: tuple[Mapping[str, Sequence[date]], ...]
    errors: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False

    @property
    def summary(self) -> list[str]:
        """One line a table, for people."""
        before = "dry run: " if self.dry_run else ""
        lines = [
            f"{before}{plan.table}: {len(plan.due):,} to check, {plan.sound:,} sound, {plan.empty:,} empty"
            for plan in self.plans
        ]
        return [*lines, *(f"{before}{table}: FAILED: {why}" for table, why in sorted(self.errors.items()))]

    def as_data(self) -> dict[str, Any]:
        """Summary, plan and chunks, as JSON takes them."""
        chunks = [{table: [str(day) for day in days] for table, days in one.items()} for one in self.chunks]
        return {
            "summary": self.summary,
            "plan": "\n\n".join(map(str, self.plans)),
            "chunks": [] if self.dry_run else chunks,
            "errors": dict(self.errors),
        }


@dataclass(frozen=True)
class Conclusion:
    """What a whole run came to, made of what its parts left behind.

    Attributes:
        planned: The report of the look, as data.
        chunks: The reports of the chunks that have one, as data.
    """

    planned: Mapping[str, Any]
    chunks: Sequence[Mapping[str, Any]]

    @property
    def partition_keys(self) -> dict[str, list[str]]:
        """Dates by table that passed."""
        found: dict[str, list[str]] = {}
        for chunk in self.chunks:
            for table, days in chunk["partition_keys"].items():
                found.setdefault(table, []).extend(days)
        return {table: sorted(days) for table, days in sorted(found.items())}

    @property
    def summary(self) -> list[str]:
        """One line a table, and one for the cost."""
        counts: dict[str, Counter[str]] = {}
        for chunk in self.chunks:
            for table, found in chunk["counts"].items():
                counts.setdefault(table, Counter()).update(found)
        dollars, seconds = (sum(chunk["cost"][name] for chunk in self.chunks) for name in ("dollars", "seconds"))
        lines = [_line(table, found) for table, found in sorted(counts.items())]
        return [*lines, f"Athena: {dollars:.6f} dollars; checking: {seconds:.1f} s"]

    def as_data(self) -> dict[str, Any]:
        """Summary and dates that passed."""
        return {"summary": self.summary, "partition_keys": self.partition_keys}

    def raise_problems(self) -> None:
        """End failed if anything is not sound.

        Raises:
            ChecksIncompleteError: Tables could not be looked at, or chunks not checked.
            ChecksFailedError: Partitions failed, or could not be checked.
        """
        missed = dict(self.planned["errors"])
        lost = len(self.planned["chunks"]) - len(self.chunks)
        if lost:
            missed["check"] = (
                f"{lost} chunks ended without a report: see their logs; the next run checks what they left"
            )
        if missed:
            raise ChecksIncompleteError(missed)
        partitions = [one for chunk in self.chunks for one in chunk["problems"]]
        reasons = dict.fromkeys(one for chunk in self.chunks for one in chunk["reasons"])
        if partitions:
            raise ChecksFailedError(partitions, list(reasons)[:_MOST_NAMED])


def _line(table: str, counts: Mapping[str, int]) -> str:
    return f"{table}: " + ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in Judgement if counts.get(verdict))
