"""The delivery worker's function and the event source mapping that feeds it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dmd_pipeline import event_sources
from dmd_pipeline.aws.faults import translated
from dmd_pipeline.errors import FunctionError


if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from dmd_pipeline.event_sources import EventSourceMapping


class Functions:
    """The functions of one account and region."""

    def __init__(self, client: LambdaClient) -> None:
        self._client = client

    def mapping(self, function_name: str, stream_arn: str) -> EventSourceMapping:
        """The event source mapping from a stream to a function.

        One ListEventSourceMappings call, and one GetEventSourceMapping when its filter is encrypted.

        Raises:
            FunctionError: There is none, or Lambda refused.
            PatternError: Its filter is not understood, or cannot be decrypted.
            ThrottledError: Lambda asked to slow down until the retries ran out.
        """
        pages = self._client.get_paginator("list_event_source_mappings").paginate(
            FunctionName=function_name, EventSourceArn=stream_arn
        )
        with translated(f"look at the event source mapping of function {function_name}", FunctionError):
            held = next((found for page in pages for found in page["EventSourceMappings"]), None)
            if held is None:
                raise FunctionError(f"Lambda holds no event source mapping from {stream_arn} to {function_name}")
            if held.get("KMSKeyArn") and "FilterCriteria" not in held:
                return event_sources.parse(self._client.get_event_source_mapping(UUID=held["UUID"]))
        return event_sources.parse(held)

    def timeout(self, function_name: str) -> timedelta:
        """How long an invocation may take: one GetFunctionConfiguration call.

        Raises:
            FunctionError: There is no such function, or Lambda refused.
            ThrottledError: Lambda asked to slow down until the retries ran out.
        """
        with translated(f"look at function {function_name}", FunctionError):
            return timedelta(seconds=self._client.get_function_configuration(FunctionName=function_name)["Timeout"])
