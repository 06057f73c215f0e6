"""Athena: what Trino's SQL means. The cases are data, in ``sql_cases``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.athena_runs import run
from tests.conformance.function_cases import AGGREGATES, FUNCTIONS, FUNCTIONS_REFUSED
from tests.conformance.sql_cases import EXPRESSIONS, MALFORMED, QUERIES, REFUSED, Expression, Query, Refused


if TYPE_CHECKING:
    from tests.conformance.account import Account


_AT_ONCE = 40  # expressions in one statement


@pytest.mark.parametrize("case", [*EXPRESSIONS, *AGGREGATES], ids=lambda case: case.sql)
def test_an_expression_has_this_type_and_value(account: Account, case: Expression) -> None:
    found = run(account, f"SELECT {case.sql}")
    assert found.state == "SUCCEEDED", found.reason
    assert ([column["Type"] for column in found.columns], found.rows) == ([case.type], [[case.value]])


@pytest.mark.parametrize("first", range(0, len(FUNCTIONS), _AT_ONCE))
def test_functions_have_these_types_and_values(account: Account, first: int) -> None:
    cases = FUNCTIONS[first : first + _AT_ONCE]
    found = run(account, f"SELECT {', '.join(case.sql for case in cases)}")
    assert found.state == "SUCCEEDED", found.reason
    kinds = [column["Type"] for column in found.columns]
    assert [Expression(*one) for one in zip([case.sql for case in cases], kinds, found.rows[0], strict=True)] == cases


@pytest.mark.parametrize("case", QUERIES, ids=lambda case: case.sql)
def test_a_query_has_these_columns_and_rows(account: Account, case: Query) -> None:
    found = run(account, case.sql)
    assert found.state == "SUCCEEDED", found.reason
    assert [column["Name"] for column in found.columns] == list(case.columns)
    assert found.rows == [list(row) for row in case.rows]


@pytest.mark.parametrize("case", [*REFUSED, *FUNCTIONS_REFUSED], ids=lambda case: case.sql)
def test_a_statement_fails_with_this_error(account: Account, case: Refused) -> None:
    found = run(account, case.sql)
    assert found.state == "FAILED", found.rows
    assert found.reason.startswith(f"{case.error}: ")
    assert case.saying in found.reason


@pytest.mark.parametrize("statement", MALFORMED)
def test_what_is_not_trino_s_grammar_is_refused(account: Account, statement: str) -> None:
    found = run(account, statement)
    assert found.state == "FAILED", found.rows
    assert found.reason.startswith("SYNTAX_ERROR: line ")
