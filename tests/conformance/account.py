"""An account with room for one conformance case, and the word for "AWS refuses"."""

from __future__ import annotations

import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dmd_pipeline.settings import Settings


@dataclass
class Account:
    """An AWS account with room for one case: every name it gives is new, and everything is removed afterwards.

    Attributes:
        settings: The environment it belongs to.
        client: Gives the boto3 client of a service.
        is_local: Whether it is the local AWS.
    """

    settings: Settings
    client: Callable[[str], Any]
    is_local: bool
    _suffix: str = field(default_factory=lambda: secrets.token_hex(4))
    _removals: list[Callable[[], object]] = field(default_factory=list)

    @cached_property
    def database(self) -> str:
        """Name of an empty scratch database in Glue, made when first asked for."""
        name = f"{self.settings.database}_conformance_{self._suffix}"
        self.client("glue").create_database(DatabaseInput={"Name": name})
        self.remove_later(lambda: self.client("glue").delete_database(Name=name))
        return name

    @cached_property
    def prefix(self) -> str:
        """A scratch prefix in the environment's bucket, with a slash at its end; whatever is below it is removed."""
        prefix = f"{self.settings.prefix}/test/conformance-{self._suffix}/"
        self.remove_later(lambda: self._empty(prefix))
        return prefix

    @property
    def bucket(self) -> str:
        """The environment's bucket."""
        return self.settings.bucket

    def location(self, name: str) -> str:
        """S3 URI of a folder below the scratch prefix, with a slash at its end."""
        return f"s3://{self.bucket}/{self.prefix}{name}/"

    def put(self, key: str, body: bytes = b"") -> str:
        """Write an object below the scratch prefix; returns its whole key."""
        self.client("s3").put_object(Bucket=self.bucket, Key=self.prefix + key, Body=body)
        return self.prefix + key

    def unique(self, name: str) -> str:
        """A name that nothing else in the account has."""
        return f"conformance-{name}-{self._suffix}"

    def remove_later(self, removal: Callable[[], object]) -> None:
        """Have something done when the case is over, last first; what is gone already is no error."""
        self._removals.append(removal)

    def clean_up(self) -> None:
        """Remove everything the case made."""
        while self._removals:
            with suppress(ClientError):
                self._removals.pop()()

    def _empty(self, prefix: str) -> None:
        s3 = self.client("s3")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            keys = [{"Key": found["Key"]} for found in page.get("Contents", [])]
            if keys:
                s3.delete_objects(Bucket=self.bucket, Delete={"Objects": keys, "Quiet": True})


@contextmanager
def refused(code: str, saying: str = "") -> Iterator[None]:
    """Expect AWS to refuse what happens inside.

    Args:
        code: The error's code, ``"InvalidInputException"``.
        saying: Part of its message.
    """
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert (error["Code"], saying in error["Message"]) == (code, True), error
