"""Runs DAGs in an Airflow of its own: a process with a fresh AIRFLOW_HOME that takes commands as JSON lines.

Airflow keeps its state in module globals and in AIRFLOW_HOME, so the process is not the tests' own.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARK = "RESULT "


class DagRunner:
    """Starts that process and talks to it."""

    def __init__(self, root: Path, home: Path, environment: dict[str, str]) -> None:
        self._environment = {
            **os.environ,
            **environment,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
            "PYTHONPATH": f"{root / 'plugins'}:{root}",
        }
        self._log = (home / "log").open("w+", encoding="utf-8")
        for arguments in (["db", "migrate"], ["dags", "reserialize"]):
            subprocess.run(
                [sys.executable, "-m", "airflow", *arguments],
                env=self._environment,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                check=True,
            )
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def run(self, dag_id: str, **conf: Any) -> dict[str, Any]:
        """Run a DAG as ``airflow dags test`` does: its state, its tasks' states, what they returned, what they emitted.

        Nobody answers what it asks.

        Raises:
            RuntimeError: The process ended; says what it said last.
        """
        return self.run_with_answer(dag_id, None, **conf)

    def run_with_answer(self, dag_id: str, answer: str | None, **conf: Any) -> dict[str, Any]:
        """Run a DAG with somebody who answers what it asks.

        Args:
            dag_id: Its id.
            answer: How the option begins that is chosen; None for nobody.
            conf: What it is triggered with.

        Raises:
            RuntimeError: The process ended; says what it said last.
        """
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the process has no pipes")
        self._process.stdin.write(json.dumps({"dag_id": dag_id, "answer": answer, "conf": conf}) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith(MARK):
                result: dict[str, Any] = json.loads(line.removeprefix(MARK))
                return result
        self._log.seek(0)
        raise RuntimeError(self._log.read()[-4000:])

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()
        self._log.close()


def _serve() -> None:
    """The process: one answer a command."""
    from airflow.dag_processing.dagbag import DagBag

    # Airflow logs to standard output; the answers get a way of their own.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        command = json.loads(line)
        dags = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).dags  # anew: a test run leaves its conf in the DAG
        # Only where it is needed: a thread that reads SQLite all the time keeps Airflow waiting.
        with _person(command["answer"]) if command["answer"] else contextlib.nullcontext():
            run = dags[command["dag_id"]].test(run_conf=command["conf"])
        answers.write(f"{MARK}{json.dumps(_describe(run))}\n")
        answers.flush()


@contextlib.contextmanager
def _person(answer: str) -> Iterator[None]:
    """Somebody who answers the questions of a run, as Airflow's API does."""
    ended = threading.Event()

    def wait_and_answer() -> None:
        try:
            while not ended.wait(0.2):
                _answer_questions(answer)
        except Exception:  # noqa: BLE001 - nobody else would end a run that waits for an answer
            traceback.print_exc()
            os._exit(1)

    person = threading.Thread(target=wait_and_answer)
    person.start()
    try:
        yield
    finally:
        ended.set()
        person.join()


def _answer_questions(answer: str) -> None:
    from airflow.models.hitl import HITLDetail
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.trigger import handle_event_submit
    from airflow.triggers.base import TriggerEvent
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import select

    with create_session() as session:
        asking = select(TaskInstance, HITLDetail).join(HITLDetail, HITLDetail.ti_id == TaskInstance.id)
        waiting = TaskInstance.state == TaskInstanceState.AWAITING_INPUT
        for task, question in session.execute(asking.where(waiting)).all():
            [chosen] = [option for option in question.options if option.startswith(answer)]
            question.responded_by = {"id": "test", "name": "test"}
            question.responded_at = datetime.now(UTC)
            question.chosen_options = [chosen]
            question.params_input = {}
            event = TriggerEvent(question.as_resume_event_payload())  # type: ignore[no-untyped-call]  # Airflow's
            handle_event_submit(event, task_instance=task, session=session)


def _describe(run: Any) -> dict[str, Any]:
    from airflow.models.asset import AssetEvent
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        xcoms = session.scalars(select(XComModel).where(XComModel.run_id == run.run_id))
        returned = {
            _name(xcom.task_id, xcom.map_index): XComModel.deserialize_value(xcom)
            for xcom in xcoms
            if xcom.key == "return_value"
        }
        events = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == run.run_id))
        emitted = sorted([event.asset.name, event.partition_key] for event in events)
    return {
        "state": str(run.state),
        "tasks": {_name(task.task_id, task.map_index): str(task.state) for task in run.get_task_instances()},
        "returned": returned,
        "emitted": emitted,
    }


def _name(task_id: str, map_index: int) -> str:
    """``task``, or ``task[0]`` when it is mapped."""
    return task_id if map_index < 0 else f"{task_id}[{map_index}]"


if __name__ == "__main__":
    _serve()
