"""What one environment of the pipeline has in AWS, made with plain boto3.

This module is also the documentation of the real environments: which resources there are, what they are called and
how they are set. Every name derives from :class:`~dmd_pipeline.settings.Settings`; making what exists already changes
nothing, so it can be run again. There are no Glue tables here: ``apply_schema_changes`` makes them.

==================  =============================================================================================
resource            setting
==================  =============================================================================================
S3 bucket           private; everything lies below the prefix
Kinesis stream      4 shards, 24 hours of retention; fed by DynamoDB's change stream
SQS queue (DLQ)     14 days; receives the positions of batches that failed for good
SNS topic           alerts; here it also feeds the queue ``{topic}-inbox``, so that alerts can be read
KMS key             ``alias/{kms_key}``; encrypts raw and quarantined records
IAM role            of the delivery worker's function
Lambda function     the delivery worker: nodejs18.x, 30 s
event source        stream → function: 1,000 records a batch, parallelization factor 2, LATEST, filtered by record
mapping             type, 2 retries or 6 hours, failures to the dead-letter queue
log group           ``/aws/lambda/{function}``
Glue database       named as in the settings
Athena workgroup    results below ``{prefix}/athena/results/``, enforced
==================  =============================================================================================
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError


if TYPE_CHECKING:
    from collections.abc import Sequence

    from dmd_pipeline.settings import Settings

SHARDS = 4
FUNCTION_TIMEOUT_SECONDS = 30
DEAD_LETTER_RETENTION_SECONDS = 14 * 24 * 60 * 60
EVENT_SOURCE_MAPPING: dict[str, Any] = {
    "StartingPosition": "LATEST",
    "BatchSize": 1000,
    "ParallelizationFactor": 2,
    "MaximumRetryAttempts": 2,
    "MaximumRecordAgeInSeconds": 6 * 60 * 60,
    "MaximumBatchingWindowInSeconds": 5,
}

Clients = Callable[[str], Any]
"""Gives the boto3 client of a service."""
_ALREADY_THERE = frozenset(
    {
        "AlreadyExistsException",
        "BucketAlreadyOwnedByYou",
        "EntityAlreadyExists",
        "ResourceAlreadyExistsException",
        "ResourceConflictException",
        "ResourceInUseException",
    }
)


def make_environment(clients: Clients, settings: Settings, record_types: Sequence[str]) -> None:
    """Make every resource that is not there yet.

    Args:
        clients: Gives the boto3 client of a service.
        settings: The environment's settings.
        record_types: Names of the record types that the event source mapping lets pass.
    """
    _unless_there(clients("s3").create_bucket, Bucket=settings.bucket)
    _unless_there(clients("kinesis").create_stream, StreamName=settings.stream, ShardCount=SHARDS)
    _unless_there(clients("glue").create_database, DatabaseInput={"Name": settings.database})
    _make_workgroup(clients, settings)
    _make_dead_letter_queue(clients, settings)
    _make_alerts(clients, settings)
    _make_key(clients, settings)
    _make_delivery_worker(clients, settings, record_types)


def inbox_of(topic: str) -> str:
    """Name of the queue that receives a topic's alerts on the local AWS."""
    return f"{topic}-inbox"


def role_name(settings: Settings) -> str:
    """Name of the delivery worker's IAM role."""
    return f"{settings.function}-role"


def log_group(settings: Settings) -> str:
    """Name of the delivery worker's log group."""
    return f"/aws/lambda/{settings.function}"


def filter_criteria(record_types: Sequence[str]) -> dict[str, Any]:
    """The event source mapping's filter: the record types by name, in the image that the change carries."""
    image = {"type": {"S": sorted(record_types)}}
    patterns = [{"data": {"dynamodb": {name: image}}} for name in ("NewImage", "OldImage")]
    return {"Filters": [{"Pattern": json.dumps(pattern, separators=(",", ":"))} for pattern in patterns]}


def _make_workgroup(clients: Clients, settings: Settings) -> None:
    athena = clients("athena")
    try:
        athena.get_work_group(WorkGroup=settings.workgroup)
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidRequestException":  # Athena's way to say "not found"
            raise
        athena.create_work_group(
            Name=settings.workgroup,
            Configuration={
                "ResultConfiguration": {"OutputLocation": settings.layout.athena_results_location()},
                "EnforceWorkGroupConfiguration": True,
                "PublishCloudWatchMetricsEnabled": True,
            },
        )


def _make_dead_letter_queue(clients: Clients, settings: Settings) -> None:
    clients("sqs").create_queue(
        QueueName=settings.dead_letter_queue,
        Attributes={"MessageRetentionPeriod": str(DEAD_LETTER_RETENTION_SECONDS)},
    )


def _make_alerts(clients: Clients, settings: Settings) -> None:
    topic = clients("sns").create_topic(Name=settings.alerts_topic)["TopicArn"]
    inbox = inbox_of(settings.alerts_topic)
    clients("sqs").create_queue(QueueName=inbox)
    arn = f"arn:aws:sqs:{settings.region}:{settings.account_id}:{inbox}"
    clients("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)


def _make_key(clients: Clients, settings: Settings) -> None:
    kms = clients("kms")
    alias = f"alias/{settings.kms_key}"
    try:
        kms.describe_key(KeyId=alias)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
    else:
        return
    key = kms.create_key(Description="Encrypts raw and quarantined change records.")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=alias, TargetKeyId=key)


def _make_delivery_worker(clients: Clients, settings: Settings, record_types: Sequence[str]) -> None:
    role = role_name(settings)
    _unless_there(
        clients("iam").create_role,
        RoleName=role,
        AssumeRolePolicyDocument=json.dumps(_trust("lambda.amazonaws.com")),
    )
    _unless_there(clients("logs").create_log_group, logGroupName=log_group(settings))
    lambda_ = clients("lambda")
    _unless_there(
        lambda_.create_function,
        FunctionName=settings.function,
        Runtime="nodejs18.x",
        Role=f"arn:aws:iam::{settings.account_id}:role/{role}",
        Handler="index.handler",
        Code={"ZipFile": _placeholder_code()},
        Timeout=FUNCTION_TIMEOUT_SECONDS,
        MemorySize=512,
    )
    mappings = lambda_.list_event_source_mappings(FunctionName=settings.function, EventSourceArn=settings.stream_arn)[
        "EventSourceMappings"
    ]
    if not mappings:
        lambda_.create_event_source_mapping(
            FunctionName=settings.function,
            EventSourceArn=settings.stream_arn,
            FilterCriteria=filter_criteria(record_types),
            DestinationConfig={"OnFailure": {"Destination": settings.dead_letter_queue_arn}},
            **EVENT_SOURCE_MAPPING,
        )


def _trust(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _placeholder_code() -> bytes:
    """A deployment package; the code that runs here is ``local.delivery_worker``."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        member = zipfile.ZipInfo("index.js", date_time=(2025, 1, 1, 0, 0, 0))
        archive.writestr(
            member, "exports.handler = async () => { throw new Error('runs as local.delivery_worker'); };\n"
        )
    return package.getvalue()


def _unless_there(create: Callable[..., Any], **arguments: Any) -> None:
    try:
        create(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ALREADY_THERE:
            raise
