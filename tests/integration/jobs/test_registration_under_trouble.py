"""Registration when Glue refuses items, when others write meanwhile, and when a run is killed."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from dmd_pipeline.aws.config import CLIENT_CONFIG
from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.change_marks import CHANGE_PARAMETER, ChangeMark
from dmd_pipeline.errors import CatalogError, PartitionsFailedError, ThrottledError
from dmd_pipeline.patience import Patience
from tests.integration.jobs import job_processes


if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.jobs.conftest import World


AHEAD = {"2026-03-01", "2026-03-02"}
DAY = "2025-06-01"


def before_call(world: World, operation: str, act: Callable[[], Any]) -> None:
    """Do something between a job's decision to call Glue and the call: what another run might do."""
    done = threading.Event()

    def once(**_event: Any) -> None:
        if not done.is_set():
            done.set()
            act()

    world.glue.meta.events.register(f"before-call.glue.{operation}", once)


def by_hand(world: World, day: str, **descriptor: Any) -> None:
    """Somebody else registers a partition."""
    table = world.table("demand")["StorageDescriptor"]
    world.aws.client("glue").create_partition(
        DatabaseName=world.settings.database,
        TableName="demand",
        PartitionInput={
            "Values": [day],
            "StorageDescriptor": {**table, "Location": f"{table['Location']}partition_date={day}", **descriptor},
        },
    )


def drop_by_hand(world: World, day: str) -> None:
    world.aws.client("glue").delete_partition(
        DatabaseName=world.settings.database, TableName="demand", PartitionValues=[day]
    )


class TestThrottled:
    """Glue asks to slow down."""

    def test_whole_calls_are_tried_again_by_boto3(self, world: World) -> None:
        world.put("demand", DAY)
        world.catalog = Catalog(boto3.client("glue", config=CLIENT_CONFIG), world.settings.database)
        world.aws.fail("glue:GetPartitions", times=1)
        world.aws.fail("glue:BatchCreatePartition", times=1)
        assert world.register(tables=["demand"]).summary == ["demand: 3 added"]
        assert world.pauses == [], "retries must not multiply: boto3's are enough"

    def test_a_call_that_stays_throttled_fails_its_partitions_and_no_others(self, world: World) -> None:
        world.put("demand", *(date(2020, 1, 1) + timedelta(days=day) for day in range(148)))
        world.aws.fail("glue:BatchCreatePartition", times=1)
        with pytest.raises(PartitionsFailedError, match="AWS asked to slow down") as caught:
            world.register(tables=["demand"])
        assert 150 - len(caught.value.failures) == len(world.held("demand")) in {50, 100}
        assert world.register(tables=["demand"]).summary[0].startswith("demand: ")
        assert len(world.held("demand")) == 150

    def test_a_listing_that_stays_throttled_says_so(self, world: World) -> None:
        world.aws.fail("glue:GetPartitions", times=1)
        with pytest.raises(ThrottledError, match=r"cannot list partitions of .*\.demand: AWS asked to slow down"):
            world.register(tables=["demand"])
        world.aws.fail("s3:ListObjectsV2", code="SlowDown", status=503)
        with pytest.raises(ThrottledError, match="cannot list s3://"):
            world.register(tables=["demand"])

    def test_single_items_are_tried_again_with_growing_pauses(self, world: World) -> None:
        world.put("demand", DAY)
        world.patience = Patience(sleep=world.pauses.append, jitter=lambda: 1.0)
        world.aws.fail("glue:BatchCreatePartition", times=3, item=DAY)
        assert world.register(tables=["demand"]).summary == ["demand: 3 added"]
        assert world.pauses == [0.5, 1, 2]

    def test_single_items_are_given_up_at_last_and_named(self, world: World) -> None:
        world.put("demand", DAY)
        world.aws.fail("glue:BatchCreatePartition", times=99, item=DAY)
        with pytest.raises(PartitionsFailedError) as caught:
            world.register(tables=["demand"])
        assert caught.value.failures == {f"demand/partition_date={DAY}": "ThrottlingException: Injected fault."}
        assert set(world.held("demand")) == AHEAD

    def test_keys_that_glue_leaves_unprocessed_are_asked_for_again(self, world: World) -> None:
        world.put("demand", DAY)
        left = {"times": 2}

        def leave_unprocessed(parsed: dict[str, Any], **_event: Any) -> None:
            if left["times"]:
                left["times"] -= 1
                kept, *dropped = parsed["Partitions"]
                parsed["Partitions"] = [kept]
                parsed["UnprocessedKeys"] = [{"Values": partition["Values"]} for partition in dropped]

        world.glue.meta.events.register("after-call.glue.BatchGetPartition", leave_unprocessed)
        assert world.register(tables=["demand"]).summary == ["demand: 3 added"]
        assert world.aws.calls.count("glue:BatchGetPartition") == 3

    def test_an_answer_that_comes_in_many_small_parts_is_read_to_its_end(self, world: World) -> None:
        """Glue leaves keys unprocessed when an answer grows too large, too: that is no reason to lose patience."""
        world.put("demand", *(date(2020, 1, 1) + timedelta(days=day) for day in range(18)))

        def answer_in_parts(parsed: dict[str, Any], **_event: Any) -> None:
            parsed["UnprocessedKeys"] = [{"Values": partition["Values"]} for partition in parsed["Partitions"][2:]]
            parsed["Partitions"] = parsed["Partitions"][:2]

        world.glue.meta.events.register("after-call.glue.BatchGetPartition", answer_in_parts)
        assert world.register(tables=["demand"]).summary == ["demand: 20 added"]
        assert world.pauses == []

    def test_keys_that_stay_unprocessed_are_an_error(self, world: World) -> None:
        def leave_unprocessed(parsed: dict[str, Any], **_event: Any) -> None:
            parsed["UnprocessedKeys"] = [{"Values": partition["Values"]} for partition in parsed.pop("Partitions")]

        world.glue.meta.events.register("after-call.glue.BatchGetPartition", leave_unprocessed)
        with pytest.raises(ThrottledError, match="table demand: Glue leaves 2 partitions unread"):
            world.register(tables=["demand"])


