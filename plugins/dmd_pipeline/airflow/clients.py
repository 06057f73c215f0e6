"""Gateways over clients that come from the environment's Airflow connection.

Where AWS is, is the connection's matter, or that of the ordinary variables of boto3 (``AWS_ENDPOINT_URL``, …). Nothing
is imported or built before a task asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.aws.sns import Topic
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


def _client(settings: Settings, service: str) -> Any:
    from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

    from dmd_pipeline.aws.config import CLIENT_CONFIG

    hook = AwsBaseHook(settings.aws_conn_id, client_type=service, region_name=settings.region, config=CLIENT_CONFIG)
    return hook.get_conn()
