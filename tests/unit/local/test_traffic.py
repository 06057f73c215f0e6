from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.delivery import deliver
from dmd_pipeline.event_filters import EventFilter
from dmd_pipeline.record_types import load_record_types
from local.aws.environment import filter_criteria
from local.delivery_worker.crashes import CrashPoint, crash_point
from local.ledger import Ledger, UnderWay, digest, load_all, next_journal, sent_by_type, times_sent
from local.traffic import spoiling
from local.traffic.plan import DELIVERY_DAY, Planned, Size, plan
from local.traffic.records import MAIL


if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
SIZE = Size(records=4000, days=21, crash_points=(CrashPoint.BEFORE_WRITES, CrashPoint.BETWEEN_WRITES))


@pytest.fixture(scope="module")
def traffic() -> list[Planned]:
    return list(plan(SIZE, seed=1, now=NOW))


@pytest.fixture(scope="module")
def event_filter() -> EventFilter:
    """The filter that the event source mapping really has."""
    return EventFilter([one["Pattern"] for one in filter_criteria(list(load_record_types()))["Filters"]])


def documents(traffic: list[Planned]) -> list[dict[str, Any]]:
    return [json.loads(one.data) for one in traffic if one.record_type is not None]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(traffic: list[Planned]) -> None:
    assert list(plan(SIZE, seed=1, now=NOW)) == traffic
    assert list(plan(SIZE, seed=2, now=NOW)) != traffic


def test_business_dates_lie_as_far_in_the_past_as_asked_for() -> None:
    old = list(plan(Size(400, days=12, days_ago=2200), seed=1, now=NOW))
    dates = {date.fromisoformat(one.business_date) for one in old if one.business_date != DELIVERY_DAY}

    assert max(dates) <= NOW.date() - timedelta(days=2200 - 180), "the furthest of those that lie far off"
    near = {day for day in dates if abs((NOW.date() - timedelta(days=2200) - day).days) <= 12}
    assert len(near) > len(dates) / 2


@pytest.mark.parametrize("records", [0, 1, 2, 999])
def test_exactly_as_many_records_as_asked_for_are_sent(records: int) -> None:
    assert len(list(plan(Size(records, days=3), seed=5, now=NOW))) == records


def test_the_filter_drops_exactly_what_the_ledger_says_it_drops(
    traffic: list[Planned], event_filter: EventFilter
) -> None:
    dropped = [one for one in traffic if not event_filter.passes(one.data, one.partition_key)]

    assert dropped == [one for one in traffic if one.record_type is None]
    assert {one.flaw for one in dropped} == set(spoiling.FILTERED)


def test_delivery_agrees_with_the_ledger_by_type_and_business_date(traffic: list[Planned]) -> None:
    ledger = Ledger(seed=1)
    for one in traffic:
        ledger.add(one)
    delivered = deliver((one.data for one in traffic if one.record_type), load_record_types(), now=NOW)

    expected: Counter[tuple[str, date]] = Counter()
    for record_type, day, sent in ledger.entries():
        expected[record_type, NOW.date() if day == DELIVERY_DAY else date.fromisoformat(day)] += sent.valid
    assert {group: len(rows) for group, rows in delivered.groups.items()} == +expected
    assert len(delivered.rejected) == sum(ledger.flaws.values())
    assert set(ledger.flaws) == set(spoiling.INVALID)


def test_every_kind_of_flaw_is_rejected_in_every_type() -> None:
    traffic = plan(Size(records=40_000, days=21), seed=3, now=NOW)
    spoiled = [one for one in traffic if one.record_type and one.flaw]
    delivered = deliver((one.data for one in spoiled), load_record_types(), now=NOW)

    assert delivered.groups == {}
    kinds = {(one.record_type, one.flaw) for one in spoiled}
    assert kinds == {(record_type, flaw) for record_type in load_record_types() for flaw in spoiling.INVALID}


def test_all_types_changes_times_and_dates_occur(traffic: list[Planned]) -> None:
    changes = documents(traffic)
    identities = Counter(change["userIdentity"] is not None for change in changes if change["eventName"] == "REMOVE")
    digits = {len(str(change["dynamodb"]["ApproximateCreationDateTime"])) for change in changes}
    days = {one.business_date for one in traffic} - {DELIVERY_DAY}

    assert {change["eventName"] for change in changes} == {"INSERT", "MODIFY", "REMOVE"}
    assert set(identities) == {True, False}, "removals by time to live and by people"
    assert digits == {13, 16}, "milliseconds and microseconds"
    assert len(days) >= 14
    assert (min(days), max(days)) == ("2025-05-11", "2026-12-12"), "stragglers far outside the range"
    assert DELIVERY_DAY in {one.business_date for one in traffic}, "events without any date"


