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


def test_the_aws_command_starts_a_query_and_shows_its_result(aws: LocalAws) -> None:
    started = _aws_command(
        "start-query-execution", "--query-string", "SELECT 1 AS one", "--work-group", aws.settings.workgroup
    )
    identifier = ["--query-execution-id", started["QueryExecutionId"]]
    deadline = time.monotonic() + 60
    while _aws_command("get-query-execution", *identifier)["QueryExecution"]["Status"]["State"] != "SUCCEEDED":
        assert time.monotonic() < deadline
    rows = _aws_command("get-query-results", *identifier)["ResultSet"]["Rows"]
    assert [[cell["VarCharValue"] for cell in row["Data"]] for row in rows] == [["one"], ["1"]]


def _aws_command(*arguments: str) -> Any:
    command = [str(Path(sys.executable).parent / "aws"), "athena", *arguments, "--output", "json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
