"""Runs each statement on both, and keeps the verdicts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import pytest
from tabulate import tabulate

from tests.trino.differences import listed
from tests.trino.outcomes import difference, on_local, on_trino


if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.athena.queries import QueryRunner
    from local.trino import Trino

Verdict = Literal["equal", "listed", "different"]
Verdicts = dict[tuple[str, str, str], Verdict]
"""What was found, by release of Trino, group of cases, and name of the case."""

_KINDS: tuple[Verdict, ...] = ("equal", "listed", "different")


@dataclass(frozen=True)
class Judge:
    """Holds the local Athena against a Trino.

    Attributes:
        local: The local Athena's engine.
        trino: A Trino on the same catalog and objects.
        verdicts: Takes what is found.
    """

    local: QueryRunner
    trino: Trino
    verdicts: Verdicts

    def compare(self, group: str, name: str, sql: str, database: str | None = None, tolerance: float = 0.0) -> None:
        """Run a statement on both; fail on a difference that is not listed, and on a listed one that is none.

        Args:
            group: What the case belongs to, in the table of counts.
            name: Its name there.
            sql: The statement.
            database: The database of names without one.
            tolerance: Relative difference that numbers may have.
        """
        release = self.trino.release.version
        local = on_local(self.local, sql, database, datetime.now(UTC))
        found = difference(local, on_trino(self.trino, sql, database), tolerance)
        reason = listed(release, group, name, refused=found is not None and local.error is not None)
        as_listed = (found is None) == (reason is None)
        self.verdicts[release, group, name] = "different" if not as_listed else "equal" if found is None else "listed"
        if found is None and reason is not None:
            pytest.fail(f"listed as a difference, and equal: take {name!r} off the list ({reason})\n{sql}")
        if found is not None and reason is None:
            pytest.fail(f"the local Athena differs from Trino {release}:\n{sql}\n{found}")


def counts(verdicts: Verdicts) -> dict[tuple[str, str], tuple[int, ...]]:
    """How many cases are equal, listed and different, by release and group, in the order in which they came."""
    counted: dict[tuple[str, str], Counter[Verdict]] = {}
    for (release, group, _), verdict in verdicts.items():
        counted.setdefault((release, group), Counter())[verdict] += 1
    return {
        key: tuple(found[kind] for kind in _KINDS) for key, found in sorted(counted.items(), key=lambda one: one[0][0])
    }


def table(counted: Mapping[tuple[str, str], tuple[int, ...]], form: str = "simple") -> str:
    """Counts as a table, with their sums.

    Args:
        counted: As ``counts`` gives them.
        form: One of tabulate's formats.
    """
    rows = [[*key, *found, sum(found)] for key, found in counted.items()]
    totals = [sum(column) for column in list(zip(*rows, strict=True))[2:]]
    headers = ["Trino", "cases", *_KINDS, "in all"]
    return tabulate([*rows, ["", "in all", *totals]], headers, tablefmt=form, intfmt=",")
