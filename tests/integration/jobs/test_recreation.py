"""Breaking changes: approved, backed up, proved by Athena, and taken back on any failure."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

import fastavro
import pytest

from dmd_pipeline import hive
from dmd_pipeline.change_marks import ChangeMark
from dmd_pipeline.errors import CatalogError, ParameterError
from dmd_pipeline.jobs.recreation import Recreation
from dmd_pipeline.jobs.table_change import TableChanger
from dmd_pipeline.table_plans import Verdict
from tests.conformance.engine_case import optional
from tests.integration.jobs.conftest import World, workgroup
from tests.integration.jobs.schema_change_cases import BREAKING, COMPATIBLE, SchemaChange, _change, _fields
from tests.integration.jobs.test_schema_changes import NEW_DAY, OLD_DAYS, TABLE, Table, make, named


if TYPE_CHECKING:
    from dmd_pipeline.jobs.schema_reports import Report
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws

DOUBLE = BREAKING[0]
NULLS = _change(
    "a column may no longer be null, and is",
    Verdict.BREAKING,
    [optional("n", "int")],
    [DOUBLE.old["fields"][1]],
    ({"n": None}, {"n": 2}),
    ([None], [None], ["2"]),
)


def approve(table: Table, **asked: Any) -> Report:
    """Let somebody approve what the job plans, and run it."""
    planned = table.apply(dry_run=True, **{key: value for key, value in asked.items() if key == "strategy"})
    digest = planned.as_data()["asking"][TABLE]["digest"]
    return table.apply(approved={TABLE: digest}, **asked)


def backups(table: Table) -> list[str]:
    settings = table.world.settings
    prefix = f"{settings.prefix}/catalog-backups/{TABLE}/"
    listed = table.world.aws.client("s3").list_objects_v2(Bucket=settings.bucket, Prefix=prefix)
    return [item["Key"] for item in listed.get("Contents", [])]


def tables(table: Table) -> list[str]:
    listed = table.world.aws.client("glue").get_tables(DatabaseName=table.world.settings.database)
    return [one["Name"] for one in listed["TableList"]]


def is_as_before(table: Table, before: dict[str, Any]) -> None:
    """Neither a rehearsal nor a mark is left, and the catalog holds what it held."""
    after = table.state()
    assert tables(table) == [TABLE]
    assert after["partitions"] == before["partitions"]
    for name in ("Parameters", "StorageDescriptor"):
        assert after["table"][name] == before["table"][name]


@pytest.mark.parametrize("change", BREAKING, ids=named)
def test_an_approved_change_is_proved_and_applied_while_readers_get_every_row(
    aws: LocalAws, settings: Settings, change: SchemaChange
) -> None:
    table = make(aws, settings, change)
    table.schema = change.new
    table.watch(change)
    report = approve(table)
    assert (report.outcomes, table.failures) == ({TABLE: "recreated"}, [])
    assert (
        "2 files proved by Athena before and after ($0.00); backup data-pipeline/catalog-backups/" in report.summary[0]
    )
    assert (tables(table), len(backups(table))) == ([TABLE], 1)
    assert "dmd.change" not in table.world.table(TABLE)["Parameters"]
    table.deliver(NEW_DAY, "new", [{"id": "new", **change.new_row}], change.new)
    table.register()
    assert table.rows(change.query) == [
        *([day, "old", *change.old_shown] for day in OLD_DAYS),
        [NEW_DAY, "new", *change.new_shown],
    ]
    assert table.apply().outcomes == {TABLE: "in sync"}


def test_another_plan_than_the_approved_one_is_not_applied(aws: LocalAws, settings: Settings) -> None:
    table = make(aws, settings, DOUBLE)
    table.schema = DOUBLE.new
    digest = table.apply(dry_run=True).as_data()["asking"][TABLE]["digest"]
    before = table.state()
    table.schema = _fields(*DOUBLE.new["fields"][1:], optional("more", "string"))
    report = table.apply(approved={TABLE: digest})
    assert report.outcomes == {TABLE: "not approved"}
    assert table.state() == before


def test_environments_may_allow_breaking_changes_without_approval(aws: LocalAws, settings: Settings) -> None:
    changes = settings.schema_changes.model_copy(update={"approve_breaking": False})
    table = make(aws, settings.model_copy(update={"schema_changes": changes}), DOUBLE)
    table.schema = DOUBLE.new
    assert table.apply().outcomes == {TABLE: "recreated"}


def test_a_change_that_rows_do_not_allow_is_given_up_before_any_reader_meets_it(
    aws: LocalAws, settings: Settings
) -> None:
    table = make(aws, settings, NULLS)
    before = table.state()
    table.schema = NULLS.new
    table.watch(NULLS)
    with pytest.raises(CatalogError, match=r"HIVE_CURSOR_ERROR.*Nothing was switched: scratch is as it was") as failed:
        approve(table)
    assert (len(backups(table)), table.failures) == (1, [])
    assert "table scratch" in str(failed.value)
    is_as_before(table, before)


def test_a_file_that_athena_reads_otherwise_than_it_is_gives_the_change_up(
    aws: LocalAws, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = make(aws, settings, DOUBLE)
    before = table.state()
    table.schema = DOUBLE.new
    monkeypatch.setattr("dmd_pipeline.jobs.recreation.count_rows", lambda _read, _size: 7)
    with pytest.raises(CatalogError, match=r"does not read what 2 files hold: .*old\.avro: 7 rows, Athena reads 1"):
        approve(table)
    is_as_before(table, before)


def test_a_failed_proof_after_the_cut_over_rolls_back(aws: LocalAws, settings: Settings) -> None:
    table = make(aws, settings, DOUBLE)
    before = table.state()
    table.schema = DOUBLE.new

    def spoil(**_event: Any) -> None:
        """A file that nobody can read arrives as soon as the table is switched."""
        if table.world.table(TABLE)["StorageDescriptor"]["Columns"][1]["Type"] == "double":
            key = f"{settings.layout.table_prefix(TABLE)}partition_date={OLD_DAYS[0]}/broken.avro"
            aws.client("s3").put_object(Bucket=settings.bucket, Key=key, Body=b"no avro")

    table.world.glue.meta.events.register("after-call.glue.UpdateTable", spoil)
    with pytest.raises(CatalogError, match=r"broken\.avro cannot be counted.*Rolled back: scratch and 4 of its"):
        approve(table)
    is_as_before(table, before)


@pytest.mark.parametrize("operation", ["CreateTable", "BatchCreatePartition", "UpdateTable", "BatchUpdatePartition"])
def test_a_call_that_keeps_failing_leaves_everything_as_it_was(
    aws: LocalAws, settings: Settings, operation: str
) -> None:
    table = make(aws, settings, DOUBLE)
    before = table.state()
    table.schema = DOUBLE.new
    aws.fail(f"glue:{operation}", "AccessDeniedException", message="Not you.")
    with pytest.raises(CatalogError, match="AccessDeniedException: Not you"):
        approve(table)
    is_as_before(table, before)
    assert approve(table).outcomes == {TABLE: "recreated"}


def test_a_table_can_be_recreated_by_hand_and_asks_first(aws: LocalAws, settings: Settings) -> None:
    table = make(aws, settings, DOUBLE)
    assert table.apply(strategy="recreate").outcomes == {TABLE: "not approved"}
    assert approve(table, strategy="recreate").outcomes == {TABLE: "recreated"}
    assert len(backups(table)) == 1


def test_a_rollback_by_hand_goes_back_to_the_latest_backup(aws: LocalAws, settings: Settings) -> None:
    table = make(aws, settings, DOUBLE)
    before = table.state()
    table.schema = DOUBLE.new
    approve(table)
    assert table.apply(strategy="rollback").outcomes == {TABLE: "rolled back"}
    is_as_before(table, before)
    assert table.rows(DOUBLE.old_query) == [[day, "old", *DOUBLE.before] for day in OLD_DAYS]


def test_a_rollback_that_would_make_files_unreadable_is_refused(aws: LocalAws, settings: Settings) -> None:
    table = make(aws, settings, DOUBLE)
    table.schema = DOUBLE.new
    approve(table)
    table.deliver(OLD_DAYS[1], "new", [{"id": "new", **DOUBLE.new_row}], DOUBLE.new)
    before = table.state()
    with pytest.raises(CatalogError, match=r"cannot be restored: its schema does not read .*new\.avro \(n: files hold"):
        table.apply(strategy="rollback")
    assert table.state() == before


def test_a_rollback_without_a_backup_says_so(aws: LocalAws, settings: Settings) -> None:
    table = make(aws, settings, COMPATIBLE[0])
    with pytest.raises(CatalogError, match="table scratch has no backup below s3://"):
        table.apply(strategy="rollback")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"strategy": "swap"}, "strategy: unknown 'swap'; known are auto, recreate, rollback"),
        ({"rollback_to": "key"}, "rollback_to: it is for the strategy rollback"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_call(
    aws: LocalAws, settings: Settings, asked: dict[str, str], said: str
) -> None:
    table = make(aws, settings, COMPATIBLE[0])
    aws.calls.clear()
    with pytest.raises(ParameterError, match=said):
        table.apply(**asked)
    assert aws.calls.names() == []


def test_a_run_that_another_one_forestalls_leaves_the_others_mark_and_rehearsal_alone(
    aws: LocalAws, settings: Settings
) -> None:
    table = make(aws, settings, DOUBLE)
    table.schema = DOUBLE.new
    theirs = ChangeMark("another", backup="data-pipeline/catalog-backups/scratch/theirs.json.gz").as_parameter()

    def forestall(**_event: Any) -> None:
        if "dmd.change" not in table.world.table(TABLE)["Parameters"]:
            table.world.set_table_parameters(TABLE, **{"dmd.change": theirs})
            aws.client("glue").create_table(DatabaseName=settings.database, TableInput={"Name": f"{TABLE}__next"})

    table.world.glue.meta.events.register("before-call.glue.UpdateTable", forestall)
    with pytest.raises(CatalogError, match="was changed by somebody else since it was read"):
        approve(table)
    assert table.world.table(TABLE)["Parameters"]["dmd.change"] == theirs
    assert tables(table) == [TABLE, f"{TABLE}__next"]


def test_a_table_that_changes_while_its_backup_is_made_is_not_changed(aws: LocalAws, settings: Settings) -> None:
    table = make(aws, settings, DOUBLE)
    table.schema = DOUBLE.new
    done: list[str] = []

    def change_by_hand(**_event: Any) -> None:
        if not done:
            done.append("once")
            table.world.set_table_parameters(TABLE, theirs="1")

    table.world.bucket._client.meta.events.register("after-call.s3.PutObject", change_by_hand)
    with pytest.raises(CatalogError, match=r"by somebody else while its backup was made\. Nothing was switched"):
        approve(table)
    assert tables(table) == [TABLE]
    held = table.world.table(TABLE)["Parameters"]
    assert (held["theirs"], "dmd.change" in held) == ("1", False)


def cost(*, partitions: int, files: int) -> Counter[str]:
    """The formula in the job's docstring, with that of the change in place, in which all partitions are shortened."""
    read, written = max(1, ceil(partitions / 1000)), ceil(partitions / 100)
    in_place = {"glue:GetTable": 4, "glue:UpdateTable": 3, "glue:GetPartitions": 2 * read}
    for_steps = {"glue:BatchUpdatePartition": 2 * written, "glue:BatchGetPartition": 4 * ceil(partitions / 1000)}
    on_top = {
        "s3:PutObject": 1,
        "glue:GetTable": 3,
        "glue:UpdateTable": 1,
        "glue:CreateTable": 1,
        "glue:DeleteTable": 2,
        "glue:GetPartitions": 3 * read,
        "glue:BatchCreatePartition": written,
        "glue:BatchGetPartition": ceil(partitions / 1000),
    }
    proofs = {
        "s3:ListObjectsV2": 2 * max(1, ceil(files / 1000)),
        "s3:GetObject": 2 * files,
        "athena:StartQueryExecution": 2 if files else 0,
        "athena:GetQueryResults": 2 * ceil((files + 1) / 1000) if files else 0,
    }
    return +(Counter(in_place) + Counter(for_steps) + Counter(on_top) + Counter(proofs))


