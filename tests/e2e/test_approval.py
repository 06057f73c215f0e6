"""A change that needs approval: what people see in the Airflow UI, and what comes of their answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.settings import load_settings
from local.run import summary
from local.schema_act import FIELD, TABLE, Reader, set_back
from local.waiting import wait_for
from tests.e2e.answers import answer


if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from local.airflow_api import Run
    from tests.e2e.conftest import RunningPipeline

_CONF = {"tables": [TABLE], "strategy": "recreate"}
_QUESTION_SECONDS = 60.0
_SECONDS_TO_ANSWER = 20.0


@pytest.fixture
def waiting(pipeline: RunningPipeline) -> Iterator[Run]:
    """A run that waits for an answer, on a table that lacks a field; `make run` has said so."""
    set_back(pipeline.clients, load_settings("local"), load_record_types()[TABLE])
    told = pipeline.local("run", "apply_schema_changes", json.dumps(_CONF))
    [run] = [run for run in pipeline.api.runs("apply_schema_changes") if run.state == "running"]
    [question] = pipeline.api.questions(run)
    assert (told.returncode, question.url in told.stderr) == (3, True), told.stdout + told.stderr
    yield run
    restore(pipeline)


def restore(pipeline: RunningPipeline) -> None:
    """Give the table its field back, as other tests expect it."""
    ended = pipeline.local("run", "apply_schema_changes", json.dumps({"tables": [TABLE]}))
    assert (ended.returncode, FIELD.lower() in columns(pipeline)) == (0, True), ended.stdout + ended.stderr


@pytest.mark.usefixtures("screenshot")
@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_an_approved_plan_is_proved_and_applied_while_a_reader_keeps_querying(
    page: Page, pipeline: RunningPipeline, waiting: Run
) -> None:
    [question] = pipeline.api.questions(waiting)
    page.goto(question.url)
    for text in (f"Apply a breaking change to {TABLE}?", FIELD, "old rows read null", "what it means for readers"):
        expect(page.get_by_text(text).first).to_be_visible()
    with Reader(pipeline.clients) as reader:
        run = answer(page, pipeline, waiting, "Approve plan")
    assert (run.state, reader.trouble) == ("success", None)
    [line] = [line for line in summary(pipeline.api, run) if "recreated" in line]
    assert "files proved by Athena before and after" in line
    assert FIELD.lower() in columns(pipeline)


@pytest.mark.usefixtures("screenshot")
@pytest.mark.parametrize("page", ["dark"], indirect=True)
def test_a_rejected_plan_changes_nothing(page: Page, pipeline: RunningPipeline, waiting: Run) -> None:
    before = columns(pipeline)
    [question] = pipeline.api.questions(waiting)
    page.goto(question.url)
    run = answer(page, pipeline, waiting, "Reject")
    assert run.state == "success"
    assert [line for line in summary(pipeline.api, run) if line.startswith(f"{TABLE}: not approved")]
    assert columns(pipeline) == before


@pytest.mark.usefixtures("screenshot")
def test_the_trigger_form_says_what_each_strategy_does_and_how_long_a_question_waits(page: Page) -> None:
    page.goto("/dags/apply_schema_changes")
    page.get_by_test_id("trigger-dag-button").click()
    form = page.get_by_role("dialog")
    for text in ("breaking ones after approval", "Only for strategy rollback", "no answer by then is a rejection"):
        expect(form.get_by_text(text)).to_be_visible()
    titles = ["Tables", "Dry run", "Strategy", "Roll back to", "Hours for the approval"]
    lines = form.inner_text().splitlines()
    assert [line for line in lines if line in titles] == titles
    hours = form.locator('input[name="element_approval_hours"]')
    expect(hours).to_have_value(str(load_settings("local").schema_changes.approval_hours))
    hours.fill("200")
    hours.press("Tab")
    expect(hours).to_have_value("168")


def test_a_plan_that_nobody_answers_in_time_changes_nothing(pipeline: RunningPipeline) -> None:
    set_back(pipeline.clients, load_settings("local"), load_record_types()[TABLE])
    before = columns(pipeline)
    run = pipeline.api.trigger("apply_schema_changes", _CONF | {"approval_hours": _SECONDS_TO_ANSWER / 3600})
    wait_for(lambda: bool(pipeline.api.questions(run)), "the question", _QUESTION_SECONDS)
    wait_for(lambda: pipeline.api.run(run.dag_id, run.run_id).state != "running", "the end of the run", 180)
    assert pipeline.api.run(run.dag_id, run.run_id).state == "success"
    assert [line for line in summary(pipeline.api, run) if line.startswith(f"{TABLE}: not approved")]
    assert (pipeline.api.questions(run), columns(pipeline)) == ([], before)
    restore(pipeline)


def columns(pipeline: RunningPipeline) -> list[str]:
    """Of the table, as Glue holds it."""
    glue: Any = pipeline.clients("glue")
    table = glue.get_table(DatabaseName=load_settings("local").database, Name=TABLE)["Table"]
    return [column["Name"] for column in table["StorageDescriptor"]["Columns"]]
