"""What Athena counts is what Great Expectations counts, on the same rows; and it scans them once.

A table of every kind of column, rows of whatever may stand in them: nulls, other symbols, texts that are nearly stamps,
personal data in deleted rows, copies. The partitions are written as Avro, registered, counted in the local Athena and,
from the same rows, by Great Expectations' pandas engine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dmd_pipeline.checked_columns import checked_columns
from dmd_pipeline.delivery import container
from dmd_pipeline.expectation_types import FACT, IN_SET, MATCH, NOT_MATCH, NOT_NULL, PAIR_EQUAL, ROW_COUNT, UNIQUE
from dmd_pipeline.expectations import Suite, load_suite
from dmd_pipeline.hive import partition_input, table_input
from dmd_pipeline.jobs.validation import Validator
from dmd_pipeline.measures import PartitionCounts, counting_query, counts_of, samples_of, samples_query
from dmd_pipeline.record_types import RecordType, load_record_types
from dmd_pipeline.stamps import STAMP_PATTERN
from tests.integration.jobs.conftest import workgroup
from tests.unit.expectations import entry, include_with


if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from dmd_pipeline.aws.athena import Answer
    from dmd_pipeline.checked_columns import CheckedColumn
    from dmd_pipeline.expectations import Expectation
    from dmd_pipeline.jobs.validation import Validation
    from local.aws import LocalAws

    Row = dict[str, Any]


DAYS = (date(2026, 3, 1), date(2026, 3, 2))
KEY = ["reference.id", "note"]


# A record type with every kind of column


def _optional(name: str, avro_type: Any) -> Row:
    return {"name": name, "type": ["null", avro_type], "default": None}


def _record(name: str, *fields: Row) -> Row:
    return {"type": "record", "name": name, "fields": list(fields)}


def _strings(*names: str) -> list[Row]:
    return [{"name": name, "type": "string"} for name in names]


_PLACE = _record("Place", _optional("City", "string"), _optional("floor", "int"))
_STATION = {"type": "enum", "name": "Station", "symbols": ["CREATED", "SENT", "LOST"]}
SCHEMA = _record(
    "Visit",
    *_strings("type", "visitId"),
    _optional("eventId", "string"),
    _optional("note", "string"),
    _optional("other", "string"),
    _optional("email", "string"),
    _optional("station", _STATION),
    _optional("isPaid", "boolean"),
    _optional("seats", "int"),
    _optional("points", "long"),
    _optional("weight", "double"),
    _optional("opened", {"type": "long", "logicalType": "timestamp-millis"}),
    _optional("tags", {"type": "array", "items": "string"}),
    _optional("prices", {"type": "map", "values": "int"}),
    _optional("place", _PLACE),
    _optional("date", _record("Dates", _optional("seen", "string"), _optional("deleted", "string"))),
    {"name": "reference", "type": _record("Reference", *_strings("id", "timestamp"))},
    _optional("isDeleted", "boolean"),
)
DECLARATION = """
partition_date: [date.seen, note, now]
reference_id: [visitId]
reference_timestamp: {first_of: [date.deleted, now]}
redacted: [email, place.City]
"""
PATTERNS = [
    f"^{STAMP_PATTERN}$",
    "^[!-~]+$",
    "@",
    "(?:^|_)null(?:_|$)",
    "^.a.$",
    "[^a]$",
    r"^\[|\]$",
    "^$",
    "é|東{1,2}",
]
PRESENT = ["note", "isdeleted", "seats", "weight", "opened", "tags", "prices", "place", "place.floor", "business_date"]
SUITE = [
    *(entry(f"present_{number}", NOT_NULL, column=name) for number, name in enumerate(PRESENT)),
    *(entry(f"match_{number}", MATCH, column="note", regex=regex) for number, regex in enumerate(PATTERNS)),
    *(entry(f"no_match_{number}", NOT_MATCH, column="other", regex=regex) for number, regex in enumerate(PATTERNS)),
    entry("text_known", IN_SET, column="note", value_set=["a", "Jane's", '"', "\\", "\n", ""]),
    entry("station_known", IN_SET, column="station", value_set=["CREATED", "SENT"]),
    entry("paid", IN_SET, column="ispaid", value_set=[True]),
    entry("seats_known", IN_SET, column="seats", value_set=[0, 1, -(2**31)], mostly=0.5),
    entry("points_known", IN_SET, column="points", value_set=[1, 2**63 - 1]),
    entry("floor_known", IN_SET, column="place.floor", value_set=[1]),
    entry("email_redacted", IN_SET, column="deleted.email", value_set=["[redacted]"]),
    entry("city_redacted", IN_SET, column="deleted.place.city", value_set=["[redacted]"]),
    *(
        entry(f"equal_{number}", PAIR_EQUAL, column_A=first, column_B=second, ignore_row_if="either_value_is_missing")
        for number, (first, second) in enumerate(
            [("partition_date", "business_date"), ("note", "other"), ("seats", "place.floor"), ("isdeleted", "ispaid")]
        )
    ),
    entry("once", UNIQUE, column_list=["note", "other"], mostly=0.5),
    entry("rows", ROW_COUNT, min_value=2),
    entry(
        "event_exists",
        FACT,
        meta={"column": "eventid", "exists_in": "event.id"},
        fact="orphaned_rows_percent",
        max_value=5,
    ),
]

TEXTS = st.sampled_from(
    [
        "",
        "a",
        "a\n",
        "\n",
        "A",
        "Jane's",
        '"',
        "\\",
        "é",
        "東京",
        "xay",
        "x\ny",
        "null",
        "x_null_y",
        "x_null\n",
        "nullable",
        "[redacted]",
        "[redacted",
        "jane@fans.example.com",
        "NaN",
        "2026-03-01",
        "2026-03-01T12:00:00.000Z",
        "2026-03-01T12:00:00.000Z\n",
        "2026-03-01T23:30:00-05:00",
        "2026-03-03T00:30+05:30",
        "2026-03-02T12:00:00.123456789+14:00",
        "2026-02-29",
        "2024-02-29T00:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01t12:00:00Z",
        "2026-3-1",
        "\u0000",
        "\U0001f3ab",
    ]
) | st.text(max_size=8)


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


FLOORS = st.sampled_from([0, 1, -(2**31), 2**31 - 1])
ROWS = st.fixed_dictionaries(
    {
        "type": st.just("visit"),
        "visitId": st.just("v"),
        "eventId": _maybe(st.sampled_from(["event-1", "event-2", "unknown", ""])),
        "note": _maybe(TEXTS),
        "other": _maybe(TEXTS),
        "email": _maybe(TEXTS),
        "station": _maybe(st.sampled_from(["CREATED", "SENT", "LOST"])),
        "isPaid": _maybe(st.booleans()),
        "seats": _maybe(FLOORS),
        "points": _maybe(st.sampled_from([0, 1, -(2**63), 2**63 - 1])),
        "weight": _maybe(st.floats(width=64)),
        "opened": _maybe(st.sampled_from([0, 1_750_000_000_000])),
        "tags": _maybe(st.lists(st.just("t"), max_size=2)),
        "prices": _maybe(st.dictionaries(st.just("p"), st.just(1))),
        "place": _maybe(st.fixed_dictionaries({"City": _maybe(TEXTS), "floor": _maybe(FLOORS)})),
        "date": _maybe(st.fixed_dictionaries({"seen": _maybe(TEXTS), "deleted": st.none()})),
        "reference": st.fixed_dictionaries({"id": TEXTS, "timestamp": st.just("t")}),
        "isDeleted": _maybe(st.booleans()),
    }
)


@st.composite
def partitions(draw: st.DrawFn) -> list[Row]:
    """Rows of which some are copies, whole or in part."""
    rows = draw(st.lists(ROWS, min_size=1, max_size=12))
    copies = draw(st.lists(st.sampled_from(rows), max_size=4))
    alike = [row | {"other": None} for row in draw(st.lists(st.sampled_from(rows), max_size=3))]
    return [*rows, *copies, *alike]


# The table in the local AWS


@dataclass
class Table:
    """A table whose partitions are written as a test needs them."""

    aws: LocalAws
    record_type: RecordType
    suite: Suite
    columns: Mapping[str, CheckedColumn] = field(init=False)

    def __post_init__(self) -> None:
        self.columns = checked_columns(self.record_type)
        self.workgroup = workgroup(self.aws.settings)
        self._create(self.record_type)

    def _create(self, record_type: RecordType) -> None:
        settings, name = self.aws.settings, record_type.name
        self._definition = table_input(name, record_type.schema, settings.layout.table_location(name))
        glue = self.aws.client("glue")
        glue.create_table(DatabaseName=settings.database, TableInput=self._definition)

    def register(self, *days: date) -> None:
        layout, name = self.aws.settings.layout, self.record_type.name
        for day in days:
            self.aws.client("glue").create_partition(
                DatabaseName=self.aws.settings.database,
                TableName=name,
                PartitionInput=partition_input(self._definition, day, layout.partition_location(name, day)),
            )

    def write(self, day: date, rows: Sequence[Row], name: str = "file.avro") -> int:
        """Put a file; how many bytes it has."""
        settings = self.aws.settings
        body = container(self.record_type, rows, sync_marker=bytes(16))
        key = settings.layout.partition_prefix(self.record_type.name, day) + name
        self.aws.client("s3").put_object(Bucket=settings.bucket, Key=key, Body=body)
        return len(body)

    def count(self, dates: Collection[date], *, measured: Collection[date] | None = None) -> Answer:
        statement = counting_query(self.suite, self.columns, dates, measured=dates if measured is None else measured)
        return self.workgroup.query(statement)

    def counts(self, *dates: date) -> dict[date, PartitionCounts]:
        return dict(counts_of(self.suite, row) for row in self.count(dates).rows)

    def samples(
        self, day: date, expectations: Sequence[Expectation], limit: int = 1_000
    ) -> dict[str, list[tuple[Any, Any, list[Any]]]]:
        statement = samples_query(self.suite, self.columns, day, expectations, limit)
        return samples_of(expectations, self.workgroup.rows(statement))


@pytest.fixture(scope="session")
def include(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = include_with(tmp_path_factory.mktemp("include"), "visit", SUITE)
    (folder / "schemas" / "visit.avsc").write_text(json.dumps(SCHEMA), encoding="utf-8")
    (folder / "record_types" / "visit.yaml").write_text(DECLARATION, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def validator() -> Validator:
    return Validator()


@pytest.fixture
def events(aws: LocalAws) -> Table:
    """Two events, one of them twice and in two partitions."""
    table = Table(aws, load_record_types()["event"], load_suite("event"))
    table.register(*DAYS)
    reference = {"id": "e", "timestamp": "2026-03-01T00:00:00.000Z"}
    held = [{"type": "event", "id": name, "reference": reference} for name in ("event-1", "event-2")]
    table.write(DAYS[0], held)
    table.write(DAYS[1], held[:1])
    return table


@pytest.fixture
def visits(aws: LocalAws, include: Path, events: Table) -> Table:  # noqa: ARG001 - what visits refer to
    table = Table(aws, load_record_types(include)["visit"], load_suite("visit", include))
    table.register(*DAYS)
    return table


def numbers_of(validation: Validation) -> dict[str, tuple[Any, ...]]:
    """What Great Expectations made of the numbers, by expectation."""
    keys = ("element_count", "missing_count", "unexpected_count", "unexpected_percent", "observed_value")
    return {
        outcome.expectation.id: (outcome.passed, *(result.result.get(key) for key in keys))
        for outcome, result in zip(validation.outcomes, validation.results, strict=True)
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=partitions(), second=partitions())
def test_athena_counts_what_great_expectations_counts(
    visits: Table, validator: Validator, first: list[Row], second: list[Row]
) -> None:
    for day, rows in zip(DAYS, (first, second), strict=True):
        visits.write(day, rows)
    counted = visits.counts(*DAYS)
    assert set(counted) == set(DAYS)
    for day, rows in zip(DAYS, (first, second), strict=True):
        in_memory = validator.in_memory(visits.suite, visits.columns, ((row, day) for row in rows), {}, samples=0)
        assert numbers_of(validator.from_counts(visits.suite, counted[day], {})) == numbers_of(in_memory)
        assert counted[day].rows == len(rows)
        assert counted[day].orphans == sum(row["eventId"] in {"unknown", ""} for row in rows)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=partitions())
def test_every_row_that_is_counted_can_be_shown(visits: Table, rows: list[Row]) -> None:
    visits.write(DAYS[0], rows)
    counts = visits.counts(DAYS[0])[DAYS[0]].by_expectation
    expectations = [each for each in visits.suite.expectations if each.id in counts]
    shown = visits.samples(DAYS[0], expectations)
    for expectation in expectations:
        assert len(shown.get(expectation.id, [])) == counts[expectation.id].unexpected, expectation.id


def test_what_is_shown_of_a_row_is_what_is_wrong_with_it(visits: Table) -> None:
    empty = dict.fromkeys(field["name"] for field in SCHEMA["fields"])
    rows = [
        empty
        | {"type": "visit", "visitId": "v", "reference": {"id": str(number), "timestamp": "t"}}
        | {"note": note, "other": "x", "email": "jane@fans.example.com", "isDeleted": number == 2}
        for number, note in enumerate(["a", "a", "b"])
    ]
    visits.write(DAYS[0], rows)
    asked = [
        each for each in visits.suite.expectations if each.id in {"once", "email_redacted", "equal_1", "present_1"}
    ]
    shown = visits.samples(DAYS[0], asked)
    assert sorted(shown["once"]) == [("0", "t", ["a", "x"]), ("1", "t", ["a", "x"])]
    assert shown["email_redacted"] == [("2", "t", ["jane@fans.example.com"])]
    assert sorted(shown["equal_1"]) == [("0", "t", ["a", "x"]), ("1", "t", ["a", "x"]), ("2", "t", ["b", "x"])]
    assert len(visits.samples(DAYS[0], asked, 1)["equal_1"]) == 1
    assert set(shown) == {"once", "email_redacted", "equal_1"}
    assert visits.samples(DAYS[1], asked) == {}


class TestBytes:
    def test_scanned_are_those_of_the_partitions_and_of_the_table_that_is_referred_to(self, visits: Table) -> None:
        empty = dict.fromkeys(field["name"] for field in SCHEMA["fields"])
        row = empty | {"type": "visit", "visitId": "v", "reference": {"id": "i", "timestamp": "t"}}
        first = visits.write(DAYS[0], [row] * 100) + visits.write(DAYS[0], [row], "second.avro")
        visits.write(DAYS[1], [row] * 50)
        events = self._bytes_of(visits, "event")
        for measured in (DAYS[:1], ()):
            answer = visits.count(DAYS[:1], measured=measured)
            assert answer.scanned_bytes == first + events
            ((day, counts),) = [counts_of(visits.suite, row) for row in answer.rows]
            assert (day, counts.rows, counts.orphans) == (DAYS[0], 101, 0)
            assert bool(counts.by_expectation) == bool(measured)

    def test_scanned_are_the_partitions_alone_where_nothing_is_referred_to(self, events: Table) -> None:
        answer = events.count(DAYS)
        assert answer.scanned_bytes == self._bytes_of(events, "event")
        one = events.count(DAYS[1:])
        assert 0 < one.scanned_bytes < answer.scanned_bytes

    def test_scanned_for_samples_are_the_partition_s(self, visits: Table) -> None:
        empty = dict.fromkeys(field["name"] for field in SCHEMA["fields"])
        row = empty | {"type": "visit", "visitId": "v", "reference": {"id": "i", "timestamp": "t"}}
        size = visits.write(DAYS[0], [row] * 100)
        visits.write(DAYS[1], [row] * 100)
        asked = [each for each in visits.suite.expectations if each.type not in {ROW_COUNT, FACT}]
        statement = samples_query(visits.suite, visits.columns, DAYS[0], asked, 10)
        assert visits.workgroup.query(statement).scanned_bytes == size

    @staticmethod
    def _bytes_of(table: Table, name: str) -> int:
        settings = table.aws.settings
        prefix = settings.layout.table_prefix(name)
        listed = table.aws.client("s3").list_objects_v2(Bucket=settings.bucket, Prefix=prefix)
        return sum(found["Size"] for found in listed["Contents"])


class TestPartitions:
    def test_without_rows_or_registration_are_not_in_the_answer(self, events: Table) -> None:
        third, fourth = DAYS[1] + timedelta(days=1), DAYS[1] + timedelta(days=2)
        events.register(third)
        events.write(fourth, [{"type": "event", "id": "e", "reference": {"id": "e", "timestamp": "t"}}])
        assert set(events.counts(*DAYS, third, fourth)) == set(DAYS)

    def test_of_a_year_are_counted_in_one_statement(self, events: Table) -> None:
        year = [DAYS[0] + timedelta(days=number) for number in range(366)]
        events.register(*year[30:33])
        row = {"type": "event", "id": "e", "reference": {"id": "e", "timestamp": "t"}}
        for day in year[30:33]:
            events.write(day, [row] * 3)
        counted = events.counts(*year)
        assert {day: counts.rows for day, counts in counted.items()} == {
            DAYS[0]: 2,
            DAYS[1]: 1,
            **dict.fromkeys(year[30:33], 3),
        }
        assert set(events.counts(*year[::2])) == {day for day in (DAYS[0], *year[30:33]) if day in year[::2]}
