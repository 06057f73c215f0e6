"""Athena's API, answered by the local Athena on the same catalog and objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.athena.errors import AthenaApiError
from local.athena.moto_ports import MotoCatalog, MotoObjects
from local.athena.service import AthenaService
from local.aws.wire import AwsError, Response, json_response


if TYPE_CHECKING:
    from local.aws.wire import Call


class AthenaRule:
    """Answers every call of Athena; nothing of moto's Athena is left."""

    def __init__(self, account: str, region: str) -> None:
        self.service = AthenaService(MotoCatalog(account, region), MotoObjects(account))

    def __call__(self, call: Call) -> Response | None:
        """Answer a call of Athena."""
        if call.service != "athena":
            return None
        try:
            return json_response(self.service.handle(call.operation, call.json))
        except AthenaApiError as error:
            raise AwsError(error.code, error.message, error.status) from error

    def reset(self) -> None:
        """Stop what runs and forget all executions, work groups and named queries."""
        self.service.reset()

    def close(self) -> None:
        """Stop what runs and give the memory back."""
        self.service.close()
