"""Streams: moto's, each with its shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.kinesis.models import kinesis_backends

from local.aws.kinesis.metrics import Metrics
from local.aws.kinesis.shards import Shard, Shards
from local.aws.wire import AwsError


if TYPE_CHECKING:
    from local.aws.clock import Clock

_NOT_FOUND = "ResourceNotFoundException"
_SECONDS_AN_HOUR = 3600


class Stream:
    """One stream, with expired records already gone.

    Attributes:
        name: Its name.
        account: The account it belongs to.
        shards: Its shards.
        moto: moto's object, which keeps everything else.
    """

    def __init__(self, moto_stream: Any, account: str, metrics: Metrics, clock: Clock) -> None:
        self.moto = moto_stream
        self.name: str = moto_stream.stream_name
        self.account = account
        self._metrics = metrics
        self._clock = clock
        if not hasattr(moto_stream, "strict_shards"):
            moto_stream.strict_shards = Shards(moto_stream.shard_count)
        self.shards: Shards = moto_stream.strict_shards
        self.shards.trim(self.now() - moto_stream.retention_period_hours * _SECONDS_AN_HOUR)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock.now()

    def shard(self, shard_id: str) -> Shard:
        """One shard.

        Raises:
            AwsError: There is none of that name.
        """
        shard = self.shards.get(shard_id)
        if shard is None:
            raise AwsError(
                _NOT_FOUND, f"Shard {shard_id} in stream {self.name} under account {self.account} does not exist"
            )
        return shard

    def publish(self, metrics: dict[str, float]) -> None:
        """Tell CloudWatch."""
        self._metrics.publish(self.name, metrics)

    def rate_exceeded(self, shard: Shard) -> str:
        """What a throttled client reads."""
        return f"Rate exceeded for shard {shard.shard_id} in stream {self.name} under account {self.account}."


class Streams:
    """The streams of one account and region."""

    def __init__(self, account: str, region: str, clock: Clock) -> None:
        self._account = account
        self._region = region
        self._clock = clock

    def named(self, body: dict[str, Any]) -> Stream:
        """The stream that a request is about, by name or ARN.

        Raises:
            AwsError: There is no such stream, or none is named.
        """
        name = body.get("StreamName") or body.get("StreamARN", "").rpartition("/")[2]
        if not name:
            raise AwsError("InvalidArgumentException", "Either StreamName or StreamARN must be given.")
        found = kinesis_backends[self._account][self._region].streams.get(name)
        if found is None:
            raise AwsError(_NOT_FOUND, f"Stream {name} under account {self._account} not found.")
        return Stream(found, self._account, Metrics(self._account, self._region), self._clock)
