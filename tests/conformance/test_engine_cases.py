"""Athena: how a partition of Avro files is read. The cases are data, in ``engine_cases``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.athena_runs import run
from tests.conformance.engine_case import REFUSED
from tests.conformance.engine_cases import CASES, Case
from tests.conformance.engine_partition import TABLE, make


if TYPE_CHECKING:
    from tests.conformance.account import Account


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.name}")
def test_a_partition_is_read_as_the_case_says(account: Account, case: Case) -> None:
    make(account, case)
    found = run(account, case.query.format(table=TABLE))
    if case.error == REFUSED and not account.is_local:
        pytest.skip(f"refused by the local Athena alone; here: {found.reason or found.rows}")
    if case.error is None:
        assert (found.state, found.reason) == ("SUCCEEDED", "")
        assert sorted(found.rows, key=str) == sorted(map(list, case.rows), key=str)
        assert case.types is None or [column["Type"] for column in found.columns] == list(case.types)
    else:
        assert found.state == "FAILED", found.rows
        assert found.reason.startswith(f"{case.error}: ")
        for part in case.saying:
            assert part in found.reason


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
