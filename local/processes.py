"""Start processes in the background, find them again, and stop exactly those.

Every start of a pipeline draws a token. It goes into the environment of each process and so into that of all its
descendants, and into a file for each process that was started. A process is *ours* only if it carries the token of
such a file: a stale file whose pid belongs to somebody else by now stops nobody, and a child that outlived its
parent or left its process group is still found.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from local.errors import PortTakenError, StartError, UsageError
from local.workspace import HOST


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_TOKEN = "DMD_LOCAL_TOKEN"  # noqa: S105  # the variable's name; its value is an identity, no secret
_LOOKS_AT_A_NEWBORN = 50
_PATIENCE_SECONDS = 15.0  # after this long a process that was asked to end is ended


@dataclass(frozen=True)
class Started:
    """A process that was started, as its pid file holds it.

    Attributes:
        name: What it is, e.g. ``scheduler``.
        pid: Its process id, when it was started.
        token: The token that it and its descendants carry.
        log: File that holds what it prints.
    """

    name: str
    pid: int
    token: str
    log: str

    @property
    def alive(self) -> bool:
        """Whether the process still runs; false when the pid is somebody else's by now."""
        try:
            process = psutil.Process(self.pid)
            environment = process.environ()
            for _ in range(_LOOKS_AT_A_NEWBORN):
                if environment or process.status() == psutil.STATUS_ZOMBIE:
                    break
                # For a moment after its start, a process has no environment yet.
                time.sleep(0.01)
                environment = process.environ()
            return process.status() != psutil.STATUS_ZOMBIE and environment.get(_TOKEN) == self.token
        except psutil.Error:
            return False


class Processes:
    """The background processes of one pipeline, known by their pid files.

    Args:
        pids: Folder of the pid files.
        logs: Folder of the logs.
    """

    def __init__(self, pids: Path, logs: Path) -> None:
        self._pids = pids
        self._logs = logs
        self._children: dict[int, subprocess.Popen[bytes]] = {}  # those that this very process started

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str], token: str) -> Started:
        """Start a command in a session of its own, so that Ctrl-C in this terminal does not reach it."""
        self._pids.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                # SPT_NOENV: setproctitle, which Airflow uses, would otherwise write over the environment that holds
                # the token, as other processes see it.
                env={**os.environ, **environment, _TOKEN: token, "SPT_NOENV": "1"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._children[process.pid] = process
        started = Started(name, process.pid, token, str(log))
        (self._pids / f"{name}.json").write_text(json.dumps(asdict(started)), encoding="utf-8")
        return started

    def finish(self, started: Started, seconds: float) -> None:
        """Wait for a process that is to end by itself, and drop its pid file.

        Raises:
            StartError: It failed, or took too long; quotes the end of its log.
        """
        try:
            code = self._children[started.pid].wait(seconds)
        except subprocess.TimeoutExpired:
            raise StartError(f"{started.name} has not ended after {seconds:.0f} seconds. {_tail(started)}") from None
        if code != 0:
            raise StartError(f"{started.name} failed with exit code {code}. {_tail(started)}")
        (self._pids / f"{started.name}.json").unlink()

    def started(self) -> list[Started]:
        """Every process that has a pid file, running or not."""
        return list(self._read())

    def stop(self) -> list[str]:
        """Stop everything that has a pid file, with all descendants, and remove the files.

        Returns:
            The names of those that were still running.
        """
        started = self.started()
        running = [one.name for one in started if one.alive]
        end_all({one.token for one in started})
        for child in self._children.values():
            child.poll()  # takes note of its end, so that no zombie stays
        for one in started:
            (self._pids / f"{one.name}.json").unlink(missing_ok=True)
        return running

    def _read(self) -> Iterator[Started]:
        for path in sorted(self._pids.glob("*.json")):
            try:
                yield Started(**json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, TypeError) as error:
                raise UsageError(
                    f"{path}: not a pid file of the local pipeline ({error}). Delete it; "
                    f"a process it may have meant carries {_TOKEN} in its environment."
                ) from error


def carriers(tokens: Iterable[str]) -> list[psutil.Process]:
    """Every running process that carries one of the tokens."""
    wanted = set(tokens)
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(_TOKEN) in wanted and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue  # ended meanwhile, or another user's
    return found


def end_all(tokens: set[str]) -> None:
    """Ask every process that carries one of the tokens to end, and end those that do not listen."""
    asked: set[psutil.Process] = set()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while remaining := carriers(tokens):
        for process in remaining:
            try:
                if time.monotonic() > deadline:
                    process.kill()
                elif process not in asked:
                    process.terminate()
            except psutil.NoSuchProcess:
                continue
        asked.update(remaining)
        psutil.wait_procs(remaining, timeout=0.5)


def require_free_port(port: int, variable: str, purpose: str) -> None:
    """Make sure that nobody listens on a port yet.

    Raises:
        PortTakenError: Somebody does; names port, holder (where it can be known) and the variable to change.
    """
    if (holder := _listener(port)) is not None:
        raise PortTakenError(
            f"Port {port}, wanted for {purpose}, is taken by {holder}. "
            f"Stop that program, or choose another port: {variable}={port + 1} make ..."
        )


def _listener(port: int) -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            return "the system (ports below 1024 are reserved)"
        except OSError:
            return _holder(port)
    return None


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                process = psutil.Process(connection.pid)
                return f"`{' '.join(process.cmdline())[:100]}` (pid {connection.pid})"
    except psutil.Error:
        pass  # some systems tell only root
    return "another program"


def require_alive(started: Started) -> None:
    """Make sure that a process has not ended by itself.

    Raises:
        StartError: It has; quotes the end of its log.
    """
    if not started.alive:
        raise StartError(f"{started.name} ended by itself. {_tail(started)}")


def _tail(started: Started) -> str:
    lines = Path(started.log).read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
    return "\n".join([f"The end of {started.log}:", *(f"    {line}" for line in lines)])
