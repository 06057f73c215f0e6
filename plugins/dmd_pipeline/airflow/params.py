"""The Params that DAGs share, so that the same question looks and is checked the same everywhere."""

from __future__ import annotations

from airflow.sdk import Param

from dmd_pipeline.airflow.assets import table_names


def tables_param() -> dict[str, Param]:
    """``tables``: which tables; all by default."""
    names = list(table_names())
    return {
        "tables": Param(
            names,
            title="Tables",
            description="Which tables to work on; all by default.",
            type="array",
            items={"type": "string", "enum": names},
            examples=names,  # makes a list to pick from in the form
            uniqueItems=True,
            minItems=1,
        )
    }


def date_params() -> dict[str, Param]:
    """``from_date`` and ``to_date``: which partition dates; all by default."""
    return {
        "from_date": Param(
            None,
            title="From date",
            description="First partition date (YYYY-MM-DD, included); empty for the oldest there is.",
            type=["null", "string"],
            format="date",
        ),
        "to_date": Param(
            None,
            title="To date",
            description="Last partition date (YYYY-MM-DD, included); empty for the newest there is.",
            type=["null", "string"],
            format="date",
        ),
    }


def dry_run_param(*, default: bool) -> dict[str, Param]:
    """``dry_run``: whether only to plan."""
    return {
        "dry_run": Param(
            default,
            title="Dry run",
            description="Only make the plan and show it in the task's log; change nothing.",
            type="boolean",
        )
    }


def strategy_params() -> dict[str, Param]:
    """``strategy`` and ``rollback_to``: how tables are changed, and back to what."""
    return {
        "strategy": Param(
            "auto",
            title="Strategy",
            description=(
                "auto: in place, breaking changes with approval and proof. recreate: with approval and proof in any "
                "case. rollback: back to a backup of the table's definition."
            ),
            type="string",
            enum=["auto", "recreate", "rollback"],
        ),
        "rollback_to": Param(
            None,
            title="Roll back to",
            description="Key of a backup (data-pipeline/catalog-backups/…) of one table; empty for the latest.",
            type=["null", "string"],
        ),
    }
