"""The event source mapping between the stream and the delivery worker, and which of its settings lose records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.errors import PatternError
from dmd_pipeline.event_filters import EventFilter


if TYPE_CHECKING:
    from collections.abc import Mapping


FOREVER: Final = -1
"""Lambda's way to say "no limit", for retries and for age."""
_OFF: Final = frozenset({"Disabled", "Disabling", "Deleting"})
_SOUND_RETRIES: Final = 2
_SOUND_AGE_SECONDS: Final = 6 * 60 * 60


@dataclass(frozen=True)
class EventSourceMapping:
    """How records get from the stream to the function.

    Attributes:
        uuid: Its identity.
        enabled: Whether the stream is read at all.
        starting_position: ``LATEST`` or ``TRIM_HORIZON``: where a shard is begun.
        batch_size: Most records of one invocation.
        batching_window: How long a batch may wait to be filled.
        parallelization_factor: Batches of one shard under way at once.
        retries: How often a failed batch is tried again, or ``FOREVER``.
        record_age: How old the first record of a failed batch may get; None without a limit.
        bisect: Whether a failed batch is halved instead of repeated.
        destination: ARN of what receives the positions of batches that failed for good, or None.
        event_filter: Which records reach the function.
    """

    uuid: str
    enabled: bool
    starting_position: str
    batch_size: int
    batching_window: timedelta
    parallelization_factor: int
    retries: int
    record_age: timedelta | None
    bisect: bool
    destination: str | None
    event_filter: EventFilter

    def __str__(self) -> str:
        retries = "retries without limit" if self.retries == FOREVER else f"{self.retries} retries"
        age = "of any age" if self.record_age is None else f"up to {_shown(self.record_age)} old"
        halved = "halved when they fail" if self.bisect else "not halved when they fail"
        given_up = f"given up to {self.destination}" if self.destination else "given up to nobody"
        state = "" if self.enabled else "disabled; "
        return f"{state}{retries}, records {age}, batches of {self.batch_size:,}, {halved}, {given_up}"


SHORTEST_RETENTION: Final = timedelta(hours=24)
"""No stream can be told to forget its records sooner."""


def parse(held: Mapping[str, Any]) -> EventSourceMapping:
    """A mapping as Lambda describes it.

    What is left out is as Lambda's defaults have it.

    Raises:
        PatternError: A filter pattern is not understood, or the filter cannot be decrypted.
    """
    unreadable = held.get("FilterCriteriaError")
    if unreadable:
        raise PatternError(
            f"the filter of event source mapping {held['UUID']} cannot be read: "
            f"{unreadable.get('ErrorCode')}: {unreadable.get('Message')}"
        )
    age = held.get("MaximumRecordAgeInSeconds")
    retries = held.get("MaximumRetryAttempts")
    return EventSourceMapping(
        uuid=held["UUID"],
        enabled=held.get("State") not in _OFF,
        starting_position=held.get("StartingPosition") or "LATEST",
        batch_size=held.get("BatchSize") or 100,
        batching_window=timedelta(seconds=held.get("MaximumBatchingWindowInSeconds") or 0),
        parallelization_factor=held.get("ParallelizationFactor") or 1,
        retries=FOREVER if retries is None else retries,  # no retries at all is a limit, too
        record_age=None if age in (None, FOREVER) else timedelta(seconds=age),
        bisect=bool(held.get("BisectBatchOnFunctionError")),
        destination=_destination(held),
        event_filter=EventFilter([one["Pattern"] for one in (held.get("FilterCriteria") or {}).get("Filters", [])]),
    )


def findings(mapping: EventSourceMapping, *, queue_arn: str, retention: timedelta | None = None) -> list[str]:
    """What of a mapping's settings blocks a shard or loses records, each with its remedy.

    That a failed batch is not halved is no finding: it costs time, never records.

    Args:
        mapping: As it is.
        queue_arn: The queue that ``reprocess_failed_batches`` receives from.
        retention: The stream's, when it is known.
    """
    change = f"aws lambda update-event-source-mapping --uuid {mapping.uuid}"
    found = []
    if not mapping.enabled:
        found.append(
            "the event source mapping is disabled: nothing is delivered, and records are lost when the stream's "
            f"retention ends. Remedy: {change} --enabled"
        )
    if (without_limit := _limits(mapping, change)) is not None:
        found.append(without_limit)
    if retention is not None and mapping.record_age is not None and mapping.record_age >= retention:
        found.append(
            f"a failed batch is given up by age only after {_shown(mapping.record_age)}, when the stream, which keeps "
            f"records for {_shown(retention)}, has forgotten it. "
            f"Remedy: {change} --maximum-record-age-in-seconds {_SOUND_AGE_SECONDS}"
        )
    if mapping.destination != queue_arn:
        wanted = f"""{change} --destination-config '{{"OnFailure": {{"Destination": "{queue_arn}"}}}}'"""
        found.append(_elsewhere(mapping.destination) + f" Remedy: {wanted}")
    return found


def _limits(mapping: EventSourceMapping, change: str) -> str | None:
    retries = f"--maximum-retry-attempts {_SOUND_RETRIES}"
    age = f"--maximum-record-age-in-seconds {_SOUND_AGE_SECONDS}"
    if mapping.retries == FOREVER and mapping.record_age is None:
        return (
            "neither retries nor age have a limit: the queue of failed batches stays empty, and a batch that fails "
            f"blocks its shard until its records are lost. Remedy: {change} {retries} {age}"
        )
    if mapping.record_age is None:
        return (
            "the age of records has no limit: attempts that Lambda throttles do not count as retries and go on until "
            "the records are lost, and a failed batch with records of others in between can be replayed only when the "
            f"stream's retention has ended. Remedy: {change} {age}"
        )
    if mapping.retries == FOREVER:
        return (
            f"retries have no limit: a batch that fails blocks its shard for {_shown(mapping.record_age)} before it "
            f"is given up. Remedy: {change} {retries}"
        )
    return None


def _elsewhere(destination: str | None) -> str:
    if destination is None:
        return "there is no on-failure destination: the records of a batch that fails for good vanish unseen."
    service = destination.split(":")[2] if destination.startswith("arn:") else ""
    if service == "s3":
        return (
            f"failed batches are told to {destination} instead of the queue: they wait there until a run with source "
            "= destination reads them."
        )
    return f"failed batches are told to {destination} instead of the queue: nothing here reads them."


def _destination(held: Mapping[str, Any]) -> str | None:
    on_failure = (held.get("DestinationConfig") or {}).get("OnFailure") or {}
    found: str | None = on_failure.get("Destination")
    return found or None


def _shown(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:g} hours"
