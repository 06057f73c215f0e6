"""The verdicts as tables of Athena: ``data_quality`` has a row a result, ``data_quality_latest`` the newest of each.

So that a query takes only what can be relied on::

    SELECT … FROM demand
    WHERE partition_date IN (SELECT partition_date FROM data_quality_latest
                             WHERE table_name = 'demand' AND verdict = 'passed')

A table's columns are the keys of :class:`dmd_pipeline.quality_documents.Result`, in lower case as Athena has them.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.layout import same_location


if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_glue.type_defs import TableInputTypeDef, TableTypeDef

TABLE: Final = "data_quality"
VIEW: Final = "data_quality_latest"

_SAMPLE: Final = "struct<reference_id:string,reference_timestamp:string,value:string>"
_FINDING: Final = (
    "struct<id:string,sentence:string,severity:string,passed:boolean,observed:double,element_count:bigint,"
    f"unexpected_count:bigint,expected:string,sample:array<{_SAMPLE}>>"
)
_COLUMNS: Final = {
    "table_name": ("string", "Table that was checked."),
    "partition_date": ("string", "Business date of its partition, YYYY-MM-DD."),
    "verdict": ("string", "passed, warned, failed or unknown."),
    "checked_at": ("string", "When (UTC)."),
    "rows": ("bigint", "Of the partition; null when they could not be counted."),
    "files": ("bigint", "Of the partition."),
    "bytes": ("bigint", "Of these files."),
    "newest": ("string", "When the latest of them was written (UTC)."),
    "content": ("string", "Stands for the files as they were checked."),
    "suite": ("string", "Stands for the expectations."),
    "engine": ("string", "What computed the numbers: memory, athena or none."),
    "reason": ("string", "Why the verdict is unknown."),
    "failed_expectations": ("array<string>", "Ids of those that fail and do not hold."),
    "warned_expectations": ("array<string>", "Ids of those that warn and do not hold."),
    "expectations": (f"array<{_FINDING}>", "What came of each."),
    "cost": (
        "struct<queries:bigint,shared_by:bigint,scanned_bytes:bigint,dollars:double,seconds:double>",
        "Of the check.",
    ),
    "dag_id": ("string", "The DAG that checked."),
    "run_id": ("string", "Its run."),
}
_VIEW_TEXT: Final = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=]+) \*/")


def table_input(location: str) -> TableInputTypeDef:
    """The Glue table of all results.

    Args:
        location: S3 URI of the folder that holds them.
    """
    return {
        "Name": TABLE,
        "Description": "What came of every check of a partition; data_quality_latest has the newest of each.",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "json"},
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": kind, "Comment": comment} for name, (kind, comment) in _COLUMNS.items()],
            "Location": location,
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "Compressed": False,
            "NumberOfBuckets": -1,
            "StoredAsSubDirectories": False,
            "SerdeInfo": {
                "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
                "Parameters": {"serialization.format": "1"},
            },
        },
    }


def is_about_results(table: TableTypeDef, location: str) -> bool:
    """Whether what Glue holds under the table's name reads the results at all, as a table of ours would."""
    return same_location(table.get("StorageDescriptor", {}).get("Location", ""), location)


def is_our_table(table: TableTypeDef, location: str) -> bool:
    """Whether what Glue holds under the table's name is the table as it is now; what AWS adds to it does not matter."""
    return _holds(table, table_input(location))


def view_query() -> str:
    """What the view selects: of each partition the result that was written last."""
    columns = ", ".join(f'"{name}"' for name in _COLUMNS)
    newest = 'row_number() OVER (PARTITION BY "table_name", "partition_date" ORDER BY "checked_at" DESC)'
    return f'SELECT {columns} FROM (SELECT *, {newest} AS "age" FROM "{TABLE}") WHERE "age" = 1'


def view_statement() -> str:
    """The statement that makes the view, or makes it anew."""
    return f'CREATE OR REPLACE VIEW "{VIEW}" AS {view_query()}'


def is_our_view(table: TableTypeDef) -> bool:
    """Whether what Glue holds under the view's name is the view as it is now: Athena keeps its text in there."""
    found = _VIEW_TEXT.fullmatch(table.get("ViewOriginalText", "").strip())
    try:
        given = json.loads(base64.b64decode(found[1] if found else "", validate=True))
        return _essence(str(given["originalSql"])) == _essence(view_query())
    except (ValueError, KeyError, TypeError):
        return False


def _essence(sql: str) -> str:
    """A query without what Athena may write otherwise when it keeps it: spaces, brackets, quotes, and the word AS."""
    return re.sub(r'\bas\b|[\s()"]', "", sql.lower())


def _holds(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        held: Mapping[str, Any] = found if isinstance(found, dict) else {}
        return all(name in held and _holds(held[name], value) for name, value in wanted.items())
    if isinstance(wanted, list):
        same_length = isinstance(found, list) and len(found) == len(wanted)
        return same_length and all(_holds(one, other) for one, other in zip(found, wanted, strict=True))
    return bool(found == wanted)
