"""What Great Expectations makes of a partition: of its rows in memory, and of counts from elsewhere."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dmd_pipeline.errors import ExpectationsError
from dmd_pipeline.expectations import Severity
from dmd_pipeline.jobs.validation import SAMPLES, Failing, Outcome, Validator
from tests.integration.jobs.small_suites import (
    DAY,
    FACT,
    IN_SET,
    KEY,
    MATCH,
    NOT_MATCH,
    NOT_NULL,
    PAIR,
    ROW_COUNT,
    STAMP,
    UNIQUE,
    columns,
    count,
    counted,
    expectation,
    rows_of,
    suite,
)


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


MAIL = "jane.doe@fans.example.com"
PHONE = "+1-555-0142"


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


def in_memory(validator: Validator, wanted: Any, values: Sequence[Any], **options: Any) -> Outcome:
    """The outcome of one expectation of the column ``a``."""
    validation = validator.in_memory(suite(wanted), columns("a", **options), rows_of("a", values), {})
    (outcome,) = validation.outcomes
    return outcome


def without_samples(outcomes: tuple[Outcome, ...]) -> list[Outcome]:
    return [replace(outcome, sample=()) for outcome in outcomes]


CASES = [
    # kind, arguments, values of a, (nulls, unexpected, considered), passed, percent observed, what was expected
    (NOT_NULL, {}, ["x", "", "x"], (0, 0, 3), True, 0, "none unexpected"),
    (NOT_NULL, {}, ["x", None, "x", "x"], (1, 1, 4), False, 25, "none unexpected"),
    (NOT_NULL, {"mostly": 0.75}, ["x", None, "x", "x"], (1, 1, 4), True, 25, "at most 25 % unexpected"),
    (NOT_NULL, {"mostly": 0.76}, ["x", None, "x", "x"], (1, 1, 4), False, 25, "at most 24 % unexpected"),
    (NOT_NULL, {"mostly": 0.999}, ["x"] * 999 + [None], (1, 1, 1000), True, 0.1, "at most 0.1 % unexpected"),
    (NOT_NULL, {"mostly": 0.999}, ["x"] * 998 + [None] * 2, (2, 2, 1000), False, 0.2, "at most 0.1 % unexpected"),
    (IN_SET, {"value_set": ["x"]}, ["x", None, "x"], (1, 0, 2), True, 0, "none unexpected"),
    (IN_SET, {"value_set": ["x"]}, ["x", None, "X"], (1, 1, 2), False, 50, "none unexpected"),
    # Of those that are there, not of all rows.
    (IN_SET, {"value_set": ["x"], "mostly": 0.5}, ["x", None, "y"], (1, 1, 2), True, 50, "at most 50 % unexpected"),
    (IN_SET, {"value_set": ["x"], "mostly": 0.51}, ["x", None, "y"], (1, 1, 2), False, 50, "at most 49 % unexpected"),
    (IN_SET, {"value_set": ["x"]}, [None, None], (2, 0, 0), True, None, "none unexpected"),
    (MATCH, {"regex": "^(a|b)[0-9]+$"}, ["a1", "b22", None], (1, 0, 2), True, 0, "none unexpected"),
    (MATCH, {"regex": "^(a|b)[0-9]+$"}, ["a1", "c3", "a", ""], (0, 3, 4), False, 75, "none unexpected"),
    (MATCH, {"regex": "^[0-9]+$"}, [17, 4], (0, 0, 2), True, 0, "none unexpected"),
    (NOT_MATCH, {"regex": "@"}, ["[redacted]", None], (1, 0, 1), True, 0, "none unexpected"),
    (NOT_MATCH, {"regex": "@"}, ["[redacted]", "x@y"], (0, 1, 2), False, 50, "none unexpected"),
]


class TestRowsAndCountsAgree:
    @pytest.mark.parametrize(("kind", "kwargs", "values", "counts", "passed", "observed", "expected"), CASES)
    def test_at_the_threshold_and_beyond_it(
        self,
        validator: Validator,
        kind: str,
        kwargs: dict[str, Any],
        values: list[Any],
        counts: tuple[int, int, int],
        passed: bool,
        observed: float | None,
        expected: str,
    ) -> None:
        wanted = expectation("it", kind, column="a", **kwargs)
        outcome = in_memory(validator, wanted, values)
        assert outcome.passed is passed
        assert outcome.observed == (None if observed is None else pytest.approx(observed))
        assert outcome.expected == expected
        assert (outcome.element_count, outcome.unexpected_count) == (len(values), counts[1])
        from_counts = validator.from_counts(suite(wanted), counted(len(values), it=counts), {})
        assert list(from_counts.outcomes) == without_samples((outcome,))
        assert from_counts.rows == len(values)

    @pytest.mark.parametrize(
        ("first", "second", "counts", "passed", "observed"),
        [
            (["x", None, "x"], ["x", "x", None], (0, 0, 1), True, 0),
            (["x", "x", None], ["x", "y", None], (0, 1, 2), False, 50),
            ([None], [None], (0, 0, 0), True, None),
        ],
    )
    def test_a_pair_is_looked_at_where_both_are_there(
        self,
        validator: Validator,
        first: list[str | None],
        second: list[str | None],
        counts: tuple[int, int, int],
        passed: bool,
        observed: float | None,
    ) -> None:
        wanted = suite(expectation("it", PAIR, column_A="a", column_B="b", ignore_row_if="either_value_is_missing"))
        rows = [({"a": one, "b": other}, DAY) for one, other in zip(first, second, strict=True)]
        validation = validator.in_memory(wanted, columns("a", "b"), rows, {})
        assert [(outcome.passed, outcome.observed) for outcome in validation.outcomes] == [(passed, observed)]
        from_counts = validator.from_counts(wanted, counted(len(first), it=counts), {})
        assert list(from_counts.outcomes) == without_samples(validation.outcomes)

    def test_every_row_of_a_key_that_is_not_unique_counts(self, validator: Validator) -> None:
        wanted = suite(expectation("it", UNIQUE, **KEY))
        keys = [("e-1", STAMP), ("e-1", STAMP), ("e-1", "later"), ("e-2", STAMP), ("e-1", STAMP), (None, None)]
        rows = [({"reference.id": name, "reference.timestamp": stamp}, DAY) for name, stamp in keys]
        validation = validator.in_memory(wanted, columns(), rows, {})
        (outcome,) = validation.outcomes
        assert (outcome.passed, outcome.observed, outcome.unexpected_count) == (False, 60, 3)
        from_counts = validator.from_counts(wanted, counted(6, it=(0, 3, 5)), {})
        assert list(from_counts.outcomes) == without_samples(validation.outcomes)

    @pytest.mark.parametrize(
        ("bounds", "rows", "passed", "expected"),
        [
            ({"min_value": 2}, 2, True, "at least 2"),
            ({"min_value": 3}, 2, False, "at least 3"),
            ({"min_value": 1, "max_value": 2000}, 2, True, "at least 1 and at most 2,000"),
            ({"max_value": 1}, 2, False, "at most 1"),
        ],
    )
    def test_rows_are_between_bounds(
        self, validator: Validator, bounds: dict[str, Any], rows: int, passed: bool, expected: str
    ) -> None:
        wanted = expectation("it", ROW_COUNT, **bounds)
        outcome = in_memory(validator, wanted, ["x"] * rows)
        assert outcome == Outcome(wanted, passed, rows, None, None, expected)
        assert validator.from_counts(suite(wanted), counted(rows), {}).outcomes == (outcome,)

    @pytest.mark.parametrize(
        ("bounds", "fact", "passed", "expected"),
        [
            ({"min_value": 0.5}, 0.5, True, "at least 0.5"),
            ({"min_value": 0.5}, 0.49, False, "at least 0.5"),
            ({"min_value": 0.5}, 0.0, False, "at least 0.5"),
            ({"min_value": 0.5, "max_value": 3}, 3.0, True, "at least 0.5 and at most 3"),
            ({"max_value": 36}, 36.1, False, "at most 36"),
            ({"max_value": 36}, None, True, "at most 36"),
        ],
    )
    def test_a_fact_is_between_bounds_or_not_measured(
        self, validator: Validator, bounds: dict[str, Any], fact: float | None, passed: bool, expected: str
    ) -> None:
        wanted = expectation("it", FACT, fact="hours_since_newest_file", **bounds)
        facts = {"hours_since_newest_file": fact}
        validation = validator.in_memory(suite(wanted), columns(), rows_of("a", ["x"]), facts)
        assert validation.outcomes == (Outcome(wanted, passed, fact, None, None, expected),)
        assert validator.from_counts(suite(wanted), counted(1), facts).outcomes == validation.outcomes

    def test_a_fact_that_is_not_given_is_not_measured(self, validator: Validator) -> None:
        wanted = suite(expectation("it", FACT, fact="share_of_usual_rows", min_value=0.5))
        (outcome,) = validator.from_counts(wanted, counted(1), {}).outcomes
        assert (outcome.passed, outcome.observed) == (True, None)

    @given(
        rows=st.lists(
            st.fixed_dictionaries(
                {name: st.one_of(st.none(), st.sampled_from("xyz")) for name in ("a", "b")}
                | {"reference.id": st.sampled_from(["e-1", "e-2", "e-3", None])}
                | {"reference.timestamp": st.sampled_from([STAMP, "later", None])}
            ),
            max_size=12,
        ),
        mostly=st.sampled_from([0.1, 0.25, 1 / 3, 0.5, 2 / 3, 0.75, 0.9, 1]),
    )
    @settings(max_examples=60, deadline=None)
    def test_whatever_the_rows(self, validator: Validator, rows: list[dict[str, Any]], mostly: float) -> None:
        wanted = suite(
            expectation("present", NOT_NULL, column="a", mostly=mostly),
            expectation("also_present", NOT_NULL, column="b"),
            expectation("known", IN_SET, column="a", value_set=["x", "y"], mostly=mostly),
            expectation("x", MATCH, column="a", regex="x", mostly=mostly),
            expectation("no_x", NOT_MATCH, column="b", regex="x", mostly=mostly),
            expectation("same", PAIR, column_A="a", column_B="b", ignore_row_if="either_value_is_missing"),
            expectation("unique", UNIQUE, **KEY),
            expectation("rows", ROW_COUNT, min_value=1),
        )
        validation = validator.in_memory(wanted, columns("a", "b"), [(row, DAY) for row in rows], {})
        from_counts = validator.from_counts(wanted, count(wanted, rows), {})
        assert list(from_counts.outcomes) == without_samples(validation.outcomes)
        assert from_counts.rows == validation.rows == len(rows)


class TestAPartitionWithoutRows:
    WANTED = suite(
        expectation("rows", ROW_COUNT, min_value=1),
        expectation("present", NOT_NULL, column="a"),
        expectation("x", MATCH, column="a", regex="x"),
        expectation("same", PAIR, column_A="a", column_B="b", ignore_row_if="either_value_is_missing"),
        expectation("unique", UNIQUE, **KEY),
    )

    def test_nothing_was_looked_at_and_the_number_of_rows_says_so(self, validator: Validator) -> None:
        validation = validator.in_memory(self.WANTED, columns("a", "b"), [], {})
        assert validation.rows == 0
        assert [outcome.passed for outcome in validation.outcomes] == [False, True, True, True, True]
        assert [outcome.observed for outcome in validation.outcomes] == [0, None, None, None, None]

    def test_counts_say_the_same(self, validator: Validator) -> None:
        nothing = dict.fromkeys(("present", "x", "same", "unique"), (0, 0, 0))
        validation = validator.from_counts(self.WANTED, counted(0, **nothing), {})
        assert validation.outcomes == validator.in_memory(self.WANTED, columns("a", "b"), [], {}).outcomes
        assert validation.rows == 0


class TestSamples:
    def test_of_what_fails_the_first_rows_are_shown(self, validator: Validator) -> None:
        outcome = in_memory(validator, expectation("it", IN_SET, column="a", value_set=["x"]), ["x", "y", None, "z"])
        assert outcome.sample == (Failing("event-1", STAMP, "y"), Failing("event-3", STAMP, "z"))

    def test_of_many_only_ten_are_shown(self, validator: Validator) -> None:
        outcome = in_memory(validator, expectation("it", IN_SET, column="a", value_set=["x"]), ["y"] * 30)
        assert len(outcome.sample) == SAMPLES == 10
        wanted = suite(outcome.expectation)
        given = {"it": [("event-1", STAMP, "y")] * 30}
        (outcome,) = validator.from_counts(wanted, counted(30, it=(0, 30, 30)), {}, given, columns("a")).outcomes
        assert len(outcome.sample) == SAMPLES

    @pytest.mark.parametrize("asked", [0, 3])
    def test_fewer_are_shown_when_fewer_are_asked_for(self, validator: Validator, asked: int) -> None:
        wanted = suite(expectation("it", IN_SET, column="a", value_set=["x"]))
        validation = validator.in_memory(wanted, columns("a"), rows_of("a", ["y"] * 30), {}, samples=asked)
        assert len(validation.outcomes[0].sample) == asked

    def test_of_what_holds_none_is_shown(self, validator: Validator) -> None:
        wanted = expectation("it", IN_SET, column="a", value_set=["x"], mostly=0.5)
        assert in_memory(validator, wanted, ["x", "y"]).sample == ()
        given = {"it": [("event-1", STAMP, "y")]}
        (outcome,) = validator.from_counts(suite(wanted), counted(2, it=(0, 1, 2)), {}, given, columns("a")).outcomes
        assert outcome.sample == ()

    @pytest.mark.parametrize(
        ("wanted", "row", "shown"),
        [
            (expectation("it", NOT_NULL, column="a"), {"a": None}, "(missing)"),
            (
                expectation("it", PAIR, column_A="a", column_B="b", ignore_row_if="either_value_is_missing"),
                {"a": "2026-03-01", "b": "2026-03-02"},
                "2026-03-01 ≠ 2026-03-02",
            ),
            (
                expectation("it", MATCH, column="a", regex="^[0-9]{4}$"),
                {"a": f"at {MAIL}"},
                "at xxxx.xxx@xxxx.xxxxxxx.xxx",
            ),
            (expectation("it", MATCH, column="phone", regex="^[0-9]{4}$"), {"phone": "Jane 7"}, "xxxx 9"),
        ],
    )
    def test_a_value_is_shown_masked_whoever_found_it(
        self, validator: Validator, wanted: Any, row: dict[str, Any], shown: str
    ) -> None:
        checked = columns("a", "b", personal="phone")
        row |= {"reference.id": f"event-1_sale-2_{PHONE}", "reference.timestamp": STAMP}
        sample = (Failing("event-1_sale-2_+9-999-9999", STAMP, shown),)
        (outcome,) = validator.in_memory(suite(wanted), checked, [(row, DAY)], {}).outcomes
        assert outcome.sample == sample
        counts = counted(1, it=(1, 1, 1) if wanted.type == NOT_NULL else (0, 1, 1))
        names = [wanted.kwargs[key] for key in ("column", "column_A", "column_B") if key in wanted.kwargs]
        value = row[names[0]] if len(names) == 1 else tuple(row[name] for name in names)
        given = {"it": [(row["reference.id"], STAMP, value)]}
        (outcome,) = validator.from_counts(suite(wanted), counts, {}, given, checked).outcomes
        assert outcome.sample == sample

    def test_all_columns_of_a_key_are_shown(self, validator: Validator) -> None:
        rows = [({"reference.id": "e-1", "reference.timestamp": "at noon"}, DAY)] * 2
        (outcome,) = validator.in_memory(suite(expectation("it", UNIQUE, **KEY)), columns(), rows, {}).outcomes
        assert outcome.sample == (Failing("e-1", "at noon", "e-1, at noon"),) * 2

    def test_a_column_that_nobody_vouches_for_is_personal(self, validator: Validator) -> None:
        wanted = suite(expectation("it", IN_SET, column="a", value_set=["x"]))
        given = {"it": [("event-1", STAMP, "Jane")]}
        (outcome,) = validator.from_counts(wanted, counted(1, it=(0, 1, 1)), {}, given).outcomes
        assert [failing.value for failing in outcome.sample] == ["xxxx"]


class TestSuites:
    def test_outcomes_are_in_the_suite_s_order_with_their_expectation(self, validator: Validator) -> None:
        names = ["zebra", "apple", "mango"]
        # The same thing expected twice, with two severities, is two expectations.
        wanted = suite(
            *(expectation(name, NOT_NULL, column="a") for name in names),
            expectation("twice", NOT_NULL, column="a", severity=Severity.WARN),
        )
        validation = validator.in_memory(wanted, columns("a"), rows_of("a", ["x"]), {})
        assert tuple(outcome.expectation for outcome in validation.outcomes) == wanted.expectations
        assert validation.suite is wanted

    def test_a_suite_that_changed_is_another_one(self, validator: Validator) -> None:
        for allowed, passed in (["x"], False), (["x", "y"], True), (["x"], False):
            wanted = expectation("it", IN_SET, column="a", value_set=allowed)
            assert in_memory(validator, wanted, ["y"]).passed is passed

    def test_an_expectation_that_was_not_counted_is_no_success(self, validator: Validator) -> None:
        wanted = suite(expectation("present", NOT_NULL, column="a"), expectation("rows", ROW_COUNT, min_value=1))
        with pytest.raises(ExpectationsError, match="demand: nothing was counted for the expectation present"):
            validator.from_counts(wanted, counted(1), {})

    def test_what_cannot_be_computed_is_named_without_the_data(self, validator: Validator) -> None:
        class Opaque:
            def __str__(self) -> str:
                raise ValueError(MAIL)

        wanted = expectation("it", MATCH, column="a", regex="x")
        with pytest.raises(
            ExpectationsError, match=r"^Great Expectations cannot compute column_values\.match_regex"
        ) as raised:
            in_memory(validator, wanted, [Opaque()])
        assert MAIL not in str(raised.value)

    def test_a_record_is_there_or_is_not(self, validator: Validator) -> None:
        outcome = in_memory(validator, expectation("it", NOT_NULL, column="a"), [{"id": "1"}, [], None])
        assert outcome.unexpected_count == 1

    def test_a_number_that_is_none_is_there_as_in_sql(self, validator: Validator) -> None:
        assert in_memory(validator, expectation("it", NOT_NULL, column="a"), [float("nan"), 1.5]).passed


class Traceable(dict[str, Any]):
    """A row whose end can be seen."""


def test_rows_are_read_once_and_let_go(validator: Validator) -> None:
    held: list[int] = []

    def rows() -> Iterator[tuple[dict[str, Any], Any]]:
        earlier: list[weakref.ref[Traceable]] = []
        for number in range(50):
            row = Traceable({"a": "x", "reference.id": f"e-{number}", "reference.timestamp": STAMP, "rest": [number]})
            earlier.append(weakref.ref(row))
            yield row, DAY
            del row
            held.append(sum(reference() is not None for reference in earlier))

    gc.disable()  # what only the garbage collector would find is held
    try:
        validation = validator.in_memory(suite(expectation("it", NOT_NULL, column="a")), columns("a"), rows(), {})
    finally:
        gc.enable()
    assert validation.rows == 50
    assert max(held) <= 1


QUIET = """
import json, logging, sys, warnings
from pathlib import Path

