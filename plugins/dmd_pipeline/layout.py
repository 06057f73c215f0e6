"""Where things lie in the bucket: S3 keys ↔ tables and partitions.

Nothing else in the project builds or takes apart a key. A *table* here is also a record type and the last folder of
its location; a *partition date* is a business date, ``YYYY-MM-DD``, taken from the record and not from its arrival.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from dmd_pipeline.failed_batches import BatchId


if TYPE_CHECKING:
    from uuid import UUID


PARTITION_KEY = "partition_date"
SETTLED_RAW_TAG: Final = ("dmd-settled", "raw")
"""Key and value of the S3 tag of secured records whose batch is settled: only these may expire.

S3 cannot see the done document beside them, so the tag says it. It is put on as soon as every record of the batch is
where it belongs, and **before** the done document is written: a batch whose run was killed between the two looks open,
and is settled again.
"""
SETTLED_DONE_TAG: Final = ("dmd-settled", "done")
"""The tag of a done document, written with it; another value, for it has to outlive its raw file: without it, the batch
would look open.
"""
_CONTAINER = ".avro"
_RAW = ".jsonl.gz"
_DONE = ".done.json"
_STAMP = "%Y-%m-%d-%H-%M-%S"
_STAMP_LENGTH = 19
_RANGE = r"(?P<start>\d+)-(?P<end>\d+)"
_SECURED = re.compile(rf"(?P<folder>[A-Za-z0-9-]+)/{_RANGE}(?P<kind>{re.escape(_RAW)}|{re.escape(_DONE)})", re.ASCII)
_REPLAYED = re.compile(rf"replay-(?P<folder>[A-Za-z0-9-]+)-{_RANGE}{re.escape(_CONTAINER)}", re.ASCII)
_PARTITION_FOLDER = re.compile(rf"{PARTITION_KEY}=(\d{{4}}-\d{{2}}-\d{{2}})/")


@dataclass(frozen=True)
class Layout:
    """The keys of one environment.

    Attributes:
        bucket: Name of the bucket.
        prefix: First folder of every key, without slashes at its ends.
    """

    bucket: str
    prefix: str

    def everything_prefix(self) -> str:
        """Key prefix of all that the pipeline and this project write."""
        return f"{self.prefix}/"

    def tables_prefix(self) -> str:
        """Key prefix of all files of all tables."""
        return f"{self.prefix}/avro/"

    def table_prefix(self, table: str) -> str:
        """Key prefix of all files of a table, with a slash at its end."""
        return f"{self.tables_prefix()}{table}/"

    def table_location(self, table: str) -> str:
        """S3 URI of a table, as its Glue table holds it."""
        return self.uri(self.table_prefix(table))

    def partition_prefix(self, table: str, partition_date: date) -> str:
        """Key prefix of all files of one partition, with a slash at its end."""
        return f"{self.table_prefix(table)}{PARTITION_KEY}={partition_date.isoformat()}/"

    def partition_location(self, table: str, partition_date: date) -> str:
        """S3 URI of one partition, as its Glue partition holds it."""
        return self.uri(self.partition_prefix(table, partition_date))

    def delivered_key(self, table: str, partition_date: date, now: datetime, unique: UUID) -> str:
        """Key of a container file written by the delivery worker at ``now`` (UTC)."""
        return f"{self.partition_prefix(table, partition_date)}{now:{_STAMP}}-{unique}{_CONTAINER}"

    def errors_prefix(self) -> str:
        """Key prefix of the delivery worker's files of invalid records."""
        return f"{self.prefix}/errors/"

    def errors_key(self, now: datetime, unique: UUID) -> str:
        """Key of a file of invalid records written by the delivery worker at ``now`` (UTC)."""
        return f"{self.errors_prefix()}{now:{_STAMP}}-{unique}.json"

    def errors_since(self, moment: datetime) -> str:
        """A key before those of all files of invalid records that were written at a moment (UTC) or later."""
        return f"{self.errors_prefix()}{moment:{_STAMP}}"

    def all_backups_prefix(self) -> str:
        """Key prefix of the backups of all tables' definitions."""
        return f"{self.prefix}/catalog-backups/"

    def backups_prefix(self, table: str) -> str:
        """Key prefix of the backups of a table's definition."""
        return f"{self.all_backups_prefix()}{table}/"

    def backup_key(self, table: str, now: datetime) -> str:
        """Key of a backup made at ``now`` (UTC); keys sort by time."""
        return f"{self.backups_prefix(table)}{now:%Y-%m-%dT%H-%M-%S.%fZ}.json.gz"

    def retention_prefix(self) -> str:
        """Key prefix of what is known of all tables' expired partitions."""
        return f"{self.prefix}/retention/"

    def manifests_prefix(self, table: str) -> str:
        """Key prefix of what is known of a table's expired partitions."""
        return f"{self.retention_prefix()}{table}/"

    def manifest_key(self, table: str, partition_date: date) -> str:
        """Key of what is known of an expired partition."""
        return f"{self.manifests_prefix(table)}{partition_date.isoformat()}.json"

    def retention_summary_key(self, table: str) -> str:
        """Key of the document that says what is known of all of a table's manifests."""
        return f"{self.retention_prefix()}summaries/{table}.json.gz"

    def test_prefix(self) -> str:
        """Key prefix of what tests leave behind."""
        return f"{self.prefix}/test/"

    def retention_lease_key(self, table: str) -> str:
        """Key of the document that says who lets a table's partitions expire, or restores them."""
        return f"{self.retention_prefix()}leases/{table}.json"

    def raw_prefix(self) -> str:
        """Key prefix of the secured records of failed batches."""
        return f"{self.prefix}/replay/raw/"

    def raw_key(self, batch: BatchId) -> str:
        """Key of the secured records of a failed batch."""
        return f"{self.raw_prefix()}{batch}{_RAW}"

    def done_key(self, batch: BatchId) -> str:
        """Key of the document that says what became of a failed batch; it lies beside the secured records."""
        return f"{self.raw_prefix()}{batch}{_DONE}"

    def lease_key(self, lane: str) -> str:
        """Key of the document that says who converts a lane."""
        return f"{self.prefix}/replay/leases/{lane}.json"

    def replay_key(self, table: str, partition_date: date, batch: BatchId) -> str:
        """Key of the container file that a failed batch has in one partition."""
        return (
            f"{self.partition_prefix(table, partition_date)}replay-{batch.folder}-{batch.start}-{batch.end}{_CONTAINER}"
        )

    def quarantine_prefix(self) -> str:
        """Key prefix of what could not be converted."""
        return f"{self.prefix}/quarantine/"

    def quarantine_key(self, reason: str, day: date, identifier: str) -> str:
        """Key of a document in quarantine.

        Args:
            reason: In a few words with hyphens.
            day: When the failure happened (UTC): the same for every attempt to write the document.
            identifier: Letters, digits and hyphens.
        """
        return f"{self.quarantine_prefix()}{reason}/{day.isoformat()}/{identifier}.json"

    def quality_results_prefix(self) -> str:
        """Key prefix of the results of checks: what the table ``data_quality`` reads."""
        return f"{self.prefix}/quality/results/"

    def quality_result_key(self, table: str, partition_date: date, content: str, suite: str) -> str:
        """Key of the result of a check: one a content of the partition and a suite of expectations.

        Args:
            table: Name of the table.
            partition_date: Of the partition.
            content: Stands for the partition's files as they were checked.
            suite: Stands for the expectations.
        """
        return f"{self.quality_results_prefix()}{table}/{partition_date.isoformat()}/{content}-{suite}.json"

    def quality_results_of_year(self, table: str, year: int) -> str:
        """Begin of the keys of all results about the partitions of a table and year."""
        return f"{self.quality_results_prefix()}{table}/{year:04d}-"

    def all_quality_summaries_prefix(self) -> str:
        """Key prefix of the documents that say what is known of all tables' partitions."""
        return f"{self.prefix}/quality/summaries/"

    def quality_summaries_prefix(self, table: str) -> str:
        """Key prefix of the documents that say what is known of a table's partitions, one a year."""
        return f"{self.all_quality_summaries_prefix()}{table}/"

    def quality_summary_key(self, table: str, year: int) -> str:
        """Key of the document that says what is known of the partitions of a table and year."""
        return f"{self.quality_summaries_prefix(table)}{year}.json"

    def quality_docs_prefix(self) -> str:
        """Key prefix of Great Expectations' pages."""
        return f"{self.prefix}/quality/docs/"

    def quality_docs_key(self, table: str, partition_date: date) -> str:
        """Key of Great Expectations' page about a partition."""
        return f"{self.quality_docs_prefix()}{table}/{partition_date.isoformat()}.html"

    def athena_results_prefix(self) -> str:
        """Key prefix below which the Athena workgroup writes its results."""
        return f"{self.prefix}/athena/results/"

    def athena_results_location(self) -> str:
        """S3 URI below which the Athena workgroup writes its results."""
        return self.uri(self.athena_results_prefix())

    def uri(self, key: str) -> str:
        """S3 URI of a key."""
        return f"s3://{self.bucket}/{key}"


