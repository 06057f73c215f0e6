"""Delivery, step by step as the pipeline does it: rows by partition, and rejected records byte for byte."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastavro
import pytest
from fastavro.validation import validate
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.delivery import Delivery, Rejected, container, deliver, errors_document, original_events
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.schemas import schema_literal
from tests.unit.attribute_strategies import ATTRIBUTE_VALUES, BROKEN_ATTRIBUTE_VALUES
from tests.unit.changes import NOW, NOW_STAMP, change, demand, document, event, image, notification, sale


if TYPE_CHECKING:
    from collections.abc import Sequence

    from dmd_pipeline.rows import Row


RECORD_TYPES = load_record_types()
SYNC_MARKER = bytes(range(16))
GOLDEN = Path(__file__).parent / "golden"
PLUGINS = Path(__file__).resolve().parents[2] / "plugins"


def delivered(*records: bytes) -> Delivery:
    return deliver(records, RECORD_TYPES, now=NOW)


def row(item: dict[str, Any], event_name: str = "INSERT", **changed: Any) -> Row:
    """The row of one change, which must be valid."""
    ((_group, (only,)),) = _groups(change(item, event_name, **changed))
    return only


def partition(item: dict[str, Any], event_name: str = "INSERT") -> str:
    """The partition date of one change, which must be valid."""
    (((_name, day), _rows),) = _groups(change(item, event_name))
    return day.isoformat()


def reason(item: dict[str, Any], event_name: str = "INSERT") -> str:
    """Why one change is rejected, which it must be."""
    delivery = delivered(change(item, event_name))
    assert delivery.groups == {}
    (rejected,) = delivery.rejected
    assert rejected.original == change(item, event_name)
    return rejected.reason


def _groups(*records: bytes) -> list[tuple[tuple[str, date], list[Row]]]:
    delivery = delivered(*records)
    assert delivery.rejected == []
    return list(delivery.groups.items())


class TestRows:
    def test_a_row_holds_the_item_and_its_reference(self) -> None:
        assert row(demand(contactMethod="sms", email="fan@example.com")) == {
            "type": "demand",
            "fanId": "fan-1",
            "eventId": "event-1",
            "saleId": "sale-1",
            "artistId": None,
            "eventName": None,
            "saleName": None,
            "artistName": None,
            "requestedDateTime": "2025-06-01T10:00:00Z",
            "phoneNumber": None,
            "email": "fan@example.com",
            "contactMethod": "sms",
            "demandType": None,
            "date": {"requested": "2025-06-01T10:00:00Z", "triggered": None, "notified": None, "deleted": None},
            "systemUserId": None,
            "system": None,
            "reference": {"id": "event-1_sale-1_fan-1", "timestamp": "2025-06-01T10:00:00Z"},
            "isDeleted": None,
        }

    def test_nested_records_lists_and_numbers_of_an_event_are_kept(self) -> None:
        item = event(
            isSuppressed=False,
            eventDate={"start": {"dateTime": "2025-12-01T01:00:00Z", "localDate": "2025-11-30"}},
            images=[{"url": "https://example.com/1.jpg", "width": 640, "height": Decimal("360.0")}],
            promoters=[{"id": "494", "name": "N. N."}],
            ticketing={"safeTix": True},
            venues=[
                {"name": "The Venue", "location": {"longitude": Decimal("-118.2437"), "latitude": Decimal("34.05")}}
            ],
            attractions=[{"type": "attraction", "name": "The Band"}],
        )
        made = row(item)
        assert made["eventDate"] == {
            "start": {"dateTime": "2025-12-01T01:00:00Z", "localDate": "2025-11-30"},
            "end": None,
        }
        assert made["images"] == [
            {"url": "https://example.com/1.jpg", "width": 640, "height": 360, "attribution": None}
        ]
        assert made["venues"][0]["location"] == {"longitude": -118.2437, "latitude": 34.05}
        assert made["attractions"] == [{"id": None, "name": "The Band", "url": None, "type": "attraction"}]
        assert made["ticketing"] == {"safeTix": True}
        assert made["classifications"] is None

    def test_a_set_of_strings_serves_as_a_list_of_them(self) -> None:
        data = document(image(sale()) | {"saleTypes": {"SS": ["presale", "fan club"]}})
        ((_group, (made,)),) = _groups(json.dumps(data).encode())
        assert made["saleTypes"] == ["presale", "fan club"]

    def test_attributes_that_the_schema_does_not_know_are_dropped(self) -> None:
        assert row(demand(ttl=1_760_000_000, pk="demand#1", date={"requested": "2025-06-01", "x": 1})) == row(
            demand(date={"requested": "2025-06-01"})
        )

    def test_a_null_in_the_item_is_as_good_as_nothing_where_the_field_is_optional(self) -> None:
        data = json.dumps(document(image(demand()) | {"artistId": {"NULL": True}})).encode()
        assert _groups(data) == _groups(change(demand()))

    def test_is_deleted_of_a_living_item_is_what_the_item_says(self) -> None:
        assert row(demand(isDeleted=False))["isDeleted"] is False
        assert row(demand())["isDeleted"] is None

    def test_a_reference_in_the_item_is_written_anew(self) -> None:
        made = row(demand(reference={"id": "forged", "timestamp": "2099-01-01"}))
        assert made["reference"] == {"id": "event-1_sale-1_fan-1", "timestamp": "2025-06-01T10:00:00Z"}


class TestPartitionDate:
    @pytest.mark.parametrize(
        ("item", "expected"),
        [
            (demand(), "2025-06-01"),
            (notification(), "2025-06-02"),
            (sale(), "2025-12-24"),
            (event(date={"firstSeen": "2025-03-01T00:00:00Z", "updated": "2025-04-01T00:00:00Z"}), "2025-03-01"),
            (event(eventDate={"start": {"dateTime": "2025-12-01T01:00:00Z"}}), "2025-12-01"),
            (
                event(
                    date={"updated": "2025-04-01T00:00:00Z"}, eventDate={"start": {"dateTime": "2025-12-01T01:00:00Z"}}
                ),
                "2025-12-01",
            ),
            (
                event(
                    date={"firstSeen": "2025-03-01", "updated": "2025-04-01"},
                    eventDate={"start": {"dateTime": "2025-12-01T01:00:00Z"}},
                ),
                "2025-03-01",
            ),
            (event(date={"updated": "2025-04-01T00:00:00Z"}), "2025-06-15"),
            (event(eventDate={"start": {"localDate": "2025-12-01"}}), "2025-06-15"),
            (event(eventDate={"end": {"dateTime": "2025-12-01T01:00:00Z"}}), "2025-06-15"),
            (event(), "2025-06-15"),
        ],
    )
    def test_it_is_the_first_business_stamp_that_is_there(self, item: dict[str, Any], expected: str) -> None:
        assert partition(item) == expected

    @pytest.mark.parametrize(
        ("stamp", "expected"),
        [
            ("2025-06-01T23:30:00-05:00", "2025-06-02"),
            ("2025-06-01T00:30:00+05:30", "2025-05-31"),
            ("2025-06-01T23:59:59.999Z", "2025-06-01"),
            ("2025-06-01T23:59:59", "2025-06-01"),
            ("2025-06-01", "2025-06-01"),
            ("1999-12-31T23:59:59Z", "1999-12-31"),
            ("2099-01-01T00:00:00Z", "2099-01-01"),
        ],
    )
    def test_it_is_the_stamp_s_utc_date(self, stamp: str, expected: str) -> None:
        assert partition(demand(date={"requested": stamp})) == expected

    @pytest.mark.parametrize("stamp", ["2025-02-30", "0000-01-01T00:00:00Z", "tomorrow", "", "1750000000000"])
    @pytest.mark.parametrize(
        ("make", "path"),
        [
            (lambda stamp: demand(date={"requested": stamp}), "date.requested"),
            (lambda stamp: notification(date={"created": stamp}), "date.created"),
            (lambda stamp: sale(saleStartDateTime=stamp), "saleStartDateTime"),
            (lambda stamp: event(date={"firstSeen": stamp, "updated": "2025-04-01"}), "date.firstSeen"),
            (lambda stamp: event(eventDate={"start": {"dateTime": stamp}}), "eventDate.start.dateTime"),
        ],
    )
    def test_a_stamp_that_tells_no_day_rejects_the_record_by_its_path(self, make: Any, path: str, stamp: str) -> None:
        why = reason(make(stamp))
        assert why == f"{path}: expected an ISO-8601 date or time, found other text"

    def test_a_removal_lies_in_the_partition_of_what_it_removes(self) -> None:
        assert partition(demand(), "REMOVE") == partition(demand(), "INSERT") == "2025-06-01"


class TestReference:
    @pytest.mark.parametrize(
        ("item", "expected"),
        [
            (demand(), "event-1_sale-1_fan-1"),
            (notification(), "event-1_sale-1_fan-1"),
            (event(), "event-1"),
            (sale(), "event-1_sale-1"),
        ],
    )
    def test_the_id_names_the_business_object(self, item: dict[str, Any], expected: str) -> None:
        assert row(item)["reference"]["id"] == expected

    @pytest.mark.parametrize(
        ("item", "expected"),
        [
            (demand(date={"requested": "2025-06-01", "triggered": "2025-06-03"}), "2025-06-03"),
            (demand(date={"requested": "2025-06-05", "notified": "2025-06-03"}), "2025-06-05"),
            (demand(date={"requested": "2025-06-01", "deleted": "2025-06-09", "notified": "2025-06-03"}), "2025-06-09"),
            # Latest as moments, not as texts: 23:00 in New York is the next day in UTC.
            (
                demand(date={"requested": "2025-06-02T01:00:00Z", "triggered": "2025-06-01T23:00:00-04:00"}),
                "2025-06-01T23:00:00-04:00",
            ),
            (notification(), NOW_STAMP),
            (notification(date={"created": "2025-06-02", "updated": "2025-06-04"}), "2025-06-04"),
            (
                notification(date={"created": "2025-06-02", "updated": "2025-06-04", "deleted": "2025-06-03"}),
                "2025-06-03",
            ),
            (event(), NOW_STAMP),
            (event(date={"updated": "2025-06-04"}), "2025-06-04"),
            (event(date={"updated": "2025-06-04", "deleted": "2025-06-03"}), "2025-06-03"),
            (sale(), "2025-12-24T18:00:00Z"),
            (sale(date={"deleted": "2025-06-03"}), "2025-06-03"),
            (sale(date={}), "2025-12-24T18:00:00Z"),
        ],
    )
    def test_the_timestamp_is_the_one_of_the_domain(self, item: dict[str, Any], expected: str) -> None:
        assert row(item)["reference"]["timestamp"] == expected

    @pytest.mark.parametrize(
        ("item", "path"),
        [
            (demand(date={"requested": "2025-06-01", "triggered": "soon"}), "date.triggered"),
            (notification(date={"created": "2025-06-01", "updated": "soon"}), "date.updated"),
            (event(date={"updated": "soon"}), "date.updated"),
            (sale(date={"deleted": "soon"}), "date.deleted"),
        ],
    )
    def test_a_stamp_that_would_break_the_order_of_rows_rejects_the_record(
        self, item: dict[str, Any], path: str
    ) -> None:
        assert reason(item) == f"{path}: expected an ISO-8601 date or time, found other text"

    @given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=4, max_size=4))
    def test_no_stamp_of_a_demand_is_later_than_its_timestamp(self, moments: list[datetime]) -> None:
        names = ("requested", "triggered", "notified", "deleted")
        stamps = {name: moment.isoformat() for name, moment in zip(names, moments, strict=True)}
        assert datetime.fromisoformat(row(demand(date=stamps))["reference"]["timestamp"]) == max(moments)


class TestRemovals:
    @pytest.mark.parametrize("item", [demand(), notification(), event(), sale()], ids=lambda item: str(item["type"]))
    def test_a_removal_is_marked_with_the_time_of_delivery(self, item: dict[str, Any]) -> None:
        made = row(item, "REMOVE")
        assert made["isDeleted"] is True
        assert made["date"]["deleted"] == NOW_STAMP
        if item["type"] != "demand":
            assert made["reference"]["timestamp"] == NOW_STAMP

    def test_a_removal_by_time_to_live_is_a_removal(self) -> None:
        identity = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
        assert row(demand(), "REMOVE", userIdentity=identity) == row(demand(), "REMOVE")

    def test_a_demand_removed_before_its_latest_stamp_keeps_that_stamp(self) -> None:
        made = row(demand(date={"requested": "2025-06-01", "notified": "2099-01-01"}), "REMOVE")
        assert made["reference"]["timestamp"] == "2099-01-01"
        assert row(demand(), "REMOVE")["reference"]["timestamp"] == NOW_STAMP

    def test_an_earlier_deletion_is_overwritten(self) -> None:
        made = row(demand(isDeleted=False, date={"requested": "2025-06-01", "deleted": "2025-06-02"}), "REMOVE")
        assert made["date"]["deleted"] == NOW_STAMP
        assert made["isDeleted"] is True

    def test_personal_data_is_redacted_and_nothing_else(self) -> None:
        personal = {"phoneNumber": "+15551234567", "email": "fan@example.com"}
        made = row(notification(messageBody="Tickets!", saleName="Presale", **personal), "REMOVE")
        assert [made[name] for name in ("phoneNumber", "email", "messageBody")] == ["[redacted]"] * 3
        assert made["saleName"] == "Presale"
        assert row(demand(**personal), "REMOVE")["email"] == "[redacted]"

    def test_personal_data_that_was_never_there_stays_absent(self) -> None:
        made = row(demand(email="fan@example.com"), "REMOVE")
        assert made["phoneNumber"] is None
        assert made["email"] == "[redacted]"

    def test_an_event_that_never_had_a_date_is_updated_by_its_removal(self) -> None:
        """The schema asks for date.updated; losing the removal for want of it would be worse."""
        assert row(event(), "REMOVE")["date"] == {"firstSeen": None, "updated": NOW_STAMP, "deleted": NOW_STAMP}

    def test_the_item_must_fit_the_schema_before_it_is_marked(self) -> None:
        assert reason(event(date={"firstSeen": "2025-06-01"}), "REMOVE") == "date.updated: missing"
        assert reason(demand(email=5), "REMOVE") == "email: expected a string (S), found a number (N)"

    @pytest.mark.parametrize("event_name", ["INSERT", "MODIFY"])
    def test_a_living_item_keeps_its_personal_data(self, event_name: str) -> None:
        assert row(demand(email="fan@example.com"), event_name)["email"] == "fan@example.com"


class TestSystem:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("HOST-NTL.12345", {"id": "HOST", "databaseId": "NTL", "memberId": "12345"}),
            ("HOST-NTL.123-45.6", {"id": "HOST", "databaseId": "NTL", "memberId": "123-45.6"}),
            ("6b1c-3b0a-NTL.1", {"id": "6b1c-3b0a", "databaseId": "NTL", "memberId": "1"}),
            ("12345", None),
            ("HOST-NTL", None),
            ("HOST.NTL-12345", None),
            ("-NTL.12345", None),
            ("HOST-.12345", None),
            ("HOST-NTL.", None),
            ("", None),
        ],
    )
    def test_a_system_user_id_is_taken_apart_when_it_has_the_form(self, text: str, expected: object) -> None:
        """One of another form is kept as it is: the record is valid without its parts."""
        made = row(demand(systemUserId=text))
        assert made["system"] == expected
        assert made["systemUserId"] == text

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_the_parts_put_together_are_the_system_user_id(self, text: str) -> None:
        system = row(demand(systemUserId=text))["system"]
        assert system is None or f"{system['id']}-{system['databaseId']}.{system['memberId']}" == text

    def test_a_system_in_the_item_stays_when_there_is_nothing_to_take_apart(self) -> None:
        system = {"id": "HOST", "databaseId": "NTL", "memberId": "1"}
        assert row(demand(system=system))["system"] == system


class TestRejection:
    @pytest.mark.parametrize(
        ("item", "expected"),
        [
            (demand(type=None), "type: missing"),
            (demand(type="order"), "type: expected one of demand, event, notification, sale; found another string"),
            (demand(fanId=None), "fanId: missing"),
            (demand(date=None), "date: missing"),
            (demand(date={}), "date.requested: missing"),
            (demand(date="2025-06-01"), "date: expected a map (M), found a string (S)"),
            (demand(contactMethod="fax"), "contactMethod: expected one of sms, email; found another string"),
            (notification(statusId="LOST"), "statusId: expected one of CREATED, TRIGGERED, QUEUED, SENT"),
            (sale(saleTypes=None), "saleTypes: missing"),
            (sale(saleTypes=["presale", 5]), "saleTypes[1]: expected a string (S), found a number (N)"),
            (
                event(venues=[{}, {"location": {"longitude": "east"}}]),
                "venues[1].location.longitude: expected a number",
            ),
            (event(attractions=[{"type": "person"}]), "attractions[0].type: expected one of event, venue, attraction"),
            (event(images=[{"width": Decimal("1.5")}]), "images[0].width: expected a whole number, found a fraction"),
            (event(images=[{"width": 2**31}]), "images[0].width: expected a number in the range of Avro's int"),
            (event(isSuppressed="no"), "isSuppressed: expected a boolean (BOOL), found a string (S)"),
        ],
    )
    def test_the_reason_names_the_field(self, item: dict[str, Any], expected: str) -> None:
        assert reason(item).startswith(expected)

    @pytest.mark.parametrize(
        ("event_name", "expected"),
        [
            ("INSERT", "dynamodb.NewImage: missing, and INSERT needs it"),
            ("MODIFY", "dynamodb.NewImage: missing, and MODIFY needs it"),
            ("REMOVE", "dynamodb.OldImage: missing, and REMOVE needs it"),
        ],
    )
    def test_a_change_without_its_image_is_rejected_by_name(self, event_name: str, expected: str) -> None:
        data = json.dumps({"eventName": event_name, "dynamodb": {"Keys": {}}}).encode()
        assert delivered(data).rejected == [Rejected(data, expected)]

    @pytest.mark.parametrize(
        "item",
        [
            demand(date={"requested": "SECRET"}),
            demand(contactMethod="SECRET"),
            demand(type="SECRET"),
            demand(phoneNumber={"SECRET": "SECRET"}),
            demand(email=["SECRET"]),
            demand(date={"requested": "2025-06-01", "triggered": "SECRET"}),
            sale(saleTypes=[{"SECRET": "SECRET"}]),
        ],
    )
    def test_the_reason_never_holds_the_value(self, item: dict[str, Any]) -> None:
        """It may be personal data, and reasons go to logs."""
        assert "SECRET" not in reason(item)

    def test_an_invalid_record_fails_no_other(self) -> None:
        records = [change(demand()), b"\xff", change(demand(fanId=None)), b"{}", change(sale())]
        delivery = delivered(*records)
        assert [name for name, _day in delivery.groups] == ["demand", "sale"]
        assert [rejected.original for rejected in delivery.rejected] == [records[1], records[2], records[3]]

    def test_half_a_surrogate_pair_fails_its_record_and_not_the_file(self) -> None:
        assert reason(demand(eventName="\ud83c")) == "eventName: expected text, found half of a surrogate pair in it"


class TestGrouping:
    def test_rows_are_grouped_by_type_and_partition_date_in_order_of_arrival(self) -> None:
        records = [
            change(demand(fanId="1")),
            change(demand(fanId="2", date={"requested": "2025-06-02"})),
            change(sale()),
            change(demand(fanId="3"), "MODIFY"),
            change(demand(fanId="4"), "REMOVE"),
        ]
        groups = {group: [made.get("fanId") for made in rows] for group, rows in _groups(*records)}
        assert groups == {
            ("demand", date(2025, 6, 1)): ["1", "3", "4"],
            ("demand", date(2025, 6, 2)): ["2"],
            ("sale", date(2025, 12, 24)): [None],
        }

    def test_every_copy_of_a_duplicate_is_delivered(self) -> None:
        """The archive appends; who reads it takes the row with the latest reference.timestamp."""
        ((_group, rows),) = _groups(change(demand()), change(demand()))
        assert len(rows) == 2
        assert rows[0] == rows[1]

    def test_an_empty_batch_delivers_nothing(self) -> None:
        assert delivered() == Delivery({}, [])

    def test_records_may_come_from_an_iterator(self) -> None:
        delivery = deliver(iter([change(demand())]), RECORD_TYPES, now=NOW)
        assert list(delivery.groups) == [("demand", date(2025, 6, 1))]

    def test_the_time_must_have_a_time_zone(self) -> None:
        with pytest.raises(ValueError, match="time zone"):
            deliver([], RECORD_TYPES, now=datetime(2025, 6, 15))  # noqa: DTZ001 that is the point

    def test_the_time_may_be_of_any_time_zone(self) -> None:
        elsewhere = datetime.fromisoformat("2025-06-15T22:30:00-05:00")
        delivery = deliver([change(event())], RECORD_TYPES, now=elsewhere)
        assert list(delivery.groups) == [("event", date(2025, 6, 16))]

    @given(
        st.lists(
            st.one_of(
                st.builds(
                    change,
                    st.sampled_from([demand(), notification(), event(), sale()]),
                    st.sampled_from(["INSERT", "REMOVE"]),
                ),
                st.dictionaries(
                    st.sampled_from(["type", "date", "fanId", "venues", "saleTypes", "system", "reference"]),
                    ATTRIBUTE_VALUES | BROKEN_ATTRIBUTE_VALUES,
                ).map(lambda broken: json.dumps(document(image(demand()) | broken)).encode()),
                st.binary(max_size=20),
            ),
            max_size=6,
        )
    )
    def test_every_record_is_delivered_or_rejected_and_every_row_fits_its_schema(self, records: list[bytes]) -> None:
        delivery = delivered(*records)
        assert sum(map(len, delivery.groups.values())) + len(delivery.rejected) == len(records)
        for (name, _day), rows in delivery.groups.items():
            for made in rows:
                assert validate(made, dict(RECORD_TYPES[name].schema))
            assert _read(container(RECORD_TYPES[name], rows, sync_marker=SYNC_MARKER)) == rows


def _read(data: bytes) -> list[Row]:
    return list(fastavro.reader(BytesIO(data)))


def _full_items() -> Sequence[dict[str, Any]]:
    return (
        demand(phoneNumber="+15551234567", demandType="invite", systemUserId="HOST-NTL.1"),
        notification(statusId="SENT", messageBody="naïve \U0001f3b8"),
        sale(saleTypes=[]),
        event(venues=[{"location": {"longitude": Decimal("-118.2437")}}], attractions=[{"type": "venue"}]),
    )


class TestContainer:
    @pytest.mark.parametrize("item", _full_items(), ids=lambda item: str(item["type"]))
    def test_a_file_reads_back_as_the_rows_that_went_in(self, item: dict[str, Any]) -> None:
        (((name, _day), rows),) = _groups(change(item), change(item, "REMOVE"))
        assert _read(container(RECORD_TYPES[name], rows, sync_marker=SYNC_MARKER)) == rows

    def test_its_header_has_the_schema_with_its_docs_and_no_codec(self) -> None:
        ((_group, rows),) = _groups(change(sale()))
        reader = fastavro.reader(BytesIO(container(RECORD_TYPES["sale"], rows, sync_marker=SYNC_MARKER)))
        assert reader.codec == "null"
        in_header = json.loads(reader.metadata["avro.schema"])
        assert in_header["name"] == "dmd_pipeline.sale.Sale"
        assert [item["doc"] for item in in_header["fields"]] == [
            item["doc"] for item in RECORD_TYPES["sale"].schema["fields"]
        ]
        assert _canonical(in_header) == _canonical(dict(RECORD_TYPES["sale"].schema))

    def test_it_resolves_to_the_schema_that_the_table_holds(self) -> None:
        ((_group, rows),) = _groups(change(event(promoters=[{"name": "N. N."}])))
        data = container(RECORD_TYPES["event"], rows, sync_marker=SYNC_MARKER)
        literal = json.loads(schema_literal(RECORD_TYPES["event"].schema))
        assert list(fastavro.reader(BytesIO(data), reader_schema=literal)) == rows

    def test_the_same_batch_and_marker_give_the_same_bytes(self) -> None:
        """Golden bytes: what a file looks like does not change unnoticed."""
        ((_group, rows),) = _groups(change(demand(email="fan@example.com")), change(demand(), "REMOVE"))
        data = container(RECORD_TYPES["demand"], rows, sync_marker=SYNC_MARKER)
        assert data == container(RECORD_TYPES["demand"], iter(rows), sync_marker=SYNC_MARKER)
        header_ends = data.index(SYNC_MARKER) + len(SYNC_MARKER)
        assert data[:4] == b"Obj\x01"
        assert data[header_ends:].hex() == (GOLDEN / "demand_block.hex").read_text(encoding="ascii").replace("\n", "")
        assert data.endswith(SYNC_MARKER)

    @pytest.mark.parametrize("seed", ["1", "2", "3"])
    def test_another_process_gives_the_same_bytes(self, seed: str) -> None:
        """Python hashes texts differently in every process, and fastavro keeps names in sets."""
        program = (
            "import sys; from dmd_pipeline.delivery import container; "
            "from dmd_pipeline.record_types import load_record_types; "
            "types = load_record_types().values(); "
            "[sys.stdout.buffer.write(container(one, [], sync_marker=bytes(16))) for one in types]"
        )
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(PLUGINS)}
        written = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
        assert written.stdout == b"".join(container(one, [], sync_marker=bytes(16)) for one in RECORD_TYPES.values())

    def test_another_marker_gives_another_file_with_the_same_rows(self) -> None:
        ((_group, rows),) = _groups(change(demand()))
        one = container(RECORD_TYPES["demand"], rows, sync_marker=SYNC_MARKER)
        other = container(RECORD_TYPES["demand"], rows, sync_marker=bytes(16))
        assert one != other
        assert _read(one) == _read(other)

    @pytest.mark.parametrize("marker", [b"", bytes(15), bytes(17)])
    def test_a_marker_of_another_length_is_refused(self, marker: bytes) -> None:
        with pytest.raises(ValueError, match="a sync marker has 16 bytes"):
            container(RECORD_TYPES["demand"], [], sync_marker=marker)


def _canonical(schema: dict[str, Any]) -> str:
    return str(fastavro.schema.to_parsing_canonical_form(schema))


class TestErrorsDocument:
    def test_it_is_the_one_that_the_pipeline_writes(self) -> None:
        data = change(demand(fanId=None))
        assert json.loads(errors_document(delivered(data).rejected, NOW)) == {
            "timestamp": NOW_STAMP,
            "error": {"message": "1 invalid record(s): fanId: missing (1)"},
            "events": [data.decode()],
        }

    def test_its_message_counts_the_reasons_the_most_frequent_first(self) -> None:
        rejected = [Rejected(b"{}", "a: missing"), Rejected(b"{}", "b: missing"), Rejected(b"{}", "b: missing")]
        message = json.loads(errors_document(rejected, NOW))["error"]["message"]
        assert message == "3 invalid record(s): b: missing (2); a: missing (1)"

    def test_its_message_stays_short(self) -> None:
        rejected = [Rejected(b"{}", f"field{number}: missing") for number in range(1000)]
        message = json.loads(errors_document(rejected, NOW))["error"]["message"]
        assert message.endswith("; and 990 other reasons")
        assert len(message) < 500

    @given(st.lists(st.binary() | st.text().map(lambda text: text.encode(errors="surrogatepass"))))
    def test_the_original_bytes_survive_whatever_they_are(self, originals: list[bytes]) -> None:
        document = errors_document([Rejected(original, "broken") for original in originals], NOW)
        assert document.isascii()
        assert original_events(document) == originals

    def test_originals_that_are_text_are_that_text(self) -> None:
        """Whoever replays errors/ today reads the strings as they are."""
        data = json.dumps(document(image(demand(eventName="naïve \U0001f3b8"))), ensure_ascii=False).encode()
        assert json.loads(errors_document([Rejected(data, "broken")], NOW))["events"] == [data.decode()]


def test_a_batch_can_be_delivered_again_from_its_errors_document() -> None:
    records = [change(demand(fanId=None)), b"\xff\x00", b"{}"]
    first = delivered(*records)
    again = delivered(*original_events(errors_document(first.rejected, NOW)))
    assert again == first


@given(st.binary(max_size=50))
def test_no_bytes_can_fail_a_batch(data: bytes) -> None:
    assert len(delivered(data, change(demand())).groups) == 1


def test_memory_does_not_grow_with_the_number_of_batches() -> None:
    """A delivered batch leaves nothing behind, in no cache either: no two batches have a value in common."""

    def deliver_batch(number: int) -> None:
        day = date(2000, 1, 1) + timedelta(days=number)
        ids = [f"{number}-{place}" for place in range(50)]
        records = [change(demand(fanId=one, date={"requested": f"{day}T10:00:00Z"}, systemUserId=one)) for one in ids]
        records += [change(sale(id=one, saleStartDateTime=f"no stamp {one}"), "REMOVE") for one in ids]
        delivery = delivered(*records)
        assert len(delivery.rejected) == sum(map(len, delivery.groups.values())) == 50
        for (name, _day), rows in delivery.groups.items():
            container(RECORD_TYPES[name], rows, sync_marker=SYNC_MARKER)
        errors_document(delivery.rejected, NOW)

    def memory() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        deliver_batch(0)
        deliver_batch(1)
        before = memory()
        for number in range(2, 42):
            deliver_batch(number)
        growth = memory() - before
    finally:
        tracemalloc.stop()
    assert growth < 40_000, "bytes, for 4,000 records: 10 a record would already be a leak"
