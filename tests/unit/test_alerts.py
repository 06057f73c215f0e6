"""Alerts: the message of each channel, and channels that fail."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.alerts import (
    Alert,
    Alerts,
    Severity,
    pagerduty_event,
    slack_message,
    sns_attributes,
    sns_message,
    sns_subject,
)
from dmd_pipeline.errors import AlertError


ALERT = Alert(Severity.HIGH, "demand failed", "Because <of> & that.", "https://airflow/log", "local/demand")

alerts = st.builds(Alert, st.sampled_from(Severity), st.text(), st.text(), st.text(), st.text())


@dataclass
class Recorder:
    """A channel that keeps what it was given, or fails."""

    name: str
    error: Exception | None = None
    received: list[Alert] = field(default_factory=list)

    def send(self, alert: Alert) -> None:
        if self.error is not None:
            raise self.error
        self.received.append(alert)


def test_every_channel_gets_the_alert() -> None:
    channels = [Recorder("one"), Recorder("two")]
    Alerts(channels).send(ALERT.severity, ALERT.title, ALERT.text, ALERT.link, ALERT.key)
    assert [channel.received for channel in channels] == [[ALERT], [ALERT]]


def test_a_channel_that_fails_keeps_no_other_from_getting_it_and_is_named() -> None:
    broken, sound = Recorder("Slack", ConnectionError("no route")), Recorder("SNS")
    with pytest.raises(AlertError, match="alert 'demand failed' was not sent to Slack: no route"):
        Alerts([broken, sound]).send(ALERT.severity, ALERT.title, ALERT.text, ALERT.link, ALERT.key)
    assert sound.received == [ALERT]


def test_a_text_that_no_channel_would_take_is_cut() -> None:
    channel = Recorder("SNS")
    Alerts([channel]).send(Severity.LOW, "title", "x" * 1_000_000, "https://airflow/log", "k")
    assert len(channel.received[0].text) == 20_000


@given(alerts)
def test_a_subject_is_what_sns_takes(alert: Alert) -> None:
    subject = sns_subject(alert)
    assert 0 < len(subject) <= 100
    assert all(" " <= character <= "~" for character in subject)
    assert not subject[0].isspace()


def test_a_long_subject_says_that_it_was_cut() -> None:
    assert sns_subject(Alert(Severity.LOW, "x" * 200, "", "", "")).endswith("x...")


def test_the_message_is_data_and_the_attributes_can_be_filtered_by() -> None:
    assert json.loads(sns_message(ALERT)) == {
        "severity": "high",
        "title": "demand failed",
        "text": "Because <of> & that.",
        "link": "https://airflow/log",
        "key": "local/demand",
    }
    assert sns_attributes(ALERT) == {"severity": "high", "key": "local/demand"}


def test_slack_shows_text_as_it_is_and_the_link() -> None:
    texts = [block["text"]["text"] for block in slack_message(ALERT)["blocks"]]
    assert texts == ["*[high] demand failed*", "Because &lt;of&gt; &amp; that.", "<https://airflow/log|Open>"]


@pytest.mark.parametrize("text", ["", "x", "&" * 3000, "x" * 3000])
def test_a_slack_section_is_never_empty_or_too_long(text: str) -> None:
    blocks = slack_message(Alert(Severity.LOW, text, text, "https://airflow/log", "k"))["blocks"]
    assert all(0 < len(block["text"]["text"]) <= 3000 for block in blocks)


@pytest.mark.parametrize(("severity", "theirs"), [("high", "critical"), ("medium", "warning"), ("low", "info")])
def test_pagerduty_joins_alerts_of_one_key_and_knows_how_bad_it_is(severity: str, theirs: str) -> None:
    event = pagerduty_event(Alert(Severity(severity), "demand failed", "Because.", "https://airflow/log", "k"))
    assert (event["severity"], event["dedup_key"], event["summary"]) == (theirs, "k", "demand failed")
    assert event["links"] == [{"href": "https://airflow/log", "text": "Open"}]
