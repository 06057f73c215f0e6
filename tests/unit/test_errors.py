"""The error hierarchy: what its docstring draws is what there is."""

from __future__ import annotations

import inspect
import re

import pytest

from dmd_pipeline import errors
from dmd_pipeline.errors import InvalidRecordError, PartitionsFailedError, PipelineError


CLASSES = {
    name: found for name, found in vars(errors).items() if inspect.isclass(found) and issubclass(found, Exception)
}


def _drawn() -> dict[str, str]:
    """Parent of each error, as the tree in the module's docstring draws it."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^    ((?:│   |    |├── |└── )*)([A-Z]\w+Error)\b", line)
        if match is None:
            continue
        depth = len(match.group(1)) // 4
        path = [*path[:depth], match.group(2)]
        parents[match.group(2)] = path[depth - 1] if depth else "Exception"
    return parents


def test_the_tree_in_the_docstring_is_the_hierarchy() -> None:
    assert _drawn() == {name: found.__mro__[1].__name__ for name, found in CLASSES.items()}


def test_one_base_catches_every_error() -> None:
    assert all(issubclass(found, PipelineError) for found in CLASSES.values())


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_error_says_when_it_is_raised(name: str) -> None:
    assert CLASSES[name].__doc__


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (InvalidRecordError("date.requested", "missing"), "date.requested: missing"),
        (InvalidRecordError("", "not valid JSON"), "not valid JSON"),
    ],
)
def test_an_invalid_record_is_told_by_field_and_reason(error: InvalidRecordError, message: str) -> None:
    assert str(error) == message


def test_failed_partitions_and_tables_are_all_named_with_their_reasons() -> None:
    error = PartitionsFailedError(
        {"sale/partition_date=2025-06-02": "denied", "demand/partition_date=2025-06-01": "gone", "event": "no table"}
    )
    assert str(error) == (
        "3 partition(s) or table(s) failed, all others were written. "
        "demand/partition_date=2025-06-01: gone; event: no table; sale/partition_date=2025-06-02: denied"
    )
    assert error.failures["sale/partition_date=2025-06-02"] == "denied"
