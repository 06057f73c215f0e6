"""Secure one failed batch: its records lie in S3, encrypted, before anything forgets where they were.

What is written, and in which order:

1. When records of the range are gone: ``quarantine/lost/…``, a document that says which shard, which range, how many
   and since when. It is written over an earlier one, so that it never tells of less than is lost.
2. ``replay/raw/{folder}/{start}-{end}.jsonl.gz``, the records, unless nothing is left. It is never written over another
   one: the same range holds the same records.

What is lost when the process dies after either: nothing. The message is still in the queue, and the next run finds the
raw file or reads the range again. Whoever claimed the message deletes it only after :meth:`Securer.secure` returned an
outcome that is not *failed*.

Calls, a batch:

    records that came along: 1 PUT
    records on the stream: 1 GetShardIterator + the pages of its range (GetRecords, at least one), 1 PUT
        no GetShardIterator, and no page that was read already, when the range begins in the last page read of its shard
    something lost: 1 PUT more; nothing left: that PUT alone
    known: none; 1 GET when a message tells of it once more, to see whether something of it was lost, or when somebody
        asks for its range, to see whether it has all of it
"""

from __future__ import annotations

import json
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from dmd_pipeline import quarantine, raw_batches
from dmd_pipeline.aws.s3 import JSON
from dmd_pipeline.errors import PipelineError, PositionError, ShardNotFoundError, StorageError, StreamError
from dmd_pipeline.jobs.replay_reports import Loss, Outcome, State
from dmd_pipeline.pacing import Pace
from dmd_pipeline.raw_batches import RawBatch


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dmd_pipeline.aws.kinesis import Stream
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord
    from dmd_pipeline.jobs.work_list import WorkList
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

RAW_CONTENT_TYPE: Final = "application/gzip"
LARGEST_CHUNK: Final = 10_000
"""Records of one raw file, of a range that somebody asked for."""
LARGEST_CHUNK_BYTES: Final = 10_000_000
"""Of their data."""
_FORGETS: Final = timedelta(minutes=10)
"""Nobody knows to the minute when a stream forgets a record."""
_LAST_CHANCE: Final = timedelta(minutes=30)
"""Before a deadline: there are a few more runs."""
_REMEMBERED_SHARDS: Final = 8
"""Of so many shards the last page stays in memory; the pace keeps a page below 2 MiB, on average."""


