"""The function behind the stand-in: a batch of change records becomes files in S3.

What a record turns into is the library's ``delivery``; here is only what a Lambda function adds to it: where files go,
and that it may die half-way.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dmd_pipeline import delivery
from local.delivery_worker.crashes import CrashPoint, FunctionCrashError, FunctionHangsError, writes_before_crash
from local.delivery_worker.reports import WROTE_FILE


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_s3.client import S3Client

    from dmd_pipeline.record_types import RecordType
    from dmd_pipeline.settings import Settings
    from local.delivery_worker.reports import InvocationLog


@dataclass(frozen=True)
class File:
    """A file that the function is to write.

    Attributes:
        key: Its key in the bucket.
        body: Its content.
        content_type: What S3 is told about it.
        context: What the log line about it says.
    """

    key: str
    body: bytes
    content_type: str
    context: Mapping[str, Any]


class DeliveryFunction:
    """Turns batches into files."""

    def __init__(self, s3: S3Client, settings: Settings, record_types: Mapping[str, RecordType]) -> None:
        self._s3 = s3
        self._bucket = settings.bucket
        self._layout = settings.layout
        self._record_types = record_types

    def handle(
        self, records: Sequence[bytes], now: datetime, log: InvocationLog, crash: CrashPoint | None = None
    ) -> None:
        """Write the files of a batch.

        Raises:
            FunctionCrashError: It was told to crash; some of the files may be written.
            FunctionHangsError: It was told to hang; some of the files are written.
        """
        files = self._files(records, now)
        last = len(files) if crash is None else writes_before_crash(crash, len(files))
        for file in files[:last]:
            self._s3.put_object(Bucket=self._bucket, Key=file.key, Body=file.body, ContentType=file.content_type)
            log.winston("info", WROTE_FILE, **file.context, key=file.key)
        if crash is CrashPoint.TIMEOUT:
            raise FunctionHangsError
        if crash is not None:
            raise FunctionCrashError(crash.value)
        log.winston("info", "Batch done", batchSize=len(records))

    def _files(self, records: Sequence[bytes], now: datetime) -> list[File]:
        delivered = delivery.deliver(records, self._record_types, now=now)
        files = []
        for (record_type, partition_date), rows in sorted(delivered.groups.items()):
            files.append(
                File(
                    key=self._layout.delivered_key(record_type, partition_date, now, uuid.uuid4()),
                    body=delivery.container(self._record_types[record_type], rows, sync_marker=uuid.uuid4().bytes),
                    content_type="avro/binary",
                    context={
                        "batchSize": len(rows),
                        "recordType": record_type,
                        "partitionDate": partition_date.isoformat(),
                    },
                )
            )
        if delivered.rejected:
            files.append(
                File(
                    key=self._layout.errors_key(now, uuid.uuid4()),
                    body=delivery.errors_document(delivered.rejected, now),
                    content_type="application/json",
                    context={"batchSize": len(delivered.rejected)},
                )
            )
        return files
