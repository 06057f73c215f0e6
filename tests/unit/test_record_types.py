"""Record types as data: the four that exist, and every mistake in a declaration told by file and key."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dmd_pipeline.errors import SchemaError
from dmd_pipeline.record_types import DerivedRecord, RecordType, TimestampRule, load_record_types, with_schema
from dmd_pipeline.settings import INCLUDE


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def include(tmp_path: Path) -> Path:
    """A folder of one's own with all record types."""
    for folder in ("schemas", "record_types"):
        shutil.copytree(INCLUDE / folder, tmp_path / folder)
    return tmp_path


def _declare(include: Path, name: str = "demand", **changed: Any) -> Path:
    """Change keys of a declaration; None takes one away."""
    path = include / "record_types" / f"{name}.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8")) | changed
    path.write_text(yaml.safe_dump({key: value for key, value in values.items() if value is not None}))
    return path


def _change_schema(include: Path, change: Callable[[dict[str, Any]], object], name: str = "demand") -> Path:
    path = include / "schemas" / f"{name}.avsc"
    schema = json.loads(path.read_text(encoding="utf-8"))
    change({field["name"]: field for field in schema["fields"]} | {"": schema})
    path.write_text(json.dumps(schema), encoding="utf-8")
    return path


def _declared(record_type: RecordType) -> tuple[object, ...]:
    rule = record_type.reference_timestamp
    return record_type.partition_date, record_type.reference_id, (rule.pick, *rule.paths), set(record_type.redacted)


def test_there_are_four_record_types_in_order_of_their_names() -> None:
    assert list(load_record_types()) == ["demand", "event", "notification", "sale"]


def test_the_declarations_are_those_of_the_pipeline_s_domain() -> None:
    assert {name: _declared(record_type) for name, record_type in load_record_types().items()} == {
        "demand": (
            ("date.requested",),
            ("eventId", "saleId", "fanId"),
            ("latest_of", "date.requested", "date.triggered", "date.notified", "date.deleted"),
            {"phoneNumber", "email"},
        ),
        "notification": (
            ("date.created",),
            ("eventId", "saleId", "fanId"),
            ("first_of", "date.deleted", "date.updated", "now"),
            {"phoneNumber", "email", "messageBody"},
        ),
        "event": (
            ("date.firstSeen", "eventDate.start.dateTime", "now"),
            ("id",),
            ("first_of", "date.deleted", "date.updated", "now"),
            set(),
        ),
        "sale": (
            ("saleStartDateTime",),
            ("eventId", "id"),
            ("first_of", "date.deleted", "saleStartDateTime", "now"),
            set(),
        ),
    }


def test_every_field_that_may_hold_personal_data_is_redacted() -> None:
    for record_type in load_record_types().values():
        names = {field["name"] for field in record_type.schema["fields"]}
        assert set(record_type.redacted) == names & {"phoneNumber", "email", "messageBody"}


def test_only_a_demand_has_a_derived_record() -> None:
    derived = {name: record_type.derived for name, record_type in load_record_types().items() if record_type.derived}
    pattern = re.compile(r"(?P<id>[^.]+)-(?P<databaseId>[^-.]+)\.(?P<memberId>.+)")
    assert derived == {"demand": (DerivedRecord("system", "systemUserId", pattern),)}


def test_files_are_read_once_a_folder(include: Path) -> None:
    assert load_record_types() is load_record_types()
    assert load_record_types(include) is load_record_types(include)
    assert load_record_types(include) is not load_record_types()


def test_nobody_can_add_a_record_type_at_run_time() -> None:
    with pytest.raises(TypeError):
        load_record_types()["fifth"] = load_record_types()["demand"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("missing", "beside"),
    [("schemas/sale.avsc", "record_types/sale.yaml"), ("record_types/sale.yaml", "schemas/sale.avsc")],
)
def test_a_file_without_its_counterpart_is_named(include: Path, missing: str, beside: str) -> None:
    (include / missing).unlink()
    with pytest.raises(SchemaError, match=re.escape(f"{include / missing}: missing; {include / beside} needs it")):
        load_record_types(include)


def test_an_empty_folder_is_no_set_of_record_types(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="holds no record type"):
        load_record_types(tmp_path)


def test_a_record_type_that_cannot_name_a_table_is_refused(include: Path) -> None:
    for folder, suffix in (("schemas", "avsc"), ("record_types", "yaml")):
        (include / folder / f"sale.{suffix}").rename(include / folder / f"Pre-Sale.{suffix}")
    with pytest.raises(SchemaError, match=r"Pre-Sale\.avsc: a record type names a table: expected lower-case letters"):
        load_record_types(include)


