"""The two peers that registration is measured beside, as their users run them, on the client they are handed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dmd_pipeline.hive import SCHEMA_LITERAL, SERDE, glue_columns
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.schemas import schema_literal


if TYPE_CHECKING:
    import boto3
    from mypy_boto3_glue.client import GlueClient
    from mypy_boto3_s3.client import S3Client

    from dmd_pipeline.settings import Settings


def repair_like_msck(s3: S3Client, glue: GlueClient, settings: Settings, table: str) -> int:
    """What MSCK REPAIR TABLE does: list every object, read the known partitions, add the missing ones one by one.

    Returns:
        How many partitions were added.
    """
    layout = settings.layout
    prefix = layout.table_prefix(table)
    folders = {
        item["Key"].removeprefix(prefix).split("/", 1)[0]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=layout.bucket, Prefix=prefix)
        for item in page.get("Contents", [])
    }
    known = {
        f"partition_date={partition['Values'][0]}"
        for page in glue.get_paginator("get_partitions").paginate(DatabaseName=settings.database, TableName=table)
        for partition in page["Partitions"]
    }
    storage = glue.get_table(DatabaseName=settings.database, Name=table)["Table"]["StorageDescriptor"]
    missing = sorted(folders - known)
    for folder in missing:
        glue.create_partition(
            DatabaseName=settings.database,
            TableName=table,
            PartitionInput={
                "Values": [folder.split("=", 1)[1]],
                "StorageDescriptor": {**storage, "Location": layout.uri(f"{prefix}{folder}/")},
            },
        )
    return len(missing)


def register_with_awswrangler(session: boto3.Session, settings: Settings, table: str) -> int:
    """What people build from awswrangler: list the folders, ask the catalog, add what is missing.

    awswrangler has no call for Avro partitions. Its JSON one is given Avro's SerDe, the columns and the schema literal,
    so that what it writes and reads back is as large as what the others do.

    Returns:
        How many partitions were added.
    """
    import awswrangler  # seconds to import, and only this peer needs it

    layout = settings.layout
    folders = awswrangler.s3.list_directories(layout.table_location(table), boto3_session=session)
    known = awswrangler.catalog.get_partitions(settings.database, table, boto3_session=session)
    missing = {
        folder: [folder.rstrip("/").rsplit("=", 1)[1]]
        for folder in folders
        if folder not in known and folder.rstrip("/") not in known
    }
    if missing:
        schema = load_record_types()[table].schema
        awswrangler.catalog.add_json_partitions(
            settings.database,
            table,
            missing,
            columns_types={column["Name"]: column["Type"] for column in glue_columns(schema)},
            serde_library=SERDE,
            serde_parameters={SCHEMA_LITERAL: schema_literal(schema)},
            boto3_session=session,
        )
    return len(missing)
