"""Athena: tables of JSON files, from the statement that makes one to what each value is read as."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.athena_runs import Run, run
from tests.conformance.json_cases import MALFORMED, READ, UNFIT, Read, Unfit


if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conformance.account import Account

_SERDE = "org.openx.data.jsonserde.JsonSerDe"
_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_AT_ONCE = 30  # columns in one table


def _succeed(account: Account, statement: str) -> Run:
    found = run(account, statement)
    assert found.state == "SUCCEEDED", found.reason
    return found


def _make(account: Account, columns: str, name: str = "documents", properties: str = "", rest: str = "") -> str:
    """A table over everything below the folder of its name."""
    with_properties = f"WITH SERDEPROPERTIES ({properties})" if properties else ""
    _succeed(
        account,
        f"CREATE EXTERNAL TABLE IF NOT EXISTS {name} ({columns}) {rest} ROW FORMAT SERDE '{_SERDE}' {with_properties} "
        f"LOCATION '{account.location(name)}' TBLPROPERTIES ('classification' = 'json')",
    )
    account.remove_later(lambda: run(account, f"DROP TABLE IF EXISTS {name}"))
    return name


def _write(account: Account, *lines: str, key: str = "documents/one.json") -> int:
    data = "".join(f"{line}\n" for line in lines).encode()
    account.put(key, data)
    return len(data)


def _definition(account: Account, name: str = "documents") -> dict[str, Any]:
    found: dict[str, Any] = account.client("glue").get_table(DatabaseName=account.database, Name=name)["Table"]
    return found


def test_the_statement_makes_a_table_of_text_files(account: Account) -> None:
    _make(account, "`id` string, n bigint", properties="'ignore.malformed.json' = 'true'")
    found = _definition(account)
    storage = found["StorageDescriptor"]
    assert (storage["InputFormat"], storage["OutputFormat"]) == (_INPUT, _OUTPUT)
    assert storage["SerdeInfo"]["SerializationLibrary"] == _SERDE
    assert storage["SerdeInfo"]["Parameters"] == {"serialization.format": "1", "ignore.malformed.json": "true"}
    assert (found["TableType"], found["PartitionKeys"]) == ("EXTERNAL_TABLE", [])
    assert found["Parameters"]["classification"] == "json"
    _make(account, "id string")  # IF NOT EXISTS: nothing happens
    assert [one["Name"] for one in _definition(account)["StorageDescriptor"]["Columns"]] == ["id", "n"]


@pytest.mark.parametrize("stored", ["STORED AS TEXTFILE", f"STORED AS INPUTFORMAT '{_INPUT}' OUTPUTFORMAT '{_OUTPUT}'"])
def test_the_format_of_the_files_may_be_named(account: Account, stored: str) -> None:
    _make(account, "id string", name="implied")
    location = account.location("named")
    _succeed(
        account, f"CREATE EXTERNAL TABLE named (id string) ROW FORMAT SERDE '{_SERDE}' {stored} LOCATION '{location}'"
    )
    account.remove_later(lambda: run(account, "DROP TABLE named"))
    implied, named = (_definition(account, name)["StorageDescriptor"] for name in ("implied", "named"))
    assert named == {**implied, "Location": location}


def test_show_create_table_makes_the_same_table_again(account: Account) -> None:
    _make(account, "id string, n struct<a:int>", properties="'ignore.malformed.json' = 'true'")
    before = _definition(account)
    statement = "\n".join(row[0] or "" for row in _succeed(account, "SHOW CREATE TABLE documents").rows)
    _succeed(account, "DROP TABLE documents")
    _succeed(account, statement)
    assert _definition(account)["StorageDescriptor"] == before["StorageDescriptor"]


def test_every_file_below_the_location_is_read_a_line_a_row(account: Account) -> None:
    _make(account, "id string, n int")
    written = _write(account, '{"id": "a", "n": 1}', '{"id": "b", "n": 2}')
    written += _write(account, '{"id": "c", "n": 3}', key="documents/deep/below/two.json")
    _write(account, '{"id": "hidden", "n": 9}', key="documents/_three.json")
    _write(account, '{"id": "hidden", "n": 9}', key="documents/.trash/four.json")
    _write(account, '{"id": "elsewhere", "n": 9}', key="documents2/five.json")
    account.put("documents/empty.json", b"")
    found = _succeed(account, "SELECT id, n FROM documents ORDER BY id")
    assert found.rows == [["a", "1"], ["b", "2"], ["c", "3"]]
    assert found.scanned_bytes == written
    assert _succeed(account, "SELECT count(*) FROM documents").rows == [["3"]]
    paths = _succeed(account, "SELECT DISTINCT \"$path\" FROM documents WHERE id = 'c'").rows
    assert paths == [[f"{account.location('documents')}deep/below/two.json"]]


def test_a_line_needs_no_end_and_may_end_as_windows_ends_it(account: Account) -> None:
    _make(account, "n int")
    account.put("documents/a.json", b'{"n": 1}\r\n{"n": 2}\n{"n": 3}')
    assert _succeed(account, "SELECT sum(n), count(*) FROM documents").rows == [["6", "3"]]


def test_compressed_files_are_read_by_their_name(account: Account) -> None:
    _make(account, "n int")
    packed = gzip.compress(b'{"n": 1}\n{"n": 2}\n')
    account.put("documents/a.json.gz", packed)
    found = _succeed(account, "SELECT sum(n) FROM documents")
    assert (found.rows, found.scanned_bytes) == ([["3"]], len(packed))


def test_a_table_without_files_has_no_rows(account: Account) -> None:
    _make(account, "id string, l array<struct<n:int>>")
    found = _succeed(account, "SELECT count(*), count(id), max(cardinality(l)) FROM documents")
    assert (found.rows, found.scanned_bytes) == ([["0", "0", None]], 0)


def test_names_are_found_in_any_case_and_what_is_missing_is_null(account: Account) -> None:
    _make(account, "eventid string, `timestamp` string, missing bigint")
    _write(account, '{"eventId": "a", "TIMESTAMP": "t", "other": {"deep": [1]}}', "{}")
    found = _succeed(account, 'SELECT eventid, "timestamp", missing FROM documents ORDER BY 1')
    assert found.rows == [["a", "t", None], [None, None, None]]


@pytest.mark.parametrize("first", range(0, len(READ), _AT_ONCE))
def test_values_are_read_as_their_columns_declare_them(account: Account, first: int) -> None:
    cases = READ[first : first + _AT_ONCE]
    _make(account, ", ".join(f"c{number} {case.type}" for number, case in enumerate(cases)))
    _write(account, "{" + ", ".join(f'"c{number}": {case.value}' for number, case in enumerate(cases)) + "}")
    found = _succeed(account, "SELECT * FROM documents")
    assert _with_values(cases, found.rows[0]) == cases


def _with_values(cases: Sequence[Read], values: Sequence[str | None]) -> list[Read]:
    return [case._replace(expected=value) for case, value in zip(cases, values, strict=True)]


@pytest.mark.parametrize("case", UNFIT, ids=lambda case: f"{case.value} as {case.type}")
def test_a_value_that_does_not_fit_fails_the_query_that_wants_it(account: Account, case: Unfit) -> None:
    _make(account, f"id string, c {case.type}")
    _write(account, '{"id": "fine", "c": null}', f'{{"id": "bad", "c": {case.value}}}')
    found = run(account, "SELECT c FROM documents")
    assert found.reason.startswith("HIVE_BAD_DATA: "), found.rows
    if account.is_local:  # Athena itself shows the value
        place = f"{account.location('documents')}one.json, line 2"
        assert place in found.reason
        assert case.secret not in found.reason.replace(place, "")
    assert _succeed(account, "SELECT id FROM documents ORDER BY id").rows == [["bad"], ["fine"]]


@pytest.mark.parametrize("line", MALFORMED)
def test_a_line_that_is_no_object_fails_the_query_unless_it_is_ignored(account: Account, line: str) -> None:
    _make(account, "n int")
    _make(account, "n int", name="lenient", properties="'ignore.malformed.json' = 'TRUE'")
    for folder in ("documents", "lenient"):
        _write(account, '{"n": 7}', line, key=f"{folder}/one.json")
    found = run(account, "SELECT n FROM documents")
    assert found.reason.startswith("HIVE_CURSOR_ERROR: Row is not a valid JSON Object"), found.rows
    assert re.search(r"word|text", found.reason.replace(account.prefix, "")) is None
    assert _succeed(account, "SELECT n FROM lenient ORDER BY n").rows == [["7"], [None]]


def test_two_keys_that_are_one_name_fail_the_query(account: Account) -> None:
    _make(account, "url string")
    _write(account, '{"URL": "a", "Url": "b"}')
    reason = run(account, "SELECT url FROM documents").reason
    assert reason.startswith("HIVE_CURSOR_ERROR: Row is not a valid JSON Object - JSONException: Duplicate key")


def test_a_table_may_have_partitions(account: Account) -> None:
    _make(account, "n int", rest="PARTITIONED BY (day string)")
    for day, number in (("2026-03-01", 1), ("2026-03-02", 2)):
        _write(account, f'{{"n": {number}}}', key=f"documents/day={day}/a.json")
    assert _succeed(account, "SELECT count(*) FROM documents").rows == [["0"]]
    _succeed(account, "MSCK REPAIR TABLE documents")
    found = _succeed(account, "SELECT n, day FROM documents WHERE day = '2026-03-02'")
    assert (found.rows, found.scanned_bytes) == ([["2", "2026-03-02"]], len('{"n": 2}\n'))


@pytest.mark.parametrize(
    "storage",
    [
        f"ROW FORMAT SERDE '{_SERDE}' STORED AS AVRO",
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe' STORED AS TEXTFILE",
    ],
)
def test_a_serde_reads_files_of_its_own_format_only(account: Account, storage: str) -> None:
    """Athena makes such a table, which then cannot be read."""
    if not account.is_local:
        pytest.skip("the local Athena refuses the table at once")
    found = run(account, f"CREATE EXTERNAL TABLE odd (n int) {storage} LOCATION '{account.location('odd')}'")
    assert (found.state, "input format" in found.reason) == ("FAILED", True)
