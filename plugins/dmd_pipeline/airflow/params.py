"""The Params that DAGs share, so that the same question looks and is checked the same everywhere."""

from __future__ import annotations

from typing import Final

from airflow.sdk import Param

from dmd_pipeline.airflow.assets import table_names


APPROVAL_HOURS: Final = "approval_hours"


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


def dry_run_param(*, default: bool, only_by_hand: bool = False) -> dict[str, Param]:
    """``dry_run``: whether only to plan; where schedules do as the settings say, it is for runs by hand only."""
    return {
        "dry_run": Param(
            default,
            title="Dry run",
            description="Only make the plan and show it in the task's log; change nothing."
            + (" Scheduled runs do what the settings say." if only_by_hand else ""),
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
                "auto: compatible changes at once, breaking ones after approval. recreate: in any case after approval, "
                "even if nothing differs. rollback: back to a backup of the table's definition, without approval."
            ),
            type="string",
            enum=["auto", "recreate", "rollback"],
        ),
        "rollback_to": Param(
            None,
            title="Roll back to",
            description=(
                "Only for strategy rollback: key of a backup (data-pipeline/catalog-backups/…), with its table alone "
                "chosen above; empty for the latest backup of each table."
            ),
            type=["null", "string"],
        ),
    }


def approval_param(default: int) -> dict[str, Param]:
    """``approval_hours``: how long a question waits for its answer."""
    return {
        APPROVAL_HOURS: Param(
            default,
            title="Hours for the approval",
            description=(
                "How long to wait until somebody approves (0.5 is half an hour, 168 the most); no answer by then is a "
                "rejection."
            ),
            type="number",
            exclusiveMinimum=0,
            maximum=168,
        )
    }


def replay_params() -> dict[str, Param]:
    """``source`` and what describes it: where failed batches are taken from."""
    return {
        "source": Param(
            "queue",
            title="Source",
            description=(
                "queue: the dead-letter queue. destination: objects of an S3 on-failure destination (needs a prefix). "
                "errors: deliveryWorker's files of invalid records. quarantine: what was rejected before. stream: a "
                "part of the stream itself (needs a start)."
            ),
            type="string",
            enum=["queue", "destination", "errors", "quarantine", "stream"],
        ),
        "prefix": Param(
            None,
            title="Prefix",
            description="Only for source destination: where its objects lie in the bucket, such as aws/lambda/….",
            type=["null", "string"],
        ),
        "shard_id": Param(
            None,
            title="Shard",
            description="Only for source stream: shardId- and twelve digits; empty for all shards.",
            type=["null", "string"],
            pattern=r"^shardId-\d{12}$",
        ),
        "start": Param(
            None,
            title="Start",
            description=(
                "Only for source stream: the first record, by time with offset (2026-03-01T12:00:00Z) or by sequence "
                "number (needs a shard)."
            ),
            type=["null", "string"],
        ),
        "end": Param(
            None,
            title="End",
            description="Only for source stream: the last record, by time or sequence number; empty for now.",
            type=["null", "string"],
        ),
    }


def keep_param(default: int) -> dict[str, Param]:
    """``keep_days``: how long a restored partition stays."""
    return {
        "keep_days": Param(
            default,
            title="Days to keep",
            description="For so many days from now the restored partitions do not expire again.",
            type="integer",
            minimum=1,
            maximum=3660,
        )
    }


def age_param(default: int) -> dict[str, Param]:
    """``older_than_days``: what is deleted of that which tests have left."""
    return {
        "older_than_days": Param(
            default,
            title="Older than days",
            description="Objects that were written longer ago are deleted.",
            type="integer",
            minimum=1,
            maximum=3660,
        )
    }


def check_params(window_days: int) -> dict[str, Param]:
    """``force``, ``engine`` and ``window_days``: what is checked, and how."""
    return {
        "force": Param(
            False,
            title="Check again",
            description="Also check partitions that have a verdict on their files and expectations as they are.",
            type="boolean",
        ),
        "engine": Param(
            "auto",
            title="Engine",
            description=(
                "memory: read the files and check them in memory. athena: count in Athena. auto: by the partition's "
                "size. The verdict is the same."
            ),
            type="string",
            enum=["auto", "memory", "athena"],
        ),
        "window_days": Param(
            window_days,
            title="Window in days",
            description="How far back to look when no dates are given; dates ahead are always looked at.",
            type="integer",
            minimum=0,
            maximum=3660,
        ),
    }
