"""One page of a bucket's names: keys and, with a delimiter, the folders that stand for many keys."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from moto.s3.models import FakeDeleteMarker


if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.aws.s3.index import IndexedKeyStore

LARGEST_PAGE = 1000


@dataclass(frozen=True)
class Page:
    """One page of a listing.

    Attributes:
        objects: moto's objects, by name.
        folders: Common prefixes, in order.
        last: The last name or folder of the page, when there are more.
    """

    objects: list[Any]
    folders: list[str]
    last: str | None


@dataclass(frozen=True)
class VersionsPage:
    """One page of a listing of versions.

    Attributes:
        versions: moto's objects and delete markers, by name, the newest of each first; and whether it is the newest.
        last: Name and version id of the page's last one, when there are more.
    """

    versions: list[tuple[Any, bool]]
    last: tuple[str, str] | None


def list_versions(store: IndexedKeyStore, prefix: str, after: str, after_version: str, size: int) -> VersionsPage:
    """The versions that follow that of a name, or all of it when none is given; at most ``size`` of them."""
    names = store.names()
    find = bisect_left if after_version else bisect_right
    position = max(bisect_left(names, prefix), find(names, after) if after else 0)
    found: list[tuple[Any, bool]] = []
    for name in islice(names, position, None):
        if not name.startswith(prefix):
            break
        versions = [(one, index == 0) for index, one in enumerate(reversed(store.getlist(name, [])))]
        if name == after:
            ids = [one.version_id for one, _ in versions]
            versions = versions[ids.index(after_version) + 1 if after_version in ids else 0 :]
        for one, is_latest in versions:
            if len(found) == size:
                return VersionsPage(found, (found[-1][0].name, found[-1][0].version_id))
            found.append((one, is_latest))
    return VersionsPage(found, None)


def list_page(store: IndexedKeyStore, prefix: str, delimiter: str, after: str, size: int) -> Page:
    """The keys and folders that follow ``after``, at most ``size`` of them."""
    objects: list[Any] = []
    folders: list[str] = []
    last = None
    for name, found in _entries(store, prefix, delimiter, after):
        if len(objects) + len(folders) == size:
            return Page(objects, folders, last)
        last = name
        if found is None:
            folders.append(name)
        else:
            objects.append(found)
    return Page(objects, folders, None)


def _entries(store: IndexedKeyStore, prefix: str, delimiter: str, after: str) -> Iterator[tuple[str, Any]]:
    """Names with their objects, and folders with None, in order; a folder's keys are leapt over."""
    names = store.names()
    position = bisect_left(names, prefix)
    if after:
        inside = delimiter and after.startswith(prefix) and after.endswith(delimiter) and after != prefix
        position = max(position, _after_folder(names, after) if inside else bisect_right(names, after))
    while position < len(names) and names[position].startswith(prefix):
        name = names[position]
        cut = name.find(delimiter, len(prefix)) if delimiter else -1
        if cut < 0:
            position += 1
            found = _current(store, name)
            if found is not None:
                yield name, found
            continue
        folder = name[: cut + len(delimiter)]
        end = _after_folder(names, folder)
        if any(_current(store, inner) is not None for inner in names[position:end]):
            yield folder, None
        position = end


def _after_folder(names: list[str], folder: str) -> int:
    """Index of the first name that is not in a folder."""
    return bisect_left(names, folder[:-1] + chr(ord(folder[-1]) + 1))


def _current(store: IndexedKeyStore, name: str) -> Any:
    """The current version of an object; None when it was deleted."""
    found = store.get(name)
    return None if isinstance(found, FakeDeleteMarker) else found
