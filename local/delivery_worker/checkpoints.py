"""How far the delivery worker has come in each shard, in a file.

A restarted worker goes on from there; a record may then be delivered twice, never lost, as with Lambda. And whoever
has sent records can see when the last of them is done with.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path


@dataclass
class _Shard:
    read_through: str | None = None
    # Read, but neither delivered nor given up; a dict because it keeps their order.
    unfinished: dict[str, None] = field(default_factory=dict)
    is_read_to_its_end: bool = False

    def as_document(self) -> dict[str, str | None]:
        return {"read_through": self.read_through, "oldest_unfinished": next(iter(self.unfinished), None)}


class Checkpoints:
    """The worker's progress; every change is in the file before the method returns.

    Args:
        path: The file.
        mapping_uuid: The event source mapping the progress belongs to; a file of another one is ignored.
    """

    def __init__(self, path: Path, mapping_uuid: str) -> None:
        self._path = path
        self._mapping_uuid = mapping_uuid
        self._lock = threading.Lock()
        self._shards: dict[str, _Shard] = {}
        # Kept whole: a shard that is made of others is read only later, when those have ended.
        self._earlier = self._held()

    def positions(self, shard_ids: Collection[str]) -> dict[str, dict[str, str | None]]:
        """Where an earlier worker was in each of these shards."""
        with self._lock:
            for shard_id in shard_ids:
                known = self._earlier.get(shard_id, {})
                oldest = known.get("oldest_unfinished")
                unfinished = {} if oldest is None else {oldest: None}
                self._shards[shard_id] = _Shard(known.get("read_through"), unfinished)
            return {shard_id: self._shards[shard_id].as_document() for shard_id in shard_ids}

    def begin(self) -> None:
        """Write the file for the first time: a sign that the worker reads."""
        with self._lock:
            self._save()

    def read(self, shard_id: str, read_through: str, passed: Iterable[str]) -> None:
        """A page of a shard was read; these sequence numbers passed the filter and wait for delivery."""
        with self._lock:
            shard = self._shards[shard_id]
            shard.read_through = read_through
            shard.unfinished.update(dict.fromkeys(passed))
            self._save()

    def ended(self, shard_id: str) -> None:
        """A shard that was closed has been read to its end."""
        with self._lock:
            self._shards[shard_id].is_read_to_its_end = True

    def is_ended(self, shard_id: str) -> bool:
        """Whether a shard has been read to its end, and all of it delivered or given up."""
        with self._lock:
            shard = self._shards.get(shard_id)
            return shard is not None and shard.is_read_to_its_end and not shard.unfinished

    def finished(self, shard_id: str, sequence_numbers: Iterable[str]) -> None:
        """A batch was delivered, or given up."""
        with self._lock:
            for number in sequence_numbers:
                self._shards[shard_id].unfinished.pop(number, None)
            self._save()

    def _held(self) -> dict[str, dict[str, str | None]]:
        try:
            document: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        shards: dict[str, dict[str, str | None]] = document["shards"]
        return shards if document["mapping"] == self._mapping_uuid else {}

    def _save(self) -> None:
        document = {
            "mapping": self._mapping_uuid,
            "shards": self._earlier | {shard_id: shard.as_document() for shard_id, shard in self._shards.items()},
        }
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(document, indent=1), encoding="utf-8")
        fresh.replace(self._path)


def done_through(path: Path, last_sent: Mapping[str, str]) -> bool:
    """Whether the worker is done with everything up to these sequence numbers, by shard."""
    try:
        shards = json.loads(path.read_text(encoding="utf-8"))["shards"]
    except FileNotFoundError:
        return False
    for shard_id, last in last_sent.items():
        shard = shards.get(shard_id, {})
        read_through, oldest = shard.get("read_through"), shard.get("oldest_unfinished")
        if read_through is None or int(read_through) < int(last):
            return False
        if oldest is not None and int(oldest) <= int(last):
            return False
    return True
