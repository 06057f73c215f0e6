"""The mark of a table under change: the table Parameter ``dmd.change``.

Whoever changes a table's schema sets it (with VersionId) before the first step and removes it after the last. While it
is there, registration only adds partitions, with the columns that the mark names, and repairs nothing: the change
itself decides what existing partitions look like at every step.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dmd_pipeline.errors import CatalogError


if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_glue.type_defs import ColumnTypeDef, TableTypeDef


CHANGE_PARAMETER = "dmd.change"


@dataclass(frozen=True)
class ChangeMark:
    """What the mark says, as JSON in the Parameter.

    Attributes:
        id: Names the change, for people and for the run that finishes it.
        columns: Column list that partitions added meanwhile get, None for the table's own.
        backup: Key of the backup from which the change can be taken back, if there is one.
    """

    id: str
    columns: tuple[ColumnTypeDef, ...] | None = None
    backup: str | None = None

    @classmethod
    def of(cls, table: TableTypeDef) -> Self | None:
        """The mark a table carries, None when it is not under change.

        Raises:
            CatalogError: The Parameter is there but says something else: nothing may be written until it is understood.
        """
        text = table.get("Parameters", {}).get(CHANGE_PARAMETER)
        if text is None:
            return None
        try:
            return cls._parse(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CatalogError(
                f"table {table['Name']}: its Parameter {CHANGE_PARAMETER} cannot be read ({error!r}); "
                "finish or roll back the change with apply_schema_changes"
            ) from error

    @classmethod
    def _parse(cls, value: Mapping[str, object]) -> Self:
        columns, backup = value.get("columns"), value.get("backup")
        if backup is not None and not isinstance(backup, str):
            raise TypeError("backup is not a key")
        if columns is None:
            return cls(str(value["id"]), backup=backup)
        if not isinstance(columns, list):
            raise TypeError("columns is not a list")
        return cls(
            str(value["id"]),
            tuple(
                {"Name": column["Name"], "Type": column["Type"], "Comment": column.get("Comment", "")}
                for column in columns
            ),
            backup,
        )

    def as_parameter(self) -> str:
        """The mark as the Parameter's value."""
        columns = None if self.columns is None else list(self.columns)
        backup = {} if self.backup is None else {"backup": self.backup}
        return json.dumps({"id": self.id, "columns": columns, **backup}, sort_keys=True)
