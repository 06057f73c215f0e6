"""How a partition of Avro files is read: the cases that define the local Athena, held against Trino."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.engine_cases import CASES, Case
from tests.conformance.engine_partition import TABLE, make


if TYPE_CHECKING:
    from tests.conformance.account import Account
    from tests.trino.judge import Judge


@pytest.mark.parametrize("which", ["judge", "newer_judge"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.name}")
def test_a_partition_is_read_as_trino_reads_it(
    request: pytest.FixtureRequest, account: Account, case: Case, which: str
) -> None:
    judge: Judge = request.getfixturevalue(which)
    make(account, case)
    judge.compare(f"engine: {case.rule}", case.name, case.query.format(table=TABLE), account.database)
