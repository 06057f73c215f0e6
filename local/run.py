"""``make run``: trigger a DAG in the running Airflow, wait, and print what its tasks say of it."""

from __future__ import annotations

import json
import textwrap
import time
from typing import TYPE_CHECKING, Any, TypeAlias

from local.airflow_api import ENDED, NOT_STARTED, TASK_ENDED, WAITS_FOR_PERSON, AirflowApi, Run, Task
from local.errors import LocalError, UsageError, WaitError


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from local.airflow_api import Question
    from local.console import Console

Wait: TypeAlias = "Callable[[AirflowApi, Console, Run], Run]"
"""Waits for a run's end."""

_LONGEST_RUN_SECONDS = 60 * 60.0
_BETWEEN_LOOKS_SECONDS = 0.5
_APPROVAL = "Approve"
_MOST_QUESTIONS = 10
_READING_SECONDS = 3.0
"""Airflow loses an answer to what it has not quite asked yet, and asks it again after the task's retry delay."""


class RunFailedError(LocalError):
    """The run ended, and not well."""


class AnswerNeededError(LocalError):
    """The run goes on by itself as soon as somebody answers what it asks in the Airflow UI."""

    exit_code = 3


def parse_conf(text: str) -> dict[str, Any]:
    """The parameters of a run, from the JSON that was typed.

    Raises:
        UsageError: Not a JSON object.
    """
    if not text.strip():
        return {}
    try:
        conf = json.loads(text)
    except ValueError as error:
        raise UsageError(f"CONF is not JSON ({error}): {text}") from error
    if not isinstance(conf, dict):
        raise UsageError(f"CONF must be a JSON object such as '{{\"dry_run\": true}}', found: {text}")
    return conf


def run_dag(
    api: AirflowApi,
    console: Console,
    dag_id: str,
    conf: dict[str, Any],
    wait: Wait | None = None,
) -> Run:
    """Trigger a DAG, wait for the run's end and print its summary.

    Args:
        api: Of the running Airflow.
        console: Where to tell what happens.
        dag_id: The DAG.
        conf: The run's parameters.
        wait: Waits for the end; :func:`await_end` when None.

    Raises:
        UsageError: There is no such DAG, or it refuses the parameters.
        AnswerNeededError: All that is left to do in the run waits for people; what is done is summed up before.
        RunFailedError: The run failed; tells the error of each failed task.
    """
    if not dag_id:
        raise UsageError(
            f"Which DAG? make run DAG=… CONF='{{…}}'. There are: {', '.join(api.dag_ids()) or 'none yet'}."
        )
    if api.is_paused(dag_id):
        console.say(f"{dag_id} is paused; it is unpaused, so that the run can start.")
        api.unpause(dag_id)
    run = api.trigger(dag_id, conf)
    try:
        with console.step(f"run {dag_id} ({run.run_id})"):
            run = (wait or await_end)(api, console, run)
    except AnswerNeededError:
        _say_summary(api, console, run)
        raise
    if run.state != "success":
        raise RunFailedError(explain_failure(api, run))
    _say_summary(api, console, run)
    return run


def await_end_approving(api: AirflowApi, console: Console, run: Run) -> Run:
    """Wait for a run's end as :func:`await_end` does, and approve whatever it asks, as people do on its pages.

    Raises:
        AnswerNeededError: It asks something that cannot be approved, or asks it again and again.
        WaitError: It has not ended in time.
    """
    for _ in range(_MOST_QUESTIONS):
        try:
            return await_end(api, console, run)
        except AnswerNeededError:
            for question in api.questions(run):
                choice = next((option for option in question.options if option.startswith(_APPROVAL)), None)
                if choice is None:
                    raise
                body = textwrap.indent(question.body.strip(), "    ")
                console.say(f"    {question.subject}\n\n{body}\n\n    Answer: {choice}\n")
                time.sleep(_READING_SECONDS)
                api.answer(run, question, choice)
    return await_end(api, console, run)


