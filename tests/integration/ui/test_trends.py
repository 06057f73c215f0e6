"""The trends of a table, as the api-server gives them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from dmd_pipeline.expectations import load_suite
from tests.integration.ui.conftest import put
from tests.integration.ui.fabricated import cost


if TYPE_CHECKING:
    import httpx

    from local.aws import LocalAws
    from tests.integration.ui.fabricated import Documents

FIRST = date(2026, 3, 1)


def test_numbers_and_charts_say_the_same(admin: httpx.Client, aws: LocalAws, documents: Documents) -> None:
    documents.judge("demand", FIRST, rows=100)
    documents.judge(
        "demand", FIRST + timedelta(days=1), "failed", rows=50, cost=cost(dollars=0.5, scanned_bytes=10**11)
    )
    documents.put_in_state("demand", FIRST + timedelta(days=2), "unchecked")
    put(aws, documents)

    page = admin.get("/dq/demand?from=2026-03-01&to=2026-03-05").text

    assert "<title>Sun 1 March 2026: 100 rows, passed</title>" in page
    assert "<title>Mon 2 March 2026: 50 rows, failed</title>" in page
    assert "<title>Mon 2 March 2026: failed: event_id_present</title>" in page
    assert "<title>Mon 2 March 2026: $0.50, 100 GB scanned</title>" in page
    assert "Rows a day <small>50 to 100 on 2 dates</small>" in page
    assert re.findall(r'<td class="number"><a href="/airflow/dq/demand/([^"]+)">', page) == [
        "2026-03-03",
        "2026-03-02",
        "2026-03-01",
    ]
    assert "The last checks of these 2 dates cost $0.50 together." in page
    assert aws.calls.totals() == {"s3:GetObject": 1}


def test_missing_values_and_duplicates_of_the_suite_are_drawn(
    admin: httpx.Client, aws: LocalAws, documents: Documents
) -> None:
    drawn = {"expect_column_values_to_not_be_null", "expect_compound_columns_to_be_unique"}
    ids = [one.id for one in load_suite("demand").expectations if one.type in drawn]
    assert len(ids) > 1, "otherwise there is nothing to see here"
    for ago in range(3):
        documents.judge("demand", FIRST + timedelta(days=ago), observed=dict.fromkeys(ids, 0.5 + ago))
    put(aws, documents)

    page = admin.get("/dq/demand?from=2026-03-01&to=2026-03-05").text

    for one in ids:
        assert f">{one}, %</th>" in page
    assert page.count("<small>0.5 % to 2.5 % on 3 dates</small>") == len(ids)


def test_a_range_stays_when_the_table_changes(admin: httpx.Client) -> None:
    page = admin.get("/dq/demand?from=2026-03-01&to=2026-03-05").text
    assert 'href="/airflow/dq/sale?from=2026-03-01&amp;to=2026-03-05"' in page


def test_a_table_that_is_none_is_told(admin: httpx.Client, aws: LocalAws) -> None:
    answer = admin.get("/dq/orders")
    assert answer.status_code == 404
    assert "the tables are: demand, event, notification, sale" in answer.text
    assert not aws.calls.names()


def test_days_without_partitions_are_told(admin: httpx.Client) -> None:
    assert "There is no partition in these days." in admin.get("/dq/demand?from=2026-03-01&to=2026-03-05").text
