"""S3's listings, with S3's limits and at the speed of a sorted index; every other part of S3 is moto's."""

from local.aws.s3.index import install_index
from local.aws.s3.rule import S3Rule
from local.aws.s3.seeding import seed_objects


__all__ = ["S3Rule", "install_index", "seed_objects"]
