"""Where one local pipeline keeps its files, on which ports it listens, and how its processes reach its AWS.

``DMD_LOCAL_DIR`` (default ``.local``), ``DMD_AWS_PORT`` (4566) and ``DMD_AIRFLOW_PORT`` (8080) make a second pipeline
possible beside a running one; the end-to-end tests start theirs so.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.aws_command import CONFIG
from local.errors import UsageError


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REPOSITORY = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
_HIGHEST_PORT = 65_535


@dataclass(frozen=True)
class Workspace:
    """One local pipeline's place on this machine.

    Attributes:
        directory: Holds everything it writes; may be deleted whenever the pipeline is down.
        aws_port: Port of the local AWS.
        airflow_port: Port of Airflow's API server and UI.
    """

    directory: Path
    aws_port: int
    airflow_port: int

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Workspace:
        """The workspace that the environment variables name.

        Raises:
            UsageError: A port is not a port.
        """
        return cls(
            directory=Path(environ.get("DMD_LOCAL_DIR") or REPOSITORY / ".local").absolute(),
            aws_port=port_of(environ, "DMD_AWS_PORT", 4566),
            airflow_port=port_of(environ, "DMD_AIRFLOW_PORT", 8080),
        )

    @property
    def aws_url(self) -> str:
        """Endpoint of the local AWS."""
        return f"http://{HOST}:{self.aws_port}"

    @property
    def airflow_url(self) -> str:
        """Address of the Airflow UI and of its API."""
        return f"http://{HOST}:{self.airflow_port}"

    @property
    def logs(self) -> Path:
        """What the processes print, a file each."""
        return self.directory / "logs"

    @property
    def pids(self) -> Path:
        """A file for each process that was started."""
        return self.directory / "pids"

    @property
    def airflow_home(self) -> Path:
        """Airflow's own folder: its database and its task logs."""
        return self.directory / "airflow"

    @property
    def airflow_environment(self) -> Path:
        """Shell file with the variables that every Airflow command needs; holds this start's keys, so 0600."""
        return self.directory / "airflow.env"

    @property
    def ledger(self) -> Path:
        """What was sent, a file for each batch of traffic."""
        return self.directory / "ledger"

    @property
    def checkpoints(self) -> Path:
        """How far the delivery worker has read each shard."""
        return self.directory / "checkpoints.json"

    @property
    def screenshots(self) -> Path:
        """Pictures that the browser tests take."""
        return self.directory / "screenshots"

    @contextmanager
    def only_one(self, work: str, complaint: str) -> Iterator[None]:
        """Refuse to do something twice at once; whoever dies does not keep others from it.

        Args:
            work: What is done; names the lock.
            complaint: Says that it is being done.

        Raises:
            UsageError: Another process does it.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / f"{work}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(f"{complaint} in {self.directory}; wait for it.") from None
            yield

    def aws_environment(self) -> dict[str, str]:
        """Variables with which boto3 and the ``aws`` command reach the local AWS, and nothing beyond it."""
        return {
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(CONFIG),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def environment(self) -> dict[str, str]:
        """Variables of every process of this pipeline, on top of those it inherits."""
        return {
            **self.aws_environment(),
            "DMD_ENV": "local",
            "DMD_LOCAL_DIR": str(self.directory),
            "DMD_AWS_PORT": str(self.aws_port),
            "DMD_AIRFLOW_PORT": str(self.airflow_port),
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "plugins"), str(REPOSITORY)]),
            "PYTHONUNBUFFERED": "1",
        }


def port_of(environ: Mapping[str, str], variable: str, default: int) -> int:
    """The port that an environment variable names.

    Raises:
        UsageError: It is no port.
    """
    text = environ.get(variable) or str(default)
    if not text.isdigit() or not 0 < int(text) <= _HIGHEST_PORT:
        raise UsageError(f"{variable}={text}: expected a port, 1 to {_HIGHEST_PORT}.")
    return int(text)
