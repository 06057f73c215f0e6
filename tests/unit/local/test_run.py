from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

import local.run
from local.airflow_api import AirflowApi, Task
from local.console import Console
from local.errors import UsageError
from local.run import AnswerNeededError, Wait, await_end_approving, parse_conf, run_dag, waits_for_people


DOWNSTREAM = {
    "plan": ["approve_demand", "apply_demand", "approve_sale", "apply_sale"],
    "approve_demand": ["apply_demand"],
    "apply_demand": ["publish_demand"],
    "approve_sale": ["apply_sale"],
    "apply_sale": ["publish_sale"],
    "publish_demand": [],
    "publish_sale": [],
}
ASKS_FOR_DEMAND = {"plan": "success", "approve_demand": "awaiting_input", "approve_sale": "skipped"}
RUN_ID = "manual__2026-01-02T03:04:05+00:00"
PAGE = "http://airflow/dags/change/runs/manual__2026-01-02T03:04:05%2B00:00/tasks"


def tasks(**states: str) -> list[Task]:
    return [Task(task_id, -1, states.get(task_id, "none"), 1) for task_id in DOWNSTREAM]


@dataclass
class FakeAirflow:
    """Answers as Airflow's REST API does, for one run of one DAG; each look at its tasks finds the next states.

    Attributes:
        looks: The states that are not "none", by task, for each look; the run ends with the last one.
        questions: What is asked, by task; those of tasks that no longer wait stay unanswered.
        map_index: Of all tasks.
        options: The answers to each question.
        answered: What was chosen, by task; a question that is answered is not asked any more.
    """

    looks: list[dict[str, str]]
    questions: dict[str, str] = field(default_factory=dict)
    map_index: int = -1
    options: tuple[str, ...] = ("Approve plan 17", "Reject")
    answered: dict[str, list[str]] = field(default_factory=dict)
    _looked: int = 0

    @property
    def states(self) -> dict[str, str]:
        return self.looks[min(self._looked, len(self.looks)) - 1]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v2/dags/change").removeprefix(f"/dagRuns/{RUN_ID}")
        if path == "/taskInstances":
            self._looked += 1
        if found := re.fullmatch(r"/taskInstances/(\w+)/-1/hitlDetails", path):
            self.answered[found[1]] = json.loads(request.content)["chosen_options"]
            return httpx.Response(200, json={})
        if found := re.fullmatch(r"/taskInstances/(\w+)/xcomEntries/return_value", path):
            return httpx.Response(200, json={"value": {"summary": [f"{found[1]} is done"]}})
        if path.endswith("/logs/1"):
            return httpx.Response(200, json={"content": [{"level": "error", "event": "no such table"}]})
        return httpx.Response(200, json=self._answer(path, dict(request.url.params)))

    def _answer(self, path: str, asked: dict[str, str]) -> dict[str, Any]:
        if path == "/tasks":
            return {"tasks": [{"task_id": task, "downstream_task_ids": after} for task, after in DOWNSTREAM.items()]}
        if path == "/taskInstances":
            found = [{**self._task(task_id), "try_number": 1} for task_id in DOWNSTREAM]
            return {"task_instances": found, "total_entries": len(found)}
        if path == "/hitlDetails":
            assert asked["response_received"] == "false"
            details = [
                {
                    "subject": subject,
                    "body": "| the | plan |\n",
                    "options": self.options,
                    "task_instance": self._task(task_id),
                }
                for task_id, subject in self.questions.items()
                if asked.get("state") in (None, self.states.get(task_id)) and task_id not in self.answered
            ]
            return {"hitl_details": details, "total_entries": len(details)}
        ended = self._looked >= len(self.looks)
        run = {"dag_id": "change", "dag_run_id": RUN_ID, "run_type": "manual", "start_date": None}
        return {**run, "state": "success" if ended else "running", "is_paused": False}

    def _task(self, task_id: str) -> dict[str, Any]:
        return {
            "dag_id": "change",
            "dag_run_id": RUN_ID,
            "task_id": task_id,
            "map_index": self.map_index,
            "state": self.states.get(task_id),
        }


def run(airflow: FakeAirflow, wait: Wait | None = None) -> str:
    """What is printed by a run that needs no pauses between looks."""
    stream = io.StringIO()
    try:
        run_dag(AirflowApi("http://airflow", httpx.MockTransport(airflow)), Console(stream), "change", {}, wait)
    except AnswerNeededError as error:
        stream.write(f"exit code {error.exit_code}: {error}\n")
    return re.sub(r"\d+\.\d s", "N s", stream.getvalue())


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local.run, "_BETWEEN_LOOKS_SECONDS", 0.0)
    monkeypatch.setattr(local.run, "_READING_SECONDS", 0.0)


