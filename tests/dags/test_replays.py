"""How often the tasks of reprocess_failed_batches tell of a trouble that lasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.airflow import replays
from dmd_pipeline.airflow.replays import LASTING
from dmd_pipeline.alerts import Severity
from dmd_pipeline.errors import AlertError


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


@dataclass(frozen=True)
class _Task:
    """A task instance of a run that has one before it, or none."""

    before: Any
    log_url: str = "http://127.0.0.1:8080/"

    def get_previous_dagrun(self) -> Any:
        return self.before


def run(kind: str, hour: int, minute: int) -> Any:
    return SimpleNamespace(run_type=kind, run_after=datetime(2026, 3, 1, hour, minute, tzinfo=UTC))


@pytest.mark.parametrize(
    ("now", "before", "key", "is_told"),
    [
        (run("scheduled", 12, 0), run("scheduled", 11, 55), min(LASTING), True),
        (run("scheduled", 12, 5), run("scheduled", 12, 0), min(LASTING), False),
        (run("scheduled", 12, 50), run("scheduled", 9, 10), min(LASTING), True),  # Airflow was down
        (run("scheduled", 12, 5), None, min(LASTING), True),
        (run("manual", 12, 5), run("scheduled", 12, 0), min(LASTING), True),
        (run("scheduled", 12, 5), run("scheduled", 12, 0), replays.LOST, True),
    ],
)
def test_a_trouble_that_lasts_is_told_once_an_hour_and_any_other_at_once(
    aws: LocalAws,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    now: Any,
    before: Any,
    key: str,
    is_told: bool,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")
    context: Any = {"ti": _Task(before), "dag_run": now}
    replays.tell(settings, context, Severity.HIGH, "title", "text", key)
    assert aws.calls.count("sns:Publish") == is_told


def test_a_loss_of_which_nobody_could_be_told_keeps_its_message(
    aws: LocalAws, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What tells of it raises, and the message is deleted only after it has come back."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")
    context: Any = {"ti": _Task(None), "dag_run": run("scheduled", 12, 0)}
    aws.fail("sns:Publish", "AuthorizationError", status=403, times=100)
    with pytest.raises(AlertError):
        replays.tell(settings, context, Severity.HIGH, "title", "text", replays.LOST)
    replays.tell(settings, context, Severity.HIGH, "title", "text", "replay-deadline")
