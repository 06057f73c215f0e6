"""A real api-server with a login, in front of the local AWS, which it reaches over a connection in its database."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from local import airflow_components
from local.workspace import HOST, Workspace
from tests.integration.ui.api_server import serving
from tests.integration.ui.fabricated import Documents


if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from local.aws import LocalAws
    from tests.integration.ui.api_server import ApiServer

PREFIX = "/airflow"
"""The server sits behind a prefix, as it mostly does: a link that forgets it leads nowhere."""


@pytest.fixture(scope="session")
def api_server(local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """The api-server alone: no scheduler, so that nothing ever changes behind a test's back."""
    home = tmp_path_factory.mktemp("api-server")
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    workspace = Workspace(home, int(local_aws.url.rpartition(":")[2]), port)
    workspace.airflow_home.mkdir()
    environment = airflow_components.configuration(workspace)
    # Only the connection in the database leads to the local AWS.
    for variable in ("AIRFLOW_CONN_AWS_DEFAULT", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del environment[variable]
    migrate = airflow_components.MIGRATE
    subprocess.run(migrate, env={**os.environ, **environment}, check=True, capture_output=True)
    with serving(home, environment, port, PREFIX) as server:
        _connect(server, local_aws)
        yield server


def _connect(server: ApiServer, local_aws: LocalAws) -> None:
    connection = {
        "connection_id": local_aws.settings.aws_conn_id,
        "conn_type": "aws",
        "login": "local",
        "password": "local",
        "extra": json.dumps({"region_name": local_aws.settings.region, "endpoint_url": local_aws.url}),
    }
    with server.session("admin") as admin:
        admin.post("/api/v2/connections", json=connection).raise_for_status()


@pytest.fixture
def admin(aws: LocalAws, api_server: ApiServer) -> Iterator[httpx.Client]:
    """The browser of somebody who may do everything; S3 is empty."""
    with api_server.session("admin") as client:
        aws.calls.clear()
        yield client


@pytest.fixture
def viewer(aws: LocalAws, api_server: ApiServer) -> Iterator[httpx.Client]:
    """The browser of somebody who may only look; S3 is empty."""
    with api_server.session("viewer") as client:
        aws.calls.clear()
        yield client


@pytest.fixture
def nobody(aws: LocalAws, api_server: ApiServer) -> Iterator[httpx.Client]:
    """The browser of somebody who is not logged in."""
    with api_server.session(None) as client:
        aws.calls.clear()
        yield client


@pytest.fixture
def documents(aws: LocalAws) -> Documents:
    """Documents to be; :func:`put` them into S3 when they are complete. They are of now."""
    return Documents(aws.settings, datetime.now(UTC))


def put(aws: LocalAws, documents: Documents) -> None:
    """Write all documents to S3, and count calls from here."""
    aws.seed_objects(aws.settings.bucket, documents.all())
    aws.calls.clear()
