"""Delete the objects of partitions whose grace period has passed: those that their manifests list, and no others.

Partitions are worked on together, as many as have 10,000 objects:

1. manifests, catalog and folders are looked at once more: of each partition, the manifest must be the planned one, by
   its ETag, the partition not registered, and each of the objects still what the manifest says; else nothing of it is
   deleted;
2. exactly these objects are deleted, 1,000 at a time;
3. the folders are listed again: deleted is a partition of which nothing is left. The answer's errors, read key by key,
   only say why something is.

What is lost when the process dies after any of these: the objects that a manifest lists, as was decided. The next run
looks at each manifest of which nobody has written down that its objects are deleted, and deletes the rest of them. An
object that came meanwhile is in no manifest, and stays. One that is written over between the look and its deletion,
some seconds later, goes: neither the worker nor a replay ever writes a key twice.

Calls for N objects, in G groups of partitions: ⌈N/1000⌉ DeleteObjects, at most G more; for each group 1
BatchGetPartition a 1,000 partitions, what :meth:`dmd_pipeline.jobs.retention_store.Manifests.etags` says, and twice
what :func:`dmd_pipeline.jobs.retention_store.contents` says.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dmd_pipeline.errors import PipelineError
from dmd_pipeline.jobs.retention_store import Manifests, contents
from dmd_pipeline.layout import PARTITION_KEY


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.layout import Layout
    from dmd_pipeline.retention import Delete
    from dmd_pipeline.retention_manifests import ObjectVersion


logger = logging.getLogger(__name__)

_KEYS_AT_ONCE: Final = 1000
"""Objects of one DeleteObjects call."""
_GROUP_KEYS: Final = 10 * _KEYS_AT_ONCE
"""Objects of partitions that are looked at together: they are deleted seconds later, and neighbours share listings."""
_GROUPS_AT_ONCE: Final = 2
"""One is looked at while another one is deleted; S3 takes 3,500 deletions a second below a prefix, not many more."""


@dataclass(frozen=True)
class ExpiredObjects:
    """Deletes objects of one table's expired partitions; whoever asks for it holds the table's lease.

    Attributes:
        table: Its name.
        layout: Where things lie.
        glue: The catalog.
        bucket: Where the objects are.
    """

    table: str
    layout: Layout
    glue: Catalog
    bucket: Bucket

    def delete(self, planned: Sequence[Delete]) -> dict[date, str]:
        """Delete what a plan says; for each partition that was not deleted, or not whole, the reason."""
        failed: dict[date, str] = {}
        with ThreadPoolExecutor(_GROUPS_AT_ONCE) as pool:
            for reasons in pool.map(self._delete_group, _groups(planned)):
                failed |= reasons
        return failed

    def _delete_group(self, group: Sequence[Delete]) -> dict[date, str]:
        try:
            return self._delete_together(group)
        except PipelineError as error:
            return {one.day: str(error) for one in group}

    def _delete_together(self, group: Sequence[Delete]) -> dict[date, str]:
        failed = {day: f"nothing was deleted: {reason}" for day, reason in self._changed(group).items()}
        unchanged = [one for one in group if one.day not in failed]
        keys = [stored.key for one in unchanged for stored in one.objects]
        errors: dict[str, str] = {}
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            batch = keys[start : start + _KEYS_AT_ONCE]
            try:
                # The process dies after this call: these objects are gone, as was decided, and the next run goes on.
                errors |= self.bucket.delete_together(batch)
            except PipelineError as error:  # the others of the group go all the same
                errors |= dict.fromkeys(batch, str(error))
        held = self._held(unchanged)
        for one in unchanged:
            if left := [stored.key for stored in one.objects if stored.key in held[one.day]]:
                failed[one.day] = f"{len(left)} of its objects are still there: {errors.get(left[0], left[0])}"
        for one in unchanged:
            if one.day not in failed:
                logger.info("%s/%s=%s: %d objects deleted", self.table, PARTITION_KEY, one.day, len(one.objects))
        return failed

    def _changed(self, group: Sequence[Delete]) -> dict[date, str]:
        """What is not as it was when the plan was made, by date."""
        days = [one.day for one in group]
        etags = Manifests(self.bucket, self.layout).etags(self.table, min(days), max(days))
        registered = {one["Values"][0] for one in self.glue.registered(self.table, [str(day) for day in days])}
        held = self._held(group)
        changed: dict[date, str] = {}
        for one in group:
            if etags.get(one.day) != one.etag:
                changed[one.day] = "its manifest has changed"
            elif str(one.day) in registered:
                changed[one.day] = "it is registered again"
            elif any(held[one.day].get(stored.key) != stored for stored in one.objects):
                changed[one.day] = "its objects have changed"
        return changed

    def _held(self, group: Sequence[Delete]) -> Mapping[date, Mapping[str, ObjectVersion]]:
        return contents(self.bucket, self.layout, self.table, [one.day for one in group])


def _groups(planned: Sequence[Delete]) -> Iterator[list[Delete]]:
    """Partitions in order, together with the next ones as long as they do not have too many objects."""
    group: list[Delete] = []
    objects = 0
    for one in planned:
        if group and objects + len(one.objects) > _GROUP_KEYS:
            yield group
            group, objects = [], 0
        group.append(one)
        objects += len(one.objects)
    if group:
        yield group
