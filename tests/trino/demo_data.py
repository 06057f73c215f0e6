"""The demo's traffic, delivered and registered, without the stream between: the same records, files and tables."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.delivery import container, deliver
from dmd_pipeline.jobs import apply_schema_changes, register_partitions
from dmd_pipeline.record_types import load_record_types
from local.traffic.plan import Size, plan


if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.aws import LocalAws

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SEED = 1
SIZE = Size(records=24_000, days=21)
_BATCH = 12_000  # records; larger than the mapping's, so that a partition is a few files


def fill(aws: LocalAws) -> None:
    """Deliver and register the demo's traffic in the environment's bucket and database."""
    settings, record_types = aws.settings, load_record_types()
    aws.seed_objects(settings.bucket, _objects(aws))
    catalog = Catalog(aws.client("glue"), settings.database)
    bucket = Bucket(aws.client("s3"), settings.bucket)
    apply_schema_changes.run(settings, record_types, catalog, bucket, pytest.fail, run_id="test")
    register_partitions.run(settings, record_types, catalog, bucket, today=NOW.date())


def _objects(aws: LocalAws) -> Iterator[tuple[str, bytes]]:
    record_types = load_record_types()
    records = (one.data for one in plan(SIZE, SEED, NOW) if one.record_type is not None)
    number = itertools.count()
    while batch := list(itertools.islice(records, _BATCH)):
        for (record_type, day), rows in deliver(batch, record_types, now=NOW).groups.items():
            name = f"{next(number):05}.avro"
            body = container(record_types[record_type], rows, sync_marker=name.encode().ljust(16, b"\0")[:16])
            yield _key(aws, record_type, day) + name, body


def _key(aws: LocalAws, record_type: str, day: date) -> str:
    return aws.settings.layout.partition_prefix(record_type, day)
