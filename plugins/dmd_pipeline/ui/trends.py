"""One table over time: its rows, what did not hold, what is missing or double, and what checking costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dmd_pipeline.ui import formats
from dmd_pipeline.ui.calendar import AsOf, as_of
from dmd_pipeline.ui.charts import Chart, Part, Point, bar_chart, line_chart
from dmd_pipeline.ui.ranges import Range, until_last_known
from dmd_pipeline.ui.states import ABSENT, Look, look_of


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from dmd_pipeline.expectations import Suite
    from dmd_pipeline.quality_documents import Entry, Verdict
    from dmd_pipeline.ui.documents import TableYears

_NULLS: Final = "expect_column_values_to_not_be_null"
_DUPLICATES: Final = "expect_compound_columns_to_be_unique"
_MONEY: Final = ((1, "dollars"), (1_000, "thousandths of a dollar"), (1_000_000, "millionths of a dollar"))


@dataclass(frozen=True)
class Day:
    """One line of the table of numbers.

    Attributes:
        shares: Percent of rows of each expectation that is drawn, in their order.
    """

    day: date
    look: Look
    rows: str
    failed: int | None
    warned: int | None
    shares: tuple[str, ...]
    files: str
    size: str
    scanned: str
    dollars: str
    seconds: str


@dataclass(frozen=True)
class Trends:
    """The whole page.

    Attributes:
        columns: What :attr:`Day.shares` are about.
        days: Those with a partition, the latest first.
        total: What all checks of these days cost together.
    """

    table: str
    shown: Range
    charts: tuple[Chart, ...]
    columns: tuple[str, ...]
    days: tuple[Day, ...]
    total: str
    as_of: AsOf


def trends(table: str, known: TableYears, suite: Suite | None, asked: Range, today: date, now: datetime) -> Trends:
    """Make the page.

    Args:
        table: The table.
        known: What is known of it in the years of the range.
        suite: Its expectations, which tell what is drawn; None when they cannot be read.
        asked: What to show; cut behind the last date with an entry when nobody chose it.
        today: The date at this moment.
        now: What the age of the last look is told by.
    """
    shown = until_last_known(asked, known.entries, today)
    entries = [(day, known.entries.get(day)) for day in shown.days]
    digest = suite.digest if suite else None
    looks = {day: look_of(entry, digest) for day, entry in entries}
    drawn = _drawn(suite)
    verdicts = [(day, entry.verdict if entry else None) for day, entry in entries]
    charts = (
        bar_chart("Rows a day", shown.days, [_rows(day, one, looks[day]) for day, one in verdicts], formats.decimal),
        bar_chart(
            "Expectations that do not hold",
            shown.days,
            [_broken(day, one) for day, one in verdicts],
            formats.decimal,
            least=1,
        ),
        _cost_chart(shown.days, [verdict for _, verdict in verdicts]),
        *(
            line_chart(
                title,
                [Point(day, one.observed.get(expectation) if one else None) for day, one in verdicts],
                lambda value: f"{formats.decimal(value)} %",
            )
            for expectation, title in drawn.items()
        ),
    )
    spent = sum(verdict.cost.dollars for _, verdict in verdicts if verdict)
    checked = sum(verdict is not None for _, verdict in verdicts)
    return Trends(
        table,
        shown,
        charts,
        tuple(drawn),
        tuple(
            _day(day, entry, looks[day], tuple(drawn)) for day, entry in reversed(entries) if looks[day] is not ABSENT
        ),
        f"The last checks of these {checked:,} dates cost {formats.dollars(spent)} together.",
        as_of({table: known}, now),
    )


def _drawn(suite: Suite | None) -> dict[str, str]:
    """The expectations that are drawn, with the titles of their charts: duplicates first, then what may be missing."""
    expectations = suite.expectations if suite else ()
    return {
        **{one.id: f"Duplicates: {one.id} (% of rows)" for one in expectations if one.type == _DUPLICATES},
        **{
            one.id: f"Missing: {one.kwargs.get('column', one.id)} (% of rows)"
            for one in expectations
            if one.type == _NULLS
        },
    }


def _rows(day: date, verdict: Verdict | None, look: Look) -> list[Part]:
    if verdict is None or verdict.rows is None:
        return []
    return [
        Part(verdict.rows, look.name, f"{formats.day(day)}: {formats.whole(verdict.rows)} rows, {look.title.lower()}")
    ]


def _broken(day: date, verdict: Verdict | None) -> list[Part]:
    if verdict is None:
        return []
    return [
        Part(len(ids), style, f"{formats.day(day)}: {style}: {', '.join(ids)}")
        for style, ids in (("failed", verdict.failed), ("warned", verdict.warned))
    ]


def _cost_chart(days: Sequence[date], verdicts: Sequence[Verdict | None]) -> Chart:
    """Checks cost so little that plain dollars would be all zeros: the unit is chosen by the dearest."""
    dearest = max((verdict.cost.dollars for verdict in verdicts if verdict), default=0.0)
    factor, unit = next((choice for choice in _MONEY if dearest * choice[0] >= 1), _MONEY[-1])
    bars = [
        [Part(verdict.cost.dollars * factor, "cost", _cost_label(day, verdict))] if verdict else []
        for day, verdict in zip(days, verdicts, strict=True)
    ]
    return bar_chart(f"Cost of the check ({unit})", days, bars, formats.decimal)


def _cost_label(day: date, verdict: Verdict) -> str:
    cost = verdict.cost
    return f"{formats.day(day)}: {formats.dollars(cost.dollars)}, {formats.size(cost.scanned_bytes)} scanned"


def _day(day: date, entry: Entry | None, look: Look, drawn: tuple[str, ...]) -> Day:
    verdict = entry.verdict if entry else None
    seen = entry.seen if entry else None
    cost = verdict.cost if verdict else None
    return Day(
        day,
        look,
        formats.whole(verdict.rows if verdict else None),
        len(verdict.failed) if verdict else None,
        len(verdict.warned) if verdict else None,
        tuple(_shares(verdict, drawn)),
        formats.whole(seen.files if seen else None),
        formats.size(seen.bytes if seen else None),
        formats.size(cost.scanned_bytes if cost else None),
        formats.dollars(cost.dollars if cost else None),
        formats.seconds(cost.seconds if cost else None),
    )


def _shares(verdict: Verdict | None, drawn: tuple[str, ...]) -> Iterator[str]:
    for expectation in drawn:
        yield formats.decimal(verdict.observed.get(expectation) if verdict else None)
