"""Listings from the sorted index are what a look at every key would give."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from moto.s3.models import FakeDeleteMarker

from local.aws.s3.index import IndexedKeyStore
from local.aws.s3.listing import list_page, list_versions


if TYPE_CHECKING:
    from local.aws import LocalAws

NAMES = st.text(alphabet="ab/é\U0001f600", min_size=1, max_size=6)


def store_of(names: set[str], deleted: set[str]) -> IndexedKeyStore:
    store = IndexedKeyStore()
    for name in names:
        store.setlist(name, [SimpleNamespace(name=name, dispose=lambda: None)])
    for name in deleted & names:
        store.pop(name)
    return store


def looked_up(names: set[str], prefix: str, delimiter: str) -> list[str]:
    found = set()
    for name in names:
        if name.startswith(prefix):
            rest = name[len(prefix) :]
            folder = rest.split(delimiter)[0] + delimiter if delimiter and delimiter in rest else rest
            found.add(prefix + folder)
    return sorted(found, key=lambda name: name.encode())


@given(
    names=st.sets(NAMES, max_size=30),
    deleted=st.sets(NAMES, max_size=10),
    prefix=st.text(alphabet="ab/", max_size=2),
    delimiter=st.sampled_from(["", "/", "a", "ab"]),
    size=st.integers(min_value=1, max_value=5),
)
def test_pages_hold_every_key_and_folder_once_and_in_order(
    names: set[str], deleted: set[str], prefix: str, delimiter: str, size: int
) -> None:
    store = store_of(names, deleted)
    shown: list[str] = []
    after = ""
    while True:
        page = list_page(store, prefix, delimiter, after, size)
        entries = sorted([found.name for found in page.objects] + page.folders, key=lambda name: name.encode())
        assert len(entries) <= size
        shown += entries
        if page.last is None:
            break
        after = page.last
    assert shown == looked_up(names - deleted, prefix, delimiter)


@given(
    history=st.lists(st.tuples(NAMES, st.booleans()), max_size=30),
    prefix=st.text(alphabet="ab/", max_size=2),
    after=st.text(alphabet="ab/", max_size=3),
    size=st.integers(min_value=1, max_value=5),
)
def test_pages_hold_every_version_once_the_newest_of_a_name_first(
    history: list[tuple[str, bool]], prefix: str, after: str, size: int
) -> None:
    store = IndexedKeyStore()
    versions: dict[str, list[str]] = {}
    for number, (name, is_deleted) in enumerate(history):
        made = FakeDeleteMarker(SimpleNamespace(name=name)) if is_deleted else SimpleNamespace(name=name)
        made.__dict__["version_id" if not is_deleted else "_version_id"] = str(number)
        store.setlist(name, [*store.getlist(name, []), made])
        versions.setdefault(name, []).insert(0, str(number))
    wanted = [
        (name, version, version == ids[0])
        for name, ids in sorted(versions.items(), key=lambda item: item[0].encode())
        for version in ids
        if name.startswith(prefix) and name.encode() > after.encode()
    ]
    shown: list[tuple[str, str, bool]] = []
    place: tuple[str, str] | None = after, ""
    while place is not None:
        page = list_versions(store, prefix, *place, size)
        assert len(page.versions) <= size
        shown += [(found.name, found.version_id, is_latest) for found, is_latest in page.versions]
        place = page.last
    assert shown == wanted


def test_a_folder_listing_costs_as_many_calls_as_it_has_thousands_of_folders(aws: LocalAws) -> None:
    names = [f"table/partition_date={number:05d}/{part}.avro" for number in range(2500) for part in range(4)]
    assert aws.seed_objects(aws.settings.bucket, ((name, b"x") for name in names)) == 10_000
    pages = (
        aws.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=aws.settings.bucket, Prefix="table/", Delimiter="/")
    )
    folders = [folder["Prefix"] for page in pages for folder in page["CommonPrefixes"]]
    assert folders == [f"table/partition_date={number:05d}/" for number in range(2500)]
    assert aws.calls.totals() == {"s3:ListObjectsV2": 3}


def test_a_seeded_object_is_an_object(aws: LocalAws) -> None:
    s3, bucket = aws.client("s3"), aws.settings.bucket
    aws.seed_objects(bucket, [("a", b"same"), ("b", b"same"), ("c", b"other")])
    s3.delete_object(Bucket=bucket, Key="a")
    s3.put_object(Bucket=bucket, Key="c", Body=b"changed")
    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == b"same"
    assert s3.get_object(Bucket=bucket, Key="c")["Body"].read() == b"changed"
    listing = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [(found["Key"], found["Size"]) for found in listing] == [("b", 4), ("c", 7)]


def test_a_versioned_object_that_was_deleted_is_listed_as_a_version_only(aws: LocalAws) -> None:
    s3, bucket = aws.client("s3"), aws.settings.bucket
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="folder/key", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="folder/key")
    assert s3.list_objects_v2(Bucket=bucket, Delimiter="/")["KeyCount"] == 0
    versions = s3.list_object_versions(Bucket=bucket)
    assert (len(versions["Versions"]), len(versions["DeleteMarkers"])) == (1, 1)
