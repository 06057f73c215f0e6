"""What a run has claimed and not finished: messages that are hidden, and batches that wait for their turn.

The nearest deadline comes first, so that a run has to know all that waits before it secures the first of it. It keeps
that in a file: memory does not grow with what waits. The file is a database of SQLite's in the temporary directory,
without a name, so that nobody else can open it and it is gone with the process. It holds positions on the stream and
handles of messages, never records.

What is lost when the process dies: nothing. The messages come into sight again, and the next run claims them.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from dmd_pipeline import raw_batches
from dmd_pipeline.aws.sqs import BATCH, Receipt
from dmd_pipeline.errors import BacklogError


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from dmd_pipeline.failed_batches import FailedBatch


logger = logging.getLogger(__name__)

_CREATE: Final = """
PRAGMA journal_mode = MEMORY;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -256;
CREATE TABLE hidden (message TEXT PRIMARY KEY, handle TEXT NOT NULL, until TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX hidden_until ON hidden (until);
CREATE TABLE waiting (deadline TEXT, place TEXT NOT NULL, batch TEXT NOT NULL, message TEXT);
CREATE INDEX waiting_first ON waiting (deadline IS NULL, deadline, place);
"""
"""Nothing has to outlast the process: the journal is for what a full disk breaks off. 256 KiB stay in memory.

A file of our own, not SQLite's temporary one: that one is written only when memory runs out, and cannot be read any
more once the disk has refused it.
"""


class Backlog:
    """Closes its database at the end of the ``with`` statement.

    Its methods raise :class:`~dmd_pipeline.errors.BacklogError` when the disk is full, or refuses: what they were asked
    to enter is not there then, all that was entered before is. A disk that takes nothing at all is done without.
    """

    def __init__(self) -> None:
        try:
            self._place = tempfile.gettempdir()  # raises where none of the usual directories takes a file
            self._database = _opened_in(self._place)
        except (OSError, sqlite3.Error) as error:
            logger.warning("what waits is kept in memory, the worker's temporary directory takes no file: %s", error)
            self._place = "memory"
            self._database = _opened(":memory:")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def hide(self, messages: Iterable[Receipt], until: datetime) -> None:
        """Enter messages that are hidden until then; of one that is known, the new receipt and time count."""
        for message in messages:
            row = (message.id, message.handle, _sortable(until))
            self._all("INSERT OR REPLACE INTO hidden VALUES (?, ?, ?)", *row)

    def hides(self, message: str) -> bool:
        """Whether a message is hidden, by its id."""
        return bool(self._all("SELECT 1 FROM hidden WHERE message = ?", message))

    def next_visible(self) -> datetime | None:
        """When the first of the messages comes into sight; None when none is hidden."""
        [(first,)] = self._all("SELECT min(until) FROM hidden")
        return None if first is None else datetime.fromisoformat(first)

    def visible_by(self, moment: datetime) -> list[Receipt]:
        """Messages that come into sight until a moment, as many as one call takes; none when there are none."""
        query = "SELECT message, handle FROM hidden WHERE until <= ? ORDER BY until LIMIT ?"
        return [Receipt(*row) for row in self._all(query, _sortable(moment), BATCH)]

    def let_go(self, message: str) -> Receipt | None:
        """Take a message out, by its id; None when it is not hidden."""
        found = self._all("SELECT message, handle FROM hidden WHERE message = ?", message)
        self._all("DELETE FROM hidden WHERE message = ?", message)
        return Receipt(*found[0]) if found else None

    def wait(self, batch: FailedBatch, deadline: datetime | None, message: str | None) -> None:
        """Enter a batch whose records are still to be read.

        Args:
            batch: Without records.
            deadline: When the first of it is lost; None when nobody knows.
            message: Id of the message that told of it, if it came in one.
        """
        described = json.dumps(raw_batches.described(batch))
        until = None if deadline is None else _sortable(deadline)
        self._all("INSERT INTO waiting VALUES (?, ?, ?, ?)", until, str(batch.id), described, message)

    def nearest_first(self) -> Iterator[tuple[FailedBatch, datetime | None, str | None]]:
        """The batches that wait, with deadline and message: the nearest deadline first, those without one last."""
        query = "SELECT batch, deadline, message FROM waiting ORDER BY deadline IS NULL, deadline, place"
        with self._translated():
            rows = self._database.execute(query)
        while True:
            with self._translated():
                row = rows.fetchone()
            if row is None:
                return
            batch, deadline, message = row
            until = None if deadline is None else datetime.fromisoformat(deadline)
            yield raw_batches.described_batch(json.loads(batch)), until, message

    def _all(self, statement: str, *values: str | int | None) -> list[Any]:
        with self._translated():
            return self._database.execute(statement, values).fetchall()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise BacklogError(
                f"what waits could not be kept below {self._place}, the worker's temporary directory: {error}. Make "
                "room there; messages that are not done with come into sight again"
            ) from error


def _opened_in(folder: str) -> sqlite3.Connection:
    """A database in a file that has lost its name."""
    handle, path = tempfile.mkstemp(prefix="dmd-backlog-", dir=folder)
    os.close(handle)
    try:
        return _opened(path)
    finally:
        Path(path).unlink()


def _opened(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.executescript(_CREATE)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _sortable(moment: datetime) -> str:
    """Moments as text that sorts as they do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
