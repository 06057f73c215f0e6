"""What travels through the local AWS: a call that came in, the response that goes out, and errors in between."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from botocore.exceptions import UnknownServiceError
from moto.core.utils import get_service_model


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from wsgiref.types import WSGIEnvironment

_BAD_REQUEST = 400
_REQUEST_ID = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Response:
    """An HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Call:
    """One request of a client, with the service and operation it is for.

    Attributes:
        service: Name of the service as boto3 spells it, ``"glue"``.
        operation: Name of the operation, ``"GetPartitions"``; ``"Unknown"`` when no operation of the service fits.
        protocol: Wire protocol of the request, ``"json"``, ``"query"``, ``"rest-xml"``, …
        region: The region the request was signed for.
        environ: The WSGI environment.
        body: The request's body.
    """

    service: str
    operation: str
    protocol: str
    region: str
    environ: WSGIEnvironment
    body: bytes

    @property
    def name(self) -> str:
        """Service and operation as the call log spells them, ``"glue:GetPartitions"``."""
        return f"{self.service}:{self.operation}"

    @cached_property
    def json(self) -> dict[str, Any]:
        """The body of a JSON protocol's request, decoded."""
        try:
            document = json.loads(self.body or b"{}")
        except ValueError as error:
            raise AwsError("SerializationException", f"The request is not JSON: {error}") from error
        if not isinstance(document, dict):
            raise AwsError("SerializationException", "Start of structure or map found where not expected.")
        return document

    @cached_property
    def query(self) -> dict[str, str]:
        """The query string's arguments; the first value of each."""
        arguments = parse_qs(self.environ.get("QUERY_STRING", ""), keep_blank_values=True)
        return {name: values[0] for name, values in arguments.items()}

    def rewind(self) -> WSGIEnvironment:
        """The WSGI environment with the body at its beginning, for the next application."""
        self.environ["wsgi.input"] = io.BytesIO(self.body)
        return self.environ


class AwsError(Exception):
    """An error that a client shall see as AWS shows it: a code and a message in the protocol of the call.

    Attributes:
        code: The error's code, ``"ThrottlingException"``.
        message: For people.
        status: HTTP status, or None for the one that the service's model gives the code (else 400).
        details: Further members of the error, where the protocol is JSON.
    """

    def __init__(self, code: str, message: str, status: int | None = None, **details: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.details = details


def json_response(document: Mapping[str, Any]) -> Response:
    """A response of the JSON protocol."""
    body = json.dumps(document, separators=(",", ":"), default=_epoch_seconds).encode()
    return Response(200, {"Content-Type": "application/x-amz-json-1.1"}, body)


def _epoch_seconds(moment: object) -> float:
    """A point in time as the JSON protocols write it."""
    if not isinstance(moment, datetime):
        raise TypeError(f"{type(moment).__name__} has no place in a response: {moment!r}")
    return moment.timestamp()


def error_response(call: Call, error: AwsError) -> Response:
    """Render an error in the protocol of the call it answers."""
    status = error.status or _modelled_status(call.service, error.code)
    headers, body = _ERROR_SHAPES.get(call.protocol, _json_error)(error, status)
    return Response(status, {**headers, "x-amzn-RequestId": _REQUEST_ID}, body.encode())


def _json_error(error: AwsError, status: int) -> tuple[dict[str, str], str]:
    fault = "Receiver" if status >= 500 else "Sender"
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-query-error": f"{error.code};{fault}"}
    return headers, json.dumps({"__type": error.code, "message": error.message, **error.details})


def _rest_json_error(error: AwsError, status: int) -> tuple[dict[str, str], str]:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
    return headers, json.dumps({"Type": "Service" if status >= 500 else "User", "message": error.message})


def _query_error(error: AwsError, status: int) -> tuple[dict[str, str], str]:
    fault = "Receiver" if status >= 500 else "Sender"
    body = (
        f"<ErrorResponse><Error><Type>{fault}</Type><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
    )
    return {"Content-Type": "text/xml"}, body


def _rest_xml_error(error: AwsError, _: int) -> tuple[dict[str, str], str]:
    body = (
        f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        f"<RequestId>{_REQUEST_ID}</RequestId></Error>"
    )
    return {"Content-Type": "application/xml"}, body


_ERROR_SHAPES: dict[str, Callable[[AwsError, int], tuple[dict[str, str], str]]] = {
    "json": _json_error,
    "rest-json": _rest_json_error,
    "query": _query_error,
    "rest-xml": _rest_xml_error,
}


@cache
def _modelled_status(service: str, code: str) -> int:
    """The HTTP status that the service's model gives an error code."""
    try:
        model = get_service_model(service)
    except UnknownServiceError:
        return _BAD_REQUEST
    for shape in model.error_shapes:
        if code in (shape.name, shape.error_code):
            return int(shape.metadata.get("error", {}).get("httpStatusCode", _BAD_REQUEST))
    return _BAD_REQUEST
