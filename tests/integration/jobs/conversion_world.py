"""What the tests of conversion share: secured batches, files of the worker beside them, and what a run leaves."""

from __future__ import annotations

import io
import uuid
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import fastavro

from dmd_pipeline import quarantine, raw_batches
from dmd_pipeline.aws.kinesis import Stream
from dmd_pipeline.aws.lambda_ import Functions
from dmd_pipeline.delivery import container, deliver, errors_document
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord
from dmd_pipeline.jobs.conversion import convert_lane
from dmd_pipeline.jobs.replay_environment import Environment
from dmd_pipeline.layout import replayed_batch
from dmd_pipeline.record_types import load_record_types
from local.traffic.plan import Size, plan
from tests.integration.jobs.conftest import NO_RETRIES, World, workgroup


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dmd_pipeline.jobs.lane_reports import LaneReport
    from dmd_pipeline.record_types import RecordType
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


SHARD = "shardId-000000000000"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When the first record arrives."""
LATER = NOON + timedelta(hours=12)
"""When the worker can no longer deliver anything: the mapping's maximum age is six hours."""


class ConversionWorld(World):
    """The local AWS with tables, and raw files to convert."""

    def __init__(self, aws: LocalAws, settings: Settings) -> None:
        super().__init__(aws, settings)
        self.clients: dict[str, Any] = {name: boto3.client(name, config=NO_RETRIES) for name in ("lambda", "kinesis")}
        self.record_types: Mapping[str, RecordType] = load_record_types()

    @property
    def environment(self) -> Environment:
        """What conversions work with."""
        return Environment(
            self.settings,
            self.record_types,
            self.bucket,
            self.catalog,
            Functions(self.clients["lambda"]),
            Stream(self.clients["kinesis"], self.settings.stream),
            self.patience,
        )

    def convert(self, lane: str = SHARD, *, now: datetime = LATER, run_id: str = "run", **asked: Any) -> LaneReport:
        """Convert a lane."""
        return convert_lane(self.environment, lane, run_id=run_id, now=lambda: now, **asked)

    def secure(
        self, records: Sequence[StreamRecord], size: int | None = None, *, folder: str = SHARD, **known: Any
    ) -> BatchId:
        """Put a raw file; the batch was of as many records as there are, unless told otherwise."""
        batch = FailedBatch(
            BatchId(folder, records[0].sequence_number, records[-1].sequence_number),
            len(records) if size is None else size,
            records[0].arrived,
            records[-1].arrived,
            "RetryAttemptsExhausted",
            "queue message m",
            **{"request_id": "r", **known},
        )
        self._put(batch, records)
        return batch.id

    def secure_brought(self, batch: FailedBatch) -> BatchId:
        """Put the raw file of a batch that brought its records."""
        self._put(batch, batch.records or ())
        return batch.id

    def _put(self, batch: FailedBatch, records: Sequence[StreamRecord]) -> None:
        content = raw_batches.content(batch, records)
        self.bucket.write(self.settings.layout.raw_key(batch.id), content, "application/gzip")

    def deliver(
        self,
        records: Iterable[StreamRecord],
        *,
        groups: int | None = None,
        at: datetime = NOON + timedelta(minutes=1),
        record_types: Mapping[str, RecordType] | None = None,
    ) -> int:
        """Write what the worker writes, with its own clock; all groups of it, or the first few. How many rows."""
        kinds = record_types or self.record_types
        delivery = deliver((record.data for record in records), kinds, now=at)
        rows = 0
        for (table, day), found in sorted(delivery.groups.items())[:groups]:
            body = container(kinds[table], found, sync_marker=uuid.uuid4().bytes)
            self.bucket.write(self.settings.layout.delivered_key(table, day, at, uuid.uuid4()), body, "avro/binary")
            rows += len(found)
        return rows

    def reject(self, *records: StreamRecord, at: datetime = NOON + timedelta(minutes=1)) -> str:
        """Write what the worker writes of invalid records, with its own clock; the file's key."""
        rejected = deliver((record.data for record in records), self.record_types, now=at).rejected
        key = self.settings.layout.errors_key(at, uuid.uuid4())
        self.bucket.write(key, errors_document(rejected, at), "application/json")
        return key

    def rows(self, *, replayed: bool | None = None) -> Counter[str]:
        """All rows in S3 as texts, but for the time of delivery; of replayed files only, or of the others."""
        found: Counter[str] = Counter()
        for table in self.record_types:
            for stored in self.bucket.objects_below(self.settings.layout.table_prefix(table)):
                if replayed is None or (replayed_batch(stored.key.rpartition("/")[2]) is not None) == replayed:
                    rows: Any = fastavro.reader(io.BytesIO(self.bucket.read(stored.key)))
                    found.update(blanked(row) for row in rows)
        return found

    def clean(self, records: Iterable[StreamRecord]) -> Counter[str]:
        """The rows of one clean delivery."""
        delivery = deliver((record.data for record in records), self.record_types, now=NOON)
        return Counter(blanked(row) for rows in delivery.groups.values() for row in rows)

    def in_athena(self, replayed: str = "%") -> int:
        """Rows that Athena reads in files of such names."""
        group = workgroup(self.settings)
        like = f"""WHERE "$path" LIKE '%/{replayed}'"""
        return sum(group.rows(f"SELECT count(*) FROM {table} {like}")[0][0] for table in self.record_types)

    def contents(self) -> dict[str, bytes]:
        """Everything that conversions write, by key; done documents without who settled them and when."""
        prefix = self.settings.prefix
        keys = [
            stored.key
            for below in ("avro/", "replay/", "quarantine/")
            for stored in self.bucket.objects_below(f"{prefix}/{below}")
        ]
        found = {key.removeprefix(f"{prefix}/"): self.bucket.read(key) for key in keys}
        return {key: _settled(body) if key.endswith(".done.json") else body for key, body in found.items()}

    def forget(self, keep: Iterable[str]) -> None:
        """Remove what was written, but for some keys; and all partitions."""
        kept = set(keep)
        for key in self.contents():
            if key not in kept:
                self.bucket.delete(f"{self.settings.prefix}/{key}")
        for table in self.record_types:
            for value in self.held(table):
                self.aws.client("glue").delete_partition(
                    DatabaseName=self.settings.database, TableName=table, PartitionValues=[value]
                )

    def quarantined(self) -> list[FailedBatch]:
        """What documents in quarantine give back."""
        objects = self.bucket.objects_below(self.settings.layout.quarantine_prefix())
        return [
            batch for stored in objects for batch in quarantine.batches_in(self.bucket.read(stored.key), stored.key)
        ]


