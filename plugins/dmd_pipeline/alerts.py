"""Alerts: what happened, how bad it is, and where to look; written for each channel.

An alert carries identifiers and counts, never rows: whoever raises one keeps phone numbers, e-mail addresses and
message bodies out of it.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

from dmd_pipeline.errors import AlertError
from dmd_pipeline.wording import cut


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


logger = logging.getLogger(__name__)

MAX_ALERT_TEXT: Final = 20_000  # SNS takes 256 KB; nobody reads more
MAX_SUBJECT: Final = 100  # of an SNS message, in ASCII characters
MAX_TEXT: Final = 2_900  # of a section of a Slack message: it takes 3,000, with the marks around
MAX_SUMMARY: Final = 1_024  # of a PagerDuty event


class Severity(StrEnum):
    """How soon somebody has to look."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True)
class Alert:
    """One alert.

    Attributes:
        severity: How soon somebody has to look.
        title: What happened, on one line.
        text: The details.
        link: Where to look.
        key: The same for every alert about the same trouble, so that receivers can join them.
    """

    severity: Severity
    title: str
    text: str
    link: str
    key: str


class Channel(Protocol):
    """Something that delivers alerts."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def send(self, alert: Alert) -> None:
        """Deliver one alert; raises whatever went wrong."""
        ...


class Alerts:
    """Sends alerts to every channel there is; jobs are given one of these."""

    def __init__(self, channels: Iterable[Channel]) -> None:
        self._channels = tuple(channels)

    def send(self, severity: Severity, title: str, text: str, link: str, key: str) -> None:
        """Send one alert; a channel that fails keeps no other from getting it.

        Raises:
            AlertError: It could not be sent to some channels; names each with its reason.
        """
        alert = Alert(severity, title, cut(text, MAX_ALERT_TEXT), link, key)
        failed: dict[str, Exception] = {}
        for channel in self._channels:
            try:
                channel.send(alert)
            except Exception as error:  # noqa: BLE001 - each channel has a library of its own, with errors of its own
                failed[channel.name] = error
            else:
                logger.info("alert sent to %s: %s", channel.name, title)
        if failed:
            reasons = "; ".join(f"{name}: {error}" for name, error in failed.items())
            raise AlertError(f"alert {title!r} was not sent to {reasons}") from next(iter(failed.values()))


def sns_subject(alert: Alert) -> str:
    """The subject: printable ASCII on one line, at most 100 characters, as SNS demands."""
    line = " ".join(f"[{alert.severity}] {alert.title}".split())
    printable = "".join(character if " " <= character <= "~" else "?" for character in line)
    return printable if len(printable) <= MAX_SUBJECT else f"{printable[: MAX_SUBJECT - 3]}..."


def sns_message(alert: Alert) -> str:
    """The body: JSON, for programs as well as for people."""
    return json.dumps(asdict(alert), ensure_ascii=False, indent=2)


def sns_attributes(alert: Alert) -> Mapping[str, str]:
    """What subscribers may filter by."""
    return {"severity": alert.severity, "key": alert.key}


def slack_message(alert: Alert) -> dict[str, Any]:
    """Text for notifications, and blocks for the message itself."""
    title = f"[{alert.severity}] {alert.title}"
    return {
        "text": title,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": f"*{_slack(title)}*"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": _slack(alert.text) or "…"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": f"<{alert.link}|Open>"}},
        ],
    }


_PAGERDUTY_SEVERITY: Final[Mapping[Severity, str]] = {
    Severity.HIGH: "critical",
    Severity.MEDIUM: "warning",
    Severity.LOW: "info",
}


def pagerduty_event(alert: Alert) -> dict[str, Any]:
    """Arguments of PagerDuty's trigger event; the key joins repeated alerts into one incident."""
    return {
        "summary": cut(alert.title, MAX_SUMMARY),
        "severity": _PAGERDUTY_SEVERITY[alert.severity],
        "source": "dmd-pipeline",
        "dedup_key": alert.key,
        "custom_details": {"text": alert.text},
        "links": [{"href": alert.link, "text": "Open"}],
    }


def _slack(text: str) -> str:
    return cut(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), MAX_TEXT)
