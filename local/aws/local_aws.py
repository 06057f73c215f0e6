"""The strict AWS on one machine, as an object."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from moto.moto_api._internal.models import moto_api_backend

from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.settings import Settings, load_settings
from local.aws.athena import AthenaRule
from local.aws.calls import CallLog
from local.aws.clock import Clock
from local.aws.control import Control
from local.aws.environment import make_environment
from local.aws.faults import Fault, Faults
from local.aws.functions import LambdaRule
from local.aws.glue import GlueRule
from local.aws.kinesis import KinesisRule
from local.aws.messaging import RedriveRule, check_subject
from local.aws.moto_setup import adapt_moto
from local.aws.pipeline import Moto, Pipeline, Rule
from local.aws.queues import QueueRule
from local.aws.s3 import LifecycleRule, S3Rule, seed_objects
from local.aws.server import HOST, Server
from local.aws.validation import validate
from local.aws_command import CONFIG


if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

DEFAULT_PORT = 4566
ACCESS_KEY = "local"
SECRET_KEY = "local"  # noqa: S105 - opens nothing: there is no account behind it


class LocalAws:
    """A strict AWS in this process, served on 127.0.0.1; a context manager.

    There can be one at a time in a process: moto keeps its state in module globals.

    Attributes:
        settings: The environment whose resources it holds.
        calls: Every call it served.
        clock: The time by which Kinesis forgets records and expires iterators; tests put it forward.
    """

    _running: threading.Lock = threading.Lock()

    def __init__(self, port: int = 0, settings: Settings | None = None) -> None:
        self.settings = settings or load_settings("local")
        self.calls = CallLog()
        self.clock = Clock()
        self._faults = Faults()
        self._control = Control(self.calls, self._faults, self.reset)
        self._moto = Moto()
        self._athena = AthenaRule(self.settings.account_id, self.settings.region)
        self._asked_port = port
        self._server: Server | None = None
        self._clients: dict[str, Any] = {}
        self._making_clients = threading.Lock()  # boto3 sessions are not thread-safe, their clients are
        self._is_the_one = False
        # Any: boto3-stubs know clients by literal names only.
        self._session: Any = boto3.Session(
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=self.settings.region
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Serve, and make the environment's resources.

        Raises:
            RuntimeError: Another LocalAws runs in this process.
            OSError: The port is taken.
        """
        if not self._running.acquire(blocking=False):
            raise RuntimeError("a LocalAws runs in this process already; stop it first, or use its fixture")
        self._is_the_one = True
        try:
            adapt_moto()
            pipeline = Pipeline(self.calls, self._faults, self._control, self._rules(), self._moto)
            self._server = Server(pipeline, self._asked_port)
            self._server.start()
            self.reset()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop serving; what it held is forgotten by the next start."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._athena.close()
        self._clients.clear()
        if self._is_the_one:
            self._is_the_one = False
            self._running.release()

    @property
    def url(self) -> str:
        """The endpoint for every service."""
        if self._server is None:
            raise RuntimeError("the LocalAws is not running: call start() or use it in a with statement")
        return f"http://{HOST}:{self._server.port}"

    def reset(self) -> None:
        """Forget all data, calls and faults, then make the environment's resources again (and no tables)."""
        self._control.ready = False
        self._faults.clear()
        self.clock.reset()
        self._athena.reset()
        moto_api_backend.reset()
        make_environment(self.client, self.settings, list(load_record_types()))
        self.calls.clear()
        self._control.ready = True

    def client(self, service: str) -> Any:
        """A boto3 client of this AWS, made once a service; it does not retry, so that every refusal is seen."""
        with self._making_clients:
            if service not in self._clients:
                config = Config(retries={"total_max_attempts": 1}, max_pool_connections=32)
                self._clients[service] = self._session.client(service, endpoint_url=self.url, config=config)
            return self._clients[service]

    def session_env(self) -> dict[str, str]:
        """Environment variables with which any AWS SDK or CLI in a child process talks to this AWS."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": self.settings.region,
            "AWS_REGION": self.settings.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(CONFIG),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def fail(
        self,
        operation: str,
        code: str = "ThrottlingException",
        times: int = 1,
        status: int = 400,
        message: str = "Injected fault.",
        after: int = 0,
        item: str | None = None,
    ) -> None:
        """Make coming calls of an operation fail.

        Args:
            operation: As in the call log, ``"glue:BatchCreatePartition"``.
            code: The error code the client sees.
            times: How many calls fail.
            status: HTTP status of the failures.
            message: The message the client sees.
            after: How many calls are served before the first failure.
            item: When given, only this item of a batch fails, in a response's body: a partition's value.
        """
        self._faults.add(Fault(operation, code, times, status, message, after, item))

    def heal(self) -> None:
        """Let every call succeed again."""
        self._faults.clear()

    def seed_objects(self, bucket: str, objects: Iterable[tuple[str, bytes]]) -> int:
        """Put many objects (key, body) into a bucket at once, without HTTP: for benches.

        Returns:
            How many there were.
        """
        return seed_objects(self.settings.account_id, self.settings.region, bucket, objects)

    def _rules(self) -> list[Rule]:
        account = self.settings.account_id
        return [
            validate,
            check_subject,
            RedriveRule(account),
            QueueRule(account, self._faults),
            LifecycleRule(account),
            S3Rule(account, self._moto),
            GlueRule(account, self._faults),
            KinesisRule(account, self._faults, self.clock),
            LambdaRule(account, self._moto),
            self._athena,
        ]
