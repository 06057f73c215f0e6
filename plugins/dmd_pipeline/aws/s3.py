"""The bucket: what lies below a prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dmd_pipeline.aws.faults import translated
from dmd_pipeline.errors import StorageError


if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef


class Bucket:
    """One bucket.

    Attributes:
        name: Its name.
    """

    def __init__(self, client: S3Client, name: str) -> None:
        self._client = client
        self.name = name

    def names_below(self, prefix: str, *, start_at: str = "", stop_after: str | None = None) -> Iterator[str]:
        """Names directly below a prefix, sorted within a page; those of folders end in a slash.

        One LIST call returns 1,000 of them, however many objects the folders hold.

        Args:
            prefix: Ends in a slash.
            start_at: Skip names that sort before this one; they cost nothing.
            stop_after: Stop at the first page that goes beyond this name.

        Raises:
            StorageError: S3 refused.
            ThrottledError: S3 asked to slow down until the retries ran out.
        """
        token: str | None = None
        while True:
            page = self._list(prefix, start_at, token)
            names = _names(page, prefix)
            for name in names:
                if name >= start_at and (stop_after is None or name <= stop_after):
                    yield name
            token = page.get("NextContinuationToken")
            if token is None or (stop_after is not None and names and max(names) > stop_after):
                return

    def _list(self, prefix: str, start_at: str, token: str | None) -> ListObjectsV2OutputTypeDef:
        with translated(f"list s3://{self.name}/{prefix}", StorageError):
            if token is not None:
                return self._client.list_objects_v2(
                    Bucket=self.name, Prefix=prefix, Delimiter="/", ContinuationToken=token
                )
            if start_at:
                # StartAfter leaves out its own key, but a folder's keys are longer than its name without the slash.
                return self._client.list_objects_v2(
                    Bucket=self.name, Prefix=prefix, Delimiter="/", StartAfter=prefix + start_at.rstrip("/")
                )
            return self._client.list_objects_v2(Bucket=self.name, Prefix=prefix, Delimiter="/")


def _names(page: ListObjectsV2OutputTypeDef, prefix: str) -> list[str]:
    folders = [folder["Prefix"] for folder in page.get("CommonPrefixes", [])]
    # The console makes "folders" by writing an empty object under the prefix's own name.
    objects = [item["Key"] for item in page.get("Contents", []) if item["Key"] != prefix]
    return sorted(key.removeprefix(prefix) for key in folders + objects)
