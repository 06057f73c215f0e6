"""S3: what it pages, limits and accepts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.conformance.account import refused


if TYPE_CHECKING:
    from tests.conformance.account import Account


def test_a_listing_with_a_delimiter_gives_folders_and_files_apart(account: Account) -> None:
    for name in ("a/1", "a/2", "b/1", "file"):
        account.put(name)
    listing = account.client("s3").list_objects_v2(Bucket=account.bucket, Prefix=account.prefix, Delimiter="/")
    assert [folder["Prefix"] for folder in listing["CommonPrefixes"]] == [f"{account.prefix}a/", f"{account.prefix}b/"]
    assert [found["Key"] for found in listing["Contents"]] == [f"{account.prefix}file"]
    assert (listing["KeyCount"], listing["IsTruncated"]) == (3, False)


def test_keys_and_folders_share_a_page_and_come_in_one_order(account: Account) -> None:
    for name in ("a/1", "b", "c/1", "c/2", "d"):
        account.put(name)
    pages = (
        account.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=account.bucket, Prefix=account.prefix, Delimiter="/", PaginationConfig={"PageSize": 2})
    )
    shown = [
        sorted(
            [found["Key"].removeprefix(account.prefix) for found in page.get("Contents", [])]
            + [folder["Prefix"].removeprefix(account.prefix) for folder in page.get("CommonPrefixes", [])]
        )
        for page in pages
    ]
    assert shown == [["a/", "b"], ["c/", "d"]]


def test_a_page_holds_at_most_1000_keys_whatever_is_asked(account: Account) -> None:
    s3 = account.client("s3")
    listing = s3.list_objects_v2(Bucket=account.bucket, Prefix=account.prefix, MaxKeys=5000)
    assert listing["MaxKeys"] == 1000


def test_a_listing_begins_after_the_key_it_is_told(account: Account) -> None:
    for name in ("a", "b", "c"):
        account.put(name)
    listing = account.client("s3").list_objects_v2(
        Bucket=account.bucket, Prefix=account.prefix, StartAfter=f"{account.prefix}a"
    )
    assert [found["Key"].removeprefix(account.prefix) for found in listing["Contents"]] == ["b", "c"]


def test_a_token_that_s3_did_not_give_is_refused(account: Account) -> None:
    with refused("InvalidArgument", "continuation token"):
        account.client("s3").list_objects_v2(Bucket=account.bucket, ContinuationToken="not a token")


@pytest.mark.parametrize("name", ["with space", "plus+and&amp", "ümlaut", "per%20cent", "equals=sign"])
def test_any_key_comes_back_as_it_was_written(account: Account, name: str) -> None:
    key = account.put(name, b"content")
    s3 = account.client("s3")
    listing = s3.list_objects_v2(Bucket=account.bucket, Prefix=account.prefix)
    assert [found["Key"] for found in listing["Contents"]] == [key]
    assert s3.get_object(Bucket=account.bucket, Key=key)["Body"].read() == b"content"


def test_keys_are_ordered_by_their_bytes(account: Account) -> None:
    names = ["B", "a", "partition_date=2025-01-01/", "partition_date=2025-01-01/x", "é", "\U0001f600"]
    for name in reversed(names):
        account.put(name)
    listing = account.client("s3").list_objects_v2(Bucket=account.bucket, Prefix=account.prefix)
    assert [found["Key"].removeprefix(account.prefix) for found in listing["Contents"]] == names


def test_a_deleted_key_is_gone_from_listings_at_once(account: Account) -> None:
    s3 = account.client("s3")
    key = account.put("a")
    s3.delete_object(Bucket=account.bucket, Key=key)
    assert s3.list_objects_v2(Bucket=account.bucket, Prefix=account.prefix)["KeyCount"] == 0


def test_a_deletion_takes_at_most_1000_keys(account: Account) -> None:
    keys = [{"Key": f"{account.prefix}{number}"} for number in range(1001)]
    s3 = account.client("s3")
    with refused("MalformedXML"):
        s3.delete_objects(Bucket=account.bucket, Delete={"Objects": keys})
    answer = s3.delete_objects(Bucket=account.bucket, Delete={"Objects": keys[:1000]})
    assert len(answer["Deleted"]) == 1000


def test_a_key_has_at_most_1024_bytes(account: Account) -> None:
    with refused("KeyTooLongError"):
        account.put("é" * 600)


def test_an_object_can_be_encrypted_with_the_environments_key(account: Account) -> None:
    s3, key = account.client("s3"), f"{account.prefix}secret"
    s3.put_object(
        Bucket=account.bucket,
        Key=key,
        Body=b"content",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=f"alias/{account.settings.kms_key}",
    )
    assert s3.head_object(Bucket=account.bucket, Key=key)["ServerSideEncryption"] == "aws:kms"


def test_a_bucket_that_does_not_exist_is_named_so(account: Account) -> None:
    with refused("NoSuchBucket"):
        account.client("s3").list_objects_v2(Bucket=account.unique("missing"))


def test_an_object_is_not_encrypted_with_a_key_that_does_not_exist(account: Account) -> None:
    with refused("KMS.NotFoundException"):
        account.client("s3").put_object(
            Bucket=account.bucket,
            Key=f"{account.prefix}secret",
            Body=b"content",
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=f"arn:aws:kms:{account.settings.region}:{account.settings.account_id}:alias/no-such-key",
        )


def test_an_object_is_created_only_where_there_is_none(account: Account) -> None:
    s3, where = account.client("s3"), {"Bucket": account.bucket, "Key": f"{account.prefix}once"}
    s3.put_object(**where, Body=b"first", IfNoneMatch="*")
    with refused("PreconditionFailed"):
        s3.put_object(**where, Body=b"second", IfNoneMatch="*")
    assert s3.get_object(**where)["Body"].read() == b"first"
    s3.delete_object(**where)
    assert s3.put_object(**where, Body=b"third", IfNoneMatch="*")["ETag"]


def test_of_many_who_create_an_object_at_once_one_succeeds(account: Account) -> None:
    s3, where = account.client("s3"), {"Bucket": account.bucket, "Key": f"{account.prefix}once"}

    def create(number: int) -> str:
        try:
            s3.put_object(**where, Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            code: str = error.response["Error"]["Code"]
            return code
        return str(number)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(create, range(8)))
    created = [answer for answer in answers if answer.isdecimal()]
    assert len(created) == 1
    assert set(answers) - set(created) <= {"PreconditionFailed", "ConditionalRequestConflict"}
    assert s3.get_object(**where)["Body"].read().decode() == created[0]


def test_an_object_is_replaced_only_when_it_has_the_etag_that_was_asked_for(account: Account) -> None:
    s3, where = account.client("s3"), {"Bucket": account.bucket, "Key": f"{account.prefix}changing"}
    first = s3.put_object(**where, Body=b"first")["ETag"]
    second = s3.put_object(**where, Body=b"second", IfMatch=first)["ETag"]
    with refused("PreconditionFailed"):
        s3.put_object(**where, Body=b"third", IfMatch=first)
    found = s3.get_object(**where)
    assert (found["Body"].read(), found["ETag"]) == (b"second", second)


def test_a_listing_shows_the_etag_that_the_last_write_was_answered_with(account: Account) -> None:
    s3, key = account.client("s3"), f"{account.prefix}listed"
    told = [s3.put_object(Bucket=account.bucket, Key=key, Body=body)["ETag"] for body in (b"first", b"second")]
    [listed] = s3.list_objects_v2(Bucket=account.bucket, Prefix=key)["Contents"]
    assert told[0] != told[1] == listed["ETag"]


def test_an_object_that_is_gone_cannot_be_replaced(account: Account) -> None:
    where = {"Bucket": account.bucket, "Key": f"{account.prefix}gone"}
    with refused("NoSuchKey"):
        account.client("s3").put_object(**where, Body=b"x", IfMatch='"9dd4e461268c8034f5c8564e155c67a6"')


def test_a_write_knows_no_other_conditions(account: Account) -> None:
    where = {"Bucket": account.bucket, "Key": f"{account.prefix}any"}
    with refused("NotImplemented"):
        account.client("s3").put_object(**where, Body=b"x", IfNoneMatch='"9dd4e461268c8034f5c8564e155c67a6"')


def test_versions_are_listed_after_the_key_that_is_told_the_newest_first(account: Account) -> None:
    s3 = account.client("s3")
    s3.put_bucket_versioning(Bucket=account.bucket, VersioningConfiguration={"Status": "Enabled"})
    keys = [f"{account.prefix}{name}" for name in ("a", "b", "b", "c")]
    written = [s3.put_object(Bucket=account.bucket, Key=key, Body=b"x")["VersionId"] for key in keys]
    marker = s3.delete_object(Bucket=account.bucket, Key=keys[-1])["VersionId"]
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=account.bucket, Prefix=account.prefix, KeyMarker=keys[0], PaginationConfig={"PageSize": 1}
    )
    listed = list(pages)
    versions = [(one["Key"], one["VersionId"], one["IsLatest"]) for page in listed for one in page.get("Versions", [])]
    assert versions == [(keys[1], written[2], True), (keys[1], written[1], False), (keys[3], written[3], False)]
    markers = [(one["VersionId"], one["IsLatest"]) for page in listed for one in page.get("DeleteMarkers", [])]
    assert markers == [(marker, True)]


def lifecycle_of(account: Account, *rules: Any) -> Any:
    """What a bucket of its own makes of a lifecycle configuration."""
    s3, bucket = account.client("s3"), account.unique("lifecycle")
    s3.create_bucket(Bucket=bucket)
    account.remove_later(lambda: s3.delete_bucket(Bucket=bucket))
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    return s3.get_bucket_lifecycle_configuration(Bucket=bucket)


def a_rule(name: str = "a", **changes: Any) -> dict[str, Any]:
    return {"ID": name, "Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 1}, **changes}


TAGGED = {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}]}}


@pytest.mark.creates_resources
def test_a_lifecycle_configuration_comes_back_as_it_was_written(account: Account) -> None:
    rules = [
        a_rule("tagged", Filter=TAGGED),
        a_rule(
            "sized",
            Filter={"And": {"Prefix": "a/", "ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 5_000_000}},
            NoncurrentVersionExpiration={"NoncurrentDays": 3, "NewerNoncurrentVersions": 2},
        ),
        a_rule("markers", Expiration={"ExpiredObjectDeleteMarker": True}),
        a_rule("moved", Status="Disabled", Transitions=[{"Days": 30, "StorageClass": "GLACIER_IR"}]),
    ]
    answer = lifecycle_of(account, *rules)
    assert sorted(answer["Rules"], key=lambda rule: str(rule["ID"])) == sorted(rules, key=lambda rule: str(rule["ID"]))
    assert answer["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"


@pytest.mark.creates_resources
def test_a_bucket_without_a_lifecycle_configuration_says_so(account: Account) -> None:
    s3, bucket = account.client("s3"), account.unique("no-lifecycle")
    s3.create_bucket(Bucket=bucket)
    account.remove_later(lambda: s3.delete_bucket(Bucket=bucket))
    with refused("NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


@pytest.mark.creates_resources
@pytest.mark.parametrize(
    ("rule", "code", "saying"),
    [
        (a_rule(Expiration={"Days": 1, "ExpiredObjectDeleteMarker": True}), "MalformedXML", ""),
        (a_rule(Expiration={"Days": 0}), "InvalidArgument", "must be a positive integer"),
        (a_rule(Filter={"Prefix": "a/", "Tag": {"Key": "k", "Value": "v"}}), "MalformedXML", ""),
        (a_rule(Filter={"And": {"Prefix": "a/"}}), "MalformedXML", ""),
        ({"ID": "a", "Status": "Enabled", "Expiration": {"Days": 1}}, "MalformedXML", ""),
        ({"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "a/"}}, "InvalidRequest", "At least one action"),
        (a_rule("a" * 256), "InvalidArgument", "255"),
        (
            a_rule(Filter=TAGGED, Expiration={"ExpiredObjectDeleteMarker": True}),
            "InvalidRequest",
            "ExpiredObjectDeleteMarker cannot be specified with Tags",
        ),
        (
            a_rule(Filter=TAGGED, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}),
            "InvalidRequest",
            "AbortIncompleteMultipartUpload cannot be specified with Tags",
        ),
    ],
)
def test_a_lifecycle_rule_that_makes_no_sense_is_refused(account: Account, rule: Any, code: str, saying: str) -> None:
    with refused(code, saying):
        lifecycle_of(account, rule)


@pytest.mark.creates_resources
def test_lifecycle_rules_have_ids_of_their_own(account: Account) -> None:
    with refused("InvalidArgument", "must be unique"):
        lifecycle_of(account, a_rule(), a_rule())


@pytest.mark.creates_resources
def test_a_lifecycle_configuration_has_at_most_1000_rules(account: Account) -> None:
    with refused("InvalidRequest", "1000"):
        lifecycle_of(account, *(a_rule(str(number)) for number in range(1001)))
