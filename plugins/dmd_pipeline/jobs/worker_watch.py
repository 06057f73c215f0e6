"""Look at what brings failed batches into the queue, and at who notices when nobody takes them out.

Two things are looked at before anything is claimed, each with one call:

* the event source mapping between the stream and the delivery worker: with some settings, Lambda's defaults among
  them, the queue stays empty while a shard stands still;
* CloudWatch's own alarm on the age of the queue's oldest message: it rings when Airflow has stopped. It is made, or put
  right, where it is missing or different.

Neither keeps a run from securing: what cannot be looked at is a failure in its report, after the rest is done.

Calls: 1 ListEventSourceMappings + 1 DescribeAlarms, and 1 PutMetricAlarm when the alarm is missing or different; 1
DescribeStreamSummary when the mapping lets records get as old as the shortest retention that a stream can have.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline import event_sources
from dmd_pipeline.errors import FunctionError, PatternError, PipelineError


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from dmd_pipeline.aws.cloudwatch import Alarms
    from dmd_pipeline.aws.lambda_ import Functions
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

_PERIOD_SECONDS: Final = 300


@dataclass(frozen=True)
class Watch:
    """What was found.

    Attributes:
        findings: What is wrong with the event source mapping, each with its remedy.
        notes: What was done, or would be done, about the alarm; nothing when it is in place.
        failed: Why something could not be looked at, by its name.
    """

    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


def look(
    settings: Settings,
    functions: Functions,
    alarms: Alarms,
    retention: Callable[[], timedelta],
    *,
    dry_run: bool,
) -> Watch:
    """Look at the mapping and at the alarm; write the alarm unless it is in place.

    Args:
        settings: Of the environment.
        functions: Lambda.
        alarms: CloudWatch.
        retention: Tells the stream's; asked only when it can matter.
        dry_run: Leave the alarm as it is.
    """
    failed: dict[str, str] = {}

    def tried(name: str, look_at: Callable[[], list[str]]) -> tuple[str, ...]:
        try:
            return tuple(look_at())
        except PipelineError as error:
            failed[name] = str(error)
            return ()

    def known_retention() -> timedelta | None:
        try:
            return retention()
        except PipelineError as error:
            failed["stream's retention"] = str(error)
            return None

    findings = tried("event source mapping", lambda: _findings(settings, functions, known_retention))
    for finding in findings:
        logger.warning("event source mapping: %s", finding)
    notes = tried("alarm on the queue's age", lambda: _ensure_alarm(settings, alarms, dry_run=dry_run))
    return Watch(findings, notes, failed)


def age_alarm(settings: Settings) -> dict[str, Any]:
    """The alarm on the age of the queue's oldest message, as PutMetricAlarm takes it."""
    hours = settings.replay.alarm_age_hours
    return {
        "AlarmName": f"{settings.dead_letter_queue}-age",
        "AlarmDescription": (
            f"A message has been in {settings.dead_letter_queue} for more than {hours} h: reprocess_failed_batches "
            "does not take it out. Its records are lost when the stream's retention ends. Runbook: The dead-letter "
            "queue is filling."
        ),
        "ActionsEnabled": True,
        "AlarmActions": [settings.alerts_topic_arn],
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": settings.dead_letter_queue}],
        "Statistic": "Maximum",
        "Period": _PERIOD_SECONDS,
        "EvaluationPeriods": 1,
        "Threshold": float(hours * 3600),
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",  # a queue that has been empty for hours sends no metrics
    }


def _findings(settings: Settings, functions: Functions, retention: Callable[[], timedelta | None]) -> list[str]:
    try:
        mapping = functions.mapping(settings.function, settings.stream_arn)
    except (FunctionError, PatternError) as error:  # there is none, most likely: then nothing is delivered
        return [str(error)]
    logger.info("event source mapping: %s", mapping)
    is_long = mapping.record_age is not None and mapping.record_age >= event_sources.SHORTEST_RETENTION
    kept = retention() if is_long else None
    return event_sources.findings(mapping, queue_arn=settings.dead_letter_queue_arn, retention=kept)


def _ensure_alarm(settings: Settings, alarms: Alarms, *, dry_run: bool) -> list[str]:
    wanted = age_alarm(settings)
    name = wanted["AlarmName"]
    held = alarms.find(name)
    different = [key for key, value in wanted.items() if held is None or held.get(key) != value]
    if not different:
        return []
    what = "missing" if held is None else f"different in {', '.join(different)}"
    if dry_run:
        return [f"alarm {name} is {what}: it would be written"]
    alarms.put(wanted)
    logger.info("alarm %s was %s: written", name, what)
    return [f"alarm {name} was {what}: written"]