@pytest.mark.parametrize("field", ["email", "phoneNumber", "systemUserId", "artistId", "contactMethod"])
def test_optional_fields_are_sometimes_missing(traffic: list[Planned], field: str) -> None:
    demands = [one for one in documents(traffic) if one["dynamodb"]["Keys"]["sk"]["S"] == "demand"]

    assert {field in next(iter(_images(demand))) for demand in demands} == {True, False}


def test_duplicates_are_byte_for_byte_copies_of_valid_records(traffic: list[Planned]) -> None:
    originals = {one.data for one in traffic if not one.duplicate}
    copies = [one for one in traffic if one.duplicate]

    assert copies
    assert all(copy.data in originals and copy.flaw is None for copy in copies)


def test_the_ledger_knows_how_often_a_repeated_record_was_sent(traffic: list[Planned]) -> None:
    ledger = Ledger(seed=1)
    for one in traffic:
        ledger.add(one)

    counts = Counter(digest(one.data) for one in traffic)
    assert times_sent([ledger]) == {name: count for name, count in counts.items() if count > 1}


def test_some_records_arrive_out_of_order(traffic: list[Planned]) -> None:
    happened = [_milliseconds(change) for change in documents(traffic)]

    assert happened != sorted(happened)


def test_as_many_batches_fail_as_asked_for_each_in_its_way_and_in_another_part_of_the_stream() -> None:
    size = Size(records=3000, days=5, crash_points=tuple(CrashPoint))
    pills = [one for one in plan(size, seed=1, now=NOW) if crash_point([one.data], {}) is not None]

    assert [crash_point([pill.data], {}) for pill in pills] == list(CrashPoint)
    assert len({pill.hash_key for pill in pills}) == len(CrashPoint)
    assert all(pill.flaw is None for pill in pills), "apart from the crash nothing is wrong with them"


def test_every_failing_batch_holds_invalid_records(event_filter: EventFilter) -> None:
    traffic = list(plan(Size(records=3000, days=5, crash_points=tuple(CrashPoint)), seed=1, now=NOW))
    pills = [place for place, one in enumerate(traffic) if crash_point([one.data], {}) is not None]

    for place in pills:
        around = [traffic[place - 1], traffic[place + 1]]
        lane = (traffic[place].hash_key, traffic[place].partition_key)
        assert [(one.hash_key, one.partition_key) for one in around] == [lane] * 2, "before and behind it, in its lane"
        assert all(one.flaw in spoiling.INVALID for one in around)
        assert all(event_filter.passes(one.data, one.partition_key) for one in around)


def test_one_record_in_a_hundred_is_invalid() -> None:
    traffic = list(plan(Size(records=20_000, days=21), seed=1, now=NOW))

    assert 150 < sum(one.flaw in spoiling.INVALID for one in traffic) < 250


def test_persons_are_invented_with_reserved_numbers_and_addresses(traffic: list[Planned]) -> None:
    everything = b"".join(one.data for one in traffic).decode()
    addresses = set(re.findall(r"[\w.]+@([\w.]+)", everything))
    numbers = set(re.findall(r'"phoneNumber": {"S": "([^"]+)"', everything))

    assert addresses == {MAIL}
    assert numbers
    assert all(re.fullmatch(r"\+1-555-01\d\d", number) for number in numbers)


def test_a_ledger_survives_its_file_and_ledgers_add_up(tmp_path: Path, traffic: list[Planned]) -> None:
    ledger = Ledger(seed=1, crash_points=["before_writes"], last_sequence_numbers={"shardId-0": "7"})
    for one in traffic:
        ledger.add(one)
    ledger.under_way = [UnderWay.of(traffic[0])]
    for name in ("001.json", "002.json"):
        ledger.save(tmp_path / name)

    assert load_all(tmp_path) == [ledger, ledger]
    assert ledger.total == len(traffic)
    by_type = Counter(one.record_type for one in traffic if one.record_type)
    assert sent_by_type(load_all(tmp_path)) == by_type + by_type


def test_the_next_batch_takes_a_seed_above_all_others_and_goes_on_behind_the_last_record(tmp_path: Path) -> None:
    first = next_journal(tmp_path, seed=None, crash_points=[CrashPoint.AFTER_WRITES])
    Ledger(seed=7, last_sequence_numbers={"shardId-0": "7"}).save(first.path)

    second = next_journal(tmp_path, seed=None, crash_points=())

    assert (first.path.name, first.ledger) == ("001.json", Ledger(seed=1, crash_points=["after_writes"]))
    assert (second.path.name, second.ledger) == ("002.json", Ledger(seed=8, last_sequence_numbers={"shardId-0": "7"}))


def _images(change: dict[str, Any]) -> list[dict[str, Any]]:
    return [value for name, value in change["dynamodb"].items() if name.endswith("Image")]


def _milliseconds(change: dict[str, Any]) -> int:
    moment: int = change["dynamodb"]["ApproximateCreationDateTime"]
    return moment // 1000 if moment > 10**14 else moment
