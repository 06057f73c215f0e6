from __future__ import annotations

import pytest

from local.delivery_worker.crashes import PILLS, CrashPoint, crash_point, writes_before_crash


@pytest.mark.parametrize("point", list(CrashPoint))
def test_a_poison_pill_among_good_records_names_where_the_function_crashes(point: CrashPoint) -> None:
    good, pill = b'{"eventID": "0f8fad5b-d9cb"}', f'{{"eventID": "{PILLS[point]}-d9cb"}}'.encode()

    assert crash_point([good, pill], {}) is point
    assert crash_point([good], {}) is None


def test_a_pill_counts_only_as_the_id_of_the_change() -> None:
    assert crash_point([b'{"eventID": "0f8fad5b", "name": "dead0001-x"}'], {}) is None


def test_an_outage_crashes_every_invocation() -> None:
    assert crash_point([b"{}"], {"DMD_CRASH": "after_writes"}) is CrashPoint.AFTER_WRITES


def test_an_unknown_crash_point_is_refused() -> None:
    with pytest.raises(ValueError, match="sometimes"):
        crash_point([], {"DMD_CRASH": "sometimes"})


@pytest.mark.parametrize(
    ("point", "written"),
    [
        (CrashPoint.BEFORE_WRITES, 0),
        (CrashPoint.BETWEEN_WRITES, 3),
        (CrashPoint.AFTER_WRITES, 7),
        (CrashPoint.TIMEOUT, 3),
    ],
)
def test_a_crash_leaves_none_some_or_all_of_the_files(point: CrashPoint, written: int) -> None:
    assert writes_before_crash(point, 7) == written
