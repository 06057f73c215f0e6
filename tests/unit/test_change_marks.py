"""The mark of a table under change."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from dmd_pipeline.change_marks import CHANGE_PARAMETER, ChangeMark
from dmd_pipeline.errors import CatalogError


if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import TableTypeDef


def marked(text: str) -> TableTypeDef:
    return cast("TableTypeDef", {"Name": "demand", "Parameters": {CHANGE_PARAMETER: text}})


@pytest.mark.parametrize("columns", [None, (), ({"Name": "fanid", "Type": "string", "Comment": "Who."},)])
def test_a_mark_is_read_as_it_was_written(columns: None) -> None:
    mark = ChangeMark("change-1", columns)
    assert ChangeMark.of(marked(mark.as_parameter())) == mark


def test_a_table_without_the_parameter_is_not_under_change() -> None:
    assert ChangeMark.of({"Name": "demand"}) is None


@pytest.mark.parametrize("text", ["", "yes", "[]", "{}", '{"id": "1", "columns": 1}', '{"id": "1", "columns": [{}]}'])
def test_a_mark_that_cannot_be_read_stops_whoever_would_write(text: str) -> None:
    with pytest.raises(CatalogError, match=r"table demand: its Parameter dmd\.change cannot be read"):
        ChangeMark.of(marked(text))


def test_a_mark_may_tell_its_backup_and_tells_none_otherwise() -> None:
    mark = ChangeMark("change-1", backup="catalog-backups/demand/1.json")
    assert ChangeMark.of(marked(mark.as_parameter())) == mark
    assert "backup" not in ChangeMark("change-1").as_parameter()


@pytest.mark.parametrize("backup", ["1", "[]", "true"])
def test_a_backup_that_is_no_key_stops_whoever_would_write(backup: str) -> None:
    with pytest.raises(CatalogError, match="backup is not a key"):
        ChangeMark.of(marked(f'{{"id": "1", "columns": null, "backup": {backup}}}'))


def test_what_others_add_to_a_mark_does_not_matter() -> None:
    assert ChangeMark.of(marked('{"id": "1", "columns": null, "theirs": 1}')) == ChangeMark("1")
