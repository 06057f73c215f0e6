"""Suites of expectations: what must hold for every partition of a table, as people write it.

A suite is ``include/expectations/{table}.json`` in Great Expectations' own format, with a little more rigour::

    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "fanid"}, "severity": "critical",
     "notes": "Every row names its fan.", "meta": {"id": "fan_present"}}

``meta.id`` is what results, trends and alerts call it, ``severity`` is ``critical`` or ``warning``, and ``notes`` is
one sentence for people. Columns are :mod:`dmd_pipeline.checked_columns`; the types of expectations are those of
:mod:`dmd_pipeline.expectation_types`.

An expectation of ``orphaned_rows_percent`` also says what the rows refer to: ``"column": "eventid", "exists_in":
"event.id"`` in its ``meta``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dmd_pipeline.checked_columns import Kind, checked_columns
from dmd_pipeline.errors import ExpectationsError
from dmd_pipeline.expectation_types import FACT, UNIQUE, Fact, check_kwargs, known_column
from dmd_pipeline.record_types import load_each_record_type
from dmd_pipeline.settings import INCLUDE
from dmd_pipeline.yaml_files import validated


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dmd_pipeline.checked_columns import CheckedColumn
    from dmd_pipeline.record_types import RecordType


_DIGEST_DIGITS: Final = 16


class Severity(StrEnum):
    """What comes of an expectation that does not hold; named as Great Expectations names it."""

    FAIL = "critical"
    WARN = "warning"


@dataclass(frozen=True)
class Expectation:
    """One thing that must hold.

    Attributes:
        id: Short name; one in its suite, and the same from run to run.
        type: One of the types above.
        kwargs: Its arguments, as Great Expectations takes them.
        severity: What comes of it when it does not hold.
        sentence: What it says, for people.
    """

    id: str
    type: str
    kwargs: Mapping[str, Any]
    severity: Severity
    sentence: str


@dataclass(frozen=True)
class Reference:
    """That rows refer to another table's.

    Attributes:
        column: Checked column of the suite's table.
        table: The other table.
        key: Checked column of the other table that holds the same values.
        key_sql: Its SQL.
    """

    column: str
    table: str
    key: str
    key_sql: str


@dataclass(frozen=True)
class Suite:
    """What must hold for every partition of a table.

    Attributes:
        table: Its name.
        expectations: In the file's order.
        digest: Of all that the file says, 16 hexadecimal digits: another one is another suite.
        config: As Great Expectations takes it.
        reference: What ``orphaned_rows_percent`` is about; None when it is not asked for.
    """

    table: str
    expectations: tuple[Expectation, ...]
    digest: str
    config: Mapping[str, Any]
    reference: Reference | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The checked columns that it speaks of, sorted."""
        return tuple(sorted({name for expectation in self.expectations for name in columns_of(expectation)}))

    @property
    def key(self) -> tuple[str, ...] | None:
        """The columns that are expected to be unique together."""
        return next((columns_of(expectation) for expectation in self.expectations if expectation.type == UNIQUE), None)

    @property
    def facts(self) -> frozenset[str]:
        """The facts that it speaks of."""
        return frozenset(
            str(expectation.kwargs["fact"]) for expectation in self.expectations if expectation.type == FACT
        )


def columns_of(expectation: Expectation) -> tuple[str, ...]:
    """The checked columns that an expectation speaks of, in its own order; none of one that is of the partition."""
    kwargs = expectation.kwargs
    if expectation.type == UNIQUE:
        return tuple(kwargs["column_list"])
    return tuple(kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs)


def load_suite(table: str, include: Path = INCLUDE) -> Suite:
    """The suite of a table.

    Args:
        table: Name of its record type.
        include: Folder that holds ``expectations/``, ``schemas/`` and ``record_types/``.

    Raises:
        ExpectationsError: The file is missing or wrong; names file, place and what was expected.
        SchemaError: So is the table's schema or declaration.
    """
    path = include / "expectations" / f"{table}.json"
    record_types, broken = load_each_record_type(include)
    if table in broken:
        raise broken[table]
    if table not in record_types:
        raise ExpectationsError(f"{path}: there is no record type {table}: expected one of {', '.join(record_types)}")
    config = _read(path)
    declared = validated(str(path), config, _Suite, ExpectationsError)
    if declared.name != table:
        raise ExpectationsError(f"{path}: name: expected {table}, found {declared.name}")
    columns = checked_columns(record_types[table])
    for number, expectation in enumerate(declared.expectations):
        _check(f"{path}: expectations.{number} ({expectation.meta.id})", expectation, columns)
    _check_once(path, declared)
    return Suite(
        table,
        tuple(_expectation(declared) for declared in declared.expectations),
        digest=hashlib.sha256(_canonical(config)).hexdigest()[:_DIGEST_DIGITS],
        config=config,
        reference=_reference(path, declared, columns, record_types),
    )


