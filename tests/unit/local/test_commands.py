from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from local.__main__ import main


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def empty_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A place where nothing runs; the process's environment and signal handlers are as before afterwards."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "AIRFLOW_"))]:
        monkeypatch.delenv(name)
    for name, value in {"DMD_LOCAL_DIR": str(tmp_path), "DMD_AWS_PORT": "1", "DMD_AIRFLOW_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
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
