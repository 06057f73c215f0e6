"""How often and how long the library waits."""

from __future__ import annotations

from dmd_pipeline.patience import Patience


def test_pauses_double_up_to_a_bound_and_the_first_attempt_waits_for_nothing() -> None:
    pauses: list[float] = []
    patience = Patience(attempts=6, first_pause=1, longest_pause=5, sleep=pauses.append, jitter=lambda: 1.0)
    assert list(patience) == [1, 2, 3, 4, 5, 6]
    assert pauses == [1, 2, 4, 5, 5]


def test_a_part_of_each_pause_is_left_to_chance() -> None:
    pauses: list[float] = []
    parts = iter([0.5, 0.25])
    assert list(Patience(attempts=3, first_pause=2, sleep=pauses.append, jitter=lambda: next(parts))) == [1, 2, 3]
    assert pauses == [1, 1]


def test_whoever_succeeds_at_once_never_waits() -> None:
    pauses: list[float] = []
    for _attempt in Patience(sleep=pauses.append):
        break
    assert pauses == []
