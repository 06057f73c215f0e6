"""Broken summaries, and an S3 that does not answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.ui.conftest import put
from tests.integration.ui.test_calendar import cells


if TYPE_CHECKING:
    import httpx

    from local.aws import LocalAws
    from tests.integration.ui.fabricated import Documents

BODIES = {
    "nothing": b"",
    "cut off": b'{"version": 1, "table": "demand"',
    "no object": b"[1, 2]",
    "no text": b"\xff\xfe\x00",
    "of another table": b'{"version": 1, "table": "sale", "year": 2026, "seen_at": "2026-03-01T12:00Z", "dates": {}}',
    "no date": b'{"version": 1, "table": "demand", "year": 2026, "seen_at": "2026-03-01T12:00Z", "dates": {"x": {}}}',
    "script": b'{"version": "<script>alert(1)</script>"}',
}
ADDRESSES = ("", "demand", "demand/2026-03-01")


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_broken_summary_is_named_and_breaks_nothing_else(
    admin: httpx.Client, aws: LocalAws, documents: Documents, body: bytes
) -> None:
    today = documents.now.date()
    documents.judge("sale", today)
    key = aws.settings.layout.quality_summary_key("demand", today.year)
    documents.objects[key] = body
    put(aws, documents)

    answer = admin.get("/dq/")

    assert answer.status_code == 200
    assert f"broken document: {key}: " in answer.text
    assert "<script>alert" not in answer.text
    assert cells(answer.text)[f"/airflow/dq/sale/{today}"][0] == "passed"
    for address in (f"demand/{today}", "demand"):
        page = admin.get(f"/dq/{address}")
        assert (page.status_code, f"broken document: {key}: " in page.text) == (200, True)


def test_one_broken_entry_does_not_hide_that_it_is_broken(
    admin: httpx.Client, aws: LocalAws, documents: Documents
) -> None:
    today = documents.now.date()
    documents.judge("demand", today)
    documents.look_at("demand", today)[today.isoformat()]["verdict"]["verdict"] = "splendid"
    put(aws, documents)
    page = admin.get("/dq/").text
    assert f"broken document: {aws.settings.layout.quality_summary_key('demand', today.year)}: " in page
    assert "splendid" not in {state for state, _ in cells(page).values()}


@pytest.mark.parametrize("address", ADDRESSES)
def test_s3_out_of_reach_is_told_in_a_page(admin: httpx.Client, aws: LocalAws, address: str) -> None:
    aws.fail("s3:GetObject", "ServiceUnavailable", times=99, status=503)
    answer = admin.get(f"/dq/{address}")
    aws.heal()
    assert answer.status_code == 503
    assert "S3 cannot be read" in answer.text
    assert "Traceback" not in answer.text
    assert admin.get(f"/dq/{address}").status_code == 200, "it recovers"


def test_a_refusal_names_what_was_refused(admin: httpx.Client, aws: LocalAws) -> None:
    aws.fail("s3:GetObject", "AccessDenied", times=99, status=403, message="not authorized to perform: s3:GetObject")
    answer = admin.get("/dq/demand")
    aws.heal()
    assert answer.status_code == 503
    assert "AccessDenied: not authorized to perform: s3:GetObject" in answer.text


def test_a_program_is_told_in_json(admin: httpx.Client) -> None:
    answer = admin.get("/dq/orders", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert json.loads(answer.text)["detail"].startswith("There is no table 'orders'")