def test_conf_is_a_json_object_and_may_be_left_out() -> None:
    assert parse_conf('{"dry_run": true}') == {"dry_run": True}
    assert parse_conf(" ") == {}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("{'dry_run': true}", "CONF is not JSON"), ("[]", "must be a JSON object"), ("5", "must be a JSON object")],
)
def test_anything_else_is_refused_in_a_sentence(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        parse_conf(text)


@pytest.mark.parametrize(
    ("states", "waits"),
    [
        ({"plan": "running"}, False),
        ({"plan": "success"}, False),
        (ASKS_FOR_DEMAND | {"apply_sale": "success", "publish_sale": "skipped"}, True),
        (ASKS_FOR_DEMAND | {"apply_sale": "failed", "publish_sale": "upstream_failed"}, True),
        (ASKS_FOR_DEMAND, False),
        (ASKS_FOR_DEMAND | {"apply_sale": "running"}, False),
        (ASKS_FOR_DEMAND | {"apply_sale": "up_for_retry"}, False),
        (ASKS_FOR_DEMAND | {"apply_sale": "success"}, False),
        (ASKS_FOR_DEMAND | {"approve_sale": "awaiting_input"}, True),
        (ASKS_FOR_DEMAND | {"approve_sale": "none"}, False),
        (ASKS_FOR_DEMAND | {"approve_sale": "success", "apply_sale": "queued"}, False),
    ],
)
def test_a_run_waits_for_people_when_nothing_else_is_left_to_do(states: dict[str, str], waits: bool) -> None:
    assert waits_for_people(tasks(**states), DOWNSTREAM) is waits


def test_a_run_that_needs_an_answer_says_where_when_all_else_is_done() -> None:
    done = ASKS_FOR_DEMAND | {"apply_sale": "success", "publish_sale": "skipped"}
    looks = [{"plan": "running"}, ASKS_FOR_DEMAND | {"apply_sale": "running"}, done, done]

    assert run(FakeAirflow(looks, {"approve_demand": "Change demand?"})) == (
        f"  run change ({RUN_ID}): stopped after N s\n"
        "    plan is done\n"
        "    apply_sale is done\n"
        f"exit code 3: change {RUN_ID} waits for an answer in the Airflow UI:\n"
        f"  Change demand? {PAGE}/approve_demand/required_actions\n"
    )


def test_every_question_is_told_but_none_that_nobody_waits_for_any_more() -> None:
    asking = ASKS_FOR_DEMAND | {"approve_sale": "awaiting_input"}
    questions = {"approve_demand": "Change demand?", "approve_sale": "Change sale?"}

    assert run(FakeAirflow([asking, asking], questions)).splitlines()[-2:] == [
        f"  Change demand? {PAGE}/approve_demand/required_actions",
        f"  Change sale? {PAGE}/approve_sale/required_actions",
    ]
    ended = ASKS_FOR_DEMAND | {"apply_sale": "success", "publish_sale": "success"}
    assert "Change sale?" not in run(FakeAirflow([ended, ended], questions))


def test_what_failed_meanwhile_is_told_with_the_question() -> None:
    states = ASKS_FOR_DEMAND | {"apply_sale": "failed", "publish_sale": "skipped"}

    assert run(FakeAirflow([states, states], {"approve_demand": "Change demand?"})).splitlines()[-2:] == [
        f"  Change demand? {PAGE}/approve_demand/required_actions",
        "  apply_sale: no such table",
    ]


def test_a_mapped_task_has_a_page_of_its_own() -> None:
    asking = ASKS_FOR_DEMAND | {"approve_sale": "awaiting_input"}
    airflow = FakeAirflow([asking, asking], {"approve_demand": "Change demand?"}, map_index=2)

    assert run(airflow).endswith(f"{PAGE}/approve_demand/mapped/2/required_actions\n")


def test_an_answer_that_comes_between_two_calls_lets_the_run_go_on() -> None:
    asking = ASKS_FOR_DEMAND | {"apply_sale": "success", "publish_sale": "success"}
    done = dict.fromkeys(DOWNSTREAM, "success")

    assert run(FakeAirflow([asking, done, done])).startswith(f"  run change ({RUN_ID}): N s\n    plan is done\n")


def test_whatever_is_asked_is_approved_where_that_was_wanted() -> None:
    asking = ASKS_FOR_DEMAND | {"apply_sale": "success", "publish_sale": "success"}
    done = dict.fromkeys(DOWNSTREAM, "success")
    airflow = FakeAirflow([asking, asking, asking, done, done], {"approve_demand": "Change demand?"})

    assert run(airflow, await_end_approving).startswith(
        "    Change demand?\n\n    | the | plan |\n\n    Answer: Approve plan 17\n\n"
        f"  run change ({RUN_ID}): N s\n    plan is done\n"
    )
    assert airflow.answered == {"approve_demand": ["Approve plan 17"]}


def test_what_cannot_be_approved_is_left_to_people() -> None:
    asking = ASKS_FOR_DEMAND | {"apply_sale": "success", "publish_sale": "success"}
    airflow = FakeAirflow([asking] * 3, {"approve_demand": "Which?"}, options=("This", "That"))

    assert f"exit code 3: change {RUN_ID} waits for an answer" in run(airflow, await_end_approving)
    assert airflow.answered == {}
