"""A fifth record type is one schema, one declaration and one expectations file: no code."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from dmd_pipeline.checked_columns import checked_columns
from dmd_pipeline.delivery import container, deliver
from dmd_pipeline.expectation_types import IN_SET, NOT_NULL, UNIQUE
from dmd_pipeline.expectations import load_suite
from dmd_pipeline.hive import SCHEMA_LITERAL, partition_input, table_input
from dmd_pipeline.jobs.validation import Validator
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.schemas import schema_literal
from tests.unit.changes import NOW, NOW_STAMP, change, demand
from tests.unit.expectations import entry, include_with


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dmd_pipeline.record_types import RecordType


SYNC_MARKER = bytes(16)
LOCATION = "s3://bucket/data-pipeline/avro/venue/"


def _optional(name: str, avro_type: Any) -> dict[str, Any]:
    return {"name": name, "type": ["null", avro_type], "default": None, "doc": f"The {name}."}


def _strings(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "type": "string", "doc": f"The {name}."} for name in names]


def _record(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


# A type that uses what none of the four does: a map, decimals, bytes, a logical time, another kind of derived record.
SCHEMA = _record(
    "Venue",
    *_strings("type", "venueId", "country"),
    _optional("manager", "string"),
    _optional("position", "string"),
    _optional("point", _record("Point", *_strings("x", "y"))),
    {"name": "seats", "type": {"type": "map", "values": "int"}, "default": {}, "doc": "Seats by block."},
    _optional("rent", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}),
    _optional("opened", {"type": "long", "logicalType": "timestamp-millis"}),
    _optional("plan", "bytes"),
    _optional("date", _record("Dates", _optional("built", "string"), _optional("deleted", "string"))),
    {"name": "reference", "type": _record("Reference", *_strings("id", "timestamp")), "doc": "The reference."},
    _optional("isDeleted", "boolean"),
) | {"namespace": "dmd_pipeline.venue", "doc": "One state of a venue."}

DECLARATION = """
partition_date: [date.built, now]
reference_id: [country, venueId]
reference_timestamp:
  latest_of: [date.built, date.deleted, now]
redacted: [manager]
derived:
  - {record: point, source: position, pattern: '(?P<x>[^,]+),(?P<y>[^,]+)'}
"""

EXPECTATIONS = [
    entry("venue_present", NOT_NULL, column="venueid"),
    entry("type_as_table", IN_SET, column="type", value_set=["venue"]),
    entry("opened_given", NOT_NULL, severity="warning", column="opened", mostly=0.5),
    entry("seats_given", NOT_NULL, column="seats"),
    entry("manager_redacted", IN_SET, column="deleted.manager", value_set=["[redacted]"]),
    entry("once", UNIQUE, column_list=["reference.id", "point.x"]),
]

VENUE = {
    "type": "venue",
    "venueId": "v-1",
    "country": "de",
    "manager": "N. N.",
    "position": "13.4,52.5",
    "seats": {"A": 100, "B": 250},
    "rent": Decimal("1250.5"),
    "opened": 1_750_000_000_000,
    "plan": b"\x00\xff",
    "date": {"built": "1963-10-15"},
}


@pytest.fixture
def include(tmp_path: Path) -> Path:
    """A folder of one's own with the record types there are, and three files more."""
    include_with(tmp_path, "venue", EXPECTATIONS)
    (tmp_path / "schemas" / "venue.avsc").write_text(json.dumps(SCHEMA), encoding="utf-8")
    (tmp_path / "record_types" / "venue.yaml").write_text(DECLARATION, encoding="utf-8")
    return tmp_path


@pytest.fixture
def record_types(include: Path) -> Mapping[str, RecordType]:
    """Five record types."""
    return load_record_types(include)


def test_it_stands_beside_the_four(record_types: Mapping[str, RecordType]) -> None:
    assert list(record_types) == ["demand", "event", "notification", "sale", "venue"]


