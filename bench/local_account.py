"""What benches share: the local AWS in a process of its own, and sessions that count what is asked of it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3

from dmd_pipeline.aws.config import CLIENT_CONFIG
from dmd_pipeline.aws.timestamps import read_timestamps_quickly
from local.aws import LocalAws


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection

    Objects = Callable[[], Iterable[tuple[str, bytes]]]
    """Gives keys and contents; of a module's own functions, so that another process can be handed it."""


class CountedSession:
    """Counts the requests that clients send, by operation, and may delay each by some seconds.

    Attributes:
        calls: How many requests of each operation.
        session: A boto3 session as anybody makes it, for those that the project is measured beside.
    """

    def __init__(self, environment: dict[str, str], delay: float = 0) -> None:
        self.calls: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._delay = delay
        self.session, self._ours = self._session(environment), self._session(environment)
        read_timestamps_quickly(self._ours)

    def client(self, service: str) -> Any:
        """A client as the DAGs make it."""
        return self._ours.client(service, config=CLIENT_CONFIG)  # type: ignore[call-overload] # names vary

    def plain_client(self, service: str) -> Any:
        """A client as anybody makes it, with the retries and the number of connections of the DAGs."""
        return self.session.client(service, config=CLIENT_CONFIG)  # type: ignore[call-overload] # names vary

    def prepare(self, *services: str) -> None:
        """Have the descriptions of services read, which the first client of each waits for."""
        for service in services:
            self.client(service)
            self.plain_client(service)

    def register(self, event: str, handler: Callable[..., None]) -> None:
        """Have something done at an event of botocore's, whoever made the client."""
        for session in (self.session, self._ours):
            session.events.register(event, handler)

    def _session(self, environment: dict[str, str]) -> boto3.Session:
        session = boto3.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_REGION"],
        )
        session.events.register("before-send", self._count)
        return session

    def _count(self, event_name: str, **_: object) -> None:
        with self._counting:
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
