"""What is known of a partition otherwise than by its rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from dmd_pipeline.expectations import load_suite
from dmd_pipeline.quality_documents import Entry, Seen
from dmd_pipeline.quality_facts import facts_of, hours_since_newest_file, silent_dates, usual_rows
from tests.unit.test_quality_documents import seen, verdict


DAY = date(2026, 3, 1)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entries(*rows: int | None, word: str = "passed", first: int = 1) -> dict[date, Entry]:
    """Verdicts of the same weekday, week by week back from the day."""
    return {
        DAY - timedelta(weeks=weeks): Entry.model_validate({"verdict": verdict(verdict=word, rows=count)})
        for weeks, count in enumerate(rows, first)
    }


def seen_at(newest: datetime) -> Seen:
    return Seen.model_validate(seen(newest=newest.isoformat()))


class TestUsualRows:
    @pytest.mark.parametrize(
        ("rows", "usual"),
        [((100, 300, 200), 200), ((100, 200), None), ((50, 50, 50), 50), ((49, 49, 49), None), ((), None)],
    )
    def test_they_are_the_median_of_three_weeks_or_more_and_never_few(
        self, rows: tuple[int, ...], usual: float | None
    ) -> None:
        assert usual_rows(entries(*rows), DAY) == usual

    def test_they_are_of_the_last_eight_weeks(self) -> None:
        assert usual_rows(entries(100, 100, 100, first=6), DAY) == 100
        assert usual_rows(entries(100, 100, 100, first=7), DAY) is None

    def test_other_weekdays_and_the_day_itself_do_not_count(self) -> None:
        others = {DAY - timedelta(days=days): entry for days, entry in enumerate(entries(*[100] * 7).values())}
        assert usual_rows(others, DAY) is None

    @pytest.mark.parametrize(("word", "usual"), [("passed", 100), ("warned", 100), ("failed", None), ("unknown", None)])
    def test_what_failed_or_could_not_be_checked_is_no_measure(self, word: str, usual: float | None) -> None:
        assert usual_rows(entries(100, word=word) | entries(100, 100, first=2), DAY) == usual

    def test_a_verdict_without_rows_is_no_measure(self) -> None:
        assert usual_rows(entries(100, 100, None), DAY) is None


@pytest.mark.parametrize(
    ("day", "newest", "hours"),
    [
        (DAY, NOW - timedelta(hours=3), 3),
        (DAY, NOW + timedelta(hours=1), 0),
        (DAY, None, None),
        (DAY - timedelta(days=1), NOW - timedelta(hours=20), 8),
        (DAY - timedelta(days=1), NOW - timedelta(hours=1), 0),
        (DAY - timedelta(days=2), NOW - timedelta(hours=60), None),
        (DAY + timedelta(days=1), NOW, None),
    ],
)
def test_silence_lasts_until_now_or_until_the_end_of_the_day(
    day: date, newest: datetime | None, hours: float | None
) -> None:
    assert hours_since_newest_file(day, newest, NOW) == hours


class TestFactsOf:
    def test_rows_are_compared_once_the_day_is_over(self) -> None:
        history, held = entries(100, 100, 100), Seen.model_validate(seen())
        today = facts_of(history, DAY, held, rows=30, orphans=None, now=NOW)
        after = facts_of(history, DAY, held, rows=30, orphans=None, now=NOW + timedelta(days=1))
        assert today["share_of_usual_rows"] is None
        assert after["share_of_usual_rows"] == 0.3

    @pytest.mark.parametrize(("orphans", "rows", "percent"), [(1, 20, 5), (0, 20, 0), (None, 20, None), (0, 0, None)])
    def test_orphans_are_a_share_of_the_rows(self, orphans: int | None, rows: int, percent: float | None) -> None:
        facts = facts_of({}, DAY, Seen.model_validate(seen()), rows=rows, orphans=orphans, now=NOW)
        assert facts["orphaned_rows_percent"] == percent


class TestSilentDates:
    """The table demand expects a file within 12 hours."""

    LATE = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    SINCE = datetime(2026, 2, 27, 12, tzinfo=UTC)

    def silent(self, told: float | None, newest: datetime = SINCE, table: str = "demand") -> frozenset[date]:
        known = Entry.model_validate({"verdict": verdict(observed={"files_arrive": told})})
        return silent_dates({DAY: seen_at(newest)}, {DAY: known}, load_suite(table), self.LATE)

    @pytest.mark.parametrize("told", [None, 0.0, 12.0])
    def test_a_partition_that_fell_silent_since_its_verdict_is_found(self, told: float | None) -> None:
        assert self.silent(told) == {DAY}

    def test_one_whose_verdict_says_so_already_is_not(self) -> None:
        assert self.silent(12.01) == set()

    def test_one_with_files_that_are_new_enough_is_not(self) -> None:
        assert self.silent(None, self.LATE - timedelta(hours=12)) == set()
        assert self.silent(None, self.LATE - timedelta(hours=12, minutes=1)) == {DAY}

    def test_a_table_that_expects_no_files_is_never_silent(self) -> None:
        assert self.silent(None, table="sale") == set()

    def test_one_that_was_never_checked_or_is_gone_is_not(self) -> None:
        suite, known = load_suite("demand"), Entry.model_validate({"verdict": verdict()})
        assert silent_dates({DAY: seen_at(self.SINCE)}, {}, suite, self.LATE) == set()
        assert silent_dates({}, {DAY: known}, suite, self.LATE) == set()
        assert (
            silent_dates({DAY: seen_at(self.SINCE)}, {DAY: known}, replace(suite, expectations=()), self.LATE) == set()
        )
