"""One partition: its verdict, and everything that the verdict rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from dmd_pipeline.quality import State
from dmd_pipeline.quality_documents import BrokenDocumentError
from dmd_pipeline.ui import formats
from dmd_pipeline.ui.calendar import violated
from dmd_pipeline.ui.charts import Point, Sparkline, sparkline
from dmd_pipeline.ui.states import ABSENT, LOOKS, Look, look_of


if TYPE_CHECKING:
    from collections.abc import Iterator

    from dmd_pipeline.expectations import Suite
    from dmd_pipeline.quality_documents import Entry, Finding, Result, Seen, Verdict
    from dmd_pipeline.ui.documents import TableYears

HISTORY_DAYS: Final = 60
"""So many dates before the partition's own are drawn."""


@dataclass(frozen=True)
class Fact:
    """Something worth knowing: its name, what it is, and a remark."""

    name: str
    value: str
    remark: str = ""


@dataclass(frozen=True)
class Row:
    """One expectation.

    Attributes:
        look: How it ended; an expectation that was not measured has passed and says so.
        counted: How many rows are meant, ``""`` when the expectation is not about single rows.
    """

    look: Look
    outcome: Finding
    observed: str
    counted: str
    history: Sparkline


@dataclass(frozen=True)
class Partition:
    """The whole page.

    Attributes:
        lead: What the verdict means, in a sentence.
        remarks: Why it is not what it could be: what changed since, why nothing is known.
        has_docs: Whether there should be Data Docs.
        run_id: The run that gave the verdict, None when there is none.
    """

    table: str
    day: date
    title: str
    look: Look
    lead: str
    remarks: tuple[str, ...]
    facts: tuple[Fact, ...]
    rows: tuple[Row, ...]
    has_docs: bool
    run_id: str | None
    earlier: date | None
    later: date | None
    problems: tuple[str, ...]


def partition(
    table: str,
    day: date,
    known: TableYears,
    suite: Suite | None,
    result: Result | BrokenDocumentError | None,
    now: datetime,
) -> Partition:
    """Make the page.

    Args:
        table: Its table.
        day: Its date.
        known: What the summaries say of the table, at least for the dates of the history.
        suite: The table's expectations as they are now; None when they cannot be read.
        result: The result document of the verdict; None when there is none.
        now: What ages are told by.
    """
    entry = known.entries.get(day)
    look = look_of(entry, suite.digest if suite else None)
    verdict = entry.verdict if entry else None
    problems = list(known.problems)
    if isinstance(result, BrokenDocumentError):
        problems.append(str(result))
        result = None
    elif result is None and verdict is not None:
        problems.append("The result document of this verdict is missing: what it rests on cannot be shown.")
    if result is None and verdict is not None and (named := violated(verdict.failed, verdict.warned)):
        problems.append(f"The summary names these expectations: {named}")
    rows = tuple(sorted(_rows(result, known, day), key=lambda row: _ORDER[row.look.name])) if result else ()
    return Partition(
        table,
        day,
        formats.day(day),
        look,
        _lead(look, result),
        tuple(_remarks(look, entry, suite)),
        tuple(_facts(entry, now)),
        rows,
        has_docs=verdict is not None and verdict.engine != "none",
        run_id=verdict.run_id if verdict else None,
        earlier=day - timedelta(days=1) if day > date.min else None,
        later=day + timedelta(days=1) if day < date.max else None,
        problems=tuple(problems),
    )


_NOT_MEASURED: Final = Look("empty", "Not measured", "There was nothing to measure it by.")
_ORDER: Final = {"failed": 0, "warned": 1, "empty": 2, "passed": 3}


def _rows(result: Result, known: TableYears, day: date) -> Iterator[Row]:
    for outcome in result.expectations:
        yield Row(
            _outcome_look(outcome),
            outcome,
            _observed(outcome),
            _counted(outcome),
            sparkline(list(history(known, day, outcome.id))),
        )


