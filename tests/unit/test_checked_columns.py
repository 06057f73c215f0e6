"""Checked columns: what there is of each table, and what a row holds of them. That SQL says the same: test_measures."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from dmd_pipeline.checked_columns import Kind, checked_columns, literal, quoted
from dmd_pipeline.errors import SchemaError
from dmd_pipeline.record_types import RecordType, TimestampRule, load_record_types


RECORD_TYPES = load_record_types()
DAY = date(2026, 3, 1)


def record_type(*fields: dict[str, Any], **changed: Any) -> RecordType:
    """A record type with fields of one's own beside those that every one has."""
    strings = [{"name": name, "type": "string"} for name in ("id", "timestamp")]
    shared = [
        {"name": "type", "type": "string"},
        {"name": "date", "type": {"type": "record", "name": "D", "fields": [_optional("built", "string")]}},
        {"name": "reference", "type": {"type": "record", "name": "R", "fields": strings}},
        _optional("isDeleted", "boolean"),
    ]
    given: dict[str, Any] = {
        "name": "venue",
        "schema": {"type": "record", "name": "Venue", "fields": [*fields, *shared]},
        "partition_date": ("date.built", "now"),
        "reference_id": ("type",),
        "reference_timestamp": TimestampRule("first_of", ("now",)),
    }
    return RecordType(**(given | changed))


def _optional(name: str, avro_type: Any) -> dict[str, Any]:
    return {"name": name, "type": ["null", avro_type], "default": None}


def value(kind: RecordType, name: str, row: dict[str, Any], day: date = DAY) -> Any:
    """Of a checked column in a row."""
    return checked_columns(kind)[name].value(row, day)


class TestNames:
    def test_of_a_sale(self) -> None:
        assert list(checked_columns(RECORD_TYPES["sale"])) == [
            "type",
            "id",
            "eventid",
            "saletypes",
            "name",
            "salestartdate",
            "salestartdatetime",
            "saleenddatetime",
            "date",
            "date.deleted",
            "reference",
            "reference.id",
            "reference.timestamp",
            "isdeleted",
            "partition_date",
            "business_date",
        ]

    def test_lists_are_at_the_top_only_and_nothing_in_them_is_a_column(self) -> None:
        names = set(checked_columns(RECORD_TYPES["event"]))
        assert {"venues", "promoter", "promoter.id", "eventdate.start.datetime", "ticketing.safetix"} <= names
        assert not {name for name in names if name.startswith(("venues.", "attractions.", "images."))}
        assert "eventdate.start" not in names

    def test_of_personal_data_in_deleted_rows(self) -> None:
        for kind in RECORD_TYPES.values():
            names = [name for name in checked_columns(kind) if name.startswith("deleted.")]
            assert names == [f"deleted.{path.lower()}" for path in kind.redacted]

    def test_a_field_that_is_called_like_a_computed_column_is_refused(self) -> None:
        taken = {"type": "record", "name": "X", "fields": [_optional("email", "string")]}
        for field in _optional("business_date", "string"), _optional("deleted", taken):
            kind = record_type(field, _optional("email", "string"), redacted=("email",))
            with pytest.raises(SchemaError, match=r"^venue: (business_date|deleted\.email) is what checks call"):
                checked_columns(kind)


class TestKinds:
    @pytest.mark.parametrize(
        ("avro_type", "kind"),
        [
            ("string", Kind.TEXT),
            ({"type": "string"}, Kind.TEXT),
            ({"type": "enum", "name": "E", "symbols": ["a"]}, Kind.TEXT),
            ("boolean", Kind.BOOLEAN),
            ("int", Kind.WHOLE),
            ("long", Kind.WHOLE),
            ("double", Kind.PRESENCE),
            ("bytes", Kind.PRESENCE),
            ({"type": "long", "logicalType": "timestamp-millis"}, Kind.PRESENCE),
            ({"type": "string", "logicalType": "uuid"}, Kind.PRESENCE),
            ({"type": "array", "items": "string"}, Kind.PRESENCE),
            ({"type": "map", "values": "string"}, Kind.PRESENCE),
            ({"type": "record", "name": "X", "fields": [_optional("y", "string")]}, Kind.PRESENCE),
        ],
    )
    def test_follow_from_the_schema(self, avro_type: Any, kind: Kind) -> None:
        assert checked_columns(record_type(_optional("field", avro_type)))["field"].kind is kind
        assert checked_columns(record_type({"name": "field", "type": avro_type}))["field"].kind is kind

    def test_of_what_is_worked_out_is_said_so(self) -> None:
        columns = checked_columns(RECORD_TYPES["notification"])
        derived = {name for name, column in columns.items() if column.kind is Kind.DERIVED_TEXT}
        assert derived == {"business_date", "deleted.messagebody", "deleted.phonenumber", "deleted.email"}

    def test_a_field_of_several_types_can_only_be_there_or_not(self) -> None:
        field = {"name": "field", "type": ["null", "string", "int"]}
        assert checked_columns(record_type(field))["field"].kind is Kind.PRESENCE


