"""The event source mapping between the stream and the function, read as the library reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dmd_pipeline.aws.lambda_ import Functions
from dmd_pipeline.errors import FunctionError
from local.errors import StartError


if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

    from dmd_pipeline.event_sources import EventSourceMapping
    from dmd_pipeline.settings import Settings


def read_mapping(client: LambdaClient, settings: Settings) -> EventSourceMapping:
    """The one mapping between this environment's stream and its function.

    Raises:
        StartError: There is none, or its filter is not understood.
    """
    try:
        return Functions(client).mapping(settings.function, settings.stream_arn)
    except FunctionError as error:
        raise StartError(f"{error}.") from error