def await_end(api: AirflowApi, console: Console, run: Run, seconds: float = _LONGEST_RUN_SECONDS) -> Run:
    """Wait for a run's end, showing the states of its tasks.

    Raises:
        AnswerNeededError: It will not end before people answer; tells what, and where, and what has failed meanwhile.
        WaitError: It has not ended in time.
    """
    deadline = time.monotonic() + seconds
    while run.state not in ENDED:
        if time.monotonic() > deadline:
            raise WaitError(f"{run.dag_id} {run.run_id} is still {run.state} after {seconds:.0f} seconds.")
        tasks = api.tasks(run)
        console.progress(", ".join(f"{task.task_id} {task.state}" for task in tasks) or run.state)
        if questions := _questions_in_the_way(api, run, tasks):
            raise AnswerNeededError("\n".join([_ask(run, questions), *_failures(api, run, tasks)]))
        time.sleep(_BETWEEN_LOOKS_SECONDS)
        run = api.run(run.dag_id, run.run_id)
    return run


def waits_for_people(tasks: Sequence[Task], downstream: Mapping[str, Sequence[str]]) -> bool:
    """Whether all that is left to do in a run waits for people to answer.

    Args:
        tasks: The run's tasks.
        downstream: The tasks directly after each, by their ids.

    Returns:
        True when every task that has not ended asks people, or has not started and comes after one that does.
    """
    asking = {task.task_id for task in tasks if task.state == WAITS_FOR_PERSON}
    blocked: set[str] = set()
    found = list(asking)
    while found:
        after = set(downstream.get(found.pop(), ())) - blocked
        blocked |= after
        found += after
    left = [task for task in tasks if task.state not in TASK_ENDED | {WAITS_FOR_PERSON}]
    return bool(asking) and all(task.state == NOT_STARTED and task.task_id in blocked for task in left)


def summary(api: AirflowApi, run: Run) -> list[str]:
    """The lines that the run's tasks return under ``summary``."""
    lines: list[str] = []
    for task in api.tasks(run):
        if task.state == "success":
            result = api.result(run, task)
            if isinstance(result, dict):
                lines += [str(line) for line in result.get("summary", [])]
    return lines


def explain_failure(api: AirflowApi, run: Run) -> str:
    """What the failed tasks of a run say went wrong, and where to read more."""
    return "\n".join([f"{run.dag_id} {run.run_id} {run.state}.", *_failures(api, run, api.tasks(run))])


def _failures(api: AirflowApi, run: Run, tasks: Sequence[Task]) -> list[str]:
    return [f"  {task.task_id}: {_error_of(api, run, task)}" for task in tasks if task.state == "failed"]


def _questions_in_the_way(api: AirflowApi, run: Run, tasks: Sequence[Task]) -> Sequence[Question]:
    if not any(task.state == WAITS_FOR_PERSON for task in tasks):
        return []  # the usual case costs no further request
    # Whoever answers before the last call leaves no question: then there is something to wait for again.
    return api.questions(run) if waits_for_people(tasks, api.downstream(run.dag_id)) else []


def _ask(run: Run, questions: Sequence[Question]) -> str:
    lines = [f"  {question.subject} {question.url}" for question in questions]
    return "\n".join([f"{run.dag_id} {run.run_id} waits for an answer in the Airflow UI:", *lines])


def _say_summary(api: AirflowApi, console: Console, run: Run) -> None:
    for line in summary(api, run):
        console.say(f"    {line}")


def _error_of(api: AirflowApi, run: Run, task: Task) -> str:
    errors = [line for line in api.log(run, task) if str(line.get("level", "")).lower() in ("error", "critical")]
    for line in reversed(errors):
        for exception in reversed(line.get("error_detail") or []):
            return f"{exception.get('exc_type')}: {exception.get('exc_value')}"
    return str(errors[-1]["event"]) if errors else "it left no error in its log"
