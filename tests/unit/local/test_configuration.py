"""A mistake in what people configure is one line, before anything is started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local.workspace import REPOSITORY


if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the local pipeline runs from, to be spoiled."""
    for folder in ("include", "plugins", "local"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def python(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(checkout / "plugins"), str(checkout)])
    ports = {"DMD_AWS_PORT": "4991", "DMD_AIRFLOW_PORT": "4992", "DMD_LOCAL_DIR": str(checkout / ".local")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env={**os.environ, "DMD_ENV": "local", "PYTHONPATH": path, **ports, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", [("local", "up"), ("local", "demo"), ("local.aws",)], ids=" ".join)
@pytest.mark.parametrize("mistake", ["settings", "schema"])
def test_a_mistake_is_one_line_and_nothing_is_started(checkout: Path, command: tuple[str, ...], mistake: str) -> None:
    settings, schema = checkout / "include/environments/local.yaml", checkout / "include/schemas/sale.avsc"
    if mistake == "settings":
        settings.write_text(f"{settings.read_text(encoding='utf-8')}\ncolour: blue\n", encoding="utf-8")
    else:
        schema.unlink()

    ran = python(checkout, "-m", *command)

    assert ran.returncode == 2, ran.stderr
    assert ran.stderr.count("\n") == 1, ran.stderr
    assert ("colour" if mistake == "settings" else "sale") in ran.stderr
    assert not (checkout / ".local").exists()


@pytest.mark.parametrize("port", ["http", "70000"])
def test_the_local_aws_refuses_a_port_that_is_none_in_one_line(checkout: Path, port: str) -> None:
    ran = python(checkout, "-m", "local.aws", DMD_AWS_PORT=port)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"DMD_AWS_PORT={port}: expected a port, 1 to 65535.\n"
