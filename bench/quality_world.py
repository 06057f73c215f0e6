"""Partitions to check: demands as the local traffic makes them and the delivery worker writes them, all sound.

Nothing in them breaks an expectation, so that what is measured is the common case. A file holds 1,000 rows at most, as
the batches do that the delivery worker gets. The table ``event`` has one row for each event that the demands name: for
them the suite of ``demand`` reads that table whole, once a statement.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import boto3
import pyathena

from dmd_pipeline.aws.athena import Workgroup
from dmd_pipeline.aws.config import CLIENT_CONFIG
from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.aws.timestamps import read_timestamps_quickly
from dmd_pipeline.delivery import container, deliver
from dmd_pipeline.hive import partition_input, table_input
from dmd_pipeline.jobs.check_data_quality import ensure_tables
from dmd_pipeline.jobs.partition_checks import Environment
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.settings import load_settings
from local.traffic.records import MAKERS
from local.traffic.wire import change_record, encode


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dmd_pipeline.rows import Row


TABLE: Final = "demand"
REFERENCED: Final = "event"
FIRST_DATE: Final = date(2025, 3, 1)  # long ago: whether files still arrive is no question
SETTINGS: Final = load_settings("local")
POLL_SECONDS: Final = 0.05
"""How long anybody waits before Athena is asked again whether a statement is done: the same for all that are compared.
"""

_FILE_ROWS: Final = 1000
_BATCH: Final = 500
_BATCH_CREATED: Final = 100  # partitions that Glue takes at once
_SAMPLE_ROWS: Final = 1000  # by which it is known how large a row is
_EXECUTIONS: Final = 50  # that Athena describes at once


@dataclass(frozen=True)
class Asked:
    """What Athena was asked: StartQueryExecution that made a statement of it, and the bytes that these scanned."""

    queries: int
    scanned_bytes: int


def dates(count: int, start: int = 0) -> list[date]:
    """So many dates in a row, from the first one or some days after it."""
    return [FIRST_DATE + timedelta(days=start + number) for number in range(count)]


@contextmanager
def environment(poll_seconds: float = POLL_SECONDS) -> Iterator[Environment]:
    """Where partitions are checked, by clients of their own on the AWS at which this process is pointed."""
    session = boto3.Session(region_name=SETTINGS.region)
    read_timestamps_quickly(session)
    connection = pyathena.connect(
        session=session,
        region_name=SETTINGS.region,
        schema_name=SETTINGS.database,
        work_group=SETTINGS.workgroup,
        poll_interval=poll_seconds,
        s3_staging_dir="",  # the workgroup says where results go, not a variable of pyathena's
    )
    try:
        yield Environment(
            SETTINGS,
            load_record_types(),
            Bucket(session.client("s3", config=CLIENT_CONFIG), SETTINGS.bucket),
            Catalog(session.client("glue", config=CLIENT_CONFIG), SETTINGS.database),
            lambda: Workgroup(connection, SETTINGS.workgroup),
        )
    finally:
        connection.client.close()


class History:
    """What the workgroup was asked since."""

    def __init__(self) -> None:
        self._athena = boto3.client("athena", region_name=SETTINGS.region, config=CLIENT_CONFIG)
        self._before = self._known()

    def since(self) -> Asked:
        """All statements that were not there when this was made; views are made by statements, too."""
        new = sorted(self._known() - self._before)
        scanned = 0
        for start in range(0, len(new), _EXECUTIONS):
            answer = self._athena.batch_get_query_execution(QueryExecutionIds=new[start : start + _EXECUTIONS])
            for execution in answer["QueryExecutions"]:
                if execution["Status"]["State"] != "SUCCEEDED":
                    raise RuntimeError(f"a statement of the benchmark did not succeed: {execution['Status']}")
                scanned += execution["Statistics"]["DataScannedInBytes"]
        return Asked(len(new), scanned)

    def _known(self) -> set[str]:
        pages = self._athena.get_paginator("list_query_executions").paginate(WorkGroup=SETTINGS.workgroup)
        return {identifier for page in pages for identifier in page["QueryExecutionIds"]}


# ---------------------------------------------------------------------------------------------------------- filling


def make_tables() -> None:
    """All tables, the rows of ``event``, and what the checks' results need."""
    glue = boto3.client("glue", region_name=SETTINGS.region)
    for name, record_type in load_record_types().items():
        table = table_input(name, record_type.schema, SETTINGS.layout.table_location(name))
        glue.create_table(DatabaseName=SETTINGS.database, TableInput=table)
    chance, day = random.Random(7), FIRST_DATE  # noqa: S311 not cryptography
    named = {row["eventId"] for row in rows(day, 10 * _SAMPLE_ROWS)}
    events = [MAKERS[REFERENCED](chance, day) | {"id": event} for event in sorted(named)]
    _write(REFERENCED, day, _delivered(REFERENCED, events))
    _register(REFERENCED, [day])
    with environment() as there:
        ensure_tables(there)


