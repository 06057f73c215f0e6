"""A verdict for every partition: what is looked at, what is due, what is said of it, and what that costs."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.expectations import load_suite
from tests.integration.jobs.quality_world import QualityWorld, delivered


if TYPE_CHECKING:
    from collections.abc import Sequence

    from dmd_pipeline.rows import Row
    from tests.integration.jobs.conftest import World


DAY = date(2026, 3, 1)
BEFORE = DAY - timedelta(days=1)


@pytest.fixture
def quality(world: World) -> QualityWorld:
    return QualityWorld(world)


def rows(day: date = DAY, count: int = 30) -> list[Row]:
    """Some rows of the table event, as the demo delivers them."""
    held = [row for (table, _), rows in sorted(delivered().items()) if table == "event" for row in rows if row["date"]]
    found = copy.deepcopy(held[:count])
    for row in found:
        row["date"]["firstSeen"] = f"{day}T12:00:00.000Z"
    return found


def write(quality: QualityWorld, *days: date) -> dict[date, str]:
    """A registered file of the table event in each partition; their keys."""
    keys = {day: quality.write("event", day, rows(day)) for day in days}
    quality.register()
    return keys


def run(quality: QualityWorld, **asked: Any) -> dict[str, str]:
    """The verdicts of one run over the table event."""
    return {name: str(result.verdict) for name, result in quality.run(tables=["event"], **asked).items()}


def due(quality: QualityWorld, **asked: Any) -> dict[date, str]:
    """Which partitions of the table event are to be checked, and why."""
    return {one.partition_date: str(one.reason) for one in quality.look(tables=["event"], **asked).plans[0].due}


def test_every_partition_gets_a_verdict_and_then_needs_none(quality: QualityWorld) -> None:
    quality.fill("event", "sale")
    found = quality.run()
    assert {result.verdict for result in found.values()} <= {"passed", "warned"}
    assert len(found) > 3
    assert not any(plan.due for plan in quality.look().plans)
    told = quality.query("SELECT table_name, partition_date, verdict, rows FROM data_quality_latest")
    assert {f"{table} {day}": (verdict, rows) for table, day, verdict, rows in told} == {
        name: (result.verdict, result.rows) for name, result in found.items()
    }


class TestWhatLeadsToACheck:
    def test_a_late_file_another_suite_or_a_wish_and_nothing_else(self, quality: QualityWorld) -> None:
        write(quality, DAY, BEFORE)
        assert due(quality) == {DAY: "unchecked", BEFORE: "unchecked"}
        run(quality)
        assert due(quality) == {}
        quality.write("event", BEFORE, rows(BEFORE, 3), number=1)
        assert due(quality) == {BEFORE: "stale"}
        run(quality)
        assert due(quality) == {}
        assert due(quality, force=True) == {DAY: "forced", BEFORE: "forced"}
        quality.environment = replace(
            quality.environment, suites=lambda table: replace(load_suite(table), digest="0" * 16)
        )
        assert due(quality) == {DAY: "stale", BEFORE: "stale"}

    def test_silence_for_longer_than_is_expected(self, quality: QualityWorld) -> None:
        """The local AWS writes files now, so the run's clock follows."""
        quality.environment = replace(quality.environment, suites=lambda _: impatient())
        quality.write("demand", DAY, delivered()["demand", DAY])
        (stored,) = quality.world.bucket.objects_below(quality.layout.table_prefix("demand"))
        quality.delete(stored.key)
        later = stored.modified + timedelta(minutes=1)
        quality.write("demand", later.date(), delivered()["demand", DAY])
        quality.now = stored.modified
        quality.register()
        quality.run(tables=["demand"])
        assert not quality.look(tables=["demand"]).plans[0].due
        quality.now = later
        found = quality.look(tables=["demand"]).plans[0].due
        assert {one.partition_date: one.reason for one in found} == {later.date(): "silent"}

    def test_dates_outside_the_window_or_the_range_are_left_out(self, quality: QualityWorld) -> None:
        old, ahead = DAY - timedelta(days=31), DAY + timedelta(days=200)
        write(quality, old, BEFORE, ahead)
        quality.settle(window_days=30)
        assert set(due(quality)) == {BEFORE, ahead}
        assert set(due(quality, window_days=31)) == {old, BEFORE, ahead}
        assert set(due(quality, from_date=str(old), to_date=str(old))) == {old}
        assert set(due(quality, to_date=str(BEFORE))) == {old, BEFORE}
        assert set(due(quality, from_date=str(DAY))) == {ahead}

    def test_a_dry_run_writes_nothing(self, quality: QualityWorld) -> None:
        write(quality, DAY)
        quality.aws.calls.clear()
        look = quality.look(tables=["event"], dry_run=True)
        assert [one.partition_date for one in look.plans[0].due] == [DAY]
        assert look.as_data()["chunks"] == []
        assert quality.objects() == {}
        assert set(quality.aws.calls.totals()) == {"s3:ListObjectsV2", "glue:GetPartitions", "s3:GetObject"}


