"""Athena: the life of an execution, results in pages and in S3, work groups."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.account import refused
from tests.conformance.athena_runs import run


if TYPE_CHECKING:
    from tests.conformance.account import Account

_NUMBERS = "SELECT n FROM UNNEST(sequence(1, {count})) AS t(n) ORDER BY n"
# An hour of work for one core; the product could have that value, or an engine that knows its range would not begin.
_ENDLESS = (
    "SELECT count(*) FROM UNNEST(sequence(1, 10000)) a(x) CROSS JOIN UNNEST(sequence(1, 10000)) b(y) "
    "CROSS JOIN UNNEST(sequence(1, 10000)) c(z) WHERE x * y * z = 999999999989"
)


def _start(account: Account, statement: str, **arguments: Any) -> str:
    started = account.client("athena").start_query_execution(
        QueryString=statement, WorkGroup=account.settings.workgroup, **arguments
    )
    return str(started["QueryExecutionId"])


def test_an_execution_tells_what_ran_where_and_at_what_cost(account: Account) -> None:
    found = run(account, "SELECT 1").execution
    assert (found["Query"], found["StatementType"], found["SubstatementType"]) == ("SELECT 1", "DML", "SELECT")
    assert found["WorkGroup"] == account.settings.workgroup
    assert found["QueryExecutionContext"]["Database"] == account.database
    assert found["Status"]["CompletionDateTime"] >= found["Status"]["SubmissionDateTime"]
    assert found["Statistics"]["DataScannedInBytes"] == 0
    assert found["Statistics"]["TotalExecutionTimeInMillis"] >= found["Statistics"]["EngineExecutionTimeInMillis"]


def test_a_failed_execution_says_why_in_two_places(account: Account) -> None:
    found = run(account, "SELECT nope").execution["Status"]
    assert found["StateChangeReason"] == "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"
    assert found["AthenaError"]["ErrorCategory"] == 2  # a mistake of the user
    assert found["AthenaError"]["ErrorMessage"] == found["StateChangeReason"]


def test_results_of_a_failed_execution_cannot_be_got(account: Account) -> None:
    identifier = run(account, "SELECT nope").execution["QueryExecutionId"]
    with refused("InvalidRequestException", "Final query state: FAILED"):
        account.client("athena").get_query_results(QueryExecutionId=identifier)


def test_results_come_in_pages_of_a_thousand_rows_of_which_the_first_begins_with_the_header(account: Account) -> None:
    identifier = run(account, _NUMBERS.format(count=1500)).execution["QueryExecutionId"]
    athena = account.client("athena")
    first = athena.get_query_results(QueryExecutionId=identifier)
    second = athena.get_query_results(QueryExecutionId=identifier, NextToken=first["NextToken"])
    texts = [[row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]] for page in (first, second)]
    assert (texts[0][:2], len(texts[0])) == (["n", "1"], 1000)
    assert (texts[1][0], texts[1][-1], len(texts[1])) == ("1000", "1500", 501)
    assert "NextToken" not in second


def test_a_page_of_more_than_a_thousand_rows_is_refused(account: Account) -> None:
    identifier = run(account, "SELECT 1").execution["QueryExecutionId"]
    with refused("InvalidRequestException"):
        account.client("athena").get_query_results(QueryExecutionId=identifier, MaxResults=1001)


def test_null_has_no_value_in_a_page_and_no_quotes_in_the_csv(account: Account) -> None:
    found = run(account, "SELECT 'a \"b\", c' AS t, CAST(NULL AS varchar) AS n, '' AS e")
    assert found.rows == [['a "b", c', None, ""]]
    assert _object(account, found.execution) == b'"t","n","e"\n"a ""b"", c",,""\n'


def _object(account: Account, execution: dict[str, Any]) -> bytes:
    location: str = execution["ResultConfiguration"]["OutputLocation"]
    bucket, _, key = location.removeprefix("s3://").partition("/")
    body: bytes = account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def test_columns_are_described_with_type_precision_and_scale(account: Account) -> None:
    found = run(
        account,
        "SELECT 1 AS i, BIGINT '1' AS b, 1.50 AS d, 'abc' AS s, CAST('a' AS varchar) AS v, true AS t, 1e0 AS f, "
        "REAL '1' AS r, ARRAY[1] AS a, DATE '2025-06-01' AS day, now() AS z",
    )
    shown = [(one["Type"], one["Precision"], one["Scale"], one["CaseSensitive"]) for one in found.columns]
    assert shown == [
        ("integer", 10, 0, False),
        ("bigint", 19, 0, False),
        ("decimal", 3, 2, False),
        ("varchar", 3, 0, True),
        ("varchar", 2147483647, 0, True),
        ("boolean", 0, 0, False),
        ("double", 17, 0, False),
        ("float", 17, 0, False),
        ("array", 0, 0, False),
        ("date", 0, 0, False),
        ("timestamp with time zone", 3, 0, False),
    ]


def test_the_same_token_and_the_same_statement_are_one_execution(account: Account) -> None:
    token = secrets.token_hex(20)
    first, second = (_start(account, "SELECT 1", ClientRequestToken=token) for _ in range(2))
    assert first == second
    with refused("InvalidRequestException", "Idempotent"):
        _start(account, "SELECT 2", ClientRequestToken=token)


def test_a_statement_of_more_than_256_kib_is_refused(account: Account) -> None:
    with refused("InvalidRequestException"):
        _start(account, f"SELECT '{'x' * 262_144}'")


def test_question_marks_take_parameters_in_the_order_in_which_they_stand(account: Account) -> None:
    found = run(
        account,
        "SELECT ? AS a, x FROM (VALUES (1, ?)) t(k, x) WHERE k = ?",
        ExecutionParameters=["'it''s'", "DATE '2025-06-01'", "1"],
    )
    assert found.rows == [["it's", "2025-06-01"]]


def test_too_few_parameters_fail_the_execution(account: Account) -> None:
    found = run(account, "SELECT ?, ?", ExecutionParameters=["1"])
    assert found.reason.startswith("INVALID_PARAMETER_USAGE: ")


def test_an_unknown_work_group_is_refused(account: Account) -> None:
    with refused("InvalidRequestException", "is not found"):
        account.client("athena").start_query_execution(QueryString="SELECT 1", WorkGroup=account.unique("nowhere"))


def test_an_unknown_execution_is_refused(account: Account) -> None:
    with refused("InvalidRequestException", "was not found"):
        account.client("athena").get_query_execution(QueryExecutionId="00000000-0000-4000-8000-000000000000")


def test_a_running_execution_can_be_stopped(account: Account) -> None:
    athena = account.client("athena")
    identifier = _start(account, _ENDLESS)
    athena.stop_query_execution(QueryExecutionId=identifier)
    assert athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]["Status"]["State"] == "CANCELLED"


def test_a_running_execution_keeps_no_other_waiting(account: Account) -> None:
    athena = account.client("athena")
    endless = _start(account, _ENDLESS)
    try:
        assert run(account, "SELECT 1").rows == [["1"]]
        state = athena.get_query_execution(QueryExecutionId=endless)["QueryExecution"]["Status"]["State"]
        assert state in ("QUEUED", "RUNNING")
    finally:
        athena.stop_query_execution(QueryExecutionId=endless)


def test_executions_are_listed_newest_first_and_described_in_batches(account: Account) -> None:
    athena = account.client("athena")
    made = [run(account, f"SELECT {number}").execution["QueryExecutionId"] for number in range(3)]
    listed = athena.list_query_executions(WorkGroup=account.settings.workgroup, MaxResults=3)["QueryExecutionIds"]
    assert listed == made[::-1]
    answer = athena.batch_get_query_execution(QueryExecutionIds=[*made, "00000000-0000-4000-8000-000000000000"])
    assert [one["Query"] for one in answer["QueryExecutions"]] == ["SELECT 0", "SELECT 1", "SELECT 2"]
    assert len(answer["UnprocessedQueryExecutionIds"]) == 1


@pytest.mark.creates_resources
def test_a_work_group_that_enforces_its_location_ignores_the_request_s(account: Account) -> None:
    athena, name = account.client("athena"), account.unique("enforced")
    location = f"{account.location('results')}"
    athena.create_work_group(
        Name=name,
        Configuration={
            "ResultConfiguration": {"OutputLocation": location},
            "EnforceWorkGroupConfiguration": True,
        },
    )
    account.remove_later(lambda: athena.delete_work_group(WorkGroup=name, RecursiveDeleteOption=True))
    started = athena.start_query_execution(
        QueryString="SELECT 1",
        WorkGroup=name,
        ResultConfiguration={"OutputLocation": account.location("elsewhere")},
    )
    found = athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"]
    assert found["ResultConfiguration"]["OutputLocation"] == f"{location}{found['QueryExecutionId']}.csv"


@pytest.mark.creates_resources
def test_a_work_group_without_a_location_needs_one_in_the_request(account: Account) -> None:
    athena, name = account.client("athena"), account.unique("bare")
    athena.create_work_group(Name=name, Configuration={"EnforceWorkGroupConfiguration": False})
    account.remove_later(lambda: athena.delete_work_group(WorkGroup=name, RecursiveDeleteOption=True))
    with refused("InvalidRequestException", "No output location provided"):
        athena.start_query_execution(QueryString="SELECT 1", WorkGroup=name)


@pytest.mark.creates_resources
def test_a_disabled_work_group_runs_nothing(account: Account) -> None:
    athena, name = account.client("athena"), account.unique("disabled")
    athena.create_work_group(
        Name=name, Configuration={"ResultConfiguration": {"OutputLocation": account.location("results")}}
    )
    account.remove_later(lambda: athena.delete_work_group(WorkGroup=name, RecursiveDeleteOption=True))
    athena.update_work_group(WorkGroup=name, State="DISABLED")
    with refused("InvalidRequestException", "disabled"):
        athena.start_query_execution(QueryString="SELECT 1", WorkGroup=name)
