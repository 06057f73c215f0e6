"""The one way every request takes: record → injected faults → rules → moto.

A *rule* looks at a call of one service. It may refuse it (raise :class:`~local.aws.wire.AwsError`), answer it (return
a response) or leave it to the next rule and finally to moto (return None).
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from local.aws.control import PREFIX
from local.aws.routing import identify
from local.aws.wire import AwsError, Call, Response, error_response


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIEnvironment

    from local.aws.calls import CallLog
    from local.aws.control import Control
    from local.aws.faults import Faults

logger = logging.getLogger(__name__)


class Rule(Protocol):
    """Something that AWS does and moto does not."""

    def __call__(self, call: Call) -> Response | None:
        """Answer the call, or return None to leave it to the next rule; raises AwsError to refuse it."""


class Moto:
    """moto's server application, as the last stage of the pipeline."""

    def __init__(self) -> None:
        self._application = DomainDispatcherApplication(create_backend_app)

    def serve(self, call: Call) -> Response:
        """Let moto answer."""
        body, status, headers = run_wsgi_app(self._application, call.rewind(), buffered=True)
        return Response(int(status.partition(" ")[0]), dict(headers), b"".join(body))


class Pipeline:
    """The WSGI application of the local AWS."""

    def __init__(self, calls: CallLog, faults: Faults, control: Control, rules: Sequence[Rule], moto: Moto) -> None:
        self._calls = calls
        self._faults = faults
        self._control = control
        self._rules = rules
        self._moto = moto

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        body: bytes = environ["wsgi.input"].read()
        path: str = environ["PATH_INFO"]
        if path.startswith(PREFIX):
            response = self._control.answer(environ["REQUEST_METHOD"], path, body)
        else:
            response = self._answer(identify(environ, body))
        phrase = HTTPStatus(response.status).phrase
        start_response(f"{response.status} {phrase}", list(response.headers.items()))
        return [response.body]

    def _answer(self, call: Call) -> Response:
        self._calls.record(call.name)
        try:
            self._faults.strike(call.name)
            for rule in self._rules:
                response = rule(call)
                if response is not None:
                    return response
            return self._moto.serve(call)
        except AwsError as error:
            return error_response(call, error)
        except NotImplementedError as error:
            return error_response(call, AwsError("NotImplemented", f"{call.name}: {error}", 501))
        except Exception:
            # The defect is ours: say so where it can be seen, and let the client retry as after any InternalError.
            logger.exception("%s: the local AWS failed", call.name)
            return error_response(call, AwsError("InternalFailure", "The local AWS failed: see its log.", 500))
