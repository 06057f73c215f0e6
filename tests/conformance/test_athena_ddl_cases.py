"""Athena: the statements of the runbooks that change and show the catalog, and what queries then read and cost."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import fastavro
import pytest

from tests.conformance.athena_runs import Run, run
from tests.conformance.engine_case import PLAIN


if TYPE_CHECKING:
    from tests.conformance.account import Account

_DAYS = ("2025-06-01", "2025-06-02", "2025-06-03")


def _succeed(account: Account, statement: str) -> Run:
    found = run(account, statement)
    assert found.state == "SUCCEEDED", found.reason
    return found


def _lines(account: Account, statement: str) -> list[str]:
    return [row[0] or "" for row in _succeed(account, statement).rows]


@pytest.fixture
def table(account: Account) -> str:
    """A table made by DDL, with a file for each day and no partition registered."""
    for day in _DAYS:
        written = io.BytesIO()
        fastavro.writer(written, fastavro.parse_schema(PLAIN), [{"id": day, "n": 1}])
        account.put(f"people/partition_date={day}/one.avro", written.getvalue())
    found = _succeed(
        account,
        f"""
        CREATE EXTERNAL TABLE IF NOT EXISTS people (
          id string COMMENT 'who''s who',
          n int
        )
        PARTITIONED BY (partition_date string)
        ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
        WITH SERDEPROPERTIES ('avro.schema.literal' = '{json.dumps(PLAIN)}')
        STORED AS AVRO
        LOCATION '{account.location("people")}'
        TBLPROPERTIES ('classification' = 'avro');
        """,
    )
    assert (found.execution["StatementType"], found.execution["SubstatementType"]) == ("DDL", "CREATE_TABLE")
    account.remove_later(lambda: run(account, "DROP TABLE IF EXISTS people"))
    return "people"


def test_only_registered_partitions_are_read(account: Account, table: str) -> None:
    assert _succeed(account, f"SELECT count(*) FROM {table}").rows == [["0"]]
    _succeed(account, f"ALTER TABLE {table} ADD PARTITION (partition_date = '2025-06-01')")
    assert _succeed(account, f"SELECT id FROM {table}").rows == [["2025-06-01"]]


def test_msck_repair_adds_what_is_missing_and_says_so(account: Account, table: str) -> None:
    _succeed(account, f"ALTER TABLE {table} ADD PARTITION (partition_date = '2025-06-02')")
    lines = _lines(account, f"MSCK REPAIR TABLE {table}")
    missing = "\t".join(f"{table}:partition_date={day}" for day in (_DAYS[0], _DAYS[2]))
    assert lines[0] == f"Partitions not in metastore:\t{missing}"
    assert lines[1:] == [
        f"Repair: Added partition to metastore {table}:partition_date={day}" for day in (_DAYS[0], _DAYS[2])
    ]
    assert _lines(account, f"SHOW PARTITIONS {table}") == [f"partition_date={day}" for day in _DAYS]
    assert _lines(account, f"MSCK REPAIR TABLE {table}") == []


def test_a_dropped_partition_is_no_longer_read_and_its_files_stay(account: Account, table: str) -> None:
    _lines(account, f"MSCK REPAIR TABLE {table}")
    _succeed(account, f"ALTER TABLE {table} DROP PARTITION (partition_date = '2025-06-02')")
    assert _succeed(account, f"SELECT count(*) FROM {table}").rows == [["2"]]
    _lines(account, f"MSCK REPAIR TABLE {table}")
    assert _succeed(account, f"SELECT count(*) FROM {table}").rows == [["3"]]


def test_a_partition_can_be_added_once_unless_the_statement_says_if_not_exists(account: Account, table: str) -> None:
    add = f"ALTER TABLE {table} ADD {{}} PARTITION (partition_date = '2025-06-01')"
    _succeed(account, add.format(""))
    assert "already exists" in run(account, add.format("")).reason
    _succeed(account, add.format("IF NOT EXISTS"))


def test_dropping_a_partition_that_is_not_there_fails_unless_if_exists(account: Account, table: str) -> None:
    drop = f"ALTER TABLE {table} DROP {{}} PARTITION (partition_date = '1999-01-01')"
    assert run(account, drop.format("")).state == "FAILED"
    _succeed(account, drop.format("IF EXISTS"))


def test_a_partition_may_lie_anywhere(account: Account, table: str) -> None:
    elsewhere = account.location("people/partition_date=2025-06-03")
    _succeed(account, f"ALTER TABLE {table} ADD PARTITION (partition_date = '1999-01-01') LOCATION '{elsewhere}'")
    assert _succeed(account, f"SELECT id, partition_date FROM {table}").rows == [["2025-06-03", "1999-01-01"]]


def test_a_condition_on_the_partition_reads_no_other_partition(account: Account, table: str) -> None:
    _lines(account, f"MSCK REPAIR TABLE {table}")
    everything = _succeed(account, f"SELECT id FROM {table}").scanned_bytes
    conditions = {
        "partition_date = '2025-06-02'": 1,
        "partition_date IN ('2025-06-02', '2025-06-03')": 2,
        "partition_date BETWEEN '2025-06-02' AND '2025-06-03'": 2,
        "partition_date > '2025-06-01' AND n = 1": 2,
        "date(partition_date) >= date_add('day', -1, DATE '2025-06-03')": 2,
        "substr(partition_date, 9) = '01' OR partition_date LIKE '%-03'": 2,
        "partition_date = '1999-01-01'": 0,
        "n = 1": 3,
        "partition_date = '2025-06-01' OR n = 2": 3,
    }
    for condition, partitions in conditions.items():
        found = _succeed(account, f"SELECT id FROM {table} WHERE {condition}")
        assert found.scanned_bytes == everything * partitions // 3, condition


def test_a_condition_around_a_subquery_reads_no_other_partition(account: Account, table: str) -> None:
    _lines(account, f"MSCK REPAIR TABLE {table}")
    everything = _succeed(account, f"SELECT id FROM {table}").scanned_bytes
    condition = "partition_date = '2025-06-02'"
    for query in (
        f"SELECT * FROM (SELECT * FROM {table}) WHERE {condition}",
        f"WITH t AS (SELECT id, partition_date AS d FROM {table}) SELECT id FROM t WHERE d = '2025-06-02'",
        f"SELECT id FROM (SELECT * FROM {table} UNION ALL SELECT * FROM {table} WHERE n = 9) AS u WHERE {condition}",
    ):
        found = _succeed(account, query)
        assert found.scanned_bytes in (everything // 3, 2 * everything // 3), query
        assert [row[0] for row in found.rows] == ["2025-06-02"]


def test_an_outer_join_keeps_the_rows_that_a_condition_does_not_concern(account: Account, table: str) -> None:
    _lines(account, f"MSCK REPAIR TABLE {table}")
    found = _succeed(
        account,
        f"SELECT l.id, r.id FROM {table} l LEFT JOIN {table} r ON l.id = r.id AND r.partition_date = '2025-06-01' "
        "WHERE r.partition_date IS NULL ORDER BY 1",
    )
    assert found.rows == [["2025-06-02", None], ["2025-06-03", None]]


def test_the_path_of_a_row_is_a_hidden_column(account: Account, table: str) -> None:
    _lines(account, f"MSCK REPAIR TABLE {table}")
    found = _succeed(account, f"SELECT \"$path\" FROM {table} WHERE id = '2025-06-02'")
    assert found.rows == [[f"{account.location('people')}partition_date=2025-06-02/one.avro"]]


def test_the_partitions_are_a_table_of_their_own(account: Account, table: str) -> None:
    _lines(account, f"MSCK REPAIR TABLE {table}")
    found = _succeed(account, f'SELECT max(partition_date) FROM "{table}$partitions"')
    assert (found.rows, found.scanned_bytes) == ([["2025-06-03"]], 0)


def test_a_table_is_found_by_its_database_and_catalog(account: Account, table: str) -> None:
    for name in (f"{account.database}.{table}", f'"awsdatacatalog"."{account.database}"."{table}"'):
        assert _succeed(account, f"SELECT count(*) FROM {name}").rows == [["0"]]


def test_a_partition_can_be_pointed_to_another_place(account: Account, table: str) -> None:
    _lines(account, f"MSCK REPAIR TABLE {table}")
    glue, elsewhere = account.client("glue"), f"{account.location('people')}partition_date={_DAYS[2]}/"
    place = {"DatabaseName": account.database, "TableName": table, "PartitionValues": [_DAYS[0]]}
    before = glue.get_partition(**place)["Partition"]
    _succeed(account, f"ALTER TABLE {table} PARTITION (partition_date = '{_DAYS[0]}') SET LOCATION '{elsewhere}'")
    after = glue.get_partition(**place)["Partition"]
    assert after["StorageDescriptor"] == {**before["StorageDescriptor"], "Location": elsewhere}
    assert after["CreationTime"] == before["CreationTime"]
    found = _succeed(account, f"SELECT id, partition_date FROM {table} WHERE partition_date = '{_DAYS[0]}'")
    assert found.rows == [[_DAYS[2], _DAYS[0]]]


def test_a_table_can_be_pointed_to_another_place(account: Account, table: str) -> None:
    _succeed(account, f"ALTER TABLE {table} SET LOCATION '{account.location('elsewhere')}'")
    found = account.client("glue").get_table(DatabaseName=account.database, Name=table)["Table"]
    assert found["StorageDescriptor"]["Location"] == account.location("elsewhere")


def test_a_partition_that_is_not_registered_is_named(account: Account, table: str) -> None:
    missing = "PARTITION (partition_date = '2020-11-20')"
    found = run(account, f"ALTER TABLE {table} DROP {missing}")
    told = "FAILED: SemanticException [Error 10006]: Partition not found"
    assert found.reason == f"{told} (partition_date = '2020-11-20')"
    found = run(account, f"ALTER TABLE {table} {missing} SET LOCATION '{account.location('elsewhere')}'")
    assert found.reason == f"{told} {{partition_date=2020-11-20}}"


@pytest.mark.parametrize("version", ["FOR TIMESTAMP AS OF TIMESTAMP '2020-01-01 00:00:00 UTC'", "FOR VERSION AS OF 1"])
def test_a_table_has_no_versions_to_go_back_to(account: Account, table: str, version: str) -> None:
    for name in (table, f'"{table}$partitions"'):
        reason = run(account, f"SELECT count(*) FROM {name} {version}").reason
        assert reason.startswith("NOT_SUPPORTED: ")
        assert "does not support versioned tables" in reason


def test_show_and_describe_tell_what_the_catalog_holds(account: Account, table: str) -> None:
    assert table in _lines(account, "SHOW TABLES")
    assert _lines(account, f"SHOW TABLES '{table[:3]}*'") == [table]
    assert account.database in _lines(account, "SHOW DATABASES")
    assert [line.strip() for line in _lines(account, f"SHOW COLUMNS IN {table}")] == ["id", "n", "partition_date"]
    described = [line.split("\t") for line in _lines(account, f"DESCRIBE {table}")]
    assert [cell.strip() for cell in described[0]] == ["id", "string", "who's who"]


def test_show_create_table_makes_the_same_table_again(account: Account, table: str) -> None:
    statement = "\n".join(_lines(account, f"SHOW CREATE TABLE {table}"))
    glue = account.client("glue")
    before = glue.get_table(DatabaseName=account.database, Name=table)["Table"]
    _succeed(account, f"DROP TABLE {table}")
    _succeed(account, statement)
    after = glue.get_table(DatabaseName=account.database, Name=table)["Table"]
    assert after["StorageDescriptor"] == before["StorageDescriptor"]
    assert after["PartitionKeys"] == before["PartitionKeys"]


def test_information_schema_lists_tables_and_columns(account: Account, table: str) -> None:
    found = _succeed(
        account,
        "SELECT column_name, data_type FROM information_schema.columns "
        f"WHERE table_schema = '{account.database}' AND table_name = '{table}' ORDER BY ordinal_position",
    )
    assert found.rows == [["id", "varchar"], ["n", "integer"], ["partition_date", "varchar"]]


def test_properties_and_columns_can_be_added(account: Account, table: str) -> None:
    _succeed(account, f"ALTER TABLE {table} SET TBLPROPERTIES ('owner' = 'us')")
    _succeed(account, f"ALTER TABLE {table} ADD COLUMNS (extra bigint)")
    found = account.client("glue").get_table(DatabaseName=account.database, Name=table)["Table"]
    assert found["Parameters"]["owner"] == "us"
    assert [one["Type"] for one in found["StorageDescriptor"]["Columns"]] == ["string", "int", "bigint"]


def test_a_dropped_table_is_gone_with_its_partitions_and_its_files_stay(account: Account, table: str) -> None:
    _lines(account, f"MSCK REPAIR TABLE {table}")
    _succeed(account, f"DROP TABLE {table}")
    assert run(account, f"SELECT 1 FROM {table}").reason.startswith("TABLE_NOT_FOUND: ")
    listing = account.client("s3").list_objects_v2(Bucket=account.bucket, Prefix=f"{account.prefix}people/")
    assert listing["KeyCount"] == len(_DAYS)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE EXTERNAL TABLE broken (id string",
        "CREATE EXTERNAL TABLE broken (id text) STORED AS AVRO LOCATION 's3://b/c/'",
        "DROP TABLE nobody_has_this",
        "SHOW PARTITIONS nobody_has_this",
        "MSCK REPAIR TABLE nobody_has_this",
        "ALTER TABLE nobody_has_this ADD PARTITION (partition_date = '2025-06-01')",
        "DESCRIBE nobody_has_this",
    ],
)
def test_ddl_that_makes_no_sense_fails(account: Account, statement: str) -> None:
    assert run(account, statement).state == "FAILED"
