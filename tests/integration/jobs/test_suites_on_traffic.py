"""The demo's traffic beside the suites: what was delivered rightly is right, and nobody is warned without a reason.

Also the other way round: a partition of that traffic, damaged in one way, breaks the expectation that is about it, and
no other of those that fail.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.checked_columns import checked_columns
from dmd_pipeline.delivery import deliver
from dmd_pipeline.expectation_types import FACT, ROW_COUNT
from dmd_pipeline.expectations import Severity, load_suite
from dmd_pipeline.jobs.validation import Validator
from dmd_pipeline.record_types import load_record_types
from local.traffic.plan import Size, plan


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dmd_pipeline.rows import Row


RECORD_TYPES = load_record_types()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BATCH = 500
ENOUGH = 200
"""Rows of a partition in which the shares that chance gives are not far from those that are sent."""


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


@pytest.fixture(scope="module")
def delivered() -> dict[tuple[str, date], list[Row]]:
    """The rows of each partition, as the demo makes them but fewer."""
    sent = [one.data for one in plan(Size(records=6_000, days=6), 1, NOW) if one.record_type is not None]
    groups: dict[tuple[str, date], list[Row]] = defaultdict(list)
    for place in range(0, len(sent), BATCH):
        now = NOW + timedelta(seconds=place / BATCH)
        for group, rows in deliver(sent[place : place + BATCH], RECORD_TYPES, now=now).groups.items():
            groups[group] += rows
    return groups


def broken(validator: Validator, table: str, day: date, rows: Sequence[Row]) -> dict[Severity, set[str]]:
    """The expectations that do not hold, by severity. Facts are unknown here, and so hold."""
    suite, columns = load_suite(table), checked_columns(RECORD_TYPES[table])
    outcomes = validator.in_memory(suite, columns, ((row, day) for row in rows), {}, samples=0).outcomes
    return {
        severity: {
            outcome.expectation.id
            for outcome in outcomes
            if outcome.expectation.severity is severity and not outcome.passed
        }
        for severity in Severity
    }


def largest(delivered: dict[tuple[str, date], list[Row]], table: str) -> tuple[date, list[Row]]:
    """The partition of a table with the most rows."""
    rows, day = max((len(rows), day) for (name, day), rows in delivered.items() if name == table)
    assert rows >= ENOUGH
    return day, delivered[table, day]


def test_what_was_delivered_rightly_is_right(
    validator: Validator, delivered: dict[tuple[str, date], list[Row]]
) -> None:
    assert {table for table, _ in delivered} == set(RECORD_TYPES)
    for table in RECORD_TYPES:
        largest(delivered, table)
    for (table, day), rows in delivered.items():
        found = broken(validator, table, day, rows)
        assert not found[Severity.FAIL], (table, day)
        assert not found[Severity.WARN] or len(rows) < ENOUGH, (table, day, found)


def test_the_traffic_has_what_the_suites_look_for(delivered: dict[tuple[str, date], list[Row]]) -> None:
    """Guards the test above: rows that are deleted, and events that a demand is for."""
    deleted = {table for (table, _), rows in delivered.items() for row in rows if row["isDeleted"]}
    assert deleted == set(RECORD_TYPES)
    events = {row["id"] for (table, _), rows in delivered.items() for row in rows if table == "event"}
    wanted = [row["eventId"] for (table, _), rows in delivered.items() for row in rows if table == "demand"]
    assert sum(event in events for event in wanted) / len(wanted) > 0.5


def _set(path: str, value: Any) -> Callable[[Row], None]:
    """Give one field of a row another value; records on the way that are missing are made."""
    *records, last = path.split(".")

    def damage(row: Row) -> None:
        for name in records:
            row[name] = row[name] or {}
            row = row[name]
        row[last] = value

    return damage


def _delete(path: str, value: Any) -> Callable[[Row], None]:
    def damage(row: Row) -> None:
        row["isDeleted"] = True
        for name in ("email", "phoneNumber", "messageBody"):
            if row.get(name) is not None:
                row[name] = "[redacted]"
        _set(path, value)(row)

    return damage


_BAD_STAMP = "2026-02-30T12:00:00.000Z"
_SHARED = {
    "type_present": _set("type", None),
    "type_as_table": _set("type", "refund"),
    "reference_id_present": _set("reference.id", None),
    "reference_timestamp_present": _set("reference.timestamp", None),
    "reference_timestamp_is_stamp": _set("reference.timestamp", _BAD_STAMP),
    "date_deleted_is_stamp": _set("date.deleted", _BAD_STAMP),
}
_PEOPLE = {
    "fan_present": _set("fanId", None),
    "fan_is_word": _set("fanId", ""),
    "event_present": _set("eventId", None),
    "event_is_word": _set("eventId", "an event"),
    "sale_present": _set("saleId", None),
    "sale_is_word": _set("saleId", ""),
    "reference_id_well_formed": _set("reference.id", "event-1_sale-1"),
    "reference_id_no_placeholder": _set("reference.id", "event-1_undefined_fan-1"),
    "contact_method_known": _set("contactMethod", "pigeon"),
    "deleted_email_redacted": _delete("email", "jane@fans.example.com"),
    "deleted_phone_redacted": _delete("phoneNumber", "+1-555-0100"),
}
DAMAGES: dict[str, dict[str, Callable[[Row], None]]] = {
    "demand": {
        **_SHARED,
        **_PEOPLE,
        "date_requested_present": _set("date.requested", None),
        "date_requested_is_stamp": _set("date.requested", _BAD_STAMP),
        "partition_is_business_date": _set("date.requested", "2020-01-01T12:00:00.000Z"),
        "requested_present": _set("requestedDateTime", None),
        "requested_is_stamp": _set("requestedDateTime", "yesterday"),
        "date_triggered_is_stamp": _set("date.triggered", _BAD_STAMP),
        "date_notified_is_stamp": _set("date.notified", _BAD_STAMP),
        "demand_type_known": _set("demandType", "ask"),
    },
    "notification": {
        **_SHARED,
        **_PEOPLE,
        "date_created_present": _set("date.created", None),
        "date_created_is_stamp": _set("date.created", _BAD_STAMP),
        "partition_is_business_date": _set("date.created", "2020-01-01T12:00:00.000Z"),
        "date_updated_is_stamp": _set("date.updated", _BAD_STAMP),
        "status_known": _set("statusId", "LOST"),
        "deleted_message_redacted": _delete("messageBody", "Your seats are waiting"),
    },
    "event": {
        **_SHARED,
        "id_present": _set("id", None),
        "id_is_word": _set("id", "an event"),
        "reference_id_well_formed": _set("reference.id", ""),
        "reference_id_no_placeholder": _set("reference.id", "null"),
        "partition_is_business_date": _set("date.firstSeen", "2020-01-01T12:00:00.000Z"),
        "date_first_seen_is_stamp": _set("date.firstSeen", _BAD_STAMP),
        "date_updated_is_stamp": _set("date.updated", _BAD_STAMP),
        "start_is_stamp": _set("eventDate.start.dateTime", _BAD_STAMP),
        "start_local_is_date": _set("eventDate.start.localDate", "2026-02-30"),
        "end_is_stamp": _set("eventDate.end.dateTime", _BAD_STAMP),
        "end_local_is_date": _set("eventDate.end.localDate", "2026-02-30"),
    },
    "sale": {
        **_SHARED,
        "id_present": _set("id", None),
        "id_is_word": _set("id", ""),
        "event_present": _set("eventId", None),
        "event_is_word": _set("eventId", "an event"),
        "reference_id_well_formed": _set("reference.id", "event-1"),
        "reference_id_no_placeholder": _set("reference.id", "undefined_sale-1"),
        "start_present": _set("saleStartDateTime", None),
        "start_is_stamp": _set("saleStartDateTime", _BAD_STAMP),
        "partition_is_business_date": _set("saleStartDateTime", "2020-01-01T12:00:00.000Z"),
        "start_local_is_date": _set("saleStartDate", "2026-02-30"),
        "end_is_stamp": _set("saleEndDateTime", _BAD_STAMP),
        "sale_types_present": _set("saleTypes", None),
    },
}


@pytest.mark.parametrize("table", RECORD_TYPES)
def test_every_expectation_that_fails_a_partition_has_its_damage(table: str) -> None:
    expectations = load_suite(table).expectations
    failing = {
        each.id for each in expectations if each.severity is Severity.FAIL and each.type not in {ROW_COUNT, FACT}
    }
    assert set(DAMAGES[table]) == failing


@pytest.mark.parametrize(
    ("table", "expectation"), [(table, name) for table, damages in DAMAGES.items() for name in damages]
)
def test_one_damaged_row_breaks_the_expectation_that_is_about_it(
    validator: Validator, delivered: dict[tuple[str, date], list[Row]], table: str, expectation: str
) -> None:
    day, rows = largest(delivered, table)
    damaged = copy.deepcopy(
        next(row for row in rows if table == "sale" or not (row["isDeleted"] or row["date"] is None))
    )
    DAMAGES[table][expectation](damaged)
    assert broken(validator, table, day, [*rows[:50], damaged])[Severity.FAIL] == {expectation}


@pytest.mark.parametrize("table", RECORD_TYPES)
class TestWarnings:
    def test_a_partition_that_was_delivered_twice_warns(
        self, validator: Validator, delivered: dict[tuple[str, date], list[Row]], table: str
    ) -> None:
        day, rows = largest(delivered, table)
        assert broken(validator, table, day, [*rows, *rows])[Severity.WARN] == {"rows_not_doubled"}

    def test_a_field_that_got_lost_warns(
        self, validator: Validator, delivered: dict[tuple[str, date], list[Row]], table: str
    ) -> None:
        day, rows = largest(delivered, table)
        kept = {"type", "id", "fanId", "eventId", "saleId", "requestedDateTime", "saleStartDateTime", "saleTypes"}
        emptied = [
            {key: value if key in {*kept, "date", "reference"} else None for key, value in row.items()} for row in rows
        ]
        found = broken(validator, table, day, emptied)
        assert {name for name in found[Severity.WARN] if name.endswith("_mostly_given")} == {
            each.id for each in load_suite(table).expectations if each.id.endswith("_mostly_given")
        }