def test_its_changes_become_rows_of_its_table(record_types: Mapping[str, RecordType]) -> None:
    delivery = deliver([change(VENUE), change(demand())], record_types, now=NOW)
    assert delivery.rejected == []
    assert list(delivery.groups) == [("venue", date(1963, 10, 15)), ("demand", date(2025, 6, 1))]
    assert delivery.groups["venue", date(1963, 10, 15)] == [
        {
            "type": "venue",
            "venueId": "v-1",
            "country": "de",
            "manager": "N. N.",
            "position": "13.4,52.5",
            "point": {"x": "13.4", "y": "52.5"},
            "seats": {"A": 100, "B": 250},
            "rent": Decimal("1250.50"),
            "opened": 1_750_000_000_000,
            "plan": b"\x00\xff",
            "date": {"built": "1963-10-15", "deleted": None},
            "reference": {"id": "de_v-1", "timestamp": NOW_STAMP},
            "isDeleted": None,
        }
    ]


def test_its_removals_are_marked_and_scrubbed(record_types: Mapping[str, RecordType]) -> None:
    item = {name: value for name, value in VENUE.items() if name != "date"}
    delivery = deliver([change(item, "REMOVE")], record_types, now=NOW)
    (row,) = delivery.groups["venue", NOW.date()]
    assert row["manager"] == "[redacted]"
    assert row["isDeleted"] is True
    assert row["date"] == {"built": None, "deleted": NOW_STAMP}


def test_its_invalid_records_are_told_by_field(record_types: Mapping[str, RecordType]) -> None:
    delivery = deliver([change(VENUE | {"seats": {"A": Decimal("1.5")}})], record_types, now=NOW)
    assert [rejected.reason for rejected in delivery.rejected] == [
        "seats[*]: expected a whole number, found a fraction"
    ]


def test_its_rows_become_a_file_that_reads_back(record_types: Mapping[str, RecordType]) -> None:
    (rows,) = deliver([change(VENUE)], record_types, now=NOW).groups.values()
    data = container(record_types["venue"], rows, sync_marker=SYNC_MARKER)
    (read,) = fastavro.reader(BytesIO(data))
    assert read == rows[0] | {"opened": datetime.fromtimestamp(1_750_000_000, UTC)}


def test_its_table_and_partitions_can_be_made(record_types: Mapping[str, RecordType]) -> None:
    table = table_input("venue", record_types["venue"].schema, LOCATION)
    assert {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]} == {
        "type": "string",
        "venueid": "string",
        "country": "string",
        "manager": "string",
        "position": "string",
        "point": "struct<x:string,y:string>",
        "seats": "map<string,int>",
        "rent": "decimal(9,2)",
        "opened": "timestamp",
        "plan": "binary",
        "date": "struct<built:string,deleted:string>",
        "reference": "struct<id:string,timestamp:string>",
        "isdeleted": "boolean",
    }
    partition = partition_input(table, date(1963, 10, 15), f"{LOCATION}partition_date=1963-10-15/")
    literal = partition["StorageDescriptor"]["SerdeInfo"]["Parameters"][SCHEMA_LITERAL]
    assert literal == schema_literal(SCHEMA)


def test_its_expectations_speak_of_what_its_rows_hold(include: Path, record_types: Mapping[str, RecordType]) -> None:
    suite, columns = load_suite("venue", include), checked_columns(record_types["venue"])
    (deleted,) = deliver([change(VENUE, "REMOVE")], record_types, now=NOW).groups["venue", date(1963, 10, 15)]
    held = {name: columns[name].value(deleted, date(1963, 10, 15)) for name in suite.columns}
    assert held == {
        "deleted.manager": "[redacted]",
        "opened": 1_750_000_000_000,
        "point.x": "13.4",
        "reference.id": "de_v-1",
        "seats": {"A": 100, "B": 250},
        "type": "venue",
        "venueid": "v-1",
    }
    assert columns["business_date"].value(deleted, NOW.date()) == "1963-10-15"


def test_its_partitions_are_checked(include: Path, record_types: Mapping[str, RecordType]) -> None:
    suite, columns = load_suite("venue", include), checked_columns(record_types["venue"])
    (right,) = deliver([change(VENUE)], record_types, now=NOW).groups["venue", date(1963, 10, 15)]
    wrong = right | {"type": "stadium", "opened": None, "isDeleted": True}
    validation = Validator().in_memory(suite, columns, [(right, NOW.date()), (wrong, NOW.date())], {})
    failed = [outcome.expectation.id for outcome in validation.outcomes if not outcome.passed]
    assert failed == ["type_as_table", "manager_redacted", "once"]
