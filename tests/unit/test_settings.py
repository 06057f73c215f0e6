"""Settings: every environment's file is valid and of a kind; every mistake is told by file, key and expectation."""

from __future__ import annotations

import re
import shutil
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pydantic import BaseModel

from dmd_pipeline.errors import SettingsError
from dmd_pipeline.settings import INCLUDE, Settings, load_settings


if TYPE_CHECKING:
    from pathlib import Path


ENVIRONMENTS = ["dev1", "local", "preprod1", "prod1", "qa1"]


def _keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Dotted path of every setting."""
    found: list[str] = []
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found += _keys(annotation, f"{prefix}{name}.")
        else:
            found.append(f"{prefix}{name}")
    return found


@pytest.fixture
def include(tmp_path: Path) -> Path:
    """A folder of one's own with all environments."""
    shutil.copytree(INCLUDE / "environments", tmp_path / "environments")
    return tmp_path


def _change(include: Path, key: str, value: Any = None, *, remove: bool = False) -> Path:
    """Change one key of the environment ``local``."""
    path = include / "environments" / "local.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    *above, name = key.split(".")
    holder = values
    for part in above:
        holder = holder[part]
    if remove:
        del holder[name]
    else:
        holder[name] = value
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def test_these_are_all_the_environments() -> None:
    assert sorted(path.stem for path in (INCLUDE / "environments").iterdir()) == ENVIRONMENTS


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_is_valid(environment: str) -> None:
    assert load_settings(environment).environment == environment


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_states_every_setting(environment: str) -> None:
    """No setting has a default: what an environment does is seen in its file."""
    values = yaml.safe_load((INCLUDE / "environments" / f"{environment}.yaml").read_text(encoding="utf-8"))
    stated = [f"{key}.{inner}" for key, value in values.items() if isinstance(value, dict) for inner in value]
    stated += [key for key, value in values.items() if not isinstance(value, dict)]
    assert sorted(stated) == sorted(_keys(Settings))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_names_follow_one_pattern_in_every_environment(environment: str) -> None:
    """Where two environments differ in a name, they differ in the environment's name alone."""
    one, local = load_settings(environment).model_dump(), load_settings("local").model_dump()
    for key in one.keys() - {
        "account_id",
        "lifecycle",
        "quality",
        "registration",
        "replay",
        "retention",
        "schedules",
        "schema_changes",
    }:
        assert one[key] == local[key].replace("local", environment), key


def test_the_names_are_those_of_the_pipeline() -> None:
    settings = load_settings("prod1")
    assert settings.bucket == "prd3292.prod1.us-east-1.demand-capture.tmaws"
    assert settings.database == settings.workgroup == "prd3292_prod1_dmnd_pipeline"
    assert settings.layout.table_location("demand") == f"s3://{settings.bucket}/data-pipeline/avro/demand/"


def test_arns_name_region_and_account() -> None:
    settings = load_settings("local")
    assert settings.stream_arn == "arn:aws:kinesis:us-east-1:123456789012:stream/prd3292-local-dmnd-table-stream"
    assert settings.function_arn == "arn:aws:lambda:us-east-1:123456789012:function:deliveryWorker-local"
    assert settings.dead_letter_queue_arn == "arn:aws:sqs:us-east-1:123456789012:prd3292-local-dmnd-pipeline-dlq"
    assert settings.alerts_topic_arn == "arn:aws:sns:us-east-1:123456789012:prd3292-local-dmnd-pipeline-alerts"


@pytest.mark.parametrize("key", _keys(Settings))
def test_a_missing_key_is_named_with_its_file(include: Path, key: str) -> None:
    path = _change(include, key, remove=True)
    with pytest.raises(SettingsError, match=re.escape(f"{path}: {key}: missing")):
        load_settings("local", include)


@pytest.mark.parametrize("key", _keys(Settings))
def test_a_value_of_another_kind_is_named_with_its_file(include: Path, key: str) -> None:
    path = _change(include, key, ["neither text nor number"])
    with pytest.raises(SettingsError, match=re.escape(f"{path}: {key}: ")) as raised:
        load_settings("local", include)
    assert "neither text nor number" in str(raised.value)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("account_id", "12345", "should match pattern"),
        ("account_id", 123456789012, "should be a valid string"),
        ("bucket", "Upper.Case", "should match pattern"),
        ("prefix", "data-pipeline/", "should match pattern"),
        ("database", "with-hyphen", "should match pattern"),
        ("environment", "staging", "'local', 'dev1', 'qa1', 'preprod1' or 'prod1'"),
        ("registration.ahead_days", -1, "greater than or equal to 0"),
        ("registration.ahead_days", "1", "should be a valid integer"),
        ("registration.parallel_batches", 17, "less than or equal to 16"),
        ("lifecycle.replay_raw_days", 29, "greater than or equal to 30"),
        ("lifecycle.quarantine_days", 29, "greater than or equal to 30"),
        ("lifecycle.backups_days", 29, "greater than or equal to 30"),
        ("lifecycle.quality_days", 89, "greater than or equal to 90"),
        ("lifecycle.athena_results_days", 0, "greater than or equal to 1"),
        ("lifecycle.noncurrent_days", 29, "greater than or equal to 30"),
        ("lifecycle.unfinished_uploads_days", 0, "greater than or equal to 1"),
        ("schedules.register_partitions", "hourly", "expected five fields: minute, hour, day of month, month"),
        ("schedules.register_partitions", "60 * * * *", "expected a minute as *, 0 to 59, a range"),
        ("schedules.register_partitions", "0 0 0 * *", "expected a day of month as *, 1 to 31"),
        ("schedules.register_partitions", "0-99 * * * *", "expected a minute"),
        ("schedules.register_partitions", "*/0 * * * *", "expected a minute"),
        ("schedules.register_partitions", "every five minutes or so", "expected a minute"),
        ("schedules", "hourly", "should be a valid dictionary"),
    ],
)
def test_a_wrong_value_is_told_with_what_was_expected(include: Path, key: str, value: object, expected: str) -> None:
    path = _change(include, key, value)
    with pytest.raises(SettingsError) as raised:
        load_settings("local", include)
    assert str(raised.value).startswith(f"{path}: {key}: ")
    assert expected in str(raised.value)
    assert repr(value) in str(raised.value)


