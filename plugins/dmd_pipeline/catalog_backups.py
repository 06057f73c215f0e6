"""Backups of a table's definition: the table and all its partitions, as they are written back.

A backup is one gzipped JSON object, ``{"table", "partitions", "made_by"}``, at
``catalog-backups/{table}/{timestamp}.json.gz``. It holds no rows: data files are never touched by what it is made for.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from dmd_pipeline.errors import CatalogError
from dmd_pipeline.hive import SCHEMA_LITERAL
from dmd_pipeline.transitions import as_input, like_table, with_mark


if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_glue.type_defs import PartitionInputTypeDef, PartitionTypeDef, TableInputTypeDef, TableTypeDef

    from dmd_pipeline.transitions import Look


_TIMES = ("LastAccessTime", "LastAnalyzedTime")
_OF_PARTITION = ("Values", "StorageDescriptor", "Parameters")


@dataclass(frozen=True)
class Backup:
    """What a table was.

    Attributes:
        table: Its definition, without a mark.
        partitions: Its partitions, by value.
        made_by: The run that made it.
    """

    table: TableInputTypeDef
    partitions: dict[str, PartitionInputTypeDef]
    made_by: str

    @classmethod
    def of(cls, table: TableTypeDef, partitions: Iterable[PartitionTypeDef], made_by: str) -> Backup:
        """Of what Glue holds now."""
        definition = {name: value for name, value in with_mark(as_input(table), None).items() if name not in _TIMES}
        kept = {
            "/".join(partition["Values"]): {name: partition[name] for name in _OF_PARTITION if name in partition}  # type: ignore[literal-required]  # keys as data
            for partition in partitions
        }
        return cls(cast("TableInputTypeDef", definition), cast("dict[str, PartitionInputTypeDef]", kept), made_by)

    @classmethod
    def read(cls, content: bytes, where: str) -> Backup:
        """From the object's bytes.

        Raises:
            CatalogError: They are no backup; names the place.
        """
        try:
            held = json.loads(gzip.decompress(content))
            partitions = {"/".join(partition["Values"]): partition for partition in held["partitions"]}
            return cls(held["table"], partitions, str(held["made_by"]))
        except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
            raise CatalogError(f"{where} is no backup of a table ({error!r}): choose another one") from error

    @property
    def content(self) -> bytes:
        """The object's bytes."""
        held = {"table": self.table, "partitions": list(self.partitions.values()), "made_by": self.made_by}
        return gzip.compress(json.dumps(held, sort_keys=True).encode(), mtime=0)

    @property
    def look(self) -> Look:
        """How partitions looked; those that came later look like the table."""
        like = like_table(self.table)

        def wanted(partition: PartitionTypeDef) -> PartitionInputTypeDef:
            return self.partitions.get("/".join(partition["Values"])) or like(partition)

        return wanted

    @property
    def literal(self) -> Any:
        """The schema in the table's Parameters."""
        return self.table.get("Parameters", {}).get(SCHEMA_LITERAL)
