"""Lambda's event source mappings as AWS describes them, and no function that only seems to run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.awslambda.utils import get_backend

from local.aws.wire import AwsError, Response


if TYPE_CHECKING:
    from local.aws.pipeline import Moto
    from local.aws.wire import Call

_STREAM_DEFAULTS: dict[str, Any] = {
    "BatchSize": 100,
    "MaximumBatchingWindowInSeconds": 0,
    "ParallelizationFactor": 1,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "BisectBatchOnFunctionError": False,
    "TumblingWindowInSeconds": 0,
    "FunctionResponseTypes": [],
    "DestinationConfig": {"OnFailure": {}},
    "LastProcessingResult": "No records processed",
}
"""What Lambda fills in for a mapping of a stream."""
_DESCRIBED = frozenset(
    {
        "CreateEventSourceMapping",
        "DeleteEventSourceMapping",
        "GetEventSourceMapping",
        "ListEventSourceMappings",
        "UpdateEventSourceMapping",
    }
)


class LambdaRule:
    """Completes what moto says about event source mappings."""

    def __init__(self, account: str, moto: Moto) -> None:
        self._account = account
        self._moto = moto

    def __call__(self, call: Call) -> Response | None:
        """Serve the operations on event source mappings; refuse to invoke."""
        if call.service != "lambda":
            return None
        if call.operation == "Invoke":
            raise AwsError("NotImplemented", "Functions are not run here: the delivery worker is its own process.", 501)
        if call.operation == "CreateEventSourceMapping":
            self._check_unique(call)
        if call.operation not in _DESCRIBED:
            return None
        response = self._moto.serve(call)
        return response if response.status >= 400 else _completed(response)

    def _check_unique(self, call: Call) -> None:
        wanted = call.json.get("EventSourceArn"), str(call.json.get("FunctionName", "")).rpartition(":")[2]
        for mapping in get_backend(self._account, call.region).list_event_source_mappings("", ""):
            if wanted == (mapping.event_source_arn, mapping.function_arn.rpartition(":")[2]):
                raise AwsError(
                    "ResourceConflictException",
                    f'The event source arn (" {wanted[0]} ") and function (" {wanted[1]} ") provided mapping already '
                    f"exists. Please update or delete the existing mapping with UUID {mapping.uuid}",
                )


def _completed(response: Response) -> Response:
    document = json.loads(response.body)
    mappings = document.get("EventSourceMappings")
    if mappings is None:
        document = _complete(document)
    else:
        document["EventSourceMappings"] = [_complete(mapping) for mapping in mappings]
    headers = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    return Response(response.status, headers | {"Content-Type": "application/json"}, json.dumps(document).encode())


def _complete(mapping: dict[str, Any]) -> dict[str, Any]:
    if ":kinesis:" not in mapping.get("EventSourceArn", ""):
        return mapping
    return _STREAM_DEFAULTS | {name: value for name, value in mapping.items() if value is not None}
