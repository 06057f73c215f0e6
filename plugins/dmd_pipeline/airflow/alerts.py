"""Alerts out of Airflow: the channels there are, and the callback of every task that fails.

SNS is always there. Slack and PagerDuty join in as soon as an Airflow connection of the name below exists; nothing has
to be deployed for it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dmd_pipeline.alerts import (
    Alerts,
    Severity,
    pagerduty_event,
    slack_message,
    sns_attributes,
    sns_message,
    sns_subject,
)
from dmd_pipeline.errors import AlertError, ChecksFailedError, PipelineError
from dmd_pipeline.settings import load_settings


if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from dmd_pipeline.alerts import Alert, Channel
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

SLACK_CONNECTION: Final = "slack_default"
"""Of type Slack Incoming Webhook."""
PAGERDUTY_CONNECTION: Final = "pagerduty_events_default"
"""Of type Pagerduty Events: its password is the integration key."""


def alerts_of(settings: Settings) -> Alerts:
    """Sends to every channel that the environment has."""
    return Alerts(_channels(settings))


def alert_on_failure(context: Context) -> None:
    """Failure callback of every task: a high alert that links to the task's log.

    Of partitions that failed their checks nothing more is told: each had an alert of its own.

    The text is the error only where it is one of ours, which name things and never hold rows; of any other error it is
    the class alone, for its message may quote the data that it stumbled over.
    """
    task = context["ti"]
    error = context.get("exception")
    if isinstance(error, ChecksFailedError):
        return
    try:
        alerts_of(load_settings()).send(
            severity=Severity.HIGH,
            title=f"{load_settings().environment}: {task.dag_id}.{task.task_id} failed",
            text=_describe(error),
            link=task.log_url,
            key=f"{load_settings().environment}/{task.dag_id}/{task.task_id}",
        )
    except AlertError:
        # The task has failed already; all that is left to do is to say in its log that nobody was told.
        logger.exception("the failure of %s.%s reached not every channel", task.dag_id, task.task_id)


def tell(
    settings: Settings,
    context: Context,
    severity: Severity,
    title: str,
    text: str,
    key: str,
    link: str | None = None,
    *,
    must_arrive: bool = False,
) -> None:
    """Send an alert out of a task; that nobody could be told does not keep the run from its work.

    Args:
        settings: Of the environment.
        context: Of the task.
        severity: How soon somebody has to look.
        title: What happened, on one line.
        text: The details.
        key: The same for every alert about the same trouble.
        link: Where to look; the task's log when None.
        must_arrive: Whether the run must not go on unless somebody was told.

    Raises:
        AlertError: Not every channel was reached with what must arrive.
    """
    try:
        alerts_of(settings).send(
            severity=severity,
            title=f"{settings.environment}: {title}",
            text=text,
            link=link or context["ti"].log_url,
            key=f"{settings.environment}/{key}",
        )
    except AlertError:
        if must_arrive:
            raise
        logger.exception("not every channel was reached with: %s", title)


def _describe(error: object) -> str:
    if isinstance(error, PipelineError):
        return f"{type(error).__name__}: {error}"
    return f"{'unknown error' if error is None else type(error).__name__}; its message is in the task's log"


def _channels(settings: Settings) -> Iterator[Channel]:
    yield _Sns(settings)
    if _connection_exists(SLACK_CONNECTION):
        yield _Slack()
    if _connection_exists(PAGERDUTY_CONNECTION):
        yield _PagerDuty()


def _connection_exists(name: str) -> bool:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        Connection.get(name)
    except AirflowNotFoundException:
        return False
    return True


@dataclass(frozen=True)
class _Sns:
    settings: Settings
    name: str = "SNS"

    def send(self, alert: Alert) -> None:
        from dmd_pipeline.airflow import clients

        topic = clients.alerts_topic(self.settings)
        topic.publish(sns_subject(alert), sns_message(alert), sns_attributes(alert))


@dataclass(frozen=True)
class _Slack:
    name: str = "Slack"

    def send(self, alert: Alert) -> None:
        from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook

        SlackWebhookHook(slack_webhook_conn_id=SLACK_CONNECTION, timeout=30).send_dict(slack_message(alert))


@dataclass(frozen=True)
class _PagerDuty:
    name: str = "PagerDuty"

    def send(self, alert: Alert) -> None:
        from airflow.providers.pagerduty.hooks.pagerduty_events import PagerdutyEventsHook

        PagerdutyEventsHook(pagerduty_events_conn_id=PAGERDUTY_CONNECTION).send_event(**pagerduty_event(alert))
