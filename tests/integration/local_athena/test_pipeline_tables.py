"""The pipeline's own four tables, as its jobs make them and its delivery writes them, and what analysts ask them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.delivery import container
from dmd_pipeline.hive import partition_input, table_input
from dmd_pipeline.record_types import load_record_types
from tests.conformance.account import Account
from tests.conformance.athena_runs import Run, run


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.aws import LocalAws

DAY = date(2025, 6, 1)
_REFERENCE = {"id": "e_s_f", "timestamp": "2025-06-01T10:00:00.000Z"}


def _demand(number: int) -> dict[str, Any]:
    return {
        "type": "demand",
        "fanId": f"fan-{number}",
        "eventId": "event-1",
        "saleId": "sale-1",
        "requestedDateTime": "2025-06-01T10:00:00.000Z",
        "date": {"requested": "2025-06-01T10:00:00.000Z"},
        "contactMethod": "sms",
        "isDeleted": number % 2 == 0,
        "reference": _REFERENCE,
    }


@pytest.fixture
def account(aws: LocalAws) -> Account:
    """The local AWS, to run statements on."""
    return Account(aws.settings, aws.client, is_local=True)


def _make(account: Account, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make a table as the job does, with one partition that holds one file."""
    settings, record_type = account.settings, load_record_types()[table]
    definition = table_input(table, record_type.schema, settings.layout.table_location(table))
    glue = account.client("glue")
    glue.create_table(DatabaseName=settings.database, TableInput=definition)
    location = settings.layout.partition_location(table, DAY)
    glue.create_partition(
        DatabaseName=settings.database,
        TableName=table,
        PartitionInput=partition_input(definition, DAY, location),
    )
    if rows:
        key = settings.layout.partition_prefix(table, DAY) + "one.avro"
        body = container(record_type, [dict(row) for row in rows], sync_marker=bytes(16))
        account.client("s3").put_object(Bucket=settings.bucket, Key=key, Body=body)


def _query(account: Account, statement: str) -> Run:
    found = run(account, statement, database=account.settings.database)
    assert found.state == "SUCCEEDED", found.reason
    return found


@pytest.mark.parametrize("table", ["demand", "event", "notification", "sale"])
def test_every_column_of_every_table_can_be_selected(account: Account, table: str) -> None:
    _make(account, table, [])
    glue_table = account.client("glue").get_table(DatabaseName=account.settings.database, Name=table)["Table"]
    expected = [one["Name"] for one in glue_table["StorageDescriptor"]["Columns"]] + ["partition_date"]
    found = _query(account, f"SELECT * FROM {table}")
    assert ([one["Name"] for one in found.columns], found.rows) == (expected, [])


_QUESTIONS: list[tuple[str, list[list[str | None]]]] = [
    (
        "SELECT eventid, count(*) FROM demand WHERE partition_date >= '2025-01-01' AND isdeleted = false GROUP BY 1",
        [["event-1", "5"]],
    ),
    (
        "SELECT date.requested, contactmethod, email FROM demand WHERE fanid = 'fan-1'",
        [["2025-06-01T10:00:00.000Z", "sms", None]],
    ),
    ("SELECT count_if(isdeleted), approx_distinct(fanid) FROM demand", [["5", "10"]]),
    ("SELECT max(from_iso8601_timestamp(date.requested)) FROM demand", [["2025-06-01 10:00:00.000 UTC"]]),
    (
        """SELECT count(*) AS "table.row_count" FROM (SELECT * FROM demand WHERE partition_date = '2025-06-01') AS t""",
        [["10"]],
    ),
    ('SELECT sum(CASE WHEN (fanid IS NULL) THEN 1 ELSE 0 END) AS "nulls" FROM demand', [["0"]]),
    ("SELECT reference.id, count(*) FROM demand GROUP BY reference.id HAVING count(*) > 1", [["e_s_f", "10"]]),
    (
        "SELECT max_by(fanid, fanid) FROM (SELECT fanid, rank() OVER (ORDER BY fanid) AS r FROM demand) WHERE r > 1",
        [["fan-9"]],
    ),
]


@pytest.mark.parametrize(("statement", "rows"), _QUESTIONS)
def test_what_analysts_ask(account: Account, statement: str, rows: list[list[str | None]]) -> None:
    _make(account, "demand", [_demand(number) for number in range(10)])
    assert _query(account, statement).rows == rows


def test_an_event_s_nested_arrays_unnest_into_columns(account: Account) -> None:
    event = {
        "type": "event",
        "id": "e1",
        "eventDate": {"start": {"dateTime": "2025-06-01T20:00:00Z", "localDate": None}, "end": None},
        "date": {"firstSeen": None, "updated": "2025-05-01T00:00:00Z", "deleted": None},
        "classifications": [{"segment": "Music", "genre": "Rock"}, {"segment": "Arts"}],
        "venues": [{"name": "Hall", "markets": [{"id": "1"}, {"id": "2"}], "location": {"longitude": 1.5}}],
        "reference": _REFERENCE,
    }
    _make(account, "event", [event])
    found = _query(
        account,
        "SELECT e.id, e.eventdate.start.datetime, c.segment, v.name, v.location.longitude, cardinality(v.markets) AS m "
        "FROM event e CROSS JOIN UNNEST(e.classifications) AS c CROSS JOIN UNNEST(e.venues) AS v ORDER BY segment",
    )
    assert [column["Name"] for column in found.columns][:3] == ["id", "datetime", "segment"]
    assert found.rows == [
        ["e1", "2025-06-01T20:00:00Z", "Arts", "Hall", "1.5", "2"],
        ["e1", "2025-06-01T20:00:00Z", "Music", "Hall", "1.5", "2"],
    ]
