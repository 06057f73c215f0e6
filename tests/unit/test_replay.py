"""What becomes of the records of a failed batch: rows, what is rejected, what waits; and how replayed files tell."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.container_files import read_header
from dmd_pipeline.delivery import container
from dmd_pipeline.record_types import with_schema
from dmd_pipeline.replay import (
    SEQUENCE_NUMBERS,
    Conversion,
    Converter,
    days_of_delivery,
    numbers_in,
    replay_metadata,
    sync_marker,
)
from tests.unit.candidates_of import (
    ARRIVED,
    FIRST,
    RECORD_TYPES,
    changed,
    field_of,
    numbers,
    records,
    types_with,
    with_field,
    with_symbol,
    without,
)
from tests.unit.changes import change, demand, event, notification, sale


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dmd_pipeline.failed_batches import StreamRecord
    from dmd_pipeline.record_types import RecordType


KEY = "data-pipeline/avro/demand/partition_date=2025-06-01/replay-shardId-000000000001-1-2.avro"


def converted(
    *changes: bytes,
    catalog: Mapping[str, RecordType] = RECORD_TYPES,
    newest: Mapping[str, RecordType] = RECORD_TYPES,
    passes: Callable[[StreamRecord], bool] = lambda _: True,
) -> Conversion:
    return Converter(catalog, newest).convert(records(*changes), passes)


class TestConversion:
    def test_every_record_is_a_row_or_rejected_or_filtered(self) -> None:
        changes = [change(demand()), b"{}", change(sale()), change(event(id=None)), change(notification()), b"dropped"]
        found = converted(*changes, passes=lambda record: record.data != b"dropped")
        assert {group: len(rows) for group, rows in found.groups.items()} == {
            ("demand", date(2025, 6, 1)): 1,
            ("notification", date(2025, 6, 2)): 1,
            ("sale", date(2025, 12, 24)): 1,
        }
        assert [(one.record.data, one.reason.split(":")[0]) for one in found.rejected] == [
            (changes[1], "eventName"),
            (changes[3], "id"),
        ]
        assert (found.rows, found.filtered, found.waiting) == (3, 1, {})

    def test_the_order_is_that_of_the_stream_however_the_records_come(self) -> None:
        ordered = records(*(change(demand(fanId=str(number))) for number in range(5)))
        found = Converter(RECORD_TYPES, RECORD_TYPES).convert(reversed(ordered), lambda _: True)
        [rows] = found.groups.values()
        assert [one.record for one in rows] == ordered

    def test_what_the_filter_drops_is_not_even_looked_at(self) -> None:
        older = types_with(changed("demand", without("artistName")))
        found = converted(change(demand(artistName="a")), b"{}", catalog=older, passes=lambda _: False)
        assert found == Conversion(filtered=2)

    def test_the_time_of_delivery_is_each_records_own_arrival(self) -> None:
        first, second = (replace(record, arrived=ARRIVED) for record in records(change(event()), change(event())))
        second = replace(second, arrived=ARRIVED + timedelta(days=1))
        found = Converter(RECORD_TYPES, RECORD_TYPES).convert([first, second], lambda _: True)
        stamps = {day: rows[0].row["reference"]["timestamp"] for (_, day), rows in found.groups.items()}
        assert stamps == {
            date(2026, 3, 1): "2026-03-01T12:00:00.000Z",
            date(2026, 3, 2): "2026-03-02T12:00:00.000Z",
        }

    def test_the_same_records_give_the_same_rows(self) -> None:
        changes = [change(item, name) for item in (demand(), event(), sale()) for name in ("INSERT", "REMOVE")]
        assert converted(*changes) == converted(*changes)


def waits(item: dict[str, Any], newer: RecordType, catalog: Mapping[str, RecordType] = RECORD_TYPES) -> str | None:
    """Why one record waits."""
    found = converted(change(item), catalog=catalog, newest=types_with(newer))
    assert set(found.waiting) <= {newer.name}
    return found.waiting.get(newer.name)


class TestWaitingForSchema:
    def test_a_record_that_only_the_newer_schema_takes_waits(self) -> None:
        newer = changed("demand", with_symbol("pigeon"))
        assert waits(demand(contactMethod="pigeon"), newer) == "contactMethod fits only the newer schema"
        assert waits(demand(contactMethod="sms"), newer) is None

    def test_a_record_that_no_schema_takes_is_rejected_and_does_not_wait(self) -> None:
        newer = changed("demand", with_symbol("pigeon"))
        found = converted(change(demand(contactMethod="raven")), newest=types_with(newer))
        assert (len(found.rejected), found.waiting) == (1, {})

    def test_a_field_that_only_the_newer_schema_has_makes_who_uses_it_wait(self) -> None:
        newer = changed("demand", with_field("channel"))
        assert waits(demand(channel="web"), newer) == "channel is a field of the newer schema only"
        assert waits(demand(), newer) is None

    def test_a_field_that_holds_its_default_is_no_loss(self) -> None:
        newer = changed("demand", with_field("channel", default="web"))
        assert waits(demand(channel="app"), newer) is not None
        assert waits(demand(channel="web"), newer) is None
        assert waits(demand(), newer) is None

    @pytest.mark.parametrize(
        ("kind", "default", "value"),
        [
            ("bytes", "\u00ff", b"\xff"),
            ({"type": "fixed", "name": "Two", "size": 2}, "\u0000\u00ff", b"\x00\xff"),
            ({"type": "array", "items": "string"}, [], []),
            ({"type": "map", "values": "string"}, {}, {}),
            ("double", 1, 1),
        ],
    )
    def test_defaults_of_any_type_are_no_loss(self, kind: Any, default: Any, value: Any) -> None:
        newer = changed("demand", with_field("extra", kind, default=default))
        assert waits(demand(extra=value), newer) is None
        assert waits(demand(), newer) is None

    def test_a_field_within_a_record_is_told_by_its_path(self) -> None:
        newer = changed("demand", lambda schema: with_field("shown")(field_of(schema, "date")["type"]))
        dates = {"requested": "2025-06-01", "shown": "2025-06-02"}
        assert waits(demand(date=dates), newer) == "date.shown is a field of the newer schema only"
        assert waits(demand(), newer) is None

    def test_a_field_within_the_records_of_a_list_counts(self) -> None:
        newer = changed("event", lambda schema: with_field("alt")(field_of(schema, "images")["type"][1]["items"]))
        assert waits(event(images=[{"url": "a"}, {"alt": "b"}]), newer) == (
            "images.alt is a field of the newer schema only"
        )
        assert waits(event(images=[{"url": "a"}, {}]), newer) is None

    def test_a_field_within_the_records_of_a_map_counts(self) -> None:
        box = {"type": "record", "name": "Box", "fields": [{"name": "size", "type": "string"}]}
        held = changed("demand", with_field("boxes", {"type": "map", "values": box}))
        newer = replace(held, schema=deepcopy(held.schema))
        with_field("color")(field_of(newer.schema, "boxes")["type"][1]["values"])
        both = {"a": {"size": "1"}, "b": {"size": "2", "color": "red"}}
        assert waits(demand(boxes=both), newer, types_with(held)) == "boxes.color is a field of the newer schema only"
        assert waits(demand(boxes={"a": {"size": "1"}}), newer, types_with(held)) is None

    def test_what_is_derived_from_a_newer_field_waits_with_it(self) -> None:
        schema = changed("demand", without("systemUserId", "system")).schema
        older = types_with(with_schema(RECORD_TYPES["demand"], schema))
        item = demand(systemUserId="host-db.member")
        assert waits(item, RECORD_TYPES["demand"], older) == "systemUserId is a field of the newer schema only"
        assert waits(demand(), RECORD_TYPES["demand"], older) is None

    def test_a_field_that_the_newer_schema_lacks_is_no_reason_to_wait(self) -> None:
        assert waits(demand(artistName="a"), changed("demand", without("artistName"))) is None

    def test_a_record_that_only_the_catalogs_schema_takes_does_not_wait(self) -> None:
        catalog = types_with(changed("demand", with_symbol("pigeon")))
        found = converted(change(demand(contactMethod="pigeon")), catalog=catalog)
        assert (found.rows, found.waiting) == (1, {})

    def test_descriptions_alone_are_no_reason_to_wait(self) -> None:
        newer = changed("demand", lambda schema: schema.update(doc="new"))
        assert waits(demand(contactMethod="sms", email="e"), newer) is None

    def test_a_record_whose_table_is_missing_waits(self) -> None:
        catalog = {name: kind for name, kind in RECORD_TYPES.items() if name != "sale"}
        found = converted(change(demand()), change(sale()), change(sale(eventId=None)), catalog=catalog)
        assert list(found.waiting) == ["sale"]
        assert found.waiting["sale"].startswith("the catalog has no such table, or ")
        assert {name for name, _ in found.groups} == {"demand"}

    def test_each_table_that_is_waited_for_is_named(self) -> None:
        newest = types_with(changed("demand", with_field("channel")), changed("sale", with_field("channel")))
        found = converted(change(demand(channel="a")), change(event()), change(sale(channel="a")), newest=newest)
        assert set(found.waiting) == {"demand", "sale"}


SEQUENCE = st.integers(0, 10**56 - 1)


class TestReplayedFiles:
    @given(st.sets(st.one_of(SEQUENCE, st.integers(FIRST, FIRST + 50)), min_size=1))
    def test_sequence_numbers_survive(self, held: set[int]) -> None:
        assert numbers_in(replay_metadata(sorted(held))) == held

    def test_sequence_numbers_stand_in_the_header_of_the_file(self) -> None:
        _, rows = next(iter(converted(change(demand()), change(demand())).groups.items()))
        metadata = replay_metadata([one.record.sequence_number for one in rows])
        assert metadata == {SEQUENCE_NUMBERS: f"{FIRST},1"}
        body = container(
            RECORD_TYPES["demand"], (one.row for one in rows), sync_marker=sync_marker(KEY), metadata=metadata
        )
        header = read_header(lambda start, length: body[start : start + length])
        assert numbers_in({name: value.decode() for name, value in header.metadata.items()}) == numbers(0, 1)
        assert header.schema["name"].endswith("Demand")
        assert header.sync_marker == sync_marker(KEY)

    def test_ten_thousand_sequence_numbers_take_few_bytes(self) -> None:
        held = [FIRST + 1_000_003 * place for place in range(10_000)]
        assert len(replay_metadata(held)[SEQUENCE_NUMBERS]) < 100_000

    @pytest.mark.parametrize("text", [None, "", "a", "1,,2", "1;2", "1.5"])
    def test_a_file_that_tells_no_sequence_numbers_is_refused(self, text: str | None) -> None:
        with pytest.raises(ValueError, match=r"."):
            numbers_in({} if text is None else {SEQUENCE_NUMBERS: text})

    def test_the_key_gives_the_sync_marker(self) -> None:
        assert sync_marker(KEY) == sync_marker(KEY)
        assert len(sync_marker(KEY)) == 16
        assert sync_marker(KEY) != sync_marker(KEY.replace("1-2", "1-3"))

    def test_the_same_batch_gives_the_same_bytes(self) -> None:
        def body() -> bytes:
            [rows] = converted(change(demand()), change(demand(fanId="b"))).groups.values()
            return container(RECORD_TYPES["demand"], (one.row for one in rows), sync_marker=sync_marker(KEY))

        assert body() == body()
        reader: Any = read_header(lambda start, length: BytesIO(body()).getbuffer()[start : start + length].tobytes())
        assert json.dumps(reader.schema)


def test_days_of_delivery_are_those_between_less_ones_own() -> None:
    first = date(2026, 2, 27)
    assert days_of_delivery(first, date(2026, 3, 2), own=[date(2026, 3, 1)]) == [
        first,
        date(2026, 2, 28),
        date(2026, 3, 2),
    ]
    assert days_of_delivery(first, first, own=[first]) == []
