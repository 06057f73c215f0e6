"""The call log names what was served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from collections.abc import Callable

    from local.aws import LocalAws

CALLS: dict[str, Callable[[LocalAws], Any]] = {
    "s3:ListObjectsV2": lambda aws: aws.client("s3").list_objects_v2(Bucket=aws.settings.bucket),
    "s3:ListObjects": lambda aws: aws.client("s3").list_objects(Bucket=aws.settings.bucket),
    "s3:PutObject": lambda aws: aws.client("s3").put_object(Bucket=aws.settings.bucket, Key="a/b c", Body=b"x"),
    "s3:ListBuckets": lambda aws: aws.client("s3").list_buckets(),
    "s3:DeleteObjects": lambda aws: aws.client("s3").delete_objects(
        Bucket=aws.settings.bucket, Delete={"Objects": [{"Key": "x"}]}
    ),
    "glue:GetTables": lambda aws: aws.client("glue").get_tables(DatabaseName=aws.settings.database),
    "kinesis:ListShards": lambda aws: aws.client("kinesis").list_shards(StreamName=aws.settings.stream),
    "sqs:ListQueues": lambda aws: aws.client("sqs").list_queues(),
    "sns:ListTopics": lambda aws: aws.client("sns").list_topics(),
    "lambda:GetFunction": lambda aws: aws.client("lambda").get_function(FunctionName=aws.settings.function),
    "lambda:ListEventSourceMappings": lambda aws: aws.client("lambda").list_event_source_mappings(),
    "cloudwatch:ListMetrics": lambda aws: aws.client("cloudwatch").list_metrics(),
    "logs:DescribeLogGroups": lambda aws: aws.client("logs").describe_log_groups(),
    "kms:ListKeys": lambda aws: aws.client("kms").list_keys(),
    "iam:ListRoles": lambda aws: aws.client("iam").list_roles(),
    "sts:GetCallerIdentity": lambda aws: aws.client("sts").get_caller_identity(),
    "athena:ListWorkGroups": lambda aws: aws.client("athena").list_work_groups(),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_recorded_by_service_and_operation(aws: LocalAws, name: str) -> None:
    CALLS[name](aws)
    assert aws.calls.names() == [name]


def test_calls_are_counted_by_operation_and_by_service(aws: LocalAws) -> None:
    glue = aws.client("glue")
    glue.get_databases()
    glue.get_database(Name=aws.settings.database)
    glue.get_databases()
    assert aws.calls.count("glue:GetDatabases") == 2
    assert aws.calls.count("glue:*") == 3
    assert aws.calls.totals() == {"glue:GetDatabases": 2, "glue:GetDatabase": 1}


def test_a_refused_call_counts_too(aws: LocalAws) -> None:
    aws.fail("glue:GetDatabases")
    with pytest.raises(aws.client("glue").exceptions.ClientError):
        aws.client("glue").get_databases()
    assert aws.calls.count("glue:GetDatabases") == 1


def test_an_emptied_aws_has_served_nothing(aws: LocalAws) -> None:
    aws.client("glue").get_databases()
    aws.reset()
    assert aws.calls.names() == []
