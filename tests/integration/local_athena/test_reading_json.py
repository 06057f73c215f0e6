"""What the local Athena refuses of JSON because the readers of its SerDe differ, and that it reads nothing twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from local.athena.duck import Duck
from local.athena.errors import QueryError
from local.athena.ports import JSON_SERDE, TEXT_INPUT, Column, Partition, Storage, Table
from local.athena.queries import QueryRunner
from tests.integration.local_athena.in_memory import LOCATION, MemoryCatalog, MemoryObjects


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

NOW = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - UTC, as the engine takes it
_FILE = f"{LOCATION}a.json"


@dataclass
class _JsonCatalog(MemoryCatalog):
    """One database with one table of JSON files."""

    columns: tuple[Column, ...] = ()
    own_columns: tuple[Column, ...] | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    input_format: str = TEXT_INPUT

    def tables(self, database: str) -> Sequence[Table]:  # noqa: ARG002  # the port asks for it
        """All tables."""
        storage = Storage(self.columns, LOCATION, JSON_SERDE, self.properties, self.input_format)
        keys = (Column("day", "string"),) if self.own_columns is not None else ()
        return [Table("db", "rows", storage, keys)]

    def partitions(self, table: Table, values: Collection[tuple[str, ...]] | None = None) -> Sequence[Partition]:  # noqa: ARG002  # the port asks for it
        """One partition, which lies where the table lies."""
        storage = Storage(self.own_columns or (), LOCATION, JSON_SERDE, self.properties, self.input_format)
        return [Partition(("1",), storage)]


@pytest.fixture(scope="module")
def duck() -> Iterator[Duck]:
    """One engine for all tests."""
    made = Duck()
    yield made
    made.close()


def _read(duck: Duck, lines: str, kind: str = "string", **catalog: Any) -> list[tuple[Any, ...]]:
    columns = (Column("c", kind), Column("id", "string"))
    runner = QueryRunner(_JsonCatalog(columns=columns, **catalog), MemoryObjects({_FILE: lines.encode()}), duck)
    return runner.run("SELECT c FROM rows", "db", NOW).rows


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ('{"c": 1.50}', "string"),
        ('{"c": {"a": 1}}', "string"),
        ('{"c": [1]}', "string"),
        ('{"c": {"Key": 1}}', "map<string,int>"),
        ('["x"]', "string"),
        ('{"c": "2026-03-01"}', "date"),
        ('{"c": "x"}', "varchar(5)"),
        ('{"c": {"1": 1}}', "map<int,int>"),
    ],
)
def test_what_the_readers_of_the_serde_show_differently_is_refused(duck: Duck, line: str, kind: str) -> None:
    with pytest.raises(QueryError, match=r"^NOT_SUPPORTED: ") as caught:
        _read(duck, line, kind)
    assert "x" not in caught.value.message.partition(": ")[2].replace(_FILE, "")


@pytest.mark.parametrize(
    "properties",
    [
        {"mapping.c": "d"},
        {"case.insensitive": "FALSE"},
        {"dots.in.keys": "TRUE"},
        {"use.null.for.invalid.data": "true"},
        {"something": "else"},
    ],
)
def test_a_property_that_is_not_known_is_refused(duck: Duck, properties: dict[str, str]) -> None:
    with pytest.raises(QueryError, match=rf"^NOT_SUPPORTED: .*{next(iter(properties))}"):
        _read(duck, '{"c": "x"}', properties=properties)


def test_properties_that_ask_for_what_is_done_anyway_are_taken(duck: Duck) -> None:
    properties = {"serialization.format": "1", "paths": "c", "case.insensitive": "TRUE", "dots.in.keys": "false"}
    assert _read(duck, '{"c": "x"}', properties=properties) == [("x",)]


def test_another_input_format_is_refused(duck: Duck) -> None:
    with pytest.raises(QueryError, match=r"^NOT_SUPPORTED: .*TextInputFormat"):
        _read(duck, '{"c": "x"}', input_format="org.example.OtherInputFormat")


@pytest.mark.parametrize("own", [(), (Column("c", "int"),)])
def test_a_partition_must_declare_what_its_table_declares(duck: Duck, own: tuple[Column, ...]) -> None:
    assert _read(duck, '{"c": 1}', "bigint", own_columns=(Column("c", "bigint"),)) == [(1,)]
    with pytest.raises(QueryError, match=r"^NOT_SUPPORTED: Partition day=1 does not declare c"):
        _read(duck, '{"c": 1}', "bigint", own_columns=own)


def test_half_a_character_fits_no_column(duck: Duck) -> None:
    with pytest.raises(QueryError, match=r"^HIVE_BAD_DATA: .* column 'c' as varchar: .*/a\.json, line 1$"):
        _read(duck, '{"c": "\\ud83d"}')


def test_a_whole_number_beyond_every_double_is_no_double(duck: Duck) -> None:
    with pytest.raises(QueryError, match=r"^HIVE_BAD_DATA: "):
        _read(duck, f'{{"c": 1{"0" * 400}}}', "double")


def test_a_file_that_was_packed_and_breaks_off_fails(duck: Duck) -> None:
    objects = MemoryObjects({f"{LOCATION}a.json.gz": b"\x1f\x8b\x08\x00"})
    runner = QueryRunner(_JsonCatalog(columns=(Column("c", "string"),)), objects, duck)
    with pytest.raises(QueryError, match=r"^HIVE_CURSOR_ERROR: Failed to read file at .*a\.json\.gz$"):
        runner.run("SELECT c FROM rows", "db", NOW)


def test_files_are_read_once_until_one_of_them_changes(duck: Duck) -> None:
    objects = MemoryObjects({_FILE: b'{"c": "a"}', f"{LOCATION}b.json": b'{"c": "b"}'})
    runner = QueryRunner(_JsonCatalog(columns=(Column("c", "string"),)), objects, duck)
    for _ in range(2):
        assert sorted(runner.run("SELECT c FROM rows", "db", NOW).rows) == [("a",), ("b",)]
    assert len(objects.opened) == 2
    objects.content[_FILE] = b'{"c": "changed"}'
    assert sorted(runner.run("SELECT c FROM rows", "db", NOW).rows) == [("b",), ("changed",)]
