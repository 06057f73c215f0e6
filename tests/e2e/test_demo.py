"""The demo, shown once on a pipeline of its own, and what it leaves behind."""

from __future__ import annotations

import io
import json
import os
import re
import sqlite3
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any

import psutil

from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.settings import load_settings
from local.accounting import account, dates_that_differ
from local.console import Console
from local.copies import by_table
from local.processes import Processes, carriers
from local.quality_act import verdicts
from local.replay_evidence import ReplayEvidence
from local.run import await_end
from local.traffic.records import MAIL, MESSAGE
from local.workspace import REPOSITORY
from tests.e2e.conftest import RECORDS, RunningPipeline


if TYPE_CHECKING:
    from collections.abc import Iterator


def test_the_demo_succeeds_and_accounts_for_every_record(pipeline: RunningPipeline) -> None:
    assert pipeline.demo.returncode == 0, pipeline.demo.stdout + pipeline.demo.stderr
    assert "Every record is accounted for." in pipeline.demo.stdout
    assert f"Airflow UI     {pipeline.workspace.airflow_url}" in pipeline.demo.stdout


def test_a_field_is_added_while_a_reader_keeps_querying(pipeline: RunningPipeline) -> None:
    lines = pipeline.demo.stdout.splitlines()
    header = next(at for at, line in enumerate(lines) if "queries meanwhile" in line)
    table, columns, partitions, queries, failed, wrong = lines[header + 2].split()
    assert (table, failed, wrong) == ("demand", "0", "0")
    assert int(queries) > 1
    assert int(partitions) > 1
    glue = pipeline.clients("glue")
    held = glue.get_table(DatabaseName=load_settings("local").database, Name="demand")["Table"]["StorageDescriptor"]
    assert len(held["Columns"]) == int(columns) + 1
    assert "demand: changed, " in pipeline.demo.stdout


def test_the_ledger_adds_up_and_speaks_of_everything_that_can_happen_to_a_record(pipeline: RunningPipeline) -> None:
    found = pipeline.evidence.find()
    lines = account(pipeline.ledgers, found)

    assert sum(ledger.total for ledger in pipeline.ledgers) >= RECORDS
    assert [line for line in lines if line.difference] == []
    assert dates_that_differ(pipeline.ledgers, found) == []
    assert {line.record_type for line in lines if line.readable} == {"demand", "event", "notification", "sale"}
    for place in ("in_errors", "in_quarantine", "filtered", "rewritten"):
        assert sum(getattr(line, place) for line in lines) > 0, place


def test_a_damaged_partition_turns_red_and_back_and_somebody_is_told(pipeline: RunningPipeline) -> None:
    printed = pipeline.demo.stdout
    [damaged] = re.findall(r"^(\w+ \d{4}-\d{2}-\d{2}) is damaged: [1-5] deleted rows keep", printed, re.MULTILINE)
    assert f"local: {damaged}: failed" in printed
    assert "No deleted row keeps an e-mail address." in printed
    assert f"The calendar: {pipeline.workspace.airflow_url}/plugin/data-quality" in printed
    held = {(table, day): verdict for table, day, verdict, *_ in verdicts(pipeline.clients)}
    assert {table for table, _ in held} == {"demand", "event", "notification", "sale"}
    assert set(held.values()) <= {"passed", "warned"}
    assert "fans.example.com" not in printed
    published = pipeline.api.partition_keys()
    passed = {f"{table}_checked" for (table, _), verdict in held.items() if verdict == "passed"}
    assert passed <= {name for name, keys in published.items() if keys}


def test_failed_batches_are_replayed_nothing_lost_and_nothing_twice(pipeline: RunningPipeline) -> None:
    assert "3 failed batches" in pipeline.demo.stdout
    keys = [stored for stored in objects(pipeline, "data-pipeline/replay/raw/") if stored.endswith(".done.json")]
    assert len(keys) == 3
    assert [alert for alert in pipeline.evidence.alerts() if "shortly before" in str(alert.get("Subject"))]


