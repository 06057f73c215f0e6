"""A batch that failed for real: followed from the queue's message to Athena's rows, and what people see of it."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from dmd_pipeline.settings import load_settings
from local.console import Console
from local.delivery_worker.checkpoints import done_through
from local.ledger import next_journal
from local.run import await_end
from local.traffic.plan import Size, plan
from local.traffic.sending import send
from local.waiting import wait_for


if TYPE_CHECKING:
    from playwright.sync_api import Page

    from local.airflow_api import Run
    from tests.e2e.conftest import RunningPipeline

pytestmark = pytest.mark.usefixtures("screenshot")

DAG_ID = "reprocess_failed_batches"
_RECORDS = 300
_SECONDS = 180.0
_PAGE_MILLISECONDS = 30_000
_SECURED = re.compile(r"(?P<batch>shardId-\d{12}/\d+-\d+): secured; .*from queue message (?P<message>[0-9a-f-]{36})")
_WROTE = re.compile(r": (?P<table>\w+): (?P<rows>[\d,]+) written, [\d,]+ delivered already, ")
_FILES = re.compile(r": written to (?P<file>replay-\S+\.avro) of each partition")


@pytest.fixture(scope="session")
def replayed(pipeline: RunningPipeline) -> Run:
    """The run that secured batches on which the worker had crashed, half-way."""
    earlier = pipeline.local("run", DAG_ID)  # takes what other tests have left in the queue
    assert earlier.returncode == 0, earlier.stdout + earlier.stderr
    before = {run.run_id for run in pipeline.api.runs(DAG_ID)}
    crash_on_traffic(pipeline)
    done = pipeline.local("run", DAG_ID)
    assert done.returncode == 0, done.stdout + done.stderr
    for run in pipeline.api.runs(DAG_ID):  # a scheduled one may have been faster
        ended = await_end(pipeline.api, Console(), run, _SECONDS)
        if run.run_id not in before and any(_SECURED.search(line) for line in log(pipeline, ended, "secure")):
            return ended
    pytest.fail(f"no run secured anything\n{done.stdout}")


def crash_on_traffic(pipeline: RunningPipeline) -> None:
    """Send traffic of one key to one shard while the worker crashes between its writes, until it gives up."""
    settings, workspace = load_settings("local"), pipeline.workspace
    functions: Any = pipeline.clients("lambda")
    journal = next_journal(workspace.ledger, None, ())
    planned = (
        dataclasses.replace(one, partition_key="k", hash_key="0")
        for one in plan(Size(_RECORDS, days=3), journal.ledger.seed, datetime.now(UTC))
    )
    crash = {"FunctionName": settings.function, "Environment": {"Variables": {"DMD_CRASH": "between_writes"}}}
    functions.update_function_configuration(**crash)
    try:
        send(pipeline.clients("kinesis"), settings.stream, planned, journal)
        last = journal.ledger.last_sequence_numbers
        wait_for(lambda: done_through(workspace.checkpoints, last), "the worker to give up", _SECONDS)
    finally:
        functions.update_function_configuration(FunctionName=settings.function, Environment={"Variables": {}})


def log(pipeline: RunningPipeline, run: Run, task_id: str) -> list[str]:
    """The lines that a task logged; of a mapped one, those of all its lanes."""
    return [
        str(line["event"])
        for task in pipeline.api.tasks(run)
        if task.task_id == task_id and task.state in {"success", "failed"}
        for line in pipeline.api.log(run, task)
    ]


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_a_batch_is_followed_from_its_message_to_its_rows_in_the_logs_alone(
    page: Page, pipeline: RunningPipeline, replayed: Run
) -> None:
    found = [match for line in log(pipeline, replayed, "secure") if (match := _SECURED.search(line))]
    batch, message = found[0]["batch"], found[0]["message"]
    assert [line for line in log(pipeline, replayed, "secure") if f"message {message} deleted" in line]
    lines = [line for line in log(pipeline, replayed, "convert") if batch in line]
    wrote = [match for line in lines if (match := _WROTE.search(line))]
    (settled,) = {line for line in lines if line.startswith(f"{batch}: settled: ")}
    rows = {match["table"]: int(match["rows"].replace(",", "")) for match in wrote}
    (file,) = {match["file"] for line in lines if (match := _FILES.search(line))}
    assert f"{sum(rows.values()):,} written" in settled
    assert " delivered" in settled, "the worker had written half of its files"
    with pipeline.clients.athena().cursor() as cursor:
        for match in wrote:
            statement = f"SELECT count(*) FROM {match['table']} WHERE \"$path\" LIKE '%/{file}'"
            assert cursor.execute(statement).fetchone() == (rows[match["table"]],)
    page.goto(f"/dags/{DAG_ID}/runs/{replayed.run_id}")
    for task in ("secure", "convert", "conclude"):
        expect(page.get_by_text(task, exact=True).first).to_be_visible(timeout=_PAGE_MILLISECONDS)


@pytest.mark.parametrize("page", ["dark"], indirect=True)
def test_the_mapped_task_shows_which_shard_it_converts(page: Page, replayed: Run) -> None:
    page.goto(f"/dags/{DAG_ID}/runs/{replayed.run_id}/tasks/convert/mapped")
    expect(page.get_by_text("shardId-000000000000").first).to_be_visible(timeout=_PAGE_MILLISECONDS)


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_the_conclusion_can_be_read_without_scrolling(page: Page, replayed: Run) -> None:
    page.goto(f"/dags/{DAG_ID}/runs/{replayed.run_id}/tasks/conclude")
    for text in (re.compile(r"queue: waiting \d+ \(oldest "), "lost 0, capped 0, failed 0"):
        expect(page.get_by_text(text).first).to_be_in_viewport(timeout=_PAGE_MILLISECONDS)


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_the_log_of_a_lane_shows_what_became_of_its_batches(page: Page, replayed: Run) -> None:
    page.goto(f"/dags/{DAG_ID}/runs/{replayed.run_id}/tasks/convert/mapped/0")
    expect(page.get_by_text(re.compile(r": settled: \d+ records, \d+ written")).first).to_be_in_viewport(
        timeout=_PAGE_MILLISECONDS
    )


def test_the_form_asks_for_a_source_and_what_describes_it(page: Page) -> None:
    page.goto(f"/dags/{DAG_ID}")
    page.get_by_test_id("trigger-dag-button").click()
    form = page.get_by_role("dialog")
    for description in (
        "queue: the dead-letter queue.",
        "Only for source destination",
        "shardId- and twelve digits",
        "Only for source stream: the first record",
        "Only for source stream: the last record",
        "Only make the plan",
    ):
        expect(form.get_by_text(description)).to_be_visible(timeout=_PAGE_MILLISECONDS)
