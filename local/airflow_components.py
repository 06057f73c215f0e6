"""Airflow on this machine: which of its components run, and with which configuration.

Each component is started alone, because ``airflow standalone`` listens on every address and leaves children behind.
Nothing here is deferred yet, so nobody waits for the triggerer; it runs because the UI's first page paints a missing
one red.
"""

from __future__ import annotations

import json
import secrets
import shlex
import sys
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING

from local.workspace import HOST, REPOSITORY


if TYPE_CHECKING:
    from local.workspace import Workspace

AIRFLOW = str(Path(sys.executable).with_name("airflow"))
MIGRATE = [AIRFLOW, "db", "migrate"]


def commands(workspace: Workspace) -> dict[str, list[str]]:
    """The command of each component, by its name."""
    port = str(workspace.airflow_port)
    return {
        "api-server": [AIRFLOW, "api-server", "--host", HOST, "--port", port, "--workers", "1"],
        # Without --skip-serve-logs a second server would offer the task logs, on every address.
        "scheduler": [AIRFLOW, "scheduler", "--skip-serve-logs"],
        "dag-processor": [AIRFLOW, "dag-processor"],
        "triggerer": [AIRFLOW, "triggerer", "--skip-serve-logs"],
    }


def configuration(workspace: Workspace) -> dict[str, str]:
    """The variables that configure Airflow, with keys drawn for this start."""
    return {
        **workspace.environment(),
        **_places(workspace),
        **_keys(),
        "AIRFLOW_CONN_AWS_DEFAULT": json.dumps(
            {
                "conn_type": "aws",
                "login": "local",
                "password": "local",
                "extra": {"region_name": "us-east-1", "endpoint_url": workspace.aws_url},
            }
        ),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Everything listens on this machine's own address only, so whoever can connect may do everything.
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        # An edited DAG shows within seconds; a real deployment has no reason to look so often.
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "2",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "15",
        "AIRFLOW__DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
        # Lines of logs name batches by sequence numbers of 56 digits: unwrapped, what they say is out of sight.
        "AIRFLOW__API__DEFAULT_WRAP": "True",
        # Nothing phones home.
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "GX_ANALYTICS_ENABLED": "False",
        # Airflow 3.3's own ignore-file reader uses the old name of a pathspec class: a warning in every task log.
        "PYTHONWARNINGS": "ignore:GitWildMatchPattern:DeprecationWarning",
    }


def write_environment(workspace: Workspace, variables: dict[str, str]) -> None:
    """Keep the variables in a file that only this user can read, for ``airflow`` commands typed by hand."""
    lines = [
        "# Written by each start of the local pipeline. To type airflow commands yourself:",
        f"#   set -a; . {workspace.airflow_environment}; set +a; .venv/bin/airflow dags list",
        *(f"{name}={shlex.quote(value)}" for name, value in sorted(variables.items())),
    ]
    workspace.airflow_environment.unlink(missing_ok=True)
    workspace.airflow_environment.touch(mode=0o600)
    workspace.airflow_environment.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _places(workspace: Workspace) -> dict[str, str]:
    home = workspace.airflow_home
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{workspace.airflow_url}/execution/",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__API__BASE_URL": workspace.airflow_url,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(workspace.airflow_port),
    }


def _keys() -> dict[str, str]:
    return {
        "AIRFLOW__CORE__FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
    }
