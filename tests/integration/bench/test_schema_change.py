"""The bench of readers during a schema change, at a small size: its aims hold in every run of the tests.

It is the measuring code itself. That the peers are caught shows that it would catch the jobs, too.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from bench import schema_change
from bench.schema_change import Question, beside_a_reader, between_the_calls
from dmd_pipeline.jobs import table_change


if TYPE_CHECKING:
    from local.aws import LocalAws

PARTITIONS = 101  # two batches of those that are created or updated, five of those that are deleted
FEW = 10
OURS = ("apply_schema_changes", "apply_schema_changes, recreate")
PEERS = ("Terraform", "dbt-athena")


@pytest.fixture
def environment(aws: LocalAws) -> dict[str, str]:
    """An AWS that holds the table's files, at which this process is pointed."""
    aws.seed_objects(aws.settings.bucket, schema_change.objects(PARTITIONS))
    return aws.session_env()


def test_every_way_of_changing_the_table_is_known() -> None:
    assert tuple(schema_change.CONTENDERS) == OURS + PEERS


@pytest.mark.parametrize("name", OURS)
def test_readers_never_notice_ours_between_any_two_calls(environment: dict[str, str], name: str) -> None:
    figures = between_the_calls(name, environment, PARTITIONS)
    assert (figures["failed"], figures["wrong"], figures["errors"], figures["bad_seconds"]) == (0, 0, {}, 0.0)
    assert figures["looks"] >= 20, "it was looked before every call and after the last one"


def test_a_reader_who_queries_without_pause_never_notices_ours(environment: dict[str, str]) -> None:
    figures = beside_a_reader("apply_schema_changes", environment, PARTITIONS)
    assert (figures["failed"], figures["wrong"], figures["errors"], figures["window_seconds"]) == (0, 0, {}, 0.0)
    assert figures["queries"] >= 3, "the first, the last, and one meanwhile"
    assert figures["calls"]["glue.UpdateTable"] >= 3, "marked, switched, unmarked: the change needed all of them"


@pytest.mark.parametrize(
    ("name", "looks", "failed", "wrong", "error"),
    [
        # DeleteTable, CreateTable, BatchCreatePartition x 2: no table, no partitions, some of them.
        ("Terraform", 5, 1, 2, "TABLE_NOT_FOUND"),
        # As soon as the table is updated, until all partitions that do not fit it are deleted: failures.
        ("dbt-athena", 13, 5, 2, "HIVE_PARTITION_SCHEMA_MISMATCH"),
    ],
)
def test_what_readers_notice_of_the_peers_is_seen(
    environment: dict[str, str], name: str, looks: int, failed: int, wrong: int, error: str
) -> None:
    figures = between_the_calls(name, environment, PARTITIONS)
    assert figures["bad_seconds"] > 0
    assert {key: figures[key] for key in ("looks", "failed", "wrong", "errors")} == {
        "looks": looks,
        "failed": failed,
        "wrong": wrong,
        "errors": {error: failed},
    }


def test_a_reader_beside_slow_calls_notices_the_peers(environment: dict[str, str]) -> None:
    figures = beside_a_reader("dbt-athena", environment, PARTITIONS, delay=0.2)
    assert figures["failed"] > 0
    assert figures["window_seconds"] > 0
    assert figures["total_calls"] == sum(figures["calls"].values()) == 12


def test_the_change_is_one_that_needs_shortened_partitions(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the aims above say something: without that step, readers notice."""
    monkeypatch.setattr(table_change, "shortening", lambda *_: ())
    figures = between_the_calls("apply_schema_changes", environment, FEW)
    assert figures["failed"] > 0
    assert figures["errors"].keys() == {"HIVE_PARTITION_SCHEMA_MISMATCH"}


def test_a_contender_that_changes_nothing_is_no_contender(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(schema_change.CONTENDERS, "Terraform", lambda *_: None)
    with pytest.raises(RuntimeError, match="Terraform did not change the table"):
        beside_a_reader("Terraform", environment, FEW)


def test_a_table_that_was_never_whole_is_no_measurement(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Question.about(FEW)
    wrong = dataclasses.replace(right, rows=right.rows[1:])
    monkeypatch.setattr(Question, "about", lambda _partitions: wrong)
    with pytest.raises(RuntimeError, match="not whole before or after the change"):
        beside_a_reader("apply_schema_changes", environment, FEW)
