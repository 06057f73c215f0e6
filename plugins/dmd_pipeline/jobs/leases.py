"""Leases: one at a time works on something, whoever runs it.

A lease is an object in S3, ``{"holder", "until"}``, that only one of several writers can make (``If-None-Match: *``)
or take over (``If-Match``). It is longer than any task may run, so that nobody works on after its end. A run that was
killed leaves its lease: its own retry takes it up at once, another run when it has ended.

What is leased is a lane, by those who convert it, or a table, by those who let its partitions expire or restore them.

A record may have come by its shard and in a document, and then neither lane may convert it while the other does: each
takes its own lease first and looks at the other's then, so that at least one of the two sees the other.

Calls: 1 PUT to take a free lease, then 1 DELETE; 1 GET and 1 PUT more where one is left. 1 GET to look at another one.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from dmd_pipeline.aws.s3 import JSON
from dmd_pipeline.errors import PipelineError, StorageError
from dmd_pipeline.stamps import parse_stamp, utc_stamp


if TYPE_CHECKING:
    from collections.abc import Iterable

    from dmd_pipeline.aws.s3 import Bucket


logger = logging.getLogger(__name__)

LEASE: Final = timedelta(hours=1)
"""Longer than any task that holds one may run."""


@dataclass(frozen=True)
class Lease:
    """Who works on something.

    Attributes:
        holder: The run.
        until: When it ends at the latest.
    """

    holder: str
    until: datetime

    def __str__(self) -> str:
        return f"{self.holder}, until {utc_stamp(self.until)} at the latest"

    @property
    def content(self) -> bytes:
        """The object's bytes."""
        return json.dumps({"holder": self.holder, "until": utc_stamp(self.until)}).encode()

    @classmethod
    def read(cls, content: bytes, where: str) -> Lease:
        """From the object's bytes.

        Raises:
            StorageError: They are no lease; names the place.
        """
        try:
            held = json.loads(content)
            return cls(str(held["holder"]), parse_stamp(held["until"]))
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise StorageError(
                f"{where} is no lease ({error!r}): see that no run works on it, then remove it"
            ) from error


def take(bucket: Bucket, key: str, holder: str, now: datetime) -> Lease | None:
    """Take a lease.

    Returns:
        The one that somebody else holds; None when it is ours now.

    Raises:
        StorageError: S3 refused, or the object is no lease.
    """
    ours = Lease(holder, now + LEASE)
    while True:
        if bucket.create(key, ours.content, JSON):
            return None
        found = bucket.find(key)
        if found is None:
            continue  # given back between the two calls
        content, etag = found
        held = Lease.read(content, f"s3://{bucket.name}/{key}")
        if held.holder != holder and held.until > now:
            return held
        if bucket.replace(key, ours.content, JSON, etag) is not None:
            return None


def held_by_others(bucket: Bucket, keys: Iterable[str], now: datetime) -> Lease | None:
    """The first of some leases that somebody holds.

    Raises:
        StorageError: S3 refused, or the object is no lease.
    """
    for key in keys:
        found = bucket.find(key)
        if found is not None and (lease := Lease.read(found[0], f"s3://{bucket.name}/{key}")).until > now:
            return lease
    return None


def give_back(bucket: Bucket, key: str) -> None:
    """End a lease that is ours; when S3 refuses, or the process dies before, it ends by itself."""
    try:
        bucket.delete(key)
    except PipelineError as error:
        logger.warning("the lease s3://%s/%s ends by itself, within an hour: %s", bucket.name, key, error)
