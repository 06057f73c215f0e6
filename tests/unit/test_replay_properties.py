"""Whatever the worker did with its batches, and in whatever order what failed is converted: every record, once.

The stories are made up by hypothesis: two lanes share a shard; batches are tried, half-written, halved, given up; the
ranges of those that failed overlap, are asked for again, and are converted between the worker's attempts and after
them, more than once. Bucket, catalog and mapping are dictionaries here; the conversion is the real one.
"""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import fastavro
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from dmd_pipeline import event_sources, quarantine, raw_batches
from dmd_pipeline.aws.s3 import StoredObject
from dmd_pipeline.delivery import Deliverer, container, deliver, errors_document
from dmd_pipeline.errors import InvalidRecordError, TableNotFoundError
from dmd_pipeline.failed_batches import BatchId, FailedBatch, StreamRecord
from dmd_pipeline.jobs.conversion import BatchConverter
from dmd_pipeline.jobs.lane_reports import PLACES, BatchReport, State
from dmd_pipeline.jobs.replay_environment import Environment
from dmd_pipeline.layout import replayed_batch
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.replay import numbers_in
from dmd_pipeline.rows import Now
from dmd_pipeline.schemas import schema_literal
from dmd_pipeline.settings import load_settings
from tests.unit import changes


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dmd_pipeline.delivery import Group
    from dmd_pipeline.rows import Row


SETTINGS: Final = load_settings("local")
LAYOUT: Final = SETTINGS.layout
RECORD_TYPES: Final = load_record_types()
DELIVERER: Final = Deliverer(RECORD_TYPES)

SHARD: Final = "shardId-000000000003"
FIRST: Final = 49590338271490256608559692538361571095921575989136588898
NIGHT: Final = datetime(2026, 3, 1, 23, 58, 50, tzinfo=UTC)
"""When the first record arrives: what asks for the day of its delivery gets this one or the next."""
EVENING: Final = NIGHT - timedelta(minutes=3)
"""All arrive on one day, and the worker may deliver them on the next."""
RECORD_AGE: Final = timedelta(hours=12)
TIMEOUT: Final = timedelta(minutes=15)
LONG_AFTER: Final = NIGHT + timedelta(days=3)
DROPPED: Final = "IGNORED"
"""What the event source mapping's filter drops."""
FILTER: Final = json.dumps({"data": {"eventName": [{"anything-but": [DROPPED]}]}})


class MemoryBucket:
    """What conversions ask of a bucket, with small pages."""

    name = SETTINGS.bucket

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def page_below(self, prefix: str, start_after: str) -> tuple[tuple[StoredObject, ...], bool]:
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > start_after)
        page = tuple(StoredObject(key, len(self.objects[key]), NIGHT, '"e"') for key in keys[:3])
        return page, len(keys) <= len(page)

    def objects_below(self, prefix: str, start_after: str = "") -> Iterator[StoredObject]:
        for key in sorted(self.objects):
            if key.startswith(prefix) and key > start_after:
                yield StoredObject(key, len(self.objects[key]), NIGHT, '"e"')

    def read(self, key: str) -> bytes:
        return self.objects[key]

    def read_range(self, key: str, start: int, length: int) -> bytes:
        return self.objects[key][start : start + length]

    def create(self, key: str, body: bytes, content_type: str, **_: Any) -> bool:
        assert content_type
        return self.objects.setdefault(key, body) is body

    def write(self, key: str, body: bytes, content_type: str, **_: Any) -> None:
        assert content_type
        self.objects[key] = body


class MemoryCatalog:
    """Tables with the schemas of include/."""

    def table(self, name: str) -> dict[str, Any]:
        if name not in RECORD_TYPES:
            raise TableNotFoundError(name)
        return {"Name": name, "Parameters": {"avro.schema.literal": schema_literal(RECORD_TYPES[name].schema)}}


class Worker:
    """How the worker is invoked."""

    def mapping(self, _function: str, _stream: str) -> event_sources.EventSourceMapping:
        return event_sources.parse(
            {
                "UUID": "uuid",
                "MaximumRecordAgeInSeconds": int(RECORD_AGE.total_seconds()),
                "FilterCriteria": {"Filters": [{"Pattern": FILTER}]},
            }
        )

    def timeout(self, _function: str) -> timedelta:
        return TIMEOUT


