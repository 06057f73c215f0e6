"""The plan of ``apply_schema_changes`` for one table: include/schemas, minus what the catalog and the files hold.

Three things are compared with the schema that is wanted: the Glue table (columns, both schema literals, SerDe, formats,
location, keys, Parameters), each partition's own copy, and the schemas with which files were written.

What becomes of a table:

==========  =========================================================================================================
in sync     nothing to do
create      it is missing
drift       its schema is the wanted one, and something else was changed by hand, or partitions have stale copies
compatible  its schema changes, every row stays readable: applied in place
breaking    somebody has to approve it
refused     it cannot be done; says what can
==========  =========================================================================================================
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from tabulate import tabulate

from dmd_pipeline.change_marks import ChangeMark
from dmd_pipeline.errors import SchemaError
from dmd_pipeline.evolution import SCHEMA_UPDATES, Difference, Kind, compare, with_obstacles, worst
from dmd_pipeline.hive import SCHEMA_LITERAL, glue_columns, held_schema
from dmd_pipeline.layout import PARTITION_KEY, same_location
from dmd_pipeline.resolution import obstacles
from dmd_pipeline.schemas import expand
from dmd_pipeline.transitions import completing, like_table, updated
from dmd_pipeline.wording import cut, some


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_glue.type_defs import PartitionTypeDef, TableInputTypeDef, TableTypeDef

    from dmd_pipeline.resolution import Obstacle


class Verdict(StrEnum):
    """What becomes of a table."""

    IN_SYNC = "in sync"
    CREATE = "create"
    DRIFT = "drift"
    COMPATIBLE = "compatible"
    BREAKING = "breaking"
    REFUSED = "refused"


_VERDICTS: Final = {
    Kind.COMPATIBLE: Verdict.COMPATIBLE,
    Kind.BREAKING: Verdict.BREAKING,
    Kind.REFUSED: Verdict.REFUSED,
}
_BY_HAND: Final = "changed by hand: include/schemas decides"
_LONGEST: Final = 48
_SPELLING: Final = Difference(
    "avro.schema.literal",
    "another text",
    "include/schemas",
    Kind.COMPATIBLE,
    "none: both say the same of every row",
    SCHEMA_UPDATES,
)


@dataclass(frozen=True)
class Writer:
    """A schema with which files of the table were written.

    Attributes:
        schema: As it stands in the files.
        example: URI of one of them.
        files: How many of the sampled files have it.
        last_written: When the newest of them was written; None when that is not known.
    """

    schema: Mapping[str, Any]
    example: str
    files: int
    last_written: datetime | None = None

    def __str__(self) -> str:
        return f"{self.files} sampled file{'s' if self.files > 1 else ''} such as {self.example}"


@dataclass(frozen=True)
class TablePlan:
    """What to do about one table; prints like a diff.

    Attributes:
        table: Its name.
        verdict: What becomes of it.
        wanted: The table as it should be; Parameters of others are kept when it is written.
        schema: Differences of the schemas, and between files and the wanted schema.
        drift: What else differs: changed by hand.
        stale: Partitions whose own copy is not the wanted one, by value.
        partitions: How many there are.
        newer: Files that the table cannot read as it is now, most often because they were written with a schema that
            came before its table; one of them breaks its partition for readers.
        unfinished: Id of a change that was begun and not ended.
        elsewhere: Partitions that do not point to their own folder; registration repairs those whose folder has data.
    """

    table: str
    verdict: Verdict
    wanted: TableInputTypeDef
    schema: tuple[Difference, ...] = ()
    drift: tuple[Difference, ...] = ()
    stale: tuple[str, ...] = ()
    partitions: int = 0
    newer: tuple[str, ...] = ()
    unfinished: str | None = None
    elsewhere: tuple[str, ...] = ()

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Of the schemas and of all else."""
        return self.schema + self.drift

    @property
    def digest(self) -> str:
        """Names what is approved: another schema, another table or another verdict give another one."""
        said = [self.table, self.verdict, self.wanted, [str(one) for one in self.differences]]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def summary(self) -> str:
        """One line for people."""
        return "; ".join([f"{self.table}: {self.verdict}", *self.details])

    @property
    def details(self) -> list[str]:
        """What else is to be said of it, in a few words each."""
        words = []
        if self.schema:
            words.append(f"{len(self.schema)} difference{'s' if len(self.schema) > 1 else ''} of the schema")
        if self.drift:
            words.append(f"changed by hand: {some([one.field for one in self.drift], at_most=3)}")
        if self.stale and self.verdict is Verdict.DRIFT:
            words.append(f"{len(self.stale):,} of {self.partitions:,} partitions have a stale copy")
        if self.unfinished is not None:
            words.append(f"change {self.unfinished} was begun and not ended")
        if self.elsewhere:
            words.append(f"partitions point elsewhere (register_partitions decides): {some(self.elsewhere, at_most=3)}")
        if self.newer:
            words.append(f"WARNING, files that the table cannot read: {some(self.newer, at_most=2)}")
        return words

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.verdict is Verdict.IN_SYNC

    @property
    def as_markdown(self) -> str:
        """The plan for a page: its differences as a table."""
        rows = [
            (
                f"`{one.sign}` **{one.field}**",
                f"{one.before or 'none'} → {one.after or 'none'}",
                one.kind,
                one.readers,
                one.rule,
            )
            for one in self.differences
        ]
        headers = ("field", "from → to", "", "what it means for readers", "rule")
        cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
        return f"{self.summary}\n\n{tabulate(cells, headers=headers, tablefmt='pipe', disable_numparse=True)}"

    def __str__(self) -> str:
        rows = [
            (one.sign, one.field, cut(one.before, _LONGEST), cut(one.after, _LONGEST), one.kind, one.readers, one.rule)
            for one in self.differences
        ]
        if not rows:
            return self.summary
        headers = ("", "field", "from", "to", "", "what it means for readers", "rule")
        widths = (None, None, 24, 24, None, 44, 40)
        shown = tabulate(rows, headers=headers, tablefmt="simple", maxcolwidths=list(widths), disable_numparse=True)
        return f"{self.summary}\n{shown}"


