"""Every kind of change of a schema, on the local AWS: what becomes of it, and what readers get all the while."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from dmd_pipeline.errors import PipelineError, SchemaError, SchemaRefusedError
from dmd_pipeline.jobs import register_partitions
from dmd_pipeline.record_types import RecordType, TimestampRule
from dmd_pipeline.table_plans import Verdict
from tests.conformance.account import Account
from tests.conformance.athena_runs import run as run_query
from tests.integration.jobs.conftest import TODAY, World
from tests.integration.jobs.schema_change_cases import BREAKING, CHANGES, COMPATIBLE, REFUSED, SchemaChange


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dmd_pipeline.jobs.schema_reports import Report
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws

TABLE = "scratch"
OLD_DAYS = ("2026-02-01", "2026-02-02")
NEW_DAY = "2026-02-03"


@dataclass
class Table:
    """One table whose schema changes, seen by the jobs, by the worker and by readers.

    Attributes:
        world: The local AWS.
        schema: What include/schemas says.
        failures: What readers got that they should not have.
        looks: How often readers asked.
    """

    world: World
    schema: Mapping[str, Any]
    failures: list[str] = field(default_factory=list)
    looks: int = 0

    def __post_init__(self) -> None:
        self._account = Account(self.world.settings, self.world.aws.client, is_local=True)

    @property
    def record_types(self) -> dict[str, RecordType]:
        """What include says there is."""
        return {TABLE: RecordType(TABLE, self.schema, (), (), TimestampRule("first_of", ()), (), ())}

    def apply(self, **asked: Any) -> Report:
        """Run the job."""
        return self.world.apply_schemas(self.record_types, **asked)

    def register(self) -> None:
        """Run registration."""
        register_partitions.run(
            self.world.settings, [TABLE], self.world.catalog, self.world.bucket, today=TODAY,
            patience=self.world.patience,
        )  # fmt: skip

    def deliver(self, day: str, name: str, rows: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> None:
        """Write a file as the worker does."""
        body = io.BytesIO()
        fastavro.writer(body, dict(schema), list(rows))
        key = f"{self.world.settings.layout.table_prefix(TABLE)}partition_date={day}/{name}.avro"
        self.world.aws.client("s3").put_object(Bucket=self.world.settings.bucket, Key=key, Body=body.getvalue())

    def rows(self, columns: str, where: str = "") -> list[list[str | None]]:
        """What readers get."""
        statement = f"SELECT partition_date, id, {columns} FROM {TABLE} {where} ORDER BY 1, 2"
        found = run_query(self._account, statement, self.world.settings.database)
        assert found.state == "SUCCEEDED", found.reason
        return found.rows

    def state(self) -> dict[str, Any]:
        """All that the catalog holds of the table."""
        return {"table": self.world.table(TABLE), "partitions": self.world.held(TABLE)}

    def watch(self, old: SchemaChange) -> None:
        """Before each call that writes to Glue: readers must get every row, by the old query or by the new one."""

        def look(**_event: Any) -> None:
            self.looks += 1
            counted = self._tried("count(*)")
            if counted != [[day, "old", "1"] for day in OLD_DAYS]:
                self.failures.append(f"look {self.looks}: counted {counted}")
            sides = ((old.old_query, old.before), (old.query, old.old_shown))
            got = [self._tried(query) for query, _ in sides]
            if not any(
                found == [[day, "old", *shown] for day in OLD_DAYS]
                for found, (_, shown) in zip(got, sides, strict=True)
            ):
                self.failures.append(f"look {self.looks}: {got}")

        for operation in ("UpdateTable", "BatchUpdatePartition", "BatchCreatePartition"):
            self.world.glue.meta.events.register(f"before-call.glue.{operation}", look)
            self.world.glue.meta.events.register(f"after-call.glue.{operation}", look)

    def _tried(self, query: str) -> Any:
        counted = f"SELECT partition_date, id, count(*) FROM {TABLE} GROUP BY 1, 2 ORDER BY 1, 2"
        statement = counted if query == "count(*)" else f"SELECT partition_date, id, {query} FROM {TABLE} ORDER BY 1, 2"
        found = run_query(self._account, statement, self.world.settings.database)
        return found.rows if found.state == "SUCCEEDED" else found.reason


def make(aws: LocalAws, settings: Settings, change: SchemaChange) -> Table:
    """A table as it is before a change: two days with a file each, registered with those ahead."""
    table = Table(World(aws, settings), change.old)
    table.apply()
    for day in OLD_DAYS:
        table.deliver(day, "old", [{"id": "old", **change.old_row}], change.old)
    table.register()
    return table


def named(change: SchemaChange) -> str:
    return change.name


def test_there_are_enough_changes() -> None:
    assert len(CHANGES) >= 35
    assert len({change.name for change in CHANGES}) == len(CHANGES)


@pytest.mark.parametrize("change", COMPATIBLE, ids=named)
def test_a_compatible_change_is_applied_while_readers_get_every_row(
    aws: LocalAws, settings: Settings, change: SchemaChange
) -> None:
    table = make(aws, settings, change)
    assert table.rows(change.old_query) == [[day, "old", *change.before] for day in OLD_DAYS]
    table.schema = change.new
    planned = table.apply(dry_run=True)
    assert planned.tables[0].plan is not None
    assert (planned.tables[0].plan.verdict, table.failures) == (change.verdict, [])
    said = " ".join(one.readers for one in planned.tables[0].plan.differences)
    assert change.saying in said
    table.watch(change)
    report = table.apply()
    assert (report.outcomes, table.failures) == ({TABLE: "changed"}, [])
    assert table.looks >= 4, "readers looked between the calls"
    assert report.partition_keys[TABLE][:2] == list(OLD_DAYS)
    table.deliver(OLD_DAYS[1], "new", [{"id": "new", **change.new_row}], change.new)
    table.deliver(NEW_DAY, "new", [{"id": "new", **change.new_row}], change.new)
    table.register()
    assert table.rows(change.query) == [
        [OLD_DAYS[0], "old", *change.old_shown],
        [OLD_DAYS[1], "new", *change.new_shown],
        [OLD_DAYS[1], "old", *change.old_shown],
        [NEW_DAY, "new", *change.new_shown],
    ]
    assert "dmd.change" not in table.world.table(TABLE)["Parameters"]


@pytest.mark.parametrize("change", COMPATIBLE, ids=named)
def test_a_second_run_after_a_change_only_reads(aws: LocalAws, settings: Settings, change: SchemaChange) -> None:
    table = make(aws, settings, change)
    table.schema = change.new
    table.apply()
    before = table.state()
    aws.calls.clear()
    assert table.apply().outcomes == {TABLE: "in sync"}
    assert table.state() == before
    assert not [name for name in aws.calls.names() if "Update" in name or "Create" in name or "Delete" in name]


@pytest.mark.parametrize("change", BREAKING, ids=named)
def test_a_breaking_change_waits_and_changes_nothing(aws: LocalAws, settings: Settings, change: SchemaChange) -> None:
    table = make(aws, settings, change)
    before = table.state()
    table.schema = change.new
    report = table.apply()
    assert report.outcomes == {TABLE: "not approved"}
    assert report.tables[0].plan is not None
    assert report.tables[0].plan.verdict is Verdict.BREAKING
    assert change.saying in " ".join(one.readers for one in report.tables[0].plan.differences)
    assert table.state() == before


@pytest.mark.parametrize("change", REFUSED, ids=named)
def test_a_refused_change_says_what_would_be_accepted_and_changes_nothing(
    aws: LocalAws, settings: Settings, change: SchemaChange
) -> None:
    table = make(aws, settings, change)
    before = table.state()
    table.schema = change.new
    with pytest.raises(SchemaRefusedError) as refused:
        table.apply()
    assert "nothing was changed" in str(refused.value)
    plan = table.apply(dry_run=True).tables[0].plan
    assert plan is not None
    assert change.saying in str(refused.value) + " ".join(one.rule for one in plan.differences)
    assert table.state() == before
    assert table.rows(change.old_query) == [[day, "old", *change.before] for day in OLD_DAYS]


def test_without_partitions_any_change_is_compatible(aws: LocalAws, settings: Settings) -> None:
    table = Table(World(aws, settings), REFUSED[1].old)
    table.apply()
    table.schema = REFUSED[1].new
    assert table.apply().outcomes == {TABLE: "changed"}


def test_a_pipeline_error_of_one_table_names_it(aws: LocalAws, settings: Settings) -> None:
    table = make(aws, settings, COMPATIBLE[0])
    table.schema = COMPATIBLE[0].new
    before = table.state()
    aws.fail("glue:UpdateTable", "AccessDeniedException", message="Not you.")
    with pytest.raises(PipelineError, match=r"table scratch: cannot update table .*: AccessDeniedException: Not you"):
        table.apply()
    assert table.state() == before


def test_a_table_without_a_schema_is_reported_and_stays(aws: LocalAws, settings: Settings) -> None:
    table = make(aws, settings, COMPATIBLE[0])
    aws.client("glue").create_table(DatabaseName=settings.database, TableInput={"Name": "forgotten"})
    report = table.apply()
    assert report.summary == ["scratch: in sync", "no schema in include/schemas, left alone: forgotten"]
    aws.client("glue").get_table(DatabaseName=settings.database, Name="forgotten")


def test_what_was_changed_by_hand_is_put_right(aws: LocalAws, settings: Settings) -> None:
    table = make(aws, settings, COMPATIBLE[1])
    before = table.state()
    change_by_hand(table)
    report = table.apply()
    assert report.summary == [
        "scratch: repaired, 1 partitions written (changed by hand: column by_hand; 1 of 4 partitions have a stale copy)"
    ]
    assert report.partition_keys == {TABLE: [OLD_DAYS[0]]}
    after = table.state()
    assert after["partitions"] == before["partitions"]
    assert after["table"]["StorageDescriptor"] == before["table"]["StorageDescriptor"]
    assert table.apply().outcomes == {TABLE: "in sync"}


def test_an_environment_may_only_report_what_was_changed_by_hand(aws: LocalAws, settings: Settings) -> None:
    reporting = settings.schema_changes.model_copy(update={"repair_drift": False})
    table = make(aws, settings.model_copy(update={"schema_changes": reporting}), COMPATIBLE[1])
    change_by_hand(table)
    before = table.state()
    report = table.apply()
    assert report.outcomes == {TABLE: "left as it is"}
    assert "changed by hand: column by_hand" in report.summary[0]
    assert table.state() == before


def change_by_hand(table: Table) -> None:
    """A column added in the console, and a partition with a copy of its own."""
    glue, database = table.world.aws.client("glue"), table.world.settings.database
    now = table.world.table(TABLE)
    changed = {key: now[key] for key in ("Name", "TableType", "PartitionKeys", "StorageDescriptor", "Parameters")}
    changed["StorageDescriptor"]["Columns"].append({"Name": "by_hand", "Type": "string"})
    glue.update_table(DatabaseName=database, TableInput=changed)
    table.world.change_partition(TABLE, OLD_DAYS[0], Columns=[{"Name": "id", "Type": "string"}])


def test_files_that_came_before_their_table_are_named(aws: LocalAws, settings: Settings) -> None:
    """The worker was deployed first: its longs cannot be read by the table's int."""
    change = next(one for one in COMPATIBLE if one.name == "an int becomes a long")
    table = make(aws, settings, change)
    table.deliver(OLD_DAYS[1], "newer", [{"id": "new", **change.new_row}], change.new)
    report = table.apply()
    assert report.outcomes == {TABLE: "in sync"}
    (told,) = report.as_data()["newer"][TABLE]
    assert "partition_date=2026-02-02/newer.avro" in told
    table.schema = change.new
    assert table.apply().outcomes == {TABLE: "changed"}
    assert table.apply().as_data()["newer"] == {}