class Write(NamedTuple):
    """An attempt at a batch that writes some of its groups, and perhaps its invalid records."""

    at: datetime
    records: tuple[StreamRecord, ...]
    groups: int
    """A bit a group, and the next one for the file of invalid records."""
    clock: datetime
    """The worker's own, which may be ahead of the stream's or behind it."""

    def __repr__(self) -> str:
        return f"{self.at:%d. %H:%M:%S} write {_places(self.records)}, groups {self.groups & 15:04b}"


ALL: Final = -1


class Raw(NamedTuple):
    """A range that is secured."""

    at: datetime
    batch: FailedBatch
    records: tuple[StreamRecord, ...]

    def is_certain(self, now: datetime) -> bool:
        """Whether the worker is done with all of the records."""
        came_along = self.batch.records is not None
        is_exact = self.batch.size == sum(map(passes, self.records))
        return came_along or is_exact or now >= self.records[-1].arrived + RECORD_AGE + TIMEOUT

    def __repr__(self) -> str:
        return f"{self.at:%d. %H:%M:%S} secure {_places(self.records)} of a batch of {self.batch.size}"


class Run(NamedTuple):
    """A run that converts some of what is secured by then, in some order."""

    at: datetime
    order: tuple[int, ...]

    def __repr__(self) -> str:
        return f"{self.at:%d. %H:%M:%S} convert {self.order}"


@dataclass(frozen=True, repr=False)
class Story:
    """What happens to the records of a shard, in order of time."""

    records: tuple[StreamRecord, ...]
    steps: tuple[Write | Raw | Run, ...]

    def __repr__(self) -> str:
        """Short enough to be read when hypothesis has found one that goes wrong."""
        return "\n".join([*map(_shown, self.records), *map(repr, self.steps)])

    def _repr_pretty_(self, printer: Any, _cycle: object) -> None:
        printer.text(f"\n{self!r}\n")


def _places(records: Sequence[StreamRecord]) -> str:
    return " ".join(str((record.sequence_number - FIRST) // 3) for record in records)


def _shown(record: StreamRecord) -> str:
    change = json.loads(record.data)
    image = change["dynamodb"].get("NewImage") or change["dynamodb"]["OldImage"]
    item = image.get("fanId") or image.get("id")
    return f"{_places([record])}: {record.arrived:%H:%M:%S} {change['eventName']} {image['type']['S']} {item['S']}"


def passes(record: StreamRecord) -> bool:
    """Whether the filter lets a record through."""
    return bool(json.loads(record.data)["eventName"] != DROPPED)


def group_and_row(record: StreamRecord) -> tuple[Group, Row] | None:
    """What a record becomes at the moment of its arrival; None when it is invalid."""
    try:
        return DELIVERER.row(record.data, Now.at(record.arrived))
    except InvalidRecordError:
        return None


def becomes_a_row(record: StreamRecord) -> bool:
    return passes(record) and group_and_row(record) is not None


def told(row: Row) -> str:
    """A row as text, without what the time of delivery makes of it."""
    date = {name: value for name, value in (row["date"] or {}).items() if name not in {"updated", "deleted"}}
    return repr(sorted({**row, "reference": row["reference"]["id"], "date": date}.items()))


# How records are made: from a number that tells items apart.
KINDS: Final[dict[str, Callable[[str], bytes]]] = {
    "demand": lambda name: changes.change(changes.demand(fanId=name)),
    "demand of another day": lambda name: changes.change(
        changes.demand(fanId=name, date={"requested": "2025-06-07T10:00:00Z"})
    ),
    "removed demand": lambda name: changes.change(changes.demand(fanId=name, phoneNumber="1"), "REMOVE"),
    "notification": lambda name: changes.change(changes.notification(fanId=name)),
    "event without dates": lambda name: changes.change(changes.event(id=name)),
    "removed event without dates": lambda name: changes.change(changes.event(id=name), "REMOVE"),
    "invalid": lambda name: changes.change(changes.sale(id=name, saleTypes=None)),
    "dropped": lambda name: changes.change(changes.demand(fanId=name), eventName=DROPPED),
}
GAPS: Final = st.integers(0, 5).map(lambda minutes: timedelta(minutes=minutes))
SKEWS: Final = st.integers(-4, 4).map(lambda minutes: timedelta(minutes=minutes))


@st.composite
def shards(draw: st.DrawFn, *, items: int | None, start: datetime = NIGHT) -> tuple[StreamRecord, ...]:
    """The records of a shard.

    Args:
        draw: From hypothesis.
        items: So many different ones of each kind; None when all are different.
        start: When the first one arrives.
    """
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=10))
    names = [str(place if items is None else draw(st.integers(1, items))) for place in range(len(kinds))]
    return tuple(
        StreamRecord(FIRST + 3 * place, "key", start + timedelta(seconds=15 * place), KINDS[kind](name))
        for place, (kind, name) in enumerate(zip(kinds, names, strict=True))
    )


