"""Who may see the pages, and what somebody sees who may not.

A mounted application is open to everybody unless its routes ask for a login. Every route here asks; so does the one
that answers for addresses that do not exist, so that a visitor without a session learns nothing at all.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag, requires_access_view
from airflow.models.dag import DagModel
from fastapi import Depends
from starlette.responses import HTMLResponse


if TYPE_CHECKING:
    from starlette.responses import Response

DAG_ID: Final = "check_data_quality"
"""The DAG that gives the verdicts: who may read it may read them, who may trigger it may ask for another."""

LOGGED_IN: Final = Depends(requires_access_view(AccessView.WEBSITE))
"""Whoever may open the Airflow UI."""
READERS: Final = Depends(requires_access_dag(method="GET", param_dag_id=DAG_ID))
"""Whoever may read the DAG."""


def may_check_again(user: GetUserDep) -> bool:
    """Whether a user may trigger the DAG; Airflow asks the same when it is triggered."""
    details = DagDetails(id=DAG_ID, team_name=DagModel.get_team_name(DAG_ID))
    return get_auth_manager().is_authorized_dag(
        method="POST", access_entity=DagAccessEntity.RUN, details=details, user=user
    )


# Inside Airflow's frame, Airflow's own UI is asked again and goes to its login. Once: if it comes back with a frame
# that still has no session, the sentence remains.
_SIGN_IN: Final = """
const again = Number(sessionStorage.getItem("dmd-signed-out") || 0) > Date.now() - 15000;
sessionStorage.setItem("dmd-signed-out", String(Date.now()));
if (window.parent === window) {
  location.replace(document.body.dataset.login + "?next=" + encodeURIComponent(location.href));
} else if (!again) {
  window.parent.location.reload();
}
"""


def _page(title: str, text: str, status: HTTPStatus, script: str = "", login: str = "") -> HTMLResponse:
    """A page that loads nothing: whoever sees it may not load anything either."""
    content = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f'<title>{escape(title)}</title></head><body data-login="{escape(login)}"><h1>{escape(title)}</h1>'
        f"<p>{escape(text)}</p><script>{script}</script></body></html>"
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; frame-ancestors 'self'; base-uri 'none'"
    return HTMLResponse(content, status, headers={"Content-Security-Policy": policy})


def signed_out_page(airflow_root: str) -> Response:
    """Send a visitor without a session to the login, and back here afterwards."""
    return _page(
        "Signed out",
        "Your session has ended. Reload the page to sign in.",
        HTTPStatus.UNAUTHORIZED,
        _SIGN_IN,
        f"{airflow_root}/api/v2/auth/login",
    )


def forbidden_page() -> Response:
    """Tell a user that these pages are not for them."""
    return _page(
        "Not allowed",
        f"You may not see the data quality pages: they need the permission to read the DAG {DAG_ID}. Ask whoever "
        "administers Airflow.",
        HTTPStatus.FORBIDDEN,
    )
