"""Runs each statement on both, and keeps the verdicts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import pytest

from tests.trino.differences import listed
from tests.trino.outcomes import difference, on_local, on_trino


if TYPE_CHECKING:
    from local.athena.queries import QueryRunner
    from local.trino import Trino

Verdict = Literal["equal", "listed", "different"]
VERDICTS: tuple[Verdict, ...] = ("equal", "listed", "different")


@dataclass
class Judge:
    """Holds the local Athena against Trino.

    Attributes:
        local: The local Athena's engine.
        trino: A Trino on the same catalog and objects.
        verdicts: What was found, by group and name of the case.
    """

    local: QueryRunner
    trino: Trino
    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)

    def compare(self, group: str, name: str, sql: str, database: str | None = None, tolerance: float = 0.0) -> None:
        """Run a statement on both; fail on a difference that is not listed, and on a listed one that is none.

        Args:
            group: What the case belongs to, in the table of counts.
            name: Its name there.
            sql: The statement.
            database: The database of names without one.
            tolerance: Relative difference that numbers may have.
        """
        found = difference(
            on_local(self.local, sql, database, datetime.now(UTC)), on_trino(self.trino, sql, database), tolerance
        )
        reason = listed(group, name)
        verdict: Verdict = "equal" if found is None else "different" if reason is None else "listed"
        self.verdicts[group, name] = "different" if found is None and reason is not None else verdict
        if found is None and reason is not None:
            pytest.fail(f"listed as a difference, and equal: take {name!r} off the list ({reason})\n{sql}")
        if verdict == "different":
            pytest.fail(f"the local Athena differs from Trino:\n{sql}\n{found}")

    def counts(self) -> dict[str, Counter[Verdict]]:
        """Counts of the verdicts by group, in the order in which the groups came."""
        counted: dict[str, Counter[Verdict]] = {}
        for (group, _), verdict in self.verdicts.items():
            counted.setdefault(group, Counter())[verdict] += 1
        return counted
