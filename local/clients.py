"""Clients of the local AWS for the local commands, whatever AWS account the shell that runs them points to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pyathena
from botocore.config import Config


if TYPE_CHECKING:
    from pyathena.connection import Connection

    from dmd_pipeline.settings import Settings
    from local.workspace import Workspace

_PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 12})  # a shard is read by others, too


class LocalClients:
    """Makes clients of one local pipeline's AWS, each once."""

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        self._workspace = workspace
        self._settings = settings
        self._access: dict[str, Any] = {
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
            "region_name": settings.region,
        }
        self._made: dict[str, Any] = {}
        self._connection: Connection[Any] | None = None

    def __call__(self, service: str) -> Any:
        """The boto3 client of a service."""
        if service not in self._made:
            session: Any = boto3.Session(**self._access)
            self._made[service] = session.client(service, endpoint_url=self._workspace.aws_url, config=_PATIENT)
        return self._made[service]

    def athena(self) -> Connection[Any]:
        """The PyAthena connection to the environment's database."""
        if self._connection is None:
            self._connection = pyathena.connect(
                endpoint_url=self._workspace.aws_url,
                schema_name=self._settings.database,
                work_group=self._settings.workgroup,
                poll_interval=0.1,
                **self._access,
            )
        return self._connection

    def close(self) -> None:
        """Close what was opened."""
        for client in self._made.values():
            client.close()
        if self._connection is not None:
            self._connection.client.close()
