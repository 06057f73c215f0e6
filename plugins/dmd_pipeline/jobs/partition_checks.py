"""Check a chunk of partitions: a verdict for each, whatever is wrong with some.

For each table of the chunk the folders are listed, Athena counts once in all of them together, and then one partition
after the other is judged:

=======  =====================================================================================================
memory   its files are read, and Great Expectations counts: free, for partitions of up to ``memory_megabytes``
athena   Athena has counted already; if something does not hold, it is asked once more, for samples
=======  =====================================================================================================

Either way what Athena counts must be what the block headers of the files say: then the partition is registered, and
can be read. Files that come meanwhile are allowed for: Athena may count them or not, and the verdict is put down for
the files that were there before, so that the next run checks again.

A verdict is written in this order: page, result, alert, summary. A process that dies in between leaves the old verdict
in the summary, which the next run finds stale or missing, so it checks again; each object is whole at any time. An
alert may so be sent twice, and never not at all.

Calls, for P partitions of a table with F files, D of them bad: P LIST + ⌈P/1000⌉ BatchGetPartition + 1 GetTable + 1
statement + F GET (for the engine athena, those of :func:`dmd_pipeline.container_files.count_rows`) + 2 P PUT + D
statements at most, of the engine athena only, + 1 GET and 1 PUT of the summary for each 20 partitions.
"""

from __future__ import annotations

import logging
import time
import traceback
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.checked_columns import checked_columns
from dmd_pipeline.errors import CatalogError, ExpectationsError, PipelineError, VerificationError
from dmd_pipeline.expectations import Severity, Suite, columns_of, load_suite
from dmd_pipeline.hive import held_schema
from dmd_pipeline.jobs.partition_contents import PartitionContents
from dmd_pipeline.jobs.quality_counts import Counted, Share, count
from dmd_pipeline.jobs.quality_reports import Checked, CheckReport
from dmd_pipeline.jobs.quality_store import QualityStore
from dmd_pipeline.jobs.validation import SAMPLES, Validation, Validator
from dmd_pipeline.measures import samples_of, samples_query
from dmd_pipeline.quality_documents import Cost, Entry, Failing, Finding, Judgement, Result, Seen
from dmd_pipeline.quality_facts import WEEKS, facts_of
from dmd_pipeline.quality_plans import NOT_COMPUTED
from dmd_pipeline.record_types import with_schema
from dmd_pipeline.wording import cut


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dmd_pipeline.aws.athena import Workgroup
    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.checked_columns import CheckedColumn
    from dmd_pipeline.jobs.partition_contents import Partition
    from dmd_pipeline.measures import PartitionCounts
    from dmd_pipeline.record_types import RecordType
    from dmd_pipeline.settings import Settings


logger = logging.getLogger(__name__)

DAG_ID: Final = "check_data_quality"
FLUSHED: Final = 20
"""Partitions whose verdicts are put down together: so many are checked again after a process died."""

_LONGEST_REASON: Final = 500


class Engine(StrEnum):
    """What counts."""

    AUTO = "auto"
    MEMORY = "memory"
    ATHENA = "athena"


@dataclass(frozen=True)
class Environment:
    """Where partitions are checked.

    Attributes:
        settings: Of the environment.
        record_types: By table.
        bucket: The files, and the quality documents.
        glue: The catalog.
        workgroup: Athena's, made when it is first needed.
        suites: Gives the suite of a table.
    """

    settings: Settings
    record_types: Mapping[str, RecordType]
    bucket: Bucket
    glue: Catalog
    workgroup: Callable[[], Workgroup]
    suites: Callable[[str], Suite] = load_suite

    @property
    def store(self) -> QualityStore:
        """What is known of partitions."""
        return QualityStore(self.bucket, self.settings.layout)


