"""Claim failed batches: from the dead-letter queue, from documents in the bucket, or as a part of the stream.

Every source gives :class:`Claim` after claim, and reads no further ahead than needed: what has come along with one is
secured before the next one is read, so that memory stays flat.

Calls:

    queue, N messages: ⌈N/10⌉ + 1 ReceiveMessage; ⌈N/10⌉ DeleteMessageBatch when all are done with
        and, for H messages that are still hidden ten minutes after they were received, ⌈H/10⌉
        ChangeMessageVisibilityBatch each ten minutes
    destination and quarantine, N objects: ⌈N/1000⌉ LIST, at least one, + N GET
    errors, N objects of which K were taken before: ⌈N/1000⌉ LIST, at least one, + N - K GET

SQS may give fewer than ten messages at a time, and Kinesis fewer records than asked for: then there are more calls.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from dmd_pipeline import failures, quarantine
from dmd_pipeline.aws.sqs import BATCH
from dmd_pipeline.errors import BacklogError, NotAFailureError, ParameterError, PipelineError
from dmd_pipeline.stamps import utc_stamp


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import Self

    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.aws.sqs import Message, Queue, Receipt
    from dmd_pipeline.failed_batches import FailedBatch
    from dmd_pipeline.jobs.backlog import Backlog
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

HIDDEN: Final = timedelta(minutes=15)
"""How long a message stays hidden from others; a run that was killed delays it by no more than this."""
RENEWED: Final = timedelta(minutes=5)
"""A message that would come into sight so soon is hidden again."""
LONG_POLL: Final = timedelta(seconds=5)
"""How long a receive waits for the first message."""
CLOCK_MARGIN: Final = timedelta(minutes=1)
"""A stream's clock is another machine's: what arrived just before now by ours may bear a later time."""

_NEVER: Final = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
_LAMBDAS_OWN_PREFIX: Final = "aws/lambda/"
"""Where Lambda puts an S3 on-failure destination's objects; it can be given no other."""
_SHARD_ID: Final = re.compile(r"shardId-\d{12}", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,128}", re.ASCII)


class Source(StrEnum):
    """Where failed batches are claimed from."""

    QUEUE = "queue"
    DESTINATION = "destination"
    ERRORS = "errors"
    QUARANTINE = "quarantine"
    STREAM = "stream"


@dataclass(frozen=True)
class Request:
    """What a run was asked for, validated.

    Attributes:
        source: Where batches are claimed from.
        prefix: Of an S3 on-failure destination's objects.
        shard_id: Of the stream; None for all.
        start: First sequence number, or first moment.
        end: Last sequence number, or last moment; both ends are included.
    """

    source: Source
    prefix: str = ""
    shard_id: str | None = None
    start: int | datetime = 0
    end: int | datetime = 0

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        source: str,
        prefix: str | None,
        shard_id: str | None,
        start: str | None,
        end: str | None,
        now: datetime,
    ) -> Self:
        """Read the Params.

        Raises:
            ParameterError: One of them makes no sense; names it.
        """
        if source not in set(Source):
            raise ParameterError(f"source: expected one of {', '.join(Source)}, found {source!r}")
        wanted = Source(source)
        given = {
            name: value.strip()
            for name, value in (("prefix", prefix), ("shard_id", shard_id), ("start", start), ("end", end))
            if value is not None and value.strip()
        }
        taken = {Source.DESTINATION: {"prefix"}, Source.STREAM: {"shard_id", "start", "end"}}.get(wanted, set())
        for name in given.keys() - taken:
            raise ParameterError(f"{name}: source {wanted} takes none; leave it empty, or choose another source")
        if wanted is Source.DESTINATION:
            return cls(wanted, prefix=_prefix(given.get("prefix"), settings))
        if wanted is Source.STREAM:
            return cls(wanted, "", *_range(given, now))
        return cls(wanted)


def _prefix(prefix: str | None, settings: Settings) -> str:
    allowed = (f"{settings.prefix}/", _LAMBDAS_OWN_PREFIX)
    if prefix is None:
        raise ParameterError("prefix: source destination needs one: where the on-failure destination's objects lie")
    if not prefix.startswith(allowed) or ".." in prefix:
        raise ParameterError(f"prefix: expected a prefix below {' or '.join(allowed)}, found {prefix!r}")
    return prefix


