"""Container files read by ranges: the same as fastavro sees, in as many calls as the docstrings say."""

from __future__ import annotations

from io import BytesIO
from math import ceil, log2
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.container_files import LARGEST_HEADER, READ_AHEAD, count_rows, read_header
from dmd_pipeline.errors import ContainerFileError


SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "data.capture.Sale",
    "doc": "kept",
    "fields": [{"name": "id", "type": "string"}],
}
MARKER = bytes(range(16))


class Ranges:
    """A file that counts how often it is read."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.calls: list[tuple[int, int]] = []

    def __call__(self, start: int, length: int) -> bytes:
        self.calls.append((start, length))
        return self.content[start : start + length]

    def count(self) -> int:
        return count_rows(self, len(self.content))


def written(*blocks: int, width: int = 10, codec: str = "null", schema: Any = SCHEMA, **metadata: str) -> bytes:
    """A file with so many rows in each block; the rows are not alike, so that they do not compress to nothing."""
    file = BytesIO()
    fastavro.writer(file, schema, [], codec=codec, sync_marker=MARKER, metadata=metadata)
    for rows in blocks:
        block = BytesIO()
        texts = ({"id": f"{row:x}".rjust(width, "-")} for row in range(rows))
        fastavro.writer(block, schema, texts, codec=codec, sync_marker=MARKER, sync_interval=10**9, metadata=metadata)
        file.write(block.getvalue()[read_header(Ranges(block.getvalue())).size :])
    return file.getvalue()


def header_of(**metadata: bytes) -> bytes:
    """A header with nothing but this in its metadata."""
    file = BytesIO()
    fastavro.schemaless_writer(file, {"type": "map", "values": "bytes"}, metadata)
    return b"Obj\x01" + file.getvalue() + MARKER


def blocks_of(content: bytes) -> list[Any]:
    return list(fastavro.block_reader(BytesIO(content)))


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_a_header_tells_schema_codec_marker_and_where_the_first_block_begins(codec: str) -> None:
    content = written(3, 2, codec=codec)
    header = read_header(Ranges(content))
    assert (header.schema, header.codec, header.sync_marker) == (SCHEMA, codec, MARKER)
    assert header.size == blocks_of(content)[0].offset


def test_a_file_that_names_no_codec_has_none() -> None:
    without_codec = written(1).replace(b"\x04\x14avro.codec\x08null", b"\x02")
    assert read_header(Ranges(without_codec)).codec == "null"
    assert count_rows(Ranges(without_codec), len(without_codec)) == 1


@pytest.mark.parametrize("length", [READ_AHEAD - 200, READ_AHEAD, 2 * READ_AHEAD, 5 * READ_AHEAD])
def test_a_header_longer_than_one_call_is_read_in_calls_that_double(length: int) -> None:
    ranges = Ranges(written(1, comment="x" * length))
    header = read_header(ranges)
    assert len(ranges.calls) == 1 + max(0, ceil(log2(header.size / READ_AHEAD)))
    assert header.schema == SCHEMA
    assert ranges.count() == 1


@given(
    blocks=st.lists(st.integers(1, 400), max_size=30),
    width=st.sampled_from([10, 300, 3000]),
    codec=st.sampled_from(["null", "deflate", "bzip2"]),
)
def test_rows_are_counted_in_as_many_calls_as_the_docstring_says(blocks: list[int], width: int, codec: str) -> None:
    ranges = Ranges(written(*blocks, width=width, codec=codec))
    assert ranges.count() == sum(blocks)
    assert len(ranges.calls) <= 1 + min(len(blocks) + 1, ceil(len(ranges.content) / (READ_AHEAD - len(MARKER))) - 1)


@given(st.lists(st.integers(0, READ_AHEAD + 100), max_size=6), st.integers(0, 40))
def test_blocks_of_any_length_are_counted_wherever_a_call_ends(lengths: list[int], before_the_edge: int) -> None:
    """Blocks made by hand, of one row each; the first ends near the end of the first call."""
    content = written()
    for length in [READ_AHEAD - len(content) - before_the_edge, *lengths]:
        head = BytesIO()
        fastavro.schemaless_writer(head, {"type": "long"}, 1)
        fastavro.schemaless_writer(head, {"type": "long"}, length)
        content += head.getvalue() + bytes(length) + MARKER
    ranges = Ranges(content)
    assert ranges.count() == 1 + len(lengths)
    assert len(ranges.calls) <= 1 + min(len(lengths) + 2, ceil(len(content) / (READ_AHEAD - len(MARKER))) - 1)


def test_large_blocks_cost_one_call_each_and_are_not_fetched() -> None:
    ranges = Ranges(written(*[100] * 20, width=10_000))
    assert ranges.count() == 2000
    assert len(ranges.calls) == 1 + 20
    assert sum(length for _, length in ranges.calls) < len(ranges.content) / 10


def test_a_small_file_costs_one_call() -> None:
    ranges = Ranges(written(*[5] * 100))
    assert ranges.count() == 500
    assert ranges.calls == [(0, READ_AHEAD)]


def test_an_empty_object_has_no_rows_and_is_not_read() -> None:
    ranges = Ranges(b"")
    assert ranges.count() == 0
    assert ranges.calls == []


def test_a_file_without_blocks_has_no_rows() -> None:
    assert Ranges(written()).count() == 0


def test_a_file_that_is_cut_off_anywhere_but_between_blocks_is_an_error() -> None:
    content = written(3, 4)
    first, second = blocks_of(content)
    rows = {first.offset: 0, second.offset: 3, len(content): 7}
    for size in range(1, len(content) + 1):
        ranges = Ranges(content[:size])
        if size in rows:
            assert ranges.count() == rows[size]
        else:
            with pytest.raises(ContainerFileError):
                ranges.count()


def test_a_last_block_that_is_cut_off_is_named_by_its_offset() -> None:
    content = written(3, 4)
    second = blocks_of(content)[1].offset
    with pytest.raises(
        ContainerFileError, match=rf"^cut off: the block at byte {second} goes to byte {len(content)}, "
    ):
        Ranges(content[:-1]).count()


def test_a_file_that_is_shorter_than_it_should_be_is_an_error() -> None:
    content = written(100, 100, width=10_000)
    size = len(content)
    with pytest.raises(ContainerFileError, match=f"^cut off: nothing at byte {size - 10}, expected {size} bytes$"):
        count_rows(Ranges(content[:-10]), size)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (b"\x01\x14", "has a negative count or size"),
        (b"\x02\x13", "has a negative count or size"),
        (b"\xff" * 40, "its count or size does not end"),
        (b"\x02\x00" + bytes(16), "no sync marker follows it"),
    ],
)
def test_a_damaged_block_is_named_by_its_offset(damage: bytes, reason: str) -> None:
    content = written(3)
    with pytest.raises(ContainerFileError, match=f"^the block at byte {len(content)} .*{reason}$"):
        Ranges(content + damage + bytes(40)).count()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it does not begin with Obj"),
        (b"PAR1" + bytes(100), "it does not begin with Obj"),
        (b"Obj", "it does not begin with Obj"),
        (b"Obj\x01", "its header goes beyond byte 4"),
        (written(1)[:60], "its header goes beyond byte 60"),
        (written().replace(b"avro.schema", b"avro.Schema"), "lacks avro.schema"),
        (written().replace(b'{"type"', b'["type"'), "avro.schema is no JSON"),
        (written().replace(b"null", b"\xff\xff\xff\xff"), "avro.codec no text"),
        (written(schema={"type": "map", "values": "int"}), "its rows are no records"),
        (header_of(**{"avro.schema": b"[" * 200_000}), "avro.schema is no JSON"),
        (written(schema="int"), "its rows are no records"),
        (b"Obj\x01\x02\x02\xff", "its metadata cannot be read"),
    ],
)
def test_what_is_no_container_file_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(ContainerFileError, match=reason):
        read_header(Ranges(content))


def test_a_header_without_end_is_given_up_at_some_point() -> None:
    ranges = Ranges(written(comment="x" * LARGEST_HEADER) + bytes(100))
    with pytest.raises(ContainerFileError, match=f"its header is longer than {LARGEST_HEADER} bytes"):
        read_header(ranges)
    assert sum(length for _, length in ranges.calls) == LARGEST_HEADER


@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_garbage_raises_nothing_else(garbage: bytes, after_the_magic: bool, after_the_header: bool) -> None:
    begin = written(2) if after_the_header else b"Obj\x01" if after_the_magic else b""
    try:
        counted: int | None = Ranges(begin + garbage).count()
    except ContainerFileError:
        counted = None
    assert counted is None or counted >= 0
    if garbage[:1] and not after_the_header and not after_the_magic and not garbage.startswith(b"Obj\x01"):
        assert counted is None
