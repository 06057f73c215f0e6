"""What Kinesis tells CloudWatch about a stream."""

from __future__ import annotations

from moto.cloudwatch.models import cloudwatch_backends


class Metrics:
    """The metrics of one account and region."""

    def __init__(self, account: str, region: str) -> None:
        self._backend = cloudwatch_backends[account][region]

    def publish(self, stream: str, values: dict[str, float]) -> None:
        """Add a data point to each of a stream's metrics."""
        dimensions = [{"Name": "StreamName", "Value": stream}]
        points = [{"MetricName": name, "Value": value, "Dimensions": dimensions} for name, value in values.items()]
        self._backend.put_metric_data(namespace="AWS/Kinesis", metric_data=points)