def to_create(wanted: TableInputTypeDef) -> TablePlan:
    """The plan of a table that is missing."""
    return TablePlan(wanted["Name"], Verdict.CREATE, wanted)


def plan(
    current: TableTypeDef,
    wanted: TableInputTypeDef,
    partitions: Sequence[PartitionTypeDef],
    writers: Sequence[Writer] = (),
    broken: Sequence[str] = (),
) -> TablePlan:
    """Compare a table with what it should be.

    Args:
        current: As Glue holds it.
        wanted: As it should be.
        partitions: All of its partitions, whole.
        writers: The schemas with which files were written, as far as they were looked at.
        broken: Files without any schema, and why.
    """
    old, new = _schema_of(current), expand(json.loads(wanted["Parameters"][SCHEMA_LITERAL]))
    schema = _of_schemas(old, new, writers, holds_data=bool(partitions))
    if not schema and current.get("Parameters", {}).get(SCHEMA_LITERAL) != wanted["Parameters"][SCHEMA_LITERAL]:
        schema = (_SPELLING,)
    drift = tuple(_of_table(current, wanted, old))
    stale = completing(partitions, like_table(updated(current, wanted)))
    mark = ChangeMark.of(current)
    kind = worst((*schema, *drift))
    if kind is not Kind.COMPATIBLE or schema:
        verdict = _VERDICTS[kind]
    elif drift or stale or mark is not None:
        verdict = Verdict.DRIFT
    else:
        verdict = Verdict.IN_SYNC
    return TablePlan(
        current["Name"],
        verdict,
        wanted,
        schema,
        drift,
        tuple(step.value for step in stale),
        len(partitions),
        (*(str(writer) for writer in writers if _is_newer(writer, current)), *broken),
        None if mark is None else mark.id,
        tuple(_elsewhere(partitions, wanted["StorageDescriptor"]["Location"])),
    )


def _elsewhere(partitions: Sequence[PartitionTypeDef], location: str) -> Iterator[str]:
    for partition in partitions:
        value = "/".join(partition["Values"])
        found = partition.get("StorageDescriptor", {}).get("Location", "nowhere")
        if not same_location(found, f"{location}{PARTITION_KEY}={value}/"):
            yield f"{value} at {found}"


def unreadable_by(table: TableTypeDef | TableInputTypeDef, writer: Writer) -> tuple[Obstacle, ...]:
    """What keeps a table, as it is, from reading files; a table without a schema is not judged."""
    schema = _schema_of(table)
    return () if schema is None else obstacles(expand(writer.schema), schema)


def _schema_of(table: TableTypeDef | TableInputTypeDef) -> dict[str, Any] | None:
    """The schema that reads the table's files, expanded; None when it has none, or one that is no schema."""
    schema = held_schema(table)
    try:
        return None if schema is None else expand(schema)
    except SchemaError:
        return None


def _of_schemas(
    old: Mapping[str, Any] | None, new: Mapping[str, Any], writers: Sequence[Writer], *, holds_data: bool
) -> tuple[Difference, ...]:
    if old is None:
        readers = "the table has no schema that can be read: its partitions are read with their own"
        missing = Difference("avro.schema.literal", "none", "include/schemas", Kind.COMPATIBLE, readers, SCHEMA_UPDATES)
        differences: tuple[Difference, ...] = (missing,)
    else:
        differences = compare(old, new) if holds_data else _without_data(compare(old, new))
    # Of a table that is not to be changed, files that it cannot read are told as such: see _is_newer.
    for writer in writers if differences else ():
        differences = with_obstacles(differences, obstacles(expand(writer.schema), new), str(writer))
    return differences


def _is_newer(writer: Writer, table: TableTypeDef) -> bool:
    """Whether files hold what their table cannot read, or may: a null, a symbol that it does not know.

    Of files that are older than the table's last change, that they may hold such a thing says nothing: when it was
    changed, each of them was read.
    """
    found = unreadable_by(table, writer)
    changed = table.get("UpdateTime")
    is_later = writer.last_written is None or changed is None or writer.last_written > changed
    return any(obstacle.in_every_row or is_later for obstacle in found)