@pytest.mark.parametrize(("days", "files_each"), [(0, 0), (1, 1), (98, 1), (99, 2), (999, 1), (5, 200)])
def test_a_proved_change_costs_what_the_formula_says(
    aws: LocalAws, settings: Settings, days: int, files_each: int
) -> None:
    """With today and tomorrow, which have no files, that is 2, 3, 100, 101, 1001 and 7 partitions."""
    table = Table(World(aws, settings), DOUBLE.old)
    table.apply()
    body = io.BytesIO()
    fastavro.writer(body, dict(DOUBLE.old), [{"id": "old", **DOUBLE.old_row}])
    folders = [f"partition_date={date(2020, 1, 1) + timedelta(days=number)}/" for number in range(days)]
    names = [f"{folder}{number}.avro" for folder in folders for number in range(files_each)]
    table.world.put_names(TABLE, *names, body=body.getvalue())
    table.register()
    changer = TableChanger(table.world.catalog, "test", parallel=4, patience=table.world.patience)
    recreation = Recreation(
        changer, table.world.bucket, settings.layout, workgroup(settings), lambda: datetime.now(UTC), parallel=4
    )
    aws.calls.clear()
    done = recreation.recreate(hive.table_input(TABLE, DOUBLE.new, settings.layout.table_location(TABLE)))
    assert (done.files, len(done.changed.completed)) == (days * files_each, days + 2)
    calls = aws.calls.totals()
    del calls["athena:GetQueryExecution"]  # as many as there are looks until the query has ended
    assert calls == cost(partitions=days + 2, files=days * files_each)


