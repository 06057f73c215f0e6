"""An api-server with a login, and what a browser of one of its users asks of it."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from local.airflow_components import AIRFLOW
from local.pipeline import answers
from local.waiting import wait_for
from local.workspace import HOST


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

START_SECONDS = 120.0
HTML = {"Accept": "text/html,application/xhtml+xml"}
ROLES = ("admin", "viewer")
"""Each is also the name of the user who has it, and the user's password."""


@dataclass(frozen=True)
class ApiServer:
    """A running api-server.

    Attributes:
        url: Its address, with the prefix.
    """

    url: str

    def session(self, user: str | None) -> httpx.Client:
        """A browser in which somebody is logged in; nobody when None."""
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=30, headers=HTML)
        if user is not None:
            client.cookies.set("_token", self.token(user))
        return client

    def token(self, user: str) -> str:
        """What proves who somebody is."""
        answer = httpx.post(f"{self.url}/auth/token", json={"username": user, "password": user}, trust_env=False)
        return str(answer.raise_for_status().json()["access_token"])


@contextmanager
def serving(home: Path, environment: Mapping[str, str], port: int, prefix: str = "") -> Iterator[ApiServer]:
    """Start an api-server and wait for it.

    Args:
        home: Folder for its passwords and its log.
        environment: Airflow's configuration, with a database that is ready.
        port: Where it listens.
        prefix: Part of its address in front of every path.
    """
    url = f"http://{HOST}:{port}{prefix}"
    passwords = home / "passwords.json"
    passwords.write_text(json.dumps({role: role for role in ROLES}), encoding="utf-8")
    guarded = {
        **os.environ,
        **environment,
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{role}:{role}" for role in ROLES),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
    }
    command = [AIRFLOW, "api-server", "--host", HOST, "--port", str(port), "--workers", "1"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=guarded, stdout=log, stderr=log)
    try:
        wait_for(lambda: answers(f"{url}/api/v2/monitor/health"), "the api-server", START_SECONDS, every=0.25)
        yield ApiServer(url)
    finally:
        process.terminate()
        process.wait(30)