def traffic(count: int, seed: int = 1, *, first: int = 1000, start: datetime = NOON) -> list[StreamRecord]:
    """Records of all types, some of them invalid and some that the filter drops, a second apart."""
    planned = plan(Size(records=count, days=4), seed, start)
    return [
        StreamRecord(first + number, one.partition_key, start + timedelta(seconds=number), one.data)
        for number, one in enumerate(planned)
    ]


def valid(count: int, seed: int = 1, **more: Any) -> list[StreamRecord]:
    """Records that become rows, every one different, with consecutive numbers."""
    record_types, seen, found = load_record_types(), set(), []
    for record in traffic(3 * count + 20, seed, **more):
        delivery = deliver([record.data], record_types, now=NOON)
        rows = [blanked(row) for group in delivery.groups.values() for row in group]
        if rows and rows[0] not in seen:
            seen.add(rows[0])
            found.append(record)
    first = found[0].sequence_number
    return [replace(record, sequence_number=first + place) for place, record in enumerate(found[:count])]


def invalid(number: int) -> StreamRecord:
    """A record that passes the filter and cannot become a row."""
    record_types = load_record_types()
    for record in traffic(400, seed=2):
        [*rejected] = deliver([record.data], record_types, now=NOON).rejected
        if rejected and rejected[0].reason.startswith(("eventId", "fanId", "id", "saleStartDateTime")):
            return replace(record, sequence_number=number, arrived=NOON)
    raise AssertionError("the traffic of that seed has no invalid record")


def blanked(row: Any) -> str:
    """A row as text, without what the time of delivery makes of it."""
    date = row.get("date")
    kept = {**row, "reference": row["reference"]["id"]}
    if row.get("isDeleted") and date is not None:
        kept["date"] = {name: value for name, value in date.items() if name not in {"deleted", "updated"}}
    return repr(sorted(kept.items()))


def _settled(document: bytes) -> bytes:
    lines = document.splitlines()
    return b"\n".join(line for line in lines if b'"settled_' not in line)
