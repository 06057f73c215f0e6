"""The page of one partition, as the api-server gives it."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.integration.ui.conftest import put
from tests.integration.ui.fabricated import CONTENT, OTHER, SENTENCE, expectation, seen


if TYPE_CHECKING:
    import httpx

    from local.aws import LocalAws
    from tests.integration.ui.fabricated import Documents

DAY = date(2026, 3, 1)
EVIL = "\"><script>alert(1)</script>'{{ 7 * 7 }}"
ESCAPED = "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#39;{{ 7 * 7 }}"


def states(page: str) -> list[tuple[str, str]]:
    """Every expectation with how it ended, in the order of the page."""
    return re.findall(r'data-expectation="([^"]+)" data-state="(\w+)"', page)


def test_a_failed_partition_says_what_does_not_hold(admin: httpx.Client, aws: LocalAws, documents: Documents) -> None:
    documents.judge("demand", DAY, "failed")
    put(aws, documents)

    page = admin.get("/dq/demand/2026-03-01").text

    for text in (
        "demand, Sun 1 March 2026: failed",
        "1 of 1 expectations does not hold",
        SENTENCE,
        "0.25 %",
        "3 of 1,200 rows",
        "at most 0.1 % unexpected",
        "evt-1",
        "xxx@xxxx.xx",
        "1 query, shared by 12 partitions, 833.3 kB scanned, 0.8 s",
        "$0.0000042",
        'href="/airflow/dq/demand/2026-02-28"',
        'href="/airflow/dq/demand/2026-03-02"',
        'href="/airflow/dq/demand/2026-03-01/docs"',
        'href="/airflow/dags/check_data_quality/runs/manual__2026-03-01T12%3A00%3A00%2B00%3A00"',
    ):
        assert text in page, text
    assert aws.calls.totals() == {"s3:GetObject": 3}, "the result, and the summaries of two years for the history"


def test_what_does_not_hold_stands_first(admin: httpx.Client, aws: LocalAws, documents: Documents) -> None:
    ended = {"passed": True, "sample": []}
    documents.judge(
        "demand",
        DAY,
        "failed",
        expectation(id="holds", **ended),
        expectation(id="not_measured", observed=None, element_count=None, unexpected_count=None, **ended),
        expectation(id="warns", severity="warn"),
        expectation(id="fails"),
    )
    put(aws, documents)

    assert states(admin.get("/dq/demand/2026-03-01").text) == [
        ("fails", "failed"),
        ("warns", "warned"),
        ("not_measured", "empty"),
        ("holds", "passed"),
    ]


def test_the_history_of_a_value_is_drawn(admin: httpx.Client, aws: LocalAws, documents: Documents) -> None:
    for ago in range(70):
        documents.judge("demand", DAY - timedelta(days=ago), observed={"event_id_present": ago / 100})
    put(aws, documents)

    page = admin.get("/dq/demand/2026-03-01").text

    assert 'aria-label="History: 0 to 0.6 on 61 dates"' in page, "of the day and the sixty before it, over new year"
    assert aws.calls.totals() == {"s3:GetObject": 3}


def test_a_stale_verdict_says_what_changed(admin: httpx.Client, aws: LocalAws, documents: Documents) -> None:
    documents.judge("demand", DAY, suite=OTHER)
    documents.enter(
        "demand", DAY, seen=seen(content=OTHER, files=4), verdict=documents.verdict("demand", DAY, suite=OTHER)
    )
    put(aws, documents)

    page = admin.get("/dq/demand/2026-03-01").text

    assert "The last verdict was “passed”" in page
    assert "The expectations changed since." in page
    assert "The data changed since: there are 4 files" in page
    assert SENTENCE in page, "the old verdict's expectations are shown"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("unknown", "Athena does not read 2 of its files."),
        ("unchecked", "Has data, and no verdict yet."),
        ("unregistered", "Has data that queries do not see yet."),
        ("empty", "Queries find the date, and no data in it."),
    ],
)
def test_a_partition_without_a_verdict_says_why(
    admin: httpx.Client, aws: LocalAws, documents: Documents, state: str, said: str
) -> None:
    documents.put_in_state("demand", DAY, state)
    put(aws, documents)
    assert said in admin.get("/dq/demand/2026-03-01").text


def test_a_date_without_a_partition_says_so(admin: httpx.Client) -> None:
    answer = admin.get("/dq/demand/2026-03-01")
    assert answer.status_code == 200
    assert "There is no partition of this date." in answer.text


def test_nothing_of_a_document_is_taken_for_html(admin: httpx.Client, aws: LocalAws, documents: Documents) -> None:
    sample = [{"reference_id": EVIL, "reference_timestamp": EVIL, "value": EVIL}]
    evil = expectation(sentence=EVIL, expected=EVIL, id=EVIL, sample=sample)
    documents.judge("demand", DAY, "unknown", evil, run_id=EVIL, reason=EVIL, engine=EVIL)
    put(aws, documents)

    page = admin.get("/dq/demand/2026-03-01").text

    assert page.count(ESCAPED) >= 8
    assert "<script>alert" not in page
    assert "49" not in re.sub(r"\d{4}-\d\d-\d\d.*?[ <]|v=\w+", "", page)
    run = re.search(r'href="(/airflow/dags/check_data_quality/runs/[^"]*)"', page)
    assert run
    assert set("<>'{} ").isdisjoint(run[1])


def test_a_run_id_leads_nowhere_else(admin: httpx.Client, aws: LocalAws, documents: Documents) -> None:
    documents.judge("demand", DAY, run_id="../../../../evil?x#y")
    put(aws, documents)
    page = admin.get("/dq/demand/2026-03-01").text
    assert 'href="/airflow/dags/check_data_quality/runs/..%2F..%2F..%2F..%2Fevil%3Fx%23y"' in page


def test_the_page_reads_the_result_of_its_own_verdict_and_nothing_that_a_document_names(
    admin: httpx.Client, aws: LocalAws, documents: Documents
) -> None:
    documents.judge("demand", DAY, "failed", result="data-pipeline/quarantine/secret.json")
    documents.objects["data-pipeline/quarantine/secret.json"] = json.dumps({"email": "someone@example.com"}).encode()
    put(aws, documents)
    page = admin.get("/dq/demand/2026-03-01").text
    assert SENTENCE in page
    assert "example.com" not in page


@pytest.mark.parametrize(
    "address",
    [
        "nonsense/2026-03-01",
        "demand/2026-02-30",
        "demand/20260301",
        "demand/today",
        "..%2F..%2Fetc/2026-03-01",
        "demand/..%2F..%2F2026-03-01",
        "demand/2026-03-01%00",
        "demand%27%20OR%201=1/2026-03-01",
        "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E/2026-03-01",
        "docs/demand/..%2Fdemand%2F2026-03-01",
        "docs/..%2Fresults/2026-03-01",
        "static/..%2Fapplication.py",
        "static/%2e%2e/application.py",
        "static/symbols/..%2f..%2f..%2fsettings.py",
        "static/%2Fetc%2Fpasswd",
        "static/",
    ],
)
def test_an_address_that_is_none_leads_nowhere(
    admin: httpx.Client, aws: LocalAws, documents: Documents, address: str
) -> None:
    documents.judge("demand", DAY)
    put(aws, documents)
    answer = admin.get(f"/dq/{address}")
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text
    assert "import" not in answer.text
    assert not aws.calls.names(), "S3 is not even asked"


def test_data_docs_are_shown_without_scripts_and_session(
    admin: httpx.Client, aws: LocalAws, documents: Documents
) -> None:
    documents.judge("demand", DAY)
    html = b"<html><body><script>alert(1)</script><h1>Validation</h1></body></html>"
    documents.objects[aws.settings.layout.quality_docs_key("demand", DAY)] = html
    put(aws, documents)

    answer = admin.get("/dq/docs/demand/2026-03-01")
    around = admin.get("/dq/demand/2026-03-01/docs").text

    assert answer.content == html
    policy = answer.headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    [sandbox] = [part for part in policy if part.startswith("sandbox")]
    assert "allow-same-origin" not in sandbox
    assert 'src="/airflow/dq/docs/demand/2026-03-01"' in around
    assert admin.get("/dq/docs/demand/2026-03-02").status_code == 404
    assert admin.get("/dq/demand/2026-03-02/docs").status_code == 404


def test_a_missing_result_is_told_and_the_summary_still_shown(
    admin: httpx.Client, aws: LocalAws, documents: Documents
) -> None:
    documents.judge("demand", DAY, "failed")
    documents.objects.clear()
    put(aws, documents)
    page = admin.get("/dq/demand/2026-03-01").text
    assert "The result document of this verdict is missing" in page
    assert "failed: event_id_present" in page
    assert "1,200" in page


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"table_name": "demand", "partition_date": "2026-03-01"}',
        b'{"table_name": "sale", "partition_date": "2026-03-01", "expectations": []}',
        b'{"table_name": "demand", "partition_date": "2026-03-01", "expectations": [{"id": 7}]}',
        b"[" * 100_000,
    ],
)
def test_a_broken_result_is_named_and_breaks_nothing_else(
    admin: httpx.Client, aws: LocalAws, documents: Documents, body: bytes
) -> None:
    documents.judge("demand", DAY, "failed")
    [key] = documents.objects
    documents.objects[key] = body
    put(aws, documents)
    answer = admin.get("/dq/demand/2026-03-01")
    assert answer.status_code == 200
    assert f"broken document: {key}: " in answer.text
    assert "demand, Sun 1 March 2026: failed" in answer.text


def test_content_of_the_verdict_is_the_usual_one(documents: Documents) -> None:
    """Guards the tests of stale verdicts: what differs there is the same here."""
    assert documents.verdict("demand", DAY)["content"] == seen()["content"] == CONTENT
