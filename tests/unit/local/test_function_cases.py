"""No function of the local Athena is without a case."""

from __future__ import annotations

import re

import pytest

from local.athena.sql.functions.aggregates import AGGREGATES, WINDOWS
from local.athena.sql.functions.catalog import SCALARS
from local.athena.sql.functions.special import SPECIAL
from tests.conformance import function_cases, sql_cases


# Chance, and the name of what runs: there is nothing to compare.
_WITHOUT_A_VALUE = frozenset({"uuid", "random", "rand", "version"})
_CASES = " ".join(
    [
        *(case.sql for case in (*sql_cases.EXPRESSIONS, *function_cases.FUNCTIONS, *function_cases.AGGREGATES)),
        *(case.sql for case in sql_cases.QUERIES),
        *(case.sql for case in sql_cases.REFUSED),
    ]
).lower()
_NAMES = sorted(
    name
    for name, signatures in {**SCALARS, **AGGREGATES, **WINDOWS}.items()
    if any(signature.template != "!" for signature in signatures)
)


@pytest.mark.parametrize("name", sorted({*_NAMES, *SPECIAL} - _WITHOUT_A_VALUE))
def test_a_function_occurs_in_some_case(name: str) -> None:
    assert re.search(rf"\b{name}\s*\(", _CASES), f"{name} has no case in tests/conformance"
