"""What the function and the Lambda service report to CloudWatch: log lines and metrics."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.delivery_worker.failures import stamp


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from uuid import UUID

    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDatumTypeDef
    from mypy_boto3_logs.client import CloudWatchLogsClient

    from dmd_pipeline.settings import Settings

_NAMESPACE = "AWS/Lambda"
_UNITS = {"Duration": "Milliseconds", "IteratorAge": "Milliseconds"}
CRASHED = "Runtime.ExitError"
"""Part of the line that Lambda writes when the function's process ended in the middle of an invocation."""
TIMED_OUT = "Task timed out after"
"""Part of the line that Lambda writes when it ended a function whose time was over."""
RECEIVED_BATCH = "Processing batch"
"""Message of the line that tells which records an invocation is for."""
WROTE_FILE = "Wrote file"
"""Message of the line that the function writes for each file."""


@dataclass
class InvocationLog:
    """The lines of one invocation: Winston's JSON from the function, plain ones from Lambda."""

    request_id: UUID
    clock: Callable[[], datetime]
    lines: list[tuple[datetime, str]] = field(default_factory=list)

    def winston(self, level: str, message: str, **context: object) -> None:
        """A line of the function's logger."""
        now = self.clock()
        line = {
            "timestamp": stamp(now),
            "level": level,
            "message": message,
            "requestId": str(self.request_id),
            "context": context,
        }
        self.lines.append((now, json.dumps(line)))

    def platform(self, text: str) -> None:
        """A line of the Lambda service."""
        self.lines.append((self.clock(), text))


class Reports:
    """Sends log lines to the function's log group and metrics to CloudWatch."""

    def __init__(
        self,
        logs: CloudWatchLogsClient,
        cloudwatch: CloudWatchClient,
        settings: Settings,
        mapping_uuid: str,
        log_stream: str,
    ) -> None:
        self._logs = logs
        self._cloudwatch = cloudwatch
        self._group = f"/aws/lambda/{settings.function}"
        self._function = [{"Name": "FunctionName", "Value": settings.function}]
        self._mapping = [{"Name": "EventSourceMappingUUID", "Value": mapping_uuid}]
        self._stream = log_stream
        logs.create_log_stream(logGroupName=self._group, logStreamName=log_stream)

    def lines(self, log: InvocationLog) -> None:
        """Send an invocation's lines."""
        events: list[Any] = [
            {"timestamp": int(moment.timestamp() * 1000), "message": line} for moment, line in log.lines
        ]
        self._logs.put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=events)

    def invocation(self, now: datetime, values: Mapping[str, float]) -> None:
        """Send metrics of the function: Invocations, Errors, Duration, Throttles, IteratorAge."""
        self._send(now, values, self._function)

    def mapping(self, now: datetime, values: Mapping[str, float]) -> None:
        """Send metrics of the event source mapping: PolledEventCount, FilteredOutEventCount and so on."""
        self._send(now, values, self._mapping)

    def _send(self, now: datetime, values: Mapping[str, float], dimensions: list[dict[str, str]]) -> None:
        data: list[Any] = [self._datum(name, value, now, dimensions) for name, value in values.items()]
        self._cloudwatch.put_metric_data(Namespace=_NAMESPACE, MetricData=data)

    def _datum(self, name: str, value: float, now: datetime, dimensions: Any) -> MetricDatumTypeDef:
        unit: Any = _UNITS.get(name, "Count")
        return {"MetricName": name, "Value": value, "Unit": unit, "Timestamp": now, "Dimensions": dimensions}
