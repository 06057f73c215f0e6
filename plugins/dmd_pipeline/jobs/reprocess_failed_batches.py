"""Reprocess failed batches: claim them and secure their records; nothing that failed gets lost.

:func:`secure` is the first half; :mod:`~dmd_pipeline.jobs.conversion` is the second, lane by lane. One task runs it,
because it races against deadlines: the stream forgets the records of a failed batch, and the queue forgets the message.

1. Look at the event source mapping and at the alarm on the queue's age (:mod:`~dmd_pipeline.jobs.worker_watch`).
2. List what is secured already (:mod:`~dmd_pipeline.jobs.work_list`).
3. Claim (:mod:`~dmd_pipeline.jobs.claiming`). What is no failure of this pipeline goes to quarantine, whole. What came
   with its records is secured at once; the others are collected.
4. Secure those (:mod:`~dmd_pipeline.jobs.securing`), nearest deadline first.
5. Delete each message when all that it tells of is durable; when something of it is lost, after people were told.

A batch that cannot be secured stops no other: its message stays in the queue, and the report says why.

Calls of a run over the queue, for N messages that tell of R batches with records and P positions, Q messages that go to
quarantine, and F names below replay/raw/:

    1 ListEventSourceMappings + 1 DescribeAlarms + ⌈F/1000⌉ LIST (at least one)
    + 1 GetQueueUrl + ⌈N/10⌉ + 1 ReceiveMessage + ⌈N/10⌉ DeleteMessageBatch, one more when something is lost
    + 1 GetQueueAttributes + 1 DescribeStreamSummary, when there is a batch
    + R + P + Q PutObject
    + P GetShardIterator + the pages of their ranges, fewer where ranges lie side by side
    + 1 GetObject for each position that was secured by an earlier run, instead of PUT and reads

so that an empty run costs five calls, and a message at most 2.2 beyond reading and writing the data.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from dmd_pipeline import quarantine
from dmd_pipeline.aws.s3 import JSON
from dmd_pipeline.errors import PipelineError
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord
from dmd_pipeline.jobs import claiming, worker_watch
from dmd_pipeline.jobs.backlog import Backlog
from dmd_pipeline.jobs.claiming import LONG_POLL, Claim, QueueClaims, Request, Source
from dmd_pipeline.jobs.replay_reports import Loss, Outcome, Outcomes, SecureReport, State
from dmd_pipeline.jobs.securing import Securer, ShardRanges, chunks
from dmd_pipeline.jobs.work_list import read_work_list
from dmd_pipeline.stamps import utc_stamp


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dmd_pipeline.aws.cloudwatch import Alarms
    from dmd_pipeline.aws.kinesis import Stream
    from dmd_pipeline.aws.lambda_ import Functions
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.aws.sqs import Queue
    from dmd_pipeline.raw_batches import RawBatch
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

_NO_DEADLINE = datetime.max.replace(tzinfo=UTC)


def secure(
    settings: Settings,
    *,
    queue: Queue,
    stream: Stream,
    functions: Functions,
    alarms: Alarms,
    bucket: Bucket,
    source: str = Source.QUEUE,
    prefix: str | None = None,
    shard_id: str | None = None,
    start: str | None = None,
    end: str | None = None,
    dry_run: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    long_poll: timedelta = LONG_POLL,
    rehearse: Callable[[RawBatch], str] | None = None,
    report_to: Callable[[SecureReport], None] | None = None,
) -> SecureReport:
    """Claim failed batches and secure their records.

    Args:
        settings: Of the environment.
        queue: The dead-letter queue.
        stream: The stream of change records.
        functions: Lambda.
        alarms: CloudWatch.
        bucket: Where records are secured.
        source: ``queue``, ``destination``, ``errors``, ``quarantine`` or ``stream``.
        prefix: Of the objects of an S3 on-failure destination.
        shard_id: Source ``stream``: one shard; all of them when None.
        start: Source ``stream``: the first sequence number, or a time.
        end: Source ``stream``: the last sequence number, or a time; when None, all that arrived by now.
        dry_run: Read what would be secured; delete, write and quarantine nothing. Messages are hidden from others until
            the end, and visible again then.
        now: The time.
        sleep: What to wait with for our share of the stream.
        clock: Seconds, by which that share is measured.
        long_poll: How long to wait for the first message.
        rehearse: In a dry run, asked what would become of the records of each batch.
        report_to: Gets the report, and tells people of what is lost: only then the messages about it are deleted.

    Returns:
        The report. The run has to end failed, once its open batches are converted, when it has ``problems``.

    Raises:
        ParameterError: A parameter makes no sense; nothing was read.
        PipelineError: It could not even be listed what is secured; nothing was claimed.
    """
    began = now()
    request = Request.of(settings, source=source, prefix=prefix, shard_id=shard_id, start=start, end=end, now=began)
    deadlines = _Deadlines(stream, queue)
    watch = worker_watch.look(settings, functions, alarms, lambda: deadlines.stream_retention, dry_run=dry_run)
    work_list = read_work_list(bucket, settings.layout)
    with Backlog() as backlog:
        claims = QueueClaims(queue, settings, backlog, now, long_poll)
        ranges = ShardRanges(stream, settings.replay.read_share, claims.keep_hidden, sleep=sleep, clock=clock)
        securer = Securer(
            settings,
            bucket,
            ranges,
            work_list,
            lambda: deadlines.stream_retention,
            now,
            dry_run=dry_run,
            rehearse=rehearse,
        )
        outcomes = Outcomes(began, timedelta(hours=settings.replay.deadline_margin_hours), all=dry_run)
        run = _Securing(
            settings, bucket, stream, request, claims, backlog, ranges, securer, deadlines, outcomes, dict(watch.failed)
        )
        run.work()
        opened = frozenset[BatchId]() if dry_run else securer.opened
        report = SecureReport(
            source=request.source.value,
            at=outcomes.at,
            margin=outcomes.margin,
            claimed=run.claimed,
            outcomes=tuple(sorted(outcomes.told, key=lambda outcome: outcome.deadline or _NO_DEADLINE)),
            others=outcomes.others,
            passed_over=run.passed_over,
            quarantined=run.quarantined,
            strange=run.strange,
            failed=run.failed | deadlines.failed,
            undeleted=claims.undeleted,
            findings=watch.findings,
            notes=(*watch.notes, *run.notes),
            open=len(work_list.open) + len(opened),
            lanes=tuple(sorted({*work_list.lanes, *(batch.lane for batch in opened)})),
            dry_run=dry_run,
        )
        for line in report.summary:
            logger.info("%s", line)
        if report_to is not None:
            report_to(report)
        run.delete_told()
    return report


class _Deadlines:
    """When batches are lost; asks the stream and the queue for their retention once, and only when needed.

    Attributes:
        failed: Why one of them did not tell, by its name: batches are secured all the same, only in another order.
    """

    def __init__(self, stream: Stream, queue: Queue) -> None:
        self._stream = stream
        self._queue = queue
        self.failed: dict[str, str] = {}

    @cached_property
    def stream_retention(self) -> timedelta:
        """How long the stream keeps its records.

        Raises:
            PipelineError: Kinesis refused to tell.
        """
        return self._stream.retention()

    @cached_property
    def _of_stream(self) -> timedelta | None:
        return self._tried("stream's retention", lambda: self.stream_retention)

    @cached_property
    def _of_queue(self) -> timedelta | None:
        return self._tried("queue's retention", self._queue.retention)

    def of(self, batch: FailedBatch) -> datetime | None:
        """When the first of a batch is lost; None when nobody knows."""
        on_stream = batch.records is None and batch.first_arrival is not None
        return batch.deadline(self._of_stream if on_stream else None, None if batch.sent is None else self._of_queue)

    def _tried(self, what: str, ask: Callable[[], timedelta]) -> timedelta | None:
        try:
            return ask()
        except PipelineError as error:
            logger.warning("%s: %s", what, error)
            self.failed[what] = str(error)
            return None


@dataclass
class _Securing:
    """One run."""

    settings: Settings
    bucket: Bucket
    stream: Stream
    request: Request
    queue: QueueClaims
    backlog: Backlog
    ranges: ShardRanges
    securer: Securer
    deadlines: _Deadlines
    outcomes: Outcomes
    failed: dict[str, str]
    claimed: int = 0
    passed_over: int = 0
    quarantined: dict[str, str] = field(default_factory=dict)
    strange: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unfinished: dict[str, int] = field(default_factory=dict)
    """Batches that are not durable yet, by the id of the message that tells of several."""
    to_be_told: dict[str, None] = field(default_factory=dict)
    """Ids of messages about something lost, of which nobody has been told yet, in their order."""

    def work(self) -> None:
        """Claim and secure; what fails is noted, and what was done with before is deleted in any case."""
        try:
            if self.request.source is Source.STREAM:
                self._secure_stream()
            else:
                self._claim_and_secure()
        finally:
            self.queue.flush()
            if self.securer.dry_run:
                self._try(f"source {self.request.source}", self.queue.release)

    def _claim_and_secure(self) -> None:
        source = f"source {self.request.source}"
        # What was claimed before the source failed is still secured: its deadline does not wait.
        self._try(source, lambda: self._take_all(self._claims()))
        self._try("backlog", self._secure_waiting)

    def _secure_waiting(self) -> None:
        for batch, deadline, message in self.backlog.nearest_first():
            self._secure(batch, deadline, message)
            self.queue.keep_hidden()

    def _try(self, what: str, act: Callable[[], None]) -> None:
        try:
            act()
        except PipelineError as error:
            logger.warning("%s: %s", what, error)
            self.failed[what] = str(error)

    def _claims(self) -> Iterable[Claim]:
        if self.request.source is Source.DESTINATION:
            return claiming.from_destination(self.bucket, self.settings, self.request.prefix)
        if self.request.source is Source.ERRORS:
            return claiming.from_errors(self.bucket, self.settings, self.securer.work_list.folders)
        if self.request.source is Source.QUARANTINE:
            return claiming.from_quarantine(self.bucket, self.settings)
        return self.queue

    def _take_all(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            self.claimed += 1
            if claim.is_known:
                self.passed_over += 1
            elif claim.failed is not None:
                self.failed[claim.origin] = claim.failed
            elif claim.refused is not None:
                self._refuse(claim)
            else:
                self._take(claim)

    def _take(self, claim: Claim) -> None:
        message = None if claim.message is None else claim.message.id
        if message is not None and len(claim.batches) > 1:  # never none: that would be no failure
            self.unfinished[message] = len(claim.batches)
        for batch in claim.batches:
            deadline = self.deadlines.of(batch)
            if self._is_capped(batch):
                why = f"its records were rejected {batch.attempts} times: correct them, or raise replay.attempts"
                self.outcomes.add(Outcome.of(batch, State.CAPPED, deadline, why=why))
            elif batch.records is not None or self.securer.knows(batch.id):
                self._secure(batch, deadline, message)
            else:
                self.backlog.wait(batch, deadline, message)

    def _is_capped(self, batch: FailedBatch) -> bool:
        return batch.attempts >= self.settings.replay.attempts and not self.securer.knows(batch.id)

    def _secure(self, batch: FailedBatch, deadline: datetime | None, message: str | None) -> None:
        outcome = self.securer.secure(batch, deadline)
        if batch.id in self.securer.work_list and message is not None and batch.records is None:
            try:
                outcome = replace(outcome, loss=self.securer.loss_told_before(batch))
            except PipelineError as error:
                outcome = replace(outcome, state=State.FAILED, why=str(error))
        self.outcomes.add(outcome)
        if message is None or outcome.state is State.FAILED:
            return
        if outcome.loss is not None:
            self.to_be_told[message] = None
        left = self.unfinished.pop(message, 1) - 1
        if left:
            self.unfinished[message] = left
        elif not self.securer.dry_run and message not in self.to_be_told:
            self.queue.done(message)

    def delete_told(self) -> None:
        """Delete the messages about losses, once people have been told.

        The process dies before this: the next run finds the losses in quarantine, and tells of them again.
        """
        for message in self.to_be_told:
            if message not in self.unfinished and not self.securer.dry_run:
                self.queue.done(message)
        self.queue.flush()

    def _refuse(self, claim: Claim) -> None:
        """Put a message that is not ours into quarantine, whole; a document is left where it is."""
        error, message = claim.refused, claim.message
        if error is None:
            return
        if message is None:
            self.strange[claim.origin] = str(error)
            logger.warning("%s: left where it is: %s", claim.origin, error)
            return
        reason = "foreign" if error.reason == "foreign" else "unknown-message"
        key = self.settings.layout.quarantine_key(reason, message.sent.astimezone(UTC).date(), message.id)
        if not self.securer.dry_run:
            document = quarantine.message_document(
                error.reason,
                error.text,
                message_id=message.id,
                body=message.body,
                attributes=message.attributes,
                sent=message.sent,
            )
            try:
                # The process dies after this call: the document is there, the message too; the next run finds both.
                self.bucket.create(key, document, JSON, kms_key=self.settings.kms_key_arn)
            except PipelineError as refused:
                self.failed[claim.origin] = str(refused)
                logger.warning("%s: not put into quarantine: %s", claim.origin, refused)
                return
            self.queue.done(message.id)
        self.quarantined[claim.origin] = f"{reason}: {error.text}"
        logger.warning("%s: %s: %s; %s", claim.origin, reason, error.text, self.settings.layout.uri(key))

    def _secure_stream(self) -> None:
        source = f"source {self.request.source}"
        self._try(source, self._note_retention)
        if self.request.shard_id is not None:
            shards = [self.request.shard_id]
        else:
            shards = []
            self._try(source, lambda: shards.extend(self.stream.shard_ids()))
        for shard_id in shards:
            self._try(shard_id, partial(self._secure_shard, shard_id))

    def _note_retention(self) -> None:
        """Say so when the range begins before what the stream remembers: nobody knows how much is missing."""
        begins = self.securer.now() - self.deadlines.stream_retention
        if isinstance(self.request.start, datetime) and self.request.start < begins:
            self.notes.append(f"the stream remembers nothing before {utc_stamp(begins)}: what came earlier is lost")

    def _secure_shard(self, shard_id: str) -> None:
        start, end = self.request.start, self.request.end
        first: int | None = None
        for chunk in chunks(self.ranges.pages(shard_id, start), end):
            if first is None:
                first = chunk[0].sequence_number
            self.claimed += 1
            self._store_chunk(shard_id, chunk)
        if isinstance(start, int) and start != first:
            self._lose(shard_id, start, first, end)

    def _store_chunk(self, shard_id: str, chunk: Sequence[StreamRecord]) -> None:
        """Secure records of the stream: in halves, where a batch between the same two ends has not all of them.

        What came along with a message are the records of one lane; somebody who asks for a range wants all.
        """
        batch = FailedBatch(
            BatchId(shard_id, chunk[0].sequence_number, chunk[-1].sequence_number),
            size=None,
            first_arrival=chunk[0].arrived,
            last_arrival=chunk[-1].arrived,
            condition=Source.STREAM.value,
            origin=f"stream {self.settings.stream}",
        )
        # A single record is not divided: a file between it and itself can be of nothing else.
        if len(chunk) > 1 and self.securer.knows(batch.id) and not self.securer.holds(batch.id, chunk):
            middle = (len(chunk) + 1) // 2
            self._store_chunk(shard_id, chunk[:middle])
            self._store_chunk(shard_id, chunk[middle:])
            return
        outcome = self.securer.store(batch, chunk, self.deadlines.of(batch))
        logger.info("%s%s", "dry run: " if self.securer.dry_run else "", outcome)
        self.outcomes.add(outcome)

    def _lose(self, shard_id: str, start: int, first: int | None, end: int | datetime) -> None:
        """The range began with a record that is gone."""
        last = first - 1 if first is not None else end if isinstance(end, int) else start
        batch = FailedBatch(BatchId(shard_id, start, max(start, last)), None, None, None, Source.STREAM.value, "stream")
        loss = Loss(1, None, first, None)
        self.securer.tell_of_loss(batch, loss)
        outcome = Outcome.of(batch, State.LOST, None, loss=loss)
        logger.warning("%s", outcome)
        self.outcomes.add(outcome)