def _without_data(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """A table without partitions has no rows that could not be read."""
    return tuple(
        one
        if one.kind is Kind.COMPATIBLE
        else Difference(one.field, one.before, one.after, Kind.COMPATIBLE, "no partition holds rows", one.rule)
        for one in differences
    )


def _of_table(current: TableTypeDef, wanted: TableInputTypeDef, old: Mapping[str, Any] | None) -> Iterator[Difference]:
    """What of the table differs although no schema says so."""
    is_now, should_be = current.get("StorageDescriptor", {}), wanted["StorageDescriptor"]
    yield from _of_columns(current, wanted, old)
    if not same_location(is_now.get("Location", ""), should_be["Location"]):
        readers = "none: each partition has its own; partitions that are added by hand land there"
        yield _drift("location", is_now.get("Location", ""), should_be["Location"], readers)
    for name in ("InputFormat", "OutputFormat"):
        if is_now.get(name) != should_be.get(name):
            yield _drift(
                name, str(is_now.get(name, "")), str(should_be.get(name, "")), "the table may not be read at all"
            )
    yield from _of_serde(current, wanted)
    for name, value in wanted["Parameters"].items():
        found = current.get("Parameters", {}).get(name)
        if name != SCHEMA_LITERAL and found != value:
            yield _drift(
                f"Parameter {name}", found or "none", str(value), "Athena may take it for a table of another kind"
            )
    for name in ("Description", "TableType"):
        # What is not asked for stays, as Parameters of others do: it would be found again and again.
        if name in wanted and current.get(name, "") != wanted.get(name):
            yield _drift(name, str(current.get(name, "")), str(wanted.get(name, "")), "none")
    keys, wanted_keys = (
        [(key["Name"], key.get("Type")) for key in table.get("PartitionKeys", ())] for table in (current, wanted)
    )
    if keys != wanted_keys:
        yield Difference(
            "partition keys",
            str(keys),
            str(wanted_keys),
            Kind.REFUSED,
            "other keys are another table: make one of another name, fill it, and drop this one",
            "AWS Glue: the values of partitions belong to the keys of their table",
        )


def _of_columns(
    current: TableTypeDef, wanted: TableInputTypeDef, old: Mapping[str, Any] | None
) -> Iterator[Difference]:
    """Columns that are not those of the table's own schema were changed by hand, in the console or with DDL."""
    try:
        columns = wanted["StorageDescriptor"]["Columns"] if old is None else glue_columns(old)
    except SchemaError:
        columns = wanted["StorageDescriptor"]["Columns"]
    own = {column["Name"]: column for column in columns}
    found = {column["Name"]: column for column in current.get("StorageDescriptor", {}).get("Columns", ())}
    for name in [*found, *(name for name in own if name not in found)]:
        before, after = (f"{one[name].get('Type')}" if name in one else "" for one in (found, own))
        if before != after:
            yield _drift(f"column {name}", before, after, _means_for_column(before, after))
        elif found[name].get("Comment", "") != own[name].get("Comment", ""):
            yield _drift(f"column {name}", found[name].get("Comment", ""), own[name].get("Comment", ""), "its comment")
    if [*found] != [*own] and set(found) == set(own):
        yield _drift("the order of columns", ", ".join(found), ", ".join(own), "SELECT * shows another order")


def _means_for_column(before: str, after: str) -> str:
    if not after:
        return "queries that name it fail: no schema has it, and it is removed"
    return "it comes back" if not before else "it is read as the schema says again"


def _of_serde(current: TableTypeDef, wanted: TableInputTypeDef) -> Iterator[Difference]:
    is_now: Mapping[str, Any] = current.get("StorageDescriptor", {}).get("SerdeInfo", {})
    should_be: Mapping[str, Any] = wanted["StorageDescriptor"]["SerdeInfo"]
    library = is_now.get("SerializationLibrary", "")
    if library != should_be["SerializationLibrary"]:
        yield _drift("SerDe", library, should_be["SerializationLibrary"], "the table may not be read at all")
    literals = [current.get("Parameters", {}).get(SCHEMA_LITERAL), is_now.get("Parameters", {}).get(SCHEMA_LITERAL)]
    if literals[0] != literals[1]:
        readers = "the one in the table's Parameters counts; tools that look at the SerDe's see another schema"
        shown = ["none" if literal is None else f"{len(literal):,} characters" for literal in literals]
        yield _drift("avro.schema.literal of the SerDe", shown[1], f"the Parameters' ({shown[0]})", readers)
    for name, value in should_be["Parameters"].items():
        found = is_now.get("Parameters", {}).get(name)
        if name != SCHEMA_LITERAL and found != value:
            yield _drift(f"SerDe parameter {name}", found or "none", value, "none")


def _drift(field: str, before: str, after: str, readers: str) -> Difference:
    return Difference(field, before, after, Kind.COMPATIBLE, readers, _BY_HAND)
