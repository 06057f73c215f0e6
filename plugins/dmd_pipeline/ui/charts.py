"""Where the lines, bars and ticks of the small charts lie; the templates only write them down as SVG.

Everything is in pixels of a drawing whose size is fixed, from the upper left corner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dmd_pipeline.ui.formats import decimal


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

SPARK_WIDTH: Final = 150
SPARK_HEIGHT: Final = 34
_SPARK_MARGIN: Final = 4.0

CHART_WIDTH: Final = 520
CHART_HEIGHT: Final = 168
_LEFT: Final = 52.0
_RIGHT: Final = 10.0
_TOP: Final = 10.0
_BOTTOM: Final = 24.0
_GAP: Final = 0.15
"""Share of a day's room that stays free between two bars."""
_TICKS: Final = 4
_LABEL_WIDTH: Final = 58.0
"""Room for a date below the chart."""


@dataclass(frozen=True)
class Point:
    """A measured value of one date; ``value`` is None when it was not measured."""

    day: date
    value: float | None


@dataclass(frozen=True)
class Sparkline:
    """A line without axes: how a value came to where it is.

    Attributes:
        path: The line, with gaps where nothing was measured.
        dots: Places of values whose neighbours were not measured: a line alone would not show them.
        last: Place of the value that the page is about, None when it was not measured.
        label: The same in words.
    """

    path: str
    dots: tuple[tuple[float, float], ...]
    last: tuple[float, float] | None
    label: str


@dataclass(frozen=True)
class Bar:
    """One rectangle.

    Attributes:
        style: Name of its class in the style sheet.
        label: What it stands for, in words.
    """

    x: float
    y: float
    width: float
    height: float
    style: str
    label: str


@dataclass(frozen=True)
class Tick:
    """A mark at an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Chart:
    """Bars or a line over dates, between two axes.

    Attributes:
        title: What is shown, with its unit.
        summary: The same in words: the range of the values.
        path: The line, ``""`` when there are bars.
    """

    title: str
    summary: str
    bars: tuple[Bar, ...]
    path: str
    dots: tuple[tuple[float, float], ...]
    across: tuple[Tick, ...]
    upwards: tuple[Tick, ...]
    left: float = _LEFT
    right: float = CHART_WIDTH - _RIGHT
    bottom: float = CHART_HEIGHT - _BOTTOM


@dataclass(frozen=True)
class Part:
    """One piece of a date's bar; pieces of a date are stacked."""

    value: float
    style: str
    label: str


def sparkline(points: Sequence[Point]) -> Sparkline:
    """The line of some dates; the last of them is the one that the page is about."""
    measured = [point.value for point in points if point.value is not None]
    if not measured:
        return Sparkline("", (), None, "never measured")
    least, most = min(measured), max(measured)
    step = (SPARK_WIDTH - 2 * _SPARK_MARGIN) / max(len(points) - 1, 1)
    height = SPARK_HEIGHT - 2 * _SPARK_MARGIN

    def place(index: int, value: float) -> tuple[float, float]:
        share = 0.5 if most == least else (value - least) / (most - least)
        return _pixel(_SPARK_MARGIN + index * step), _pixel(_SPARK_MARGIN + (1 - share) * height)

    places = [None if point.value is None else place(index, point.value) for index, point in enumerate(points)]
    path, dots = _line(places)
    extent = decimal(least) if least == most else f"{decimal(least)} to {decimal(most)}"
    return Sparkline(path, dots, places[-1], f"{extent} on {_dates(len(measured))}")


