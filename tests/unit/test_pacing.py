"""The pace of reading a shard, by simulation: time passes only where the pace waits or the call takes it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from dmd_pipeline.pacing import BYTES_PER_SECOND, CALLS_PER_SECOND, LARGEST_PAGE, Pace


MEBIBYTE = 1024 * 1024
LARGEST_PAGE_BYTES = 10 * MEBIBYTE


@dataclass
class Shard:
    """A shard of endless records, read under a pace; keeps when what was read."""

    share: float
    record_size: int
    call_seconds: float = 0.01
    now: float = 1000.0
    calls: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pace = Pace(self.share, sleep=self._sleep, clock=lambda: self.now)

    def _sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def read(self, at_most: int = LARGEST_PAGE) -> int:
        limit = self.pace.before()
        assert 1 <= limit <= LARGEST_PAGE
        records = min(limit, at_most, max(1, LARGEST_PAGE_BYTES // self.record_size))
        self.calls.append((self.now, records * self.record_size))
        self.now += self.call_seconds
        self.pace.after(records, records * self.record_size)
        return records

    def assert_within_share(self, largest_page: float | None = None) -> None:
        largest = max(size for _, size in self.calls) if largest_page is None else largest_page
        for first, (began, _) in enumerate(self.calls):
            calls = size = 0
            for moment, page in self.calls[first : first + 60]:
                calls, size, span = calls + 1, size + page, moment - began
                assert calls <= CALLS_PER_SECOND * self.share * span + 1 + 1e-6
                assert size <= BYTES_PER_SECOND * self.share * span + largest + 1e-6


@pytest.mark.parametrize("share", [0.05, 0.4, 1.0])
@pytest.mark.parametrize("record_size", [1, 100, 2000, 50_000, MEBIBYTE])
def test_calls_and_bytes_stay_below_the_share_over_any_span(share: float, record_size: int) -> None:
    shard = Shard(share, record_size)
    for _ in range(100):
        shard.read()
    shard.assert_within_share()


@pytest.mark.parametrize("share", [0.1, 0.4, 1.0])
@pytest.mark.parametrize("record_size", [500, 2000, 20_000])
def test_an_average_page_is_what_the_share_allows_in_a_second(share: float, record_size: int) -> None:
    shard = Shard(share, record_size)
    for _ in range(20):
        shard.read()
    assert shard.calls[-1][1] <= BYTES_PER_SECOND * share * 1.001 + record_size
    assert shard.calls[-1][1] >= min(BYTES_PER_SECOND * share * 0.99, LARGEST_PAGE * record_size) - record_size


@pytest.mark.parametrize("record_size", [2000, 20_000])
def test_the_share_is_used_up(record_size: int) -> None:
    shard = Shard(0.4, record_size)
    for _ in range(50):
        shard.read()
    seconds = shard.calls[-1][0] - shard.calls[0][0]
    assert sum(size for _, size in shard.calls) / seconds > 0.95 * 0.4 * BYTES_PER_SECOND


def test_records_that_grow_are_asked_for_in_smaller_pages_soon() -> None:
    shard = Shard(0.4, 500)
    for _ in range(10):
        shard.read()
    shard.record_size = 50_000
    for _ in range(10):
        shard.read()
    shard.assert_within_share()
    assert shard.calls[-1][1] <= BYTES_PER_SECOND * 0.4 * 1.1


def test_a_page_of_ten_mebibytes_is_paid_for_before_the_next_call() -> None:
    shard = Shard(0.5, 100)
    for _ in range(5):
        shard.read()
    shard.record_size = MEBIBYTE
    shard.read()
    began, size = shard.calls[-1]
    assert size == LARGEST_PAGE_BYTES
    shard.read()
    assert shard.calls[-1][0] - began >= LARGEST_PAGE_BYTES / (0.5 * BYTES_PER_SECOND)


def test_empty_pages_cost_calls_only() -> None:
    shard = Shard(0.4, 1)
    limits = []
    for _ in range(10):
        limits.append(shard.pace.before())
        shard.calls.append((shard.now, 0))
        shard.pace.after(0, 0)
    assert len(set(limits)) == 1
    assert shard.calls[-1][0] - shard.calls[0][0] == pytest.approx(9 * 0.5)


def test_the_first_call_does_not_wait_and_asks_for_a_small_page() -> None:
    shard = Shard(0.4, 1000)
    assert shard.read() <= 410
    assert shard.calls[0][0] == 1000.0


def test_who_comes_late_does_not_wait_and_may_not_catch_up() -> None:
    shard = Shard(0.4, 1000)
    shard.read()
    shard.now += 60
    before = shard.now
    shard.read()
    assert shard.calls[-1][0] == before
    for _ in range(10):
        shard.read()
    shard.assert_within_share()


def test_sizes_and_delays_at_random_stay_below_the_share() -> None:
    dice = random.Random(5)  # noqa: S311 - a simulation
    for _ in range(50):
        shard = Shard(dice.uniform(0.05, 1), 100, call_seconds=dice.uniform(0, 0.3))
        for _ in range(60):
            shard.record_size = int(dice.lognormvariate(7, 2)) + 1
            shard.read(at_most=dice.randint(1, LARGEST_PAGE))
            shard.now += dice.choice([0, 0, dice.uniform(0, 3)])
        shard.assert_within_share()


def test_a_sleep_that_ends_early_is_repeated() -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds / 2 if len(slept) < 3 else seconds

    pace = Pace(1, sleep=sleep, clock=lambda: now[0])
    pace.before()
    pace.before()
    assert now[0] == pytest.approx(0.2)
    assert len(slept) == 3


@pytest.mark.parametrize("share", [0, -1, 1.01])
def test_a_share_is_above_nothing_and_not_above_all(share: float) -> None:
    with pytest.raises(ValueError, match=f"found {share}"):
        Pace(share)