events = []
def watch(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "os.mkdir"}:
        events.append([event, str(arguments)])
    elif event == "open" and isinstance(arguments[0], str) and arguments[1] and set(arguments[1]) & set("wax+"):
        if "__pycache__" not in arguments[0] and not arguments[0].startswith("/dev/"):
            events.append([event, arguments[0]])
sys.addaudithook(watch)

import dmd_pipeline.jobs.validation as validation
early = sorted({"great_expectations", "pandas"} & set(sys.modules))
show = warnings.showwarning
from tests.integration.jobs.small_suites import *
validator = validation.Validator()
wanted = suite(expectation("it", MATCH, column="a", regex="(x)"))
done = validator.in_memory(wanted, columns("a"), rows_of("a", ["y"]), {})
page = validator.document(done, title="demand", about={})

class Opaque:
    def __str__(self):
        raise ValueError("jane.doe@fans.example.com")
try:
    validator.in_memory(wanted, columns("a"), rows_of("a", [Opaque()]), {})
except validation.ExpectationsError:
    pass
taken = warnings.showwarning is not show
logging.captureWarnings(True)
print(json.dumps({
    "early": early, "events": events, "taken": taken,
    "can_be_taken": warnings.showwarning is not show,
    "failed": [outcome.expectation.id for outcome in done.outcomes if not outcome.passed], "page": len(page),
}))
"""


def test_great_expectations_is_loaded_late_and_nobody_notices(tmp_path: Path) -> None:
    """In a process and a home of its own: no file, no connection, no word of the data, and warnings are left alone."""
    root = str(Path(__file__).resolve().parents[3])
    ran = subprocess.run(
        [sys.executable, "-W", "always", "-c", QUIET],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{root}/plugins:{root}", "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    seen = json.loads(ran.stdout)
    assert seen.pop("page") > 1000
    assert seen == {"early": [], "events": [], "taken": False, "can_be_taken": True, "failed": ["it"]}
    assert not list(tmp_path.iterdir())
