"""Fingerprints: which changes the worker has written already, whatever its clock and its schema were."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.fingerprints import Delivered, WrittenRows, delivered
from tests.unit.candidates_of import (
    RECORD_TYPES,
    SOON,
    candidates,
    changed,
    field_of,
    numbers,
    types_with,
    with_field,
    with_symbol,
    without,
    written,
)
from tests.unit.changes import change, demand, event, notification


if TYPE_CHECKING:
    from collections.abc import Iterator

    from dmd_pipeline.record_types import RecordType


DEMAND = RECORD_TYPES["demand"]
NOTIFICATION = RECORD_TYPES["notification"]
EVENT = RECORD_TYPES["event"]
ONE, TWO, THREE = (change(demand(fanId=f"fan-{number}")) for number in range(3))


def found(*changes: bytes, files: list[WrittenRows], record_type: RecordType = DEMAND, **asked: Any) -> Delivered:
    """Which of some changes, of one group, stand in files."""
    of = candidates(*changes, record_types=types_with(record_type))
    return delivered(of, files, record_type, **asked)


class TestRows:
    def test_a_row_that_stands_there_is_found_and_others_are_not(self) -> None:
        file = written(TWO, record_type=DEMAND)
        assert found(ONE, TWO, THREE, files=[file]) == Delivered(numbers(1), 0)

    def test_rows_are_found_in_several_files(self) -> None:
        files = [written(one, record_type=DEMAND) for one in (THREE, ONE)]
        assert found(ONE, TWO, THREE, files=files) == Delivered(numbers(0, 2), 0)

    def test_the_workers_clock_makes_no_difference(self) -> None:
        for changes, kind in (
            ((change(notification()), change(notification(), "REMOVE")), NOTIFICATION),
            ((change(event(date={"firstSeen": "2026-01-01", "updated": "2026-01-01"}), "REMOVE"),), EVENT),
        ):
            file = written(*changes, at=SOON + timedelta(hours=5), record_type=kind)
            assert found(*changes, files=[file], record_type=kind) == Delivered(numbers(*range(len(changes))), 0)

    def test_a_stamp_that_is_not_the_workers_makes_a_difference(self) -> None:
        was = change(notification(date={"created": "2025-06-02", "updated": "2025-06-03"}))
        now = change(notification(date={"created": "2025-06-02", "updated": "2025-06-04"}))
        assert found(now, files=[written(was, record_type=NOTIFICATION)], record_type=NOTIFICATION).numbers == set()

    def test_an_insertion_is_not_the_removal_of_the_same_item(self) -> None:
        there, gone = change(notification()), change(notification(), "REMOVE")
        for one, other in ((there, gone), (gone, there)):
            file = written(one, record_type=NOTIFICATION)
            assert found(other, files=[file], record_type=NOTIFICATION).numbers == set()

    def test_every_prefix_of_a_group_that_a_retry_wrote_again_is_found_once(self) -> None:
        files = [written(*changes, record_type=DEMAND) for changes in ((ONE,), (ONE, TWO), (ONE, TWO))]
        assert found(ONE, TWO, THREE, files=files) == Delivered(numbers(0, 1), 0)


class TestIdenticalRows:
    def test_one_written_row_stands_for_one_record(self) -> None:
        assert found(ONE, TWO, ONE, ONE, files=[written(ONE, ONE, record_type=DEMAND)]) == Delivered(numbers(0, 2), 2)

    def test_the_ones_that_a_retry_wrote_again_are_taken_for_written_and_counted(self) -> None:
        """Two rows of one record, or one each of two records: nobody can tell."""
        files = [written(ONE, record_type=DEMAND)] * 2
        assert found(ONE, ONE, files=files) == Delivered(numbers(0, 1), 2)

    def test_more_rows_than_records_find_no_more_than_the_records(self) -> None:
        assert found(ONE, TWO, files=[written(ONE, ONE, ONE, record_type=DEMAND)]).numbers == numbers(0)

    def test_records_that_differ_in_stamps_alone_cannot_be_told_apart(self) -> None:
        twins = (change(notification()),) * 2
        file = written(twins[0], at=SOON, record_type=NOTIFICATION)
        assert found(*twins, files=[file], record_type=NOTIFICATION) == Delivered(numbers(0), 1)

    @pytest.mark.parametrize("places", [(0,), (1,), (0, 1), (1, 0)])
    def test_an_exact_match_comes_before_one_that_overlooks_stamps(self, places: tuple[int, ...]) -> None:
        """A removal, and a change by which somebody had marked the item as deleted himself: alike but for the time."""
        item = event(date={"firstSeen": "2026-01-01", "updated": "2026-01-01", "deleted": "2026-01-02"}, isDeleted=True)
        both = (change(item, "REMOVE"), change(item))
        for order in (both, both[::-1]):
            file = written(*(order[place] for place in places), record_type=EVENT)
            assert found(*order, files=[file], record_type=EVENT).numbers == numbers(*places)

    def test_what_was_found_in_two_places_adds_up(self) -> None:
        assert Delivered(numbers(0), 1) + Delivered(numbers(2), 2) == Delivered(numbers(0, 2), 3)


class TestOneBatch:
    """A file that the worker wrote for a batch holds the batch's whole group."""

    def test_a_row_in_a_file_that_holds_others_and_not_all_of_ours_is_counted(self) -> None:
        file = written(ONE, THREE, record_type=DEMAND)
        assert found(ONE, TWO, files=[file], of_one_batch=True) == Delivered(numbers(0), 1)

    def test_a_file_of_a_larger_batch_that_was_halved_later_leaves_no_doubt(self) -> None:
        file = written(ONE, TWO, THREE, record_type=DEMAND)
        assert found(ONE, TWO, files=[file], of_one_batch=True) == Delivered(numbers(0, 1), 0)

    def test_a_file_of_the_batch_settles_what_another_one_left_in_doubt(self) -> None:
        files = [written(*changes, record_type=DEMAND) for changes in ((ONE, THREE), (ONE, TWO))]
        assert found(ONE, TWO, files=files, of_one_batch=True) == Delivered(numbers(0, 1), 0)

    def test_records_that_look_the_same_stay_in_doubt(self) -> None:
        file = written(ONE, ONE, TWO, record_type=DEMAND)
        assert found(ONE, ONE, TWO, files=[file], of_one_batch=True) == Delivered(numbers(0, 1, 2), 2)

    def test_where_others_lie_between_nothing_follows_from_a_files_other_rows(self) -> None:
        file = written(ONE, THREE, record_type=DEMAND)
        assert found(ONE, TWO, files=[file]) == Delivered(numbers(0), 0)


