"""The topic of alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dmd_pipeline.aws.faults import translated
from dmd_pipeline.errors import AlertError


if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sns import SNSClient


class Topic:
    """One SNS topic.

    Attributes:
        arn: Its ARN.
    """

    def __init__(self, client: SNSClient, arn: str) -> None:
        self._client = client
        self.arn = arn

    def publish(self, subject: str, message: str, attributes: Mapping[str, str]) -> None:
        """Send one message to all subscribers.

        Args:
            subject: Up to 100 printable ASCII characters.
            message: The body.
            attributes: What subscribers may filter by.

        Raises:
            AlertError: SNS refused.
            ThrottledError: SNS asked to slow down until the retries ran out.
        """
        with translated(f"publish to {self.arn}", AlertError):
            self._client.publish(
                TopicArn=self.arn,
                Subject=subject,
                Message=message,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