def between(records: Sequence[StreamRecord], start: int, end: int) -> tuple[StreamRecord, ...]:
    return tuple(record for record in records if start <= record.sequence_number <= end)


@dataclass
class _Lane:
    """One of the worker's lines of work: what happens to the batches of its records."""

    draw: st.DrawFn
    shard: tuple[StreamRecord, ...]
    at: datetime
    skew: timedelta = timedelta()
    steps: list[Write | Raw] = field(default_factory=list)

    def work(self, records: Sequence[StreamRecord]) -> None:
        reach = self.draw(st.integers(3, 6))
        for start in range(0, len(records), reach):
            self._try(tuple(records[start : start + reach]), halvings=2)

    def _try(self, batch: tuple[StreamRecord, ...], halvings: int) -> None:
        for _ in range(self.draw(st.integers(0, 2))):
            self._write(batch, self.draw(st.integers(0, 15)))
        ends = ["delivered", "given up"] + ["halved"] * (len(batch) > 1 and halvings > 0)
        match self.draw(st.sampled_from(ends)):
            case "delivered":
                self._write(batch, ALL)
            case "given up":
                self._give_up(batch)
            case _:
                middle = self.draw(st.integers(1, len(batch) - 1))
                self._try(batch[:middle], halvings - 1)
                self._try(batch[middle:], halvings - 1)

    def _write(self, batch: tuple[StreamRecord, ...], groups: int) -> None:
        self.at += self.draw(GAPS)
        self.steps.append(Write(self.at, batch, groups, self.at + self.skew))

    def _give_up(self, batch: tuple[StreamRecord, ...]) -> None:
        self.at += self.draw(GAPS)
        came_along = self.draw(st.booleans())
        self.steps.append(secured(self.at, self.shard, batch, came_along=came_along))


def secured(
    at: datetime, shard: tuple[StreamRecord, ...], batch: Sequence[StreamRecord], *, came_along: bool = False
) -> Raw:
    """A batch that failed, with all that lies between its ends, or with the records that came along."""
    start, end = batch[0].sequence_number, batch[-1].sequence_number
    records = tuple(batch) if came_along else between(shard, start, end)
    told_of = FailedBatch(
        BatchId(SHARD, start, end),
        len(batch),
        batch[0].arrived,
        batch[-1].arrived,
        "RetryAttemptsExhausted",
        "queue message m",
        records=records if came_along else None,
    )
    return Raw(at, told_of, records)


def asked_for(at: datetime, shard: tuple[StreamRecord, ...], start: int, end: int) -> Raw:
    """A range of the stream that somebody asked for: nobody knows a batch of it."""
    records = shard[start : end + 1]
    ends = records[0].sequence_number, records[-1].sequence_number
    return Raw(at, FailedBatch(BatchId(SHARD, *ends), None, None, None, "asked for", "stream"), records)


@st.composite
def stories(draw: st.DrawFn, *, items: int | None = None) -> Story:
    """Two lanes, ranges that somebody asks for, and runs."""
    shard = draw(shards(items=items))
    steps: list[Write | Raw | Run] = []
    lanes = draw(st.lists(st.booleans(), min_size=len(shard), max_size=len(shard)))
    skew = draw(SKEWS)
    for lane in (False, True):
        worker = _Lane(draw, shard, shard[-1].arrived, skew)
        worker.work([record for record, its in zip(shard, lanes, strict=True) if its is lane and passes(record)])
        steps += worker.steps
    places = st.integers(0, len(shard) - 1)
    minutes = st.integers(0, 90).map(lambda count: shard[-1].arrived + timedelta(minutes=count))
    for at, one, other in draw(st.lists(st.tuples(minutes, places, places), max_size=3)):
        steps.append(asked_for(at, shard, min(one, other), max(one, other)))
    raws = sum(isinstance(step, Raw) for step in steps)
    every = st.permutations(range(raws)).map(tuple)
    some = st.lists(st.integers(0, max(raws - 1, 0)), max_size=raws).map(tuple)
    at_once = st.sampled_from([step.at for step in steps] or [shard[-1].arrived])
    for at in draw(st.lists(minutes | at_once, max_size=3)):
        steps.append(Run(at, draw(some)))
    steps.sort(key=lambda step: step.at)
    steps += [Run(LONG_AFTER, draw(every)), Run(LONG_AFTER + timedelta(days=1), draw(every))]
    return Story(shard, tuple(steps))


