"""The plan of retention: properties of any history, and each guard by example."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dmd_pipeline import hive
from dmd_pipeline.change_marks import CHANGE_PARAMETER
from dmd_pipeline.layout import Layout
from dmd_pipeline.retention import Kept, PersonalData, Plan, due, personal_data, plan
from dmd_pipeline.retention_manifests import Manifest, ObjectVersion
from dmd_pipeline.settings import Hold, TableRetention


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_glue.type_defs import PartitionTypeDef, TableTypeDef


LAYOUT = Layout("bucket", "data-pipeline")
SCHEMA = {"type": "record", "name": "demand", "fields": [{"name": "fanId", "type": "string"}]}
TABLE = cast("TableTypeDef", hive.table_input("demand", SCHEMA, LAYOUT.table_location("demand")))
NOW = datetime(2026, 3, 1, 3, tzinfo=UTC)
TODAY = NOW.date()
RULES = TableRetention(retention_days=100, mode="enforce", max_share_per_run=1)
OLD = TODAY - timedelta(days=101)
"""The youngest date that has expired."""


def partition(day: date, location: str | None = None) -> PartitionTypeDef:
    place = LAYOUT.partition_location("demand", day) if location is None else location
    return cast("PartitionTypeDef", hive.partition_input(TABLE, day, place))


def stored(day: date, name: str = "a.avro", version: str = "1", size: int = 10) -> ObjectVersion:
    key = LAYOUT.partition_prefix("demand", day) + name
    return ObjectVersion(key=key, version=version, etag=f'"{version}"', size=size)


def manifest(day: date, *objects: ObjectVersion, dropped: datetime = NOW - timedelta(days=15), **rest: Any) -> Manifest:
    return Manifest(
        table="demand",
        partition_date=day,
        definition=dict(partition(day)),
        objects=objects,
        rows=5,
        dropped_at=dropped,
        dropped_by="run",
        grace_days=14,
        **rest,
    )


def made(
    registered: Iterable[PartitionTypeDef] = (),
    manifests: Iterable[Manifest] = (),
    contents: Mapping[date, Iterable[ObjectVersion]] | None = None,
    rules: TableRetention = RULES,
    table: TableTypeDef = TABLE,
    rows: Mapping[date, int | str] | None = None,
    now: datetime = NOW,
) -> Plan:
    """The plan of a table in a state."""
    held, known = list(registered), {one.partition_date: one for one in manifests}
    found = {day: tuple(objects) for day, objects in (contents or {}).items()}
    folders = {day for day, objects in found.items() if objects}
    wanted = due(table, LAYOUT, rules, registered=held, manifests=known, folders=folders, now=now)
    counted = dict.fromkeys(wanted.drop, 5) | dict.fromkeys(wanted.drop.keys() - folders, 0) | dict(rows or {})
    return plan(
        "demand",
        LAYOUT,
        rules,
        wanted,
        manifests=known,
        etags=dict.fromkeys(known, '"etag"'),
        contents=found,
        rows=counted,
        partitions=len(held),
        is_first=not known,
    )


def reasons(made_plan: Plan) -> dict[str, str]:
    return {one.name: one.reason for one in made_plan.kept}


class TestDrop:
    def test_what_is_older_than_the_retention_leaves_the_catalog(self) -> None:
        days = [OLD - timedelta(days=1), OLD, OLD + timedelta(days=1), TODAY, TODAY + timedelta(days=400)]
        planned = made([partition(day) for day in days], contents={days[0]: [stored(days[0])]})
        assert [(one.day, one.objects, one.rows) for one in planned.drop] == [
            (days[0], (stored(days[0]),), 5),
            (OLD, (), 0),
        ]
        assert planned.delete == ()

    def test_without_a_retention_everything_stays(self) -> None:
        assert made([partition(date(1999, 1, 1))], rules=TableRetention()).is_empty

    @pytest.mark.parametrize("today", [date(2028, 2, 29), date(2028, 3, 1), date(2027, 3, 1)])
    def test_days_are_counted_over_the_29th_of_february(self, today: date) -> None:
        days = [today - timedelta(days=count) for count in (99, 100, 101)]
        now = datetime(today.year, today.month, today.day, tzinfo=UTC)
        for moment in (now, now + timedelta(hours=23, minutes=59)):
            assert [one.day for one in made(map(partition, days), now=moment).drop] == [days[2]]

    @pytest.mark.parametrize(
        "location",
        [
            "",
            "s3://elsewhere/data-pipeline/avro/demand/partition_date=2025-11-20/",
            LAYOUT.table_location("demand"),
            LAYOUT.partition_location("demand", OLD - timedelta(days=1)),
            LAYOUT.partition_location("event", OLD),
        ],
    )
    def test_a_partition_that_lies_elsewhere_stays(self, location: str) -> None:
        planned = made([partition(OLD, location)])
        assert planned.is_empty
        assert "not in its own folder" in reasons(planned)[str(OLD)]

    @pytest.mark.parametrize("suffix", ["", "/", "/within/"])
    def test_a_place_that_another_partition_shares_stays(self, suffix: str) -> None:
        place = LAYOUT.partition_location("demand", OLD).rstrip("/")
        planned = made([partition(OLD), partition(TODAY, place + suffix)])
        assert planned.is_empty
        assert reasons(planned) == {str(OLD): "another partition lies at the same place, or within it, or around it"}

    def test_a_place_around_it_that_another_partition_has_is_shared(self) -> None:
        planned = made([partition(OLD), partition(TODAY, LAYOUT.table_location("demand"))])
        assert planned.is_empty

    def test_a_place_whose_name_only_begins_alike_is_not_shared(self) -> None:
        place = LAYOUT.partition_location("demand", OLD).rstrip("/")
        assert len(made([partition(OLD), partition(TODAY, f"{place}-copy/")]).drop) == 1

    @pytest.mark.parametrize("name", ["_SUCCESS", "below/a.avro", "a.parquet", "", ".avro"])
    def test_objects_of_another_kind_keep_it(self, name: str) -> None:
        planned = made([partition(OLD)], contents={OLD: [stored(OLD), stored(OLD, name)]})
        assert planned.is_empty
        assert reasons(planned)[str(OLD)].startswith("holds objects of another kind: ")

    def test_a_file_whose_rows_cannot_be_counted_keeps_it(self) -> None:
        planned = made([partition(OLD)], contents={OLD: [stored(OLD)]}, rows={OLD: "a.avro is cut off"})
        assert reasons(planned) == {str(OLD): "a.avro is cut off"}
        assert planned.is_empty

    def test_what_is_no_date_is_kept_and_named(self) -> None:
        strange = cast("PartitionTypeDef", {**partition(OLD), "Values": ["2025"]})
        assert made([strange]) == Plan("demand", kept=(Kept("2025", "is no date that can be read"),))
        assert made([strange], rules=TableRetention()) == Plan("demand")

    def test_a_run_that_was_killed_after_the_manifest_is_taken_up_with_a_grace_period_of_its_own(self) -> None:
        planned = made([partition(OLD)], [manifest(OLD, stored(OLD))], {OLD: [stored(OLD), stored(OLD, "late.avro")]})
        assert [len(one.objects) for one in planned.drop] == [2]
        assert planned.delete == ()

    @pytest.mark.parametrize(("hours", "dropped"), [(1, 0), (0, 1), (-1, 1)])
    def test_what_was_restored_stays_until_the_time_that_was_asked_for(self, hours: int, dropped: int) -> None:
        restored = manifest(OLD, stored(OLD), keep_until=NOW + timedelta(hours=hours))
        planned = made([partition(OLD)], [restored], {OLD: [stored(OLD)]})
        assert len(planned.drop) == dropped


class TestDelete:
    def test_what_the_manifest_lists_is_deleted_when_the_grace_period_has_passed(self) -> None:
        objects = (stored(OLD), stored(OLD, "b.avro"))
        planned = made(manifests=[manifest(OLD, *objects)], contents={OLD: objects})
        assert [(one.day, one.objects) for one in planned.delete] == [(OLD, objects)]

    def test_the_longer_of_two_grace_periods_counts(self) -> None:
        for rules in (RULES, RULES.model_copy(update={"grace_days": 16})):
            ends = NOW - timedelta(days=15) + timedelta(days=rules.grace_days)
            planned = made(manifests=[manifest(OLD, stored(OLD))], contents={OLD: [stored(OLD)]}, rules=rules)
            assert planned.in_grace == ({OLD: ends} if rules is not RULES else {})
            assert len(planned.delete) == (rules is RULES)
        shorter = RULES.model_copy(update={"grace_days": 1})
        dropped = NOW - timedelta(days=14) + timedelta(seconds=1)
        recent = manifest(OLD, stored(OLD), dropped=dropped)
        assert made(manifests=[recent], contents={OLD: [stored(OLD)]}, rules=shorter).is_empty

    def test_what_came_since_is_late_and_stays(self) -> None:
        planned = made(manifests=[manifest(OLD, stored(OLD))], contents={OLD: [stored(OLD), stored(OLD, "late.avro")]})
        assert planned.late == {OLD: (stored(OLD, "late.avro").key,)}
        assert [one.objects for one in planned.delete] == [(stored(OLD),)]

    def test_late_objects_are_shown_during_the_grace_period_and_after_the_deletion(self) -> None:
        for one in (manifest(OLD, dropped=NOW), manifest(OLD, deleted_at=NOW)):
            planned = made(manifests=[one], contents={OLD: [stored(OLD, "late.avro")]})
            assert (planned.is_empty, planned.gone) == (True, ())
            assert list(planned.late) == [OLD]

    def test_what_is_back_after_the_deletion_stays_and_is_named(self) -> None:
        planned = made(manifests=[manifest(OLD, stored(OLD), deleted_at=NOW)], contents={OLD: [stored(OLD)]})
        assert (planned.is_empty, planned.gone) == (True, ())
        assert reasons(planned) == {str(OLD): "was deleted, and some of its objects are there again: restore it"}

    @pytest.mark.parametrize("changed", [{"version": "2"}, {"etag": '"2"'}, {"size": 11}])
    def test_an_object_that_is_not_what_the_manifest_says_keeps_all(self, changed: dict[str, Any]) -> None:
        objects = [stored(OLD).model_copy(update=changed), stored(OLD, "b.avro")]
        planned = made(manifests=[manifest(OLD, stored(OLD), stored(OLD, "b.avro"))], contents={OLD: objects})
        assert planned.is_empty
        assert reasons(planned) == {str(OLD): "is not what its manifest says: a.avro"}

    def test_what_is_gone_already_is_not_deleted_again(self) -> None:
        planned = made(manifests=[manifest(OLD, stored(OLD), stored(OLD, "b.avro"))], contents={OLD: [stored(OLD)]})
        assert [one.objects for one in planned.delete] == [(stored(OLD),)]
        nothing_left = made(manifests=[manifest(OLD, stored(OLD))])
        assert ([one.objects for one in nothing_left.gone], nothing_left.delete) == ([()], ()), (
            "it has to be written down"
        )

    def test_what_somebody_registered_again_is_not_deleted(self) -> None:
        for location in (None, "s3://elsewhere/", LAYOUT.table_location("demand")):
            planned = made([partition(OLD, location)], [manifest(OLD, stored(OLD))], {OLD: [stored(OLD)]})
            assert planned.delete == ()

    def test_what_is_not_old_enough_any_more_stays(self) -> None:
        longer = RULES.model_copy(update={"retention_days": 200})
        for rules in (longer, TableRetention()):
            planned = made(manifests=[manifest(OLD, stored(OLD))], contents={OLD: [stored(OLD)]}, rules=rules)
            assert planned.is_empty
            assert "not older than the retention any more" in reasons(planned)[str(OLD)]

    def test_what_was_restored_and_lost_its_registration_stays(self) -> None:
        for keep_until in (NOW - timedelta(days=1), NOW + timedelta(days=1)):
            restored = manifest(OLD, stored(OLD), keep_until=keep_until)
            assert made(manifests=[restored], contents={OLD: [stored(OLD)]}).is_empty


class TestBoth:
    HOLD = Hold(from_date=OLD, to_date=OLD, reason="audit")

    def test_a_hold_keeps_what_is_old_in_either_phase(self) -> None:
        rules = RULES.model_copy(update={"holds": (self.HOLD,)})
        days = [OLD - timedelta(days=1), OLD]
        dropping = made(map(partition, days), rules=rules)
        files = {day: [stored(day)] for day in days}
        deleting = made(manifests=[manifest(day, *files[day]) for day in days], contents=files, rules=rules)
        assert [one.day for one in dropping.drop] == [one.day for one in deleting.delete] == [days[0]]
        assert reasons(dropping) == reasons(deleting) == {str(OLD): "held: audit"}

    @pytest.mark.parametrize(("first", "last"), [(None, OLD), (OLD, None), (None, None)])
    def test_a_hold_without_an_end_goes_on(self, first: date | None, last: date | None) -> None:
        rules = RULES.model_copy(update={"holds": (Hold(from_date=first, to_date=last, reason="audit"),)})
        assert made([partition(OLD)], rules=rules).is_empty

    def test_a_table_under_change_keeps_everything(self) -> None:
        table = deepcopy(TABLE)
        table["Parameters"] = {**table["Parameters"], CHANGE_PARAMETER: '{"id": "c"}'}
        earlier = OLD - timedelta(days=1)
        planned = made([partition(OLD)], [manifest(earlier)], table=table)
        assert planned.is_empty
        assert set(reasons(planned).values()) == {"its table is under change c"}

    def test_the_first_time_of_a_table_a_person_approves(self) -> None:
        first, later = (
            made([partition(OLD)]),
            made([partition(OLD)], [manifest(OLD - timedelta(days=9), deleted_at=NOW)]),
        )
        assert first.approval == ("partitions of this table have never expired before",)
        assert later.approval == ()
        assert made([partition(TODAY)]).approval == (), "nothing is done"

    def test_above_the_limits_a_person_approves(self) -> None:
        rules = RULES.model_copy(update={"max_partitions_per_run": 2, "max_share_per_run": 0.5})
        days = [OLD - timedelta(days=count) for count in range(3)]
        known = [manifest(OLD - timedelta(days=9), deleted_at=NOW)]
        three = made(
            map(partition, [*days, TODAY, TODAY - timedelta(days=1), TODAY - timedelta(days=2)]), known, rules=rules
        )
        assert three.approval == ("3 partitions leave the catalog, more than 2 (max_partitions_per_run)",)
        two = made(map(partition, [*days[:2], TODAY]), known, rules=rules)
        assert two.approval == ("67% of the table's partitions leave the catalog, more than 50% (max_share_per_run)",)
        files = {day: [stored(day)] for day in days}
        deleted = made(manifests=[manifest(day, *files[day]) for day in days], contents=files, rules=rules)
        assert deleted.approval == ("3 partitions are deleted, more than 2 (max_partitions_per_run)",)
        gone = made(manifests=[manifest(day, *files[day]) for day in days], rules=rules)
        assert (len(gone.gone), gone.delete, gone.approval) == (3, (), ()), "of them, it is only to be written down"
        assert gone.digest == made().digest

    def test_the_digest_stands_for_everything_that_would_be_done(self) -> None:
        one = made([partition(OLD)], contents={OLD: [stored(OLD)]})
        assert one.digest == made([partition(OLD), partition(TODAY)], contents={OLD: [stored(OLD)]}).digest
        others = [
            made([partition(OLD)], contents={OLD: [stored(OLD, version="2")]}),
            made([partition(OLD)], contents={OLD: [stored(OLD)]}, rows={OLD: 6}),
            made([partition(OLD), partition(OLD - timedelta(days=1))], contents={OLD: [stored(OLD)]}),
            made(manifests=[manifest(OLD, stored(OLD))], contents={OLD: [stored(OLD)]}),
        ]
        assert len({one.digest, *(other.digest for other in others)}) == 5


class World:
    """A table in memory, in a bucket with versions: what is done to it, and what must never happen."""

    def __init__(self) -> None:
        self.now = NOW
        self.registered: set[date] = set()
        self.objects: dict[str, ObjectVersion] = {}
        self.deleted: dict[str, ObjectVersion] = {}
        self.manifests: dict[date, Manifest] = {}
        self.versions = 0

    def contents(self) -> dict[date, list[ObjectVersion]]:
        found: dict[date, list[ObjectVersion]] = {}
        for one in self.objects.values():
            found.setdefault(date.fromisoformat(one.key.split("partition_date=")[1][:10]), []).append(one)
        return found

    def put(self, day: date, name: str) -> None:
        self.versions += 1
        one = stored(day, f"{name}.avro", str(self.versions))
        self.objects[one.key] = one

    def register(self, day: date) -> None:
        """As registration and replays do it: not what has expired."""
        known = self.manifests.get(day)
        if known is None or known.is_kept(self.now):
            self.registered.add(day)

    def replay(self, day: date, batch: str) -> None:
        """A batch is replayed, perhaps once more: its file is never written over, and its partition registered."""
        if stored(day, f"replay-{batch}.avro").key not in self.objects:
            self.put(day, f"replay-{batch}")
        self.register(day)

    def run(self, steps: int | None) -> None:
        """A run of retention that is killed after so many steps."""
        planned = made(map(partition, sorted(self.registered)), self.manifests.values(), self.contents(), now=self.now)
        assert not {one.day for one in planned.drop} & {one.day for one in planned.delete}
        work: list[tuple[Any, Any]] = [(self._drop, one) for one in planned.drop]
        work += [(self._delete, one) for one in (*planned.gone, *planned.delete)]
        for done, (act, one) in enumerate(work):
            act(one, is_killed=done == steps)
            if done == steps:
                return

    def _drop(self, drop: Any, *, is_killed: bool) -> None:
        assert drop.day < self.now.date() - timedelta(days=100)
        self.manifests[drop.day] = manifest(drop.day, *drop.objects, dropped=self.now)
        if not is_killed:
            self.registered.discard(drop.day)

    def _delete(self, delete: Any, *, is_killed: bool) -> None:
        known = self.manifests[delete.day]
        assert delete.day not in self.registered
        assert self.now >= known.dropped_at + timedelta(days=14)
        assert known.keep_until is None
        assert known.deleted_at is None
        for one in delete.objects:
            assert one in known.objects
            assert self.objects.pop(one.key) == one
            self.deleted[one.key] = one
            if is_killed:
                return
        self.manifests[delete.day] = known.model_copy(update={"deleted_at": self.now})

    def restore(self, day: date, days: int, *, is_killed: bool) -> None:
        """Bring a partition back; a run that is killed has brought back its objects alone."""
        known = self.manifests.get(day)
        if known is None or day in self.registered:
            return
        before = {one for one in self.objects.values() if one in known.objects}
        if known.deleted_at is None and known.keep_until is None and self.now < known.grace_ends(14):
            assert before >= set(known.objects) - self.overwritten(known)
        back = {
            one.key: one for one in known.objects if one.key not in self.objects and self.deleted.get(one.key) == one
        }
        if any(self.objects.get(one.key, back.get(one.key)) != one for one in known.objects):
            return
        self.objects |= back
        if not is_killed:
            kept = {"keep_until": self.now + timedelta(days=days), "deleted_at": None}
            self.manifests[day] = known.model_copy(update=kept)
            self.registered.add(day)

    def overwritten(self, known: Manifest) -> set[ObjectVersion]:
        return {one for one in known.objects if one.key in self.objects and self.objects[one.key] != one}


DAYS = st.integers(95, 110).map(lambda count: TODAY - timedelta(days=count))
STEPS = st.one_of(
    st.tuples(st.just("register"), DAYS),
    st.tuples(st.just("put"), DAYS, st.sampled_from("0123")),
    st.tuples(st.just("replay"), DAYS, st.sampled_from("ab")),
    st.tuples(st.just("run"), st.none() | st.integers(0, 4)),
    st.tuples(st.just("restore"), DAYS, st.integers(1, 40), st.booleans()),
    st.tuples(st.just("wait"), st.integers(1, 20)),
)


@given(st.lists(STEPS, max_size=30))
def test_whatever_happens_nothing_is_deleted_that_no_manifest_lists_or_before_its_grace_period_has_passed(
    steps: list[tuple[Any, ...]],
) -> None:
    world = World()
    for kind, *rest in steps:
        match kind:
            case "register":
                world.register(*rest)
            case "put":
                world.put(*rest)
            case "replay":
                world.replay(*rest)
            case "run":
                world.run(*rest)
            case "restore":
                day, days, is_killed = rest
                world.restore(day, days, is_killed=is_killed)
            case _:
                world.now += timedelta(days=rest[0])
    there = set(world.objects.values())
    world.run(None)
    for day, known in world.manifests.items():
        if known.deleted_at not in (None, world.now):  # what is back of it, is back for a restoration that was killed
            assert {one for one in known.objects if one in there} <= set(world.objects.values()), day
    again = made(map(partition, sorted(world.registered)), world.manifests.values(), world.contents(), now=world.now)
    assert (again.is_empty, again.gone) == (True, ()), "a second plan has nothing to do"


FOR_EVER = TableRetention()


@pytest.mark.parametrize(
    ("fields", "rules", "ages", "found"),
    [
        (("email",), FOR_EVER, (0, 730, 731, 900), (2, 900)),
        (("email",), FOR_EVER, (731,), (1, 731)),
        (("email",), FOR_EVER, (-30, 0, 730), None),
        (("email",), FOR_EVER, (), None),
        (("email",), RULES, (900,), None),
        ((), FOR_EVER, (900,), None),
    ],
    ids=["some are old", "one is", "none is", "no partition", "a retention is set", "no personal data"],
)
def test_personal_data_is_told_when_it_is_old_and_nobody_has_set_a_retention(
    fields: tuple[str, ...], rules: TableRetention, ages: tuple[int, ...], found: tuple[int, int] | None
) -> None:
    days = [TODAY - timedelta(days=age) for age in ages]
    told = personal_data(fields, rules, days, 730, TODAY)
    expected = None if found is None else PersonalData(fields, 730, found[0], TODAY - timedelta(days=found[1]))
    assert told == expected
