"""The workgroup's gateway against the local AWS, with a connection built as a task builds it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from dmd_pipeline.airflow import clients
from dmd_pipeline.aws.athena import Answer
from dmd_pipeline.delivery import container
from dmd_pipeline.errors import QueryFailedError, ThrottledError
from dmd_pipeline.hive import table_input
from dmd_pipeline.record_types import load_record_types


if TYPE_CHECKING:
    from dmd_pipeline.aws.athena import Workgroup
    from local.aws import LocalAws


@pytest.fixture
def workgroup(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Workgroup:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")
    monkeypatch.setattr(clients, "_POLL_SECONDS", 0.01)
    return clients.workgroup(aws.settings)


def put_empty_sale(aws: LocalAws) -> int:
    """The table ``sale`` with one registered partition and a file without rows in it; returns the file's size."""
    settings, day = aws.settings, date(2025, 6, 1)
    sale = load_record_types()["sale"]
    table = table_input("sale", sale.schema, settings.layout.table_location("sale"))
    content = container(sale, [], sync_marker=bytes(16))
    key = f"{settings.layout.partition_prefix('sale', day)}a.avro"
    aws.client("s3").put_object(Bucket=settings.bucket, Key=key, Body=content)
    aws.client("glue").create_table(DatabaseName=settings.database, TableInput=table)
    location = settings.layout.partition_location("sale", day)
    aws.client("glue").create_partition(
        DatabaseName=settings.database,
        TableName="sale",
        PartitionInput={
            "Values": [str(day)],
            "StorageDescriptor": {**table["StorageDescriptor"], "Location": location},
        },
    )
    return len(content)


def test_rows_are_values_of_python(workgroup: Workgroup) -> None:
    found = workgroup.rows("SELECT 1, 1.50, 'text', true, DATE '2025-06-01', CAST(NULL AS varchar)")
    assert found == ((1, Decimal("1.50"), "text", True, date(2025, 6, 1), None),)


@pytest.mark.parametrize(("rows", "pages"), [(1, 1), (999, 1), (1000, 2), (2500, 3)])
def test_rows_cost_a_call_a_page_and_the_header_is_one(
    aws: LocalAws, workgroup: Workgroup, rows: int, pages: int
) -> None:
    aws.calls.clear()
    found = workgroup.rows(f"SELECT n FROM UNNEST(sequence(1, {rows})) AS t(n) ORDER BY n")
    assert [row[0] for row in found] == list(range(1, rows + 1))
    assert aws.calls.count("athena:StartQueryExecution") == 1
    assert aws.calls.count("athena:GetQueryResults") == pages


def test_tables_are_those_of_the_environment_and_the_scanned_bytes_are_told(
    aws: LocalAws, workgroup: Workgroup
) -> None:
    size = put_empty_sale(aws)
    answer = workgroup.query("SELECT count(*) FROM sale")
    assert (answer.rows, answer.scanned_bytes) == (((0,),), size)
    kept = aws.client("athena").get_query_execution(QueryExecutionId=answer.execution_id)["QueryExecution"]
    assert (kept["WorkGroup"], kept["Query"]) == (aws.settings.workgroup, "SELECT count(*) FROM sale")


@pytest.mark.parametrize(
    ("scanned", "billed"),
    [(0, 10 * 2**20), (10 * 2**20, 10 * 2**20), (10 * 2**20 + 1, 11 * 2**20), (2**40, 2**40)],
)
def test_whole_megabytes_are_billed_and_at_least_ten(scanned: int, billed: int) -> None:
    assert Answer((), "id", scanned).billed_bytes == billed


def test_a_query_that_fails_tells_what_athena_says_and_where_to_look(aws: LocalAws, workgroup: Workgroup) -> None:
    with pytest.raises(QueryFailedError) as caught:
        workgroup.rows("SELECT nope")
    error = caught.value
    assert error.reason == "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"
    assert error.execution_id is not None
    kept = aws.client("athena").get_query_execution(QueryExecutionId=error.execution_id)["QueryExecution"]
    assert kept["Status"]["State"] == "FAILED"
    assert str(error) == (
        f"query {error.execution_id} failed: {error.reason} (its text: Athena's console, workgroup "
        f"{aws.settings.workgroup}, Recent queries; or aws athena get-query-execution --query-execution-id "
        f"{error.execution_id})"
    )


def test_a_query_that_athena_refuses_has_no_execution(aws: LocalAws, workgroup: Workgroup) -> None:
    aws.fail("athena:StartQueryExecution", code="InvalidRequestException", message="WorkGroup is disabled.")
    with pytest.raises(QueryFailedError, match=r"^Athena did not start a query in workgroup ") as caught:
        workgroup.rows("SELECT 1")
    assert "WorkGroup is disabled." in caught.value.reason
    assert caught.value.execution_id is None


def test_a_throttled_start_is_tried_again_by_boto3_alone(aws: LocalAws, workgroup: Workgroup) -> None:
    aws.fail("athena:StartQueryExecution", code="ThrottlingException", times=1)
    assert workgroup.rows("SELECT 1") == ((1,),)
    assert aws.calls.count("athena:StartQueryExecution") == 2


def test_a_query_that_stays_throttled_says_so(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch, workgroup: Workgroup
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    aws.fail("athena:StartQueryExecution", code="ThrottlingException", times=100)
    with pytest.raises(ThrottledError, match=r"^cannot query workgroup .*: AWS asked to slow down .*ThrottlingExc"):
        workgroup.rows("SELECT 1")
    assert aws.calls.count("athena:StartQueryExecution") == 7, "retries must not multiply: boto3's are enough"


def test_several_threads_query_at_once(workgroup: Workgroup) -> None:
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda number: workgroup.rows(f"SELECT {number}"), range(12)))
    assert found == [((number,),) for number in range(12)]


def test_the_connection_s_endpoint_goes_before_the_environment_s(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", f'{{"conn_type": "aws", "extra": {{"endpoint_url": "{aws.url}"}}}}')
    monkeypatch.setattr(clients, "_POLL_SECONDS", 0.01)
    assert clients.workgroup(aws.settings).rows("SELECT 1") == ((1,),)
