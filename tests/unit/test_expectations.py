"""One suite of expectations a table: Great Expectations loads it, and it speaks of columns that exist."""

from __future__ import annotations

from typing import Any

import pytest

from dmd_pipeline.hive import glue_columns
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.schemas import expand, without_null
from dmd_pipeline.settings import INCLUDE
from tests.unit.expectations import columns_of, load_suite


RECORD_TYPES = load_record_types()


def _enums(name: str) -> dict[str, list[str]]:
    """Symbols of each enum among a table's columns."""
    types = {
        field["name"].lower(): without_null(field["type"])[0] for field in expand(RECORD_TYPES[name].schema)["fields"]
    }
    return {
        column: avro_type["symbols"]
        for column, avro_type in types.items()
        if isinstance(avro_type, dict) and avro_type["type"] == "enum"
    }


def _of(suite: Any, expectation_type: str) -> list[Any]:
    return [expectation for expectation in suite.expectations if expectation.expectation_type == expectation_type]


def test_every_record_type_has_its_suite_and_there_is_no_other() -> None:
    assert sorted(path.stem for path in (INCLUDE / "expectations").iterdir()) == list(RECORD_TYPES)


@pytest.mark.parametrize("name", RECORD_TYPES)
class TestSuite:
    def test_great_expectations_loads_it_under_the_table_s_name(self, name: str) -> None:
        suite = load_suite(name)
        assert suite.name == name
        assert len(suite.expectations) > 1

    def test_it_speaks_of_existing_columns_only(self, name: str) -> None:
        columns = {column["Name"] for column in glue_columns(RECORD_TYPES[name].schema)}
        assert columns_of(load_suite(name)) <= columns

    def test_whatever_identifies_a_record_is_there(self, name: str) -> None:
        record_type = RECORD_TYPES[name]
        identifying = {path.split(".")[0].lower() for path in record_type.reference_id} | {"type", "reference"}
        required = {item.column for item in _of(load_suite(name), "expect_column_values_to_not_be_null")}
        assert identifying <= required

    def test_only_required_fields_are_expected_to_be_there(self, name: str) -> None:
        optional = {field["name"].lower() for field in RECORD_TYPES[name].schema["fields"] if "default" in field}
        required = {item.column for item in _of(load_suite(name), "expect_column_values_to_not_be_null")}
        assert not optional & required

    def test_every_enum_has_the_symbols_of_its_schema(self, name: str) -> None:
        sets = {item.column: item.value_set for item in _of(load_suite(name), "expect_column_values_to_be_in_set")}
        assert sets == _enums(name) | {"type": [name]}

    def test_nothing_in_it_needs_regular_expressions(self, name: str) -> None:
        """Great Expectations has none for Athena."""
        assert not [item for item in load_suite(name).expectations if "regex" in item.expectation_type]
