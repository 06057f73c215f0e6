"""Which partitions a sample looks into."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.jobs.file_schemas import chosen_dates


if TYPE_CHECKING:
    from random import Random


DATES = st.lists(st.dates(), max_size=60)


@given(DATES, st.integers(1, 80))
def test_a_sample_has_as_many_dates_as_it_may_each_once_oldest_first(dates: list[date], at_most: int) -> None:
    chosen = chosen_dates(dates, at_most)
    assert len(chosen) == min(at_most, len(set(dates)))
    assert list(chosen) == sorted(set(chosen))
    assert set(chosen) <= set(dates)


@given(DATES.filter(lambda dates: len(dates) > 0), st.integers(1, 80))
def test_the_newest_is_always_among_them_and_the_oldest_if_there_may_be_two(dates: list[date], at_most: int) -> None:
    chosen = chosen_dates(dates, at_most)
    assert chosen[-1] == max(dates)
    assert chosen[0] == (min(dates) if at_most > 1 else max(dates))


@given(st.integers(2, 300), st.integers(2, 80))
def test_the_others_are_evenly_spread(count: int, at_most: int) -> None:
    first = date(2020, 1, 1)
    chosen = chosen_dates([first + timedelta(days=day) for day in range(count)], at_most)
    gaps = {(later - earlier).days for earlier, later in pairwise(chosen)}
    assert max(gaps) - min(gaps) <= 1


@given(DATES, st.integers(1, 80), st.randoms())
def test_neither_order_nor_repetition_changes_the_choice(dates: list[date], at_most: int, random: Random) -> None:
    shuffled = [*dates, *dates]
    random.shuffle(shuffled)
    assert chosen_dates(shuffled, at_most) == chosen_dates(dates, at_most)


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one partition, found 0"):
        chosen_dates([date(2025, 6, 1)], 0)
