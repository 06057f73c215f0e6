"""Stamps: which texts tell a moment, and which moment."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.portable_patterns import check_pattern
from dmd_pipeline.stamps import DATE_PATTERN, STAMP_PATTERN, parse_stamp, utc_stamp


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


def test_the_pattern_of_a_date_knows_every_day_there_is_and_no_other() -> None:
    """Of all texts that look like a date of every kind of year: with 29 days in February, without, and centuries."""
    for year in (1000, 1600, 1900, 2000, 2023, 2024, 2025, 2100, 2400, 2800, 2900, 2996, 2999):
        for month in range(14):
            for day in range(33):
                text = f"{year:04}-{month:02}-{day:02}"
                try:
                    date.fromisoformat(text)
                    exists = True
                except ValueError:
                    exists = False
                assert (re.fullmatch(DATE_PATTERN, text) is not None) == exists, text


def test_every_leap_year_has_its_day() -> None:
    leap = [year for year in range(1000, 3000) if re.fullmatch(DATE_PATTERN, f"{year}-02-29")]
    assert leap == [year for year in range(1000, 3000) if year % 4 == 0 and (year % 100 or year % 400 == 0)]


@given(st.from_regex(STAMP_PATTERN, fullmatch=True))
def test_whatever_fits_the_pattern_of_a_stamp_is_one(text: str) -> None:
    assert abs(parse_stamp(text).replace(tzinfo=None) - datetime.fromisoformat(text[:10])) < timedelta(hours=38)


@given(MOMENTS.filter(lambda moment: 1000 < moment.year < 2999))
def test_what_the_pipeline_writes_fits_the_pattern(moment: datetime) -> None:
    assert re.fullmatch(STAMP_PATTERN, utc_stamp(moment))
    assert re.fullmatch(STAMP_PATTERN, moment.isoformat())


@pytest.mark.parametrize(
    "text",
    [
        "2025-06-01T23:59:59.Z",
        "2025-06-01T23:59:60Z",
        "2025-06-01T24:00:00Z",
        "2025-06-01T1:00:00Z",
        "2025-06-01T23Z",
        "2025-06-01T23:59:59+14:30",
        "2025-06-01T23:59:59+0500",
        "2025-06-01T23:59:59+5:00",
        "2025-06-01t23:59:59Z",
        "2025-06-01T23:59:59z",
        "2025-06-01 23:59:59",
        "2025-06-01Z",
        "20250601",
        "0999-12-31",
        "3000-01-01",
        "٢٠٢٥-06-01",
    ],
)
def test_other_ways_to_write_a_stamp_do_not_fit_the_pattern(text: str) -> None:
    assert re.fullmatch(STAMP_PATTERN, text) is None


def test_the_patterns_mean_the_same_to_athena() -> None:
    check_pattern(DATE_PATTERN)
    check_pattern(STAMP_PATTERN)