def test_files_that_neither_the_table_nor_the_schema_reads_keep_it_from_changing(
    aws: LocalAws, settings: Settings
) -> None:
    change = COMPATIBLE[0]
    table = make(aws, settings, change)
    odd = {**change.old, "fields": [change.old["fields"][0], {"name": "n", "type": "string"}]}
    table.deliver(OLD_DAYS[1], "odd", [{"id": "odd", "n": "many"}], odd)
    table.schema = change.new
    with pytest.raises(SchemaRefusedError, match=r"n: 1 sampled file such as s3://.*odd\.avro: files hold string"):
        table.apply()


def test_a_table_whose_files_are_wrong_is_refused_and_the_others_go_on(aws: LocalAws, settings: Settings) -> None:
    table = make(aws, settings, COMPATIBLE[0])
    wrong = {"sale": SchemaError("include/schemas/sale.avsc: not valid JSON")}
    with pytest.raises(
        SchemaRefusedError, match=r"table sale: nothing was changed; include/schemas/sale\.avsc: not valid"
    ):
        table.apply(wrong=wrong)
    table.schema = COMPATIBLE[0].new
    reports: list[Report] = []
    with pytest.raises(SchemaRefusedError):
        table.apply(wrong=wrong, report_to=reports.append)
    assert reports[0].outcomes == {"sale": "refused", TABLE: "changed"}
