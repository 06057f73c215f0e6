from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from local.errors import PortTakenError, StartError, UsageError
from local.processes import Processes, Started, carriers, require_alive, require_free_port


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    started = Processes(tmp_path / "pids", tmp_path / "logs")
    yield started
    started.stop()


def await_true(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.05)


def test_what_was_started_is_found_again_and_stopped(processes: Processes, tmp_path: Path) -> None:
    processes.start("sleeper", SLEEP, {}, "token-1")
    found = Processes(tmp_path / "pids", tmp_path / "logs")

    assert [(one.name, one.alive) for one in found.started()] == [("sleeper", True)]
    assert found.stop() == ["sleeper"]
    assert found.started() == []
    assert carriers(["token-1"]) == []


def test_a_process_is_alive_from_its_first_moment_on(processes: Processes) -> None:
    seen = [processes.start(f"newborn-{number}", SLEEP, {}, "token-0").alive for number in range(40)]

    assert all(seen)


def test_descendants_are_stopped_even_when_their_parent_is_gone_and_their_session_another(
    processes: Processes, tmp_path: Path
) -> None:
    program = textwrap.dedent(
        f"""
        import os, pathlib, time
        if os.fork() == 0:
            os.setsid()
            pathlib.Path({str(tmp_path / "child")!r}).write_text(str(os.getpid()))
            time.sleep(60)
        """
    )
    parent = processes.start("parent", [sys.executable, "-c", program], {}, "token-2")
    await_true(lambda: (tmp_path / "child").exists() and not parent.alive)
    child = int((tmp_path / "child").read_text())
    assert psutil.pid_exists(child)

    processes.stop()

    assert carriers(["token-2"]) == []


def test_a_stale_pid_file_stops_no_stranger(processes: Processes, tmp_path: Path) -> None:
    stranger = subprocess.Popen(SLEEP)
    try:
        (tmp_path / "pids").mkdir()
        started = processes.start("sleeper", SLEEP, {}, "token-3")
        file = tmp_path / "pids" / "sleeper.json"
        file.write_text(file.read_text().replace(str(started.pid), str(stranger.pid)))

        processes.stop()

        assert stranger.poll() is None, "the stranger still runs"
        assert carriers(["token-3"]) == [], "ours, which the file no longer names, does not"
    finally:
        stranger.kill()
        stranger.wait()


def test_a_process_that_ignores_the_polite_request_is_ended(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.processes._PATIENCE_SECONDS", 0.5)
    flag = tmp_path / "ready"
    program = (
        "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"pathlib.Path({str(flag)!r}).touch(); time.sleep(60)"
    )
    processes.start("stubborn", [sys.executable, "-c", program], {}, "token-4")
    await_true(flag.exists)

    processes.stop()

    assert carriers(["token-4"]) == []


def test_an_unreadable_pid_file_is_named(processes: Processes, tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    file = tmp_path / "pids" / "aws.json"
    file.write_text("12345")

    with pytest.raises(UsageError, match=r"aws\.json: not a pid file"):
        processes.stop()

    file.unlink()


def test_a_process_that_ends_by_itself_is_reported_with_the_end_of_its_log(processes: Processes) -> None:
    started = processes.start("quitter", [sys.executable, "-c", "print('no more disk')"], {}, "token-5")
    await_true(lambda: not started.alive)

    with pytest.raises(StartError, match=r"quitter ended by itself(.|\n)*no more disk"):
        require_alive(started)


def test_a_process_that_is_to_finish_must_finish_well(processes: Processes) -> None:
    good = processes.start("good", [sys.executable, "-c", ""], {}, "token-6")
    bad = processes.start("bad", [sys.executable, "-c", "raise SystemExit('out of luck')"], {}, "token-6")

    processes.finish(good, 30)
    with pytest.raises(StartError, match=r"bad failed with exit code 1(.|\n)*out of luck"):
        processes.finish(bad, 30)


def test_a_taken_port_is_reported_with_its_holder_and_the_variable_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(PortTakenError, match=rf"Port {port}, wanted for tests, .*pid {os.getpid()}.*DMD_AWS_PORT="):
            require_free_port(port, "DMD_AWS_PORT", "tests")


def test_a_port_that_was_just_released_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    require_free_port(port, "DMD_AWS_PORT", "tests")


def test_the_pid_of_an_ended_process_is_not_alive() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    assert not Started("ended", ended.pid, "token", "log").alive
