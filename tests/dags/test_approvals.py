"""The questions of apply_schema_changes, and what counts as an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from airflow.sdk.exceptions import TaskAwaitingInput

from dmd_pipeline.airflow.approvals import REJECT, AskToApprove, approval, approved_digest
from dmd_pipeline.jobs.table_change import LEASE
from dmd_pipeline.record_types import load_record_types
from local.dags_doc import load_dags


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings


DAG = load_dags()["apply_schema_changes"]


def test_a_breaking_change_asks_with_its_digest_and_rejection_is_the_default() -> None:
    for table in load_record_types():
        ask = DAG.get_task(f"approve_{table}")
        assert isinstance(ask, AskToApprove)
        assert ask.defaults == [REJECT]
        context: Any = {"ti": _Planned({table: {"digest": "d1", "plan": "| field |"}})}
        rendered = ask.render_template([ask.subject, ask.body, *ask.options], context)
        assert rendered[0] == f"Apply a breaking change to {table}? (plan d1)"
        assert rendered[1].startswith("| field |\n\n")
        assert rendered[2:] == ["Approve plan d1", REJECT]


def test_a_question_waits_as_long_as_the_run_says_and_less_than_a_day_by_itself(settings: Settings) -> None:
    ask = DAG.get_task("approve_demand")
    context: Any = {"params": {"approval_hours": 0.5}, "task_instance": SimpleNamespace(id="ti")}
    ask_people = patch("airflow.providers.standard.operators.hitl.upsert_hitl_detail", autospec=True)
    assert isinstance(ask, AskToApprove)
    with ask_people, pytest.raises(TaskAwaitingInput) as waits:
        ask.execute(context)
    assert waits.value.timeout == timedelta(minutes=30)
    assert DAG.params["approval_hours"] == settings.schema_changes.approval_hours < 24, "the next daily run asks anew"


def test_an_approval_counts_for_the_plan_that_was_seen() -> None:
    answers = {
        "approve_demand": {"chosen_options": [approval("d1")]},
        "approve_event": {"chosen_options": [REJECT]},
        "approve_sale": None,  # skipped, or marked by hand
    }
    context: Any = {"ti": _Answered(answers)}
    found = {table: approved_digest(context, table) for table in ("demand", "event", "sale")}
    assert found == {"demand": "d1", "event": None, "sale": None}


def test_a_change_ends_before_others_may_take_it_over() -> None:
    for table in load_record_types():
        longest = DAG.get_task(f"apply_{table}").execution_timeout
        assert longest is not None
        assert longest < LEASE


@dataclass(frozen=True)
class _Planned:
    """A task instance that finds plans."""

    asking: dict[str, Any]

    def xcom_pull(self, task_ids: str) -> dict[str, Any]:
        assert task_ids == "plan"
        return {"asking": self.asking}


@dataclass(frozen=True)
class _Answered:
    """A task instance that finds answers."""

    answers: dict[str, Any]

    def xcom_pull(self, task_ids: str) -> Any:
        return self.answers[task_ids]
