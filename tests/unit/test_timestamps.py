"""Timestamps: the same moments as botocore reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.parsers import DEFAULT_TIMESTAMP_PARSER
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.aws.timestamps import parse_timestamp, read_timestamps_quickly


READ_BY_BOTOCORE: Any = DEFAULT_TIMESTAMP_PARSER


@given(
    st.datetimes(
        min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - the zone is given apart
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - the zone is given apart
        timezones=st.just(UTC),
    ).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)),
    st.sampled_from((0, -480, 330)),
)
def test_each_spelling_of_a_moment_is_that_moment(moment: datetime, minutes: int) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(minutes=minutes)))
    as_s3_writes_it = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
    for spelling in (as_s3_writes_it, elsewhere.isoformat(), moment.timestamp(), str(moment.timestamp())):
        assert parse_timestamp(spelling) == READ_BY_BOTOCORE(spelling) == moment


@pytest.mark.parametrize(
    "spelling",
    ["Sat, 28 Nov 2026 06:45:29 GMT", "2026-11-28T06:45:29", "20261128", "1577836800", 1577836800, 1577836800.25, -1],
)
def test_what_is_spelled_otherwise_botocore_reads(spelling: float | str) -> None:
    assert parse_timestamp(spelling) == READ_BY_BOTOCORE(spelling)


def test_what_is_none_is_refused_as_botocore_refuses_it() -> None:
    with pytest.raises(ValueError, match='Invalid timestamp "yesterday"'):
        parse_timestamp("yesterday")


def test_numbers_are_moments_in_utc() -> None:
    assert parse_timestamp(0.5) == datetime(1970, 1, 1, microsecond=500_000, tzinfo=UTC)
    assert parse_timestamp(0.5).tzinfo is UTC


def test_a_session_reads_quickly_and_another_one_as_it_did() -> None:
    quick, other = boto3.Session(), boto3.Session()
    read_timestamps_quickly(quick)
    parsers = [
        session._session.get_component("response_parser_factory").create_parser("rest-xml")
        for session in (quick, other)
    ]
    assert parsers[0]._timestamp_parser is parse_timestamp
    assert parsers[1]._timestamp_parser is not parse_timestamp
