"""Which dates a page shows, whatever stands in its address."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.ui.ranges import AHEAD_DAYS, MOST_DAYS, Range, RangeError, until_last_known


TODAY = date(2026, 3, 1)


def test_nothing_asked_for_is_the_last_ninety_days_and_some_to_come() -> None:
    usual = Range.asked(None, None, TODAY)
    assert (usual.start, usual.end) == (date(2025, 12, 2), TODAY + timedelta(days=AHEAD_DAYS))
    assert list(usual.years) == [2025, 2026]


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2026-02-01", "2026-02-03", 3),
        ("2026-02-27", "", 3),
        ("2026-03-05", None, 1),
        (None, "2026-02-01", 90),
    ],
)
def test_either_end_may_be_left_out(start: str | None, end: str | None, days: int) -> None:
    assert len(Range.asked(start, end, TODAY).days) == days


def test_as_many_days_as_can_be_shown_are_shown_and_no_more() -> None:
    first = TODAY - timedelta(days=MOST_DAYS - 1)
    assert len(Range.asked(first.isoformat(), TODAY.isoformat(), TODAY).days) == MOST_DAYS
    with pytest.raises(RangeError, match="1,101 days; at most 1,100"):
        Range.asked((first - timedelta(days=1)).isoformat(), TODAY.isoformat(), TODAY)


@given(st.text() | st.dates().map(str), st.text() | st.dates().map(str))
def test_whatever_is_asked_for_is_a_range_or_refused(start: str, end: str) -> None:
    with suppress(RangeError):
        asked = Range.asked(start, end, TODAY)
        assert asked.start <= asked.end
        assert 1 <= len(asked.days) <= MOST_DAYS


def test_a_range_that_nobody_chose_ends_where_something_is_known() -> None:
    usual = Range.asked(None, None, TODAY)
    assert until_last_known(usual, [], TODAY).end == TODAY
    assert until_last_known(usual, [TODAY - timedelta(days=5)], TODAY).end == TODAY
    assert until_last_known(usual, [TODAY + timedelta(days=5)], TODAY).end == TODAY + timedelta(days=5)
    assert until_last_known(usual, [TODAY + timedelta(days=500)], TODAY).end == usual.end


def test_a_range_that_somebody_chose_stays() -> None:
    chosen = Range.asked("2026-02-01", "2026-05-01", TODAY)
    assert until_last_known(chosen, [TODAY], TODAY) == chosen
