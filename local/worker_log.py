"""The delivery worker's log, read back: which invocation was for which records, what it wrote, and how it ended."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from local.delivery_worker.reports import CRASHED, RECEIVED_BATCH, TIMED_OUT, WROTE_FILE


if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass
class Invocation:
    """One invocation of the function.

    Attributes:
        request_id: Lambda's id of it.
        at: When it began.
        shard_id: Where its records come from.
        lane: Which lane of the shard.
        first: Sequence number of its first record.
        last: Sequence number of its last record.
        crashed: Whether it failed; its records came, or will come, in another one then, or went to the dead letters.
        groups: Key of each container file that it wrote, by record type and partition date.
        errors: Keys of the files that it wrote to errors/.
    """

    request_id: str
    at: datetime
    shard_id: str
    lane: int
    first: int
    last: int
    crashed: bool = False
    groups: dict[tuple[str, str], str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def was_for(self, shard_id: str, lane: int, number: int) -> bool:
        """Whether a record was among those it was invoked with, provided that the record passes the filter."""
        return self.shard_id == shard_id and self.lane == lane and self.first <= number <= self.last

    @property
    def files(self) -> list[str]:
        """Keys of all files that it wrote."""
        return [*self.groups.values(), *self.errors]


def invocations_in(messages: Iterable[str]) -> list[Invocation]:
    """The invocations that a log tells of, in its order."""
    found: dict[str, Invocation] = {}
    for message in messages:
        if not message.startswith("{"):
            if CRASHED in message or TIMED_OUT in message:
                found[message.split()[1]].crashed = True
            continue
        line: dict[str, Any] = json.loads(message)
        request_id, context = line["requestId"], line["context"]
        if line["message"] == RECEIVED_BATCH:
            found[request_id] = Invocation(
                request_id,
                datetime.fromisoformat(line["timestamp"]),
                context["shardId"],
                context["lane"],
                int(context["firstSequenceNumber"]),
                int(context["lastSequenceNumber"]),
            )
        elif line["message"] == WROTE_FILE:
            if "recordType" in context:
                found[request_id].groups[context["recordType"], context["partitionDate"]] = context["key"]
            else:
                found[request_id].errors.append(context["key"])
    return list(found.values())
