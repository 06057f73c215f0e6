"""Which handler serves which operation on shards and records."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from local.aws.kinesis.iterators import decode
from local.aws.kinesis.reading import Reading
from local.aws.kinesis.resharding import Resharding, named_in_token
from local.aws.kinesis.streams import Streams
from local.aws.kinesis.writing import Writing
from local.aws.wire import json_response


if TYPE_CHECKING:
    from collections.abc import Callable

    from local.aws.clock import Clock
    from local.aws.faults import Faults
    from local.aws.wire import Call, Response


class KinesisRule:
    """Answers every call about shards and records; one at a time."""

    def __init__(self, account: str, faults: Faults, clock: Clock) -> None:
        self._account = account
        self._faults = faults
        self._clock = clock
        self._lock = threading.Lock()

    def __call__(self, call: Call) -> Response | None:
        """Serve an operation on shards or records; anything else of Kinesis is left to moto."""
        if call.service != "kinesis":
            return None
        handler = self._handlers(Streams(self._account, call.region, self._clock)).get(call.operation)
        if handler is None:
            return None
        with self._lock:
            return json_response(handler(call.json))

    def _handlers(self, streams: Streams) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        def get_records(body: dict[str, Any]) -> dict[str, Any]:
            iterator = decode(body["ShardIterator"])
            iterator.check_age(self._clock.now())
            return Reading(streams.named({"StreamName": iterator.stream})).records(iterator, body.get("Limit"))

        def list_shards(body: dict[str, Any]) -> dict[str, Any]:
            named = named_in_token(body)
            return Resharding(streams.named(named)).list(named)

        return {
            "DescribeStream": lambda body: Resharding(streams.named(body)).describe(body),
            "GetRecords": get_records,
            "GetShardIterator": lambda body: Reading(streams.named(body)).iterator(body),
            "ListShards": list_shards,
            "MergeShards": lambda body: Resharding(streams.named(body)).merge(body),
            "PutRecord": lambda body: Writing(streams.named(body), self._faults).put(body),
            "PutRecords": lambda body: Writing(streams.named(body), self._faults).put_many(body),
            "SplitShard": lambda body: Resharding(streams.named(body)).split(body),
            "UpdateShardCount": lambda body: Resharding(streams.named(body)).rescale(body),
        }
