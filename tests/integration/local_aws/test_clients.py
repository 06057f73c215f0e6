"""Ordinary clients work against it: the aws command, and awswrangler's catalog."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from local.aws import LocalAws

AWS_COMMAND = Path(sys.executable).parent / "aws"


def aws_command(aws: LocalAws, *arguments: str) -> Any:
    environment = {"PATH": os.environ["PATH"], "HOME": os.devnull, **aws.session_env()}
    finished = subprocess.run(
        [AWS_COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout) if finished.stdout.startswith("{") else finished.stdout


@pytest.fixture
def table(aws: LocalAws) -> str:
    """A partitioned table with two partitions and an object in each."""
    aws.client("glue").create_table(
        DatabaseName=aws.settings.database,
        TableInput={
            "Name": "demand",
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": "partition_date", "Type": "string"}],
            "StorageDescriptor": {
                "Columns": [{"Name": "id", "Type": "string"}],
                "Location": aws.settings.layout.table_location("demand"),
                "SerdeInfo": {},
            },
            "Parameters": {"classification": "avro"},
        },
    )
    for day in ("2025-01-01", "2025-01-02"):
        prefix = f"{aws.settings.layout.table_prefix('demand')}partition_date={day}/"
        aws.client("s3").put_object(Bucket=aws.settings.bucket, Key=f"{prefix}one.avro", Body=b"x")
        aws.client("glue").create_partition(
            DatabaseName=aws.settings.database,
            TableName="demand",
            PartitionInput={
                "Values": [day],
                "StorageDescriptor": {"Location": aws.settings.layout.uri(prefix), "SerdeInfo": {}},
            },
        )
    return "demand"


def test_the_aws_command_lists_and_removes_objects(aws: LocalAws, table: str) -> None:
    location = aws.settings.layout.table_location(table)
    assert aws_command(aws, "s3", "ls", location).split() == [
        "PRE", "partition_date=2025-01-01/", "PRE", "partition_date=2025-01-02/",
    ]  # fmt: skip
    aws_command(aws, "s3", "rm", "--recursive", f"{location}partition_date=2025-01-01/")
    assert aws.client("s3").list_objects_v2(Bucket=aws.settings.bucket)["KeyCount"] == 1


def test_the_aws_command_copies_a_file_there_and_back(aws: LocalAws, tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"content")
    uri = aws.settings.layout.uri("data-pipeline/test/file")
    aws_command(aws, "s3", "cp", str(tmp_path / "there"), uri)
    aws_command(aws, "s3", "cp", uri, str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == b"content"


def test_the_aws_command_reads_the_catalog(aws: LocalAws, table: str) -> None:
    found = aws_command(
        aws, "glue", "get-partitions", "--database-name", aws.settings.database, "--table-name", table,
        "--expression", "partition_date >= '2025-01-02'", "--query", "{dates: Partitions[].Values[0]}",
    )  # fmt: skip
    assert found == {"dates": ["2025-01-02"]}


def test_the_aws_command_reads_queue_stream_and_mapping(aws: LocalAws) -> None:
    settings = aws.settings
    stream = aws_command(aws, "kinesis", "describe-stream-summary", "--stream-name", settings.stream)
    assert stream["StreamDescriptionSummary"]["OpenShardCount"] == 4
    queue = aws_command(aws, "sqs", "get-queue-url", "--queue-name", settings.dead_letter_queue)
    assert queue["QueueUrl"].endswith(settings.dead_letter_queue)
    mappings = aws_command(aws, "lambda", "list-event-source-mappings", "--function-name", settings.function)
    assert mappings["EventSourceMappings"][0]["BatchSize"] == 1000


def test_awswrangler_reads_and_writes_the_catalog(aws: LocalAws, table: str) -> None:
    import awswrangler

    database = aws.settings.database
    assert awswrangler.catalog.does_table_exist(database=database, table=table)
    assert [found["Name"] for found in awswrangler.catalog.get_tables(database=database)] == [table]
    assert awswrangler.catalog.get_table_types(database=database, table=table) == {
        "id": "string",
        "partition_date": "string",
    }
    location = aws.settings.layout.table_location(table)
    added = {f"{location}partition_date=2025-01-{day:02d}/": [f"2025-01-{day:02d}"] for day in range(2, 29)}
    awswrangler.catalog.add_parquet_partitions(database=database, table=table, partitions_values=added)
    found = awswrangler.catalog.get_partitions(database=database, table=table)
    assert sorted(values[0] for values in found.values()) == [f"2025-01-{day:02d}" for day in range(1, 29)]
    awswrangler.catalog.delete_partitions(database=database, table=table, partitions_values=list(added.values()))
    left = awswrangler.catalog.get_partitions(database=database, table=table)
    assert list(left.values()) == [["2025-01-01"]]


def test_awswrangler_lists_folders(aws: LocalAws, table: str) -> None:
    import awswrangler

    location = aws.settings.layout.table_location(table)
    assert awswrangler.s3.list_directories(location) == [
        f"{location}partition_date=2025-01-01/",
        f"{location}partition_date=2025-01-02/",
    ]
