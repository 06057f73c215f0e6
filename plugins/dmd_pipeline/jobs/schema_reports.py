"""What comes of a run of ``apply_schema_changes``: an outcome a table, the lines for people, the data for tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dmd_pipeline.errors import CatalogError, PartitionsFailedError, SchemaRefusedError
from dmd_pipeline.layout import PARTITION_KEY, partition_date_of
from dmd_pipeline.table_plans import Verdict
from dmd_pipeline.wording import some


if TYPE_CHECKING:
    from dmd_pipeline.jobs.table_change import Changed
    from dmd_pipeline.table_plans import TablePlan


Outcome = Literal[
    "in sync",
    "planned",
    "created",
    "created by another run",
    "repaired",
    "changed",
    "left as it is",
    "not approved",
    "recreated",
    "rolled back",
    "refused",
    "failed",
]


@dataclass(frozen=True)
class TableReport:
    """What came of one table.

    Attributes:
        table: Its name.
        outcome: In a word or two.
        plan: What was to be done; None when it could not even be made.
        changed: What was done to its partitions.
        error: Why it failed or was refused.
        proof: What was proved by what, and where the backup is.
    """

    table: str
    outcome: Outcome
    plan: TablePlan | None = None
    changed: Changed | None = None
    error: str | None = None
    proof: str | None = None

    @property
    def partition_keys(self) -> list[str]:
        """Dates whose definition changed: what readers of the table's asset wait for."""
        completed = () if self.changed is None else self.changed.completed
        return sorted(value for value in completed if partition_date_of(f"{PARTITION_KEY}={value}/") is not None)

    @property
    def summary(self) -> str:
        """One line for people."""
        line = f"{self.table}: {self.outcome}"
        if self.outcome == "planned" and self.plan is not None:
            return f"{self.table}: planned: {self.plan.summary.removeprefix(f'{self.table}: ')}"
        if self.changed is not None:
            line += f", {len(self.changed.completed):,} partitions written"
            if self.changed.failed:
                line += f", FAILED: {some([f'{value}: {why}' for value, why in sorted(self.changed.failed.items())])}"
        if self.plan is not None and self.plan.details:
            line += f" ({'; '.join(self.plan.details)})"
        if self.proof is not None:
            line += f"; {self.proof}"
        if self.error is not None:
            line += f": {self.error}"
        return line


@dataclass(frozen=True)
class Report:
    """What came of a run.

    Attributes:
        tables: One entry a table.
        unknown: Tables of the database that no schema of include/schemas stands for: they are left.
        dry_run: Whether only plans were made.
    """

    tables: tuple[TableReport, ...]
    unknown: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """In a word or two, by table."""
        return {table.table: table.outcome for table in self.tables}

    @property
    def summary(self) -> list[str]:
        """One line a table, for people."""
        lines = [table.summary for table in self.tables]
        if self.unknown:
            lines.append(f"no schema in include/schemas, left alone: {some(self.unknown)}")
        return lines

    @property
    def partition_keys(self) -> dict[str, list[str]]:
        """Dates by table whose definition changed; tables without any are left out."""
        return {table.table: keys for table in self.tables if (keys := table.partition_keys)}

    @property
    def plans(self) -> str:
        """Every plan that is not empty, as people read it."""
        return "\n\n".join(str(table.plan) for table in self.tables if table.plan is not None)

    def as_data(self) -> dict[str, Any]:
        """Summary, outcomes, partition keys and plans, as JSON takes them."""
        return {
            "summary": self.summary,
            "outcomes": self.outcomes,
            "partition_keys": self.partition_keys,
            "plan": self.plans,
            "newer": {table.table: list(table.plan.newer) for table in self.tables if table.plan and table.plan.newer},
            "asking": {
                table.table: {"digest": table.plan.digest, "plan": table.plan.as_markdown}
                for table in self.tables
                if table.plan is not None and table.plan.verdict is Verdict.BREAKING
            },
            "to_do": [table.table for table in self.tables if table.plan is None or not table.plan.is_empty],
        }

    def raise_failures(self) -> None:
        """Raise what went wrong, if anything did.

        Raises:
            SchemaRefusedError: Some schemas cannot be applied.
            PartitionsFailedError: Some partitions could not be written.
            CatalogError: Glue refused.
        """
        partitions = {
            f"{table.table}/{PARTITION_KEY}={value}": why
            for table in self.tables
            if table.changed is not None
            for value, why in table.changed.failed.items()
        }
        errors = {
            table.table: table.error for table in self.tables if table.outcome in ("failed", "refused") and table.error
        }
        if partitions:
            raise PartitionsFailedError(partitions | errors)
        if not errors:
            return
        refused = all(table.outcome == "refused" for table in self.tables if table.table in errors)
        kind = SchemaRefusedError if refused else CatalogError
        raise kind("; ".join(f"table {table}: {why}" for table, why in sorted(errors.items())))
