"""What SQL means: the cases that define the local Athena, held against Trino."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.function_cases import AGGREGATES, FUNCTIONS, FUNCTIONS_REFUSED
from tests.conformance.sql_cases import EXPRESSIONS, MALFORMED, QUERIES, REFUSED


if TYPE_CHECKING:
    from tests.trino.judge import Judge


@pytest.mark.parametrize("sql", [case.sql for case in EXPRESSIONS])
def test_an_expression_means_what_it_means_to_trino(judge: Judge, sql: str) -> None:
    judge.compare("expressions", sql, f"SELECT {sql}")


@pytest.mark.parametrize("sql", [case.sql for case in (*FUNCTIONS, *AGGREGATES)])
def test_a_function_gives_what_trino_s_gives(judge: Judge, sql: str) -> None:
    judge.compare("functions", sql, f"SELECT {sql}")


@pytest.mark.parametrize("sql", [case.sql for case in QUERIES])
def test_a_query_gives_what_trino_gives(judge: Judge, sql: str) -> None:
    judge.compare("queries", sql, sql)


@pytest.mark.parametrize("sql", [*(case.sql for case in (*REFUSED, *FUNCTIONS_REFUSED)), *MALFORMED])
def test_a_statement_fails_as_on_trino(judge: Judge, sql: str) -> None:
    judge.compare("refusals", sql, sql)
