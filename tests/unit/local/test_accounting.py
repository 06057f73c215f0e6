from __future__ import annotations

import pytest

from local.accounting import NO_TABLE, Line, table
from local.evidence import UNREADABLE, record_type_of


def test_a_record_counts_once_wherever_it_is() -> None:
    line = Line("demand", sent=10, readable=6, in_errors=1, in_dead_letter_queue=3)

    assert line.difference == 0


def test_copies_left_by_failed_attempts_do_not_hide_a_loss() -> None:
    line = Line("demand", sent=10, readable=8, in_dead_letter_queue=3, written_in_vain=2)

    assert (line.found, line.difference) == (9, 1)


def test_the_table_totals_and_shows_copies_only_where_there_are_any() -> None:
    lines = [Line("demand", 10, readable=9, in_errors=1), Line(NO_TABLE, 2, filtered=1)]

    rows, headers = table(lines)

    assert headers == ["type", "sent", "= readable", "+ errors/", "+ dead letters", "+ filtered", "difference"]
    assert rows == [["demand", 10, 9, 1, 0, 0, 0], [NO_TABLE, 2, 0, 0, 0, 1, 1], ["all", 12, 9, 1, 0, 1, 1]]


def test_the_table_shows_copies_where_there_are_some() -> None:
    rows, headers = table([Line("demand", 10, readable=12, written_in_vain=2)])

    assert dict(zip(headers, rows[0], strict=True))["- copies of failed attempts"] == 2


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"dynamodb": {"NewImage": {"type": {"S": "sale"}}}}', "sale"),
        (b'{"dynamodb": {"OldImage": {"type": {"S": "sale"}}}}', "sale"),
        (b'{"dynamodb": {"NewImage": {"type": {"N": "1"}}}}', UNREADABLE),
        (b'{"dynamodb": 5}', UNREADABLE),
        (b"{", UNREADABLE),
    ],
)
def test_a_record_tells_its_type_or_is_unreadable(data: bytes, expected: str) -> None:
    assert record_type_of(data) == expected
