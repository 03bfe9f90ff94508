"""The guard band before the present: what is too young to be judged fairly teaches nothing yet."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.contract import Detector
from detectors.counts import CountBank
from detectors.guard import OPENS, kept
from detectors.observation import CLASSES, MOST_PARTS, Floats, Slot, mixed_class
from detectors.outbreak import OutbreakBank, watchful_settings
from detectors.row import settings_for
from tests.detectors.streams_of_counts import DAYS, HOURS, WEEKS, learned, noisy, run, slot

GUARDED = [(CountBank, HOURS), (CountBank, DAYS), (CountBank, WEEKS), (OutbreakBank, DAYS)]
LONG = {HOURS: 1000, DAYS: 120, WEEKS: 60}
Bank = CountBank | OutbreakBank


def guard_of(made: type[Bank], size: int) -> int:
    return (settings_for(size) if made is CountBank else watchful_settings(size)).guard


def expected(bank: Detector, index: int, size: int, series: int, count: int = 20) -> Floats:
    return bank.score(np.full(series, count), slot(index, size, series)).expected


@pytest.mark.parametrize(("made", "size"), GUARDED)
def test_the_youngest_windows_do_not_move_what_is_expected_and_then_they_do(made: type[Bank], size: int) -> None:
    guard, length = guard_of(made, size), LONG[size]
    quiet = noisy(np.full((length + guard + 1, 4), 20.0), 1.5, np.random.default_rng(3))
    rising = quiet.copy()
    rising[length:] += 15
    one, other = (learned(made.fresh(4, size), counts[: length + guard], size) for counts in (quiet, rising))
    here = length + guard
    assert guard > 0
    np.testing.assert_array_equal(expected(one, here, size, 4), expected(other, here, size, 4))
    for bank, counts in ((one, quiet), (other, rising)):
        bank.learn(counts[here], slot(here, size, 4))
    assert expected(one, here + 1, size, 4).mean() < expected(other, here + 1, size, 4).mean()


def test_a_young_series_learns_every_window_at_once() -> None:
    young = int(OPENS * settings_for(DAYS).warm_up) - 2
    counts = noisy(np.full((young + 1, 4), 20.0), 1.5, np.random.default_rng(4))
    counts[young] += 10
    bank = learned(CountBank.fresh(4, DAYS), counts[:young], DAYS)
    before = expected(bank, young + 1, DAYS, 4)
    bank.learn(counts[young], slot(young, DAYS, 4))
    assert (expected(bank, young + 1, DAYS, 4) > before).all()


def test_a_rise_over_four_weeks_stays_a_rise() -> None:
    """Without the guard the baseline has taken in a sixth of it by the last day."""
    mean = np.full((428, 300), 40.0)
    mean[400:] *= np.linspace(1.0, 1.6, 28)[:, None]
    counts = noisy(mean, 1.5, np.random.default_rng(5))
    last = list(run(CountBank.fresh(300, DAYS), counts, DAYS))[-1]
    assert np.median(last.expected) < 40.0 * 1.25


@pytest.mark.parametrize(("made", "size"), GUARDED)
def test_a_level_that_has_moved_is_caught_up_with(made: type[Bank], size: int) -> None:
    length = LONG[size]
    later = {HOURS: 400, DAYS: 40, WEEKS: 16}[size]
    mean = np.full((length + later, 40), 20.0)
    mean[length:] = 80.0
    bank = learned(made.fresh(40, size), noisy(mean, 1.5, np.random.default_rng(6)), size)
    assert np.median(expected(bank, length + later, size, 40, count=80)) == pytest.approx(80.0, rel=0.25)


@pytest.mark.parametrize("size", [HOURS, DAYS, WEEKS])
def test_what_is_held_back_keeps_its_count_and_its_day(size: int) -> None:
    """Missing counts, the largest ones and the largest calendar classes come out of the guard as they went in."""
    parts = {HOURS: 1, DAYS: 2, WEEKS: MOST_PARTS}[size]
    classes = [0, CLASSES - 1, mixed_class([CLASSES - 1, CLASSES - 2] * (parts // 2) or [3])]
    counts = noisy(np.full((LONG[size], 3), 9.0), 1.5, np.random.default_rng(7))
    bank = CountBank.fresh(3, size)
    learned(bank, counts, size)
    for index, day_class in enumerate(classes, len(counts)):
        bank.learn(np.array([-1, 0, 10**10]), slot(index, size, 3, day_class=day_class))
    of, settings = bank._guarded, settings_for(size).as_array()
    for back, day_class in zip(range(min(3, len(of.ring))), reversed(classes), strict=False):
        place = (int(of.turn[0]) - 1 - back) % len(of.ring)
        assert [kept(held, place, settings) for held in of.held] == [(n, day_class) for n in (-1, 0, 10**10)]


def test_a_holiday_is_learned_as_one_when_it_leaves_the_guard() -> None:
    random = np.random.default_rng(8)
    bank = CountBank.fresh(20, DAYS)
    holiday = np.ones(20, np.int64)

    def at(day: int) -> Slot:
        plain = slot(day, DAYS, 20)
        return replace(plain, day_class=holiday if day % 20 == 19 else plain.day_class)

    for day in range(200):
        bank.learn(random.poisson(10.0 if day % 20 == 19 else 40.0, 20), at(day))
    assert np.median(bank.score(np.ones(20, np.int64), at(219)).expected) == pytest.approx(10.0, rel=0.3)
    assert np.median(bank.score(np.ones(20, np.int64), at(200)).expected) == pytest.approx(40.0, rel=0.15)


def test_a_series_takes_less_than_four_kilobytes_with_what_is_held_back() -> None:
    for _, size in GUARDED:
        assert len(CountBank.fresh(1000, size).snapshot()) / 1000 <= 4096
