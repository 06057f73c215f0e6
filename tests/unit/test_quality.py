"""How much a partition can be relied on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dmd_pipeline.quality import State, content_digest, state_of
from dmd_pipeline.quality_documents import Entry
from tests.unit.test_quality_documents import CONTENT, OTHER, SUITE, seen, verdict


def entry(seen_now: dict[str, Any] | None, said: dict[str, Any] | None) -> Entry:
    return Entry.model_validate({"seen": seen_now, "verdict": said})


@pytest.mark.parametrize("word", ["passed", "warned", "failed", "unknown"])
@pytest.mark.parametrize("looked", [seen(), None])
def test_a_verdict_holds_while_nothing_changes(word: str, looked: dict[str, Any] | None) -> None:
    assert state_of(entry(looked, verdict(verdict=word)), SUITE) == word


@pytest.mark.parametrize("word", ["passed", "warned", "failed", "unknown"])
def test_other_files_or_other_expectations_make_it_stale(word: str) -> None:
    assert state_of(entry(seen(content=OTHER), verdict(verdict=word)), SUITE) is State.STALE
    assert state_of(entry(seen(), verdict(verdict=word)), OTHER) is State.STALE
    assert state_of(entry(None, verdict(verdict=word)), OTHER) is State.STALE


@pytest.mark.parametrize("said", [None, verdict()])
def test_what_queries_do_not_see_is_never_relied_on(said: dict[str, Any] | None) -> None:
    assert state_of(entry(seen(registered=False), said), SUITE) is State.UNREGISTERED
    assert state_of(entry(seen(files=0, bytes=0, newest=None), said), SUITE) is State.EMPTY
    assert state_of(entry(seen(files=0, bytes=0, newest=None, registered=False), said), SUITE) is State.EMPTY


def test_files_without_a_verdict_are_unchecked() -> None:
    assert state_of(entry(seen(), None), SUITE) is State.UNCHECKED
    assert state_of(entry(None, None), SUITE) is State.EMPTY


def test_another_count_size_or_time_is_another_content() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    digests = {
        content_digest(3, 100, moment),
        content_digest(4, 100, moment),
        content_digest(3, 101, moment),
        content_digest(3, 100, moment.replace(second=1)),
        content_digest(0, 0, None),
    }
    assert len(digests) == 5
    assert content_digest(3, 100, moment) in digests
    assert all(len(digest) == len(CONTENT) for digest in digests)
