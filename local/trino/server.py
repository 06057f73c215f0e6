"""A single-node Trino with its Hive connector on a Glue catalog and an S3 that answer on this machine."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import trino

from local.errors import StartError
from local.workspace import HOST


if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from dmd_pipeline.settings import Settings
    from local.trino.distribution import Distribution
    from local.trino.releases import Release

CATALOG = "hive"
_HEAP = "2G"
_START_SECONDS = 120.0
_STOP_SECONDS = 20.0
_LINES_TOLD = 15


class Trino:
    """A Trino server in a process of its own; a context manager.

    Args:
        distribution: What to run.
        aws_url: Endpoint of the AWS whose Glue and S3 it reads.
        access_key: Access key id and secret access key there.
        settings: The environment: region and account.
    """

    def __init__(self, distribution: Distribution, aws_url: str, access_key: tuple[str, str], settings: Settings):
        self._distribution = distribution
        self._aws_url = aws_url
        self._access_key = access_key
        self._settings = settings
        self._port = _free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="dmd-trino-")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            StartError: It ended, or did not answer in time; with the last lines of its log.
        """
        folder = Path(self._folder.name)
        _write(folder / "config.properties", self._server_properties(folder))
        _write(folder / "catalog" / f"{CATALOG}.properties", self._catalog_properties())
        command = [
            str(self._distribution.java),
            f"-Xmx{_HEAP}",
            "-XX:TieredStopAtLevel=1",  # queries are short: what the second compiler makes of them is not used again
            "-Duser.timezone=UTC",
            "-Djdk.attach.allowAttachSelf=true",
            *self.release.options,
            f"-Dconfig={folder / 'config.properties'}",
            *("-cp", self._distribution.class_path),
            *("dmd.trino.Launcher", self.release.version),
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop(keep_log=True)
                raise StartError(
                    f"Trino {self.release.version} did not start; the end of its log:\n{self._end_of_log()}"
                )
            time.sleep(0.5)

    def stop(self, *, keep_log: bool = False) -> None:
        """End it; what it wrote is removed."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if not keep_log:
            self._folder.cleanup()

    def connect(self, database: str | None = None) -> trino.dbapi.Connection:
        """A connection for one thread; values come as the server writes them, not as Python's types."""
        connect: Callable[..., trino.dbapi.Connection] = trino.dbapi.connect
        return connect(
            host=HOST,
            port=self._port,
            user="conformance",
            catalog=CATALOG,
            schema=database,
            timezone="UTC",
            legacy_primitive_types=True,
        )

    @property
    def release(self) -> Release:
        """Which Trino it is."""
        return self._distribution.release

    @property
    def _log(self) -> Path:
        return Path(self._folder.name) / "server.log"

    def _answers(self) -> bool:
        try:
            with self.connect() as connection:
                cursor: Any = connection.cursor()
                cursor.execute("SELECT 1")
                return bool(cursor.fetchall() == [[1]])
        except (trino.exceptions.Error, OSError):
            return False

    def _end_of_log(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        told = [line for line in lines if "ERROR" in line] or lines
        return "\n".join(told[-_LINES_TOLD:])

    def _server_properties(self, folder: Path) -> dict[str, str]:
        return {
            "coordinator": "true",
            "node-scheduler.include-coordinator": "true",
            "node.id": "conformance",
            "node.environment": "conformance",
            "node.internal-address": HOST,
            "node.bind-ip": HOST,
            "http-server.http.port": str(self._port),
            "discovery.uri": f"http://{HOST}:{self._port}",
            "query.max-memory": "1GB",
            "query.max-memory-per-node": "1GB",
            "plugin.dir": str(self._distribution.plugins),
            "catalog.config-dir": str(folder / "catalog"),
        }

    def _catalog_properties(self) -> dict[str, str]:
        identifier, secret = self._access_key
        places = {"endpoint": self._aws_url, "region": self._settings.region, "key": identifier, "secret": secret}
        return {
            "connector.name": "hive",
            "hive.metastore": "glue",
            "hive.metastore.glue.region": self._settings.region,
            "hive.metastore.glue.catalogid": self._settings.account_id,
            "hive.metastore.glue.endpoint-url": self._aws_url,
            "hive.metastore.glue.aws-access-key": identifier,
            "hive.metastore.glue.aws-secret-key": secret,
            **{name: value.format_map(places) for name, value in self.release.s3},
            # As Athena: folders below a partition are read, and a partition without objects has no rows.
            "hive.recursive-directories": "true",
            "hive.ignore-absent-partitions": "true",
        }


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


def _write(path: Path, properties: dict[str, str]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
