"""S3: what it pages, limits and accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from tests.conformance.account import Account


def test_a_listing_with_a_delimiter_gives_folders_and_files_apart(account: Account) -> None:
    for name in ("a/1", "a/2", "b/1", "file"):
        account.put(name)
    listing = account.client("s3").list_objects_v2(Bucket=account.bucket, Prefix=account.prefix, Delimiter="/")
    assert [folder["Prefix"] for folder in listing["CommonPrefixes"]] == [f"{account.prefix}a/", f"{account.prefix}b/"]
    assert [found["Key"] for found in listing["Contents"]] == [f"{account.prefix}file"]
    assert (listing["KeyCount"], listing["IsTruncated"]) == (3, False)
