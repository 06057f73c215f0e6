"""The work list: which batches are secured, and which of them are settled. It is a listing of ``replay/raw/``.

Calls: ⌈F/1000⌉ LIST, at least one, for F files: a raw file a batch, and a done document beside each settled one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dmd_pipeline.layout import secured_batch


if TYPE_CHECKING:
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.failed_batches import BatchId
    from dmd_pipeline.layout import Layout


@dataclass(frozen=True)
class WorkList:
    """The secured batches.

    Attributes:
        secured: All that have a raw file.
        settled: Those that have a done document.
    """

    secured: frozenset[BatchId] = field(default_factory=frozenset)
    settled: frozenset[BatchId] = field(default_factory=frozenset)

    def __contains__(self, batch: BatchId) -> bool:
        """Whether a batch is secured, or was: raw files of settled ones age out."""
        return batch in self.secured or batch in self.settled

    @property
    def folders(self) -> set[str]:
        """Folders with a batch in them."""
        return {batch.folder for batches in (self.secured, self.settled) for batch in batches}

    @property
    def open(self) -> list[BatchId]:
        """Those that are to be converted, by folder and sequence number."""
        return sorted(self.secured - self.settled, key=lambda batch: (batch.folder, batch.start, batch.end))

    @property
    def lanes(self) -> list[str]:
        """Lanes with something to convert."""
        return sorted({batch.lane for batch in self.open})


def read_work_list(bucket: Bucket, layout: Layout, folder: str = "") -> WorkList:
    """List what is secured.

    Args:
        bucket: Where it is.
        layout: Where it lies in the bucket.
        folder: Only folders that begin so.

    Raises:
        StorageError: S3 refused.
        ThrottledError: S3 asked to slow down until the retries ran out.
    """
    prefix = layout.raw_prefix()
    secured: set[BatchId] = set()
    settled: set[BatchId] = set()
    for stored in bucket.objects_below(prefix + folder):
        found = secured_batch(stored.key.removeprefix(prefix))
        if found is not None:
            batch, is_done = found
            (settled if is_done else secured).add(batch)
    return WorkList(frozenset(secured), frozenset(settled))
