"""The clock: the only place that knows what time it is, and what stands in for it."""

import time

import pytest

from streams.clock import Clock, FixedClock, Stopwatch, WallClock, pause
from streams.core.instant import MINUTE, SECOND


def test_the_wall_clock_says_what_the_machine_says() -> None:
    before, now, after = time.time_ns() // 1000, WallClock().now(), time.time_ns() // 1000
    assert before <= now <= after


def test_a_fixed_clock_moves_only_when_it_is_moved() -> None:
    clock = FixedClock(10 * SECOND)
    assert (clock.now(), clock.now()) == (10 * SECOND, 10 * SECOND)
    clock.advance(MINUTE)
    assert clock.now() == 70 * SECOND
    clock.advance(-MINUTE)
    assert clock.now() == 10 * SECOND


def test_both_are_clocks() -> None:
    clocks: list[Clock] = [WallClock(), FixedClock(0)]
    assert all(isinstance(clock.now(), int) for clock in clocks)


def test_a_stopwatch_goes_by_no_clock_that_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0, 3_000_000_000, 5_000_000_000, 5_500_000_000])
    monkeypatch.setattr(time, "monotonic_ns", lambda: next(ticks))
    monkeypatch.setattr(time, "time_ns", lambda: 1 // 0)
    watch = Stopwatch()
    assert watch.seconds() == 3.0
    assert watch.restart() == 5 * SECOND
    assert watch.elapsed() == SECOND // 2


def test_a_pause_is_as_long_as_asked_and_none_where_it_is_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    for duration in (SECOND // 4, 0, -SECOND):
        pause(duration)
    assert slept == [0.25]