def check(
    environment: Environment,
    chunk: Mapping[str, Sequence[str]],
    *,
    run_id: str,
    engine: str = Engine.AUTO,
    forced: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    tell: Callable[[Sequence[Checked]], None] = lambda _: None,
    report_to: Callable[[CheckReport], None] | None = None,
) -> CheckReport:
    """Check a chunk; a partition or table that is bad stops no other.

    Args:
        environment: Where.
        chunk: Partition dates by table.
        run_id: Names the run in the results.
        engine: What counts: ``memory``, ``athena``, or ``auto`` for one by size.
        forced: Whether the partitions were asked for by hand.
        now: The time.
        tell: Called with partitions that nobody may rely on, some at a time; with each once for the same files and
            expectations.
        report_to: Gets the report before any error is raised.

    Returns:
        The report, when every partition is sound or has been told of before.

    Raises:
        ChecksFailedError: Some failed, or could not be checked; names each.
    """
    validator = Validator()
    checked: list[Checked] = []
    empty: list[str] = []
    errors: dict[str, str] = {}
    whole = sum(map(len, chunk.values()))
    for table, values in sorted(chunk.items()):
        days = sorted(map(date.fromisoformat, values))
        try:
            job = _TableChecks(environment, validator, table, days, run_id, Engine(engine), forced, now)
            for one in job.check(tell):
                checked.append(one)
                logger.info("%s (%d of %d)", one, len(checked) + len(empty), whole)
            empty += [f"{table} {day}" for day in job.empty]
        except PipelineError as error:
            logger.warning("%s: %s", table, error)
            errors[table] = str(error)
    report = CheckReport(tuple(checked), tuple(empty), errors)
    for line in report.summary:
        logger.info("%s", line)
    if report_to is not None:
        report_to(report)
    report.raise_problems()
    return report