FIRST = {"first_of": ["date.requested"]}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"partition": ["date.requested"]}, "partition: unknown key; expected one of: partition_date, reference_id"),
        ({"partition_date": None}, "partition_date: missing"),
        ({"partition_date": "date.requested"}, "partition_date: input should be a valid list"),
        ({"partition_date": []}, "partition_date: list should have at least 1 item"),
        ({"partition_date": ["date..requested"]}, "partition_date.0: string should match pattern"),
        ({"partition_date": ["date.created"]}, "partition_date: the schema has no field date.created"),
        ({"partition_date": ["date"]}, "partition_date: expected date to be a string, the schema says record"),
        ({"partition_date": ["isDeleted", "now"]}, "partition_date: expected isDeleted to be a string"),
        ({"partition_date": ["date.deleted"]}, "partition_date: all of date.deleted may be absent: expected now"),
        ({"partition_date": ["now", "date.requested"]}, "partition_date: now is always present: expected it last"),
        ({"reference_id": ["eventId", "artistId"]}, "reference_id: artistId may be absent: expected fields that every"),
        ({"reference_id": ["eventId", "now"]}, "reference_id: the schema has no field now"),
        ({"reference_id": []}, "reference_id: list should have at least 1 item"),
        ({"reference_timestamp": {}}, "reference_timestamp: expected exactly one of first_of, latest_of"),
        ({"reference_timestamp": FIRST | {"latest_of": ["now"]}}, "reference_timestamp: expected exactly one of"),
        (
            {"reference_timestamp": {"any_of": ["now"]}},
            "reference_timestamp.any_of: unknown key; expected one of: first",
        ),
        ({"reference_timestamp": {"first_of": ["date.x"]}}, "reference_timestamp.first_of: the schema has no field"),
        (
            {"reference_timestamp": {"latest_of": ["date.deleted"]}},
            "reference_timestamp.latest_of: all of date.deleted",
        ),
        ({"redacted": ["messageBody"]}, "redacted: the schema has no field messageBody"),
        ({"redacted": ["contactMethod"]}, "redacted: expected contactMethod to be a string, the schema says enum"),
        ({"derived": [{"record": "system"}]}, "derived.0.source: missing"),
        (
            {"derived": [{"record": "system", "source": "systemUserId", "pattern": "("}]},
            "derived.0.pattern: not a regular expression",
        ),
        (
            {"derived": [{"record": "system", "source": "systemUserId", "pattern": "(?P<id>.+)"}]},
            "derived.0.pattern: expected one named group for each field of system, all of them strings: id, databaseId",
        ),
        (
            {"derived": [{"record": "system", "source": "userId", "pattern": "x"}]},
            "derived.0.source: the schema has no field userId",
        ),
        (
            {"derived": [{"record": "fanId", "source": "systemUserId", "pattern": "x"}]},
            "derived.0.record: expected a top-level record of the schema, found fanId",
        ),
        (
            {"derived": [{"record": "reference", "source": "systemUserId", "pattern": "(?P<id>.)(?P<timestamp>.)"}]},
            "derived.0.record: expected reference to be optional",
        ),
    ],
)
def test_a_mistake_in_a_declaration_is_told_by_file_and_key(
    include: Path, changed: dict[str, Any], message: str
) -> None:
    path = _declare(include, **changed)
    with pytest.raises(SchemaError, match=re.escape(f"{path}: {message}")):
        load_record_types(include)


DELETED = {"name": "deleted", "type": ["null", "string"], "default": None}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda fields: fields["isDeleted"].update(type=["null", "int"]), "an optional boolean isDeleted"),
        (lambda fields: fields["isDeleted"].update(name="deleted"), "an optional boolean isDeleted"),
        (lambda fields: fields["type"].update(type="int"), "a required string type"),
        (lambda fields: fields["reference"]["type"]["fields"].pop(), "a required string reference.timestamp"),
        (
            lambda fields: fields["reference"]["type"]["fields"].append({"name": "version", "type": "int"}),
            "no other fields in reference than id and timestamp",
        ),
        (
            lambda fields: fields["date"]["type"]["fields"].append({"name": "count", "type": "int"}),
            "no required fields in date other than stamps, which are strings",
        ),
        (lambda fields: fields["artistId"].update(type="null"), "artistId: Glue has no column type for Avro's 'null'"),
        (lambda fields: fields["artistId"].update(type="text"), "unknown type 'dmd_pipeline.demand.text'"),
    ],
)
def test_a_schema_that_delivery_or_glue_cannot_use_is_told_by_file_and_field(
    include: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    path = _change_schema(include, change)
    with pytest.raises(SchemaError, match=f"{re.escape(str(path))}: .*{re.escape(message)}"):
        load_record_types(include)


def test_a_timestamp_rule_is_a_value() -> None:
    assert TimestampRule("first_of", ("now",)) == TimestampRule("first_of", ("now",))


class TestWithAnotherSchema:
    @staticmethod
    def lacking(name: str, *fields: str) -> RecordType:
        record_type = load_record_types()[name]
        kept = [one for one in record_type.schema["fields"] if one["name"] not in fields]
        return with_schema(record_type, {**record_type.schema, "fields": kept})

    def test_the_same_schema_gives_the_same_rules(self) -> None:
        for record_type in load_record_types().values():
            same = with_schema(record_type, record_type.schema)
            assert (_declared(same), same.derived) == (_declared(record_type), record_type.derived)

    def test_what_the_schema_lacks_is_neither_redacted_nor_derived(self) -> None:
        assert self.lacking("demand", "email").redacted == ("phoneNumber",)
        assert self.lacking("demand", "systemUserId").derived == self.lacking("demand", "system").derived == ()

    def test_dates_come_from_the_fields_that_are_there(self) -> None:
        assert self.lacking("event", "eventDate").partition_date == ("date.firstSeen", "now")

    @pytest.mark.parametrize(
        ("name", "field", "message"),
        [
            ("demand", "fanId", "a field fanId"),
            ("demand", "reference", "a required string reference.id"),
            ("demand", "isDeleted", "an optional boolean isDeleted"),
            ("sale", "saleStartDateTime", "a field that tells its date"),
        ],
    )
    def test_a_schema_that_takes_no_row_is_refused(self, name: str, field: str, message: str) -> None:
        with pytest.raises(SchemaError, match=rf"^the schema has not .*{re.escape(message)}"):
            self.lacking(name, field)
