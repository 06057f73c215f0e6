"""What is about shards: listing, splitting and merging them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.aws.wire import AwsError


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.aws.kinesis.shards import Shard
    from local.aws.kinesis.streams import Stream

LARGEST_LIST = 1000
LARGEST_DESCRIPTION = 100
_INVALID = "InvalidArgumentException"
_NEXT = "after:"


class Resharding:
    """Operations on a stream's shards; each takes a request's body and gives the response's."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def describe(self, body: dict[str, Any]) -> dict[str, Any]:
        """DescribeStream: the stream and a page of its shards."""
        shards = self._after(body.get("ExclusiveStartShardId"))
        limit = min(body.get("Limit", LARGEST_DESCRIPTION), LARGEST_DESCRIPTION)
        description: dict[str, Any] = self._stream.moto.to_json()["StreamDescription"]
        created = description.pop("StreamCreationTimestamp").timestamp()
        description |= {
            "StreamModeDetails": self._stream.moto.stream_mode,
            "StreamCreationTimestamp": created,
            "Shards": [shard.shown() for shard in shards[:limit]],
            "HasMoreShards": len(shards) > limit,
        }
        return {"StreamDescription": {name: value for name, value in description.items() if value is not None}}

    def list(self, body: dict[str, Any]) -> dict[str, Any]:
        """ListShards: open shards, and closed ones that may still hold records."""
        shards = [shard for shard in self._after(_start(body)) if _filter(body.get("ShardFilter"))(shard)]
        limit = min(body.get("MaxResults", LARGEST_LIST), LARGEST_LIST)
        answer: dict[str, Any] = {"Shards": [shard.shown() for shard in shards[:limit]]}
        if len(shards) > limit:
            answer["NextToken"] = f"{_NEXT}{self._stream.name}:{shards[limit - 1].shard_id}"
        return answer

    def split(self, body: dict[str, Any]) -> dict[str, Any]:
        """SplitShard."""
        self._stream.shards.split(
            self._stream.shard(body["ShardToSplit"]), int(body["NewStartingHashKey"]), self._stream.now()
        )
        return self._count()

    def merge(self, body: dict[str, Any]) -> dict[str, Any]:
        """MergeShards."""
        one, other = self._stream.shard(body["ShardToMerge"]), self._stream.shard(body["AdjacentShardToMerge"])
        self._stream.shards.merge(one, other, self._stream.now())
        return self._count()

    def rescale(self, body: dict[str, Any]) -> dict[str, Any]:
        """UpdateShardCount: at most to twice, at least to half of the shards that are open."""
        target, current = body["TargetShardCount"], len(self._stream.shards.open())
        if not current / 2 <= target <= current * 2:
            raise AwsError(
                "LimitExceededException", f"TargetShardCount {target} is not between half and twice of {current}."
            )
        self._stream.shards.rescale(target, self._stream.now())
        self._count()
        return {"StreamName": self._stream.name, "CurrentShardCount": current, "TargetShardCount": target}

    def _after(self, shard_id: str | None) -> Sequence[Shard]:
        shards = sorted(self._stream.shards, key=lambda shard: shard.shard_id)
        return [shard for shard in shards if shard_id is None or shard.shard_id > shard_id]

    def _count(self) -> dict[str, Any]:
        self._stream.moto.shard_count = len(self._stream.shards.open())
        return {}


def named_in_token(body: dict[str, Any]) -> dict[str, Any]:
    """The body of a ListShards request with its stream's name: one that continues another has it in the token only."""
    token = body.get("NextToken")
    if token is None:
        return body
    if "StreamName" in body:
        raise AwsError(_INVALID, "NextToken and StreamName cannot be provided together.")
    prefix, _, rest = token.partition(_NEXT)
    if prefix or ":" not in rest:
        raise AwsError(_INVALID, "NextToken is not valid.")
    return {**body, "StreamName": rest.partition(":")[0]}


def _start(body: dict[str, Any]) -> str | None:
    token: str | None = body.get("NextToken")
    return body.get("ExclusiveStartShardId") if token is None else token.rpartition(":")[2]


def _filter(asked: dict[str, Any] | None) -> Callable[[Shard], bool]:
    kind = (asked or {}).get("Type")
    if kind == "AT_LATEST":
        return lambda shard: shard.is_open
    if kind == "AFTER_SHARD_ID" and asked is not None:
        return lambda shard: shard.shard_id > asked["ShardId"]
    return lambda _: True
