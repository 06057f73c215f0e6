from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.masking import LENGTH, MISSING, masked


LOCAL_PARTS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=3, max_size=100).map(
    lambda text: f"{text[0]}.Q{text[1:]}"
)
SURROUNDINGS = st.text(st.sampled_from(" ,;:_-/<>()'\"\n\tab1é"), max_size=80)
# The plus and the country's digits, then the rest in groups, separated as people do.
PHONES = st.builds(
    lambda groups, separator: "+1" + separator + separator.join(groups),
    st.lists(st.text(st.sampled_from("23456789"), min_size=2, max_size=4), min_size=3, max_size=4),
    st.sampled_from(["", " ", "-", ".", ") ", "\u00a0"]),
)


class TestPersonalColumns:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("+1-555-0142", "+9-999-9999"),
            ("jane.doe@example.com", "xxxx.xxx@xxxxxxx.xxx"),
            ("[redacted]", "[xxxxxxxx]"),
            ("Ärger ٣ 한글", "xxxxx 9 xx"),
            ("", ""),
            (15550142, "99999999"),
            ({"phone": "+1"}, "{'xxxxx': '+9'}"),
        ],
    )
    def test_only_the_shape_is_shown(self, value: object, shown: str) -> None:
        assert masked(value, personal=True) == shown

    @given(st.text())
    def test_no_letter_and_no_digit_of_the_value_is_left(self, text: str) -> None:
        shown = masked(text, personal=True)
        assert {character for character in shown if character.isalnum()} <= {"x", "9"}
        assert len(shown) <= LENGTH

    def test_a_missing_value_is_told_from_an_empty_one(self) -> None:
        assert masked(None, personal=True) == masked(None, personal=False) == MISSING


class TestOtherColumns:
    @pytest.mark.parametrize(
        "value",
        [
            "event-599",
            "event-17_sale-4_fan-999999999",
            "2026-03-01",
            "2026-03-01T12:00:00.000Z",
            "2026-03-01T12:00:00+02:00",
            "2026-03-01 12:00:00",
            "20260301T120000Z",
            "CREATED",
            "",
            17,
            True,
            1.5,
            date(2026, 3, 1),
            datetime(2026, 3, 1, 12, tzinfo=UTC),
        ],
    )
    def test_what_looks_like_no_address_and_no_number_is_shown_as_it_is(self, value: object) -> None:
        assert masked(value, personal=False) == str(value)

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("event-17_sale-4_jane@example.com", "xxxxx-99_xxxx-9_xxxx@xxxxxxx.xxx"),
            ("event-17_sale-4_+15550142", "event-17_sale-4_+99999999"),
            ("event-17_sale-4_2025550142", "event-17_sale-4_9999999999"),
            ("call (202) 555-0142 now", "call (999) 999-9999 now"),
            ("on 2026-03-01 call 202.555.0142", "on 2026-03-01 call 999.999.9999"),
            ("jane%40example.com", "xxxx%99xxxxxxx.xxx"),
            ("mail jane\uff20example.com", "mail xxxx\uff20xxxxxxx.xxx"),
            (2025550142, "9999999999"),
            (["jane@example.com"], "['xxxx@xxxxxxx.xxx']"),
        ],
    )
    def test_an_address_or_a_number_inside_is_masked_and_the_rest_is_not(self, value: object, shown: str) -> None:
        assert masked(value, personal=False) == shown

    @given(SURROUNDINGS, LOCAL_PARTS, SURROUNDINGS)
    def test_no_address_is_left_wherever_it_stands(self, before: str, local_part: str, after: str) -> None:
        shown = masked(f"{before}{local_part}@fans.example.com{after}", personal=False)
        assert "Q" not in shown
        assert "fans" not in shown

    @given(SURROUNDINGS.filter(lambda text: not re.search(r"[\d+]", text)), PHONES, SURROUNDINGS)
    def test_no_phone_number_is_left_wherever_it_stands(self, before: str, phone: str, after: str) -> None:
        assert not re.search(r"[2-8]", masked(f"{before}{phone}{after}", personal=False))

    def test_an_address_that_the_end_would_cut_is_masked_too(self) -> None:
        shown = masked("x" * 50 + "jane.doe" * 10 + "@example.com", personal=False)
        assert shown == "x" * 54 + "." + "x" * 4 + "…"


class TestForm:
    @pytest.mark.parametrize("personal", [True, False])
    def test_a_long_value_is_cut(self, personal: bool) -> None:
        assert masked("x" * 61, personal=personal) == "x" * 59 + "…"
        assert masked("x" * 60, personal=personal) == "x" * 60

    @given(st.text(), st.booleans())
    def test_it_is_one_printable_line(self, text: str, personal: bool) -> None:
        assert masked(text, personal=personal).isprintable()

    def test_a_megabyte_without_a_space_takes_no_time(self) -> None:
        # Quadratic matching would outlast the time limit of a test.
        assert len(masked("1-" * 500_000 + "a" * 500_000 + "@", personal=False)) == LENGTH
        assert len(masked("1--(" * 250_000, personal=False)) == LENGTH