class Outcome:
    """Lets a story happen, and looks at what it leaves."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.bucket = MemoryBucket()
        self.raws: dict[BatchId, Raw] = {}
        self.last: dict[BatchId, BatchReport] = {}
        self.attempts: Counter[int] = Counter()
        """How often the worker wrote the row of a record."""
        self.in_errors: set[int] = set()
        """The invalid records that the worker put into errors/."""
        stubs: Any = (self.bucket, MemoryCatalog(), Worker(), None)
        self._environment = Environment(SETTINGS, RECORD_TYPES, *stubs)
        for step in story.steps:
            if isinstance(step, Write):
                self._write(step)
            elif isinstance(step, Raw):
                self._secure(step)
            else:
                self._run(step)

    def _write(self, step: Write) -> None:
        """As the worker does it: its own clock, a name that nobody else has."""
        delivery = deliver((record.data for record in step.records), RECORD_TYPES, now=step.clock)
        for place, ((table, day), rows) in enumerate(delivery.groups.items()):
            if step.groups >> place & 1:
                key = LAYOUT.delivered_key(table, day, step.clock, UUID(int=len(self.bucket.objects)))
                self.bucket.objects[key] = container(RECORD_TYPES[table], rows, sync_marker=bytes(16))
                self._count(step, (table, day))
        if delivery.rejected and step.groups >> len(delivery.groups) & 1:
            key = LAYOUT.errors_key(step.clock, UUID(int=len(self.bucket.objects)))
            self.bucket.objects[key] = errors_document(delivery.rejected, step.clock)
            self.in_errors |= {one.sequence_number for one in step.records if group_and_row(one) is None}

    def _count(self, step: Write, group: Group) -> None:
        for record in step.records:
            alone = deliver([record.data], RECORD_TYPES, now=step.clock)
            self.attempts[record.sequence_number] += group in alone.groups

    def _secure(self, step: Raw) -> None:
        key = LAYOUT.raw_key(step.batch.id)
        if self.bucket.create(key, raw_batches.content(step.batch, step.records), "application/gzip"):
            self.raws[step.batch.id] = step

    def _run(self, step: Run) -> None:
        converter = BatchConverter(self._environment, step.at, dry_run=False)
        present = list(self.raws.values())
        for place in step.order:
            if place < len(present):
                self._convert(converter, present[place], step.at)

    def _convert(self, converter: BatchConverter, raw: Raw, now: datetime) -> None:
        before = dict(self.bucket.objects)
        report = converter.convert_secured(raw.batch.id)
        self.last[raw.batch.id] = report
        if raw.is_certain(now):
            assert report.state is State.CONVERTED, str(report)
            assert self.bucket.objects.items() >= before.items(), "something was written over"
        else:
            assert report.state is State.WAITING_FOR_CERTAINTY, str(report)
            assert self.bucket.objects == before

    @property
    def replayed(self) -> list[int]:
        """Sequence numbers in replayed files, whose rows must be those of the records at their arrival."""
        by_number = {record.sequence_number: record for record in self.story.records}
        found: list[int] = []
        for key in self._files(replayed=True):
            file: Any = fastavro.reader(BytesIO(self.bucket.objects[key]))
            numbers = sorted(numbers_in(file.metadata))
            made = [group_and_row(by_number[number]) for number in numbers]
            assert [one[1] for one in made if one] == list(file)
            assert {LAYOUT.partition_prefix(*one[0]) for one in made if one} == {key[: key.rindex("/") + 1]}
            found += numbers
        return found

    def rows(self, *, replayed: bool | None = None) -> Counter[str]:
        """Rows of the worker's or of replayed files, or of both."""
        found: Counter[str] = Counter()
        for key in self._files(replayed=replayed):
            rows: Any = fastavro.reader(BytesIO(self.bucket.objects[key]))
            found.update(told(row) for row in rows)
        return found

    def _files(self, *, replayed: bool | None) -> Iterator[str]:
        for key in self.bucket.objects:
            is_replayed = replayed_batch(key.rpartition("/")[2]) is not None
            if key.endswith(".avro") and replayed in (None, is_replayed):
                yield key

    @property
    def clean(self) -> Counter[str]:
        """Rows of one clean delivery."""
        made = (group_and_row(record) for record in self.story.records if passes(record))
        return Counter(told(one[1]) for one in made if one is not None)

    @property
    def missing(self) -> Counter[str]:
        """Rows that one clean delivery and the worker's own copies would have, and that are not there."""
        return self.clean + self.rewritten - self.rows()

    @property
    def rewritten(self) -> Counter[str]:
        """Rows that the worker wrote more than once for one record."""
        found: Counter[str] = Counter()
        for record in self.story.records:
            made = group_and_row(record)
            if made is not None:
                found[told(made[1])] += max(self.attempts[record.sequence_number] - 1, 0)
        return +found

    def check_counts(self) -> None:
        """Each record of a batch is in exactly one place, and those that are no rows are where they belong."""
        for batch, report in self.last.items():
            records = self.raws[batch].records
            places = [report.counts[name] for name in PLACES]
            assert sum(places) == report.counts["records"] == len(records)
            assert report.counts["filtered"] == sum(not passes(record) for record in records)
            invalid = {one.sequence_number for one in records if passes(one) and group_and_row(one) is None}
            assert report.counts["quarantined"] + report.counts["in_errors"] == len(invalid)
            kept = self.quarantined(report)
            assert len(kept) == report.counts["quarantined"]
            assert kept <= invalid
            assert kept >= invalid - self.like_those_in_errors, "a record is in none of the places"

    def quarantined(self, report: BatchReport) -> set[int]:
        """Sequence numbers of a batch's records in quarantine."""
        if report.quarantine is None:
            return set()
        document = self.bucket.objects[report.quarantine]
        [kept] = quarantine.batches_in(document, "", stream_arn="", function_arn="")
        return {record.sequence_number for record in kept.records or ()}

    @property
    def like_those_in_errors(self) -> set[int]:
        """Records of which the worker put an identical one into errors/, or this very one."""
        data = {record.data for record in self.story.records if record.sequence_number in self.in_errors}
        return {record.sequence_number for record in self.story.records if record.data in data}

    def show(self) -> None:
        """What hypothesis shows with --hypothesis-show-statistics."""
        event(f"ranges that failed or were asked for: {len(self.raws)}")
        event(f"rows left out: {'some' if any(one.counts.get('delivered') for one in self.last.values()) else 'none'}")
        event(f"invalid records: {'some in errors/' if self.in_errors else 'none in errors/'}")
        event(f"rows written: {'some' if self.replayed else 'none'}")


