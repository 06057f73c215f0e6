"""The clients that people use run against the local Athena over HTTP, as they are."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.hive import table_input
from dmd_pipeline.record_types import load_record_types


if TYPE_CHECKING:
    from local.aws import LocalAws

_EVERY_TYPE = (
    "SELECT 1 AS i, BIGINT '3000000000' AS b, 1.50 AS d, 'text' AS s, true AS t, 1.5e0 AS f, DATE '2025-06-01' AS day, "
    "TIMESTAMP '2025-06-01 10:00:00' AS ts, CAST(NULL AS varchar) AS n, ARRAY[1, 2] AS a"
)


def _connect(aws: LocalAws, **arguments: Any) -> Any:
    from pyathena import connect

    return connect(
        work_group=aws.settings.workgroup, schema_name=aws.settings.database, poll_interval=0.01, **arguments
    )


def test_pyathena_gets_rows_with_python_s_types(aws: LocalAws) -> None:
    with _connect(aws) as connection, connection.cursor() as cursor:
        assert cursor.execute(_EVERY_TYPE).fetchone() == (
            1,
            3_000_000_000,
            Decimal("1.50"),
            "text",
            True,
            1.5,
            date(2025, 6, 1),
            datetime(2025, 6, 1, 10),  # noqa: DTZ001 - a timestamp without time zone
            None,
            [1, 2],
        )
        assert [column[0] for column in cursor.description] == [*"ibdstf", "day", "ts", "n", "a"]


def test_pyathena_gets_dictionaries_and_passes_parameters(aws: LocalAws) -> None:
    from pyathena.cursor import DictCursor

    with _connect(aws) as connection, connection.cursor(DictCursor) as cursor:
        found = cursor.execute("SELECT %(word)s AS word, %(day)s AS day", {"word": "it's", "day": date(2025, 6, 1)})
        assert found.fetchall() == [{"word": "it's", "day": date(2025, 6, 1)}]


def test_pyathena_passes_question_marks(aws: LocalAws) -> None:
    with _connect(aws) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT ? AS word, ? AS n", ["'it''s'", "5"], paramstyle="qmark")
        assert cursor.fetchone() == ("it's", 5)


def test_pyathena_makes_a_data_frame_of_the_csv(aws: LocalAws) -> None:
    from pyathena.pandas.cursor import PandasCursor

    with _connect(aws) as connection, connection.cursor(PandasCursor) as cursor:
        frame = cursor.execute("SELECT n, 'x' AS s FROM UNNEST(sequence(1, 3)) AS t(n) ORDER BY n").as_pandas()
    assert frame.to_dict("list") == {"n": [1, 2, 3], "s": ["x", "x", "x"]}


def test_pyathena_reads_more_rows_than_a_page_holds(aws: LocalAws) -> None:
    with _connect(aws) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n FROM UNNEST(sequence(1, 2500)) AS t(n) ORDER BY n")
        assert [row[0] for row in cursor.fetchall()] == list(range(1, 2501))


def test_pyathena_raises_what_athena_says(aws: LocalAws) -> None:
    from pyathena.error import OperationalError

    with _connect(aws) as connection, connection.cursor() as cursor, pytest.raises(OperationalError) as caught:
        cursor.execute("SELECT nope")
    assert str(caught.value) == "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"


# awswrangler 3.17 passes pandas an argument that pandas 3 no longer wants.
@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated:DeprecationWarning")
def test_awswrangler_reads_a_query_into_a_data_frame(aws: LocalAws) -> None:
    import awswrangler

    frame = awswrangler.athena.read_sql_query(
        "SELECT n, CAST(NULL AS varchar) AS empty FROM UNNEST(sequence(1, 3)) AS t(n) ORDER BY n",
        database=aws.settings.database,
        workgroup=aws.settings.workgroup,
        ctas_approach=False,
    )
    assert frame["n"].tolist() == [1, 2, 3]
    assert frame["empty"].isna().all()


@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated:DeprecationWarning")
def test_awswrangler_describes_shows_and_repairs_a_table(aws: LocalAws) -> None:
    """It names the database in backticks."""
    import awswrangler

    settings = aws.settings
    sale = table_input("sale", load_record_types()["sale"].schema, settings.layout.table_location("sale"))
    aws.client("glue").create_table(DatabaseName=settings.database, TableInput=sale)
    folder = settings.layout.partition_prefix("sale", date(2025, 6, 1))
    aws.client("s3").put_object(Bucket=settings.bucket, Key=f"{folder}a.avro", Body=b"")
    where: Any = {"database": settings.database, "workgroup": settings.workgroup}

    repaired = awswrangler.athena.repair_table("sale", **where)
    described = awswrangler.athena.describe_table("sale", **where)

    assert repaired == "SUCCEEDED"
    assert list(awswrangler.catalog.get_partitions(settings.database, "sale").values()) == [["2025-06-01"]]
    assert described["Column Name"].tolist()[:3] == ["type", "id", "eventid"]
    assert "CREATE EXTERNAL TABLE" in awswrangler.athena.show_create_table("sale", **where)


@pytest.fixture
def documents(aws: LocalAws) -> str:
    """A table of two JSON documents, made through PyAthena, and its location."""
    location = f"s3://{aws.settings.bucket}/documents/"
    for number, verdict in enumerate(("failed", "passed")):
        body = json.dumps({"verdict": verdict, "checked": number, "cost": {"dollars": 0.25}}).encode()
        aws.client("s3").put_object(Bucket=aws.settings.bucket, Key=f"documents/{number}.json", Body=body)
    with _connect(aws) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE EXTERNAL TABLE documents (verdict string, checked bigint, cost struct<dollars:double>) "
            f"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION '{location}'"
        )
    return "documents"


_NEWEST = "SELECT max_by(verdict, checked) AS verdict, max(checked) AS checked, sum(cost.dollars) AS dollars"


def test_pyathena_makes_reads_and_drops_a_view(aws: LocalAws, documents: str) -> None:
    from pyathena.error import OperationalError

    with _connect(aws) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE VIEW newest AS {_NEWEST} FROM {documents}")
        assert (cursor.statement_type, cursor.substatement_type) == ("DDL", "CREATE_VIEW")
        assert cursor.fetchall() == []
        assert cursor.execute("SELECT * FROM newest").fetchall() == [("passed", 1, 0.5)]
        assert cursor.execute("SHOW VIEWS").fetchall() == [("newest",)]
        cursor.execute("DROP VIEW newest")
        with pytest.raises(OperationalError, match="TABLE_NOT_FOUND"):
            cursor.execute("SELECT * FROM newest")


@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated:DeprecationWarning")
def test_awswrangler_makes_and_reads_a_view(aws: LocalAws, documents: str) -> None:
    import awswrangler

    where: Any = {"database": aws.settings.database, "workgroup": aws.settings.workgroup}
    made = awswrangler.athena.start_query_execution(
        f"CREATE VIEW newest AS {_NEWEST} FROM {documents}", wait=True, **where
    )
    frame = awswrangler.athena.read_sql_query("SELECT * FROM newest", ctas_approach=False, **where)
    listed = awswrangler.catalog.tables(database=aws.settings.database, name_contains="newest")

    assert made["Status"]["State"] == "SUCCEEDED"
    assert frame.to_dict("list") == {"verdict": ["passed"], "checked": [1], "dollars": [0.5]}
    assert listed["TableType"].tolist() == ["VIRTUAL_VIEW"]
    assert awswrangler.catalog.get_table_types(aws.settings.database, "newest") == {
        "verdict": "string",
        "checked": "bigint",
        "dollars": "double",
    }


def test_the_aws_command_makes_a_view_and_shows_that_nothing_comes_of_it(aws: LocalAws) -> None:
    identifier, execution = _run_by_aws_command(aws, "CREATE VIEW one AS SELECT 1 AS n")
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DDL", "CREATE_VIEW")
    assert execution["ResultConfiguration"]["OutputLocation"].endswith(".txt")
    assert _aws_command("get-query-results", "--query-execution-id", identifier)["ResultSet"]["Rows"] == []
    found = _aws_command(
        "get-table-metadata",
        *("--catalog-name", "AwsDataCatalog", "--database-name", aws.settings.database, "--table-name", "one"),
    )["TableMetadata"]
    assert (found["TableType"], found["Columns"]) == ("VIRTUAL_VIEW", [{"Name": "n", "Type": "int"}])


def test_the_aws_command_starts_a_query_and_shows_its_result(aws: LocalAws) -> None:
    identifier, _ = _run_by_aws_command(aws, "SELECT 1 AS one")
    rows = _aws_command("get-query-results", "--query-execution-id", identifier)["ResultSet"]["Rows"]
    assert [[cell["VarCharValue"] for cell in row["Data"]] for row in rows] == [["one"], ["1"]]


def _run_by_aws_command(aws: LocalAws, statement: str) -> tuple[str, Any]:
    """The identifier of an execution that succeeded, and its description."""
    context = ["--query-execution-context", f"Database={aws.settings.database}"]
    started = _aws_command(
        "start-query-execution", "--query-string", statement, "--work-group", aws.settings.workgroup, *context
    )
    identifier: str = started["QueryExecutionId"]
    deadline = time.monotonic() + 60
    while True:
        found = _aws_command("get-query-execution", "--query-execution-id", identifier)["QueryExecution"]
        if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
            assert found["Status"]["State"] == "SUCCEEDED", found
            return identifier, found
        assert time.monotonic() < deadline


def _aws_command(*arguments: str) -> Any:
    command = [str(Path(sys.executable).parent / "aws"), "athena", *arguments, "--output", "json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
