"""Faults on request look like AWS's own, in every protocol, and happen as often as asked."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.local_aws.test_call_log import CALLS


if TYPE_CHECKING:
    from local.aws import LocalAws


def ask(aws: LocalAws, method: str, path: str, document: Any = None) -> Any:
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(f"{aws.url}{path}", data=body, method=method)  # noqa: S310 - our own address
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


@pytest.mark.parametrize("name", CALLS)
def test_a_fault_reaches_the_client_with_code_message_and_status(aws: LocalAws, name: str) -> None:
    aws.fail(name, "ThrottlingException", status=503, message="Too <fast> & too often.")
    with pytest.raises(ClientError) as caught:
        CALLS[name](aws)
    answer = caught.value.response
    assert answer["Error"]["Code"] == "ThrottlingException"
    assert answer["Error"]["Message"] == "Too <fast> & too often."
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_a_fault_happens_as_often_as_asked(aws: LocalAws) -> None:
    aws.fail("glue:GetDatabases", times=2)
    glue = aws.client("glue")
    for _ in range(2):
        with pytest.raises(ClientError):
            glue.get_databases()
    assert glue.get_databases()["DatabaseList"]


def test_a_fault_can_wait_for_its_turn(aws: LocalAws) -> None:
    aws.fail("glue:GetDatabases", after=1)
    glue = aws.client("glue")
    assert glue.get_databases()["DatabaseList"]
    with pytest.raises(ClientError):
        glue.get_databases()


def test_a_fault_concerns_its_operation_only(aws: LocalAws) -> None:
    aws.fail("glue:GetDatabases")
    assert aws.client("glue").get_database(Name=aws.settings.database)


def test_one_item_of_a_glue_batch_can_fail(aws: LocalAws) -> None:
    glue, table = aws.client("glue"), {"DatabaseName": aws.settings.database, "TableName": "t"}
    keys = [{"Name": "partition_date", "Type": "string"}]
    glue.create_table(DatabaseName=aws.settings.database, TableInput={"Name": "t", "PartitionKeys": keys})
    aws.fail("glue:BatchCreatePartition", "InternalServiceException", item="2025-01-02")
    batch = [{"Values": [day]} for day in ("2025-01-01", "2025-01-02")]
    first = glue.batch_create_partition(**table, PartitionInputList=batch)["Errors"]
    second = glue.batch_create_partition(**table, PartitionInputList=batch[1:])["Errors"]
    assert [(error["PartitionValues"], error["ErrorDetail"]["ErrorCode"]) for error in first] == [
        (["2025-01-02"], "InternalServiceException")
    ]
    assert second == []


def test_a_key_of_a_glue_lookup_can_stay_unprocessed(aws: LocalAws) -> None:
    glue, table = aws.client("glue"), {"DatabaseName": aws.settings.database, "TableName": "t"}
    keys = [{"Name": "partition_date", "Type": "string"}]
    glue.create_table(DatabaseName=aws.settings.database, TableInput={"Name": "t", "PartitionKeys": keys})
    glue.create_partition(**table, PartitionInput={"Values": ["2025-01-01"]})
    aws.fail("glue:BatchGetPartition", item="2025-01-01")
    answer = glue.batch_get_partition(**table, PartitionsToGet=[{"Values": ["2025-01-01"]}])
    assert (answer["Partitions"], answer["UnprocessedKeys"]) == ([], [{"Values": ["2025-01-01"]}])


def test_one_record_of_a_kinesis_batch_can_fail(aws: LocalAws) -> None:
    aws.fail("kinesis:PutRecords", "InternalFailure", item="second")
    records = [{"Data": b"x", "PartitionKey": key} for key in ("first", "second")]
    answer = aws.client("kinesis").put_records(StreamName=aws.settings.stream, Records=records)
    assert [result.get("ErrorCode") for result in answer["Records"]] == [None, "InternalFailure"]
    assert answer["FailedRecordCount"] == 1


def test_another_process_can_ask_for_faults_and_take_them_back(aws: LocalAws) -> None:
    ask(aws, "POST", "/_local/faults", {"operation": "glue:GetDatabases", "code": "ThrottlingException", "times": 9})
    with pytest.raises(ClientError, match="ThrottlingException"):
        aws.client("glue").get_databases()
    ask(aws, "DELETE", "/_local/faults")
    assert aws.client("glue").get_databases()["DatabaseList"]


def test_another_process_can_read_and_clear_the_calls(aws: LocalAws) -> None:
    aws.client("glue").get_databases()
    assert ask(aws, "GET", "/_local/calls") == {"totals": {"glue:GetDatabases": 1}}
    ask(aws, "DELETE", "/_local/calls")
    assert ask(aws, "GET", "/_local/calls") == {"totals": {}}


def test_a_fault_with_an_unknown_key_is_refused(aws: LocalAws) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(aws, "POST", "/_local/faults", {"operation": "glue:GetDatabases", "code": "X", "often": 3})
    assert caught.value.code == 400
    caught.value.close()
