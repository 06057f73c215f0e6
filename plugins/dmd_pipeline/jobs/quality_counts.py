"""Count in Athena what a chunk's partitions hold: one statement a table, whatever lies in them.

Athena fails a statement as a whole when one file in it is broken. Then the dates are halved until the broken ones are
alone: 2 ⌈log2 n⌉ statements more for one among n. A failure that is not of a partition, such as a table that is gone,
fails every half alike, and the halving ends after some of them.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dmd_pipeline.aws.athena import DOLLARS_PER_TERABYTE
from dmd_pipeline.errors import QueryFailedError
from dmd_pipeline.measures import PartitionCounts, counting_query, counts_of


if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from dmd_pipeline.aws.athena import Answer, Workgroup
    from dmd_pipeline.checked_columns import CheckedColumn
    from dmd_pipeline.expectations import Suite


logger = logging.getLogger(__name__)

MOST_FAILURES: Final = 24
"""Statements that may fail before the rest is given up: enough for the broken ones among 274 dates to be found."""

_TERABYTE: Final = 2**40


@dataclass(frozen=True)
class Share:
    """What a partition's part in statements cost.

    Attributes:
        queries: Statements that it took part in.
        shared_by: Partitions that the widest of them was about.
        scanned_bytes: Its part of what they scanned.
        dollars: Its part of what they were billed.
    """

    queries: int = 0
    shared_by: int = 1
    scanned_bytes: int = 0
    dollars: float = 0.0

    def plus(self, answer: Answer | None, *, part: float = 1.0, shared_by: int = 1) -> Share:
        """With one statement more; one that failed is not charged.

        Args:
            answer: Of the statement; None when it failed.
            part: Which part of it is this partition's.
            shared_by: How many partitions it was about.
        """
        scanned = 0 if answer is None else round(answer.scanned_bytes * part)
        dollars = 0 if answer is None else answer.billed_bytes / _TERABYTE * DOLLARS_PER_TERABYTE * part
        return Share(
            self.queries + 1, max(shared_by, self.shared_by), self.scanned_bytes + scanned, self.dollars + dollars
        )


@dataclass(frozen=True)
class Counted:
    """What Athena says of a partition.

    Attributes:
        counts: Its numbers; of a partition that has no rows for Athena, zero rows; None when it cannot be read.
        why: Why it cannot be read.
        share: What that cost.
    """

    counts: PartitionCounts | None
    why: str | None
    share: Share


def count(
    workgroup: Workgroup,
    suite: Suite,
    columns: Mapping[str, CheckedColumn],
    sizes: Mapping[date, int],
    *,
    measured: Collection[date],
) -> dict[date, Counted]:
    """Count in all partitions of a chunk.

    Args:
        workgroup: Athena's.
        suite: What is expected of the table.
        columns: Its checked columns.
        sizes: Bytes by date of the partitions: by them the cost is shared.
        measured: Those of which more is needed than rows and orphans.

    Raises:
        ThrottledError: Athena asked to slow down.
        ExpectationsError: The suite makes a statement that is longer than Athena takes.
    """
    found: dict[date, Counted] = {}
    shares = dict.fromkeys(sizes, Share())
    waiting: deque[Sequence[date]] = deque([sorted(sizes)] if sizes else [])
    failures = 0
    while waiting:
        dates = waiting.popleft()
        whole = sum(sizes[day] for day in dates) or 1
        statement = counting_query(suite, columns, dates, measured=[day for day in dates if day in measured])
        try:
            answer = workgroup.query(statement)
        except QueryFailedError as error:
            failures += 1
            for day in dates:
                shares[day] = shares[day].plus(None, shared_by=len(dates))
            if len(dates) > 1 and failures < MOST_FAILURES:
                logger.warning("%s: Athena cannot read all of %d partitions: %s", suite.table, len(dates), error)
                waiting += [dates[: len(dates) // 2], dates[len(dates) // 2 :]]
            else:
                found |= {day: Counted(None, str(error), shares[day]) for day in dates}
            continue
        counted = dict(counts_of(suite, row) for row in answer.rows)
        for day in dates:
            share = shares[day].plus(answer, part=sizes[day] / whole, shared_by=len(dates))
            found[day] = Counted(counted.get(day, PartitionCounts(0, None, {})), None, share)
    return found
