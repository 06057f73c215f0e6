"""The permissions that the documentation asks for are those that the DAGs use, no more and no less."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dmd_pipeline.aws.sns import Topic
from tests.failed_batches import fail_batch
from tests.integration.docs.conftest import (
    NOW,
    apply_rules,
    change_schemas,
    check_quality,
    deliver_traffic,
    expire_and_restore,
    misplace_rows,
    replay_failed_batches,
    run_the_jobs,
)


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "real-environment.md"
_ACTION_OF = {
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
}
"""IAM names an action after its call, but for these."""


def documented_actions() -> set[str]:
    rows = re.findall(
        r"^\| (S3|Glue|SNS|SQS|Athena|Kinesis|Lambda|CloudWatch) \| (.*?) \|",
        DOCUMENT.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    return {f"{service.lower()}:{action}" for service, actions in rows for action in re.findall(r"`(\w+)`", actions)}


def test_the_documented_permissions_are_exactly_those_that_the_dags_use(aws: LocalAws, settings: Settings) -> None:
    glue = aws.client("glue")
    deliver_traffic(aws, settings)
    glue.delete_database(Name=settings.database)
    aws.calls.clear()

    run_the_jobs(aws, settings)  # creates the database and the tables, adds partitions
    partition = glue.get_partition(
        DatabaseName=settings.database, TableName="sale", PartitionValues=[f"{NOW:%Y-%m-%d}"]
    )["Partition"]
    storage = partition["StorageDescriptor"] | {"Location": settings.layout.uri("elsewhere/")}
    glue.update_partition(
        DatabaseName=settings.database,
        TableName="sale",
        PartitionValueList=partition["Values"],
        PartitionInput={"Values": partition["Values"], "StorageDescriptor": storage},
    )
    run_the_jobs(aws, settings)  # repairs the partition
    changed = change_schemas(aws, settings)
    assert changed.outcomes == {"demand": "changed", "sale": "recreated"}
    fail_batch(aws, settings)
    runs: list[dict[str, Any]] = [{"dry_run": True}, {}, {"source": "errors"}, {"source": "quarantine"}]
    for asked in runs:
        assert replay_failed_batches(aws, settings, **asked) == []
    fail_batch(aws, settings, seed=3)
    shards = {"source": "stream", "start": f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}
    replay_failed_batches(aws, settings, **shards)  # nobody knows the size of such a range: it waits for certainty
    misplace_rows(aws, settings, NOW.date() - timedelta(days=1))
    dates: dict[str, Any] = {"tables": ["demand"], "from_date": NOW.date() - timedelta(days=1), "to_date": NOW.date()}
    checked = [check_quality(aws, settings, engine=engine, force=True, **dates) for engine in ("memory", "athena")]
    assert checked[0] == checked[1]
    assert "failed" in checked[0].values()
    expire_and_restore(aws, settings)
    apply_rules(aws, settings)
    Topic(aws.client("sns"), settings.alerts_topic_arn).publish("subject", "message", {})

    by_hand = {"glue:GetPartition", "glue:UpdatePartition", "kinesis:PutRecords", "s3:CopyObject", "sqs:SendMessage"}
    by_hand |= {"s3:PutBucketVersioning"}
    used = {_ACTION_OF.get(call, call) for call in aws.calls.totals() if call not in by_hand}
    used |= {"s3:DeleteObjectVersion"}  # a DeleteObjects that names delete markers
    assert used == documented_actions()