@pytest.mark.parametrize("expression", ["* * * * *", "*/10 * * * *", "0,30 6-18/2 1 1,7 1-5", "59 23 31 12 7"])
def test_a_cron_expression_of_numbers_is_accepted(include: Path, expression: str) -> None:
    _change(include, "schedules.register_partitions", expression)
    assert load_settings("local", include).schedules.register_partitions == expression


def test_an_unknown_key_is_told_with_the_known_ones(include: Path) -> None:
    path = _change(include, "registration.ahead_day", 1)
    with pytest.raises(SettingsError, match=re.escape(f"{path}: registration.ahead_day: unknown key")) as raised:
        load_settings("local", include)
    assert "expected one of: ahead_days, parallel_batches" in str(raised.value)


def test_all_mistakes_are_told_at_once(include: Path) -> None:
    _change(include, "bucket", 1)
    _change(include, "stream", remove=True)
    with pytest.raises(SettingsError) as raised:
        load_settings("local", include)
    assert [line.split(": ")[1] for line in str(raised.value).splitlines()] == ["bucket", "stream"]


def test_an_unknown_environment_is_told_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"prod2\.yaml: missing; environments with a file: dev1, local, preprod1"):
        load_settings("prod2")


def test_a_file_that_speaks_of_another_environment_is_refused(include: Path) -> None:
    shutil.copy(include / "environments" / "qa1.yaml", include / "environments" / "dev1.yaml")
    with pytest.raises(SettingsError, match=r"environment: expected 'dev1' as in the file's name, found 'qa1'"):
        load_settings("dev1", include)


def test_the_environment_variable_picks_the_environment_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DMD_ENV", "qa1")
    assert load_settings().environment == "qa1"
    monkeypatch.setenv("DMD_ENV", "dev1")
    assert load_settings().environment == "dev1"
    monkeypatch.delenv("DMD_ENV")
    assert load_settings().environment == "local"


def test_a_file_is_read_once() -> None:
    """DAG files load the settings whenever they are parsed."""
    assert load_settings("qa1") is load_settings("qa1")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings("local").bucket = "another"  # type: ignore[misc]


def test_a_table_is_kept_for_ever_unless_a_file_says_otherwise(include: Path) -> None:
    for environment in set(ENVIRONMENTS) - {"local"}:
        assert load_settings(environment).retention.of("demand").retention_days is None
    _change(include, "retention.tables", {"demand": {"retention_days": 400}})
    retention = load_settings("local", include).retention
    assert retention.of("event").retention_days is None
    demand = retention.of("demand")
    assert (demand.retention_days, demand.grace_days, demand.mode, demand.holds) == (400, 14, "plan", ())
    assert (demand.max_partitions_per_run, demand.max_share_per_run) == (100, 0.1)


def test_a_hold_covers_its_dates_both_ends_included(include: Path) -> None:
    first, last = date(2024, 1, 1), date(2024, 2, 1)
    hold = {"from_date": first, "to_date": last, "reason": "Audit of 2024, asked for by the legal department"}
    _change(include, "retention.tables", {"demand": {"holds": [hold]}})
    [held] = load_settings("local", include).retention.of("demand").holds
    day = timedelta(days=1)
    assert [held.covers(one) for one in (first - day, first, last, last + day)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"retention_days": 29}, r"retention.tables.demand.retention_days: .*greater than or equal to 30, found 29"),
        ({"retention_days": True}, r"retention.tables.demand.retention_days: .*found True"),
        (
            {"retention_dais": 400},
            r"retention.tables.demand.retention_dais: unknown key; expected one of: retention_days",
        ),
        ({"grace_days": 0}, r"retention.tables.demand.grace_days: .*found 0"),
        ({"mode": "delete"}, r"retention.tables.demand.mode: .*'plan' or 'enforce', found 'delete'"),
        ({"max_share_per_run": 0}, r"retention.tables.demand.max_share_per_run: "),
        ({"holds": [{"reason": " "}]}, r"retention.tables.demand.holds.0.reason: "),
        ({"holds": [{}]}, r"retention.tables.demand.holds.0.reason: missing"),
        (
            {"holds": [{"reason": "audit", "form_date": 1}]},
            r"holds.0.form_date: unknown key; expected one of: from_date",
        ),
        ({"holds": [{"reason": "audit", "from_date": "01.03.2024"}]}, r"holds.0.from_date: "),
        (
            {"holds": [{"reason": "audit", "from_date": date(2024, 3, 1), "to_date": date(2024, 2, 1)}]},
            r"holds.0: .*from_date 2024-03-01 is after to_date 2024-02-01",
        ),
    ],
)
def test_a_wrong_retention_is_refused_when_settings_load(include: Path, rules: dict[str, Any], told: str) -> None:
    _change(include, "retention.tables", {"demand": rules})
    with pytest.raises(SettingsError, match=told):
        load_settings("local", include)
