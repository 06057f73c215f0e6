"""The bucket as the pages reach it: over the environment's Airflow connection, and without the patience of a job.

Somebody waits in front of the page: S3 is asked twice and for seconds only, where a job insists for a minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final


if TYPE_CHECKING:
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.settings import Settings

_CONNECT_SECONDS: Final = 2
_READ_SECONDS: Final = 10
_CONNECTIONS: Final = 16


def bucket(settings: Settings) -> Bucket:
    """The environment's bucket."""
    from botocore.config import Config

    from dmd_pipeline.airflow.aws_hook import AwsHook
    from dmd_pipeline.aws.s3 import Bucket

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 2},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        max_pool_connections=_CONNECTIONS,
    )
    hook = AwsHook(settings.aws_conn_id, client_type="s3", region_name=settings.region, config=config)
    return Bucket(hook.get_conn(), settings.bucket)