class TestItemErrors:
    """Glue answers 200, and the body says what it did not do."""

    @pytest.mark.parametrize("code", ["InternalServiceException", "OperationTimeoutException"])
    def test_an_error_that_may_pass_is_survived(self, world: World, code: str) -> None:
        world.put("demand", DAY)
        world.aws.fail("glue:BatchCreatePartition", code, times=2, item=DAY)
        world.register(tables=["demand"])
        assert DAY in world.held("demand")

    def test_any_other_error_fails_the_run_after_the_rest_is_done(self, world: World) -> None:
        world.put("demand", DAY, "2025-06-02")
        world.put("sale", DAY)
        world.aws.fail("glue:BatchCreatePartition", "AccessDeniedException", item=DAY, message="Not you.")
        with pytest.raises(PartitionsFailedError) as caught:
            world.register()
        assert caught.value.failures == {f"demand/partition_date={DAY}": "AccessDeniedException: Not you."}
        assert set(world.held("demand")) == AHEAD | {"2025-06-02"}
        assert set(world.held("sale")) == AHEAD | {DAY}

    def test_a_repair_that_is_refused_is_named_and_the_others_are_made(self, world: World) -> None:
        world.put("demand", DAY, "2025-06-02")
        world.register(tables=["demand"])
        world.spoil("demand", [DAY, "2025-06-02"])
        world.aws.fail("glue:BatchUpdatePartition", "AccessDeniedException", item=DAY)
        with pytest.raises(PartitionsFailedError) as caught:
            world.register(tables=["demand"])
        assert set(caught.value.failures) == {f"demand/partition_date={DAY}"}
        held = world.held("demand")
        assert held[DAY]["StorageDescriptor"]["Location"] == "s3://elsewhere/"
        assert held["2025-06-02"]["StorageDescriptor"]["Location"] != "s3://elsewhere/"

    def test_a_repair_that_is_throttled_is_tried_again(self, world: World) -> None:
        world.put("demand", DAY)
        world.register(tables=["demand"])
        before = world.held("demand")
        world.spoil("demand", [DAY])
        world.aws.fail("glue:BatchUpdatePartition", times=2, item=DAY)
        world.register(tables=["demand"])
        assert world.held("demand") == before