class ShardRanges:
    """Reads ranges of shards, within our share of each shard's limits.

    Failed batches often lie side by side: halves of a bisected one, or all of an outage. A range that begins in the
    last page read of its shard goes on from there, so that a thousand small batches cost far fewer reads than that.

    Args:
        stream: The stream.
        share: Of GetRecords' limits.
        meanwhile: Called after every page: work that must not wait for the end of a long range.
        sleep: What to wait with.
        clock: Seconds; never goes back.
    """

    def __init__(
        self,
        stream: Stream,
        share: float,
        meanwhile: Callable[[], None],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._meanwhile = meanwhile
        self._new_pace = partial(Pace, share, sleep, clock)
        self._paces: dict[str, Pace] = {}
        self._cursors: OrderedDict[str, _Cursor] = OrderedDict()

    def records(self, batch: BatchId) -> list[StreamRecord]:
        """What the stream has of a range, by sequence number.

        Raises:
            ShardNotFoundError: The stream has no such shard any more.
            StreamError: Kinesis refused.
            ThrottledError: Kinesis asked to slow down until the retries ran out.
        """
        cursor = self._cursors.pop(batch.folder, None)
        if cursor is None or not cursor.holds(batch.start):
            cursor = _Cursor(self.pages(batch.folder, batch.start))
        taken = list(cursor.take(batch.start, batch.end))
        self._cursors[batch.folder] = cursor
        while len(self._cursors) > _REMEMBERED_SHARDS:
            self._cursors.popitem(last=False)
        return taken

    def pages(self, shard_id: str, start: int | datetime) -> Iterator[Sequence[StreamRecord]]:
        """A shard from a place on, page by page, to its end or its tip; raises what :meth:`records` does."""
        if shard_id not in self._paces:
            self._paces[shard_id] = self._new_pace()
        return _pages(self._stream.read(shard_id, start, self._paces[shard_id]), self._meanwhile)


def _pages(read: Iterator[Sequence[StreamRecord]], meanwhile: Callable[[], None]) -> Iterator[Sequence[StreamRecord]]:
    # No method: it would keep alive who keeps it, with all the pages, until the garbage is collected.
    for page in read:
        yield page
        meanwhile()


class _Cursor:
    """A place in a shard: the pages to come, and what is left of the last one."""

    def __init__(self, pages: Iterator[Sequence[StreamRecord]]) -> None:
        self._pages = pages
        self._left: Sequence[StreamRecord] = ()

    def holds(self, start: int) -> bool:
        """Whether this very record has been read and not yet passed."""
        return any(record.sequence_number == start for record in self._left)

    def take(self, start: int, end: int) -> Iterator[StreamRecord]:
        """The records from ``start`` to ``end``; stops as soon as none of them can follow."""
        page: Sequence[StreamRecord] | None = self._left
        while page is not None:
            for position, record in enumerate(page):
                if record.sequence_number > end:
                    self._left = page[position:]
                    return
                if record.sequence_number >= start:
                    yield record
                if record.sequence_number == end:
                    self._left = page[position + 1 :]
                    return
            self._left = ()
            page = next(self._pages, None)


def loss_of(batch: FailedBatch, records: Sequence[StreamRecord], retention: timedelta) -> Loss | None:
    """What is missing of a range that was read from the stream.

    Its first and its last record are known to have been there. Of the batch itself nothing is missing when both are
    still there: the stream forgets its oldest records first.

    Args:
        batch: The batch.
        records: What was left of its range, by sequence number.
        retention: Of the stream.

    Returns:
        None when nothing is missing.
    """
    missing = {batch.id.start, batch.id.end} - {record.sequence_number for record in records}
    if not missing:
        return None
    least, most = len(missing), batch.size
    if batch.size is not None:
        least = max(least, batch.size - len(records))
        most = batch.size - (2 - len(missing) if batch.id.start != batch.id.end else 0)
        most = max(least, most)
    since = None if batch.first_arrival is None else batch.first_arrival + retention
    return Loss(least, most, records[0].sequence_number if records else None, since)


@dataclass
class Securer:
    """Secures batches one by one.

    Attributes:
        settings: Of the environment.
        bucket: Where records are secured.
        ranges: Reads the stream.
        work_list: The batches that were secured when the run began.
        opened: Those that it has secured; in a dry run, that it would have.
        overtaken: Those that another run secured meanwhile.
        retention: Tells the stream's retention.
        now: The time.
        dry_run: Read, and write nothing.
        rehearse: In a dry run, told of everything that would be secured; what would become of it, in words.
    """

    settings: Settings
    bucket: Bucket
    ranges: ShardRanges
    work_list: WorkList
    retention: Callable[[], timedelta]
    now: Callable[[], datetime]
    dry_run: bool = False
    rehearse: Callable[[RawBatch], str] | None = None
    opened: set[BatchId] = field(default_factory=set)
    overtaken: set[BatchId] = field(default_factory=set)

    def knows(self, batch: BatchId) -> bool:
        """Whether a batch need not be secured."""
        return batch in self.work_list or batch in self.opened or batch in self.overtaken

    def secure(self, batch: FailedBatch, deadline: datetime | None) -> Outcome:
        """Secure a batch; whatever is wrong with it is in the outcome, so that the others go on.

        Args:
            batch: With its records, or with the place on the stream where they are.
            deadline: When the first of it is lost.
        """
        try:
            outcome = self._secure(batch, deadline)
        except PipelineError as error:
            outcome = Outcome.of(batch, State.FAILED, deadline, why=str(error))
        except Exception as error:  # a defect that one batch brings to light must not hold up the others
            logger.exception("%s", batch.id)
            why = f"{type(error).__name__}: a defect; the log has the details"
            outcome = Outcome.of(batch, State.FAILED, deadline, why=why)
        level = logging.INFO if outcome.went_well else logging.WARNING
        logger.log(level, "%s%s", "dry run: " if self.dry_run else "", outcome)
        return outcome

    def store(
        self,
        batch: FailedBatch,
        records: Sequence[StreamRecord],
        deadline: datetime | None = None,
        loss: Loss | None = None,
    ) -> Outcome:
        """Write the records of a batch that were read.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        if self.knows(batch.id):
            return Outcome.of(batch, State.KNOWN, deadline)
        lost = 0 if loss is None else loss.at_least
        state, why = State.SECURED, ""
        if self.dry_run:
            if self.rehearse is not None:
                raw = RawBatch(replace(batch, records=None), tuple(records), batch.records is None, lost)
                why = self.rehearse(raw)
        else:
            content = raw_batches.content(batch, records, lost=lost)
            key = self.settings.layout.raw_key(batch.id)
            # The process dies after this call: the raw file is there, the message too; the next run deletes it.
            if not self.bucket.create(key, content, RAW_CONTENT_TYPE, kms_key=self.settings.kms_key_arn):
                state = State.KNOWN  # another run was faster: the same range, the same records
        (self.opened if state is State.SECURED else self.overtaken).add(batch.id)
        counts = {"records": len(records), "bytes": sum(len(record.data) for record in records)}
        return Outcome.of(batch, state, deadline, loss=loss, why=why, **counts)

    def holds(self, batch: BatchId, records: Sequence[StreamRecord]) -> bool:
        """Whether the raw file of a batch has all of these records; one that is gone or damaged has none.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        key = self.settings.layout.raw_key(batch)
        found = self.bucket.find(key)
        if found is None:
            return False
        try:
            held = raw_batches.read(found[0], self.settings.layout.uri(key)).records
        except StorageError as error:
            logger.warning("%s", error)
            return False
        return {record.sequence_number for record in records} <= {record.sequence_number for record in held}

    def tell_of_loss(self, batch: FailedBatch, loss: Loss) -> None:
        """Write the document about what is lost.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        if self.dry_run:
            return
        document = quarantine.lost_document(
            batch, at_least=loss.at_least, at_most=loss.at_most, first_left=loss.first_left, since=loss.since
        )
        key = self._loss_key(batch)
        # The process dies after this call: the document is there, the message too; the next run writes it again.
        self.bucket.write(key, document, JSON, kms_key=self.settings.kms_key_arn)

    def loss_told_before(self, batch: FailedBatch) -> Loss | None:
        """What an earlier run found lost of a batch whose message is there again: that run may have told nobody.

        Raises:
            StorageError: S3 refused, or the document is none.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        key = self._loss_key(batch)
        found = self.bucket.find(key)
        return None if found is None else _loss_in(found[0], self.settings.layout.uri(key))

    def _secure(self, batch: FailedBatch, deadline: datetime | None) -> Outcome:
        if self.knows(batch.id):
            return Outcome.of(batch, State.KNOWN, deadline)
        if batch.records is not None:
            return self.store(batch, batch.records, deadline)
        retention = self.retention()  # asked first: it fails when the whole stream is gone, and not only a shard of it
        why = ""
        try:
            records = self.ranges.records(batch.id)
        except (ShardNotFoundError, PositionError) as error:
            # A shard goes when the last of its records is forgotten; a number that a shard does not know is of another
            # stream, which had the same name.
            records, why = [], str(error)
        if not self._is_last_chance(deadline):
            self._refuse_half_a_range(batch, records, retention, is_gone=bool(why))
        loss = loss_of(batch, records, retention)
        if loss is not None:
            self.tell_of_loss(batch, loss)
        if not records:
            return Outcome.of(batch, State.LOST, deadline, loss=loss, why=why)
        return self.store(batch, records, deadline, loss)

    def _is_last_chance(self, deadline: datetime | None) -> bool:
        """Whether a batch may be lost before long: then what there is of it is secured, and the rest told as lost."""
        return deadline is not None and self.now() >= deadline - _LAST_CHANCE

    def _refuse_half_a_range(
        self, batch: FailedBatch, records: Sequence[StreamRecord], retention: timedelta, *, is_gone: bool
    ) -> None:
        """The stream forgets its oldest records first: what breaks off before the end was not read whole.

        Raises:
            StreamError: The range broke off; it is not lost, and can be read again.
        """
        if records:
            broke_off = records[-1].sequence_number != batch.id.end
        else:
            kept = batch.last_arrival is not None and self.now() < batch.last_arrival + retention - _FORGETS
            broke_off = kept and not is_gone
        if broke_off:
            raise StreamError(
                f"the stream gave {len(records):,} records of {batch.id} and not the last one, which it cannot have "
                "forgotten yet: the next run reads the range again"
            )

    def _loss_key(self, batch: FailedBatch) -> str:
        known = (batch.first_arrival, batch.last_arrival, batch.sent)
        day = next((moment for moment in known if moment is not None), self.now()).astimezone(UTC).date()
        name = f"{batch.id.folder}-{batch.id.start}-{batch.id.end}"
        return self.settings.layout.quarantine_key("lost", day, name)


def _loss_in(content: bytes, where: str) -> Loss:
    try:
        told = json.loads(content)
        first_left, since = told["firstLeft"], told["lostSince"]
        return Loss(
            int(told["lostAtLeast"]),
            told["lostAtMost"],
            None if first_left is None else int(first_left),
            None if since is None else datetime.fromisoformat(since),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError(f"{where} tells of no loss, or is damaged ({type(error).__name__})") from error


def chunks(pages: Iterable[Sequence[StreamRecord]], end: int | datetime) -> Iterator[list[StreamRecord]]:
    """Records up to a place, in chunks that are no larger than what one GetRecords call returns.

    Where a chunk ends follows from the records and from where they begin, not from the pages they came in.

    Args:
        pages: As they are read.
        end: The last sequence number or the last moment, both included.
    """
    chunk: list[StreamRecord] = []
    size = 0
    for page in pages:
        for record in page:
            if _is_beyond(record, end):
                if chunk:
                    yield chunk
                return
            if chunk and (len(chunk) == LARGEST_CHUNK or size + len(record.data) > LARGEST_CHUNK_BYTES):
                yield chunk
                chunk, size = [], 0
            chunk.append(record)
            size += len(record.data)
    if chunk:
        yield chunk


def _is_beyond(record: StreamRecord, end: int | datetime) -> bool:
    return record.sequence_number > end if isinstance(end, int) else record.arrived > end
