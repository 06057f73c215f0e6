"""Athena's API, answered by the local Athena on the same catalog and objects; nothing of moto's Athena is left."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from local.athena.errors import AthenaApiError
from local.aws.wire import AwsError, Call, Response, json_response


if TYPE_CHECKING:
    from local.athena.service import AthenaService


class AthenaRule:
    """Answers every call of Athena; the engine is started by the first of them."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region
        self._service: AthenaService | None = None
        self._starting = threading.Lock()

    def __call__(self, call: Call) -> Response | None:
        """Let the engine answer; a refusal keeps its code, message and details."""
        if call.service != "athena":
            return None
        try:
            return json_response(self._engine().handle(call.operation, call.json))
        except AthenaApiError as error:
            raise AwsError(error.code, error.message, error.status, **error.details) from error

    def reset(self) -> None:
        """Stop what runs and forget all executions, work groups and named queries."""
        if self._service is not None:
            self._service.reset()

    def close(self) -> None:
        """Stop what runs and give the memory back."""
        if self._service is not None:
            self._service.close()
            self._service = None

    def _engine(self) -> AthenaService:
        with self._starting:
            if self._service is None:
                # Imported here: the engine's libraries take longer to load than everything else together.
                from local.athena.moto_ports import MotoCatalog, MotoObjects
                from local.athena.service import AthenaService

                catalog = MotoCatalog(self._account, self._region)
                self._service = AthenaService(catalog, MotoObjects(self._account))
            return self._service
