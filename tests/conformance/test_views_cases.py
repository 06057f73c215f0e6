"""Athena: views, from the statement that makes one to what Glue shows of it and what queries read through it."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from tests.conformance.account import refused
from tests.conformance.athena_runs import Run, run
from tests.conformance.engine_case import PLAIN


if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conformance.account import Account

_RESULTS = [
    {"table_name": "people", "partition_date": "2026-03-01", "verdict": "failed", "checked_at": "2026-03-02T01:00:00Z"},
    {"table_name": "people", "partition_date": "2026-03-01", "verdict": "passed", "checked_at": "2026-03-02T02:00:00Z"},
    {"table_name": "people", "partition_date": "2026-03-02", "verdict": "passed", "checked_at": "2026-03-03T01:00:00Z"},
    {"table_name": "people", "partition_date": "2026-03-02", "verdict": "failed", "checked_at": "2026-03-03T02:00:00Z"},
    {"table_name": "others", "partition_date": "2026-03-02", "verdict": "passed", "checked_at": "2026-03-03T01:00:00Z"},
]
# The newest verdict of each partition, as analysts read it.
_LATEST = """
SELECT table_name, partition_date, verdict, checked_at, "rows", failed_expectations, cost
FROM (
  SELECT *, row_number() OVER (PARTITION BY table_name, partition_date ORDER BY checked_at DESC) AS place FROM verdicts
)
WHERE place = 1
""".strip()


def _succeed(account: Account, statement: str) -> Run:
    found = run(account, statement)
    assert found.state == "SUCCEEDED", found.reason
    return found


def _fail(account: Account, statement: str, error: str, saying: str = "") -> None:
    found = run(account, statement)
    assert found.state == "FAILED", found.rows
    assert found.reason.startswith(f"{error}: ")
    assert saying in found.reason


def _make(account: Account, name: str, query: str, words: str = "CREATE VIEW") -> Run:
    account.remove_later(lambda: run(account, f"DROP VIEW IF EXISTS {name}"))
    return _succeed(account, f"{words} {name} AS {query}")


def _definition(account: Account, name: str) -> dict[str, Any]:
    found: dict[str, Any] = account.client("glue").get_table(DatabaseName=account.database, Name=name)["Table"]
    return found


def _stored(account: Account, name: str) -> dict[str, Any]:
    text = _definition(account, name)["ViewOriginalText"]
    assert text.startswith("/* Presto View: ")
    assert text.endswith(" */")
    found: dict[str, Any] = json.loads(base64.b64decode(text.removeprefix("/* Presto View: ").removesuffix(" */")))
    return found


@pytest.fixture
def verdicts(account: Account) -> str:
    """A table of JSON documents, a verdict each."""
    _succeed(
        account,
        "CREATE EXTERNAL TABLE verdicts (table_name string, partition_date string, verdict string, checked_at string, "
        "`rows` bigint, failed_expectations array<string>, cost struct<queries:int,dollars:double>) "
        f"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION '{account.location('verdicts')}'",
    )
    account.remove_later(lambda: run(account, "DROP TABLE verdicts"))
    for number, one in enumerate(_RESULTS):
        _write(account, one | {"rows": number, "failed_expectations": ["a"], "cost": {"queries": 1, "dollars": 0.5}})
    return "verdicts"


def _write(account: Account, document: Mapping[str, Any]) -> None:
    key = f"verdicts/{document['table_name']}/{document['partition_date']}/{document['checked_at']}.json"
    account.put(key, json.dumps(document).encode())


@pytest.fixture
def people(account: Account) -> str:
    """A table of Avro files with two days, of which the first has one row and the second two."""
    _succeed(
        account,
        "CREATE EXTERNAL TABLE people (id string, n int) PARTITIONED BY (partition_date string) "
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe' "
        f"WITH SERDEPROPERTIES ('avro.schema.literal' = '{json.dumps(PLAIN)}') "
        f"STORED AS AVRO LOCATION '{account.location('people')}'",
    )
    account.remove_later(lambda: run(account, "DROP TABLE people"))
    for day, count in (("2026-03-01", 1), ("2026-03-02", 2)):
        written = io.BytesIO()
        rows = [{"id": f"{day}-{number}", "n": number} for number in range(count)]
        fastavro.writer(written, fastavro.parse_schema(PLAIN), rows)
        account.put(f"people/partition_date={day}/one.avro", written.getvalue())
    _succeed(account, "MSCK REPAIR TABLE people")
    return "people"


def test_glue_shows_a_view_as_a_table_without_files(account: Account, verdicts: str) -> None:
    made = _make(account, "latest", _LATEST, "CREATE OR REPLACE VIEW")
    assert (made.execution["StatementType"], made.execution["SubstatementType"]) == ("DDL", "CREATE_VIEW")
    assert (made.rows, made.scanned_bytes) == ([], 0)
    found = _definition(account, "latest")
    assert found["TableType"] == "VIRTUAL_VIEW"
    assert found["Parameters"]["presto_view"] == "true"
    assert found["ViewExpandedText"] == "/* Presto View */"
    columns = [(one["Name"], one["Type"]) for one in found["StorageDescriptor"]["Columns"]]
    assert columns == [
        ("table_name", "string"),
        ("partition_date", "string"),
        ("verdict", "string"),
        ("checked_at", "string"),
        ("rows", "bigint"),
        ("failed_expectations", "array<string>"),
        ("cost", "struct<queries:int,dollars:double>"),
    ]
    stored = _stored(account, "latest")
    assert (stored["catalog"], stored["schema"]) == ("awsdatacatalog", account.database)
    assert {"name": "failed_expectations", "type": "array(varchar)"} in stored["columns"]
    assert verdicts in stored["originalSql"]


@pytest.mark.usefixtures("verdicts")
def test_the_newest_row_of_each_group_is_read_through_a_view(account: Account) -> None:
    _make(account, "latest", _LATEST)
    found = _succeed(account, 'SELECT table_name, partition_date, verdict, "rows", cost FROM latest ORDER BY 1, 2')
    assert found.rows == [
        ["others", "2026-03-02", "passed", "4", "{queries=1, dollars=0.5}"],
        ["people", "2026-03-01", "passed", "1", "{queries=1, dollars=0.5}"],
        ["people", "2026-03-02", "failed", "3", "{queries=1, dollars=0.5}"],
    ]
    everything = _succeed(account, "SELECT * FROM verdicts").scanned_bytes
    assert found.scanned_bytes == everything


@pytest.mark.usefixtures("verdicts", "people")
def test_a_view_says_which_partitions_of_a_table_to_read(account: Account) -> None:
    _make(account, "latest", _LATEST)
    gate = "SELECT partition_date FROM latest WHERE table_name = 'people' AND verdict = 'passed'"
    assert _succeed(account, f"SELECT count(*) FROM people WHERE partition_date IN ({gate})").rows == [["1"]]
    _write(account, _RESULTS[2] | {"checked_at": "2026-03-04T00:00:00Z"})
    assert _succeed(account, f"SELECT count(*) FROM people WHERE partition_date IN ({gate})").rows == [["3"]]


@pytest.mark.usefixtures("verdicts", "people")
def test_a_view_is_joined_and_named_as_a_table_is(account: Account) -> None:
    _make(account, f"{account.database}.latest", _LATEST)
    for source, name in (
        ("latest AS l", "l"),
        ("latest", "latest"),
        (f'"{account.database}"."latest"', f"{account.database}.latest"),
        (f"awsdatacatalog.{account.database}.latest", "latest"),
    ):
        found = _succeed(
            account,
            f"SELECT p.id, {name}.verdict, {name}.cost.queries FROM people p LEFT JOIN {source} "
            f"ON {name}.table_name = 'people' AND {name}.partition_date = p.partition_date ORDER BY 1",
        )
        assert found.rows == [
            ["2026-03-01-0", "passed", "1"],
            ["2026-03-02-0", "failed", "1"],
            ["2026-03-02-1", "failed", "1"],
        ]


def test_columns_are_qualified_as_the_view_or_table_is_named(account: Account, people: str) -> None:
    _make(account, "answer", "SELECT 1 AS n")
    for name in ("answer", people):
        full = f"{account.database}.{name}"
        assert _succeed(account, f"SELECT max({full}.n), max({name}.n) FROM {full}").rows == [["1", "1"]]
        _fail(account, f"SELECT {full}.n FROM {name}", "COLUMN_NOT_FOUND")


@pytest.mark.usefixtures("people")
def test_a_condition_on_the_partition_passes_through_a_view(account: Account) -> None:
    _make(account, "plain", "SELECT * FROM people WHERE n >= 0")
    one, all_days = (
        _succeed(account, f"SELECT count(*), count(n) FROM plain {condition}")
        for condition in ("WHERE partition_date = '2026-03-01'", "")
    )
    assert (one.rows, all_days.rows) == ([["1", "1"]], [["3", "3"]])
    assert 0 < one.scanned_bytes < all_days.scanned_bytes


@pytest.mark.usefixtures("people")
def test_a_condition_does_not_pass_through_a_window(account: Account) -> None:
    ranked = "SELECT id, partition_date, row_number() OVER (ORDER BY partition_date, n) AS place FROM people"
    _make(account, "ranked", ranked)
    found = _succeed(account, "SELECT place FROM ranked WHERE partition_date = '2026-03-02' ORDER BY place")
    assert found.rows == [["2"], ["3"]]


@pytest.mark.usefixtures("people")
def test_a_view_may_read_a_view_and_names_of_the_query_are_not_seen_inside(account: Account) -> None:
    _make(account, "inner_view", "SELECT id, n FROM people")
    _make(account, "outer_view", "SELECT upper(id) AS id, n + 1 AS n FROM inner_view")
    found = _succeed(account, "WITH people AS (SELECT 'none' AS id) SELECT max(n) FROM outer_view, people")
    assert found.rows == [["2"]]


@pytest.mark.usefixtures("people")
def test_names_in_a_view_are_those_of_the_database_in_which_it_was_made(account: Account) -> None:
    _make(account, "plain", "SELECT count(*) AS n FROM people")
    found = run(account, f"SELECT n FROM {account.database}.plain", database="default")
    assert (found.state, found.rows) == ("SUCCEEDED", [["3"]])


def test_a_view_that_exists_is_replaced_only_by_a_statement_that_says_so(account: Account) -> None:
    _make(account, "answer", "SELECT 1 AS n")
    _fail(account, "CREATE VIEW answer AS SELECT 2 AS n", "TABLE_ALREADY_EXISTS", "View already exists: ")
    assert _succeed(account, "SELECT n FROM answer").rows == [["1"]]
    _make(account, "answer", "SELECT 'two' AS t", "CREATE OR REPLACE VIEW")
    assert _succeed(account, "SELECT * FROM answer").rows == [["two"]]
    assert [one["Name"] for one in _definition(account, "answer")["StorageDescriptor"]["Columns"]] == ["t"]


@pytest.mark.usefixtures("people")
def test_a_table_is_no_view(account: Account) -> None:
    for words in ("CREATE VIEW", "CREATE OR REPLACE VIEW"):
        assert run(account, f"{words} people AS SELECT 1 AS n").state == "FAILED"
    assert run(account, "DROP VIEW people").state == "FAILED"
    assert run(account, "SHOW CREATE VIEW people").state == "FAILED"
    assert _succeed(account, "SELECT count(*) FROM people").rows == [["3"]]


def test_a_view_is_no_table(account: Account) -> None:
    _make(account, "answer", "SELECT 1 AS n")
    assert run(account, "DROP TABLE answer").state == "FAILED"
    assert run(account, "SHOW CREATE TABLE answer").state == "FAILED"
    _fail(account, 'SELECT * FROM "answer$partitions"', "TABLE_NOT_FOUND")
    assert _succeed(account, "SELECT n FROM answer").rows == [["1"]]


def test_a_dropped_view_is_gone(account: Account) -> None:
    _make(account, "answer", "SELECT 1 AS n")
    dropped = _succeed(account, "DROP VIEW answer")
    assert (dropped.execution["StatementType"], dropped.execution["SubstatementType"]) == ("DDL", "DROP_VIEW")
    with refused("EntityNotFoundException"):
        _definition(account, "answer")
    _fail(account, "SELECT n FROM answer", "TABLE_NOT_FOUND")
    _fail(account, "DROP VIEW answer", "GENERIC_USER_ERROR", f"{account.database}.answer' does not exist")
    _succeed(account, "DROP VIEW IF EXISTS answer")


def test_a_view_of_a_table_that_is_gone_says_so_when_it_is_read(account: Account, people: str) -> None:
    _make(account, "plain", f"SELECT id FROM {people}")
    _succeed(account, f"DROP TABLE {people}")
    full = f"awsdatacatalog.{account.database}"
    _fail(account, "SELECT id FROM plain", "INVALID_VIEW", f"Failed analyzing stored view '{full}.plain': ")
    _fail(account, "SELECT id FROM plain", "INVALID_VIEW", f"Table '{full}.{people}' does not exist")


def test_a_view_whose_table_has_changed_is_stale(account: Account, people: str) -> None:
    _make(account, "plain", f"SELECT * FROM {people}")
    _succeed(account, f"ALTER TABLE {people} ADD COLUMNS (extra bigint)")
    said = "is stale or in invalid state: stored view column count (3) does not match"
    _fail(account, "SELECT id FROM plain", "VIEW_IS_STALE", said)


def test_a_view_that_comes_to_read_itself_is_refused(account: Account) -> None:
    _make(account, "one", "SELECT 1 AS n")
    _make(account, "two", "SELECT n FROM one")
    _make(account, "one", "SELECT n FROM two", "CREATE OR REPLACE VIEW")
    _fail(account, "SELECT n FROM one", "INVALID_VIEW", "recursive")


@pytest.mark.parametrize(
    ("query", "error", "saying"),
    [
        ("SELECT 1", "MISSING_COLUMN_NAME", "Column name not specified at position 1"),
        ("SELECT 1 AS a, 2 AS A", "DUPLICATE_COLUMN_NAME", "specified more than once"),
        ("SELECT NULL AS a", "COLUMN_TYPE_UNKNOWN", "Column type is unknown: a"),
        ("SELECT nope", "COLUMN_NOT_FOUND", "Column 'nope' cannot be resolved"),
        ("SELECT 1 AS a FROM nobody_has_this", "TABLE_NOT_FOUND", "does not exist"),
        ("SELECT 1 AS a WHERE", "SYNTAX_ERROR", ""),
        ("SELECT", "SYNTAX_ERROR", ""),
        ("SELECT now() AS a", "NOT_SUPPORTED", "Unsupported Hive type: timestamp(3) with time zone"),
        ("SELECT ROW(1) AS a", "NOT_SUPPORTED", "Anonymous row type is not supported in Hive"),
    ],
)
def test_a_view_that_makes_no_sense_is_not_made(account: Account, query: str, error: str, saying: str) -> None:
    _fail(account, f"CREATE VIEW broken AS {query}", error, saying)
    with refused("EntityNotFoundException"):
        _definition(account, "broken")


def test_a_view_made_in_glue_is_read(account: Account, people: str) -> None:
    """Types may be wider than those of the query, and other keys than those needed may be missing."""
    given = {
        "originalSql": f"SELECT id, n FROM {people}",
        "catalog": "awsdatacatalog",
        "schema": account.database,
        "columns": [{"name": "id", "type": "varchar"}, {"name": "n", "type": "bigint"}],
    }
    text = base64.b64encode(json.dumps(given).encode()).decode()
    columns = [{"Name": "id", "Type": "string"}, {"Name": "n", "Type": "bigint"}]
    account.client("glue").create_table(
        DatabaseName=account.database,
        TableInput={
            "Name": "made_elsewhere",
            "TableType": "VIRTUAL_VIEW",
            "Parameters": {"comment": "Presto View", "presto_view": "true"},
            "StorageDescriptor": {"Columns": columns, "SerdeInfo": {}},
            "PartitionKeys": [],
            "ViewOriginalText": f"/* Presto View: {text} */",
            "ViewExpandedText": "/* Presto View */",
        },
    )
    account.remove_later(lambda: run(account, "DROP VIEW made_elsewhere"))
    found = _succeed(account, "SELECT sum(n) AS s, max(n) AS n FROM made_elsewhere")
    assert [column["Type"] for column in found.columns] == ["bigint", "bigint"]
    assert found.rows == [["1", "1"]]


@pytest.mark.usefixtures("people")
def test_views_are_listed_beside_tables(account: Account) -> None:
    _make(account, "answer", "SELECT 1 AS n, CAST('x' AS varchar(5)) AS t")
    lines = {
        statement: [row[0] for row in _succeed(account, statement).rows]
        for statement in ("SHOW TABLES", "SHOW VIEWS", "SHOW VIEWS LIKE 'p*'", f"SHOW VIEWS IN {account.database}")
    }
    assert list(lines.values()) == [["answer", "people"], ["answer"], [], ["answer"]]
    kinds = _succeed(
        account,
        "SELECT table_name, table_type FROM information_schema.tables "
        f"WHERE table_schema = '{account.database}' ORDER BY 1",
    )
    assert kinds.rows == [["answer", "VIEW"], ["people", "BASE TABLE"]]
    described = [line[0] or "" for line in _succeed(account, "DESCRIBE answer").rows]
    assert [[cell.strip() for cell in line.split("\t")][:2] for line in described] == [
        ["n", "int"],
        ["t", "varchar(5)"],
    ]


def test_show_create_view_makes_the_same_view_again(account: Account) -> None:
    _make(account, "answer", "\nSELECT\n  1 AS n -- one\n")
    statement = "\n".join(row[0] or "" for row in _succeed(account, "SHOW CREATE VIEW answer").rows)
    before = _stored(account, "answer")
    _succeed(account, "DROP VIEW answer")
    _succeed(account, statement)
    assert _stored(account, "answer") == before