def partition_date_of(folder: str) -> date | None:
    """The date a partition folder stands for, or None when the folder is not a partition of this project.

    >>> partition_date_of("partition_date=2025-06-01/")
    datetime.date(2025, 6, 1)
    >>> partition_date_of("partition_date=2025-6-1/"), partition_date_of("partition_date=2025-02-30/")
    (None, None)
    """
    match = _PARTITION_FOLDER.fullmatch(folder)
    if match is None:
        return None
    try:
        return date.fromisoformat(match.group(1))
    except ValueError:
        return None


def secured_batch(name: str) -> tuple[BatchId, bool] | None:
    """What an object below ``replay/raw/`` is: a batch, and whether this is its done document.

    Args:
        name: Its key without the prefix.

    Returns:
        None when it is neither.

    >>> secured_batch("shardId-000000000001/17-20.done.json")
    (BatchId(folder='shardId-000000000001', start=17, end=20), True)
    """
    match = _SECURED.fullmatch(name)
    return None if match is None else (_batch(match), match["kind"] == _DONE)


def replayed_batch(name: str) -> BatchId | None:
    """The failed batch that a container file holds rows of; None when the delivery worker wrote the file.

    Args:
        name: Of the file in its partition's folder.

    >>> replayed_batch("replay-shardId-000000000001-17-20.avro")
    BatchId(folder='shardId-000000000001', start=17, end=20)
    """
    match = _REPLAYED.fullmatch(name)
    return None if match is None else _batch(match)


def delivered_at(name: str) -> datetime | None:
    """When the delivery worker began to write a container file, as its name says; None when it says no time.

    >>> delivered_at("2025-06-01-19-30-05-5f0c1d5e-6a61-4f6c-9c1e-3d0a5b0e7a11.avro").isoformat()
    '2025-06-01T19:30:05+00:00'
    """
    try:
        return datetime.strptime(name[:_STAMP_LENGTH], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _batch(match: re.Match[str]) -> BatchId:
    return BatchId(match["folder"], int(match["start"]), int(match["end"]))


def is_partition_file(key: str, folder: str) -> bool:
    """Whether a key is that of a container file directly in a partition's folder.

    Args:
        key: Of an object.
        folder: Key prefix of the partition, with a slash at its end.

    >>> is_partition_file("p/avro/demand/partition_date=2025-06-01/a.avro", "p/avro/demand/partition_date=2025-06-01/")
    True
    """
    name = key.removeprefix(folder)
    return name != key and "/" not in name and len(name) > len(_CONTAINER) and name.endswith(_CONTAINER)


def same_location(one: str, other: str) -> bool:
    """Whether two S3 URIs name the same folder: Hive and Athena ignore a slash at the end."""
    return one.rstrip("/") == other.rstrip("/")
