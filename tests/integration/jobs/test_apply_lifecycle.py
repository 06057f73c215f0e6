"""The bucket's lifecycle rules against the local AWS: ours become the settings', others stay, and nothing by halves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.errors import StorageError, ThrottledError
from dmd_pipeline.jobs import apply_lifecycle
from dmd_pipeline.lifecycle import Configuration, our_rules, plan
from dmd_pipeline.patience import Patience
from tests.integration.jobs import job_processes


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


ATTEMPTS = 3
THEIRS: list[Any] = [
    {
        "ID": "z: all of it",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Transitions": [{"Days": 0, "StorageClass": "INTELLIGENT_TIERING"}],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 200, "NewerNoncurrentVersions": 5},
    },
    {
        "ID": "a",
        "Status": "Disabled",
        "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "t", "Value": ""}], "ObjectSizeGreaterThan": 0}},
        "Expiration": {"Days": 3},
    },
    {"ID": "old", "Status": "Enabled", "Prefix": "tmp/", "Expiration": {"Days": 7}},
]
STALE: Any = {
    "ID": "dmd-quarantine",
    "Status": "Disabled",
    "Filter": {"Prefix": "data-pipeline/quarantine/"},
    "Expiration": {"Days": 1},
}


class LifecycleWorld:
    """A bucket with rules of others, and one of ours that is out of date."""

    def __init__(self, aws: LocalAws, settings: Settings) -> None:
        self.aws = aws
        self.settings = settings
        self.s3 = aws.client("s3")
        self.bucket = Bucket(self.s3, settings.bucket)
        self.write([THEIRS[0], STALE, *THEIRS[1:]])
        aws.calls.clear()

    def write(self, rules: list[Any], size: str = "varies_by_storage_class") -> None:
        self.s3.put_bucket_lifecycle_configuration(
            Bucket=self.settings.bucket,
            LifecycleConfiguration={"Rules": rules},
            TransitionDefaultMinimumObjectSize=size,
        )

    @property
    def rules(self) -> list[Any]:
        rules: list[Any] = self.s3.get_bucket_lifecycle_configuration(Bucket=self.settings.bucket)["Rules"]
        return rules

    @property
    def wanted(self) -> list[Any]:
        return [*THEIRS, *our_rules(self.settings)]

    @property
    def digest(self) -> str:
        return plan(self.settings, self.bucket.lifecycle()).digest

    def apply(self, approved: str | None, *, dry_run: bool = False, **more: Any) -> apply_lifecycle.Report:
        report = apply_lifecycle.run(
            self.settings,
            self.bucket,
            approved=approved,
            dry_run=dry_run,
            patience=Patience(ATTEMPTS, sleep=lambda _seconds: None),
            **more,
        )
        json.dumps(report.as_data())
        return report


@pytest.fixture
def world(aws: LocalAws, settings: Settings) -> LifecycleWorld:
    return LifecycleWorld(aws, settings)


def test_our_rules_become_those_of_the_settings_and_others_stay_as_they_are(world: LifecycleWorld) -> None:
    report = world.apply(world.digest)
    assert report.summary[0].startswith("8 added, 1 changed; 0 the same, 3 not ours; WARNING: rule z: all of it is not")
    assert world.rules == world.wanted
    assert world.bucket.lifecycle().minimum_size == "varies_by_storage_class"


def test_it_costs_what_the_formula_says(world: LifecycleWorld) -> None:
    digest = world.digest
    world.aws.calls.clear()
    world.apply(digest)
    assert world.aws.calls.totals() == {
        "s3:GetBucketLifecycleConfiguration": 2,
        "s3:PutBucketLifecycleConfiguration": 1,
    }
    world.aws.calls.clear()
    again = world.apply(digest)
    assert again.summary[0].startswith("nothing to change; 9 the same, 3 not ours")
    assert world.aws.calls.totals() == {"s3:GetBucketLifecycleConfiguration": 1}


def test_a_bucket_without_a_configuration_gets_one(world: LifecycleWorld) -> None:
    world.s3.delete_bucket_lifecycle(Bucket=world.settings.bucket)
    assert world.bucket.lifecycle() == Configuration()
    assert world.apply(world.digest).summary == ["9 added; 0 the same, 0 not ours"]
    assert world.rules == list(our_rules(world.settings))


@pytest.mark.parametrize("approved", [None, "0123456789abcdef"])
def test_nothing_is_done_without_the_approval_of_this_very_plan(world: LifecycleWorld, approved: str | None) -> None:
    before = world.rules
    [line] = world.apply(approved).summary
    assert line.startswith("8 to be added, 1 to be changed; ")
    assert "nothing was done: a person has to approve this very plan" in line
    assert world.rules == before


def test_a_dry_run_changes_nothing_whatever_was_approved(world: LifecycleWorld) -> None:
    before, digest = world.rules, world.digest
    report = world.apply(digest, dry_run=True)
    assert report.summary[0].startswith("dry run: 8 to be added, 1 to be changed; ")
    assert world.rules == before
    data = report.as_data()
    assert data["asking"]["rules"]["digest"] == digest
    assert data["asking"]["rules"]["plan"] == data["plans"][0]
    assert data["rules"] == list(our_rules(world.settings))


def test_what_changed_since_the_approval_is_not_overwritten(world: LifecycleWorld) -> None:
    digest = world.digest
    another = [*THEIRS, {**THEIRS[2], "ID": "new"}]
    world.write(another)
    assert "nothing was done" in world.apply(digest).summary[0]
    assert world.rules == another
    days = world.settings.lifecycle.model_copy(update={"quarantine_days": 31})
    world.write([THEIRS[0], STALE, *THEIRS[1:]])
    world.settings = world.settings.model_copy(update={"lifecycle": days})
    assert "nothing was done" in world.apply(digest).summary[0], "the settings have changed"


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_call_it_ends_the_same_when_it_runs_again(world: LifecycleWorld, moment: str) -> None:
    before, killed = world.rules, 0
    call = 1
    while job_processes.run_and_kill("apply_lifecycle", call, moment):
        killed += 1
        assert world.rules in (before, world.wanted), "nothing by halves"
        assert not job_processes.run_and_kill("apply_lifecycle", 100, moment)
        assert world.rules == world.wanted
        world.write([THEIRS[0], STALE, *THEIRS[1:]])
        call += 1
    assert killed == 4, "the plan's GET, the GET before the PUT, the PUT, and the GET after it"


def test_it_looks_again_until_s3_shows_what_was_written(world: LifecycleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    digest, earlier = world.digest, world.bucket.lifecycle()
    shown = [earlier, earlier, earlier]
    look = Bucket.lifecycle
    monkeypatch.setattr(Bucket, "lifecycle", lambda bucket: shown.pop() if shown else look(bucket))
    assert world.apply(digest).is_applied
    assert world.rules == world.wanted


def test_who_overwrites_it_at_once_is_noticed(world: LifecycleWorld) -> None:
    digest, told = world.digest, list[apply_lifecycle.Report]()

    def overwrite(**_: Any) -> None:
        world.s3.meta.events.unregister(event, overwrite)
        world.write(THEIRS)

    event = "after-call.s3.PutBucketLifecycleConfiguration"
    world.s3.meta.events.register(event, overwrite)
    world.aws.calls.clear()
    with pytest.raises(StorageError, match=r"8 added, 1 changed; .* FAILED: S3 took the configuration and shows anoth"):
        world.apply(digest, report_to=told.append)
    assert world.aws.calls.count("s3:GetBucketLifecycleConfiguration") == 1 + ATTEMPTS
    assert told[0].error is not None
    assert world.rules == THEIRS


@pytest.mark.parametrize("before", [b"<Status>", b"<StorageClass>", b"<NoncurrentDays>", b"<Tag>", b"<Key>", b"<Rule>"])
def test_what_boto3_does_not_know_is_not_lost_but_refused(world: LifecycleWorld, before: bytes) -> None:
    def added(response_dict: Any, **_: Any) -> None:
        response_dict["body"] = response_dict["body"].replace(before, b"<Colour>red</Colour>" + before)

    event = "before-parse.s3.GetBucketLifecycleConfiguration"
    world.s3.meta.events.register_first(event, added)
    try:
        with pytest.raises(StorageError, match="boto3 does not know Colour: update it"):
            world.apply(None)
    finally:
        world.s3.meta.events.unregister(event, added)
    assert world.aws.calls.count("s3:PutBucketLifecycleConfiguration") == 0


def test_what_s3_refuses_is_told(world: LifecycleWorld) -> None:
    digest = world.digest
    world.aws.fail("s3:PutBucketLifecycleConfiguration", "AccessDenied", status=403)
    with pytest.raises(StorageError, match=r"cannot replace the lifecycle configuration of s3://.*: AccessDenied"):
        world.apply(digest)
    world.aws.fail("s3:GetBucketLifecycleConfiguration", "AccessDenied", status=403)
    with pytest.raises(StorageError, match=r"cannot read the lifecycle configuration of s3://.*: AccessDenied"):
        world.apply(digest)
    world.aws.fail("s3:GetBucketLifecycleConfiguration", "SlowDown", status=503)
    with pytest.raises(ThrottledError):
        world.apply(digest)
    world.apply(digest)
    assert world.rules == world.wanted