def test_what_all_replays_say_together_is_what_lies_in_s3(pipeline: RunningPipeline) -> None:
    said: Counter[str] = Counter()
    for run in pipeline.api.runs("reprocess_failed_batches"):
        for task in pipeline.api.tasks(await_end(pipeline.api, Console(io.StringIO()), run)):
            if task.task_id == "conclude" and (report := pipeline.api.result(run, task)):
                said.update(report["counts"])
    evidence = ReplayEvidence(pipeline.clients, load_settings("local"), load_record_types())
    keys = evidence.keys()
    held = evidence.secured(keys)

    assert said["secured"] == len(held) > 0
    assert said["secured_records"] == sum(len(batch.records) for batch in held)
    assert said["converted"] == sum(batch.settled for batch in held)
    assert said["converted_records"] == sum(len(batch.records) for batch in held if batch.settled)
    assert said["written"] == sum(len(numbers) for numbers in evidence.replayed(keys).values()) > 0
    assert said["quarantined"] == sum(len(document.records) for document in evidence.rejected(keys)) > 0
    assert said["lost"] == said["failed"] == 0


def test_old_partitions_leave_and_come_back_and_the_account_still_adds_up(pipeline: RunningPipeline) -> None:
    counts = {
        name: tuple(map(int, numbers))
        for name, *numbers in re.findall(
            r"^  (before|expired|restored) +(\d+) +(\d+) +(\d+)$", pipeline.demo.stdout, re.MULTILINE
        )
    }
    partitions, rows, files = counts["before"]
    assert min(partitions, rows, files) > 0
    assert counts == {"before": counts["before"], "expired": (0, 0, files), "restored": counts["before"]}
    assert f"demand: {partitions} dropped" in pipeline.demo.stdout
    assert "Let partitions of demand expire?" in pipeline.demo.stdout
    assert pipeline.demo.stdout.rindex("Every record is accounted for.") > pipeline.demo.stdout.index("  restored")


def test_the_scheduler_itself_ran_both_dags(pipeline: RunningPipeline) -> None:
    for dag_id in ("apply_schema_changes", "register_partitions"):
        states = {run.state for run in pipeline.api.runs(dag_id) if run.run_type == "scheduled"}
        assert "success" in states
        assert "failed" not in states


def test_a_backfill_was_triggered_by_hand(pipeline: RunningPipeline) -> None:
    by_hand = [run for run in pipeline.api.runs("register_partitions") if run.run_type == "manual"]

    assert {run.state for run in by_hand} == {"success"}


def test_every_business_date_with_rows_is_a_partition_and_a_partition_key_of_its_asset(
    pipeline: RunningPipeline,
) -> None:
    registered, keys = pipeline.evidence.registered(), pipeline.api.partition_keys()

    for record_type, dates in delivered_dates(pipeline).items():
        assert dates <= set(registered[record_type])
        assert dates <= set(keys[record_type])


def test_a_batch_that_was_written_half_is_accounted_for_as_well(pipeline: RunningPipeline) -> None:
    arguments = ("--records", "600", "--days", "5", "--failing-batches", "1", "--crash-point", "between_writes")
    sent = pipeline.local("traffic", *arguments)
    registered = pipeline.local("run", "register_partitions")

    lines = account(pipeline.ledgers, pipeline.evidence.find())

    assert (sent.returncode, registered.returncode) == (0, 0), sent.stderr + registered.stderr
    assert sum(line.rewritten for line in lines) > 0
    assert [line for line in lines if line.difference] == []


def test_nothing_listens_beyond_this_machine(pipeline: RunningPipeline) -> None:
    listening = {address for process in carriers(tokens(pipeline)) for address in listened_on(process)}

    assert {address for address, _ in listening} == {"127.0.0.1"}
    assert {port for _, port in listening} >= {pipeline.workspace.aws_port, pipeline.workspace.airflow_port}


def test_make_run_prints_what_the_job_says_of_it(pipeline: RunningPipeline) -> None:
    ran = make(pipeline, "run", "DAG=register_partitions", 'CONF={"tables": ["sale"], "dry_run": true}')

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "run register_partitions (manual__" in ran.stdout
    assert "dry run: sale:" in ran.stdout


def test_make_run_of_an_unknown_dag_names_the_known_ones(pipeline: RunningPipeline) -> None:
    ran = pipeline.local("run", "register_partition")

    assert ran.returncode == 2
    assert "'register_partition'" in ran.stderr
    assert "apply_schema_changes, check_data_quality, clean_test_data, drop_expired_partitions, " in ran.stderr
    assert ran.stderr.count("\n") == 1, "one line, no traceback"


def test_make_run_with_bad_json_says_so_in_a_line(pipeline: RunningPipeline) -> None:
    ran = pipeline.local("run", "register_partitions", "{dry_run}")

    assert ran.returncode == 2
    assert ran.stderr.startswith("CONF is not JSON")


