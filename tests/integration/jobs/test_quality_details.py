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
from tests.integration.jobs.quality_world import QualityWorld, delivered


if TYPE_CHECKING:
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
