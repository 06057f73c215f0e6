"""Gateways over clients that come from the environment's Airflow connection.

Where AWS is, is the connection's matter, or that of the ordinary variables of boto3 (``AWS_ENDPOINT_URL``, …). Nothing
is imported or built before a task asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final


if TYPE_CHECKING:
    from dmd_pipeline.airflow.aws_hook import AwsHook
    from dmd_pipeline.aws.athena import Workgroup
    from dmd_pipeline.aws.cloudwatch import Alarms
    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.aws.kinesis import Stream
    from dmd_pipeline.aws.lambda_ import Functions
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.aws.sns import Topic
    from dmd_pipeline.aws.sqs import Queue
    from dmd_pipeline.settings import Settings


def catalog(settings: Settings) -> Catalog:
    """The environment's Glue database."""
    from dmd_pipeline.aws.glue import Catalog

    return Catalog(_client(settings, "glue"), settings.database)


def bucket(settings: Settings) -> Bucket:
    """The environment's bucket."""
    from dmd_pipeline.aws.s3 import Bucket

    return Bucket(_client(settings, "s3"), settings.bucket)


def alerts_topic(settings: Settings) -> Topic:
    """The environment's topic of alerts."""
    from dmd_pipeline.aws.sns import Topic

    return Topic(_client(settings, "sns"), settings.alerts_topic_arn)


def queue(settings: Settings) -> Queue:
    """The environment's queue of failed batches."""
    from dmd_pipeline.aws.sqs import Queue

    return Queue(_client(settings, "sqs"), settings.dead_letter_queue)


def stream(settings: Settings) -> Stream:
    """The environment's stream of change records."""
    from dmd_pipeline.aws.kinesis import Stream

    return Stream(_client(settings, "kinesis"), settings.stream)


def functions(settings: Settings) -> Functions:
    """The environment's functions."""
    from dmd_pipeline.aws.lambda_ import Functions

    return Functions(_client(settings, "lambda"))


def alarms(settings: Settings) -> Alarms:
    """The environment's alarms."""
    from dmd_pipeline.aws.cloudwatch import Alarms

    return Alarms(_client(settings, "cloudwatch"))


def workgroup(settings: Settings) -> Workgroup:
    """The environment's Athena workgroup; queries name tables of the environment's database without it."""
    from pyathena import connect
    from pyathena.util import RetryConfig

    from dmd_pipeline.aws.athena import Workgroup
    from dmd_pipeline.aws.config import CLIENT_CONFIG

    hook = _hook(settings, "athena")
    connection = connect(
        session=hook.get_session(region_name=settings.region),
        region_name=settings.region,
        endpoint_url=hook.conn_config.get_service_endpoint_url("athena"),
        verify=hook.verify,
        config=CLIENT_CONFIG,
        retry_config=RetryConfig(attempt=1),  # boto3 tries again; both together would multiply
        work_group=settings.workgroup,
        schema_name=settings.database,
        s3_staging_dir="",  # the workgroup says where results go, not a variable of pyathena's
        poll_interval=_POLL_SECONDS,
    )
    return Workgroup(connection, settings.workgroup)


_POLL_SECONDS: Final = 0.5
"""Between two looks at a running query: each is a GetQueryExecution call, and few queries end sooner."""


def _client(settings: Settings, service: str) -> Any:
    return _hook(settings, service).get_conn()


def _hook(settings: Settings, service: str) -> AwsHook:
    from dmd_pipeline.airflow.aws_hook import AwsHook
    from dmd_pipeline.aws.config import CLIENT_CONFIG

    return AwsHook(settings.aws_conn_id, client_type=service, region_name=settings.region, config=CLIENT_CONFIG)
