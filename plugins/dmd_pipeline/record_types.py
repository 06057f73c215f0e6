"""The record types: what is known about each of them, as data.

A record type is two files of one name, and a third that checks its table's data::

    include/schemas/{name}.avsc          what a row holds
    include/record_types/{name}.yaml     how a change becomes a row: the keys of RecordType, less name and schema
    include/expectations/{name}.json     what must hold for a partition

Adding those three files adds a record type; nothing in the library names one.

What every record type has in common, because the delivery of a change writes it, is checked of each schema: a string
``type``, a record ``reference{id, timestamp}``, an optional boolean ``isDeleted``, and ``date.deleted``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dmd_pipeline.errors import SchemaError
from dmd_pipeline.hive import glue_columns
from dmd_pipeline.schemas import expand, field_type, load_schema, without_null
from dmd_pipeline.settings import INCLUDE
from dmd_pipeline.yaml_files import load_yaml


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


NOW: Final = "now"
"""Stands at the end of a list of paths for the time of delivery."""


@dataclass(frozen=True)
class TimestampRule:
    """Where a row's ``reference.timestamp`` comes from.

    Attributes:
        pick: ``first_of``: the first stamp that is present; ``latest_of``: the latest of those that are present.
        paths: Dotted paths of stamps; the last may be :data:`NOW`.
    """

    pick: Literal["first_of", "latest_of"]
    paths: tuple[str, ...]


@dataclass(frozen=True)
class DerivedRecord:
    """A record that is read out of the text of another field.

    A source of another form gives no record and does not make the change invalid: the source itself is kept, and
    losing a row for the sake of a convenience would be the worse of the two.

    Attributes:
        record: Name of the optional top-level record to fill.
        source: Dotted path of the text.
        pattern: Matches the whole text; its named groups are the record's fields.
    """

    record: str
    source: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, eq=False)
class RecordType:
    """One kind of record: its schema, and how a change of one becomes a row.

    Attributes:
        name: Value of the records' ``type``; name of the table and of its folder.
        schema: Of a row, as written in include/schemas.
        partition_date: Dotted paths of stamps; the first that is present gives the partition. May end in :data:`NOW`.
        reference_id: Dotted paths of the parts of ``reference.id``, joined by ``_``.
        reference_timestamp: Where ``reference.timestamp`` comes from.
        redacted: Dotted paths of personal data, replaced by ``[redacted]`` in the row of a removal.
        derived: Records that are read out of the text of another field.
    """

    name: str
    schema: Mapping[str, Any]
    partition_date: tuple[str, ...]
    reference_id: tuple[str, ...]
    reference_timestamp: TimestampRule
    redacted: tuple[str, ...] = ()
    derived: tuple[DerivedRecord, ...] = field(default=())


@cache
def load_record_types(include: Path = INCLUDE) -> Mapping[str, RecordType]:
    """Every record type of a folder, by name, sorted.

    Args:
        include: Folder that holds ``schemas/`` and ``record_types/``.

    Raises:
        SchemaError: A file is missing or wrong; names file, key and what was expected.
    """
    record_types, errors = load_each_record_type(include)
    for error in errors.values():
        raise error
    return record_types


def load_each_record_type(include: Path = INCLUDE) -> tuple[Mapping[str, RecordType], Mapping[str, SchemaError]]:
    """The record types of a folder whose files are right, and what is wrong with the others; by name, sorted.

    Args:
        include: Folder that holds ``schemas/`` and ``record_types/``.

    Raises:
        SchemaError: It holds no record type at all.
    """
    names = sorted(
        {file.stem for file in (include / "schemas").glob("*.avsc")}
        | {file.stem for file in (include / "record_types").glob("*.yaml")}
    )
    if not names:
        raise SchemaError(f"{include}: holds no record type: expected schemas/*.avsc and record_types/*.yaml")
    right: dict[str, RecordType] = {}
    wrong: dict[str, SchemaError] = {}
    for name in names:
        try:
            right[name] = _load(name, include)
        except SchemaError as error:
            wrong[name] = error
    return MappingProxyType(right), MappingProxyType(wrong)


def with_schema(record_type: RecordType, schema: Mapping[str, Any]) -> RecordType:
    """A record type as somebody delivers it who has another schema of it, an older or a newer one.

    What the schema has no field for is not derived, redacted or looked for.

    Raises:
        SchemaError: No change of the record type can become a row of it.
    """
    expanded = expand(schema)
    missing = list(_missing_contract(expanded))
    missing += [f"a field {path}" for path in record_type.reference_id if not _is_text(expanded, path)]
    partition_date, stamps = (
        tuple(path for path in paths if path == NOW or _is_text(expanded, path))
        for paths in (record_type.partition_date, record_type.reference_timestamp.paths)
    )
    if not partition_date or not stamps:
        missing.append("a field that tells its date")
    if missing:
        raise SchemaError(f"the schema has not {'; '.join(missing)}")
    return replace(
        record_type,
        schema=schema,
        partition_date=partition_date,
        reference_timestamp=replace(record_type.reference_timestamp, paths=stamps),
        redacted=tuple(path for path in record_type.redacted if _is_text(expanded, path)),
        derived=tuple(derived for derived in record_type.derived if _is_derived(expanded, derived)),
    )


def _is_text(expanded: Mapping[str, Any], path: str) -> bool:
    found = field_type(expanded, path)
    return found is not None and found.name == "string"


def _is_derived(expanded: Mapping[str, Any], derived: DerivedRecord) -> bool:
    try:
        _check_derived(expanded, 0, derived)
    except SchemaError:
        return False
    return _is_text(expanded, derived.source)


DottedPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
DottedPaths = Annotated[list[DottedPath], Field(min_length=1)]


class _Declaration(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _TimestampRule(_Declaration):
    first_of: DottedPaths | None = None
    latest_of: DottedPaths | None = None


class _Derived(_Declaration):
    record: DottedPath
    source: DottedPath
    pattern: str


class _RecordType(_Declaration):
    partition_date: DottedPaths
    reference_id: DottedPaths
    reference_timestamp: _TimestampRule
    redacted: list[DottedPath] = []
    derived: list[_Derived] = []


def _load(name: str, include: Path) -> RecordType:
    schema_file = include / "schemas" / f"{name}.avsc"
    declaration_file = include / "record_types" / f"{name}.yaml"
    for file, other in ((schema_file, declaration_file), (declaration_file, schema_file)):
        if not file.is_file():
            raise SchemaError(f"{file}: missing; {other} needs it beside it")
    if re.fullmatch(r"[a-z][a-z0-9_]*", name) is None:
        raise SchemaError(
            f"{schema_file}: a record type names a table: expected lower-case letters, digits and underscores"
        )
    schema = load_schema(schema_file)
    declared = load_yaml(declaration_file, _RecordType, SchemaError)
    try:
        record_type = _build(name, schema, declared)
        _check_declaration(record_type)
    except SchemaError as error:
        raise SchemaError(f"{declaration_file}: {error}") from error
    _check_schema(schema_file, schema)
    return record_type


def _check_schema(path: Path, schema: Mapping[str, Any]) -> None:
    """A schema that Glue cannot express, or that has no room for what delivery writes, is refused before any use."""
    try:
        glue_columns(schema)
    except SchemaError as error:
        raise SchemaError(f"{path}: {error}") from error
    missing = list(_missing_contract(expand(schema)))
    if missing:
        raise SchemaError(f"{path}: every record type has {'; '.join(missing)}")


def _build(name: str, schema: Mapping[str, Any], declared: _RecordType) -> RecordType:
    rule = declared.reference_timestamp
    if (rule.first_of is None) == (rule.latest_of is None):
        raise SchemaError("reference_timestamp: expected exactly one of first_of, latest_of")
    return RecordType(
        name=name,
        schema=schema,
        partition_date=tuple(declared.partition_date),
        reference_id=tuple(declared.reference_id),
        reference_timestamp=TimestampRule("first_of", tuple(rule.first_of))
        if rule.first_of is not None
        else TimestampRule("latest_of", tuple(rule.latest_of or ())),
        redacted=tuple(declared.redacted),
        derived=tuple(_build_derived(index, derived) for index, derived in enumerate(declared.derived)),
    )


def _build_derived(index: int, declared: _Derived) -> DerivedRecord:
    try:
        pattern = re.compile(declared.pattern)
    except re.error as error:
        raise SchemaError(f"derived.{index}.pattern: not a regular expression: {error}") from error
    return DerivedRecord(declared.record, declared.source, pattern)


def _check_declaration(record_type: RecordType) -> None:
    """Each path leads to a field of the right type, and no row can be left without a date or an id."""
    expanded = expand(record_type.schema)
    rule = record_type.reference_timestamp
    _check_stamps(expanded, "partition_date", record_type.partition_date)
    _check_stamps(expanded, f"reference_timestamp.{rule.pick}", rule.paths)
    for path in record_type.reference_id:
        if _text_field(expanded, "reference_id", path):
            raise SchemaError(f"reference_id: {path} may be absent: expected fields that every record has")
    for path in record_type.redacted:
        _text_field(expanded, "redacted", path)
    for index, derived in enumerate(record_type.derived):
        _text_field(expanded, f"derived.{index}.source", derived.source)
        _check_derived(expanded, index, derived)


def _check_stamps(expanded: Mapping[str, Any], key: str, paths: Sequence[str]) -> None:
    if NOW in paths[:-1]:
        raise SchemaError(f"{key}: {NOW} is always present: expected it last")
    optional = [_text_field(expanded, key, path) for path in paths if path != NOW]
    if paths[-1] != NOW and all(optional):
        raise SchemaError(f"{key}: all of {', '.join(paths)} may be absent: expected {NOW} at the end")


def _text_field(expanded: Mapping[str, Any], key: str, path: str) -> bool:
    """Check that a path leads to a string; tell whether it may be absent."""
    found = field_type(expanded, path)
    if found is None:
        raise SchemaError(f"{key}: the schema has no field {path}")
    if found.name != "string":
        raise SchemaError(f"{key}: expected {path} to be a string, the schema says {found.name}")
    return found.optional


def _check_derived(expanded: Mapping[str, Any], index: int, derived: DerivedRecord) -> None:
    key = f"derived.{index}"
    found = field_type(expanded, derived.record)
    if found is None or not isinstance(found.avro_type, dict) or found.name != "record" or "." in derived.record:
        raise SchemaError(f"{key}.record: expected a top-level record of the schema, found {derived.record}")
    if not found.optional:
        raise SchemaError(f"{key}.record: expected {derived.record} to be optional: its source may be of another form")
    groups = set(derived.pattern.groupindex)
    fields = {item["name"]: without_null(item["type"])[0] for item in found.avro_type["fields"]}
    if groups != {name for name, avro_type in fields.items() if avro_type == "string"} or groups != set(fields):
        raise SchemaError(
            f"{key}.pattern: expected one named group for each field of {derived.record}, all of them strings: "
            f"{', '.join(fields)}; found {', '.join(sorted(groups)) or 'none'}"
        )


_CONTRACT: Final = (
    ("type", "string", False),
    ("reference.id", "string", False),
    ("reference.timestamp", "string", False),
    ("isDeleted", "boolean", True),
    ("date.deleted", "string", True),
)


def _missing_contract(expanded: Mapping[str, Any]) -> Iterator[str]:
    """What the delivery of a change writes, and the schema has no room for."""
    for path, name, optional in _CONTRACT:
        found = field_type(expanded, path)
        if found is None or found.name != name or found.optional != optional:
            yield f"{'an optional' if optional else 'a required'} {name} {path}"
    if set(_fields(expanded, "reference")) - {"id", "timestamp"}:
        yield "no other fields in reference than id and timestamp"
    required = {name: field["type"] for name, field in _fields(expanded, "date").items() if "default" not in field}
    if any(avro_type != "string" for avro_type in required.values()):
        yield "no required fields in date other than stamps, which are strings"


def _fields(expanded: Mapping[str, Any], path: str) -> dict[str, Any]:
    found = field_type(expanded, path)
    record = found.avro_type if found is not None else None
    return {field["name"]: field for field in record.get("fields", [])} if isinstance(record, dict) else {}
