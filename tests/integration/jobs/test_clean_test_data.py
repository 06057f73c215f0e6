"""What tests have left is deleted, and no other key can be named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.errors import StorageError
from dmd_pipeline.jobs import clean_test_data
from dmd_pipeline.jobs.clean_test_data import FolderOfTests


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


SOON = datetime.now(UTC) + timedelta(days=31)
OTHERS = ("data-pipeline/test", "data-pipeline/tests/a", "data-pipeline/avro/a", "test/a", "data-pipeline/")


@pytest.fixture
def folder(aws: LocalAws, settings: Settings) -> FolderOfTests:
    objects = [(f"data-pipeline/test/{number:04d}", b"x") for number in range(1_500)]
    aws.seed_objects(settings.bucket, [*objects, *((key, b"x") for key in OTHERS)])
    aws.calls.clear()
    return FolderOfTests(Bucket(aws.client("s3"), settings.bucket), settings.layout)


def keys(aws: LocalAws, settings: Settings) -> list[str]:
    return [one.key for one in Bucket(aws.client("s3"), settings.bucket).objects_below("")]


def test_all_that_is_old_goes_a_thousand_a_call_and_nothing_else(
    aws: LocalAws, settings: Settings, folder: FolderOfTests
) -> None:
    report = clean_test_data.run(folder, older_than_days=30, now=SOON, dry_run=False)
    assert report.summary == ["1,500 objects of tests deleted (1,500 bytes); 0 kept"]
    assert aws.calls.totals() == {"s3:ListObjectsV2": 2, "s3:DeleteObjects": 2}
    assert keys(aws, settings) == sorted(OTHERS)


@pytest.mark.parametrize(("days", "dry_run"), [(32, False), (30, True)])
def test_what_is_young_stays_and_a_dry_run_deletes_nothing(
    aws: LocalAws, settings: Settings, folder: FolderOfTests, days: int, dry_run: bool
) -> None:
    before = keys(aws, settings)
    aws.calls.clear()
    report = clean_test_data.run(folder, older_than_days=days, now=SOON, dry_run=dry_run)
    assert (report.objects, report.kept) == ((1_500, 0) if dry_run else (0, 1_500))
    assert aws.calls.totals() == {"s3:ListObjectsV2": 2}
    assert keys(aws, settings) == before


def test_no_name_leads_out_of_the_folder(aws: LocalAws, settings: Settings, folder: FolderOfTests) -> None:
    before = keys(aws, settings)
    assert folder.delete(["../avro/a", "/avro/a", "../../test/a", "", "0000"]) == {}
    assert set(before) - set(keys(aws, settings)) == {"data-pipeline/test/0000"}


def test_an_object_that_s3_refuses_to_delete_is_named_and_the_others_go(
    aws: LocalAws, settings: Settings, folder: FolderOfTests
) -> None:
    aws.fail("s3:DeleteObjects", "AccessDenied", status=403, after=1)
    with pytest.raises(StorageError, match="AccessDenied"):
        clean_test_data.run(folder, older_than_days=30, now=SOON, dry_run=False)
    assert len(keys(aws, settings)) == 500 + len(OTHERS), "the first thousand is gone"
    clean_test_data.run(folder, older_than_days=30, now=SOON, dry_run=False)
    assert keys(aws, settings) == sorted(OTHERS)


def test_errors_of_single_keys_are_read_and_told(folder: FolderOfTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FolderOfTests, "delete", lambda _, names: {names[0]: "AccessDenied: no"})
    told: list[clean_test_data.Report] = []
    with pytest.raises(StorageError, match="FAILED: 0000: AccessDenied: no; 1000: AccessDenied: no"):
        clean_test_data.run(folder, older_than_days=30, now=SOON, dry_run=False, report_to=told.append)
    assert told[0].as_data()["summary"][0].startswith("1,498 objects of tests deleted (1,498 bytes)")