def _outcome_look(outcome: Finding) -> Look:
    if outcome.passed:
        return LOOKS[State.PASSED] if outcome.observed is not None else _NOT_MEASURED
    return LOOKS[State.FAILED if outcome.severity == "fail" else State.WARNED]


def _observed(outcome: Finding) -> str:
    if outcome.observed is None:
        return "not measured"
    return f"{formats.decimal(outcome.observed)}{' %' if outcome.unexpected_count is not None else ''}"


def _counted(outcome: Finding) -> str:
    if outcome.unexpected_count is None or outcome.element_count is None:
        return ""
    return f"{formats.whole(outcome.unexpected_count)} of {formats.whole(outcome.element_count)} rows"


def history_start(day: date) -> date:
    """First date whose values are drawn on the page of a date."""
    return date.fromordinal(max(day.toordinal() - HISTORY_DAYS, 1))


def history(known: TableYears, day: date, expectation: str) -> Iterator[Point]:
    """What was observed on the dates up to one, oldest first; dates without a partition are left out."""
    for number in range(history_start(day).toordinal(), day.toordinal() + 1):
        at = date.fromordinal(number)
        entry = known.entries.get(at)
        verdict = entry.verdict if entry else None
        if verdict is not None or at == day:
            yield Point(at, verdict.observed.get(expectation) if verdict else None)


def _lead(look: Look, result: Result | None) -> str:
    if result is None or look.name not in {"passed", "warned", "failed"}:
        return look.meaning
    broken = sum(not outcome.passed for outcome in result.expectations)
    total = len(result.expectations)
    if not broken:
        return f"All {total} expectations hold: use it."
    what = f"{broken} of {total} expectations {'does' if broken == 1 else 'do'} not hold"
    return f"{what}: {look.meaning[0].lower()}{look.meaning[1:]}"


def _remarks(look: Look, entry: Entry | None, suite: Suite | None) -> Iterator[str]:
    verdict = entry.verdict if entry else None
    seen = entry.seen if entry else None
    if verdict is not None and verdict.reason:
        yield f"Why nothing is known: {verdict.reason}"
    if look.name == "stale" and verdict is not None:
        given = formats.moment(verdict.checked_at)
        yield f"The last verdict was “{verdict.verdict}”, of {given}. What follows is that one."
        if suite is not None and verdict.suite != suite.digest:
            yield "The expectations changed since."
        if seen is not None and verdict.content != seen.content:
            yield (
                f"The data changed since: there are {formats.whole(seen.files)} files with {formats.size(seen.bytes)} "
                f"now, the newest of {formats.moment(seen.newest)}."
            )
    if look is not ABSENT and seen is not None and not seen.registered and look.name != "unregistered":
        yield "The partition is not registered: queries do not see it."


def _facts(entry: Entry | None, now: datetime) -> Iterator[Fact]:
    verdict = entry.verdict if entry else None
    seen = entry.seen if entry else None
    if verdict is not None:
        yield Fact("Rows", formats.whole(verdict.rows))
    if seen is not None:
        yield from _seen_facts(seen)
    if verdict is not None:
        yield from _verdict_facts(verdict, now)


def _seen_facts(seen: Seen) -> Iterator[Fact]:
    yield Fact("Files", formats.whole(seen.files), formats.size(seen.bytes))
    yield Fact("Newest file", formats.moment(seen.newest))


def _verdict_facts(verdict: Verdict, now: datetime) -> Iterator[Fact]:
    yield Fact("Checked", formats.moment(verdict.checked_at), formats.ago(verdict.checked_at, now))
    engines = {"memory": "in memory, from its files", "athena": "by Athena", "none": "not at all"}
    yield Fact("Checked how", engines.get(verdict.engine, verdict.engine))
    cost = verdict.cost
    shared = f", shared by {cost.shared_by} partitions" if cost.shared_by > 1 else ""
    queries = f"{cost.queries} {'query' if cost.queries == 1 else 'queries'}{shared}"
    yield Fact(
        "Cost",
        formats.dollars(cost.dollars),
        f"{queries}, {formats.size(cost.scanned_bytes)} scanned, {formats.seconds(cost.seconds)}",
    )
