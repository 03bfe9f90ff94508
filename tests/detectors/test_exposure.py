"""What a count is out of: twice the exposure, twice the expectation, and no news."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.contract import Detector
from detectors.counts import CountBank
from detectors.observation import Counts, Floats, ScoreReason, Scores, Slot
from detectors.outbreak import OutbreakBank
from detectors.shift import ShiftBank
from tests.detectors.streams_of_counts import DAYS, HOURS, WEEKS, all_sound, slot

BANKS = [
    (CountBank, HOURS),
    (CountBank, DAYS),
    (CountBank, WEEKS),
    (OutbreakBank, DAYS),
    (OutbreakBank, WEEKS),
    (ShiftBank, DAYS),
    (ShiftBank, WEEKS),
]
LONG = {HOURS: 900, DAYS: 130, WEEKS: 60}
Bank = type[CountBank | OutbreakBank | ShiftBank]


def out_of(exposure: Floats | float, index: int, size: int, series: int) -> Slot:
    return replace(slot(index, size, series), exposure=np.full(series, 1.0) * exposure)


def steady(rate: float, exposure: Floats, seed: int) -> Counts:
    return np.random.default_rng(seed).poisson(rate * exposure).astype(np.int64)


def learned(bank: Detector, counts: Counts, exposure: Floats, size: int) -> list[Scores]:
    """Scores of all windows, each then learned."""
    found = []
    for index, (row, of) in enumerate(zip(counts, exposure, strict=True)):
        here = out_of(of, index, size, row.size)
        found.append(bank.score(row, here))
        bank.learn(row, here)
    return found


@pytest.mark.parametrize(("made", "size"), BANKS)
def test_what_is_expected_goes_with_the_exposure(made: Bank, size: int) -> None:
    """Nobody's level has moved when the county has twice as many residents from one window to the next."""
    exposure = np.full((LONG[size], 6), 1000.0)
    bank = made.fresh(6, size)
    learned(bank, steady(0.02, exposure, 1), exposure, size)
    one, two = (bank.score(np.full(6, 20), out_of(of, LONG[size], size, 6)) for of in (1000.0, 2000.0))
    assert all_sound(one)
    assert all_sound(two)
    np.testing.assert_allclose(two.expected, 2 * one.expected, rtol=1e-5)
    np.testing.assert_allclose(one.expected, 20.0, rtol=0.25)


@pytest.mark.parametrize(("made", "size"), BANKS)
def test_a_change_of_exposure_is_no_news_and_without_it_is(made: Bank, size: int) -> None:
    windows = LONG[size]
    later = {HOURS: 24, DAYS: 28, WEEKS: 8}[size]
    exposure = np.full((windows + later, 40), 50_000.0)
    exposure[windows:] *= 3
    counts = steady(30.0 / 50_000, exposure, 2)
    told, untold = made.fresh(40, size), made.fresh(40, size)
    with_it = learned(told, counts, exposure, size)[windows:]
    without = learned(untold, counts, np.ones_like(exposure), size)[windows:]
    small = 5e-4 if made is ShiftBank else 1e-6
    assert min(scores.p_high.min() for scores in with_it) > small
    assert min(scores.p_high.min() for scores in without) < small


@pytest.mark.parametrize(("made", "size"), BANKS)
def test_no_exposure_everywhere_is_one_everywhere(made: Bank, size: int) -> None:
    one, other = made.fresh(4, size), made.fresh(4, size)
    counts = steady(7.0, np.ones((LONG[size], 4)), 3)
    for index, row in enumerate(counts):
        one.learn(row, slot(index, size, 4))
        other.learn(row, out_of(1.0, index, size, 4))
    assert one.snapshot() == other.snapshot()


@pytest.mark.parametrize("nothing", [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize(("made", "size"), BANKS)
def test_without_exposure_nothing_is_expected_judged_or_learned(made: Bank, size: int, nothing: float) -> None:
    exposure = np.full((LONG[size], 3), 10.0)
    one, other = made.fresh(3, size), made.fresh(3, size)
    counts = steady(2.0, exposure, 4)
    learned(one, counts, exposure, size)
    learned(other, counts, exposure, size)
    here = out_of(np.array([10.0, nothing, 10.0]), LONG[size], size, 3)
    scores = one.score(np.array([20, 500, -1]), here)
    assert scores.reason.tolist() == [ScoreReason.SCORED, ScoreReason.NO_EXPOSURE, ScoreReason.MISSING]
    assert np.isnan(scores.expected[1])
    assert np.isnan(scores.p_high[1])
    one.learn(np.array([20, 500, -1]), here)
    other.learn(np.array([20, -1, -1]), out_of(10.0, LONG[size], size, 3))
    for index in range(LONG[size] + 1, LONG[size] + 60):
        row, later = np.array([20, 21, 19]), out_of(10.0, index, size, 3)
        same(one.score(row, later), other.score(row, later))
        one.learn(row, later)
        other.learn(row, later)


def same(one: Scores, other: Scores) -> None:
    def as_array(scores: Scores) -> NDArray[np.float64]:
        return np.stack([scores.expected, scores.low, scores.high, scores.p_high, scores.p_low])

    np.testing.assert_array_equal(as_array(one), as_array(other))


@pytest.mark.parametrize(("made", "size"), BANKS)
def test_a_snapshot_goes_on_with_the_exposures_that_are_held_back(made: Bank, size: int) -> None:
    exposure = np.random.default_rng(5).uniform(5.0, 50.0, (LONG[size], 4))
    one = made.fresh(4, size)
    learned(one, steady(1.0, exposure, 6), exposure, size)
    other = made.restore(one.snapshot())
    for index in range(LONG[size], LONG[size] + 40):
        row, here = np.array([9, 30, 0, 14]), out_of(np.array([10.0, 25.0, 5.0, 14.0]), index, size, 4)
        same(one.score(row, here), other.score(row, here))
        one.learn(row, here)
        other.learn(row, here)
    assert one.snapshot() == other.snapshot()


def test_a_rate_per_request_is_found_high_though_the_count_is_usual() -> None:
    """Half the requests, and as many of them returned as ever."""
    exposure = np.full((200, 5), 800.0)
    bank = CountBank.fresh(5, DAYS)
    learned(bank, steady(0.1, exposure, 7), exposure, DAYS)
    scores = bank.score(np.full(5, 80), out_of(400.0, 200, DAYS, 5))
    assert (scores.p_high < 1e-4).all()
