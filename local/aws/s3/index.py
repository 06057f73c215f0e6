"""The names of a bucket's objects, kept in order.

moto looks at every object of the bucket for every page of a listing: with 200,000 objects that is the whole time of a
test. This store is moto's own, plus a sorted list of names; it is put in moto's place, so whatever writes to a bucket
keeps the list right.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from typing import Any

from moto.s3 import models as moto_s3
from moto.s3.utils import _VersionedKeyStore


_BULK = 64  # from this many new names on, sorting once is faster than inserting one by one


class IndexedKeyStore(_VersionedKeyStore):  # type: ignore[misc]  # moto is not typed
    """A bucket's objects, all versions by name, with the names in order."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._sorted: list[str] = []
        self._new: list[str] = []

    def names(self) -> list[str]:
        """All names in S3's order; a copy that stays as it is."""
        with self._lock:
            if len(self._new) < _BULK:
                for name in self._new:
                    insort(self._sorted, name)
            else:
                self._sorted.extend(self._new)
                self._sorted.sort()
            self._new = []
            return self._sorted.copy()

    def __setitem__(self, name: str, value: Any) -> None:
        """Add a version."""
        self._settle(value)
        self._note(name)
        super().__setitem__(name, value)

    def setlist(self, key: str, list_: Any) -> None:
        """Replace all versions."""
        for value in list_ if isinstance(list_, list | tuple) else [list_]:
            self._settle(value)
        self._note(key)
        super().setlist(key, list_)

    def pop(self, key: str) -> None:
        """Remove all versions."""
        super().pop(key)
        with self._lock:
            if key in self._new:
                self._new.remove(key)
            else:
                del self._sorted[bisect_left(self._sorted, key)]

    def _note(self, name: str) -> None:
        with self._lock:
            if name not in self:
                self._new.append(name)
                dict.__setitem__(self, name, [])

    @staticmethod
    def _settle(value: Any) -> None:
        """Have an object's ETag computed before anybody else sees it: moto computes it late, and not thread-safely."""
        getattr(value, "etag", None)


def install_index() -> None:
    """Have every bucket made from now on keep its names in order."""
    moto_s3._VersionedKeyStore = IndexedKeyStore  # noqa: SLF001 - the one place where moto can be told
