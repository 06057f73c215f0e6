"""Which objects belong to a location, as Hive sees them, and what is in one."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from local.athena.errors import QueryError
from local.athena.ports import BucketNotFoundError, ObjectNotFoundError


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from local.athena.ports import Objects, StoredObject


_HIDDEN = ("_", ".")


class Listing:
    """The objects below many locations, listed in one sweep.

    One listing of what all locations have in common, instead of one a partition: that is what makes a table of
    thousands of partitions fast. What is listed is read only where a partition asks for it.
    """

    def __init__(self, objects: Objects, locations: Iterable[str]) -> None:
        self._objects = objects
        self._listed: list[StoredObject] = []
        folders = sorted({as_folder(location) for location in locations})
        for bucket in sorted({folder.split("/")[2] for folder in folders}):
            inside = [folder for folder in folders if folder.split("/")[2] == bucket]
            self._listed += self._list(_common_beginning(inside[0], inside[-1]))
        self._uris = [one.uri for one in self._listed]

    def below(self, location: str) -> Sequence[StoredObject]:
        """The files of one location: all objects below it except hidden ones and markers of folders."""
        folder = as_folder(location)
        found = []
        for position in range(bisect_left(self._uris, folder), len(self._uris)):
            uri = self._uris[position]
            if not uri.startswith(folder):
                break
            if _is_visible(uri.removeprefix(folder)):
                found.append(self._listed[position])
        return found

    def _list(self, prefix: str) -> list[StoredObject]:
        try:
            return list(self._objects.list(prefix))
        except BucketNotFoundError as error:
            raise QueryError(
                "HIVE_UNKNOWN_ERROR",
                f"The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Bucket: {error})",
            ) from error


def _common_beginning(first: str, last: str) -> str:
    """What the first and the last of sorted texts begin with, and so do all between them."""
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return first[:same]


def as_folder(location: str) -> str:
    """A location with a slash at its end: ``…/day=1`` does not hold what lies in ``…/day=10/``."""
    if not location.startswith(("s3://", "s3a://", "s3n://")):
        raise QueryError("HIVE_INVALID_METADATA", f"The location '{location}' is not on S3")
    return "s3://" + location.partition("://")[2].rstrip("/") + "/"


def _is_visible(name: str) -> bool:
    return bool(name) and not name.endswith("/") and not any(part.startswith(_HIDDEN) for part in name.split("/"))


def content(objects: Objects, one: StoredObject) -> bytes:
    """The bytes of a file.

    Raises:
        QueryError: HIVE_CANNOT_OPEN_SPLIT when it has gone since it was listed.
    """
    try:
        return objects.read(one.uri)
    except ObjectNotFoundError as error:
        raise QueryError("HIVE_CANNOT_OPEN_SPLIT", f"Error opening Hive split {one.uri}: no such object") from error
