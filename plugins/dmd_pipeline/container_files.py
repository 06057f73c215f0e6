"""Avro object container files, read by ranges: what a huge file holds, without fetching it.

The format is that of the Avro 1.12 specification, "Object Container Files"
(https://avro.apache.org/docs/1.12.0/specification/#object-container-files)::

    file   = header, block*
    header = "Obj" 0x01, map of metadata (avro.schema, avro.codec, …), sync marker of 16 bytes
    block  = count of its rows (long), size of its data (long), its data, sync marker

so that rows can be counted by block: whatever the codec, the data itself is skipped.

What reads a range is handed in, as ``read(start, length)``: it returns fewer bytes only at the end of the file. Errors
name no file, for nothing here knows one: whoever calls does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import fastavro

from dmd_pipeline.errors import ContainerFileError


if TYPE_CHECKING:
    from collections.abc import Callable


READ_AHEAD: Final = 64 * 1024
"""How many bytes a call reads: a small file whole, of a large one some blocks, or the edge of one."""
LARGEST_HEADER: Final = 16 * 1024 * 1024
"""No schema is that large; a length that is garbage shall not fetch the whole file."""

_MAGIC: Final = b"Obj\x01"
_SYNC_BYTES: Final = 16
_LONGEST_LONG: Final = 10
_HEADER: Final = fastavro.parse_schema(
    {
        "type": "record",
        "name": "org.apache.avro.file.Header",
        "fields": [
            {"name": "magic", "type": {"type": "fixed", "name": "Magic", "size": len(_MAGIC)}},
            {"name": "meta", "type": {"type": "map", "values": "bytes"}},
            {"name": "sync", "type": {"type": "fixed", "name": "Sync", "size": _SYNC_BYTES}},
        ],
    }
)


@dataclass(frozen=True)
class Header:
    """What a container file says about itself.

    Attributes:
        schema: The schema of its rows, as written.
        codec: How its blocks are compressed: ``null``, ``deflate``, …
        sync_marker: 16 bytes that follow each block.
        size: Of the header in bytes, which is the offset of the first block.
        metadata: Whatever else stands in it, as bytes.
    """

    schema: dict[str, Any]
    codec: str
    sync_marker: bytes
    size: int
    metadata: dict[str, bytes] = field(default_factory=dict)


def read_header(read: Callable[[int, int], bytes]) -> Header:
    """The header of a container file.

    One call for a header of up to 64 KiB; each further call doubles what was read.

    Args:
        read: Returns so many bytes from an offset, fewer at the end of the file.

    Raises:
        ContainerFileError: It is no container file, or not one of records, or it ends within its header.
    """
    return _Window(read).header()


def count_rows(read: Callable[[int, int], bytes], size: int) -> int:
    """How many rows a container file has, as the heads of its blocks say.

    Calls, for B blocks in S bytes: those for the header (one, up to 64 KiB of it) + at most the smaller of B + 1 and
    ⌈S / (64 KiB - 16)⌉ - 1. That is one call for a file of up to 64 KiB, and one a block for large blocks.

    Args:
        read: Returns so many bytes from an offset, fewer at the end of the file.
        size: Of the file, in bytes. An empty one has no rows: Athena reads it so.

    Raises:
        ContainerFileError: It is no container file, or it is cut off or damaged; says at which byte.
    """
    if size == 0:
        return 0
    window = _Window(read)
    header = window.header()
    rows, offset = 0, header.size
    while offset < size:
        count, begin = _long(window, offset, size, offset)
        length, begin = _long(window, begin, size, offset)
        if count < 0 or length < 0:
            raise ContainerFileError(f"the block at byte {offset} is damaged: it has a negative count or size")
        end = begin + length + _SYNC_BYTES
        if end > size:
            raise ContainerFileError(f"cut off: the block at byte {offset} goes to byte {end}, the file to {size}")
        if window.at(end - _SYNC_BYTES, _SYNC_BYTES, size) != header.sync_marker:
            raise ContainerFileError(f"the block at byte {offset} is damaged: no sync marker follows it")
        rows += count
        offset = end
    return rows


class _Window:
    """The part of a file that was read last."""

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._read = read
        self._start = 0
        self._data = b""

    def header(self) -> Header:
        self._data = self._read(0, READ_AHEAD)
        if not self._data.startswith(_MAGIC):
            raise ContainerFileError("no Avro container file: it does not begin with Obj and a byte of 1")
        asked = READ_AHEAD
        while (header := _parsed(self._data)) is None:
            if len(self._data) < asked:
                raise ContainerFileError(
                    f"no Avro container file, or cut off: its header goes beyond byte {len(self._data)}"
                )
            if asked >= LARGEST_HEADER:
                raise ContainerFileError(f"no Avro container file: its header is longer than {LARGEST_HEADER} bytes")
            self._data += self._read(asked, asked)
            asked *= 2
        return header

    def at(self, start: int, length: int, size: int) -> bytes:
        """Some bytes from an offset; fewer at the end of the file."""
        length = min(length, size - start)
        if not self._start <= start <= start + length <= self._start + len(self._data):
            self._start, self._data = start, self._read(start, min(READ_AHEAD, size - start))
            if len(self._data) < length:
                raise ContainerFileError(f"cut off: nothing at byte {start + len(self._data)}, expected {size} bytes")
        return self._data[start - self._start :][:length]


def _parsed(data: bytes) -> Header | None:
    """The header at the beginning of some bytes; None when they end before it does."""
    file = BytesIO(data)
    try:
        found: Any = fastavro.schemaless_reader(file, _HEADER, None)
    except (EOFError, IndexError):
        return None
    except ValueError as error:
        raise ContainerFileError("no Avro container file: its metadata cannot be read") from error
    meta = found["meta"]
    try:
        schema = json.loads(meta["avro.schema"])
        codec = meta.get("avro.codec", b"null").decode()
    except KeyError as error:
        raise ContainerFileError("no Avro container file: its metadata lacks avro.schema") from error
    except (ValueError, RecursionError) as error:
        raise ContainerFileError("its metadata is damaged: avro.schema is no JSON, or avro.codec no text") from error
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise ContainerFileError("its rows are no records")
    return Header(schema, codec, found["sync"], file.tell(), meta)


def _long(window: _Window, start: int, size: int, block: int) -> tuple[int, int]:
    """A long in Avro's encoding (variable length, zig-zag), and the offset after it."""
    value = 0
    for position, byte in enumerate(window.at(start, _LONGEST_LONG, size)):
        value |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), start + position + 1
    raise ContainerFileError(f"the block at byte {block} is cut off or damaged: its count or size does not end")