SLOW: Final = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@SLOW
@given(stories())
def test_every_record_is_there_once_beyond_what_the_worker_itself_wrote_more_than_once(story: Story) -> None:
    outcome = Outcome(story)
    outcome.show()
    outcome.check_counts()
    replayed = outcome.replayed
    assert len(set(replayed)) == len(replayed), "a record was written by two replays"
    assert outcome.rows() == outcome.clean + outcome.rewritten
    in_ranges = {record for raw in outcome.raws.values() for record in raw.records if becomes_a_row(record)}
    missing = {one.sequence_number for one in in_ranges if not outcome.attempts[one.sequence_number]}
    assert set(replayed) == missing
    for batch, report in outcome.last.items():
        rows = [record.sequence_number for record in outcome.raws[batch].records if becomes_a_row(record)]
        assert report.counts["written"] == sum(number in missing for number in rows)
        assert report.counts["delivered"] == sum(number not in missing for number in rows)
        assert not outcome.quarantined(report) & outcome.in_errors, "a record is in errors/ and in quarantine"


@SLOW
@given(stories(items=2))
def test_of_identical_records_none_is_lost_but_where_the_worker_wrote_one_like_it(story: Story) -> None:
    outcome = Outcome(story)
    outcome.check_counts()
    replayed = outcome.replayed
    assert len(set(replayed)) == len(replayed), "a record was written by two replays"
    assert outcome.rows() <= outcome.clean + outcome.rewritten, "a row was added"
    assert set(outcome.rows()) == set(outcome.clean)
    assert outcome.missing.keys() <= outcome.rows(replayed=False).keys()


