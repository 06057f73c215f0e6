"""Random queries on the demo's data: what Trino answers, the local Athena answers.

``DMD_TRINO_EXAMPLES`` asks for more of them than the few that every run has. Examples are the same in every run; one
that differs is made small before it is shown.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.trino.random_queries import aggregates, filters, joins, projections
from tests.trino.random_tables import SampledTable, sample


if TYPE_CHECKING:
    from tests.trino.judge import Judge

TABLES = ("demand", "event", "notification", "sale")
EXAMPLES = int(os.environ.get("DMD_TRINO_EXAMPLES", "25"))  # a table and kind of query
_SECONDS_EACH = 20  # at the very most: a query takes one or two
_SECONDS_TO_SHRINK = 600

# One test for all tables: every test of Hypothesis with the same seed would make the same choices for each table.
_EXAMPLES = EXAMPLES * len(TABLES)
_random = settings(
    max_examples=_EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)

pytestmark = pytest.mark.timeout(_SECONDS_EACH * _EXAMPLES + _SECONDS_TO_SHRINK)


@pytest.fixture(scope="session")
def tables(judge: Judge, demo_database: str) -> tuple[SampledTable, ...]:
    """The tables, with values that occur in them."""
    return tuple(sample(judge.local, demo_database, name) for name in TABLES)


@_random
@given(data=st.data())
def test_a_random_filter_leaves_the_same_rows(
    judge: Judge, demo_database: str, tables: tuple[SampledTable, ...], data: st.DataObject
) -> None:
    sql = data.draw(filters(tables), label="query")
    judge.compare("random filters", sql, sql, demo_database)


@_random
@given(data=st.data())
def test_a_random_projection_gives_the_same_values(
    judge: Judge, demo_database: str, tables: tuple[SampledTable, ...], data: st.DataObject
) -> None:
    sql = data.draw(projections(tables), label="query")
    judge.compare("random projections", sql, sql, demo_database)


@_random
@given(data=st.data())
def test_a_random_aggregate_gives_the_same_groups(
    judge: Judge, demo_database: str, tables: tuple[SampledTable, ...], data: st.DataObject
) -> None:
    sql = data.draw(aggregates(tables), label="query")
    judge.compare("random aggregates", sql, sql, demo_database)


@_random
@given(data=st.data())
def test_a_random_join_finds_the_same_pairs(
    judge: Judge, demo_database: str, tables: tuple[SampledTable, ...], data: st.DataObject
) -> None:
    sql = data.draw(joins(tables, tables), label="query")
    judge.compare("random joins", sql, sql, demo_database)
