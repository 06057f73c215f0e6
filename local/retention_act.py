"""The demo's act about retention: partitions that are years old leave the catalog, and come back.

Their records come down the stream like all others, and stand in the ledger: what has come back must add up again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.aws.s3 import Bucket
from local.traffic.plan import Size


if TYPE_CHECKING:
    from collections.abc import Sequence

    from dmd_pipeline.settings import Settings
    from local.clients import LocalClients
    from local.ledger import Ledger

DROP_DAG: Final = "drop_expired_partitions"
RESTORE_DAG: Final = "restore_partitions"
TABLE: Final = "demand"
_RECORDS: Final = 400
_DAYS: Final = 12
_BEYOND_RETENTION: Final = timedelta(days=400)
"""Records whose date lies far off are up to half a year younger than the others, and must be expired as well."""
_BETWEEN_TWO_SHOWS: Final = timedelta(days=600)
"""What was restored does not expire for a while: the next show on the same pipeline needs dates of its own."""


@dataclass(frozen=True)
class Held:
    """What there is of some dates of a table.

    Attributes:
        partitions: In the catalog.
        rows: That Athena reads.
        files: In S3.
    """

    partitions: int
    rows: int
    files: int


def old_traffic(settings: Settings, ledgers: Sequence[Ledger]) -> Size:
    """Traffic whose business dates have all expired.

    Args:
        settings: Say how long the table keeps its partitions.
        ledgers: Of what was sent before.
    """
    kept = timedelta(days=settings.retention.of(TABLE).retention_days or 0)
    ago = kept + _BEYOND_RETENTION + len(ledgers) * _BETWEEN_TWO_SHOWS
    return Size(_RECORDS, _DAYS, days_ago=ago.days)


def dates_of(ledger: Ledger) -> list[date]:
    """The business dates of the table's valid records in a ledger, sorted."""
    entries = ledger.entries()
    return [date.fromisoformat(day) for record_type, day, sent in entries if record_type == TABLE and sent.valid]


def rows_of(ledger: Ledger) -> int:
    """How many rows of the table a ledger's records are."""
    return sum(sent.valid for record_type, _, sent in ledger.entries() if record_type == TABLE)


def held(clients: LocalClients, settings: Settings, days: Sequence[date]) -> Held:
    """What there is of these dates at this moment."""
    values = [str(day) for day in days]
    listed = ", ".join(f"'{value}'" for value in values)
    with clients.athena().cursor() as cursor:
        [(rows,)] = cursor.execute(f"SELECT count(*) FROM {TABLE} WHERE partition_date IN ({listed})").fetchall()
    bucket = Bucket(clients("s3"), settings.bucket)
    return Held(
        partitions=len(list(Catalog(clients("glue"), settings.database).registered(TABLE, values))),
        rows=int(rows),
        files=sum(len(list(bucket.objects_below(settings.layout.partition_prefix(TABLE, day)))) for day in days),
    )


def trouble(days: int, sent: int, before: Held, between: Held, after: Held) -> str | None:
    """What is not as it should be, if anything is.

    Args:
        days: How many dates there are.
        sent: How many rows were sent for them.
        before: What there was of them.
        between: And when they had left.
        after: And when they had been restored.
    """
    if (before.partitions, before.rows) != (days, sent):
        return f"{days} partitions with {sent} rows should be there; there are {before.partitions} with {before.rows}"
    if between != Held(partitions=0, rows=0, files=before.files):
        return f"nothing but their {before.files} files should be left; there are {between}"
    if after != before:
        return f"all should be back; there are {after}"
    return None
