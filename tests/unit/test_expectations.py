"""Reading suites: what is taken, and what is refused with file, place and remedy. The tables' own: test_suites."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.errors import ExpectationsError, SchemaError
from dmd_pipeline.expectation_types import FACT, IN_SET, MATCH, NOT_MATCH, NOT_NULL, PAIR_EQUAL, ROW_COUNT, UNIQUE, Fact
from dmd_pipeline.expectations import Expectation, Reference, Severity, columns_of, load_suite
from tests.unit.expectations import entry, given_to_great_expectations, include_with


if TYPE_CHECKING:
    from pathlib import Path


KEY = ["reference.id", "reference.timestamp"]
ORPHANS = entry(
    "event_exists",
    FACT,
    severity="warning",
    meta={"column": "eventid", "exists_in": "event.reference.id"},
    fact="orphaned_rows_percent",
    max_value=5,
)
EVERYTHING = [
    entry("fan_present", NOT_NULL, notes="Every row names its fan.", column="fanid", mostly=0.99),
    entry("method_known", IN_SET, severity="warning", column="contactmethod", value_set=["sms", "email"]),
    entry("not_suppressed", IN_SET, column="isdeleted", value_set=[False, True]),
    entry("fan_is_word", MATCH, column="fanid", regex="^[!-~]+$", mostly=1),
    entry("no_mail", NOT_MATCH, column="fanid", regex="@"),
    entry(
        "in_its_partition",
        PAIR_EQUAL,
        column_A="partition_date",
        column_B="business_date",
        ignore_row_if="either_value_is_missing",
    ),
    entry("once", UNIQUE, column_list=KEY, ignore_row_if="all_values_are_missing", mostly=0.9),
    entry("some_rows", ROW_COUNT, min_value=1, max_value=10**9),
    entry("as_usual", FACT, fact="share_of_usual_rows", min_value=0.5, max_value=2),
    entry("fresh", FACT, fact="hours_since_newest_file", max_value=26.5),
    ORPHANS,
]


def load(folder: Path, *expectations: dict[str, Any]) -> Any:
    """The suite of demand with these expectations."""
    return load_suite("demand", include_with(folder, "demand", expectations))


class TestASuite:
    def test_holds_what_the_file_says_in_its_order(self, tmp_path: Path) -> None:
        suite = load(tmp_path, *EVERYTHING)
        assert suite.table == "demand"
        assert [expectation.id for expectation in suite.expectations] == [one["meta"]["id"] for one in EVERYTHING]
        assert suite.expectations[0] == Expectation(
            "fan_present", NOT_NULL, {"column": "fanid", "mostly": 0.99}, Severity.FAIL, "Every row names its fan."
        )
        assert suite.expectations[1].severity is Severity.WARN
        assert suite.config == {"name": "demand", "expectations": EVERYTHING}

    def test_is_taken_by_great_expectations_with_all_it_says(self, tmp_path: Path) -> None:
        taken = given_to_great_expectations(load(tmp_path, *EVERYTHING)).expectations
        assert [expectation.expectation_type for expectation in taken] == [one["type"] for one in EVERYTHING]
        assert [expectation.severity.value for expectation in taken] == [one["severity"] for one in EVERYTHING]
        assert [expectation.meta["id"] for expectation in taken] == [one["meta"]["id"] for one in EVERYTHING]

    def test_knows_its_columns_key_and_facts(self, tmp_path: Path) -> None:
        suite = load(tmp_path, *EVERYTHING)
        assert suite.columns == (
            "business_date",
            "contactmethod",
            "fanid",
            "isdeleted",
            "partition_date",
            "reference.id",
            "reference.timestamp",
        )
        assert suite.key == tuple(KEY)
        assert suite.facts == set(Fact)
        assert [columns_of(expectation) for expectation in suite.expectations][5:8] == [
            ("partition_date", "business_date"),
            tuple(KEY),
            (),
        ]

    def test_may_do_without_them(self, tmp_path: Path) -> None:
        suite = load(tmp_path, EVERYTHING[7])
        assert (suite.columns, suite.key, suite.facts, suite.reference) == ((), None, frozenset(), None)

    def test_knows_what_its_rows_refer_to(self, tmp_path: Path) -> None:
        assert load(tmp_path, ORPHANS).reference == Reference("eventid", "event", "reference.id", '"reference"."id"')

    def test_is_another_one_when_anything_but_its_layout_changes(self, tmp_path: Path) -> None:
        digest = load(tmp_path, *EVERYTHING).digest
        assert len(digest) == 16
        assert int(digest, 16)
        respelled = json.dumps({"expectations": EVERYTHING, "name": "demand"}, indent=3)
        assert load_suite("demand", include_with(tmp_path, "demand", respelled)).digest == digest
        for changed in (
            EVERYTHING[1:],
            [EVERYTHING[0] | {"notes": "Every row has a fan."}, *EVERYTHING[1:]],
            [EVERYTHING[0] | {"severity": "warning"}, *EVERYTHING[1:]],
            [*EVERYTHING[:9], entry("fresh", FACT, fact="hours_since_newest_file", max_value=27), ORPHANS],
        ):
            assert load(tmp_path, *changed).digest != digest

    def test_does_not_depend_on_another_table_s_files(self, tmp_path: Path) -> None:
        include = include_with(tmp_path, "demand", EVERYTHING[:2])
        (include / "schemas" / "sale.avsc").write_text("{", encoding="utf-8")
        (include / "expectations" / "sale.json").write_text("{", encoding="utf-8")
        assert load_suite("demand", include).table == "demand"
        with pytest.raises(SchemaError, match=r"sale\.avsc"):
            load_suite("sale", include)


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "found"),
        [
            ("{", "demand.json: not valid JSON"),
            ("[]", "demand.json: expected a mapping of keys to values, found list"),
            ('{"name": "demand", "name": "demand"}', "the key 'name' stands twice"),
            ('{"name": "demand", "mostly": NaN}', "NaN is no number"),
            ('{"name": "demand"}', "expectations: missing"),
            ('{"name": "demand", "expectations": []}', "expectations: list should have at least 1 item"),
            ('{"name": "demand", "data_asset_type": 1, "expectations": []}', "data_asset_type: unknown key"),
            (json.dumps({"name": "sale", "expectations": EVERYTHING}), "name: expected demand, found sale"),
        ],
    )
    def test_that_are_none_are_refused(self, tmp_path: Path, content: str, found: str) -> None:
        with pytest.raises(ExpectationsError, match=found) as raised:
            load_suite("demand", include_with(tmp_path, "demand", content))
        assert str(raised.value).startswith(str(tmp_path / "expectations" / "demand.json"))

    def test_that_are_missing_or_unreadable_are_told_by_name(self, tmp_path: Path) -> None:
        file = include_with(tmp_path, "demand", "") / "expectations" / "demand.json"
        file.write_bytes(b"\xff")
        with pytest.raises(ExpectationsError, match=r"demand\.json: expected UTF-8"):
            load_suite("demand", tmp_path)
        file.unlink()
        with pytest.raises(ExpectationsError, match=r"demand\.json: cannot be read \(No such file"):
            load_suite("demand", tmp_path)

    def test_of_no_record_type_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ExpectationsError, match="there is no record type refund: expected one of demand, event"):
            load_suite("refund", include_with(tmp_path, "refund", EVERYTHING[:1]))


def _without(declared: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in declared.items() if name != key}


_FAN = EVERYTHING[0]
_PAIR: dict[str, Any] = EVERYTHING[5]["kwargs"]

_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no id": (_FAN | {"meta": {}}, r"expectations\.0\.meta\.id: missing"),
    "no meta": (_without(_FAN, "meta"), r"expectations\.0\.meta: missing"),
    "an id with capitals": (_FAN | {"meta": {"id": "Fan"}}, r"expectations\.0\.meta\.id: string should match"),
    "no sentence": (_without(_FAN, "notes"), r"expectations\.0\.notes: missing"),
    "an empty sentence": (_FAN | {"notes": ""}, r"expectations\.0\.notes: string should have at least 1"),
    "no severity": (_without(_FAN, "severity"), r"expectations\.0\.severity: missing"),
    "another severity": (_FAN | {"severity": "info"}, "input should be 'critical' or 'warning', found 'info'"),
    "an unknown key": (_FAN | {"id": "x"}, r"expectations\.0\.id: unknown key"),
    "another type": (entry("x", "expect_column_mean_to_be_between", column="fanid"), "type: expected one of expect_"),
    "no column": (entry("x", NOT_NULL), "kwargs: column: missing"),
    "an unknown column": (entry("x", NOT_NULL, column="fanId"), "kwargs: there is no column fanId: expected one of ty"),
    "an unknown argument": (
        entry("x", NOT_NULL, column="fanid", row_condition="a"),
        "kwargs: row_condition: unknown key; expected one of: mostly, column",
    ),
    "a share that is none": (entry("x", NOT_NULL, column="fanid", mostly=99), "mostly: input should be less than or"),
    "a share of nothing": (entry("x", NOT_NULL, column="fanid", mostly=0), "mostly: input should be greater than 0"),
    "an empty set": (entry("x", IN_SET, column="fanid", value_set=[]), "value_set: list should have at least 1 item"),
    "a set with null": (entry("x", IN_SET, column="fanid", value_set=["a", None]), r"value_set\.1"),
    "numbers among texts": (entry("x", IN_SET, column="fanid", value_set=["a", 1]), "fanid holds text, expected"),
    "numbers for booleans": (entry("x", IN_SET, column="isdeleted", value_set=[1]), "isdeleted holds booleans"),
    "a set of records": (entry("x", IN_SET, column="date", value_set=["a"]), "date holds values of which only the pr"),
    "a pattern of booleans": (entry("x", MATCH, column="isdeleted", regex="t"), "isdeleted holds booleans: expected a"),
    "a pattern of what is worked out": (
        entry("x", NOT_MATCH, column="deleted.email", regex="@"),
        "deleted.email holds text that is worked out: expected a column of text",
    ),
    "a pattern that is none": (entry("x", MATCH, column="fanid", regex="("), "kwargs: regex: it is no regular"),
    "a pattern with look-around": (entry("x", NOT_MATCH, column="fanid", regex="(?!a)"), "not understood alike"),
    "a pair of unknown columns": (entry("x", PAIR_EQUAL, **(_PAIR | {"column_B": "b"})), "there is no column b"),
    "a pair of two kinds": (entry("x", PAIR_EQUAL, **(_PAIR | {"column_B": "isdeleted"})), "isdeleted holds booleans"),
    "a pair of one column": (entry("x", PAIR_EQUAL, **(_PAIR | {"column_B": "partition_date"})), "another column"),
    "a pair with its nulls": (entry("x", PAIR_EQUAL, **(_PAIR | {"ignore_row_if": "neither"})), "ignore_row_if: input"),
    "a pair that does not say": (entry("x", PAIR_EQUAL, **_without(_PAIR, "ignore_row_if")), "ignore_row_if: missing"),
    "a key of one column": (entry("x", UNIQUE, column_list=["fanid"]), "column_list: list should have at least 2"),
    "a key of records": (entry("x", UNIQUE, column_list=["fanid", "date"]), "date holds values of which only"),
    "a key with a column twice": (entry("x", UNIQUE, column_list=["fanid", "fanid"]), "a column stands twice"),
    "a key with its nulls": (
        entry("x", UNIQUE, column_list=KEY, ignore_row_if="never"),
        "ignore_row_if: input should be 'all_values_are_missing'",
    ),
    "no bounds of rows": (entry("x", ROW_COUNT), "expected min_value, max_value or both"),
    "a part of a row": (entry("x", ROW_COUNT, min_value=0.5), "min_value: input should be a valid integer"),
    "bounds that cross": (entry("x", ROW_COUNT, min_value=2, max_value=1), "max_value not to be below min_value"),
    "an unknown fact": (entry("x", FACT, fact="weather", max_value=1), "expected one of the facts share_of_usual_rows"),
    "no bounds of a fact": (entry("x", FACT, fact="hours_since_newest_file"), "expected min_value, max_value or both"),
    "orphans of nothing": (_without(ORPHANS, "meta") | {"meta": {"id": "x"}}, "meta: expected column and exists_in"),
    "orphans of half": (ORPHANS | {"meta": {"id": "x", "column": "eventid"}}, "meta: expected column and exists_in"),
    "another with a reference": (
        _FAN | {"meta": {"id": "x", "column": "eventid", "exists_in": "event.id"}},
        "meta: expected column and exists_in.* with orphaned_rows_percent and with nothing else",
    ),
    "orphans by no column": (
        ORPHANS | {"meta": {"id": "x", "column": "show", "exists_in": "event.id"}},
        "meta: there is no column show",
    ),
    "orphans by a boolean": (
        ORPHANS | {"meta": {"id": "x", "column": "isdeleted", "exists_in": "event.id"}},
        "meta: isdeleted holds booleans",
    ),
    "orphans of no table": (
        ORPHANS | {"meta": {"id": "x", "column": "eventid", "exists_in": "show.id"}},
        "meta: there is no table show: expected one of demand, event",
    ),
    "orphans of a table's no column": (
        ORPHANS | {"meta": {"id": "x", "column": "eventid", "exists_in": "event"}},
        "meta: there is no column : expected one of type, id",
    ),
}


@pytest.mark.parametrize(("declared", "found"), _REFUSED.values(), ids=list(_REFUSED))
def test_an_expectation_that_cannot_be_checked_is_refused(tmp_path: Path, declared: dict[str, Any], found: str) -> None:
    with pytest.raises(ExpectationsError, match=found) as raised:
        load(tmp_path, declared)
    assert f"{tmp_path / 'expectations' / 'demand.json'}: expectations.0" in str(raised.value)


def test_every_refusal_that_is_not_of_form_names_the_expectation(tmp_path: Path) -> None:
    with pytest.raises(ExpectationsError, match=r"demand\.json: expectations\.1 \(no_fan\): kwargs: column: missing"):
        load(tmp_path, _FAN, entry("no_fan", NOT_NULL))


@pytest.mark.parametrize(
    ("expectations", "found"),
    [
        ([_FAN, _FAN], "the id fan_present stands twice"),
        (
            [entry("once", UNIQUE, column_list=KEY), entry("again", UNIQUE, column_list=["fanid", "eventid"])],
            f"the type {UNIQUE} stands twice",
        ),
        ([ORPHANS, ORPHANS | {"meta": {**ORPHANS["meta"], "id": "x"}}], "the fact orphaned_rows_percent stands twice"),
    ],
)
def test_what_a_suite_can_only_have_once_is_refused_twice(
    tmp_path: Path, expectations: list[dict[str, Any]], found: str
) -> None:
    with pytest.raises(ExpectationsError, match=found):
        load(tmp_path, *expectations)
