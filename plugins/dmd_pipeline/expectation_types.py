"""The types of expectations that a suite may hold, and what each takes: a closed set.

Each must give the same verdict whether its rows are in memory or in Athena, so each takes no more than both engines
compute alike:

=========================================  ==========================================================================
type                                       of
=========================================  ==========================================================================
expect_column_values_to_not_be_null        any column
expect_column_values_to_be_in_set          texts, booleans, whole numbers; nulls are passed over
expect_column_values_to_match_regex        texts that are fields; nulls are passed over; for what patterns may be
                                           made of, see :mod:`dmd_pipeline.portable_patterns`
expect_column_values_to_not_match_regex    the same
expect_column_pair_values_to_be_equal      two columns of a kind; rows where one is null are passed over
expect_compound_columns_to_be_unique       several texts; one a suite, which makes it the suite's key
expect_table_row_count_to_be_between       the partition
expect_partition_fact_to_be_between        the partition; not Great Expectations' but ours: one of :class:`Fact`
=========================================  ==========================================================================

All but the last two take ``mostly``, the share of values for which it must hold.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dmd_pipeline.checked_columns import CheckedColumn, Kind
from dmd_pipeline.errors import ExpectationsError
from dmd_pipeline.portable_patterns import check_pattern
from dmd_pipeline.yaml_files import validated


if TYPE_CHECKING:
    from collections.abc import Mapping


NOT_NULL: Final = "expect_column_values_to_not_be_null"
IN_SET: Final = "expect_column_values_to_be_in_set"
MATCH: Final = "expect_column_values_to_match_regex"
NOT_MATCH: Final = "expect_column_values_to_not_match_regex"
PAIR_EQUAL: Final = "expect_column_pair_values_to_be_equal"
UNIQUE: Final = "expect_compound_columns_to_be_unique"
ROW_COUNT: Final = "expect_table_row_count_to_be_between"
FACT: Final = "expect_partition_fact_to_be_between"


class Fact(StrEnum):
    """What is known of a partition otherwise than by the rows in it. One that cannot be known passes.

    Attributes:
        SHARE_OF_USUAL_ROWS: Rows, as a share of the median of recent partitions of the same weekday; unknown while
            there are too few of those, or too few rows for a share to mean anything.
        HOURS_SINCE_NEWEST_FILE: For how long nothing arrived: until now, or until the end of the partition's day;
            unknown for all dates but the run's own and the one before.
        ORPHANED_ROWS_PERCENT: Rows that refer to something of another table which has no row there.
    """

    SHARE_OF_USUAL_ROWS = "share_of_usual_rows"
    HOURS_SINCE_NEWEST_FILE = "hours_since_newest_file"
    ORPHANED_ROWS_PERCENT = "orphaned_rows_percent"


def check_kwargs(place: str, kind: str, kwargs: Mapping[str, Any], columns: Mapping[str, CheckedColumn]) -> None:
    """Refuse an expectation that cannot be checked.

    Args:
        place: Where it stands, for the error.
        kind: Its type.
        kwargs: Its arguments.
        columns: What it may speak of.

    Raises:
        ExpectationsError: Says what was expected.
    """
    if kind not in _KINDS:
        raise ExpectationsError(f"{place}: type: expected one of {', '.join(_KINDS)}; found {kind!r}")
    found = validated(f"{place}: kwargs", kwargs, _KINDS[kind], ExpectationsError)
    try:
        found.check(columns)
    except ValueError as error:
        raise ExpectationsError(f"{place}: kwargs: {error}") from error


def known_column(columns: Mapping[str, CheckedColumn], name: str, *kinds: Kind) -> CheckedColumn:
    """A column that there is, of one of the kinds if any are given.

    Raises:
        ValueError: There is none.
    """
    if name not in columns:
        raise ValueError(f"there is no column {name}: expected one of {', '.join(columns)}")
    if kinds and columns[name].kind not in kinds:
        raise ValueError(f"{name} holds {columns[name].kind}: expected a column of {' or '.join(kinds)}")
    return columns[name]


class _Kwargs(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def check(self, columns: Mapping[str, CheckedColumn]) -> None:
        """Refuse what cannot be expected of these columns, with a ValueError."""


class _OfMost(_Kwargs):
    mostly: Annotated[float, Field(gt=0, le=1)] = 1


class _OfColumn(_OfMost):
    column: str

    def check(self, columns: Mapping[str, CheckedColumn]) -> None:
        known_column(columns, self.column)


class _InSet(_OfColumn):
    value_set: Annotated[list[bool | int | str], Field(min_length=1)]

    def check(self, columns: Mapping[str, CheckedColumn]) -> None:
        column = known_column(columns, self.column, *_VALUES)
        if any(type(value) is not _VALUES[column.kind] for value in self.value_set):
            raise ValueError(f"value_set: {self.column} holds {column.kind}, expected nothing else")


class _Pattern(_OfColumn):
    regex: str

    def check(self, columns: Mapping[str, CheckedColumn]) -> None:
        known_column(columns, self.column, Kind.TEXT)
        try:
            check_pattern(self.regex)
        except ValueError as error:
            raise ValueError(f"regex: {error}") from error


class _Pair(_OfMost):
    column_A: str  # noqa: N815 - Great Expectations' name
    column_B: str  # noqa: N815 - Great Expectations' name
    ignore_row_if: Literal["either_value_is_missing"]

    def check(self, columns: Mapping[str, CheckedColumn]) -> None:
        first = known_column(columns, self.column_A, *_VALUES)
        known_column(columns, self.column_B, *(kind for kind in _VALUES if _VALUES[kind] is _VALUES[first.kind]))
        if self.column_A == self.column_B:
            raise ValueError("column_B: expected another column than column_A")


class _Compound(_OfMost):
    column_list: Annotated[list[str], Field(min_length=2)]
    ignore_row_if: Literal["all_values_are_missing"] = "all_values_are_missing"

    def check(self, columns: Mapping[str, CheckedColumn]) -> None:
        for name in self.column_list:
            known_column(columns, name, Kind.TEXT, Kind.DERIVED_TEXT)
        if len(set(self.column_list)) < len(self.column_list):
            raise ValueError("column_list: a column stands twice")


class _Rows(_Kwargs):
    min_value: Annotated[int, Field(ge=0)] | None = None
    max_value: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _is_bounded(self) -> _Rows:
        _check_bounds(self.min_value, self.max_value)
        return self


class _OfFact(_Kwargs):
    fact: str
    min_value: float | None = None
    max_value: float | None = None

    @model_validator(mode="after")
    def _is_bounded(self) -> _OfFact:
        if self.fact not in set(Fact):
            raise ValueError(f"expected one of the facts {', '.join(Fact)}")
        _check_bounds(self.min_value, self.max_value)
        return self


_KINDS: Final[Mapping[str, type[_Kwargs]]] = {
    NOT_NULL: _OfColumn,
    IN_SET: _InSet,
    MATCH: _Pattern,
    NOT_MATCH: _Pattern,
    PAIR_EQUAL: _Pair,
    UNIQUE: _Compound,
    ROW_COUNT: _Rows,
    FACT: _OfFact,
}

_VALUES: Final[Mapping[Kind, type]] = {Kind.TEXT: str, Kind.DERIVED_TEXT: str, Kind.BOOLEAN: bool, Kind.WHOLE: int}


def _check_bounds(least: float | None, most: float | None) -> None:
    if least is None and most is None:
        raise ValueError("expected min_value, max_value or both")
    if least is not None and most is not None and least > most:
        raise ValueError("expected max_value not to be below min_value")
