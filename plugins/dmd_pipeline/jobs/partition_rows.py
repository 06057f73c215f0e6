"""How many rows partitions hold: as a verdict says that was given on the very files, or else as their blocks say.

``check_data_quality`` has counted the rows of practically every partition, and remembers of which files: how many, how
large, how new. Where that is what lies there now, its count is taken. Everything else is counted: without a verdict,
with one on other files, and where S3 does not tell the verdicts.

Calls for partitions of Y years that hold files: Y GET, and what :mod:`dmd_pipeline.jobs.quality_store` says of a
summary that is damaged; for each file of a partition without such a verdict what
:func:`dmd_pipeline.container_files.count_rows` says.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from dmd_pipeline.errors import ContainerFileError, PipelineError
from dmd_pipeline.jobs.partition_contents import PartitionContents
from dmd_pipeline.jobs.quality_store import QualityStore
from dmd_pipeline.parameters import DateRange
from dmd_pipeline.quality_documents import Entry
from dmd_pipeline.quality_plans import is_read, seen_in


if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    from dmd_pipeline.aws.s3 import Bucket, StoredObject
    from dmd_pipeline.layout import Layout


logger = logging.getLogger(__name__)


def partition_rows(
    bucket: Bucket, layout: Layout, table: str, contents: Mapping[date, Collection[StoredObject]]
) -> dict[date, int | str]:
    """How many rows each partition has for Athena, or which of its files cannot be counted.

    Args:
        bucket: Where they lie, and the verdicts on them.
        layout: And under which keys.
        table: Of the partitions.
        contents: All that lies in their folders, by date.

    Raises:
        StorageError: S3 refused, or a file is gone.
    """
    rows: dict[date, int | str] = {**told_rows(bucket, layout, table, contents)}
    files = PartitionContents(bucket, layout, table)
    for day in sorted(contents.keys() - rows.keys()):
        folder = layout.partition_prefix(table, day)
        try:
            rows[day] = files.rows([one for one in contents[day] if is_read(one.key.removeprefix(folder))])
        except ContainerFileError as error:
            rows[day] = str(error)
    return rows


def told_rows(
    bucket: Bucket, layout: Layout, table: str, contents: Mapping[date, Collection[StoredObject]]
) -> dict[date, int]:
    """What verdicts say of partitions that hold what they held when the verdict was given; arguments as above."""
    objects = (one for found in contents.values() for one in found)
    seen = seen_in(objects, layout.table_prefix(table), (), DateRange())
    try:
        known = QualityStore(bucket, layout).entries(table, {day.year for day in seen})
    except PipelineError as error:
        logger.warning("%s; the rows of %s are counted instead", error, table)
        return {}
    verdicts = {day: verdict for day in seen if (verdict := known.get(day, Entry()).verdict) is not None}
    return {
        day: verdict.rows
        for day, verdict in verdicts.items()
        if verdict.rows is not None and verdict.content == seen[day].content
    }
