"""Convert the secured batches of one lane: rows into partitions, once each; the rest into quarantine; then settled.

For each open batch, oldest first:

1. Read its raw file. Records that came from the stream may lie between those of other batches: if those that pass the
   event source mapping's filter are not exactly as many as the batch had, it waits until the worker can no longer
   deliver any of them (last arrival + MaximumRecordAge + the function's timeout).
2. Convert with the catalog's schemas. If a record needs a newer one, or a table is under change, the batch waits.
3. In each partition, leave out what other replays wrote (by sequence number) and what the worker wrote (by content).
4. Write one file a partition, under a key and with bytes that follow from the batch; never over another.
5. Write to quarantine what was rejected, but for what the worker has put into errors/ already.

At the end of the lane the partitions are registered, and each batch gets its done document: from then on it is no
longer open. What is lost when the process dies after any call: nothing; the next run finds the batch open, and what was
written by its sequence numbers.

Calls, for F names below the lane's folders in replay/raw/, and T record types:

    a lane: 1 PUT + 1 DELETE (lease) + ⌈F/1000⌉ LIST, at least one; for each time that it has waited for documents all
            that again, and 1 GET; with an open batch also
            1 GET (the lease on documents; of documents: on each shard with open batches) + 1 ListEventSourceMappings
            + T GetTable
            + 1 GetFunctionConfiguration, when a batch is not known to be exactly its range; 1 DescribeStreamSummary,
              when there is no MaximumRecordAge either
    its partitions: 1 LIST a table and batch that brings new ones (more where they lie far apart: see
            jobs.partition_files); 1 LIST for another day on which the worker may have delivered a record without date
    a batch: 1 GET (raw file) + 1 GET for each file of the worker that its rows may stand in + 1 GET for each file of
            another run with sequence numbers of its range + 1 PUT for each file that it writes
            + 1 PutObjectTagging (raw file) + 1 PUT (done document)
            + 1 PUT, when something was rejected, and what :mod:`dmd_pipeline.jobs.worker_errors` says
    registration: 1 BatchGetPartition a table, for up to 1,000 dates; where up to 100 of a table's are missing,
            1 LIST + 1 GetTable + 1 BatchCreatePartition + 1 BatchGetPartition more (see jobs.settling)

A batch that waits costs 1 GET. Without reading and writing the data (raw files, files of the worker, files that are
written), B batches whose partitions are registered, lie in t tables and near together cost 5 + T + 2t + 2B: less than 8
a batch from the third on.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from dmd_pipeline import quarantine, raw_batches
from dmd_pipeline.aws.s3 import JSON
from dmd_pipeline.change_marks import ChangeMark
from dmd_pipeline.delivery import CONTENT_TYPE, container
from dmd_pipeline.errors import PipelineError, SchemaError, TableNotFoundError, VerificationError
from dmd_pipeline.failed_batches import DOCUMENTS
from dmd_pipeline.fingerprints import Delivered, delivered
from dmd_pipeline.hive import held_schema
from dmd_pipeline.jobs import leases
from dmd_pipeline.jobs.lane_reports import PLACES, BatchReport, LaneReport, State
from dmd_pipeline.jobs.partition_files import PartitionFiles
from dmd_pipeline.jobs.settling import Settler
from dmd_pipeline.jobs.work_list import read_work_list
from dmd_pipeline.jobs.worker_errors import WorkerErrors
from dmd_pipeline.patience import Patience
from dmd_pipeline.quarantine import Rejection
from dmd_pipeline.record_types import with_schema
from dmd_pipeline.replay import Converter, days_of_delivery, replay_metadata, sync_marker
from dmd_pipeline.stamps import utc_stamp
from dmd_pipeline.wording import date_runs


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from mypy_boto3_glue.type_defs import TableTypeDef

    from dmd_pipeline.candidates import Candidate
    from dmd_pipeline.delivery import Group
    from dmd_pipeline.event_sources import EventSourceMapping
    from dmd_pipeline.failed_batches import BatchId, StreamRecord
    from dmd_pipeline.jobs.leases import Lease
    from dmd_pipeline.jobs.replay_environment import Environment
    from dmd_pipeline.jobs.work_list import WorkList
    from dmd_pipeline.raw_batches import RawBatch
    from dmd_pipeline.record_types import RecordType
    from dmd_pipeline.replay import Conversion


logger = logging.getLogger(__name__)

CLOCKS: Final = timedelta(minutes=5)
"""How far the clocks of the stream and of the worker may be apart."""
_PATIENCE: Final = Patience(attempts=30)
"""With whoever converts what may be the same records: some minutes."""
_SETTLED_TOGETHER: Final = 200
"""Batches: their partitions are registered together."""
_AT_ONCE: Final = 8
"""Groups of a batch under way at once: each is a file to write, and perhaps files to compare with."""
_LATE: Final = "an earlier attempt wrote the file of its partition without it"


def convert_lane(
    environment: Environment,
    lane: str,
    *,
    run_id: str,
    dry_run: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> LaneReport:
    """Convert what is open in a lane.

    Args:
        environment: Where.
        lane: A shard's id, or ``documents``.
        run_id: Names the run: its retry takes its lease up.
        dry_run: Write nothing.
        now: The time.

    Returns:
        The report, also of batches that wait or failed: one that does keeps no other from being converted.

    Raises:
        PipelineError: Nothing could be done: AWS refused to tell what there is to do.
    """
    if dry_run:
        found = _open(environment, lane)[0]
        reports = _convert_all(environment, found, run_id, now, dry_run=True)
    else:
        held, open_batches = _leased(environment, lane, run_id, now)
        if held is not None:
            return LaneReport(lane, busy=str(held))
        reports = _convert_all(environment, open_batches, run_id, now, dry_run=False)
        # Not when something was raised: a retry of this run takes the lease up, another run does when it has ended.
        leases.give_back(environment.bucket, environment.settings.layout.lease_key(lane))
    for report in reports:
        logger.info("%s", report)
    return LaneReport(lane, tuple(reports), dry_run=dry_run)


def _convert_all(
    environment: Environment, batches: Sequence[BatchId], run_id: str, now: Callable[[], datetime], *, dry_run: bool
) -> list[BatchReport]:
    """Convert and settle batches, so many together that a run that is cut off has settled most of what it did."""
    converter = BatchConverter(environment, now(), dry_run=dry_run)
    reports: list[BatchReport] = []
    for start in range(0, len(batches), _SETTLED_TOGETHER):
        converted = [converter.convert_secured(batch) for batch in batches[start : start + _SETTLED_TOGETHER]]
        reports += converted if dry_run else Settler(environment, run_id, now()).settle(converted)
    return reports


def _open(environment: Environment, lane: str) -> tuple[list[BatchId], WorkList]:
    """The open batches of a lane, and what they were found in."""
    found = read_work_list(environment.bucket, environment.settings.layout, "" if lane == DOCUMENTS else lane)
    return [batch for batch in found.open if batch.lane == lane], found


def _leased(
    environment: Environment, lane: str, run_id: str, now: Callable[[], datetime]
) -> tuple[Lease | None, list[BatchId]]:
    """Take the lease of a lane, unless somebody converts records that may be its own; its open batches.

    Documents and shards keep each other out. Documents wait with their lease for the shards that were begun before
    them; a shard waits for documents without one, so that they never wait for each other.

    Returns:
        Who keeps it out, if somebody does; the open batches, if nobody does.
    """
    bucket, layout = environment.bucket, environment.settings.layout
    key = layout.lease_key(lane)
    held: Lease | None = None
    for _ in environment.patience or _PATIENCE:
        if (held := leases.take(bucket, key, run_id, now())) is not None:
            break
        try:
            open_batches, found = _open(environment, lane)
            if not open_batches:
                return None, []
            if lane == DOCUMENTS:
                held = _await_shards(environment, found, now)
            else:
                held = leases.held_by_others(bucket, [layout.lease_key(DOCUMENTS)], now())
        except PipelineError:
            leases.give_back(bucket, key)
            raise
        if held is None:
            return None, open_batches
        leases.give_back(bucket, key)
        if lane == DOCUMENTS:
            break
    return held, []


def _await_shards(environment: Environment, found: WorkList, now: Callable[[], datetime]) -> Lease | None:
    """Wait for shards that are being converted; one that still is."""
    held: Lease | None = None
    shards = [environment.settings.layout.lease_key(other) for other in found.lanes if other != DOCUMENTS]
    for _ in environment.patience or _PATIENCE:
        held = leases.held_by_others(environment.bucket, shards, now())
        if held is None:
            break
    return held


class BatchConverter:
    """Converts batches one by one, as far as files and quarantine; what they share is asked of AWS once.

    Args:
        environment: Where.
        now: The time of the run. What is certain by then is certain for all that is listed later.
        dry_run: Write nothing.
    """

    def __init__(self, environment: Environment, now: datetime, *, dry_run: bool) -> None:
        self._environment = environment
        self._settings = environment.settings
        self._bucket = environment.bucket
        self._layout = environment.settings.layout
        self._now = now
        self._dry_run = dry_run
        self._files = PartitionFiles(environment.bucket, environment.settings.layout)
        self._errors = WorkerErrors(environment.bucket, environment.settings.layout)

    def convert_secured(self, batch: BatchId) -> BatchReport:
        """Convert a batch that has a raw file; whatever is wrong with it is in the report."""
        key = self._layout.raw_key(batch)
        try:
            return self.convert(raw_batches.read(self._bucket.read(key), self._layout.uri(key)))
        except PipelineError as error:
            logger.warning("%s: %s", batch, error)
            return BatchReport(batch, State.FAILED, str(error))
        except Exception as error:  # a defect that one batch brings to light must not hold up the others
            logger.exception("%s", batch)
            return BatchReport(batch, State.FAILED, f"{type(error).__name__}: a defect; its log has the details")

    def convert(self, raw: RawBatch) -> BatchReport:
        """Convert a batch.

        Raises:
            PipelineError: AWS refused, or a file in one of its partitions is damaged. Nothing is lost: what was written
                is known by its sequence numbers.
        """
        batch = raw.batch.id
        converted = self._convert(raw)
        if (waiting := self._waits(raw, converted)) is not None:
            state, why = waiting
            return BatchReport(batch, state, why, {"records": len(raw.records)})
        first = min((record.arrived for record in raw.records), default=self._now)
        # Until now: what the mapping allows by now does not say what it allowed when the worker wrote.
        work = _Work(batch, raw, converted, first - CLOCKS, self._now + CLOCKS)
        self._reject(work)
        self._files.list_folders(converted.groups, work.since)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for placed in pool.map(partial(self._convert_group, work), converted.groups):
                work.add(placed)
        if work.rejected:
            work.quarantine = self._quarantine(work)
        for line in work.lines:
            logger.info("%s: %s", batch, line)
        return work.report(dry_run=self._dry_run)

    def _convert(self, raw: RawBatch) -> Conversion:
        event_filter = self._mapping.event_filter

        def passes(record: StreamRecord) -> bool:
            return event_filter.passes(record.data, record.partition_key)

        return self._converter.convert(raw.records, passes if raw.from_stream else lambda _: True)

    def _waits(self, raw: RawBatch, converted: Conversion) -> tuple[State, str] | None:
        """Why a batch cannot be converted yet."""
        passed = len(raw.records) - converted.filtered
        if not _is_exact(raw, converted) and self._now < (certain := self._certain(raw)):
            return State.WAITING_FOR_CERTAINTY, (
                f"{passed:,} records for a batch of {'unknown size' if raw.batch.size is None else raw.batch.size}: "
                f"the worker may deliver some of them until {utc_stamp(certain)}"
            )
        if converted.waiting:
            why = "; ".join(f"table {table}: {reason}" for table, reason in sorted(converted.waiting.items()))
            return State.WAITING_FOR_SCHEMA, f"{why}: apply_schema_changes brings it"
        changing = sorted({table for table, _ in converted.groups} & self._changing.keys())
        if changing:
            why = "; ".join(f"table {table} is under change {self._changing[table]}" for table in changing)
            return State.WAITING_FOR_SCHEMA, why
        return None

    def _certain(self, raw: RawBatch) -> datetime:
        """When the worker can no longer deliver any of the records."""
        last = max((record.arrived for record in raw.records), default=self._now)
        return last + self._record_age + self._timeout

    def _convert_group(self, work: _Work, group: Group) -> _Placed:
        """Write what is not there yet of a group, and say where each of its records is."""
        table, day = group
        candidates = work.converted.groups[group]
        numbers = frozenset(candidate.record.sequence_number for candidate in candidates)
        files = self._files.replayed(table, day, work.batch, work.since)
        replayed = numbers & frozenset().union(*files.values())
        found = self._delivered(work, group, [one for one in candidates if one.record.sequence_number not in replayed])
        to_write = [one for one in candidates if one.record.sequence_number not in replayed | found.numbers]
        fresh = self._write(work.batch, group, to_write) if to_write else frozenset[int]()
        written = replayed | fresh
        holding = {batch for batch, held in files.items() if held & numbers} | ({work.batch} if fresh else set())
        return _Placed(
            group,
            written=written,
            delivered=found,
            late=tuple(one.record for one in to_write if one.record.sequence_number not in written),
            files=tuple(self._layout.replay_key(table, day, batch) for batch in sorted(holding, key=str)),
            has_own_file=work.batch in holding,
        )

    def _delivered(self, work: _Work, group: Group, candidates: Sequence[Candidate]) -> Delivered:
        """The candidates whose rows the worker has written."""
        table, day = group

        def look(asked: Sequence[Candidate], other: date) -> Delivered:
            files = self._files.written(table, other, work.batch, work.since, work.until)
            return delivered(asked, files, self._catalog[table], of_one_batch=work.is_exact)

        found = look(candidates, day)
        # A record without a date belongs to the day of its delivery, and that may have been a later one.
        for other in days_of_delivery(work.since.date(), work.until.date(), own=[day]):
            undated = [one for one in candidates if one.dated_by_arrival]
            undated = [one for one in undated if one.record.sequence_number not in found.numbers]
            if not undated:
                break
            found += look(undated, other)
        return found

    def _write(self, batch: BatchId, group: Group, candidates: Sequence[Candidate]) -> frozenset[int]:
        """Write the file of a group, or find that it is there; the sequence numbers that it holds of the group."""
        table, day = group
        numbers = frozenset(candidate.record.sequence_number for candidate in candidates)
        if self._dry_run:
            return numbers
        key = self._layout.replay_key(table, day, batch)
        body = container(
            self._catalog[table],
            (candidate.row for candidate in candidates),
            sync_marker=sync_marker(key),
            metadata=replay_metadata(sorted(numbers)),
        )
        if self._bucket.create(key, body, CONTENT_TYPE):
            self._files.add(table, day, batch, numbers)
            return numbers
        # Written by an attempt whose answer was lost; its rows are not to be written again.
        held = self._files.numbers_of(table, day, batch)
        self._files.add(table, day, batch, held)
        return held & numbers

    def _reject(self, work: _Work) -> None:
        """Enter what cannot become rows; what the worker has rejected before stays where the worker put it.

        Documents and what was in quarantine before are not asked about: they have come from there.
        """
        rejected = work.converted.rejected
        if work.batch.lane != DOCUMENTS and work.batch.folder == work.batch.source:
            records = (rejection.record for rejection in rejected)
            work.in_errors = self._errors.held(records, work.since, work.until)
        work.rejected += [one for one in rejected if one.record.sequence_number not in work.in_errors]

    def _quarantine(self, work: _Work) -> str:
        """Write the document of what was rejected; the same rejections give the same document, so over another one."""
        key = self._layout.quarantine_key(
            "rejected", (work.since + CLOCKS).date(), f"{work.batch.folder}-{work.batch.start}-{work.batch.end}"
        )
        if not self._dry_run:
            document = quarantine.rejected_document(work.raw.batch, work.rejected)
            self._bucket.write(key, document, JSON, kms_key=self._settings.kms_key_arn)
            logger.info("%s: %d rejected records to %s", work.batch, len(work.rejected), self._layout.uri(key))
        return key

    @cached_property
    def _mapping(self) -> EventSourceMapping:
        return self._environment.functions.mapping(self._settings.function, self._settings.stream_arn)

    @cached_property
    def _record_age(self) -> timedelta:
        """How old the worker lets a record get; when that is not limited, it is tried until the stream forgets it."""
        age = self._mapping.record_age
        return self._environment.stream.retention() if age is None else age

    @cached_property
    def _timeout(self) -> timedelta:
        return self._environment.functions.timeout(self._settings.function)

    @cached_property
    def _converter(self) -> Converter:
        return Converter(self._catalog, self._environment.record_types)

    @cached_property
    def _tables(self) -> dict[str, TableTypeDef]:
        tables = {}
        for name in self._environment.record_types:
            try:
                tables[name] = self._environment.glue.table(name)
            except TableNotFoundError:
                continue  # its records wait
        return tables

    @cached_property
    def _catalog(self) -> dict[str, RecordType]:
        """The record types with the schemas that their tables have; without a usable one, records wait."""
        catalog = {}
        for name, table in self._tables.items():
            try:
                catalog[name] = with_schema(self._environment.record_types[name], held_schema(table) or {})
            except SchemaError as error:
                logger.warning("table %s: its records wait: %s", name, error)
        return catalog

    @cached_property
    def _changing(self) -> dict[str, str]:
        """What changes which table."""
        marks = {name: ChangeMark.of(table) for name, table in self._tables.items()}
        return {name: mark.id for name, mark in marks.items() if mark is not None}


def _is_exact(raw: RawBatch, converted: Conversion) -> bool:
    """Whether the records are those of the batch, and no others lie between them."""
    return not raw.from_stream or (raw.batch.size == len(raw.records) - converted.filtered and not raw.lost)


@dataclass(frozen=True)
class _Placed:
    """Where the records of a group are."""

    group: Group
    written: frozenset[int]
    delivered: Delivered
    late: tuple[StreamRecord, ...]
    files: tuple[str, ...]
    has_own_file: bool


@dataclass
class _Work:
    """A batch that is being converted: rows of it may have been written by the worker since then and until then."""

    batch: BatchId
    raw: RawBatch
    converted: Conversion
    since: datetime
    until: datetime
    placed: list[_Placed] = field(default_factory=list)
    in_errors: frozenset[int] = frozenset()
    rejected: list[Rejection] = field(default_factory=list)
    quarantine: str | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the records are those of the batch alone."""
        return self.raw.from_stream and _is_exact(self.raw, self.converted)

    def add(self, placed: _Placed) -> None:
        """Enter a group."""
        self.placed.append(placed)
        self.rejected += [Rejection(record, _LATE) for record in placed.late]

    @property
    def lines(self) -> Iterator[str]:
        """A line a table, for people, and the name of the files, under which the rows can be queried."""
        for table, days in sorted(_dates(one.group for one in self.placed).items()):
            placed = [one for one in self.placed if one.group[0] == table]
            written = sum(len(one.written) for one in placed)
            found = sum(len(one.delivered.numbers) for one in placed)
            yield f"{table}: {written:,} written, {found:,} delivered already, partitions {date_runs(days)}"
        if any(one.written for one in self.placed):
            yield f"written to replay-{self.batch.folder}-{self.batch.start}-{self.batch.end}.avro of each partition"

    def report(self, *, dry_run: bool) -> BatchReport:
        """What came of it.

        Raises:
            VerificationError: A record is in none of the places, or in two.
        """
        counts = {
            "records": len(self.raw.records),
            "written": sum(len(one.written) for one in self.placed),
            "delivered": sum(len(one.delivered.numbers) for one in self.placed),
            "in_errors": len(self.in_errors),
            "quarantined": len(self.rejected),
            "filtered": self.converted.filtered,
            "indistinguishable": sum(one.delivered.indistinguishable for one in self.placed),
            "lost": self.raw.lost,
        }
        found = sum(counts[name] for name in PLACES)
        if found != counts["records"]:
            raise VerificationError(
                f"{self.batch}: {found} of its {counts['records']} records are accounted for; it stays open, whole"
            )
        return BatchReport(
            self.batch,
            State.PLANNED if dry_run else State.CONVERTED,
            counts=counts,
            files=tuple(key for one in self.placed for key in one.files),
            dates=_dates(one.group for one in self.placed if one.written or one.delivered.numbers),
            fresh={} if dry_run else _dates(one.group for one in self.placed if one.has_own_file),
            quarantine=self.quarantine,
        )


def _dates(groups: Iterable[Group]) -> dict[str, frozenset[date]]:
    """Partition dates by table."""
    dates: dict[str, set[date]] = {}
    for table, day in groups:
        dates.setdefault(table, set()).add(day)
    return {table: frozenset(days) for table, days in dates.items()}
