"""What the peers of the bench of verdicts are told to check."""

from __future__ import annotations

from bench.quality_peers import soda_contract
from bench.quality_world import FIRST_DATE


def test_soda_is_told_what_can_be_said_of_a_table_s_own_columns() -> None:
    contract = soda_contract("demand", FIRST_DATE)
    checks = {(column["name"], kind) for column in contract["columns"] for check in column["checks"] for kind in check}
    assert checks == {
        ("type", "missing"),
        ("type", "invalid"),
        ("fanid", "missing"),
        ("eventid", "missing"),
        ("saleid", "missing"),
        ("requesteddatetime", "missing"),
        ("contactmethod", "invalid"),
        ("contactmethod", "missing"),
        ("demandtype", "invalid"),
        ("demandtype", "missing"),
    }
    assert contract["filter"] == "partition_date = '2025-03-01'"
    assert contract["checks"] == [{"row_count": {"threshold": {"must_be_greater_than_or_equal": 1}}}]


def test_soda_tolerates_what_the_suite_does() -> None:
    columns = {column["name"]: column["checks"] for column in soda_contract("demand", FIRST_DATE)["columns"]}
    (present,) = (check["missing"] for check in columns["contactmethod"] if "missing" in check)
    assert present["threshold"] == {"metric": "percent", "must_be_less_than_or_equal": 50}
    assert present["name"] == "Most rows say how to reach the fan."
