from __future__ import annotations

from pathlib import Path

import pytest

from local.errors import UsageError
from local.workspace import REPOSITORY, Workspace


def test_without_variables_the_workspace_is_the_repositorys_with_the_documented_ports() -> None:
    workspace = Workspace.from_environment({})

    assert workspace == Workspace(REPOSITORY / ".local", 4566, 8080)
    assert workspace.aws_url == "http://127.0.0.1:4566"


def test_variables_make_a_second_pipeline_possible() -> None:
    variables = {"DMD_LOCAL_DIR": "/tmp/other", "DMD_AWS_PORT": "5000", "DMD_AIRFLOW_PORT": "5001"}  # noqa: S108

    assert Workspace.from_environment(variables) == Workspace(Path("/tmp/other"), 5000, 5001)  # noqa: S108


@pytest.mark.parametrize("port", ["http", "-1", "0", "65536", "80.5"])
def test_a_port_that_is_none_is_refused_by_name(port: str) -> None:
    with pytest.raises(UsageError, match=f"DMD_AWS_PORT={port}"):
        Workspace.from_environment({"DMD_AWS_PORT": port})


def test_the_processes_of_a_workspace_find_each_other_again() -> None:
    workspace = Workspace(Path("/somewhere"), 5000, 5001)

    assert Workspace.from_environment(workspace.environment()) == workspace
