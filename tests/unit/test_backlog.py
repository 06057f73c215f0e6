"""What waits: kept on disk, the nearest deadline first, with no record and no loss of a microsecond."""

from __future__ import annotations

import re
import resource
import tempfile
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.aws.sqs import BATCH, Receipt
from dmd_pipeline.errors import BacklogError
from dmd_pipeline.failed_batches import BatchId, FailedBatch
from dmd_pipeline.jobs.backlog import Backlog


if TYPE_CHECKING:
    from collections.abc import Iterator


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
_MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=_ZONES)  # noqa: DTZ001 - it takes naive bounds


@pytest.fixture
def backlog() -> Iterator[Backlog]:
    with Backlog() as opened:
        yield opened


def batch(number: int, size: int | None = 3) -> FailedBatch:
    return FailedBatch(
        BatchId("shardId-000000000001", number, number + 3),
        size,
        NOON,
        NOON + MINUTE,
        "RetryAttemptsExhausted",
        f"queue message {number}",
        "e4b4",
        NOON,
        attempts=1,
    )


class TestBatchesThatWait:
    """They come back as they were, in the order of their deadlines."""

    @given(st.lists(st.tuples(st.integers(0, 2**186), st.none() | _MOMENTS, st.none() | st.text("ab-", max_size=3))))
    def test_come_by_deadline_then_by_place_and_those_without_a_deadline_last(
        self, waiting: list[tuple[int, datetime | None, str | None]]
    ) -> None:
        with Backlog() as backlog:
            for number, deadline, message in waiting:
                backlog.wait(batch(number), deadline, message)
            found = list(backlog.nearest_first())
        never = datetime.max.replace(tzinfo=UTC)
        order = [(deadline or never, str(one.id)) for one, deadline, _ in found]
        assert order == sorted((deadline or never, str(batch(number).id)) for number, deadline, _ in waiting)
        assert sorted(map(repr, ((one, message) for one, _, message in found))) == sorted(
            map(repr, ((batch(number), message) for number, _, message in waiting))
        )

    def test_messages_are_let_go_while_batches_are_gone_through(self, backlog: Backlog) -> None:
        names = [f"message-{number:02}" for number in range(25)]
        for number, name in enumerate(names):
            backlog.wait(batch(number), NOON + number * MINUTE, name)
            backlog.hide([Receipt(name, "handle")], NOON)
        gone = [backlog.let_go(message) for _, _, message in backlog.nearest_first() if message is not None]
        assert gone == [Receipt(name, "handle") for name in names]
        assert backlog.next_visible() is None


class TestHiddenMessages:
    """Known by their id, found by when they come into sight."""

    def test_come_as_many_as_one_call_takes_the_first_to_be_seen_first(self, backlog: Backlog) -> None:
        for number in range(BATCH + 2):
            backlog.hide([Receipt(str(number), f"handle {number}")], NOON - number * MINUTE)
        assert [one.id for one in backlog.visible_by(NOON)] == [str(number) for number in range(BATCH + 1, 1, -1)]
        assert backlog.next_visible() == NOON - (BATCH + 1) * MINUTE

    def test_those_that_stay_hidden_longer_do_not_come(self, backlog: Backlog) -> None:
        backlog.hide([Receipt("a", "x")], NOON)
        assert backlog.visible_by(NOON - timedelta(microseconds=1)) == []
        assert backlog.visible_by(NOON) == [Receipt("a", "x")]

    def test_one_that_is_hidden_again_has_its_new_handle_and_time(self, backlog: Backlog) -> None:
        backlog.hide([Receipt("a", "old"), Receipt("b", "old")], NOON)
        backlog.hide([Receipt("a", "new")], NOON + MINUTE)
        assert backlog.visible_by(NOON) == [Receipt("b", "old")]
        assert backlog.let_go("a") == Receipt("a", "new")

    def test_one_that_was_let_go_is_not_known_any_more(self, backlog: Backlog) -> None:
        backlog.hide([Receipt("a", "x")], NOON)
        assert backlog.hides("a")
        assert backlog.let_go("a") == Receipt("a", "x")
        assert not backlog.hides("a")
        assert backlog.let_go("a") is None
        assert backlog.visible_by(NOON) == []


def test_memory_does_not_grow_with_what_waits(backlog: Backlog) -> None:
    """Of 20,000 messages and batches, a kilobyte each, nothing stays in memory, neither Python's nor SQLite's."""

    def take(numbers: range) -> None:
        for number in numbers:
            backlog.hide([Receipt(f"{number:036}", "handle" * 60)], NOON)
            backlog.wait(batch(number), NOON + number * MINUTE, f"{number:036}")

    take(range(1_000))
    resident = resident_bytes()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        take(range(1_000, 20_000))
        assert sum(1 for _ in backlog.nearest_first()) == 20_000
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000, "a byte a batch"
    assert peak - before < 200_000
    assert resident_bytes() - resident < 8_000_000, "of 20 MB"


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def test_nobody_finds_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Backlog() as backlog:
        backlog.hide([Receipt("a", "x")], NOON)
        assert list(tmp_path.iterdir()) == []
        links = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        assert any(link.parent == tmp_path and link.name.endswith(" (deleted)") for link in links), "it is there"
        assert backlog.hides("a")


class TestADiskThatTakesNoMore:
    """What was entered before stays readable; the error names place and remedy."""

    @pytest.fixture
    def full(self, backlog: Backlog) -> Iterator[Backlog]:
        """Files of this process grow to 400 kB and no further, as on a full disk: the first write beyond fails."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limits[1]))
        try:
            yield backlog
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    @staticmethod
    def fill(backlog: Backlog) -> None:
        """Enter what the limit cannot take, the nearest deadline last."""
        for number in range(2_000):
            backlog.hide([Receipt(str(number), "handle" * 60)], NOON)
            backlog.wait(batch(number), NOON - number * MINUTE, str(number))

    def test_is_told_and_what_was_claimed_before_can_still_be_secured(self, full: Backlog) -> None:
        told = rf"kept below {re.escape(tempfile.gettempdir())}, the worker's temporary directory: .*Make room there"
        with pytest.raises(BacklogError, match=told):
            self.fill(full)
        found = [message for _, _, message in full.nearest_first()]
        assert len(found) > 200, "more than stays in memory"
        assert found == [str(number) for number in range(len(found) - 1, -1, -1)]
        assert [full.let_go(message) for message in found if message] == [
            Receipt(message, "handle" * 60) for message in found if message
        ]

    def test_room_that_was_made_is_used(self, full: Backlog) -> None:
        with pytest.raises(BacklogError):
            self.fill(full)
        before = sum(1 for _ in full.nearest_first())
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        full.wait(batch(2_000), None, None)
        assert sum(1 for _ in full.nearest_first()) == before + 1

    @pytest.mark.parametrize("directory", ["missing", None])
    def test_without_a_place_for_a_file_memory_is_used(
        self, directory: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """The directory takes no file, or Python has found none that does."""

        def none() -> str:
            raise FileNotFoundError("No usable temporary directory found")

        if directory is None:
            monkeypatch.setattr(tempfile, "gettempdir", none)
        else:
            monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / directory))
        with Backlog() as backlog:
            backlog.wait(batch(1), NOON, "a")
            assert [one for one, _, _ in backlog.nearest_first()] == [batch(1)]
