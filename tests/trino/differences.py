"""Every known difference between the local Athena and Trino, with its reason.

The list is strict: what is listed must differ, and what differs must be listed. ``docs/local-athena.md`` tells the
same under "Known differences", for whoever writes queries.
"""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """A cause, and the cases in which it shows.

    Attributes:
        reason: Why the local Athena does otherwise, or nothing.
        names: The names of the cases, by group.
        releases: The releases of Trino that differ.
    """

    reason: str
    names: dict[str, tuple[str, ...]]
    releases: tuple[str, ...] = ("411", "476")


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "Athena takes a semicolon at the end of a statement; Trino's clients take it off.",
        {"queries": ("SELECT * FROM (VALUES (1, 'a')) t(x, y);",)},
    ),
    Difference(
        "Trino takes concat of a text and NULL for one of arrays; here it is text. The value is NULL on both.",
        {"expressions": ("concat('a', NULL)",)},
    ),
)


GUARDED = {
    "476": "The two releases have different readers of Avro: what the older one refuses is refused here, by its names.",
}
"""Why the local Athena may refuse what a release of Trino answers, or refuse it by another name, in any case."""


def listed(release: str, group: str, name: str, *, refused: bool) -> str | None:
    """The reason for which a case may differ from a release of Trino; None when it must be equal.

    Args:
        release: The release.
        group: What the case belongs to.
        name: Its name there.
        refused: Whether the local Athena, which differs, refuses the case.
    """
    return _REASONS.get((release, group, name)) or (GUARDED.get(release) if refused else None)


_REASONS = {
    (release, group, name): difference.reason
    for difference in DIFFERENCES
    for release in difference.releases
    for group, names in difference.names.items()
    for name in names
}
