"""Dates as people read them."""

from __future__ import annotations

from datetime import date, timedelta

from dmd_pipeline.date_runs import date_runs


def test_no_dates_are_no_text() -> None:
    assert date_runs([]) == ""


def test_neighbours_are_joined_whatever_their_order() -> None:
    first = date(2025, 6, 1)
    assert date_runs([first + timedelta(days=day) for day in (2, 0, 5, 1, 1)]) == "2025-06-01 to 2025-06-03, 2025-06-06"


def test_many_runs_are_cut_and_counted() -> None:
    first = date(2025, 6, 1)
    text = date_runs([first + timedelta(days=2 * day) for day in range(5)], at_most=2)
    assert text == "2025-06-01, 2025-06-03, and 3 more"
