"""The bucket's gateway against the local AWS: what is listed, read and written, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.errors import StorageError, ThrottledError


if TYPE_CHECKING:
    from local.aws import LocalAws


@pytest.fixture
def bucket(aws: LocalAws) -> Bucket:
    return Bucket(aws.client("s3"), aws.settings.bucket)


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
