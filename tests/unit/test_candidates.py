"""Candidates: what the time of delivery makes of a row, and of its partition."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.candidates import candidate_of
from dmd_pipeline.delivery import Deliverer
from dmd_pipeline.errors import InvalidRecordError
from dmd_pipeline.fingerprints import delivered
from dmd_pipeline.rows import Now
from tests.unit.candidates_of import ARRIVED, RECORD_TYPES, placed, records, written
from tests.unit.changes import change, demand, event, notification, sale


TIMESTAMP = ("reference", "timestamp")
DELETED = ("date", "deleted")
ARRIVAL_STAMP = "2026-03-01T12:00:00.000Z"
STAMPS = st.one_of(
    st.none(), st.sampled_from(["2026-02-01", "2026-03-01T12:00:30Z", "2026-03-05T00:00:00Z", "2200-01-01T00:00:00Z"])
)


def test_a_change_that_asks_for_no_time_has_no_stamp() -> None:
    for item in (demand(), sale(), notification(date={"created": "2025-06-02", "updated": "2025-06-03"})):
        _, candidate = placed(change(item))
        assert candidate.stamped == ()
        assert not candidate.dated_by_arrival


def test_a_notification_that_was_never_updated_is_referred_to_by_the_time_of_its_arrival() -> None:
    group, candidate = placed(change(notification()))
    assert group[1].isoformat() == "2025-06-02"
    assert candidate.stamped == (TIMESTAMP,)
    assert candidate.row["reference"]["timestamp"] == ARRIVAL_STAMP
    assert not candidate.dated_by_arrival


def test_a_removal_stamps_when_it_was_deleted() -> None:
    for item in (demand(), notification()):
        _, candidate = placed(change(item, "REMOVE"))
        assert candidate.stamped == (DELETED, TIMESTAMP)
        assert candidate.row["date"]["deleted"] == candidate.row["reference"]["timestamp"] == ARRIVAL_STAMP


def test_an_event_without_any_date_belongs_to_the_day_of_its_delivery() -> None:
    group, candidate = placed(change(event()))
    assert group == ("event", ARRIVED.date())
    assert candidate.stamped == (TIMESTAMP,)
    assert candidate.dated_by_arrival


def test_an_event_that_tells_when_it_takes_place_belongs_there() -> None:
    group, candidate = placed(change(event(eventDate={"start": {"dateTime": "2027-01-01T20:00:00Z"}})))
    assert group[1].isoformat() == "2027-01-01"
    assert candidate.stamped == (TIMESTAMP,)
    assert not candidate.dated_by_arrival


def test_the_removal_of_an_event_without_dates_stamps_all_dates_that_must_be_there() -> None:
    group, candidate = placed(change(event(), "REMOVE"))
    assert group == ("event", ARRIVED.date())
    assert candidate.stamped == (DELETED, ("date", "updated"), TIMESTAMP)
    assert candidate.dated_by_arrival
    assert candidate.row["date"] == {"firstSeen": None, "updated": ARRIVAL_STAMP, "deleted": ARRIVAL_STAMP}


def test_a_stamp_that_the_time_of_delivery_may_overtake_is_overlooked() -> None:
    """The demand was notified after its removal arrived, as clocks go: which of the two is later depends on them."""
    item = demand(date={"requested": "2025-06-01", "notified": "2026-03-01T12:30:00Z"})
    _, candidate = placed(change(item, "REMOVE"))
    assert candidate.row["reference"]["timestamp"] == "2026-03-01T12:30:00Z"
    assert candidate.stamped == (DELETED, TIMESTAMP)


def test_what_cannot_become_a_row_names_its_field() -> None:
    with pytest.raises(InvalidRecordError, match=r"^saleId: "):
        placed(change(demand(saleId=None)))


@st.composite
def changes(draw: st.DrawFn) -> bytes:
    """Changes of which the time of delivery makes more or less."""
    kind = draw(st.sampled_from(["demand", "notification", "event", "sale"]))
    names = {
        "demand": ("triggered", "notified", "deleted"),
        "notification": ("updated", "deleted"),
        "event": ("firstSeen", "deleted"),
        "sale": ("deleted",),
    }[kind]
    date: dict[str, Any] = {name: draw(STAMPS) for name in names}
    date |= {"demand": {"requested": "2025-06-01"}, "notification": {"created": "2025-06-01"}}.get(kind, {})
    if kind in {"event", "sale"}:
        date["updated"] = "2025-06-01"
        if kind == "sale":
            date["created"] = "2025-06-01"
    given_date = {name: stamp for name, stamp in date.items() if stamp is not None}
    is_dated = kind in {"demand", "notification"} or draw(st.booleans())
    item = {"demand": demand, "notification": notification, "event": event, "sale": sale}[kind](
        date=given_date if is_dated else None
    )
    return change(item, draw(st.sampled_from(["INSERT", "MODIFY", "REMOVE"])))


@given(changes(), st.integers(0, 7 * 24 * 60))
def test_whenever_the_worker_delivers_a_record_its_row_is_recognised(data: bytes, minutes: int) -> None:
    [record] = records(data)
    at = ARRIVED + timedelta(minutes=minutes)
    deliverer = Deliverer(RECORD_TYPES)
    group, candidate = candidate_of(record, deliverer)
    actual, _ = deliverer.row(data, Now.at(at))
    assert actual == group or (candidate.dated_by_arrival and actual == (group[0], at.date()))
    record_type = RECORD_TYPES[group[0]]
    found = delivered([candidate], [written(data, at=at, record_type=record_type)], record_type)
    assert found.numbers == {record.sequence_number}