@st.composite
def stories_of_one_range(draw: st.DrawFn) -> Story:
    """One range holds all records, and is converted when the worker is done with all of them.

    All arrive on one day. Of identical records without a date that arrived on two days, each is looked for by itself,
    and one row may be taken for both.
    """
    shard = draw(shards(items=2, start=EVENING))
    worker = _Lane(draw, shard, shard[-1].arrived, draw(SKEWS))
    worker.work([record for record in shard if passes(record)])
    writes = [step for step in worker.steps if isinstance(step, Write)]
    runs = [Run(LONG_AFTER, (0,)), Run(LONG_AFTER + timedelta(days=1), (0,))]
    return Story(shard, (*writes, asked_for(worker.at, shard, 0, len(shard)), *runs))


@SLOW
@given(stories_of_one_range())
def test_within_a_range_no_more_identical_records_are_missing_than_are_told(story: Story) -> None:
    """Their rows stand there at least as often as they were sent: what is missing is a copy of the worker's own."""
    outcome = Outcome(story)
    outcome.check_counts()
    assert outcome.rows() == outcome.clean | outcome.rows(replayed=False)
    [report] = outcome.last.values()
    assert outcome.missing.total() <= report.counts["indistinguishable"]


@st.composite
def stories_that_have_not_ended(draw: st.DrawFn) -> Story:
    """The worker has given up batches of one lane, and is still busy with the other's records in between."""
    story = draw(stories())
    last = story.records[-1].arrived
    early = st.integers(0, int((RECORD_AGE + TIMEOUT).total_seconds()) - 1)
    at = draw(early.map(lambda seconds: last + timedelta(seconds=seconds)))
    until = [step for step in story.steps if step.at <= at and not isinstance(step, Run)]
    raws = sum(isinstance(step, Raw) for step in until)
    return Story(story.records, (*until, Run(at, draw(st.permutations(range(raws)).map(tuple)))))


@SLOW
@given(stories_that_have_not_ended())
def test_what_is_not_certain_waits_and_nothing_of_it_is_written(story: Story) -> None:
    """What is certain already is converted meanwhile, and is written once."""
    outcome = Outcome(story)
    at = story.steps[-1].at
    converted = {batch for batch, report in outcome.last.items() if report.state is State.CONVERTED}
    assert converted == {batch for batch, raw in outcome.raws.items() if raw.is_certain(at)}
    replayed = outcome.replayed
    assert len(set(replayed)) == len(replayed), "a record was written by two replays"
    known = {record.sequence_number for batch in converted for record in outcome.raws[batch].records}
    assert set(replayed) <= known


def test_a_thousand_waiting_batches_take_little_more_memory_than_a_hundred_with_the_same_records() -> None:
    few, many = _peak_of_waiting(100), _peak_of_waiting(1_000)
    assert (many - few) / 900 < 1_280, "bytes for each batch more"


def _peak_of_waiting(batches: int) -> int:
    """Bytes that it takes to look at 2,000 records in so many batches that have to wait."""
    shard = tuple(
        StreamRecord(FIRST + place, "key", NIGHT, KINDS["demand"](str(place % 100))) for place in range(2_000)
    )
    size = len(shard) // batches
    bucket = MemoryBucket()
    ids = []
    for start in range(0, len(shard), size):
        raw = secured(NIGHT, shard, shard[start : start + size])
        told_of = replace(raw.batch, size=size - 1)
        bucket.create(LAYOUT.raw_key(told_of.id), raw_batches.content(told_of, raw.records), "application/gzip")
        ids.append(told_of.id)
    stubs: Any = (bucket, MemoryCatalog(), Worker(), None)
    converter = BatchConverter(Environment(SETTINGS, RECORD_TYPES, *stubs), NIGHT, dry_run=False)
    converter.convert_secured(ids[0])  # what is asked and worked out once
    tracemalloc.start()
    try:
        reports = [converter.convert_secured(batch) for batch in ids]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert {report.state for report in reports} == {State.WAITING_FOR_CERTAINTY}
    return peak
