"""The server's own addresses below ``/_local/``, for processes other than the one that serves.

========  ==================  ==================================================================================
method    path                meaning
========  ==================  ==================================================================================
GET       ``/_local/health``  ``{"status": "ready"}`` as soon as the environment's resources are made
POST      ``/_local/faults``  ``{"operation", "code", "times"?, "status"?, "message"?, "after"?}``: coming calls fail
DELETE    ``/_local/faults``  no call fails any more
GET       ``/_local/calls``   ``{"totals": {"glue:GetPartitions": 3, …}}``
DELETE    ``/_local/calls``   forget the calls counted so far
POST      ``/_local/reset``   forget everything and make the environment's resources again
========  ==================  ==================================================================================
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.aws.faults import Fault
from local.aws.wire import Response


if TYPE_CHECKING:
    from collections.abc import Callable

    from local.aws.calls import CallLog
    from local.aws.faults import Faults

PREFIX = "/_local/"


class Control:
    """Answers the requests below ``/_local/``.

    Attributes:
        ready: Whether the environment's resources are made.
    """

    def __init__(self, calls: CallLog, faults: Faults, reset: Callable[[], None]) -> None:
        self.ready = False
        self._calls = calls
        self._faults = faults
        self._reset = reset
        self._routes: dict[tuple[str, str], Callable[[bytes], Response]] = {
            ("GET", "health"): self._health,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "calls"): self._totals,
            ("DELETE", "calls"): self._clear_calls,
            ("POST", "reset"): self._reset_all,
        }

    def answer(self, method: str, path: str, body: bytes) -> Response:
        """Serve one request."""
        route = self._routes.get((method, path.removeprefix(PREFIX)))
        if route is None:
            known = ", ".join(f"{method} {PREFIX}{name}" for method, name in self._routes)
            return _document({"error": f"unknown: {method} {path}; known: {known}"}, 404)
        return route(body)

    def _health(self, _: bytes) -> Response:
        return _document({"status": "ready"}) if self.ready else _document({"status": "starting"}, 503)

    def _add_fault(self, body: bytes) -> Response:
        try:
            fault = Fault(**json.loads(body))
        except (TypeError, ValueError) as error:
            return _document({"error": str(error)}, 400)
        self._faults.add(fault)
        return _document({})

    def _clear_faults(self, _: bytes) -> Response:
        self._faults.clear()
        return _document({})

    def _totals(self, _: bytes) -> Response:
        return _document({"totals": self._calls.totals()})

    def _clear_calls(self, _: bytes) -> Response:
        self._calls.clear()
        return _document({})

    def _reset_all(self, _: bytes) -> Response:
        self._reset()
        return _document({})


def _document(document: Any, status: int = 200) -> Response:
    return Response(status, {"Content-Type": "application/json"}, json.dumps(document).encode())
