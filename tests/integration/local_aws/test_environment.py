"""The environment's resources: all there, as the settings say, and no tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.aws.environment import DEAD_LETTER_RETENTION_SECONDS, inbox_of, log_group, make_environment, role_name


if TYPE_CHECKING:
    from local.aws import LocalAws

RECORD_TYPES = ["demand", "event", "notification", "sale"]


def everything(aws: LocalAws) -> dict[str, Any]:
    """What there is of each kind."""
    mappings = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return {
        "buckets": [found["Name"] for found in aws.client("s3").list_buckets()["Buckets"]],
        "streams": aws.client("kinesis").list_streams()["StreamNames"],
        "queues": sorted(url.rpartition("/")[2] for url in aws.client("sqs").list_queues()["QueueUrls"]),
        "topics": [found["TopicArn"] for found in aws.client("sns").list_topics()["Topics"]],
        "subscriptions": len(aws.client("sns").list_subscriptions()["Subscriptions"]),
        "functions": [found["FunctionName"] for found in aws.client("lambda").list_functions()["Functions"]],
        "mappings": [(found["FunctionArn"], found["EventSourceArn"]) for found in mappings],
        "roles": [found["RoleName"] for found in aws.client("iam").list_roles()["Roles"]],
        "keys": len(aws.client("kms").list_keys()["Keys"]),
        "log groups": [found["logGroupName"] for found in aws.client("logs").describe_log_groups()["logGroups"]],
        "databases": [found["Name"] for found in aws.client("glue").get_databases()["DatabaseList"]],
        "workgroup": aws.client("athena").get_work_group(WorkGroup=aws.settings.workgroup)["WorkGroup"]["Name"],
    }


def test_every_resource_has_the_name_that_the_settings_give_it(aws: LocalAws) -> None:
    settings = aws.settings
    assert everything(aws) == {
        "buckets": [settings.bucket],
        "streams": [settings.stream],
        "queues": sorted([settings.dead_letter_queue, inbox_of(settings.alerts_topic)]),
        "topics": [settings.alerts_topic_arn],
        "subscriptions": 1,
        "functions": [settings.function],
        "mappings": [(settings.function_arn, settings.stream_arn)],
        "roles": [role_name(settings)],
        "keys": 1,
        "log groups": [log_group(settings)],
        "databases": [settings.database],
        "workgroup": settings.workgroup,
    }


def test_making_the_environment_again_changes_nothing(aws: LocalAws) -> None:
    before = everything(aws)
    make_environment(aws.client, aws.settings, RECORD_TYPES)
    assert everything(aws) == before


def test_an_emptied_aws_has_no_tables_and_no_objects(aws: LocalAws) -> None:
    aws.client("glue").create_table(DatabaseName=aws.settings.database, TableInput={"Name": "t"})
    aws.client("s3").put_object(Bucket=aws.settings.bucket, Key="key", Body=b"x")
    aws.reset()
    assert aws.client("glue").get_tables(DatabaseName=aws.settings.database)["TableList"] == []
    assert aws.client("s3").list_objects_v2(Bucket=aws.settings.bucket)["KeyCount"] == 0


def test_the_mapping_lets_the_record_types_pass_and_sends_failures_to_the_queue(aws: LocalAws) -> None:
    mapping = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"][0]
    patterns = [json.loads(found["Pattern"]) for found in mapping["FilterCriteria"]["Filters"]]
    assert patterns == [
        {"data": {"dynamodb": {image: {"type": {"S": RECORD_TYPES}}}}} for image in ("NewImage", "OldImage")
    ]
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": aws.settings.dead_letter_queue_arn}}
    assert mapping["MaximumRetryAttempts"] >= 0
    assert mapping["MaximumRecordAgeInSeconds"] > 0


def test_the_mapping_can_be_changed_and_read_back(aws: LocalAws) -> None:
    lambda_ = aws.client("lambda")
    uuid = lambda_.list_event_source_mappings()["EventSourceMappings"][0]["UUID"]
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=False, ParallelizationFactor=4)
    found = lambda_.get_event_source_mapping(UUID=uuid)
    assert (found["State"], found["ParallelizationFactor"], found["BatchSize"]) == ("Disabled", 4, 1000)


def test_an_alert_arrives_in_the_inbox(aws: LocalAws) -> None:
    aws.client("sns").publish(TopicArn=aws.settings.alerts_topic_arn, Subject="Trouble", Message="What happened.")
    url = aws.client("sqs").get_queue_url(QueueName=inbox_of(aws.settings.alerts_topic))["QueueUrl"]
    received = aws.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=2)["Messages"]
    alert = json.loads(received[0]["Body"])
    assert (alert["Subject"], alert["Message"]) == ("Trouble", "What happened.")


def test_failed_batches_wait_for_two_weeks(aws: LocalAws) -> None:
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName=aws.settings.dead_letter_queue)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["MessageRetentionPeriod"])["Attributes"]
    assert int(found["MessageRetentionPeriod"]) == DEAD_LETTER_RETENTION_SECONDS == 1_209_600


def test_a_record_on_the_stream_starts_no_function(aws: LocalAws) -> None:
    aws.client("kinesis").put_record(StreamName=aws.settings.stream, Data=b"{}", PartitionKey="key")
    assert aws.client("logs").describe_log_streams(logGroupName=log_group(aws.settings))["logStreams"] == []


@pytest.mark.parametrize("environment", ["dev1", "prod1"])
def test_another_environments_names_make_another_environment(aws: LocalAws, environment: str) -> None:
    from dmd_pipeline.settings import load_settings

    settings = load_settings(environment).model_copy(update={"account_id": aws.settings.account_id})
    make_environment(aws.client, settings, RECORD_TYPES)
    assert settings.bucket in everything(aws)["buckets"]
    assert aws.client("kinesis").describe_stream_summary(StreamName=settings.stream)
