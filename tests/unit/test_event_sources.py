"""What is read of an event source mapping, and which of its settings are told to lose records or block shards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dmd_pipeline.errors import PatternError
from dmd_pipeline.event_filters import EventFilter
from dmd_pipeline.event_sources import FOREVER, EventSourceMapping, findings, parse


QUEUE = "arn:aws:sqs:us-east-1:123456789012:failed"
SOUND = EventSourceMapping(
    uuid="d36a88bc",
    enabled=True,
    starting_position="LATEST",
    batch_size=1000,
    batching_window=timedelta(seconds=5),
    parallelization_factor=2,
    retries=2,
    record_age=timedelta(hours=6),
    bisect=False,
    destination=QUEUE,
    event_filter=EventFilter([]),
)
REMEDY = "Remedy: aws lambda update-event-source-mapping --uuid d36a88bc "


def found(**changes: Any) -> list[str]:
    return findings(replace(SOUND, **changes), queue_arn=QUEUE, retention=timedelta(hours=24))


@pytest.mark.parametrize("changes", [{}, {"bisect": True}, {"retries": 0}, {"parallelization_factor": 1}])
def test_sound_settings_and_mere_habits_are_no_findings(changes: dict[str, Any]) -> None:
    assert found(**changes) == []


@pytest.mark.parametrize(
    ("changes", "says", "remedy"),
    [
        ({"enabled": False}, "is disabled: nothing is delivered", "--enabled"),
        (
            {"retries": FOREVER, "record_age": None},
            "the queue of failed batches stays empty, and a batch that fails blocks its shard",
            "--maximum-retry-attempts 2 --maximum-record-age-in-seconds 21600",
        ),
        ({"retries": FOREVER}, "blocks its shard for 6 hours before it is given up", "--maximum-retry-attempts 2"),
        ({"record_age": None}, "the age of records has no limit", "--maximum-record-age-in-seconds 21600"),
        (
            {"record_age": timedelta(hours=24)},
            "only after 24 hours, when the stream, which keeps records for 24 hours, has forgotten it",
            "--maximum-record-age-in-seconds 21600",
        ),
        (
            {"destination": None},
            "the records of a batch that fails for good vanish unseen",
            f"""--destination-config '{{"OnFailure": {{"Destination": "{QUEUE}"}}}}'""",
        ),
        (
            {"destination": "arn:aws:s3:::a-bucket"},
            "told to arn:aws:s3:::a-bucket instead of the queue: they wait there until a run with source = destination",
            f"""--destination-config '{{"OnFailure": {{"Destination": "{QUEUE}"}}}}'""",
        ),
        (
            {"destination": "arn:aws:sns:us-east-1:123456789012:topic"},
            "told to arn:aws:sns:us-east-1:123456789012:topic instead of the queue: nothing here reads them",
            f"""--destination-config '{{"OnFailure": {{"Destination": "{QUEUE}"}}}}'""",
        ),
    ],
)
def test_a_bad_setting_is_told_with_the_command_that_mends_it(changes: dict[str, Any], says: str, remedy: str) -> None:
    (told,) = found(**changes)
    assert says in told
    assert told.endswith(REMEDY + remedy)


def test_several_bad_settings_are_all_told() -> None:
    assert len(found(enabled=False, retries=FOREVER, record_age=None, destination=None)) == 3


def test_age_is_not_held_against_a_retention_that_nobody_knows() -> None:
    assert findings(replace(SOUND, record_age=timedelta(days=7)), queue_arn=QUEUE) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            (
                "2 retries, records up to 6 hours old, batches of 1,000, not halved when they fail, "
                "given up to arn:aws:sqs:us-east-1:123456789012:failed"
            ),
        ),
        (
            {"enabled": False, "retries": FOREVER, "record_age": None, "bisect": True, "destination": None},
            (
                "disabled; retries without limit, records of any age, batches of 1,000, halved when they fail, "
                "given up to nobody"
            ),
        ),
    ],
)
def test_a_mapping_reads_as_a_line_in_the_log(changes: dict[str, Any], said: str) -> None:
    assert str(replace(SOUND, **changes)) == said


def test_a_mapping_is_read_as_lambda_describes_it() -> None:
    read = parse(
        {
            "UUID": "d36a88bc",
            "State": "Enabled",
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 500,
            "MaximumBatchingWindowInSeconds": 3,
            "ParallelizationFactor": 4,
            "MaximumRetryAttempts": 0,
            "MaximumRecordAgeInSeconds": 60,
            "BisectBatchOnFunctionError": True,
            "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
            "FilterCriteria": {"Filters": [{"Pattern": '{"partitionKey": ["a"]}'}]},
        }
    )
    assert (read.uuid, read.enabled, read.starting_position) == ("d36a88bc", True, "TRIM_HORIZON")
    assert (read.batch_size, read.batching_window, read.parallelization_factor) == (500, timedelta(seconds=3), 4)
    assert (read.retries, read.record_age, read.bisect) == (0, timedelta(minutes=1), True)
    assert read.destination == QUEUE
    assert read.event_filter.passes(b"x", "a")
    assert not read.event_filter.passes(b"x", "b")


@pytest.mark.parametrize(
    "held",
    [
        {},
        {"MaximumRetryAttempts": -1, "MaximumRecordAgeInSeconds": -1, "DestinationConfig": {"OnFailure": {}}},
        {"DestinationConfig": {}, "FilterCriteria": {}},
        {"DestinationConfig": None, "FilterCriteria": None},
    ],
)
def test_what_is_not_told_is_as_lambdas_defaults_have_it(held: dict[str, Any]) -> None:
    read = parse({"UUID": "d36a88bc", **held})
    assert (read.enabled, read.batch_size, read.parallelization_factor) == (True, 100, 1)
    assert (read.retries, read.record_age, read.bisect, read.destination) == (FOREVER, None, False, None)
    assert read.event_filter.passes(b"no JSON", "any")


@pytest.mark.parametrize(("state", "enabled"), [("Enabled", True), ("Updating", True), ("Disabled", False)])
def test_a_mapping_that_is_switched_off_is_not_enabled(state: str, enabled: bool) -> None:
    assert parse({"UUID": "d36a88bc", "State": state}).enabled is enabled


def test_a_filter_that_cannot_be_decrypted_is_refused() -> None:
    error = {"ErrorCode": "KMSAccessDeniedException", "Message": "No."}
    with pytest.raises(PatternError, match=r"d36a88bc cannot be read: KMSAccessDeniedException: No\.$"):
        parse({"UUID": "d36a88bc", "FilterCriteriaError": error})
