"""Lambda: how the delivery worker's function and event source mapping are described; nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance.account import refused


if TYPE_CHECKING:
    from tests.conformance.account import Account


def mapping_of(account: Account) -> dict[str, Any]:
    found = account.client("lambda").list_event_source_mappings(
        FunctionName=account.settings.function, EventSourceArn=account.settings.stream_arn
    )["EventSourceMappings"]
    assert len(found) == 1
    mapping: dict[str, Any] = found[0]
    return mapping


def test_the_function_is_as_the_pipeline_needs_it(account: Account) -> None:
    found = account.client("lambda").get_function_configuration(FunctionName=account.settings.function)
    assert (found["Runtime"], found["Timeout"]) == ("nodejs18.x", 30)


def test_the_mapping_reads_the_stream_in_batches_of_1000_by_two_lanes(account: Account) -> None:
    mapping = mapping_of(account)
    assert {name: mapping[name] for name in ("BatchSize", "ParallelizationFactor", "StartingPosition")} == {
        "BatchSize": 1000,
        "ParallelizationFactor": 2,
        "StartingPosition": "LATEST",
    }


def test_a_mapping_says_what_it_was_not_told(account: Account) -> None:
    mapping = mapping_of(account)
    assert (mapping["BisectBatchOnFunctionError"], mapping["TumblingWindowInSeconds"]) == (False, 0)
    assert mapping["State"] in ("Enabled", "Disabled")
    assert "LastProcessingResult" in mapping


def test_a_mapping_is_found_by_its_id(account: Account) -> None:
    mapping = mapping_of(account)
    found = account.client("lambda").get_event_source_mapping(UUID=mapping["UUID"])
    assert found["EventSourceArn"] == account.settings.stream_arn


def test_a_second_mapping_of_the_same_stream_and_function_is_refused(account: Account) -> None:
    mapping_of(account)  # without a first one, this would make it
    with refused("ResourceConflictException"):
        account.client("lambda").create_event_source_mapping(
            FunctionName=account.settings.function,
            EventSourceArn=account.settings.stream_arn,
            StartingPosition="LATEST",
        )


def test_a_batch_size_above_10000_is_refused(account: Account) -> None:
    uuid = mapping_of(account)["UUID"]
    with refused("ValidationException", "less than or equal to 10000"):
        account.client("lambda").update_event_source_mapping(UUID=uuid, BatchSize=10_001)
    assert mapping_of(account)["BatchSize"] == 1000
