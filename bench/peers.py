"""The peers that the jobs are measured beside, as their users run them, on the client they are handed.

Registration is measured beside the first two, a change of a schema beside the next two, retention beside the last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3transfer.manager import TransferConfig, TransferManager

from dmd_pipeline.hive import SCHEMA_LITERAL, SERDE, glue_columns, partition_input
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.schemas import schema_literal


if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import boto3
    from mypy_boto3_glue.client import GlueClient
    from mypy_boto3_glue.type_defs import TableInputTypeDef
    from mypy_boto3_s3.client import S3Client
    from pyathena.cursor import Cursor

    from dmd_pipeline.settings import Settings


_CREATED_AT_ONCE, _DELETED_AT_ONCE = 100, 25  # as many as Glue takes


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


def replace_like_terraform(
    glue: GlueClient, settings: Settings, table: TableInputTypeDef, dates: Sequence[date]
) -> None:
    """Drop a table, create it with its new schema, and register all its partitions.

    That is how a changed schema reaches the catalog today: Terraform *replaces* the table, which destroys it before it
    is created, and Glue drops a table's partitions with it; somebody then repairs them. Here it goes as fast as it can:
    nobody has to notice first, the dates are known without listing anything, and partitions are created 100 at a time,
    of which ``MSCK REPAIR TABLE`` does one at a time (:func:`repair_like_msck`).
    """
    glue.delete_table(DatabaseName=settings.database, Name=table["Name"])
    glue.create_table(DatabaseName=settings.database, TableInput=table)
    layout = settings.layout
    for start in range(0, len(dates), _CREATED_AT_ONCE):
        glue.batch_create_partition(
            DatabaseName=settings.database,
            TableName=table["Name"],
            PartitionInputList=[
                partition_input(table, day, layout.partition_location(table["Name"], day))
                for day in dates[start : start + _CREATED_AT_ONCE]
            ],
        )


def swap_like_dbt_athena(glue: GlueClient, database: str, source: str, target: str) -> None:
    """What dbt-athena 1.11.1 does to a Hive table with ``ha: true``, once the new one has been built beside it.

    ``AthenaAdapter.swap_table`` in dbt/adapters/athena/impl.py (https://pypi.org/project/dbt-athena/1.11.1/): read the
    new table, its partitions and those of the old one; UpdateTable, against no version; then delete all partitions of
    the old one, 25 at a time (``BATCH_DELETE_PARTITION_API_LIMIT``); then create those of the new one, 100 at a time
    (``BATCH_CREATE_PARTITION_API_LIMIT``). The errors that Glue answers for single partitions are not read. It is
    called by materializations/models/table/table.sql, which drops the new table's own entry afterwards.

    Args:
        glue: The client.
        database: Of both tables.
        source: The new table, with all its partitions.
        target: The table that readers know.
    """
    new = glue.get_table(DatabaseName=database, Name=source)["Table"]
    pages = glue.get_paginator("get_partitions")
    created, deleted = (
        pages.paginate(DatabaseName=database, TableName=name).build_full_result()["Partitions"]
        for name in (source, target)
    )
    glue.update_table(
        DatabaseName=database,
        TableInput={
            "Name": target,
            "StorageDescriptor": new["StorageDescriptor"],
            "PartitionKeys": new["PartitionKeys"],
            "TableType": new["TableType"],
            "Parameters": new["Parameters"],
            "Description": new.get("Description", ""),
        },
    )
    for start in range(0, len(deleted), _DELETED_AT_ONCE):
        glue.batch_delete_partition(
            DatabaseName=database,
            TableName=target,
            PartitionsToDelete=[
                {"Values": partition["Values"]} for partition in deleted[start : start + _DELETED_AT_ONCE]
            ],
        )
    for start in range(0, len(created), _CREATED_AT_ONCE):
        glue.batch_create_partition(
            DatabaseName=database,
            TableName=target,
            PartitionInputList=[
                {
                    "Values": partition["Values"],
                    "StorageDescriptor": partition["StorageDescriptor"],
                    "Parameters": partition.get("Parameters", {}),
                }
                for partition in created[start : start + _CREATED_AT_ONCE]
            ],
        )
    glue.delete_table(DatabaseName=database, Name=source)


def drop_one_by_one(athena: Cursor, s3: S3Client, settings: Settings, table: str, days: Sequence[date]) -> None:
    """Drop partitions and delete their files as a runbook of two commands does, one partition after the other.

    Athena is asked by PyAthena, and waited for. ``aws s3 rm --recursive`` of the AWS CLI 1.46 lists 1,000 keys a page,
    and hands each to the ``TransferManager`` of s3transfer, which sends one DeleteObject a key, ten at a time
    (``DeleteRequestSubmitter`` in awscli/customizations/s3/s3handler.py, ``max_concurrent_requests`` in
    transferconfig.py). It is the same manager here, without the CLI around it: that brings a botocore of its own, and
    takes about a second to start for each partition.
    """
    for day in days:
        athena.execute(f"ALTER TABLE {table} DROP PARTITION (partition_date = '{day}')")
        folder = settings.layout.partition_prefix(table, day)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=settings.bucket, Prefix=folder)
        with TransferManager(s3, TransferConfig(max_request_concurrency=10)) as manager:
            deletions = [
                manager.delete(settings.bucket, item["Key"]) for page in pages for item in page.get("Contents", [])
            ]
            for deletion in deletions:
                deletion.result()
