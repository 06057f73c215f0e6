"""``python -m local.aws``."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local.aws"],
        cwd=ROOT,
        env={**os.environ, "DMD_AWS_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def served() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A local AWS in a process of its own, ready."""
    port = free_port()
    process = start(port)
    try:
        assert process.stdout is not None
        assert str(port) in process.stdout.readline()
        yield port, process
    finally:
        process.kill()
        process.communicate(timeout=20)


def health(port: int) -> Any:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_local/health", timeout=5) as answer:
                return json.load(answer)
        except (urllib.error.HTTPError, ConnectionError) as error:
            if time.monotonic() > deadline:
                raise AssertionError("the local AWS is not ready") from error
            time.sleep(0.1)


def test_it_serves_until_told_to_stop(served: tuple[int, subprocess.Popen[str]]) -> None:
    port, process = served
    assert health(port) == {"status": "ready"}
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_a_port_that_is_taken_is_said_in_one_line(served: tuple[int, subprocess.Popen[str]]) -> None:
    port, _ = served
    second = start(port)
    _, complaint = second.communicate(timeout=60)
    assert second.returncode == 1
    assert complaint.splitlines() == [
        f"Port {port} cannot be used: Address already in use. Set DMD_AWS_PORT to another."
    ]
