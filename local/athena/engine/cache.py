"""Decoded partitions, kept while they do not change and as long as there is room."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Hashable

    import pyarrow as pa


DEFAULT_BYTES = 256 * 1024 * 1024


class DecodedCache:
    """A least-recently-used cache of Arrow tables, bounded by the bytes they take."""

    def __init__(self, capacity: int = DEFAULT_BYTES) -> None:
        self._capacity = capacity
        self._used = 0
        self._tables: OrderedDict[Hashable, pa.Table] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> pa.Table | None:
        """The table kept under a key."""
        with self._lock:
            if key not in self._tables:
                return None
            self._tables.move_to_end(key)
            return self._tables[key]

    def put(self, key: Hashable, table: pa.Table) -> None:
        """Keep a table, and give up the ones that were not used for longest."""
        with self._lock:
            if key in self._tables or table.nbytes > self._capacity:
                return
            self._tables[key] = table
            self._used += table.nbytes
            while self._used > self._capacity:
                _, evicted = self._tables.popitem(last=False)
                self._used -= evicted.nbytes
