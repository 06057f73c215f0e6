"""A verdict for every partition: what is looked at, what is due, what is said of it, and what that costs."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.errors import ChecksFailedError, ParameterError
from dmd_pipeline.expectations import load_suite
from dmd_pipeline.jobs import partition_checks
from dmd_pipeline.jobs.partition_contents import Bodies
from dmd_pipeline.jobs.quality_counts import MOST_FAILURES, count
from dmd_pipeline.quality import State, state_of
from tests.integration.jobs.quality_world import NOW, QualityWorld, delivered


if TYPE_CHECKING:
    from dmd_pipeline.quality_documents import Result
    from dmd_pipeline.rows import Row
    from tests.integration.jobs.conftest import World

TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
MAIL = "left.behind@fans.example.com"
PHONE = "+1-555-0100-777"


@pytest.fixture
def quality(world: World) -> QualityWorld:
    return QualityWorld(world)


def rows_of(table: str, at_most: int = 40) -> tuple[date, list[Row]]:
    """The demo's largest partition of a table, cut."""
    day = max((len(rows), day) for (name, day), rows in delivered().items() if name == table)[1]
    return day, [dict(row) for row in delivered()[table, day][:at_most]]


def unredacted(rows: list[Row], count: int = 1) -> list[Row]:
    """Deleted rows that still hold what should be redacted."""
    damage = {"isDeleted": True, "email": MAIL, "phoneNumber": PHONE}
    return [
        {**row, **damage, "reference": {**row["reference"], "id": f"event-{number}_sale-1_fan-1"}}
        for number, row in enumerate(rows[:count])
    ]


class TestDue:
    """What is checked, and what is not."""

    def test_every_partition_gets_a_verdict_and_then_needs_none(self, quality: QualityWorld) -> None:
        quality.fill("event", "sale")
        found = quality.run()
        assert len(found) == sum(table in {"event", "sale"} for table, _ in delivered())
        assert {result.verdict for result in found.values()} <= {"passed", "warned"}
        quality.aws.calls.clear()
        again = quality.look()
        assert not any(plan.due for plan in again.plans)
        assert again.chunks == ()
        assert "athena:StartQueryExecution" not in quality.aws.calls.totals()

    def test_a_late_file_leads_to_a_new_verdict_on_that_partition_alone(self, quality: QualityWorld) -> None:
        quality.fill("event")
        before = quality.run()
        day, rows = rows_of("event", 3)
        quality.write("event", day, rows, number=1)
        assert state_of(quality.entries("event")[day], load_suite("event").digest) is not State.STALE
        look = quality.look()
        assert state_of(quality.entries("event")[day], load_suite("event").digest) is State.STALE
        [report] = quality.check(look)
        [checked] = report.checked
        assert checked.name == f"event {day}"
        assert checked.result.rows == (before[checked.name].rows or 0) + 3

    def test_other_expectations_lead_to_new_verdicts(self, quality: QualityWorld, monkeypatch: Any) -> None:
        quality.fill("sale")
        quality.run()
        suite = load_suite("sale")
        monkeypatch.setattr(type(quality.environment), "suites", None, raising=False)
        object.__setattr__(quality.environment, "suites", lambda table: _with_digest(load_suite(table), suite.digest))
        assert [len(plan.due) for plan in quality.look(tables=["sale"]).plans] == [2]

    def test_force_checks_what_needs_no_check(self, quality: QualityWorld) -> None:
        quality.fill("sale")
        first = quality.run()
        quality.now += timedelta(hours=1)
        second = quality.run(force=True)
        assert set(second) == set(first)
        assert all(second[name].checked_at > first[name].checked_at for name in first)

    def test_the_window_goes_back_and_ahead_and_a_range_is_a_range(self, quality: QualityWorld) -> None:
        _, rows = rows_of("sale", 2)
        days = [TODAY - timedelta(days=31), TODAY - timedelta(days=30), TODAY, TODAY + timedelta(days=400)]
        for day in days:
            quality.write("sale", day, rows)
        quality.register()
        assert _due(quality.look(tables=["sale"])) == days[1:]
        assert _due(quality.look(tables=["sale"], window_days=31)) == days
        assert _due(quality.look(tables=["sale"], to_date=str(days[0]))) == days[:1]
        assert _due(quality.look(tables=["sale"], from_date=str(days[1]), to_date=str(days[2]))) == days[1:3]

    @pytest.mark.parametrize(
        ("asked", "complaint"),
        [
            ({"tables": ["demnad"]}, "unknown 'demnad'"),
            ({"from_date": "2026-3-1"}, "expected a date as YYYY-MM-DD"),
            ({"from_date": "2026-03-02", "to_date": "2026-03-01"}, "is after to_date"),
        ],
    )
    def test_what_makes_no_sense_is_refused_before_anything_is_read(
        self, quality: QualityWorld, asked: dict[str, Any], complaint: str
    ) -> None:
        with pytest.raises(ParameterError, match=complaint):
            quality.look(**asked)
        assert quality.aws.calls.totals() == {}

    def test_a_dry_run_writes_nothing(self, quality: QualityWorld) -> None:
        quality.fill("sale")
        look = quality.look(dry_run=True)
        assert "unchecked" in str(look.plans[-1])
        assert look.as_data()["chunks"] == []
        assert quality.objects() == {}
        assert not {name for name in quality.aws.calls.totals() if "Put" in name or "Create" in name}


