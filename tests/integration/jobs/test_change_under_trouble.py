"""A table under change when the run is killed, when Glue refuses items, and when others write meanwhile."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline import hive
from dmd_pipeline.change_marks import CHANGE_PARAMETER, ChangeMark
from dmd_pipeline.errors import CatalogError, ConcurrentChangeError, PartitionsFailedError
from dmd_pipeline.jobs.table_change import LEASE, TableChanger
from tests.conformance.athena_runs import run as run_query
from tests.conformance.engine_case import optional
from tests.integration.jobs import job_processes
from tests.integration.jobs.job_processes import INSERTED
from tests.integration.jobs.test_schema_changes import NEW_DAY, OLD_DAYS, TABLE, Table, make


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws

WRITES = ("UpdateTable", "BatchUpdatePartition")
LATER = LEASE + timedelta(minutes=1)


@pytest.fixture
def table(aws: LocalAws, settings: Settings) -> Table:
    """A table of four partitions, two of them with a file, which is about to get a column in its middle."""
    table = make(aws, settings, INSERTED)
    table.schema = INSERTED.new
    return table


def whole(table: Table) -> dict[str, Any]:
    """All that the catalog holds, without what counts or times its changes."""
    state = table.state()
    state["table"] = {name: value for name, value in state["table"].items() if name not in {"VersionId", "UpdateTime"}}
    return state


def put_back(table: Table) -> None:
    """The table as it was before the change."""
    table.schema = INSERTED.old
    table.apply()
    table.schema = INSERTED.new


def readers_get_every_row(table: Table) -> bool:
    """By the old query or by the new one, and counted."""
    count = f"SELECT partition_date, count(*) FROM {TABLE} GROUP BY 1 ORDER BY 1"
    counted = run_query(table._account, count, table.world.settings.database)
    got = [table._tried(query) for query in (INSERTED.old_query, INSERTED.query)]
    expected = [[[day, "old", *shown] for day in OLD_DAYS] for shown in (INSERTED.before, INSERTED.old_shown)]
    both = zip(got, expected, strict=True)
    return counted.rows == [[day, "1"] for day in OLD_DAYS] and any(one == wanted for one, wanted in both)


def before_write(table: Table, number: int, act: Callable[[], Any]) -> Callable[[], bool]:
    """Do something before the n-th call that writes to Glue; tells whether there was one."""
    seen = 0

    def count(**_event: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            act()

    for operation in WRITES:
        table.world.glue.meta.events.register(f"before-call.glue.{operation}", count)

    def unhook() -> bool:
        for operation in WRITES:
            table.world.glue.meta.events.unregister(f"before-call.glue.{operation}", count)
        return seen >= number

    return unhook


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("who", ["the same run", "another run, after the lease"])
def test_a_run_killed_at_any_call_and_run_again_gives_what_one_whole_run_gives(
    table: Table, moment: str, who: str
) -> None:
    table.apply()
    expected = whole(table)
    again: Mapping[str, Any] = {}
    if who != "the same run":
        again = {"run_id": "another", "now": lambda: datetime.now(UTC) + LATER}
    call, killed, marked = 0, True, 0
    while killed:
        call += 1
        put_back(table)
        killed = job_processes.run_and_kill("change_a_table", call, moment)
        assert readers_get_every_row(table), f"killed {moment} call {call}"
        marked += CHANGE_PARAMETER in table.world.table(TABLE)["Parameters"]
        table.apply(**again)
        assert whole(table) == expected, f"killed {moment} call {call}"
    assert marked >= 8, "it was killed under its mark: while shortening, switching, completing"


def test_another_run_is_refused_until_the_lease_ends_and_leaves_everything(table: Table) -> None:
    table.world.glue.meta.events.register("before-call.glue.BatchUpdatePartition", _cut_off)
    with pytest.raises(KeyboardInterrupt):
        table.apply()
    table.world.glue.meta.events.unregister("before-call.glue.BatchUpdatePartition", _cut_off)
    before = table.state()
    ends = before["table"]["UpdateTime"] + LEASE
    with pytest.raises(CatalogError, match=f"table {TABLE} is under change by test .*after {ends:%H:%M} UTC: it takes"):
        table.apply(run_id="another", now=lambda: ends - timedelta(seconds=1))
    assert table.state() == before
    assert readers_get_every_row(table)
    assert table.apply(run_id="another", now=lambda: ends).outcomes == {TABLE: "changed"}


def _cut_off(**_event: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServiceException", "OperationTimeoutException"])
@pytest.mark.parametrize("after", range(8))
def test_an_error_of_one_partition_that_may_pass_is_survived(
    aws: LocalAws, settings: Settings, code: str, after: int
) -> None:
    """Of each partition, when it is shortened (the first four) and when it is completed (the others)."""
    table = make(aws, settings, INSERTED)
    table.schema = INSERTED.new
    value = sorted(table.world.held(TABLE))[after % 4]
    aws.fail("glue:BatchUpdatePartition", code, times=2, item=value, after=after // 4)
    assert table.apply().outcomes == {TABLE: "changed"}
    assert table.world.pauses, "the failures did happen"
    assert table.apply().outcomes == {TABLE: "in sync"}
    assert readers_get_every_row(table)


def test_a_partition_that_cannot_be_shortened_leaves_the_table_as_it_was(table: Table, aws: LocalAws) -> None:
    before = whole(table)
    aws.fail("glue:BatchUpdatePartition", "AccessDeniedException", item=OLD_DAYS[0], message="Not you.")
    with pytest.raises(
        CatalogError, match=r"1 partitions could not be shortened: .*Not you.*Its partitions look like the table again"
    ):
        table.apply()
    assert whole(table) == before
    assert readers_get_every_row(table)


def test_a_partition_that_cannot_be_completed_is_named_and_the_next_run_does_it(table: Table, aws: LocalAws) -> None:
    aws.fail("glue:BatchUpdatePartition", "AccessDeniedException", item=OLD_DAYS[0], after=1, message="Not you.")
    with pytest.raises(PartitionsFailedError) as caught:
        table.apply()
    assert caught.value.failures == {f"{TABLE}/partition_date={OLD_DAYS[0]}": "AccessDeniedException: Not you."}
    assert readers_get_every_row(table)
    assert table.apply().outcomes == {TABLE: "repaired"}
    assert table.apply().outcomes == {TABLE: "in sync"}


@pytest.mark.parametrize(
    ("operation", "after"),
    [
        (operation, after)
        for operation, calls in {"UpdateTable": 3, "BatchUpdatePartition": 2, "GetTable": 5, "GetPartitions": 3}.items()
        for after in range(calls)
    ],
)
def test_a_call_that_fails_as_a_whole_leaves_the_old_table_or_the_new_one(
    table: Table, aws: LocalAws, operation: str, after: int
) -> None:
    old = whole(table)
    aws.fail(f"glue:{operation}", "AccessDeniedException", message="Not you.", after=after)
    with pytest.raises(CatalogError, match="Not you"):
        table.apply()
    assert readers_get_every_row(table)
    left = whole(table)
    table.apply()
    assert table.apply().outcomes == {TABLE: "in sync"}
    new = whole(table)
    assert left in (old, new) or CHANGE_PARAMETER in left["table"]["Parameters"] or operation == "BatchUpdatePartition"


@pytest.mark.parametrize("number", range(1, 6))
def test_a_change_by_hand_between_two_calls_survives_and_nothing_is_half_done(table: Table, number: int) -> None:
    before = whole(table)

    def by_hand() -> None:
        table.world.set_table_parameters(TABLE, theirs="1")

    unhook = before_write(table, number, by_hand)
    stopped = number <= 3  # mark, shorten, switch; then complete, take the mark away
    with pytest.raises(CatalogError, match="by somebody else") if stopped else nullcontext():
        table.apply()
    assert unhook()
    after = whole(table)
    assert after["table"]["Parameters"].pop("theirs") == "1"
    assert CHANGE_PARAMETER not in after["table"]["Parameters"]
    if stopped:
        assert after == before
    assert readers_get_every_row(table)
    table.apply()
    assert table.apply().outcomes == {TABLE: "in sync"}
    assert table.world.table(TABLE)["Parameters"]["theirs"] == "1"


def test_a_changer_that_others_overtake_says_so(table: Table) -> None:
    wanted = hive.table_input(TABLE, INSERTED.new, table.world.settings.layout.table_location(TABLE))
    unhook = before_write(table, 1, lambda: table.world.set_table_parameters(TABLE, theirs="1"))
    with pytest.raises(ConcurrentChangeError, match="was changed by somebody else since it was read"):
        TableChanger(table.world.catalog, "test").change(wanted)
    assert unhook()


@pytest.mark.parametrize("number", range(1, 4))
def test_an_answer_of_glue_that_is_lost_is_not_taken_for_somebody_elses_change(table: Table, number: int) -> None:
    """The call was served, its answer never came, boto3 asks again: the table has another version by then."""
    seen = 0

    def serve_it_before(params: dict[str, Any], **_event: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            table.world.aws.client("glue").update_table(**params)

    table.world.glue.meta.events.register("before-parameter-build.glue.UpdateTable", serve_it_before)
    assert table.apply().outcomes == {TABLE: "changed"}
    assert seen >= 3
    assert table.apply().outcomes == {TABLE: "in sync"}
    assert readers_get_every_row(table)


@pytest.mark.parametrize("number", range(1, 6))
def test_a_partition_registered_during_the_change_is_read_at_once_and_in_sync_in_the_end(
    table: Table, number: int
) -> None:
    got: list[bool] = []

    def register() -> None:
        held = table.world.held(TABLE)
        table.deliver(NEW_DAY, "old", [{"id": "late", **INSERTED.old_row}], INSERTED.old)
        table.register()
        after = table.world.held(TABLE)
        assert {day: after[day] for day in held} == held, "nothing is repaired"
        queries = ((INSERTED.old_query, INSERTED.before), (INSERTED.query, INSERTED.old_shown))
        expected = [[*([day, "old"] for day in OLD_DAYS), [NEW_DAY, "late"]], None]
        rows = [(table._tried(query), shown) for query, shown in queries]
        got.append(any(found == [[*who, *shown] for who in expected[0] or ()] for found, shown in rows))

    unhook = before_write(table, number, register)
    table.apply()
    assert unhook()
    assert got == [True]
    table.register()
    assert table.apply().outcomes == {TABLE: "in sync"}
    assert NEW_DAY in table.world.held(TABLE)


class TestCalls:
    """What a change costs, as the docstring of :mod:`dmd_pipeline.jobs.table_change` says."""

    PARTITIONS = 250

    def changed(self, table: Table, new: Mapping[str, Any]) -> dict[str, int]:
        """Calls of a change, by operation."""
        days = (date(2024, 1, 1) + timedelta(days=number) for number in range(self.PARTITIONS - 4))
        table.world.put(TABLE, *days)
        table.register()
        assert len(table.world.held(TABLE)) == self.PARTITIONS
        wanted = hive.table_input(TABLE, new, table.world.settings.layout.table_location(TABLE))
        table.world.aws.calls.clear()
        TableChanger(table.world.catalog, "test").change(wanted)
        return {name.removeprefix("glue:"): count for name, count in table.world.aws.calls.totals().items()}

    def test_when_every_partition_has_to_be_shortened(self, table: Table) -> None:
        assert self.changed(table, INSERTED.new) == {
            "GetTable": 4,
            "UpdateTable": 3,
            "GetPartitions": 2,
            "BatchGetPartition": 4,
            "BatchUpdatePartition": 6,
        }

    def test_when_none_has_to(self, table: Table) -> None:
        new = {**INSERTED.old, "fields": [*INSERTED.old["fields"], optional("extra", "string")]}
        assert self.changed(table, new) == {
            "GetTable": 3,
            "UpdateTable": 2,
            "GetPartitions": 2,
            "BatchGetPartition": 2,
            "BatchUpdatePartition": 3,
        }

    def test_an_unchanged_table_is_not_written(self, table: Table, aws: LocalAws) -> None:
        table.apply()
        aws.calls.clear()
        table.apply()
        assert {name for name in aws.calls.names() if name.startswith("glue:")} == {
            "glue:GetDatabase",
            "glue:GetTables",
            "glue:GetTable",
            "glue:GetPartitions",
        }


def test_a_mark_that_others_put_there_is_respected_until_it_is_old(table: Table) -> None:
    table.world.set_table_parameters(TABLE, **{CHANGE_PARAMETER: ChangeMark("somebody").as_parameter()})
    with pytest.raises(CatalogError, match="under change by somebody"):
        table.apply()
    assert table.apply(now=lambda: datetime.now(UTC) + LATER).outcomes == {TABLE: "changed"}
