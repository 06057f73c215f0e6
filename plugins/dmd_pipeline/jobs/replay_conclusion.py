"""What a whole run over failed batches comes to: one line for people, and whether it ends well.

Made of what the parts of the run left behind: the report of securing, and one report a lane.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dmd_pipeline.errors import ReplayIncompleteError
from dmd_pipeline.jobs.lane_reports import PLACES, State
from dmd_pipeline.wording import some


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Conclusion:
    """What a run came to.

    Attributes:
        source: Where failed batches were claimed from.
        secured: The report of securing, as data.
        lanes: The reports of the lanes that were worked on, as data.
        dry_run: Whether nothing was to be changed.
    """

    source: str
    secured: Mapping[str, Any]
    lanes: Sequence[Mapping[str, Any]]
    dry_run: bool = False

    @property
    def partition_keys(self) -> dict[str, list[str]]:
        """Dates by table into which rows were written."""
        dates: dict[str, set[str]] = {}
        for lane in self.lanes:
            for table, days in lane["partition_keys"].items():
                dates.setdefault(table, set()).update(days)
        return {table: sorted(days) for table, days in sorted(dates.items())}

    @property
    def counts(self) -> dict[str, int]:
        """How many of what; of a dry run, what would be."""
        secured, found = self.secured["counts"], self._counted
        return {
            "waiting": secured["claimed"],
            "secured": secured["secured"],
            "secured_records": secured["records"],
            "converted": found[State.SETTLED] + found[State.PLANNED],
            "converted_records": found["records"],
            **{name: found[name] for name in (*PLACES, "indistinguishable")},
            "quarantined_messages": secured["quarantined"],
            "waiting_for_schema": found[State.WAITING_FOR_SCHEMA],
            "waiting_for_certainty": found[State.WAITING_FOR_CERTAINTY],
            "lost": secured["lost_records"],
            "capped": secured["capped"],
            "failed": secured["failed"] + len(self._failed),
        }

    @property
    def problems(self) -> list[str]:
        """Why the run ends failed, although everything else was done; empty when it ends well."""
        failed = [f"{name}: {why}" for name, why in sorted(self._failed.items())]
        return [*self.secured["problems"], *([f"FAILED: {some(failed)}"] if failed else [])]

    @property
    def schema_waits(self) -> dict[str, int]:
        """How many batches wait for a newer schema, by lane."""
        waits = {lane["lane"]: lane["counts"].get(State.WAITING_FOR_SCHEMA.value, 0) for lane in self.lanes}
        return {lane: count for lane, count in waits.items() if count}

    @property
    def summary(self) -> list[str]:
        """One line about the whole run, and one about each kind of problem."""
        return [self._line, *self.problems]

    def as_data(self) -> dict[str, Any]:
        """As JSON takes it; identifiers and counts only."""
        return {
            "summary": self.summary,
            "counts": self.counts,
            "partition_keys": self.partition_keys,
            "problems": self.problems,
        }

    def raise_problems(self) -> None:
        """End badly what did not go well.

        Raises:
            ReplayIncompleteError: Something was lost, failed, or was tried too often.
        """
        if self.problems:
            raise ReplayIncompleteError(self.problems)

    @property
    def _counted(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for lane in self.lanes:
            found.update(lane["counts"])
        return found

    @property
    def _failed(self) -> dict[str, str]:
        """Reason by batch, or by lane when nothing at all is known of it."""
        failed = {batch: why for lane in self.lanes for batch, why in lane["failed"].items()}
        silent = set(self.secured["lanes"]) - {lane["lane"] for lane in self.lanes}
        return failed | {f"lane {lane}": "its task failed, see its log" for lane in silent}

    @property
    def _line(self) -> str:
        counts = {name: f"{count:,}" for name, count in self.counts.items()}
        times = [
            f"{name} {self.secured[key]}"
            for name, key in (("oldest", "oldest"), ("nearest deadline", "nearest_deadline"))
            if self.secured[key] is not None
        ]
        alike = f" ({counts['indistinguishable']} could not be told apart)" if self.counts["indistinguishable"] else ""
        records = [f"{counts['written']} written", f"{counts['delivered']} already delivered{alike}"]
        records += [f"{counts['in_errors']} in errors/"] if self.counts["in_errors"] else []
        records += [f"{counts['quarantined']} quarantined", f"{counts['filtered']} filtered out"]
        when = f" ({', '.join(times)})" if times else ""
        busy = [str(lane["lane"]) for lane in self.lanes if lane["busy"] is not None]
        parts = [
            f"waiting {counts['waiting']}{when}",
            f"secured {counts['secured']} ({counts['secured_records']} records)",
            f"converted {counts['converted']} ({counts['converted_records']} records: {', '.join(records)})",
            *(
                [f"messages quarantined {counts['quarantined_messages']}"]
                if self.counts["quarantined_messages"]
                else []
            ),
            f"waiting for schema {counts['waiting_for_schema']}, for certainty {counts['waiting_for_certainty']}",
            f"lost {counts['lost']}, capped {counts['capped']}, failed {counts['failed']}",
            *([f"left to another run: {', '.join(busy)}"] if busy else []),
        ]
        return f"{'dry run: ' if self.dry_run else ''}{self.source}: {'; '.join(parts)}"
