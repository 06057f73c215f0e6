"""CloudWatch's own alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dmd_pipeline.aws.faults import translated
from dmd_pipeline.errors import AlarmError


if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudwatch import CloudWatchClient


class Alarms:
    """The metric alarms of one account and region."""

    def __init__(self, client: CloudWatchClient) -> None:
        self._client = client

    def find(self, name: str) -> dict[str, Any] | None:
        """An alarm as CloudWatch describes it, None when there is none of this name: one DescribeAlarms call.

        Raises:
            AlarmError: CloudWatch refused.
            ThrottledError: CloudWatch asked to slow down until the retries ran out.
        """
        with translated(f"look at alarm {name}", AlarmError):
            found = self._client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return dict(found[0]) if found else None

    def put(self, alarm: Mapping[str, Any]) -> None:
        """Make an alarm, or replace the one of its name, whole: one PutMetricAlarm call.

        Args:
            alarm: As PutMetricAlarm takes it; holds ``AlarmName``.

        Raises:
            AlarmError: CloudWatch refused.
            ThrottledError: CloudWatch asked to slow down until the retries ran out.
        """
        with translated(f"put alarm {alarm['AlarmName']}", AlarmError):
            self._client.put_metric_alarm(**alarm)
