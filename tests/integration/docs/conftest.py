"""A local AWS with a little of everything in it: delivered traffic, tables, registered partitions, a replay."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyathena
import pytest

from dmd_pipeline.aws.athena import Workgroup
from dmd_pipeline.aws.cloudwatch import Alarms
from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.aws.kinesis import Stream
from dmd_pipeline.aws.lambda_ import Functions
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.aws.sqs import Queue
from dmd_pipeline.delivery import container, deliver, errors_document
from dmd_pipeline.errors import ChecksFailedError
from dmd_pipeline.jobs import (
    apply_lifecycle,
    apply_schema_changes,
    check_data_quality,
    clean_test_data,
    drop_expired_partitions,
    partition_checks,
    register_partitions,
    restore_partitions,
)
from dmd_pipeline.jobs.conversion import convert_lane
from dmd_pipeline.jobs.drop_expired_partitions import Dropper
from dmd_pipeline.jobs.replay_environment import Environment
from dmd_pipeline.jobs.reprocess_failed_batches import secure
from dmd_pipeline.jobs.restore_partitions import Restorer
from dmd_pipeline.jobs.retention_store import Manifests
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.retention_summaries import Known
from dmd_pipeline.settings import TableRetention
from local.traffic.plan import Size, plan
from tests.failed_batches import fail_batch


if TYPE_CHECKING:
    from dmd_pipeline.jobs.quality_reports import CheckReport
    from dmd_pipeline.jobs.schema_reports import Report
    from dmd_pipeline.record_types import RecordType
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def run_the_jobs(aws: LocalAws, settings: Settings) -> None:
    """What the two DAGs of the catalog do."""
    catalog = Catalog(aws.client("glue"), settings.database)
    bucket = Bucket(aws.client("s3"), settings.bucket)
    apply_schema_changes.run(settings, load_record_types(), catalog, bucket, pytest.fail, run_id="test")
    register_partitions.run(settings, load_record_types(), catalog, bucket, today=NOW.date())


def replay_failed_batches(aws: LocalAws, settings: Settings, **asked: Any) -> list[str]:
    """What the DAG ``reprocess_failed_batches`` does; the states and reasons of what was not settled."""
    bucket, stream = Bucket(aws.client("s3"), settings.bucket), Stream(aws.client("kinesis"), settings.stream)
    functions = Functions(aws.client("lambda"))
    secured = secure(
        settings,
        queue=Queue(aws.client("sqs"), settings.dead_letter_queue),
        stream=stream,
        functions=functions,
        alarms=Alarms(aws.client("cloudwatch")),
        bucket=bucket,
        **asked,
    )
    glue = Catalog(aws.client("glue"), settings.database)
    environment = Environment(settings, load_record_types(), bucket, glue, functions, stream)
    lanes = [convert_lane(environment, lane, run_id="test") for lane in secured.lanes]
    unsettled = [str(batch) for lane in lanes for batch in lane.batches if batch.state != "settled"]
    return [*secured.problems, *unsettled]


def check_quality(aws: LocalAws, settings: Settings, *, engine: str = "auto", **asked: Any) -> dict[str, str]:
    """What the DAG ``check_data_quality`` does; the verdicts that it gave, by table and date."""
    connection = pyathena.connect(
        work_group=settings.workgroup, schema_name=settings.database, region_name=settings.region, s3_staging_dir=""
    )
    environment = partition_checks.Environment(
        settings,
        load_record_types(),
        Bucket(aws.client("s3"), settings.bucket),
        Catalog(aws.client("glue"), settings.database),
        lambda: Workgroup(connection, settings.workgroup),
    )
    looked = check_data_quality.look(environment, now=NOW, today=NOW.date(), **asked)
    assert not looked.errors
    reports: list[CheckReport] = []
    for chunk in looked.as_data()["chunks"]:
        with suppress(ChecksFailedError):  # the report says it, too
            partition_checks.check(environment, chunk, run_id="test", engine=engine, report_to=reports.append)
    connection.close()
    assert not any(report.errors for report in reports)
    return {one.name: str(one.result.verdict) for report in reports for one in report.checked}


def change_schemas(aws: LocalAws, settings: Settings) -> Report:
    """Give `demand` a field and make `eventId` of `sale` bytes: a compatible and a breaking change, both approved.

    Then take the change of `sale` back to its backup.
    """
    catalog = Catalog(aws.client("glue"), settings.database)
    bucket = Bucket(aws.client("s3"), settings.bucket)
    connection = pyathena.connect(
        work_group=settings.workgroup, schema_name=settings.database, region_name=settings.region, s3_staging_dir=""
    )
    kinds = load_record_types()
    channel = {"name": "channel", "type": ["null", "string"], "default": None, "doc": "Where the fan asked."}
    wanted = {
        **kinds,
        "demand": with_fields(kinds["demand"], [*kinds["demand"].schema["fields"], channel]),
        "sale": with_fields(
            kinds["sale"],
            [
                {**field, "type": "bytes"} if field["name"] == "eventId" else field
                for field in kinds["sale"].schema["fields"]
            ],
        ),
    }
    arguments: dict[str, Any] = {"run_id": "change", "tables": ["demand", "sale"]}

    def run(**asked: Any) -> Report:
        return apply_schema_changes.run(
            settings,
            wanted,
            catalog,
            bucket,
            lambda: Workgroup(connection, settings.workgroup),
            **{**arguments, **asked},
        )

    planned = run(dry_run=True)
    digests = {one.table: one.plan.digest for one in planned.tables if one.plan is not None}
    changed = run(approved=digests)
    run(tables=["sale"], strategy="rollback")
    connection.close()
    return changed


def expire_and_restore(aws: LocalAws, settings: Settings) -> None:
    """Let old partitions of `event` leave, come back, leave again, be deleted and come back; delete what tests left."""
    aws.client("s3").put_bucket_versioning(Bucket=settings.bucket, VersioningConfiguration={"Status": "Enabled"})
    rules = TableRetention(retention_days=30, mode="enforce", max_share_per_run=1)
    enforced = settings.retention.model_copy(update={"tables": {"event": rules}})
    settings = settings.model_copy(update={"retention": enforced})
    glue = Catalog(aws.client("glue"), settings.database)
    bucket = Bucket(aws.client("s3"), settings.bucket)
    connection = pyathena.connect(
        work_group=settings.workgroup, schema_name=settings.database, region_name=settings.region, s3_staging_dir=""
    )

    def drop(now: datetime) -> int:
        dropper = Dropper(settings, glue, bucket, "test", now=lambda: now)
        approved = {"event": dropper.plan("event").digest}
        approving = replace(dropper, approved=approved)
        report = drop_expired_partitions.run(approving, load_record_types(), tables=["event"], dry_run=False)
        return report.tables[0].counts["dropped"] + report.tables[0].counts["deleted"]

    athena = Workgroup(connection, settings.workgroup)

    def restore(now: datetime) -> dict[str, list[str]]:
        restorer = Restorer(settings, glue, bucket, lambda: athena, "test", keep_days=1, now=lambda: now)
        return restore_partitions.run(
            restorer, load_record_types(), tables=["event"], from_date=None, to_date=None, dry_run=False
        ).partition_keys

    later = NOW + timedelta(days=400)
    assert drop(later)
    assert restore(later)["event"]
    assert drop(later + timedelta(days=2))
    assert drop(later + timedelta(days=30))
    assert restore(later + timedelta(days=30))["event"]
    connection.close()
    bucket.write(f"{settings.layout.test_prefix()}a", b"x", "text/plain")
    left = clean_test_data.FolderOfTests(bucket, settings.layout)
    cleaned = clean_test_data.run(left, older_than_days=1, now=datetime.now(UTC) + timedelta(days=2), dry_run=False)
    assert cleaned.objects == 1


def apply_rules(aws: LocalAws, settings: Settings) -> None:
    """Have S3 delete our leftovers."""
    bucket = Bucket(aws.client("s3"), settings.bucket)
    planned = apply_lifecycle.run(settings, bucket)
    assert apply_lifecycle.run(settings, bucket, approved=planned.plan.digest, dry_run=False).is_applied


def with_fields(record_type: RecordType, fields: list[Any]) -> RecordType:
    """A record type whose schema has other fields."""
    return replace(record_type, schema={**record_type.schema, "fields": fields})


def misplace_rows(aws: LocalAws, settings: Settings, to: date) -> None:
    """Put the rows of a file of `demand` into the partition of another date as well."""
    s3, layout = aws.client("s3"), settings.layout
    source = layout.partition_prefix("demand", NOW.date())
    key = s3.list_objects_v2(Bucket=settings.bucket, Prefix=source)["Contents"][0]["Key"]
    target = f"{layout.partition_prefix('demand', to)}misplaced.avro"
    s3.copy_object(Bucket=settings.bucket, Key=target, CopySource={"Bucket": settings.bucket, "Key": key})


def give_verdicts(aws: LocalAws, settings: Settings) -> None:
    """Check two partitions of `demand`, of which one fails: there is something to look at."""
    yesterday = NOW.date() - timedelta(days=1)
    misplace_rows(aws, settings, yesterday)
    verdicts = check_quality(aws, settings, tables=["demand"], from_date=yesterday, to_date=NOW.date())
    assert verdicts[f"demand {yesterday}"] == "failed"
    assert len(verdicts) > 1


def remember_deletion(aws: LocalAws, settings: Settings) -> None:
    """Have it written down that an old partition of `demand` was deleted."""
    store = Manifests(Bucket(aws.client("s3"), settings.bucket), settings.layout)
    store.summarize("demand", {NOW.date() - timedelta(days=400): Known(etag='"etag"', deleted_at=NOW)}, None)


def deliver_traffic(aws: LocalAws, settings: Settings) -> Counter[str]:
    """Write the files of a little traffic; returns the rows written, by table."""
    planned = plan(Size(records=600, days=14), seed=1, now=NOW)
    delivery = deliver((one.data for one in planned), load_record_types(), now=NOW)
    s3, layout = aws.client("s3"), settings.layout
    rows_of: Counter[str] = Counter()
    for number, ((table, day), rows) in enumerate(delivery.groups.items()):
        body = container(load_record_types()[table], rows, sync_marker=bytes(16))
        s3.put_object(Bucket=settings.bucket, Key=layout.delivered_key(table, day, NOW, UUID(int=number)), Body=body)
        rows_of[table] += len(rows)
    body = errors_document(delivery.rejected, NOW)
    s3.put_object(Bucket=settings.bucket, Key=layout.errors_key(NOW, UUID(int=0)), Body=body)
    return rows_of


@pytest.fixture
def pipeline(aws: LocalAws, settings: Settings) -> LocalAws:
    """The local AWS after traffic was delivered, all jobs ran, and another batch failed."""
    assert all(deliver_traffic(aws, settings)[table] for table in load_record_types())
    run_the_jobs(aws, settings)
    fail_batch(aws, settings)
    assert replay_failed_batches(aws, settings) == []
    fail_batch(aws, settings, shard=1, seed=3)  # for whoever looks at the queue
    return aws
