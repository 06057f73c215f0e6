"""Where things lie in the bucket: S3 keys ↔ tables and partitions.

Nothing else in the project builds or takes apart a key. A *table* here is also a record type and the last folder of
its location; a *partition date* is a business date, ``YYYY-MM-DD``, taken from the record and not from its arrival.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


PARTITION_KEY = "partition_date"
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

    def table_prefix(self, table: str) -> str:
        """Key prefix of all files of a table, with a slash at its end."""
        return f"{self.prefix}/avro/{table}/"

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
        return f"{self.partition_prefix(table, partition_date)}{now:%Y-%m-%d-%H-%M-%S}-{unique}.avro"

    def errors_prefix(self) -> str:
        """Key prefix of the delivery worker's files of invalid records."""
        return f"{self.prefix}/errors/"

    def errors_key(self, now: datetime, unique: UUID) -> str:
        """Key of a file of invalid records written by the delivery worker at ``now`` (UTC)."""
        return f"{self.errors_prefix()}{now:%Y-%m-%d-%H-%M-%S}-{unique}.json"

    def backups_prefix(self, table: str) -> str:
        """Key prefix of the backups of a table's definition."""
        return f"{self.prefix}/catalog-backups/{table}/"

    def backup_key(self, table: str, now: datetime) -> str:
        """Key of a backup made at ``now`` (UTC); keys sort by time."""
        return f"{self.backups_prefix(table)}{now:%Y-%m-%dT%H-%M-%S.%fZ}.json.gz"

    def athena_results_location(self) -> str:
        """S3 URI below which the Athena workgroup writes its results."""
        return self.uri(f"{self.prefix}/athena/results/")

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


def same_location(one: str, other: str) -> bool:
    """Whether two S3 URIs name the same folder: Hive and Athena ignore a slash at the end."""
    return one.rstrip("/") == other.rstrip("/")
