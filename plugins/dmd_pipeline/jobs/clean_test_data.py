"""Delete what tests have left below ``data-pipeline/test/``, once it is old enough.

No key outside that folder can be named: everything here speaks of names in it, and :class:`FolderOfTests` alone makes
keys of them. An object that is written again between the listing and the deletion goes with the old ones: it is a
test's.

What is lost when the process dies after a call: nothing that was not to be deleted. The next run goes on.

Calls for N objects, O of them old enough: ⌈N/1000⌉ LIST, at least one, + ⌈O/1000⌉ DeleteObjects.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.errors import StorageError
from dmd_pipeline.wording import some


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.layout import Layout


logger = logging.getLogger(__name__)

_KEYS_AT_ONCE: Final = 1000


@dataclass(frozen=True)
class Leftover:
    """An object of a test.

    Attributes:
        name: Its key, from the folder on.
        size: In bytes.
        modified: When it was last written.
    """

    name: str
    size: int
    modified: datetime


class FolderOfTests:
    """What tests have left: the only place whose objects this job can name."""

    def __init__(self, bucket: Bucket, layout: Layout) -> None:
        self._bucket = bucket
        self._prefix = layout.test_prefix()

    def objects(self) -> Iterator[Leftover]:
        """All of it, by name.

        Raises:
            StorageError: S3 refused.
        """
        for stored in self._bucket.objects_below(self._prefix):
            yield Leftover(stored.key.removeprefix(self._prefix), stored.size, stored.modified)

    def delete(self, names: Sequence[str]) -> dict[str, str]:
        """Delete up to 1,000 objects; reason by name for those that were not deleted.

        Raises:
            StorageError: S3 refused the whole call.
        """
        errors = self._bucket.delete_together([f"{self._prefix}{name}" for name in names])
        return {key.removeprefix(self._prefix): reason for key, reason in errors.items()}


@dataclass(frozen=True)
class Report:
    """What came of a run.

    Attributes:
        objects: Old enough.
        bytes: Of these.
        kept: Objects that are younger.
        failed: Reason by name, of those that could not be deleted.
        dry_run: Whether nothing was to be deleted.
    """

    objects: int
    bytes: int
    kept: int
    failed: Mapping[str, str]
    dry_run: bool

    @property
    def summary(self) -> list[str]:
        """One line for people."""
        done = "would be deleted" if self.dry_run else "deleted"
        line = f"{self.objects - len(self.failed):,} objects of tests {done} ({self.bytes:,} bytes); {self.kept:,} kept"
        if self.failed:
            line += f"; FAILED: {some([f'{name}: {reason}' for name, reason in self.failed.items()])}"
        return [f"dry run: {line}" if self.dry_run else line]

    def as_data(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {"summary": self.summary, "objects": self.objects, "bytes": self.bytes, "kept": self.kept}


def run(
    folder: FolderOfTests,
    *,
    older_than_days: int,
    now: datetime | None = None,
    dry_run: bool = True,
    report_to: Callable[[Report], None] | None = None,
) -> Report:
    """Delete what is old enough; an object that cannot be deleted does not stop the others.

    Args:
        folder: Of the environment.
        older_than_days: Objects that were written longer ago are deleted.
        now: The time.
        dry_run: Change nothing.
        report_to: Gets the report before any error is raised.

    Raises:
        StorageError: S3 refused; or some objects could not be deleted: names the first of them.
    """
    oldest_kept = (now or datetime.now(UTC)) - timedelta(days=older_than_days)
    found = list(folder.objects())
    old = [one for one in found if one.modified < oldest_kept]
    failed: dict[str, str] = {}
    for start in () if dry_run else range(0, len(old), _KEYS_AT_ONCE):
        failed |= folder.delete([one.name for one in old[start : start + _KEYS_AT_ONCE]])
    size = sum(one.size for one in old if one.name not in failed)
    report = Report(len(old), size, len(found) - len(old), failed, dry_run)
    for line in report.summary:
        logger.info("%s", line)
    if report_to is not None:
        report_to(report)
    if failed:
        raise StorageError(report.summary[0])
    return report
