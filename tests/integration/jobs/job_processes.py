"""Jobs in processes of their own: killed at their n-th call to AWS, as workers are that lose their machine; or at once.

The processes are forked from a server that has imported everything already and runs no thread, so that one run takes a
fraction of a second.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from dmd_pipeline.aws.cloudwatch import Alarms
from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.aws.kinesis import Stream
from dmd_pipeline.aws.lambda_ import Functions
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.aws.sqs import Queue
from dmd_pipeline.jobs import (
    apply_lifecycle,
    apply_schema_changes,
    drop_expired_partitions,
    register_partitions,
    reprocess_failed_batches,
    restore_partitions,
)
from dmd_pipeline.jobs.conversion import convert_lane
from dmd_pipeline.jobs.drop_expired_partitions import Dropper
from dmd_pipeline.jobs.replay_environment import Environment
from dmd_pipeline.jobs.restore_partitions import Restorer
from dmd_pipeline.lifecycle import plan
from dmd_pipeline.record_types import RecordType, TimestampRule, load_record_types
from dmd_pipeline.settings import Settings, TableRetention, load_settings
from tests.integration.jobs.conftest import workgroup
from tests.integration.jobs.schema_change_cases import COMPATIBLE


if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext
    from multiprocessing.synchronize import Barrier

    from dmd_pipeline.aws.athena import Workgroup
    from dmd_pipeline.jobs.replay_reports import SecureReport

Clients = Callable[[str], Any]
"""Gives the boto3 client of a service."""
KILLED = 77
ASKED = "ASKED"
"""Environment variable: the parameters of the job ``secure_as_asked``, as JSON."""
TOLD = "TOLD"
"""Environment variable: the file that gets the keys of the alerts about what a run secured."""
CHANGED_TABLE = "scratch"
INSERTED = next(change for change in COMPATIBLE if change.name == "a column with a default is inserted")
"""What the job ``change_a_table`` does: every partition has to be shortened for it."""
_LONGEST_WAIT_SECONDS = 60


def run_and_kill(job: str, call: int, moment: str) -> bool:
    """Run a job and kill it before its ``call``-th call is sent, or after it was answered.

    Args:
        job: A name of :data:`JOBS`.
        call: Counted from 1.
        moment: ``before`` or ``after``.

    Returns:
        Whether it was killed; False when it had finished before.
    """
    process = _fork_server().Process(target=_run_and_kill, args=(job, call, moment, dict(os.environ)))
    process.start()
    process.join()
    if process.exitcode not in {0, KILLED}:
        raise RuntimeError(f"the run ended with exit code {process.exitcode}")
    return process.exitcode == KILLED


def run_at_once(job: str, count: int, first_write: str) -> list[int | None]:
    """Run a job in several processes at once, so that each has read everything before any of them writes.

    Args:
        job: A name of :data:`JOBS`.
        count: How many processes.
        first_write: The operation with which the job begins to write, such as ``glue.CreateDatabase``; each process
            must come to it.

    Returns:
        Their exit codes.
    """
    context = _fork_server()
    all_have_read = context.Barrier(count)
    processes = [
        context.Process(target=_run_at_once, args=(job, first_write, all_have_read, dict(os.environ)))
        for _ in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def _fork_server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _register(settings: Settings, client: Clients) -> None:
    catalog, bucket = _catalog(settings, client), _bucket(settings, client)
    register_partitions.run(settings, ["demand"], catalog, bucket, today=date(2026, 3, 1))


def _create(settings: Settings, client: Clients) -> None:
    catalog, bucket = _catalog(settings, client), _bucket(settings, client)
    apply_schema_changes.run(settings, load_record_types(), catalog, bucket, _no_athena, run_id="test")


def _change(settings: Settings, client: Clients) -> None:
    kind = RecordType(CHANGED_TABLE, INSERTED.new, (), (), TimestampRule("first_of", ()), (), ())
    catalog, bucket = _catalog(settings, client), _bucket(settings, client)
    apply_schema_changes.run(settings, {CHANGED_TABLE: kind}, catalog, bucket, _no_athena, run_id="test")


def _secure(settings: Settings, client: Clients, **asked: Any) -> None:
    reprocess_failed_batches.secure(
        settings,
        queue=Queue(client("sqs"), settings.dead_letter_queue),
        stream=Stream(client("kinesis"), settings.stream),
        functions=Functions(client("lambda")),
        alarms=Alarms(client("cloudwatch")),
        bucket=_bucket(settings, client),
        long_poll=timedelta(0),
        report_to=_tell,
        **asked,
    )


def _tell(report: SecureReport) -> None:
    """Tell people, for whom a file stands."""
    if path := os.environ.get(TOLD):
        Path(path).write_text("\n".join(notice.key for notice in report.notices), encoding="utf-8")


def _secure_errors(settings: Settings, client: Clients) -> None:
    _secure(settings, client, source="errors")


def _secure_as_asked(settings: Settings, client: Clients) -> None:
    _secure(settings, client, **json.loads(os.environ[ASKED]))


def _convert(settings: Settings, client: Clients, run_id: str = "killed") -> None:
    environment = Environment(
        settings,
        load_record_types(),
        _bucket(settings, client),
        _catalog(settings, client),
        Functions(client("lambda")),
        Stream(client("kinesis"), settings.stream),
    )
    convert_lane(environment, "shardId-000000000000", run_id=run_id, now=lambda: datetime(2026, 3, 2, tzinfo=UTC))


def _convert_beside_others(settings: Settings, client: Clients) -> None:
    _convert(settings, client, run_id=f"process {os.getpid()}")


def _drop_expired(
    settings: Settings,
    client: Clients,
    now: datetime = datetime(2026, 9, 1, 3, tzinfo=UTC),
    run_id: str = "run",
) -> None:
    of_demand = TableRetention(retention_days=100, mode="enforce", max_share_per_run=1)
    rules = settings.retention.model_copy(update={"tables": {"demand": of_demand}})
    dropper = Dropper(
        settings.model_copy(update={"retention": rules}),
        _catalog(settings, client),
        _bucket(settings, client),
        run_id,
        now=lambda: now,
    )
    approved = {"demand": dropper.plan("demand").digest}
    drop_expired_partitions.run(
        replace(dropper, approved=approved), load_record_types(), tables=["demand"], dry_run=False
    )


def _delete_expired(settings: Settings, client: Clients) -> None:
    _drop_expired(settings, client, datetime(2026, 9, 16, 3, tzinfo=UTC))


def _delete_beside_others(settings: Settings, client: Clients) -> None:
    _drop_expired(settings, client, datetime(2026, 9, 16, 3, tzinfo=UTC), f"process {os.getpid()}")


def _restore(settings: Settings, client: Clients, now: datetime = datetime(2026, 9, 2, tzinfo=UTC)) -> None:
    restorer = Restorer(
        settings, _catalog(settings, client), _bucket(settings, client), lambda: workgroup(settings), "run"
    )
    restorer = replace(restorer, now=lambda: now)
    restore_partitions.run(
        restorer, load_record_types(), tables=["demand"], from_date=None, to_date=None, dry_run=False
    )


def _restore_deleted(settings: Settings, client: Clients) -> None:
    _restore(settings, client, datetime(2026, 9, 16, 3, tzinfo=UTC))


def _apply_lifecycle(settings: Settings, client: Clients) -> None:
    approved = plan(settings, _bucket(settings, client).lifecycle()).digest
    apply_lifecycle.run(settings, _bucket(settings, client), approved=approved, dry_run=False)


def _catalog(settings: Settings, client: Clients) -> Catalog:
    return Catalog(client("glue"), settings.database)


def _bucket(settings: Settings, client: Clients) -> Bucket:
    return Bucket(client("s3"), settings.bucket)


def _no_athena() -> Workgroup:
    raise AssertionError("nothing is to be proved")


JOBS: dict[str, Callable[[Settings, Clients], None]] = {
    "register_partitions": _register,
    "apply_schema_changes": _create,
    "change_a_table": _change,
    "secure": _secure,
    "secure_errors": _secure_errors,
    "secure_as_asked": _secure_as_asked,
    "convert": _convert,
    "drop_expired_partitions": _drop_expired,
    "delete_expired": _delete_expired,
    "delete_beside_others": _delete_beside_others,
    "restore_partitions": _restore,
    "restore_deleted": _restore_deleted,
    "apply_lifecycle": _apply_lifecycle,
    "convert_beside_others": _convert_beside_others,
}


def _run_at_once(job: str, first_write: str, all_have_read: Barrier, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    lock = threading.Lock()
    begun = False

    def wait_for_the_others(**_event: Any) -> None:
        nonlocal begun
        with lock:  # held while waiting: a job may write from several threads
            if not begun:
                all_have_read.wait(_LONGEST_WAIT_SECONDS)
                begun = True

    JOBS[job](load_settings("local"), _hooked(f"before-call.{first_write}", wait_for_the_others))


def _run_and_kill(job: str, call: int, moment: str, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    lock = threading.Lock()
    seen = 0

    def count(**_event: Any) -> None:
        nonlocal seen
        with lock:
            seen += 1
            if seen == call:
                os._exit(KILLED)

    JOBS[job](load_settings("local"), _hooked("before-call" if moment == "before" else "after-call", count))


def _hooked(event: str, hook: Callable[..., None]) -> Clients:
    """Clients of which every one does something at an event; a client a service."""

    @cache
    def client(service: str) -> Any:
        made: Any = boto3.Session().client(service)  # type: ignore[call-overload]  # names vary
        made.meta.events.register(event, hook)
        return made

    return client
