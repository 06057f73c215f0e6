"""What tasks take from their run, and what they leave in it."""

from __future__ import annotations

import logging
from datetime import UTC
from typing import TYPE_CHECKING, Any, Protocol

from airflow.sdk import SkipMixin
from airflow.sdk.exceptions import AirflowSkipException

from dmd_pipeline.errors import CatalogError, ParameterError, SchemaRefusedError


if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date

    from airflow.sdk import Asset, Context


logger = logging.getLogger(__name__)


class Reports(Protocol):
    """What jobs return."""

    def as_data(self) -> dict[str, Any]:
        """With ``summary``: one line a table, for people."""
        ...


def day_of(context: Context) -> date:
    """The day (UTC) for which a run runs: the same however late it starts or often it is repeated."""
    return context["dag_run"].run_after.astimezone(UTC).date()


def asked_of(context: Context) -> dict[str, Any]:
    """What a run was asked: its Params by name.

    Airflow checks the values of the Params that a DAG declares, and lets every other key through: a misspelled
    ``table`` must not mean all tables.

    Raises:
        ParameterError: The run was triggered with a key that its DAG does not know.
    """
    asked, known = dict(context["params"]), context["dag"].params
    unknown = sorted(asked.keys() - set(known))
    if unknown:
        raise ParameterError(f"unknown parameter {', '.join(map(repr, unknown))}; known are {', '.join(sorted(known))}")
    return asked


def keep_report(context: Context) -> Callable[[Reports], None]:
    """Gives jobs a place for their report: the task's return value, kept even when the task fails afterwards."""
    return lambda report: context["ti"].xcom_push(key="return_value", value=report.as_data())


def planned(context: Context, plan: Callable[[Callable[[Reports], None]], object], *, dry_run: bool) -> dict[str, Any]:
    """Make a plan of all tables and keep it as the task's return value.

    Args:
        context: Of the task.
        plan: The job; gets a place for its report.
        dry_run: Whether no other task follows.

    Returns:
        The report, also when some of its tables could not be planned: each of them has a task that meets the same
        error, and the others go on.

    Raises:
        PipelineError: Nothing could be planned; or a table could not, in a dry run.
    """
    data: dict[str, Any] = {}

    def keep(report: Reports) -> None:
        data.update(report.as_data())
        keep_report(context)(report)

    try:
        plan(keep)
    except (CatalogError, SchemaRefusedError):
        if dry_run or not data:
            raise
        logger.exception("the task of the table will meet this again")
    return data


def returned(context: Context, task_id: str) -> Sequence[Mapping[str, Any]]:
    """What a task returned: one entry, or one for each item that it was mapped over and that has a result."""
    return [one for one in context["ti"].xcom_pull(task_ids=[task_id]) if one is not None]


def is_by_hand(context: Context) -> bool:
    """Whether somebody triggered the run, and no schedule."""
    return context["dag_run"].run_type != "scheduled"


def publish_returned(context: Context, task_id: str, table: str, asset: Asset, nothing: str) -> None:
    """Make the dates of a table that a task returned partition keys of an asset.

    Raises:
        AirflowSkipException: There are none; says ``nothing``.
    """
    keys = {day for report in returned(context, task_id) for day in report["partition_keys"].get(table, ())}
    if not keys:
        raise AirflowSkipException(nothing)
    context["outlet_events"][asset].add_partitions(sorted(keys))


def skip_downstream(context: Context, *, unless: Collection[str]) -> None:
    """End a task that succeeded by skipping those directly after it that have nothing to do.

    A task that finds this out for itself costs the start of a process; one that is skipped from here costs nothing.

    Args:
        context: Of the task that ends.
        unless: Ids of the tasks that have something to do.
    """
    skip(context, [task.task_id for task in context["task"].downstream_list if task.task_id not in unless])


def skip(context: Context, task_ids: Collection[str]) -> None:
    """Skip tasks that come later, directly or not."""
    idle = [context["dag"].get_task(task_id) for task_id in task_ids]
    SkipMixin().skip(context["ti"], idle)  # type: ignore[no-untyped-call]  # Airflow left it untyped
