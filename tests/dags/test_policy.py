"""What every DAG file has in common."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow.sdk import Asset, CronTriggerTimetable
from airflow.sdk.exceptions import ParamValidationError

from dmd_pipeline.airflow.alerts import alert_on_failure
from dmd_pipeline.airflow.assets import s3_asset, table_assets, table_names
from dmd_pipeline.airflow.defaults import RETRY_POLICY
from dmd_pipeline.airflow.tags import Tag
from dmd_pipeline.errors import PartitionsFailedError, ReplayIncompleteError, TableNotFoundError, ThrottledError
from dmd_pipeline.record_types import load_record_types
from local.dags_doc import DOCUMENT, document, load_dags


if TYPE_CHECKING:
    from airflow.sdk import DAG

    from dmd_pipeline.settings import Settings


ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "dags").glob("*.py"))
HEADINGS = ["What it does", "When it runs", "Parameters", "Safe to re-run?", "When it fails"]
DAGS = load_dags()

WITHOUT_TABLES = {"apply_lifecycle_rules", "clean_test_data", "reprocess_failed_batches"}
"""Rules of the bucket and what tests leave are of no table; a batch holds records of all tables and is settled as a
whole: for some of them it would stay open for ever.
"""
BY_HAND = {"apply_lifecycle_rules", "restore_partitions"}

every_dag = pytest.mark.parametrize("dag", DAGS.values(), ids=DAGS)


def test_there_is_a_dag_in_every_file() -> None:
    assert set(DAGS) == {path.stem for path in FILES}
    assert len(DAGS) == 8


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dag_file_is_a_table_of_contents_of_at_most_120_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 120


@every_dag
def test_a_dag_is_named_like_its_file_and_its_function(dag: DAG) -> None:
    assert DAGS[dag.dag_id] is dag


@every_dag
def test_the_documentation_has_the_five_headings_in_order(dag: DAG) -> None:
    assert re.findall(r"^## (.+)$", dag.doc_md or "", re.MULTILINE) == HEADINGS


@every_dag
def test_every_task_says_what_it_does(dag: DAG) -> None:
    assert all(task.doc_md for task in dag.tasks)


@every_dag
def test_tags_say_what_a_dag_owns_and_what_it_may_do(dag: DAG) -> None:
    groups = sorted(Tag(tag).split(":")[0] for tag in dag.tags)
    assert groups == ["impact", "owns"]


@every_dag
def test_every_task_has_an_owner_retries_a_timeout_and_somebody_who_is_told(dag: DAG) -> None:
    for task in dag.tasks:
        assert task.owner == "demand-pipeline"
        assert task.retries is not None
        assert task.retries > 0
        assert task.retry_exponential_backoff
        assert task.retry_policy is RETRY_POLICY
        assert task.execution_timeout is not None
        assert task.on_failure_callback == [alert_on_failure] or task.on_failure_callback is alert_on_failure


@every_dag
def test_every_param_is_typed_titled_and_described(dag: DAG) -> None:
    assert ("tables" in dag.params) is (dag.dag_id not in WITHOUT_TABLES)
    for name in dag.params:
        param = dag.params.get_param(name)
        assert param.schema.get("type"), name
        assert param.schema.get("title"), name
        assert param.description, name


@every_dag
def test_a_missed_schedule_is_not_caught_up(dag: DAG) -> None:
    assert dag.catchup is False


@every_dag
def test_the_schedule_is_the_environments(dag: DAG, settings: Settings) -> None:
    if dag.dag_id in BY_HAND:
        assert dag.schedule is None
    else:
        assert isinstance(dag.schedule, CronTriggerTimetable)
        assert dag.schedule.expression == getattr(settings.schedules, dag.dag_id)


def test_tables_are_created_as_soon_as_their_dag_is_unpaused() -> None:
    schedule = DAGS["apply_schema_changes"].schedule
    assert isinstance(schedule, CronTriggerTimetable)
    assert schedule.run_immediately is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tables", ["sales"]),
        ("tables", []),
        ("tables", "demand"),
        ("from_date", "yesterday"),
        ("from_date", "2025-02-30"),
        ("from_date", "20250601"),
        ("to_date", 20250601),
        ("dry_run", "yes"),
    ],
)
def test_a_param_of_the_wrong_kind_is_refused_when_a_run_is_triggered(name: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        DAGS["register_partitions"].params.get_param(name).resolve(value)


def test_by_default_a_run_is_about_everything_and_is_no_dry_run() -> None:
    assert DAGS["register_partitions"].params.dump() == {
        "tables": list(load_record_types()),
        "from_date": None,
        "to_date": None,
        "dry_run": False,
    }


def test_the_tables_that_dag_files_know_are_the_record_types() -> None:
    assert list(table_names()) == list(load_record_types())


def test_an_asset_is_what_airflow_itself_would_make_of_its_name_and_uri(settings: Settings) -> None:
    for table, asset in table_assets().items():
        assert asset == Asset(table, settings.layout.table_location(table))
        assert hash(asset) == hash(Asset(table, settings.layout.table_location(table)))
    assert s3_asset("x", "s3://bucket/key") == Asset("x", "s3://bucket/key")


def test_every_table_is_published_by_a_task_of_its_own() -> None:
    dag = DAGS["register_partitions"]
    outlets = {task.task_id: task.outlets for task in dag.tasks if task.outlets}
    assert outlets == {f"publish_{table}": [asset] for table, asset in table_assets().items()}
    assert all(dag.get_task(task_id).is_teardown for task_id in outlets)


def test_what_would_fail_again_is_not_tried_again() -> None:
    decisions = {
        type(error): RETRY_POLICY.evaluate(error, 1, 2).action.value
        for error in (
            TableNotFoundError(),
            PartitionsFailedError({}),
            ReplayIncompleteError([]),
            ThrottledError(),
            ConnectionError(),
        )
    }
    assert list(decisions.values()) == ["fail", "fail", "fail", "default", "default"]


def test_the_documentation_of_the_dags_is_the_generated_one() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "docs/dags.md is stale: run `make docs` and commit it"


HEAVY = {"awswrangler", "boto3", "botocore", "fastavro", "great_expectations", "pandas", "pyathena", "tabulate"}
BARE = "from airflow.sdk import Asset, Param, dag, task"
WITH_DAGS = f"{BARE}; from local.dags_doc import load_dags; load_dags()"


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after running some code."""
    answer = subprocess.run(
        [sys.executable, "-c", f"{code}; import json, sys; print(json.dumps(sorted(sys.modules)))"],
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in json.loads(answer.stdout.splitlines()[-1])}


def test_parsing_the_dag_files_imports_nothing_heavy_that_airflow_does_not() -> None:
    added = loaded_by(WITH_DAGS) - loaded_by(BARE)
    assert "dmd_pipeline" in added
    assert not added & HEAVY