def _range(given: dict[str, str], now: datetime) -> tuple[str | None, int | datetime, int | datetime]:
    shard_id = given.get("shard_id")
    if shard_id is not None and _SHARD_ID.fullmatch(shard_id) is None:
        raise ParameterError(f"shard_id: expected shardId- and twelve digits, found {shard_id!r}")
    if "start" not in given:
        raise ParameterError("start: source stream needs one: a sequence number, or a time")
    start = _place("start", given["start"])
    end = _place("end", given["end"]) if "end" in given else now + CLOCK_MARGIN
    for name, place in (("start", start), ("end", end)):
        if isinstance(place, int) and shard_id is None:
            raise ParameterError(f"{name}: a sequence number needs a shard_id: the number says nothing about its shard")
    if isinstance(start, datetime) and start > now:
        raise ParameterError(f"start: {utc_stamp(start)} is in the future")
    if _is_after(start, end):
        raise ParameterError(f"end: {given['end']} is before start {given['start']}")
    return shard_id, start, end


def _place(parameter: str, text: str) -> int | datetime:
    if _NUMBER.fullmatch(text) is not None:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ParameterError(
            f"{parameter}: expected a sequence number, or a time with its offset such as 2026-03-01T12:00:00Z; "
            f"found {text!r}"
        )
    return moment


def _is_after(start: int | datetime, end: int | datetime) -> bool:
    if isinstance(start, int) and isinstance(end, int):
        return start > end
    return isinstance(start, datetime) and isinstance(end, datetime) and start > end


@dataclass(frozen=True)
class Claim:
    """One message or document.

    Attributes:
        origin: What it is, for people.
        batches: The failed batches it tells of.
        message: The message, when it came from the queue.
        refused: Why it tells of no failed batch of this pipeline.
        failed: Why it could not be read.
        is_known: Whether it was taken before, so that it was not even read.
    """

    origin: str
    batches: tuple[FailedBatch, ...] = ()
    message: Message | None = None
    refused: NotAFailureError | None = None
    failed: str | None = None
    is_known: bool = False


class QueueClaims:
    """What the queue gives; keeps messages hidden while they are worked on, and deletes them afterwards.

    Attributes:
        undeleted: Why a message that is done with was not deleted, by id. It comes again, which does no harm.
    """

    def __init__(
        self, queue: Queue, settings: Settings, backlog: Backlog, now: Callable[[], datetime], long_poll: timedelta
    ) -> None:
        self._queue = queue
        self._settings = settings
        self._backlog = backlog
        self._now = now
        self._long_poll = long_poll
        self._renew_at = _NEVER
        self._done: list[Receipt] = []
        self.undeleted: dict[str, str] = {}

    def __iter__(self) -> Iterator[Claim]:
        """Every message, until the queue gives nothing.

        Raises:
            PipelineError: SQS refused to give more, or the disk takes no more; those that were given are hidden.
        """
        while True:
            asked = self._now()
            messages = self._queue.receive(wait=self._long_poll, hidden_for=HIDDEN)
            if not messages:
                return
            fresh = [message for message in messages if not self._backlog.hides(message.id)]
            self._backlog.hide(messages, asked + HIDDEN)  # one that comes again has another handle
            self._renew_at = min(self._renew_at, asked + HIDDEN - RENEWED)
            for message in fresh:
                yield self._claim(message)
                self.keep_hidden()

    def keep_hidden(self) -> None:
        """Hide the messages again that would soon come into sight.

        One that does come into sight is claimed a second time, which does no harm: nothing is raised.
        """
        now = self._now()
        if now < self._renew_at:
            return
        refused = False
        try:
            while due := self._backlog.visible_by(now + RENEWED):
                self._backlog.hide(due, now + HIDDEN)
                # Who refused once is not asked about each of a thousand others: deadlines do not wait.
                refused = refused or not self._hide(due, HIDDEN)
            visible = self._backlog.next_visible()
        except BacklogError as error:
            logger.warning("messages may come into sight while they are worked on: %s", error)
            visible = now + HIDDEN
        self._renew_at = _NEVER if visible is None else visible - RENEWED

    def _hide(self, messages: Sequence[Receipt], hidden_for: timedelta) -> bool:
        """Hide messages from now on; whether SQS did not refuse altogether."""
        try:
            errors = self._queue.hide(messages, hidden_for)
        except PipelineError as error:
            logger.warning("messages may come into sight while they are worked on: %s", error)
            return False
        for name, reason in errors.items():
            logger.warning("message %s may come into sight while it is worked on: %s", name, reason)
        return True

    def done(self, message: str) -> None:
        """Delete a message, by its id, soon.

        What it stands for must be durable: once it is deleted, nothing else knows of it. A process that dies before the
        deletion leaves the message to the next run, which finds everything done and deletes it.
        """
        try:
            held = self._backlog.let_go(message)
        except BacklogError as error:
            logger.warning("message %s was not deleted: %s; it comes again", message, error)
            self.undeleted[message] = str(error)
            return
        if held is not None:
            self._done.append(held)
        if len(self._done) == BATCH:
            self.flush()

    def flush(self) -> None:
        """Delete the messages that are done with; what cannot be deleted is noted."""
        batch, self._done = self._done, []
        if not batch:
            return
        try:
            # The process dies after this call: the messages are gone, and all they stood for is in the bucket.
            errors = self._queue.delete(batch)
        except PipelineError as error:
            self.undeleted |= {message.id: str(error) for message in batch}
        else:
            self.undeleted |= {name: str(reason) for name, reason in errors.items()}
        for message in batch:
            if message.id in self.undeleted:
                logger.warning("message %s was not deleted: %s; it comes again", message.id, self.undeleted[message.id])
            else:
                logger.info("message %s deleted", message.id)

    def release(self) -> None:
        """Make the messages visible again that are hidden.

        Raises:
            PipelineError: SQS refused; they come into sight by themselves.
        """
        while held := self._backlog.visible_by(_NEVER):
            for message in held:
                self._backlog.let_go(message.id)
            self._queue.hide(held, timedelta(0))

    def _claim(self, message: Message) -> Claim:
        origin = f"queue message {message.id}"
        try:
            batches = failures.parse(
                message.body,
                message.attributes,
                stream_arn=self._settings.stream_arn,
                function_arn=self._settings.function_arn,
                origin=origin,
                sent=message.sent,
            )
        except NotAFailureError as error:
            return Claim(origin, message=message, refused=error)
        except Exception as error:  # a defect that one message brings to light must not hold up the others
            logger.exception("%s", origin)
            return Claim(origin, failed=f"{type(error).__name__}: a defect; the log has the details")
        return Claim(origin, tuple(batches), message)