def impatient() -> Any:
    """The suite of demand, in which files arrive every few seconds."""
    suite = load_suite("demand")
    hasty = tuple(
        replace(each, kwargs={**each.kwargs, "max_value": 0.01}) if each.id == "files_arrive" else each
        for each in suite.expectations
    )
    return replace(suite, expectations=hasty)


@pytest.mark.parametrize("engine", ["memory", "athena"])
class TestUnknown:
    """Nobody may rely on what could not be checked; its neighbours get their verdicts."""

    def test_what_cannot_be_read_or_is_not_seen(self, quality: QualityWorld, engine: str) -> None:
        days = [DAY - timedelta(days=days) for days in range(5)]
        sound, none, damaged, elsewhere, unregistered = days
        keys = write(quality, sound, damaged, elsewhere)
        quality.write("event", none, [])
        quality.register()
        quality.write("event", unregistered, rows(unregistered))
        body = quality.world.bucket.read(keys[damaged])
        quality.put(keys[damaged], body[: len(body) // 2])
        quality.world.change_partition("event", elsewhere, Location=f"s3://{quality.world.settings.bucket}/elsewhere/")
        found = quality.run(tables=["event"], engine=engine)
        verdicts = {result.partition_date: str(result.verdict) for result in found.values()}
        assert verdicts == {day: "passed" if day == sound else "unknown" for day in days}
        reasons = {result.partition_date: result.reason or "" for result in found.values()}
        assert reasons[sound] == ""
        assert reasons[none] == "it has files, and no rows"
        assert "Glue does not know it" in reasons[unregistered]
        assert reasons[damaged]
        assert "location" in reasons[elsewhere]
        assert {one.day for one in quality.told} == set(days) - {sound}
        quality.told.clear()
        again = {result.partition_date for result in quality.run(tables=["event"], engine=engine).values()}
        assert sound not in again
        assert quality.told == []

    def test_what_comes_while_it_is_checked_is_allowed_for(self, quality: QualityWorld, engine: str) -> None:
        write(quality, DAY)
        look, workgroup = quality.look(tables=["event"]), quality.environment.workgroup

        def late() -> Any:
            quality.write("event", DAY, rows(count=37)[30:], number=1)
            return workgroup()

        quality.environment = replace(quality.environment, workgroup=late)
        (report,) = quality.check(look, engine=engine)
        assert report.counts == {"event": {"passed": 1}}
        assert due(quality) == {DAY: "stale"}


def damage(quality: QualityWorld, day: date, *, times: int = 1) -> Sequence[Row]:
    """Rows with an empty id take the place of a partition's."""
    broken = rows(day)
    for row in broken[:times]:
        row["id"] = ""
    quality.write("event", day, broken)
    return broken


class TestWhatIsTold:
    def test_an_alert_is_for_a_partition_and_its_content(self, quality: QualityWorld) -> None:
        damage(quality, DAY)
        quality.register()
        for _ in range(2):
            run(quality, force=True)
        assert [one.title for one in quality.told] == ["event 2026-03-01: failed"]
        quality.write("event", DAY, rows(), number=1)
        run(quality)
        assert len(quality.told) == 2

    def test_only_dates_that_passed_are_given_on(self, quality: QualityWorld) -> None:
        write(quality, BEFORE)
        damage(quality, DAY)
        quality.register()
        (report,) = quality.check(quality.look(tables=["event"]))
        assert report.as_data()["partition_keys"] == {"event": ["2026-02-28"]}

    def test_analysts_gate_in_sql(self, quality: QualityWorld) -> None:
        write(quality, BEFORE)
        damage(quality, DAY)
        quality.register()
        run(quality)
        gated = """SELECT DISTINCT partition_date FROM event WHERE partition_date IN (
            SELECT partition_date FROM data_quality_latest WHERE table_name = 'event' AND verdict = 'passed')"""
        assert quality.query(gated) == [("2026-02-28",)]
        quality.write("event", DAY, rows())
        quality.now += timedelta(hours=1)
        run(quality, force=True)
        assert sorted(quality.query(gated)) == [("2026-02-28",), ("2026-03-01",)]
        assert quality.query("SELECT count(*) FROM data_quality_latest") == [(2,)]


def test_a_table_that_is_gone_fails_alone(quality: QualityWorld) -> None:
    write(quality, DAY)
    quality.write("sale", DAY, next(held for (table, _), held in delivered().items() if table == "sale"))
    quality.register()
    look = quality.look()
    quality.aws.client("glue").delete_table(DatabaseName=quality.world.settings.database, Name="sale")
    (report,) = quality.check(look)
    assert [one.name for one in report.checked if one.result.verdict == "passed"] == ["event 2026-03-01"]
    assert "sale" not in report.as_data()["partition_keys"]
    again = quality.look()
    assert set(again.errors) == {"sale"}
    assert {plan.table for plan in again.plans} >= {"event", "demand"}


def test_a_broken_summary_is_made_again_from_the_results(quality: QualityWorld) -> None:
    write(quality, DAY, BEFORE)
    run(quality)
    before = quality.entries("event")
    quality.put(quality.layout.quality_summary_key("event", 2026), b'{"version": 1')
    assert due(quality) == {}
    assert quality.entries("event") == before


@pytest.mark.parametrize("engine", ["memory", "athena"])
def test_no_personal_data_gets_out(quality: QualityWorld, caplog: pytest.LogCaptureFixture, engine: str) -> None:
    """Deleted rows that were not redacted break an expectation, and are its sample."""
    caplog.set_level("DEBUG", logger="dmd_pipeline")
    secrets = {"email": "jane@fans.example.com", "phoneNumber": "+1-555-0100", "messageBody": "Dear Jane, row 7 waits"}
    (_, day), held = max(
        (item for item in delivered().items() if item[0][0] == "notification"), key=lambda item: len(item[1])
    )
    broken = copy.deepcopy(held[:20])
    for row in broken:
        row.update(secrets, isDeleted=True)
    quality.write("notification", day, broken)
    quality.register()
    (result,) = quality.run(tables=["notification"], engine=engine, from_date=str(day), to_date=str(day)).values()
    assert {"deleted_email_redacted", "deleted_phone_redacted", "deleted_message_redacted"} <= set(
        result.failed_expectations
    )
    assert all(one.sample for one in result.expectations if one.id.startswith("deleted_"))
    (told,) = quality.told
    texts = [body.decode() for body in quality.objects().values()]
    texts += [told.title, told.text, str(told), caplog.text]
    assert len(texts) >= 7
    for secret in secrets.values():
        assert not [text for text in texts if secret in text or json.dumps(secret)[1:-1] in text]


class TestCost:
    def test_a_look_that_finds_nothing_new_costs_a_share_of_a_listing(self, quality: QualityWorld) -> None:
        write(quality, DAY, BEFORE, date(2027, 1, 1))
        run(quality)
        quality.aws.calls.clear()
        assert due(quality) == {}
        assert quality.aws.calls.totals() == {
            "s3:ListObjectsV2": 2,
            "glue:GetPartitions": 1,
            "s3:GetObject": 2,
            "s3:PutObject": 2,
            "glue:GetTable": 2,
        }

    @pytest.mark.parametrize(("engine", "bad", "statements"), [("athena", 0, 1), ("athena", 2, 3), ("memory", 2, 1)])
    def test_a_chunk_is_counted_in_one_statement_and_asked_once_more_for_each_bad_partition(
        self, quality: QualityWorld, engine: str, bad: int, statements: int
    ) -> None:
        days = [DAY - timedelta(days=days) for days in range(4)]
        keys = write(quality, *days)
        for day in days[:bad]:
            damage(quality, day)
        look = quality.look(tables=["event"])
        quality.aws.calls.clear()
        (report,) = quality.check(look, engine=engine)
        calls = quality.aws.calls.totals()
        assert calls["athena:StartQueryExecution"] == statements
        assert calls["s3:PutObject"] == 2 * len(days) + 1
        assert calls["glue:BatchGetPartition"] == 1
        assert calls["s3:ListObjectsV2"] == len(days)
        size = sum(len(quality.world.bucket.read(key)) for key in keys.values())
        scanned = report.cost["scanned_bytes"]
        if engine == "athena" and not bad:
            assert scanned == pytest.approx(size, abs=len(days))
        elif engine == "athena":
            assert size < scanned <= 2 * size
