"""Fingerprints of rows: has the delivery worker written this row already?

A replayed row and the row that the worker wrote for the same change are equal but for what the worker stamped with its
own clock. So a change is delivered once more *as the worker would have, with the schema of the file in question*, the
stamps are blanked on both sides, and what is left is compared in Avro's binary encoding, which is the same for the same
row.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import fastavro

from dmd_pipeline.candidates import candidate_of
from dmd_pipeline.delivery import Deliverer
from dmd_pipeline.errors import InvalidRecordError, SchemaError
from dmd_pipeline.record_types import with_schema
from dmd_pipeline.schemas import schema_literal, with_null_defaults, writer_schema


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dmd_pipeline.candidates import Candidate, Path
    from dmd_pipeline.record_types import RecordType
    from dmd_pipeline.rows import Row


_DIGEST_BYTES: Final = 16


@dataclass(frozen=True)
class WrittenRows:
    """The rows of one of the worker's files.

    Attributes:
        schema: With which they were written.
        rows: As they are read with it.
    """

    schema: Mapping[str, Any]
    rows: Iterable[Row]


@dataclass(frozen=True)
class Delivered:
    """Which candidates the worker has written.

    Attributes:
        numbers: Their sequence numbers.
        indistinguishable: How many of them may have been taken for written because an identical record was: another
            candidate, or one of another batch.
    """

    numbers: frozenset[int]
    indistinguishable: int

    def __add__(self, other: Delivered) -> Delivered:
        """What was found in two places."""
        return Delivered(self.numbers | other.numbers, self.indistinguishable + other.indistinguishable)


def delivered(
    candidates: Sequence[Candidate],
    files: Iterable[WrittenRows],
    record_type: RecordType,
    *,
    of_one_batch: bool = False,
) -> Delivered:
    """Find the candidates whose rows stand in files of the worker.

    Rows are compared as multisets: one written row stands for one candidate. Where a written row could stand for
    several candidates, the one with the fewest stamps, and then the first, is taken.

    Args:
        candidates: Of one group.
        files: Read one after the other, each once, and only as long as something is to be found. A file that the worker
            cannot have written, because no change of this record type can become a row of it, is passed over.
        record_type: Of the group, with the schema of the candidates' rows.
        of_one_batch: Whether the candidates are the group of one batch, and of no other. Then a file that the worker
            wrote for it holds all of them, or nothing else: what stands in another file may be another's identical row.
    """
    match = _Match(candidates, record_type, of_one_batch)
    remaining = iter(files)
    while not match.is_complete and (file := next(remaining, None)) is not None:
        match.take(file)
    return Delivered(frozenset(match.found), len(match.doubtful))


@dataclass
class _Alike:
    """Candidates that look the same in files of one schema."""

    waiting: deque[int] = field(default_factory=deque)
    numbers: set[int] = field(default_factory=set)


@dataclass
class _Match:
    """A written row for each candidate that is found."""

    candidates: Sequence[Candidate]
    record_type: RecordType
    of_one_batch: bool
    found: dict[int, tuple[_Alike, ...]] = field(default_factory=dict)
    """By number: what the row that stands for it could stand for."""
    doubtful: set[int] = field(default_factory=set)
    _by_schema: dict[str, _Index | None] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return len(self.found) == len(self.candidates)

    def take(self, file: WrittenRows) -> None:
        literal = schema_literal(file.schema)
        if literal not in self._by_schema:
            self._by_schema[literal] = self._index(file.schema)
        index = self._by_schema[literal]
        if index is None:
            return
        seen: set[int] = set()  # numbers of the candidates that rows of this file look like
        fresh: set[int] = set()
        strangers = 0
        for row in file.rows:
            alikes = index.like(row)
            if not alikes:
                strangers += 1
                continue
            seen |= alikes[0].numbers
            if (taken := self._find(alikes)) is not None:
                number, alike = taken
                (self.doubtful if len(alike.numbers) > 1 else fresh).add(number)
        if not self.of_one_batch:
            return
        if strangers and seen != index.numbers:
            self.doubtful |= fresh
        else:
            self.doubtful -= seen & index.alone

    def _find(self, alikes: tuple[_Alike, ...]) -> tuple[int, _Alike] | None:
        """Let a row stand for a candidate that is not found yet."""
        for alike in alikes:
            while alike.waiting:
                number = alike.waiting.popleft()
                if number not in self.found:
                    self.found[number] = alikes
                    return number, alike
        # Files of another schema may tell candidates apart that look the same here, or the other way round.
        return self._make_room(alikes, set()) if len(self._by_schema) > 1 else None

    def _make_room(self, alikes: tuple[_Alike, ...], tried: set[int]) -> tuple[int, _Alike] | None:
        """Let a row take the place of one that can stand for another candidate: an augmenting path."""
        for alike in alikes:
            if id(alike) in tried:
                continue
            tried.add(id(alike))
            for number in alike.numbers:
                before = self.found.get(number)
                if before is None:
                    self.found[number] = alikes
                    return number, alike
                if (moved := self._make_room(before, tried)) is not None:
                    self.found[number] = alikes
                    self.doubtful.add(moved[0])
                    return number, alike
        return None

    def _index(self, schema: Mapping[str, Any]) -> _Index | None:
        index = _Index(schema)
        if schema_literal(schema) == schema_literal(self.record_type.schema):
            for candidate in self.candidates:
                index.add(candidate)
            return index
        try:
            record_type = with_schema(self.record_type, with_null_defaults(schema))
        except SchemaError:
            return None
        deliverer = Deliverer({record_type.name: record_type})
        for candidate in self.candidates:
            with suppress(InvalidRecordError):  # with this schema the worker would have rejected it
                index.add(candidate_of(candidate.record, deliverer)[1])
        return index


class _Index:
    """Candidates by fingerprint, for the files of one schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = writer_schema(schema)
        self._has_maps = '"map"' in schema_literal(schema)
        self._alike: dict[tuple[Path, ...], dict[bytes, _Alike]] = defaultdict(lambda: defaultdict(_Alike))
        self.numbers: set[int] = set()

    @property
    def alone(self) -> set[int]:
        """Those of which none looks like another."""
        alikes = (alike.numbers for by_fingerprint in self._alike.values() for alike in by_fingerprint.values())
        return {number for numbers in alikes if len(numbers) == 1 for number in numbers}

    def add(self, candidate: Candidate) -> None:
        alike = self._alike[candidate.stamped][self._fingerprint(candidate.row, candidate.stamped)]
        alike.waiting.append(candidate.record.sequence_number)
        alike.numbers.add(candidate.record.sequence_number)
        self.numbers.add(candidate.record.sequence_number)

    def like(self, row: Row) -> tuple[_Alike, ...]:
        """The candidates that a written row looks like."""
        # The fewest stamps first: an exact match is better than one that overlooks what the clock has made.
        found = (self._alike[one].get(self._fingerprint(row, one)) for one in sorted(self._alike, key=len))
        return tuple(alike for alike in found if alike is not None)

    def _fingerprint(self, row: Row, stamped: tuple[Path, ...]) -> bytes:
        file = BytesIO()
        blanked = _blanked(row, stamped)
        fastavro.schemaless_writer(file, self._schema, _in_order(blanked) if self._has_maps else blanked)
        return hashlib.blake2b(file.getvalue(), digest_size=_DIGEST_BYTES).digest()


def _in_order(value: Any) -> Any:
    """Maps in the order of their keys; the order of records is their schema's anyway."""
    if isinstance(value, dict):
        return {name: _in_order(value[name]) for name in sorted(value)}
    return [_in_order(one) for one in value] if isinstance(value, list) else value


def _blanked(row: Row, stamped: tuple[Path, ...]) -> Row:
    """The row with its stamps blank; what is null stays null, for a stamp is never null."""
    for path in stamped:
        row = _without(row, path)
    return row


def _without(row: Row, path: Path) -> Row:
    name, *rest = path
    value = row.get(name)
    if value is None:
        return row
    return {**row, name: _without(value, tuple(rest)) if rest else ""}