def from_destination(bucket: Bucket, settings: Settings, prefix: str) -> Iterator[Claim]:
    """The objects of an S3 on-failure destination. They are left where they are: they are not ours.

    Raises:
        PipelineError: S3 refused to list them.
    """

    def parse(content: bytes, key: str) -> list[FailedBatch]:
        return failures.parse(
            content.decode(errors="replace"),
            {},
            stream_arn=settings.stream_arn,
            function_arn=settings.function_arn,
            origin=key,
            sent=None,
        )

    return _documents(bucket, prefix, parse)


def from_errors(bucket: Bucket, settings: Settings, known_folders: Collection[str]) -> Iterator[Claim]:
    """The delivery worker's documents of invalid records.

    Args:
        bucket: Where they are.
        settings: Of the environment.
        known_folders: Folders of batches that were secured before.

    Raises:
        PipelineError: S3 refused to list them.
    """
    prefix = settings.layout.errors_prefix()

    def stem(key: str) -> str:
        return key.removeprefix(prefix).removesuffix(".json")

    def parse(content: bytes, key: str) -> list[FailedBatch]:
        return [failures.parse_errors_document(content, stem(key))]

    return _documents(bucket, prefix, parse, lambda key: f"errors-{stem(key)}" in known_folders)


def from_quarantine(bucket: Bucket, settings: Settings) -> Iterator[Claim]:
    """The documents in quarantine: rejected records, and messages that may be understood by now.

    Raises:
        PipelineError: S3 refused to list them.
    """

    def parse(content: bytes, key: str) -> list[FailedBatch]:
        return quarantine.batches_in(
            content,
            settings.layout.uri(key),
            stream_arn=settings.stream_arn,
            function_arn=settings.function_arn,
        )

    return _documents(bucket, settings.layout.quarantine_prefix(), parse)


def _documents(
    bucket: Bucket,
    prefix: str,
    parse: Callable[[bytes, str], list[FailedBatch]],
    is_known: Callable[[str], bool] = lambda _: False,
) -> Iterator[Claim]:
    for stored in bucket.objects_below(prefix):
        if stored.key.endswith("/"):
            continue  # the console makes "folders" that are empty objects
        if is_known(stored.key):
            yield Claim(stored.key, is_known=True)
            continue
        try:
            yield Claim(stored.key, tuple(parse(bucket.read(stored.key), stored.key)))
        except NotAFailureError as error:
            yield Claim(stored.key, refused=error)
        except PipelineError as error:
            yield Claim(stored.key, failed=str(error))
        except Exception as error:  # a defect that one document brings to light must not hold up the others
            logger.exception("%s", stored.key)
            yield Claim(stored.key, failed=f"{type(error).__name__}: a defect; the log has the details")