class TestSchemas:
    @pytest.mark.parametrize("names", [("artistName",), ("system",), ("systemUserId", "system")])
    def test_a_file_of_an_older_worker_lacks_fields(self, names: tuple[str, ...]) -> None:
        full = {"artistName": "a", "systemUserId": "host-db.member"}
        changes = [change(demand(fanId=f"fan-{number}", **full)) for number in range(2)]
        file = written(*changes, record_type=DEMAND)
        lacking = changed("demand", without(*names)).schema
        rows = [{name: value for name, value in row.items() if name not in names} for row in file.rows]
        assert found(*changes, ONE, files=[WrittenRows(lacking, rows)]) == Delivered(numbers(0, 1), 0)

    def test_changes_that_differ_only_in_what_the_file_lacks_cannot_be_told_apart_by_it(self) -> None:
        older = changed("demand", without("artistName"))
        both = [change(demand(artistName=name)) for name in ("a", "b")]
        assert found(*both, files=[written(both[1], record_type=older)]) == Delivered(numbers(0), 1)

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_a_row_that_could_be_either_gives_way_to_one_that_tells_them_apart(self, order: tuple[int, int]) -> None:
        """One was written by an older worker, the other by a newer one: both are there, and neither is added again."""
        older = changed("demand", without("artistName"))
        both = [change(demand(artistName=name)) for name in ("a", "b")]
        files = [written(both[1], record_type=older), written(both[0], record_type=DEMAND)]
        assert found(*both, files=[files[place] for place in order]).numbers == numbers(0, 1)

    def test_a_file_of_a_newer_worker_has_fields_that_the_catalog_lacks(self) -> None:
        newer = changed("demand", with_field("channel"))
        both = [change(demand(channel=name)) for name in ("web", "app")]
        assert found(*both, files=[written(both[1], record_type=newer)]) == Delivered(numbers(1), 0)

    def test_a_newer_field_that_nothing_gave_is_filled_as_the_worker_fills_it(self) -> None:
        newer = changed("demand", with_field("channel", default="web"))
        assert found(ONE, files=[written(ONE, record_type=newer)]) == Delivered(numbers(0), 0)

    def test_a_symbol_that_the_files_schema_lacks_was_not_written_there(self) -> None:
        newer = changed("demand", with_symbol("pigeon"))
        bird = change(demand(contactMethod="pigeon"))
        file = written(ONE, record_type=DEMAND)
        assert found(bird, ONE, files=[file], record_type=newer) == Delivered(numbers(1), 0)

    def test_the_same_schema_without_its_descriptions_is_the_same(self) -> None:
        plain = changed("demand", _without_descriptions)
        assert found(ONE, TWO, files=[written(TWO, record_type=plain)]) == Delivered(numbers(1), 0)

    def test_an_optional_field_needs_no_default_to_be_recognised(self) -> None:
        """Some writers leave the defaults out of the header: they mean nothing to who reads a file."""
        bare = changed("demand", _without_defaults)
        file = written(ONE, TWO, record_type=DEMAND)
        assert found(ONE, TWO, files=[WrittenRows(bare.schema, file.rows)]) == Delivered(numbers(0, 1), 0)

    @pytest.mark.parametrize(
        "schema",
        [
            RECORD_TYPES["sale"].schema,
            {"type": "record", "name": "Stray", "fields": []},
            {"type": "record", "name": "Stray", "fields": [{"name": "fanId", "type": "string"}]},
            {"type": "record", "name": "Stray", "fields": [{"name": "date", "type": "string"}]},
            changed("demand", without("reference")).schema,
            changed("demand", without("isDeleted")).schema,
            changed("demand", without("date")).schema,
            changed("demand", without("type")).schema,
            changed("demand", without("phoneNumber")).schema,
            changed("demand", lambda schema: field_of(schema, "reference").update(type="string")).schema,
            changed(
                "demand", lambda schema: field_of(schema, "reference")["type"]["fields"][1].update(type="long")
            ).schema,
            changed("demand", lambda schema: field_of(schema, "isDeleted").update(type="string", default="")).schema,
            changed("demand", lambda schema: field_of(schema, "date").update(type="string")).schema,
            changed("demand", lambda schema: field_of(schema, "system").update(type=["null", "string"])).schema,
        ],
    )
    @pytest.mark.parametrize("row", [{}, {"fanId": "fan-1", "date": "2026-03-01"}])
    def test_a_file_that_no_worker_wrote_is_passed_over(self, schema: Any, row: Any) -> None:
        removed = change(demand(fanId="fan-9", systemUserId="host-db.member", phoneNumber="1"), "REMOVE")
        stray = WrittenRows(schema, [_filled(schema, row)])
        files = [stray, written(TWO, record_type=DEMAND)]
        assert found(ONE, TWO, removed, files=files) == Delivered(numbers(1), 0)


