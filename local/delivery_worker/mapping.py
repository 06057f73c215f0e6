"""The event source mapping between the stream and the function, as Lambda holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.delivery_worker.event_filter import EventFilter
from local.errors import StartError


if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef

    from dmd_pipeline.settings import Settings

FOREVER = -1  # Lambda's way to say "no limit", for retries and for age


@dataclass(frozen=True)
class Mapping:
    """How records get from the stream to the function.

    Attributes:
        uuid: Its identity.
        enabled: Whether the stream is read at all.
        starting_position: ``LATEST`` or ``TRIM_HORIZON``: where a shard is begun.
        batch_size: Most records of one invocation.
        batching_window_seconds: How long a batch may wait to be filled.
        parallelization_factor: Batches of one shard under way at once.
        retries: How often a failed batch is tried again, or ``FOREVER``.
        record_age_seconds: How old the first record of a failed batch may get, or ``FOREVER``.
        bisect: Whether a failed batch is halved instead of repeated.
        destination: ARN of the queue that receives the positions of batches that failed for good, or None.
        event_filter: Which records reach the function.
    """

    uuid: str
    enabled: bool
    starting_position: str
    batch_size: int
    batching_window_seconds: int
    parallelization_factor: int
    retries: int
    record_age_seconds: int
    bisect: bool
    destination: str | None
    event_filter: EventFilter


def read_mapping(client: LambdaClient, settings: Settings) -> Mapping:
    """The one mapping between this environment's stream and its function.

    Raises:
        StartError: There is none.
        PatternError: It has a filter pattern that is not understood.
    """
    found = client.list_event_source_mappings(FunctionName=settings.function, EventSourceArn=settings.stream_arn)
    for one in found["EventSourceMappings"]:
        return _mapping(one)
    raise StartError(f"Lambda holds no event source mapping from {settings.stream_arn} to {settings.function}.")


def _mapping(held: EventSourceMappingConfigurationTypeDef) -> Mapping:
    patterns = [one["Pattern"] for one in held.get("FilterCriteria", {}).get("Filters", [])]
    return Mapping(
        uuid=held["UUID"],
        enabled=held.get("State", "Enabled") == "Enabled",
        starting_position=held.get("StartingPosition") or "LATEST",
        batch_size=held.get("BatchSize") or 100,
        batching_window_seconds=held.get("MaximumBatchingWindowInSeconds") or 0,
        parallelization_factor=held.get("ParallelizationFactor") or 1,
        retries=_limit(held.get("MaximumRetryAttempts")),
        record_age_seconds=_limit(held.get("MaximumRecordAgeInSeconds")),
        bisect=bool(held.get("BisectBatchOnFunctionError")),
        destination=held.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
        event_filter=EventFilter(patterns),
    )


def _limit(value: int | None) -> int:
    return FOREVER if value is None else value  # 0 retries is a limit, too
