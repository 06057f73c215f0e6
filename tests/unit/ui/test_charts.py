"""Where the lines, bars and ticks of charts lie."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.ui.charts import (
    CHART_HEIGHT,
    CHART_WIDTH,
    SPARK_HEIGHT,
    SPARK_WIDTH,
    Part,
    Point,
    bar_chart,
    line_chart,
    sparkline,
)
from dmd_pipeline.ui.formats import decimal


FIRST = date(2026, 1, 30)
VALUES = st.none() | st.floats(0, 1e12, allow_subnormal=False) | st.integers(0, 10**12)


def points(*values: float | None) -> list[Point]:
    return [Point(FIRST + timedelta(days=index), value) for index, value in enumerate(values)]


def bars(*totals: float) -> list[list[Part]]:
    return [[Part(total, "passed", "")] for total in totals]


def days(count: int) -> list[date]:
    return [FIRST + timedelta(days=index) for index in range(count)]


def places(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](\S+) (\S+)", path)]


def test_a_sparkline_rises_with_its_values_and_ends_at_the_last() -> None:
    line = sparkline(points(1, 2, 4))
    heights = [y for _, y in places(line.path)]
    assert heights == sorted(heights, reverse=True)
    assert line.last == places(line.path)[-1]
    assert line.label == "1 to 4 on 3 dates"


def test_a_line_has_a_gap_where_nothing_was_measured() -> None:
    line = sparkline(points(1, 2, None, 3, None, 2, 1))
    assert line.path.count("M") == 2
    assert len(line.dots) == 1, "a value between two gaps is a dot"


def test_a_line_says_that_the_last_value_was_not_measured() -> None:
    line = sparkline(points(1, 2, None))
    assert line.last is None


def test_a_line_without_values_says_so() -> None:
    assert sparkline(points(None, None)).label == "never measured"
    assert line_chart("", points(None), decimal).summary == "nothing was measured in these days"


@given(st.lists(VALUES, min_size=1, max_size=400))
def test_no_line_leaves_its_drawing(values: list[float | None]) -> None:
    spark = sparkline(points(*values))
    chart = line_chart("", points(*values), decimal)
    assert all(0 <= x <= SPARK_WIDTH and 0 <= y <= SPARK_HEIGHT for x, y in [*places(spark.path), *spark.dots])
    assert all(0 <= x <= CHART_WIDTH and 0 <= y <= CHART_HEIGHT for x, y in [*places(chart.path), *chart.dots])


@given(st.lists(st.floats(0, 1e12, allow_subnormal=False), min_size=1, max_size=400))
def test_bars_stand_on_the_axis_and_are_as_high_as_their_values(totals: list[float]) -> None:
    chart = bar_chart("", days(len(totals)), bars(*totals), decimal)
    top = max(totals)
    for bar, total in zip(chart.bars, totals, strict=True):
        assert abs(bar.y + bar.height - chart.bottom) < 0.11
        assert bar.y >= 0
        assert total < top or bar.height == max(one.height for one in chart.bars)


def test_the_upward_axis_has_round_numbers_beyond_the_largest_value() -> None:
    assert [tick.label for tick in bar_chart("", days(1), bars(42_000), decimal).upwards] == [
        "0", "20,000", "40,000", "60,000",
    ]  # fmt: skip


def test_what_is_counted_has_no_halves() -> None:
    assert [tick.label for tick in bar_chart("", days(1), bars(2), decimal, least=1).upwards] == ["0", "1", "2"]


def test_pieces_of_a_bar_are_stacked() -> None:
    low, high = bar_chart("", days(1), [[Part(1, "failed", ""), Part(2, "warned", "")]], decimal).bars
    assert high.y + high.height == low.y
    assert high.height == pytest.approx(2 * low.height, abs=0.2)


def test_a_year_is_marked_by_months_and_a_week_by_days() -> None:
    year = bar_chart("", days(365), [[]] * 365, decimal).across
    week = bar_chart("", days(7), [[]] * 7, decimal).across
    assert {tick.label.split()[0] for tick in year} == {"1"}
    assert [tick.label for tick in week][:3] == ["30 Jan", "31 Jan", "1 Feb"]


def test_marks_do_not_overlap() -> None:
    for count in (1, 7, 30, 90, 365, 1100):
        marks = [tick.at for tick in bar_chart("", days(count), [[]] * count, decimal).across]
        assert all(later - earlier > 40 for earlier, later in pairwise(marks)), count
