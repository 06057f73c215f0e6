"""Partitions that expire: what people see in the Airflow UI before they approve it, and that all comes back."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.settings import load_settings
from local.run import summary
from local.workspace import REPOSITORY
from tests.e2e.answers import answer


if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from local.airflow_api import Run
    from tests.e2e.conftest import RunningPipeline

TABLE = "demand"
OLD = tuple(date(2010, 1, 1) + timedelta(days=number) for number in range(12))  # more than a tenth of its partitions
SETTINGS = load_settings("local")
FORMS = {
    "drop_expired_partitions": ["Tables", "Dry run", "Hours for the approval"],
    "restore_partitions": ["Tables", "From date", "To date", "Days to keep", "Dry run"],
    "clean_test_data": ["Older than days", "Dry run"],
    "apply_lifecycle_rules": ["Dry run", "Hours for the approval"],
}


@pytest.fixture
def waiting(pipeline: RunningPipeline) -> Iterator[Run]:
    """A run that asks whether a few old partitions may leave; afterwards, nothing is left of them."""
    bucket, glue = places(pipeline)
    layout = SETTINGS.layout
    source = next(one.key for one in bucket.objects_below(layout.table_prefix(TABLE)) if one.key.endswith(".avro"))
    for day in OLD:
        bucket.write(f"{layout.partition_prefix(TABLE, day)}old.avro", bucket.read(source), "avro/binary")
    run_dag(pipeline, "register_partitions", tables=[TABLE])
    told = pipeline.local("run", "drop_expired_partitions", json.dumps({"dry_run": False}))
    [run] = [run for run in pipeline.api.runs("drop_expired_partitions") if run.state == "running"]
    [question] = pipeline.api.questions(run)
    assert (told.returncode, question.url in told.stderr) == (3, True), told.stdout + told.stderr
    yield run
    glue.delete_partitions(TABLE, [str(day) for day in OLD])
    for day in OLD:
        bucket.delete(f"{layout.partition_prefix(TABLE, day)}old.avro")
        bucket.delete(layout.manifest_key(TABLE, day))


@pytest.mark.usefixtures("screenshot")
def test_old_partitions_leave_after_approval_and_come_back(page: Page, pipeline: RunningPipeline, waiting: Run) -> None:
    [question] = pipeline.api.questions(waiting)
    page.goto(question.url)
    for text in (
        f"Let partitions of {TABLE} expire?",
        "leave the catalog",
        "of the table's partitions leave the catalog, more than 10% (max_share_per_run)",
        "Queries stop seeing 2010-01-01 to 2010-01-12",
        "nobody answers in time",
    ):
        expect(page.get_by_text(text).first).to_be_visible()
    picture(page)
    run = answer(page, pipeline, waiting, "Approve plan")
    assert run.state == "success"
    assert f"{TABLE}: {len(OLD)} dropped" in summary(pipeline.api, run)
    assert registered(pipeline) == []
    restored = run_dag(pipeline, "restore_partitions", tables=[TABLE], from_date=str(OLD[0]), to_date=str(OLD[-1]))
    assert f"{TABLE}: {OLD[0]} to {OLD[-1]} restored, counted by Athena: " in restored
    assert registered(pipeline) == [str(day) for day in OLD]
    assert all(str(day) in pipeline.api.partition_keys()[TABLE] for day in OLD)


@pytest.mark.usefixtures("screenshot")
@pytest.mark.parametrize("dag_id", FORMS)
def test_the_trigger_form_asks_in_words(page: Page, dag_id: str) -> None:
    page.goto(f"/dags/{dag_id}")
    page.get_by_test_id("trigger-dag-button").click()
    form = page.get_by_role("dialog")
    expect(form.get_by_text("Only make the plan and show it in the task's log")).to_be_visible()
    lines = form.inner_text().splitlines()
    assert [line for line in lines if line in FORMS[dag_id]] == FORMS[dag_id]


def picture(page: Page) -> None:
    """The question as people see it: the screenshot at the end of the test shows it answered."""
    scheme = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    folder = REPOSITORY / ".local" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"retention-question-{'dark' if scheme else 'light'}.png", full_page=True)


def run_dag(pipeline: RunningPipeline, dag_id: str, **conf: object) -> str:
    """Run a DAG to its end; what it said."""
    ran = pipeline.local("run", dag_id, json.dumps(conf))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def registered(pipeline: RunningPipeline) -> list[str]:
    """Those of the old dates that Glue holds."""
    _, glue = places(pipeline)
    return sorted(one["Values"][0] for one in glue.registered(TABLE, [str(day) for day in OLD]))


def places(pipeline: RunningPipeline) -> tuple[Bucket, Catalog]:
    return Bucket(pipeline.clients("s3"), SETTINGS.bucket), Catalog(pipeline.clients("glue"), SETTINGS.database)
