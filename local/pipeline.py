"""The local AWS, the delivery worker and Airflow, started and stopped together.

Every start begins with nothing: the local AWS lives in memory, so what Airflow or the ledger remember of an earlier
start would speak of things that are gone.
"""

from __future__ import annotations

import shutil
import sys
import urllib.error
import urllib.request
import uuid
from typing import TYPE_CHECKING

from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.settings import load_settings
from local import airflow_components
from local.errors import UsageError
from local.processes import Processes, end_all, require_alive, require_free_port
from local.waiting import wait_for


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.console import Console
    from local.processes import Started
    from local.workspace import Workspace

_START_SECONDS = 180.0  # far beyond what a slow machine takes


class Pipeline:
    """One local pipeline: what runs of it, and how to start and stop it."""

    def __init__(self, workspace: Workspace, console: Console) -> None:
        self.workspace = workspace
        self._console = console
        self._processes = Processes(workspace.pids, workspace.logs)

    def running(self) -> bool:
        """Whether all its processes run.

        Raises:
            UsageError: Some do and some do not.
        """
        started = self._processes.started()
        dead = [one for one in started if not one.alive]
        if not started or len(dead) == len(started):
            return False
        if dead:
            raise UsageError(
                f"The pipeline runs only in part: {', '.join(one.name for one in dead)} ended "
                f"(see {dead[0].log}). Stop the rest with `make down`, then start again."
            )
        return True

    def start(self, while_airflow_starts: Callable[[], None] | None = None) -> None:
        """Start everything and wait until it is ready.

        Args:
            while_airflow_starts: Work that needs only AWS and the delivery worker, done meanwhile.

        Raises:
            PipelineError: The settings or a record type are wrong; nothing is started.
            LocalError: Something did not come up; what had been started is stopped.
        """
        load_settings("local")
        load_record_types()
        with self.workspace.only_one("starting", "Another start is under way"):
            self._processes.stop()  # what a crash left behind, and stale pid files
            require_free_port(self.workspace.aws_port, "DMD_AWS_PORT", "the local AWS")
            require_free_port(self.workspace.airflow_port, "DMD_AIRFLOW_PORT", "the Airflow UI")
            self._start_afresh()
            token = uuid.uuid4().hex
            try:
                self._start_all(token, while_airflow_starts)
            except BaseException:
                self._processes.stop()
                end_all({token})
                raise

    def stop(self) -> list[str]:
        """Stop everything that was started; returns the names of what was still running."""
        return self._processes.stop()

    def addresses(self) -> str:
        """Where to find what runs, in lines."""
        return "\n".join(
            [
                f"  Airflow UI     {self.workspace.airflow_url}",
                f"  local AWS      {self.workspace.aws_url}",
                f"  logs           {self.workspace.logs}",
            ]
        )

    def _start_all(self, token: str, while_airflow_starts: Callable[[], None] | None) -> None:
        workspace, python = self.workspace, sys.executable
        variables = airflow_components.configuration(workspace)
        airflow_components.write_environment(workspace, variables)
        # What costs time is importing Airflow, once a process: everything that can overlaps.
        migration = self._processes.start("airflow-db-migrate", airflow_components.MIGRATE, variables, token)
        aws = self._processes.start("aws", [python, "-m", "local.aws"], workspace.environment(), token)
        with self._console.step("start the local AWS and the delivery worker"):
            self._await(lambda: answers(f"{workspace.aws_url}/_local/health"), "the local AWS", [aws])
            worker_command = [python, "-m", "local.delivery_worker"]
            worker = self._processes.start("delivery-worker", worker_command, workspace.environment(), token)
            self._await(workspace.checkpoints.exists, "the delivery worker", [aws, worker])
        with self._console.step("prepare Airflow's database"):
            self._processes.finish(migration, _START_SECONDS)
        components = [
            self._processes.start(name, command, variables, token)
            for name, command in airflow_components.commands(workspace).items()
        ]
        if while_airflow_starts is not None:
            while_airflow_starts()
        with self._console.step("wait for Airflow"):
            url = f"{workspace.airflow_url}/api/v2/monitor/health"
            self._await(lambda: answers(url), "Airflow", [aws, worker, *components])

    def _await(self, condition: Callable[[], bool], what: str, processes: Sequence[Started]) -> None:
        def ready() -> bool:
            for process in processes:
                require_alive(process)
            return condition()

        wait_for(ready, what, _START_SECONDS, every=0.25)

    def _start_afresh(self) -> None:
        workspace = self.workspace
        for folder in (workspace.airflow_home, workspace.logs, workspace.ledger):
            shutil.rmtree(folder, ignore_errors=True)
        workspace.checkpoints.unlink(missing_ok=True)
        workspace.airflow_home.mkdir(parents=True)


def answers(url: str) -> bool:
    """Whether a GET of the address succeeds."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  # our own servers, by http
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
