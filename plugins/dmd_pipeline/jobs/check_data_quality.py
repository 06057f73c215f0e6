"""Look at what partitions hold, and plan which to check; :mod:`dmd_pipeline.jobs.partition_checks` checks them.

Calls of a look per table, for N objects of the dates in question, P partitions and Y years of them:

    ⌈N/1000⌉ LIST (at least one) + ⌈P/1000⌉ GetPartitions (at least one)
    + 1 LIST + Y GET + Y PUT of summaries

so that a partition that nobody touched costs its share of a listing. Beside that, 2 GetTable a run see to the tables of
results.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from dmd_pipeline import quality_tables
from dmd_pipeline.errors import CatalogError, PipelineError, TableNotFoundError
from dmd_pipeline.jobs.quality_reports import LookReport
from dmd_pipeline.layout import PARTITION_KEY, partition_date_of
from dmd_pipeline.parameters import DateRange, chosen_tables
from dmd_pipeline.quality_facts import silent_dates
from dmd_pipeline.quality_plans import QualityPlan, chunks, plan, seen_in, window


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date, datetime

    from dmd_pipeline.aws.s3 import StoredObject
    from dmd_pipeline.jobs.partition_checks import Environment
    from dmd_pipeline.quality_documents import Seen


logger = logging.getLogger(__name__)

_AFTER_SLASH: Final = "0"  # the character that sorts next


def look(
    environment: Environment,
    *,
    now: datetime,
    today: date,
    tables: Sequence[str] | None = None,
    from_date: str | date | None = None,
    to_date: str | date | None = None,
    window_days: int | None = None,
    force: bool = False,
    dry_run: bool = False,
    report_to: Callable[[LookReport], None] | None = None,
) -> LookReport:
    """Look at the tables, put down what was seen, and plan what to check. A table that fails stops no other.

    Args:
        environment: Where.
        now: The time.
        today: The day of the run (UTC), from which the window goes back.
        tables: Which tables; all when None or empty.
        from_date: First partition date, YYYY-MM-DD; with neither it nor ``to_date``, the window.
        to_date: Last partition date.
        window_days: How far back to look; as in the settings when None.
        force: Check what needs no check, too.
        dry_run: Only plan: nothing is put down, nothing is checked.
        report_to: Gets the report.

    Returns:
        The report. The run has to end failed when it has ``errors``.

    Raises:
        ParameterError: A table is unknown, or a date is none, or from is after to.
    """
    chosen = chosen_tables(tables, environment.record_types)
    asked = DateRange.between(from_date, to_date)
    is_whole = asked == DateRange()
    days = environment.settings.quality.window_days if window_days is None else window_days
    dates = window(today, days) if is_whole else asked
    plans: list[QualityPlan] = []
    errors: dict[str, str] = {}
    if not dry_run:
        try:
            ensure_tables(environment)
        except PipelineError as error:
            logger.warning("%s: %s", quality_tables.TABLE, error)
            errors[quality_tables.TABLE] = str(error)
    for table in chosen:
        try:
            made = _plan(environment, table, dates, now, is_whole=is_whole, force=force, dry_run=dry_run)
        except PipelineError as error:
            logger.warning("%s: %s", table, error)
            errors[table] = str(error)
        else:
            logger.info("%s", made)
            plans.append(made)
    due = [one for made in plans for one in made.due]
    report = LookReport(tuple(plans), tuple(chunks(due)), errors, dry_run)
    for line in report.summary:
        logger.info("%s", line)
    if report_to is not None:
        report_to(report)
    return report


def ensure_tables(environment: Environment) -> None:
    """See to it that Athena has the table of results and the view of the newest: two calls when it does.

    Raises:
        CatalogError: Glue refused, or a table of another kind has the name.
        QueryFailedError: Athena refused to make the view.
    """
    glue, layout = environment.glue, environment.settings.layout
    location = layout.uri(layout.quality_results_prefix())
    try:
        held = glue.table(quality_tables.TABLE)
        if not quality_tables.is_about_results(held, location):
            raise CatalogError(
                f"table {glue.database}.{quality_tables.TABLE} is somebody else's: it does not lie at {location}. It "
                "was left as it is; rename it, and the next run makes ours"
            )
        if not quality_tables.is_our_table(held, location):
            glue.update_table(quality_tables.table_input(location), held.get("VersionId", ""))
            logger.info("%s: changed", quality_tables.TABLE)
    except TableNotFoundError:
        glue.create_table(quality_tables.table_input(location))
        logger.info("%s: created", quality_tables.TABLE)
    try:
        is_there = quality_tables.is_our_view(glue.table(quality_tables.VIEW))
    except TableNotFoundError:
        is_there = False
    if not is_there:
        environment.workgroup().query(quality_tables.view_statement())
        logger.info("%s: made", quality_tables.VIEW)


def _plan(
    environment: Environment,
    table: str,
    dates: DateRange,
    now: datetime,
    *,
    is_whole: bool,
    force: bool,
    dry_run: bool,
) -> QualityPlan:
    suite = environment.suites(table)
    seen = _seen(environment, table, dates)
    store = environment.store
    if dry_run:
        known = store.entries(table, {day.year for day in seen})
    else:
        known = store.record_look(table, seen, dates, now, is_whole=is_whole)
    silent = silent_dates(seen, known, suite, now)
    return plan(table, seen, known, suite.digest, silent=silent, force=force)


def _seen(environment: Environment, table: str, dates: DateRange) -> dict[date, Seen]:
    prefix = environment.settings.layout.table_prefix(table)
    with ThreadPoolExecutor(1) as beside:  # S3 and Glue are listed at the same time: each is pages one by one
        registered = beside.submit(lambda: _registered(environment, table, dates))
        objects = list(_objects(environment, prefix, dates))
    return seen_in(objects, prefix, registered.result(), dates)


def _registered(environment: Environment, table: str, dates: DateRange) -> set[date]:
    held = environment.glue.partitions(table, dates.glue_expression)
    days = (partition_date_of(f"{PARTITION_KEY}={partition['Values'][0]}/") for partition in held)
    return {day for day in days if day is not None}


def _objects(environment: Environment, prefix: str, dates: DateRange) -> Iterable[StoredObject]:
    """The objects of these dates, and few others: folders sort as dates do."""
    start = f"{prefix}{PARTITION_KEY}={dates.first}" if dates.first else ""
    found = environment.bucket.objects_below(prefix, start)
    if dates.last is None:
        return found
    end = f"{prefix}{PARTITION_KEY}={dates.last}{_AFTER_SLASH}"
    return takewhile(lambda stored: stored.key < end, found)
