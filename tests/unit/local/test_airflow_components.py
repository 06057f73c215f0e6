from __future__ import annotations

import stat
from pathlib import Path

from local import airflow_components
from local.workspace import Workspace


WORKSPACE = Workspace(Path("/somewhere"), 5000, 5001)


def test_every_start_draws_other_keys() -> None:
    one, other = (airflow_components.configuration(WORKSPACE) for _ in range(2))

    for name in ("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET"):
        assert one[name] != other[name]


def test_tasks_report_to_the_port_that_was_chosen() -> None:
    variables = airflow_components.configuration(WORKSPACE)

    assert variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:5001/execution/"
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5000"


def test_the_file_with_the_keys_is_for_this_user_alone(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, 5000, 5001)
    workspace.airflow_environment.write_text("left by an earlier start")
    workspace.airflow_environment.chmod(0o644)

    airflow_components.write_environment(workspace, {"A": "it's"})

    assert stat.S_IMODE(workspace.airflow_environment.stat().st_mode) == 0o600
    assert workspace.airflow_environment.read_text().splitlines()[-1] == """A='it'"'"'s'"""
