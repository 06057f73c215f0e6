"""A job in a process of its own that is killed at its n-th call to AWS, as a worker is that loses its machine.

The process is forked from a server that has imported everything already and runs no thread, so that one run takes a
fraction of a second.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from datetime import date
from typing import Any

import boto3

from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.jobs import apply_schema_changes, register_partitions
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.settings import Settings, load_settings


KILLED = 77


def run_and_kill(job: str, call: int, moment: str) -> bool:
    """Run a job and kill it before its ``call``-th call is sent, or after it was answered.

    Args:
        job: A name of :data:`JOBS`.
        call: Counted from 1.
        moment: ``before`` or ``after``.

    Returns:
        Whether it was killed; False when it had finished before.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_run, args=(job, call, moment, dict(os.environ)))
    process.start()
    process.join()
    if process.exitcode not in {0, KILLED}:
        raise RuntimeError(f"the run ended with exit code {process.exitcode}")
    return process.exitcode == KILLED


def _register(settings: Settings, glue: Any, s3: Any) -> None:
    today = date(2026, 3, 1)
    register_partitions.run(
        settings, ["demand"], Catalog(glue, settings.database), Bucket(s3, settings.bucket), today=today
    )


def _create(settings: Settings, glue: Any, _s3: Any) -> None:
    apply_schema_changes.run(settings, load_record_types(), Catalog(glue, settings.database))


JOBS = {"register_partitions": _register, "apply_schema_changes": _create}


def _run(job: str, call: int, moment: str, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    lock = threading.Lock()
    seen = 0

    def count(**_event: Any) -> None:
        nonlocal seen
        with lock:
            seen += 1
            if seen == call:
                os._exit(KILLED)

    clients: list[Any] = [boto3.client("glue"), boto3.client("s3")]
    for client in clients:
        client.meta.events.register("before-call" if moment == "before" else "after-call", count)
    JOBS[job](load_settings("local"), *clients)
