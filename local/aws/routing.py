"""Which service and operation a request is for.

The service is the one the request was signed for. The operation is named by the request in the JSON and query
protocols; in the REST protocols it follows from method, path, query string and headers by botocore's own model.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from botocore.exceptions import UnknownServiceError
from moto.core.request import Request
from moto.core.routing import get_router_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from local.aws.wire import Call


if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from moto.core.routing import ProtocolRouter

UNKNOWN = "Unknown"
_SERVICE_OF_SIGNING_NAME = {"monitoring": "cloudwatch"}
_DEFAULT_REGION = "us-east-1"


def identify(environ: WSGIEnvironment, body: bytes) -> Call:
    """Name the service and operation of a request."""
    service, region = _signed_for(environ)
    operation, protocol = _operation(service, environ, body)
    return Call(service, operation, protocol, region, environ, body)


def _signed_for(environ: WSGIEnvironment) -> tuple[str, str]:
    """Service and region of the request's credential scope; an unsigned request counts as one to S3."""
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    scope = authorization.partition("Credential=")[2].partition(",")[0]
    if not scope:
        query = parse_qs(environ.get("QUERY_STRING", ""))
        scope = unquote(query.get("X-Amz-Credential", [""])[0])
    parts = scope.split("/")
    if len(parts) != 5:
        return "s3", _DEFAULT_REGION
    _, _, region, service, _ = parts
    return _SERVICE_OF_SIGNING_NAME.get(service, service), region


def _operation(service: str, environ: WSGIEnvironment, body: bytes) -> tuple[str, str]:
    """The operation, and the protocol in which the client speaks."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return target.rpartition(".")[2], "json"
    content_type = environ.get("CONTENT_TYPE", "")
    if content_type.startswith("application/x-www-form-urlencoded") and service != "s3":
        return parse_qs(body.decode("utf-8", "replace")).get("Action", [UNKNOWN])[0], "query"
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        return environ["PATH_INFO"].rpartition("/")[2], "smithy-rpc-v2-cbor"
    return _rest_operation(service, environ)


def _rest_operation(service: str, environ: WSGIEnvironment) -> tuple[str, str]:
    router, protocol = _rest_router(service)
    if router is None:
        return UNKNOWN, protocol
    try:
        operation, _ = router.match(Request(environ))
    except NotFound:
        return UNKNOWN, protocol
    return str(operation.name), protocol


@cache
def _rest_router(service: str) -> tuple[ProtocolRouter | None, str]:
    try:
        model = get_service_model(service)
    except UnknownServiceError:
        return None, "rest-json"
    protocol = str(model.metadata["protocol"])
    router_class = get_router_class(service, protocol)
    return (router_class(model) if router_class is not None else None), protocol
