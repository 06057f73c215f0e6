"""The bench of retention, at a small size: what it counts holds in every run of the tests.

Seconds depend on the machine, and are left to the bench.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bench import retention
from bench.retention import LAYOUT, TABLE, dates, expire, remove_by_hand, rows_in, together


if TYPE_CHECKING:
    from local.aws import LocalAws

PARTITIONS, FILES = 30, 40  # two batches that leave, and two that are deleted
YEARS = 1


@pytest.fixture
def environment(aws: LocalAws) -> dict[str, str]:
    """An AWS that holds the table and its files, at which this process is pointed."""
    aws.seed_objects(aws.settings.bucket, retention.objects(PARTITIONS, FILES))
    environment = aws.session_env()
    retention.make_table(PARTITIONS)
    return environment


def manifest_rows(aws: LocalAws) -> list[int]:
    s3, bucket = aws.client("s3"), aws.settings.bucket
    keys = [LAYOUT.manifest_key(TABLE, day) for day in dates(PARTITIONS)]
    return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())["rows"] for key in keys]


@pytest.mark.parametrize("has_verdicts", [True, False], ids=["with verdicts", "without verdicts"])
def test_all_is_gone_at_the_cost_of_the_formulas_and_its_rows_are_known(
    aws: LocalAws, environment: dict[str, str], has_verdicts: bool
) -> None:
    if has_verdicts:
        retention.give_verdicts()
    steps = expire(environment)
    assert manifest_rows(aws) == [rows_in(FILES)] * PARTITIONS
    reads = {"glue.GetTable": 1, "glue.GetPartitions": 1, "s3.ListObjectsV2": 2, "s3.ListObjectVersions": 2}
    counted = {"s3.GetObject": 1 + (YEARS if has_verdicts else YEARS + PARTITIONS * FILES)}
    lease = {"s3.PutObject": 1, "s3.DeleteObject": 1}
    assert steps["plan to drop"]["calls"] == reads | counted
    assert steps["drop"]["calls"] == reads | lease | counted | {
        "s3.PutObject": 1 + PARTITIONS + 1,
        "glue.BatchDeletePartition": 2,
        "glue.BatchGetPartition": 2,
    }
    summary = {"s3.GetObject": 1}
    assert steps["plan to delete"]["calls"] == reads | summary
    assert steps["delete"]["calls"] == reads | lease | summary | {
        "s3.PutObject": 1 + 1,
        "s3.DeleteObjects": 2,
        "glue.BatchGetPartition": 1,
        "s3.ListObjectsV2": 2 + 1,  # folders and manifests for the plan, manifests before the deletion
        "s3.ListObjectVersions": 2 + 2 + 1,  # for the plan, before and after the deletion
    }
    assert together(steps)["total_calls"] == sum(step["total_calls"] for step in steps.values())


def test_by_hand_every_object_is_a_call(environment: dict[str, str]) -> None:
    calls = remove_by_hand(environment, PARTITIONS)["calls"]
    asked = calls.pop("athena.GetQueryExecution")
    assert asked >= PARTITIONS
    assert calls == {
        "athena.StartQueryExecution": PARTITIONS,
        "athena.GetQueryResults": PARTITIONS,
        "s3.ListObjectsV2": PARTITIONS,
        "s3.DeleteObject": PARTITIONS * FILES,
    }


def test_what_is_not_all_gone_is_no_measurement(environment: dict[str, str]) -> None:
    with pytest.raises(RuntimeError, match="1 partitions are still registered, 40 objects still there"):
        remove_by_hand(environment, PARTITIONS - 1)
