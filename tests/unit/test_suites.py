"""The tables' own suites: each asks what matters of its record type, worked out from its schema and declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.checked_columns import Kind, checked_columns
from dmd_pipeline.expectation_types import FACT, IN_SET, MATCH, NOT_MATCH, NOT_NULL, PAIR_EQUAL, ROW_COUNT, UNIQUE
from dmd_pipeline.expectations import Severity, load_suite
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.rows import REDACTED
from dmd_pipeline.schemas import expand, without_null
from dmd_pipeline.settings import INCLUDE
from dmd_pipeline.stamps import DATE_PATTERN, STAMP_PATTERN
from tests.unit.expectations import given_to_great_expectations


if TYPE_CHECKING:
    from collections.abc import Iterator

    from dmd_pipeline.expectations import Expectation


RECORD_TYPES = load_record_types()
WORD = "[!-~]+"


def of_type(table: str, kind: str) -> list[Expectation]:
    """A table's expectations of a type."""
    return [expectation for expectation in load_suite(table).expectations if expectation.type == kind]


def leaves(record: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """The name, field and type of everything that is in no list."""
    for field in record["fields"]:
        inner, _optional = without_null(field["type"])
        path = (*above, field["name"])
        if isinstance(inner, dict) and inner["type"] == "record":
            yield from leaves(inner, path)
        else:
            yield ".".join(path).lower(), field, inner


def documented(table: str, phrase: str) -> set[str]:
    """The columns of which the schema's documentation says so."""
    schema = expand(RECORD_TYPES[table].schema)
    return {name for name, field, _ in leaves(schema) if phrase in field["doc"] and name != "reference.timestamp"}


def test_every_record_type_has_its_suite_and_there_is_no_other() -> None:
    assert sorted(path.stem for path in (INCLUDE / "expectations").iterdir()) == list(RECORD_TYPES)


@pytest.mark.parametrize("table", RECORD_TYPES)
class TestEveryTable:
    def test_great_expectations_takes_its_suite(self, table: str) -> None:
        suite = load_suite(table)
        taken = given_to_great_expectations(suite)
        assert taken.name == table
        assert len(taken.expectations) == len(suite.expectations)

    def test_every_expectation_is_a_sentence_of_its_own(self, table: str) -> None:
        sentences = [expectation.sentence for expectation in load_suite(table).expectations]
        assert len(set(sentences)) == len(sentences)
        for sentence in sentences:
            assert sentence[0].isupper()
            assert sentence.endswith(".")
            assert len(sentence) < 100

    def test_an_empty_partition_fails(self, table: str) -> None:
        (rows,) = of_type(table, ROW_COUNT)
        assert rows.kwargs == {"min_value": 1}
        assert rows.severity is Severity.FAIL

    def test_whatever_identifies_a_record_is_there_and_is_a_word(self, table: str) -> None:
        identifying = {path.lower() for path in RECORD_TYPES[table].reference_id}
        present = {expectation.kwargs["column"] for expectation in of_type(table, NOT_NULL) if _is_strict(expectation)}
        words = {each.kwargs["column"] for each in of_type(table, MATCH) if each.kwargs["regex"] == f"^{WORD}$"}
        assert identifying | {"type", "reference.id", "reference.timestamp"} <= present
        assert identifying <= words

    def test_only_required_fields_must_be_there_in_every_row(self, table: str) -> None:
        optional = {name for name, field, _ in leaves(expand(RECORD_TYPES[table].schema)) if "default" in field}
        strict = {expectation.kwargs["column"] for expectation in of_type(table, NOT_NULL) if _is_strict(expectation)}
        assert not optional & strict

    def test_optional_fields_that_matter_are_there_in_most_rows(self, table: str) -> None:
        mostly = [expectation for expectation in of_type(table, NOT_NULL) if not _is_strict(expectation)]
        assert mostly
        assert {expectation.severity for expectation in mostly} == {Severity.WARN}

    def test_a_reference_is_made_of_as_many_parts_as_declared(self, table: str) -> None:
        expected = "^" + "_".join([WORD] * len(RECORD_TYPES[table].reference_id)) + "$"
        patterns = {(each.kwargs["column"], each.kwargs["regex"]) for each in of_type(table, MATCH)}
        assert ("reference.id", expected) in patterns
        (placeholder,) = of_type(table, NOT_MATCH)
        assert placeholder.kwargs["column"] == "reference.id"

    def test_every_enum_has_the_symbols_of_its_schema(self, table: str) -> None:
        schema = expand(RECORD_TYPES[table].schema)
        enums = {
            name: inner["symbols"]
            for name, _, inner in leaves(schema)
            if isinstance(inner, dict) and "symbols" in inner
        }
        sets = {each.kwargs["column"]: each.kwargs["value_set"] for each in of_type(table, IN_SET)}
        assert {name: values for name, values in sets.items() if not name.startswith("deleted.")} == (
            enums | {"type": [table]}
        )

    def test_every_stamp_and_every_date_is_one(self, table: str) -> None:
        patterns = {each.kwargs["column"]: each.kwargs["regex"] for each in of_type(table, MATCH) if _is_strict(each)}
        stamps = {name for name, regex in patterns.items() if regex == f"^{STAMP_PATTERN}$"}
        dates = {name for name, regex in patterns.items() if regex == f"^{DATE_PATTERN}$"}
        assert stamps == documented(table, "ISO-8601") | {"reference.timestamp"}
        assert dates == documented(table, "at the venue, YYYY-MM-DD.")

    def test_a_row_lies_in_its_own_partition(self, table: str) -> None:
        (pair,) = of_type(table, PAIR_EQUAL)
        assert {pair.kwargs["column_A"], pair.kwargs["column_B"]} == {"partition_date", "business_date"}
        assert pair.severity is Severity.FAIL

    def test_deleted_rows_hold_no_personal_data(self, table: str) -> None:
        redacted = {f"deleted.{path.lower()}" for path in RECORD_TYPES[table].redacted}
        found = {each.kwargs["column"]: each for each in of_type(table, IN_SET)}
        assert {name for name in found if name.startswith("deleted.")} == redacted
        for name in redacted:
            assert found[name].kwargs == {"column": name, "value_set": [REDACTED]}
            assert found[name].severity is Severity.FAIL

    def test_copies_of_rows_are_few(self, table: str) -> None:
        (unique,) = of_type(table, UNIQUE)
        assert set(unique.kwargs["column_list"]) >= {"reference.id", "reference.timestamp"}
        assert unique.severity is Severity.WARN

    def test_whatever_is_only_a_hint_warns_and_the_rest_fails(self, table: str) -> None:
        for expectation in load_suite(table).expectations:
            is_hint = not _is_strict(expectation) or expectation.type == FACT
            assert (expectation.severity is Severity.WARN) == is_hint, expectation.id

    def test_no_pattern_is_asked_of_what_is_no_text(self, table: str) -> None:
        columns = checked_columns(RECORD_TYPES[table])
        assert {columns[each.kwargs["column"]].kind for each in of_type(table, MATCH)} == {Kind.TEXT}


def _is_strict(expectation: Expectation) -> bool:
    return bool(expectation.kwargs.get("mostly", 1) == 1)


@pytest.mark.parametrize("table", ["demand", "notification"])
def test_rows_that_come_every_day_are_expected_every_day(table: str) -> None:
    assert load_suite(table).facts >= {"share_of_usual_rows", "hours_since_newest_file"}


def test_a_demand_s_event_is_expected_to_exist() -> None:
    reference = load_suite("demand").reference
    assert reference is not None
    assert (reference.column, reference.table, reference.key) == ("eventid", "event", "id")
