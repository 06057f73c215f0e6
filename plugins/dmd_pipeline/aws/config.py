"""How every gateway's client waits and retries.

This is the one place where a whole call is tried again: boto3's standard mode, which knows which errors are worth it
(throttling, 5xx, lost connections), waits longer each time with jitter, and stops early when an outage makes retries
pointless. Gateways and jobs never repeat a call, so that retries do not multiply. What boto3 cannot see, single items
that fail inside a successful Batch call, is :mod:`dmd_pipeline.patience`'s.
"""

from __future__ import annotations

from typing import Final

from botocore.config import Config


CLIENT_CONFIG: Final = Config(
    retries={"mode": "standard", "total_max_attempts": 7},  # at most 1 + 2 + 4 + 8 + 16 + 20 s of waiting
    # Requests are built from typed, validated values, and AWS checks them again: checking them in between costs more
    # time than all else that happens to a batch of partitions on this side.
    parameter_validation=False,
    connect_timeout=10,
    read_timeout=60,
    max_pool_connections=16,  # as many as registration.parallel_batches may ask for
)
