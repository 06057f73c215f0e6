"""What benches share: the local AWS in a process of its own, and sessions that count what is asked of it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3

from dmd_pipeline.aws.config import CLIENT_CONFIG
from local.aws import LocalAws


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection

    Objects = Callable[[], Iterable[tuple[str, bytes]]]
    """Gives keys and contents; of a module's own functions, so that another process can be handed it."""


class CountedSession:
    """A boto3 session that counts the requests its clients send, by operation, and may delay each by some seconds."""

    def __init__(self, environment: dict[str, str], delay: float = 0) -> None:
        self.calls: Counter[str] = Counter()
        self._delay = delay
        self.session = boto3.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_REGION"],
        )
        self.session.events.register("before-send", self._count)

    def client(self, service: str) -> Any:
        """A client as the DAGs make it."""
        return self.session.client(service, config=CLIENT_CONFIG)  # type: ignore[call-overload] # names vary

    def _count(self, event_name: str, **_: object) -> None:
        self.calls[event_name.removeprefix("before-send.")] += 1
        time.sleep(self._delay)


@contextlib.contextmanager
def aws_in_another_process(objects: Objects) -> Iterator[dict[str, str]]:
    """The variables of a local AWS that holds the objects, while it runs; this process's own are pointed at it."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, objects))
    server.start()
    theirs.close()  # so that a server that fails to start ends the wait below
    try:
        environment: dict[str, str] = ours.recv()
        with contextlib.ExitStack() as stack:
            for name, value in environment.items():
                stack.enter_context(_environment_variable(name, value))
            yield environment
    finally:
        ours.send("stop")
        server.join()


def _serve(pipe: Connection, objects: Objects) -> None:
    with LocalAws() as aws:
        aws.seed_objects(aws.settings.bucket, objects())
        pipe.send(aws.session_env())
        pipe.recv()


@contextlib.contextmanager
def _environment_variable(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
