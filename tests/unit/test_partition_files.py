"""What lies in partitions already: which files are listed, which are read, and what becomes of damaged ones."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.aws.s3 import StoredObject
from dmd_pipeline.container_files import read_header
from dmd_pipeline.delivery import container, deliver
from dmd_pipeline.errors import ContainerFileError
from dmd_pipeline.failed_batches import BatchId
from dmd_pipeline.jobs import partition_files
from dmd_pipeline.jobs.partition_files import PartitionFiles
from dmd_pipeline.layout import Layout
from dmd_pipeline.replay import replay_metadata
from tests.unit.candidates_of import RECORD_TYPES
from tests.unit.changes import change, demand


LAYOUT = Layout("bucket", "pipeline")
DAY = date(2026, 3, 1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHARD = "shardId-000000000001"
OURS = BatchId(SHARD, 100, 199)
PAGE = 3


def container_of(*numbers: int) -> bytes:
    """A container file with a row; a replayed one when it has numbers."""
    [rows] = deliver([change(demand())], RECORD_TYPES, now=NOON).groups.values()
    metadata = replay_metadata(numbers) if numbers else {}
    return container(RECORD_TYPES["demand"], rows, sync_marker=bytes(16), metadata=metadata)


WRITTEN = container_of()


class ListedBucket:
    """Objects by key; three names a page, and every call counted."""

    name = LAYOUT.bucket

    def __init__(self, **objects: bytes) -> None:
        self.objects = dict(objects)
        self.calls: Counter[str] = Counter()

    def page_below(self, prefix: str, start_after: str) -> tuple[tuple[StoredObject, ...], bool]:
        self.calls["LIST"] += 1
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > start_after)
        page = tuple(StoredObject(key, len(self.objects[key]), NOON, '"e"') for key in keys[:PAGE])
        return page, len(keys) <= PAGE

    def read(self, key: str) -> bytes:
        self.calls[key] += 1
        return self.objects[key]

    def read_range(self, key: str, start: int, length: int) -> bytes:
        self.calls[key] += 1
        return self.objects[key][start : start + length]

    def put(self, name: str, body: bytes = WRITTEN, day: date = DAY) -> str:
        key = LAYOUT.partition_prefix("demand", day) + name
        self.objects[key] = body
        return key

    def deliver(self, at: datetime, day: date = DAY) -> str:
        key = LAYOUT.delivered_key("demand", day, at, UUID(int=len(self.objects)))
        self.objects[key] = WRITTEN
        return key

    def replay(self, batch: BatchId, *numbers: int, day: date = DAY) -> str:
        key = LAYOUT.replay_key("demand", day, batch)
        self.objects[key] = container_of(*numbers)
        return key

    def files(self) -> PartitionFiles:
        bucket: Any = self
        return PartitionFiles(bucket, LAYOUT)

    def compared(self, batch: BatchId = OURS, since: datetime = NOON, until: datetime = NOON + HOUR) -> set[str]:
        """Keys of the files that rows of a batch are compared with."""
        before = self.calls.copy()
        list(self.files().written("demand", DAY, batch, since, until))
        return set(self.calls - before) - {"LIST"}


class TestComparedFiles:
    def test_they_are_those_that_the_worker_wrote_within_the_period(self) -> None:
        bucket = ListedBucket()
        minutes = {at: bucket.deliver(NOON + timedelta(minutes=at)) for at in (-1, 0, 30, 60, 61)}
        assert bucket.compared() == {minutes[0], minutes[30], minutes[60]}

    def test_files_whose_names_tell_no_time_are_among_them(self) -> None:
        bucket = ListedBucket()
        assert bucket.compared() == set()
        assert bucket.compared() | {bucket.put("compacted.avro")} == bucket.compared()

    def test_empty_objects_and_those_that_are_no_container_files_are_not(self) -> None:
        bucket = ListedBucket()
        bucket.put("2026-03-01-12-30-00-a.avro", b"")
        bucket.put("notes.txt")
        bucket.put("2026-03-01-12-30-00-a.avro", day=DAY + timedelta(days=1))
        assert bucket.compared() == set()

    def test_other_replays_of_shards_are_told_by_their_sequence_numbers_and_not_by_content(self) -> None:
        bucket = ListedBucket()
        bucket.replay(OURS, 100)
        bucket.replay(BatchId(f"{SHARD}-retry1", 100, 100), 100)
        bucket.replay(BatchId("shardId-000000000002", 100, 199), 100)
        assert bucket.compared() == set()

    def test_between_documents_and_shards_replays_are_compared_by_content_too(self) -> None:
        bucket = ListedBucket()
        of_shard = bucket.replay(OURS, 100)
        of_document = bucket.replay(BatchId("errors-a", 0, 9), 0)
        again = BatchId("errors-a-retry1", 3, 3)
        assert bucket.compared(OURS) == {of_document}
        assert bucket.compared(BatchId("errors-b", 0, 9)) == {of_shard, of_document}
        assert bucket.compared(BatchId("errors-a", 0, 9)) == bucket.compared(again) == {of_shard}


class TestReplays:
    def test_those_that_overlap_tell_their_sequence_numbers(self) -> None:
        bucket = ListedBucket()
        retry = BatchId(f"{SHARD}-retry1", 150, 300)
        bucket.replay(OURS, 100, 105)
        bucket.replay(retry, 150, 300)
        for apart in (BatchId(SHARD, 200, 300), BatchId("shardId-000000000002", 100, 199)):
            bucket.replay(apart, apart.start)
        found = bucket.files().replayed("demand", DAY, OURS, NOON)
        assert found == {OURS: {100, 105}, retry: {150, 300}}
        assert sorted(bucket.calls.values()) == [1, 1, 2], "two headers, two pages"

    def test_a_file_that_was_written_just_now_is_known_without_a_call(self) -> None:
        bucket = ListedBucket()
        files = bucket.files()
        files.list_folders([("demand", DAY)], NOON)
        bucket.calls.clear()
        files.add("demand", DAY, OURS, frozenset({100}))
        assert files.replayed("demand", DAY, BatchId(SHARD, 150, 250), NOON) == {OURS: {100}}
        assert not bucket.calls

    def test_numbers_that_are_not_kept_any_more_are_read_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(partition_files, "_MOST_NUMBERS", 2)
        bucket = ListedBucket()
        batches = [BatchId(SHARD, start, start + 9) for start in range(0, 50, 10)]
        files = bucket.files()
        files.list_folders([("demand", DAY)], NOON)
        for batch in batches:
            bucket.replay(batch, batch.start, batch.end)
            files.add("demand", DAY, batch, frozenset({batch.start, batch.end}))
        for batch in batches:
            assert files.replayed("demand", DAY, batch, NOON) == {batch: {batch.start, batch.end}}
        assert len(files._numbers) <= 3

    @pytest.mark.parametrize("body", [b"x", b"Obj\x01", WRITTEN, WRITTEN[:40]])
    def test_one_that_tells_no_numbers_is_told_by_its_key(self, body: bytes) -> None:
        bucket = ListedBucket()
        key = bucket.put(f"replay-{SHARD}-100-199.avro", body)
        with pytest.raises(ContainerFileError, match=rf"^s3://bucket/{key} cannot be compared with"):
            bucket.files().replayed("demand", DAY, OURS, NOON)


class TestListing:
    def test_a_folder_is_listed_once(self) -> None:
        bucket = ListedBucket()
        files = bucket.files()
        for _ in range(3):
            files.list_folders([("demand", DAY)], NOON)
            files.replayed("demand", DAY, OURS, NOON + HOUR)
        assert bucket.calls["LIST"] == 1

    def test_it_is_listed_again_for_a_batch_that_came_earlier(self) -> None:
        bucket = ListedBucket()
        early = bucket.deliver(NOON - HOUR)
        files = bucket.files()
        assert list(files.written("demand", DAY, OURS, NOON, NOON + HOUR)) == []
        assert len(list(files.written("demand", DAY, OURS, NOON - HOUR, NOON))) == 1
        assert (bucket.calls["LIST"], bucket.calls[early]) == (2, 1)

    def test_folders_that_fit_into_a_page_are_listed_together(self) -> None:
        bucket = ListedBucket()
        days = [DAY + timedelta(days=number) for number in range(PAGE)]
        for day in days:
            bucket.deliver(NOON, day)
        bucket.files().list_folders([("demand", day) for day in days], NOON)
        assert bucket.calls == {"LIST": 1}

    def test_no_more_listings_are_kept_than_memory_is_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(partition_files, "_MOST_FOLDERS", 4)
        bucket = ListedBucket()
        files = bucket.files()
        for number in range(20):
            day = DAY + timedelta(days=number)
            bucket.replay(OURS, 100, day=day)
            files.list_folders([("demand", day)], NOON)
            assert files.replayed("demand", day, OURS, NOON) == {OURS: {100}}
        assert len(files._names) <= 4

    @given(
        st.lists(st.tuples(st.integers(0, 6), st.integers(-3, 3), st.booleans()), max_size=30),
        st.sets(st.integers(0, 6), min_size=1),
        st.integers(-3, 3),
    )
    def test_whatever_lies_between_what_is_asked_for_is_found(
        self, present: list[tuple[int, int, bool]], asked: set[int], begin: int
    ) -> None:
        """Files of some days and hours, replays among them, three to a page."""
        bucket = ListedBucket()
        since = NOON + begin * HOUR
        expected: dict[date, set[str]] = {}
        for number, (place, hour, is_replay) in enumerate(present):
            day = DAY + timedelta(days=place)
            at = NOON + hour * HOUR
            key = bucket.replay(BatchId(SHARD, number, number), number, day=day) if is_replay else None
            key = key or bucket.deliver(at, day)
            if is_replay or at >= since:
                expected.setdefault(day, set()).add(key.rpartition("/")[2])
        files = bucket.files()
        days = [DAY + timedelta(days=place) for place in asked]
        files.list_folders([("demand", day) for day in days], since)
        lists = bucket.calls["LIST"]
        assert lists <= len(days) + len(present) // PAGE
        for day in days:
            found = [name.text for name in files._listed("demand", day, since)]
            assert sorted(found) == sorted(expected.get(day, ()))
        assert bucket.calls["LIST"] == lists


class TestDamagedFiles:
    @staticmethod
    def read(body: bytes) -> int:
        bucket = ListedBucket()
        key = bucket.put("2026-03-01-12-30-00-a.avro", body)
        try:
            return sum(len(list(file.rows)) for file in bucket.files().written("demand", DAY, OURS, NOON, NOON + HOUR))
        except ContainerFileError as error:
            assert str(error).startswith(f"s3://bucket/{key} cannot be compared with")  # noqa: PT017
            return -1

    def test_every_way_of_being_cut_off_is_told(self) -> None:
        cut = {length: self.read(WRITTEN[:length]) for length in range(1, len(WRITTEN))}
        header = read_header(lambda start, length: WRITTEN[start : start + length])
        assert {length for length, rows in cut.items() if rows >= 0} == {header.size}, "that is a file without rows"
        assert self.read(WRITTEN) == 1

    @given(st.integers(0, len(WRITTEN) - 1), st.binary(min_size=1, max_size=3), st.sampled_from(["null", "deflate"]))
    def test_damage_of_any_kind_is_told_or_does_no_harm(self, place: int, change: bytes, codec: str) -> None:
        file = BytesIO()
        rows: Any = fastavro.reader(BytesIO(WRITTEN))
        fastavro.writer(file, json.loads(rows.metadata["avro.schema"]), list(rows), codec=codec, sync_marker=bytes(16))
        body = file.getvalue()
        place %= len(body)
        assert self.read(body[:place] + change + body[place + len(change) :]) >= -1
