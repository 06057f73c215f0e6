"""Shard iterators: opaque to clients, good for five minutes."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from zlib import crc32

from local.aws.wire import AwsError


LIFETIME_SECONDS = 300


@dataclass(frozen=True)
class ShardIterator:
    """A place in a shard.

    Attributes:
        stream: Name of the stream.
        shard_id: The shard.
        next_number: The records from this sequence number on are still to be read.
        created: Seconds since the epoch.
    """

    stream: str
    shard_id: str
    next_number: int
    created: float

    def encode(self) -> str:
        """The iterator as clients see it."""
        content = json.dumps(asdict(self)).encode()
        return base64.b64encode(b"%08x" % crc32(content) + content).decode()

    def check_age(self, now: float) -> None:
        """Refuse an iterator that has expired."""
        if now - self.created > LIFETIME_SECONDS:
            raise AwsError(
                "ExpiredIteratorException",
                f"Iterator expired. The iterator was created at time {_shown(self.created)} while right now it is "
                f"{_shown(now)} which is further in the future than the tolerated delay of "
                f"{LIFETIME_SECONDS * 1000} milliseconds.",
            )


def decode(text: str) -> ShardIterator:
    """The iterator behind what a client sends.

    Raises:
        AwsError: It is not one of ours.
    """
    try:
        decoded = base64.b64decode(text, validate=True)
        checksum, content = int(decoded[:8], 16), decoded[8:]
        if checksum == crc32(content):
            return ShardIterator(**json.loads(content))
    except (binascii.Error, ValueError):
        pass
    raise AwsError("InvalidArgumentException", "Invalid ShardIterator.")


def _shown(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%a %b %d %H:%M:%S UTC %Y}"
