"""What leads to a check without anything having changed, what fails alone, and what never gets out."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.expectations import load_suite
from dmd_pipeline.jobs import partition_checks
from dmd_pipeline.quality_documents import Seen
from tests.integration.jobs.quality_world import QualityWorld, delivered
from tests.unit.results_of import result as result_of
from tests.unit.test_quality_documents import seen


if TYPE_CHECKING:
    from dmd_pipeline.quality_documents import Result
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


def test_silence_for_longer_than_is_expected(quality: QualityWorld) -> None:
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


def impatient() -> Any:
    """The suite of demand, in which files arrive every few seconds."""
    suite = load_suite("demand")
    hasty = tuple(
        replace(each, kwargs={**each.kwargs, "max_value": 0.01}) if each.id == "files_arrive" else each
        for each in suite.expectations
    )
    return replace(suite, expectations=hasty)


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


def test_two_runs_at_once_on_other_partitions_keep_both(quality: QualityWorld) -> None:
    write(quality, BEFORE, DAY)
    quality.look(tables=["event"])
    with ThreadPoolExecutor(2) as runs:
        for day in (BEFORE, DAY):
            runs.submit(
                partition_checks.check,
                quality.environment,
                {"event": [str(day)]},
                run_id=str(day),
                now=lambda: quality.now,
            )
    found = {day: entry.verdict.run_id for day, entry in quality.entries("event").items() if entry.verdict}
    assert found == {BEFORE: str(BEFORE), DAY: str(DAY)}


@pytest.mark.parametrize("engine", ["memory", "athena"])
class TestFacts:
    """What is known otherwise than by rows warns beyond its bound, and not at it."""

    @pytest.mark.parametrize(("orphans", "warns"), [(2, False), (3, True)])
    def test_rows_whose_event_is_not_there(self, quality: QualityWorld, engine: str, orphans: int, warns: bool) -> None:
        """Of forty rows, two are the twentieth that is tolerated."""
        write(quality, BEFORE)
        known = str(rows()[0]["id"])
        made = [{**row, "eventId": "unheard-of" if at < orphans else known} for at, row in enumerate(demands(40))]
        quality.write("demand", DAY, made)
        quality.register()
        result = quality.run(engine=engine, tables=["demand"])[f"demand {DAY}"]
        assert ("event_exists" in result.warned_expectations) is warns
        assert {one.id: one.observed for one in result.expectations}["event_exists"] == 100 * orphans / 40

    @pytest.mark.parametrize(("count", "warns"), [(30, False), (29, True)])
    def test_fewer_rows_than_is_usual(self, quality: QualityWorld, engine: str, count: int, warns: bool) -> None:
        """Of a hundred rows on the same weekday of three weeks, three tenths are enough."""
        day = DAY - timedelta(days=1)
        before = [day - timedelta(weeks=week) for week in (1, 2, 3)]
        held = delivered_on(demands(30), day)
        quality.write("demand", day, held[:count])
        quality.register()
        look = quality.look(tables=["demand"])
        quality.environment.store.record_results("demand", {week: usual(week) for week in before}, quality.now)
        (report,) = quality.check(look, engine=engine)
        [result] = [one.result for one in report.checked if one.day == day]
        assert ("rows_as_usual" in result.warned_expectations) is warns
        assert {one.id: one.observed for one in result.expectations}["rows_as_usual"] == count / 100


def demands(count: int) -> list[Row]:
    """Rows of the table demand."""
    held = [row for (table, _), rows in sorted(delivered().items()) if table == "demand" for row in rows]
    return copy.deepcopy(held[:count])


def delivered_on(held: list[Row], day: date) -> list[Row]:
    """The rows in the partition of another date."""
    for row in held:
        row["date"] = {**(row["date"] or {}), "requested": f"{day}T12:00:00.000Z"}
    return held


def usual(day: date) -> tuple[Seen, Result]:
    """A verdict on a partition of a hundred rows."""
    held = result_of("passed", rows=100, partition_date=str(day))
    return Seen.model_validate(seen()), held