@dataclass
class _TableChecks:
    """The partitions of a chunk that are of one table."""

    environment: Environment
    validator: Validator
    table: str
    days: Sequence[date]
    run_id: str
    engine: Engine
    forced: bool
    now: Callable[[], datetime]
    empty: list[date] = field(default_factory=list)

    def check(self, tell: Callable[[Sequence[Checked]], None]) -> Iterator[Checked]:
        """Check one after the other; what is yielded may not be put down yet, and is when the iterator ends.

        Raises:
            PipelineError: Nothing can be listed, or a verdict cannot be put down.
        """
        registered = self._registered()
        partitions = [self._contents.listed(day, registered=day.isoformat() in registered) for day in self.days]
        self.empty = [one.day for one in partitions if not one.objects]
        if self.empty:
            emptied = {one.day: one.seen for one in partitions if not one.objects}
            self.environment.store.record_look(self.table, emptied, set(emptied), self.now(), is_whole=False)
        waiting = [one for one in partitions if one.objects]
        counted, why = self._counted([one for one in waiting if one.seen.registered])
        for start in range(0, len(waiting), FLUSHED):
            done: dict[date, tuple[Seen, Result]] = {}
            news: list[Checked] = []
            for partition in waiting[start : start + FLUSHED]:
                one = self._judge(partition, counted.get(partition.day), why)
                news += [one] if one.is_news else []
                done[partition.day] = partition.seen, one.result
                yield one
            if news:
                tell(news)
            self.environment.store.record_results(self.table, done, self.now())

    # ------------------------------------------------------------------------------------------- what there is

    def _registered(self) -> set[str]:
        values = [day.isoformat() for day in self.days]
        return {partition["Values"][0] for partition in self.environment.glue.registered(self.table, values)}

    @cached_property
    def _contents(self) -> PartitionContents:
        return PartitionContents(self.environment.bucket, self.environment.settings.layout, self.table)

    @cached_property
    def suite(self) -> Suite:
        """What is expected."""
        return self.environment.suites(self.table)

    @cached_property
    def _held(self) -> Mapping[str, Any]:
        """The schema with which Athena reads the table."""
        schema = held_schema(self.environment.glue.table(self.table))
        if schema is None:
            raise ExpectationsError(f"table {self.table} has no schema in Glue: run the DAG apply_schema_changes")
        return schema

    @cached_property
    def columns(self) -> Mapping[str, CheckedColumn]:
        """The checked columns of the table, as the catalog has it."""
        columns = checked_columns(with_schema(self.environment.record_types[self.table], self._held))
        missing = sorted(set(self.suite.columns) - set(columns))
        if missing:
            raise ExpectationsError(
                f"table {self.table} has no {', '.join(missing)} in Glue, of which its expectations speak: run the DAG "
                "apply_schema_changes, or correct include/expectations"
            )
        return columns

    @cached_property
    def _entries(self) -> Mapping[date, Entry]:
        """What is known of the partitions, and of those before them."""
        before = (date.fromordinal(max(day.toordinal() - 7 * WEEKS, 1)) for day in self.days)
        return self.environment.store.entries(self.table, {day.year for day in (*self.days, *before)})

    # ------------------------------------------------------------------------------------------- what Athena says

    def _counted(self, partitions: Sequence[Partition]) -> tuple[Mapping[date, Counted], str | None]:
        """What Athena counts, or why it was not asked."""
        try:
            sizes = {one.day: one.seen.bytes for one in partitions}
            measured = [one.day for one in partitions if self._engine_of(one) is Engine.ATHENA]
            return count(self._workgroup, self.suite, self.columns, sizes, measured=measured), None
        except PipelineError as error:
            logger.warning("%s: %s", self.table, error)
            return {}, str(error)

    @cached_property
    def _workgroup(self) -> Workgroup:
        return self.environment.workgroup()

    def _engine_of(self, partition: Partition) -> Engine:
        if self.engine is not Engine.AUTO:
            return self.engine
        limit = self.environment.settings.quality.memory_megabytes * 2**20
        return Engine.MEMORY if partition.seen.bytes <= limit else Engine.ATHENA

    # ------------------------------------------------------------------------------------------- a verdict

    def _judge(self, partition: Partition, counted: Counted | None, why: str | None) -> Checked:
        """Judge one partition, and write its result. What cannot be computed is unknown, with the reason."""
        began = time.perf_counter()
        validation, engine = None, NOT_COMPUTED
        share = counted.share if counted is not None else Share()
        try:
            validation, share = self._validated(partition, counted, why)
            engine = self._engine_of(partition)
            reason = None if validation.rows else "it has files, and no rows"
        except PipelineError as error:
            reason = cut(str(error), _LONGEST_REASON)
        except Exception as error:  # noqa: BLE001 - whatever a library makes of one partition, the others get theirs
            # Where it happened, and not the message, which may quote a row.
            logger.warning("%s %s:\n%s", self.table, partition.day, "".join(traceback.format_tb(error.__traceback__)))
            reason = f"its check broke ({type(error).__name__}): the log of the task says where"
        cost = Cost(
            queries=share.queries,
            shared_by=share.shared_by,
            scanned_bytes=share.scanned_bytes,
            dollars=share.dollars,
            seconds=round(time.perf_counter() - began, 3),
        )
        result = self._result(partition, validation, engine, reason, cost)
        page = None if validation is None else self._page(validation, result)
        self.environment.store.write_result(self.table, result, page)
        return Checked(result, self._entries.get(partition.day, Entry()).verdict, self.forced)

    def _validated(self, partition: Partition, counted: Counted | None, why: str | None) -> tuple[Validation, Share]:
        if counted is None:
            raise CatalogError(why or "Glue does not know it, so no query sees it: run the DAG register_partitions")
        counts = counted.counts
        if counts is None:
            raise VerificationError(counted.why)
        if self._engine_of(partition) is Engine.MEMORY:
            bodies = self._contents.bodies(partition)
            self._prove(partition, bodies.rows, counts.rows)
            facts = self._facts(partition, bodies.rows, counts)
            rows = bodies.read(self._held)
            return self.validator.in_memory(self.suite, self.columns, rows, facts), counted.share
        found = self._contents.rows(partition.objects)
        self._prove(partition, found, counts.rows)
        facts = self._facts(partition, counts.rows, counts)
        if not counts.rows:
            return self.validator.in_memory(self.suite, self.columns, (), facts), counted.share
        validation = self.validator.from_counts(self.suite, counts, facts, {}, self.columns)
        broken = [
            one.expectation
            for one in validation.outcomes
            if not one.passed and one.unexpected_count and columns_of(one.expectation)
        ]
        if not broken:
            return validation, counted.share
        answer = self._workgroup.query(samples_query(self.suite, self.columns, partition.day, broken, SAMPLES))
        samples = samples_of(broken, answer.rows)
        again = self.validator.from_counts(self.suite, counts, facts, samples, self.columns)
        return again, counted.share.plus(answer)

    def _facts(self, partition: Partition, rows: int, counts: PartitionCounts) -> Mapping[str, float | None]:
        return facts_of(self._entries, partition.day, partition.seen, rows=rows, orphans=counts.orphans, now=self.now())

    def _prove(self, partition: Partition, rows: int, athena: int) -> None:
        """Athena must count what the files hold; what came after the listing may be counted or not.

        Raises:
            VerificationError: It does not, or files went away.
        """
        if athena == rows:
            return
        before = set(partition.objects)
        after = set(self._contents.listed(partition.day, registered=True).objects)
        if before - after:
            raise VerificationError("files went away or were replaced while it was checked: the next run checks again")
        if not rows <= athena <= rows + self._contents.rows(after - before):
            raise VerificationError(
                f"Athena counts {athena:,} rows, and the block headers of its files {rows:,}: see that its location in "
                'Glue is its folder (register_partitions repairs that), and query it by "$path"'
            )

    # ------------------------------------------------------------------------------------------- what is written

    def _result(
        self, partition: Partition, validation: Validation | None, engine: str, reason: str | None, cost: Cost
    ) -> Result:
        findings = () if validation is None else tuple(map(_finding, validation.outcomes))
        broken = [one for one in findings if not one.passed]
        failed = tuple(one.id for one in broken if one.severity == "fail")
        seen = partition.seen
        return Result(
            table_name=self.table,
            partition_date=partition.day,
            verdict=_verdict(validation, failed, is_warned=bool(broken)),
            checked_at=self.now(),
            rows=None if validation is None else validation.rows,
            files=seen.files,
            bytes=seen.bytes,
            newest=seen.newest,
            content=seen.content,
            suite=self.suite.digest,
            engine=engine,
            reason=reason,
            failed_expectations=failed,
            warned_expectations=tuple(one.id for one in broken if one.severity == "warn"),
            expectations=findings,
            cost=cost,
            dag_id=DAG_ID,
            run_id=self.run_id,
        )

    def _page(self, validation: Validation, result: Result) -> bytes:
        about = {
            "Verdict": str(result.verdict),
            "Checked": f"{result.checked_at:%Y-%m-%d %H:%M:%S} UTC",
            "Files": f"{result.files:,} ({result.bytes:,} bytes)",
            "Engine": result.engine,
            "Cost": f"{result.cost.queries} queries, {result.cost.scanned_bytes:,} bytes scanned, "
            f"{result.cost.dollars:.6f} dollars, {result.cost.seconds:.2f} s",
            "Run": result.run_id,
        }
        return self.validator.document(validation, title=f"{self.table}, {result.partition_date}", about=about)


def _verdict(validation: Validation | None, failed: Sequence[str], *, is_warned: bool) -> Judgement:
    if validation is None or not validation.rows:
        return Judgement.UNKNOWN
    if failed:
        return Judgement.FAILED
    return Judgement.WARNED if is_warned else Judgement.PASSED


def _finding(outcome: Any) -> Finding:
    ours = outcome.expectation
    return Finding(
        id=ours.id,
        sentence=ours.sentence,
        severity="warn" if ours.severity is Severity.WARN else "fail",
        passed=outcome.passed,
        observed=outcome.observed,
        element_count=outcome.element_count,
        unexpected_count=outcome.unexpected_count,
        expected=outcome.expected,
        sample=tuple(
            Failing(reference_id=one.reference_id, reference_timestamp=one.reference_timestamp, value=one.value)
            for one in outcome.sample
        ),
    )
