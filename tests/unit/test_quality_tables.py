"""The verdicts as tables of Athena."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from dmd_pipeline.quality_documents import Cost, Failing, Finding, Result
from dmd_pipeline.quality_tables import is_our_table, is_our_view, table_input, view_query


LOCATION = "s3://bucket/quality/results/"


def view(sql: str) -> Any:
    text = base64.b64encode(json.dumps({"originalSql": sql, "catalog": "awsdatacatalog"}).encode()).decode()
    return {"Name": "data_quality_latest", "ViewOriginalText": f"/* Presto View: {text} */"}


def test_the_columns_are_the_keys_of_a_result() -> None:
    columns = {each["Name"]: each["Type"] for each in table_input(LOCATION)["StorageDescriptor"]["Columns"]}
    assert list(columns) == list(Result.model_fields)
    for held, model in (("cost", Cost), ("expectations", Finding), ("expectations", Failing)):
        assert all(f"{name}:" in columns[held] for name in model.model_fields)


def test_a_table_is_ours_whatever_aws_adds_to_it() -> None:
    held: Any = table_input(LOCATION)
    added = {"TableLocation": 1, "Parameters": held["Parameters"] | {"transient_lastDdlTime": "1"}, "CreatedBy": "arn"}
    assert is_our_table(held | added, LOCATION)


@pytest.mark.parametrize(
    "changed",
    [
        {"Location": "s3://bucket/elsewhere/"},
        {"Columns": []},
        {"Columns": [{"Name": "verdict", "Type": "string"}]},
        {"SerdeInfo": {"SerializationLibrary": "org.apache.hive.hcatalog.data.JsonSerDe"}},
    ],
)
def test_another_table_is_not_ours(changed: dict[str, Any]) -> None:
    held: Any = table_input(LOCATION)
    assert not is_our_table(held | {"StorageDescriptor": held["StorageDescriptor"] | changed}, LOCATION)


@pytest.mark.parametrize(
    "sql",
    [
        view_query(),
        view_query().replace(", ", "\n,  ").replace(" FROM ", "\nFROM\n"),
        view_query().replace('"', "").lower(),
        view_query().replace(' AS "age"', ' "age"').replace('WHERE "age" = 1', 'WHERE ("age" = 1)'),
    ],
)
def test_a_view_is_ours_however_athena_writes_it(sql: str) -> None:
    assert is_our_view(view(sql))


@pytest.mark.parametrize(
    "table",
    [
        view(view_query().replace(" DESC", "")),
        view(view_query().replace('"run_id"', '"dag_id"')),
        view("SELECT 1"),
        {},
        {"ViewOriginalText": "SELECT 1"},
        {"ViewOriginalText": "/* Presto View: bm8= */"},
        {"ViewOriginalText": "/* Presto View: W10= */"},
        {"ViewOriginalText": "/* Presto View: x */"},
    ],
)
def test_another_view_or_none_is_not_ours(table: Any) -> None:
    assert not is_our_view(table)
