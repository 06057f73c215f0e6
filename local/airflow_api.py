"""The running Airflow, through its REST API, in the words of the local commands."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from local.errors import UsageError


ENDED = frozenset({"success", "failed"})
TASK_ENDED = ENDED | {"skipped", "upstream_failed", "removed"}
NOT_STARTED = "none"
"""State of a task that the scheduler has not touched yet."""
WAITS_FOR_PERSON = "awaiting_input"
_TIMEOUT_SECONDS = 30.0
_PAGE = 100
_ATTEMPTS = 5
_PAUSE_SECONDS = 1.0
_DATABASE = "Database error"


@dataclass(frozen=True)
class Run:
    """One run of a DAG.

    Attributes:
        dag_id: The DAG.
        run_id: The run.
        run_type: ``scheduled``, ``manual``, …
        state: ``queued``, ``running``, ``success`` or ``failed``.
        started: ISO time of its start, ``""`` while it is queued.
    """

    dag_id: str
    run_id: str
    run_type: str
    state: str
    started: str


@dataclass(frozen=True)
class Task:
    """One task of a run: its id, its state, and how often it was tried."""

    task_id: str
    map_index: int
    state: str
    try_number: int


@dataclass(frozen=True)
class Question:
    """What a task asks people, and waits for.

    Attributes:
        task_id: The task.
        subject: The question's headline.
        body: What there is to know before it is answered, as Markdown.
        options: The answers there are.
        url: The page of the Airflow UI where it is answered.
    """

    task_id: str
    subject: str
    body: str
    options: tuple[str, ...]
    url: str


class AirflowApi:
    """The REST API of one Airflow.

    Every method raises UsageError when Airflow does not answer, or refuses what it is asked.

    Args:
        url: Address of Airflow's API server.
        transport: What carries the requests instead of a connection; for tests.
    """

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url
        # No connection stays open between two calls: nobody has to close this object.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(
            base_url=f"{url}/api/v2", timeout=_TIMEOUT_SECONDS, trust_env=False, limits=limits, transport=transport
        )

    def dag_ids(self) -> list[str]:
        """The DAGs it knows."""
        return sorted(dag["dag_id"] for dag in self._get_all("/dags", "dags"))

    def import_errors(self) -> list[str]:
        """What keeps DAG files from being read."""
        return [error["stack_trace"] for error in self._get_all("/importErrors", "import_errors")]

    def is_paused(self, dag_id: str) -> bool:
        """Whether a DAG is paused."""
        return bool(self._call("GET", f"/dags/{dag_id}")["is_paused"])

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run a DAG."""
        self._call("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> Run:
        """Start a run by hand."""
        return _run(self._call("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf}))

    def run(self, dag_id: str, run_id: str) -> Run:
        """A run as it is now."""
        return _run(self._call("GET", f"/dags/{dag_id}/dagRuns/{run_id}"))

    def runs(self, dag_id: str) -> list[Run]:
        """All runs of a DAG, oldest first."""
        return [_run(found) for found in self._get_all(f"/dags/{dag_id}/dagRuns", "dag_runs", order_by="id")]

    def tasks(self, run: Run) -> list[Task]:
        """The tasks of a run."""
        found = self._get_all(f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances", "task_instances")
        return [Task(one["task_id"], one["map_index"], one["state"] or NOT_STARTED, one["try_number"]) for one in found]

    def downstream(self, dag_id: str) -> dict[str, list[str]]:
        """The tasks that come directly after each task of a DAG, by their ids."""
        tasks = self._call("GET", f"/dags/{dag_id}/tasks")["tasks"]
        return {task["task_id"]: task["downstream_task_ids"] for task in tasks}

    def questions(self, run: Run) -> list[Question]:
        """What the tasks of a run wait for people to answer."""
        # A task that was ended by hand leaves its question unanswered: nobody waits for that one any more.
        waiting = {"response_received": "false", "state": WAITS_FOR_PERSON}
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/hitlDetails"
        found = self._get_all(path, "hitl_details", order_by="created_at", **waiting)
        return [
            Question(
                task_id=one["task_instance"]["task_id"],
                subject=one["subject"],
                body=one["body"] or "",
                options=tuple(one["options"]),
                url=self._answer_page(one["task_instance"]),
            )
            for one in found
        ]

    def answer(self, run: Run, question: Question, option: str) -> None:
        """Answer a question of a task that is not mapped, as a person does on its page."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{question.task_id}/-1/hitlDetails"
        self._call("PATCH", path, json={"chosen_options": [option]})

    def result(self, run: Run, task: Task) -> Any:
        """What a task returned, None when it returned nothing."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task.task_id}/xcomEntries/return_value"
        answer = self._send("GET", path, params={"map_index": task.map_index})
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        return self._checked(answer)["value"]

    def log(self, run: Run, task: Task) -> list[dict[str, Any]]:
        """The structured lines that a task's last try logged."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task.task_id}/logs/{task.try_number}"
        parameters = {"map_index": task.map_index, "full_content": True}
        answer = self._send("GET", path, params=parameters, headers={"Accept": "application/json"})
        lines = self._checked(answer)["content"]
        return [line if isinstance(line, dict) else {"event": line} for line in lines]

    def partition_keys(self) -> dict[str, list[str]]:
        """The partition keys that each asset's events carry, by the asset's name."""
        keys: dict[str, set[str]] = {}
        for event in self._get_all("/assets/events", "asset_events"):
            keys.setdefault(event["name"], set()).update([event["partition_key"]] if event["partition_key"] else [])
        return {name: sorted(found) for name, found in sorted(keys.items())}

    def _answer_page(self, task: dict[str, Any]) -> str:
        mapped = f"/mapped/{task['map_index']}" if task["map_index"] >= 0 else ""
        run_id = quote(task["dag_run_id"], safe=":")
        return f"{self._url}/dags/{task['dag_id']}/runs/{run_id}/tasks/{task['task_id']}{mapped}/required_actions"

    def _get_all(self, path: str, key: str, **parameters: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = self._call("GET", path, params={**parameters, "limit": str(_PAGE), "offset": str(len(found))})
            found += page[key]
            if not page[key] or len(found) >= page["total_entries"]:
                return found

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        return self._checked(self._send(method, path, **arguments))

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        answer = self._send_once(method, path, **arguments)
        for _ in range(_ATTEMPTS - 1):
            # SQLite lets one write at a time, and Airflow does not wait for long: nothing was changed by then.
            if answer.status_code != HTTPStatus.INTERNAL_SERVER_ERROR or _DATABASE not in answer.text:
                break
            time.sleep(_PAUSE_SECONDS)
            answer = self._send_once(method, path, **arguments)
        return answer

    def _send_once(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **arguments)
        except httpx.ConnectError:
            raise UsageError(f"Airflow does not answer at {self._url}: start the pipeline with `make up`.") from None
        except httpx.HTTPError as error:
            raise UsageError(f"Airflow at {self._url} broke off: {error!r}.") from error

    def _checked(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code == HTTPStatus.NOT_FOUND and (found := re.search(r"/dags/([^/?]+)", str(answer.url))):
            dag_id, known = found.group(1), self._known_dags(str(answer.url))
            raise UsageError(f"There is no DAG or run {dag_id!r}; the DAGs are: {', '.join(known) or 'none yet'}.")
        if answer.is_error:
            raise UsageError(f"Airflow refused: {_reason(answer)}")
        document: dict[str, Any] = answer.json()
        return document

    def _known_dags(self, asked: str) -> list[str]:
        return [] if asked.endswith("/dags") else self.dag_ids()


def _run(document: dict[str, Any]) -> Run:
    return Run(
        dag_id=document["dag_id"],
        run_id=document["dag_run_id"],
        run_type=document["run_type"],
        state=document["state"],
        started=document["start_date"] or "",
    )


def _reason(answer: httpx.Response) -> str:
    """The reason of a refusal, as a sentence rather than as JSON."""
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.text[:500]}"
    if isinstance(detail, list):
        return "; ".join(f"{'.'.join(map(str, one.get('loc', [])))}: {one.get('msg')}" for one in detail)
    return str(detail).partition("\n")[0]  # below it JSON Schema goes into what it is like
