"""Glue's Data Catalog, as strict as AWS: databases, tables with versions, partitions.

moto keeps the data (its backend objects are the store, so everything else that reads them sees the same catalog); what
each operation accepts, refuses and pages is decided here. Every other part of Glue is moto's.
"""

from local.aws.glue.rule import GlueRule


__all__ = ["GlueRule"]
