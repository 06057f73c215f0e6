"""The document of one check, as it is written, read and summed up."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from dmd_pipeline.quality_documents import BrokenDocumentError, Result
from tests.unit.results_of import result


KEY = "data-pipeline/quality/results/demand/2026-03-01/one.json"


def test_a_result_is_one_line_and_reads_as_it_was_written() -> None:
    written = result("failed", "fan\nof two lines").written()
    assert written.endswith(b"\n")
    assert written.count(b"\n") == 1
    assert Result.parse(written, KEY) == result("failed", "fan\nof two lines")


@pytest.mark.parametrize(
    "changed",
    [
        {"verdict": "fine"},
        {"rows": -1},
        {"content": "../../../other"},
        {"partition_date": 20_000},
        {"checked_at": "2026-03-01T21:00:00"},
        {"cost": None},
    ],
)
def test_a_broken_result_is_named_by_its_key_without_its_value(changed: dict[str, Any]) -> None:
    (field, value), *_ = changed.items()
    body = json.dumps(json.loads(result().written()) | changed).encode()
    with pytest.raises(BrokenDocumentError, match=f"{KEY}: {field}: ") as caught:
        Result.parse(body, KEY)
    assert value is None or str(value) not in str(caught.value)


def test_half_a_result_is_broken_and_one_with_more_keys_is_not() -> None:
    written = result().written()
    with pytest.raises(BrokenDocumentError):
        Result.parse(written[: len(written) // 2], KEY)
    assert Result.parse(json.dumps(json.loads(written) | {"later": 1}).encode(), KEY) == result()


def test_a_result_of_another_partition_is_refused() -> None:
    assert result().about("demand", date(2026, 3, 1), KEY) == result()
    for table, day in (("event", date(2026, 3, 1)), ("demand", date(2026, 3, 2))):
        with pytest.raises(BrokenDocumentError, match="it is about demand 2026-03-01"):
            result().about(table, day, KEY)


def test_what_a_summary_holds_of_a_result_has_its_verdict_and_no_sample() -> None:
    summed_up = result("failed", "fan").summed_up(KEY)
    assert (summed_up.verdict, summed_up.failed, summed_up.result) == ("failed", ("fan",), KEY)
    assert summed_up.observed == {"fan": 50.0, "id": None}
    assert "secret" not in summed_up.model_dump_json()
