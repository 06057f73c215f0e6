"""The demo's act about schemas: a field is added to a table while a reader keeps querying it.

include/schemas says what the tables are, and the demo changes no file of the repository. So the table is first set back
to its schema without one field, as it was before somebody added that; then the DAG brings it to include/schemas.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pyathena.error import Error

from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.hive import table_input
from dmd_pipeline.jobs.table_change import TableChanger


if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from dmd_pipeline.record_types import RecordType
    from dmd_pipeline.settings import Settings
    from local.clients import LocalClients

TABLE: Final = "demand"
FIELD: Final = "demandType"
_MOST_TOLD = 3


def set_back(clients: LocalClients, settings: Settings, record_type: RecordType) -> int:
    """Give a table the schema that it had before a field was added; returns how many columns it has then."""
    schema = {
        **record_type.schema,
        "fields": [one for one in record_type.schema["fields"] if one["name"] != FIELD],
    }
    wanted = table_input(record_type.name, schema, settings.layout.table_location(record_type.name))
    TableChanger(Catalog(clients("glue"), settings.database), "the demo").change(wanted)
    return len(wanted["StorageDescriptor"]["Columns"])


@dataclass
class Reader:
    """Asks a table for its rows by partition, without pause, and compares every answer with the first.

    Attributes:
        clients: Of the local AWS.
        queries: How often it asked.
        failed: Errors it got.
        wrong: Answers that were not the first one.
    """

    clients: LocalClients
    queries: int = 0
    failed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._read, name="reader", daemon=True)
        self.first = self._asked()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._enough.set()
        self._thread.join()

    @property
    def trouble(self) -> str | None:
        """What went wrong, if anything did."""
        told = [*self.failed, *self.wrong][:_MOST_TOLD]
        if self.queries and not told:
            return None
        return f"{len(self.failed)} queries failed and {len(self.wrong)} answers were wrong of {self.queries}: {told}"

    def _read(self) -> None:
        while not self._enough.is_set():
            self.queries += 1
            try:
                found = self._asked()
            except Error as error:
                self.failed.append(str(error))
                continue
            if found != self.first:
                self.wrong.append(f"{len(found)} partitions, {sum(found.values())} rows")

    def _asked(self) -> dict[str, Any]:
        with self.clients.athena().cursor() as cursor:
            # A column of the files is counted: count(*) alone reads no schema.
            sql = f"SELECT partition_date, count(eventid) FROM {TABLE} GROUP BY 1"
            return dict(cursor.execute(sql).fetchall())
