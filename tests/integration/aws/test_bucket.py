"""The bucket's gateway against the local AWS: what is listed, read and written, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from dmd_pipeline.airflow import clients
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.errors import StorageError, ThrottledError
from dmd_pipeline.patience import Patience


if TYPE_CHECKING:
    from local.aws import LocalAws


@pytest.fixture
def bucket(aws: LocalAws) -> Bucket:
    return Bucket(aws.client("s3"), aws.settings.bucket)


@pytest.fixture
def patient(aws: LocalAws) -> Bucket:
    """The bucket, without pauses between attempts."""
    return Bucket(aws.client("s3"), aws.settings.bucket, Patience(attempts=5, sleep=lambda _seconds: None))


def test_objects_are_listed_at_all_depths_by_key_and_no_others(bucket: Bucket) -> None:
    for key in ("a/z", "a/b/c", "a/b/d/e", "ab", "b/a"):
        bucket.write(key, key.encode(), "text/plain")
    assert [(found.key, found.size) for found in bucket.objects_below("a/")] == [
        ("a/b/c", 5),
        ("a/b/d/e", 7),
        ("a/z", 3),
    ]


def test_an_object_is_listed_with_the_time_at_which_it_was_written(bucket: Bucket) -> None:
    bucket.write("a/b", b"", "text/plain")
    (found,) = bucket.objects_below("a/")
    assert abs(datetime.now(UTC) - found.modified) < timedelta(minutes=5)


def test_the_clients_of_a_connection_read_the_times_of_a_listing_quickly(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://")
    connected = clients.bucket(aws.settings)
    connected.write("a/b", b"", "text/plain")
    (found,) = connected.objects_below("a/")
    assert found.modified.tzinfo is UTC  # botocore would make a time zone of its own


@pytest.mark.parametrize(("objects", "calls"), [(0, 1), (1000, 1), (1001, 2)])
def test_a_thousand_objects_cost_one_call(aws: LocalAws, bucket: Bucket, objects: int, calls: int) -> None:
    aws.seed_objects(bucket.name, ((f"a/{number:04d}/x", b"x") for number in range(objects)))
    aws.calls.clear()
    assert [found.key for found in bucket.objects_below("a/")] == [f"a/{number:04d}/x" for number in range(objects)]
    assert aws.calls.totals() == {"s3:ListObjectsV2": calls}


def test_who_stops_taking_objects_pays_no_further_page(aws: LocalAws, bucket: Bucket) -> None:
    aws.seed_objects(bucket.name, ((f"a/{number:04d}", b"x") for number in range(1500)))
    aws.calls.clear()
    assert next(bucket.objects_below("a/")).key == "a/0000"
    assert aws.calls.totals() == {"s3:ListObjectsV2": 1}


def test_what_was_written_is_read_with_its_content_type(aws: LocalAws, bucket: Bucket) -> None:
    bucket.write("a b/ü", b"\x00content", "avro/binary")
    aws.calls.clear()
    assert bucket.read("a b/ü") == b"\x00content"
    assert aws.calls.totals() == {"s3:GetObject": 1}
    assert aws.client("s3").head_object(Bucket=bucket.name, Key="a b/ü")["ContentType"] == "avro/binary"


def test_writing_replaces_and_costs_one_call(aws: LocalAws, bucket: Bucket) -> None:
    bucket.write("a", b"old", "text/plain")
    aws.calls.clear()
    bucket.write("a", b"new", "text/plain")
    assert aws.calls.totals() == {"s3:PutObject": 1}
    assert bucket.read("a") == b"new"


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, 1, b"0"),
        (0, 10, b"0123456789"),
        (3, 4, b"3456"),
        (8, 10, b"89"),
        (9, 1, b"9"),
        (10, 1, b""),
        (500, 7, b""),
    ],
)
def test_a_range_is_read_in_one_call(aws: LocalAws, bucket: Bucket, start: int, length: int, expected: bytes) -> None:
    bucket.write("a", b"0123456789", "text/plain")
    aws.calls.clear()
    assert bucket.read_range("a", start, length) == expected
    assert aws.calls.totals() == {"s3:GetObject": 1}


def test_an_empty_object_has_empty_ranges(bucket: Bucket) -> None:
    bucket.write("a", b"", "text/plain")
    assert bucket.read_range("a", 0, 5) == b""


@pytest.mark.parametrize(("start", "length"), [(-1, 5), (0, 0), (5, -2)])
def test_a_range_of_nothing_is_refused_where_s3_would_answer_with_everything(
    aws: LocalAws, bucket: Bucket, start: int, length: int
) -> None:
    with pytest.raises(ValueError, match=f"found {length} bytes from {start}"):
        bucket.read_range("a", start, length)
    assert aws.calls.totals() == {}


def test_a_missing_object_is_named(bucket: Bucket) -> None:
    with pytest.raises(StorageError, match=f"^cannot read s3://{bucket.name}/no/such: NoSuchKey: "):
        bucket.read("no/such")
    with pytest.raises(StorageError, match=f"^cannot read s3://{bucket.name}/no/such: NoSuchKey: "):
        bucket.read_range("no/such", 0, 5)


def test_a_refusal_names_what_was_tried(aws: LocalAws, bucket: Bucket) -> None:
    aws.fail("s3:ListObjectsV2", code="AccessDenied", status=403, message="No.")
    with pytest.raises(StorageError, match=f"^cannot list s3://{bucket.name}/a/: AccessDenied: No.$"):
        list(bucket.objects_below("a/"))
    aws.fail("s3:PutObject", code="AccessDenied", status=403, message="No.")
    with pytest.raises(StorageError, match=f"^cannot write s3://{bucket.name}/a: AccessDenied: No.$"):
        bucket.write("a", b"", "text/plain")
    aws.fail("s3:GetObject", code="SlowDown", status=503)
    with pytest.raises(ThrottledError, match=f"^cannot read s3://{bucket.name}/a: AWS asked to slow down"):
        bucket.read("a")


def test_a_listing_begins_after_the_key_it_is_told_at_no_cost(aws: LocalAws, bucket: Bucket) -> None:
    aws.seed_objects(bucket.name, ((f"a/{number:04d}", b"x") for number in range(1500)))
    aws.calls.clear()
    found = [stored.key for stored in bucket.objects_below("a/", start_after="a/1400")]
    assert found == [f"a/{number}" for number in range(1401, 1500)]
    assert aws.calls.totals() == {"s3:ListObjectsV2": 1}


def encryption(aws: LocalAws, key: str) -> tuple[str | None, str | None]:
    found = aws.client("s3").head_object(Bucket=aws.settings.bucket, Key=key)
    return found.get("ServerSideEncryption"), found.get("SSEKMSKeyId")


def test_objects_are_encrypted_with_the_key_that_is_named_and_else_as_the_bucket_does(
    aws: LocalAws, bucket: Bucket
) -> None:
    named = aws.settings.kms_key_arn
    bucket.write("written", b"x", "text/plain", kms_key=named)
    bucket.create("created", b"x", "text/plain", kms_key=named)
    bucket.write("plain", b"x", "text/plain")
    bucket.create("plain, too", b"x", "text/plain")
    assert [encryption(aws, key) for key in ("written", "created")] == [("aws:kms", named)] * 2
    assert {encryption(aws, key)[1] for key in ("plain", "plain, too")} == {None}


def test_a_key_that_does_not_exist_is_named(aws: LocalAws, bucket: Bucket) -> None:
    with pytest.raises(StorageError, match=r"KMS\.NotFoundException.*no-such-key"):
        bucket.write("a", b"x", "text/plain", kms_key=aws.settings.kms_key_arn.replace("alias/", "alias/no-such-key-"))
    assert bucket.find("a") is None


def test_an_object_is_created_once_and_never_overwritten(aws: LocalAws, bucket: Bucket) -> None:
    aws.calls.clear()
    assert bucket.create("a", b"first", "avro/binary")
    assert not bucket.create("a", b"second", "avro/binary")
    assert aws.calls.totals() == {"s3:PutObject": 2}
    assert bucket.read("a") == b"first"
    assert aws.client("s3").head_object(Bucket=bucket.name, Key="a")["ContentType"] == "avro/binary"


def test_what_is_found_can_be_replaced_and_what_was_changed_meanwhile_cannot(aws: LocalAws, bucket: Bucket) -> None:
    bucket.write("a", b"first", "text/plain")
    aws.calls.clear()
    content, etag = bucket.find("a") or (b"", "")
    assert content == b"first"
    fresh = bucket.replace("a", b"second", "text/plain", etag)
    assert bucket.replace("a", b"third", "text/plain", etag) is None
    assert bucket.find("a") == (b"second", fresh)
    assert aws.calls.totals() == {"s3:GetObject": 2, "s3:PutObject": 2}


def test_what_is_gone_is_neither_found_nor_replaced_and_deleting_it_again_is_no_error(
    aws: LocalAws, bucket: Bucket
) -> None:
    bucket.write("a", b"first", "text/plain")
    _, etag = bucket.find("a") or (b"", "")
    aws.calls.clear()
    bucket.delete("a")
    bucket.delete("a")
    assert aws.calls.totals() == {"s3:DeleteObject": 2}
    assert bucket.find("a") is None
    assert bucket.replace("a", b"second", "text/plain", etag) is None
    assert list(bucket.objects_below("")) == []


@pytest.mark.parametrize("conflicts", [1, 4])
def test_a_write_that_meets_another_one_is_asked_for_again(
    aws: LocalAws, bucket: Bucket, patient: Bucket, conflicts: int
) -> None:
    aws.fail("s3:PutObject", code="ConditionalRequestConflict", status=409, times=conflicts)
    assert patient.create("a", b"first", "text/plain")
    _, etag = bucket.find("a") or (b"", "")
    aws.fail("s3:PutObject", code="ConditionalRequestConflict", status=409, times=conflicts)
    assert patient.replace("a", b"second", "text/plain", etag) is not None
    assert bucket.read("a") == b"second"
    assert aws.calls.count("s3:PutObject") == 2 * conflicts + 2


def test_a_write_that_always_meets_another_one_fails_in_the_end(aws: LocalAws, patient: Bucket) -> None:
    aws.fail("s3:PutObject", code="ConditionalRequestConflict", status=409, times=100)
    with pytest.raises(StorageError, match="ConditionalRequestConflict"):
        patient.create("a", b"first", "text/plain")
    assert aws.calls.count("s3:PutObject") == 5


def test_a_refused_condition_is_no_condition_that_failed(aws: LocalAws, bucket: Bucket) -> None:
    aws.fail("s3:PutObject", code="AccessDenied", status=403, message="No.")
    with pytest.raises(StorageError, match=f"^cannot write s3://{bucket.name}/a: AccessDenied: No.$"):
        bucket.create("a", b"", "text/plain")
    aws.fail("s3:PutObject", code="NoSuchBucket", status=404, message="No.")
    with pytest.raises(StorageError, match=f"^cannot write s3://{bucket.name}/a: NoSuchBucket: No.$"):
        bucket.replace("a", b"", "text/plain", '"etag"')
    aws.fail("s3:DeleteObject", code="AccessDenied", status=403, message="No.")
    with pytest.raises(StorageError, match=f"^cannot delete s3://{bucket.name}/a: AccessDenied: No.$"):
        bucket.delete("a")
    aws.fail("s3:GetObject", code="AccessDenied", status=403, message="No.")
    with pytest.raises(StorageError, match=f"^cannot read s3://{bucket.name}/a: AccessDenied: No.$"):
        bucket.find("a")
