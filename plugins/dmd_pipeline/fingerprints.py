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
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import fastavro

from dmd_pipeline.candidates import candidate_of
from dmd_pipeline.delivery import Deliverer
from dmd_pipeline.errors import InvalidRecordError, SchemaError
from dmd_pipeline.schemas import schema_literal, writer_schema


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
class _Match:
    """The candidates that are not found yet."""

    candidates: Sequence[Candidate]
    record_type: RecordType
    of_one_batch: bool
    found: set[int] = field(default_factory=set)
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
            alike, number = index.take(row, self.found)
            if alike is None:
                strangers += 1
                continue
            seen |= alike.numbers
            if number is not None:
                self.found.add(number)
                (self.doubtful if len(alike.numbers) > 1 else fresh).add(number)
        if not self.of_one_batch:
            return
        if strangers and seen != index.numbers:
            self.doubtful |= fresh
        else:
            self.doubtful -= seen & index.alone

    def _index(self, schema: Mapping[str, Any]) -> _Index | None:
        index = _Index(schema)
        if schema_literal(schema) == schema_literal(self.record_type.schema):
            for candidate in self.candidates:
                index.add(candidate)
            return index
        record_type = replace(self.record_type, schema=schema)
        try:
            deliverer = Deliverer({record_type.name: record_type})
        except SchemaError:
            return None
        for candidate in self.candidates:
            with suppress(InvalidRecordError):  # with this schema the worker would have rejected it
                index.add(candidate_of(candidate.record, deliverer)[1])
        return index


@dataclass
class _Alike:
    """Candidates that look the same."""

    waiting: deque[int] = field(default_factory=deque)
    numbers: set[int] = field(default_factory=set)


class _Index:
    """Candidates by fingerprint, for the files of one schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = writer_schema(schema)
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

    def take(self, row: Row, found: set[int]) -> tuple[_Alike | None, int | None]:
        """The candidates that a written row looks like, if any, and the one that it stands for, if one is left."""
        looks_like: _Alike | None = None
        # The fewest stamps first: an exact match is better than one that overlooks what the clock has made.
        for stamped in sorted(self._alike, key=len):
            alike = self._alike[stamped].get(self._fingerprint(row, stamped))
            if alike is None:
                continue
            looks_like = looks_like or alike
            while alike.waiting:
                number = alike.waiting.popleft()
                if number not in found:
                    return alike, number
        return looks_like, None

    def _fingerprint(self, row: Row, stamped: tuple[Path, ...]) -> bytes:
        file = BytesIO()
        fastavro.schemaless_writer(file, self._schema, _blanked(row, stamped))
        return hashlib.blake2b(file.getvalue(), digest_size=_DIGEST_BYTES).digest()


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