def fill(days: Sequence[date], row_count: int) -> int:
    """Write partitions of so many rows, and register them.

    Returns:
        Their bytes.
    """
    size = sum(_write(TABLE, day, rows(day, row_count)) for day in days)
    _register(TABLE, days)
    return size


def rows_within(size: int) -> int:
    """About how many rows make files of so many bytes, and not more."""
    sample = container(load_record_types()[TABLE], rows(FIRST_DATE, _SAMPLE_ROWS), sync_marker=bytes(16))
    return int(size / len(sample) * _SAMPLE_ROWS * 0.995)


def rows(day: date, count: int) -> list[Row]:
    """Demands of a day, others on each."""
    chance = random.Random(day.toordinal())  # noqa: S311 not cryptography
    return _delivered(TABLE, (MAKERS[TABLE](chance, day) for _ in range(count)))


def stored_bytes(table: str) -> int:
    """The size of all files of a table."""
    with environment() as there:
        return sum(one.size for one in there.bucket.objects_below(SETTINGS.layout.table_prefix(table)))


def _delivered(table: str, records: Iterable[Mapping[str, Any]]) -> list[Row]:
    """What becomes of records: the rows that the delivery worker writes."""
    at = datetime.combine(FIRST_DATE, datetime.min.time(), UTC) + timedelta(days=365)
    sent = [
        encode(change_record(one, "INSERT", str(UUID(int=number)), at, by_ttl=False, microseconds=False))
        for number, one in enumerate(records)
    ]
    found: list[Row] = []
    for start in range(0, len(sent), _BATCH):
        delivery = deliver(sent[start : start + _BATCH], load_record_types(), now=at)
        if delivery.rejected:
            raise ValueError(f"a record of the benchmark is invalid: {delivery.rejected[0].reason}")
        found += [row for (name, _day), group in delivery.groups.items() for row in group if name == table]
    return found


def _write(table: str, day: date, content: Sequence[Row]) -> int:
    s3, size = boto3.client("s3", region_name=SETTINGS.region), 0
    at = datetime.combine(day, datetime.min.time(), UTC)
    for number, start in enumerate(range(0, len(content), _FILE_ROWS)):
        body = container(load_record_types()[table], content[start : start + _FILE_ROWS], sync_marker=bytes(16))
        key = SETTINGS.layout.delivered_key(table, day, at, UUID(int=number))
        s3.put_object(Bucket=SETTINGS.bucket, Key=key, Body=body)
        size += len(body)
    return size


def _register(table: str, days: Sequence[date]) -> None:
    glue = boto3.client("glue", region_name=SETTINGS.region)
    held: Any = glue.get_table(DatabaseName=SETTINGS.database, Name=table)["Table"]
    for start in range(0, len(days), _BATCH_CREATED):
        answer = glue.batch_create_partition(
            DatabaseName=SETTINGS.database,
            TableName=table,
            PartitionInputList=[
                partition_input(held, day, SETTINGS.layout.partition_location(table, day))
                for day in days[start : start + _BATCH_CREATED]
            ],
        )
        if answer.get("Errors"):
            raise RuntimeError(f"a partition of the benchmark is not registered: {answer['Errors'][0]}")
