"""Candidates for the tests: changes as records of a shard, and the rows that the worker writes for them."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import fastavro

from dmd_pipeline.candidates import candidate_of
from dmd_pipeline.delivery import Deliverer, container, deliver
from dmd_pipeline.failed_batches import StreamRecord
from dmd_pipeline.fingerprints import WrittenRows
from dmd_pipeline.record_types import load_record_types


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dmd_pipeline.candidates import Candidate
    from dmd_pipeline.delivery import Group
    from dmd_pipeline.record_types import RecordType


RECORD_TYPES = load_record_types()
ARRIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOON = ARRIVED + timedelta(minutes=2)
"""When the worker delivers, by its own clock."""
FIRST = 49590338271490256608559692538361571095921575989136588898
"""A sequence number as Kinesis gives it."""


def records(*changes: bytes, first: int = FIRST) -> list[StreamRecord]:
    """Changes as a shard holds them, one a second."""
    return [
        StreamRecord(first + place, "key", ARRIVED + timedelta(seconds=place), change)
        for place, change in enumerate(changes)
    ]


def placed(change: bytes, *, record_types: Mapping[str, RecordType] = RECORD_TYPES) -> tuple[Group, Candidate]:
    """The candidate of a change, and its group."""
    return candidate_of(records(change)[0], Deliverer(record_types))


def candidates(*changes: bytes, record_types: Mapping[str, RecordType] = RECORD_TYPES) -> list[Candidate]:
    """The candidates of changes, of whatever group."""
    deliverer = Deliverer(record_types)
    return [candidate_of(record, deliverer)[1] for record in records(*changes)]


def numbers(*places: int) -> frozenset[int]:
    """Sequence numbers of records by their places."""
    return frozenset(FIRST + place for place in places)


def written(*changes: bytes, at: datetime = SOON, record_type: RecordType) -> WrittenRows:
    """The file that the worker writes for changes of one group, read again."""
    [rows] = deliver(changes, {record_type.name: record_type}, now=at).groups.values()
    file: Any = fastavro.reader(BytesIO(container(record_type, rows, sync_marker=bytes(16))))
    return WrittenRows(json.loads(file.metadata["avro.schema"]), list(file))


def changed(name: str, edit: Callable[[Any], None]) -> RecordType:
    """A record type with another schema."""
    schema = deepcopy(dict(RECORD_TYPES[name].schema))
    edit(schema)
    return replace(RECORD_TYPES[name], schema=schema)


def without(*names: str) -> Callable[[Any], None]:
    """Takes fields out of a schema."""

    def edit(schema: Any) -> None:
        schema["fields"] = [one for one in schema["fields"] if one["name"] not in names]

    return edit


def with_field(name: str, kind: Any = "string", **more: Any) -> Callable[[Any], None]:
    """Adds a field to a schema, optional unless it has a default of its own."""
    described = {"type": kind, **more} if "default" in more else {"type": ["null", kind], "default": None}
    return lambda schema: schema["fields"].append({"name": name, **described})


def with_symbol(symbol: str) -> Callable[[Any], None]:
    """Adds a way to reach a fan."""

    def edit(schema: Any) -> None:
        field_of(schema, "contactMethod")["type"][1]["symbols"].append(symbol)

    return edit


def field_of(schema: Any, name: str) -> Any:
    """A field's definition."""
    return next(one for one in schema["fields"] if one["name"] == name)


def types_with(*kinds: RecordType) -> dict[str, RecordType]:
    """All record types, some of them replaced."""
    return {**RECORD_TYPES, **{kind.name: kind for kind in kinds}}
