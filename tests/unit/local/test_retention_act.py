from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from local.ledger import Ledger, Sent
from local.retention_act import TABLE, Held, dates_of, old_traffic, rows_of, trouble
from local.traffic.plan import DELIVERY_DAY


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings

THERE = Held(partitions=2, rows=30, files=4)
GONE = Held(partitions=0, rows=0, files=4)


def test_dates_and_rows_are_those_of_valid_records_of_the_table() -> None:
    ledger = Ledger(
        1,
        types={
            TABLE: {"2019-02-01": Sent(valid=3), "2019-02-02": Sent(valid=2, invalid=1), "2019-02-03": Sent(invalid=1)},
            "event": {"2019-02-04": Sent(valid=5), DELIVERY_DAY: Sent(valid=1)},
        },
    )

    assert dates_of(ledger) == [date(2019, 2, 1), date(2019, 2, 2)]
    assert rows_of(ledger) == 5


def test_each_show_has_dates_of_its_own_and_all_have_expired(settings: Settings) -> None:
    shows = [old_traffic(settings, [Ledger(1)] * number).days_ago for number in (1, 3)]
    kept = settings.retention.of(TABLE).retention_days or 0

    assert shows[0] - 180 > kept, "the youngest of those that lie far off"
    assert shows[1] - shows[0] > 400 + 180, "the oldest and the youngest of two shows"


@pytest.mark.parametrize(
    ("before", "between", "after", "said"),
    [
        (THERE, GONE, THERE, None),
        (Held(2, 29, 4), GONE, THERE, "2 partitions with 30 rows should be there"),
        (Held(1, 30, 4), GONE, THERE, "2 partitions with 30 rows should be there"),
        (THERE, Held(0, 0, 3), THERE, "nothing but their 4 files should be left"),
        (THERE, Held(1, 0, 4), THERE, "nothing but their 4 files should be left"),
        (THERE, GONE, Held(2, 29, 4), "all should be back"),
        (THERE, GONE, Held(2, 30, 5), "all should be back"),
    ],
)
def test_whatever_is_not_as_it_should_be_is_told(before: Held, between: Held, after: Held, said: str | None) -> None:
    found = trouble(2, 30, before, between, after)

    assert found is None if said is None else said in str(found)
