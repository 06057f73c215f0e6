"""Glue: databases, tables and the versions of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.account import refused
from tests.conformance.catalog import TABLE, add_partitions, make_table, registered, table_input


if TYPE_CHECKING:
    from tests.conformance.account import Account


def test_names_are_folded_to_lower_case(account: Account) -> None:
    make_table(account, "MixedCase")
    found = account.client("glue").get_table(DatabaseName=account.database, Name="mixedcase")["Table"]
    assert found["Name"] == "mixedcase"


def test_a_table_is_made_once(account: Account) -> None:
    make_table(account)
    with refused("AlreadyExistsException"):
        make_table(account)
    with refused("AlreadyExistsException"):
        account.client("glue").create_database(DatabaseInput={"Name": account.database})


def test_what_does_not_exist_is_not_found(account: Account) -> None:
    glue = account.client("glue")
    with refused("EntityNotFoundException"):
        glue.get_table(DatabaseName=account.database, Name="missing")
    with refused("EntityNotFoundException"):
        glue.get_database(Name=f"{account.database}_missing")
    with refused("EntityNotFoundException"):
        glue.create_table(DatabaseName=f"{account.database}_missing", TableInput=table_input(account))
    with refused("EntityNotFoundException"):
        glue.delete_table(DatabaseName=account.database, Name="missing")


def test_tables_come_in_pages(account: Account) -> None:
    names = [f"table_{number}" for number in range(5)]
    for name in names:
        make_table(account, name)
    pages = list(
        account.client("glue")
        .get_paginator("get_tables")
        .paginate(DatabaseName=account.database, PaginationConfig={"PageSize": 2})
    )
    assert sorted(table["Name"] for page in pages for table in page["TableList"]) == names
    assert len(pages[0]["TableList"]) == 2


def test_tables_can_be_chosen_by_a_pattern(account: Account) -> None:
    for name in ("sale", "sale_checked", "demand"):
        make_table(account, name)
    found = account.client("glue").get_tables(DatabaseName=account.database, Expression="sale.*")["TableList"]
    assert sorted(table["Name"] for table in found) == ["sale", "sale_checked"]


def test_the_first_version_is_0_and_an_update_makes_the_next(account: Account) -> None:
    glue = account.client("glue")
    make_table(account, Description="first")
    assert glue.get_table(DatabaseName=account.database, Name=TABLE)["Table"]["VersionId"] == "0"
    glue.update_table(DatabaseName=account.database, TableInput=table_input(account, Description="second"))
    found = glue.get_table(DatabaseName=account.database, Name=TABLE)["Table"]
    assert (found["VersionId"], found["Description"]) == ("1", "second")
    old = glue.get_table_version(DatabaseName=account.database, TableName=TABLE, VersionId="0")["TableVersion"]
    assert (old["VersionId"], old["Table"]["Description"]) == ("0", "first")


def test_an_update_of_a_version_that_is_no_longer_current_is_refused(account: Account) -> None:
    glue = account.client("glue")
    make_table(account)
    update = {"DatabaseName": account.database, "VersionId": "0"}
    glue.update_table(**update, TableInput=table_input(account, Description="mine"))
    with refused("ConcurrentModificationException"):
        glue.update_table(**update, TableInput=table_input(account, Description="theirs"))
    assert glue.get_table(DatabaseName=account.database, Name=TABLE)["Table"]["Description"] == "mine"


def test_an_update_can_leave_no_version_behind(account: Account) -> None:
    glue = account.client("glue")
    make_table(account)
    glue.update_table(DatabaseName=account.database, TableInput=table_input(account), SkipArchive=True)
    found = glue.get_table_versions(DatabaseName=account.database, TableName=TABLE)["TableVersions"]
    assert len(found) == 1
    assert found[0]["VersionId"] == glue.get_table(DatabaseName=account.database, Name=TABLE)["Table"]["VersionId"]


def test_an_update_replaces_the_definition_whole(account: Account) -> None:
    glue = account.client("glue")
    make_table(account, Parameters={"kept": "no"})
    glue.update_table(DatabaseName=account.database, TableInput=table_input(account))
    assert glue.get_table(DatabaseName=account.database, Name=TABLE)["Table"].get("Parameters", {}) == {}


def test_versions_come_in_pages_newest_first(account: Account) -> None:
    glue = account.client("glue")
    make_table(account)
    for number in range(4):
        glue.update_table(
            DatabaseName=account.database, TableInput=table_input(account, Description=f"change {number}")
        )
    pages = glue.get_paginator("get_table_versions").paginate(
        DatabaseName=account.database, TableName=TABLE, PaginationConfig={"PageSize": 2}
    )
    assert [version["VersionId"] for page in pages for version in page["TableVersions"]] == ["4", "3", "2", "1", "0"]


def test_old_versions_can_be_deleted_in_a_batch_that_tells_what_is_missing(account: Account) -> None:
    glue = account.client("glue")
    make_table(account)
    glue.update_table(DatabaseName=account.database, TableInput=table_input(account))
    errors = glue.batch_delete_table_version(DatabaseName=account.database, TableName=TABLE, VersionIds=["0", "77"])[
        "Errors"
    ]
    assert [error["VersionId"] for error in errors] == ["77"]
    left = glue.get_table_versions(DatabaseName=account.database, TableName=TABLE)["TableVersions"]
    assert [version["VersionId"] for version in left] == ["1"]


def test_changing_a_table_changes_no_partition(account: Account) -> None:
    glue, table = account.client("glue"), make_table(account)
    add_partitions(account, table, ["2025-01-01"])
    wider = table_input(account)
    wider["StorageDescriptor"]["Columns"].append({"Name": "more", "Type": "int"})
    glue.update_table(DatabaseName=account.database, TableInput=wider)
    found = glue.get_partition(**table, PartitionValues=["2025-01-01"])["Partition"]
    assert [column["Name"] for column in found["StorageDescriptor"]["Columns"]] == ["id"]


def test_a_table_goes_with_its_partitions_and_versions(account: Account) -> None:
    glue, table = account.client("glue"), make_table(account)
    add_partitions(account, table, ["2025-01-01"])
    glue.delete_table(DatabaseName=account.database, Name=TABLE)
    make_table(account)
    assert registered(account, table) == []
    assert glue.get_table(DatabaseName=account.database, Name=TABLE)["Table"]["VersionId"] == "0"


def test_several_tables_go_in_a_batch_that_tells_what_is_missing(account: Account) -> None:
    glue = account.client("glue")
    make_table(account)
    errors = glue.batch_delete_table(DatabaseName=account.database, TablesToDelete=[TABLE, "missing"])["Errors"]
    assert [error["TableName"] for error in errors] == ["missing"]
    assert glue.get_tables(DatabaseName=account.database)["TableList"] == []