class _Killed(BaseException):
    """Stands for the end of the process: nothing in the job catches it."""


@pytest.mark.parametrize("moment", ["before-call", "after-call"])
def test_a_run_killed_at_any_call_is_finished_or_taken_back_by_the_next(
    aws: LocalAws, settings: Settings, moment: str
) -> None:
    table = make(aws, settings, DOUBLE)
    before = table.state()
    table.schema = DOUBLE.new
    digest = table.apply(dry_run=True).as_data()["asking"][TABLE]["digest"]
    outcomes: set[str] = set()
    call, killed = 0, True
    while killed:
        call += 1
        killed = _killed_at(table, call, moment, digest)
        rows = table.rows(DOUBLE.query)
        assert rows in (
            [[day, "old", *DOUBLE.before] for day in OLD_DAYS],
            [[day, "old", *DOUBLE.old_shown] for day in OLD_DAYS],
        ), f"killed {moment} {call}"
        later = datetime.now(UTC) + timedelta(hours=2)
        report = table.apply(run_id="another", now=lambda later=later: later)
        outcomes.add(report.outcomes[TABLE])
        assert tables(table) == [TABLE], f"killed {moment} {call}"
        assert "dmd.change" not in table.world.table(TABLE)["Parameters"]
        if report.outcomes == {TABLE: "not approved"}:
            is_as_before(table, before)
        else:
            assert report.outcomes == {TABLE: "in sync"}, f"killed {moment} {call}"
            table.schema = DOUBLE.old
            assert table.apply(strategy="rollback").outcomes == {TABLE: "rolled back"}
            is_as_before(table, before)
            table.schema = DOUBLE.new
    assert outcomes == {"not approved", "in sync"}
    assert call > 20


def _killed_at(table: Table, call: int, moment: str, digest: str) -> bool:
    """Run the job until its ``call``-th call to Glue or S3; whether it came so far."""
    seen = 0

    def count(**_event: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == call:
            raise _Killed

    clients = [table.world.glue, table.world.bucket._client]
    for client in clients:
        client.meta.events.register(moment, count, unique_id="kill")
    try:
        table.apply(approved={TABLE: digest})
    except _Killed:
        return True
    finally:
        for client in clients:
            client.meta.events.unregister(moment, unique_id="kill")
    return False