def test_make_run_with_a_wrong_parameter_names_it(pipeline: RunningPipeline) -> None:
    ran = pipeline.local("run", "register_partitions", '{"dry_run": "perhaps"}')

    assert ran.returncode == 2
    assert "dry_run" in ran.stderr


def test_make_run_of_a_run_that_fails_tells_its_error(pipeline: RunningPipeline) -> None:
    ran = pipeline.local("run", "register_partitions", '{"from_date": "2026-02-01", "to_date": "2026-01-01"}')

    assert ran.returncode == 1
    assert "failed." in ran.stderr
    assert "from_date" in ran.stderr


def test_a_second_up_says_that_it_runs_already(pipeline: RunningPipeline) -> None:
    up = pipeline.local("up")

    assert up.returncode == 0
    assert "is running already" in up.stdout


def test_what_the_demo_prints_to_query_with_the_aws_command_can_be_pasted(pipeline: RunningPipeline) -> None:
    printed = pipeline.demo.stdout.partition("Query it with the aws command:\n")[2].partition("\n  or,")[0]

    pasted = subprocess.run(["bash", "-eu"], input=printed, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert pasted.returncode == 0, pasted.stderr
    assert int(pasted.stdout) == by_table(pipeline.evidence.readable())["demand"]


def test_what_a_demo_leaves_behind_holds_no_personal_data(pipeline: RunningPipeline) -> None:
    """Rows and raw records excepted, in errors/, replay/raw/ and quarantine/: they are the data."""
    traces = ("+1-555-01", MAIL, MESSAGE)

    for name, text in left_behind(pipeline):
        for trace in traces:
            assert trace not in text, f"{name} holds {trace}"


def listened_on(process: psutil.Process) -> set[tuple[str, int]]:
    """The addresses and ports on which a process listens; none, when it has just ended."""
    try:
        connections = process.net_connections()
    except psutil.NoSuchProcess:
        return set()
    return {(each.laddr.ip, each.laddr.port) for each in connections if each.status == psutil.CONN_LISTEN}


def left_behind(pipeline: RunningPipeline) -> Iterator[tuple[str, str]]:
    """Logs, Airflow's database, the ledger, and every object in S3 that is neither row nor raw event."""
    for path in pipeline.workspace.directory.rglob("*"):
        if path.is_file() and path.suffix != ".db":
            yield str(path), path.read_text(encoding="utf-8", errors="replace")
    with sqlite3.connect(pipeline.workspace.airflow_home / "airflow.db") as database:
        yield "Airflow's database", "\n".join(database.iterdump())
    database.close()
    settings = load_settings("local")
    s3 = pipeline.clients("s3")
    for key in objects(pipeline, ""):
        data = key.startswith(("data-pipeline/avro/", "data-pipeline/errors/", "data-pipeline/quarantine/"))
        if not data and not key.endswith(".jsonl.gz"):
            body: bytes = s3.get_object(Bucket=settings.bucket, Key=key)["Body"].read()
            yield key, body.decode(errors="replace")
    logs = pipeline.clients("logs")
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{settings.function}"):
        for event in page["events"]:
            yield "the function's log", event["message"]
    for alert in pipeline.evidence.alerts():
        yield "an alert", json.dumps(alert)


def objects(pipeline: RunningPipeline, prefix: str) -> Iterator[str]:
    """Keys in the bucket that begin so."""
    pages = pipeline.clients("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=load_settings("local").bucket, Prefix=prefix):
        yield from (found["Key"] for found in page.get("Contents", []))


def delivered_dates(pipeline: RunningPipeline) -> dict[str, set[str]]:
    """Business dates of the readable rows, by table, as Athena tells them."""
    dates: dict[str, set[str]] = {}
    with pipeline.clients.athena().cursor() as cursor:
        for table in ("demand", "event", "notification", "sale"):
            rows: list[Any] = cursor.execute(f"SELECT DISTINCT partition_date FROM {table}").fetchall()
            dates[table] = {row[0] for row in rows}
    return dates


def tokens(pipeline: RunningPipeline) -> set[str]:
    return {one.token for one in Processes(pipeline.workspace.pids, pipeline.workspace.logs).started()}


def make(pipeline: RunningPipeline, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **pipeline.workspace.environment()},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
