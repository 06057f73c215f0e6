from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from local.__main__ import main
from local.delivery_worker.crashes import AT_ONCE, CrashPoint
from local.demo import Demo
from local.workspace import REPOSITORY


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# `python -m local down`: tells when the interpreter itself has started, and does not end before it is interrupted.
_STARTING_SLOWLY = """
import runpy, sys, time
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "local.commands":
            print("loading", flush=True)
        if name == "local.pipeline":
            time.sleep(5)
sys.meta_path.insert(0, Slow())
sys.argv[1:] = ["down"]
runpy.run_module("local", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(autouse=True)
def empty_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A place where nothing runs; the process's environment and signal handlers are as before afterwards."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "AIRFLOW_"))]:
        monkeypatch.delenv(name)
    for name, value in {"DMD_LOCAL_DIR": str(tmp_path), "DMD_AWS_PORT": "1", "DMD_AIRFLOW_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DMD_ENV", raising=False)
    before, handler = dict(os.environ), signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)
    os.environ.clear()
    os.environ.update(before)


def test_an_account_of_the_shell_is_never_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", "https://glue.us-east-1.amazonaws.com")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://production")

    assert main(["down"]) == 0

    assert "AWS_PROFILE" not in os.environ
    assert "AWS_ENDPOINT_URL_GLUE" not in os.environ
    assert "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" not in os.environ
    assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"


def test_a_port_that_is_none_is_a_sentence_and_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DMD_AWS_PORT", "http")

    assert main(["up"]) == 2
    assert capsys.readouterr().err == "DMD_AWS_PORT=http: expected a port, 1 to 65535.\n"


@pytest.mark.parametrize("arguments", [["up"], ["demo"], ["run", "register_partitions"], ["traffic"], ["down"]])
def test_commands_are_refused_when_another_environment_is_named(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("DMD_ENV", "prod1")

    assert main(arguments) == 2
    assert capsys.readouterr().err == "DMD_ENV=prod1: this command is for the local pipeline only; unset DMD_ENV.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("environment", ["local", ""])
def test_the_local_environment_may_be_named(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DMD_ENV", environment)

    assert main(["down"]) == 0


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("milliseconds", [0, 300, 800])
def test_a_command_interrupted_while_it_is_loaded_says_so_and_nothing_else(
    sent: signal.Signals, milliseconds: int
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _STARTING_SLOWLY],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "loading\n"
        time.sleep(milliseconds / 1000)
        command.send_signal(sent)
        output, complaint = command.communicate(timeout=30)

    assert (command.returncode, output, complaint) == (130, "", "Interrupted.\n")


@pytest.mark.parametrize(
    "arguments",
    [[], ["sideways"], ["demo", "--records", "0"], ["demo", "--days", "many"], ["demo", "--crash-point", "never"]],
)
def test_what_makes_no_sense_is_refused_with_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)

    assert refused.value.code == 2
    assert "usage: python -m local" in capsys.readouterr().err


def test_traffic_without_a_pipeline_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["traffic"]) == 2
    assert capsys.readouterr().err == "The pipeline is not running: start it with `make up`.\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], AT_ONCE),
        (["--failing-batches", "4"], (*AT_ONCE, CrashPoint.BEFORE_WRITES)),
        (["--crash-point", "after_writes", "--failing-batches", "2"], (CrashPoint.AFTER_WRITES,) * 2),
        (["--failing-batches", "0"], ()),
    ],
)
def test_batches_fail_at_all_points_in_turn_unless_told_otherwise(
    arguments: list[str], expected: tuple[CrashPoint, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Demo] = []
    monkeypatch.setattr(Demo, "show", lambda demo: shown.append(demo))

    assert main(["demo", *arguments]) == 0
    assert [demo.size.crash_points for demo in shown] == [expected]
