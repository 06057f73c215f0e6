"""How each state of a partition is called, what it means to an analyst, and in which order states are listed."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from dmd_pipeline.quality import State, state_of


if TYPE_CHECKING:
    from collections.abc import Mapping

    from dmd_pipeline.quality_documents import Entry


@dataclass(frozen=True)
class Look:
    """A state as the pages show it.

    Attributes:
        name: Its class in the style sheet, and the name of its symbol.
        title: Its name.
        meaning: What it means for who wants to use the data.
    """

    name: str
    title: str
    meaning: str


LOOKS: Final[Mapping[State, Look]] = MappingProxyType(
    {
        state: Look(state.value, title, meaning)
        for state, title, meaning in (
            (State.PASSED, "Passed", "All expectations hold: use it."),
            (State.WARNED, "Warned", "Usable, but something is unusual: look at what."),
            (State.FAILED, "Failed", "Do not use it before you know why it failed."),
            (State.UNKNOWN, "Unknown", "The check gave no verdict: do not rely on it."),
            (State.STALE, "Stale", "Changed after its verdict; a new check is due."),
            (State.UNCHECKED, "Unchecked", "Has data, and no verdict yet."),
            (State.UNREGISTERED, "Unregistered", "Has data that queries do not see yet."),
            (State.EMPTY, "Empty", "Queries find the date, and no data in it."),
        )
    }
)
ABSENT: Final = Look("none", "No partition", "There is no partition of this date.")
"""Neither seen nor judged: not a state of a partition, because there is none."""


def look_of(entry: Entry | None, suite: str | None) -> Look:
    """How a partition looks.

    Args:
        entry: What the summary says about it; None when it says nothing.
        suite: Digest of the table's suite; None when it cannot be read, so that it makes no verdict stale.
    """
    if entry is None or (entry.seen is None and entry.verdict is None):
        return ABSENT
    if suite is None:
        suite = entry.verdict.suite if entry.verdict else ""
    return LOOKS[state_of(entry, suite)]
