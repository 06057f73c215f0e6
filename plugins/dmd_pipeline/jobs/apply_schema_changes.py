"""Create what include/schemas asks for and Glue lacks: the database and the tables.

Existing tables are not touched. Calls: 1 GetDatabase + 1 GetTable a table; 1 CreateDatabase or CreateTable for what is
missing, and 1 GetTable for each table created, to look again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tabulate import tabulate

from dmd_pipeline import hive
from dmd_pipeline.errors import CatalogError, PipelineError, TableNotFoundError
from dmd_pipeline.parameters import chosen_tables


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_glue.type_defs import TableInputTypeDef

    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.record_types import RecordType
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

_DATABASE_DESCRIPTION = "Demand capture pipeline: one table a record type, one partition a business date."

Outcome = Literal["exists", "to create", "created", "created by another run", "failed"]


@dataclass(frozen=True)
class CatalogPlan:
    """What is to be created; prints as a table.

    Attributes:
        database: Its name.
        create_database: Whether it is missing.
        create: Tables that are missing, by name.
        exists: Tables that are there; they are left as they are.
    """

    database: str
    create_database: bool
    create: Mapping[str, TableInputTypeDef]
    exists: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is missing."""
        return not self.create_database and not self.create

    def __str__(self) -> str:
        rows = [("database", self.database, "create" if self.create_database else "exists")]
        rows += [("table", table, "exists" if table in self.exists else "create") for table in self.tables]
        return tabulate(rows, headers=("", "name", "plan"), tablefmt="simple")

    @property
    def tables(self) -> list[str]:
        """Every table of the run."""
        return sorted([*self.create, *self.exists])


@dataclass(frozen=True)
class Report:
    """What came of a run.

    Attributes:
        plan: What was to be done.
        outcomes: What became of each table.
        failures: Reason by table.
        dry_run: Whether only the plan was made.
    """

    plan: CatalogPlan
    outcomes: Mapping[str, Outcome]
    failures: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False

    @property
    def summary(self) -> list[str]:
        """One line a table, for people."""
        prefix = "dry run: " if self.dry_run else ""
        return [
            f"{prefix}{table}: {outcome}{f': {self.failures[table]}' if table in self.failures else ''}"
            for table, outcome in self.outcomes.items()
        ]

    def as_data(self) -> dict[str, Any]:
        """Summary, outcomes and plan, as JSON takes them."""
        return {"summary": self.summary, "outcomes": dict(self.outcomes), "plan": str(self.plan)}


def run(
    settings: Settings,
    record_types: Mapping[str, RecordType],
    glue: Catalog,
    *,
    tables: Sequence[str] | None = None,
    dry_run: bool = False,
    report_to: Callable[[Report], None] | None = None,
) -> Report:
    """Plan, apply, verify and report; one table that fails does not stop the others.

    Args:
        settings: Of the environment.
        record_types: What tables there are, and their schemas.
        glue: The catalog.
        tables: Which tables; all when None or empty.
        dry_run: Only plan.
        report_to: Gets the report before any error is raised.

    Returns:
        The report, of a run in which everything succeeded.

    Raises:
        ParameterError: A table is unknown.
        SchemaError: Glue cannot express a schema; nothing was created.
        CatalogError: Glue refused; the message names each table that failed.
    """
    chosen = chosen_tables(tables, record_types)
    wanted = {
        table: hive.table_input(table, record_types[table].schema, settings.layout.table_location(table))
        for table in chosen
    }
    first = make_plan(glue, wanted)
    logger.info("%s", first)
    report = _planned(first) if dry_run else _apply(glue, first)
    for line in report.summary:
        logger.info("%s", line)
    if report_to is not None:
        report_to(report)
    if report.failures:
        raise CatalogError(
            "; ".join(f"table {table} was not created: {reason}" for table, reason in sorted(report.failures.items()))
        )
    return report


def make_plan(glue: Catalog, wanted: Mapping[str, TableInputTypeDef]) -> CatalogPlan:
    """Compare the wanted tables with those that Glue holds."""
    if not glue.database_exists():
        return CatalogPlan(glue.database, create_database=True, create=wanted, exists=())
    exists = tuple(table for table in wanted if _exists(glue, table))
    missing = {table: definition for table, definition in wanted.items() if table not in exists}
    return CatalogPlan(glue.database, create_database=False, create=missing, exists=exists)


def _planned(plan: CatalogPlan) -> Report:
    return Report(
        plan, {table: "to create" if table in plan.create else "exists" for table in plan.tables}, dry_run=True
    )


def _apply(glue: Catalog, plan: CatalogPlan) -> Report:
    if plan.create_database:
        # False when another run was quicker: what counts is that it is there now.
        glue.create_database(_DATABASE_DESCRIPTION)
    outcomes: dict[str, Outcome] = {}
    failures: dict[str, str] = {}
    for table in plan.tables:
        try:
            outcomes[table] = _create(glue, plan.create[table]) if table in plan.create else "exists"
        except PipelineError as error:
            outcomes[table], failures[table] = "failed", str(error)
    return Report(plan, outcomes, failures)


def _create(glue: Catalog, definition: TableInputTypeDef) -> Outcome:
    made = glue.create_table(definition)
    glue.table(definition["Name"])  # looked at again: raises when it is not there
    return "created" if made else "created by another run"


def _exists(glue: Catalog, table: str) -> bool:
    try:
        glue.table(table)
    except TableNotFoundError:
        return False
    return True
