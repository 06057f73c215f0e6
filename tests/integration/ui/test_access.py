"""Who gets what: nobody without a session, everybody else by their permissions, and no answer without its headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from fastapi.routing import APIRoute

from dmd_pipeline.ui.application import create_application


if TYPE_CHECKING:
    import httpx

    from tests.integration.ui.api_server import ApiServer

EXAMPLES = {"table": "demand", "day": "2026-03-01", "name:path": "pages.css", "anything:path": "no/such/page"}
ROUTES = [route for route in create_application().routes if isinstance(route, APIRoute)]
ADDRESSES = sorted({re.sub(r"\{([^}]+)\}", lambda found: EXAMPLES[found[1]], route.path) for route in ROUTES})

every_address = pytest.mark.parametrize("address", ADDRESSES)


def test_there_are_addresses_and_all_of_them_only_read() -> None:
    """Guards the tests below: without addresses each of them would pass."""
    assert {"/", "/demand", "/demand/2026-03-01", "/docs/demand/2026-03-01"} <= set(ADDRESSES)
    assert {method for route in ROUTES for method in route.methods} == {"GET"}
    assert len(ROUTES) == len(create_application().routes), "nothing is mounted beside them"


@every_address
def test_a_visitor_without_a_session_gets_nothing(nobody: httpx.Client, address: str) -> None:
    answer = nobody.get(f"/dq{address}", headers={"Accept": "*/*"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})


@every_address
def test_a_forged_session_gets_nothing(nobody: httpx.Client, address: str) -> None:
    nobody.cookies.set("_token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.")
    answer = nobody.get(f"/dq{address}")
    assert answer.status_code == 403
    assert "demand" not in answer.text


@every_address
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_changed(admin: httpx.Client, address: str, method: str) -> None:
    assert admin.request(method, f"/dq{address}").status_code == 405


@every_address
def test_every_answer_forbids_what_is_not_ours(admin: httpx.Client, nobody: httpx.Client, address: str) -> None:
    for client in (admin, nobody):
        headers = client.get(f"/dq{address}").headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] in {"'self'", "'none'"}
        assert policy["frame-ancestors"] == "'self'"
        assert policy["base-uri"] == "'none'"
        assert "unsafe" not in policy.get("script-src", "")
        assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "SAMEORIGIN")


def test_pages_are_kept_by_no_cache_and_files_for_ever(admin: httpx.Client) -> None:
    assert admin.get("/dq/").headers["cache-control"] == "no-store"
    assert admin.get("/dq/static/pages.css").headers["cache-control"] == "private, max-age=31536000, immutable"


def test_people_without_a_session_are_sent_to_the_login_and_back(nobody: httpx.Client) -> None:
    answer = nobody.get("/dq/demand")
    assert answer.status_code == 401
    assert 'data-login="/airflow/api/v2/auth/login"' in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'sha256-")


def test_a_token_in_a_header_serves_as_well_as_a_cookie(nobody: httpx.Client, api_server: ApiServer) -> None:
    headers = {"Authorization": f"Bearer {api_server.token('viewer')}"}
    assert nobody.get("/dq/", headers=headers).status_code == 200


def test_who_may_only_look_sees_the_pages_and_cannot_check_again(viewer: httpx.Client) -> None:
    page = viewer.get("/dq/demand/2026-03-01")
    assert page.status_code == 200
    assert re.search(r"<button[^>]*data-check-again[^>]* disabled", page.text)
    assert "you need the permission to trigger the DAG check_data_quality" in page.text
    asked = viewer.post("/api/v2/dags/check_data_quality/dagRuns", json={"logical_date": None, "conf": {}})
    assert asked.status_code == 403, "Airflow itself refuses too"


def test_who_may_trigger_can_check_again(admin: httpx.Client) -> None:
    button = re.search(r"<button[^>]*data-check-again[^>]*>", admin.get("/dq/demand/2026-03-01").text)
    assert button
    assert "disabled" not in button[0]


def test_airflow_shows_the_pages_in_its_navigation(admin: httpx.Client) -> None:
    [plugin] = [one for one in admin.get("/api/v2/plugins").json()["plugins"] if one["name"] == "dmd_ui"]
    [view] = plugin["external_views"]
    assert (view["name"], view["url_route"], view["destination"]) == ("Data quality", "data-quality", "nav")
    assert admin.get("/api/v2/plugins/importErrors").json()["total_entries"] == 0
    for icon in (view["icon"], view["icon_dark_mode"]):
        assert admin.get(f"/{icon}").headers["content-type"] == "image/svg+xml"
