"""Avro object container files, taken apart only as far as needed: header, blocks, counts.

The counts of rows stand in front of every block, so that counting decodes nothing; and blocks of many small files with
one writer's schema can be put into one file and decoded at once, which is much faster than file by file.
"""

from __future__ import annotations

import bz2
import io
import json
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import fastavro


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_MAGIC = b"Obj\x01"
_SYNC_BYTES = 16
_OUR_SYNC = bytes(_SYNC_BYTES)
_LONGEST_VARINT = 10


class NotAvroError(ValueError):
    """The bytes are no Avro container file."""


class CorruptFileError(ValueError):
    """The bytes begin as an Avro container file and do not go on as one."""


class UnsupportedCodecError(ValueError):
    """The blocks are compressed in a way that is not supported here."""


@dataclass(frozen=True)
class Container:
    """A container file taken apart.

    Attributes:
        schema: The writer's schema as JSON, as it stands in the header.
        codec: Name of the compression of the blocks.
        blocks: Count of rows and, still compressed, the bytes of each block.
    """

    schema: bytes
    codec: str
    blocks: tuple[tuple[int, bytes], ...]

    @property
    def rows(self) -> int:
        """Count of rows by the blocks' own words."""
        return sum(count for count, _ in self.blocks)


def parse(data: bytes) -> Container:
    """Take a file apart.

    Raises:
        NotAvroError: It is not a container file.
        CorruptFileError: Its blocks do not follow each other as they should.
    """
    if data[:4] != _MAGIC:
        raise NotAvroError("Not an Avro data file.")
    reader = _Reader(data, 4)
    try:
        metadata = _read_metadata(reader)
        sync = reader.take(_SYNC_BYTES)
        schema = metadata["avro.schema"]
    except (CorruptFileError, KeyError) as error:
        raise NotAvroError("Not an Avro data file.") from error
    blocks = []
    while reader.at < len(data):
        count, size = reader.long(), reader.long()
        blocks.append((count, reader.take(size)))
        if reader.take(_SYNC_BYTES) != sync:
            raise CorruptFileError("Invalid sync!")
    return Container(schema, metadata.get("avro.codec", b"null").decode(), tuple(blocks))


def _read_metadata(reader: _Reader) -> dict[str, bytes]:
    metadata = {}
    while count := reader.long():
        if count < 0:  # a negative count is followed by the size of the map's block
            count = -count
            reader.long()
        for _ in range(count):
            key = reader.take(reader.long()).decode()
            metadata[key] = reader.take(reader.long())
    return metadata


class _Reader:
    """Reads varints and runs of bytes."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def long(self) -> int:
        value = shift = 0
        for _ in range(_LONGEST_VARINT):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)
            shift += 7
        raise CorruptFileError("Invalid long encoding")

    def take(self, size: int) -> bytes:
        end = self.at + size
        if size < 0 or end > len(self._data):
            raise CorruptFileError("Unexpected end of file")
        taken = self._data[self.at : end]
        self.at = end
        return taken


def _varint(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _inflate(data: bytes) -> bytes:
    return zlib.decompress(data, -zlib.MAX_WBITS)


_CODECS: dict[str, Callable[[bytes], bytes]] = {
    "null": bytes,
    "deflate": _inflate,
    "bzip2": bz2.decompress,
}


def check_codec(container: Container) -> None:
    """Refuse a compression that cannot be undone here.

    Raises:
        UnsupportedCodecError: Neither uncompressed nor deflate or bzip2.
    """
    if container.codec not in _CODECS:
        raise UnsupportedCodecError(f"Avro codec {container.codec} is not supported here")


def decode(containers: Iterable[Container], writer: str, reader: str) -> list[dict[str, Any]]:
    """The rows of files that share one writer's schema, in order.

    Args:
        containers: The files.
        writer: The schema with which to read their bytes, as JSON.
        reader: The schema that the rows shall have, as JSON.

    Raises:
        CorruptFileError: The bytes are not what the schema says, or a value does not fit the reader's schema.
    """
    virtual = io.BytesIO()
    virtual.write(_header(writer))
    for container in containers:
        decompress = _CODECS[container.codec]
        for count, block in container.blocks:
            data = decompress(block)
            virtual.write(_varint(count) + _varint(len(data)))
            virtual.write(data)
            virtual.write(_OUR_SYNC)
    virtual.seek(0)
    try:
        return list(fastavro.reader(virtual, reader_schema=_parsed(reader)))
    except Exception as error:  # whatever a decoder stumbles over in bytes that are not what they claim to be
        raise CorruptFileError(type(error).__name__) from error  # its text can hold values of rows


def _header(schema: str) -> bytes:
    entries = {"avro.schema": schema.encode(), "avro.codec": b"null"}
    encoded = b"".join(_varint(len(key)) + key.encode() + _varint(len(value)) + value for key, value in entries.items())
    return _MAGIC + _varint(len(entries)) + encoded + _varint(0) + _OUR_SYNC


@lru_cache(maxsize=256)
def _parsed(schema: str) -> Any:
    return fastavro.parse_schema(json.loads(schema))
