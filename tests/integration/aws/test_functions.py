"""The functions' gateway against the local AWS: the delivery worker's event source mapping and time limit."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from dmd_pipeline.airflow import clients
from dmd_pipeline.aws.lambda_ import Functions
from dmd_pipeline.errors import FunctionError, PatternError, ThrottledError
from dmd_pipeline.event_sources import FOREVER, findings


if TYPE_CHECKING:
    from dmd_pipeline.event_sources import EventSourceMapping
    from local.aws import LocalAws


@pytest.fixture
def functions(aws: LocalAws) -> Functions:
    return Functions(aws.client("lambda"))


def mapping(aws: LocalAws) -> EventSourceMapping:
    return Functions(aws.client("lambda")).mapping(aws.settings.function, aws.settings.stream_arn)


def test_the_mapping_is_the_environments_and_costs_one_call(aws: LocalAws) -> None:
    aws.calls.clear()
    found = mapping(aws)
    assert aws.calls.totals() == {"lambda:ListEventSourceMappings": 1}
    assert (found.enabled, found.starting_position, found.batch_size) == (True, "LATEST", 1000)
    assert (found.parallelization_factor, found.batching_window) == (2, timedelta(seconds=5))
    assert (found.retries, found.record_age, found.bisect) == (2, timedelta(hours=6), False)
    assert found.destination == aws.settings.dead_letter_queue_arn
    assert findings(found, queue_arn=aws.settings.dead_letter_queue_arn, retention=timedelta(hours=24)) == []


def test_the_filter_is_the_mappings(aws: LocalAws) -> None:
    found = mapping(aws).event_filter
    sale, refund = (json.dumps({"dynamodb": {"NewImage": {"type": {"S": name}}}}) for name in ("sale", "refund"))
    assert found.passes(sale.encode(), "key")
    assert not found.passes(refund.encode(), "key")
    assert not found.passes(b"no JSON", "key")


def test_settings_without_limits_are_found(aws: LocalAws) -> None:
    aws.client("lambda").update_event_source_mapping(
        UUID=mapping(aws).uuid, MaximumRetryAttempts=-1, MaximumRecordAgeInSeconds=-1
    )
    found = mapping(aws)
    assert (found.retries, found.record_age) == (FOREVER, None)
    (told,) = findings(found, queue_arn=aws.settings.dead_letter_queue_arn)
    assert f"aws lambda update-event-source-mapping --uuid {found.uuid} --maximum-retry-attempts 2" in told


def test_a_filter_that_is_not_understood_is_refused(aws: LocalAws) -> None:
    pattern = json.dumps({"data": {"a": [{"wildcard": "x*"}]}})
    aws.client("lambda").update_event_source_mapping(
        UUID=mapping(aws).uuid, FilterCriteria={"Filters": [{"Pattern": pattern}]}
    )
    with pytest.raises(PatternError, match="wildcard"):
        mapping(aws)


def test_a_missing_mapping_is_named(aws: LocalAws, functions: Functions) -> None:
    aws.client("lambda").delete_event_source_mapping(UUID=mapping(aws).uuid)
    with pytest.raises(FunctionError, match=f"^Lambda holds no .* from {aws.settings.stream_arn} to deliveryWorker-"):
        functions.mapping(aws.settings.function, aws.settings.stream_arn)


def test_the_timeout_is_the_functions(aws: LocalAws, functions: Functions) -> None:
    aws.calls.clear()
    assert functions.timeout(aws.settings.function) == timedelta(seconds=30)
    assert aws.calls.totals() == {"lambda:GetFunctionConfiguration": 1}
    with pytest.raises(FunctionError, match=r"^cannot look at function no-such: ResourceNotFoundException"):
        functions.timeout("no-such")


def test_a_refusal_names_what_was_tried(aws: LocalAws, functions: Functions) -> None:
    aws.fail("lambda:ListEventSourceMappings", code="AccessDeniedException", status=403, message="No.")
    with pytest.raises(FunctionError, match=r"^cannot look at the event source mapping of function deliveryWorker-"):
        functions.mapping(aws.settings.function, aws.settings.stream_arn)
    aws.fail("lambda:ListEventSourceMappings", code="TooManyRequestsException", status=429)
    with pytest.raises(ThrottledError):
        functions.mapping(aws.settings.function, aws.settings.stream_arn)


def test_tasks_get_the_functions_of_the_account(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")
    assert clients.functions(aws.settings).timeout(aws.settings.function) == timedelta(seconds=30)
