"""The pages as an application that is built when somebody first asks for a page.

Airflow loads its plugins in every component, tasks included, and only the api-server ever serves a page. What the
pages need (FastAPI with Airflow's permissions, boto3, Jinja2) costs seconds to import, so nobody else pays for it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class Pages:
    """An ASGI application that stands for the pages until they are needed."""

    def __init__(self) -> None:
        self._application: ASGIApp | None = None
        self._building = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if self._application is None:
            from anyio import to_thread

            await to_thread.run_sync(self._build)  # Airflow's own pages need not wait for it
        if self._application is None:
            raise RuntimeError("the pages were not built")
        await self._application(scope, receive, send)

    def _build(self) -> None:
        with self._building:
            if self._application is None:
                from dmd_pipeline.ui.application import create_application

                self._application = create_application()
