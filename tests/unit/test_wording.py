"""Many things in few words."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dmd_pipeline.wording import cut, date_runs, some


FIRST = date(2025, 6, 1)


def test_no_things_are_no_text() -> None:
    assert date_runs([]) == some([]) == ""


def test_neighbours_are_joined_whatever_their_order() -> None:
    assert date_runs([FIRST + timedelta(days=day) for day in (2, 0, 5, 1, 1)]) == "2025-06-01 to 2025-06-03; 2025-06-06"


def test_many_runs_are_cut_and_counted() -> None:
    text = date_runs([FIRST + timedelta(days=2 * day) for day in range(5)], at_most=2)
    assert text == "2025-06-01; 2025-06-03; and 3 more"


def test_things_are_all_named_when_they_are_few() -> None:
    assert some(["a", "b"], at_most=2) == "a; b"


@pytest.mark.parametrize(("text", "shown"), [("abc", "abc"), ("abcd", "ab…"), ("", "")])
def test_a_text_is_cut_visibly(text: str, shown: str) -> None:
    assert cut(text, 3) == shown
