"""Many things in few words: what plans, reports and errors say to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dmd_pipeline.parameters import consecutive


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date


def some(things: Sequence[object], *, at_most: int = 10) -> str:
    """The first of many things; the rest are only counted.

    >>> some(["a", "b", "c"], at_most=2)
    'a; b; and 1 more'
    """
    shown = [str(thing) for thing in things[:at_most]]
    hidden = len(things) - len(shown)
    return "; ".join([*shown, *([f"and {hidden:,} more"] if hidden else [])])


def date_runs(dates: Iterable[date], *, at_most: int = 12) -> str:
    """Sorted dates with consecutive ones joined; runs beyond ``at_most`` are only counted.

    >>> from datetime import date
    >>> date_runs([date(2025, 6, 1), date(2025, 6, 2), date(2025, 6, 3), date(2025, 7, 1)])
    '2025-06-01 to 2025-06-03; 2025-07-01'
    """
    runs = (str(first) if first == last else f"{first} to {last}" for first, last in consecutive(dates))
    return some(list(runs), at_most=at_most)


def cut(text: str, length: int) -> str:
    """A text of at most so many characters, with an ellipsis where it was cut."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
