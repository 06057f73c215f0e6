"""The alarms' gateway against the local AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.airflow import clients
from dmd_pipeline.aws.cloudwatch import Alarms
from dmd_pipeline.errors import AlarmError, ThrottledError


if TYPE_CHECKING:
    from local.aws import LocalAws

ALARM: dict[str, Any] = {
    "AlarmName": "old-message",
    "Namespace": "AWS/SQS",
    "MetricName": "ApproximateAgeOfOldestMessage",
    "Dimensions": [{"Name": "QueueName", "Value": "failed"}],
    "Statistic": "Maximum",
    "Period": 300,
    "EvaluationPeriods": 1,
    "Threshold": 3600.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
    "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:alerts"],
}


@pytest.fixture
def alarms(aws: LocalAws) -> Alarms:
    return Alarms(aws.client("cloudwatch"))


def test_an_alarm_is_found_as_it_was_put_and_replaced_whole(aws: LocalAws, alarms: Alarms) -> None:
    aws.calls.clear()
    assert alarms.find("old-message") is None
    alarms.put(ALARM)
    found = alarms.find("old-message")
    assert found is not None
    assert {name: found[name] for name in ALARM} == ALARM
    assert aws.calls.totals() == {"cloudwatch:DescribeAlarms": 2, "cloudwatch:PutMetricAlarm": 1}
    alarms.put({**ALARM, "Threshold": 7200.0})
    found = alarms.find("old-message")
    assert found is not None
    assert found["Threshold"] == 7200.0
    assert alarms.find("old") is None


def test_a_refusal_names_what_was_tried(aws: LocalAws, alarms: Alarms) -> None:
    aws.fail("cloudwatch:PutMetricAlarm", code="AccessDenied", status=403, message="No.")
    with pytest.raises(AlarmError, match=r"^cannot put alarm old-message: "):
        alarms.put(ALARM)
    aws.fail("cloudwatch:DescribeAlarms", code="Throttling", status=400)
    with pytest.raises(ThrottledError, match=r"^cannot look at alarm old-message: "):
        alarms.find("old-message")


def test_tasks_get_the_alarms_of_the_account(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")
    assert clients.alarms(aws.settings).find("old-message") is None
