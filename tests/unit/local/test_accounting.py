from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import pytest

from local.accounting import NO_TABLE, Line, account, dates_that_differ, table
from local.evidence import UNREADABLE, Found, record_type_of
from local.ledger import Ledger, Sent
from local.traffic.plan import DELIVERY_DAY


DAY, OTHER_DAY = "2026-01-05", "2026-01-06"


def found(**what: Any) -> Found:
    """A look at a pipeline in which there is nothing but what the test says."""
    nothing = {field.name: Counter[Any]() for field in dataclasses.fields(Found)}
    return Found(**{**nothing, "filtered": 0, "days_of_delivery": frozenset(), **what})


def ledger(**valid: int) -> Ledger:
    """Sent were so many valid demands by date."""
    dates = {name.replace("_", "-").removeprefix("d-"): Sent(valid=count) for name, count in valid.items()}
    return Ledger(seed=1, types={"demand": dates})


def test_a_record_counts_once_wherever_it_is() -> None:
    line = Line("demand", sent=12, readable=6, in_errors=1, in_quarantine=2, waiting=3)

    assert line.difference == 0


def test_copies_left_by_failed_attempts_do_not_hide_a_loss() -> None:
    line = Line("demand", sent=10, readable=8, waiting=3, rewritten=2)

    assert (line.found, line.difference) == (9, 1)


def test_every_place_is_set_against_what_was_sent() -> None:
    sent = Ledger(seed=1, types={"demand": {DAY: Sent(valid=9, invalid=4)}}, filtered={"no JSON": 2})
    lines = account(
        [sent],
        found(
            rows=Counter({("demand", DAY): 7, ("demand", OTHER_DAY): 4}),
            in_errors=Counter(demand=3),
            in_quarantine=Counter(demand=1),
            waiting=Counter(demand=3),
            rewritten_rows=Counter({("demand", DAY): 4}),
            rewritten_errors=Counter(demand=1),
            filtered=2,
        ),
    )

    assert lines == [
        Line("demand", 13, readable=11, in_errors=3, in_quarantine=1, waiting=3, rewritten=5),
        Line(NO_TABLE, 2, filtered=2),
    ]
    assert [line.difference for line in lines] == [0, 0]


def test_rows_of_a_type_that_was_never_sent_are_too_many() -> None:
    [line, _] = account([Ledger(seed=1)], found(rows=Counter({("sale", DAY): 1})))

    assert (line.record_type, line.difference) == ("sale", -1)


def test_a_record_is_merged_when_the_worker_wrote_an_identical_one() -> None:
    sent = Ledger(seed=1, types={"demand": {DAY: Sent(valid=6)}}, repeated=["twin", "both fail", "thrice", "thrice"])
    held = found(
        rows=Counter({("demand", DAY): 4}),
        replayed=Counter({("demand", DAY, name): 1 for name in ("single", "twin", "thrice")})
        + Counter({("demand", DAY, "both fail"): 2}),
        unwritten=Counter({"single": 1, "twin": 1, "both fail": 2, "thrice": 1}),
    )

    [line, _] = account([sent], held)

    assert (line.merged, line.difference) == (2, 0), "twin and thrice"
    assert dates_that_differ([sent], held) == []


def test_an_invalid_record_is_merged_when_the_worker_has_put_an_identical_one_into_errors() -> None:
    sent = Ledger(seed=1, types={"demand": {DAY: Sent(invalid=3)}}, repeated=["twin"])
    held = found(
        in_errors=Counter({"demand": 2}),
        left_in_errors=Counter({("demand", "single"): 1, ("demand", "twin"): 1}),
        unwritten=Counter({"single": 1, "twin": 1}),
    )

    [line, _] = account([sent], held)

    assert (line.merged, line.difference) == (1, 0)
    assert account([sent], dataclasses.replace(held, in_errors=Counter({"demand": 1})))[0].difference == 1, "lost"
    assert dates_that_differ([sent], held) == []


def test_each_date_has_the_rows_that_were_sent_for_it_but_for_those_that_wait() -> None:
    held = found(
        rows=Counter({("demand", DAY): 7, ("demand", OTHER_DAY): 2}),
        rewritten_rows=Counter({("demand", DAY): 3}),
        waiting_rows=Counter({("demand", DAY): 1}),
    )

    assert dates_that_differ([ledger(d_2026_01_05=5, d_2026_01_06=2)], held) == []


def test_a_row_that_stands_in_the_partition_of_another_date_is_found_although_the_sum_is_right() -> None:
    sent, held = ledger(d_2026_01_05=5, d_2026_01_06=2), {("demand", DAY): 4, ("demand", OTHER_DAY): 3}

    differing = dates_that_differ([sent], found(rows=Counter(held)))

    assert list(map(str, differing)) == [
        "demand 2026-01-05: 5 rows expected, 4 found",
        "demand 2026-01-06: 2 rows expected, 3 found",
    ]


def test_records_without_a_business_date_may_stand_on_any_day_of_delivery() -> None:
    sent = Ledger(seed=1, types={"event": {DAY: Sent(valid=1), DELIVERY_DAY: Sent(valid=3)}})
    rows = Counter({("event", DAY): 2, ("event", OTHER_DAY): 1})
    waiting = Counter({("event", DELIVERY_DAY): 1})

    assert dates_that_differ([sent], look(rows, waiting, DAY, OTHER_DAY)) == []
    assert list(map(str, dates_that_differ([sent], look(rows, waiting, DAY)))) == [
        "event 2026-01-06: 0 rows expected, 1 found",
        "event day of delivery: 2 rows expected, 1 found",
    ]


def look(rows: Counter[tuple[str, str]], waiting: Counter[tuple[str, str]], *days: str) -> Found:
    return found(rows=rows, waiting_rows=waiting, days_of_delivery=frozenset(days))


def test_the_table_totals_and_shows_quarantine_and_copies_only_where_there_are_any() -> None:
    lines = [Line("demand", 10, readable=9, in_errors=1), Line(NO_TABLE, 2, filtered=1)]

    rows, headers = table(lines)

    assert headers == ["type", "sent", "= readable", "+ errors/", "+ waiting", "+ filtered", "difference"]
    assert rows == [["demand", 10, 9, 1, 0, 0, 0], [NO_TABLE, 2, 0, 0, 0, 1, 1], ["all", 12, 9, 1, 0, 1, 1]]


@pytest.mark.parametrize(
    ("line", "header"),
    [
        (Line("demand", 10, readable=12, rewritten=2), "- rewritten by retries"),
        (Line("demand", 10, readable=8, in_quarantine=2), "+ quarantine"),
        (Line("demand", 10, readable=8, merged=2), "+ merged"),
    ],
)
def test_the_table_shows_quarantine_and_copies_where_there_are_some(line: Line, header: str) -> None:
    rows, headers = table([line])

    assert dict(zip(headers, rows[0], strict=True))[header] == 2


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