def _without_descriptions(schema: Any) -> None:
    for one in (schema, *schema["fields"]):
        one.pop("doc", None)


def _without_defaults(schema: Any) -> None:
    if isinstance(schema, dict):
        schema.pop("default", None)
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _without_defaults(value)


def _filled(avro_type: Any, given: Any = None) -> Any:
    """A value of a type, for tests that need any."""
    if isinstance(avro_type, list):
        return _filled(avro_type[0])
    kind = avro_type["type"] if isinstance(avro_type, dict) else avro_type
    if kind == "record":
        own = given if isinstance(given, dict) else {}
        return {
            one["name"]: own[one["name"]]
            if isinstance(own.get(one["name"]), str) and one["type"] == "string"
            else _filled(one["type"])
            for one in avro_type["fields"]
        }
    plain: dict[str, Any] = {"null": None, "string": "", "long": 1, "boolean": True, "array": []}
    return plain[kind]


class TestReading:
    def test_no_file_is_read_for_nothing(self) -> None:
        assert delivered([], self._never(), DEMAND) == Delivered(frozenset(), 0)

    def test_files_are_read_only_until_all_is_found(self) -> None:
        def files() -> Iterator[WrittenRows]:
            yield written(ONE, TWO, record_type=DEMAND)
            yield from self._never()

        assert delivered(candidates(ONE, TWO), files(), DEMAND).numbers == numbers(0, 1)

    @staticmethod
    def _never() -> Iterator[WrittenRows]:
        raise AssertionError("a file was read that could tell nothing")
        yield


