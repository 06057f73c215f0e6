"""Glue: partitions, one by one, in batches, in pages and in segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.account import refused
from tests.conformance.catalog import add_partitions, days, error_codes, make_table, partition_input, registered


if TYPE_CHECKING:
    from tests.conformance.account import Account


def test_a_batch_tells_which_partitions_exist_already_and_adds_the_others(account: Account) -> None:
    glue, table = account.client("glue"), make_table(account)
    add_partitions(account, table, ["2025-01-02"])
    batch = [partition_input(account, day) for day in days(3)]
    errors = glue.batch_create_partition(**table, PartitionInputList=batch)["Errors"]
    assert [error["PartitionValues"] for error in errors] == [["2025-01-02"]]
    assert error_codes(errors) == ["AlreadyExistsException"]
    assert registered(account, table) == days(3)


def test_a_batch_tells_which_partitions_to_delete_do_not_exist(account: Account) -> None:
    glue, table = account.client("glue"), make_table(account)
    add_partitions(account, table, days(2))
    gone = [{"Values": [day]} for day in ("2025-01-01", "2030-01-01")]
    errors = glue.batch_delete_partition(**table, PartitionsToDelete=gone)["Errors"]
    assert [error["PartitionValues"] for error in errors] == [["2030-01-01"]]
    assert error_codes(errors) == ["EntityNotFoundException"]
    assert registered(account, table) == ["2025-01-02"]


def test_a_batch_tells_which_partitions_to_update_do_not_exist(account: Account) -> None:
    glue, table = account.client("glue"), make_table(account)
    add_partitions(account, table, ["2025-01-01"])
    entries = [
        {"PartitionValueList": [day], "PartitionInput": {**partition_input(account, day), "Parameters": {"k": "v"}}}
        for day in ("2025-01-01", "2030-01-01")
    ]
    errors = glue.batch_update_partition(**table, Entries=entries)["Errors"]
    assert [error["PartitionValueList"] for error in errors] == [["2030-01-01"]]
    assert error_codes(errors) == ["EntityNotFoundException"]
    changed = glue.get_partition(**table, PartitionValues=["2025-01-01"])["Partition"]
    assert changed["Parameters"] == {"k": "v"}


def test_an_update_replaces_a_partition_whole_and_keeps_its_age(account: Account) -> None:
    glue, table = account.client("glue"), make_table(account)
    original = {**partition_input(account, "2025-01-01"), "Parameters": {"old": "1"}}
    glue.create_partition(**table, PartitionInput=original)
    before = glue.get_partition(**table, PartitionValues=["2025-01-01"])["Partition"]
    replacement = {**partition_input(account, "2025-01-01"), "Parameters": {"new": "2"}}
    glue.update_partition(**table, PartitionValueList=["2025-01-01"], PartitionInput=replacement)
    after = glue.get_partition(**table, PartitionValues=["2025-01-01"])["Partition"]
    assert after["Parameters"] == {"new": "2"}
    assert after["CreationTime"] == before["CreationTime"]


def test_getting_a_batch_leaves_out_what_does_not_exist(account: Account) -> None:
    glue, table = account.client("glue"), make_table(account)
    add_partitions(account, table, days(2))
    wanted = [{"Values": [day]} for day in days(3)]
    answer = glue.batch_get_partition(**table, PartitionsToGet=wanted)
    assert sorted(found["Values"][0] for found in answer["Partitions"]) == days(2)
    assert answer.get("UnprocessedKeys", []) == []


def test_a_single_call_fails_where_a_batch_reports(account: Account) -> None:
    glue, table = account.client("glue"), make_table(account)
    add_partitions(account, table, ["2025-01-01"])
    with refused("AlreadyExistsException"):
        glue.create_partition(**table, PartitionInput=partition_input(account, "2025-01-01"))
    with refused("EntityNotFoundException"):
        glue.get_partition(**table, PartitionValues=["2030-01-01"])
    with refused("EntityNotFoundException"):
        glue.update_partition(
            **table, PartitionValueList=["2030-01-01"], PartitionInput=partition_input(account, "2030-01-01")
        )
    with refused("EntityNotFoundException"):
        glue.delete_partition(**table, PartitionValues=["2030-01-01"])


@pytest.mark.parametrize("values", [[], ["2025-01-01", "extra"]], ids=["none", "two"])
def test_a_partition_has_as_many_values_as_its_table_has_keys(account: Account, values: list[str]) -> None:
    glue, table = account.client("glue"), make_table(account)
    wrong = {**partition_input(account, "2025-01-01"), "Values": values}
    with refused("InvalidInputException", "number of partition keys do not match"):
        glue.create_partition(**table, PartitionInput=wrong)


def test_every_call_needs_an_existing_table(account: Account) -> None:
    glue = account.client("glue")
    missing = {"DatabaseName": account.database, "TableName": "missing"}
    with refused("EntityNotFoundException"):
        glue.get_partitions(**missing)
    with refused("EntityNotFoundException"):
        glue.batch_create_partition(**missing, PartitionInputList=[partition_input(account, "2025-01-01")])


def test_pages_hold_every_partition_once(account: Account) -> None:
    table = make_table(account)
    add_partitions(account, table, days(120))
    assert registered(account, table, PaginationConfig={"PageSize": 50}) == days(120)


def test_a_token_that_glue_did_not_give_is_refused(account: Account) -> None:
    table = make_table(account)
    with refused("InvalidInputException"):
        account.client("glue").get_partitions(**table, NextToken="not a token")


def test_segments_hold_every_partition_once_between_them(account: Account) -> None:
    table = make_table(account)
    add_partitions(account, table, days(60))
    segments = [
        registered(account, table, Segment={"SegmentNumber": number, "TotalSegments": 3}) for number in range(3)
    ]
    assert sorted(day for segment in segments for day in segment) == days(60)
    assert all(len(segment) < 60 for segment in segments)


def test_a_segment_number_is_below_the_number_of_segments(account: Account) -> None:
    table = make_table(account)
    with refused("InvalidInputException"):
        account.client("glue").get_partitions(**table, Segment={"SegmentNumber": 2, "TotalSegments": 2})


def test_partitions_come_without_columns_when_asked(account: Account) -> None:
    glue, table = account.client("glue"), make_table(account)
    add_partitions(account, table, ["2025-01-01"])
    whole = glue.get_partitions(**table)["Partitions"][0]["StorageDescriptor"]
    short = glue.get_partitions(**table, ExcludeColumnSchema=True)["Partitions"][0]["StorageDescriptor"]
    assert [column["Name"] for column in whole["Columns"]] == ["id"]
    assert short.get("Columns", []) == []
    assert short["Location"] == whole["Location"]


def test_a_partition_tells_when_it_was_made_and_where_it_belongs(account: Account) -> None:
    glue, table = account.client("glue"), make_table(account)
    add_partitions(account, table, ["2025-01-01"])
    found = glue.get_partition(**table, PartitionValues=["2025-01-01"])["Partition"]
    assert {name: found[name] for name in table} == table
    assert found["CreationTime"].year >= 2025


def test_glue_adds_its_defaults_to_a_storage_descriptor(account: Account) -> None:
    glue, table = account.client("glue"), make_table(account)
    add_partitions(account, table, ["2025-01-01"])
    storage = glue.get_partition(**table, PartitionValues=["2025-01-01"])["Partition"]["StorageDescriptor"]
    assert {name: storage[name] for name in ("Compressed", "StoredAsSubDirectories")} == {
        "Compressed": False,
        "StoredAsSubDirectories": False,
    }
