"""Kinesis data streams, as strict as AWS: retention, iterators, read and write limits, resharding.

moto keeps the streams and serves what is about streams as a whole (create, delete, tags, retention); shards and
records are kept here, because moto's lose records to the wrong shard when a stream is resharded.
"""

from local.aws.kinesis.rule import KinesisRule


__all__ = ["KinesisRule"]
