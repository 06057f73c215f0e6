"""What Great Expectations asks when it validates the tables on Athena, taken from Athena's own history.

Each suite is run on one partition (a query) and on the whole table, by SQLAlchemy's dialect of PyAthena, without what
Great Expectations cannot check there: regular expressions, and fields of records. Temporary tables are switched off,
for Athena has none: with them, Great Expectations would issue CREATE TABLE AS.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import urlencode

from bench.quality_peers import plain_suite
from tests.trino.statements import Statement


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dmd_pipeline.settings import Settings

_DAY = "2026-02-20"
_SELECTS = ("SELECT", "WITH")


@dataclass(frozen=True)
class Validations:
    """Validates tables by Great Expectations.

    Attributes:
        client: Gives boto3 clients.
        environment: Variables with which any AWS client reaches that AWS.
        settings: Names of its database and workgroup.
    """

    client: Callable[[str], Any]
    environment: Mapping[str, str]
    settings: Settings

    def statements(self, tables: Iterable[str]) -> dict[str, list[Statement]]:
        """What is asked of each table.

        Raises:
            ValueError: A statement is no SELECT.
        """
        with mock.patch.dict(os.environ, {**self.environment, "GX_ANALYTICS_ENABLED": "false"}):
            import great_expectations  # here, for it takes seconds
            from great_expectations.data_context.types.base import ProgressBarsConfig

            context = great_expectations.get_context(mode="ephemeral")
            context.variables.progress_bars = ProgressBarsConfig(globally=False)
            source = context.data_sources.add_sql("athena", connection_string=self._url(), create_temp_table=False)
            return {table: list(self._asked(source, table)) for table in tables}

    def _asked(self, source: Any, table: str) -> Iterator[Statement]:
        query = f"SELECT * FROM {table} WHERE partition_date = '{_DAY}'"
        assets = {
            "one partition": source.add_query_asset(f"{table} on {_DAY}", query=query),
            "all partitions": source.add_table_asset(table, table_name=table),
        }
        for name, asset in assets.items():
            before = self._history()
            asset.add_batch_definition_whole_table("all").get_batch().validate(plain_suite(table))
            for identifier in self._history() - before:
                yield self._statement(name, identifier)

    def _statement(self, asset: str, identifier: str) -> Statement:
        execution = self.client("athena").get_query_execution(QueryExecutionId=identifier)
        sql: str = execution["QueryExecution"]["Query"]
        if not sql.startswith(_SELECTS):
            raise ValueError(f"Great Expectations asks what Trino cannot judge:\n{sql}")
        return Statement(f"{asset}: {_gist(sql)}", sql)

    def _history(self) -> set[str]:
        pages = self.client("athena").get_paginator("list_query_executions")
        listed = pages.paginate(WorkGroup=self.settings.workgroup)
        return {identifier for page in listed for identifier in page["QueryExecutionIds"]}

    def _url(self) -> str:
        options = urlencode(
            {
                "work_group": self.settings.workgroup,
                "s3_staging_dir": self.settings.layout.athena_results_location(),
                "poll_interval": "0.05",
            }
        )
        host = f"athena.{self.settings.region}.amazonaws.com"
        return f"awsathena+rest://@{host}:443/{self.settings.database}?{options}"


def _gist(sql: str) -> str:
    """What a statement asks, in words that stay the same: the order of its counts does not."""
    if sql.startswith("SELECT sum("):
        return "all counts of unexpected values"
    return " ".join(sql.split()).replace(" AS anon_1", "")