class TestVerdicts:
    """What is said of a partition."""

    @pytest.mark.parametrize("engine", ["memory", "athena"])
    def test_red_and_green_and_told_once(self, quality: QualityWorld, engine: str) -> None:
        day, rows = rows_of("demand")
        quality.write("demand", day, rows)
        quality.register()
        name = f"demand {day}"
        green = quality.run(engine=engine, tables=["demand"])[name]
        damage = quality.write("demand", day, unredacted(rows), number=1)
        red = quality.run(engine=engine, tables=["demand"])[name]
        assert [one.title for one in quality.told] == [f"{name}: failed"]
        quality.run(engine=engine, tables=["demand"], force=True)
        assert len(quality.told) == 1
        quality.delete(damage)
        back = quality.run(engine=engine, tables=["demand"])[name]
        # The events that the rows refer to are not there.
        assert (green.verdict, red.verdict, back.verdict) == ("warned", "failed", "warned")
        assert set(red.failed_expectations) == {"deleted_email_redacted", "deleted_phone_redacted"}
        assert green.content == back.content != red.content
        assert "No deleted row keeps an e-mail address." in quality.told[0].text
        written = b"".join(quality.objects().values()).decode()
        assert red.expectations
        assert "deleted_email_redacted" in written
        assert MAIL not in written
        assert PHONE not in written

    def test_a_chunk_goes_on_past_bad_partitions_and_fails_at_its_end(self, quality: QualityWorld) -> None:
        day, rows = rows_of("demand")
        quality.write("demand", day, [*rows, *unredacted(rows)])
        damaged = TODAY - timedelta(days=9)
        quality.put(f"{quality.layout.partition_prefix('demand', damaged)}broken.avro", b"Obj\x01 and no more")
        quality.write("sale", TODAY, rows_of("sale", 5)[1])
        quality.register()
        [chunk] = quality.look().as_data()["chunks"]
        with pytest.raises(ChecksFailedError) as caught:
            partition_checks.check(quality.environment, chunk, run_id="test", now=lambda: NOW)
        assert f"demand failed: {day}" in str(caught.value)
        assert f"demand unknown: {damaged}" in str(caught.value)
        assert "broken.avro" in str(caught.value)
        assert len(caught.value.reasons) <= 10
        assert quality.entries("sale")[TODAY].verdict is not None

    def test_what_cannot_be_told_is_unknown_and_says_why(self, quality: QualityWorld) -> None:
        _, rows = rows_of("event", 3)
        days = [TODAY - timedelta(days=number) for number in range(4)]
        quality.write("event", days[0], [])
        quality.write("event", days[2], rows)
        quality.write("event", days[3], rows)
        quality.register()
        quality.write("event", days[1], rows)  # after the registration
        quality.world.change_partition("event", days[3], Location=quality.layout.partition_location("event", days[2]))
        quality.write("event", days[2], rows, number=2)
        found = quality.run(tables=["event"])
        reasons = {day: found[f"event {day}"].reason for day in days}
        assert {day: found[f"event {day}"].verdict for day in days} == {
            days[0]: "unknown",
            days[1]: "unknown",
            days[2]: "failed",  # its rows are of another date
            days[3]: "unknown",
        }
        assert reasons[days[0]] == "it has files, and no rows"
        assert "run the DAG register_partitions" in str(reasons[days[1]])
        assert "Athena counts 6 rows, and the block headers of its files 3" in str(reasons[days[3]])
        assert len(quality.told) == 4
        quality.run(tables=["event"])
        assert len(quality.told) == 4, "each is told once"
        quality.register()
        assert quality.run(tables=["event"])[f"event {days[1]}"].verdict != "unknown"

    def test_a_file_that_comes_between_listing_and_query_is_allowed_for(
        self, quality: QualityWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        day, rows = rows_of("event", 5)
        quality.write("event", day, rows)
        quality.register()
        [chunk] = quality.look(tables=["event"]).as_data()["chunks"]

        def late(*arguments: Any, **named: Any) -> Any:
            quality.write("event", day, rows[:2], number=7)
            return count(*arguments, **named)

        with monkeypatch.context() as patched:
            patched.setattr("dmd_pipeline.jobs.partition_checks.count", late)
            report = partition_checks.check(quality.environment, chunk, run_id="test", now=lambda: NOW)
        [checked] = report.checked
        assert checked.result.verdict != "unknown", checked.result.reason
        assert (checked.result.rows, checked.result.files) == (5, 1)
        assert _due(quality.look(tables=["event"])) == [day], "what came has to be checked, too"

    def test_files_that_go_away_meanwhile_make_it_unknown_until_the_next_run(
        self, quality: QualityWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        day, rows = rows_of("event", 5)
        quality.write("event", day, rows)
        gone = quality.write("event", day, rows, number=1)
        quality.register()
        [chunk] = quality.look(tables=["event"]).as_data()["chunks"]

        def early(*arguments: Any, **named: Any) -> Any:
            counted = count(*arguments, **named)
            quality.delete(gone)
            return counted

        monkeypatch.setattr("dmd_pipeline.jobs.partition_checks.count", early)
        with pytest.raises(ChecksFailedError, match="event unknown"):
            partition_checks.check(quality.environment, chunk, run_id="test", engine="athena", now=lambda: NOW)
        monkeypatch.setattr("dmd_pipeline.jobs.partition_checks.count", count)
        [result] = quality.run(tables=["event"]).values()
        assert result.rows == 5, result.reason

    def test_a_library_that_stumbles_over_one_partition_spoils_no_other(
        self, quality: QualityWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        quality.fill("sale")
        read = Bodies.read

        def stumbling(bodies: Bodies, schema: Any) -> Any:
            if bodies.partition.day == TODAY:
                raise RuntimeError(f"cannot digest {MAIL}")
            return read(bodies, schema)

        monkeypatch.setattr(Bodies, "read", stumbling)
        found = quality.run()
        assert found[f"sale {TODAY}"].reason == "its check broke (RuntimeError): the log of the task says where"
        assert {str(one.verdict) for name, one in found.items() if name != f"sale {TODAY}"} <= {"passed", "warned"}
        assert len(found) > 1
        assert "stumbling" in caplog.text
        assert MAIL not in caplog.text

    def test_what_failed_or_is_unknown_is_no_measure_of_later_partitions(self, quality: QualityWorld) -> None:
        _, rows = rows_of("demand", 60)
        weeks = [YESTERDAY - timedelta(weeks=number) for number in range(1, 5)]
        for number, week in enumerate(weeks):
            quality.write("demand", week, rows if number else unredacted(rows, 60))
        quality.write("demand", YESTERDAY, rows[:6])
        quality.register()
        found = quality.run(tables=["demand"], from_date=str(weeks[-1]), to_date=str(weeks[0]))
        assert {result.verdict for result in found.values()} == {"failed"}, "none lies in its own business date"
        found = quality.run(tables=["demand"])
        observed = {one.id: one.observed for one in found[f"demand {YESTERDAY}"].expectations}
        assert observed["rows_as_usual"] is None


class TestTables:
    """The verdicts in Athena."""

    def test_a_query_takes_only_what_passed(self, quality: QualityWorld) -> None:
        quality.fill("sale", "event")
        found = quality.run()
        passed = {
            str(one.partition_date)
            for name, one in found.items()
            if name.startswith("sale") and one.verdict == "passed"
        }
        assert passed
        gated = quality.query(
            "SELECT DISTINCT partition_date FROM sale WHERE partition_date IN (SELECT partition_date FROM "
            "data_quality_latest WHERE table_name = 'sale' AND verdict = 'passed')"
        )
        assert {row[0] for row in gated} == passed

    def test_the_newest_result_counts_and_the_older_ones_stay(self, quality: QualityWorld) -> None:
        day, rows = rows_of("sale", 5)
        quality.write("sale", day, rows)
        quality.register()
        quality.run(tables=["sale"])
        quality.write("sale", day, rows[:2], number=1)
        quality.now += timedelta(minutes=1)
        quality.run(tables=["sale"])
        assert quality.query("SELECT rows FROM data_quality ORDER BY checked_at") == [(5,), (7,)]
        assert quality.query("SELECT rows, cost.queries FROM data_quality_latest") == [(7, 1)]

    def test_a_table_of_somebody_else_is_left_as_it_is(self, quality: QualityWorld) -> None:
        glue, database = quality.aws.client("glue"), quality.world.settings.database
        storage = {"Columns": [{"Name": "theirs", "Type": "string"}], "Location": "s3://elsewhere/"}
        glue.create_table(DatabaseName=database, TableInput={"Name": "data_quality", "StorageDescriptor": storage})
        before = quality.world.table("data_quality")
        quality.write("sale", TODAY, rows_of("sale", 2)[1])
        quality.register()
        look = quality.look(tables=["sale"])
        assert set(look.errors) == {"data_quality"}
        assert "is somebody else's" in look.errors["data_quality"]
        assert "rename it" in look.errors["data_quality"]
        assert quality.world.table("data_quality") == before
        assert _due(look) == [TODAY], "what is to be checked is checked all the same"

    def test_both_are_made_once_and_mended_when_somebody_changed_them(self, quality: QualityWorld) -> None:
        quality.look()
        before = quality.world.table("data_quality")
        quality.aws.calls.clear()
        quality.look()
        assert not {"glue:CreateTable", "glue:UpdateTable", "athena:StartQueryExecution"} & set(
            quality.aws.calls.totals()
        )
        glue, database = quality.aws.client("glue"), quality.world.settings.database
        storage = {**before["StorageDescriptor"], "Columns": before["StorageDescriptor"]["Columns"][:3]}
        changed = {"Name": "data_quality", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage}
        glue.update_table(DatabaseName=database, TableInput=changed)
        glue.delete_table(DatabaseName=database, Name="data_quality_latest")
        quality.look()
        assert (
            quality.world.table("data_quality")["StorageDescriptor"]["Columns"]
            == before["StorageDescriptor"]["Columns"]
        )
        assert quality.query("SELECT count(*) FROM data_quality_latest") == [(0,)]


class TestSummaries:
    """What is known of partitions."""

    @pytest.mark.parametrize("body", [b'{"version": 1, "table": "sale"', None])
    def test_one_that_is_damaged_or_deleted_is_made_again_from_the_results(
        self, quality: QualityWorld, caplog: pytest.LogCaptureFixture, body: bytes | None
    ) -> None:
        quality.fill("sale")
        quality.run()
        before = quality.entries("sale")
        key = quality.layout.quality_summary_key("sale", 2026)
        if body is None:
            quality.delete(key)
        else:
            quality.put(key, body)
        assert not any(plan.due for plan in quality.look(tables=["sale"]).plans)
        assert quality.entries("sale") == before
        assert (f"broken document: {key}" in caplog.text) is (body is not None)

    def test_a_partition_that_has_gone_is_empty_and_keeps_its_last_verdict(self, quality: QualityWorld) -> None:
        day, rows = rows_of("sale", 5)
        quality.delete(quality.write("sale", day, rows))
        key = quality.write("sale", day, rows)
        quality.register()
        quality.run(tables=["sale"])
        quality.delete(key)
        quality.aws.client("glue").delete_partition(
            DatabaseName=quality.world.settings.database, TableName="sale", PartitionValues=[str(day)]
        )
        quality.look(tables=["sale"])
        entry = quality.entries("sale")[day]
        assert state_of(entry, load_suite("sale").digest) is State.EMPTY
        assert entry.verdict is not None

    def test_a_look_at_a_range_says_nothing_of_the_rest(self, quality: QualityWorld) -> None:
        quality.fill("sale")
        quality.run()
        [before] = {entry.seen.content for day, entry in quality.entries("sale").items() if day == TODAY and entry.seen}
        quality.write("sale", TODAY, rows_of("sale", 1)[1], number=9)
        quality.look(tables=["sale"], from_date=str(TODAY + timedelta(days=1)))
        seen = quality.entries("sale")[TODAY].seen
        assert seen is not None
        assert seen.content == before


class TestCosts:
    """The formulas of the docstrings."""

    def test_a_look_at_partitions_that_nobody_touched(self, quality: QualityWorld) -> None:
        quality.fill("sale", "event")
        quality.run()
        quality.aws.calls.clear()
        quality.look(tables=["sale", "event"])
        assert quality.aws.calls.totals() == {
            "s3:ListObjectsV2": 2 * (1 + 1),  # of the objects, and of the summaries
            "glue:GetPartitions": 2,
            "s3:GetObject": 2,
            "s3:PutObject": 2,
            "glue:GetTable": 2,  # of the results and of the newest
        }

    @pytest.mark.parametrize("engine", ["memory", "athena"])
    def test_a_check(self, quality: QualityWorld, engine: str) -> None:
        quality.fill("event")
        days = [day for table, day in delivered() if table == "event"]
        [chunk] = quality.look(tables=["event"]).as_data()["chunks"]
        quality.aws.calls.clear()
        partition_checks.check(quality.environment, chunk, run_id="test", engine=engine, now=lambda: NOW)
        calls = quality.aws.calls.totals()
        bad = [one for one in quality.entries("event").values() if one.verdict and one.verdict.warned]
        statements = 1 + (len(bad) if engine == "athena" else 0)
        assert calls["athena:StartQueryExecution"] == statements
        assert {name: count for name, count in calls.items() if not name.startswith("athena")} == {
            "s3:ListObjectsV2": len(days),
            "glue:BatchGetPartition": 1,
            "glue:GetTable": 1,
            "s3:GetObject": len(days) + 2,  # the files; the summary, for what is known and to be changed
            "s3:PutObject": 2 * len(days) + 1,
        }

    def test_two_statements_at_most_and_each_byte_once_when_all_passes(self, quality: QualityWorld) -> None:
        day, rows = rows_of("sale")
        quality.write("sale", day, rows)
        quality.register()
        [result] = quality.run(engine="athena", tables=["sale"]).values()
        assert result.verdict == "passed"
        assert result.cost.queries == 1
        assert result.cost.scanned_bytes == result.bytes
        assert result.cost.dollars == pytest.approx(10 * 2**20 / 2**40 * 5), "Athena's least"

    def test_the_broken_partition_among_many_costs_two_logarithms(self, quality: QualityWorld) -> None:
        _, rows = rows_of("sale", 2)
        days = [TODAY - timedelta(days=number) for number in range(16)]
        for day in days:
            quality.write("sale", day, rows)
        quality.put(f"{quality.layout.partition_prefix('sale', days[5])}broken.avro", b"no container file")
        quality.register()
        quality.aws.calls.clear()
        found = quality.run(tables=["sale"])
        assert [str(one.partition_date) for one in found.values() if one.verdict == "unknown"] == [str(days[5])]
        made = 1  # the view
        assert quality.aws.calls.totals()["athena:StartQueryExecution"] - made <= 1 + 2 * 4
        assert MOST_FAILURES > 1 + 2 * 4


def volatile(result: Result) -> dict[str, Any]:
    """A result without what differs from engine to engine."""
    found = result.model_dump(mode="json", exclude={"cost", "engine", "checked_at", "run_id"})
    for finding in found["expectations"]:
        # More rows than are shown: each engine shows others.
        finding["sample"] = (
            sorted(map(json.dumps, finding["sample"]))
            if (finding["unexpected_count"] or 0) <= 10
            else len(finding["sample"])
        )
    return found


@pytest.mark.parametrize("table", ["demand", "event", "notification", "sale"])
def test_both_engines_say_the_same_of_every_defect(quality: QualityWorld, table: str) -> None:
    from tests.integration.jobs.test_suites_on_traffic import DAMAGES

    day, rows = rows_of(table)
    quality.write(table, day, [])
    quality.register()
    verdicts: Counter[str] = Counter()
    usable = next(row for row in rows if table == "sale" or not (row["isDeleted"] or row["date"] is None))
    for name, damage in {"none": lambda _: None, **DAMAGES[table]}.items():
        damaged = json.loads(json.dumps(usable))
        damage(damaged)
        try:
            quality.write(table, day, [*rows[:20], damaged])
        except (TypeError, ValueError):
            verdicts["cannot be written"] += 1  # the schema forbids it
            continue
        results = []
        for engine in ("memory", "athena"):
            reports: list[Any] = []
            with contextlib.suppress(ChecksFailedError):
                partition_checks.check(
                    quality.environment, {table: [str(day)]}, run_id="test", engine=engine, now=lambda: NOW,
                    report_to=reports.append,
                )  # fmt: skip
            results.append(reports[0].checked[0].result)
        first, second = results
        assert volatile(first) == volatile(second), name
        assert first.failed_expectations == (() if name == "none" else (name,))
        verdicts[first.verdict] += 1
    assert verdicts["failed"] == len(DAMAGES[table]) - verdicts["cannot be written"] >= 10


@pytest.mark.parametrize("engine", ["memory", "athena"])
@pytest.mark.parametrize(
    ("expectation", "of_rows", "tolerated"),
    [("demand_type_mostly_given", 40, 20), ("contact_method_mostly_given", 40, 20), ("rows_not_doubled", 40, 4)],
)
def test_a_threshold_is_where_it_is_said_to_be(
    quality: QualityWorld, engine: str, expectation: str, of_rows: int, tolerated: int
) -> None:
    day, rows = rows_of("demand", 60)
    distinct = [
        {**row, "isDeleted": False, "demandType": "remind", "contactMethod": "sms",
         "reference": {**row["reference"], "id": f"event-{number}_sale-1_fan-1"}}
        for number, row in enumerate(rows[:of_rows])
    ]  # fmt: skip
    for broken in (tolerated, tolerated + 1):
        if expectation == "rows_not_doubled":
            made = [*distinct[: of_rows - broken], *(distinct[:1] * broken)] if broken > tolerated else [
                *distinct[: of_rows - tolerated + 1], *(distinct[:1] * (tolerated - 1))
            ]  # fmt: skip
        else:
            field = "demandType" if "type" in expectation else "contactMethod"
            made = [{**row, field: None} if number < broken else row for number, row in enumerate(distinct)]
        quality.write("demand", day, made)
        quality.register()
        result = quality.run(engine=engine, tables=["demand"], force=True)[f"demand {day}"]
        assert result.rows == of_rows
        assert (expectation in result.warned_expectations) is (broken > tolerated), broken


def _with_digest(suite: Any, old: str) -> Any:
    from dataclasses import replace

    assert suite.digest == old
    return replace(suite, digest=old[::-1])


def _due(look: Any) -> list[date]:
    return sorted(one.partition_date for plan in look.plans for one in plan.due)
