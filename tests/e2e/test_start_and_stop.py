"""Starting and stopping, in the ways people do: ports taken, Ctrl-C, twice, and after a crash."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from local.processes import Processes, carriers
from local.workspace import REPOSITORY, Workspace
from tests.e2e.conftest import free_workspace, local


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A place of its own, in which nothing runs afterwards even if a test fails."""
    place = free_workspace(tmp_path / "pipeline")
    yield place
    Processes(place.pids, place.logs).stop()


def tokens(workspace: Workspace) -> set[str]:
    return {one.token for one in Processes(workspace.pids, workspace.logs).started()}


def _await_delivery_worker(workspace: Workspace) -> None:
    deadline = time.monotonic() + 60
    while "delivery-worker" not in {one.name for one in Processes(workspace.pids, workspace.logs).started()}:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_up_started_down_stops_and_nothing_stays(workspace: Workspace) -> None:
    names = ["api-server", "aws", "dag-processor", "delivery-worker", "scheduler", "triggerer"]
    up = local(workspace, "up")
    started = tokens(workspace)
    running = {one.name for one in Processes(workspace.pids, workspace.logs).started() if one.alive}

    down = local(workspace, "down")

    assert up.returncode == 0, up.stdout + up.stderr
    assert running == set(names)
    assert down.stdout == f"Stopped: {', '.join(names)}.\n"
    assert carriers(started) == []
    assert local(workspace, "down").stdout == "Nothing was running.\n"


@pytest.mark.parametrize("variable", ["DMD_AWS_PORT", "DMD_AIRFLOW_PORT"])
def test_a_taken_port_is_named_and_nothing_is_left_behind(workspace: Workspace, variable: str) -> None:
    port = workspace.aws_port if variable == "DMD_AWS_PORT" else workspace.airflow_port
    with socket.create_server(("127.0.0.1", port)):
        up = local(workspace, "up")

    assert up.returncode == 1
    assert up.stderr.startswith(f"Port {port}, wanted for")
    assert f"pid {os.getpid()}" in up.stderr
    assert f"{variable}={port + 1} make" in up.stderr
    assert tokens(workspace) == set()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_stops_what_it_started(workspace: Workspace, sent: signal.Signals) -> None:
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does to what it runs in the background
    demo = subprocess.Popen(
        [sys.executable, "-m", "local", "demo", "--records", "500"],
        cwd=REPOSITORY,
        env={**os.environ, **workspace.environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    signal.signal(signal.SIGINT, ignored)
    with demo:
        try:
            _await_delivery_worker(workspace)
            started = tokens(workspace)
            assert carriers(started)
            demo.send_signal(sent)
            output, _ = demo.communicate(timeout=60)
        finally:
            demo.kill()

    assert demo.returncode == 130
    assert output.endswith("Interrupted.\n")
    assert "Traceback" not in output
    assert carriers(started) == []


def test_a_pipeline_of_which_a_part_died_is_reported_and_down_stops_the_rest(workspace: Workspace) -> None:
    processes = Processes(workspace.pids, workspace.logs)
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    kept, killed = (processes.start(name, sleep, {}, "token-of-a-crash") for name in ("aws", "scheduler"))
    psutil.Process(killed.pid).kill()

    up = local(workspace, "up")
    down = local(workspace, "down")
    processes.stop()

    assert up.returncode == 2
    assert "runs only in part: scheduler ended" in up.stderr
    assert down.stdout == "Stopped: aws.\n"
    assert not kept.alive


def test_commands_for_a_running_pipeline_say_when_there_is_none(workspace: Workspace) -> None:
    run = local(workspace, "run", "register_partitions")
    traffic = local(workspace, "traffic", "--records", "10")

    assert (run.returncode, traffic.returncode) == (2, 2)
    assert run.stderr == f"Airflow does not answer at {workspace.airflow_url}: start the pipeline with `make up`.\n"
    assert "start it with `make up`" in traffic.stderr