def bar_chart(
    title: str,
    days: Sequence[date],
    bars: Sequence[Sequence[Part]],
    unit: Callable[[float], str],
    *,
    least: float = 0.0,
) -> Chart:
    """Bars over dates.

    Args:
        title: Of the chart.
        days: Without gaps, oldest first.
        bars: The pieces of each date's bar, from the ground upwards; none for a date without a value.
        unit: Writes a value of the upward axis.
        least: The upward axis has no finer step: 1 for what is counted.
    """
    totals = [sum(part.value for part in parts) for parts in bars]
    ticks = _nice_ticks(max(totals, default=0.0), least)
    top = ticks[-1]
    room = (CHART_WIDTH - _LEFT - _RIGHT) / max(len(days), 1)

    def drawn() -> Iterator[Bar]:
        for index, parts in enumerate(bars):
            ground = 0.0
            for part in parts:
                low, high = _upwards(ground, top), _upwards(ground + part.value, top)
                x = _LEFT + (index + _GAP / 2) * room
                yield Bar(
                    _pixel(x), _pixel(high), _pixel(room * (1 - _GAP)), _pixel(low - high), part.style, part.label
                )
                ground += part.value

    filled = [total for total, parts in zip(totals, bars, strict=True) if parts]
    return Chart(
        title,
        _summary(filled, unit),
        tuple(drawn()),
        "",
        (),
        _date_ticks(days, room),
        tuple(Tick(_pixel(_upwards(tick, top)), unit(tick)) for tick in ticks),
    )


def line_chart(title: str, points: Sequence[Point], unit: Callable[[float], str]) -> Chart:
    """A line over dates, oldest first, without gaps between them; gaps in the line are values not measured."""
    measured = [point.value for point in points if point.value is not None]
    ticks = _nice_ticks(max(measured, default=0.0))
    room = (CHART_WIDTH - _LEFT - _RIGHT) / max(len(points), 1)
    path, dots = _line(
        [
            None
            if point.value is None
            else (_pixel(_LEFT + (index + 0.5) * room), _pixel(_upwards(point.value, ticks[-1])))
            for index, point in enumerate(points)
        ]
    )
    return Chart(
        title,
        _summary(measured, unit),
        (),
        path,
        dots,
        _date_ticks([point.day for point in points], room),
        tuple(Tick(_pixel(_upwards(tick, ticks[-1])), unit(tick)) for tick in ticks),
    )


def _summary(measured: Sequence[float], unit: Callable[[float], str]) -> str:
    if not measured:
        return "nothing was measured in these days"
    return f"{unit(min(measured))} to {unit(max(measured))} on {_dates(len(measured))}"


def _dates(count: int) -> str:
    return "1 date" if count == 1 else f"{count} dates"


def _line(places: Sequence[tuple[float, float] | None]) -> tuple[str, tuple[tuple[float, float], ...]]:
    """A path through the places, with a gap at each None, and the places that stand alone."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for place in places:
        if place is None:
            pieces.append([])
        else:
            pieces[-1].append(place)
    path = " ".join(
        " ".join(f"{'L' if index else 'M'}{x:g} {y:g}" for index, (x, y) in enumerate(piece))
        for piece in pieces
        if len(piece) > 1
    )
    return path, tuple(piece[0] for piece in pieces if len(piece) == 1)


def _upwards(value: float, top: float) -> float:
    ground = CHART_HEIGHT - _BOTTOM
    return ground - max(value, 0.0) / top * (ground - _TOP)


def _nice_ticks(most: float, least: float = 0.0) -> list[float]:
    """Round numbers from zero to at least the largest value, not closer to each other than ``least``."""
    if most <= 0 or not math.isfinite(most):
        return [0.0, 1.0]
    raw = most / _TICKS
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= raw * (1 - 1e-9))
    step = max(step, least)
    return [step * index for index in range(math.ceil(most / step - 1e-9) + 1)]


def _date_ticks(days: Sequence[date], room: float) -> tuple[Tick, ...]:
    """Firsts of months where they fit, otherwise every so many days."""
    if not days:
        return ()
    firsts = [index for index, day in enumerate(days) if day.day == 1]
    every = max(1, math.ceil(_LABEL_WIDTH / room))
    chosen: list[int] = []
    for index in firsts if len(firsts) > 1 else range(0, len(days), every):
        place = (index + 0.5) * room
        fits = place + _LABEL_WIDTH / 2 <= len(days) * room + _RIGHT
        if fits and (not chosen or index - chosen[-1] >= every):
            chosen.append(index)
    return tuple(Tick(_pixel(_LEFT + (index + 0.5) * room), f"{days[index].day} {days[index]:%b}") for index in chosen)


def _pixel(value: float) -> float:
    return round(value, 1)
