"""S3's listings, with S3's limits and at the speed of a sorted index, and its lifecycle configurations.

Every other part of S3 is moto's.
"""

from local.aws.s3.index import install_index
from local.aws.s3.lifecycle import LifecycleRule
from local.aws.s3.rule import S3Rule
from local.aws.s3.seeding import seed_objects


__all__ = ["LifecycleRule", "S3Rule", "install_index", "seed_objects"]
