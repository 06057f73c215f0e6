"""The failure callback and its channels: SNS of the local AWS, and HTTP servers in place of Slack and PagerDuty."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pagerduty
import pytest

from dmd_pipeline.airflow.alerts import PAGERDUTY_CONNECTION, SLACK_CONNECTION, alert_on_failure, alerts_of
from dmd_pipeline.alerts import Severity
from dmd_pipeline.errors import AlertError, TableNotFoundError


if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


LINK = "http://127.0.0.1:8080/dags/d/runs/r/tasks/t"


@dataclass
class Receiver:
    """A web service that keeps what is posted to it."""

    url: str
    bodies: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            answer = b'{"status": "success", "message": "ok", "dedup_key": "k"}' if "v2" in self.path else b"ok"
            self.send_response(202 if "v2" in self.path else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_arguments: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Receiver(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def aws_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")


def connect(monkeypatch: pytest.MonkeyPatch, name: str, kind: str, password: str) -> None:
    """What an operator does to switch a channel on: an Airflow connection of its name."""
    connection = json.dumps({"conn_type": kind, "password": password})
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", connection)


def inbox(aws: LocalAws, settings: Settings) -> list[dict[str, Any]]:
    """What the topic's queue received."""
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{settings.alerts_topic}-inbox")["QueueUrl"]
    bodies = [json.loads(message["Body"]) for message in sqs.receive_message(QueueUrl=url).get("Messages", [])]
    return [json.loads(body["Message"]) if "Message" in body else body for body in bodies]


def failed(error: Exception) -> Context:
    """What Airflow hands to a failure callback, as far as it is used."""
    task = SimpleNamespace(dag_id="register_partitions", task_id="register", log_url=LINK)
    return cast("Context", {"ti": task, "exception": error})


def test_a_failure_goes_to_the_topic_alone_where_no_other_connection_exists(aws: LocalAws, settings: Settings) -> None:
    alert_on_failure(failed(TableNotFoundError("table x does not exist")))
    assert inbox(aws, settings) == [
        {
            "severity": "high",
            "title": "local: register_partitions.register failed",
            "text": "TableNotFoundError: table x does not exist",
            "link": LINK,
            "key": "local/register_partitions/register",
        }
    ]


def test_the_message_of_a_foreign_error_is_not_passed_on_for_it_may_quote_a_row(
    aws: LocalAws, settings: Settings
) -> None:
    alert_on_failure(failed(ValueError("cannot parse +15551234567")))
    (alert,) = inbox(aws, settings)
    assert alert["text"] == "ValueError; its message is in the task's log"


def test_slack_gets_it_as_soon_as_its_connection_exists(
    aws: LocalAws, settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, SLACK_CONNECTION, "slackwebhook", f"{receiver.url}/services/hook")
    alert_on_failure(failed(TableNotFoundError("table x does not exist")))
    assert receiver.bodies[0]["text"] == "[high] local: register_partitions.register failed"
    assert len(inbox(aws, settings)) == 1


@pytest.mark.usefixtures("aws")
def test_pagerduty_gets_it_as_soon_as_its_connection_exists(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, PAGERDUTY_CONNECTION, "pagerduty_events", "integration-key")
    monkeypatch.setattr(pagerduty.EventsApiV2Client, "default_base_url", receiver.url)
    monkeypatch.setattr(pagerduty.EventsApiV2Client, "url", receiver.url)  # else it insists on https
    alert_on_failure(failed(TableNotFoundError("table x does not exist")))
    (event,) = receiver.bodies
    assert event["event_action"] == "trigger"
    assert event["dedup_key"] == "local/register_partitions/register"
    assert event["payload"]["severity"] == "critical"


def test_a_channel_that_is_down_keeps_the_topic_from_nothing(
    aws: LocalAws, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, SLACK_CONNECTION, "slackwebhook", "http://127.0.0.1:9/nobody-listens")
    with pytest.raises(AlertError, match="was not sent to Slack"):
        alerts_of(settings).send(Severity.LOW, "title", "text", LINK, "key")
    assert [alert["title"] for alert in inbox(aws, settings)] == ["title"]


def test_a_failure_that_nobody_can_be_told_of_does_not_raise_another(aws: LocalAws, settings: Settings) -> None:
    aws.fail("sns:Publish", "AuthorizationErrorException", status=403, times=9)
    alert_on_failure(failed(TableNotFoundError("table x does not exist")))
    assert inbox(aws, settings) == []
