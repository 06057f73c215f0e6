"""A real Trino on the local AWS: the judge of the local Athena, which is not built on it.

=================  ================================================================================================
module             what it knows
=================  ================================================================================================
``releases``       which releases judge, and how they differ
``distribution``   how one is put together from Maven Central once, in a cache
``server``         how it is configured, started on 127.0.0.1 and stopped
``*.java``         what Trino's own launcher and Hive plugin would do: both are published only as parts of an archive
=================  ================================================================================================
"""

from local.trino.distribution import Distribution, MissingToolError, prepare
from local.trino.releases import CLOSEST, NEWER, RELEASES, Release
from local.trino.server import Trino


__all__ = ["CLOSEST", "NEWER", "RELEASES", "Distribution", "MissingToolError", "Release", "Trino", "prepare"]
