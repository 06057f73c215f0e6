"""Stamps: which texts tell a moment, and which moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.stamps import parse_stamp, utc_stamp


MOMENTS = st.datetimes(
    min_value=datetime(1, 1, 3),  # noqa: DTZ001 hypothesis adds the time zone
    max_value=datetime(9999, 12, 29),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@given(MOMENTS)
def test_a_stamp_with_an_offset_tells_the_moment_in_utc(moment: datetime) -> None:
    assert parse_stamp(moment.isoformat()) == moment
    assert parse_stamp(moment.isoformat()).utcoffset() == timedelta(0)


@given(MOMENTS)
def test_a_written_stamp_reads_back_to_the_millisecond(moment: datetime) -> None:
    stamp = utc_stamp(moment)
    assert len(stamp) == len("2025-06-01T12:30:00.000Z")
    assert timedelta(0) <= moment - parse_stamp(stamp) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2025-06-01", "2025-06-01"),
        ("2025-06-01T23:59:59.999Z", "2025-06-01"),
        ("2025-06-01T23:59:59.999999999Z", "2025-06-01"),
        ("2025-06-01T23:30:00-05:00", "2025-06-02"),
        ("2025-06-01T00:30:00+05:30", "2025-05-31"),
        ("2025-06-01T00:30:00+0530", "2025-05-31"),
        ("2025-06-01T23:59", "2025-06-01"),
        ("2025-06-01 23:59:59", "2025-06-01"),
        ("2024-02-29T00:00:00Z", "2024-02-29"),
        ("0001-01-01T00:00:00Z", "0001-01-01"),
    ],
)
def test_a_stamp_belongs_to_its_utc_date(text: str, date: str) -> None:
    assert parse_stamp(text).date().isoformat() == date


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2025-02-30",
        "2025-02-29T00:00:00Z",
        "2025-13-01",
        "0000-01-01",
        "2025-06",
        "20250601",
        "2025-W23-1",
        "2025-6-1",
        "2025-06-01T",
        "2025-06-01x12:00",
        "2025-06-01T25:00:00Z",
        "2025-06-01T12:00:00Z ",
        " 2025-06-01",
        "1750000000000",
        "2025-06-01T12:00:00 Europe/Berlin",
        "01.06.2025",
        "\u0662\u0660\u0662\u0665-\u0660\u0666-\u0660\u0661",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_any_other_text_is_no_stamp(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        parse_stamp(text)


@given(st.text())
def test_reading_any_text_gives_a_moment_in_utc_or_the_documented_errors(text: str) -> None:
    try:
        moment = parse_stamp(text)
    except (ValueError, OverflowError):
        return
    assert moment.tzinfo is UTC


def test_a_moment_without_a_time_zone_has_no_stamp() -> None:
    with pytest.raises(ValueError, match="time zone"):
        utc_stamp(datetime(2025, 6, 1))  # noqa: DTZ001 that is the point
