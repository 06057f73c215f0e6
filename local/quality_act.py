"""The demo's act about data quality: a partition is damaged, and repaired, and what its verdict says meanwhile.

The damage is what a defect in a redaction would do: deleted rows that still hold an e-mail address. It is a file of its
own, so that the repair takes nothing away that belongs there.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import fastavro

from dmd_pipeline.delivery import container
from dmd_pipeline.quality_tables import VIEW
from dmd_pipeline.record_types import load_record_types


if TYPE_CHECKING:
    from collections.abc import Sequence

    from dmd_pipeline.settings import Settings
    from local.clients import LocalClients

QUALITY_DAG: Final = "check_data_quality"
_DAMAGED_ROWS: Final = 5
_PERSONAL: Final = "email"
_SOUND: Final = ("passed", "warned")


@dataclass(frozen=True)
class Damage:
    """A file that should not be there.

    Attributes:
        table: Of the partition.
        day: Of the partition.
        before: Its verdict until then.
        key: Of the file.
        rows: How many rows it adds.
    """

    table: str
    day: date
    before: str
    key: str
    rows: int

    def __str__(self) -> str:
        return f"{self.table} {self.day}"


def verdicts(clients: LocalClients) -> list[tuple[Any, ...]]:
    """The newest verdict of every partition, as an analyst asks for it: table, date, verdict, rows, dollars."""
    statement = f"SELECT table_name, partition_date, verdict, rows, cost.dollars FROM {VIEW}"
    with clients.athena().cursor() as cursor:
        return [tuple(row) for row in cursor.execute(statement).fetchall()]


def verdict_of(clients: LocalClients, damaged: Damage) -> str:
    """The newest verdict of the partition."""
    [row] = [row for row in verdicts(clients) if row[:2] == (damaged.table, damaged.day.isoformat())]
    return str(row[2])


def counted(rows: Sequence[Sequence[Any]]) -> list[list[object]]:
    """How many partitions of each table have which verdict, and what that cost."""
    tables = sorted({str(row[0]) for row in rows})
    return [
        [
            table,
            *(sum(row[0] == table and row[2] == word for row in rows) for word in (*_SOUND, "failed", "unknown")),
            f"{sum(float(row[4]) for row in rows if row[0] == table):.6f}",
        ]
        for table in tables
    ]


def damage(clients: LocalClients, settings: Settings) -> Damage:
    """Put deleted rows that were not redacted into the largest partition that passed; if none did, that warned."""
    kinds = load_record_types()
    sound = [row for row in verdicts(clients) if row[2] in _SOUND and _PERSONAL in kinds[row[0]].redacted]
    table, value, before, *_ = max(sound, key=lambda row: (row[2] == _SOUND[0], int(row[3])))
    day = date.fromisoformat(value)
    s3, layout = clients("s3"), settings.layout
    held = s3.list_objects_v2(Bucket=settings.bucket, Prefix=layout.partition_prefix(table, day))["Contents"]
    found: list[Any] = []
    for stored in held:  # a file may have a single row
        body = s3.get_object(Bucket=settings.bucket, Key=stored["Key"])["Body"].read()
        found += fastavro.reader(io.BytesIO(body))
        if len(found) >= _DAMAGED_ROWS:
            break
    rows = [
        {**row, "isDeleted": True, _PERSONAL: f"left.behind.{number}@fans.example.com"}
        for number, row in enumerate(found[:_DAMAGED_ROWS])
    ]
    key = layout.delivered_key(table, day, datetime.now(UTC), uuid4())
    s3.put_object(Bucket=settings.bucket, Key=key, Body=container(kinds[table], rows, sync_marker=bytes(16)))
    return Damage(table, day, before, key, len(rows))


def repair(clients: LocalClients, settings: Settings, damaged: Damage) -> None:
    """Take the file away again."""
    clients("s3").delete_object(Bucket=settings.bucket, Key=damaged.key)
