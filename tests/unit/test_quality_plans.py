"""Which partitions are checked, and in which chunks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline.aws.s3 import StoredObject
from dmd_pipeline.parameters import DateRange
from dmd_pipeline.quality import content_digest
from dmd_pipeline.quality_documents import Entry, Seen, Verdict
from dmd_pipeline.quality_plans import LEAST_CHUNK, MAX_CHUNKS, Due, chunks, plan, seen_in, window
from tests.unit.test_quality_documents import OTHER, SUITE, seen, verdict


DAY = date(2026, 3, 1)
PREFIX = "data-pipeline/avro/demand/"
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANY_TIME = DateRange()


def stored(name: str, size: int = 100, modified: datetime = MOMENT) -> StoredObject:
    return StoredObject(PREFIX + name, size, modified, '"e"')


def looked(**changed: Any) -> Seen:
    return Seen.model_validate(seen(**changed))


def judged(**changed: Any) -> Entry:
    return Entry(verdict=Verdict.model_validate(verdict(**changed)))


class TestALook:
    def test_sums_up_each_folder(self) -> None:
        later = MOMENT + timedelta(hours=1)
        objects = [
            stored("partition_date=2026-03-01/a.avro"),
            stored("partition_date=2026-03-01/b.avro", 50, later),
            stored("partition_date=2026-03-01/c.avro", 7),
        ]

        (found,) = seen_in(objects, PREFIX, {DAY}, ANY_TIME).items()

        assert found == (
            DAY,
            Seen(files=3, bytes=157, newest=later, content=content_digest(3, 157, later), registered=True),
        )

    def test_knows_what_glue_lacks_and_what_has_no_files(self) -> None:
        objects = [stored("partition_date=2026-03-01/a.avro")]

        found = seen_in(objects, PREFIX, {DAY + timedelta(days=1)}, ANY_TIME)

        assert {day: (now.files, now.registered) for day, now in found.items()} == {
            DAY: (1, False),
            DAY + timedelta(days=1): (0, True),
        }

    @pytest.mark.parametrize(
        "name",
        [
            "partition_date=2026-02-30/a.avro",
            "partition_date=2026-03-01/",
            "partition_date=2026-03-01/_temporary",
            "partition_date=2026-03-01/.hidden",
            "partition_date=2026-03-01",
            "loose.avro",
            "other/a.avro",
        ],
    )
    def test_passes_over_what_is_no_file_of_a_partition(self, name: str) -> None:
        assert seen_in([stored(name)], PREFIX, (), ANY_TIME) == {}

    def test_leaves_other_dates_out(self) -> None:
        objects = [stored(f"partition_date=2026-03-0{day}/a.avro") for day in (1, 2, 3)]
        registered = {DAY + timedelta(days=days) for days in range(5)}

        found = seen_in(objects, PREFIX, registered, DateRange(date(2026, 3, 2), date(2026, 3, 3)))

        assert sorted(found) == [date(2026, 3, 2), date(2026, 3, 3)]


@pytest.mark.parametrize(
    ("now", "known", "reason"),
    [
        (looked(), Entry(), "unchecked"),
        (looked(content=OTHER), judged(), "stale"),
        (looked(), judged(suite=OTHER), "stale"),
        (looked(registered=False), judged(), "unregistered"),
        (looked(), judged(verdict="unknown", engine="none"), "unknown"),
        (looked(), judged(verdict="unknown", engine="memory"), None),
        (looked(), judged(), None),
        (looked(), judged(verdict="warned"), None),
        (looked(), judged(verdict="failed"), None),
        (looked(files=0, bytes=0, newest=None), Entry(), None),
    ],
)
def test_what_is_due_and_why(now: Seen, known: Entry, reason: str | None) -> None:
    made = plan("demand", {DAY: now}, {DAY: known}, SUITE)

    assert [due.reason for due in made.due] == ([reason] if reason else [])
    assert made.sound + made.empty == (0 if reason else 1)


def test_by_force_everything_with_files_is_checked_the_latest_first() -> None:
    days = {DAY + timedelta(days=days): looked() for days in range(3)}
    empty = {DAY - timedelta(days=1): looked(files=0, bytes=0, newest=None)}

    made = plan("demand", days | empty, dict.fromkeys(days, judged()), SUITE, force=True)

    assert [due.partition_date for due in made.due] == sorted(days, reverse=True)
    assert (made.sound, made.empty) == (0, 1)


def test_a_plan_prints_as_a_table() -> None:
    days = {DAY + timedelta(days=days): looked() for days in range(3)}

    lines = str(plan("demand", days, {DAY: judged()}, SUITE)).splitlines()

    assert lines[0] == "demand"
    assert [line.split() for line in lines[3:]] == [
        ["unchecked", "2", "2026-03-02", "to", "2026-03-03"],
        ["sound", "1"],
    ]


looks = st.builds(
    lambda files, content, registered: looked(files=files, content=content, registered=registered),
    st.integers(0, 2),
    st.sampled_from(["0" * 16, "1" * 16]),
    st.booleans(),
)
known_before = st.one_of(
    st.just(Entry()),
    st.builds(
        lambda word, content, suite, engine: judged(verdict=word, content=content, suite=suite, engine=engine),
        st.sampled_from(["passed", "warned", "failed", "unknown"]),
        st.sampled_from(["0" * 16, "1" * 16]),
        st.sampled_from([SUITE, OTHER]),
        st.sampled_from(["memory", "none"]),
    ),
)


@given(st.dictionaries(st.dates(date(2026, 1, 1), date(2026, 1, 9)), st.tuples(looks, known_before)))
def test_when_all_that_is_due_is_checked_nothing_is_due(known: dict[date, tuple[Seen, Entry]]) -> None:
    now = {day: one for day, (one, _) in known.items()}
    entries = {day: entry for day, (_, entry) in known.items()}

    first = plan("demand", now, entries, SUITE)
    checked = {due.partition_date: judged(content=due.seen.content) for due in first.due}
    mended = {day: one.model_copy(update={"registered": True}) for day, one in now.items()}
    second = plan("demand", mended, entries | checked, SUITE)

    assert second.due == ()
    assert len(first.due) + first.sound + first.empty == len(known)


def test_a_run_by_the_clock_looks_back_so_many_days_and_ahead_for_ever() -> None:
    dates = window(DAY, 30)

    assert (date(2026, 1, 30) in dates, date(2026, 1, 29) in dates, date(2199, 1, 1) in dates) == (True, False, True)


sizes = st.lists(st.integers(0, 10_000_000), max_size=400)


@given(sizes)
def test_chunks_hold_everything_once_and_are_of_a_size(given_sizes: list[int]) -> None:
    due = [
        Due(("demand", "sale")[number % 2], DAY + timedelta(days=number), looked(bytes=size), "stale")
        for number, size in enumerate(given_sizes)
    ]

    made = chunks(due)

    held = [(table, day) for chunk in made for table, days in chunk.items() for day in days]
    assert sorted(held) == sorted((one.table, one.partition_date) for one in due)
    assert len(made) == min(MAX_CHUNKS, -(-len(due) // LEAST_CHUNK))
    assert all(days == sorted(days) for chunk in made for days in chunk.values())
    if made:
        cost = {(one.table, one.partition_date): one.seen.bytes + 100_000 for one in due}
        loads = [sum(cost[table, day] for table, days in chunk.items() for day in days) for chunk in made]
        assert max(loads) <= sum(loads) / len(loads) + max(cost.values())


def test_nothing_due_is_no_chunk() -> None:
    assert chunks([]) == []