class TestPersonal:
    def test_what_is_redacted_is_personal_and_nothing_else(self) -> None:
        for kind in RECORD_TYPES.values():
            paths = {path.lower() for path in kind.redacted}
            expected = paths | {f"deleted.{path}" for path in paths}
            assert {column.name for column in checked_columns(kind).values() if column.personal} == expected

    def test_also_within_a_record(self) -> None:
        contact = {"type": "record", "name": "C", "fields": [_optional("Mail", "string")]}
        kind = record_type(_optional("Contact", contact), redacted=("Contact.Mail",))
        columns = checked_columns(kind)
        assert columns["contact.mail"].personal
        assert columns["deleted.contact.mail"].personal
        row = {"Contact": {"Mail": "x"}, "isDeleted": True}
        assert value(kind, "deleted.contact.mail", row) == "x"
        assert columns["deleted.contact.mail"].sql == 'CASE WHEN "isdeleted" THEN "contact"."mail" END'


class TestValues:
    def test_of_fields_and_of_fields_of_records(self) -> None:
        row = {"fanId": "f", "date": {"requested": "r", "deleted": None}, "isDeleted": False, "system": None}
        demand = RECORD_TYPES["demand"]
        assert value(demand, "fanid", row) == "f"
        assert value(demand, "date.requested", row) == "r"
        assert value(demand, "date.deleted", row) is None
        assert value(demand, "date", row) == row["date"]
        assert value(demand, "system.id", row) is None
        assert value(demand, "isdeleted", row) is False

    def test_of_what_the_row_s_file_does_not_know_is_none(self) -> None:
        for kind in RECORD_TYPES.values():
            for column in checked_columns(kind).values():
                assert (column.value({}, DAY) is None) == (column.name != "partition_date")

    def test_of_the_partition(self) -> None:
        assert value(RECORD_TYPES["demand"], "partition_date", {}, date(812, 1, 2)) == "0812-01-02"

    @pytest.mark.parametrize(
        ("deleted", "expected"), [(True, "a@b"), (False, None), (None, None)], ids=["deleted", "not", "unknown"]
    )
    def test_of_personal_data_is_that_of_deleted_rows(self, deleted: bool | None, expected: str | None) -> None:
        assert value(RECORD_TYPES["demand"], "deleted.email", {"email": "a@b", "isDeleted": deleted}) == expected


class TestBusinessDate:
    @pytest.mark.parametrize(
        ("stamp", "expected"),
        [
            ("2026-03-01", "2026-03-01"),
            ("2026-03-01T23:59:59.999Z", "2026-03-01"),
            ("2026-03-01T23:59", "2026-03-01"),
            ("2026-03-01T23:30:00-05:00", "2026-03-02"),
            ("2026-03-01T00:30+05:30", "2026-02-28"),
            ("2024-02-29T12:00:00.123456789+14:00", "2024-02-28"),
            ("2026-02-29T12:00:00Z", None),
            ("2026-03-01t12:00:00Z", None),
            ("2026-03-01T12:00:00z", None),
            ("2026-03-01 12:00:00", None),
            ("2026-03-01T12:00:00+0500", None),
            ("2026-03-01T12:00:00Z\n", None),
            ("2026-03-01T24:00:00Z", None),
            ("tomorrow", None),
            ("", None),
            (None, None),
        ],
    )
    def test_is_the_utc_date_of_a_stamp(self, stamp: str | None, expected: str | None) -> None:
        assert value(RECORD_TYPES["demand"], "business_date", {"date": {"requested": stamp}}) == expected

    def test_is_of_the_first_stamp_that_is_there_though_it_is_none(self) -> None:
        event = RECORD_TYPES["event"]
        start = {"start": {"dateTime": "2026-05-01T20:00:00Z"}}
        seen = "2026-03-01T10:00:00Z"
        assert value(event, "business_date", {"date": {"firstSeen": seen}, "eventDate": start}) == "2026-03-01"
        assert value(event, "business_date", {"date": {"firstSeen": None}, "eventDate": start}) == "2026-05-01"
        assert value(event, "business_date", {"date": None, "eventDate": start}) == "2026-05-01"
        assert value(event, "business_date", {"date": {"firstSeen": "soon"}, "eventDate": start}) is None
        assert value(event, "business_date", {"date": None, "eventDate": None}) is None

    def test_is_unknown_where_only_the_time_of_delivery_tells(self) -> None:
        kind = record_type(partition_date=("now",))
        assert value(kind, "business_date", {"date": {"built": "2026-03-01"}}) is None
        assert checked_columns(kind)["business_date"].sql == "CAST(NULL AS varchar)"


class TestSql:
    def test_every_name_is_quoted_and_in_lower_case(self) -> None:
        columns = checked_columns(RECORD_TYPES["demand"])
        assert columns["date.requested"].sql == '"date"."requested"'
        assert columns["fanid"].sql == '"fanid"'
        assert columns["partition_date"].sql == '"partition_date"'

    @pytest.mark.parametrize("table", RECORD_TYPES)
    def test_patterns_are_asked_of_fields_alone(self, table: str) -> None:
        """Trino 411 fails with COMPILER_ERROR on a pattern of a conditional expression that has a record's field."""
        sql = checked_columns(RECORD_TYPES[table])["business_date"].sql
        asked = list(sqlglot.parse_one(sql, read="trino").find_all(exp.RegexpLike))
        assert len(asked) == 2 * sum(path != "now" for path in RECORD_TYPES[table].partition_date)
        for found in asked:
            assert isinstance(found.this, exp.Column | exp.Dot)

    def test_what_is_quoted_stays_inside(self) -> None:
        assert quoted('a" OR "1') == '"a"" OR ""1"'
        assert literal("a' OR '1") == "'a'' OR ''1'"
