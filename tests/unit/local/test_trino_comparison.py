"""What the comparison with Trino counts as equal."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.trino.differences import DIFFERENCES, listed
from tests.trino.judge import counts, table
from tests.trino.outcomes import Outcome, difference
from tests.trino.record import README, RECORD, placed_into, rendered
from tests.trino.type_names import parse


def _rows(*rows: tuple[str | None, ...], kind: str = "bigint") -> Outcome:
    return Outcome((("n", kind),), Counter(rows))


@pytest.mark.parametrize(
    ("local", "trino", "said"),
    [
        (_rows(("1",)), _rows(("2",)), "only local: ('1',)\nonly trino: ('2',)"),
        (_rows(("1",), ("1",)), _rows(("1",)), "only local: ('1',)"),
        (_rows((None,)), _rows(("",)), "only local: (None,)"),
        (_rows(("1",)), _rows(("1",), kind="integer"), "trino columns: (('n', 'integer'),)"),
        (Outcome(error="A"), Outcome(error="B"), "local: A"),
        (Outcome(error="A"), _rows(), "trino: 0 rows"),
    ],
)
def test_rows_columns_and_errors_that_differ_are_told(local: Outcome, trino: Outcome, said: str) -> None:
    assert said in (difference(local, trino) or "")


def test_the_order_of_rows_and_the_text_of_errors_do_not_matter() -> None:
    assert difference(_rows(("1",), ("2",)), _rows(("2",), ("1",))) is None
    assert difference(Outcome(error="A", message="one"), Outcome(error="A", message="other")) is None


def test_numbers_may_differ_by_the_tolerance_and_no_more() -> None:
    assert difference(_rows(("100",)), _rows(("102",)), 0.03) is None
    assert difference(_rows(("100",)), _rows(("104",)), 0.03) is not None
    assert difference(_rows(("100",)), _rows(("100",), ("100",)), 0.03) is not None


@pytest.mark.parametrize(
    "name",
    [
        "bigint",
        "varchar(3)",
        "decimal(10,2)",
        "timestamp(3) with time zone",
        "interval day to second",
        'row(a bigint, "b c" array(varchar(3)))',
        "map(varchar, row(x double))",
        "row(bigint, varchar)",
    ],
)
def test_a_type_is_read_as_it_is_written(name: str) -> None:
    assert str(parse(name)) == name


def test_every_listed_difference_has_a_reason_and_cases() -> None:
    for one in DIFFERENCES:
        assert one.reason.endswith(".")
        assert all(one.names.values())


def test_a_refusal_is_listed_for_the_newer_release_only() -> None:
    assert listed("476", "any", "case", refused=True)
    assert listed("476", "any", "case", refused=False) is None
    assert listed("411", "any", "case", refused=True) is None


def test_the_counts_are_by_release_and_group() -> None:
    found = counts({("411", "a", "one"): "equal", ("476", "b", "one"): "different", ("411", "a", "two"): "listed"})
    assert found == {("411", "a"): (1, 1, 0), ("476", "b"): (0, 0, 1)}
    assert [line.split() for line in table(found).splitlines()[2:]] == [
        ["411", "a", "1", "1", "0", "2"],
        ["476", "b", "0", "0", "1", "1"],
        ["in", "all", "1", "1", "1", "3"],
    ]


def test_the_readme_shows_the_verdicts_that_were_recorded() -> None:
    """If this fails, run ``make conformance-trino PYTEST=--record``: the table is not edited by hand."""
    found = json.loads(RECORD.read_text(encoding="utf-8"))
    text = README.read_text(encoding="utf-8")
    assert rendered(found) in text
    assert placed_into(text, found) == text


def test_no_difference_was_recorded_that_is_not_listed() -> None:
    found = json.loads(RECORD.read_text(encoding="utf-8"))
    assert found
    assert [row for *row, different, _day in found if different] == []


def test_a_readme_without_room_for_the_verdicts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"README\.md: expected the marks"):
        placed_into("# Title", [])
