"""What checks report to people."""

from __future__ import annotations

from typing import Any

import pytest

from dmd_pipeline.aws.athena import Answer
from dmd_pipeline.errors import ChecksFailedError, ChecksIncompleteError
from dmd_pipeline.jobs.quality_counts import Share
from dmd_pipeline.jobs.quality_reports import Checked, CheckReport, Conclusion
from tests.unit.results_of import result, said
from tests.unit.test_quality_documents import OTHER


@pytest.mark.parametrize(
    ("word", "before", "is_news"),
    [
        ("failed", None, True),
        ("failed", said("failed"), False),
        ("failed", said("passed"), True),
        ("failed", said("unknown"), True),
        ("failed", said("failed", content=OTHER), True),
        ("failed", said("failed", suite=OTHER), True),
        ("unknown", None, True),
        ("unknown", said("unknown"), False),
        ("warned", None, False),
        ("passed", said("failed"), False),
    ],
)
def test_people_are_told_once_of_the_same_files_and_expectations(word: str, before: Any, is_news: bool) -> None:
    assert Checked(result(word), before).is_news is is_news


@pytest.mark.parametrize(
    ("word", "before", "forced", "is_problem"),
    [
        ("failed", said("failed"), False, True),
        ("unknown", None, False, True),
        ("unknown", said("unknown"), False, False),
        ("unknown", said("unknown"), True, True),
        ("warned", None, True, False),
        ("passed", None, True, False),
    ],
)
def test_a_run_ends_failed_for_what_failed_and_once_for_what_is_unknown(
    word: str, before: Any, forced: bool, is_problem: bool
) -> None:
    report = CheckReport((Checked(result(word), before, forced),))
    assert report.checked[0].is_problem is is_problem
    if is_problem:
        with pytest.raises(ChecksFailedError, match=f"demand {word}: 2026-03-01"):
            report.raise_problems()
    else:
        report.raise_problems()


def test_no_text_holds_a_row() -> None:
    checked = Checked(result("failed", "fan"), None)
    with pytest.raises(ChecksFailedError) as caught:
        CheckReport((checked,)).raise_problems()
    texts = [checked.text, checked.title, str(checked), str(caught.value), str(CheckReport((checked,)).as_data())]
    assert "600 rows break it" in checked.text
    assert "Every row has its fan." in str(caught.value)
    assert not any(held in text for text in texts for held in ("secret", "j***"))


def test_an_error_names_at_most_ten_expectations() -> None:
    names = [f"field{number}" for number in range(25)]
    with pytest.raises(ChecksFailedError) as caught:
        CheckReport((Checked(result("failed", *names), None),)).raise_problems()
    assert str(caught.value).count("Every row has its") == 10


def test_what_is_unknown_says_why() -> None:
    assert Checked(result("unknown"), None).text == (
        "It cannot be told whether demand 2026-03-01 is sound: it has files, and no rows."
    )


def test_only_dates_that_passed_are_told_to_those_who_wait() -> None:
    words = ("passed", "warned", "failed", "unknown")
    checked = tuple(
        Checked(result(word, partition_date=f"2026-03-0{number}"), None) for number, word in enumerate(words, 1)
    )
    data = CheckReport(checked).as_data()
    assert data["partition_keys"] == {"demand": ["2026-03-01"]}
    whole = Conclusion({"errors": {}, "chunks": [{}, {}]}, [data, data])
    assert whole.summary[0] == "demand: 2 passed, 2 warned, 2 failed, 2 unknown"
    assert whole.partition_keys == {"demand": ["2026-03-01", "2026-03-01"]}
    with pytest.raises(ChecksFailedError, match="demand failed"):
        whole.raise_problems()


def test_a_run_whose_parts_are_missing_does_not_end_well() -> None:
    with pytest.raises(ChecksIncompleteError, match="1 chunks ended without a report"):
        Conclusion({"errors": {}, "chunks": [{}]}, []).raise_problems()
    with pytest.raises(ChecksIncompleteError, match="demand: it is gone"):
        Conclusion({"errors": {"demand": "it is gone"}, "chunks": []}, []).raise_problems()
    Conclusion({"errors": {}, "chunks": []}, []).raise_problems()


def test_a_share_adds_up_what_statements_cost() -> None:
    answer = Answer((), "some", 2**40)
    share = Share().plus(None, shared_by=4).plus(answer, part=0.25, shared_by=2).plus(answer)
    assert share == Share(queries=3, shared_by=4, scanned_bytes=2**40 * 5 // 4, dollars=6.25)