def test_maps_are_compared_whatever_the_order_of_their_keys() -> None:
    kind = changed("demand", with_field("labels", {"type": "map", "values": "string"}))
    data = change(demand(labels={"10": "a", "2": "b", "x": "c"}))
    file = written(data, record_type=kind)
    rows = [{**deepcopy(row), "labels": dict(sorted(row["labels"].items(), reverse=True))} for row in file.rows]
    assert [list(row["labels"]) for row in rows] == [["x", "2", "10"]]
    assert found(data, files=[WrittenRows(file.schema, rows)], record_type=kind).numbers == numbers(0)


ALIKE = st.lists(st.integers(0, 2), max_size=6)


@given(ALIKE, st.lists(ALIKE, max_size=3))
def test_as_many_are_found_as_two_multisets_have_in_common(ours: list[int], files: list[list[int]]) -> None:
    """Changes of three kinds, of which the worker stamps the last two."""
    kinds = [
        change(notification(date={"created": "2025-06-02", "updated": "2025-06-03"})),
        change(notification(fanId="b")),
        change(notification(fanId="c"), "REMOVE"),
    ]
    read = [
        written(*(kinds[kind] for kind in file), at=SOON + timedelta(hours=place), record_type=NOTIFICATION)
        for place, file in enumerate(files)
        if file
    ]
    result = found(*(kinds[kind] for kind in ours), files=read, record_type=NOTIFICATION)
    there = [kind for file in files for kind in file]
    for kind in range(3):
        of_kind = numbers(*(place for place, one in enumerate(ours) if one == kind))
        assert len(result.numbers & of_kind) == min(len(of_kind), there.count(kind))
    assert result.indistinguishable == sum(
        min(ours.count(kind), there.count(kind)) for kind in range(3) if ours.count(kind) > 1
    )


OLDER = changed("notification", without("messageBody"))
BY = st.sampled_from(["nobody", "an older worker", "a newer worker"])


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), BY), min_size=1, max_size=6), st.data())
def test_every_row_stands_for_a_record_of_its_own_whichever_worker_wrote_it(
    made: list[tuple[int, bool, str]], data: st.DataObject
) -> None:
    """As many are found as were written, so that none of them is written again: older files lack a field."""
    changes = [
        change(
            notification(
                messageBody=str(body),
                date={"created": "2025-06-02", **({"updated": "2025-06-03"} if is_updated else {})},
            )
        )
        for body, is_updated, _ in made
    ]
    files = [
        written(one, at=SOON + timedelta(hours=place), record_type=NOTIFICATION if "newer" in by else OLDER)
        for place, (one, (*_, by)) in enumerate(zip(changes, made, strict=True))
        if by != "nobody"
    ]
    result = found(*changes, files=data.draw(st.permutations(files)), record_type=NOTIFICATION)
    assert len(result.numbers) == len(files)
