"""What the tests of the jobs share: gateways to the local AWS, objects in its bucket, what Glue holds afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import boto3
import pyathena
import pytest
from botocore.config import Config
from moto.s3.models import s3_backends

from dmd_pipeline.aws.athena import Workgroup
from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.jobs import apply_schema_changes, register_partitions
from dmd_pipeline.patience import Patience
from dmd_pipeline.record_types import load_record_types


if TYPE_CHECKING:
    from collections.abc import Iterable

    from dmd_pipeline.jobs.schema_reports import Report
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


TODAY = date(2026, 3, 1)
NO_RETRIES = Config(retries={"total_max_attempts": 1}, max_pool_connections=16)


def workgroup(settings: Settings) -> Workgroup:
    """The local Athena."""
    connection = pyathena.connect(
        work_group=settings.workgroup,
        schema_name=settings.database,
        region_name=settings.region,
        s3_staging_dir="",
        poll_interval=0.01,
    )
    return Workgroup(connection, settings.workgroup)


@dataclass
class World:
    """The local AWS with the environment's tables in it, seen through the gateways."""

    aws: LocalAws
    settings: Settings
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.glue: Any = boto3.client("glue", config=NO_RETRIES)  # of its own: tests hang hooks on it
        self.catalog = Catalog(self.glue, self.settings.database)
        self.bucket = Bucket(boto3.client("s3", config=NO_RETRIES), self.settings.bucket)
        self.patience = Patience(sleep=self.pauses.append)

    def create_tables(self) -> None:
        self.apply_schemas()

    def apply_schemas(self, record_types: Any = None, **asked: Any) -> Report:
        """Run the job, without waiting for anything."""
        arguments = {"run_id": "test", "patience": self.patience, **asked}
        kinds = load_record_types() if record_types is None else record_types
        return apply_schema_changes.run(
            self.settings, kinds, self.catalog, self.bucket, lambda: workgroup(self.settings), **arguments
        )

    def put(self, table: str, *days: date | str) -> None:
        """An object in each date's folder."""
        self.put_names(table, *(f"partition_date={day}/file.avro" for day in days))

    def put_names(self, table: str, *names: str, body: bytes = b"avro") -> None:
        """Objects below a table's prefix; put where moto keeps them, for tests that need thousands."""
        store = s3_backends[self.settings.account_id]["aws"]
        for name in names:
            store.put_object(self.settings.bucket, self.settings.layout.table_prefix(table) + name, body)

    def held(self, table: str) -> dict[str, Any]:
        """What Glue holds of a table, by value, without the times at which it was written."""
        pages = (
            self.aws.client("glue")
            .get_paginator("get_partitions")
            .paginate(DatabaseName=self.settings.database, TableName=table)
        )
        ignored = {"CreationTime", "LastAccessTime", "LastAnalyzedTime"}
        return {
            "/".join(partition["Values"]): {key: value for key, value in partition.items() if key not in ignored}
            for page in pages
            for partition in page["Partitions"]
        }

    def register(self, *, today: date = TODAY, **asked: Any) -> register_partitions.Report:
        """Run the job, without waiting for anything."""
        arguments = {"patience": self.patience, **asked}
        return register_partitions.run(
            self.settings, load_record_types(), self.catalog, self.bucket, today=today, **arguments
        )

    def table(self, table: str) -> Any:
        return self.aws.client("glue").get_table(DatabaseName=self.settings.database, Name=table)["Table"]

    def set_table_parameters(self, table: str, **parameters: str) -> None:
        """Add Parameters to a table, as somebody else would."""
        now = self.table(table)
        wanted = {key: now[key] for key in ("Name", "TableType", "PartitionKeys", "StorageDescriptor")}
        wanted["Parameters"] = {**now["Parameters"], **parameters}
        self.aws.client("glue").update_table(DatabaseName=self.settings.database, TableInput=wanted)

    def change_partition(self, table: str, day: date | str, *, parameters: Any = None, **descriptor: Any) -> None:
        """Change a registered partition by hand."""
        key = {"DatabaseName": self.settings.database, "TableName": table}
        glue = self.aws.client("glue")
        now = glue.get_partition(**key, PartitionValues=[str(day)])["Partition"]
        changed = {"Values": now["Values"], "StorageDescriptor": {**now["StorageDescriptor"], **descriptor}}
        if parameters:
            changed["Parameters"] = {**now.get("Parameters", {}), **parameters}
        glue.update_partition(**key, PartitionValueList=[str(day)], PartitionInput=changed)

    def spoil(self, table: str, days: Iterable[date | str]) -> None:
        """Give partitions a location elsewhere."""
        held = self.held(table)
        entries = [
            {
                "PartitionValueList": [str(day)],
                "PartitionInput": {
                    "Values": [str(day)],
                    "StorageDescriptor": {**held[str(day)]["StorageDescriptor"], "Location": "s3://elsewhere/"},
                },
            }
            for day in days
        ]
        for start in range(0, len(entries), 100):
            answer = self.aws.client("glue").batch_update_partition(
                DatabaseName=self.settings.database, TableName=table, Entries=entries[start : start + 100]
            )
            assert not answer.get("Errors")


@pytest.fixture
def world(aws: LocalAws, settings: Settings) -> World:
    """The local AWS with tables and no partitions, no calls counted yet."""
    world = World(aws, settings)
    world.create_tables()
    aws.calls.clear()
    return world
