"""What people see in the Airflow UI, in light and in dark; the pictures lie in .local/screenshots."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from local.console import Console
from local.run import await_end, summary


if TYPE_CHECKING:
    from playwright.sync_api import Page

    from local.airflow_api import Run
    from tests.e2e.conftest import RunningPipeline

pytestmark = pytest.mark.usefixtures("screenshot")

DAG_IDS = (
    "apply_lifecycle_rules",
    "apply_schema_changes",
    "check_data_quality",
    "clean_test_data",
    "drop_expired_partitions",
    "register_partitions",
    "reprocess_failed_batches",
    "restore_partitions",
)


def test_the_list_shows_all_dags_with_their_last_run(page: Page) -> None:
    page.goto("/dags")

    for dag_id in DAG_IDS:
        expect(page.get_by_role("link", name=dag_id, exact=True)).to_be_visible()
    expect(page.get_by_text(f"{len(DAG_IDS)} Dags")).to_be_visible()


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_a_dag_explains_itself_under_the_agreed_headings(page: Page, dag_id: str) -> None:
    page.goto(f"/dags/{dag_id}")
    page.get_by_role("button", name="Dag Docs").click()

    documentation = page.get_by_role("dialog")
    for heading in ("What it does", "When it runs", "Parameters", "Safe to re-run?", "When it fails"):
        expect(documentation.get_by_role("heading", name=heading)).to_be_attached()


def test_the_trigger_form_asks_for_typed_and_described_parameters(page: Page) -> None:
    page.goto("/dags/register_partitions")
    page.get_by_test_id("trigger-dag-button").click()

    form = page.get_by_role("dialog")
    expect(form.locator('input[name="element_from_date"]')).to_have_attribute("type", "date")
    expect(form.locator('input[name="element_to_date"]')).to_have_attribute("type", "date")
    expect(form.locator('input[name="element_dry_run"]')).to_have_attribute("type", "checkbox")
    expect(form.locator('input[name="element_tables"]')).to_have_count(4)
    for description in ("Which tables to work on", "First partition date", "Last partition date", "Only make the plan"):
        expect(form.get_by_text(description)).to_be_visible()


def test_a_run_triggered_in_the_form_succeeds(page: Page, pipeline: RunningPipeline) -> None:
    before = {run.run_id for run in runs_by_hand(pipeline)}
    submit_form(page)
    conflict = page.get_by_text("409 Conflict")
    triggered_page = re.compile(r"/dags/register_partitions/runs/manual__")
    page.wait_for_function(
        "() => location.pathname.includes('/runs/manual__') || document.body.innerText.includes('409 Conflict')"
    )
    if conflict.count():  # the form offers the time as logical date, and the scheduler has just taken that for a run
        submit_form(page)
    expect(page).to_have_url(triggered_page)
    [triggered] = [run for run in runs_by_hand(pipeline) if run.run_id not in before]
    assert await_end(pipeline.api, Console(), triggered, seconds=90).state == "success"
    assert summary(pipeline.api, triggered)[0].startswith("dry run: ")


def test_an_asset_shows_the_dates_that_were_registered(page: Page) -> None:
    page.goto("/assets")
    page.get_by_role("link", name="demand", exact=True).click()

    expect(page.get_by_text(re.compile(r"Partition Key: \d{4}-\d\d-\d\d")).first).to_be_visible()
    expect(page.get_by_role("link", name="register_partitions").first).to_be_visible()


def test_the_ui_asks_nothing_of_other_machines(page: Page, pipeline: RunningPipeline) -> None:
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto("/")
    page.wait_for_load_state("networkidle")

    assert hosts - {""} == {urlsplit(pipeline.workspace.airflow_url).netloc}, "apart from data: addresses"


def submit_form(page: Page) -> None:
    """Ask for a dry run, as people do."""
    page.goto("/dags/register_partitions")
    page.get_by_test_id("trigger-dag-button").click()
    form = page.get_by_role("dialog")
    form.locator('label:has(input[name="element_dry_run"])').click()
    form.get_by_role("button", name="Trigger").click()


def runs_by_hand(pipeline: RunningPipeline) -> list[Run]:
    return [run for run in pipeline.api.runs("register_partitions") if run.run_type == "manual"]