# The file


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


_Text = Annotated[str, StringConstraints(min_length=1)]


class _Meta(_Declared):
    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    column: _Text | None = None
    exists_in: _Text | None = None


class _Expectation(_Declared):
    type: str
    kwargs: dict[str, Any]
    severity: Literal["critical", "warning"]
    notes: _Text
    meta: _Meta


class _Suite(_Declared):
    name: str
    expectations: Annotated[list[_Expectation], Field(min_length=1)]
    notes: str | None = None
    meta: dict[str, Any] | None = None


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_no_key_twice, parse_constant=_refuse)
    except OSError as error:
        raise ExpectationsError(f"{path}: cannot be read ({error.strerror}); every record type needs one") from error
    except UnicodeDecodeError as error:
        raise ExpectationsError(f"{path}: expected UTF-8, found other bytes at {error.start}") from error
    except ValueError as error:
        raise ExpectationsError(f"{path}: not valid JSON: {error}") from error


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name!r} stands twice")
        found[name] = value
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def _canonical(config: Any) -> bytes:
    return json.dumps(config, separators=(",", ":"), sort_keys=True).encode()


def _expectation(declared: _Expectation) -> Expectation:
    return Expectation(
        declared.meta.id, declared.type, declared.kwargs, Severity(declared.severity), declared.notes.strip()
    )


# What it says


def _check(place: str, declared: _Expectation, columns: Mapping[str, CheckedColumn]) -> None:
    check_kwargs(place, declared.type, declared.kwargs, columns)
    refers = declared.meta.column is not None, declared.meta.exists_in is not None
    if refers != (_is_of_orphans(declared),) * 2:
        raise ExpectationsError(
            f"{place}: meta: expected column and exists_in, the column and the {{table}}.{{column}} whose values it "
            f"holds, with {Fact.ORPHANED_ROWS_PERCENT} and with nothing else"
        )


def _is_of_orphans(declared: _Expectation) -> bool:
    return declared.type == FACT and declared.kwargs.get("fact") == Fact.ORPHANED_ROWS_PERCENT


def _check_once(path: Path, declared: _Suite) -> None:
    """Ids are unique, and what is counted for the suite as a whole is asked for once."""
    for what, names in (
        ("the id", (expectation.meta.id for expectation in declared.expectations)),
        ("the type", (expectation.type for expectation in declared.expectations if expectation.type == UNIQUE)),
        ("the fact", (str(each.kwargs["fact"]) for each in declared.expectations if _is_of_orphans(each))),
    ):
        for name in _repeated(names):
            raise ExpectationsError(f"{path}: expectations: {what} {name} stands twice; expected it once")


def _repeated(names: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)


def _reference(
    path: Path, declared: _Suite, columns: Mapping[str, CheckedColumn], record_types: Mapping[str, RecordType]
) -> Reference | None:
    for number, expectation in enumerate(declared.expectations):
        if expectation.meta.column is None or expectation.meta.exists_in is None:
            continue
        place = f"{path}: expectations.{number} ({expectation.meta.id}): meta"
        table, _dot, key = expectation.meta.exists_in.partition(".")
        if table not in record_types:
            raise ExpectationsError(f"{place}: there is no table {table}: expected one of {', '.join(record_types)}")
        try:
            column = known_column(columns, expectation.meta.column, Kind.TEXT)
            found = known_column(checked_columns(record_types[table]), key, Kind.TEXT)
        except ValueError as error:
            raise ExpectationsError(f"{place}: {error}") from error
        return Reference(column.name, table, found.name, found.sql)
    return None
