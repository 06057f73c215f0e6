"""What replays work with: the environment's settings and the gateways to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping

    from dmd_pipeline.aws.glue import Catalog
    from dmd_pipeline.aws.kinesis import Stream
    from dmd_pipeline.aws.lambda_ import Functions
    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.patience import Patience
    from dmd_pipeline.record_types import RecordType
    from dmd_pipeline.settings import Settings


@dataclass(frozen=True)
class Environment:
    """What conversions work with.

    Attributes:
        settings: Of the environment.
        record_types: Those of include/.
        bucket: Where everything is.
        glue: The catalog.
        functions: Tell how the worker is invoked.
        stream: Tells how long records stay.
        patience: How long to insist on partitions that Glue throttles.
    """

    settings: Settings
    record_types: Mapping[str, RecordType]
    bucket: Bucket
    glue: Catalog
    functions: Functions
    stream: Stream
    patience: Patience | None = None
