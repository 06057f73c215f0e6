"""What a person reads before approving a plan of retention."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from dmd_pipeline.jobs.retention_reports import Report, TableReport, plan_as_markdown
from dmd_pipeline.retention import Delete, Drop, Kept, PersonalData, Plan
from tests.unit.test_retention import manifest, partition, stored


DAY = date(2024, 2, 29)
SIZE = 512 * 2**20


def a_plan() -> Plan:
    deleted = stored(DAY, size=SIZE)
    return Plan(
        "demand",
        drop=(Drop(DAY + timedelta(days=9), partition(DAY), (stored(DAY), stored(DAY, "b.avro")), 7),),
        delete=(Delete(DAY, manifest(DAY, deleted), (deleted,), '"etag"'),),
        late={DAY + timedelta(days=1): ("data-pipeline/late.avro",)},
        in_grace={DAY + timedelta(days=2): datetime(2026, 5, 1, tzinfo=UTC)},
        kept=(Kept("2023-01-01", "held: audit"),),
        approval=("partitions of this table have never expired before",),
    )


def cells(text: str) -> dict[str, list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {name: rest for name, *rest in rows[2:]}


def test_the_table_says_how_much_of_what_and_what_it_saves() -> None:
    text = plan_as_markdown(a_plan(), "enforce")
    assert cells(text) == {
        "leave the catalog": ["1", "2024-03-09", "2024-03-09", "2", "< 0.1", "7", "nothing yet"],
        "are deleted": ["1", "2024-02-29", "2024-02-29", "1", "536.9", "5", "$0.01"],
        "have left, and are in their grace period": ["1", "2024-03-02", "2024-03-02", "", "", "", ""],
        "have objects that came later": ["1", "2024-03-01", "2024-03-01", "1", "", "", ""],
        "are old, and are kept": ["1", "", "", "", "", "", ""],
    }
    for remark in (
        "To be approved, because partitions of this table have never expired before.",
        "Queries stop seeing 2024-03-09.",
        "The objects of 2024-02-29 go.",
        "may go on 2026-05-01.",
        "Objects that came later stay until a person decides: 2024-03-01 (data-pipeline/late.avro).",
        "What stands in the way: 2023-01-01 (held: audit).",
    ):
        assert remark in text


def test_rows_that_nobody_counted_are_not_called_none() -> None:
    plan = Plan("demand", drop=(Drop(DAY, partition(DAY), (stored(DAY),), None),))
    assert cells(plan_as_markdown(plan, "plan"))["leave the catalog"][5] == "not counted"


def test_a_plan_with_nothing_due_says_so_in_a_line() -> None:
    assert plan_as_markdown(Plan("sale"), "enforce").endswith("mode *enforce*; nothing is due")


def test_personal_data_without_a_retention_is_told_in_the_summary_and_in_the_plan() -> None:
    fact = "phoneNumber, email: 3 partitions are more than 730 days old, the oldest 2024-02-29, and the table has no"
    plan = Plan("demand", personal=PersonalData(("phoneNumber", "email"), 730, 3, DAY))
    report = Report((TableReport("demand", plan, "plan"),), dry_run=False)
    assert report.summary == [f"demand: nothing expires; PERSONAL DATA: {fact} retention"]
    assert fact in report.as_data()["plans"][0]
    assert report.as_data()["to_do"] == [], "a fact, not a deletion"


def test_only_tables_that_are_enforced_are_asked_about_and_acted_on() -> None:
    tables = (
        TableReport("demand", a_plan(), "enforce"),
        TableReport("event", a_plan(), "plan"),
        TableReport("notification", Plan("notification"), "enforce"),
        TableReport("sale", Plan("sale"), "plan", error="S3 refused"),
    )
    data = Report(tables, dry_run=True).as_data()
    assert list(data["asking"]) == ["demand"]
    assert data["to_do"] == ["demand", "sale"]
    assert len(data["plans"]) == 2, "of the others there is nothing to tell"