class TestMeanwhile:
    """Somebody else writes between the plan and the writing."""

    def test_a_partition_that_others_made_as_wanted_counts(self, world: World) -> None:
        world.put("demand", DAY)
        before_call(world, "BatchCreatePartition", lambda: by_hand(world, DAY))
        assert world.register(tables=["demand"]).summary == ["demand: 3 added"]
        assert world.aws.calls.count("glue:BatchUpdatePartition") == 0

    def test_a_partition_that_others_made_otherwise_is_put_right_and_keeps_what_is_theirs(self, world: World) -> None:
        world.put("demand", DAY)

        def make() -> None:
            by_hand(world, DAY, Location="s3://elsewhere/", Parameters={"theirs": "1"})

        before_call(world, "BatchCreatePartition", make)
        world.register(tables=["demand"])
        descriptor = world.held("demand")[DAY]["StorageDescriptor"]
        assert descriptor["Location"].endswith(f"/demand/partition_date={DAY}/")
        assert descriptor["Parameters"] == {"theirs": "1"}

    def test_a_partition_that_others_made_while_the_table_changes_is_left_to_the_change(self, world: World) -> None:
        world.put("demand", DAY)
        world.set_table_parameters("demand", **{CHANGE_PARAMETER: ChangeMark("change-1").as_parameter()})
        before_call(world, "BatchCreatePartition", lambda: by_hand(world, DAY, Columns=[{"Name": "x", "Type": "int"}]))
        world.register(tables=["demand"])
        assert world.held("demand")[DAY]["StorageDescriptor"]["Columns"] == [{"Name": "x", "Type": "int"}]

    def test_a_change_that_begins_while_partitions_are_listed_is_respected(self, world: World) -> None:
        world.put("demand", DAY)
        world.register(tables=["demand"])
        world.spoil("demand", [DAY])
        mark = ChangeMark("change-1").as_parameter()
        before_call(world, "GetPartitions", lambda: world.set_table_parameters("demand", **{CHANGE_PARAMETER: mark}))
        assert "under change change-1" in world.register(tables=["demand"]).summary[0]
        assert world.held("demand")[DAY]["StorageDescriptor"]["Location"] == "s3://elsewhere/"

    def test_parameters_that_others_set_before_a_repair_are_kept(self, world: World) -> None:
        world.put("demand", DAY)
        world.register(tables=["demand"])
        world.spoil("demand", [DAY])

        def judge() -> None:
            world.change_partition("demand", DAY, parameters={"quality.verdict": "passed"})

        before_call(world, "BatchGetPartition", judge)
        world.register(tables=["demand"])
        assert world.held("demand")[DAY]["Parameters"] == {"quality.verdict": "passed"}

    def test_a_partition_that_others_drop_before_its_repair_is_made_again(self, world: World) -> None:
        world.put("demand", DAY)
        world.register(tables=["demand"])
        before = world.held("demand")
        for operation in ("BatchGetPartition", "BatchUpdatePartition"):
            world.spoil("demand", [DAY])
            before_call(world, operation, lambda: drop_by_hand(world, DAY))
            world.register(tables=["demand"])
            assert world.held("demand") == before

    def test_a_partition_that_is_gone_when_looked_at_again_is_a_failure(self, world: World) -> None:
        world.put("demand", DAY)
        before_call(world, "BatchGetPartition", lambda: drop_by_hand(world, DAY))
        with pytest.raises(PartitionsFailedError, match=f"demand/partition_date={DAY}: missing after writing"):
            world.register(tables=["demand"])

    def test_a_table_that_others_drop_is_an_error_that_names_it(self, world: World) -> None:
        def drop() -> None:
            world.aws.client("glue").delete_table(DatabaseName=world.settings.database, Name="demand")

        before_call(world, "BatchCreatePartition", drop)
        with pytest.raises(CatalogError, match=r"\.demand"):
            world.register(tables=["demand"])

    def test_two_runs_at_once_both_succeed_and_give_what_one_gives(self, world: World) -> None:
        world.put("demand", *(date(2020, 1, 1) + timedelta(days=day) for day in range(400)))
        world.register(tables=["demand"])
        expected = world.held("demand")
        for day in sorted(expected)[:350]:
            drop_by_hand(world, day)
        world.spoil("demand", sorted(expected)[350:])
        codes = job_processes.run_at_once("register_partitions", 2, first_write="glue.BatchCreatePartition")
        assert codes == [0, 0], "both runs succeeded"
        assert world.held("demand") == expected


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_killed_at_any_call_and_run_again_gives_what_one_whole_run_gives(world: World, moment: str) -> None:
    """101 partitions to add and 101 to repair, so that every kind of call comes up, and batches are left half done."""
    old = [date(2020, 1, 1) + timedelta(days=day) for day in range(101)]
    world.put("demand", *old)
    world.register(tables=["demand"])
    world.put("demand", *(day + timedelta(days=1000) for day in old[:-2]))

    def damage() -> None:
        added = [value for value in world.held("demand") if value > "2021"]
        for start in range(0, len(added), 25):
            world.aws.client("glue").batch_delete_partition(
                DatabaseName=world.settings.database,
                TableName="demand",
                PartitionsToDelete=[{"Values": [value]} for value in added[start : start + 25]],
            )
        world.spoil("demand", old)

    world.register(tables=["demand"])
    expected = world.held("demand")
    call, killed = 0, True
    while killed:
        call += 1
        damage()
        killed = job_processes.run_and_kill("register_partitions", call, moment)
        world.register(tables=["demand"])
        assert world.held("demand") == expected, f"killed {moment} call {call}"
    assert call == 11, "two LIST, GetPartitions, GetTable, two creates, read, two updates, read; one run to the end"
