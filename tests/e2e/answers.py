"""Answers to questions of DAGs, given by a click."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.airflow_api import ENDED
from local.waiting import wait_for


if TYPE_CHECKING:
    from playwright.sync_api import Page

    from local.airflow_api import Run
    from tests.e2e.conftest import RunningPipeline

_RUN_SECONDS = 240.0


def answer(page: Page, pipeline: RunningPipeline, run: Run, choice: str) -> Run:
    """Click, and again until the run has ended: an answer in the first second or two is lost, and it is asked anew."""

    def ended() -> bool:
        button = page.get_by_role("button", name=choice)
        if pipeline.api.questions(run) and button.count():
            button.first.click()
        return pipeline.api.run(run.dag_id, run.run_id).state in ENDED

    wait_for(ended, f"the end of the run that is answered {choice}", _RUN_SECONDS)
    return pipeline.api.run(run.dag_id, run.run_id)
