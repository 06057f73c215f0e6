"""What is known of partitions, kept in S3: a summary a table and year, which several runs may change at once.

A summary is replaced only as it was read (compare and swap by ETag), and what is put into it are single dates: whoever
comes second reads again and puts its own beside what the first one wrote. Of two verdicts on a partition the later one
stays.

Calls: 1 GET a table and year to read it; 1 GET + 1 PUT to change it, and as much again for each writer that was faster;
1 LIST more to put down a look. A summary that is damaged or missing is made again from the results: ⌈results/1000⌉ LIST
(at least one) and 1 GET for each.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from dmd_pipeline.aws.s3 import JSON
from dmd_pipeline.errors import StorageError
from dmd_pipeline.patience import Patience
from dmd_pipeline.quality import content_digest
from dmd_pipeline.quality_documents import BrokenDocumentError, Entry, Result, Seen, Summary, Verdict


if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.layout import Layout


logger = logging.getLogger(__name__)

HTML: Final = "text/html; charset=utf-8"

_PATIENCE: Final = Patience(attempts=10, first_pause=0.1, longest_pause=2)
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_GONE: Final = Seen(files=0, bytes=0, newest=None, content=content_digest(0, 0, None), registered=False)


class QualityStore:
    """The quality documents of one environment.

    Args:
        bucket: Where they lie.
        layout: And under which keys.
        patience: How often to try again when somebody else was faster.
    """

    def __init__(self, bucket: Bucket, layout: Layout, patience: Patience = _PATIENCE) -> None:
        self._bucket = bucket
        self._layout = layout
        self._patience = patience

    def entries(self, table: str, years: Iterable[int]) -> dict[date, Entry]:
        """What is known of a table's partitions in some years: one GET a year.

        Raises:
            StorageError: S3 refused.
        """
        found: dict[date, Entry] = {}
        for year in sorted(set(years)):
            held = self._find(table, year)
            if held is not None:
                found |= held[0].dates
        return found

    def record_look(
        self, table: str, seen: Mapping[date, Seen], dates: Container[date], at: datetime, *, is_whole: bool
    ) -> dict[date, Entry]:
        """Put down what a look found; a partition that is known and was not found has gone.

        Args:
            table: That was looked at.
            seen: What was found, by date.
            dates: All that was looked at.
            at: When.
            is_whole: Whether the look counts as one at the table: people are told when that was.

        Returns:
            What is known now of the years in question.

        Raises:
            StorageError: S3 refused, or others were always faster.
        """

        def looked(summary: Summary) -> Summary:
            gone = {day: _GONE for day in summary.dates if day in dates}
            found = gone | {day: one for day, one in seen.items() if day.year == summary.year}
            entries = {day: Entry(seen=one, verdict=_entry(summary, day).verdict) for day, one in found.items()}
            seen_at = max(at, summary.seen_at) if is_whole else summary.seen_at
            return summary.model_copy(update={"dates": summary.dates | entries, "seen_at": seen_at})

        known: dict[date, Entry] = {}
        known_years = {year for year in self._years(table) if _has_any_of(year, dates)}
        for year in sorted(known_years | {day.year for day in seen}):
            known |= self._change(table, year, at, looked).dates
        return known

    def record_results(self, table: str, results: Mapping[date, tuple[Seen, Result]], at: datetime) -> None:
        """Put verdicts down, each with what was seen when it was given; a later one is left as it is.

        Raises:
            StorageError: S3 refused, or others were always faster.
        """

        def judged(summary: Summary) -> Summary:
            entries = {}
            for day, (seen, result) in results.items():
                before = _entry(summary, day).verdict
                if day.year == summary.year and (before is None or before.checked_at <= result.checked_at):
                    entries[day] = Entry(seen=seen, verdict=self._summed_up(table, result))
            return summary.model_copy(update={"dates": summary.dates | entries})

        for year in sorted({day.year for day in results}):
            self._change(table, year, at, judged)

    def write_result(self, table: str, result: Result, page: bytes | None) -> None:
        """Write a result, over one on the same files and expectations, and its page of Data Docs: one PUT each.

        What is lost when the process dies between the two: nothing; the next run finds no verdict, and writes both.

        Raises:
            StorageError: S3 refused.
        """
        if page is not None:
            self._bucket.write(self._layout.quality_docs_key(table, result.partition_date), page, HTML)
        self._bucket.write(self._key(table, result), result.written(), JSON)

    def _key(self, table: str, result: Result) -> str:
        return self._layout.quality_result_key(table, result.partition_date, result.content, result.suite)

    def _summed_up(self, table: str, result: Result) -> Verdict:
        return result.summed_up(self._key(table, result))

    def _years(self, table: str) -> set[int]:
        names = self._bucket.names_below(self._layout.quality_summaries_prefix(table))
        stems = (name.removesuffix(".json") for name in names)
        return {int(stem) for stem in stems if re.fullmatch("[1-9][0-9]{3}", stem)}

    def _find(self, table: str, year: int) -> tuple[Summary, str] | None:
        key = self._layout.quality_summary_key(table, year)
        found = self._bucket.find(key)
        if found is None:
            return None
        body, etag = found
        try:
            summary = Summary.parse(body, key).about(table, year, key)
        except BrokenDocumentError as error:
            logger.warning("%s; it is made again from the results", error)
            summary = self._made_again(table, year, _NEVER)
        return summary, etag

    def _made_again(self, table: str, year: int, at: datetime) -> Summary:
        """A summary from the results, if there are any. What was seen last is not known: the next look says it."""
        prefix = self._layout.quality_results_of_year(table, year)
        newest: dict[date, Result] = {}
        for stored in self._bucket.objects_below(prefix):
            try:
                result = Result.parse(self._bucket.read(stored.key), stored.key)
            except BrokenDocumentError as error:
                logger.warning("%s; it is left out", error)
                continue
            before = newest.get(result.partition_date)
            if before is None or before.checked_at < result.checked_at:
                newest[result.partition_date] = result
        dates = {day: Entry(verdict=self._summed_up(table, one)) for day, one in newest.items()}
        latest = max((one.checked_at for one in newest.values()), default=at)
        return Summary(table=table, year=year, seen_at=latest, dates=dates)

    def _change(self, table: str, year: int, at: datetime, changed: Callable[[Summary], Summary]) -> Summary:
        key = self._layout.quality_summary_key(table, year)
        for _ in self._patience:
            held = self._find(table, year)
            if held is None:
                summary = changed(self._made_again(table, year, at))
                if self._bucket.create(key, summary.written(), JSON):
                    return summary
            else:
                summary = changed(held[0])
                if self._bucket.replace(key, summary.written(), JSON, held[1]) is not None:
                    return summary
        raise StorageError(
            f"cannot change s3://{self._bucket.name}/{key}: others did at each of {self._patience.attempts} attempts; "
            "run again when fewer runs are under way"
        )


def _has_any_of(year: int, dates: Container[date]) -> bool:
    days = range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1)
    return any(date.fromordinal(day) in dates for day in days)


def _entry(summary: Summary, day: date) -> Entry:
    return summary.dates.get(day, Entry())
