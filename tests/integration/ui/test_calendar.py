"""The calendar, as the api-server gives it."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest

from tests.integration.ui.conftest import put
from tests.integration.ui.fabricated import OTHER, STATES


if TYPE_CHECKING:
    import httpx

    from local.aws import LocalAws
    from tests.integration.ui.fabricated import Documents

TABLES = ("demand", "event", "notification", "sale")
_CELL = re.compile(r'<a class="cell (\w+)( future)?" href="([^"]+)"[^>]*><span class="tip">([^<]*)</span></a>')


def cells(page: str) -> dict[str, tuple[str, str]]:
    """State and text of every field, by its address."""
    return {address: (state, unescape(text)) for state, _, address, text in _CELL.findall(page)}


def counts(page: str) -> dict[str, int]:
    """What the legend counts."""
    found = re.findall(r'<li data-state="(\w+)">.*?data-count>([\d,]+)<', page)
    return {state: int(count.replace(",", "")) for state, count in found}


@pytest.mark.parametrize("state", STATES)
def test_every_state_looks_like_itself(admin: httpx.Client, aws: LocalAws, documents: Documents, state: str) -> None:
    day = documents.now.date() - timedelta(days=3)
    documents.put_in_state("demand", day, state)
    put(aws, documents)

    page = admin.get("/dq/").text

    assert cells(page)[f"/airflow/dq/demand/{day}"][0] == state
    assert {name: count for name, count in counts(page).items() if count} == {state: 1}


def test_a_field_says_what_is_known(admin: httpx.Client, aws: LocalAws, documents: Documents) -> None:
    day = documents.now.date() - timedelta(days=3)
    documents.judge("demand", day, "failed", rows=1_234_567)
    put(aws, documents)

    _, text = cells(admin.get("/dq/").text)[f"/airflow/dq/demand/{day}"]

    assert text.splitlines() == [
        f"demand, {day:%a} {day.day} {day:%B} {day.year}",
        "Failed",
        "1,234,567 rows",
        "failed: event_id_present",
        f"Verdict of {documents.now - timedelta(hours=1):%Y-%m-%d %H:%M} UTC (1 hour ago)",
    ]


def test_the_last_ninety_days_are_shown_unless_asked_otherwise(admin: httpx.Client, documents: Documents) -> None:
    today = documents.now.date()
    usual = cells(admin.get("/dq/").text)
    asked = cells(admin.get("/dq/?from=2025-12-30&to=2026-01-02").text)

    assert set(usual) == {f"/airflow/dq/{table}/{today - timedelta(days=ago)}" for table in TABLES for ago in range(90)}
    assert set(asked) == {
        f"/airflow/dq/{table}/{day}"
        for table in TABLES
        for day in ("2025-12-30", "2025-12-31", "2026-01-01", "2026-01-02")
    }


def test_dates_to_come_are_shown_as_far_as_they_are_known(
    admin: httpx.Client, aws: LocalAws, documents: Documents
) -> None:
    today = documents.now.date()
    documents.judge("sale", today + timedelta(days=5))
    documents.judge("sale", today + timedelta(days=400))
    put(aws, documents)

    page = admin.get("/dq/").text

    assert max(cells(page)) == f"/airflow/dq/sale/{today + timedelta(days=5)}"
    assert Counter(bool(future) for _, future, _, _ in _CELL.findall(page)) == {False: 360, True: 20}
    assert len(re.findall(r'<th scope="col" class="[^"]*today', page)) == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=2026-03-02&to=2026-03-01", "choose an end after the begin"),
        ("from=2026-02-30", "expected a date such as 2026-03-01"),
        ("from=20260301", "expected a date such as 2026-03-01"),
        ("from=2010-01-01&to=2026-01-01", "at most 1,100 are shown at once"),
        ("from=0001-01-01", "at most 1,100 are shown at once"),
        ("to=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ],
)
def test_a_range_that_is_none_is_explained_above_the_usual_one(admin: httpx.Client, query: str, said: str) -> None:
    answer = admin.get(f"/dq/?{query}")
    assert answer.status_code == 400
    assert said in answer.text
    assert "<script>alert" not in answer.text
    assert len(cells(answer.text)) == 360


def test_the_ends_of_time_can_be_asked_for(admin: httpx.Client) -> None:
    for query in ("from=9999-12-01&to=9999-12-31", "to=0001-01-05"):
        assert admin.get(f"/dq/?{query}").status_code == 200


def test_it_says_when_the_tables_were_last_looked_at(admin: httpx.Client, aws: LocalAws, documents: Documents) -> None:
    empty = admin.get("/dq/").text
    for table in TABLES:
        documents.judge(table, documents.now.date())
    put(aws, documents)
    fresh = admin.get("/dq/").text
    summary = documents.summaries["event", documents.now.year]
    summary["seen_at"] = f"{documents.now - timedelta(hours=5):%Y-%m-%dT%H:%M:%S}.000Z"
    put(aws, documents)
    old = admin.get("/dq/").text

    assert "not looked at yet" in empty
    assert f"{documents.now:%Y-%m-%d %H:%M} UTC" in fresh
    assert "The last look is old" not in fresh
    assert "event was last looked at 5 hours ago" in old


def test_a_year_of_four_tables_costs_a_get_a_table_and_year(
    admin: httpx.Client, aws: LocalAws, documents: Documents
) -> None:
    for table in TABLES:
        for number in range(365):
            day = date(2025, 1, 1) + timedelta(days=number)
            documents.enter(table, day, verdict=documents.verdict(table, day, suite=OTHER))
    put(aws, documents)

    page = admin.get("/dq/?from=2025-01-01&to=2025-12-31").text

    assert counts(page)["stale"] == 4 * 365
    assert aws.calls.totals() == {"s3:GetObject": 4}
